# SPDX-License-Identifier: Apache-2.0
"""When polls that waits share come: in a time that passes only while all of them sleep."""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Callable, Collection, Coroutine, Iterable
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_provider_yandex_orders.exceptions import ServiceUnavailable
from airflow_provider_yandex_orders.triggers import base
from airflow_provider_yandex_orders.triggers.altcraft import AltcraftOrdersTrigger
from airflow_provider_yandex_orders.triggers.base import Waiter, joined
from airflow_provider_yandex_orders.waiting import UploadState, Wait, pause_after
from tests.support.triggers import first_event


class OneWait(Wait):
    hook_class = None

    def places(self, ids: Iterable[str]) -> dict[str, list[str]]:
        return {"here": list(ids)}

    def ask(self, hook: Any, place: str, ids: Collection[str], missed: dict[str, int]) -> dict[str, UploadState]:
        raise NotImplementedError

    arguments = trigger = result = late = ask  # type: ignore[assignment]


class VirtualTime(asyncio.SelectorEventLoop):
    """A loop that sleeps no moment."""

    def __init__(self) -> None:
        self.now = 1000.0
        selector = selectors.DefaultSelector()
        select = selector.select

        def pass_time(timeout: float | None = None) -> Any:
            self.now += timeout or 0
            return select(0)

        selector.select = pass_time  # type: ignore[method-assign]
        super().__init__(selector)

    def time(self) -> float:
        return self.now


Polls = list[tuple[float, int]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Polls]:
    """Runs waits in virtual time: when each poll came since the beginning, and for how many ids."""

    def play(*waits: Coroutine[Any, Any, None], errors: Iterable[Exception | None] = ()) -> Polls:
        loop, polls, raised = VirtualTime(), [], iter(errors)
        monkeypatch.setattr(base, "time", SimpleNamespace(time=loop.time))

        async def answer(self: Any, wait: Wait, ids: list[str]) -> Any:
            polls.append((loop.now - 1000, len(ids)))
            error = next(raised, None)
            if isinstance(error, ArithmeticError):
                raise error
            return {}, 1, error

        monkeypatch.setattr(base._Poller, "_answer", answer)

        async def all_of_them() -> None:
            await asyncio.gather(*waits)

        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(all_of_them())
        assert not base._pollers
        return [(round(at, 3), ids) for at, ids in polls]

    return play


async def wait_for(name: str, *, after: float = 0, every: float | None = 30, seconds: float) -> None:
    """One wait that hears nothing until its end."""
    await asyncio.sleep(after)
    waiter = Waiter(OneWait("conn").expect({name: 1}), every, asyncio.get_running_loop().time() + seconds)
    with joined(waiter):
        while waiter.pollers:
            await waiter.told.get()


@pytest.mark.parametrize(
    ("waited", "pause"), [(0, 30), (29, 30), (31, 31), (120, 120), (299, 299), (301, 300), (604_800, 300), (-5, 30)]
)
def test_a_pause_grows_where_none_is_told(waited: float, pause: float) -> None:
    assert pause_after(waited, None) == pause
    assert pause_after(waited, 7) == 7
    assert pause_after(waited, 0) == 0


def test_the_first_poll_comes_after_a_pause_and_the_last_at_the_end(run: Any) -> None:
    assert run(wait_for("a", seconds=100)) == [(30, 1), (60, 1), (90, 1), (100, 1)]
    assert run(wait_for("a", seconds=5)) == [(5, 1)]
    assert run(wait_for("a", seconds=-5)) == [(0, 1)]


def test_two_hours_cost_less_than_thirty_requests(run: Any) -> None:
    polls = run(wait_for("a", every=None, seconds=7200))
    assert [at for at, _ in polls[:7]] == [30, 60, 120, 240, 480, 780, 1080]
    assert len(polls) == 28


@pytest.mark.parametrize("every", [30, None])
def test_waits_that_come_one_by_one_do_not_poll_more_often(run: Any, every: float | None) -> None:
    polls = run(*(wait_for(str(number), after=number / 2, every=every, seconds=3600) for number in range(200)))
    polls = [(at, ids) for at, ids in polls if at <= 3600]
    assert min(after - before for (before, _), (after, _) in pairwise(polls)) >= 29.9
    assert polls[-2][1] == 200


def test_the_most_impatient_sets_the_pace_as_long_as_it_waits(run: Any) -> None:
    polls = run(wait_for("patient", every=100, seconds=400), wait_for("hurried", after=150, every=20, seconds=50))
    assert polls == [(100, 1), (170, 2), (190, 2), (200, 2), (300, 1), (400, 1)]


def test_a_wait_takes_no_answer_while_it_is_young(run: Any) -> None:
    polls = run(wait_for("old", seconds=89), wait_for("young", after=25, seconds=64))
    assert polls == [(30, 1), (60, 2), (89, 2)]


def test_a_service_is_left_alone_as_long_as_it_says(run: Any) -> None:
    busy = ServiceUnavailable("busy", retry_after=150)
    polls = run(wait_for("a", seconds=220), wait_for("b", seconds=100), errors=[busy])
    assert polls == [(30, 2), (180, 1), (210, 1), (220, 1)]  # the end of b is no reason to ask


def test_what_fails_for_good_ends_those_it_was_asked_for(run: Any) -> None:
    polls = run(
        wait_for("a", seconds=100),
        wait_for("b", seconds=100),
        wait_for("late", after=25, seconds=70),
        errors=[KeyError()],
    )
    assert polls == [(30, 2), (60, 1), (90, 1), (95, 1)]


def test_what_breaks_a_poller_ends_its_waits_at_once(run: Any) -> None:
    waits = [wait_for("a", seconds=100), wait_for("b", seconds=100), wait_for("later", after=50, seconds=35)]
    assert run(*waits, errors=[ArithmeticError()]) == [(30, 2), (80, 1), (85, 1)]


@pytest.mark.parametrize("error", [TimeoutError("of the system"), KeyError("x")])
def test_an_error_that_nobody_expects_is_raised_by_the_trigger(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    async def answer(self: Any, wait: Wait, ids: list[str]) -> Any:
        return {}, 1, error

    monkeypatch.setattr(base._Poller, "_answer", answer)
    trigger = AltcraftOrdersTrigger(
        altcraft_conn_id="conn", orders={"A": None}, poke_interval=0.01, end_time=time.time() + 60
    )
    with pytest.raises(type(error)) as raised:
        asyncio.run(first_event(trigger))
    assert raised.value is error
