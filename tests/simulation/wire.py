# SPDX-License-Identifier: Apache-2.0
"""The way from a client to the sandbox's application without a socket, and all that goes wrong on it."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import Any
from unittest.mock import patch
from urllib.parse import unquote, urlsplit

import requests
import starlette.concurrency
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.exceptions import MaxRetryError, NameResolutionError, NewConnectionError, ProtocolError

from airflow_provider_yandex_orders.sandbox.app import SandboxApp
from tests.simulation.fibres import Fibre, here

Answered = tuple[int, dict[str, str], bytes]
_send = HTTPAdapter.send
_in_thread = starlette.concurrency.run_in_threadpool


@dataclass(frozen=True)
class Trouble:
    """What becomes of one request.

    :param name: as the story tells it.
    :param effect: whether the service does what it is asked.
    :param later: seconds after which it does that, though nobody waits any more.
    :param seconds: how long the client waits; ``None`` for its time-out.
    :param error: what the client's library raises.
    :param answer: what the client gets instead of the service's answer.
    :param cut: whether the answer ends half-way.
    """

    name: str
    effect: bool = False
    later: float | None = None
    seconds: float | None = 0.1
    error: Callable[[str], Exception] | None = None
    answer: Answered | None = None
    cut: bool = False


FINE = Trouble("", effect=True)


def _reset(url: str) -> Exception:
    return requests.ConnectionError(ProtocolError("Connection aborted.", ConnectionResetError(104, "reset by peer")))


def _refused(url: str) -> Exception:
    refused: Any = NewConnectionError(None, "Connection refused")  # type: ignore[arg-type]
    return requests.ConnectionError(MaxRetryError(None, url, refused))  # type: ignore[arg-type]


def _unknown(url: str) -> Exception:
    unknown = NameResolutionError("service", None, OSError("no such host"))  # type: ignore[arg-type]
    return requests.ConnectionError(MaxRetryError(None, url, unknown))  # type: ignore[arg-type]


def _late(url: str) -> Exception:
    return requests.ReadTimeout("Read timed out.")


def _page(status: int) -> Answered:
    return status, {"Content-Type": "text/html"}, b"<html><body><h1>The proxy says no</h1></body></html>"


def _json(status: int, body: Any) -> Answered:
    return status, {"Content-Type": "application/json"}, json.dumps(body).encode()


TROUBLES = {
    trouble.name: trouble
    for trouble in (
        Trouble("refused", error=_refused),
        Trouble("name not found", error=_unknown),
        Trouble("no connection in time", seconds=30, error=lambda _url: requests.ConnectTimeout("timed out")),
        Trouble("reset before", error=_reset),
        Trouble("reset after", effect=True, error=_reset),
        Trouble("half an answer", effect=True, cut=True),
        Trouble("slow", effect=True, seconds=200),
        Trouble("too slow, not done", seconds=None, error=_late),
        Trouble("too slow, done", effect=True, seconds=None, error=_late),
        Trouble("too slow, done later", later=60, seconds=None, error=_late),
        *(
            Trouble(f"{status} {moment}", effect=moment == "after", answer=_json(status, {"message": "not now"}))
            for status in (500, 502, 503, 504)
            for moment in ("before", "after")
        ),
        Trouble("page 502 before", answer=_page(502)),
        Trouble("page 502 after", effect=True, answer=_page(502)),
        Trouble("page 200 before", answer=_page(200)),
        Trouble("page 200 after", effect=True, answer=_page(200)),
        Trouble("nothing 200 after", effect=True, answer=(200, {}, b"")),
        Trouble("broken JSON after", effect=True, answer=(200, {"Content-Type": "application/json"}, b'{"uploading"')),
        Trouble("other JSON after", effect=True, answer=_json(200, {"unheard": [1]})),
        Trouble("429", answer=_json(429, {"message": "too many requests"})),
        Trouble("429 for a minute", answer=(429, {"Retry-After": "60"}, b"{}")),
        Trouble("429 for an hour", answer=(429, {"Retry-After": "3600"}, b"{}")),
    )
}
"""What can happen to any request, by its name."""


class Wire:
    """The network of one world.

    :param app: the sandbox's application.
    :param address: base of every URL that leads to it.
    :param judge: says what becomes of a request.
    :param point: passed between two effects.
    :param told: hears how each request ended: status, or nothing where no answer came.
    """

    def __init__(
        self,
        app: SandboxApp,
        address: str,
        judge: Callable[[Fibre, str, str], Trouble],
        point: Callable[[str], None],
        told: Callable[[Fibre, str, str, Trouble, int | None, bytes], None],
    ) -> None:
        self.app, self.address = app, address
        self._judge, self._point, self._told = judge, point, told

    def carry(self, adapter: HTTPAdapter, request: requests.PreparedRequest, timeout: Any) -> requests.Response:
        """One request, as the client's library sees it."""
        found = here()
        assert found is not None
        scheduler, fibre = found
        method, url = str(request.method), str(request.url)
        path = urlsplit(url).path.removeprefix(urlsplit(self.address).path)
        body = _bytes_of(request.body)
        self._point(f"before {method} {path}")
        trouble = self._judge(fibre, method, path)
        wait = trouble.seconds if trouble.seconds is not None else timeout[1]
        process = fibre.process
        process.calls += 1
        try:
            scheduler.pause(fibre, wait / 2)
            answer: Answered | None = trouble.answer
            if trouble.effect:
                given = self.ask(fibre, method, url, request.headers, body)
                answer = answer or given
            elif trouble.later is not None:
                moment = scheduler.now + wait / 2 + trouble.later
                scheduler.later.append((moment, lambda: self._quietly(method, url, request.headers, body)))
            scheduler.pause(fibre, wait / 2)
        finally:
            process.calls -= 1
        self._told(fibre, method, path, trouble, None if trouble.error or answer is None else answer[0], body)
        self._point(f"after {method} {path}")
        if trouble.error is not None or answer is None:
            error = trouble.error or _reset
            raise error(url)
        return _response(adapter, request, answer, cut=trouble.cut)

    def ask(self, fibre: Fibre, method: str, url: str, headers: Mapping[str, str | bytes], body: bytes) -> Answered:
        """The service's own answer."""
        fibre.outside = True
        try:
            return self._quietly(method, url, headers, body)
        finally:
            fibre.outside = False

    def _quietly(self, method: str, url: str, headers: Mapping[str, str | bytes], body: bytes) -> Answered:
        parts = urlsplit(url)
        path = parts.path.removeprefix(urlsplit(self.address).path)
        named = {**{name.lower(): value for name, value in headers.items()}, "content-length": str(len(body))}
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "path": unquote(path),
            "raw_path": path.encode(),
            "query_string": parts.query.encode(),
            "headers": [(name.encode(), str(value).encode("latin-1")) for name, value in named.items()],
            "client": ("10.0.0.1", 1),
            "server": ("service", 80),
            "scheme": "http",
            "root_path": "",
        }
        return _run(self.app, scope, body)


