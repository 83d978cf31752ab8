# SPDX-License-Identifier: Apache-2.0
"""What the journal writes of a row is the same in every version: else a new one would send all rows again."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from airflow_provider_yandex_orders.journal.records import Destination, Sums
from airflow_provider_yandex_orders.rows.formats import meaning

SUMS = Sums(bytes(range(32)), Destination("metrica", "api-metrika.yandex.net", "101", "simple_orders"))
ROW: dict[str, Any] = {
    "id": "A-1",
    "create_date_time": "2026-11-01 10:00:00",
    "client_ids": ["170000000012"],
    "revenue": Decimal("10.50"),
}
VERSION = "2026-11-01T10:00:00.000000+00:00"


@pytest.mark.parametrize(("mode", "content"), [("", "70e4c984862edff6"), ("APPEND", "9573c10e527a9b9d")])
def test_a_row_with_a_key(mode: str, content: str) -> None:
    written = bytes.fromhex("0678f83f72acdec649cd6fe3"), bytes.fromhex(content), "2026-11-01T10:00:00"
    assert SUMS.entry_of(mode)("A-1", meaning(ROW, ROW), VERSION) == written


@pytest.mark.parametrize("mode", ["", "APPEND"])
def test_a_row_without_a_key(mode: str) -> None:
    assert SUMS.entry_of(mode)(None, meaning(ROW, ROW), "") == (bytes.fromhex("ccec5dabc38aff8d535ce67f"), b"", "")


def test_fields_that_are_not_filled_say_nothing() -> None:
    more = ROW | {"cost": None, "goals": [], "a_field_of_later": ""}
    assert meaning(more, reversed(more)) == meaning(ROW, ROW)
