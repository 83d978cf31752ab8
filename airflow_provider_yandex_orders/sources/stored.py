# SPDX-License-Identifier: Apache-2.0
"""The bytes of files, on local disk or in object storage, plain or gzip."""

from __future__ import annotations

import gzip
import logging
import os
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import IO, TYPE_CHECKING, cast

from airflow_provider_yandex_orders.exceptions import PassingError, PermanentError, SourceError, SourceUnavailable
from airflow_provider_yandex_orders.sources.encodings import guess_encoding
from airflow_provider_yandex_orders.storage_faults import storage_fault

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath
    from fsspec import AbstractFileSystem

log = logging.getLogger(__name__)

READ_ERRORS = (OSError, EOFError, UnicodeError, zlib.error)
_NO_DATA = (".", "~$")
_GZIP = b"\x1f\x8b"
_CURE = "Correct path= or conn_id=, or install the Airflow provider of this storage."


@dataclass(eq=False, repr=False)
class StoredFile:
    """One file.

    :param conn_id: Airflow connection of the object storage.
    """

    path: str
    conn_id: str | None = None

    def __repr__(self) -> str:
        return f"FileSource({self.path!r})"

    @property
    def place(self) -> ObjectStoragePath:
        """Where it is."""
        from airflow.providers.common.compat.sdk import ObjectStoragePath

        return ObjectStoragePath(self.path, conn_id=self.conn_id)

    @contextmanager
    def opened(self) -> Iterator[IO[bytes]]:
        """The file's bytes, unpacked; gzip is known by its first bytes.

        :raises SourceUnavailable: there is no such file yet, or its place does not answer.
        """
        with ExitStack() as opened:
            try:
                file: IO[bytes] = opened.enter_context(self.place.open("rb"))
                packed = file.read(2) == _GZIP
                file.seek(0)
                if packed:
                    file = cast("IO[bytes]", opened.enter_context(gzip.open(file)))
            except Exception as error:  # noqa: BLE001 - whatever a storage raises
                raise self.explained(error) from None
            yield file

    def explained(self, error: Exception, encoding: str = "utf-8") -> PermanentError | PassingError:
        """An error of reading in our words."""
        if isinstance(error, FileNotFoundError):
            return SourceUnavailable(
                f"Read {self!r}: there is no such file, or not yet. Retries wait for a late one. Else check the path "
                "as rendered, and that the task that writes it runs on a machine that shares it with this one."
            )
        if isinstance(error, UnicodeError):
            with self.opened() as file:
                looks = guess_encoding(file)
            if looks == encoding:
                return self.spoilt(f"the file is not whole {encoding.upper()}: some bytes are damaged. Save it anew")
            advice = f"It looks like {looks}: say encoding={looks!r}" if looks else "Name its own by encoding="
            return self.spoilt(f"the file is not {encoding.upper()}. {advice}, or save it as UTF-8")
        if isinstance(error, (gzip.BadGzipFile, EOFError, zlib.error)):
            return self.spoilt("the file is not a whole gzip file. Write it anew")
        return storage_fault("Read", self, error, _CURE)

    def spoilt(self, what: str) -> SourceError:
        """An error that says what is wrong inside the file.

        :param what: that, and what to do, without the last full stop.
        """
        return SourceError(f"Read {self!r}: {what}; nothing was sent.")


def find_files(paths: Sequence[str], conn_id: str | None) -> list[StoredFile]:
    """The files of paths and globs, each once; those of a glob in the order of their names."""
    found: list[StoredFile] = []
    for path in paths:
        names = _matching(path, conn_id) if set(path) & set("*?[") else [path]
        found += [StoredFile(name, conn_id) for name in names]
    if len(found) == 1:
        return found
    once: dict[object, StoredFile] = {}
    for file in found:
        known = once.setdefault(_identity(file), file)
        if known is not file:
            log.warning("%r and %r are one file: it is read once.", known, file)
    return list(once.values())


def _identity(file: StoredFile) -> object:
    """What all spellings of one file have in common; in object storage ``//`` and ``./`` are part of a name."""
    try:
        place = file.place
        protocol = place.fs.protocol if isinstance(place.fs.protocol, str) else place.fs.protocol[0]
        name = place.fs._strip_protocol(place.path)
        account = getattr(place, "conn_id", None) or place.storage_options.get("conn_id")  # the latter: Airflow 2.11
    except Exception as error:  # noqa: BLE001 - whatever a storage raises
        raise file.explained(error) from None
    return os.path.realpath(name) if protocol == "file" else (protocol, account, name)


def _matching(pattern: str, conn_id: str | None) -> list[str]:
    glob = StoredFile(pattern, conn_id)
    try:
        place = glob.place
        if "*" not in pattern and place.is_file():
            return [pattern]  # a name may have brackets
        names = sorted(_listed(place.fs, place.fs._strip_protocol(place.path)))
    except Exception as error:  # noqa: BLE001 - whatever a storage raises
        raise glob.explained(error) from None
    if not names:
        raise SourceUnavailable(
            f"Read {glob!r}: no file fits, or not yet. Retries wait for a late one; else correct the path as rendered."
        )
    start, mark, rest = pattern.partition("://")
    if not mark:
        return names
    account = f"{rest.split('@', 1)[0]}@" if "@" in rest.split("/", 1)[0] else ""
    return [f"{start}://{account}{name.lstrip('/') if start != 'file' else name}" for name in names]


def _listed(storage: AbstractFileSystem, pattern: str) -> Iterator[str]:
    """Names of the files that fit. The storage's own ``glob`` passes over a folder it cannot list.

    Hidden files, and those that mark an open workbook, are no data, unless the pattern spells their beginning.
    """
    from fsspec.utils import glob_translate

    fits = re.compile(glob_translate(pattern)).match
    root = re.split(r"[*?[]", pattern, maxsplit=1)[0].rpartition("/")[0] + "/"
    steps = pattern[len(root) :].split("/")
    spelt = any(step.startswith(_NO_DATA) for step in steps)
    deep = next((depth for depth, step in enumerate(steps) if "**" in step), len(steps))
    folders = [(root, 0)]
    while folders:
        folder, depth = folders.pop()
        try:
            infos = storage.ls(folder, detail=True)
        except FileNotFoundError:
            if folder is root:
                return
            raise
        for info in infos:
            name = info["name"].rstrip("/")
            if not spelt and name.rpartition("/")[2].startswith(_NO_DATA):
                log.info("%s is passed over: a hidden file or folder, or the mark of an open workbook.", name)
            elif info["type"] == "file" and fits(name):
                yield name
            elif info["type"] == "directory" and name != folder.rstrip("/"):
                last = name.rpartition("/")[2]
                if depth >= deep or (depth < len(steps) - 1 and fnmatchcase(last, steps[depth])):
                    folders.append((name, depth + 1))
