# SPDX-License-Identifier: Apache-2.0
"""The sandbox as a program, as a pytest plugin, and over a restart."""

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import requests

import airflow_provider_yandex_orders.sandbox as package
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sandbox.settings import METRICA_QUOTAS, SandboxSettings

ROOT = Path(package.__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "airflow_provider_yandex_orders.sandbox"]
FILE = "id,create_date_time,client_ids\nA,2025-03-04,1\n"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    return {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(temporary)}


@pytest.fixture
def program(environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    arguments = ["--port", "0", "--processing-seconds", "0", "--timezone", "Asia/Tokyo"]
    with subprocess.Popen(
        COMMAND + arguments, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        yield process
        if process.poll() is None:
            process.kill()


def send(url: str) -> None:
    response = requests.post(
        f"{url}/cdp/api/v1/counter/101/data/simple_orders?merge_mode=SAVE",
        headers={"Authorization": "OAuth sandbox-token"},
        files={"file": ("data.csv", FILE)},
        timeout=30,
    )
    assert response.status_code == 200, response.text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_program_prints_its_address_and_ends_cleanly(
    program: subprocess.Popen[str], environment: dict[str, str], number: signal.Signals
) -> None:
    assert program.stdout is not None
    match = re.fullmatch(r"Sandbox: (http://127\.0\.0\.1:\d+)\n", program.stdout.readline())
    assert match is not None
    send(match[1])
    counter = requests.get(
        f"{match[1]}/management/v1/counter/101", headers={"Authorization": "OAuth sandbox-read-token"}, timeout=30
    )
    assert counter.json()["counter"]["time_zone_name"] == "Asia/Tokyo"
    settings = requests.get(f"{match[1]}/_sandbox/settings", timeout=30).json()
    assert settings.items() >= METRICA_QUOTAS.items()
    assert list(Path(environment["TMPDIR"]).iterdir()) != []

    program.send_signal(number)
    _, errors = program.communicate(timeout=30)

    assert program.returncode == 0
    assert errors == ""
    assert list(Path(environment["TMPDIR"]).iterdir()) == []


def test_program_without_quotas(environment: dict[str, str]) -> None:
    command = [*COMMAND, "--port", "0", "--no-quotas"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().removeprefix("Sandbox: ").strip()
        settings = requests.get(f"{url}/_sandbox/settings", timeout=30).json()
        process.terminate()

    assert {settings[name] for name in METRICA_QUOTAS} == {0}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--timezone", "Moscow"], "unknown time zone"),
        (["--processing-seconds", "-1"], "processing_seconds"),
    ],
)
def test_program_explains_wrong_options(environment: dict[str, str], arguments: list[str], message: str) -> None:
    run = subprocess.run(COMMAND + arguments, env=environment, capture_output=True, text=True, timeout=60, check=False)

    assert run.returncode == 2
    assert message in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize("older", [True, False])
def test_program_explains_a_store_that_is_none(environment: dict[str, str], tmp_path: Path, older: bool) -> None:
    store = tmp_path / "kept.sqlite"
    if older:
        with closing(sqlite3.connect(store)) as connection:
            connection.execute("CREATE TABLE metrica_uploads (number INTEGER)")
    else:
        store.write_text("no database " * 100)
    arguments = ["--port", "0", "--store", str(store)]
    run = subprocess.run(COMMAND + arguments, env=environment, capture_output=True, text=True, timeout=60, check=False)

    assert run.returncode == 2
    assert ("by another version of the sandbox: delete it" if older else "name another file") in run.stderr
    assert "Traceback" not in run.stderr


def test_program_explains_a_port_in_use(environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        run = subprocess.run(
            [*COMMAND, "--port", port], env=environment, capture_output=True, text=True, timeout=60, check=False
        )

    assert run.returncode == 2
    assert f"cannot listen on 127.0.0.1:{port}" in run.stderr
    assert "Traceback" not in run.stderr


def test_store_keeps_the_state_over_a_restart(tmp_path: Path) -> None:
    settings = SandboxSettings(processing_seconds=0, store=tmp_path / "kept.sqlite")
    for times in (1, 2):
        with SandboxServer(settings) as server:
            send(server.url)
            (order,) = server.client.orders()
            assert order["times_received"] == times
            assert len(server.client.uploads()) == times


def test_two_servers_do_not_share_state() -> None:
    with SandboxServer() as first, SandboxServer() as second:
        send(first.url)
        assert first.url != second.url
        assert len(first.client.orders()) == 1
        assert second.client.orders() == []


def test_port_is_free_again_after_the_end() -> None:
    with SandboxServer() as server:
        url = server.url
    assert not server.running
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=5)


def test_plugin_gives_each_test_a_fresh_sandbox(environment: dict[str, str], tmp_path: Path) -> None:
    upload = (
        "import requests, pytest\n"
        "@pytest.mark.parametrize('turn', [1, 2])\n"
        "def test_fresh(yandex_sandbox, turn):\n"
        "    assert yandex_sandbox.client.orders() == []\n"
        "    requests.post(yandex_sandbox.url + '/cdp/api/v1/counter/101/data/simple_orders?merge_mode=SAVE',\n"
        "        headers={'Authorization': 'OAuth sandbox-token'}, files={'file': ('data.csv', %r)}, timeout=30)\n"
        "    assert len(yandex_sandbox.client.orders()) == 1\n"
    )
    (tmp_path / "test_fresh.py").write_text(upload % FILE)
    plugin = "airflow_provider_yandex_orders.sandbox.pytest_plugin"
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", plugin, "-p", "no:cacheprovider", str(tmp_path / "test_fresh.py")],
        env={**environment, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert run.returncode == 0, run.stdout
    assert "2 passed" in run.stdout


def test_plugin_costs_nothing_until_used(environment: dict[str, str]) -> None:
    code = (
        "import sys, airflow_provider_yandex_orders.sandbox.pytest_plugin\n"
        "heavy = {'airflow', 'fastapi', 'pydantic', 'requests', 'sqlite3', 'starlette', 'uvicorn'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60, check=True
    )

    assert run.stdout.strip() == "[]"


def test_sandbox_shares_no_code_with_the_provider(environment: dict[str, str]) -> None:
    code = (
        "import sys, airflow_provider_yandex_orders.sandbox.server\n"
        "own = 'airflow_provider_yandex_orders'\n"
        "print(sorted(n for n in sys.modules if n.split('.')[0] == 'airflow' or n.startswith(own + '.')"
        " and not n.startswith(own + '.sandbox')))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60, check=True
    )

    assert run.stdout.strip() == "[]"
