# SPDX-License-Identifier: Apache-2.0
"""The command ``check``: the upload's own counts, faults and files, printed; nothing sent, nothing left behind."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_yandex_orders.__main__ import main
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from tests.support.memory import peak_growth_mb

ROOT = Path(__file__).parents[3]
HEAD = "id,create_date_time,emails,phones,client_ids,order_status,revenue,currency\n"


@pytest.fixture
def check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    def run(content: str, *options: str, name: str = "orders.csv") -> tuple[int, str]:
        (tmp_path / name).write_text(content, encoding="utf-8")
        code = main(["check", str(tmp_path / name), *options])
        out, err = capsys.readouterr()
        return code, out + err

    return run


def order(number: int, **cells: str) -> str:
    row = {
        "id": f"A{number}",
        "time": "2026-11-20 10:00:00",
        "email": f"buyer{number}@example.com",
        "phone": "",
        "client": "",
        "status": "PAID",
        "revenue": "10.50",
        "currency": "RUB",
    }
    return ",".join((row | cells).values()) + "\n"


def test_a_good_file(check: Callable[..., tuple[int, str]], metrica: SandboxServer) -> None:
    lines = "".join(order(number, status=("new", "PAID")[number % 2]) for number in range(5))
    code, told = check(HEAD + lines, "--status-map", "new=IN_PROGRESS")
    assert code == 0
    assert "order_status: IN_PROGRESS 3, PAID 2" in told
    assert "revenue: 52.50 RUB" in told
    assert "Good: the upload would send 5 of 5 rows." in told
    assert metrica.client.requests() == []


def test_rejects_by_reason_with_the_first_of_each(check: Callable[..., tuple[int, str]]) -> None:
    lines = [order(number, revenue="much") for number in range(5)] + [order(8, email="", phone=""), order(9)]
    code, told = check(HEAD + "".join(lines), "--examples", "2")
    assert code == 1
    assert "not_a_number: 5" in told
    assert [line.split(":")[0].strip() for line in told.splitlines() if line.startswith("    row ")] == [
        "row 1 (A0), column revenue",
        "row 2 (A1), column revenue",
        "row 6 (A8), column client_ids",
    ]
    assert "Would be sent: 1 rows" in told
    assert "6 of 7 rows are rejected, and max_rejected is 0" in told
    assert check(HEAD + "".join(lines), "--max-rejected", "0.9")[0] == 0


def test_a_column_that_nearly_fits(check: Callable[..., tuple[int, str]]) -> None:
    code, told = check(HEAD.replace("revenue", "revenu") + order(1))
    assert code == 0
    assert "Column 'revenu' is not sent, and revenue has no column." in told


@pytest.mark.parametrize(("share", "noticed"), [(3, True), (4, False)])
def test_one_customer_in_a_third_of_the_rows(check: Callable[..., tuple[int, str]], share: int, noticed: bool) -> None:
    """Also where thousands of others come between."""
    lines = (
        order(number, client="1000000000000000001" if number % share == 0 else f"17{number:08}")
        for number in range(3000)
    )
    code, told = check(HEAD + "".join(lines))
    assert code == 0
    assert ("client_ids (column 'client_ids'): one value stands in about" in told) is noticed
    assert "emails (column" not in told
    assert "1000000000000000001" not in told


def test_the_lines_of_one_order_are_one_customers(check: Callable[..., tuple[int, str]]) -> None:
    lines = order(1, client="1712345678") * 5 + "".join(order(number, client="1712345679") for number in range(2, 5))
    assert "client_ids (column" in check(HEAD + lines)[1]
    lines = order(1, client="1712345678") * 5 + "".join(order(number) for number in range(2, 5))
    assert "client_ids (column" not in check(HEAD + lines)[1]


def test_orders_of_the_future(check: Callable[..., tuple[int, str]]) -> None:
    code, told = check(HEAD + order(1, time="2062-11-20 10:00:00") + order(2))
    assert code == 0
    assert "  - 1 rows are dated in the future" in told


def test_lines_of_orders_whose_amount_differs(check: Callable[..., tuple[int, str]]) -> None:
    # The lines of an order need not stand together.
    lines = [order(number % 100, revenue=str(1 + number // 100)) for number in range(300)] + [order(500)] * 2
    code, told = check(HEAD + "".join(lines))
    assert code == 1
    assert "rejected.jsonl" not in told
    assert "revenue (column 'revenue'): differs between the rows of 100 orders" in told
    assert "stands alike in all rows of 1 orders" in told
    code, told = check(HEAD + "".join(lines[:300]), "--same-key", "revenue=sum")
    assert code == 0
    assert "revenue: 600 RUB" in told


def test_lines_of_two_currencies_are_never_to_be_added_up(check: Callable[..., tuple[int, str]]) -> None:
    head = "id,create_date_time,emails,revenue,currency\n"
    lines = [f"1,2026-11-20 10:00:00,a@example.com,{each}\n" for each in ("10,USD", "20,EUR")]
    told = check(head + "".join(lines))[1]
    assert "1 orders have rows of several currencies: these cannot be added up" in told
    assert "revenue=sum" not in told


def test_columns_of_any_name_and_kind(check: Callable[..., tuple[int, str]]) -> None:
    content = "номер,дата=,почта,вторая\n1,2026-11-20 10:00:00,,b@example.com\n"
    options = ("--columns", "id=номер", "create_date_time=дата=", "emails=почта", "emails=вторая")
    assert check(content, *options)[0] == 0
    json = '{"id": "номер", "create_date_time": "дата=", "emails": ["почта", "вторая"]}'
    assert check(content, "--columns", json)[0] == 0


@pytest.mark.parametrize(
    ("entity", "content", "told"),
    [
        ("contacts", "uniq_id,name,emails\n7,Anna,a@example.com\n", "1 of 1 rows"),
        (
            "orders",
            "id,client_uniq_id,create_date_time,order_status,revenue\n1,7,2026-11-20 10:00:00,PAID,5\n",
            "revenue: 5",
        ),
        (
            "offline_conversions",
            "Target,DateTime,ClientId,Price\nsold,2026-11-20 10:00:00,1712345678901234567,5\n",
            "sold 1",
        ),
        (
            "altcraft_orders",
            '{"external_id":"1","email":"a@example.com","endpoint":"s","status":"paid","currency":"RUB",'
            '"lines":[{"external_id":"1","sku":"x","count":2,"final_price_per_item":"2.5","status":"new"}]}\n',
            "total_price: 5.0 RUB",
        ),
    ],
)
def test_every_entity(check: Callable[..., tuple[int, str]], entity: str, content: str, told: str) -> None:
    name = "rows.jsonl" if content.startswith("{") else "rows.csv"
    code, said = check(content, "--entity", entity, "--timezone", "Europe/Moscow", name=name)
    assert code == 0, said
    assert told in said


@pytest.mark.parametrize(
    ("options", "code", "told"),
    [
        (("--columns", "id"), 2, "--columns: write name=value"),
        (("--columns", "{id"), 2, "--columns: this begins as a JSON object"),
        (("--same-key", "merge", "revenue=sum"), 2, "--same-key: last and merge stand alone"),
        (("--same-key", "revenue=sum", "last"), 2, "--same-key: last and merge stand alone"),
        (("--timezone", "Mars/Base"), 2, "source_timezone names the time zone 'Mars/Base'"),
        (("--counter-timezone", "Mars/Base"), 2, "--counter-timezone names the time zone 'Mars/Base'"),
        (("--max-rejected", "some"), 2, "--max-rejected must be a number of rows"),
        (("--status-map", "new=DONE DEAL"), 2, "status_map['new']"),
        (("--entity", "contacts", "--status-map", "new=PAID"), 2, "An upload of contacts takes no status_map"),
        (("--columns", "revenue=total"), 1, "does not have"),
    ],
)
def test_what_cannot_be_checked(
    check: Callable[..., tuple[int, str]], options: tuple[str, ...], code: int, told: str
) -> None:
    found, said = check(HEAD + order(1), *options)
    assert told in said
    assert found == code


def test_no_such_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["check", str(tmp_path / "late.csv")]) == 2
    assert "late.csv" in capsys.readouterr().err


def test_the_files_are_kept_where_asked(check: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    code, told = check(HEAD + order(1) + order(2, revenue="x"), "--output", str(tmp_path / "out"))
    assert code == 1
    kept = {path.name: path for path in (tmp_path / "out").rglob("*.*")}
    assert set(kept) == {"part-00001.csv", "rejected.jsonl", "versions.jsonl"}
    assert f"All of them: {kept['rejected.jsonl']}" in told
    assert kept["part-00001.csv"].read_text().count("\n") == 2


def test_no_value_of_a_row_is_shown(check: Callable[..., tuple[int, str]]) -> None:
    bad = order(1, email="zinaida(at)example", phone="+7 999 000-00", revenue="lots", status="Zinaida Petrova")
    code, told = check(HEAD + bad + order(2) * 2)
    assert code == 1
    for secret in ("inaida", "999", "lots", "buyer2"):
        assert secret not in told


def test_no_airflow_is_there_and_nothing_is_left(tmp_path: Path) -> None:
    """A process of its own, as a shell starts it."""
    (tmp_path / "orders.csv").write_text(HEAD + order(1), encoding="utf-8")
    places = {name: tmp_path / name for name in ("home", "tmp")}
    for place in places.values():
        place.mkdir()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    environment |= {"HOME": str(places["home"]), "TMPDIR": str(places["tmp"]), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "airflow_provider_yandex_orders", "check", "orders.csv"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("           1  rows read\n")
    assert [path for place in places.values() for path in place.rglob("*")] == []


def test_airflow_has_the_command() -> None:
    from airflow.providers_manager import ProvidersManager

    if not hasattr(ProvidersManager, "cli_command_functions"):
        pytest.skip("this Airflow takes no commands of providers")
    (group,) = [
        group for each in ProvidersManager().cli_command_functions for group in each() if "yandex" in group.name
    ]
    commands: Any = group
    names = [command.name for command in commands.subcommands]
    assert (group.name, names) == ("yandex-orders", ["check", "explain", "journal", "sandbox", "token"])


CHECK = """
import contextlib, io, sys
from airflow_provider_yandex_orders import __main__
from airflow_provider_yandex_orders.cli import check
__main__.main(["check", sys.argv[2]])
mark_memory()
assert __main__.main(["check", sys.argv[1], "--same-key", "last"]) == 0
"""


@pytest.mark.slow
def test_a_million_rows_in_flat_memory(tmp_path: Path) -> None:
    (tmp_path / "small.csv").write_text(HEAD + order(1))
    with (tmp_path / "large.csv").open("w") as file:
        file.write(HEAD)
        file.writelines(order(number) for number in range(1_000_000))
    assert peak_growth_mb(CHECK, [str(tmp_path / "large.csv"), str(tmp_path / "small.csv")], timeout=1200) < 150
