# SPDX-License-Identifier: Apache-2.0
"""Benchmarks run and give their ratios, those of rows for equal work; none of them is timed here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import journal, pairs, parse, rows, upload
from benchmarks.__main__ import BEGIN, COLUMNS, END, QUOTES, RESULTS, benchmarks, quoted, report, table
from benchmarks.orders import BAD_EVERY, crm, write_csv, write_sqlite
from benchmarks.pairs import Measured, Side, in_turn

FEW = 1_000


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    found = {"csv": str(tmp_path / "orders.csv"), "sqlite": str(tmp_path / "orders.db"), "dicts": ""}
    write_csv(Path(found["csv"]), FEW)
    write_sqlite(Path(found["sqlite"]), FEW)
    for name, value in crm(found["sqlite"]).items():
        monkeypatch.setenv(name, value)
    return found


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """The work is done in this process: starting others is what takes the time of a small one."""

    def measured(side: Side) -> Measured:
        for name, value in side.environment.items():
            monkeypatch.setenv(name, value)
        return Measured(growth=1.0, **pairs.timed(pairs.prepared(side)))

    monkeypatch.setattr(pairs, "_measured", measured)


@pytest.mark.parametrize(("source", "form", "_goal"), rows.PAIRS)
def test_plain_python_does_the_same(places: dict[str, str], source: str, form: str, _goal: float) -> None:
    given = {"source": source, "form": form, "place": places[source], "count": FEW}
    ours, theirs = rows.prepare_and_read(**given)(), rows.plain_and_read(**given)()
    assert [len(each) for each in ours] == [FEW - FEW // BAD_EVERY, FEW // BAD_EVERY]
    assert ours == theirs


def test_duckdb_does_the_same(places: dict[str, str]) -> None:
    pytest.importorskip("duckdb")
    given = {"source": "dicts", "form": "csv", "place": "", "count": FEW}
    assert rows.duck_and_read(FEW)() == rows.prepare_and_read(**given)()


def check_lines(lines: list[dict[str, object]]) -> None:
    assert lines
    for each in lines:
        assert tuple(each) == COLUMNS
        ratio: Any = each["ratio"]
        assert (ratio is None) == str(each["note"]).startswith("skipped: ")
        assert ratio is None or ratio > 0
    assert len(table(lines).splitlines()) == len(lines) + 2
    json.dumps(lines)


@pytest.mark.usefixtures("here")
def test_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_HOME", "")  # put back at the end: the whole task sets one of its own
    check_lines(rows.measure(FEW, 1, rows.PAIRS[::2]))


@pytest.mark.usefixtures("here")
def test_rows_that_differ_are_told() -> None:
    given = {"source": "dicts", "form": "csv", "place": ""}
    one, two = (Side("benchmarks.rows:plain_and_read", {**given, "count": count}) for count in (60, 61))
    with pytest.raises(AssertionError, match="59 and 60 rows accepted"):
        rows.check_same(one, two)


def test_work_is_measured() -> None:
    (found,) = in_turn(Side("tests.unit.benchmarks.test_benchmarks:burning"), rounds=1)
    assert found.result == "burnt"
    assert found.cpu > 0
    assert found.wall > 0
    assert 30 < found.growth < 60


def burning() -> Any:
    def work() -> str:
        block = bytearray(32 * 2**20)
        block[::4096] = b"x" * len(block[::4096])
        number = 0
        for each in range(2_000_000):
            number += each
        return "burnt"

    return work


@pytest.mark.usefixtures("here")
def test_journal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_JOURNAL", "")  # put back at the end
    check_lines(journal.measure(keys=2_000, rounds=1))


@pytest.mark.usefixtures("here")
def test_upload() -> None:
    lines = upload.measure(megabytes=0.5, rounds=1)
    assert len(lines) == 2  # plain and TLS
    check_lines(lines)


def test_parse() -> None:
    check_lines(parse.measure(rounds=1))


def test_the_docs_quote_the_results() -> None:
    assert quoted(RESULTS.read_text()) == QUOTES.read_text().partition(BEGIN)[2].partition(END)[0]


def test_what_is_quoted() -> None:
    lines = [
        pairs.line("rows, sqlite in: ours to theirs", "1 s", "2 s", 2, "a | b"),
        pairs.line("rows, csv in: ours to theirs", "1 s", "2 s", 2),
        pairs.skipped("upload of nothing", "no curl"),
    ]
    assert quoted(report(lines, 1)) == "| work | ratio |\n|---|---|\n| rows, sqlite in: ours to theirs | 2 |\n"


def test_each_is_run_by_its_name() -> None:
    assert set(benchmarks()) >= {"journal", "parse", "rows", "upload"}
