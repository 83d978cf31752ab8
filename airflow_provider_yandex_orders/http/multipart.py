# SPDX-License-Identifier: Apache-2.0
"""A file as a ``multipart/form-data`` body that is never held in memory."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import BinaryIO

from airflow_provider_yandex_orders.exceptions import SourceUnavailable

BLOCK = 256 * 1024  # one block is sent under the connect time-out: small enough for a slow line


class FileBody:
    """One file part, as ``requests`` can send it: sized (no chunked framing) and read block by block.

    Each iteration opens the file anew, so that a request tried again sends all of it.

    :param open_file: gives the file, open for reading in binary mode.
    :param size: its length in bytes.
    :param filename: the name the service sees.
    :param content_type: media type of the part.
    :param field: name of the part.
    """

    def __init__(
        self,
        open_file: Callable[[], BinaryIO],
        *,
        size: int,
        filename: str,
        content_type: str,
        field: str = "file",
    ) -> None:
        self._open_file = open_file
        self._size = size
        self._filename = filename
        quoted = filename.translate({ord('"'): "%22", ord("\r"): "%0D", ord("\n"): "%0A"})
        boundary = uuid.uuid4().hex
        self.content_type = f"multipart/form-data; boundary={boundary}"
        self._head = (
            f"--{boundary}\r\n"
            f'Content-Disposition: form-data; name="{field}"; filename="{quoted}"\r\n'
            f"Content-Type: {content_type}\r\n\r\n"
        ).encode()
        self._tail = f"\r\n--{boundary}--\r\n".encode()

    def __len__(self) -> int:
        return len(self._head) + self._size + len(self._tail)

    def __iter__(self) -> Iterator[bytes]:
        yield self._head
        left = self._size
        with self._open_file() as file:
            while left:
                block = file.read(min(BLOCK, left))
                if not block:
                    # Not an OSError: requests would take that for the network's and hide the text.
                    raise SourceUnavailable(
                        f"Send {self._filename!r}: the file ended {left} bytes early: it changed while it was sent. "
                        "Run the task again and let nothing else write to its folder."
                    )
                left -= len(block)
                yield block
        yield self._tail
