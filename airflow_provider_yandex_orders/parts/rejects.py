# SPDX-License-Identifier: Apache-2.0
"""The rows that cannot be sent, and the values left out, as JSON Lines that hold no personal data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Any

import msgspec

from airflow_provider_yandex_orders.rows.check import Fault

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

FIRST = 5
"""How many entries the log shows."""


class FaultFile:
    """A file of faults, made with its first entry; one of an earlier try is removed.

    :param path: where it is written.
    """

    def __init__(self, path: ObjectStoragePath) -> None:
        self._path = path
        self._opened = ExitStack()
        self._file: Any = None
        self.codes: Counter[str] = Counter()
        self.first: list[str] = []
        self.entries = 0

    def __enter__(self) -> FaultFile:
        self._path.unlink(missing_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._opened.close()

    def add(self, row: int, key: str | None, faults: Sequence[Fault]) -> None:
        """Write one entry: the first fault, the rest in ``also``.

        :param row: number of the row in its source, from 1.
        :param key: the row's key, where it has one.
        :param faults: what is wrong, at least one.
        """
        if self._file is None:
            self._file = self._opened.enter_context(self._path.open("wb"))
        if key and "@" in key:
            key = None  # an e-mail address was taken for the key
        fault, *rest = (msgspec.to_builtins(each) for each in faults)
        entry = {"row": row, "key": key, **fault, **({"also": rest} if rest else {})}
        self._file.write(msgspec.json.encode(entry) + b"\n")
        self.codes[faults[0].code] += 1
        self.entries += 1
        if len(self.first) < FIRST:
            named = f" ({key})" if key else ""
            self.first.append(f"row {row}{named}, column {fault['column']}: {fault['reason']}; {fault['fix']}")

    @property
    def path(self) -> str | None:
        """Where the file is; ``None`` when there was nothing to write."""
        return str(self._path) if self.entries else None

    def by_code(self) -> str:
        """Counts for a message: ``3 missing, 1 bad_date``."""
        return ", ".join(f"{count} {code}" for code, count in self.codes.most_common())
