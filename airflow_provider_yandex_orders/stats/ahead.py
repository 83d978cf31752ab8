# SPDX-License-Identifier: Apache-2.0
"""Works on one item while the next is on its way."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar, cast

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
