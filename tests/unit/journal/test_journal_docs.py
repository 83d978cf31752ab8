# SPDX-License-Identifier: Apache-2.0
"""The page about the journal: its columns are those of the views, its questions are answered as they stand there."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import inspect

from airflow_provider_yandex_orders.get_provider_info import get_provider_info
from airflow_provider_yandex_orders.journal.records import PartState, TaskKey
from airflow_provider_yandex_orders.journal.store import Journal
from airflow_provider_yandex_orders.journal.tables import VIEWS
from tests.unit.journal.journal_support import ORDERS, Row, judge, send

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "journal.md").read_text(encoding="utf-8")
HISTORY = (DOCS / "history.md").read_text(encoding="utf-8")
PLACE = {"service", "host", "counter", "entity"}
TASK = {"dag_id", "run_id", "task_id", "map_index"}
WORDS = {
    "INTEGER": "integer",
    "BIGINT": "integer",
    "VARCHAR": "text",
    "DATETIME": "timestamp",
    "TIMESTAMP": "timestamp",
}
WORDS |= {"DATE": "date", "BLOB": "bytes", "BYTEA": "bytes", "NUMERIC": "number", "TEXT": "text"}


def documented(view: str) -> dict[str, str]:
    """Columns of a view on the page, and their types."""
    section = re.search(rf"^`{view}`: .*?(?=^`|^## )", PAGE, re.DOTALL | re.MULTILINE)
    assert section is not None, view
    rows = re.findall(r"^\| (`.*?) \| (\w+) \|", section[0], re.MULTILINE)
    return {name: kind for names, kind in rows for name in re.findall(r"`(\w+)`", names)}


@pytest.mark.parametrize("view", VIEWS)
def test_columns_are_those_of_the_views(view: str, journal: Journal) -> None:
    with journal._database.reading() as connection:
        schema = "yandex_orders" if journal._database.postgres else None
        found = {column["name"]: column["type"] for column in inspect(connection).get_columns(view, schema=schema)}
    everywhere = {"linked_by_day": PLACE, "requests_by_day": set()}.get(view, PLACE | TASK)
    columns = documented(view)
    assert set(found) == set(columns) | everywhere
    told = {name: WORDS.get(str(kind).partition("(")[0]) for name, kind in found.items() if name in columns}
    # SQLite knows no types of what is worked out.
    assert {name: kind for name, kind in told.items() if kind} == {
        name: kind for name, kind in columns.items() if told[name]
    }


def test_settings_are_those_of_the_provider() -> None:
    options = get_provider_info()["config"]["yandex_orders"]["options"]
    rows = re.findall(r"^\| `(journal_\w+)` \| .* \| (.*) \|$", PAGE, re.MULTILINE)
    assert {name for name, _ in rows} == {name for name in options if name.startswith("journal_")}
    assert dict(rows)["journal_days"] == options["journal_days"]["default"]


def test_questions_are_answered(journal: Journal, query: Callable[..., list[Any]], open_one: Any, capsys: Any) -> None:
    for run, rows in (("monday", ["order-1", "order-2", "order-3"]), ("tuesday", ["order-2", "order-3", "order-4"])):
        _deliver(journal, run, [(key, run, f"2026-11-2{len(run)}") for key in rows])
    blocks = re.findall(r"^```sql\n(.*?)```", PAGE, re.DOTALL | re.MULTILINE)
    (asked_for,) = re.findall(r"^```python\n(.*?)```", PAGE, re.DOTALL | re.MULTILINE)
    exec(asked_for, {})  # the page's own lines
    journal.linked(ORDERS, date(2026, 11, 25), linked_orders=3, sent_orders=4)
    answers = []
    for block in blocks:
        asked = block.replace("0" * 24, capsys.readouterr().out.split()[-1]) if "0" * 24 in block else block
        if journal._database.postgres:  # the two places that the page names
            asked = asked.replace("date('now', '-30 days')", "CURRENT_DATE - 30").replace("x'", "'\\x")
        answers.append(query(asked))
    unjudged, rejected, common, history, shares = answers
    assert [(row[4], row[-1]) for row in unjudged] == [("accepted", "tuesday")]
    assert [(code, int(rows)) for code, rows in rejected] == [("bad_date", 4), ("no_key", 2)]
    assert common == [(2,)]
    assert [(row[1], row[2], row[-1]) for row in history] == [("2026-11-26", "good", "monday")]
    assert [(str(row[0]), float(row[-1])) for row in shares] == [("2026-11-25", 0.75)]


def test_the_page_of_history_is_right(journal: Journal, query: Callable[..., list[Any]]) -> None:
    """Its questions are answered, and the sources for dbt are the views, with values that pass the tests it names."""
    _deliver(journal, "monday", [("order-1", "red", ""), ("order-2", "red", "")])
    journal.linked(ORDERS, date(2026, 11, 25), linked_orders=1, sent_orders=2)
    journal.spend("the connection metrica", date(2026, 11, 25), 3)
    rows, _money, rejected, waiting, nothing, requests = (
        query(block) for block in re.findall(r"^```sql\n(.*?)```", HISTORY, re.DOTALL | re.MULTILINE)
    )
    assert [int(row[5]) for row in rows] == [2]
    assert [(row[1], int(row[2])) for row in rejected] == [("bad_date", 2), ("no_key", 1)]
    assert waiting == nothing == []
    assert [row[1:] for row in requests] == [("the connection metrica", 3)]

    (source,) = yaml.safe_load(re.findall(r"^```yaml\n(.*?)```", HISTORY, re.DOTALL | re.MULTILINE)[0])["sources"]
    assert source["schema"] == "yandex_orders"
    assert {table["name"] for table in source["tables"]} == set(VIEWS)
    for table in source["tables"]:
        for column in table["columns"]:
            found = [row[0] for row in query(f"SELECT {column['name']} FROM {table['name']}")]
            for test in column["data_tests"]:
                assert test != "not_null" or None not in found
                assert test != "unique" or len(found) == len(set(found))
    states = {str(state) for state in PartState}
    assert set(re.findall(r"values: \[(.*)\]", HISTORY)[0].split(", ")) == states


def _deliver(journal: Journal, run_id: str, rows: list[Row]) -> None:
    delivery = journal.begin(ORDERS, TaskKey("orders", run_id, "upload"))
    part = send(journal, rows, run_id=run_id, dag_id="orders")
    journal.sent(delivery.id, {"rows_sent": len(rows)}, {"bad_date": 2, "no_key": 1})
    if run_id == "monday":
        judge(journal, part, good=True)