def _run(app: SandboxApp, scope: dict[str, Any], body: bytes) -> Answered:
    """Ask the application, in which nothing waits."""
    messages: list[Any] = []
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Any:
        return waiting.pop() if waiting else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        messages.append(message)

    _loop().run_until_complete(app(scope, receive, send))
    start, *blocks = messages
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in start["headers"]}
    return start["status"], headers, b"".join(block.get("body", b"") for block in blocks)


@cache
def _loop() -> asyncio.AbstractEventLoop:
    """The loop the application runs in, whichever fibre asks: only one does at a time."""
    return asyncio.new_event_loop()


def _bytes_of(body: Any) -> bytes:
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    return body if isinstance(body, bytes) else b"".join(body)


def _response(
    adapter: HTTPAdapter, request: requests.PreparedRequest, answer: Answered, *, cut: bool
) -> requests.Response:
    status, headers, body = answer
    given = {**headers, "content-length": str(len(body))}
    raw = urllib3.HTTPResponse(
        BytesIO(body[: len(body) // 2] if cut else body),
        headers=given,
        status=status,
        preload_content=False,
        enforce_content_length=True,
        request_method=request.method,
    )
    return adapter.build_response(request, raw)


wires: dict[int, Wire] = {}
"""The network of each scheduler, by its id."""


def _carried(
    self: HTTPAdapter,
    request: requests.PreparedRequest,
    stream: bool = False,
    timeout: Any = None,
    verify: Any = True,
    cert: Any = None,
    proxies: Any = None,
) -> requests.Response:
    found = here()
    if found is None:
        return _send(self, request, stream, timeout, verify, cert, proxies)
    return wires[id(found[0])].carry(self, request, timeout)


async def _inline(work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return work(*args, **kwargs)


@contextmanager
def wired() -> Iterator[None]:
    """Let requests of fibres go to the application, and the application work without threads."""
    in_place: list[Any] = [patch.object(HTTPAdapter, "send", _carried)]
    for name, module in list(sys.modules.items()):
        ours = name.partition(".")[0] in ("starlette", "fastapi", "airflow_provider_yandex_orders")
        if ours and getattr(module, "run_in_threadpool", None) is _in_thread:
            in_place.append(patch.object(module, "run_in_threadpool", _inline))
    for each in in_place:
        each.start()
    try:
        yield
    finally:
        for each in reversed(in_place):
            each.stop()
        _loop().close()
        _loop.cache_clear()
