# SPDX-License-Identifier: Apache-2.0
"""A whole fetch: every page, kept on storage as it comes, and the files of the newest orders of all of them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from airflow_provider_yandex_orders.market.filters import OrderFilter
from airflow_provider_yandex_orders.market.newest import Seen, head_of
from airflow_provider_yandex_orders.market.pages import FetchPage, OrdersPage, PageGuard, PagesBroken, Place, follow
from airflow_provider_yandex_orders.market.staged import StagedPages
from airflow_provider_yandex_orders.market.tables.outputs import Outputs
from airflow_provider_yandex_orders.market.tables.rows import Strange

log = logging.getLogger(__name__)

NewOutputs = Callable[[], Outputs]

MOST_NAMED = 50
"""Names of fields told of one fetch."""


@dataclass(slots=True)
class Fetched:
    """What came.

    :param orders: orders in the raw file.
    :param pages: pages read.
    :param requests: requests they took, those of earlier tries included.
    :param outdated: orders left out because a newer version of them came too.
    :param without_id: orders the service gave no id; they are in the raw file alone.
    :param rows: rows by table.
    :param new_fields: how often each field came that this package has no column for, by ``table.field``.
    """

    orders: int = 0
    pages: int = 0
    requests: int = 0
    outdated: int = 0
    without_id: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    new_fields: dict[str, int] = field(default_factory=dict)


def fetch(fetch_page: FetchPage, chosen: OrderFilter, staged: StagedPages, new_outputs: NewOutputs) -> Fetched:
    """Fetch all pages and write the files.

    Pages that an earlier try kept are not fetched again. Pages that do not hang together are read anew from the first
    one, once. Files are opened anew too: what was in them is gone.
    """
    try:
        return _attempt(fetch_page, chosen, staged, new_outputs)
    except PagesBroken as error:
        log.warning("%s Beginning anew.", error)
        staged.clear()
    try:
        return _attempt(fetch_page, chosen, staged, new_outputs)
    except PagesBroken:
        staged.clear()
        raise


def _attempt(fetch_page: FetchPage, chosen: OrderFilter, staged: StagedPages, new_outputs: NewOutputs) -> Fetched:
    result = Fetched()
    with Seen() as seen:
        with new_outputs() as outputs:
            came = 0
            for page in _all_pages(fetch_page, chosen, staged):
                outputs.add(list(_newest(page, came, seen, result)))
                came += len(page)
                result.pages += 1
                result.requests += page.requests
        result.outdated = seen.count_outdated()
        if seen.overtaken:
            log.info("%d orders changed while they were read: their files are written anew.", seen.overtaken)
            outputs = _rewrite(staged, new_outputs, seen)
    result.orders, result.rows = outputs.orders, outputs.rows
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


def _all_pages(fetch_page: FetchPage, chosen: OrderFilter, staged: StagedPages) -> Iterator[OrdersPage]:
    """The pages on storage, then the rest from the service, each kept on storage before it is given."""
    guard = PageGuard()
    following: Place | None = Place()
    for page, here, following in staged.pages():  # noqa: B007 - the last one is where to go on
        guard.check(page, here.body)
        yield page
    if staged.count:
        log.info("%d pages are on storage from an earlier try.", staged.count)
    if following is None:
        return
    with one_ahead(follow(fetch_page, chosen, guard, following)) as steps:
        for step in steps:
            staged.add(step)
            yield step.page


def _newest(page: OrdersPage, came: int, seen: Seen, result: Fetched) -> Iterator[tuple[int | None, bytes]]:
    """Orders of a page that are newer than what came before."""
    for place, line in enumerate(page.lines, start=came):
        order_id, version = head_of(line)
        if order_id is None:
            result.without_id += 1
        elif not seen.is_newest(order_id, version, place):
            continue
        yield order_id, line


def _rewrite(staged: StagedPages, new_outputs: NewOutputs, seen: Seen) -> Outputs:
    """Write the files once more, from storage, without what turned out not to be the newest."""
    with new_outputs() as outputs:
        came = 0
        for page in staged.again():
            outdated = seen.outdated(range(came, came + len(page)))
            lines = [line for place, line in enumerate(page.lines, start=came) if place not in outdated]
            outputs.add([(head_of(line)[0], line) for line in lines])
            came += len(page)
    return outputs


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
