# SPDX-License-Identifier: Apache-2.0
"""A task's own record of what went out, which tells a lost or another journal from the right one.

Airflow 3.3 keeps it in the task's state store; before that there is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from airflow_provider_yandex_orders.exceptions import JournalUnavailable, PassingError, PermanentError

if TYPE_CHECKING:
    from airflow_provider_yandex_orders.journal.records import TaskKey
    from airflow_provider_yandex_orders.journal.store import Journal

_KEY = "yandex_orders_sent"


class Tripwire:
    """A few words whatever the number of parts: the journal, the delivery, how many parts went out and the last of
    them, and answers that the journal could not be told.

    :param store: the task's state store; ``None`` where Airflow has none: then they last as long as this try.
    """

    def __init__(self, store: Any) -> None:
        self._store = store
        self._record: dict[str, Any] = dict(self._ask("get", _KEY) or {})

    @classmethod
    def of(cls, context: Mapping[str, Any]) -> Tripwire:
        """That of a task."""
        return cls(context.get("task_state_store"))

    def check(self, journal: Journal, task: TaskKey) -> None:
        """Make sure that the journal knows what earlier tries sent, and tell it an answer it could not be told.

        :raises PermanentError: it does not.
        :raises JournalUnavailable: it still cannot be told.
        """
        record = self._record
        if not record:
            return
        if record["journal"] != journal.id or not journal.went_out(record["part"], record["delivery"], task):
            raise PermanentError(
                f"Earlier tries of this task sent {record['out']} part(s) which the journal of deliveries, "
                f"{journal.named}, does not know: it is another one, was lost, or was put back to an earlier state. "
                "Sending now could send rows twice. Let journal_conn_id ([yandex_orders] of the configuration, or the "
                "task's argument) name the journal that was in use; where it is lost, make sure at the service what "
                "has arrived and run the rest in a new run."
            )
        self.tell(journal)

    def goes_out(self, journal: Journal, delivery_id: int, part_id: int) -> None:
        """A part goes out now, and the journal knows it."""
        record = self._record
        if record.get("delivery") != delivery_id or record.get("journal") != journal.id:
            record = {"journal": journal.id, "delivery": delivery_id, "out": 0}
        self._put({**record, "out": record["out"] + 1, "part": part_id})

    def keep(self, part_id: int, *, refused: Iterable[bytes] = (), **answer: Any) -> None:
        """Keep an acceptance that the journal could not be told: it is told before anything else goes out.

        :param answer: as of :meth:`~airflow_provider_yandex_orders.journal.store.Journal.accepted`.
        """
        answer["refused"] = [each.hex() for each in refused]
        self._put({**self._record, "answers": {**self._record.get("answers", {}), str(part_id): answer}})

    def tell(self, journal: Journal) -> None:
        """Tell the journal what it could not be told before.

        :raises JournalUnavailable: it still cannot be told; nothing more goes out.
        """
        answers = self._record.get("answers", {})
        for part_id, answer in answers.items():
            refused = [bytes.fromhex(each) for each in answer["refused"]]
            if not journal.accepted(int(part_id), **{**answer, "refused": refused}):
                raise JournalUnavailable(
                    f"Write down what was accepted: the journal of deliveries, {journal.named} (journal_conn_id), does "
                    "not take it. Nothing more is sent until it does; the next try may pass.",
                    retry_after=60.0,
                )
            # Told again later, it would stand over how the part ended.
            answers = {other: kept for other, kept in answers.items() if other != part_id}
            self._put({**self._record, "answers": answers})

    def _put(self, record: dict[str, Any]) -> None:
        self._record = record
        self._ask("set", _KEY, record)

    def _ask(self, call: str, *values: Any) -> Any:
        try:
            return getattr(self._store, call)(*values) if self._store is not None else None
        except Exception as error:  # noqa: BLE001 - whatever Airflow's API client raises
            raise PassingError(
                f"Airflow's state store of this task, which tells what earlier tries sent, does not answer "
                f"({type(error).__name__}). What is left was not sent; the next try may pass."
            ) from None
