# SPDX-License-Identifier: Apache-2.0
"""One wait, held by operators and sensors alike: states of uploads, how they are polled, how the end is judged."""

from __future__ import annotations

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any, ClassVar, NamedTuple, NoReturn, Self

from airflow.providers.common.compat.sdk import conf

from airflow_provider_yandex_orders.exceptions import PassingError, PermanentError, ServiceRefused, UploadFailedError
from airflow_provider_yandex_orders.log_lines import say

DEFERRABLE = conf.getboolean("operators", "default_deferrable", fallback=False)
"""Whether tasks that wait do so in the triggerer where they are not told."""


class UploadState(NamedTuple):
    """What a service says of one upload.

    :param status: the service's own word.
    :param final: whether the word cannot change any more.
    :param good: whether a final word is the one wanted.
    :param rows_accepted: rows the service counts, where it says.
    :param rows_linked: rows that found a visit, where it says.
    :param rows_total: rows of the file as the service counted them.
    :param detail: what the service adds, without rows' values.
    :param refused: rows of the file the service would not take: key and its words, each.
    :param money: what the others are worth, by currency, where there are such rows.
    """

    upload_id: str
    status: str
    final: bool
    good: bool
    rows_accepted: int | None = None
    rows_linked: int | None = None
    rows_total: int | None = None
    detail: str = ""
    refused: tuple[tuple[str, str], ...] = ()
    money: Mapping[str, str] | None = None


SHORTEST_PAUSE = 30.0
LONGEST_PAUSE = 300.0


def pause_after(waited: float, poke_interval: float | None) -> float:
    """Seconds from one poll to the next: as many as the wait lasts already, from 30 to 300, where none are told.

    :param waited: seconds since the wait began.
    """
    return min(max(waited, SHORTEST_PAUSE), LONGEST_PAUSE) if poke_interval is None else poke_interval


SHOWN = 20
"""Most open ids a line of the log names."""


class Heard:
    """Uploads that are waited for, and the last that was heard of each."""

    def __init__(self, upload_ids: Iterable[str]) -> None:
        self.states: dict[str, UploadState | None] = dict.fromkeys(upload_ids)

    def hear(self, states: Mapping[str, UploadState]) -> None:
        """Take in what the service says now; an upload it does not list keeps its last state."""
        self.states.update({upload_id: state for upload_id, state in states.items() if upload_id in self.states})

    @property
    def open(self) -> list[str]:
        """Uploads without a final state."""
        return [upload_id for upload_id, state in self.states.items() if state is None or not state.final]

    def describe_open(self) -> str:
        """The open uploads with the last state of each."""
        waiting = self.open
        last = [(upload_id, self.states[upload_id]) for upload_id in waiting[:SHOWN]]
        shown = [f"{upload_id} ({state.status if state else 'not listed yet'})" for upload_id, state in last]
        more = f" and {len(waiting) - SHOWN} more" if len(waiting) > SHOWN else ""
        return ", ".join(shown) + more

    def to_event(self) -> dict[str, Any]:
        """What was heard, as plain values for a trigger and its event."""
        return {
            upload_id: {name: value for name, value in state._asdict().items() if value not in (None, "", ())}
            if state
            else None
            for upload_id, state in self.states.items()
        }

    def hear_event(self, uploads: Mapping[str, Any]) -> None:
        """Take in what a trigger, or its event, tells."""
        self.hear({upload_id: _read(UploadState, state) for upload_id, state in uploads.items() if state})


def _read(kind: Any, told: Mapping[str, Any]) -> Any:
    """A tuple from an event; what only a newer version knows is left out."""
    return kind(**{name: told[name] for name in kind._fields if name in told})


class Spent(NamedTuple):
    """What a wait took of an account's requests.

    :param requests: requests it heard the answers of.
    :param own: those of them that count as its own: a shared one is that of one wait.
    :param others: most waits that shared a request with it.
    """

    requests: int = 0
    own: int = 0
    others: int = 0

    def plus(self, requests: int, *, own: bool = True, others: int = 0) -> Spent:
        """With the requests of one more poll."""
        return Spent(self.requests + requests, self.own + requests * own, max(self.others, others))

    def __str__(self) -> str:
        shared = f", shared with up to {self.others} other wait(s)" if self.others else ""
        return f"Requests of this wait: {self.requests}{shared}."


