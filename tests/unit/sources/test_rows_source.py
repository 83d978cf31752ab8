# SPDX-License-Identifier: Apache-2.0
"""Lists of dicts as sources."""

from __future__ import annotations

from collections import UserList
from typing import Any

import pytest

from airflow_provider_yandex_orders.exceptions import SourceError
from airflow_provider_yandex_orders.sources import FileSource, RowsSource, as_source
from airflow_provider_yandex_orders.sources.parts import PartsSource

ROWS = [{"id": "1", "emails": "ivan@example.com"}, {"id": "2", "phones": "79995551111"}]


@pytest.mark.parametrize("value", [ROWS, tuple(ROWS)])
def test_rows_are_read_and_not_shown(value: Any) -> None:
    source = as_source(value)
    for _ in range(2):
        with source.open() as stream:
            assert stream.columns is None
            assert list(stream.rows) == ROWS
    assert source.serialize() == {"rows": 2}
    for shown in (repr(source), str(source), f"{source}", str(source.serialize())):
        assert "ivan" not in shown
        assert "7999" not in shown


def test_one_row_and_none() -> None:
    assert as_source(ROWS[0]).serialize() == {"rows": 1}
    assert as_source([]).serialize() == {"rows": 0}


def test_a_delivery_is_read_by_its_parts() -> None:
    delivery = {"service": "metrica", "entity": "orders", "parts": [{"path": "a.json"}, {"path": "b.json"}]}
    source = as_source(delivery)
    assert isinstance(source, PartsSource)
    assert source.serialize() == {"entity": "orders", "paths": ["a.json", "b.json"]}


def test_deliveries_of_mapped_tasks() -> None:
    each = {"entity": "orders", "parts": [{"path": "a.json"}]}
    for value in ([each, each], (each, each), UserList([each, each])):
        assert as_source(value).serialize() == {"entity": "orders", "paths": ["a.json", "a.json"]}
    with pytest.raises(SourceError, match="source= is a list"):
        as_source([each, {"id": "1"}])


@pytest.mark.parametrize("row", [{"parts": "x"}, {"entity": "x"}, {"id": "1", "parts": []}])
def test_a_row_with_a_column_of_that_name_is_a_row(row: dict[str, Any]) -> None:
    with as_source(row).open() as stream:
        assert list(stream.rows) == [row]


def test_a_source_stays_itself() -> None:
    for source in (FileSource("a.csv"), RowsSource(ROWS)):
        assert as_source(source) is source


@pytest.mark.parametrize("value", [None, "orders.csv", 5, [ROWS], ["ivan@example.com"], [{"id": 1}, None], {"a"}])
def test_what_is_no_source(value: object) -> None:
    with pytest.raises(SourceError, match=f"source= is a {type(value).__name__}") as caught:
        as_source(value)
    assert "ivan" not in str(caught.value)
