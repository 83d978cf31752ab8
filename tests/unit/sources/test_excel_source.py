# SPDX-License-Identifier: Apache-2.0
"""Workbooks as sources."""

from __future__ import annotations

import base64
import zlib
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_yandex_orders.exceptions import SourceError
from airflow_provider_yandex_orders.sources import FileSource

pytest.importorskip("python_calamine")
xlsxwriter = pytest.importorskip("xlsxwriter")

# Written by Excel 97's format: id 1001, a date-time, 2345.6.
XLS = (
    "c-rk)O=uHA6#izrX?|$)XCk!45(-w0rBJ*Sp-oz<?IooZ#2<v3HhT!wRF){{L8~=KLGYw_2~@#L)r&vqL2n*}iXH?(NEEzy5)?eNS>L?uN*Ylb&_Z"
    "RtW!}7bZ{Ez?nKwVXua-ll;{EnA>M)2VR4gx=Yh;3w*C_-+ddrfmlY1yx3Y!XE4^3pV3r|{Ky5$_o`7T4lJ^eXR-~**&IEC@KoDthV46_euA$=GiDs"
    "Yn|ezdVyVWu-ow=liSHJ>s~vg8WW0jgUPN3on3kN4YAd|2yZogcE@hivnXC4GqEg^c10S4Fk13qxi$ePWX-I`tMTf+lp-$Qh<AM{!Fo*^!anRI2v~A"
    "vQL)H<c<OLQ}qoZ&nQW>a6W&F(uzvxd6$(ua&!hBlpl$*2}MHIxr9GI4_j~1^qT%YFwg2@7IU)VZ9G4h|{JHP896f48_BYX{7VUR7R3~_M|}}V;X0S"
    "+-bunH+$Y3f@?O1R$eqML^B95AL6AGB)?Yfe0iOko=8lwWS$R%>anq1`UeXar3D%LS)(zP{=}Kz&GZtt+QED~(+I^i<=qoeo7um>buP2EoBG+qc$3&s"
    "!|x=%@Oko4XW?UF7x7D@<#Umxw}~RU=orh8y?hqXBYMP*>k^L>PA=>%<~`H4U$z^M7PNi0?6Wa|Rrr_<F|C&5=!l;s%^oXhE$Xb#Yd)5Ra63R68X@U"
    "j7zYWd;-_R)FI#Au^kYy9;{gv}vgUyHK|w)5K|w)5K|$e<5cV}(Uc%)S-DO|%-S&T-RZ120o8-U60nE{pr_afK$Wd<MY(w$0l|C_@w!}JZod1Oqhp2"
    "ZGvzTT-W*d%Q`b-nG@3U^h;NM$9jrLz@#Ls`+{|~9V*M9"
)


def workbook(path: Path, *rows: list[Any], at: tuple[int, int] = (0, 0), hidden: bool = False) -> Path:
    book = xlsxwriter.Workbook(str(path), {"default_date_format": "dd.mm.yyyy hh:mm"})
    if hidden:
        book.add_worksheet("notes").hide()
    sheet = book.add_worksheet("orders")
    sheet.activate()
    for number, row in enumerate(rows, at[0]):
        for column, value in enumerate(row, at[1]):
            if isinstance(value, str) and value.startswith("#"):
                sheet.write_formula(number, column, "=NOTHING", value=value)
            elif isinstance(value, str):
                sheet.write_string(number, column, value)
            elif value is not None:
                sheet.write(number, column, value)
    book.close()
    return path


def read(path: Path, **options: Any) -> tuple[Any, list[dict[str, Any]]]:
    with FileSource(str(path), **options).open() as stream:
        return stream.columns, [dict(row) for row in stream.rows]


