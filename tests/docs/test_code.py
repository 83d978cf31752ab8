# SPDX-License-Identifier: Apache-2.0
"""Code of the pages: Python is run, commands are read by what they call, and each is known to somebody.

SQL is run by the tests of the journal and of the views of Market, whole DAGs with their tests by test_docs, exports by
tests/exports.
"""

from __future__ import annotations

import json
import re
import shlex
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import requests

from airflow_provider_yandex_orders import sources
from airflow_provider_yandex_orders.__main__ import main
from airflow_provider_yandex_orders.notifications.delivery import DeliveryNotifier
from airflow_provider_yandex_orders.operators import altcraft, market, metrica
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sensors.metrica import MetricaCrmUploadSensor, MetricaOfflineConversionsSensor

ROOT = Path(__file__).parents[2]
PAGES = {
    page.relative_to(ROOT).as_posix(): page.read_text(encoding="utf-8")
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")))
    if not page.name.endswith(".ru.md")
}
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
BLOCKS = [(page, language, code) for page, text in PAGES.items() for language, code in BLOCK.findall(text)]
PYTHON = [(page, code) for page, language, code in BLOCKS if language == "python"]
ELSEWHERE = ("# dags/", "# tests/", "# refunds.py")
"""How blocks begin that are files, which other tests here run as such."""
LINES = sorted(
    {
        (page, line.partition("  #")[0].strip())
        for page, language, code in BLOCKS
        if language in ("", "shell")
        for line in code.replace("\\\n", " ").splitlines()
        if line.strip()
    }
)
NOT_COMMANDS = {"docs/messages.md": "a message", "docs/journal.md": "SQL"}
"""Pages with other text in blocks of no language; their commands are read all the same."""
NOT_IN_CI = {
    "demo": "tests/demo run its days, in one process each",
    "bench": "its measures are run small by tests/unit/benchmarks; figures of a shared machine say nothing",
    "release": "tests/unit/test_wheel.py builds and installs the same archives",
    "pictures": "the same tests run without keeping what they take",
    "simulate": "tests/simulation run some of its seeds",
}


@pytest.fixture
def names(yandex_connections: SandboxServer, tmp_path: Path) -> Iterator[dict[str, Any]]:
    """What the pages take as known: the package's own classes, and things of the reader's."""
    from airflow.providers.common.compat.sdk import DAG, task

    known: dict[str, Any] = {"DAG": DAG, "task": task, "timedelta": timedelta, "DeliveryNotifier": DeliveryNotifier}
    for module in (metrica, market, altcraft, sources):
        known |= {name: getattr(module, name) for name in module.__all__}
    known |= {each.__name__: each for each in (MetricaCrmUploadSensor, MetricaOfflineConversionsSensor)}
    (tmp_path / "orders.csv").write_text("id,create_date_time,emails\nA-1,2026-11-20 10:00:00,a@example.com\n")
    with DAG("a_dag"):
        produced = task(task_id="produced")(lambda: [])()
        given = Namespace(output=produced)
        yield known | {
            "__name__": "a_page",
            "rows": [{"id": "A-1"}],
            "upload": given,
            "fetch": given,
            "fetch_orders": given,
            "export_orders": lambda: produced,
            "deals": lambda since: [],
            "crm_pages": lambda *_: [],
            "FILE": str(tmp_path / "orders.csv"),
        }


@pytest.mark.parametrize(
    ("page", "code"),
    [pytest.param(*block, id=f"{block[0]}-{number}") for number, block in enumerate(PYTHON)],
)
def test_python_of_the_pages_runs(page: str, code: str, names: dict[str, Any]) -> None:
    if code.startswith(ELSEWHERE):
        pytest.skip("a file, which another test here runs as such")
    if "airflow.sdk" in code or "AssetAlias" in code:
        pytest.importorskip("airflow.sdk")
    if "AssetAlias" in code:
        names["AssetAlias"] = import_module("airflow.providers.common.compat.sdk").AssetAlias
    if code.startswith("{"):  # a result
        code = code.replace(", ...}", "}")
    code = (
        code.replace('"/data/orders.csv"', "FILE")
        .replace("source=...", "source=rows")
        .replace("    ...\n", "    pass\n")
    )
    exec(compile(code, page, "exec"), names)


