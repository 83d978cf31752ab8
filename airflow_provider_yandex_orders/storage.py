# SPDX-License-Identifier: Apache-2.0
"""Where an upload's files lie: one folder a task instance, on any storage, and how files get there whole."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, cast

from airflow.providers.common.compat.sdk import conf

from airflow_provider_yandex_orders.exceptions import ConfigurationError, SourceUnavailable
from airflow_provider_yandex_orders.storage_faults import DISK_ERRNO, STAGING_CURE, named_faults, storage_fault

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

_RIGHTS: Final = {
    "write": "s3:PutObject or its like",
    "list": "s3:ListBucket or its like",
    "read": "s3:GetObject or its like",
    "delete": "s3:DeleteObject or its like",
}
_PROBE: Final = ".yandex-orders-probe"
_MB: Final = 1024 * 1024
_UPLOADS_WHOLE: Final[Mapping[str, Mapping[str, int]]] = {
    **{scheme: {"chunksize": 16 * _MB, "max_concurrency": 2} for scheme in ("s3", "s3a")},
    **{scheme: {"chunksize": 16 * _MB} for scheme in ("gs", "gcs")},
    **{scheme: {} for scheme in ("abfs", "abfss", "adl", "az")},
}
"""Storages where an object appears when the upload of a local file ends, and what keeps such an upload small in memory.
Everywhere else a file appears with its first byte."""

# Where files lie.


def staging_folder(staging_path: str | None, context: Mapping[str, Any]) -> ObjectStoragePath:
    """Folder of a task instance, ready to be written: ``<staging_path>/<dag_id>/<run_id>/<task_id>[/<map_index>]``.

    :param staging_path: folder or object storage URL; ``None`` for ``[yandex_orders] staging_path`` of the
        configuration, and where that is empty, ``$AIRFLOW_HOME/yandex_orders``.
    :raises ConfigurationError: it cannot be written there, and never will.
    """
    ti = context.get("ti")
    if ti is None:
        raise ConfigurationError(
            "The context has no task instance (ti), which says where files lie and who sends. In a unit test the "
            "pytest fixture yandex_context of this package makes a context."
        )
    folder = staging_root(staging_path).joinpath(*map(folder_name, (ti.dag_id, ti.run_id, ti.task_id)))
    if ti.map_index >= 0:
        folder = folder / str(ti.map_index)
    check_writable(folder, "Prepare the staging folder", STAGING_CURE)
    return folder


def folder_name(name: str) -> str:
    """An id as the name of one folder: slashes, zero bytes, and dots alone would lead elsewhere."""
    safe = name.replace("/", "%2F").replace("\0", "%00")
    return safe if safe.strip(".") else safe.replace(".", "%2E")


def staging_root(staging_path: str | None) -> ObjectStoragePath:
    """Where the folders of all task instances lie."""
    chosen = staging_path or conf.get("yandex_orders", "staging_path", fallback="")
    return opened_path(chosen or _local_root(), "Prepare the staging folder", STAGING_CURE)


def opened_path(url: str, doing: str, cure: str) -> ObjectStoragePath:
    """A folder or file by its URL.

    :raises ConfigurationError: no storage of this kind is installed, or its connection cannot work.
    """
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    with named_faults(doing, url, cure):
        path = ObjectStoragePath(url)
        path.fs  # noqa: B018 - asks for the storage and its connection now
        return path


def check_writable(folder: ObjectStoragePath, doing: str, cure: str, *, only_write: bool = False) -> None:
    """Make sure that a folder can be used, by a small file written and removed, before any work is done for it.

    A local folder is made, closed to other users, and what killed tasks left half-written in it is removed. In object
    storage the keys must be good for listing, reading and deleting too, where a task goes on from its own files.

    :param only_write: ask for no other right, and make no folder yet.
    :raises ConfigurationError: something of it is not; the message names it.
    """
    probe = (_nearest(folder) if only_write and is_local(folder) else folder) / _PROBE
    steps: dict[str, Callable[[], object]] = {
        "write": lambda: _write(probe, b""),
        "list": lambda: None if only_write else probe.fs.ls(folder.path),
        "read": lambda: probe.fs.cat_file(probe.path),
        "delete": lambda: probe.fs.rm_file(probe.path),
    }
    for right, step in steps.items():
        try:
            step()
        except Exception as error:  # noqa: BLE001 - whatever a storage raises
            if right != "write" and (only_write or isinstance(error, FileNotFoundError)):
                continue  # not found: another try of this task has just removed it
            needed = "" if is_local(folder) else f"{right} ({_RIGHTS[right]})"
            raise storage_fault(doing, folder, error, cure, needed) from None
    if is_local(folder):
        for left in Path(folder.path).glob(".*.new"):
            if _abandoned(left):
                left.unlink(missing_ok=True)


def _nearest(folder: ObjectStoragePath) -> ObjectStoragePath:
    """The folder, or where it is not there yet, the one it would be made in."""
    while folder.parent != folder and not folder.exists():
        folder = folder.parent
    return folder


def _local_root() -> str:
    """The local default, closed to other users of the machine: parts hold personal data."""
    root = Path(os.environ.get("AIRFLOW_HOME") or "~/airflow").expanduser() / "yandex_orders"
    with named_faults("Prepare the staging folder", root):
        _make_folder(root)
    return str(root)


def is_local(path: ObjectStoragePath) -> bool:
    """Whether a path lies on this machine's own file system."""
    return path.protocol in ("", "file", "local")


def is_staged(path: ObjectStoragePath) -> bool:
    """Whether a path lies where tasks of this machine keep their files, so that another worker may have it."""
    root = staging_root(None)
    return is_local(path) and is_local(root) and Path(path.path).is_relative_to(root.path)


# Whole or not at all.


