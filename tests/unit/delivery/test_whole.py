# SPDX-License-Identifier: Apache-2.0
"""Files that are there whole or not at all, on any storage."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from airflow_provider_yandex_orders.exceptions import PassingError
from airflow_provider_yandex_orders.storage import (
    check_writable,
    is_local,
    put_whole,
    scratch_folder,
    whole_file,
    write_whole,
)
from tests.support.breaking_store import breaks_after

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


def files_in(folder: ObjectStoragePath) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_file())


def test_a_block_that_breaks_leaves_what_was_there(folder: ObjectStoragePath) -> None:
    write_whole(folder / "old.bin", b"old")
    for name in ("old.bin", "new.bin"):
        with pytest.raises(LookupError):
            _stream(folder / name, b"half", error=LookupError())
    assert files_in(folder) == ["old.bin"]
    assert (folder / "old.bin").read_bytes() == b"old"
    with whole_file(folder / "old.bin") as file:
        file.write(b"whole")
    assert (folder / "old.bin").read_bytes() == b"whole"


WAYS: dict[str, Callable[[ObjectStoragePath, bytes, Path], None]] = {
    "small": lambda path, content, _tmp: write_whole(path, content),
    "stream": lambda path, content, _tmp: _stream(path, content),
    "copy": lambda path, content, tmp: _copy(path, content, tmp),
}


def _stream(path: ObjectStoragePath, content: bytes, error: Exception | None = None) -> None:
    with whole_file(path) as file:
        for start in range(0, len(content), 7):
            file.write(content[start : start + 7])
        if error:
            raise error


def _copy(path: ObjectStoragePath, content: bytes, tmp: Path) -> None:
    (tmp / "finished").write_bytes(content)
    put_whole(tmp / "finished", path)


@pytest.mark.parametrize("way", WAYS)
def test_a_storage_that_breaks_in_the_middle(memory_url: str, tmp_path: Path, way: str) -> None:
    folder = path_of(memory_url) / "folder"
    write_whole(folder / "old.bin", b"old")
    for name in ("old.bin", "new.bin"):
        with breaks_after(10), pytest.raises(PassingError, match=rf"Write .*{name}.*ConnectionError: the line broke"):
            WAYS[way](folder / name, b"x" * 30, tmp_path)
    assert files_in(folder) == ["old.bin"]
    assert (folder / "old.bin").read_bytes() == b"old"
    WAYS[way](folder / "new.bin", b"x" * 30, tmp_path)
    assert (folder / "new.bin").read_bytes() == b"x" * 30


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is always full")
def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    path = path_of(tmp_path / "a.bin")
    write_whole(path, b"old")

    def write() -> None:
        with whole_file(path) as file, Path("/dev/full").open("wb") as full:
            file.write(b"newer")
            os.dup2(full.fileno(), file.fileno())

    with pytest.raises(PassingError, match=r"a\.bin: OSError.*No space"):
        write()
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("a.bin", b"old")]


@pytest.mark.parametrize("way", WAYS)
def test_local_files_are_closed_to_others(tmp_path: Path, way: str) -> None:
    mask = os.umask(0)
    try:
        WAYS[way](path_of(tmp_path / "b" / "c" / "a.bin"), b"x", tmp_path)
    finally:
        os.umask(mask)
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("b", "b/c", "b/c/a.bin")]
    assert modes == [0o700, 0o700, 0o600]


KILLED = """
import os, signal
from pathlib import Path
from airflow_provider_yandex_orders.storage import scratch_folder, whole_file
from airflow.providers.common.compat.sdk import ObjectStoragePath
with scratch_folder("a task") as scratch, whole_file(ObjectStoragePath({path!r})) as file:
    (scratch / "page").write_bytes(b"x")
    file.write(b"half")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_task_leaves_goes_with_the_next_try(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch_root, folder = tmp_path / "tmp", tmp_path / "staging"
    scratch_root.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch_root))
    code = KILLED.format(path=str(folder / "a.bin"))
    subprocess.run([sys.executable, "-c", code], env=os.environ | {"TMPDIR": str(scratch_root)}, check=False)
    assert len(list(scratch_root.iterdir())) == len(list(folder.iterdir())) == 1
    with scratch_folder("a task") as first:
        with scratch_folder("a task") as second:
            assert sorted(scratch_root.iterdir()) == sorted([first, second])  # one in use is left alone
        with whole_file(path_of(folder / "b.bin")):
            check_writable(path_of(folder), "Prepare", "Correct it.")
            assert [path.name[:7] for path in folder.iterdir()] == [".b.bin."]
    assert list(scratch_root.iterdir()) == []
