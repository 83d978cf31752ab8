# SPDX-License-Identifier: Apache-2.0
"""What earlier tries sent is remembered, in Airflow's store or in a file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_yandex_orders.delivery.progress import Progress, part_key, progress_of

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

ANSWER = {"upload_id": "u-1", "status": "PASSED", "rows_accepted": 5}


class _Store:
    """What Airflow 3.3 puts into the context: values go through JSON and must be no ``None``."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def get(self, key: str, default: Any = None) -> Any:
        return json.loads(self.kept[key]) if key in self.kept else default

    def set(self, key: str, value: Any) -> None:
        assert value is not None
        self.kept[key] = json.dumps(value)


@pytest.mark.parametrize("stored", [True, False], ids=["store", "file"])
def test_what_is_kept_is_there_on_the_next_try(folder: ObjectStoragePath, stored: bool) -> None:
    context = {"task_state_store": _Store()} if stored else {}

    def next_try() -> Progress:
        return progress_of(context, folder)

    first = next_try()
    assert first.get("a") is None
    first.set("a", ANSWER)
    first.set("b", {**ANSWER, "rows_accepted": None})
    assert first.get("a") == ANSWER
    later = next_try()
    assert later.get("a") == ANSWER
    assert later.get("b") == {**ANSWER, "rows_accepted": None}
    assert later.get("c") is None
    assert (folder / "progress.json").exists() is not stored


@pytest.mark.parametrize("content", [b"", b'{"a": {"upload', b"null", b"[]", b'{"a": 5}', b"\xff"])
def test_a_damaged_file_is_as_none(folder: ObjectStoragePath, content: bytes) -> None:
    (folder / "progress.json").write_bytes(content)
    progress = progress_of({}, folder)
    assert progress.get("a") is None
    progress.set("a", ANSWER)
    assert progress_of({}, folder).get("a") == ANSWER


def test_the_key_tells_targets_and_contents_apart() -> None:
    targets = [
        ("https://a", 1, "simple_orders", "SAVE"),
        ("https://b", 1, "simple_orders", "SAVE"),
        ("https://a", 2, "simple_orders", "SAVE"),
        ("https://a", 1, "orders", "SAVE"),
        ("https://a", 1, "simple_orders", "UPDATE"),
    ]
    keys = [part_key(*target, sha256=content) for target in targets for content in ("x", "y")]
    assert len(set(keys)) == 10
    assert keys[0] == part_key(*targets[0], sha256="x")
    assert all(key.replace("-", "").isalnum() and len(key) <= 100 for key in keys)
