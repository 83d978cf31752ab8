# SPDX-License-Identifier: Apache-2.0
"""The demo: the same orders everywhere, broken by a known count, a command that cleans up after itself."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_yandex_orders.demo import broken, children, crm, days, identities, summary
from airflow_provider_yandex_orders.demo.broken import BROKEN, BROKEN_ORDERS, DROPPED, REJECTED, Row
from airflow_provider_yandex_orders.demo.children import child_environment
from airflow_provider_yandex_orders.demo.errors import DemoError
from airflow_provider_yandex_orders.demo.folder import MARKER, Folder, fresh
from tests.support import processes
from tests.support.postgres import PostgresServer

TODAY = date(2026, 3, 15)
YESTERDAY = TODAY - timedelta(days=1)
SENT_REVENUE = Decimal("243781.49")


@pytest.fixture(scope="module")
def orders() -> list[Row]:
    return list(crm.iter_orders(TODAY))


@pytest.fixture(scope="module")
def sound_orders() -> list[Row]:
    return list(crm.iter_orders(TODAY, broken=False))


@pytest.fixture(scope="module")
def crm_database(postgres: PostgresServer) -> Iterator[Any]:
    psycopg2 = pytest.importorskip("psycopg2")
    with closing(psycopg2.connect(postgres.uri)) as connection:
        yield connection


def test_counts_and_revenue_are_those_of_the_source(sound_orders: list[Row]) -> None:
    assert len(sound_orders) == len({row["id"] for row in sound_orders}) == crm.ORDERS == 6919
    assert len({row["customer_id"] for row in sound_orders}) == crm.CUSTOMERS == 2357
    assert sum(Decimal(row["total"] or "") for row in sound_orders) == crm.REVENUE == Decimal("244091.94")
    assert tuple(sound_orders[0]) == crm.COLUMNS
    first = {row["id"]: row["total"] for row in sound_orders[:4]}
    assert list(first) == ["CD-00004-1", "CD-00004-2", "CD-00004-3", "CD-00004-4"]
    assert list(first.values()) == ["29.33", "29.73", "14.96", "26.48"]


def test_dates_end_yesterday_and_keep_their_distances(sound_orders: list[Row]) -> None:
    created = [datetime.strptime(row["created_at"] or "", "%Y-%m-%d %H:%M:%S") for row in sound_orders]
    updated = [datetime.strptime(row["updated_at"] or "", "%Y-%m-%d %H:%M:%S") for row in sound_orders]

    assert max(created).date() == YESTERDAY
    assert max(created).date() - min(created).date() == date(1998, 6, 30) - date(1997, 1, 1)
    assert max(created) < min(updated)
    for zone in (timedelta(0), timedelta(hours=3)):  # UTC and Moscow
        assert {(moment + zone).date() for moment in updated} == {YESTERDAY}


def test_the_same_in_every_process_and_only_moved_by_another_today(sound_orders: list[Row]) -> None:
    script = (
        "from datetime import date; from airflow_provider_yandex_orders.demo import crm\n"
        f"print(list(crm.iter_orders(date({TODAY:%Y, %-m, %-d}), broken=False)) )"
    )
    environment = child_environment() | {"PYTHONHASHSEED": "4321", "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", script]
    printed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    assert printed.strip() == repr(sound_orders)

    days = (date(2027, 1, 1) - TODAY).days
    for now, later in zip(sound_orders, crm.iter_orders(date(2027, 1, 1), broken=False), strict=True):
        for column in ("created_at", "updated_at"):
            moved = datetime.fromisoformat(now[column] or "") + timedelta(days=days)
            assert later.pop(column) == str(moved)
        assert later.items() <= now.items()


def test_statuses_are_the_mapped_words_and_costs_leave_a_margin(sound_orders: list[Row]) -> None:
    assert {row["status"] for row in sound_orders} == set(crm.STATUS_MAP)
    assert set(crm.STATUS_MAP.values()) == {"IN_PROGRESS", "PAID", "CANCELLED", "SPAM"}
    booked = [row for row in sound_orders if row["cost"] is not None]
    assert 0 < len(booked) < crm.ORDERS
    assert all(Decimal(row["cost"] or "") <= Decimal(row["total"] or "") for row in booked)


def test_typed_identities_are_messy_forms_of_clean_ones(sound_orders: list[Row]) -> None:
    customers = {row["customer_id"] or "" for row in sound_orders}
    people = [identities.identity(customer) for customer in customers]

    for values in ([p.email for p in people], [p.phone for p in people], [p.client_id for p in people]):
        assert len(set(values)) == crm.CUSTOMERS
    for person in people:
        assert re.fullmatch(r"[a-z]+\.[a-z]+\.\d{5}@example\.(com|org|net)", person.email)
        assert person.typed_email.strip().lower() == person.email
        assert re.fullmatch(r"797[2-6]\d{7}", person.phone)
        assert re.fullmatch(rf"[78]{person.phone[1:]}", re.sub(r"\D", "", person.typed_phone))
        assert re.fullmatch(r"\d{18,19}", person.client_id)
    assert any(person.typed_email != person.email for person in people)
    shapes = {re.sub(r"\d", "9", person.typed_phone) for person in people}
    assert len(shapes) == len(identities.PHONE_FORMS)


def test_every_customer_has_an_identifier_and_some_have_one_only(sound_orders: list[Row]) -> None:
    fields = ("metrica_client_id", "email", "phone")
    known = {tuple(field for field in fields if row[field] is not None) for row in sound_orders}

    assert () not in known
    assert {("metrica_client_id",), ("email",), ("phone",), fields} < known


def test_broken_orders_and_their_revenue_are_known(orders: list[Row], sound_orders: list[Row]) -> None:
    different = {good["id"] for row, good in zip(orders, sound_orders, strict=True) if row != good}
    assert different == set(BROKEN_ORDERS)
    assert REJECTED + DROPPED == sum(BROKEN.values()) == len(BROKEN_ORDERS) == 13

    lost = {order for order, fault in BROKEN_ORDERS.items() if fault not in broken.SENT_ANYWAY}
    assert len(lost) == REJECTED
    revenue = sum(Decimal(row["total"] or "") for row in sound_orders if row["id"] not in lost)
    assert revenue == SENT_REVENUE


def test_each_fault_is_what_its_name_says(orders: list[Row]) -> None:
    rows_with: dict[str, list[Row]] = {fault: [] for fault in BROKEN}
    for row in orders:
        if fault := BROKEN_ORDERS.get(row["id"] or ""):
            rows_with[fault].append(row)

    assert {fault: len(rows) for fault, rows in rows_with.items()} == BROKEN
    for row in rows_with["no_identifier"]:
        assert not any([row["metrica_client_id"], row["email"], row["phone"]])
    for row in rows_with["malformed_email"]:
        assert "@" not in (row["email"] or "@")
        assert len(re.sub(r"\D", "", row["phone"] or "")) == 11
    assert [row["total"] for row in rows_with["text_total"]] == ["12,50 USD"]
    assert all(Decimal(row["total"] or "") < 0 for row in rows_with["negative_total"])
    assert all(row["status"] not in crm.STATUS_MAP for row in rows_with["unknown_status"])
    assert {row["metrica_client_id"] for row in rows_with["float_id"]} == {"1.3E+17"}
    for row in rows_with["impossible_date"]:
        with pytest.raises(ValueError, match="day"):
            datetime.fromisoformat(row["created_at"] or "")


def test_sqlite_holds_every_value_exactly_and_no_table_is_overwritten(orders: list[Row]) -> None:
    connection = sqlite3.connect(":memory:")
    assert crm.create(connection, today=TODAY) == crm.ORDERS
    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        crm.create(connection, today=TODAY, limit=10)

    stored = connection.execute(f"SELECT {', '.join(crm.COLUMNS)} FROM orders ORDER BY rowid").fetchall()
    assert stored == [tuple(row.values()) for row in orders]
    assert crm.create(sqlite3.connect(":memory:"), today=TODAY, limit=10) == 10


def test_postgres_holds_the_same_orders_with_its_own_types(crm_database: Any) -> None:
    assert crm.create(crm_database, today=TODAY) == crm.ORDERS

    with crm_database.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(crm.COLUMNS)} FROM orders")
        stored = {row[0]: row for row in cursor.fetchall()}
    expected = {row["id"]: tuple(row.values()) for row in crm.iter_orders(TODAY, strict_types=True)}
    texts = {key: tuple(None if v is None else str(v) for v in row) for key, row in stored.items()}
    assert texts == expected
    kinds = list(map(type, stored["CD-00004-2"]))
    assert kinds == [str, datetime, datetime, str, type(None), str, str, str, Decimal, Decimal, str]


def test_only_what_an_earlier_run_made_is_ever_removed(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").touch()
    with pytest.raises(DemoError, match="not the demo's"), fresh(mine):
        pass
    with fresh(tmp_path / "demo") as folder:
        (folder.airflow_home / "logs").mkdir(parents=True)
        folder.crm.touch()
        folder.page.symlink_to(mine)
        (folder.path / "notes.txt").touch()
        folder.link("1-rejected.jsonl", (mine / "thesis.txt").as_uri())
        assert (folder.path / "1-rejected.jsonl").exists()
        with pytest.raises(DemoError, match="Another demo"), fresh(tmp_path / "demo"):
            pass
        assert folder.crm.exists()

    with fresh(tmp_path / "demo") as folder:
        assert {path.name for path in folder.path.iterdir()} == {MARKER, "notes.txt"}
    assert [path.name for path in mine.iterdir()] == ["thesis.txt"]


def test_settings_of_another_airflow_do_not_reach_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "postgresql://production/airflow")

    assert not [name for name in child_environment() if name.startswith("AIRFLOW")]


def test_a_day_changes_orders_and_spoils_some(orders: list[Row]) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        crm.create(connection, today=TODAY)
        changed = crm.next_day(connection, TODAY)
        rows = connection.execute("SELECT status, total FROM orders WHERE updated_at >= ?", (str(TODAY),)).fetchall()

    assert changed == len(rows) == sum(row["status"] == "new" for row in orders)
    wrong = [row for row in rows if row[0] not in crm.STATUS_MAP or row[1].startswith("-")]
    assert len(wrong) == crm.SPOILED
    assert 0 < len(wrong) < 0.01 * changed  # what the example puts up with


def test_a_day_is_told_in_counts_and_reasons(tmp_path: Path) -> None:
    rejected = tmp_path / "rejected.jsonl"
    negative = {"column": "total", "code": "negative", "fix": "Send 0."}
    faults = [negative, {"column": None, "code": "no_identifier", "fix": "Add one. " * 30}, negative]
    rejected.write_text("".join(json.dumps(fault) + "\n" for fault in faults))
    delivery: dict[str, Any] = {"rows_read": 6919, "rows_sent": 0, "rows_unchanged": 6916, "rows_rejected": 3}
    delivery |= {"rejected_path": rejected.as_uri(), "money": {"RUB": "1000.10"}}

    counts, money, *reasons = summary.delivery_lines(delivery)

    assert counts == "6,919 rows read: 0 sent, 6,916 unchanged and left out, 3 rejected"
    assert money == "money sent: 1,000.10 RUB"
    assert reasons[0] == "2 negative (total): Send 0."
    assert reasons[1].startswith("1 no_identifier: Add one. Add one.")
    assert len(reasons[1]) <= summary.WIDTH


def test_each_try_of_a_task_has_its_own_log_where_airflow_looks(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    lines = [
        "of an earlier run",
        *("[DAG TEST] starting task_id=upload map_index=-1", "503", "state=up_for_retry", "[DAG TEST] end task"),
        *("[DAG TEST] starting task_id=upload map_index=-1", "PASSED"),
        *("[DAG TEST] starting task_id=wait map_index=-1", "put off"),
        *("[DAG TEST] starting task_id=wait map_index=-1", "PROCESSED"),
        "2026-11-26T22:00:05.74Z [info     ] ::group::Send   [package.module] loc=base.py:7",
    ]
    folder.dag_log.write_text("\n".join(lines))

    assert days.keep_logs(folder, len(lines[0]) + 1, "dag_id=d/run_id=r") == 2

    logs = folder.airflow_home / "logs" / "dag_id=d" / "run_id=r"
    texts = {str(path.relative_to(logs)): path.read_text() for path in logs.rglob("*.log")}
    assert sorted(texts) == [f"task_id={one}.log" for one in ("upload/attempt=1", "upload/attempt=2", "wait/attempt=1")]
    assert "503" in texts["task_id=upload/attempt=1.log"]
    assert "PASSED" in texts["task_id=upload/attempt=2.log"]
    assert "put off" in texts["task_id=wait/attempt=1.log"]
    *_, waited, last = texts["task_id=wait/attempt=1.log"].splitlines()
    assert waited == "PROCESSED"
    assert json.loads(last) == {"timestamp": "2026-11-26T22:00:05.74Z", "level": "info", "event": "::group::Send"}


def test_a_stopped_demo_leaves_no_process_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "PATIENCE", 0.3)
    stubborn = "import os, signal, time; signal.signal(2, signal.SIG_IGN); os.fork(); print('up', flush=True)"
    log, mark = tmp_path / "log", str(tmp_path)
    family = children.Children()
    leader = family.start(
        [sys.executable, "-c", f"{stubborn}; time.sleep(600)"], log=log, environment={"DEMO_TEST": mark}
    )
    while log.read_text().split() != ["up", "up"]:
        assert leader.poll() is None
    assert len(processes.carrying("DEMO_TEST", mark)) == 2

    family.stop()

    assert leader.returncode == -signal.SIGKILL
    deadline = time.monotonic() + 10
    while processes.carrying("DEMO_TEST", mark):
        assert time.monotonic() < deadline


def test_ctrl_c_ends_the_demo_and_its_sandbox(tmp_path: Path) -> None:
    pytest.importorskip("airflow.sdk", reason="the demo runs Airflow 3")
    pytest.importorskip("fastapi")
    demo = _start_demo(tmp_path / "demo")
    assert demo.stdout is not None
    seen = ""
    while "\nCRM" not in seen:
        line = demo.stdout.readline()
        assert line, f"ended too early: {seen}"
        seen += line
    port = int(re.findall(r"http://127\.0\.0\.1:(\d+)", seen)[0])
    socket.create_connection(("127.0.0.1", port)).close()

    demo.send_signal(signal.SIGINT)

    rest, _ = demo.communicate(timeout=60)
    assert demo.returncode == 130
    assert rest.splitlines()[-1] == "Stopped."
    assert "Traceback" not in rest
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


@pytest.mark.live
def test_the_whole_demo_twice_in_one_folder(tmp_path: Path) -> None:
    for _ in range(2):
        demo = _start_demo(tmp_path / "demo")
        printed, _ = demo.communicate(timeout=900)
        assert demo.returncode == 0, printed
        sent = crm.ORDERS - REJECTED
        assert f"{crm.ORDERS:,} rows read: {sent:,} sent, {REJECTED} rejected, {DROPPED} sent without" in printed
        assert f"{crm.ORDERS:,} rows read: 0 sent, {sent:,} unchanged" in printed
        assert re.search(
            rf"917 rows read: {917 - crm.SPOILED} sent, {crm.SPOILED} rejected.*, 2 tries", printed, re.DOTALL
        )
        assert "Next: your own CRM" in printed
        assert not re.search(r"@example\.|sandbox-token|797[2-6]\d{7}", printed, re.IGNORECASE)
        assert max(map(len, printed.splitlines())) < 130 + len(str(tmp_path))


@pytest.mark.live
def test_what_stays_up_shows_the_runs_to_whoever_opens_it(tmp_path: Path) -> None:
    requests = pytest.importorskip("requests")
    demo = _start_demo(tmp_path / "demo", "--keep")
    assert demo.stdout is not None
    try:
        seen = ""
        while "Ctrl-C ends it all." not in seen:
            line = demo.stdout.readline()
            assert line, f"ended too early: {seen}"
            seen += line
        sandbox, airflow = (
            re.findall(rf"{page}: +(http://127\.0\.0\.1:\d+)", seen)[0]
            for page in ("sandbox's page", "Airflow's pages")
        )
        assert "This is not the real service" in requests.get(sandbox, timeout=60).text
        token = requests.get(f"{airflow}/auth/token", timeout=60).json()["access_token"]
        runs = requests.get(
            f"{airflow}/api/v2/dags/~/dagRuns", headers={"Authorization": f"Bearer {token}"}, timeout=60
        ).json()["dag_runs"]
        assert [run["state"] for run in runs] == ["success"] * len(days.DAYS)
    finally:
        demo.send_signal(signal.SIGINT)
        demo.communicate(timeout=60)
    assert demo.returncode == 130


def _start_demo(folder: Path, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "airflow_provider_yandex_orders.demo", "--folder", str(folder), *options],
        env=child_environment() | {"PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
