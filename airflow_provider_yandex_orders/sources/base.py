# SPDX-License-Identifier: Apache-2.0
"""What every source promises."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, ClassVar

Row = Mapping[str, Any]


class UnreadableRow(dict[str, Any]):
    """A row of the file that is no row; its only content is why."""

    def __init__(self, reason: str, fix: str) -> None:
        super().__init__()
        self.reason = reason
        self.fix = fix


@dataclass(frozen=True, slots=True)
class RowStream:
    """An open source.

    :param columns: names of the columns, where the source knows them before the first row.
    :param rows: the rows, each read once, never all in memory.
    """

    columns: Sequence[str] | None
    rows: Iterator[Row]


class Source:
    """Where rows come from. A plain, mutable object: Airflow renders the attributes in ``template_fields``.

    :param columns: ``{"target field": "source column"}`` for fields whose column has another name.
    """

    template_fields: ClassVar[tuple[str, ...]] = ()
    columns: dict[str, str] | None = None

    @abstractmethod
    def open(self) -> AbstractContextManager[RowStream]:
        """Open the source for one pass over its rows.

        :raises SourceError: it cannot be read, and will not be next time either.
        :raises SourceUnavailable: the place did not answer.
        """

    @abstractmethod
    def serialize(self) -> dict[str, Any]:
        """What "Rendered Template" shows: never rows."""

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.serialize().items())
        return f"{type(self).__name__}({shown})"
