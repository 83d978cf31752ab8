# SPDX-License-Identifier: Apache-2.0
"""Every documented error answer: what a user reads, and whether Airflow tries again."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_yandex_orders.exceptions import PassingError, ServiceRefused, ServiceUnavailable
from airflow_provider_yandex_orders.hooks.metrica import MetricaHook
from airflow_provider_yandex_orders.operators.metrica import MetricaUploadOrdersOperator
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sandbox.settings import METRICA_QUOTAS

ROW = {"id": "1", "client_uniq_id": "c", "create_date_time": "2026-11-01 10:00:00", "order_status": "PAID"}
MINUTE, DAY = 60.0, 86_400.0
TOKEN = "Get a new OAuth token"

REFUSED = [
    ("invalid_token", 403, TOKEN),
    ("invalid_token", 401, TOKEN),
    ("unauthorized", 401, TOKEN),
    ("access_denied", 403, "edit rights on the counter"),
    ("counter_in_connect", 403, "administrator"),
    ("invalid_parameter", 400, "Correct what the service names"),
    ("missing_parameter", 400, "Correct what the service names"),
    ("invalid_uploading", 400, "cannot read the file"),
    ("invalid_json", 400, "Correct what the service names"),
    ("limit_exceeded", 400, "as many of these as it may"),
    ("not_found", 400, "Check counter_id"),
    ("not_found", 404, "Check counter_id"),
    ("not_acceptable", 406, "Correct what the service names"),
    ("conflict", 409, "Correct what the service names"),
]
QUOTAS = {
    "quota_requests_by_uid": (0, DAY + MINUTE),
    "quota_requests_by_counter_id": (0, DAY + MINUTE),
    "quota_delegate_requests": (0, DAY / 24 + MINUTE),
    "quota_grants_requests": (0, DAY / 24 + MINUTE),
    "quota_requests_by_ip": None,
    "quota_parallel_requests": None,
}


@pytest.fixture
def fails(metrica: SandboxServer, run: Callable[..., Any], naps: list[float]) -> Callable[..., Exception]:
    """Uploads while the service answers as told, and gives the error."""

    def upload(**fault: Any) -> Exception:
        metrica.client.add_fault(method="POST", path="data/orders", times=None, **fault)
        with pytest.raises(Exception) as raised:  # noqa: PT011 - its kind is what the tests look at
            run(MetricaUploadOrdersOperator, source=[ROW])
        return raised.value

    return upload


def test_why_it_failed_is_said_in_lines_that_fit(
    fails: Callable[..., Exception], caplog: pytest.LogCaptureFixture
) -> None:
    """Airflow's page shows an exception's words as one line, cut off at the right."""
    error = fails(preset="access_denied")
    lines = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert " ".join(map(str.strip, lines)) == str(error)
    assert len(lines) > 1
    assert max(map(len, lines)) <= 85


def posts(sandbox: SandboxServer) -> int:
    return sum(request["method"] == "POST" for request in sandbox.client.requests())


@pytest.mark.parametrize(("error_type", "status", "advice"), REFUSED)
def test_refused_at_once(
    fails: Callable[..., Exception], metrica: SandboxServer, error_type: str, status: int, advice: str
) -> None:
    error = fails(preset=error_type, status=status)
    assert isinstance(error, ServiceRefused)
    assert isinstance(error, AirflowFailException)  # no retry
    assert f"answered {status} ({error_type}) to POST /cdp/api/v1/counter/101/data/orders/json" in str(error)
    assert advice in str(error)
    assert posts(metrica) == 1


@pytest.mark.parametrize("status", [429, 420, 403])
@pytest.mark.parametrize("error_type", QUOTAS)
def test_quotas(fails: Callable[..., Exception], metrica: SandboxServer, error_type: str, status: int) -> None:
    error = fails(preset=error_type, status=status)
    assert isinstance(error, PassingError)  # Airflow retries
    assert f"({error_type})" in str(error)
    far = QUOTAS[error_type]
    if far is None:  # short: waited out inside the task, five times
        assert posts(metrica) == 5
        assert error.retry_after is None
    else:  # long: handed back at once, with the time
        assert posts(metrica) == 1
        assert error.retry_after is not None
        assert far[0] < error.retry_after <= far[1]
        assert "Next try not before" in str(error)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"preset": "backend_error"}, "503 (backend_error)"),
        ({"preset": "timeout"}, "504 (timeout)"),
        ({"preset": "html"}, "502"),
        ({"preset": "html", "status": 200}, "not JSON"),
        ({"preset": "empty"}, "not JSON"),
        ({"preset": "empty", "status": 500}, "(an empty answer)"),
        ({"action": "answer", "status": 200, "body": "{}"}, "without 'uploading'"),
        ({"action": "drop"}, "cut the connection"),
    ],
)
def test_troubles_that_pass(fails: Callable[..., Exception], fault: dict[str, Any], words: str) -> None:
    error = fails(**fault)
    assert isinstance(error, ServiceUnavailable)
    assert not isinstance(error, AirflowFailException)  # Airflow retries
    assert words in str(error)


def test_no_answer_names_the_token(fails: Callable[..., Exception]) -> None:
    assert "sandbox-token" not in str(fails(preset="invalid_token"))


def test_tasks_of_one_process_keep_to_the_quotas(metrica: SandboxServer) -> None:
    metrica.client.change_settings(**METRICA_QUOTAS)
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda _: MetricaHook().counter(101)["id"], range(18)))
    assert found == [101] * 18
    assert {request["status"] for request in metrica.client.requests()} == {200}


def test_a_day_that_is_used_up_hands_the_task_back(metrica: SandboxServer, run: Callable[..., Any]) -> None:
    metrica.client.change_settings(metrica_requests_per_day=1)
    run(MetricaUploadOrdersOperator, source=[ROW], check_targets=False)
    with pytest.raises(PassingError, match="quota_requests_by_uid") as raised:
        run(MetricaUploadOrdersOperator, source=[ROW], run_id="manual__2", check_targets=False)
    assert raised.value.retry_after
    assert len(metrica.client.orders(101, kind="orders")) == 1
