# SPDX-License-Identifier: Apache-2.0
"""Functions as sources."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from airflow_provider_yandex_orders.exceptions import (
    ConfigurationError,
    PermanentError,
    RejectedRowsError,
    SourceError,
    SourceUnavailable,
)
from airflow_provider_yandex_orders.sources import CallableSource

ROWS = [{"id": "1"}, {"id": "2"}]


def rows_of(source: CallableSource) -> list[Any]:
    with source.open() as stream:
        assert stream.columns is None
        return list(stream.rows)


def orders(since: str, *, pages: int = 2) -> Iterator[Any]:
    for page in range(pages):
        yield [{"id": f"{since}-{page}-{number}"} for number in range(2)]


def test_pages_come_as_rows() -> None:
    rows = rows_of(CallableSource(orders, ["d"], {"pages": 3}))
    assert [row["id"] for row in rows] == ["d-0-0", "d-0-1", "d-1-0", "d-1-1", "d-2-0", "d-2-1"]


@pytest.mark.parametrize("given", [ROWS, tuple(ROWS), iter(ROWS), [ROWS], [[], ROWS], (row for row in ROWS)])
def test_whatever_gives_rows(given: Any) -> None:
    assert rows_of(CallableSource(lambda: given)) == ROWS


def test_one_row_and_none() -> None:
    assert rows_of(CallableSource(lambda: {"id": "1"})) == [{"id": "1"}]
    assert rows_of(CallableSource(list)) == []


@pytest.mark.parametrize("name", [f"{__name__}.orders", f"{__name__}:orders"])
def test_a_function_by_its_name(name: str) -> None:
    source = CallableSource(name, op_kwargs={"since": "x", "pages": 1})
    assert [row["id"] for row in rows_of(source)] == ["x-0-0", "x-0-1"]
    assert repr(source) == f"CallableSource({name})"


@pytest.mark.parametrize("name", ["orders", "no.such.module.orders", f"{__name__}.no_such", ""])
def test_a_name_that_names_nothing(name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"cannot be imported.*package\.module\.function"):
        rows_of(CallableSource(name))


def test_rows_are_taken_as_they_come() -> None:
    given: list[int] = []

    def endless() -> Iterator[dict[str, int]]:
        while True:
            given.append(1)
            yield {"id": len(given)}

    with CallableSource(endless).open() as stream:
        assert [next(stream.rows)["id"] for _ in range(3)] == [1, 2, 3]
    assert len(given) == 3


@pytest.mark.parametrize(
    ("args", "kwargs", "said"),
    [([], {}, "missing a required argument: 'since'"), (["d"], {"page": 1}, "unexpected keyword argument 'page'")],
)
def test_arguments_that_do_not_fit(args: list[Any], kwargs: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said) as caught:
        rows_of(CallableSource(orders, args, kwargs))
    assert "orders" in str(caught.value)


@pytest.mark.parametrize("given", [None, "rows", 5, b"x"])
def test_a_function_that_gives_no_rows(given: Any) -> None:
    with pytest.raises(SourceError, match="the function gave"):
        rows_of(CallableSource(lambda: given))


@pytest.mark.parametrize("given", [["ivan@example.com"], [ROWS, 5], [[None]]])
def test_rows_that_are_no_dicts(given: Any) -> None:
    with pytest.raises(SourceError, match=r"row \d is a (str|int|NoneType)") as caught:
        rows_of(CallableSource(lambda: given))
    assert "ivan" not in str(caught.value)


def failing(error: Exception) -> Iterator[dict[str, str]]:
    yield from ROWS
    raise error


def test_a_function_that_fails_is_tried_again_and_quotes_nobody() -> None:
    with pytest.raises(SourceUnavailable) as caught:
        rows_of(CallableSource(failing, [ValueError("Ivan Petrov, token y0_AgAAAA")]))
    said = str(caught.value)
    assert "test_callable_source.failing" in said
    assert "after 2 rows: ValueError in failing" in said
    assert "Petrov" not in said
    assert "y0_" not in said
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("error", [RejectedRowsError("mine"), PermanentError("mine"), SourceUnavailable("mine")])
def test_errors_of_airflow_stay_what_they_are(error: Exception) -> None:
    with pytest.raises(type(error), match="mine"):
        rows_of(CallableSource(failing, [error]))


def test_what_is_shown() -> None:
    source = CallableSource(orders, ["secret"], {"token": "y0_AgAAAA"}, columns={"id": ["ID", "no"]})
    shown = json.dumps(source.serialize()) + repr(source)
    assert "test_callable_source.orders" in shown
    assert "token" in shown
    assert "y0_" not in shown
    assert "secret" not in shown


def test_a_resource_of_dlt() -> None:
    dlt = pytest.importorskip("dlt", reason="dlt is not installed: pip install dlt")

    def pages(since: str) -> Iterator[Any]:
        yield [{"id": since}, {"id": "2"}]
        yield {"id": "3"}

    deals = dlt.resource(pages)
    assert [row["id"] for row in rows_of(CallableSource(deals, ["1"]))] == ["1", "2", "3"]
