# SPDX-License-Identifier: Apache-2.0
"""A whole fetch: every page, kept on storage as it comes, and the files of the newest orders of all of them."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from airflow_provider_yandex_orders.local_tables import LocalTables
from airflow_provider_yandex_orders.log_lines import Pace
from airflow_provider_yandex_orders.market.pages import OrdersPage, PagesBroken
from airflow_provider_yandex_orders.market.staged import Window, reading
from airflow_provider_yandex_orders.market.tables.files import Outputs
from airflow_provider_yandex_orders.market.tables.order_rows import plain_decoder
from airflow_provider_yandex_orders.market.tables.rows import MOSCOW, Misfit, Strange, integer, moment
from airflow_provider_yandex_orders.storage import check_writable, opened_path, put_whole

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

log = logging.getLogger(__name__)

NewOutputs = Callable[[], Outputs]
NewWindows = Callable[[], Sequence[Window]]

MOST_NAMED = 50
"""Names of fields told of one fetch."""


@dataclass(slots=True)
class Fetched:
    """What came.

    :param orders: orders in the raw file.
    :param requests: requests they took, those of earlier tries included.
    :param outdated: orders left out because a newer version of them came too.
    :param without_id: orders the service gave no id; they are in the raw file alone.
    :param since: when the oldest page was read, in seconds since 1970.
    :param new_fields: how often each field came that this package has no column for, by ``table.field``.
    """

    orders: int = 0
    pages: int = 0
    requests: int = 0
    outdated: int = 0
    without_id: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    since: float = 0.0
    new_fields: dict[str, int] = field(default_factory=dict)


def fetch(new_windows: NewWindows, streams: int, new_outputs: NewOutputs) -> Fetched:
    """Fetch all pages and write the files.

    Pages that an earlier try kept are not fetched again. A window whose pages do not hang together is read anew from
    the first one, once. Files are opened anew too: what was in them is gone.

    :param new_windows: makes the windows, whose orders follow each other in the files.
    :param streams: how many of them are read at once.
    """
    anew: set[int] = set()
    while True:
        windows = new_windows()
        try:
            return _attempt(windows, streams, new_outputs)
        except PagesBroken as error:
            broken = {number for number, window in enumerate(windows) if window.broken}
            if not broken - anew:
                raise
            log.warning("%s Beginning anew.", error)
            anew |= broken


def _attempt(windows: Sequence[Window], streams: int, new_outputs: NewOutputs) -> Fetched:
    result = Fetched()
    with Seen() as seen:
        with new_outputs() as outputs, reading(windows, streams) as pages:
            came, pace = 0, Pace("orders fetched")
            for page in pages:
                outputs.add(list(_newest(page, came, seen, result)))
                came += len(page)
                pace.reached(came)
                result.pages += 1
                result.requests += page.requests
        result.outdated = seen.count_outdated()
        if seen.overtaken:
            log.info("%d orders changed while they were read: their files are written anew.", seen.overtaken)
            outputs = _rewrite(windows, new_outputs, seen)
    result.orders, result.rows = outputs.orders, outputs.rows
    result.since = min(window.since for window in windows)
    result.new_fields = _told(outputs.strange)
    if result.without_id:
        log.warning("%d orders came without an id: they are in the raw file and in no table.", result.without_id)
    return result


def _told(strange: Strange) -> dict[str, int]:
    """Say what the tables have no place for; the fields among it, the most frequent ones."""
    fields, values, words = (
        dict(each.most_common(MOST_NAMED)) for each in (strange.fields, strange.values, strange.words)
    )
    if fields:
        log.warning("Fields without a column, kept in the raw file and in unknown_fields: %s.", fields)
    if values:
        log.warning("Values that do not fit their column, kept in the raw file and in unknown_fields: %s.", values)
    if words:
        log.warning("Words this package does not know, kept as they are: %s.", words)
    return fields


def _newest(page: OrdersPage, came: int, seen: Seen, result: Fetched) -> Iterator[tuple[int | None, bytes, bool]]:
    """Orders of a page that are newer than what came before."""
    for place, line in enumerate(page.lines, start=came):
        order_id, version, known = head_of(line)
        if order_id is None:
            result.without_id += 1
        elif not seen.is_newest(order_id, version, place):
            continue
        yield order_id, line, known


def _rewrite(windows: Sequence[Window], new_outputs: NewOutputs, seen: Seen) -> Outputs:
    """Write the files once more, from storage, without what turned out not to be the newest."""
    with new_outputs() as outputs:
        came = 0
        for page in (page for window in windows for page in window.again()):
            outdated = seen.outdated(range(came, came + len(page)))
            lines = [line for place, line in enumerate(page.lines, start=came) if place not in outdated]
            heads = map(head_of, lines)
            outputs.add([(order_id, line, known) for line, (order_id, _, known) in zip(lines, heads, strict=True)])
            came += len(page)
    return outputs


class _Head(msgspec.Struct):
    """What tells orders and their versions apart, whatever type the service gives it."""

    id: Any = None
    updated: Any = msgspec.field(name="statusUpdateDate", default=None)


_decode_head = msgspec.json.Decoder(_Head).decode
T = TypeVar("T")


def head_of(line: bytes) -> tuple[int | None, float, bool]:
    """Id of an order, a number that is greater for a newer version, and whether all of the order is known.

    An order without a date is older than any.
    """
    try:
        order = plain_decoder()(line)
        updated, known = order.statusUpdateDate, True
    except msgspec.DecodeError:
        order = _decode_head(line)
        updated, known = _fitting(_rounded_moment, order.updated), False
    if updated is not None and updated.tzinfo is None:
        updated = updated.replace(tzinfo=MOSCOW)
    return _fitting(integer, order.id), -math.inf if updated is None else updated.timestamp(), known


def _rounded_moment(value: Any) -> datetime:
    """A moment as the quick way reads it: beyond a millionth of a second it rounds, where Python's own reader cuts."""
    try:
        return msgspec.convert(value, datetime)
    except msgspec.ValidationError:
        return moment(value)


