# SPDX-License-Identifier: Apache-2.0
"""Airflow waits as long as the service said."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import DAG, AirflowException, AirflowFailException

from airflow_provider_yandex_orders import exceptions
from airflow_provider_yandex_orders.operators.metrica import MetricaUploadSimpleOrdersOperator
from airflow_provider_yandex_orders.retry import ServiceRetryPolicy, with_retry_policy
from airflow_provider_yandex_orders.sensors.altcraft import AltcraftOrdersSensor
from airflow_provider_yandex_orders.sensors.metrica import MetricaCrmUploadSensor

policies = pytest.importorskip("airflow.sdk.definitions.retry_policy", reason="retry policies came with Airflow 3.3")

PERMANENT = [
    exceptions.ConfigurationError,
    exceptions.SourceError,
    exceptions.RejectedRowsError,
    exceptions.UploadFailedError,
    exceptions.UploadUnclearError,
    exceptions.ServiceRefused,
]
PASSING = [exceptions.SourceUnavailable, exceptions.ServiceUnavailable, exceptions.QuotaExceeded]


def operator(**arguments: Any) -> Any:
    with DAG("d", start_date=datetime(2025, 1, 1), default_args=arguments.pop("default_args", {})):
        return MetricaUploadSimpleOrdersOperator(task_id="t", source=[], **arguments)


@pytest.mark.parametrize("error", [each("x", retry_after=seconds) for each in PASSING for seconds in (7.0, 86400.0)])
def test_a_named_time_is_the_delay(error: exceptions.PassingError) -> None:
    decision = ServiceRetryPolicy().evaluate(error, 1, 3)
    assert decision.action is policies.RetryAction.RETRY
    assert decision.retry_delay == timedelta(seconds=error.retry_after or 0)


@pytest.mark.parametrize("error", [exceptions.PassingError("x"), ValueError("x"), exceptions.ServiceUnavailable("x")])
def test_without_one_the_tasks_own_settings_hold(error: Exception) -> None:
    assert ServiceRetryPolicy().evaluate(error, 1, 3) == policies.RetryDecision.default()


@pytest.mark.parametrize("kind", PERMANENT)
def test_permanent_errors_never_reach_the_policy(kind: type[Exception]) -> None:
    assert issubclass(kind, AirflowFailException)


@pytest.mark.parametrize("kind", PASSING)
def test_passing_errors_may_be_retried(kind: type[Exception]) -> None:
    assert issubclass(kind, AirflowException)
    assert not issubclass(kind, AirflowFailException)


def test_operators_and_sensors_have_the_policy() -> None:
    assert isinstance(operator().retry_policy, ServiceRetryPolicy)
    for sensor in (MetricaCrmUploadSensor(task_id="t", upload_ids=[]), AltcraftOrdersSensor(task_id="t", order_ids=[])):
        assert isinstance(sensor.retry_policy, ServiceRetryPolicy)
    assert isinstance(operator(default_args={"retries": 5}).retry_policy, ServiceRetryPolicy)


def test_the_users_policy_stays() -> None:
    own = policies.ExceptionRetryPolicy(rules=[])
    assert operator(retry_policy=own).retry_policy == own
    assert operator(default_args={"retry_policy": own}).retry_policy == own
    assert operator(retry_policy=None).retry_policy is None
    assert operator(default_args={"retry_policy": None}).retry_policy is None
    assert "retry_policy" not in with_retry_policy({"default_args": {"retry_policy": own}})


def test_the_policy_survives_serialization() -> None:
    policy = ServiceRetryPolicy()
    assert isinstance(ServiceRetryPolicy.deserialize(policy.serialize()), ServiceRetryPolicy)


def test_a_dag_with_the_policy_is_serialized() -> None:
    serialized = pytest.importorskip("airflow.serialization.serialized_objects")
    task = operator()
    data = serialized.DagSerialization.to_dict(task.dag)
    (back,) = serialized.DagSerialization.from_dict(data).tasks
    assert back.has_retry_policy
