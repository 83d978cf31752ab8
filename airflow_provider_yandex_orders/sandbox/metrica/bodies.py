# SPDX-License-Identifier: Apache-2.0
"""Bodies of requests: the multipart part named file, and JSON.

Source: https://yandex.ru/dev/metrika/ru/management/formats . No size is stated for JSON; the limit of files is used.
"""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Final

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from airflow_provider_yandex_orders.sandbox.metrica.errors import MetricaError
from airflow_provider_yandex_orders.sandbox.settings import SandboxSettings

_JSON_TYPES: Final = frozenset({"application/json", "application/x-yametrika+json"})
_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")
_SPOOL_BYTES: Final = 1_048_576


@asynccontextmanager
async def uploaded_file(request: Request, settings: SandboxSettings) -> AsyncIterator[IO[bytes]]:
    """The file of a multipart request."""
    try:
        form = await request.form()
    except HTTPException as error:
        raise MetricaError("invalid_uploading", f"The multipart body is broken: {error.detail}") from error
    try:
        file = _file_of(form)
        if (file.size or 0) > settings.max_upload_bytes:
            raise MetricaError("invalid_uploading", "The file is too large", "file")
        yield file.file
    finally:
        await form.close()


@asynccontextmanager
async def uploaded_json(request: Request, settings: SandboxSettings) -> AsyncIterator[IO[bytes]]:
    """The bytes of a JSON request, set aside."""
    check_json_type(request)
    with SpooledTemporaryFile(max_size=_SPOOL_BYTES) as body:
        async for block in request.stream():
            body.write(block)
            if body.tell() > settings.max_upload_bytes:
                raise MetricaError("invalid_uploading", "The body is too large")
        yield body


async def json_body(request: Request) -> Any:
    """The document of a small JSON request."""
    check_json_type(request)
    return read_json(await request.body())


def check_json_type(request: Request) -> None:
    """Refuse a body that does not call itself JSON."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() not in _JSON_TYPES:
        raise MetricaError("invalid_json", "The Content-Type must be application/json")


def read_json(body: bytes, *, exact: bool = False) -> Any:
    """The document in a body of UTF-8 JSON; ``exact`` keeps fractions as they were written."""

    def refuse(name: str) -> None:
        raise ValueError(f"{name} is no JSON")

    try:
        text = body.decode("utf-8")
        document = json.loads(text, parse_float=Decimal if exact else None, parse_constant=refuse)
        if _SURROGATE.search(text):
            # Half a pair is no character: nothing could store it.
            json.dumps(document, ensure_ascii=False, default=str).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise MetricaError("invalid_json") from error
    return document


def _file_of(form: FormData) -> UploadFile:
    files = [value for name, value in form.multi_items() if name == "file" and isinstance(value, UploadFile)]
    if not files:
        # Also when the part has no file name, or when a hand-made Content-Type hides the parts.
        raise MetricaError("missing_parameter", "A multipart part named file, with a file name, is required", "file")
    if len(files) > 1:
        raise MetricaError("invalid_parameter", "One part named file is expected", "file")
    return files[0]
