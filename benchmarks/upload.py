# SPDX-License-Identifier: Apache-2.0
"""A large file to a server on this machine: the hook beside ``curl -F``."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from benchmarks.pairs import SCALE, Line, Side, in_turn, line, skipped
from benchmarks.sink import sink

MEGABYTES = 300 * SCALE
_ENDPOINT = "/cdp/api/v1/counter/101/data/simple_orders"
_LINE = (
    b"A-00000001,2026-11-01 11:00:01,customer-31,170000000006700417,,,1cec0758ded021d550b8589842da9c76,,PAID,10.37\n"
)
_GOALS = {"plain HTTP": 0.9, "TLS": 1.05}


def upload_by_hook(path: str, url: str) -> Callable[[], object]:
    """One upload by the hook."""
    from airflow.providers.common.compat.sdk import Connection, ObjectStoragePath

    from airflow_provider_yandex_orders.hooks.metrica import MetricaHook

    known = Connection(conn_id="m", conn_type="yandex_metrica", host=url, password="a-token")
    small = Path(tempfile.mkdtemp(), "small.csv")
    small.write_bytes(_LINE)

    def run(file: str) -> object:
        hook = MetricaHook("m", connection=known)
        return hook.upload_simple_orders(101, ObjectStoragePath(f"file://{file}"))["uploading_id"]

    run(str(small))  # what is imported is imported before the mark
    return lambda: run(path)


def upload_by_curl(path: str, url: str, certificate: str) -> Callable[[], object]:
    """One upload by curl."""
    trusted = ["--cacert", certificate] if certificate else []
    form = f"file=@{path};type=text/csv"
    command = ["curl", "-sS", "--fail", *trusted, "-H", "Authorization: OAuth a-token", "-F", form, url + _ENDPOINT]

    def run() -> object:
        done = subprocess.run(command, capture_output=True, check=True)
        return json.loads(done.stdout)["uploading"]["uploading_id"]

    return run


def measure(megabytes: float = MEGABYTES, rounds: int = 5) -> list[Line]:
    """Uploads over plain HTTP and over TLS.

    :param megabytes: size of the file.
    :param rounds: how often each side runs.
    """
    works = {kind: f"upload of {megabytes:g} MB, {kind}: our wall time to curl's" for kind in _GOALS}
    if shutil.which("curl") is None:
        return [skipped(work, "curl is not installed") for work in works.values()]
    lines = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmark-upload-")))
        path = folder / "part-00001.csv"
        block = _LINE * 1000
        with path.open("wb") as file:
            while file.tell() < megabytes * 2**20:
                file.write(block)
        for kind, work in works.items():
            url = stack.enter_context(sink(folder if kind == "TLS" else None))
            certificate = str(folder / "certificate.pem") if kind == "TLS" else ""
            given = {"path": str(path), "url": url}
            trusted = {"REQUESTS_CA_BUNDLE": certificate} if certificate else {}
            ours, peer = in_turn(
                Side("benchmarks.upload:upload_by_hook", given, trusted),
                Side("benchmarks.upload:upload_by_curl", {**given, "certificate": certificate}),
                rounds=rounds,
            )
            notes = f"goal <= {_GOALS[kind]}; growth {ours.growth:.0f} MB"
            lines.append(line(work, f"{ours.wall:.2f} s", f"{peer.wall:.2f} s", ours.wall / peer.wall, notes))
    return lines
