# SPDX-License-Identifier: Apache-2.0
"""Windows of a period, read by streams at the same time, each page kept on storage; they come out in their order."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from queue import SimpleQueue
from threading import Lock
from typing import Any, TypeVar, cast

from airflow_provider_yandex_orders.market.filters import OrderFilter
from airflow_provider_yandex_orders.market.pages import FetchPage, OrdersPage, PageGuard, PagesBroken, Place, follow
from airflow_provider_yandex_orders.market.staged import StagedPages

log = logging.getLogger(__name__)


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
