# SPDX-License-Identifier: Apache-2.0
"""Which parts the service already has: read before a part is sent, written right after the answer."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from airflow_provider_yandex_orders.storage import write_whole

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath


class Progress(Protocol):
    """Remembers answers from one try of a task to the next."""

    def get(self, key: str) -> dict[str, Any] | None:
        """The answer kept under a key."""

    def set(self, key: str, answer: Mapping[str, Any]) -> None:
        """Keep an answer."""


def part_key(*target: object, sha256: str) -> str:
    """Key of a part: the same bytes sent to the same place in the same way.

    :param target: host, counter, kind of upload and whatever else changes what the service does with it.
    :param sha256: sum of the part's content.
    """
    place = "|".join(str(each) for each in target)
    return f"part-{hashlib.sha256(f'{place}|{sha256}'.encode()).hexdigest()[:40]}"


def progress_of(context: Mapping[str, Any], folder: ObjectStoragePath) -> Progress:
    """The task's own state store where Airflow has one (3.3), else a file beside the parts."""
    store = context.get("task_state_store")
    return _FileProgress(folder / "progress.json") if store is None else _StoreProgress(store)


class _StoreProgress:
    def __init__(self, store: Any) -> None:
        self._store = store

    def get(self, key: str) -> dict[str, Any] | None:
        answer: dict[str, Any] | None = self._store.get(key)
        return answer

    def set(self, key: str, answer: Mapping[str, Any]) -> None:
        self._store.set(key, dict(answer))


class _FileProgress:
    def __init__(self, path: ObjectStoragePath) -> None:
        self._path = path
        self._answers: dict[str, dict[str, Any]] | None = None

    def get(self, key: str) -> dict[str, Any] | None:
        return self._read().get(key)

    def set(self, key: str, answer: Mapping[str, Any]) -> None:
        answers = self._read()
        answers[key] = dict(answer)
        write_whole(self._path, msgspec.json.encode(answers))

    def _read(self) -> dict[str, dict[str, Any]]:
        if self._answers is None:
            try:
                self._answers = msgspec.json.decode(self._path.read_bytes(), type=dict[str, dict[str, Any]])
            except (FileNotFoundError, msgspec.DecodeError):  # none yet, or the worker died while writing it
                self._answers = {}
        return self._answers
