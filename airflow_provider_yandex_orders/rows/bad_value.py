# SPDX-License-Identifier: Apache-2.0
"""Why a value cannot be sent. Texts hold no values: a rejects file is read by many."""

from __future__ import annotations


class BadValue(Exception):
    """A value that cannot be sent as it is.

    :param code: short word to count and filter by.
    :param reason: what is wrong, without the value.
    :param fix: what to do.
    """

    def __init__(self, code: str, reason: str, fix: str) -> None:
        super().__init__(code)
        self.code = code
        self.reason = reason
        self.fix = fix


class RefusedValue(BadValue):
    """A value that rejects its row, whatever else the row has."""
