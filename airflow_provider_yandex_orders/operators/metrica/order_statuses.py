# SPDX-License-Identifier: Apache-2.0
"""Tells a counter what the CRM's order statuses mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow.providers.common.compat.sdk import BaseOperator, Context

from airflow_provider_yandex_orders.exceptions import ConfigurationError
from airflow_provider_yandex_orders.hooks.metrica import MetricaHook
from airflow_provider_yandex_orders.log_lines import failure_told
from airflow_provider_yandex_orders.retry import with_retry_policy

TYPES = ("IN_PROGRESS", "PAID", "CANCELLED", "SPAM", "OTHER")
MOST_GOALS = 10
LONGEST_NAME = 4096
FIELDS = {"id", "humanized", "type", "goal_action_ids"}


class MetricaMapOrderStatusesOperator(BaseOperator):
    """Maps order statuses of the full mode: reads what the counter has, and changes it only on a difference.

    Statuses the counter knows and you do not name are left as they are.

    .. seealso:: https://yandex.ru/dev/metrika/ru/data-import/maporderstatuses-about

    :param statuses: ``{"crm status": "PAID"}``, or a list of ``{"id", "type", "humanized", "goal_action_ids"}``. Types:
        ``IN_PROGRESS``, ``PAID``, ``CANCELLED``, ``SPAM``, ``OTHER``. (templated)
    :param metrica_conn_id: connection of type ``yandex_metrica``. (templated)
    :param counter_id: the counter; by default the connection's. (templated)
    :return: ``{"changed": [...ids...], "kept": [...ids...]}``
    """

    template_fields: Sequence[str] = ("statuses", "metrica_conn_id", "counter_id")

    def __init__(
        self,
        *,
        statuses: Mapping[str, str] | Sequence[Mapping[str, Any]],
        metrica_conn_id: str = MetricaHook.default_conn_name,
        counter_id: int | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**with_retry_policy(kwargs))
        self.statuses = statuses
        self.metrica_conn_id = metrica_conn_id
        self.counter_id = counter_id

    @failure_told()
    def execute(self, context: Context) -> dict[str, list[str]]:
        """Read, compare, change."""
        wanted = _wanted(self.statuses)
        hook = MetricaHook(self.metrica_conn_id)
        counter_id = hook.counter_id(self.counter_id)
        known = {str(status["id"]): dict(status) for status in hook.order_statuses(counter_id)}
        changed = [name for name, status in wanted.items() if _differs(known.get(name, {}), status)]
        if changed:
            # Whether the service replaces the mapping or adds to it is not said: the whole of it does for both.
            merged = {name: _own_fields(status) for name, status in known.items()} | {
                name: _own_fields(known.get(name, {})) | wanted[name] for name in changed
            }
            hook.map_order_statuses(counter_id, list(merged.values()))
        self.log.info("Order statuses of counter %s: changed %s.", counter_id, ", ".join(changed) or "none")
        return {"changed": changed, "kept": [name for name in wanted if name not in changed]}


def _own_fields(status: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in status.items() if name in FIELDS and value is not None}


def _differs(known: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return any(_comparable(known.get(name)) != _comparable(value) for name, value in wanted.items())


def _comparable(value: Any) -> Any:
    """Goals compare without order; a bare text stands for a list of one, as the service's sample has it."""
    if isinstance(value, (list, tuple)):
        return sorted(map(str, value))
    return value


def _wanted(statuses: Any) -> dict[str, dict[str, Any]]:
    """The mapping in its long form by id, checked."""
    from airflow_provider_yandex_orders.rows.lists import STATUS_ID

    if isinstance(statuses, Mapping):
        statuses = [{"id": name, "type": kind} for name, kind in statuses.items()]
    if not isinstance(statuses, Sequence) or isinstance(statuses, str) or not statuses:
        raise ConfigurationError('statuses must be {"crm status": "PAID"} or a list of {"id": ..., "type": ...}.')
    wanted: dict[str, dict[str, Any]] = {}
    for status in statuses:
        name, kind = str(status.get("id") or ""), status.get("type")
        if unknown := set(status) - FIELDS:
            raise ConfigurationError(f"statuses: {name!r} has unknown fields {', '.join(sorted(unknown))}.")
        if not STATUS_ID.fullmatch(name):
            raise ConfigurationError(
                f"statuses: {name!r} cannot be an id: letters, digits, _ - and : only, 255 at most. Map other words of "
                "the CRM with status_map of the upload."
            )
        if kind not in TYPES:
            raise ConfigurationError(f"statuses[{name!r}]: the type must be one of {', '.join(TYPES)}, not {kind!r}.")
        goals = status.get("goal_action_ids") or []
        if isinstance(goals, str) or len(goals) > MOST_GOALS or len(set(goals)) < len(goals):
            raise ConfigurationError(
                f"statuses[{name!r}]: goal_action_ids is a list of at most {MOST_GOALS} different goals."
            )
        if len(str(status.get("humanized") or "")) > LONGEST_NAME:
            raise ConfigurationError(f"statuses[{name!r}]: humanized has at most {LONGEST_NAME} signs.")
        if name in wanted:
            raise ConfigurationError(f"statuses: {name!r} stands there twice.")
        wanted[name] = dict(status)
    return wanted
