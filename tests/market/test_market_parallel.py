# SPDX-License-Identifier: Apache-2.0
"""Two parts of a period read at the same time, and the limit of requests at once, over threads and processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_yandex_orders.exceptions import ConfigurationError, PassingError, QuotaExceeded
from airflow_provider_yandex_orders.hooks.market import MarketHook
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from tests.market.market_support import CONNECTION, TOKEN, contents, raw_orders
from tests.support.market_official import OfficialCheck
from tests.support.pauses import shorten

Context = Callable[..., Any]
Operator = Callable[..., Any]

STATS = "stats/orders"
MADE = {"date_from": "2026-05-20", "date_to": "2026-05-24"}
CHANGED = {"update_from": "2026-05-20", "update_to": "2026-05-22"}


def answers(sandbox: SandboxServer) -> list[int | None]:
    """Statuses of the answers so far."""
    return [each["status"] for each in sandbox.client.requests() if each["path"].endswith(STATS)]


def staged(folder: Path) -> list[str]:
    """Names of the pages on storage, without their numbers: one name a window."""
    return [path.name.rpartition("-")[0] for path in folder.rglob("page-*.gz")]


@pytest.mark.parametrize("window", [MADE, CHANGED, MADE | {"date_to": "2026-05-21"}], ids=["made", "changed", "2 days"])
def test_two_at_once_end_in_the_same_orders(
    market: SandboxServer, operator: Operator, context: Context, tmp_path: Path, window: dict[str, str]
) -> None:
    one = operator(path=str(tmp_path / "one"), **window).execute(context())
    before = len(answers(market))
    market.client.change_settings(market_parallel_requests=2)
    two = operator(path=str(tmp_path / "two"), parallel=2, **window).execute(context())
    assert answers(market)[before:] == [200] * two["requests"] == [200] * two["pages"]
    assert raw_orders(one["paths"][0]) == raw_orders(two["paths"][0])
    told = ("orders", "orders_outdated", "rows", "window", "new_fields")
    assert {name: one[name] for name in told} | {"orders_outdated": two["orders_outdated"]} == {
        name: two[name] for name in told
    }
    if "date_from" in window:  # the sandbox lists orders by the day they were made
        assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_it_is_two_at_once(market: SandboxServer, operator: Operator, context: Context, naps: list[float]) -> None:
    market.client.change_settings(market_parallel_requests=1, market_latency_seconds=0.05)
    with suppress(PassingError):  # a request may be refused once, or five times
        operator(parallel=2, **MADE).execute(context())
    assert 420 in answers(market)


def changes_of_today() -> dict[str, str]:
    today = datetime.now(timezone(timedelta(hours=3))).date()
    return {"update_from": str(today - timedelta(days=2)), "update_to": str(today)}


@pytest.mark.parametrize(
    "asked",
    [
        lambda: {"date_from": "2026-05-20", "date_to": "2026-05-20"},
        changes_of_today,
        lambda: {"order_ids": range(1, 300)},
    ],
    ids=["a day", "changes of today", "ids"],
)
def test_what_cannot_be_parted_is_read_one_page_after_the_other(
    market: SandboxServer, operator: Operator, context: Context, asked: Callable[[], dict[str, Any]]
) -> None:
    market.client.change_settings(market_parallel_requests=1, market_latency_seconds=0.02)
    stats = operator(parallel=2, **asked()).execute(context())
    assert answers(market) == [200] * stats["pages"]


def test_of_one_order_in_two_windows_the_newest_counts(
    market: SandboxServer, operator: Operator, context: Context, official: OfficialCheck
) -> None:
    official.odd_answers = True
    for hour in ("11", "12", "10"):
        order = {"id": 1, "status": hour, "statusUpdateDate": f"2026-05-20T{hour}:00:00Z"}
        market.client.add_fault(
            path=STATS, times=1, action="answer", status=200, body={"status": "OK", "result": {"orders": [order]}}
        )
    stats = operator(parallel=2, date_from="2026-05-20", date_to="2026-05-22").execute(context())
    assert (stats["orders"], stats["orders_outdated"], stats["pages"]) == (1, 2, 3)
    assert raw_orders(stats["paths"][0])[1]["status"] == "12"


def test_orders_that_change_meanwhile_are_there_once_and_new(
    market: SandboxServer, operator: Operator, context: Context, tmp_path: Path
) -> None:
    before = raw_orders(operator(**MADE).execute(context())["paths"][0])
    market.client.change_settings(market_changes_per_page=3)
    stats = operator(parallel=2, **MADE).execute(context())
    after = raw_orders(stats["paths"][0])
    assert after.keys() == before.keys()
    changed = [order for order in after if after[order] != before[order]]
    assert changed
    assert all(after[order]["statusUpdateDate"] > before[order]["statusUpdateDate"] for order in changed)


def test_parts_the_service_finds_too_long_are_parted_again(
    market: SandboxServer, operator: Operator, context: Context, tmp_path: Path
) -> None:
    operator(path=str(tmp_path / "one"), **MADE).execute(context())
    market.client.change_settings(market_longest_period_days=1)
    operator(path=str(tmp_path / "two"), parallel=2, **MADE).execute(context())
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_a_failure_of_one_stops_the_other_and_the_pages_stay(
    market: SandboxServer, operator: Operator, context: Context, tmp_path: Path
) -> None:
    window = {"date_from": "2026-05-20", "date_to": "2026-05-21"}
    market.client.change_settings(market_orders_per_day=200, market_latency_seconds=0.02)
    operator(path=str(tmp_path / "one"), **window).execute(context(run_id="one"))
    market.client.add_fault(preset="market_quota", path=STATS, skip=8)
    asked = len(answers(market))
    with pytest.raises(QuotaExceeded):
        operator(parallel=2, **window).execute(context())
    kept = staged(tmp_path / "staging")
    assert len(set(kept)) == 2
    assert not (tmp_path / "files").exists()
    time.sleep(0.1)  # a request that was under way
    assert 8 <= len(answers(market)) - asked <= 10
    asked = len(answers(market))
    stats = operator(parallel=2, **window).execute(context())
    assert len(answers(market)) - asked == stats["pages"] - len(kept)
    assert contents(tmp_path / "files") == contents(tmp_path / "one")
    assert staged(tmp_path / "staging") == []


def test_pages_that_do_not_hang_together_cost_their_own_window_alone(
    market: SandboxServer, operator: Operator, context: Context, tmp_path: Path
) -> None:
    window = {"date_from": "2026-05-20", "date_to": "2026-05-23"}
    market.client.change_settings(market_orders_per_day=80, market_latency_seconds=0.02)
    operator(path=str(tmp_path / "one"), **window).execute(context(run_id="one"))
    market.client.add_fault(preset="market_quota", path=STATS, skip=13)
    with pytest.raises(QuotaExceeded):
        operator(parallel=2, **window).execute(context())
    whole = sum(sorted(Counter(staged(tmp_path / "staging")).values())[-2:])
    market.client.clear_faults()
    market.client.add_fault(preset="market_bad_page_token", path=STATS, query="pageToken=", times=2)
    asked = len(answers(market))
    stats = operator(parallel=2, **window).execute(context())
    told = answers(market)[asked:]
    assert told.count(400) == 2
    # A window without a page yet reads its first, which takes no token, before it meets the fault.
    assert told.count(200) <= stats["pages"] - whole + 2
    assert contents(tmp_path / "files") == contents(tmp_path / "one")


RUN = """
import sys
from types import SimpleNamespace
from airflow_provider_yandex_orders.operators.market import MarketFetchOrderStatsOperator
from tests.support.pauses import shorten

