# SPDX-License-Identifier: Apache-2.0
"""One delivery as the journal knows it: which of its rows are sent, and what became of its parts."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property, partial
from itertools import tee
from typing import TYPE_CHECKING, Any

from airflow_provider_yandex_orders.delivery.parts import Part
from airflow_provider_yandex_orders.delivery.spool import NOT_SENT, Spool
from airflow_provider_yandex_orders.exceptions import PassingError, PermanentError, UploadUnclearError
from airflow_provider_yandex_orders.journal.database import now
from airflow_provider_yandex_orders.journal.questions import SETTLED
from airflow_provider_yandex_orders.journal.records import (
    Destination,
    EntryOf,
    PartState,
    PlacedEntry,
    SentPart,
    TaskKey,
    Try,
    Verdict,
    repeated,
)
from airflow_provider_yandex_orders.journal.tripwire import Tripwire
from airflow_provider_yandex_orders.waiting import Demands, UploadState

if TYPE_CHECKING:
    from airflow_provider_yandex_orders.journal.store import Journal

log = logging.getLogger(__name__)

REPEAT = "repeat"
"""Name of the files with rows that may have arrived already."""
MARK_LENGTH = 20
MARK = re.compile(rf"part[0-9a-f]{{{MARK_LENGTH - 4}}}")
LISTED_WITHIN = timedelta(minutes=10)
"""A service may list a file so much later than it took it."""
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Repeats:
    """What a second sending of a row comes to at a destination, and what is done about it.

    :param counted: it counts: what the destination has is not sent.
    :param quiet: rows that may have arrived go into files of their own, :data:`REPEAT`, sent without effects.
    :param resend: send all, whatever the destination has.
    :param mode: what besides its content makes a row another one, such as a merge mode.
    :param demands: which ends of an upload count as good: the rows of others are not had.
    :param find: looks up parts at the service by their marks; ``None`` where it cannot be asked.
    :param first_use: called before the first part where the journal knows nothing of the destination, with what says
        of an upload's id whether the journal knows it as one of other rows.
    """

    counted: bool
    quiet: bool = False
    resend: bool = False
    mode: str = ""
    demands: Demands = field(default_factory=Demands)
    find: Callable[[], Mapping[str, Sequence[UploadState]]] | None = None
    first_use: Callable[[Sequence[Part], Callable[[str], bool]], None] | None = None


class Memory:
    """The journal's part in one try of a task.

    :param held: closed after the last part: the lease is in it.
    """

    def __init__(self, journal: Journal, destination: Destination, repeats: Repeats, held: ExitStack) -> None:
        self.verdicts: Counter[Verdict] = Counter()
        self.unchanged = 0
        """Rows the destination has that are not sent."""
        self.result: dict[str, Any] | None = None
        """What an earlier try returned, where it sent everything."""
        self.earlier: list[SentPart] = []
        self.as_of: int | None = None
        """Of a plan that is made: the turn it is made as of."""
        self.planned: int | None = None
        """Of a plan that is sent: the turn it was made as of."""
        self.unjudged: list[str] = []
        """Uploads of this task's earlier deliveries that rows may rest on which are not sent, and whose end nobody has
        heard of."""
        self.repeats = repeats
        self._journal, self._destination, self._held = journal, destination, held
        self._delivery_id, self._cleared = 0, False
        self._tripwire = Tripwire(None)
        self._task: TaskKey | None = None
        self._lease: Any = None
        self._out: set[int] = set()
        """Parts of this try that went out."""

    def begin(self, task: TaskKey, this: Try, tripwire: Tripwire) -> None:
        """Go on with the delivery of an earlier try, or begin one. Without it nothing is sent.

        :raises PermanentError: the journal does not know what this task sent.
        """
        self._tripwire, self._task = tripwire, task
        tripwire.check(self._journal, task)
        delivery = self._journal.begin(self._destination, task, this, resend=self.repeats.resend)
        self._delivery_id, self.result, self._cleared = delivery.id, delivery.result, delivery.cleared
        self.earlier = self._journal.accepted_parts(delivery.id)

    # Before the first part.

    @cached_property
    def entry_of(self) -> EntryOf:
        """Makes the journal's entry of a row's key, content and version."""
        return self._journal.sums(self._destination).entry_of(self.repeats.mode)

    def subtract(self, spool: Spool) -> None:
        """Choose the rows that are sent.

        :raises UploadUnclearError: nobody knows whether some have arrived, and they would double.
        :raises PassingError: another task sends there now, or the service may list later what went out.
        """
        has_turn = spool.has_versions or spool.kept()[1] > 0
        in_turn = has_turn or self.repeats.counted or self.planned is not None
        if not self._delivery_id:
            self.as_of = self._journal.turn()
        if self._delivery_id and in_turn:
            self._lease = self._held.enter_context(self._journal.lease(self._destination))
            self._settle()
            self.earlier = self._journal.accepted_parts(self._delivery_id)
        stuck = 0
        first, second = tee(spool.entries())
        verdicts = self._journal.subtract(first, self._delivery_id, self.planned)

        def chosen() -> Iterator[tuple[int, str | None, str]]:
            nonlocal stuck
            new, as_settled = 0, Verdict.NEW
            for entry, verdict in zip(second, verdicts, strict=True):
                if verdict is as_settled:  # most rows, most days
                    new += 1
                    continue
                self.verdicts[verdict] += 1
                _key, content, _version, place = entry
                keyless = not content
                is_stuck = verdict is Verdict.UNCLEAR and self._must_wait(keyless)
                stuck += is_stuck
                if is_stuck or not self._is_sent(verdict, keyless):
                    yield place, None, NOT_SENT
                else:
                    quiet = verdict is Verdict.UNCLEAR and self.repeats.quiet
                    yield place, REPEAT if quiet else None, verdict.value
            self.verdicts[as_settled] += new

        spool.choose(chosen())
        if moved := self.verdicts[Verdict.MOVED]:
            raise PermanentError(
                f"Send prepared parts: {moved} of their rows went out to {self._destination} in another form after the "
                "parts were prepared, so these may be older. Nothing was sent. Prepare them anew: "
                "clear the task that prepares them, and then this one."
            )
        if stuck:
            raise self._stuck(stuck)
        if self.unchanged and self._task:
            mine = self._journal.open_parts(self._destination, self._task)
            self.unjudged = [part.upload_id for part in mine if part.upload_id and part.sent_at > now() - SETTLED]

    def _must_wait(self, keyless: bool) -> bool:
        """Whether a row whose fate is unknown holds up all: until the service can tell, or until people have.

        A plan only counts it: it may be on its way, and the task that sends looks again.
        """
        return bool(self._delivery_id) and (self.repeats.find is not None or (keyless and not self._is_answered))

    @cached_property
    def _is_answered(self) -> bool:
        """Whether people want all sent, whatever has arrived: not of what Airflow's own retry finds unanswered."""
        return self.repeats.resend and (self._cleared or not self._unanswered())

    def _unanswered(self) -> list[SentPart]:
        """Parts that earlier tries of this delivery left without an answer."""
        parts = self._journal.open_parts(self._destination)
        mine = (part for part in parts if part.delivery_id == self._delivery_id and part.part_id not in self._out)
        return [part for part in mine if part.state == PartState.SENDING]

    def _is_sent(self, verdict: Verdict, keyless: bool) -> bool:
        if verdict is Verdict.DELIVERED or self.repeats.resend:
            return verdict is not Verdict.DELIVERED
        if verdict is Verdict.UNCHANGED and (keyless or self.repeats.counted):
            self.unchanged += 1
            return False
        return verdict is not Verdict.OUTDATED

    def _settle(self) -> None:
        """Learn what became of parts nobody was told the end of, as far as the service can say."""
        if self.repeats.find is None:
            return
        found = self.repeats.find()
        for part in self._journal.open_parts(self._destination):
            states = found.get(mark_of(part.sha256), ())
            if part.state == PartState.SENDING:
                if not self._take(part.part_id, states) and not _may_be_listed(part):
                    self._journal.refused(part.part_id)
            else:
                own = [each for each in states if each.upload_id == part.upload_id]
                if any(map(self.repeats.demands.is_bad, own)):
                    self._journal.refused(part.part_id, status=own[0].status)

    def _stuck(self, rows: int) -> Exception:
        parts = [part for part in self._journal.open_parts(self._destination) if part.state == PartState.SENDING]
        named = ", ".join(part.path for part in parts[:_NAMED])
        if self.repeats.find is not None:
            left = max((_may_be_listed(part) for part in parts), default=0.0)
            return PassingError(
                f"Upload {self._destination}: {rows} rows went out before, in {named}, and no answer came. The service "
                "does not list the file, and may do so later. Nothing was sent; the next try asks again.",
                retry_after=max(left, 1.0),
            )
        for part in parts:
            self.told(part.part_id)
        return unclear(f"{rows} rows without a key went out before, in {named}, and no answer came.")

    def plan(self, parts: list[Part], entries: Iterable[PlacedEntry]) -> list[Part]:
        """Write down the parts and their rows; nothing of it counts before they go out."""
        if not self._delivery_id:
            return parts
        known = parts
        if self.repeats.resend:  # another mark than that of the sending they repeat
            known = [replace(part, sha256=repeated(part.sha256, self._delivery_id)) for part in parts]
        ids = self._journal.plan(self._delivery_id, [(part.number, part) for part in known], entries)
        return [
            replace(part, id=part_id, mark=mark_of(as_known.sha256))
            for part, as_known, part_id in zip(parts, known, ids, strict=True)
        ]

    def first_use(self, parts: Sequence[Part]) -> None:
        """Look at the service where the journal knows nothing of it."""
        if self.repeats.first_use and parts and not self.repeats.resend and not self._journal.knows(self._destination):
            try:
                self.repeats.first_use(parts, partial(self._journal.has_upload, self._destination))
            except PermanentError:  # or another task of this journal was the first meanwhile, and has the lease by now
                if not self._journal.knows(self._destination):
                    raise

    # Parts under way.

    def arrived(self, part: Part) -> UploadState | None:
        """What the service has of a part that this journal does not know of: another journal sent it."""
        states = self.repeats.find().get(part.mark, ()) if self.repeats.find else ()
        return self._take(part.id, states, planned=True)

    def _take(self, part_id: int, states: Sequence[UploadState], *, planned: bool = False) -> UploadState | None:
        for state in states:
            on_record = self._journal.has_upload(self._destination, state.upload_id)
            if not on_record and not self.repeats.demands.is_bad(state):
                if planned:
                    self._journal.sending(part_id, self._lease)
                self._journal.accepted(
                    part_id, upload_id=state.upload_id, status=state.status, rows_accepted=state.rows_accepted
                )
                return state
        return None

    def goes_out(self, part: Part) -> None:
        """A part goes out now."""
        self._tripwire.tell(self._journal)
        self._journal.sending(part.id, self._lease)
        self._out.add(part.id)
        try:
            self._tripwire.goes_out(self._journal, self._delivery_id, part.id)
        except PassingError:
            self._journal.stayed(part.id)
            raise

    def accepted(self, part: Part, state: UploadState) -> None:
        """The service took a part."""
        sums = self._journal.sums(self._destination)
        answer: dict[str, Any] = {
            "upload_id": state.upload_id or None,
            "status": state.status,
            "rows_accepted": state.rows_accepted,
            "refused": [sums.key(key) for key, _said in state.refused],
            "good": state.final,
            "money": None if state.money is None else dict(state.money),
        }
        if not self._journal.accepted(part.id, **answer):
            self._tripwire.keep(part.id, **answer)

    def refused(self, part: Part, status: str | None = None) -> None:
        """The service surely has nothing of a part."""
        self._journal.refused(part.id, status=status)

    def unanswered(self, part: Part) -> None:
        """No answer came, maybe after long: a service that lists files late has not even begun to."""
        self._journal.unanswered(part.id)

    def told(self, part_id: int) -> None:
        """People are told that nobody knows whether a part has arrived."""
        self._journal.told(part_id)

    def counted(self, counts: Mapping[str, Any], rejected: Mapping[str, int]) -> None:
        """What became of the rows so far, for people who look: of a task that fails, too."""
        try:
            self._journal.counted(self._delivery_id, counts, rejected)
        except (PassingError, PermanentError) as error:
            log.warning("The counts are not written down: %s", error)

    # After the last part.

    def sent(self, result: Mapping[str, Any], rejected: Mapping[str, int]) -> None:
        """Everything was sent: the next try goes straight to the wait."""
        self._tripwire.tell(self._journal)
        # A part without an answer stays unclear; only resend says that all of it went out again.
        for part in self._unanswered() if self.repeats.resend else ():
            self._journal.abandoned(part.part_id)
        self._journal.sent(self._delivery_id, result, rejected)


def _may_be_listed(part: SentPart) -> float:
    """For how many seconds more a service may not list a part though it has it."""
    waited = now() - part.sent_at
    return max((LISTED_WITHIN - waited).total_seconds(), 0.0)


def mark_of(sha256: str) -> str:
    """By what a part is found again at the service: letters and digits that tell its content."""
    return f"part{sha256[: MARK_LENGTH - 4]}"


def unclear(what: str) -> UploadUnclearError:
    """The error that leaves the decision to people; the task run again is their answer."""
    return UploadUnclearError(
        f"{what} It is not known whether they have arrived, and rows without a key would double. Look at the service. "
        "Where they are not there, clear the task that sent them (or run this one with resend=True); where they are, "
        "tell the journal so (`airflow yandex-orders journal list`, then `journal arrived`). Rows with a key never ask."
    )
