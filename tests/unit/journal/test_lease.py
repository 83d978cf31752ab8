# SPDX-License-Identifier: Apache-2.0
"""Two tasks at one destination, in processes of their own."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_yandex_orders.exceptions import PassingError
from airflow_provider_yandex_orders.journal import lease
from airflow_provider_yandex_orders.journal.records import Verdict
from airflow_provider_yandex_orders.journal.store import Journal
from tests.unit.journal.journal_support import ORDERS, plan, verdict

FORK = multiprocessing.get_context("fork")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits of a test's length."""
    monkeypatch.setattr(lease, "LIMIT", 1.5)
    monkeypatch.setattr(lease, "PATIENCE", 0.2)
    monkeypatch.setattr(lease, "_ASK_EVERY", 0.05)


def _count_up(open_one: Callable[[], Journal], start: Any, counter: Path) -> None:
    lease._ASK_EVERY = 0.02
    start.wait()
    with open_one() as journal:
        for _ in range(5):
            with journal.lease(ORDERS):
                number = int(counter.read_text())
                time.sleep(0.01)
                counter.write_text(str(number + 1))


def test_processes_make_one_journal_and_take_turns(open_one: Callable[[], Journal], tmp_path: Path) -> None:
    counter, start = tmp_path / "counter", FORK.Barrier(4)
    counter.write_text("0")
    workers = [FORK.Process(target=_count_up, args=(open_one, start, counter)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0] * 4
    assert counter.read_text() == "20"


def _hold(open_one: Callable[[], Journal], held: Any) -> None:
    with open_one() as journal, journal.lease(ORDERS):
        held.set()
        time.sleep(600)


def test_a_living_holder_keeps_its_lease_and_a_dead_ones_ends(open_one: Callable[[], Journal], quick: None) -> None:
    held = FORK.Event()
    holder = FORK.Process(target=_hold, args=(open_one, held))
    with open_one():
        pass  # made before the fork
    holder.start()
    assert held.wait(60)
    with open_one() as journal:
        end = time.monotonic() + 3  # twice its limit
        while time.monotonic() < end:
            with pytest.raises(PassingError, match="sends there now") as caught, journal.lease(ORDERS):
                pytest.fail("two hold it")
            assert 0 < (caught.value.retry_after or 0) <= 2
        with journal.lease(replace(ORDERS, entity="contacts")):
            pass
        os.kill(holder.pid or 0, signal.SIGKILL)
        holder.join()
        lease.PATIENCE = 60  # put back by the fixture
        with journal.lease(ORDERS):
            pass


def test_a_part_does_not_go_out_without_the_lease_it_was_planned_under(
    open_one: Callable[[], Journal], quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease.Lease, "_renew_until_given_back", lambda self: None)  # the process stands still
    with open_one() as slow, open_one() as other, slow.lease(ORDERS) as lost:
        part = plan(slow, [("a", "red", "")])
        slow.sending(part, lost)
        slow.accepted(part)
        late = plan(slow, [("b", "red", "")])
        monkeypatch.setattr(lease, "PATIENCE", 60)
        with other.lease(ORDERS), pytest.raises(PassingError, match="stood still"):
            slow.sending(late, lost)
        assert [each.state for each in slow.open_parts(ORDERS)] == ["accepted"]
        assert [verdict(slow, (key, "red", "")) for key in "ab"] == [Verdict.UNCHANGED, Verdict.NEW]
