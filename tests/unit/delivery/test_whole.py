# SPDX-License-Identifier: Apache-2.0
"""Small files that are there whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from airflow_provider_yandex_orders.storage import is_local, write_whole

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath


def path_of(place: Path | str) -> ObjectStoragePath:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    path: ObjectStoragePath = ObjectStoragePath(str(place))
    return path


def test_write_and_write_again(folder: ObjectStoragePath) -> None:
    path = folder / "a.json"
    for content in (b"first, and longer", b"second", b""):
        write_whole(path, content)
        assert path.read_bytes() == content
    assert [each.name for each in folder.glob("*")] == ["a.json"]


def test_the_folder_is_made(tmp_path: Path, memory_url: str) -> None:
    for place in (tmp_path / "b" / "c" / "a.bin", f"{memory_url}/b/c/a.bin"):
        write_whole(path_of(place), b"x")
        assert path_of(place).read_bytes() == b"x"


def test_what_is_local(tmp_path: Path, memory_url: str) -> None:
    assert is_local(path_of(tmp_path))
    assert is_local(path_of(f"file://{tmp_path}"))
    assert not is_local(path_of(memory_url))


def test_a_file_url(tmp_path: Path) -> None:
    write_whole(path_of(f"file://{tmp_path}/a.bin"), b"x")
    assert (tmp_path / "a.bin").read_bytes() == b"x"


def test_a_crash_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = path_of(tmp_path / "a.bin")
    write_whole(path, b"old")

    def half(self: Path, content: bytes) -> int:
        with self.open("wb") as file:
            file.write(content[:3])
        raise OSError("no space left on the device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", half)
        with pytest.raises(OSError, match="no space"):
            write_whole(path, b"newer")
    assert path.read_bytes() == b"old"
    write_whole(path, b"newest")  # what the crash left is in nobody's way
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("a.bin", b"newest")]
