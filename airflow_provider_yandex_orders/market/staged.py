# SPDX-License-Identifier: Apache-2.0
"""Pages kept on storage until all are there, what a retry goes on from, and the streams that put them there.

Windows of a period are read by streams at the same time; their pages come out in the windows' order.
"""

from __future__ import annotations

import gzip
import logging
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from glob import escape
from queue import SimpleQueue
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar, cast

import msgspec

from airflow_provider_yandex_orders.exceptions import PassingError
from airflow_provider_yandex_orders.market.filters import OrderFilter
from airflow_provider_yandex_orders.market.pages import (
    FetchPage,
    OrdersPage,
    PageGuard,
    PagesBroken,
    Place,
    Step,
    follow,
)
from airflow_provider_yandex_orders.storage import folder_name, read_whole, staging_root, write_whole
from airflow_provider_yandex_orders.storage_faults import named_faults

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

log = logging.getLogger(__name__)

KEEP_SECONDS = 12 * 60 * 60
"""Pages older than this are not gone on from: their orders have moved on, and tokens do not live for ever."""
_GZIP_LEVEL = 1
_PAGES = "page-*.jsonl.gz"
_NOT_WHOLE = (gzip.BadGzipFile, EOFError, zlib.error, msgspec.DecodeError)


def forget_pages(folder: ObjectStoragePath) -> None:
    """Remove every page of a task, those of another question included."""
    for path in folder.glob(_PAGES):
        path.unlink(missing_ok=True)


def remove_expired(staging_path: str | None, context: Mapping[str, Any]) -> None:
    """Remove pages that failed fetches of this task left in earlier runs, once nobody goes on from them any more.

    What cannot be removed is no reason to fetch nothing: it is logged.
    """
    ti = context["ti"]
    dag = staging_root(staging_path) / folder_name(ti.dag_id)
    oldest = datetime.now(UTC) - timedelta(seconds=KEEP_SECONDS)
    try:
        pages = dag.fs.glob(f"{escape(dag.path)}/*/{escape(folder_name(ti.task_id))}/**/{_PAGES}")
        expired = [page for page in pages if dag.fs.modified(page) < oldest]
        for page in expired:
            dag.fs.rm_file(page)
    except Exception as error:  # noqa: BLE001 - whatever a storage raises
        log.warning("Pages of earlier runs in %s were not removed: %s.", dag, type(error).__name__)
    else:
        if expired:
            log.info("Removed %d pages that earlier runs left.", len(expired))


class _Head(msgspec.Struct):
    """First line of a page's file."""

    started: float
    requests: int
    here: Place
    following: Place | None


_decode_head = msgspec.json.Decoder(_Head).decode


class StagedPages:
    """The pages of one window, one gzip file each, whose own check sum tells a whole one from a torn one.

    :param fingerprint: sum of what is asked of whom, part of the files' names: pages of another one are of no use.
    """

    def __init__(self, folder: ObjectStoragePath, fingerprint: str) -> None:
        self._folder = folder
        self._stem = f"page-{fingerprint[:16]}-"
        self.since = time.time()
        """When the first page was read, in seconds since 1970."""
        self._sums: list[int] = []

    @property
    def count(self) -> int:
        """How many pages are there."""
        return len(self._sums)

    def add(self, step: Step) -> None:
        """Keep the next page."""
        page, here, following = step
        head = msgspec.json.encode(_Head(self.since, page.requests, here, following))
        content = b"\n".join([head, *page.lines])
        write_whole(self._path(self.count + 1), gzip.compress(content, _GZIP_LEVEL, mtime=0))
        self._sums.append(zlib.crc32(content))

    def pages(self) -> Iterator[Step]:
        """Pages of an earlier try, up to the first that is missing, torn, too old, or not next to the one before."""
        expected: Place | None = None
        while (read := self._read(self.count + 1)) is not None:
            head, page, total = read
            is_next = head.here.is_first if expected is None else head.here == expected
            if not is_next or time.time() - head.started > KEEP_SECONDS:
                break
            self.since = head.started
            self._sums.append(total)
            expected = head.following
            yield Step(page, head.here, expected)
            if expected is None:
                return

    def cut(self, count: int) -> None:
        """Remove what lies behind so many pages: a later try must not find pages of a chain joined with older ones."""
        kept = self._path(count).name
        with named_faults("Remove pages from", self._folder):
            for path in self._folder.glob(f"{self._stem}*"):
                if path.name > kept:
                    path.unlink(missing_ok=True)

    def page(self, number: int) -> OrdersPage:
        """A page that is there, once more.

        :param number: counts from 1.
        :raises PassingError: somebody has removed or replaced it.
        """
        read = self._read(number)
        if read is None or read[2] != self._sums[number - 1]:
            raise PassingError(
                f"Read page {number} from {self._folder}: it is not the page that was put there. Does this task "
                "run a second time at once? The next try fetches what is missing."
            )
        return read[1]

    def _path(self, number: int) -> ObjectStoragePath:
        return self._folder / f"{self._stem}{number:06d}.jsonl.gz"

    def _read(self, number: int) -> tuple[_Head, OrdersPage, int] | None:
        try:
            content = gzip.decompress(read_whole(self._path(number)))
            head_line, *lines = content.split(b"\n")
            head = _decode_head(head_line)
        except FileNotFoundError:
            return None
        except _NOT_WHOLE:
            log.warning("Page %d on storage is not whole: it is fetched again.", number)
            return None
        token = head.following.token if head.following else None
        return head, OrdersPage(lines, token, head.requests), zlib.crc32(content)


