# SPDX-License-Identifier: Apache-2.0
"""Makes Airflow wait as long as a service said, where it can be told (3.3)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider_yandex_orders.exceptions import PassingError

if TYPE_CHECKING:
    from airflow.sdk.definitions.retry_policy import RetryDecision, RetryPolicy
else:
    try:
        from airflow.providers.common.compat.sdk import RetryDecision, RetryPolicy
    except ImportError:  # an older Airflow: the task's own retry_delay holds
        RetryDecision, RetryPolicy = None, object


HAS_POLICIES = RetryDecision is not None
"""Whether Airflow can be told when to try again."""


class ServiceRetryPolicy(RetryPolicy):
    """Retries after ``retry_after`` seconds where an error has it, by the task's own settings else."""

    def evaluate(self, exception: BaseException, try_number: int, max_tries: int, context: Any = None) -> RetryDecision:
        """Read the error."""
        if isinstance(exception, PassingError) and exception.retry_after:
            return RetryDecision.retry(timedelta(seconds=exception.retry_after), "the service named this time")
        return RetryDecision.default()

    def serialize(self) -> dict[str, Any]:
        """There is nothing to keep."""
        return {}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> ServiceRetryPolicy:
        """Make it again."""
        return cls()


def with_retry_policy(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Add the policy to an operator's arguments, unless the user chose one or this Airflow has none."""
    if RetryDecision is not None and "retry_policy" not in (kwargs.get("default_args") or {}):
        kwargs.setdefault("retry_policy", ServiceRetryPolicy())
    return kwargs
