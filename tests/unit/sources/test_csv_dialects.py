# SPDX-License-Identifier: Apache-2.0
"""CSV as programs and people write it: read as it was written, or refused with the line."""

from __future__ import annotations

import csv
import io
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from airflow_provider_yandex_orders.exceptions import SourceError
from airflow_provider_yandex_orders.sources import FileSource
from airflow_provider_yandex_orders.sources.base import UnreadableRow

HEAD = "id,create_date_time,emails,note"
NAMES = count()


def read(path: Path, **options: Any) -> tuple[list[str] | None, list[Any]]:
    with FileSource(str(path), **options).open() as stream:
        rows = [row.reason if isinstance(row, UnreadableRow) else dict(row) for row in stream.rows]
        return (None if stream.columns is None else list(stream.columns)), rows


def text_file(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / f"{next(NAMES)}.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def line(number: int, note: str = "x") -> str:
    return f"A{number},2026-11-20 10:00:00,b{number}@example.com,{note}"


class TestQuotesThatSwallowLines:
    @pytest.mark.parametrize(
        ("lines", "first"),
        [
            ([line(1), line(2, '"cut sho'), line(3), line(4), line(5, '"x, y"')], 3),
            ([line(1), line(2, '"cut sho'), line(3), line(4, 'fine"'), line(5)], 3),
            ([line(1, '"cut'), line(2, 'end"')], 2),
            ([line(1), line(2, '"cut sho'), line(3, 'x"y'), line(4)], 3),
            ([line(1), line(2, '"cut sho'), line(3)], 3),
            ([line(1), line(2), line(3, '"')], 4),
            ([line(1), 'A2,"2026-11-20 10:00:00,b@example.com,x', line(3, '",,'), line(4)], 3),
            ([line(1), '"A2",2026-11-20 10:00:00,"b@example.com,x', '"A3",2026-11-20 10:00:00,"c@example.com",x'], 3),
            ([line(1), '"two', 'lines",2026-11-20 10:00:00'], 3),
            ([line(1), line(2, '"5" pipe, "long'), 'part",,'], 3),
            ([line(1), *[line(n, '"note') for n in (2, 3)], *[line(n, 'note"') for n in (4, 5)]], 3),
        ],
    )
    def test_fail_with_the_line_where_the_record_begins(self, tmp_path: Path, lines: list[str], first: int) -> None:
        for ending in ("\n", "\r\n", "\r"):
            with pytest.raises(SourceError, match=f"begins in line {first} ") as caught:
                read(text_file(tmp_path, ending.join([HEAD, *lines, ""])))
            assert "example.com" not in str(caught.value)

    def test_semicolons_and_numbers_for_ids(self, tmp_path: Path) -> None:
        content = 'id;sum;note\n1001;5,10;"a\n1002;7,20;b\n1003;9,30;c"\n1004;1,10;d\n'
        with pytest.raises(SourceError, match="begins in line 2 "):
            read(text_file(tmp_path, content))
        assert len(read(text_file(tmp_path, content), multiline=True)[1]) == 2  # said to be meant

    @pytest.mark.parametrize("lines", [100, 5000])
    def test_cells_of_very_many_lines_are_suspect(self, tmp_path: Path, lines: int) -> None:
        content = f'{HEAD}\n{line(1)}\nA2,d,e,"{"x" * 20}{chr(10) * lines}"\n{line(3)}\n'
        with pytest.raises(SourceError, match=r"begins in line 3 .*multiline=True"):
            read(text_file(tmp_path, content))
        assert [row["id"] for row in read(text_file(tmp_path, content), multiline=True)[1]] == ["A1", "A2", "A3"]

    @pytest.mark.parametrize(
        "note",
        ["two\nlines", "Line 1, and\nline 2, too, with commas", "12\n", "a\n\n\nb", "x" + "\ny" * 90],
    )
    def test_cells_of_some_lines_are_read(self, tmp_path: Path, note: str) -> None:
        content = f"{HEAD}\n{line(1, chr(34) + note + chr(34))}\n{line(2)}\n"
        assert [row["note"] for row in read(text_file(tmp_path, content))[1]] == [note, "x"]

    @pytest.mark.parametrize("broken", ['"cut" x', '"5" pipe"', '"a"b"c"'])
    def test_a_broken_line_whose_end_is_sure_is_one_bad_row(self, tmp_path: Path, broken: str) -> None:
        _, rows = read(text_file(tmp_path, "\n".join([HEAD, line(1), line(2, broken), line(3)])))
        assert [row if isinstance(row, str) else row["id"] for row in rows] == ["A1", "the line is no CSV", "A3"]


class TestDialects:
    @pytest.mark.parametrize(
        ("content", "columns"),
        [
            ('"id";"sum, net";"sum, gross"\n1;2,5;3,5\n', ["id", "sum, net", "sum, gross"]),
            ('id,"a;b;c;d",x\n1,2,3\n', ["id", "a;b;c;d", "x"]),
            ('"id";"two\nlines, or\nthree";x\n1;2,5;3\n', ["id", "two\nlines, or\nthree", "x"]),
            ("sep=;\nid;a,b\n1;2\n", ["id", "a,b"]),
            ('"sep=|"\r\nid|a,b\r\n1|2\r\n', ["id", "a,b"]),
            ("\ufeffsep=\t\nid\tx\n1\t2\n", ["id", "x"]),
            ("id;sum, rub\n1;2,5\n2;3,5\n", ["id", "sum, rub"]),
            ("id|a b\n1|2\n", ["id", "a b"]),
            ("id\n1\n", ["id"]),
            ("\n;;;\nid;x;;\n1;2;;\n", ["id", "x", "", ""]),
        ],
    )
    def test_the_delimiter_is_told_by_the_first_lines(self, tmp_path: Path, content: str, columns: list[str]) -> None:
        found, rows = read(text_file(tmp_path, content))
        assert found == columns
        assert rows[0]["id"] == "1"

    def test_the_delimiter_may_be_told(self, tmp_path: Path) -> None:
        path = text_file(tmp_path, "id;a,b\n1;2,3\n")
        assert read(path, delimiter=",")[0] == ["id;a", "b"]
        for tab in ("\t", "\\t", "tab"):
            assert read(text_file(tmp_path, "id\ta,b,c\n1\t2\n"), delimiter=tab)[0] == ["id", "a,b,c"]
        assert read(text_file(tmp_path, "sep=,\nid~x\n"), delimiter="~")[0] == ["id", "x"]

    def test_lines_and_columns_of_nothing(self, tmp_path: Path) -> None:
        content = ";;;;\n\nid;;sum;;\n1;junk;5;;\n;;;;\n ; ;\n2;;6\n3;;7;;;;;\n4;;8;;;x\n5\n"
        _, rows = read(text_file(tmp_path, content))
        good = [{"id": "1", "sum": "5"}, {"id": "2", "sum": "6"}, {"id": "3", "sum": "7"}]
        assert rows == [*good, "the line has 6 cells and the header 5", "the line has 1 cells and the header 5"]

    def test_empty_lines_before_the_header_do_not_make_it_one_bad_row(self, tmp_path: Path) -> None:
        with pytest.raises(SourceError):
            read(text_file(tmp_path, ';;\n"id" x;sum;note\n1;5;a\n2;6;b\n'))

    def test_a_very_long_cell_is_read_and_the_process_keeps_its_limit(self, tmp_path: Path) -> None:
        before = csv.field_size_limit()
        long = "x" * 300_000
        content = f'id,note,last\n1,{long},a\n2,"{long}\n{long}",b\n3,c,d\n'
        _, rows = read(text_file(tmp_path, content))
        assert [(row["id"], len(row["note"]), row["last"]) for row in rows] == [
            ("1", 300_000, "a"),
            ("2", 600_001, "b"),
            ("3", 1, "d"),
        ]
        assert csv.field_size_limit() == before
        with pytest.raises(SourceError, match="line 2 "):
            read(text_file(tmp_path, f'id,note\n1,"{long}\n2,a\n'))


CELLS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=10) | st.text(
    '",;|\t\r\n ', max_size=6
)
TABLES = st.integers(1, 5).flatmap(lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), max_size=8))


