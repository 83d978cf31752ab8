# SPDX-License-Identifier: Apache-2.0
"""Rows found again by a key, whatever their values; samples and expectations of what was sent."""

from __future__ import annotations

from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_yandex_orders.altcraft.verify import expected_orders, found_orders, sample_of, still_missing
from airflow_provider_yandex_orders.exceptions import ConfigurationError
from airflow_provider_yandex_orders.sources.shelf import BATCH, Shelf
from airflow_provider_yandex_orders.waiting import SHOWN, Heard, UploadState


def test_a_shelf_gives_back_what_it_took() -> None:
    row = {
        "text": "Ж",
        "none": None,
        "money": Decimal("1.10"),
        "day": date(2026, 1, 2),
        "moment": datetime(2026, 1, 2, tzinfo=timezone.utc),
        "list": [1, {"a": 2.5}],
        "bytes": memoryview(b"x"),
    }
    with Shelf() as shelf:
        shelf.add("A", "2", {"n": 2})
        shelf.add("A", "1", row)
        shelf.add("B", "1", {"n": 3})
        shelf.close()
        assert shelf.take("A") == [{**row, "bytes": b"x"}, {"n": 2}]
        assert shelf.take("nobody") == []
        assert list(shelf.never_taken()) == [("B", 1)]


def test_a_shelf_of_many_rows() -> None:
    with Shelf() as shelf:
        for number in range(3 * BATCH + 1):
            shelf.add(str(number % 1000), f"{number:06d}", {"n": number})
        shelf.close()
        assert [row["n"] for row in shelf.take("0")] == list(range(0, 3 * BATCH + 1, 1000))


@pytest.mark.parametrize(
    ("size", "places"), [(None, range(10)), (10, range(10)), (99, range(10)), (3, [0, 3, 6]), (1, [0])]
)
def test_samples_are_spread(size: int | None, places: Any) -> None:
    orders: dict[str, str | None] = {str(number): None for number in range(10)}
    assert list(sample_of(orders, size)) == [str(place) for place in places]


def test_a_sample_has_a_size() -> None:
    with pytest.raises(ConfigurationError, match="at least one"):
        sample_of({}, 0)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("A", {"A": "paid"}),
        (["A", 5], {"A": "paid", "5": "paid"}),
        ({"A": "new", 5: "paid"}, {"A": "new", "5": "paid"}),
        ([], {}),
        ([{"A": "new"}, "B"], {"A": "new", "B": "paid"}),
    ],
)
def test_expected_orders(value: Any, expected: dict[str, str]) -> None:
    assert expected_orders(value, "paid") == expected


def test_a_deliverys_parts_tell(tmp_path: Path) -> None:
    (tmp_path / "part-00001.json").write_text(
        '{"altcraft_orders":[{"external_id":"A","status":"new"},\n{"external_id":"B","status":"paid"}]}'
    )
    (tmp_path / "part-00002.xml").write_text(
        "<xml>\n<row><external_id>C</external_id><status>canceled</status></row>\n</xml>"
    )
    parts = [
        {"path": str(tmp_path / "part-00001.json"), "refused": ["B"]},
        {"path": str(tmp_path / "part-00002.xml")},
    ]
    assert expected_orders({"entity": "altcraft_orders", "parts": parts}) == {"A": "new", "C": "canceled"}


@pytest.mark.parametrize("value", [None, 5])
def test_what_holds_no_orders(value: Any) -> None:
    with pytest.raises(TypeError):
        expected_orders(value)


def state(key: str, status: str, final: bool) -> UploadState:
    return UploadState(key, status, final, final, detail="" if final else "expected paid")


def test_what_was_found_and_what_was_not() -> None:
    wait = Heard(["A", "B", "C"])
    wait.hear({"A": state("A", "paid", True), "B": state("B", "new", False)})
    assert found_orders(wait) == {"checked": 3, "by_status": {"new": 1, "paid": 1}}
    message = still_missing(wait, 60)
    assert "2 of 3 are not as expected after 60 s: B (new, expected paid), C (not there)." in message
    again = Heard.from_event(wait.to_event())
    assert still_missing(again, 60) == message


def test_long_waits_stay_readable() -> None:
    wait = Heard(map(str, range(150)))
    assert wait.describe_open().endswith(f"{SHOWN - 1} (not listed yet) and {150 - SHOWN} more")
    assert "99 (not there) and 50 more." in still_missing(wait, 1)
