# SPDX-License-Identifier: Apache-2.0
"""The journal: rows written down and subtracted, beside reading the same rows alone."""

from __future__ import annotations

import json
import os
import sqlite3
import tempfile
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.pairs import SCALE, Line, Side, in_turn, line, skipped
from tests.support.postgres import PostgresServer, PostgresUnavailable

KEYS = int(200_000 * SCALE)
_PART = 50_000
_CHANGED_EVERY = 100
_VERSION = "2026-11-26T10:00:00.000000+00:00"
_GOALS = {"SQLite": 10, "PostgreSQL": 30}
_TIME = {"SQLite": "CPU", "PostgreSQL": "wall"}
"""Work that a server does is in no time but that on the wall."""


def _entries(place: str, secret: str, keys: int) -> Callable[[bool], Iterator[Any]]:
    """Reads the entries of so many rows, in the order of their keys, as they are or with some of them changed."""
    from airflow_provider_yandex_orders.journal.records import Destination, Sums

    sums = Sums(bytes.fromhex(secret), Destination("metrica", "h", "101", "orders"))
    rows = sqlite3.connect(place)
    rows.execute("CREATE TABLE rows (key_sum BLOB PRIMARY KEY, content_sum BLOB, version TEXT) WITHOUT ROWID")
    entry_of = sums.entry_of()
    made = (entry_of(f"order-{number}", b"content of %d" % number, _VERSION) for number in range(keys))
    rows.executemany("INSERT INTO rows VALUES (?, ?, ?)", made)

    def read(changed: bool) -> Iterator[Any]:
        for number, (key, content, version) in enumerate(rows.execute("SELECT * FROM rows ORDER BY key_sum")):
            yield key, b"otherwise" if changed and number % _CHANGED_EVERY == 0 else content, version

    return read


def read_rows(keys: int) -> Callable[[], dict[str, int]]:
    """The rows are read once for each time the journal reads them."""
    read = _entries(f"{tempfile.mkdtemp()}/rows.db", "00" * 32, keys)
    return lambda: {str(changed): sum(1 for _ in read(changed)) for changed in (False, True)}


def remember(connection: str, keys: int) -> Callable[[], dict[str, int]]:
    """All rows go out in parts that are accepted, then they are subtracted, one in a hundred changed."""
    from airflow_provider_yandex_orders.journal.records import Destination, PartFile, TaskKey
    from airflow_provider_yandex_orders.journal.store import open_journal

    folder = tempfile.mkdtemp()
    os.environ["AIRFLOW_CONN_JOURNAL"] = connection or json.dumps(
        {"conn_type": "sqlite", "host": f"{folder}/journal.db"}
    )
    read = _entries(f"{folder}/rows.db", "00" * 32, keys)
    journal = open_journal("journal")
    destination = Destination("metrica", "h", uuid.uuid4().hex, "orders")  # rounds know nothing of each other
    journal.knows(destination)

    def run() -> dict[str, int]:
        with journal:
            delivery = journal.begin(destination, TaskKey("d", "r", "t"))
            count = -(-keys // _PART)
            files = [(number + 1, PartFile("p", keys // count, 1, "s")) for number in range(count)]
            planned = ((*entry, number % count) for number, entry in enumerate(read(False)))
            for part in journal.plan(delivery.id, files, planned):
                journal.sending(part)
                journal.accepted(part, upload_id=str(part))
            return Counter(
                each.value
                for each in journal.subtract(read(True), journal.begin(destination, TaskKey("d", "r", "u")).id)
            )

    return run


def measure(keys: int = KEYS, rounds: int = 3) -> list[Line]:
    """The journal in SQLite, and in PostgreSQL where a server can be started.

    :param keys: rows, each with a key of its own.
    :param rounds: how often each side runs.
    """
    lines = [_pair("SQLite", "", keys, rounds)]
    try:
        with PostgresServer() as server:
            lines.append(_pair("PostgreSQL", server.uri, keys, rounds))
    except PostgresUnavailable as reason:
        lines.append(skipped("journal, PostgreSQL", str(reason)))
    return lines


def _pair(kind: str, connection: str, keys: int, rounds: int) -> Line:
    ours, peer = in_turn(
        Side("benchmarks.journal:remember", {"connection": connection, "keys": keys}),
        Side("benchmarks.journal:read_rows", {"keys": keys}),
        rounds=rounds,
    )
    changed = -(-keys // _CHANGED_EVERY)
    if ours.result != {"unchanged": keys - changed, "changed": changed}:
        raise AssertionError(f"the journal in {kind} judged {ours.result}")
    took, alone = getattr(ours, _TIME[kind].lower()), getattr(peer, _TIME[kind].lower())
    more = (took - alone) * 1e6 / keys
    notes = f"+ {more:.1f} s a million keys, goal < {_GOALS[kind]} s; growth {ours.growth:.0f} MB, goal < 100 MB"
    work = f"journal, {kind}, {keys:,} keys planned, accepted, subtracted: {_TIME[kind]} time to reading them alone"
    return line(work, f"{took:.2f} s", f"{alone:.2f} s", took / alone, notes)
