# SPDX-License-Identifier: Apache-2.0
"""What rows are worth: exact sums of their amounts by currency, taken from the lines as files are written."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, localcontext

from airflow_provider_yandex_orders.rows.formats import FileFormat
from airflow_provider_yandex_orders.rows.kind import RowKind

log = logging.getLogger(__name__)

NO_CURRENCY = "no currency"
_DIGITS = 100
"""No sum of amounts has more."""


class Amounts:
    """Adds up the amounts of rows, a block of lines at a time."""

    def __init__(self, kind: RowKind) -> None:
        self._worth, self._names = kind.money, kind.amounts
        self._fields = [*kind.amounts, kind.currency] if kind.currency else []
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
        columns = list(zip(*form.picker(self._fields)(lines), strict=True))
        codes = columns[len(self._names)]
        one_code = len(set(codes)) == 1
        with localcontext(prec=_DIGITS):
            for code in set(codes):
                for name, column in zip(self._names, columns, strict=False):
                    mine = column if one_code else [each for each, of in zip(column, codes, strict=True) if of == code]
                    if total := sum(map(Decimal, filter(None, mine)), Decimal()):
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