@contextmanager
def whole_file(path: ObjectStoragePath) -> Iterator[IO[bytes]]:
    """A file to write that takes its place when the block ends well; else what was there before stays.

    It is written on local disk first, whatever the storage: the files of fsspec commit what they have when a block
    breaks, and each storage gives up an upload in a way of its own. Nothing leaves this machine before it is whole.
    """
    if is_local(path):
        with _named_disk(path), _local_file(Path(path.path)) as file:
            yield file
        return
    with scratch_folder(str(path)) as scratch:
        local = scratch / path.name
        with local.open("wb") as file:
            yield file
        put_whole(local, path)


@contextmanager
def _named_disk(place: object) -> Iterator[None]:
    """Name a disk that cannot be written; what else the block raises is its own."""
    try:
        yield
    except OSError as error:
        if error.errno not in DISK_ERRNO:
            raise
        raise storage_fault("Write", place, error, STAGING_CURE) from None


def write_whole(path: ObjectStoragePath, content: bytes) -> None:
    """Write a small file, whole or not at all."""
    with named_faults("Write", path):
        _write(path, content)


def put_whole(local: Path, path: ObjectStoragePath) -> None:
    """Copy a finished local file to any storage, whole or not at all.

    :param path: where it goes; what is there is replaced.
    """
    with named_faults("Write", path):
        if is_local(path):
            with local.open("rb") as read, _local_file(Path(path.path)) as written:
                shutil.copyfileobj(read, written, _MB)
        else:
            _place(path, lambda name, options: path.fs.put_file(str(local), name, **options))


def _write(path: ObjectStoragePath, content: bytes) -> None:
    if is_local(path):
        with _local_file(Path(path.path)) as file:
            file.write(content)
    else:
        _place(path, lambda name, _options: path.fs.pipe_file(name, content))


def _place(path: ObjectStoragePath, put: Callable[[str, Mapping[str, int]], object]) -> None:
    options = _UPLOADS_WHOLE.get(path.protocol)
    if options is not None:
        put(path.path, options)
        return
    folder, _, name = path.path.rpartition("/")
    new = f"{folder}/.{name}.{os.urandom(4).hex()}.new"
    try:
        path.fs.makedirs(folder, exist_ok=True)
        put(new, {})
        path.fs.mv(new, path.path)
    except BaseException:
        with suppress(Exception):
            path.fs.rm_file(new)
        raise


@contextmanager
def _local_file(path: Path) -> Iterator[IO[bytes]]:
    """A file under a name of its own, closed to other users, that is renamed at the end."""
    _make_folder(path.parent)
    number, new = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".new", dir=path.parent)
    try:
        with os.fdopen(number, "wb") as file:
            _hold(number)
            yield file
            file.flush()
            Path(new).replace(path)
    except BaseException:
        Path(new).unlink(missing_ok=True)
        raise


def _make_folder(path: Path) -> None:
    """Make a folder and those above it, closed to other users; one that is there stays as it is."""
    for folder in [*reversed(path.parents), path]:
        if not folder.is_dir():
            folder.mkdir(mode=0o700, exist_ok=True)


# Read again.


def read_whole(path: ObjectStoragePath) -> bytes:
    """The bytes of a small file.

    :raises FileNotFoundError: the storage says that there is none.
    """
    with named_faults("Read", path, missing=True):
        return cast("bytes", path.fs.cat_file(path.path))


def size_of(path: ObjectStoragePath) -> int | None:
    """The length of a file in bytes; ``None`` for a folder.

    :raises FileNotFoundError: the storage says that there is none.
    """
    with named_faults("Read", path, missing=True):
        found = path.fs.info(path.path)
        return int(found["size"]) if found["type"] == "file" else None


def require_seen(url: str) -> None:
    """Make sure that a file of an earlier task is seen from here, before it is read.

    :raises SourceUnavailable: it is not there.
    """
    try:
        size_of(opened_path(url, "Read", STAGING_CURE))
    except FileNotFoundError:
        raise unseen(url) from None


def read_seen(url: str) -> bytes:
    """The bytes of a small file of an earlier task.

    :raises SourceUnavailable: it is not there.
    """
    try:
        return read_whole(opened_path(url, "Read", STAGING_CURE))
    except FileNotFoundError:
        raise unseen(url) from None


def unseen(url: str) -> SourceUnavailable:
    """What to say of a file that an earlier task wrote and this one does not find."""
    return SourceUnavailable(
        f"Read {url}: an earlier task wrote it, and there is no such file here. A local folder is seen by one machine "
        "only: where workers are several, set staging_path of both tasks, or [yandex_orders] staging_path, to a place "
        "all of them see, such as object storage. If the file was removed, clear the task that wrote it. The next try "
        "may run where the file is."
    )


# What killed tasks leave.


@contextmanager
def scratch_folder(name: str) -> Iterator[Path]:
    """A private folder on local disk, removed at the end. What a killed user of the same name left is removed first.

    :param name: what it is for, such as the path of the file that is made in it.
    """
    prefix = f"yandex-orders-{hashlib.sha256(name.encode()).hexdigest()[:12]}-"
    for left in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        if _abandoned(left):
            shutil.rmtree(left, ignore_errors=True)
    with _named_disk(tempfile.gettempdir()), tempfile.TemporaryDirectory(prefix=prefix) as folder:
        number = os.open(folder, os.O_RDONLY)
        try:
            _hold(number)
            yield Path(folder)
        finally:
            os.close(number)


def _hold(number: int) -> None:
    """Lock a file or folder for as long as this process lives: who finds it unlocked may remove it."""
    with suppress(OSError):  # a file system without locks: nothing is ever found unlocked there
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _abandoned(path: Path) -> bool:
    try:
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(number)
    return True
