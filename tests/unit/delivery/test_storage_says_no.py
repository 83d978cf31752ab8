# SPDX-License-Identifier: Apache-2.0
"""A folder that cannot be used: told before any work, for good or for now, with what to do."""

from __future__ import annotations

import errno
import os
import resource
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowNotFoundException

from airflow_provider_yandex_orders.delivery.parts import remove_stale
from airflow_provider_yandex_orders.delivery.rejects import LinesFile
from airflow_provider_yandex_orders.exceptions import ConfigurationError, PassingError
from airflow_provider_yandex_orders.market.fetch import target_folder
from airflow_provider_yandex_orders.storage import (
    is_staged,
    opened_path,
    put_whole,
    read_seen,
    require_seen,
    size_of,
    staging_folder,
    whole_file,
)
from tests.support.breaking_store import raising

RIGHTS = {"pipe_file": "write", "ls": "list", "cat_file": "read", "rm_file": "delete"}


class ClientError(Exception):
    """As botocore's own: an error whose answer is a mapping."""

    def __init__(self, status: int) -> None:
        super().__init__(f"An error occurred ({status})")
        self.response = {"Error": {}, "ResponseMetadata": {"HTTPStatusCode": status}}


class HttpResponseError(Exception):
    """As Azure's own."""

    status_code = 403


class NoCredentialsError(Exception):
    """As botocore's own: no keys anywhere."""


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


FOR_GOOD = [
    PermissionError("Forbidden"),
    FileNotFoundError("The specified bucket does not exist"),
    OSError(errno.EROFS, "Read-only file system"),
    ClientError(403),
    HttpResponseError("no"),
    NoCredentialsError("Unable to locate credentials"),
    AirflowNotFoundException("The conn_id `aws` isn't defined"),
    ImportError("no module s3fs"),
    caused(OSError(errno.EIO, "?"), ClientError(401)),
]
FOR_NOW = [
    ConnectionError("Could not connect to the endpoint URL"),
    TimeoutError("timed out"),
    OSError(errno.ENOSPC, "No space left on device"),
    OSError(errno.EBUSY, "Please reduce your request rate"),
    ClientError(503),
    caused(OSError(errno.EINVAL, "The Content-MD5 did not match"), Exception("An error occurred (BadDigest)")),
    Exception("something new"),
]


@pytest.fixture
def ti() -> dict[str, Any]:
    return {"ti": SimpleNamespace(dag_id="dag", run_id="run", task_id="task", map_index=-1)}


@pytest.mark.parametrize("error", FOR_GOOD, ids=repr)
def test_for_good(memory_url: str, ti: dict[str, Any], error: Exception) -> None:
    with raising(error, "pipe_file"), pytest.raises(ConfigurationError) as raised:
        staging_folder(memory_url, ti)
    said = str(raised.value)
    assert memory_url.partition("://")[2] in said
    assert type(error).__name__ in said
    assert "right to write (s3:PutObject or its like)" in said
    assert "staging_path" in said
    assert "[yandex_orders]" in said
    assert raised.value.__suppress_context__


@pytest.mark.parametrize("error", FOR_NOW, ids=repr)
def test_for_now(memory_url: str, ti: dict[str, Any], error: Exception) -> None:
    with raising(error), pytest.raises(PassingError) as raised:
        staging_folder(memory_url, ti)
    assert memory_url.partition("://")[2] in str(raised.value)
    assert type(error).__name__ in str(raised.value)


@pytest.mark.parametrize("call", RIGHTS)
def test_which_right_is_missing(memory_url: str, ti: dict[str, Any], call: str) -> None:
    last = "" if call == "pipe_file" else ("task" if call == "ls" else "probe")
    error = PermissionError("Access Denied")
    with raising(error, call, last=last), pytest.raises(ConfigurationError, match=f"right to {RIGHTS[call]} "):
        staging_folder(memory_url, ti)
    if call != "pipe_file":  # who only publishes needs no other right
        with raising(error, call, last=last):
            target_folder(memory_url)


def test_the_probe_leaves_nothing(memory_url: str, tmp_path: Path, ti: dict[str, Any]) -> None:
    for root in (memory_url, str(tmp_path)):
        assert list(staging_folder(root, ti).iterdir()) == []
    target_folder(str(tmp_path / "a" / "b"))
    assert not (tmp_path / "a").exists()  # made when there is something to put there


