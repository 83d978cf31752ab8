# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: RUF001 - Russian letters are meant
"""What a message says, in English and Russian."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

COUNTS = {
    "rows_read": ("read", "прочитано"),
    "rows_sent": ("sent", "отправлено"),
    "rows_unchanged": ("unchanged", "без изменений"),
    "rows_rejected": ("rejected", "отклонено"),
    "rows_duplicate": ("duplicate", "повторов"),
    "rows_deferred": ("deferred", "отложено"),
    "rows_outdated": ("outdated", "устарело"),
    "values_dropped": ("values dropped", "значений отброшено"),
    "orders": ("orders", "заказов"),
    "sent": ("orders sent", "заказов отправлено"),
    "linked": ("found a visit", "нашли визит"),
}
_PHRASES = {
    "good": ("Delivered", "Доставлено"),
    "again": ("Delivered again", "Снова доставлено"),
    "warned": ("Delivered, but look at it", "Доставлено, но проверьте"),
    "failed": ("Not delivered", "Не доставлено"),
    "late": ("Late", "Опаздывает"),
    "task": ("task", "задача"),
    "run": ("run", "запуск"),
    "counter_id": ("counter", "счётчик"),
    "campaign_id": ("store", "магазин"),
    "rejected": (
        "{share:.1%} of the rows were rejected, more than {limit:.1%}",
        "отклонено {share:.1%} строк, больше {limit:.1%}",
    ),
    "linked": (
        "{share:.1%} of the orders found a visit, less than {limit:.1%}",
        "визит нашли {share:.1%} заказов, меньше {limit:.1%}",
    ),
    "empty": (
        "nothing was sent, and the same day of each of the last four weeks had rows",
        "ничего не отправлено, а в этот же день каждой из четырёх прошлых недель строки были",
    ),
    "log": ("{error}: the log of the task says more", "{error}: подробности в журнале задачи"),
    "died": (
        "no error is known, as when its worker died: the logs of the task and of the scheduler say more",
        "ошибка неизвестна, как при гибели воркера: подробности в журналах задачи и планировщика",
    ),
    "deadline": ("the run has not ended by {moment}", "запуск не завершился до {moment}"),
    "dag": ("the run ended with {reason}", "запуск закончился: {reason}"),
}
LANGUAGES = ("en", "ru")


def say(language: str, phrase: str, **values: Any) -> str:
    """A phrase in a language."""
    return _PHRASES[phrase][LANGUAGES.index(language)].format(**values)


def lines_of(delivery: Mapping[str, Any], language: str) -> Iterator[str]:
    """What went and what did not, of one delivery or of what else a task brought."""
    places = [f"{say(language, name)} {delivery[name]}" for name in ("counter_id", "campaign_id") if name in delivery]
    where = ", ".join(filter(None, (delivery.get("service"), delivery.get("host"), *places, delivery.get("entity"))))
    counts = [
        f"{labels[LANGUAGES.index(language)]} {delivery[name]}"
        for name, labels in COUNTS.items()
        if delivery.get(name) or (name == "rows_sent" and name in delivery)
    ]
    money = [f"{amount} {currency}" for currency, amount in (delivery.get("money") or {}).items()]
    yield ": ".join(filter(None, (where, ", ".join([*counts, *money]))))
