# SPDX-License-Identifier: Apache-2.0
"""The import of one batch: what is new apart from what was tried before, and bad orders apart from good ones."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from airflow_provider_yandex_orders.altcraft.api import is_about_orders
from airflow_provider_yandex_orders.altcraft.body import format_of, head_of, orders_of
from airflow_provider_yandex_orders.delivery.known import KnownKeys
from airflow_provider_yandex_orders.delivery.parts import Part
from airflow_provider_yandex_orders.delivery.send import SENDING
from airflow_provider_yandex_orders.exceptions import Answer, ConfigurationError, ServiceRefused, ServiceUnavailable
from airflow_provider_yandex_orders.storage import read_seen
from airflow_provider_yandex_orders.waiting import UploadState

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BatchImport:
    """Imports the orders of one part.

    :param send: sends orders in one request, without triggers where told so.
    :param attempted: ids of orders that earlier tries may have sent.
    :param skip_triggers: the user's choice for orders that were never sent.
    """

    send: Callable[[Sequence[Any], bool], None]
    attempted: KnownKeys
    skip_triggers: bool

    def first(self, part: Part) -> UploadState:
        """Import a part that was never sent; single orders of it may have been, in parts cut otherwise."""
        return self._import(part, _read(part), tried=False)

    def again(self, part: Part, remembered: Mapping[str, Any]) -> UploadState:
        """Import a part that may have arrived, or the orders of it that were refused."""
        orders = _read(part)
        refused = {key for key, _said in remembered.get("refused") or ()}
        if refused:
            orders = {key: order for key, order in orders.items() if key in refused}
        tried = remembered.get("status") == SENDING  # what was refused alone has certainly not arrived
        if tried:
            log.info("%d orders are sent again, without triggers.", len(orders))
        return self._import(part, orders, tried=tried)

    def _import(self, part: Part, orders: Mapping[str, Any], *, tried: bool) -> UploadState:
        new = [key for key in orders if not tried and key not in self.attempted]
        old = [key for key in orders if tried or key in self.attempted]
        refused: list[tuple[str, str]] = []
        for keys, again in ((new, False), (old, True)):
            if keys:
                refused += sift(keys, lambda batch, skip: self._send(orders, batch, skip), is_about_orders, again=again)
        if len(refused) == len(orders) > 1 and len(orders) == part.rows:
            said = "; ".join(dict.fromkeys(words for _key, words in refused[:5]))
            raise ServiceRefused(
                f"Import {part.path}: the platform refuses each of its {part.rows} orders, so it is not single orders "
                f"that are wrong: {said} Correct what it names, here or in the platform's market settings, and run the "
                "task again."
            )
        status = "PARTLY_ACCEPTED" if refused else "ACCEPTED"
        return UploadState("", status, True, True, rows_accepted=part.rows - len(refused), refused=tuple(refused))

    def _send(self, orders: Mapping[str, Any], keys: Sequence[str], repeat: bool) -> None:
        self.send([orders[key] for key in keys], self.skip_triggers or repeat)


def keys_of(path: str, content: bytes) -> list[str]:
    """Ids of the orders in a part."""
    return [head_of(order)[0] for order in orders_of(content, format_of(path))]


def _read(part: Part) -> dict[str, Any]:
    return {head_of(order)[0]: order for order in orders_of(read_seen(part.path), format_of(part.path))}


_Row = TypeVar("_Row")


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
