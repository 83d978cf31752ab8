# SPDX-License-Identifier: Apache-2.0
"""Files that mean harm: a few kilobytes that unpack to gigabytes, nest without end, or lie about what they hold."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_yandex_orders.exceptions import PermanentError, SourceError
from airflow_provider_yandex_orders.sources import FileSource
from tests.support.memory import peak_growth_mb

MB = 2**20
READ = """
import sys
from airflow.providers.common.compat.sdk import ObjectStoragePath
from airflow_provider_yandex_orders.exceptions import SourceError
from airflow_provider_yandex_orders.sources import FileSource

with FileSource(sys.argv[1]).open() as stream:  # what Airflow and the readers load is loaded before the mark
    list(stream.rows)
mark_memory()
try:
    with FileSource(sys.argv[2]).open() as stream:
        for row in stream.rows:
            pass
except SourceError as error:
    assert sys.argv[3] in str(error) and sys.argv[2] in str(error), error
else:
    raise AssertionError("it was read")
"""

READ_ALL = f"""{READ[: READ.index("try:")]}
with FileSource(sys.argv[2]).open() as stream:
    assert sum(len(row["id"]) for row in stream.rows) == int(sys.argv[3])
"""


def packed(path: Path, start: bytes, block: bytes, megabytes: int) -> Path:
    """A gzip file of a gigabyte or so, made block by block."""
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(start)
        for _ in range(megabytes * MB // len(block)):
            file.write(block)
    return path


def read(path: Path) -> list[Any]:
    with FileSource(str(path)).open() as stream:
        return list(stream.rows)


@pytest.mark.parametrize(
    ("name", "start", "block"),
    [
        ("line.csv.gz", b"id,name\n1,", b"a" * MB),
        ("header.csv.gz", b"id", b"," * MB),
        ("list.jsonl.gz", b'{"id": [', b"[]," * (MB // 3)),
    ],
    ids=["a line", "a header", "a list"],  # a name of what is given would be as long, and stand in the environment
)
def test_a_line_of_a_gigabyte(tmp_path: Path, name: str, start: bytes, block: bytes) -> None:
    small = tmp_path / f"small{''.join(Path(name).suffixes)}"
    small.write_bytes(gzip.compress(b"id,name\n1,a\n" if ".csv" in name else b'{"id": "1"}\n'))
    bomb = packed(tmp_path / name, start, block, 1024)
    assert peak_growth_mb(READ, [str(small), str(bomb), "is longer than 16,000,000"]) < 150


def test_more_columns_than_a_table_has(tmp_path: Path) -> None:
    wide = tmp_path / "wide.csv"
    wide.write_text(",".join(f"c{number}" for number in range(100_000)) + "\n" + "1," * 99_999 + "\n")
    with pytest.raises(SourceError, match=r"wide.csv'\): it has 100,000 columns\. Write no more than 16,384"):
        read(wide)
    wide = tmp_path / "wide.jsonl"
    wide.write_text("{" + ",".join(f'"c{number}": 1' for number in range(100_000)) + '}\n{"id": "1"}\n')
    bad, good = read(wide)
    assert "more than 16,384 fields" in bad.reason
    assert good == {"id": "1"}


@pytest.mark.parametrize("depth", [500, 1000, 1500, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_nested_without_end(tmp_path: Path, depth: int, opening: str, closing: str) -> None:
    inner = opening * depth + "1" + closing * depth
    deep = tmp_path / "deep.jsonl"
    deep.write_text(f'{{"id": {inner}}}\n{{"id": "2"}}\n')
    first, second = read(deep)
    assert second == {"id": "2"}
    assert depth < 1000 or first.reason == "the line is no JSON"


MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def row(number: int, **cells: str) -> bytes:
    """A row of a sheet."""
    texts = (f'<c r="{at}{number}" t="inlineStr"><is><t>{text}</t></is></c>' for at, text in cells.items())
    return f'<row r="{number}">{"".join(texts)}</row>'.encode()


def workbook(path: Path, rows: Iterable[bytes], dtd: str = "") -> Path:
    xlsxwriter = pytest.importorskip("xlsxwriter")
    with xlsxwriter.Workbook(str(path)) as usual:
        usual.add_worksheet("orders")
    with zipfile.ZipFile(path) as made:
        parts = {name: made.read(name) for name in made.namelist() if "worksheets/" not in name}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            sheet.write(f'<?xml version="1.0"?>{dtd}<worksheet xmlns="{MAIN}"><sheetData>'.encode())
            for each in rows:
                sheet.write(each)
            sheet.write(b"</sheetData></worksheet>")
    return path


HEAD, FIRST = row(1, A="id", B="name"), row(2, A="1", B="x")
ENTITIES = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)
)


def lying(path: Path) -> Path:
    """A workbook with a part that is longer than it says."""
    workbook(path, [HEAD, FIRST])
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", b" " * MB)
        archive.filelist[-1].file_size = 100
        archive._didModify = True  # type: ignore[attr-defined]
    return path


def strings(path: Path) -> Path:
    """A workbook whose table of texts has more of them than fit into memory."""
    workbook(path, [HEAD, FIRST])
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("xl/sharedStrings.xml", "w") as part:
        part.write(f'<?xml version="1.0"?><sst xmlns="{MAIN}">'.encode())
        for _ in range(200):
            part.write(b"<si/>" * (MB // 5))
        part.write(b"</sst>")
    return path


CELL = b"<c><v>1</v></c>"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (strings, "sharedStrings.xml in it has more than 32,000,000 elements"),
        (
            lambda path: workbook(
                path, [HEAD, b"<row>", CELL * 50_000, b"</row>", *[b"<row>" + CELL + b"</row>"] * 1000]
            ),
            "spans more than 32,000,000 cells",
        ),
        (lambda path: workbook(path, [HEAD, row(2000, xfd="x")]), "spans more than 32,000,000 cells"),
        (
            lambda path: workbook(path, [HEAD, b'<row r="2000"><c r = "XFD2000"><v>1</v></c></row>']),
            "spans more than 32,000,000 cells",
        ),
        (lambda path: workbook(path, [HEAD, *[b" " * MB] * 3, FIRST]), "damaged"),
        (lambda path: workbook(path, [HEAD, *[b" " * MB] * 1025]), "unpacks to more than 1,073,741,824 bytes"),
        (lambda path: workbook(path, [HEAD, row(1_048_576, XFD="x")]), "spans more than 32,000,000 cells"),
        (lambda path: workbook(path, [HEAD, row(2, A="&j;")], ENTITIES + "]>"), "no Excel workbook"),
        (lying, "damaged"),
    ],
    ids=[
        "texts",
        "no places",
        "small letters",
        "spaces",
        "long text",
        "unpacks",
        "far cell",
        "entities",
        "lies",
    ],
)
def test_a_workbook_larger_than_memory(tmp_path: Path, make: Callable[[Path], Path], said: str) -> None:
    pytest.importorskip("python_calamine")
    small = workbook(tmp_path / "small.xlsx", [HEAD, FIRST])
    assert read(small) == [{"id": "1", "name": "x"}]
    assert peak_growth_mb(READ, [str(small), str(make(tmp_path / "bomb.xlsx")), said]) < 100


@pytest.mark.parametrize("compression", ["none", "zstd"])
def test_a_parquet_that_lies(tmp_path: Path, compression: str) -> None:
    """Whatever a byte of it says instead: all rows, or an error that no retry is wasted on."""
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"id": ["1", "2", "3"], "sum": [1, 2, 3]}), path, compression=compression)
    whole = path.read_bytes()
    ends = set()
    for place in range(4, len(whole) - 4, 2):
        for value in (0, 0x7F, whole[place] ^ 0x20):
            path.write_bytes(whole[:place] + bytes([value]) + whole[place + 1 :])
            try:
                ends.add(len(read(path)))
            except SourceError as error:
                assert str(path) in str(error)  # noqa: PT017 - most bytes matter, some do not
                ends.add(-1)
    assert ends == {3, -1}


@pytest.mark.parametrize("path", ["orders\0.csv", "/tmp\0/orders.csv"])
def test_a_zero_byte_in_a_path(path: str) -> None:
    with pytest.raises(PermanentError, match="Read FileSource"):
        read(Path(path))


@pytest.mark.parametrize("kind", ["value", "page"])
def test_a_parquet_larger_than_memory(tmp_path: Path, kind: str) -> None:
    """A value of megabytes stands once in the file, and in every row, or is endless."""
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "bomb.parquet"
    texts = ["x" * (600 if kind == "page" else 10) * MB, *map(str, range(1000))]
    values = pa.DictionaryArray.from_arrays(pa.array([0] * 2000, pa.int32()), pa.array(texts))
    table = pa.table({"id": texts[:1] if kind == "page" else values})
    pq.write_table(table, path, compression="zstd", use_dictionary=kind != "page", write_statistics=False)
    assert path.stat().st_size < 200_000
    if kind == "page":
        with pytest.raises(SourceError, match=r"bomb\.parquet'\): it unpacks to more than 536,870,912 bytes"):
            read(path)
        return
    small = tmp_path / "small.parquet"
    pq.write_table(pa.table({"id": ["1", "2"]}), small)
    assert peak_growth_mb(READ_ALL, [str(small), str(path), str(20_000 * MB)]) < 300
