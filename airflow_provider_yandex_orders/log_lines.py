# SPDX-License-Identifier: Apache-2.0
"""How a task's log is written: folds, a steady pace, and lines that fit the page."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from textwrap import wrap

from airflow.providers.common.compat.sdk import AirflowSensorTimeout

from airflow_provider_yandex_orders.exceptions import PassingError, PermanentError

log = logging.getLogger(__name__)

WIDTH = 85
"""Characters of a line: more of them Airflow's page shows by scrolling sideways only, on a screen of 1,280 pixels."""
EVERY = 30.0
"""Seconds between two lines of progress."""


@contextmanager
def folded(title: str) -> Iterator[None]:
    """What is logged meanwhile is folded away on Airflow's page, under a title."""
    log.info("::group::%s", title)
    try:
        yield
    finally:
        log.info("::endgroup::")


def wrapped(text: str, indent: str = "") -> list[str]:
    """A text as lines that fit.

    :param indent: before every line but the first.
    """
    return wrap(text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def say(level: int, text: str) -> None:
    """Log a sentence as lines that fit."""
    for line in wrapped(text, "    "):
        log.log(level, "%s", line)


@contextmanager
def failure_told() -> Iterator[None]:
    """Why a task fails is said in lines that fit: Airflow's page shows an exception as one, cut off at the right."""
    try:
        yield
    except (PermanentError, PassingError, AirflowSensorTimeout) as error:
        say(logging.ERROR, str(error))
        raise


class Pace:
    """Tells how far work has come, a line every :data:`EVERY` seconds at most.

    :param total: how many there will be; 0 where that is not known.
    """

    def __init__(self, what: str, total: int = 0) -> None:
        self._what, self._total = what, total
        self._began = self._told = time.monotonic()

    def reached(self, count: int) -> None:
        """So many are done."""
        now = time.monotonic()
        if now - self._told < EVERY or not count:
            return
        self._told = now
        rate = count / (now - self._began)
        left = f", about {(self._total - count) / rate:,.0f} s left" if self._total > count else ""
        of_all = f" of {self._total:,}" if self._total else ""
        log.info("%s%s %s, %s a second%s.", f"{count:,}", of_all, self._what, f"{rate:,.0f}", left)
