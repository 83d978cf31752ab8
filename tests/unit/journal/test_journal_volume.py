# SPDX-License-Identifier: Apache-2.0
"""Many rows in the journal: what they cost in memory, on disk and in time of the processor."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.support.memory import peak_growth_mb
from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.slow

ROWS = {"sqlite": 1_000_000, "postgres": 300_000}
LIMIT_MB = 100

# Both passes stream their rows; the clock runs only while the journal is asked.
CODE = """
import sqlite3, sys, time
from collections import Counter
from pathlib import Path
from airflow_provider_yandex_orders.journal.records import Destination, PartFile, TaskKey
from airflow_provider_yandex_orders.journal.store import open_journal

ROWS = int(sys.argv[2])
ORDERS = Destination("metrica", "h", "101", "orders")
journal = open_journal("journal")
sums = journal.sums(ORDERS)
spool = sqlite3.connect("")
spool.execute("CREATE TABLE rows (key_sum BLOB PRIMARY KEY, content_sum BLOB, version TEXT) WITHOUT ROWID")
entry_of = sums.entry_of()
made = (entry_of(f"order-{n}", b"content of %d" % n, "2026-11-26T10:00:00.000000+00:00") for n in range(ROWS))
spool.executemany("INSERT INTO rows VALUES (?, ?, ?)", made)
del made

def rows(changed):
    for number, row in enumerate(spool.execute("SELECT * FROM rows ORDER BY key_sum")):
        key, content, version = row
        yield key, b"otherwise" if changed and number % 100 == 0 else content, version

def seconds(work):
    start = time.process_time()
    done = work()
    return time.process_time() - start, done

mark_memory()
reading, _ = seconds(lambda: Counter(version for _key, _content, version in rows(True)))
delivery = journal.begin(ORDERS, TaskKey("d", "r", "t"))

def commit():
    count = ROWS // 50_000
    files = [(number + 1, PartFile("p", 50_000, 1, "s")) for number in range(count)]
    planned = ((*row, number % count) for number, row in enumerate(rows(False)))
    for part in journal.plan(delivery.id, files, planned):
        journal.sending(part)
        assert journal.accepted(part, upload_id=str(part))

committing, _ = seconds(commit)
subtracting, verdicts = seconds(lambda: Counter(each.value for each in journal.subtract(rows(True))))
assert verdicts == {"unchanged": ROWS * 99 // 100, "changed": ROWS // 100}, verdicts
Path(sys.argv[1]).write_text(f"{committing / reading} {subtracting / reading}")
"""


def cost(connection: str, rows: int, tmp_path: Path) -> tuple[float, float, float]:
    """Megabytes, and the time of the commit and of the subtraction, in times that it takes to read the rows."""
    environment = os.environ | {"AIRFLOW_CONN_JOURNAL": connection}
    times = tmp_path / "times"
    grown = peak_growth_mb(CODE, [str(times), str(rows)], env=environment, timeout=900)
    committing, subtracting = map(float, times.read_text().split())
    return grown, committing, subtracting


def test_a_million_rows_in_sqlite(tmp_path: Path) -> None:
    file = tmp_path / "journal.db"
    grown, committing, subtracting = cost(
        json.dumps({"conn_type": "sqlite", "host": str(file)}), ROWS["sqlite"], tmp_path
    )
    assert grown < LIMIT_MB
    assert file.stat().st_size < LIMIT_MB * 1_000_000
    assert (committing < 8, subtracting < 12) == (True, True), (committing, subtracting)


def test_rows_in_postgres(postgres: PostgresServer, tmp_path: Path) -> None:
    grown, committing, subtracting = cost(postgres.uri, ROWS["postgres"], tmp_path)
    assert grown < LIMIT_MB
    # The server's own share comes on top, about as much again.
    assert (committing < 30, subtracting < 30) == (True, True), (committing, subtracting)
