# SPDX-License-Identifier: Apache-2.0
"""The import of one batch: what is new apart from what was tried before, and bad orders apart from good ones."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from airflow_provider_yandex_orders.altcraft.api import is_about_orders
from airflow_provider_yandex_orders.altcraft.body import head_of, orders_of, worth_of
from airflow_provider_yandex_orders.delivery.parts import Part, total_of
from airflow_provider_yandex_orders.exceptions import ConfigurationError, ServiceRefused, ServiceUnavailable
from airflow_provider_yandex_orders.waiting import UploadState

log = logging.getLogger(__name__)


def import_part(
    part: Part, send: Callable[[Sequence[Any], bool], None], skip_triggers: bool, *, repeat: bool
) -> UploadState:
    """Import the orders of one part.

    :param send: sends orders in one request, without triggers where told so.
    :param skip_triggers: the choice for orders that were never sent.
    :param repeat: whether these may have arrived before.
    """
    orders = {head_of(order)[0]: order for order in orders_of(part.path)}
    lost = False

    def send_some(keys: Sequence[str], again: bool) -> None:
        nonlocal lost
        try:
            send([orders[key] for key in keys], skip_triggers or again)
        except ServiceRefused as error:
            lost = lost or error.repeated
            raise

    refused = sift(list(orders), send_some, again=repeat)
    if len(refused) == len(orders) > 1:
        said = "; ".join(dict.fromkeys(words for _key, words in refused[:5]))
        raise ServiceRefused(
            f"Import {part.path}: the platform refuses each of its {part.rows} orders, so it is not single orders "
            f"that are wrong: {said} Correct what it names, here or in the platform's market settings, and run the "
            "task again.",
            maybe_applied=lost,
        )
    status = "PARTLY_ACCEPTED" if refused else "ACCEPTED"
    bad = {key for key, _said in refused}
    money = total_of(worth_of(order) for key, order in orders.items() if key not in bad) if bad else None
    return UploadState(
        "", status, True, True, rows_accepted=part.rows - len(refused), refused=tuple(refused), money=money
    )


_Row = TypeVar("_Row")


def sift(rows: Sequence[_Row], send: Callable[[Sequence[_Row], bool], None], *, again: bool) -> list[tuple[_Row, str]]:
    """Send rows as one batch; where the service refuses what it holds, in halves, until each bad row stands alone.

    Order is kept: of two rows the earlier is sent first.

    :param rows: at least one.
    :param send: sends a batch, and is told whether its rows may have arrived before. A refusal that is not about what
        the batch holds ends all.
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
            if not is_about_orders(error.answer):
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
