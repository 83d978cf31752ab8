# SPDX-License-Identifier: Apache-2.0
"""What people do whom a message asks to look at the service: they tell the journal what has arrived, by command."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from unittest import mock

from airflow_provider_yandex_orders.__main__ import main

_ASKED = "SELECT delivery_id, part_id, path FROM parts WHERE state = 'sending' ORDER BY part_id"


def tell_arrived(journal: Path, *options: str, is_there: Callable[[int, str], bool] = lambda *_: True) -> None:
    """Let the parts of a journal that nobody answered count as arrived, where they are there.

    :param journal: its file.
    :param options: of the command, where the journal is not the one by default.
    :param is_there: tells of a part's id and path whether the service has its rows.
    """
    if not journal.exists():
        return
    asked = _asked(journal)
    for delivery in dict.fromkeys(delivery for delivery, *_ in asked):
        if all(is_there(part, path) for of, part, path in asked if of == delivery):
            with mock.patch.dict(os.environ):  # a command tells Airflow that this process is no task
                told = main(["journal", "arrived", str(delivery), *options]) == 0
            assert told or delivery not in {of for of, *_ in _asked(journal)}  # others may have told it meanwhile


def _asked(journal: Path) -> list[tuple[int, int, str]]:
    with closing(sqlite3.connect(journal)) as connection:
        has_view = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'parts'").fetchone()
        return connection.execute(_ASKED).fetchall() if has_view else []