def test_what_a_storage_says_is_shown_without_secrets(
    memory_url: str, ti: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    error = PermissionError("no: https://account.blob/x?sig=SECRET for ivan@example.com")
    with raising(error), pytest.raises(ConfigurationError) as raised:
        staging_folder(memory_url, ti)
    told = str(raised.value) + caplog.text
    assert "SECRET" not in told
    assert "ivan" not in told


# Later, while the work is done.


@pytest.mark.parametrize("where", ["local", "memory"])
def test_a_full_disk_is_named(tmp_path: Path, memory_url: str, where: str) -> None:
    path = opened_path(f"{tmp_path if where == 'local' else memory_url}/part.csv", "Read", "")
    (tmp_path / "whole").write_bytes(b"x" * 100_000)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    said = rf"^Write .*{'part.csv' if where == 'local' else tempfile.gettempdir()}: OSError.*next try"
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
        with pytest.raises(PassingError, match=said) as raised, whole_file(path) as file:
            file.write(b"x" * 100_000)
        if where == "local":
            with pytest.raises(PassingError, match=said):
                put_whole(tmp_path / "whole", path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert raised.value.__suppress_context__
    assert not path.exists()


def test_what_the_rows_raise_is_no_fault_of_the_disk(tmp_path: Path) -> None:
    path = opened_path(f"{tmp_path}/part.csv", "Read", "")
    with pytest.raises(ConnectionRefusedError), whole_file(path):
        raise ConnectionRefusedError(errno.ECONNREFUSED, "the CRM is away")


def test_a_storage_that_goes_away_is_named(memory_url: str) -> None:
    folder = opened_path(memory_url, "Read", "")
    (folder / "part-00001.csv").write_bytes(b"of an earlier try")
    (folder / "rejected.jsonl").write_bytes(b"of an earlier try")
    with raising(ConnectionError("down"), "rm_file"):
        for remove in (lambda: remove_stale(folder, []), LinesFile(folder / "rejected.jsonl").__enter__):
            with pytest.raises(PassingError, match=r"^Remove .*ConnectionError: down.*next try"):
                remove()
    more = LinesFile(folder / "rejected.jsonl", more=True)
    with raising(ConnectionError("down"), "open"), pytest.raises(PassingError, match="ConnectionError: down"), more:
        more.write({})


OPENERS: dict[str, tuple[Callable[[str, Any], object], str]] = {
    "staging": (staging_folder, r"staging folder .*staging_path of the task.*\[yandex_orders\]"),
    "target": (lambda url, _ti: target_folder(url), r"order statistics .*Correct path of the task"),
}


@pytest.mark.parametrize("opener", OPENERS)
def test_a_path_that_cannot_be(opener: str, tmp_path: Path, ti: dict[str, Any]) -> None:
    make, words = OPENERS[opener]
    (tmp_path / "file").write_bytes(b"in the way")
    for url in ("nosuch://bucket/folder", str(tmp_path / "file"), str(tmp_path / "file" / "below"), "/proc/nowhere"):
        with pytest.raises(ConfigurationError, match=words) as raised:
            make(url, ti)
        assert url in str(raised.value)
        assert raised.value.__suppress_context__
    assert (tmp_path / "file").read_bytes() == b"in the way"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_local_folder_without_the_right(tmp_path: Path, ti: dict[str, Any]) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(ConfigurationError, match="Permission denied"):
        staging_folder(str(tmp_path), ti)


def test_a_file_of_another_worker(tmp_path: Path, memory_url: str) -> None:
    for url in (str(tmp_path / "none.csv"), f"{memory_url}/none.csv"):
        for read in (require_seen, read_seen):
            with pytest.raises(PassingError, match=r"none\.csv.*no such file here.*staging_path"):
                read(url)
    (tmp_path / "there.csv").write_bytes(b"x")
    require_seen(str(tmp_path / "there.csv"))
    assert read_seen(str(tmp_path / "there.csv")) == b"x"


def test_a_size(tmp_path: Path, memory_url: str) -> None:
    (tmp_path / "a.csv").write_bytes(b"12345")
    for url, size in ((str(tmp_path / "a.csv"), 5), (str(tmp_path), None)):
        assert size_of(opened_path(url, "Read", "")) == size
    with raising(ConnectionError("down")), pytest.raises(PassingError, match="ConnectionError: down"):
        size_of(opened_path(f"{memory_url}/a.csv", "Read", ""))


def test_the_default_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ti: dict[str, Any]) -> None:
    monkeypatch.setenv("AIRFLOW__YANDEX_ORDERS__STAGING_PATH", "")
    monkeypatch.setenv("HOME", str(tmp_path))
    for home in (None, ""):
        monkeypatch.setenv("AIRFLOW_HOME", "x") if home is None else monkeypatch.setenv("AIRFLOW_HOME", home)
        if home is None:
            monkeypatch.delenv("AIRFLOW_HOME")
        folder = staging_folder(None, ti)
        assert str(folder).startswith(f"{tmp_path}/airflow/yandex_orders/")
        assert is_staged(folder)
        assert not is_staged(opened_path(str(tmp_path), "Read", ""))


@pytest.mark.parametrize(
    "name", ["..", ".", "../../etc", "/etc", "a/b", "a\0b", "...", "manual__2026-11-26T10:00:00+00:00"]
)
@pytest.mark.parametrize("part", ["dag_id", "run_id", "task_id"])
def test_no_id_leads_out_of_its_folder(tmp_path: Path, name: str, part: str) -> None:
    ids = {"dag_id": "dag", "run_id": "run", "task_id": "task", part: name}
    folder = Path(staging_folder(str(tmp_path), {"ti": SimpleNamespace(**ids, map_index=-1)}).path)
    within = folder.resolve().relative_to(tmp_path.resolve())
    assert len(within.parts) == 3
    assert "\0" not in str(folder)
    if name.startswith("manual"):
        assert name in within.parts  # what Airflow itself makes stays as it is
