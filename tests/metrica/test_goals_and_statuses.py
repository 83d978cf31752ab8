# SPDX-License-Identifier: Apache-2.0
"""Goals and order statuses: found, made or changed only where needed."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from airflow_provider_yandex_orders.exceptions import ConfigurationError
from airflow_provider_yandex_orders.hooks.metrica import MetricaHook
from airflow_provider_yandex_orders.operators.metrica import (
    MetricaEnsureGoalsOperator,
    MetricaMapOrderStatusesOperator,
)
from airflow_provider_yandex_orders.sandbox.server import SandboxServer

Run = Callable[..., Any]


def writes(sandbox: SandboxServer) -> int:
    return sum(request["method"] == "POST" for request in sandbox.client.requests())


class TestGoals:
    def test_only_what_is_missing_is_made(self, metrica: SandboxServer, run: Run) -> None:
        first = run(MetricaEnsureGoalsOperator, goals={"order_paid": "Order paid"})
        both = run(MetricaEnsureGoalsOperator, goals=["order_paid", "order_done"])
        again = run(MetricaEnsureGoalsOperator, goals=["order_paid", "order_done"])
        assert first["created"].keys() == {"order_paid"}
        assert both["found"] == first["created"]
        assert both["created"].keys() == {"order_done"}
        assert again == {"found": both["found"] | both["created"], "created": {}}
        assert writes(metrica) == 2
        made = [goal for goal in MetricaHook().goals() if goal["type"] == "action"]
        assert [(goal["name"], goal["conditions"]) for goal in made] == [
            ("Order paid", [{"type": "exact", "url": "order_paid"}]),
            ("order_done", [{"type": "exact", "url": "order_done"}]),
        ]

    def test_a_goal_that_contains_the_identifier_is_one(self, metrica: SandboxServer, run: Run) -> None:
        goal = {"name": "x", "type": "action", "conditions": [{"type": "contain", "url": "order"}]}
        hook = MetricaHook()
        made = hook.client.call("POST", "/management/v1/counter/101/goals", doing="Make a goal", json={"goal": goal})
        assert run(MetricaEnsureGoalsOperator, goals=["order"]) == {
            "found": {"order": made["goal"]["id"]},
            "created": {},
        }

    def test_without_an_answer_the_goal_is_looked_for(self, metrica: SandboxServer, run: Run) -> None:
        metrica.client.add_fault(method="POST", path="goals", action="drop", moment="after", times=1)
        result = run(MetricaEnsureGoalsOperator, goals=["order_paid"])
        assert result["created"].keys() == {"order_paid"}
        assert writes(metrica) == 1

    def test_two_at_once_agree_and_say_so(
        self, metrica: SandboxServer, context: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        # Both list before either creates: the answer to the first list is held back.
        metrica.client.add_fault(method="GET", path="goals", action="delay", moment="after", seconds=1.5, times=2)

        def ensure(number: int) -> Any:
            from airflow.models import baseoperator

            if guard := getattr(baseoperator, "ExecutorSafeguard", None):
                guard._sentinel.callers = {}  # Airflow 2.11 prepares it for the main thread only
            task = MetricaEnsureGoalsOperator(task_id=f"goals{number}", goals=["order_paid"])
            return task.execute(context())

        with ThreadPoolExecutor(2) as pool:
            results = list(pool.map(ensure, range(2)))
        ids = {(result["created"] | result["found"])["order_paid"] for result in results}
        goals = [goal for goal in MetricaHook().goals() if goal["type"] == "action"]
        assert len(goals) == 2
        assert min(goal["id"] for goal in goals) in ids
        assert "2 goals with the identifier 'order_paid'" in caplog.text

    def test_a_goal_that_matches_otherwise_is_refused(self, metrica: SandboxServer, run: Run) -> None:
        goal = {"name": "x", "type": "action", "conditions": [{"type": "start", "url": "order"}]}
        MetricaHook().client.call("POST", "/management/v1/counter/101/goals", doing="Make", json={"goal": goal})
        with pytest.raises(ConfigurationError, match="condition 'start', and only 'exact' and 'contain' do"):
            run(MetricaEnsureGoalsOperator, goals=["order"])

    @pytest.mark.parametrize(
        "goals", ["order_paid", {"a/b": "x"}, {"a b": "x"}, {"a,b": "x"}, {"": "x"}, {"a": ""}, {"a": "x" * 256}, 5]
    )
    def test_identifiers_that_cannot_work(self, metrica: SandboxServer, run: Run, goals: Any) -> None:
        with pytest.raises(ConfigurationError, match="goals"):
            run(MetricaEnsureGoalsOperator, goals=goals)
        assert metrica.client.requests() == []


class TestStatuses:
    def test_changed_only_on_a_difference(self, metrica: SandboxServer, run: Run) -> None:
        mapping = {"new": "IN_PROGRESS", "done": "PAID"}
        assert run(MetricaMapOrderStatusesOperator, statuses=mapping)["changed"] == ["new", "done"]
        assert run(MetricaMapOrderStatusesOperator, statuses=mapping) == {"changed": [], "kept": ["new", "done"]}
        assert run(MetricaMapOrderStatusesOperator, statuses={"done": "CANCELLED"})["changed"] == ["done"]
        assert writes(metrica) == 2
        held = {status["id"]: status["type"] for status in MetricaHook().order_statuses()}
        assert held | {"new": "IN_PROGRESS", "done": "CANCELLED"} == held

    def test_the_long_form(self, metrica: SandboxServer, run: Run) -> None:
        long = [{"id": "ship", "type": "OTHER", "humanized": "Отправлен", "goal_action_ids": ["b", "a"]}]
        assert run(MetricaMapOrderStatusesOperator, statuses=long)["changed"] == ["ship"]
        same = [{"id": "ship", "type": "OTHER", "goal_action_ids": ["a", "b"]}]
        assert run(MetricaMapOrderStatusesOperator, statuses=same)["changed"] == []
        held = next(status for status in MetricaHook().order_statuses() if status["id"] == "ship")
        assert held["humanized"] == "Отправлен"

    @pytest.mark.parametrize(
        "statuses",
        [
            {"a b": "PAID"},
            {"a": "CANCELED"},
            {},
            [],
            "a",
            [{"id": "a", "type": "PAID"}, {"id": "a", "type": "SPAM"}],
            [{"id": "a", "type": "PAID", "goal_action_ids": [str(n) for n in range(11)]}],
            [{"id": "a", "type": "PAID", "goal_action_ids": ["b", "b"]}],
            [{"id": "a", "type": "PAID", "humanized": "x" * 4097}],
            [{"id": "a", "type": "PAID", "color": "red"}],
        ],
    )
    def test_mappings_that_cannot_work(self, metrica: SandboxServer, run: Run, statuses: Any) -> None:
        with pytest.raises(ConfigurationError, match="statuses"):
            run(MetricaMapOrderStatusesOperator, statuses=statuses)
        assert metrica.client.requests() == []