@pytest.mark.parametrize("at", [(0, 0), (3, 2)])
@pytest.mark.parametrize("hidden", [False, True])
def test_values_are_what_was_typed(tmp_path: Path, at: tuple[int, int], hidden: bool) -> None:
    made = datetime(2026, 11, 20, 10, 0, 1)
    path = workbook(
        tmp_path / "a.xlsx",
        ["id", "create_date_time", "revenue", "", "paid"],
        [88, made, 2345.6, "junk", True],
        [None, None, None, None, None],
        ["0045", date(2026, 11, 20), 0.1, None, False],
        [4.2e17, None, "2 345,60"],
        at=at,
        hidden=hidden,
    )
    columns, rows = read(path)
    assert list(columns) == ["id", "create_date_time", "revenue", "", "paid"]
    assert rows[0] == {"id": 88, "create_date_time": made, "revenue": Decimal("2345.6"), "paid": True}
    assert type(rows[0]["id"]) is int
    assert (rows[1]["id"], rows[1]["revenue"], rows[1]["paid"]) == ("0045", Decimal("0.1"), False)
    assert str(rows[1]["create_date_time"])[:10] == "2026-11-20"
    assert type(rows[2]["id"]) is float  # Excel spoilt it, and the operators say so
    assert rows[2]["revenue"] == "2 345,60"


def test_an_error_in_a_cell_is_no_empty_cell(tmp_path: Path) -> None:
    rows = [[number, None if number % 3 else "#DIV/0!", "#N/A" if number % 2 else "x" * 40] for number in range(3000)]
    _, read_rows = read(workbook(tmp_path / "a.xlsx", ["id", "revenue", "note"], *rows, at=(2, 1)))
    assert len(read_rows) == 3000
    assert [row["id"] for row in read_rows if row["revenue"] == "#DIV/0!"] == list(range(0, 3000, 3))
    assert [row["id"] for row in read_rows if row["note"] == "#N/A"] == list(range(1, 3000, 2))


def test_the_first_sheet_is_read_and_the_others_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    book = xlsxwriter.Workbook(str(tmp_path / "a.xlsx"))
    for name in ("Заказы", "more"):
        book.add_worksheet(name).write_row(0, 0, ["id", name])
    book.close()
    assert list(read(tmp_path / "a.xlsx")[0]) == ["id", "Заказы"]
    assert "has 2 sheets: only the first, 'Заказы', is read" in caplog.text
    with FileSource(str(tmp_path / "a.xlsx")).open() as stream:
        assert stream.assumed == "The sheet 'Заказы' was read, the first of 2."


def test_an_old_workbook(tmp_path: Path) -> None:
    (tmp_path / "a.xls").write_bytes(zlib.decompress(base64.b85decode(XLS)))
    assert read(tmp_path / "a.xls") == (
        ["id", "create_date_time", "revenue"],
        [{"id": 1001, "create_date_time": datetime(2026, 11, 20, 10), "revenue": Decimal("2345.6")}],
    )


def test_the_format_may_be_told_and_the_file_stored_anywhere(tmp_path: Path, memory_url: str) -> None:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    content = workbook(tmp_path / "a.xlsx", ["id"], ["7"]).read_bytes()
    (ObjectStoragePath(memory_url) / "export").write_bytes(content)
    with FileSource(f"{memory_url}/export", format="excel").open() as stream:
        assert list(stream.rows) == [{"id": "7"}]


def test_an_empty_sheet(tmp_path: Path) -> None:
    assert read(workbook(tmp_path / "a.xlsx")) == (None, [])
    assert read(workbook(tmp_path / "b.xlsx", ["id"])) == (["id"], [])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<html><table><tr><td>id</td></tr></table>", "a web page under the name of a workbook"),
        (b"id,name\n1,2\n", "no Excel workbook"),
        (b"PK\x03\x04 cut", "no Excel workbook"),
        (b"\xd0\xcf\x11\xe0 cut", "no Excel workbook"),
    ],
)
@pytest.mark.parametrize("name", ["a.xlsx", "a.xls"])
def test_what_is_no_workbook(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError, match=said):
        read(tmp_path / name)
