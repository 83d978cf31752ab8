# SPDX-License-Identifier: Apache-2.0
"""The command ``explain``: the source of the quick pass, printed for people."""

from __future__ import annotations

import ast

import pytest

from airflow_provider_yandex_orders.__main__ import main


@pytest.mark.parametrize(
    "options", [(), ("--hash-identifiers",), ("--columns", "id=Order No", "--status-map", "new=PAID")]
)
def test_the_source_is_printed(capsys: pytest.CaptureFixture[str], options: tuple[str, ...]) -> None:
    assert main(["explain", "simple_orders", *options]) == 0
    told = capsys.readouterr().out
    (made,) = ast.parse(told).body
    assert isinstance(made, ast.FunctionDef)
    assert ("# 'id' from 'Order No'" in told) == ("id=Order No" in options)
    assert ("sum_of(" in told) == ("--hash-identifiers" in options)


@pytest.mark.parametrize("entity", ["contacts", "orders", "offline_conversions"])
def test_each_kind_of_metrica_has_one(capsys: pytest.CaptureFixture[str], entity: str) -> None:
    assert main(["explain", entity]) == 0
    assert capsys.readouterr().out.startswith("def quick(rows, number, found, leave):")


@pytest.mark.parametrize("arguments", [("altcraft_orders",), ("orders", "--merge-mode", "UPDATE")])
def test_where_there_is_none_it_is_said(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]) -> None:
    assert main(["explain", *arguments]) == 0
    assert "no quick pass" in capsys.readouterr().out


def test_what_cannot_work_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "contacts", "--columns", "no_field=x"]) == 2
    assert "no_field" in capsys.readouterr().err
