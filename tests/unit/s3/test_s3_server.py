# SPDX-License-Identifier: Apache-2.0
"""Staging on a real S3 server, through the Amazon provider: an upload end to end, a line that breaks, a store that is
not there. Needs the extra ``test-s3``."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from airflow_provider_yandex_orders.exceptions import ConfigurationError, PassingError
from airflow_provider_yandex_orders.hooks.metrica import MetricaHook
from airflow_provider_yandex_orders.operators.metrica import MetricaUploadSimpleOrdersOperator
from airflow_provider_yandex_orders.storage import opened_path, staging_folder, whole_file
from tests.support.ports import free_port

if TYPE_CHECKING:
    from airflow_provider_yandex_orders.sandbox.server import SandboxServer

for needed in ("moto", "s3fs", "boto3"):
    if find_spec(needed) is None:
        pytest.skip(f"{needed} is not installed: pip install -c constraints.txt '.[test-s3]'", allow_module_level=True)

MB = 1024 * 1024
CONTEXT = {"ti": SimpleNamespace(dag_id="dag", run_id="run", task_id="task", map_index=-1)}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """The server's address."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=free_port(), verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


def connect_s3(monkeypatch: pytest.MonkeyPatch, name: str, endpoint: str) -> None:
    """An Airflow connection to an S3 server."""
    extra = {"endpoint_url": endpoint, "region_name": "us-east-1", "config_kwargs": {"retries": {"max_attempts": 1}}}
    told = {"conn_type": "aws", "login": "key", "password": "secret-key", "extra": extra}
    monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(told))


@pytest.fixture
def client(endpoint: str) -> Any:
    """A client of the server that does without the provider."""
    import boto3

    return boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="k", aws_secret_access_key="s"
    )


@pytest.fixture
def bucket(client: Any, endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A fresh bucket, which the connection ``s3_test`` reaches."""
    connect_s3(monkeypatch, "s3_test", endpoint)
    name = f"bucket-{uuid4().hex[:8]}"
    client.create_bucket(Bucket=name)
    return name


def keys(client: Any, bucket: str) -> list[str]:
    return [each["Key"] for each in client.list_objects_v2(Bucket=bucket).get("Contents", ())]


def test_an_upload_from_end_to_end(
    metrica: SandboxServer, client: Any, bucket: str, context: Callable[..., dict[str, Any]]
) -> None:
    rows = [{"id": f"o{n}", "create_date_time": "2026-11-20 10:00:00", "emails": f"a{n}@x.com"} for n in range(3)]
    upload: Any = MetricaUploadSimpleOrdersOperator(
        task_id="upload",
        source=[*rows, {"id": "bad"}],
        max_rejected=1,
        counter_id=101,
        source_timezone="UTC",
        staging_path=f"s3://s3_test@{bucket}/staging",
    )
    delivery: Any = upload.execute(context())
    assert (delivery["rows_sent"], delivery["rows_rejected"]) == (3, 1)
    folder = "staging/a_dag/manual__1/upload"
    assert {f"{folder}/part-00001.csv", f"{folder}/rejected.jsonl"} <= set(keys(client, bucket))
    assert not [key for key in keys(client, bucket) if "probe" in key or ".new" in key]
    again = MetricaHook().upload_simple_orders(101, delivery["parts"][0]["path"])
    assert again["uploading_id"]


@pytest.mark.parametrize("call", ["upload_part", "complete_multipart_upload"])
def test_a_line_that_breaks_leaves_no_short_object(
    client: Any, bucket: str, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    import s3fs

    folder = staging_folder(f"s3://s3_test@{bucket}/staging", CONTEXT)
    path = folder / "part-00001.csv"
    with whole_file(path) as file:
        file.write(b"old")
    calls, send = [0], s3fs.S3FileSystem._call_s3

    async def breaking(self: Any, method: str, *args: Any, **kwargs: Any) -> Any:
        if method == call:
            calls[0] += 1
            if call != "upload_part" or calls[0] == 2:
                raise ConnectionError("the line broke")
        return await send(self, method, *args, **kwargs)

    def write() -> None:
        with whole_file(path) as file:
            for _ in range(40):
                file.write(os.urandom(MB))

    with monkeypatch.context() as patch:
        patch.setattr(s3fs.S3FileSystem, "_call_s3", breaking)
        with pytest.raises(PassingError, match=r"Write .*part-00001\.csv.*s3_test.*the line broke"):
            write()
    assert client.get_object(Bucket=bucket, Key=path.key)["Body"].read() == b"old"
    assert "Uploads" not in client.list_multipart_uploads(Bucket=bucket)
    write()
    assert client.head_object(Bucket=bucket, Key=path.key)["ContentLength"] == 40 * MB


def test_no_such_bucket(bucket: str) -> None:
    with pytest.raises(ConfigurationError, match=r"none-of-these.*s3_test.*right to write.*staging_path"):
        staging_folder("s3://s3_test@none-of-these/staging", CONTEXT)


def test_a_server_that_is_down(metrica: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> None:
    connect_s3(monkeypatch, "s3_down", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(PassingError, match=r"staging folder .*s3_down.*next try"):
        staging_folder("s3://s3_down@bucket/staging", CONTEXT)
    with pytest.raises(PassingError, match=r"Read .*orders\.csv.*s3_down"):
        MetricaHook().upload_simple_orders(101, "s3://s3_down@bucket/orders.csv")


def test_a_file_the_server_does_not_have(metrica: SandboxServer, bucket: str) -> None:
    with pytest.raises(ConfigurationError, match="no file"):
        MetricaHook().upload_simple_orders(101, f"s3://s3_test@{bucket}/orders.csv")
    assert opened_path(f"s3://s3_test@{bucket}/orders.csv", "Read", "").conn_id == "s3_test"