class Window:
    """The pages of one choice of orders, put on storage by one thread and taken by another."""

    def __init__(self, fetch_page: FetchPage, chosen: OrderFilter, staged: StagedPages) -> None:
        self._fetch_page, self._chosen, self._staged = fetch_page, chosen, staged
        self._came: SimpleQueue[OrdersPage | int | None] = SimpleQueue()
        self._keeping = Lock()
        self._stopped = False
        self.broken = False
        """Whether the pages did not hang together: none of them is kept."""
        self._error: BaseException | None = None

    def read(self) -> None:
        """Read to the last page: those on storage, then the rest from the service, each kept before it is given.

        A window that is stopped touches storage no more: another try may be at work there.
        """
        try:
            self._read()
        except PagesBroken:
            with self._keeping:
                if not self._stopped:
                    self._staged.cut(0)
                    self.broken = True
            raise

    def _read(self) -> None:
        guard = PageGuard()
        following: Place | None = Place()
        for page, here, following in self._staged.pages():  # noqa: B007 - the last one is where to go on
            guard.check(page, here.body)
            self._give(page)
            if self._stopped:
                return
        if self._staged.count:
            log.info("%d pages are on storage from an earlier try.", self._staged.count)
        if following is not None:
            with self._keeping:
                if self._stopped:
                    return
                self._staged.cut(self._staged.count)
            with one_ahead(follow(self._fetch_page, self._chosen, guard, following)) as steps:
                for step in steps:
                    with self._keeping:
                        if self._stopped:
                            return
                        self._staged.add(step)
                    self._give(step.page)
        self._came.put(None)

    def pages(self) -> Iterator[OrdersPage]:
        """The pages as they come.

        :raises Exception: why they ended before the last one.
        """
        while (came := self._came.get()) is not None or self._error:
            if self._error:
                raise self._error
            yield self._staged.page(came) if isinstance(came, int) else cast("OrdersPage", came)

    @property
    def since(self) -> float:
        """When its first page was read, in seconds since 1970."""
        return self._staged.since

    def again(self) -> Iterator[OrdersPage]:
        """The same pages once more."""
        return map(self._staged.page, range(1, self._staged.count + 1))

    def stop(self, error: BaseException | None = None) -> None:
        """Keep no further page, and let nobody wait for one."""
        with self._keeping:
            self._stopped, self._error = True, self._error or error
        self._came.put(None)

    def _give(self, page: OrdersPage) -> None:
        """One page at most waits in memory; of the others their numbers do."""
        self._came.put(page if self._came.empty() else self._staged.count)


@contextmanager
def reading(windows: Sequence[Window], streams: int) -> Iterator[Iterator[OrdersPage]]:
    """Read windows in threads, so many at once; their pages, window by window. Where one fails all of them stop."""
    workers = ThreadPoolExecutor(streams, thread_name_prefix="window")

    def stop(error: BaseException | None = None) -> None:
        for window in windows:
            window.stop(error)

    def read(window: Window) -> None:
        try:
            window.read()
        except BaseException as error:  # noqa: BLE001 - raised where the pages are taken
            stop(error)

    for window in windows:
        workers.submit(read, window)
    try:
        yield (page for window in windows for page in window.pages())
    finally:
        stop()
        workers.shutdown(wait=False, cancel_futures=True)


T = TypeVar("T")
_END = object()


@contextmanager
def one_ahead(items: Iterator[T]) -> Iterator[Iterator[T]]:
    """Take the items in a thread of their own, one ahead of their user: two are in memory at most."""
    worker = ThreadPoolExecutor(1, thread_name_prefix="next-page")

    def taken() -> Iterator[T]:
        coming: Any = worker.submit(next, items, _END)
        while (item := coming.result()) is not _END:
            coming = worker.submit(next, items, _END)
            yield cast("T", item)

    try:
        yield taken()
    finally:
        worker.shutdown(wait=False, cancel_futures=True)
