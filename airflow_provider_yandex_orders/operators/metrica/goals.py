# SPDX-License-Identifier: Apache-2.0
"""Makes sure that a counter has the goals a pipeline sends to."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from airflow.providers.common.compat.sdk import BaseOperator, Context

from airflow_provider_yandex_orders.exceptions import ConfigurationError, ServiceUnavailable
from airflow_provider_yandex_orders.hooks.metrica import MetricaHook
from airflow_provider_yandex_orders.log_lines import failure_told
from airflow_provider_yandex_orders.retry import with_retry_policy

log = logging.getLogger(__name__)

NAME_LENGTH = 255


class MetricaEnsureGoalsOperator(BaseOperator):
    """Creates the JS-event goals a counter does not have yet, with the condition ``exact``. Those it has may be
    ``contain`` as well.

    The service lets two goals have one identifier. This lists first and creates only what is missing; where two are
    found all the same (two tasks at once), it says so and gives the one with the smaller id. Goals count only what
    comes after they were made.

    .. seealso:: https://yandex.ru/dev/metrika/ru/management/openapi/goal/addGoal

    :param goals: ``{"identifier": "Name"}``, or a list of identifiers that are names too. (templated)
    :param metrica_conn_id: connection of type ``yandex_metrica``. (templated)
    :param counter_id: the counter; by default the connection's. (templated)
    :return: ``{"found": {identifier: id}, "created": {identifier: id}}``
    """

    template_fields: Sequence[str] = ("goals", "metrica_conn_id", "counter_id")

    def __init__(
        self,
        *,
        goals: Mapping[str, str] | Sequence[str],
        metrica_conn_id: str = MetricaHook.default_conn_name,
        counter_id: int | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**with_retry_policy(kwargs))
        self.goals = goals
        self.metrica_conn_id = metrica_conn_id
        self.counter_id = counter_id

    @failure_told()
    def execute(self, context: Context) -> dict[str, dict[str, int]]:
        """List, create what is missing, look again."""
        wanted = _wanted(self.goals)
        hook = MetricaHook(self.metrica_conn_id)
        counter_id = hook.counter_id(self.counter_id)
        found = self._known(hook, counter_id, wanted)
        missing = [identifier for identifier in wanted if identifier not in found]
        for identifier in missing:
            try:
                hook.create_goal(counter_id, identifier, wanted[identifier])
            except ServiceUnavailable as error:
                if not error.maybe_applied:
                    raise
                log.warning("%s Looking whether the goal was made.", error)
        after = self._known(hook, counter_id, wanted) if missing else found
        lost = [identifier for identifier in wanted if identifier not in after]
        if lost:
            raise ServiceUnavailable(
                f"Create goals of counter {counter_id}: no answer says that {', '.join(lost)} exist(s). The next try "
                "looks again and makes what is missing."
            )
        created = {identifier: after[identifier] for identifier in missing}
        log.info("Goals found: %s; created: %s.", found or "none", created or "none")
        return {"found": found, "created": created}

    def _known(self, hook: MetricaHook, counter_id: int, wanted: Mapping[str, str]) -> dict[str, int]:
        from airflow_provider_yandex_orders.metrica.api import FITTING, js_goals

        ids: dict[str, list[int]] = {}
        unfit: dict[str, str] = {}
        for identifier, condition, goal in js_goals(hook.goals(counter_id)):
            if identifier in wanted and condition in FITTING:
                ids.setdefault(identifier, []).append(int(goal["id"]))
            elif identifier in wanted:
                unfit[identifier] = f"goal {goal['id']} has it with the condition {condition!r}"
        for identifier, fault in unfit.items():
            if identifier not in ids:
                raise ConfigurationError(
                    f"Ensure goals of counter {counter_id}: {identifier!r} cannot take conversions: {fault}, and "
                    f"only {' and '.join(map(repr, FITTING))} do. Change that goal's condition, or choose another "
                    "identifier."
                )
        for identifier, several in ids.items():
            if len(several) > 1:
                log.warning(
                    "Counter %s has %d goals with the identifier %r (%s): a conversion reaches all of them. "
                    "Delete the others.",
                    counter_id,
                    len(several),
                    identifier,
                    ", ".join(map(str, sorted(several))),
                )
        return {identifier: min(several) for identifier, several in ids.items()}


def _wanted(goals: Any) -> dict[str, str]:
    """Identifier to name, checked."""
    from airflow_provider_yandex_orders.rows.faults import BadValue
    from airflow_provider_yandex_orders.rows.lists import goal_identifier

    if isinstance(goals, str) or not isinstance(goals, (Mapping, Sequence)):
        raise ConfigurationError('goals must be {"identifier": "Name"} or a list of identifiers.')
    named = dict(goals) if isinstance(goals, Mapping) else {identifier: identifier for identifier in goals}
    for identifier, name in named.items():
        try:
            goal_identifier(identifier)
        except BadValue as bad:
            raise ConfigurationError(f"goals: {identifier!r} {bad.reason}: {bad.fix}.") from None
        if not name or len(str(name)) > NAME_LENGTH:
            raise ConfigurationError(f"goals: the name of {identifier!r} must have 1 to {NAME_LENGTH} signs.")
    return {str(identifier): str(name) for identifier, name in named.items()}
