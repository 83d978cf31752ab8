# SPDX-License-Identifier: Apache-2.0
"""All that comes of rows, so that two ways to take them can be compared."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path
from typing import Any
from unittest import mock

from airflow_provider_yandex_orders.delivery import sorter, spool
from airflow_provider_yandex_orders.delivery.compiled import Compiler
from airflow_provider_yandex_orders.delivery.plan import Limits, Plan
from airflow_provider_yandex_orders.delivery.prepare import prepare
from airflow_provider_yandex_orders.journal.records import Destination, Sums
from airflow_provider_yandex_orders.rows.reading import Reading
from airflow_provider_yandex_orders.sources.base import RowStream, Source
from airflow_provider_yandex_orders.sources.rows import RowsSource
from tests.unit.unit_support import contact, conversion, full_order, order

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC).timestamp()
ENTRY_OF = Sums(b"secret", Destination("metrica", "host", "101", "orders")).entry_of()
LINE = {"external_id": "1", "status": "new", "sku": "s", "final_price_per_item": "10", "count": 1}
GOOD: Mapping[str, Mapping[str, Any]] = {
    "simple_orders": order(
        order_status="PAID", revenue="10.50", goals="lead", client_ids="170000000012", currency="RUB"
    ),
    "contacts": contact(phones="+7 916 123-45-67", birth_date="1990-01-31", client_ids="170000000012"),
    "orders": full_order(revenue="10.50", products="a:1", goals="lead", update_date_time="2025-03-04 15:20:00"),
    "offline_conversions": conversion(Price="10", Currency="RUB"),
    "altcraft_orders": {
        "external_id": "1",
        "email": "a@example.com",
        "endpoint": "e",
        "status": "paid",
        "currency": "RUB",
    }
    | {"lines": [LINE]},
    "altcraft_order_lines": LINE,
    "altcraft_custom_fields": {"external_id": "f", "name": "F", "entity_type": "sku", "required": True}
    | {"value_type": "int"},
    "altcraft_line_statuses": {"external_id": "s", "name": "S", "type": "delivered"},
}


class Rows(RowsSource):
    """Rows that are written in some way."""

    def __init__(self, rows: Sequence[Mapping[str, Any]], how: Reading) -> None:
        super().__init__(rows)
        self.how = how

    @contextmanager
    def open(self) -> Iterator[RowStream]:
        yield RowStream(None, iter(self.rows), self.how)


def outcome(
    source: Source, folder: Path, *, quick: bool = True, catches: Any = Exception, **changes: Any
) -> dict[str, Any]:
    """All that comes of rows: what is spooled, written and counted; and how many rows took the long way."""
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    spooled: list[Any] = []
    slow: list[int] = []

    class Spool(spool.Spool):
        def extend(self, rows: Any) -> None:
            spooled.extend(rows)
            super().extend(rows)

    class Sorter(sorter.Sorter):
        def _take(self, number: int, row: Any) -> None:
            slow.append(number)
            super()._take(number, row)

        def settle(self) -> None:
            told.update(words=dict(self._words), filled=self.filled, values=dict(self.checker.values))
            super().settle()
            told.update(notes={note: count for note, count in self.notes.items() if count})

    told: dict[str, Any] = {}
    folder.mkdir()
    place = ObjectStoragePath(str(folder))
    plan = Plan(folder=place, limits=changes.pop("limits", Limits(max_rejected=10**9, max_dropped=10**9)), **changes)
    way = mock.patch.object(Compiler, "make", (lambda *_: None) if not quick else Compiler.make)
    with (
        way,
        mock.patch.object(sorter, "Spool", Spool),
        mock.patch("airflow_provider_yandex_orders.delivery.prepare.Sorter", Sorter),
        mock.patch.object(time, "time", return_value=NOW),
        mock.patch.object(Plan, "entry_of", property(lambda _plan: ENTRY_OF)),
    ):
        try:
            prepared = prepare(source, plan)
        except catches as error:
            told["error"] = str(error).replace(str(folder), "")
        else:
            counted = {name: getattr(prepared, name) for name in prepared.__slots__ if "path" not in name}
            told |= counted | {"parts": [(part.rows, part.bytes, part.sha256) for part in prepared.parts]}
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    return told | {"files": files, "spooled": sorted(spooled, key=itemgetter(1)), "slow": slow}
