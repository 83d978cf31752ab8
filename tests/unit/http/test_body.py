# SPDX-License-Identifier: Apache-2.0
"""A file as a body, plain and multipart: read back by an independent parser."""

from __future__ import annotations

import io

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from airflow_provider_yandex_orders.exceptions import PassingError, ServiceUnavailable
from airflow_provider_yandex_orders.http.body import BLOCK, FileBody, multipart
from airflow_provider_yandex_orders.http.client import ServiceClient
from airflow_provider_yandex_orders.metrica.api import read_failure
from tests.unit.http.scripted_server import ScriptedServer, error_reply, json_reply
from tests.unit.http.wire import file_of, parsed


def body_of(content: bytes, size: int | None = None, filename: str = "part-00001.csv") -> FileBody:
    size = len(content) if size is None else size
    return multipart(lambda: io.BytesIO(content), size=size, filename=filename, part_type="text/csv")


def plain_body(content: bytes, size: int | None = None) -> FileBody:
    size = len(content) if size is None else size
    return FileBody(lambda: io.BytesIO(content), size=size, filename="part-00001.json", content_type="application/json")


@settings(max_examples=50)
@given(st.binary(max_size=2000))
@example(b"")
@example(b"\r\n--\r\n")
@example(b"a" * BLOCK)
@example(b"a" * (BLOCK + 1))
def test_the_file_comes_through(content: bytes) -> None:
    body = body_of(content)
    whole = b"".join(body)
    assert len(body) == len(whole)
    assert b"".join(body) == whole  # a second time
    boundary = body.content_type.partition("boundary=")[2].encode()
    assert whole.startswith(b"--" + boundary + b"\r\n")
    assert whole.endswith(b"\r\n--" + boundary + b"--\r\n")
    head, _, rest = whole.partition(b"\r\n\r\n")
    assert rest[: -len(b"\r\n--" + boundary + b"--\r\n")] == content
    assert max((len(block) for block in body), default=0) <= max(BLOCK, len(head) + 4)


def test_the_part_is_described_as_documented() -> None:
    body = body_of(b"id,name\n1,2\n")
    part = parsed(body.content_type, b"".join(body))
    assert part.get_content_type() == "text/csv"
    assert part.get_filename() == "part-00001.csv"
    assert part.get_param("name", header="Content-Disposition") == "file"
    assert part.get_payload(decode=True) == b"id,name\n1,2\n"


def test_the_part_may_have_another_name_and_type() -> None:
    body = multipart(lambda: io.BytesIO(b"x"), size=1, filename="a.bin", part_type="application/gzip", field="data")
    part = parsed(body.content_type, b"".join(body))
    assert part.get_content_type() == "application/gzip"
    assert part.get_param("name", header="Content-Disposition") == "data"


def test_every_body_has_a_boundary_of_its_own() -> None:
    assert len({body_of(b"x").content_type for _ in range(20)}) == 20


@settings(max_examples=25)
@given(st.binary(max_size=2000))
@example(b"")
@example(b"a" * (BLOCK + 1))
def test_a_plain_body_is_the_file_and_nothing_else(content: bytes) -> None:
    body = plain_body(content)
    blocks = list(body)
    assert b"".join(blocks) == b"".join(body) == content
    assert len(body) == len(content)
    assert all(0 < len(block) <= BLOCK for block in blocks)
    assert body.content_type == "application/json"


def test_what_stands_around_a_file() -> None:
    body = FileBody(
        lambda: io.BytesIO(b"1,2"), size=3, filename="a", content_type="application/json", head=b"[", tail=b"]"
    )
    assert (b"".join(body), len(body)) == (b"[1,2]", 5)


@pytest.mark.parametrize("filename", ['a".csv', 'a"; name="b', "a\r\nX: y", "orders of may.csv"])
def test_a_file_name_cannot_break_the_header(filename: str) -> None:
    body = body_of(b"x", filename=filename)
    part = parsed(body.content_type, b"".join(body))
    assert part.get_param("name", header="Content-Disposition") == "file"
    assert part.keys() == ["Content-Disposition", "Content-Type"]
    assert part.get_payload(decode=True) == b"x"


@pytest.fixture
def client(server: ScriptedServer, naps: list[float]) -> ServiceClient:
    return ServiceClient(
        service="S", base_url=server.url, headers={}, read_failure=read_failure, attempts=3, timeout=(2, 5)
    )


@pytest.mark.parametrize("size", [0, 1, BLOCK, 3 * BLOCK + 17])
def test_over_the_wire(server: ScriptedServer, client: ServiceClient, size: int) -> None:
    content = bytes(number % 251 for number in range(1000)) * (size // 1000 + 1)
    body = body_of(content[:size])
    server.script(json_reply({"uploading": {}}))
    client.call("POST", "/p", doing="x", body=body)
    (seen,) = server.seen
    assert seen.headers["Content-Length"] == str(len(body)) == str(len(seen.body))
    assert "Transfer-Encoding" not in seen.headers
    assert seen.body == b"".join(body)


def test_a_request_tried_again_sends_the_whole_file(server: ScriptedServer, client: ServiceClient) -> None:
    server.script(error_reply(503, "backend_error", "x"), json_reply({}))
    client.call("POST", "/p", doing="x", body=body_of(b"id\n1\n"))
    assert [file_of(seen) for seen in server.seen] == [b"id\n1\n"] * 2


def test_a_plain_body_over_the_wire(server: ScriptedServer, client: ServiceClient) -> None:
    server.script(error_reply(503, "backend_error", "x"), json_reply({}))
    client.call("POST", "/p", doing="x", body=plain_body(b'{"orders":[]}'))
    for seen in server.seen:
        assert seen.headers["Content-Type"] == "application/json"
        assert seen.headers["Content-Length"] == "13"
        assert "Transfer-Encoding" not in seen.headers
        assert seen.body == b'{"orders":[]}'
    assert len(server.seen) == 2


def test_a_plain_body_that_shrinks_is_named() -> None:
    with pytest.raises(PassingError, match=r"'part-00001\.json': the file ended 5 bytes early"):
        list(plain_body(b"12345", size=10))


def test_a_file_that_shrinks_is_named(server: ScriptedServer, client: ServiceClient) -> None:
    server.script(json_reply({}))
    with pytest.raises(PassingError, match=r"'part-00001\.csv': the file ended 5 bytes early") as caught:
        client.call("POST", "/p", doing="x", body=body_of(b"12345", size=10))
    assert not isinstance(caught.value, ServiceUnavailable)  # it is no fault of the service


def test_a_file_that_grows_is_sent_as_it_was_counted(server: ScriptedServer, client: ServiceClient) -> None:
    server.script(json_reply({}))
    client.call("POST", "/p", doing="x", body=body_of(b"1234567890", size=5))
    assert file_of(server.seen[0]) == b"12345"
