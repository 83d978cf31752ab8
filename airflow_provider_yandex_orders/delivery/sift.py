# SPDX-License-Identifier: Apache-2.0
"""Finds the rows for which a service refuses a whole batch, and gets the others through."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

from airflow_provider_yandex_orders.exceptions import Answer, ConfigurationError, ServiceRefused, ServiceUnavailable

_Row = TypeVar("_Row")

log = logging.getLogger(__name__)


def sift(
    rows: Sequence[_Row],
    send: Callable[[Sequence[_Row], bool], None],
    is_about_rows: Callable[[Answer | None], bool],
    *,
    again: bool,
) -> list[tuple[_Row, str]]:
    """Send rows as one batch; where the service refuses what it holds, in halves, until each bad row stands alone.

    Order is kept: of two rows the earlier is sent first.

    :param rows: at least one.
    :param send: sends a batch, and is told whether its rows may have arrived before.
    :param is_about_rows: whether an answer refuses what the batch holds; any other ends all.
    :param again: whether the rows may have arrived before.
    :return: rows the service would not take, with its words.
    """
    waiting, refused, under_way = [rows], [], again
    while waiting:
        batch = waiting.pop()
        try:
            # What a refused batch left behind is not known: its halves count as repeats.
            send(batch, under_way)
        except ServiceRefused as error:
            under_way = under_way or error.maybe_applied
            if not is_about_rows(error.answer):
                error.maybe_applied = under_way
                raise
            if len(batch) == 1:
                refused.append((batch[0], error.answer.said if error.answer else ""))
                continue
            half = len(batch) // 2
            log.info("A batch of %d was refused: trying %d and %d.", len(batch), half, len(batch) - half)
            waiting += [batch[half:], batch[:half]]
        except ServiceUnavailable as error:
            error.maybe_applied = under_way or error.maybe_applied
            raise
        except ConfigurationError as error:
            if under_way:  # by itself it says that nothing was sent
                raise ServiceRefused(str(error), maybe_applied=True) from None
            raise
        else:
            under_way = True
    return refused
