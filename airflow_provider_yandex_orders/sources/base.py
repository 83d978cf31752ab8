# SPDX-License-Identifier: Apache-2.0
"""What every source promises."""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import repeat
from typing import TYPE_CHECKING, Any, ClassVar, Self

from airflow.providers.common.compat.sdk import Context

from airflow_provider_yandex_orders.period import Window

# Airflow looks for XComArgs only in objects of this class, and gives it no public name.
if TYPE_CHECKING:
    from airflow.sdk.definitions._internal.mixins import ResolveMixin

    from airflow_provider_yandex_orders.rows.reading import Reading
else:
    try:
        from airflow.sdk.definitions._internal.mixins import ResolveMixin
    except ImportError:  # Airflow 2.11
        from airflow.utils.mixins import ResolveMixin

LONGEST_LINE = 16_000_000
"""Characters of a line, or of a record of several: what nobody bounds is not read into memory."""
MOST_COLUMNS = 16_384
"""As many as a sheet of Excel has."""

Row = Mapping[str, Any]
ColumnMap = Mapping[str, str | Sequence[str]]
"""``{"target field": "source column"}``; the column may be a dotted path into nested objects, or a list of columns."""


class UnreadableRow(dict[str, Any]):
    """A row of the file that is no row; its only content is why."""

    def __init__(self, reason: str, fix: str) -> None:
        super().__init__()
        self.reason = reason
        self.fix = fix


class TableRows(Iterator[Row]):
    """Rows that all have the same columns. Whoever takes them from ``cells`` has them without names, and sooner.

    :param names: of the columns, each once.
    :param cells: a tuple a row, in the order of the names; what is no tuple is a row as it is.
    """

    def __init__(self, names: Sequence[str], cells: Iterator[tuple[Any, ...] | Row]) -> None:
        self.names, self.cells = tuple(names), cells

    def __next__(self) -> Row:
        cells = next(self.cells)
        return dict(zip(self.names, cells)) if isinstance(cells, tuple) else cells  # noqa: B905 - as many, and quicker


def of_table(names: Sequence[str], cells: Iterator[tuple[Any, ...]]) -> Iterator[Row]:
    """Rows by their cells; of columns with equal names the last counts."""
    if len(set(names)) == len(names):
        return TableRows(names, cells)
    return map(dict, map(zip, repeat(names), cells))


def through(rows: Iterator[Row], wrap: Callable[[Iterator[Any]], Iterator[Any]]) -> Iterator[Row]:
    """Rows through what gives each as it is; of a table these still are one."""
    return TableRows(rows.names, wrap(rows.cells)) if isinstance(rows, TableRows) else wrap(rows)


def as_cells(rows: Iterator[Row], first: Iterator[Row]) -> Iterator[Any]:
    """Rows that come after others: by their cells where both are of tables with the same columns."""
    if isinstance(rows, TableRows) and isinstance(first, TableRows) and rows.names == first.names:
        return rows.cells
    return rows


@dataclass(eq=False, repr=False)
class RowStream:
    """An open source.

    :param columns: names of the columns, where the source knows them before the first row.
    :param rows: the rows, each read once, never all in memory.
    :param reading: how their values are written.
    :param reading_of_rows: how those of rows inside them are written, where that differs.
    :param assumed: what was guessed to read them, for messages.
    :param watchers: told the columns of each further table, what it is, and what was guessed, before its first row.
    """

    columns: Sequence[str] | None
    rows: Iterator[Row]
    reading: Reading = field(default_factory=lambda: _plain_reading())
    reading_of_rows: Reading | None = None
    assumed: str = ""
    watchers: list[Callable[[Sequence[str], object, str], None]] = field(default_factory=list)


class Source(ResolveMixin):
    """Where rows come from. A plain, mutable object: Airflow renders the attributes in ``template_fields``.

    The output of another task in one of them makes that task an upstream task of the one that reads the source.

    :param columns: ``{"target field": "source column"}`` for fields whose column has another name.
    """

    template_fields: ClassVar[tuple[str, ...]] = ()
    columns: ColumnMap | None = None

    @property
    def reading(self) -> Reading:
        """How values are written, in the source and in what is said for its empty cells."""
        return _plain_reading()

    @abstractmethod
    def open(self) -> AbstractContextManager[RowStream]:
        """Open the source for one pass over its rows.

        :raises SourceError: it cannot be read, and will not be next time either.
        :raises SourceUnavailable: the place did not answer.
        """

    @abstractmethod
    def serialize(self) -> dict[str, Any]:
        """What "Rendered Template" shows: never rows."""

    def iter_references(self) -> Iterator[tuple[Any, str]]:
        """Outputs of other tasks in this source: Airflow asks when a DAG is parsed."""
        from airflow.providers.common.compat.sdk import XComArg

        for name in self.template_fields:
            yield from XComArg.iter_xcom_references(getattr(self, name))

    def resolve(self, context: Context, **_: Any) -> Self:
        """A rendered copy: several tasks, and the instances of a mapped one, may hold the same source."""
        rendered = copy.copy(self)
        if not self.template_fields:
            return rendered
        task = context.get("task") or context["ti"].task
        environment = task.get_template_env()
        timezone = task.render_template(getattr(task, "source_timezone", None), context, environment)
        known: Any = ChainMap({"window": Window(context, timezone)}, context)  # type: ignore[arg-type]
        for name in self.template_fields:
            value = getattr(self, name)
            if value is not None:
                setattr(rendered, name, task.render_template(value, known, environment))
        return rendered

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.serialize().items())
        return f"{type(self).__name__}({shown})"


def _plain_reading() -> Reading:
    from airflow_provider_yandex_orders.rows.reading import Reading

    return Reading()


def plain(value: Any) -> Any:
    """A value as Airflow stores it in a serialized DAG: what is not rendered yet as text."""
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)