def _fitting(read: Callable[[Any], T], value: Any) -> T | None:
    try:
        return read(value)
    except Misfit:
        return None


class Seen(LocalTables):
    """Keeps id, version and place of every order."""

    def __init__(self) -> None:
        super().__init__(
            "CREATE TABLE seen (id INTEGER PRIMARY KEY, version REAL NOT NULL, place INTEGER NOT NULL)",
            "CREATE TABLE outdated (place INTEGER PRIMARY KEY)",
        )
        self.overtaken = 0
        """Orders that had been called the newest before a newer one came."""

    def is_newest(self, order_id: int, version: float | None, place: int) -> bool:
        """Take in an order, and say whether it is newer than all of the same id before; of equal ones the later is.

        :param version: ``None`` for one that does not say: the later is.
        :param place: the order's number among all that came, which tells it apart from its other versions.
        """
        known = self._db.execute("SELECT version, place FROM seen WHERE id = ?", (order_id,)).fetchone()
        if version is None:
            version = -math.inf if known is None else known[0]
        if known is not None:
            newer = version >= known[0]
            self.overtaken += newer
            self._db.execute("INSERT INTO outdated VALUES (?)", (known[1] if newer else place,))
            if not newer:
                return False
        self._db.execute("INSERT OR REPLACE INTO seen VALUES (?, ?, ?)", (order_id, version, place))
        return True

    def outdated(self, places: range) -> set[int]:
        """Places among these whose orders are not the newest of their id."""
        found: Iterable[tuple[int]] = self._db.execute(
            "SELECT place FROM outdated WHERE place >= ? AND place < ?", (places.start, places.stop)
        )
        return {place for (place,) in found}

    def count_outdated(self) -> int:
        """How many orders were not, or are no longer, the newest of their id."""
        count: int = self._db.execute("SELECT count(*) FROM outdated").fetchone()[0]
        return count


_DOING = "Prepare the folder for order statistics"
_CURE = "Correct path of the task."


def target_folder(url: str) -> ObjectStoragePath:
    """The folder published files go to, known to be writable before the first page is asked for."""
    folder = opened_path(url, _DOING, _CURE)
    check_writable(folder, _DOING, _CURE, only_write=True)
    return folder


def publish(folder: Path, target: ObjectStoragePath, stem: str) -> dict[str, str]:
    """Put every file of a local folder into another one, under names that begin with a stem.

    :return: what each file holds (its name before the first point) to its path.
    """
    placed = {}
    for file in sorted(folder.iterdir()):
        path = target / f"{stem}.{file.name}"
        put_whole(file, path)
        placed[file.name.partition(".")[0]] = str(path)
    return placed
