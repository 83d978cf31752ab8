# SPDX-License-Identifier: Apache-2.0
"""Files as people have them, through the operator: what the service holds is what the file says, or the task fails."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from airflow_provider_yandex_orders.exceptions import SourceError, SourceUnavailable
from airflow_provider_yandex_orders.operators.metrica import MetricaUploadSimpleOrdersOperator
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sources import CallableSource, FileSource

HEAD = "id,create_date_time,emails,order_status,revenue"


@pytest.fixture
def send(run: Callable[..., Any]) -> Callable[..., Any]:
    def execute(source: Any, **arguments: Any) -> Any:
        return run(MetricaUploadSimpleOrdersOperator, source=source, **arguments)

    return execute


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., str]:
    def write(content: str | bytes, name: str = "orders.csv") -> str:
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(tmp_path / name)

    return write


def held(metrica: SandboxServer, *fields: str) -> list[tuple[Any, ...]]:
    orders = sorted(metrica.client.orders(101), key=lambda order: str(order["id"]))
    return [tuple(order.get(field) for field in ("id", *fields)) for order in orders]


def order(number: int, note: str = "x") -> str:
    return f"A{number},2026-11-20 10:00:00,b{number}@example.com,PAID,10,{note}\n"


def test_a_quote_closed_too_late_sends_nothing(metrica: SandboxServer, send: Any, file: Any) -> None:
    content = f"{HEAD},note\n{order(1)}{order(2, chr(34) + 'cut sho')}{order(3)}{order(4)}" + order(5, '"x, y"')
    with pytest.raises(SourceError, match="begins in line 3"):
        send(FileSource(file(content)), max_rejected=5)
    assert [request for request in metrica.client.requests() if request["method"] == "POST"] == []


def test_every_line_is_in_a_count(metrica: SandboxServer, send: Any, file: Any) -> None:
    content = f"{HEAD},note\n{order(1)};\n,,,,,\n{order(2, chr(34) + 'a' + chr(34) + 'b')}{order(3)}A4,2026\n"
    delivery = send(FileSource(file(content)), max_rejected=3)
    assert (delivery["rows_read"], delivery["rows_sent"], delivery["rows_rejected"]) == (5, 2, 3)
    lines = Path(delivery["rejected_path"]).read_bytes().splitlines()
    assert [msgspec.json.decode(line)["row"] for line in lines] == [2, 3, 5]


def test_an_export_of_a_russian_spreadsheet(metrica: SandboxServer, send: Any, file: Any) -> None:
    content = (
        "sep=;\r\n;;;;;;\r\n"
        'Номер;"Дата; создания";E-mail;Телефон ;Комментарий;Комментарий;\r\n'
        '="0045";20.11.2026 10:00:00;a@example.com;\'+79990000000;да;"нет\r\nили; да";\r\n'
        f";;;;;;\r\n0046;20.11.2026;NULL;79990000001;{'очень длинно ' * 20_000};x;\r\n"
    ).encode("cp1251")
    columns = {"id": "номер", "create_date_time": "Дата; создания", "emails": "e-mail", "phones": "Телефон"}
    with pytest.raises(SourceError, match=r"not UTF-8\. It looks like cp1251: say encoding='cp1251'"):
        send(FileSource(file(content), columns=columns))
    delivery = send(FileSource(file(content), columns=columns, encoding="cp1251"))
    assert (delivery["rows_read"], delivery["rows_sent"], delivery["values_dropped"]) == (2, 2, 0)
    assert held(metrica) == [("0045",), ("0046",)]


def test_words_for_nothing_are_no_ids_and_no_statuses(metrica: SandboxServer, send: Any, file: Any) -> None:
    lines = "A1,2026-11-20,a@example.com,None,NULL\nNULL,2026-11-20,b@example.com,PAID,1\n"
    lines += "NULL,2026-11-20,c@example.com,PAID,1\n"
    delivery = send(FileSource(file(f"{HEAD}\n{lines}")), max_rejected=2)
    assert (delivery["rows_rejected"], delivery["rows_duplicate"]) == (2, 0)
    assert held(metrica, "order_status") == [("A1", "PAID")]


@pytest.mark.parametrize("kind", ["csv", "jsonl", "rows"])
def test_names_that_nearly_fit_lose_no_money(metrica: SandboxServer, send: Any, file: Any, kind: str) -> None:
    row = {"ID": "A1", "Create_Date_Time": "2026-11-20", "emails": "a@example.com", "Revenue ": "25", "COST": "5"}
    source: Any = [row]
    if kind == "csv":
        source = FileSource(file(f"{','.join(row)}\n{','.join(row.values())}\n"))
    elif kind == "jsonl":
        source = FileSource(file(msgspec.json.encode(row), "a.jsonl"))
    send(source)
    assert [(id_, float(revenue), float(cost)) for id_, revenue, cost in held(metrica, "revenue", "cost")] == [
        ("A1", 25.0, 5.0)
    ]


def deals(since: str) -> Any:
    for page in range(3):
        yield [
            {
                "ID": page * 2 + number,
                "DATE": since,
                "contact": {"EMAIL": [{"VALUE": f"c{page}{number}@example.com", "VALUE_TYPE": "WORK"}]},
                "work": None,
                "mobile": "+79990000000",
            }
            for number in range(2)
        ]


def test_nested_rows_of_a_function(metrica: SandboxServer, send: Any) -> None:
    columns = {"create_date_time": "date", "emails": "contact.EMAIL.VALUE", "phones": ["work", "mobile"]}
    source = CallableSource(deals, op_kwargs={"since": "2026-11-20"}, columns=columns)
    delivery = send(source)
    assert (delivery["rows_sent"], delivery["values_dropped"]) == (6, 0)
    assert [id_ for (id_,) in held(metrica)] == ["0", "1", "2", "3", "4", "5"]


def test_a_workbook(metrica: SandboxServer, send: Any, tmp_path: Path) -> None:
    pytest.importorskip("python_calamine")
    xlsxwriter = pytest.importorskip("xlsxwriter")
    book = xlsxwriter.Workbook(str(tmp_path / "a.xlsx"))
    sheet = book.add_worksheet()
    sheet.write_row(1, 0, ["id", "create_date_time", "emails", "revenue"])
    for number, id_ in enumerate([1001, "0045", 4.2e17, 1002], 2):
        sheet.write_row(number, 0, [id_, "20.11.2026 10:00", "a@example.com", 0.1])
    sheet.write_formula(5, 3, "=1/0", value="#DIV/0!")
    book.close()
    delivery = send(FileSource(str(tmp_path / "a.xlsx")), max_rejected=2)
    codes = [msgspec.json.decode(line)["code"] for line in Path(delivery["rejected_path"]).read_bytes().splitlines()]
    assert codes == ["float_id", "sheet_error"]
    assert [(id_, float(revenue)) for id_, revenue in held(metrica, "revenue")] == [("0045", 0.1), ("1001", 0.1)]


def test_odd_files(metrica: SandboxServer, send: Any, file: Any, tmp_path: Path) -> None:
    assert send(FileSource(file(b"")))["rows_read"] == 0
    line = "A1,2026-11-20,a@example.com,PAID,1\n"
    assert send(FileSource(file(gzip.compress(f"{HEAD}\n{line}".encode()))))["rows_sent"] == 1
    with pytest.raises(SourceUnavailable, match="or not yet"):
        send(FileSource(str(tmp_path / "late.csv")))


def test_amounts_and_dates_as_the_file_writes_them(metrica: SandboxServer, send: Any, file: Any) -> None:
    content = (
        f"{HEAD.replace(',', ';')}\nA1;11/03/2026 9:07;a@example.com;PAID;2 345,60\nA2;2026-11-03;a@b.com;PAID;1.5\n"
    )
    source = FileSource(file(content), decimal=",", date_format="%m/%d/%Y %H:%M")
    delivery = send(source, max_rejected=1)
    assert (delivery["rows_sent"], delivery["rows_rejected"]) == (1, 1)
    ((_, made, revenue),) = held(metrica, "create_date_time", "revenue")
    assert (made, float(revenue)) == ("2026-11-03 09:07:00", 2345.6)
    (line,) = Path(delivery["rejected_path"]).read_bytes().splitlines()
    found = msgspec.json.decode(line)
    assert [found["code"], *(each["code"] for each in found["also"])] == ["bad_date", "decimal_point"]


@pytest.mark.parametrize(
    ("second", "refused"),
    [
        ("Revenue ,ID,note,CREATE_DATE_TIME,emails,Order_Status\n5,A2,x,2026-11-20,b@example.com,PAID\n", None),
        ("id,create_date_time,emails,revenue,order_status,x,x\nA2,2026-11-20,b@example.com,5,PAID,1,2\n", None),
        ("id,create_date_time,emails,order_status\nA2,2026-11-20,b@example.com,PAID\n", "before it has 'revenue'"),
        ("id,create_date_time,emails,order_status,revenue,cost\n", "before it has 'cost'"),
        ("id,emails,order_status,revenue\n", "no column 'create_date_time'"),
        ("id,create_date_time,emails,order_status,revenue,Revenue,revenue\n", "several columns are named revenue"),
    ],
)
def test_files_of_one_source_differ_in_nothing_that_is_sent(
    metrica: SandboxServer, send: Any, file: Any, tmp_path: Path, second: str, refused: str | None
) -> None:
    file(f"{HEAD}\nA1,2026-11-20,a@example.com,CANCELLED,3\n", "1.csv")
    file(second, "2.csv")
    source = FileSource(str(tmp_path / "?.csv"))
    if refused is None:
        send(source)
        found = [(id_, status, float(revenue)) for id_, status, revenue in held(metrica, "order_status", "revenue")]
        assert found == [("A1", "CANCELLED", 3), ("A2", "PAID", 5)]
        return
    with pytest.raises(SourceError, match=rf"2\.csv.*{refused}"):
        send(source)
    assert [request for request in metrica.client.requests() if request["method"] == "POST"] == []


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
@pytest.mark.parametrize(("exact", "near", "fits"), [("", "25", False), ("NULL", "0", False), ("", "", True)])
def test_an_empty_column_beside_a_filled_one_of_nearly_its_name(
    metrica: SandboxServer, send: Any, file: Any, kind: str, exact: str, near: str, fits: bool
) -> None:
    def source(*pairs: tuple[str, str], **options: Any) -> FileSource:
        made = {"create_date_time": "2026-11-20", "emails": "a@example.com", "order_status": "PAID"}
        rows = [
            {"id": f"A{number}", **made, "revenue": one, "Revenue ": other} for number, (one, other) in enumerate(pairs)
        ]
        if kind == "jsonl":
            return FileSource(file(b"\n".join(map(msgspec.json.encode, rows)), "a.jsonl"), **options)
        return FileSource(file("\n".join(map(",".join, [rows[0], *(row.values() for row in rows)]))), **options)

    if fits:
        send(source((exact, near)))
    else:
        with pytest.raises(SourceError, match=r"'revenue' and 'Revenue ' fit 'revenue' equally.*columns=\{"):
            send(source((exact, ""), (exact, near)))
        assert metrica.client.orders(101) == []
    send(source((exact, near), ("7", near)), task_id="filled")  # then the exact name is the one
    assert held(metrica, "revenue")[-1][1] == "7"
    send(source((exact, "9"), columns={"revenue": "Revenue "}), task_id="named")
    assert held(metrica, "revenue")[0][1] == "9"


@pytest.mark.parametrize(
    "content",
    [
        '"id"x,create_date_time,emails\n"1"x,2026-11-20,a@example.com\n"2"x,2026-11-20,b@example.com\n',
        f'"id"x,a,b\n{HEAD}\nA1,2026-11-20,a@example.com,PAID,5\n',
        '{"id":"1","create_date_time":"2026-11-20"}\n{"id":"2","create_date_time":"2026-11-20"}\n',
    ],
    ids=["spoilt", "the next line is one", "JSON"],
)
def test_a_file_whose_header_cannot_be_read_is_no_empty_one(
    metrica: SandboxServer, send: Any, file: Any, content: str
) -> None:
    with pytest.raises(SourceError, match="record that begins in line 1 is no CSV"):
        send(FileSource(file(content)), max_rejected=5)


def test_a_list_of_paths_may_be_rendered_as_text(metrica: SandboxServer, send: Any, file: Any) -> None:
    paths = [file(f"{HEAD},note\n{order(n)}", f"{n}.csv") for n in (1, 2)]
    assert send(FileSource(str(paths)))["rows_sent"] == 2
