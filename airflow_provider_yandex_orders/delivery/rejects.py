# SPDX-License-Identifier: Apache-2.0
"""The rows that cannot be sent, and the values left out, as JSON Lines that hold no personal data."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self

import msgspec

from airflow_provider_yandex_orders.privacy import shown_key
from airflow_provider_yandex_orders.rows.faults import Fault
from airflow_provider_yandex_orders.storage import whole_file
from airflow_provider_yandex_orders.storage_faults import named_faults

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath


class LinesFile:
    """A JSON Lines file made with its first entry; one of an earlier try is removed.

    It is there when the block ends, well or not: what was found until then is worth reading. A write that fails leaves
    no file, and one that was to get more as it was.

    :param more: add to the file that is there, whatever the storage.
    """

    def __init__(self, path: ObjectStoragePath, *, more: bool = False) -> None:
        self._path = path
        self._more = more
        self._opened = ExitStack()
        self._file: Any = None
        self.entries = 0

    def __enter__(self) -> Self:
        if not self._more:
            with named_faults("Remove", self._path):
                self._path.unlink(missing_ok=True)
        return self

    def __exit__(self, *_error: object) -> None:
        self._opened.close()

    def write(self, entry: Any) -> None:
        """Write one entry."""
        line = msgspec.json.encode(entry) + b"\n"
        try:
            if self._file is None:
                self._file = self._opened.enter_context(whole_file(self._path))
                with named_faults("Read", self._path):
                    if self._more and self._path.is_file():
                        with self._path.open("rb") as earlier:
                            shutil.copyfileobj(earlier, self._file)
            self._file.write(line)
        except BaseException as error:
            self._opened.__exit__(type(error), error, error.__traceback__)
            raise
        self.entries += 1

    @property
    def path(self) -> str | None:
        """Where the file is; ``None`` when there was nothing to write."""
        return str(self._path) if self.entries else None


class FaultFile(LinesFile):
    """A file of faults, counted by code."""

    def __init__(self, path: ObjectStoragePath, *, more: bool = False) -> None:
        super().__init__(path, more=more)
        self.codes: Counter[str] = Counter()
        self.columns: Counter[str] = Counter()
        self._first: dict[str, dict[str, str]] = {}

    def add(self, row: int | None, label: str | None, faults: Sequence[Fault]) -> None:
        """Write one entry: the first fault, the rest in ``also``.

        :param row: number of the row in its source, from 1; ``None`` for one the service refused.
        """
        key = shown_key(label) if label else None  # an address may have been taken for the key
        fault, *rest = faults
        code, column = fault.code, fault.column
        entry = {"row": row, "key": key, "column": column, "code": code, "reason": fault.reason, "fix": fault.fix}
        self.write({**entry, "also": rest} if rest else entry)
        self.codes[code] += 1
        self.columns[column] += 1
        if code not in self._first:
            named = f" ({key})" if key else ""
            place = f"row {row}{named}{f', column {column}' if column else ''}" if row else f"a row{named}"
            self._first[code] = {"first": place, "reason": fault.reason, "fix": fault.fix}

    @property
    def told(self) -> dict[str, dict[str, Any]]:
        """Of each code how many entries it has, and what the first is."""
        return {code: {"rows": count, **self._first[code]} for code, count in self.codes.most_common()}

    def by_code(self) -> str:
        """Counts for a message: ``3 missing, 1 bad_date``."""
        return ", ".join(f"{count} {code}" for code, count in self.codes.most_common())
