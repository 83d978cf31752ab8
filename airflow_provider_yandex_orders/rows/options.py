# SPDX-License-Identifier: Apache-2.0
"""What one run asks of its rows, beyond what their kind declares."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

from airflow_provider_yandex_orders.rows.dates import Clock
from airflow_provider_yandex_orders.rows.reading import Reading


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """How one run checks its rows.

    :param counter_zone: gives the counter's time zone; asked when the first value needs it.
    :param source_zone: zone of naive date-times; ``None`` for the counter's.
    :param hash_identifiers: send md5 sums in place of e-mails and phones.
    :param status_map: CRM status to the service's.
    :param require_key: reject rows without a key.
    :param refuse_clear: reject e-mails and phones that are not hashed.
    :param targets: gives what rows may name as goals: identifier to what is wrong with the goal, or nothing.
    :param statuses: gives the ids of the counter's own order statuses, where it may have some.
    :param phone_region: country whose habits phone numbers without a country code follow.
    :param of_rows: how rows inside a row are checked, where that differs.
    :param row_columns: ``{"field": "key"}`` where names inside such rows differ.
    :param reading: how the source writes amounts and dates.
    :param note: takes the code of something that is worth counting; the checker sets it.
    """

    counter_zone: Callable[[], tzinfo]
    source_zone: tzinfo | None = None
    hash_identifiers: bool = False
    status_map: Mapping[Any, str] = field(default_factory=dict)
    require_key: bool = True
    refuse_clear: bool = False
    targets: Callable[[], Mapping[str, str | None]] | None = None
    statuses: Callable[[], Collection[str]] | None = None
    phone_region: str | None = "RU"
    of_rows: CheckOptions | None = None
    row_columns: Mapping[str, str] | None = None
    reading: Reading = field(default_factory=Reading)
    note: Callable[[str], None] | None = None

    @property
    def clock(self) -> Clock:
        """The converters of moments."""
        return Clock(self.source_zone, self.counter_zone, self.note)
