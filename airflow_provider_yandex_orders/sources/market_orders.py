# SPDX-License-Identifier: Apache-2.0
"""Orders of Yandex Market as rows for an import into the Altcraft Platform, with the CRM's contacts."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_yandex_orders.exceptions import ConfigurationError, SourceError
from airflow_provider_yandex_orders.sources.base import Row, RowStream, Source, UnreadableRow
from airflow_provider_yandex_orders.sources.file import FileSource
from airflow_provider_yandex_orders.sources.rows import as_source

if TYPE_CHECKING:
    from airflow_provider_yandex_orders.local_tables import Shelf

log = logging.getLogger(__name__)

MOST_NAMED = 20
"""Columns a message names."""


@dataclass(eq=False, repr=False)
class MarketOrdersSource(Source):
    """Raw orders of ``stats/orders``, each mapped and joined with the contact the CRM has for it.

    Market tells no e-mail and no phone. The shop's own order id (``partnerOrderId``) is what both sides know: an order
    without a contact has no customer and is rejected by the import.

    Contacts are put on local disk, so memory stays flat. Test orders are left out.

    :param orders: what ``MarketFetchOrderStatsOperator`` returned (``fetch.output``), or paths of its raw files.
        (templated)
    :param endpoint: the platform's point of sale for this store. (templated)
    :param contacts: a source with ``partnerOrderId`` and what finds the subscriber (``email``, ``phone``, ``matching``,
        ...), or ``tags``: :data:`~.market_to_altcraft.CONTACT_FIELDS`. Other columns are left out. (templated)
    :param conn_id: Airflow connection of the object storage. (templated)
    :param with_tests: do not leave test orders out.
    :param options: more arguments of :func:`~.market_to_altcraft.altcraft_order`: ``prefix``, ``statuses``,
        ``currencies``, ...
    """

    template_fields: ClassVar[tuple[str, ...]] = ("orders", "endpoint", "contacts", "conn_id")

    orders: Any
    endpoint: str
    contacts: Any
    _: KW_ONLY
    conn_id: str | None = None
    with_tests: bool = False
    options: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if isinstance(self.contacts, (list, tuple)):
            self.contacts = as_source(self.contacts)

    def serialize(self) -> dict[str, Any]:
        """Paths and where the contacts come from."""
        orders = self.orders if isinstance(self.orders, (str, list)) else str(self.orders)
        contacts = self.contacts.serialize() if isinstance(self.contacts, Source) else str(self.contacts)
        return {"orders": orders, "endpoint": self.endpoint, "contacts": contacts}

    def __repr__(self) -> str:
        return "MarketOrdersSource()"

    @contextmanager
    def open(self) -> Iterator[RowStream]:
        """Read the contacts, then go through the orders."""
        from airflow_provider_yandex_orders.local_tables import Shelf

        with Shelf() as shelf:
            self._fill(shelf)
            yield RowStream(None, self._rows(shelf))

    def _fill(self, shelf: Shelf) -> None:
        from airflow_provider_yandex_orders.rows.cells import is_missing
        from airflow_provider_yandex_orders.rows.faults import BadValue
        from airflow_provider_yandex_orders.rows.scalars import identifier
        from airflow_provider_yandex_orders.sources.columns import Picker, label
        from airflow_provider_yandex_orders.sources.market_to_altcraft import CONTACT_FIELDS

        contacts = as_source(self.contacts)
        field = "partnerOrderId"
        column = label(contacts.columns, field)
        known, left_out = 0, set[str]()
        with contacts.open() as stream:
            pick = Picker(
                contacts.columns, [field, *CONTACT_FIELDS], lists=["tags"], null_values=stream.reading.null_values
            )
            for number, row in enumerate(stream.rows, start=1):
                if isinstance(row, UnreadableRow):
                    raise SourceError(f"Read {contacts!r}: row {number}: {row.reason}; {row.fix}. Nothing was sent.")
                picked = pick(row)
                if column not in picked:
                    raise SourceError(
                        f"Read {contacts!r}: there is no column {column!r}, by which contacts are found. Name it by "
                        'columns={"partnerOrderId": "source column"}.'
                    )
                left_out.update(row.keys() - pick.used)
                if is_missing(picked[column]):
                    continue  # an order of another channel
                try:
                    key = identifier(picked[column])
                except BadValue as bad:
                    raise SourceError(f"Read {contacts!r}: row {number}: {column} {bad.reason}; {bad.fix}.") from None
                found = {name: picked.get(label(contacts.columns, name)) for name in CONTACT_FIELDS}
                shelf.add(
                    key, f"{number:012d}", {name: value for name, value in found.items() if not is_missing(value)}
                )
                known += 1
        shelf.settle()
        log.info("Contacts read: %d.", known)
        if left_out:
            log.warning(
                "Columns of contacts that orders do not take: %s. They take %s.",
                ", ".join(sorted(left_out)[:MOST_NAMED]),
                ", ".join(CONTACT_FIELDS),
            )

    def _rows(self, shelf: Shelf) -> Iterator[Row]:
        from airflow_provider_yandex_orders.rows.faults import BadValue
        from airflow_provider_yandex_orders.sources.market_to_altcraft import altcraft_order

        count: Counter[str] = Counter()
        for path in self._paths():
            with FileSource(path, conn_id=self.conn_id).open() as stream:
                for order in stream.rows:
                    if isinstance(order, UnreadableRow):
                        yield order
                        continue
                    if order.get("fake") and not self.with_tests:
                        count["test"] += 1
                        continue
                    found = shelf.take(str(order.get("partnerOrderId") or ""))
                    if not found:
                        count["no contact"] += 1
                    contact = found[-1] if found else None
                    try:
                        yield altcraft_order(order, endpoint=self.endpoint, contact=contact, **(self.options or {}))
                    except BadValue as bad:
                        yield UnreadableRow(bad.reason, bad.fix)
        log.info(
            "Orders of Market without a contact: %d; test orders left out: %d.", count["no contact"], count["test"]
        )

    def _paths(self) -> list[str]:
        orders = self.orders.get("paths") if isinstance(self.orders, Mapping) else self.orders
        if isinstance(orders, str):
            return [orders]
        if isinstance(orders, (list, tuple)) and all(isinstance(path, str) for path in orders):
            return list(orders)
        raise ConfigurationError(
            f"Read orders of Market: orders is a {type(orders).__name__} after rendering. Give paths, or the output of "
            "the task that fetched them."
        )
