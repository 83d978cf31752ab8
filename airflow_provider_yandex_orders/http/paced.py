# SPDX-License-Identifier: Apache-2.0
"""A client that keeps to a service's limits by itself: how many requests at once, how many in a window of time."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import requests

from airflow_provider_yandex_orders.exceptions import Answer, QuotaExceeded
from airflow_provider_yandex_orders.http.client import ServiceClient


@dataclass(frozen=True, slots=True)
class Budget:
    """What a service says is left.

    :param remaining: requests left in this window.
    :param until: end of the window, in seconds since 1970 by this machine's clock.
    """

    remaining: int
    until: float


BudgetReader = Callable[[Mapping[str, str]], Budget | None]
"""Reads the headers of an answer; ``None`` where they say nothing."""


class Lane:
    """What all clients of one key in this process share.

    :param at_once: most requests at a time.
    :param a_second: most requests that begin within a second; ``None`` where there is no such limit.
    """

    def __init__(self, at_once: int, a_second: int | None = None) -> None:
        self.free = threading.BoundedSemaphore(at_once)
        self._begun: deque[float] | None = deque([0.0] * a_second, a_second) if a_second else None
        self._budgets: dict[str, Budget] = {}
        self._changing = threading.Lock()

    def hear(self, path: str, budget: Budget) -> None:
        """Take in what an answer says is left for requests to a path."""
        with self._changing:
            self._budgets[path] = budget

    def pace(self) -> None:
        """Wait until another request may begin."""
        if self._begun is None:
            return
        with self._changing:
            begins = max(time.monotonic(), self._begun[0] + 1)
            self._begun.append(begins)
        time.sleep(max(0.0, begins - time.monotonic()))

    def take(self, path: str) -> float | None:
        """Take one request out of the budget of a path.

        :return: seconds until there is one again, or ``None`` when one was left or nothing is known.
        """
        with self._changing:
            budget = self._budgets.get(path)
            if budget is None or (wait := budget.until - time.time()) <= 0:
                return None
            if budget.remaining <= 0:
                return wait
            self._budgets[path] = Budget(budget.remaining - 1, budget.until)
            return None


_lanes: dict[str, Lane] = {}
_opening = threading.Lock()


def lane_of(base_url: str, token: str, at_once: int, a_second: int | None = None) -> Lane:
    """The lane of a key at a host: one in this process, however many hooks there are."""
    name = hashlib.sha256(f"{base_url}|{token}".encode()).hexdigest()
    with _opening:
        return _lanes.setdefault(name, Lane(at_once, a_second))


class PacedClient(ServiceClient):
    """Waits its turn, and sends nothing that the service has said it would refuse.

    A short wait for the next window is spent here, a long one is raised, as after the service's own refusal.

    :param lane: shared by the clients of one key.
    :param read_budget: reads the headers of an answer; ``None`` where they tell nothing.
    """

    def __init__(self, *, lane: Lane, read_budget: BudgetReader | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._lane = lane
        self._read_budget = read_budget
        self.session.hooks["response"].append(self._hear)

    def _send(self, method: str, path: str, *, doing: str, **request: Any) -> Any:
        with self._lane.free:
            wait = self._lane.take(path)
            if wait is not None:
                raise QuotaExceeded(
                    f"{doing}: {self.service} has said that no requests to {path} are left for the next {wait:.0f} s. "
                    "Nothing was sent; the next try goes out when the service counts anew.",
                    retry_after=wait + 1,  # a second past, for clocks
                    answer=Answer(method, path),
                )
            self._lane.pace()
            return super()._send(method, path, doing=doing, **request)

    def _hear(self, response: requests.Response, **_: Any) -> None:
        budget = self._read_budget(response.headers) if self._read_budget else None
        if budget is not None and response.request.url:
            self._lane.hear(response.request.url.removeprefix(self.base_url).partition("?")[0], budget)
