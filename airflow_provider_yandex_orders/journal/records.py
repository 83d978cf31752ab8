# SPDX-License-Identifier: Apache-2.0
"""What goes into the journal and comes out of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, StrEnum
from hashlib import blake2b, sha256
from typing import Any, NamedTuple

COUNTS = (
    "rows_read",
    "rows_sent",
    "rows_rejected",
    "rows_duplicate",
    "rows_deferred",
    "rows_unchanged",
    "rows_outdated",
    "values_dropped",
)
"""Counts of a delivery, by their names in its result."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where rows of one kind go.

    :param service: ``metrica`` or ``altcraft``; ``market`` for places of requests at once and warehouses.
    :param host: host of the service, with its port where it has one.
    :param counter: counter of Metrica, as text; empty where there is none.
    """

    service: str
    host: str
    counter: str
    entity: str

    def __str__(self) -> str:
        return f"{self.entity} at {self.host}{f', counter {self.counter}' if self.counter else ''}"


@dataclass(frozen=True, slots=True)
class TaskKey:
    """The task instance a delivery belongs to; its tries share it."""

    dag_id: str
    run_id: str
    task_id: str
    map_index: int = -1


class Try(NamedTuple):
    """Which try of its task one is.

    :param number: counts from 1 and never falls back while the task instance lives.
    :param most: the last number Airflow goes to by itself. Only people raise it: they clear the task.
    :param since: when its run began, in UTC and without a zone; ``None`` where that is not known.
    """

    number: int = 0
    most: int = 0
    since: datetime | None = None


FIRST_TRY = Try()


Entry = tuple[bytes, bytes, str]
"""A row as the journal knows it: the sum of its key, or of its content where it has no key; the sum of its content,
empty where it has no key; and the moment of its version as
:meth:`~airflow_provider_yandex_orders.rows.dates.Clock.sortable` has it, shortened, empty where none is mapped."""
EntryOf = Callable[[str | None, bytes, str], Entry]
"""Makes the entry of a row's key, ``None`` where nothing identifies it, its content and its version."""
PlacedEntry = tuple[bytes, bytes, str, int]
"""An entry, and its place among the rows of an upload, or that of its part among the parts."""
AnyEntry = tuple[bytes, bytes, str, *tuple[Any, ...]]
"""An entry, and what whoever asks keeps beside it."""


class Verdict(Enum):
    """What the journal says of a row.

    ``DELIVERED``: the delivery that asks has sent it already, in an earlier try. ``UNCLEAR``: it, or another version of
    it, went out last in a part nobody knows the fate of. ``MOVED``: another content of its key went out after the
    plan that is asked for was made.
    """

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    DELIVERED = "delivered"
    OUTDATED = "outdated"
    UNCLEAR = "unclear"
    MOVED = "moved"

    __hash__ = object.__hash__  # that of Enum is a call in Python


class PartState(StrEnum):
    """Life of a part: its rows are had in ``ACCEPTED`` and ``GOOD``, unclear in ``SENDING``, and not had otherwise.

    ``DROPPED``: planned by a try that ended before it went out. ``ABANDONED``: its fate stays unknown and nobody
    waits for it: people were told, or its rows go out again.
    """

    PLANNED = "planned"
    DROPPED = "dropped"
    SENDING = "sending"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    ABANDONED = "abandoned"
    GOOD = "good"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class PartFile:
    """One file of an upload.

    :param bytes: its length.
    :param sha256: sum of its content: what a mark at the service is made of.
    :param money: what its rows are worth, by currency; ``None`` where such rows have no worth.
    """

    path: str
    rows: int
    bytes: int
    sha256: str
    money: Mapping[str, str] | None = field(default=None, kw_only=True)


def repeated(content: str, delivery_id: int) -> str:
    """The sum that stands for a content which this delivery sends again: its mark at the service is another one."""
    return sha256(f"{content} {delivery_id}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class SentPart(PartFile):
    """A part that went out.

    :param number: its place in the delivery, from 1.
    """

    part_id: int
    delivery_id: int
    number: int
    state: str
    upload_id: str | None
    status: str | None
    rows_accepted: int | None
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class Judgement:
    """How the service ended an upload.

    :param good: whether its rows count as had.
    """

    good: bool
    status: str
    rows_accepted: int | None = None
    rows_linked: int | None = None


@dataclass(frozen=True, slots=True)
class OpenDelivery:
    """The delivery a task works on.

    :param result: what :meth:`~airflow_provider_yandex_orders.journal.store.Journal.sent` was given: everything was
        sent, and only the wait is left. ``None`` otherwise.
    :param cleared: whether people cleared the task since its last try.
    """

    id: int
    result: dict[str, Any] | None
    cleared: bool = False


KEY_BYTES = 12
CONTENT_BYTES = 8


class Sums:
    """Keyed sums in place of keys and contents: nothing personal is written down. Each destination has others.

    A key has 12 bytes: of 100 million keys two share a sum with a probability below 1e-13. A content has 8: it is only
    compared with the content of the same key, and 40 billion such comparisons (100 million rows a day for 400 days) are
    wrong once with a probability of 2e-9. A row without a key is known by 12 bytes of its content.

    :param secret: the journal's own random key.
    """

    def __init__(self, secret: bytes, destination: Destination) -> None:
        place = "\x1f".join((destination.service, destination.host, destination.counter, destination.entity)).encode()
        own = blake2b(place, key=secret, digest_size=32).digest()
        self._key = blake2b(key=own, digest_size=KEY_BYTES, person=b"key")
        self._content = blake2b(key=own, digest_size=CONTENT_BYTES, person=b"content")
        self._keyless = blake2b(key=own, digest_size=KEY_BYTES, person=b"keyless")

    def entry_of(self, mode: str = "") -> EntryOf:
        """What makes the entries of many rows.

        :param mode: what besides its content makes a row with a key another one.
        """
        begun = self._content.copy()
        begun.update(mode.encode())
        of_key, of_content, of_keyless = self._key.copy, begun.copy, self._keyless.copy

        def entry(key: str | None, content: bytes, version: str) -> Entry:
            content = blake2b(content, digest_size=16).digest()  # as journals that are in use have it
            if key is None:
                keyless = of_keyless()
                keyless.update(content)
                return keyless.digest(), b"", ""
            whose, what = of_key(), of_content()
            whose.update(key.encode())
            what.update(content)
            return whose.digest(), what.digest(), shortened(version) if version else ""

        return entry

    def key(self, key: str) -> bytes:
        """The sum of a key."""
        hashed = self._key.copy()
        hashed.update(key.encode())
        return hashed.digest()


def shortened(version: str) -> str:
    """A version without its usual ending, which says nothing and would cost a third of the row's size; the order stays
    the same."""
    return version.removesuffix("+00:00").removesuffix(".000000")
