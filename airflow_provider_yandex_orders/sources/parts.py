# SPDX-License-Identifier: Apache-2.0
"""Rows of the part files another upload task has prepared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import msgspec

from airflow_provider_yandex_orders.exceptions import SourceError
from airflow_provider_yandex_orders.sources.base import Row, RowStream, Source
from airflow_provider_yandex_orders.sources.file import FileSource
from airflow_provider_yandex_orders.storage import require_seen

_decode = msgspec.json.Decoder(dict[str, list[dict[str, Any]]], float_hook=Decimal).decode  # amounts stay exact


class PartsSource(Source):
    """The rows of a delivery, by the service's field names.

    :param delivery: what an upload operator returned.
    """

    def __init__(self, delivery: Mapping[str, Any]) -> None:
        self.entity = str(delivery["entity"])
        self.paths = [str(part["path"]) for part in delivery["parts"]]

    @contextmanager
    def open(self) -> Iterator[RowStream]:
        """Read one part after the other."""
        yield RowStream(None, self._rows())

    def serialize(self) -> dict[str, Any]:
        """The paths."""
        return {"entity": self.entity, "paths": self.paths}

    def _rows(self) -> Iterator[Row]:
        for path in self.paths:
            require_seen(path)
            source = FileSource(path)
            if path.endswith(".csv"):
                with source.open() as stream:
                    yield from stream.rows
            else:
                with source.opened() as file:
                    content = file.read()
                try:
                    yield from _decode(content)[self.entity]
                except (msgspec.DecodeError, KeyError):
                    raise SourceError(
                        f"Read {path}: this is no document with {self.entity}, as an upload task writes it. Clear the "
                        "upload task that made it; nothing was sent."
                    ) from None
