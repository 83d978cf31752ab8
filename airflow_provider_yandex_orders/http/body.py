# SPDX-License-Identifier: Apache-2.0
"""Request bodies: files that are never held in memory, and small ones that are."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import BinaryIO

from airflow_provider_yandex_orders.exceptions import SourceUnavailable

BLOCK = 256 * 1024  # one block is sent under the connect time-out: small enough for a slow line


@dataclass(frozen=True, slots=True)
class Content:
    """A small body, ready to be sent. Its bytes appear in no message: they may hold a token.

    :param again: the bytes of a repeat, once the first may have taken effect; ``None`` for the same.
    """

    data: bytes = field(repr=False)
    content_type: str
    again: bytes | None = field(default=None, repr=False)

    def repeated(self) -> Content:
        """What a repeat sends."""
        return self if self.again is None else Content(self.again, self.content_type)


class FileBody:
    """A file as a body ``requests`` can send: sized (no chunked framing) and read block by block.

    Each iteration opens the file anew, so that a request tried again sends all of it.

    :param open_file: gives the file, open for reading in binary mode.
    :param size: its length in bytes.
    :param filename: its name, for messages.
    :param content_type: media type of the whole body.
    :param head: what stands before the file.
    :param tail: what stands after it.
    """

    def __init__(
        self,
        open_file: Callable[[], BinaryIO],
        *,
        size: int,
        filename: str,
        content_type: str,
        head: bytes = b"",
        tail: bytes = b"",
    ) -> None:
        self._open_file = open_file
        self._size = size
        self._filename = filename
        self._head = head
        self._tail = tail
        self.content_type = content_type

    def __len__(self) -> int:
        return len(self._head) + self._size + len(self._tail)

    def __iter__(self) -> Iterator[bytes]:
        if self._head:
            yield self._head
        left = self._size
        with ExitStack() as opened:
            file = None
            while left:
                try:
                    file = file or opened.enter_context(self._open_file())
                    block = file.read(min(BLOCK, left))
                except Exception as error:  # noqa: BLE001 - whatever a storage raises
                    raise SourceUnavailable(
                        f"Send {self._filename!r}: the file cannot be read now ({type(error).__name__}). The next try "
                        "may pass."
                    ) from None
                if not block:
                    # Not an OSError: requests would take that for the network's and hide the text.
                    raise SourceUnavailable(
                        f"Send {self._filename!r}: the file ended {left} bytes early: it changed while it was sent. "
                        "Run the task again and let nothing else write to its folder."
                    )
                left -= len(block)
                yield block
        if self._tail:
            yield self._tail


def multipart(
    open_file: Callable[[], BinaryIO], *, size: int, filename: str, part_type: str, field: str = "file"
) -> FileBody:
    """The file as the one part of a ``multipart/form-data`` body."""
    boundary = uuid.uuid4().hex
    quoted = filename.translate({ord('"'): "%22", ord("\r"): "%0D", ord("\n"): "%0A"})
    return FileBody(
        open_file,
        size=size,
        filename=filename,
        content_type=f"multipart/form-data; boundary={boundary}",
        head=(
            f"--{boundary}\r\n"
            f'Content-Disposition: form-data; name="{field}"; filename="{quoted}"\r\n'
            f"Content-Type: {part_type}\r\n\r\n"
        ).encode(),
        tail=f"\r\n--{boundary}--\r\n".encode(),
    )
