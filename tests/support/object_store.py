# SPDX-License-Identifier: Apache-2.0
"""An S3 server on a loopback port that can go down in the middle of a task and come back with all it holds."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self

from tests.support.ports import free_port


class ObjectStore:
    """Context manager: S3 over HTTP, served by a thread of this process.

    :param bucket: the one bucket it has.
    """

    def __init__(self, bucket: str) -> None:
        self.bucket = bucket
        self.port = free_port()
        self._trap: tuple[str, str, float] | None = None
        self._down = threading.Event()
        self._up = threading.Event()
        self._serving: Any = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def client(self) -> Any:
        """A client that does without Airflow."""
        import boto3

        return boto3.client(
            "s3", endpoint_url=self.url, region_name="us-east-1", aws_access_key_id="k", aws_secret_access_key="s"
        )

    def __enter__(self) -> Self:
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

        self._app = DomainDispatcherApplication(create_backend_app)
        self._listen()
        self.client.create_bucket(Bucket=self.bucket)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._up.wait()
        self._close()

    def goes_down(self, method: str, key: str, seconds: float) -> None:
        """Be down for so long from the next request of this method whose path has this in it."""
        self._down.clear()
        self._trap = (method, key, seconds)

    @property
    def went_down(self) -> bool:
        """Whether that request has come."""
        return self._down.is_set()

    def files(self, prefix: str) -> dict[str, bytes]:
        """What lies under a prefix, by the rest of the key."""
        client = self.client
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        keys = [each["Key"] for page in pages for each in page.get("Contents", ())]
        return {key.removeprefix(prefix): client.get_object(Bucket=self.bucket, Key=key)["Body"].read() for key in keys}

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if self._trap is not None:
            method, key, seconds = self._trap
            if environ["REQUEST_METHOD"] == method and key in environ["PATH_INFO"]:
                self._trap = None
                self._up.clear()
                self._down.set()
                threading.Thread(target=self._sleep, args=(seconds,), daemon=True).start()
        if not self._up.is_set():  # the connection was open from before
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            raise ConnectionError("the store is down")
        answer: Iterable[bytes] = self._app(environ, start_response)
        return answer

    def _sleep(self, seconds: float) -> None:
        self._close()
        threading.Event().wait(seconds)
        self._listen()

    def _listen(self) -> None:
        from moto.moto_server.werkzeug_app import MotoRequestHandler
        from werkzeug.serving import make_server

        self._serving = make_server("127.0.0.1", self.port, self._answer, True, request_handler=MotoRequestHandler)
        threading.Thread(target=self._serving.serve_forever, name="object-store", daemon=True).start()
        self._up.set()

    def _close(self) -> None:
        self._serving.shutdown()
        self._serving.server_close()
