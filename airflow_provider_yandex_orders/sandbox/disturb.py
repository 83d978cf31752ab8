# SPDX-License-Identifier: Apache-2.0
"""The ASGI layer that carries faults out.

A disturbed request is always read to its end first, so that what the client sees does not depend on how much of its
body the socket happened to hold. "Before" then means that the service never learns of the request, also when the client
gives up while it is delayed; "after" means that it took effect and only the answer suffers.
"""

import asyncio
import time
from tempfile import SpooledTemporaryFile
from threading import Event
from typing import IO, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from airflow_provider_yandex_orders.sandbox.faults import Answer, Fault, FaultBook
from airflow_provider_yandex_orders.sandbox.traffic import (
    CONNECTION_KEY,
    LOG_KEY,
    Connection,
    is_service_call,
)

_BLOCK: Final = 262_144
_SPOOL_BYTES: Final = 1_048_576
_TICK_SECONDS: Final = 0.1
_GIVE_UP_SECONDS: Final = 5.0
_UNCUT: Final = frozenset({"content-length", "transfer-encoding"})


class _Capture:
    """Takes the service's answer instead of the client."""

    def __init__(self) -> None:
        self._status = 500
        self._headers: dict[str, str] = {}
        self._body = bytearray()

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            pairs = ((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in message["headers"])
            self._headers = {name: value for name, value in pairs if name not in _UNCUT}
        elif message["type"] == "http.response.body":
            self._body += message.get("body", b"")

    def answer(self) -> Answer:
        return Answer(self._status, bytes(self._body), self._headers)


class _Replay:
    """Gives a stored request body to the service as if it came from the network."""

    def __init__(self, body: IO[bytes], receive: Receive) -> None:
        self._body = body
        self._receive = receive
        self._done = False

    async def receive(self) -> Message:
        if self._done:
            return await self._receive()
        block = self._body.read(_BLOCK)
        self._done = len(block) < _BLOCK
        return {"type": "http.request", "body": block, "more_body": not self._done}


class FaultMiddleware:
    """Looks each service call up in the fault book."""

    def __init__(self, app: ASGIApp, book: FaultBook, closing: Event) -> None:
        self._app = app
        self._book = book
        self._closing = closing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one call on, disturbed where a fault says so."""
        fault = None
        if is_service_call(scope):
            query = scope.get("query_string", b"").decode("latin-1")
            fault = self._book.take(scope["method"], scope["path"], query)
        if fault is None:
            await self._app(scope, receive, send)
            return
        scope[LOG_KEY]["fault"] = fault.id
        with SpooledTemporaryFile(max_size=_SPOOL_BYTES) as body:
            if not await _read(receive, body):
                return
            body.seek(0)
            await self._disturb(fault, scope, _Replay(body, receive), receive, send)

    async def _disturb(self, fault: Fault, scope: Scope, replay: _Replay, receive: Receive, send: Send) -> None:
        spec = fault.spec
        answer = fault.answer
        if spec.moment == "after":
            capture = _Capture()
            await self._app(scope, replay.receive, capture.send)
            answer = answer or capture.answer()
        if not await self._wait(spec.seconds, receive):
            return
        if spec.action == "drop":
            connection = _connection(scope)
            connection.abort()
            await _until_closed(receive)
        elif answer is None:
            await self._app(scope, replay.receive, send)
        elif spec.action == "truncate":
            body = answer.body
            await _start(send, answer)
            await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
            _connection(scope).close()
            await _until_closed(receive)
        else:
            await _start(send, answer)
            await send({"type": "http.response.body", "body": answer.body})

    async def _wait(self, seconds: float, receive: Receive) -> bool:
        """Sleep unless the client goes away or the sandbox closes; false if there is nobody left to answer."""
        end = time.monotonic() + seconds
        while not self._closing.is_set() and (left := end - time.monotonic()) > 0:
            try:
                message = await asyncio.wait_for(receive(), min(left, _TICK_SECONDS))
            except TimeoutError:
                continue
            if message["type"] == "http.disconnect":
                return False
        return True


async def _read(receive: Receive, body: IO[bytes]) -> bool:
    """Store the request body; false if the client left before its end."""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return False
        body.write(message.get("body", b""))
        if not message.get("more_body", False):
            return True


async def _start(send: Send, answer: Answer) -> None:
    headers = {**answer.headers, "content-length": str(len(answer.body))}
    pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": pairs})


def _connection(scope: Scope) -> Connection:
    connection: Connection | None = scope.get(CONNECTION_KEY)
    if connection is None or not (hasattr(connection, "abort") and hasattr(connection, "close")):
        raise RuntimeError("this fault closes the client's connection: the sandbox must run under uvicorn")
    return connection


async def _until_closed(receive: Receive) -> None:
    """Wait for the server to notice, else it would report an answer that never came."""
    end = time.monotonic() + _GIVE_UP_SECONDS
    while time.monotonic() < end:
        message = await asyncio.wait_for(receive(), _GIVE_UP_SECONDS)
        if message["type"] == "http.disconnect":
            return
