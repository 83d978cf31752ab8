# SPDX-License-Identifier: Apache-2.0
"""Waits for uploads to counters of Metrica: the wait of a task, and the trigger that waits in its place."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from airflow_provider_yandex_orders.exceptions import PassingError, PermanentError
from airflow_provider_yandex_orders.hooks.base import place_of
from airflow_provider_yandex_orders.hooks.metrica import MetricaHook
from airflow_provider_yandex_orders.triggers.base import WaitTrigger
from airflow_provider_yandex_orders.waiting import Demands, Spent, UploadState, Wait, judge

log = logging.getLogger(__name__)


class MetricaUploadsWait(Wait):
    """The wait for uploads, each at the counter it went to.

    :param family: ``crm`` or ``offline``.
    :param demands: what the end of the uploads must be like.
    :param journal_conn_id: connection of the journal, which is told the end.
    """

    hook_class = MetricaHook

    def __init__(self, family: str, metrica_conn_id: str, demands: Demands, journal_conn_id: str | None = None) -> None:
        super().__init__(metrica_conn_id)
        self.journal_conn_id = journal_conn_id
        self.family = family
        self.demands = demands

    def places(self, ids: Iterable[str]) -> dict[tuple[str, int], list[str]]:
        """Uploads by family and counter."""
        found: dict[tuple[str, int], list[str]] = {}
        for each in ids:
            found.setdefault((self.family, self.wanted[each]), []).append(each)
        return found

    def ask(
        self, hook: MetricaHook, place: tuple[str, int], ids: Collection[str], missed: dict[str, int]
    ) -> dict[str, UploadState]:
        """The states of uploads of a counter.

        One that is not listed is looked for in the whole list again after 1, 2, 4, 8, ... polls only.
        """
        spared = [each for each in ids if (polls := missed.get(each, 0)) & (polls - 1)]
        states = hook.upload_states(*place, ids, newest_only=spared)
        missed.update({each: 0 if each in states else missed.get(each, 0) + 1 for each in ids})
        return states

    def arguments(self) -> dict[str, Any]:
        """The family, the connection, and the counter of each upload."""
        return {"family": self.family, "metrica_conn_id": self.conn_id, "uploads": dict(self.wanted)}

    def trigger(self, **more: Any) -> MetricaUploadsTrigger:
        """The trigger that waits in the task's place."""
        return MetricaUploadsTrigger(**self.arguments(), **more)

    def place(self, ids: Iterable[str]) -> str:
        """The counters."""
        return ", ".join(str(counter_id) for _, counter_id in sorted(self.places(ids)))

    def tell_spent(self) -> Spent:
        """Say how many requests this wait took, and write them down."""
        told = super().tell_spent()
        if not told.own:
            return told
        from airflow_provider_yandex_orders.journal.store import open_journal

        try:
            with open_journal(self.journal_conn_id) as journal:
                account = f"the connection {self.conn_id}"
                journal.spend(account, datetime.now(UTC).date(), told.own, waiting=True)
        except (PassingError, PermanentError) as error:
            log.warning("The requests are not written down: %s", error)
        return told

    def result(self) -> dict[str, Any]:
        """Status of each upload."""
        if self.heard.states:
            self._tell_journal()
        return judge(self.heard, self.demands)

    def _tell_journal(self) -> None:
        """Rows of an upload that ended badly are not had: without that they would never be sent again.

        :raises JournalUnavailable: it cannot be told of a bad end.
        """
        from airflow_provider_yandex_orders.journal.records import Judgement
        from airflow_provider_yandex_orders.journal.store import open_journal
        from airflow_provider_yandex_orders.metrica.kinds import entities

        host = place_of(MetricaHook(self.conn_id).base_url)
        ended = [state for state in self.heard.states.values() if state is not None]
        judgements = {
            each.upload_id: Judgement(not self.demands.is_bad(each), each.status, each.rows_accepted, each.rows_linked)
            for each in ended
        }
        try:
            with open_journal(self.journal_conn_id) as journal:
                journal.judge_uploads("metrica", host, entities(self.family), judgements)
        except (PassingError, PermanentError) as error:
            if any(map(self.demands.is_bad, ended)):
                raise
            log.warning("The good end is not written down: %s", error)

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
    :param poke_interval: seconds between two polls; the first comes one interval after the start. ``None`` for as
        many as the wait lasts so far, from 30 to 300.
    :param end_time: moment to give up, in seconds since 1970.
    :param heard: id to a state that is known already; nobody asks for a final one.
    """

    def __init__(
        self,
        *,
        family: str,
        metrica_conn_id: str,
        uploads: Mapping[str, int],
        poke_interval: float | None,
        end_time: float,
        heard: Mapping[str, Any] | None = None,
    ) -> None:
        wait = MetricaUploadsWait(family, metrica_conn_id, Demands()).expect(uploads)
        super().__init__(wait, poke_interval=poke_interval, end_time=end_time, heard=heard)
