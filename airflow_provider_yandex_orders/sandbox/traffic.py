# SPDX-License-Identifier: Apache-2.0
"""The outermost layer: logs each call, and reads a request to its end before its answer starts.

Without the second a refused upload would reach the client as a broken connection instead of the answer.
The log keeps no headers and no bodies, and no query value that is named like a credential.
"""

import re
import time
from collections import deque
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONNECTION_KEY: Final = "sandbox.connection"
"""Scope key of the client's transport, where the server has one to offer."""

LOG_KEY: Final = "sandbox.log"
"""Scope key of the request's log entry, for inner layers to add to."""

_KEPT: Final = 10_000
_CREDENTIAL: Final = re.compile(r"((?:^|&)[^&=]*(?:token|key|secret|password)[^&=]*=)[^&]*", re.IGNORECASE)


class Connection(Protocol):
    """The part of an asyncio transport that a fault needs."""

    def close(self) -> None:
        """Send what is buffered, then close."""

    def abort(self) -> None:
        """Close at once."""


def tell(request: Request, said: str, *, refused: bool = False) -> None:
    """Note in the log what a service says, in words without a value of the request."""
    request.scope[LOG_KEY].update(said=said, refused=refused)


def is_service_call(scope: Scope) -> bool:
    """Whether a scope is a call to an imitated service, not to the sandbox's own page and control API."""
    path: str = scope.get("path", "")
    return scope["type"] == "http" and path not in {"/", "/favicon.ico"} and not path.startswith("/_sandbox")


class RequestLog:
    """The newest calls, oldest first; a call is listed from its first moment, its status once the answer starts."""

    def __init__(self) -> None:
        self._entries: deque[dict[str, Any]] = deque(maxlen=_KEPT)
        self.under_way = 0
        """Calls that have not ended yet."""

    def add(self, scope: Scope) -> dict[str, Any]:
        """List a call that has just come; the entry is filled in place."""
        entry: dict[str, Any] = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "method": scope["method"],
            "path": scope["path"],
            "query": _CREDENTIAL.sub(r"\1***", scope.get("query_string", b"").decode("latin-1")),
            "status": None,
            "request_bytes": 0,
            "response_bytes": 0,
            "seconds": None,
            "fault": None,
            "said": "",
            "refused": False,
        }
        self._entries.append(entry)
        return entry

    def entries(self) -> list[dict[str, Any]]:
        """A copy of the log."""
        return [dict(entry) for entry in self._entries]

    def clear(self) -> None:
        """Forget every call."""
        self._entries.clear()


class _Exchange:
    """One request and its answer on the way through."""

    def __init__(self, receive: Receive, send: Send, entry: dict[str, Any]) -> None:
        self._receive = receive
        self._send = send
        self._entry = entry
        self._body_complete = False

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._entry["request_bytes"] += len(message.get("body", b""))
            self._body_complete = not message.get("more_body", False)
        else:
            self._body_complete = True
        return message

    async def send(self, message: Message) -> None:
        # The entry is filled before the client can see the answer and come back to read the log.
        if message["type"] == "http.response.start":
            while not self._body_complete:
                await self.receive()
            self._entry["status"] = message["status"]
        elif message["type"] == "http.response.body":
            self._entry["response_bytes"] += len(message.get("body", b""))
        await self._send(message)


class TrafficMiddleware:
    """ASGI layer that must stay the outermost: only here is ``send`` still the server's own."""

    def __init__(self, app: ASGIApp, log: RequestLog) -> None:
        self._app = app
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one call on; the page and the control API go by unlogged."""
        if not is_service_call(scope):
            await self._app(scope, receive, send)
            return
        started = time.monotonic()
        entry = self._log.add(scope)
        self._log.under_way += 1
        scope[CONNECTION_KEY] = getattr(getattr(send, "__self__", None), "transport", None)
        scope[LOG_KEY] = entry
        exchange = _Exchange(receive, send, entry)
        try:
            await self._app(scope, exchange.receive, exchange.send)
        finally:
            self._log.under_way -= 1
            entry["seconds"] = round(time.monotonic() - started, 4)