log = logging.getLogger(__name__)


class Wait(ABC):
    """What a task waits for: how to ask for it, who waits in the task's place, and what the end must be like.

    It begins without anything to wait for: a task that resumes needs only what its trigger heard.
    """

    hook_class: ClassVar[Any]

    def __init__(self, conn_id: str) -> None:
        self.conn_id = conn_id
        self.wanted: Mapping[str, Any] = {}
        self.heard = Heard(())
        self.asked = ""
        self.spent = Spent()
        self._missed: dict[str, int] = {}
        self.busy_until = 0.0
        """Moment before which the service has said not to be asked, in seconds since 1970."""

    def expect(self, wanted: Mapping[str, Any], known: Mapping[str, UploadState] | None = None) -> Self:
        """Wait for these.

        :param wanted: id to what is needed to ask for it, such as the counter it went to.
        :param known: states that are known already; nobody asks for a final one.
        """
        self.wanted = wanted
        self.heard = Heard(wanted)
        self.heard.hear(known or {})
        return self

    @abstractmethod
    def places(self, ids: Iterable[str]) -> Mapping[Any, list[str]]:
        """Some ids by where the service tells of them together, such as a counter. Waits of one place share polls."""

    @abstractmethod
    def ask(self, hook: Any, place: Any, ids: Collection[str], missed: dict[str, int]) -> Mapping[str, UploadState]:
        """What the service says of some ids of a place now, also of ids of other waits; one not listed is left out.

        :param hook: of :attr:`hook_class`.
        :param missed: kept from poll to poll for this method: how many polls in a row did not list an id.
        """

    @abstractmethod
    def arguments(self) -> dict[str, Any]:
        """Arguments of the trigger besides what was heard and the two times."""

    @abstractmethod
    def trigger(self, **more: Any) -> Any:
        """The trigger that waits in the task's place.

        :param more: ``heard``, ``poke_interval`` in seconds or ``None``, and ``end_time`` in seconds since 1970.
        """

    def place(self, ids: Iterable[str]) -> str:
        """Where some ids are asked for, for the message of a wait that took too long."""
        return ""

    @abstractmethod
    def result(self) -> Any:
        """What has become of it, when all is final.

        :raises UploadFailedError: the end is bad.
        """

    @abstractmethod
    def late(self, seconds: float) -> str:
        """Message for a wait that took longer than some seconds."""

    def poll(self) -> bool:
        """Ask once about what is open; a service that cannot answer now is asked again later.

        :return: whether all is final.
        """
        if self.heard.open and time.time() >= self.busy_until:
            hook = self.hook_class(self.conn_id).once()
            try:
                for place, ids in self.places(self.heard.open).items():
                    self.heard.hear(self.ask(hook, place, ids, self._missed))
            except PassingError as error:
                log.warning("%s", error)
                self.busy_until = time.time() + (error.retry_after or 0)
            finally:
                self.spent = self.spent.plus(hook.client.sent)
        if self.heard.open:
            say(logging.INFO, f"Not final yet: {self.heard.describe_open()}.")
        return not self.heard.open

    def tell_spent(self) -> Spent:
        """Say how many requests this wait took since this was last called: by whoever polls, however he ends."""
        told, self.spent = self.spent, Spent()
        if told.requests:
            log.info("%s", told)
        return told

    def run(self, poke_interval: float | None, seconds: float) -> None:
        """Poll in the worker until all is final.

        :param poke_interval: seconds between two polls; ``None`` for a pause that grows.
        :param seconds: how long at most.
        :raises PassingError: it took longer.
        """
        began = time.time()
        while not self.poll():
            waited = time.time() - began
            if waited >= seconds:
                raise PassingError(self.late(seconds))
            time.sleep(min(pause_after(waited, poke_interval), seconds - waited))

    def hand_over(
        self,
        task: Any,
        *,
        poke_interval: float | None,
        seconds: float,
        started: float,
        kwargs: dict[str, Any] | None = None,
    ) -> NoReturn:
        """Leave the wait to the triggerer.

        Airflow 3 forgets a deferred task's ``execution_timeout``: what is left of it ends the wait as well.

        :param started: when the task began to work, in seconds since 1970.
        :param kwargs: what ``execute_complete`` is given beside the event.
        """
        now, timeout = time.time(), None
        if task.execution_timeout is not None:
            timeout = max(task.execution_timeout - timedelta(seconds=now - started), timedelta(seconds=1))
            seconds = min(seconds, timeout.total_seconds())
        task.defer(
            trigger=self.trigger(
                heard={each: state for each, state in self.heard.to_event().items() if state},
                poke_interval=poke_interval,
                end_time=now + seconds,
            ),
            method_name="execute_complete",
            kwargs=kwargs,
            timeout=timeout,
        )
        raise AssertionError("unreachable: a task that defers is left by an exception")

    def resume(self, event: Any) -> bool:
        """Take in what the trigger heard.

        :return: whether all is final; else the time was over.
        """
        if isinstance(event, dict):
            self.spent = _read(Spent, event.get("spent") or {})
            self.tell_spent()
        self.heard, timed_out = read_event(event)
        self.asked = str(event.get("asked") or "")
        return not timed_out