def test_the_new_kind_of_the_steps_is_sent(
    yandex_connections: SandboxServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    yandex_context: Callable[..., Any],
) -> None:
    (code,) = (code for _, code in PYTHON if code.startswith("# refunds.py"))
    (tmp_path / "refunds.py").write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    refunds = import_module("refunds")
    monkeypatch.delitem(sys.modules, "refunds")
    monkeypatch.setitem(sys.modules, "refunds", refunds)
    source = [{"id": f"A-{number}", "create_date_time": "2026-11-20", "emails": "a@b.ru"} for number in range(3)]
    upload = refunds.RefundsOperator(task_id="upload", source=[*source, {"id": "A-3", "emails": "a@b.ru"}])
    upload.max_rejected = 1
    delivery = upload.execute(yandex_context())
    assert (delivery["entity"], delivery["rows_sent"], delivery["rows_rejected"]) == ("refunds", 3, 1)
    assert {order["order_status"] for order in yandex_connections.client.orders(101)} == {"CANCELLED"}
    assert len(code.partition("class RefundsOperator")[2].splitlines()) < 30


def called(command: list[str], monkeypatch: pytest.MonkeyPatch) -> Namespace:
    """What the package's own command line reads of a command."""
    read: list[Namespace] = []

    def keep(options: Namespace) -> int:
        read.append(options)
        return 0

    monkeypatch.setattr("airflow_provider_yandex_orders.__main__.function_of", lambda _: keep)
    assert main(command) == 0
    return read[0]


@pytest.mark.parametrize(("page", "line"), LINES)
def test_commands_of_the_pages_are_read(
    page: str, line: str, yandex_sandbox: SandboxServer, airflow_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = shlex.split(line) if page not in NOT_COMMANDS or line.startswith("airflow ") else []
    if words[:1] == ["export"]:
        words = words[1:]
    while words and re.match(r"AIRFLOW_CONN_\w+=|AIRFLOW__\w+=", words[0]):
        name, _, value = words.pop(0).partition("=")
        assert not name.startswith("AIRFLOW_CONN") or {"conn_type", "password"} <= json.loads(value).keys()
    match words:
        case []:
            pass
        case ["make", target, *_]:
            assert re.search(rf"^{re.escape(target)}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
        case ["pip", "install", what, *rest]:
            wanted = re.search(r"\[(.*)\]", what)
            extras = re.findall(r"^([\w-]+) = \[", (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
            assert not wanted or {*wanted[1].split(",")} <= {*extras}
            assert rest[:1] == ["--constraint"]
            assert (ROOT / rest[1]).exists()
        case ["python", "-m", "airflow_provider_yandex_orders.sandbox", "compare", *rest]:
            assert rest[0] == "--conn-id"
        case ["python", "-m", "airflow_provider_yandex_orders.sandbox", *rest]:
            called(["sandbox", *rest], monkeypatch)
        case ["python", "-m", "airflow_provider_yandex_orders.demo", "--fill", _]:
            pass  # tests/demo fill one
        case ["python", "-m", "airflow_provider_yandex_orders", *rest]:
            called(rest, monkeypatch)
        case ["airflow", "yandex-orders", *rest]:
            called(rest, monkeypatch)
        case ["airflow", *rest]:
            pytest.importorskip("airflow.sdk")
            from airflow.cli.cli_parser import get_parser

            get_parser().parse_args([word.replace("$(date -u +%F)", "2026-11-26") for word in rest])
        case ["curl", address, *rest]:
            url = address.replace("localhost:8765", yandex_sandbox.url)
            answer = requests.post(url, data=rest[1], timeout=60) if rest else requests.get(url, timeout=60)
            assert answer.status_code < 300, answer.text
        case ["mkdir", "-p", _]:
            pass
        case ["cp", file, _]:
            assert (ROOT / file).exists()
        case ["find", *_]:
            pass  # test_docs runs it
        case _:
            pytest.fail(f"nobody knows this command: {line}")


def test_targets_that_ci_does_not_run_have_a_reason() -> None:
    named = set(
        re.findall(r"(?:`|^)make\s+([a-z][\w.-]*)", PAGES["README.md"] + PAGES["CONTRIBUTING.md"], re.MULTILINE)
    )
    run = set(re.findall(r"^make ([\w.-]+)", (ROOT / ".ci" / "run").read_text(), re.MULTILINE))
    assert {"demo", "test", "lint", "docs"} <= named
    assert named - run <= set(NOT_IN_CI)


def test_every_language_has_somebody_who_runs_it() -> None:
    assert {language for _, language, _ in BLOCKS} == {"", "python", "shell", "sql", "text", "yaml"}
    assert {page for page, language, _ in BLOCKS if language in ("sql", "yaml")} == {
        "docs/journal.md",
        "docs/history.md",
        "docs/market.md",
    }
    assert {page for page, language, _ in BLOCKS if language == "text"} == {"docs/errors.md"}
