# SPDX-License-Identifier: Apache-2.0
"""Rows found again by a key, whatever their values; samples and expectations of what was sent."""

from __future__ import annotations

from datetime import date, datetime, timezone
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_yandex_orders.altcraft.verify import (
    MOST,
    SAMPLE_CHARACTERS,
    expected_orders,
    found_orders,
    sample_of,
    sent_sample,
    still_missing,
)
from airflow_provider_yandex_orders.delivery.parts import Part
from airflow_provider_yandex_orders.exceptions import ConfigurationError
from airflow_provider_yandex_orders.local_tables import BATCH, Shelf
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
        shelf.settle()
        assert shelf.take("A") == [{**row, "bytes": b"x"}, {"n": 2}]
        assert shelf.take("nobody") == []
        assert list(shelf.never_taken()) == [("B", 1)]


def test_a_shelf_of_many_rows() -> None:
    with Shelf() as shelf:
        for number in range(3 * BATCH + 1):
            shelf.add(str(number % 1000), f"{number:06d}", {"n": number})
        shelf.settle()
        assert [row["n"] for row in shelf.take("0")] == list(range(0, 3 * BATCH + 1, 1000))


@pytest.mark.parametrize(
    ("size", "places"), [(None, range(10)), (10, range(10)), (99, range(10)), (3, [0, 3, 6]), (1, [0])]
)
def test_samples_are_spread(size: int | None, places: Any) -> None:
    orders: dict[str, str | None] = {str(number): None for number in range(10)}
    assert list(sample_of(orders, size)) == [str(place) for place in places]


@pytest.mark.parametrize("size", [0, -1, MOST + 1, True, "x", 2.5])
def test_a_sample_has_a_size(size: Any) -> None:
    with pytest.raises(ConfigurationError, match="sample must be"):
        sample_of({}, size)


def test_not_each_of_many_ids_can_be_asked_for() -> None:
    many: dict[str, str | None] = {str(number): None for number in range(MOST + 1)}
    with pytest.raises(ConfigurationError, match=r"501 ids are given.*Let sample be 500 or less"):
        sample_of(many, None)
    assert len(sample_of(many, MOST)) == MOST


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("A", {"A": "paid"}),
        (["A", 5], {"A": "paid", "5": "paid"}),
        ({"A": "new", 5: "paid"}, {"A": "new", "5": "paid"}),
        ([], {}),
        ([{"A": "new"}, "B"], {"A": "new", "B": "paid"}),
        ([[{"A": "new"}], [["B", 5]]], {"A": "new", "B": "paid", "5": "paid"}),
        ("№ 5 [x]", {"№ 5 [x]": "paid"}),
    ],
)
def test_expected_orders(value: Any, expected: dict[str, str]) -> None:
    assert expected_orders(value, "paid") == expected


def test_a_delivery_tells_its_sample() -> None:
    delivery = {"service": "altcraft", "rows_sent": 2, "parts": [], "sample": {"A": "new", "B": "paid"}}
    assert expected_orders(delivery) == {"A": "new", "B": "paid"}
    assert expected_orders([delivery, {**delivery, "sample": {"C": "new"}}]) == {"A": "new", "B": "paid", "C": "new"}
    assert expected_orders({"service": "altcraft", "rows_sent": 0, "parts": [], "sample": {}}) == {}


@pytest.mark.parametrize(
    ("delivery", "words"),
    [
        ({"service": "metrica", "rows_sent": 2, "parts": []}, "is the output of a task of metrica"),
        ({"service": "market", "orders": 3, "paths": ["a"]}, "is the output of a task of market"),
        ({"service": "altcraft", "rows_sent": 2, "parts": []}, "names no order"),
        ({"service": "altcraft", "rows_sent": 0, "rows_prepared": 2, "parts": []}, "names no order"),
    ],
)
def test_deliveries_of_which_nothing_can_be_asked(delivery: dict[str, Any], words: str) -> None:
    for value in (delivery, [delivery], [[delivery]]):
        with pytest.raises(ConfigurationError, match=words):
            expected_orders(value)


def written(folder: Path, number: int, ids: list[str], suffix: str) -> Part:
    path = folder / f"part-{number:05d}.{suffix}"
    if suffix == "json":
        path.write_bytes(
            msgspec.json.encode({"altcraft_orders": [{"external_id": key, "status": "new"} for key in ids]})
        )
    else:
        rows = "".join(f"<row><external_id>{key}</external_id><status>new</status></row>" for key in ids)
        path.write_text(f"<xml>{rows}</xml>")
    return Part(str(path), len(ids), 0, "")


@given(
    sizes=st.lists(st.integers(1, 30), max_size=6),
    size=st.integers(1, 40),
    suffix=st.sampled_from(["json", "xml"]),
    refused_share=st.sampled_from([0, 3, 1]),
)
def test_samples_of_what_was_sent(sizes: list[int], size: int, suffix: str, refused_share: int) -> None:
    with TemporaryDirectory() as folder:
        numbers = iter(range(1000))
        ids = [[f"A-{next(numbers)}" for _ in range(count)] for count in sizes]
        parts = [written(Path(folder), place, each, suffix) for place, each in enumerate(ids)]
        refused = {key for each in ids for key in each if refused_share and not int(key[2:]) % refused_share}
        found = sent_sample(parts, size, refused)
        good = [key for each in ids for key in each if key not in refused]
        assert set(found) <= set(good)
        assert len(found) <= size
        assert bool(found) >= bool(good and size >= sum(sizes))
        if not refused:
            assert len(found) == min(size, len(good))
            gaps = [good.index(b) - good.index(a) for a, b in pairwise(found)]
            assert not gaps or max(gaps) - min(gaps) <= 1
        assert found == sent_sample(parts, size, refused)


def test_only_the_parts_that_hold_a_sample_are_read(tmp_path: Path) -> None:
    parts = [written(tmp_path, number, [f"{number}-{row}" for row in range(10)], "json") for number in range(10)]
    for number in (1, 2, 3, 4, 6, 7, 8, 9):
        Path(parts[number].path).unlink()
    assert sent_sample(parts, 2, []) == {"0-0": "new", "5-0": "new"}


def test_a_sample_fits_into_xcom_and_names_nobody(tmp_path: Path) -> None:
    long = written(tmp_path, 1, [f"Ж{number:060d}" for number in range(500)], "json")
    found = sent_sample([long], 500, [])
    assert 50 < len(found) < 500
    assert sum(map(len, found)) <= SAMPLE_CHARACTERS
    personal = written(tmp_path, 2, ["ivan@example.com", "+79990000000", "Смирнова-5", "A-1"], "json")
    assert sent_sample([personal], 2, []) == {"A-1": "new"}
    assert len(sent_sample([personal], 4, for_xcom=False)) == 4


@pytest.mark.parametrize(
    "value",
    [
        None,
        5.5,
        True,
        b"Z-1",
        "None",
        "['Z-1']",
        "True",
        "",
        [[None]],
        {"checked": 2, "by_status": {"new": 2}},
        {"": "a"},
    ],
)
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
    again = Heard(wait.states)
    again.hear_event(wait.to_event())
    assert still_missing(again, 60) == message


def test_long_waits_stay_readable() -> None:
    wait = Heard(map(str, range(150)))
    assert wait.describe_open().endswith(f"{SHOWN - 1} (not listed yet) and {150 - SHOWN} more")
    assert "99 (not there) and 50 more." in still_missing(wait, 1)
