# SPDX-License-Identifier: Apache-2.0
"""The official schema of Market's calls, held against every request that is sent and every answer that comes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlsplit

import msgspec
import pytest
import requests
from jsonschema import Draft202012Validator, FormatChecker

SCHEMA = Path(__file__).parents[3] / "shared" / "reference" / "market-stats-orders.openapi.yaml"
MISSING = f"the official schema is not here ({SCHEMA.name}, expected beside the repository in shared/reference)"


def _whole(bits: int) -> Callable[[object], bool]:
    return lambda value: not isinstance(value, int) or -(2 ** (bits - 1)) <= value < 2 ** (bits - 1)


def _date(value: object) -> bool:
    return not isinstance(value, str) or bool(date.fromisoformat(value))


def _date_time(value: object) -> bool:
    return not isinstance(value, str) or bool("T" in value and datetime.fromisoformat(value))


_formats = FormatChecker(())
_formats.checks("int32")(_whole(32))
_formats.checks("int64")(_whole(64))
_formats.checks("date", raises=ValueError)(_date)
_formats.checks("date-time", raises=ValueError)(_date_time)


@cache
def specification() -> dict[str, Any]:
    """The schema, in the words of JSON Schema; skips the test where there is none."""
    if not SCHEMA.is_file():
        pytest.skip(MISSING)
    import yaml

    read: dict[str, Any] = _as_json_schema(yaml.safe_load(SCHEMA.read_text(encoding="utf-8")))
    return read


def resolve(node: dict[str, Any]) -> dict[str, Any]:
    """What a reference points at, or the node itself."""
    while "$ref" in node:
        target: Any = specification()
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def schema_of(name: str) -> dict[str, Any]:
    """A named schema."""
    found: dict[str, Any] = specification()["components"]["schemas"][name]
    return found


def faults_of(value: Any, schema: dict[str, Any]) -> list[str]:
    """What is wrong with a value."""
    whole = {**schema, "components": specification()["components"]}
    found = Draft202012Validator(whole, format_checker=_formats).iter_errors(value)
    return [f"{error.json_path}: {error.message[:200]}" for error in found]


class OfficialCheck:
    """Looks at exchanges and keeps what the schema does not allow."""

    def __init__(self) -> None:
        self.requests = 0
        self.answers = 0
        self.faults: list[str] = []
        self.odd_answers = False
        """Set by tests that order answers no service would give."""
        self.free_words = False
        """Set by tests that ask for statuses the schema does not have yet."""

    def look(self, request: requests.PreparedRequest, response: requests.Response | None) -> None:
        place = _place(request)
        if not SCHEMA.is_file() or not place.path.startswith("/v2/"):
            return
        template, operation = _operation(str(request.method), place.path)
        if operation is None:
            self.faults.append(f"{request.method} {place.path} is in no schema")
            return
        self.requests += 1
        faults = _request_faults(operation, template, request)
        kept = [fault for fault in faults if not (self.free_words and fault.startswith("body: $.statuses"))]
        self.faults += [f"request {template}: {fault}" for fault in kept]
        if response is None or self.odd_answers or str(response.status_code) not in operation["responses"]:
            return
        self.answers += 1
        described = resolve(operation["responses"][str(response.status_code)])
        schema = described["content"]["application/json"]["schema"]
        try:
            answer = msgspec.json.decode(response.content)
        except msgspec.DecodeError:
            self.faults.append(f"answer {template}: no JSON")
            return
        where = f"answer {template} {response.status_code}"
        self.faults += [f"{where}: {fault}" for fault in faults_of(answer, schema)]


@pytest.fixture
def official(monkeypatch: pytest.MonkeyPatch) -> Iterator[OfficialCheck]:
    """Every exchange with ``/v2/`` in a test is held against the schema, where it is there."""
    check = OfficialCheck()
    send = requests.Session.send

    def watched(session: requests.Session, request: requests.PreparedRequest, **arguments: Any) -> requests.Response:
        try:
            response = send(session, request, **arguments)
        except requests.RequestException:
            check.look(request, None)
            raise
        check.look(request, response)
        return response

    monkeypatch.setattr(requests.Session, "send", watched)
    yield check
    assert check.faults == []


def _place(request: requests.PreparedRequest) -> SplitResult:
    """The address of a request without the prefix that keeps the sandbox's tests apart."""
    place = urlsplit(request.url or "")
    return place._replace(path=re.sub(r"^/\d+(?=/v2/)", "", place.path))


def _operation(method: str, path: str) -> tuple[str, dict[str, Any] | None]:
    for template, operations in specification()["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
            return template, operations.get(method.lower())
    return path, None


def _request_faults(operation: dict[str, Any], template: str, request: requests.PreparedRequest) -> list[str]:
    place = _place(request)
    query: dict[str, Any] = dict(parse_qsl(place.query, keep_blank_values=True))
    names = [f"path:{name}" for name in re.findall(r"\{(\w+)\}", template)]
    query.update(zip(names, _path_values(template, place.path), strict=True))
    faults = []
    for described in map(resolve, operation.get("parameters", [])):
        name = f"path:{described['name']}" if described["in"] == "path" else described["name"]
        if name in query:
            value = query.pop(name)
            if resolve(described["schema"]).get("type") == "integer" and re.fullmatch(r"-?\d+", value):
                value = int(value)
            faults += [f"{name}: {fault}" for fault in faults_of(value, described["schema"])]
        elif described.get("required"):
            faults.append(f"{name} is missing")
    faults += [f"{name} is no parameter" for name in query]
    sent: Any = request.body
    if "requestBody" in operation and sent:
        content = operation["requestBody"]["content"]
        if request.headers.get("Content-Type") not in content:
            faults.append(f"content type {request.headers.get('Content-Type')!r}")
        else:
            schema = content["application/json"]["schema"]
            body = msgspec.json.decode(sent)
            faults += [f"body: {fault}" for fault in faults_of(body, schema)]
            faults += [f"body: {name} is no field" for name in set(body) - set(resolve(schema)["properties"])]
    elif sent:
        faults.append("a body where none is described")
    return faults


def _path_values(template: str, path: str) -> tuple[str, ...]:
    match = re.fullmatch(re.sub(r"\{\w+\}", "([^/]+)", template), path)
    return match.groups() if match else ()


def _as_json_schema(node: Any) -> Any:
    """OpenAPI 3.0 says ``nullable`` where JSON Schema has one more type."""
    if isinstance(node, list):
        return [_as_json_schema(each) for each in node]
    if not isinstance(node, dict):
        return node
    changed = {key: _as_json_schema(value) for key, value in node.items() if key != "nullable"}
    if node.get("nullable") is True:
        return {"anyOf": [changed, {"type": "null"}]}
    return changed
