# SPDX-License-Identifier: Apache-2.0
"""What every upload operator does: prepare, send each part once, wait if asked, report."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from airflow.providers.common.compat.sdk import AirflowSkipException, BaseOperator, Context

from airflow_provider_yandex_orders.delivery.prepare import Limits
from airflow_provider_yandex_orders.exceptions import ConfigurationError
from airflow_provider_yandex_orders.retry import with_retry_policy
from airflow_provider_yandex_orders.sources.base import Source
from airflow_provider_yandex_orders.sources.rows import as_source

if TYPE_CHECKING:
    import jinja2


class UploadOperator(BaseOperator):
    """Arguments all uploads share.

    :param source: where the rows come from: a ``SqlSource``, a ``FileSource``, a list of dicts, or the output of a
        task that returns one. (templated)
    :param status_map: the CRM's order statuses to the service's. A status that is in neither is rejected. (templated)
    :param source_timezone: zone of date-times without one, such as ``Europe/Moscow``; by default the zone of the
        service's counter. (templated)
    :param hash_identifiers: send md5 sums in place of e-mail addresses and phone numbers.
    :param max_rejected: rejected rows that are put up with: a number, or a share below 1. With more of them nothing is
        sent and the task fails.
    :param max_part_rows: rows of one uploaded file.
    :param max_part_bytes: bytes of one uploaded file.
    :param skip_empty: skip the task when the source has no rows; by default it succeeds without an upload.
    :param staging_path: folder or object storage URL for parts and rejects; by default ``[yandex_orders] staging_path``
        of Airflow's configuration, else a folder under ``AIRFLOW_HOME``. (templated)
    """

    template_fields: Sequence[str] = ("source", "status_map", "source_timezone", "staging_path")
    template_ext: Sequence[str] = (".sql",)
    template_fields_renderers = {"source": "json", "status_map": "json"}  # noqa: RUF012 - as Airflow declares it
    ui_color = "#fff4cc"

    def __init__(
        self,
        *,
        source: Any,
        status_map: Mapping[str, str] | None = None,
        source_timezone: str | None = None,
        hash_identifiers: bool = False,
        max_rejected: float = 0,
        max_part_rows: int = 50_000,
        max_part_bytes: int = 100_000_000,
        skip_empty: bool = False,
        staging_path: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**with_retry_policy(kwargs))
        self.source = as_source(source) if isinstance(source, (list, Mapping)) else source  # hides literal rows
        self.status_map = status_map
        self.source_timezone = source_timezone
        self.hash_identifiers = hash_identifiers
        self.max_rejected = max_rejected
        self.max_part_rows = max_part_rows
        self.max_part_bytes = max_part_bytes
        self.skip_empty = skip_empty
        self.staging_path = staging_path

    def render_template_fields(self, context: Context, jinja_env: jinja2.Environment | None = None) -> None:
        """Render a copy of the source (two tasks may share one), and hide rows that came by XCom."""
        self.source = copy.copy(self.source) if isinstance(self.source, Source) else self.source
        super().render_template_fields(context, jinja_env)
        if isinstance(self.source, (list, tuple, Mapping)):
            self.source = as_source(self.source)

    def limits(self, window_days: int | None = None) -> Limits:
        """The sizes and the tolerance, checked.

        :raises ConfigurationError: one of them cannot work.
        """
        for name in ("max_part_rows", "max_part_bytes"):
            if getattr(self, name) < 1:
                raise ConfigurationError(f"{name} must be at least 1.")
        if self.max_rejected < 0:
            raise ConfigurationError("max_rejected must be 0 or more: a number of rows, or a share below 1.")
        return Limits(self.max_rejected, self.max_part_rows, self.max_part_bytes, window_days)

    def source_zone(self) -> ZoneInfo | None:
        """Zone of date-times without one.

        :raises ConfigurationError: there is no such zone.
        """
        return zone(self.source_timezone, "source_timezone") if self.source_timezone else None

    def skip_if_empty(self, rows_read: int) -> None:
        """End the task as skipped when there was nothing to read and the user wants that."""
        if rows_read == 0:
            if self.skip_empty:
                raise AirflowSkipException("The source gave no rows: skipped, as skip_empty asks.")
            self.log.info("The source gave no rows: nothing is sent, and that is fine.")


def zone(name: str, said_by: str) -> ZoneInfo:
    """The time zone of a name.

    :param name: name in the tz database.
    :param said_by: where the name stands, for the message.
    :raises ConfigurationError: there is no such zone.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ConfigurationError(
            f"{said_by} names the time zone {name!r}, which is not in the tz database of this machine. "
            "Write it as Europe/Moscow; if it is right, install the tzdata package."
        ) from None
