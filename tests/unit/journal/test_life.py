# SPDX-License-Identifier: Apache-2.0
"""Deliveries and parts from their beginning to their being forgotten."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from airflow_provider_yandex_orders.exceptions import ConfigurationError, JournalUnavailable, PermanentError
from airflow_provider_yandex_orders.journal import database, questions, tables
from airflow_provider_yandex_orders.journal.database import now
from airflow_provider_yandex_orders.journal.records import COUNTS, Judgement, Try, Verdict
from airflow_provider_yandex_orders.journal.retention import DAYS
from airflow_provider_yandex_orders.journal.store import Journal, open_journal
from airflow_provider_yandex_orders.journal.tables import metadata, parts
from airflow_provider_yandex_orders.journal.tripwire import Tripwire
from tests.support.postgres import PostgresServer
from tests.unit.journal.journal_support import ORDERS, entries, judge, plan, send, task, verdict

Query = Callable[..., list[tuple[Any, ...]]]


def test_a_retry_goes_on_with_its_delivery_and_plans_anew(journal: Journal, query: Query) -> None:
    first = journal.begin(ORDERS, task())
    plan(journal, [("a", "red", "")])
    again = journal.begin(ORDERS, task())
    assert (again.id, again.result) == (first.id, None)
    assert query("SELECT state FROM parts") == [("dropped",)]
    others = [journal.begin(ORDERS, task("run-2")), journal.begin(replace(ORDERS, counter="102"), task())]
    assert not {first.id} & {other.id for other in others}


def test_after_everything_was_sent_only_the_wait_is_left(journal: Journal, query: Query) -> None:
    delivery = journal.begin(ORDERS, task())
    part = send(journal, [("a", "red", "")])
    result = {"rows_read": 3, "rows_sent": 1, "rows_rejected": 2, "parts": [{"upload_id": "1"}]}
    journal.sent(delivery.id, result, {"bad_date": 1, "no_key": 1})
    assert journal.begin(ORDERS, task()).result == result
    judge(journal, part, good=True)
    assert journal.begin(ORDERS, task()).result == result
    journal.complete(ORDERS, task())
    assert journal.begin(ORDERS, task()).result is None
    assert query("SELECT rows_read, rows_sent FROM deliveries WHERE rows_read > 0") == [(3, 1)]
    assert query("SELECT code, rows FROM rejected_by_reason ORDER BY code") == [("bad_date", 1), ("no_key", 1)]


def test_a_part_that_ends_badly_is_sent_again_by_a_cleared_task(journal: Journal, query: Query) -> None:
    delivery = journal.begin(ORDERS, task())
    part = send(journal, [("a", "red", "")])
    journal.sent(delivery.id, {"rows_sent": 1})
    failed, host = Judgement(False, "FAILED", rows_accepted=0), ORDERS.host
    assert journal.judge_uploads("metrica", host, ["offline_conversions"], {f"u{part}": failed}) == 0
    assert journal.judge_uploads("metrica", host, ["contacts", "orders"], {f"u{part}": failed}) == 1
    assert journal.begin(ORDERS, task()).result is None
    assert verdict(journal, ("a", "red", "")) is Verdict.NEW
    assert query("SELECT state, status, rows_accepted FROM parts") == [("bad", "FAILED", 0)]


def test_ends_are_written_down_all_or_none(journal: Journal, query: Query) -> None:
    """A worker that dies in between would leave the others in a delivery that is complete, and nobody asks for them."""
    delivery = journal.begin(ORDERS, task())
    first, second = send(journal, [("a", "red", "")]), send(journal, [("b", "red", "")])
    journal.sent(delivery.id, {"rows_sent": 2})
    breaks: Any = Judgement(False, None)  # type: ignore[arg-type]
    ends = {f"u{first}": Judgement(False, "FAILED"), f"u{second}": breaks}
    with pytest.raises(Exception, match=r"NOT NULL|null value"):
        journal.judge_uploads("metrica", ORDERS.host, ["contacts", "orders"], ends)
    assert query("SELECT state FROM parts") == [("accepted",), ("accepted",)]
    assert journal.begin(ORDERS, task()).result == {"rows_sent": 2}


def test_a_part_that_was_not_answered_is_asked_for_until_its_fate_is_known(journal: Journal) -> None:
    for settle, after in (
        (journal.accepted, Verdict.UNCHANGED),
        (journal.refused, Verdict.NEW),
        (journal.abandoned, Verdict.NEW),
    ):
        destination = replace(ORDERS, entity=settle.__name__)
        part = plan(journal, [("a", "red", "")], destination)
        assert journal.open_parts(destination) == []
        journal.sending(part)
        (unclear,) = journal.open_parts(destination)
        assert (unclear.part_id, unclear.rows, unclear.state) == (part, 1, "sending")
        assert verdict(journal, ("a", "red", ""), destination) is Verdict.UNCLEAR
        settle(part)
        assert [each.state for each in journal.open_parts(destination)] in ([], ["accepted"])
        assert verdict(journal, ("a", "red", ""), destination) is after


def test_spent_requests_add_up_by_account_and_day(journal: Journal) -> None:
    today = date(2026, 11, 26)
    assert [journal.spend("metrica 101", today, 2), journal.spend("metrica 101", today, 3)] == [(2, 0), (5, 0)]
    assert journal.spend("metrica 101", today, 3, waiting=True) == (8, 3)
    assert (journal.spend("metrica 101", today, 0), journal.spend("metrica 102", today, 0)) == ((8, 3), (0, 0))
    assert journal.spend("metrica 101", date(2026, 11, 27), 0) == (0, 0)


def test_linked_shares_are_those_of_the_last_answer(journal: Journal, query: Query) -> None:
    for found in (1, 3):
        journal.linked(ORDERS, date(2026, 11, 25), linked_orders=found, sent_orders=4)
    ((day, share),) = query("SELECT day, share FROM linked_by_day")
    assert (str(day), float(share)) == ("2026-11-25", 0.75)


def test_what_is_old_is_forgotten(journal: Journal, query: Query) -> None:
    old, kept = send(journal, [("a", "red", "")], run_id="old"), send(journal, [("b", "red", "")], run_id="new")
    judge(journal, old, good=True)
    wasted = send(journal, [("c", "red", "")], run_id="new")
    judge(journal, wasted, good=False)
    query(f"UPDATE journal_parts SET planned_at = '2020-01-01 00:00:00' WHERE part_id = {old}")
    query("UPDATE journal_deliveries SET started_at = '2020-01-01 00:00:00' WHERE run_id = 'old'")
    assert journal.purge() == 1
    assert query("SELECT run_id FROM deliveries") == [("new",)]
    assert query("SELECT part_id FROM parts ORDER BY part_id") == [(kept,), (wasted,)]
    assert query("SELECT DISTINCT part_id FROM journal_rows ORDER BY part_id") == [(kept,), (wasted,)]
    assert [verdict(journal, (key, "red", "")) for key in "ab"] == [Verdict.NEW, Verdict.UNCHANGED]
    query(f"UPDATE journal_parts SET planned_at = '2020-01-01 00:00:00' WHERE part_id = {kept}")
    assert journal.purge() == 0  # once a week is enough
    assert journal.purge(always=True) == 1


def test_a_purge_changes_nothing_for_a_subtraction_under_way(
    journal: Journal, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [(key, "red", "") for key in "abcd"]
    send(journal, rows)
    for hours, verdict_of_all in ((-1, Verdict.UNCHANGED), (1, Verdict.NEW), (25, Verdict.NEW)):
        moment = now() - timedelta(days=DAYS, hours=hours)
        query(f"UPDATE journal_parts SET planned_at = '{moment}'")
        with monkeypatch.context() as patch:
            patch.setattr(questions, "CHUNK", 1)
            verdicts = journal.subtract(entries(journal, rows))
            first = next(verdicts)
            journal.purge(always=True)
            assert {first, *verdicts} == {verdict_of_all}


def test_sums_of_what_came_to_nothing_go_early(journal: Journal, query: Query) -> None:
    part = send(journal, [("a", "red", "")])
    judge(journal, part, good=False)
    query("UPDATE journal_parts SET planned_at = '2020-01-01 00:00:00'")
    assert journal.purge(100_000) == 0
    assert query("SELECT count(*) FROM journal_rows") == [(0,)]
    assert query("SELECT count(*) FROM parts") == [(1,)]


def test_so_few_days_that_rows_double_are_refused(journal: Journal) -> None:
    with pytest.raises(ConfigurationError, match="30 or more"):
        journal.purge(7)


def test_nothing_personal_is_written_down(journal: Journal, query: Query, tmp_path: Path) -> None:
    planted = ["anna@example.com", "79991234567", "Anna Petrova"]
    delivery = journal.begin(ORDERS, task())
    for keyless in (False, True):
        rows = [(None if keyless else text, f"row of {text}", "2026-01-01") for text in planted]
        part = send(journal, rows)
        judge(journal, part, good=False)
    journal.sent(delivery.id, dict.fromkeys(COUNTS, 1), {"bad_phone": 1})
    cells = [cell for table in metadata.tables for row in query(f"SELECT * FROM {table}") for cell in row]
    kept = [bytes(cell) if isinstance(cell, (bytes, memoryview)) else str(cell).encode() for cell in cells]
    whole = b"\n".join(kept)
    if not journal._database.postgres:
        whole += (tmp_path / "yandex_orders" / "journal.db").read_bytes()
    assert len(kept) > 100
    for text in planted:
        for name in ("md5", "sha1", "sha256", "blake2b"):
            assert hashlib.new(name, text.encode()).digest()[:8] not in whole
        assert hashlib.blake2b(text.encode(), digest_size=12).digest() not in whole
        assert text.encode() not in whole


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Nobody else gets at the default journal."""
    connection = sqlite3.connect(folder / "yandex_orders" / "journal.db", isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


def test_turns_are_never_the_same(open_one: Callable[[], Journal]) -> None:
    with open_one() as journal:
        waiting = [plan(journal, [(str(number), "red", "")], run_id=f"run-{number}") for number in range(24)]
        others = [open_one() for _ in range(3)]
        with ThreadPoolExecutor(len(others)) as threads:
            list(threads.map(lambda number: others[number % 3].sending(waiting[number]), range(24)))
        for other in others:
            other.__exit__(None, None, None)
        with journal._database.reading() as connection:
            turns = [turn for (turn,) in connection.execute(select(parts.c.turn))]
    assert sorted(turns) == list(range(1, 25))


@pytest.mark.parametrize("version", [1, 2])
def test_a_journal_of_an_earlier_version_goes_on(local: Path, version: int) -> None:
    with open_journal() as journal:
        send(journal, [("a", "red", "")])
    with closing(sqlite3.connect(local / "yandex_orders" / "journal.db")) as connection:
        for view in tables.VIEWS:
            connection.execute(f"DROP VIEW {view}")
        for table in ("money", "notices"):
            connection.execute(f"DROP TABLE journal_{table}")
        later = [("parts", "money"), ("deliveries", "try_number"), ("deliveries", "max_tries"), ("parts", "told")]
        for table, column in later[: 4 if version == 1 else 1]:
            connection.execute(f"ALTER TABLE journal_{table} DROP COLUMN {column}")
        connection.execute(f"UPDATE journal_meta SET value = '{version}' WHERE name = 'version'")
        connection.commit()
    with open_journal() as journal:
        assert verdict(journal, ("a", "red", "")) is Verdict.UNCHANGED
        assert journal.notice("a_dag", "a_task", -1, "good") == ""
        part = plan(journal, [("b", "red", "")])
        journal.sending(part)
        assert journal.begin(ORDERS, task(), Try(2, 2)).id == 1
        journal.told(part)
        for this, states in (
            (Try(3, 2), ["accepted", "sending"]),
            (Try(3, 4), ["accepted"]),
        ):  # that is people's answer
            journal.begin(ORDERS, task(), this)
            assert [each.state for each in journal.open_parts(ORDERS)] == states


def test_what_people_were_told_is_kept_by_task(journal: Journal) -> None:
    whose = task()
    key = (whose.dag_id, whose.task_id, whose.map_index)
    assert [journal.notice(*key, state) for state in ("failed", "failed", "good")] == ["", "failed", "failed"]
    assert journal.notice(whose.dag_id, "", -1, "failed") == ""
    opened = journal.begin(ORDERS, whose)
    journal.sent(opened.id, {"rows_sent": 1, "rows_unchanged": 0})
    journal.complete(ORDERS, whose)
    assert journal.notice(*key, "failed") == "good"
    assert journal.notice(whose.dag_id, "", -1, "failed") == "failed"  # of a DAG another task may have delivered
    assert journal.notice(whose.dag_id, whose.task_id, 3, "failed") == ""
    assert journal.notice(whose.dag_id, whose.task_id, 3, "failed") == "failed"
    assert journal.results(whose.dag_id, whose.run_id) == [{"rows_sent": 1, "rows_unchanged": 0}]
    assert not journal.always_sends(whose.dag_id, whose.task_id)


def test_what_a_run_came_to_is_the_last_delivery_of_each_task(journal: Journal) -> None:
    for rows, index in ((1, -1), (2, -1), (3, 4)):
        opened = journal.begin(ORDERS, whose := replace(task(), map_index=index))
        journal.sent(opened.id, {"rows_sent": rows})
        journal.complete(ORDERS, whose)
    assert [each["rows_sent"] for each in journal.results(whose.dag_id, whose.run_id)] == [2, 3]
    assert [each["rows_sent"] for each in journal.results(whose.dag_id, whose.run_id, whose.task_id, 4)] == [3]
    journal.begin(ORDERS, whose)
    assert [each["rows_sent"] for each in journal.results(whose.dag_id, whose.run_id)] == [2]


class Store(dict[str, Any]):
    """A task's state store."""

    set = dict.__setitem__


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Home of a default journal whose callers do not wait long."""
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    monkeypatch.setattr(database, "_BUSY_SECONDS", 0.05)
    return tmp_path


def test_an_answer_that_cannot_be_written_is_told_by_the_next_try(local: Path, naps: list[float]) -> None:
    store = Store()
    with open_journal() as journal:
        tripwire = Tripwire.of({"task_state_store": store})
        part = plan(journal, [("a", "red", ""), ("b", "red", "")])
        refused = [journal.sums(ORDERS).key("b")]
        journal.sending(part)
        tripwire.goes_out(journal, 1, part)
        with locked(local):
            assert not journal.accepted(part, upload_id="7", refused=refused)
            tripwire.keep(part, upload_id="7", refused=refused)
            with pytest.raises(JournalUnavailable, match="journal_conn_id") as caught:
                journal.sending(part)  # so nothing more goes out
        assert caught.value.retry_after
        assert len(naps) > 2
    with open_journal() as journal:
        assert verdict(journal, ("a", "red", "")) is Verdict.UNCLEAR
        Tripwire.of({"task_state_store": store}).check(journal, task())
        assert [verdict(journal, (key, "red", "")) for key in "ab"] == [Verdict.UNCHANGED, Verdict.NEW]
        assert not store["yandex_orders_sent"]["answers"]


@pytest.mark.parametrize("store", [Store(), None], ids=["store", "this try alone"])
def test_every_answer_that_was_kept_is_told(local: Path, store: Store | None) -> None:
    tripwire = Tripwire(store)
    with open_journal() as journal:
        waiting = [plan(journal, [(key, "red", "")]) for key in "ab"]
        for part in waiting:
            journal.sending(part)
            tripwire.goes_out(journal, 1, part)
        for part in waiting:
            tripwire.keep(part, upload_id=f"u{part}")
        tripwire.check(journal, task())
        assert [verdict(journal, (key, "red", "")) for key in "ab"] == [Verdict.UNCHANGED] * 2
        judge(journal, waiting[0], good=False)
        tripwire.check(journal, task())
        assert verdict(journal, ("a", "red", "")) is Verdict.NEW


def test_a_journal_that_does_not_know_what_was_sent_stops_the_task(local: Path) -> None:
    store = Store()
    file = local / "yandex_orders" / "journal.db"
    with open_journal() as journal:
        before = file.read_bytes()
        for number in range(1, 4):
            tripwire = Tripwire(store)
            tripwire.check(journal, task())
            part = plan(journal, [(str(number), "red", "")])
            journal.sending(part)
            tripwire.goes_out(journal, 1, part)
    assert len(str(store)) < 200
    for content in (before, b""):  # put back to an earlier state; lost
        file.write_bytes(content)
        with open_journal() as journal, pytest.raises(PermanentError, match=r"3 part\(s\).*journal_conn_id"):
            Tripwire(store).check(journal, task())


def test_a_part_that_stayed_does_not_stand_for_one_that_is_lost(local: Path) -> None:
    store = Store()
    file = local / "yandex_orders" / "journal.db"
    with open_journal() as journal:
        tripwire = Tripwire(store)
        out, stayed, lost = (plan(journal, [(key, "red", "")]) for key in "abc")
        journal.sending(out)
        tripwire.goes_out(journal, 1, out)
        journal.sending(stayed)
        journal.stayed(stayed)  # as the store did not answer
        before = file.read_bytes()
        journal.sending(lost)
        tripwire.goes_out(journal, 1, lost)
    file.write_bytes(before)
    with open_journal() as journal, pytest.raises(PermanentError, match="journal_conn_id"):
        Tripwire(store).check(journal, task())


def test_the_default_file_is_closed_to_others(local: Path) -> None:
    (local / "yandex_orders").mkdir(mode=0o755)
    with open_journal() as journal:
        send(journal, [("a", "red", "")])
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (local / "yandex_orders").iterdir()}
    assert stat.S_IMODE((local / "yandex_orders").stat().st_mode) == 0o700
    assert set(modes.values()) == {0o600}


@pytest.mark.parametrize(
    ("connection", "words"),
    [
        (None, "does not exist"),
        ('{"conn_type": "nothing_like_this"}', "pip install apache-airflow-providers-postgres"),
        ('{"conn_type": "http", "host": "h"}', "Install the provider|needs PostgreSQL"),
        ('{"conn_type": "yandex_metrica", "host": "h", "password": "p4ss"}', "needs PostgreSQL"),
    ],
)
def test_a_connection_that_is_no_journal_is_told(
    connection: str | None, words: str, monkeypatch: pytest.MonkeyPatch, airflow_db: None
) -> None:
    if connection is not None:
        monkeypatch.setenv("AIRFLOW_CONN_NO_JOURNAL", connection)
    with pytest.raises(ConfigurationError, match=words) as caught:
        open_journal("no_journal")
    assert "journal_conn_id" in str(caught.value)
    assert "p4ss" not in str(caught.value)


def test_a_database_that_is_away_is_passing(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.support.ports import free_port

    monkeypatch.setenv("AIRFLOW_CONN_AWAY", f"postgresql://orders:p4ss@127.0.0.1:{free_port()}/db")
    with pytest.raises(JournalUnavailable, match=r"'away'.*journal_conn_id") as caught:
        open_journal("away")
    assert caught.value.retry_after == 60
    assert "p4ss" not in str(caught.value)


@pytest.mark.slow
def test_a_server_that_died_is_not_waited_for_for_ever(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SERVER", postgres.uri)
    with open_journal("server") as journal, journal._database.reading() as connection:
        info = connection.connection.driver_connection.info  # type: ignore[union-attr]
        given = info.get_parameters() if hasattr(info, "get_parameters") else info.dsn_parameters
    assert (given["keepalives_idle"], given["tcp_user_timeout"]) == ("30", "60000")


def test_a_sqlite_connection_serves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_FILE", f'{{"conn_type": "sqlite", "host": "{tmp_path / "own.db"}"}}')
    with open_journal("file") as journal:
        send(journal, [("a", "red", "")])
    with open_journal("file") as journal:
        assert verdict(journal, ("a", "red", "")) is Verdict.UNCHANGED
    (tmp_path / "own.db").write_bytes(os.urandom(8192))
    with pytest.raises(ConfigurationError, match="journal_conn_id"):
        open_journal("file")


def test_tables_are_upgraded_and_a_newer_journal_is_left_alone(
    open_one: Callable[[], Journal], monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy import text

    with open_one() as journal:
        send(journal, [("a", "red", "")])
        identity = journal.id

    def add_column(connection: Any, schema: str) -> None:
        connection.execute(text(f"ALTER TABLE {schema}journal_parts ADD COLUMN later INTEGER"))

    with monkeypatch.context() as newer:
        newer.setattr(database, "UPGRADES", (*database.UPGRADES, add_column))
        with open_one() as journal:
            assert journal.id == identity
            assert verdict(journal, ("a", "red", "")) is Verdict.UNCHANGED
    with pytest.raises(ConfigurationError, match="newer version"):
        open_one()


def test_rows_are_asked_for_in_small_numbers(journal: Journal) -> None:
    taken = 0

    def stream() -> Iterator[Any]:
        nonlocal taken
        for entry in entries(journal, [(str(number), "red", "") for number in range(12_000)]):
            taken += 1
            yield entry

    answers = journal.subtract(stream())
    assert next(answers) is Verdict.NEW
    assert taken == 2_000
    assert len(list(answers)) == 11_999
