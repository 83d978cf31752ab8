# SPDX-License-Identifier: Apache-2.0
"""Answers that end: none takes longer than it may, whichever of its parts comes slowly or without an end.

The time-out of a socket begins anew with each byte, and only a body is read piece by piece: the first lines, the lines
between chunks and those after the last one are read as long as they come.
"""

from __future__ import annotations

import io
import time
from http.client import HTTPResponse
from socket import socket
from typing import Any

from requests.adapters import HTTPAdapter

MOST_SECONDS = 300.0
"""An answer that is on its way takes no longer, and no more than ten times the wait for it."""


class TooSlow(Exception):
    """An answer has no end in sight. No error of the network, which urllib3 would take it for."""


class EndingAnswers(HTTPAdapter):
    """Connections whose answers end."""

    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> Any:
        """The connections to a host."""
        return _ending(super().get_connection_with_tls_context(*args, **options))

    def get_connection(self, *args: Any, **options: Any) -> Any:
        """The connections to a host, for a requests below 2.32."""
        return _ending(super().get_connection(*args, **options))


def _ending(connections: Any) -> Any:
    usual = connections.ConnectionCls
    if usual.response_class is not _Answer:
        connections.ConnectionCls = type(usual.__name__, (usual,), {"response_class": _Answer})
    return connections


class _Answer(HTTPResponse):
    def __init__(self, sock: socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp: Any = io.BufferedReader(_Wire(self.fp.detach(), most_seconds(sock.gettimeout())))


class _Wire(io.RawIOBase):
    def __init__(self, raw: io.RawIOBase, seconds: float) -> None:
        self._raw, self._seconds, self._end = raw, seconds, 0.0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        size = self._raw.readinto(buffer)
        self._end = self._end or time.monotonic() + self._seconds
        if time.monotonic() > self._end:
            raise TooSlow
        return size

    def close(self) -> None:
        self._raw.close()
        super().close()


def most_seconds(timeout: float | None) -> float:
    """How long an answer may be on its way, where so many seconds are waited for it."""
    return min(10 * (timeout or MOST_SECONDS), MOST_SECONDS)
