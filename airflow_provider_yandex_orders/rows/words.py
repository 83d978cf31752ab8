# SPDX-License-Identifier: Apache-2.0
"""Converters of words that stand in a list: statuses, choices, goals of a counter."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from functools import lru_cache

from airflow_provider_yandex_orders.privacy import show
from airflow_provider_yandex_orders.rows import lists, scalars
from airflow_provider_yandex_orders.rows.faults import BadValue
from airflow_provider_yandex_orders.rows.options import CheckOptions
from airflow_provider_yandex_orders.rows.status_map import TRUTH, read_status_map

_KEPT = 1000
"""Bad words whose nearest good one is kept: a file may have one in every row."""


def status_converter(
    words: tuple[str, ...], others: Callable[[object], str] | None, options: CheckOptions
) -> Callable[[object], str]:
    """A converter of order statuses: mapped words first, then the service's own, then what else it takes.

    :param words: the service's own.
    :param others: converts a status that is none of them; ``None`` where nothing else will do.
    :param options: what the run asks; the counter is asked for its goals and statuses with the first other status.
    """
    any_id = others is lists.status_id  # "paid" is then an id of its own
    mapped, targets = read_status_map(options.status_map), options.targets
    by_spelling = {_spelling(word): word for word in words}
    fix = f"map it with status_map to one of {', '.join(words)}"

    @lru_cache(_KEPT)
    def nearest(word: str) -> str:
        own = options.statuses() if options.statuses else ()
        goals = (name for name, fault in targets().items() if not fault) if targets else ()
        return _nearest(word, [*words, *own, *goals])

    def counted(word: str) -> str:
        """A word that counts for something at the counter."""
        if targets is None or word in words or targets().get(word, "") is None:
            return word
        own = options.statuses() if options.statuses else ()
        if word not in own:
            what = f"{show(word)} is neither a status nor a goal of this counter"
            raise BadValue("unknown_status", what, f"{nearest(word)}{fix}, or to a goal it has")
        return word

    def convert(value: object) -> str:
        value = scalars.exact(value)
        word = str(value).lower() if isinstance(value, bool) and mapped else scalars.line(value)
        lower = word.lower()
        for key in (word, lower, TRUTH[lower]) if lower in TRUTH else (word,):
            if key in mapped:
                return counted(mapped[key])
        if word in words:
            return word
        if mapped:
            raise BadValue("unmapped_status", f"{show(word)} is not in status_map", "add it to status_map of the task")
        if word == "CANCELED" or (_spelling(word) in by_spelling and not any_id):
            meant = by_spelling[_spelling(word)]
            raise BadValue(
                "status_spelling", f"{show(word)} is not spelt as the service does", f"send {meant}, or map it"
            )
        if others is None:
            raise BadValue("unknown_status", f"{show(word)} is no status", fix)
        try:
            return counted(others(word))
        except BadValue as bad:
            if bad.code == "unknown_status":
                raise
            raise BadValue(
                "unknown_status", f"{show(word)} cannot be a status", f"{fix}, or to an identifier without spaces"
            ) from None

    return convert


def _spelling(word: str) -> str:
    return word.upper().replace("CANCELLED", "CANCELED")  # both are common, and each service knows one


def choice_converter(words: tuple[str, ...]) -> Callable[[object], str]:
    """A converter of fields that may only be one of a few words."""
    by_upper = {word.upper(): word for word in words}

    def convert(value: object) -> str:
        word = scalars.text(value)
        if word.upper() not in by_upper:
            raise BadValue("bad_choice", f"is {show(word)}", f"send {' or '.join(words)}, or leave it empty")
        return by_upper[word.upper()]

    return convert


def target_converter(targets: Callable[[], Mapping[str, str | None]] | None) -> Callable[[object], str]:
    """A converter of a goal's identifier.

    :param targets: gives the counter's goals; asked with the first row. Without it only the form is checked.
    """

    @lru_cache(_KEPT)
    def nearest(identifier: str) -> str:
        return _nearest(identifier, [name for name, fault in targets().items() if not fault] if targets else [])

    def convert(value: object) -> str:
        identifier = lists.goal_identifier(value)
        if targets is None:
            return identifier
        known = targets()
        if identifier not in known:
            raise BadValue(
                "unknown_target",
                f"{show(identifier)} is no goal of this counter",
                f"{nearest(identifier)}"
                "make it with MetricaEnsureGoalsOperator, or correct it: the identifier, not the name",
            )
        if fault := known[identifier]:
            raise BadValue(
                "unfit_target",
                f"{show(identifier)} {fault}",
                "send the identifier of a JS-event goal that matches exactly",
            )
        return identifier

    return convert


def _nearest(word: str, known: Sequence[str]) -> str:
    near = get_close_matches(word, known, n=1)
    return f"did you mean {near[0]!r}? " if near else ""
