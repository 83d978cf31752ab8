# SPDX-License-Identifier: Apache-2.0
"""A portal of Bitrix24, as far as two list methods of its REST API go.

Shapes: https://dev.1c-bitrix.ru/rest_help/crm/cdeals/crm_deal_list.php and https://dev.1c-bitrix.ru/rest_help/general/lists.php
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

PAGE = 50
_COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
    "@": lambda a, b: a in b,
}


class Portal:
    """The portal, from entering to leaving it.

    :param deals: its deals.
    :param contacts: its contacts.
    """

    secret = "c0desecret0fthewebh00k"

    def __init__(self, deals: list[dict[str, Any]], contacts: list[dict[str, Any]]) -> None:
        self.items = {"crm.deal.list": deals, "crm.contact.list": contacts}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.errors: list[tuple[int, str]] = []
        """Answers to the next calls, in place of lists."""

    def __enter__(self) -> Self:
        portal = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status, answer = portal.answer(self.path, body)
                content = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json; charset=utf-8")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path: str, asked: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        _, rest, user, secret, method = path.split("/")
        assert (rest, user) == ("rest", "7")
        if secret != self.secret:
            return 401, {"error": "INVALID_CREDENTIALS", "error_description": "Invalid request credentials"}
        self.calls.append((method, dict(asked)))
        if self.errors:
            status, code = self.errors.pop(0)
            return status, {"error": code, "error_description": "as asked"}
        found = [item for item in self.items[method] if _fits(item, asked.get("filter") or {})]
        ((by, way),) = asked["order"].items()
        found.sort(key=lambda item: _value(by, item[by]), reverse=way == "DESC")
        start = int(asked.get("start") or 0)
        page = [{name: item.get(name) for name in asked["select"]} for item in found[start : start + PAGE]]
        more = {"next": start + PAGE} if len(found) > start + PAGE else {}
        return 200, {"result": page, "total": len(found), **more, "time": {"duration": 0.01}}


def _value(name: str, value: Any) -> Any:
    return datetime.fromisoformat(value) if name.startswith("DATE_") else int(value)


def _fits(item: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    for condition, value in wanted.items():
        sign = next(sign for sign in _COMPARED if condition.startswith(sign))
        name = condition.removeprefix(sign)
        bound = list(map(int, value)) if sign == "@" else _value(name, value)
        if not _COMPARED[sign](_value(name, item[name]), bound):
            return False
    return True
