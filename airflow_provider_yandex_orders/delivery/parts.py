# SPDX-License-Identifier: Apache-2.0
"""Part files: rows split where a file would grow too large, and what they are worth, by exact sums."""

from __future__ import annotations

import hashlib
import logging
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from itertools import accumulate, compress, count, islice
from typing import IO, TYPE_CHECKING

from airflow_provider_yandex_orders.journal.records import PartFile
from airflow_provider_yandex_orders.rows.formats import FileFormat
from airflow_provider_yandex_orders.rows.kind import RowKind
from airflow_provider_yandex_orders.storage import whole_file
from airflow_provider_yandex_orders.storage_faults import named_faults

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

log = logging.getLogger(__name__)

NO_CURRENCY = "no currency"
_DIGITS = 100
"""No sum of amounts has more."""


class Amounts:
    """Adds up the amounts of rows, a block of lines at a time."""

    def __init__(self, kind: RowKind) -> None:
        self._worth, self._names = kind.money, kind.amounts
        self._fields = (*kind.amounts, kind.currency) if kind.currency else ()
        self._part: list[tuple[str, str, Decimal]] = []
        self._all: list[tuple[str, str, Decimal]] = []

    def add(self, lines: Sequence[bytes], form: FileFormat) -> None:
        """Take rows as they stand in a file."""
        try:
            self._add(lines, form)
        except Exception as error:  # noqa: BLE001 - what only tells never fails a delivery
            log.warning("What the rows are worth is not added up (%s).", type(error).__name__)
            self._worth, self._names = None, []

    def _add(self, lines: Sequence[bytes], form: FileFormat) -> None:
        if not (form.picker and self._names and self._fields and lines):
            return
        *columns, codes = form.picker(self._fields)(lines)
        with localcontext(prec=_DIGITS):
            for code in set(codes):
                has_code = [each == code for each in codes]
                for name, column in zip(self._names, columns, strict=True):
                    if total := sum(map(Decimal, filter(None, compress(column, has_code))), Decimal()):
                        self._part.append((name, code or NO_CURRENCY, total))

    def end_part(self) -> dict[str, str] | None:
        """What the rows since the last part are worth, by currency; ``None`` where such rows have no worth."""
        part, self._part = self._part, []
        self._all += part
        return (
            None if self._worth is None else total_of({code: each} for name, code, each in part if name == self._worth)
        )

    @property
    def totals(self) -> dict[str, dict[str, str]]:
        """All sums, by field and currency."""
        found = {name: total_of({code: each} for of, code, each in self._all if of == name) for name in self._names}
        return {name: sums for name, sums in found.items() if sums}


def total_of(sums: Iterable[Mapping[str, Decimal | str]]) -> dict[str, str]:
    """Sums by currency, put together."""
    total: defaultdict[str, Decimal] = defaultdict(Decimal)
    with localcontext(prec=_DIGITS):
        for each in sums:
            for code, amount in each.items():
                total[code] += Decimal(amount)
    return {code: f"{amount:f}" for code, amount in sorted(total.items())}


BLOCK = 250
"""So many rows are written and summed at once: a call a row would cost more than the bytes."""
_ROOM = 512 * 1024
"""So many bytes, where rows are long."""


@dataclass(frozen=True, slots=True)
class Part(PartFile):
    """A file that is ready to go out.

    :param number: its place in the delivery, from 1.
    :param id: its number in the journal.
    :param mark: by what it is found again at the service.
    """

    number: int = 0
    id: int = 0
    mark: str = ""


def write_parts(
    lines: Iterable[bytes],
    folder: ObjectStoragePath,
    form: FileFormat,
    *,
    name: str = "part",
    max_rows: int,
    max_bytes: int,
    first: int = 1,
    amounts: Amounts | None = None,
) -> Iterator[Part]:
    """Write encoded rows as ``part-00001.csv``, ``part-00002.csv``, ... and give each part as soon as it is whole.

    A part never exceeds ``max_bytes``, unless a single row does.
    """
    waiting, between = iter(lines), form.between
    most = max_bytes - len(form.tail)
    add: Callable[[list[bytes], FileFormat], object] = amounts.add if amounts else lambda _lines, _form: None
    ahead = list(islice(waiting, 1))
    for number in count(first):
        if not ahead:
            return
        path = folder / f"{name}-{number:05d}{form.suffix}"
        digest, rows, lead = hashlib.sha256(), 0, form.head
        size = len(form.head) - len(between)
        with whole_file(path) as file:
            while block := ahead[: max_rows - rows]:
                sizes = list(accumulate([len(line) + len(between) for line in block], initial=size))[1:]
                fitting = bisect_right(sizes, most) or (0 if rows else 1)
                if not fitting:
                    break
                block, size = block[:fitting], sizes[fitting - 1]
                written = lead + between.join(block)
                _write(file, digest, written)
                add(block, form)
                rows, lead = rows + fitting, between
                some = min(BLOCK, _ROOM * fitting // len(written) + 1)
                ahead = ahead[fitting:] or list(islice(waiting, some))
            _write(file, digest, form.tail)
        size += len(form.tail)
        yield Part(str(path), rows, size, digest.hexdigest(), number, money=amounts.end_part() if amounts else None)


def _write(file: IO[bytes], digest: hashlib._Hash, block: bytes) -> None:
    file.write(block)
    digest.update(block)


def remove_stale(folder: ObjectStoragePath, paths: Iterable[str]) -> None:
    """Remove part files an earlier try left beyond these."""
    kept = {path.rpartition("/")[2] for path in paths}
    with named_faults("Remove the parts of an earlier try from", folder):
        for path in folder.glob("*-[0-9][0-9][0-9][0-9][0-9].*"):
            if path.name not in kept:
                path.unlink()
