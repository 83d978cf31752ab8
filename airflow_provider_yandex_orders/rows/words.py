# SPDX-License-Identifier: Apache-2.0
"""Converters of words that stand in a list: statuses, choices, goals of a counter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches

from airflow_provider_yandex_orders.privacy import show
from airflow_provider_yandex_orders.rows import lists, scalars
from airflow_provider_yandex_orders.rows.faults import BadValue


def status_converter(
    words: tuple[str, ...],
    others: Callable[[object], str] | None,
    status_map: Mapping[str, str],
) -> Callable[[object], str]:
    """A converter of order statuses: mapped words first, then the service's own, then what else it takes.

    :param words: the service's own.
    :param others: converts a status that is none of them; ``None`` where nothing else will do.
    :param status_map: CRM status to the service's.
    """
    any_id = others is lists.status_id  # "paid" is then an id of its own
    mapped = {str(word).strip(): meant for word, meant in status_map.items()}  # keys may be numbers
    by_spelling = {_spelling(word): word for word in words}

    def convert(value: object) -> str:
        word = scalars.text(value)
        if word in mapped:
            return mapped[word]
        if word in words:
            return word
        if status_map:
            raise BadValue("unmapped_status", f"{show(word)} is not in status_map", "add it to status_map of the task")
        if word == "CANCELED" or (_spelling(word) in by_spelling and not any_id):
            meant = by_spelling[_spelling(word)]
            raise BadValue(
                "status_spelling",
                f"{show(word)} is not spelt as the service does",
                f"send {meant}, or map it",
            )
        fix = f"map it with status_map to one of {', '.join(words)}"
        if others is None:
            raise BadValue("unknown_status", f"{show(word)} is no status", fix)
        try:
            return others(word)
        except BadValue:
            raise BadValue(
                "unknown_status",
                f"{show(word)} cannot be a status",
                f"{fix}, or to an identifier without spaces",
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
    """A converter of the goal a conversion reaches.

    :param targets: gives the counter's goals; asked with the first row. Without it only the form is checked.
    """

    def convert(value: object) -> str:
        identifier = lists.goal_identifier(value)
        if targets is None:
            return identifier
        known = targets()
        if identifier not in known:
            near = get_close_matches(identifier, [name for name, fault in known.items() if not fault], n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise BadValue(
                "unknown_target",
                f"{show(identifier)} is no goal of this counter",
                f"{hint}make it with MetricaEnsureGoalsOperator, or correct it: the identifier, not the name",
            )
        if fault := known[identifier]:
            raise BadValue(
                "unfit_target",
                f"{show(identifier)} {fault}",
                "send the identifier of a JS-event goal that matches exactly",
            )
        return identifier

    return convert
