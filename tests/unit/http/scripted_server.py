# SPDX-License-Identifier: Apache-2.0
"""A real HTTP server that answers what a test tells it to, one answer a request."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer.

    :param act: ``answer``, ``cut`` (close without a word), ``half`` (close in the middle of the body), ``hang``,
        ``endless`` (the body again and again), ``drip`` (likewise, and slowly), ``last`` (the next request on the same
        connection is cut) or ``lines`` (the body alone, and what follows its mark ``...`` slowly again and again).
    """

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    act: str = "answer"


def json_reply(content: Any, status: int = 200, **headers: str) -> Reply:
    """An answer with a JSON body; ``_`` in header names stands for ``-``."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, json.dumps(content).encode(), {"Content-Type": "application/json", **named})


def error_reply(status: int, error_type: str | None, message: str, **headers: str) -> Reply:
    """A failed answer in Metrica's shape."""
    error = {"message": message} | ({"error_type": error_type} if error_type else {})
    return json_reply({"errors": [error], "code": status, "message": message}, status, **headers)


@dataclass(frozen=True, slots=True)
class Seen:
    """One request that came."""

    method: str
    path: str
    headers: Message
    body: bytes


class ScriptedServer:
    """The server; ``replies`` are used up one by one, the last one stays."""

    def __init__(self) -> None:
        self.replies: deque[Reply] = deque()
        self.seen: list[Seen] = []
        self.stopped = threading.Event()
        self.url = ""

    def script(self, *replies: Reply) -> None:
        """What to answer from now on."""
        self.replies = deque(replies)
        self.seen.clear()

    def next_reply(self) -> Reply:
        """The answer to this request."""
        return self.replies.popleft() if len(self.replies) > 1 else self.replies[0]


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is part of the tests."""


@contextmanager
def running_server() -> Iterator[ScriptedServer]:
    """Run a server on a free port."""
    scripted = ScriptedServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        was_last = False

        def _any(self) -> None:
            if self.was_last:
                self.close_connection = True
                return
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            scripted.seen.append(Seen(self.command, self.path, self.headers, body))
            reply = scripted.next_reply()
            self.was_last = reply.act == "last"
            if reply.act == "hang":
                scripted.stopped.wait(30)
            if reply.act in ("hang", "cut"):
                self.close_connection = True
                return
            if reply.act == "lines":
                self.close_connection = True
                start, _, again = reply.body.partition(b"...")
                self.wfile.write(start)
                while not scripted.stopped.wait(0.05):
                    self.wfile.write(again)
                return
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if reply.act in ("endless", "drip"):
                self.close_connection = True
                self.end_headers()
                while not scripted.stopped.wait(0.05 if reply.act == "drip" else 0):
                    self.wfile.write(reply.body)
                return
            self.send_header("Content-Length", str(len(reply.body) + (10 if reply.act == "half" else 0)))
            self.end_headers()
            self.wfile.write(reply.body)
            self.close_connection = reply.act == "half"

        do_GET = do_POST = _any  # noqa: N815 - the names http.server asks for

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = _Server(("127.0.0.1", 0), Handler)
    scripted.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield scripted
    finally:
        scripted.stopped.set()
        server.shutdown()
        server.server_close()
        thread.join()
