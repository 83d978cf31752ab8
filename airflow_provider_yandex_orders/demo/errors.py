# SPDX-License-Identifier: Apache-2.0
"""How the demo's processes tell each other what is for the user: lines of a log, and an exception."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


MARK = ">>> "
"""Begins the lines of a log that are for the user."""


class DemoError(Exception):
    """What went wrong and what to do, in words for the person who runs the demo.

    :param message: the words
    :param log: the log file whose end tells more
    """

    def __init__(self, message: str, *, log: Path | None = None) -> None:
        super().__init__(message)
        self.log = log