def seconds_of(timeout: float, execution_timeout: timedelta | None) -> float:
    """How long a deferred wait lasts at most, in seconds: until its own time-out or the task's."""
    return timeout if execution_timeout is None else min(timeout, execution_timeout.total_seconds())


def read_event(event: Any) -> tuple[Heard, bool]:
    """Read a trigger's event.

    :return: the uploads, and whether the time was over.
    """
    status = event.get("status") if isinstance(event, dict) else None
    if status == "error":
        raise ServiceRefused(str(event.get("message")))
    if status not in ("done", "timeout"):
        raise PermanentError(
            f"Resume after waiting: the trigger sent {status or 'nothing'!r}, which this version does not know. Make "
            "the versions of the package on workers and triggerers equal and clear the task."
        )
    heard = Heard(event["uploads"])
    heard.hear_event(event["uploads"])
    return heard, status == "timeout"


class Demands(NamedTuple):
    """What the end of an upload must be like.

    :param min_accepted: least share of rows the service must have accepted, from 0 to 1.
    :param min_linked: least share of accepted rows that must have found a visit, where the service says.
    :param forgiven: final words that count as good though they are not.
    """

    min_accepted: float = 0
    min_linked: float = 0
    forgiven: tuple[str, ...] = ()

    def is_bad(self, state: UploadState) -> bool:
        """Whether a state is final and its word is neither good nor forgiven."""
        return state.final and not state.good and state.status not in self.forgiven

    def faults(self, state: UploadState) -> Iterator[str]:
        """What is wrong with the end of one upload."""
        if self.is_bad(state):
            yield state.status + (f" ({state.detail})" if state.detail else "")
        if _below(state.rows_accepted, state.rows_total, self.min_accepted):
            counted = f"{state.rows_accepted} of {state.rows_total}"
            yield f"only {counted} rows accepted, min_accepted is {self.min_accepted:g}"
        if _below(state.rows_linked, state.rows_accepted, self.min_linked):
            yield f"only {state.rows_linked} of {state.rows_accepted} rows linked, min_linked is {self.min_linked:g}"


_NONE = Demands()


def _below(part: int | None, whole: int | None, share: float) -> bool:
    return part is not None and bool(whole) and part / (whole or 1) < share


def judge(heard: Heard, demands: Demands = _NONE) -> dict[str, Any]:
    """Log the end of every upload.

    :return: status of each upload.
    :raises UploadFailedError: at least one ended badly.
    """
    faults = []
    for upload_id, state in heard.states.items():
        if state is not None:
            log.info("Upload %s: %s. %s", upload_id, state.status, _counts(state))
            faults += [f"{upload_id} is {fault}" for fault in demands.faults(state)]
    if faults:
        raise UploadFailedError(
            f"Wait for uploads: {'; '.join(faults)}. The service took these files: look at the parts named by the "
            "upload task, correct the rows at their source and clear the upload task, or ask for less."
        )
    return {upload_id: state.status if state else None for upload_id, state in heard.states.items()}


def _counts(state: UploadState) -> str:
    shown = [
        f"{count} {what}"
        for count, what in (
            (state.rows_total, "rows sent"),
            (state.rows_accepted, "accepted"),
            (state.rows_linked, "linked to visits"),
        )
        if count is not None
    ]
    return "; ".join(each for each in (", ".join(shown), state.detail) if each)