files, staging, first, last, limit = sys.argv[1:]
shorten(limit=float(limit))
task = MarketFetchOrderStatsOperator(
    task_id="fetch", path=files, staging_path=staging, date_from=first, date_to=last, page_size=20, parallel=2
)
task.execute({"ti": SimpleNamespace(dag_id="d", run_id="r", task_id="fetch", map_index=-1)})
"""


def command(folder: Path, window: dict[str, str], limit: float = 90) -> list[str]:
    places = (str(folder / "files"), str(folder / "staging"))
    return [sys.executable, "-c", RUN, *places, *window.values(), str(limit)]


def test_a_worker_killed_in_the_middle_of_both(
    market: SandboxServer, operator: Operator, context: Context, tmp_path: Path
) -> None:
    window = {"date_from": "2026-05-20", "date_to": "2026-05-21"}
    market.client.change_settings(market_orders_per_day=120, market_latency_seconds=0.03)
    whole = operator(path=str(tmp_path / "one"), **window).execute(context(run_id="one"))
    asked = len(answers(market))
    market.client.add_fault(path=STATS, skip=6, times=None, action="delay", moment="before", seconds=300)
    # Its two turns end by themselves, as nobody gives them back.
    killed = command(tmp_path, window, limit=4)
    worker = subprocess.Popen(killed, start_new_session=True)
    deadline = time.monotonic() + 120
    while len(staged(tmp_path / "staging")) < 6 or market.client.faults()[0]["hits"] < 2:
        assert worker.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    assert len(set(staged(tmp_path / "staging"))) == 2
    assert not (tmp_path / "files").exists()
    market.client.clear_faults()
    subprocess.run(killed, check=True, timeout=120)
    assert contents(tmp_path / "files") == contents(tmp_path / "one")
    assert staged(tmp_path / "staging") == []
    assert len(answers(market)) - asked == whole["pages"] + 2


class TestOverProcesses:
    def test_two_tasks_of_two_streams_keep_to_two_requests_at_once(self, market: SandboxServer, tmp_path: Path) -> None:
        market.client.change_settings(market_parallel_requests=2, market_latency_seconds=0.1)
        window = {"date_from": "2026-05-20", "date_to": "2026-05-23"}
        workers = [subprocess.Popen(command(tmp_path / name, window)) for name in ("a", "b")]
        assert [worker.wait(120) for worker in workers] == [0, 0]
        assert set(answers(market)) == {200}
        assert contents(tmp_path / "a" / "files") == contents(tmp_path / "b" / "files")

    def test_a_task_without_a_place_is_handed_back_and_one_with_one_reads_on(
        self, market: SandboxServer, operator: Operator, context: Context, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shorten(monkeypatch.setattr, patience=0.1)
        task = operator(parallel=2, **MADE)
        with MarketHook().places(1) as (held,):
            market.client.change_settings(market_parallel_requests=1, market_latency_seconds=0.01)
            task.execute(context())  # by one stream
            assert set(answers(market)) == {200}
            with MarketHook().places(1), pytest.raises(PassingError, match="other tasks with the same token") as raised:
                task.execute(context())
            held.check()
        assert 0 < (raised.value.retry_after or 0) <= 90
        with MarketHook().places(2) as both:
            assert len(both) == 2

    def test_the_place_is_of_the_token_and_the_host(
        self, market: SandboxServer, operator: Operator, context: Context, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shorten(monkeypatch.setattr, patience=0.1)
        with MarketHook().places(2):
            connection = json.loads(os.environ[CONNECTION])
            for other in ({"password": f"{TOKEN}-1"}, {"host": market.url.replace("127.0.0.1", "localhost")}):
                monkeypatch.setenv(CONNECTION, json.dumps(connection | other))
                with MarketHook().places(2) as places:
                    assert len(places) == 2
        journal = Path(os.environ["AIRFLOW_HOME"]) / "yandex_orders" / "journal.db"
        assert TOKEN.encode() not in journal.read_bytes()

    def test_a_journal_that_does_not_answer_stops_nothing(
        self,
        market: SandboxServer,
        operator: Operator,
        context: Context,
        unreachable_journal: str,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        market.client.change_settings(market_parallel_requests=2)
        stats = operator(parallel=2, journal_conn_id=unreachable_journal, **MADE).execute(context())
        assert answers(market) == [200] * stats["pages"]
        assert "The journal does not answer" in caplog.text

    @pytest.mark.parametrize("setting", ["AIRFLOW_HOME", "AIRFLOW__YANDEX_ORDERS__JOURNAL_CONN_ID"])
    def test_a_journal_that_cannot_be_used_stops_nothing(
        self,
        market: SandboxServer,
        operator: Operator,
        context: Context,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
        setting: str,
    ) -> None:
        monkeypatch.setenv(setting, os.devnull)  # neither a folder nor a connection
        stats = operator().execute(context())
        assert answers(market) == [200] * stats["pages"]
        assert os.devnull in caplog.text
        assert "within this process only" in caplog.text

    def test_a_journal_the_task_names_must_be_there(
        self, market: SandboxServer, operator: Operator, context: Context
    ) -> None:
        with pytest.raises(ConfigurationError, match="'nowhere', which does not exist"):
            operator(journal_conn_id="nowhere").execute(context())
        assert answers(market) == []


@pytest.fixture
def unreachable_journal(monkeypatch: pytest.MonkeyPatch) -> str:
    """A connection to a PostgreSQL nobody listens for."""
    pytest.importorskip("airflow.providers.postgres")
    place = {"conn_type": "postgres", "host": "127.0.0.1", "port": 1, "schema": "x", "login": "x"}
    monkeypatch.setenv("AIRFLOW_CONN_FAR_JOURNAL", json.dumps(place))
    return "far_journal"
