# SPDX-License-Identifier: Apache-2.0
"""A task's own record of what went out, which tells a lost or another journal from the right one.

Airflow 3.3 keeps it in the task's state store; before that there is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from airflow_provider_yandex_orders.exceptions import JournalUnavailable, PermanentError

if TYPE_CHECKING:
    from airflow_provider_yandex_orders.journal.records import TaskKey
    from airflow_provider_yandex_orders.journal.store import Journal

_KEY = "yandex_orders_sent"


class Tripwire:
    """A few words whatever the number of parts: the journal, the delivery, how many parts went out, and answers
    that the journal could not be told.

    :param store: the task's state store; ``None`` where Airflow has none.
    """

    def __init__(self, store: Any) -> None:
        self._store = store

    @classmethod
    def of(cls, context: Mapping[str, Any]) -> Tripwire:
        """That of a task."""
        return cls(context.get("task_state_store"))

    def check(self, journal: Journal, task: TaskKey) -> None:
        """Make sure that the journal knows what earlier tries sent, and tell it an answer it could not be told.

        :raises PermanentError: it does not.
        """
        record = self._record()
        if not record:
            return
        known = journal.went_out(record["delivery"], task) if record["journal"] == journal.id else None
        if known is None or known < record["out"]:
            raise PermanentError(
                f"Earlier tries of this task sent {record['out']} part(s) which the journal of deliveries, "
                f"{journal.named}, does not know: it is another one, was lost, or was put back to an earlier state. "
                "Sending now could send rows twice. Let journal_conn_id ([yandex_orders] of the configuration, or the "
                "task's argument) name the journal that was in use; where it is lost, make sure at the service what "
                "has arrived and run the rest in a new run."
            )
        for part_id, answer in record.get("answers", {}).items():
            refused = [bytes.fromhex(each) for each in answer.pop("refused")]
            if not journal.accepted(int(part_id), refused=refused, **answer):
                raise JournalUnavailable(
                    f"An earlier try's answer from the service could not be written to {journal.named}. Nothing was "
                    "sent since; the next try writes it.",
                    retry_after=60.0,
                )
            self.told(int(part_id))

    def goes_out(self, journal: Journal, delivery_id: int) -> None:
        """A part goes out now, and the journal knows it."""
        if self._store is None:
            return
        record = self._record()
        if record.get("delivery") != delivery_id or record.get("journal") != journal.id:
            record = {"journal": journal.id, "delivery": delivery_id, "out": 0}
        self._store.set(_KEY, {**record, "out": record["out"] + 1})

    def keep(self, part_id: int, *, refused: Iterable[bytes] = (), **answer: Any) -> None:
        """Keep an acceptance that the journal could not be told: the next try tells it before anything else.

        :param answer: as of :meth:`~airflow_provider_yandex_orders.journal.store.Journal.accepted`.
        """
        if self._store is None:
            return
        answer["refused"] = [each.hex() for each in refused]
        record = self._record()
        self._store.set(_KEY, {**record, "answers": {**record.get("answers", {}), str(part_id): answer}})

    def told(self, part_id: int) -> None:
        """The journal has the answer to a part: told again later, it would stand over how the part ended."""
        record = self._record()
        answers = {key: kept for key, kept in record.get("answers", {}).items() if key != str(part_id)}
        if answers != record.get("answers", {}):
            self._store.set(_KEY, {**record, "answers": answers})

    def _record(self) -> dict[str, Any]:
        return dict((self._store.get(_KEY) if self._store is not None else None) or {})