@settings(max_examples=200)
@given(
    cells=TABLES,
    delimiter=st.sampled_from(",;|\t~"),
    ending=st.sampled_from(["\n", "\r\n", "\r"]),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
)
@example([["x\n1,2,3\n", "", ""]], ",", "\n", csv.QUOTE_MINIMAL, "utf-8")
def test_what_a_writer_wrote_is_read(
    tmp_path_factory: pytest.TempPathFactory,
    cells: list[list[str]],
    delimiter: str,
    ending: str,
    quoting: Any,
    encoding: str,
) -> None:
    if quoting == csv.QUOTE_MINIMAL and ending != "\r\n":  # the writer does not quote the other's line end
        cells = [[cell.replace("\r", "").replace("\n", "") for cell in row] for row in cells]
    names = [f"column {number}" for number in range(len(cells[0]) if cells else 2)]
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=ending, quoting=quoting).writerows([names, *cells])
    path = text_file(tmp_path_factory.getbasetemp(), text.getvalue().encode(encoding))
    columns, rows = read(path, delimiter=delimiter, encoding=encoding, multiline=True)
    assert columns == names
    assert [list(row.values()) for row in rows] == [row for row in cells if any(cell.strip() for cell in row)]
    if delimiter != "~" and len(names) > 1 and not any(set(cell) & set(",;|\t\r\n") for row in cells for cell in row):
        assert read(path, encoding=encoding) == (columns, rows)  # the delimiter is found, too


ORDERS = [
    [f"A-{number}", f"2026-11-{number + 1:02} 10:00:00", f"b{number}@example.com", note]
    for number, note in enumerate(["x", 'say "yes"', "two\nlines", "", "a, b", "plain", '"', "last"] * 3)
]


@settings(max_examples=300)
@given(
    place=st.integers(0, 10_000),
    byte=st.sampled_from([*b"\",;\n\r\t 0Aa'", 0xFF, 0xD0, 0]) | st.integers(0, 255),
    kept=st.sampled_from([(0, 1), (0, 0), (1, 1)]),  # the byte takes another's place, is put in, or one is gone
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    delimiter=st.sampled_from(",;"),
)
def test_one_spoilt_byte_loses_no_row_without_a_count(
    tmp_path_factory: pytest.TempPathFactory, place: int, byte: int, kept: tuple[int, int], quoting: Any, delimiter: str
) -> None:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, quoting=quoting).writerows([HEAD.split(","), *ORDERS])
    content = bytearray(text.getvalue().encode())
    place %= len(content)
    is_gone, taken = kept
    content[place : place + taken] = b"" if is_gone else bytes([byte])
    path = text_file(tmp_path_factory.getbasetemp(), bytes(content))
    try:
        columns, rows = read(path)
    except SourceError:
        return
    if columns != HEAD.split(","):
        return  # the operators refuse a table without their columns
    good = [row for row in rows if isinstance(row, dict)]
    whole = [dict(zip(columns, order, strict=True)) for order in ORDERS]
    # One byte touches one row, or the two it stands between; all others are what they were, and none is gone.
    assert sum(row not in good for row in whole) <= 2
    assert len(rows) >= len(ORDERS) - 1
    if len(rows) < len(ORDERS):
        assert any(isinstance(row, str) for row in rows)
