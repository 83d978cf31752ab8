# SPDX-License-Identifier: Apache-2.0
"""Rows of the part files another upload task has prepared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from itertools import chain
from typing import Any

import msgspec

from airflow_provider_yandex_orders.exceptions import ConfigurationError, SourceError
from airflow_provider_yandex_orders.rows.reading import Reading
from airflow_provider_yandex_orders.sources.base import Row, RowStream, Source
from airflow_provider_yandex_orders.sources.file import FileSource
from airflow_provider_yandex_orders.storage import read_seen, require_seen

_decode = msgspec.json.Decoder(dict[str, list[dict[str, Any]]], float_hook=Decimal).decode  # amounts stay exact


def parts_in(delivery: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All parts of a delivery, also where their list lies in a file of its own.

    :raises SourceUnavailable: this worker does not see that file.
    """
    path = delivery.get("parts_path")
    if not path:
        return list(delivery["parts"])
    try:
        return msgspec.json.decode(read_seen(str(path)), type=list[dict[str, Any]])
    except msgspec.DecodeError:
        raise SourceError(f"Read {path}: this is no list of parts. Clear the upload task that made it.") from None


class PartsSource(Source):
    """The rows of prepared deliveries, as upload operators return them, by the service's field names."""

    def __init__(self, *deliveries: Mapping[str, Any]) -> None:
        self.entity = str(deliveries[0]["entity"])
        self._deliveries = deliveries

    @property
    def planned(self) -> int | None:
        """The journal's turn as of which the parts were prepared, of several the earliest."""
        turns = [(delivery.get("plan") or {}).get("as_of") for delivery in self._deliveries]
        return min((int(turn) for turn in turns if turn is not None), default=None)

    @contextmanager
    def open(self) -> Iterator[RowStream]:
        """Read one part after the other."""
        yield RowStream(None, self._rows(), Reading(null_values=frozenset()))

    def serialize(self) -> dict[str, Any]:
        """The paths."""
        paths: list[str] = []
        for delivery in self._deliveries:
            listed = delivery.get("parts_path")
            paths += [str(listed)] if listed else [str(part["path"]) for part in delivery["parts"]]
        return {"entity": self.entity, "paths": paths}

    def check_destination(self, **wanted: object) -> None:
        """Make sure that the parts were made to be sent by this task: they are in the time zone of their place.

        :param wanted: ``service``, ``entity``, ``counter_id``, ``merge_mode``, ... of the task that sends them. What a
            delivery does not tell is not compared.
        :raises ConfigurationError: they were made for another place, or sent already.
        """
        for delivery in self._deliveries:
            if "rows_prepared" not in delivery:
                raise ConfigurationError(
                    "source= is a delivery that was sent already: its rows would go out twice. Give the output of a "
                    "task with send=False, or the rows' own source."
                )
            for name, value in wanted.items():
                made_for = delivery.get(name, value)
                if str(made_for) != str(value):
                    raise ConfigurationError(
                        f"source= is a delivery whose {name} is {made_for!r}, and that of this task is {value!r}. "
                        "Parts keep the form and the time zone of what they were prepared for: prepare them anew."
                    )

    def parts(self) -> Iterator[Mapping[str, Any]]:
        """All parts."""
        return chain.from_iterable(map(parts_in, self._deliveries))

    def _rows(self) -> Iterator[Row]:
        for delivery in self._deliveries:
            rows = self._rows_of(parts_in(delivery))
            versions = (delivery.get("plan") or {}).get("versions_path")
            if not versions:
                yield from rows
                continue
            require_seen(versions)
            with FileSource(versions).open() as stream:
                yield from ({**row, **version} for row, version in zip(rows, stream.rows, strict=True))

    def _rows_of(self, parts: Iterable[Mapping[str, Any]]) -> Iterator[Row]:
        for part in parts:
            path = str(part["path"])
            if path.endswith(".csv"):
                require_seen(path)
                with FileSource(path, multiline=True).open() as stream:
                    yield from stream.rows
            else:
                try:
                    yield from _decode(read_seen(path))[self.entity]
                except (msgspec.DecodeError, KeyError):
                    raise SourceError(
                        f"Read {path}: this is no document with {self.entity}, as an upload task writes it. Clear the "
                        "upload task that made it; nothing was sent."
                    ) from None
