# SPDX-License-Identifier: Apache-2.0
"""Waits for uploads to counters of Metrica: the wait of a task, and the trigger that waits in its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_provider_yandex_orders.hooks.metrica import MetricaHook
from airflow_provider_yandex_orders.triggers.base import WaitTrigger
from airflow_provider_yandex_orders.waiting import Demands, UploadState, Wait, judge


class MetricaUploadsWait(Wait):
    """The wait for uploads, each at the counter it went to.

    :param family: ``crm`` or ``offline``.
    :param metrica_conn_id: the connection.
    :param demands: what the end of the uploads must be like.
    """

    hook_class = MetricaHook

    def __init__(self, family: str, metrica_conn_id: str, demands: Demands) -> None:
        super().__init__(metrica_conn_id)
        self.family = family
        self.demands = demands

    def states(self, hook: MetricaHook, ids: Sequence[str]) -> dict[str, UploadState]:
        """The states of uploads, asked for counter by counter."""
        found: dict[str, UploadState] = {}
        for counter_id in dict.fromkeys(self.wanted[each] for each in ids):
            at_counter = [each for each in ids if self.wanted[each] == counter_id]
            found |= hook.upload_states(self.family, counter_id, at_counter)
        return found

    def arguments(self) -> dict[str, Any]:
        """The family, the connection, and the counter of each upload."""
        return {"family": self.family, "metrica_conn_id": self.conn_id, "uploads": dict(self.wanted)}

    def trigger(self, **times: Any) -> MetricaUploadsTrigger:
        """The trigger that waits in the task's place."""
        return MetricaUploadsTrigger(**self.arguments(), **times)

    def place(self, ids: Sequence[str]) -> str:
        """The counters."""
        return ", ".join(map(str, sorted({self.wanted[each] for each in ids})))

    def result(self) -> dict[str, Any]:
        """Status of each upload."""
        return judge(self.heard, self.demands)

    def late(self, seconds: float) -> str:
        """Message for a wait that took too long."""
        return (
            f"Wait for uploads: not final after {seconds:g} s: {self.heard.describe_open()}. Asked for at counter "
            f"{self.asked or self.place(self.heard.open)}, connection {self.conn_id!r}: if they went to another one, "
            "correct this task. The files were taken; nothing needs to be sent again. Clear this task to wait on, or "
            "give it a longer timeout."
        )


class MetricaUploadsTrigger(WaitTrigger):
    """Fires once, when all uploads have a final state, when the time is over, or when asking cannot work.

    :param family: ``crm`` or ``offline``.
    :param metrica_conn_id: the connection.
    :param uploads: id of each upload to the counter it went to.
    :param poke_interval: seconds between two polls; the first comes one interval after the start.
    :param end_time: moment to give up, in seconds since 1970.
    """

    def __init__(
        self,
        *,
        family: str,
        metrica_conn_id: str,
        uploads: Mapping[str, int],
        poke_interval: float,
        end_time: float,
    ) -> None:
        wait = MetricaUploadsWait(family, metrica_conn_id, Demands()).expect(uploads)
        super().__init__(wait, poke_interval=poke_interval, end_time=end_time)
