# SPDX-License-Identifier: Apache-2.0
"""Files as sources: every format, whole and broken."""

from __future__ import annotations

import gzip
import json
import os
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_yandex_orders.exceptions import ConfigurationError, PassingError, SourceError, SourceUnavailable
from airflow_provider_yandex_orders.rows.reading import Reading
from airflow_provider_yandex_orders.sources import FileSource
from airflow_provider_yandex_orders.sources.base import UnreadableRow
from tests.support.breaking_store import raising


def read(path: Path | str, **arguments: Any) -> tuple[list[str] | None, list[Any]]:
    with FileSource(str(path), **arguments).open() as stream:
        rows = [row.reason if isinstance(row, UnreadableRow) else dict(row) for row in stream.rows]
        return (None if stream.columns is None else list(stream.columns)), rows


def written(tmp_path: Path, name: str, content: str | bytes) -> Path:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_csv(tmp_path: Path, delimiter: str, ending: str, mark: str) -> None:
    lines = ["id|name", '1|"a, b; c\td"', '2|"line' + ending + 'end"', "", "3|", '4|"say ""yes"""', '5|in"side']
    path = written(tmp_path, "a.csv", mark + ending.join(lines).replace("|", delimiter))
    columns, rows = read(path)
    assert columns == ["id", "name"]
    assert [(row["id"], row["name"]) for row in rows] == [
        ("1", "a, b; c\td"),
        ("2", f"line{ending}end"),
        ("3", ""),
        ("4", 'say "yes"'),
        ("5", 'in"side'),
    ]


@pytest.mark.parametrize(
    ("content", "columns", "rows"),
    [
        ("", None, []),
        ("id,name\n", ["id", "name"], []),
        ("id,name", ["id", "name"], []),
        ("\ufeff", None, []),
        ("\n\n", None, []),
        ('"id","na\nme"\n1,2\n', ["id", "na\nme"], [{"id": "1", "na\nme": "2"}]),
        ("id\n1\n", ["id"], [{"id": "1"}]),
        (
            "id,name\n1\n2,b,c\n3,d\n",
            ["id", "name"],
            [
                "the line has 1 cells and the header 2",
                "the line has 3 cells and the header 2",
                {"id": "3", "name": "d"},
            ],
        ),
        ('id,name\n1,"a"b\n2,c\n', ["id", "name"], ["the line is no CSV", {"id": "2", "name": "c"}]),
    ],
)
def test_odd_csv(tmp_path: Path, content: str, columns: list[str] | None, rows: list[Any]) -> None:
    assert read(written(tmp_path, "a.csv", content)) == (columns, rows)


@pytest.mark.parametrize("rows", [3, 20_000])
def test_a_quote_that_is_never_closed_loses_no_rows_silently(tmp_path: Path, rows: int) -> None:
    lines = "".join(f"{number},note of {number}\n" for number in range(rows))
    path = written(tmp_path, "a.csv", f'id,note\n0,"open\n{lines}')
    with pytest.raises(SourceError, match="never closed"):
        read(path)


@pytest.mark.parametrize("name", ["a.jsonl", "a.ndjson"])
def test_json_lines(tmp_path: Path, name: str) -> None:
    content = '{"id": 99999999999999999999, "sum": 0.1, "l": ["a"]}\n\n  \n[1]\n{"id": \n"x"\n{"id": "Ж", "n": null}'
    columns, rows = read(written(tmp_path, name, content))
    assert columns is None
    assert rows == [
        {"id": 99999999999999999999, "sum": Decimal("0.1"), "l": ["a"]},
        "the line is no JSON object",
        "the line is no JSON",
        "the line is no JSON object",
        {"id": "Ж", "n": None},
    ]


@pytest.mark.parametrize("content", ['{"id": "1"}\n{"id": "2"}\n', '{"id": "1"}\r\n\r\n{"id": "2"}'])
def test_json_lines_with_a_byte_order_mark(tmp_path: Path, content: str) -> None:
    rows = [{"id": "1"}, {"id": "2"}]
    assert read(written(tmp_path, "a.jsonl", "\ufeff" + content))[1] == rows
    assert read(written(tmp_path, "a.jsonl.gz", gzip.compress(("\ufeff" + content).encode())))[1] == rows


def test_json_lines_that_nest_too_deep(tmp_path: Path) -> None:
    content = '{"id": ' + "[" * 20_000 + '\n{"id": "2"}\n'
    assert read(written(tmp_path, "a.jsonl", content))[1] == ["the line is no JSON", {"id": "2"}]


def test_empty_json_lines(tmp_path: Path) -> None:
    assert read(written(tmp_path, "a.jsonl", "")) == (None, [])


def test_parquet(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    moment = datetime(2025, 3, 4, 12, tzinfo=UTC)
    count = 4500
    table = pa.table(
        {
            "id": [str(number) for number in range(count)],
            "sum": pa.array([Decimal("1500.50")] * count, pa.decimal128(12, 2)),
            "at": pa.array([moment] * count, pa.timestamp("us", "UTC")),
            "emails": [["a@example.com"], None, []] * (count // 3),
            "client_id": pa.array([1700000000123456789, None, 5] * (count // 3), pa.int64()),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=1000)
    columns, rows = read(tmp_path / "a.parquet")
    assert columns == ["id", "sum", "at", "emails", "client_id"]
    assert [row["id"] for row in rows] == [str(number) for number in range(count)]
    first = {"id": "0", "sum": Decimal("1500.50"), "emails": ["a@example.com"], "client_id": 1700000000123456789}
    assert {name: rows[0][name] for name in first} == first
    assert rows[0]["at"] == moment
    assert rows[1]["client_id"] is None


def test_parquet_that_is_none(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    with pytest.raises(SourceError, match="no Parquet file"):
        read(written(tmp_path, "a.parquet", "id,name\n1,2\n"))


def test_parquet_with_nanoseconds(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    try:
        import pandas  # type: ignore[import-untyped, import-not-found, unused-ignore]  # noqa: F401
    except ImportError:
        pass
    else:
        pytest.skip("with pandas installed nanoseconds can be read")
    pq.write_table(pa.table({"at": pa.array([1], pa.timestamp("ns"))}), tmp_path / "a.parquet")
    with pytest.raises(SourceError, match="nanoseconds"):
        read(tmp_path / "a.parquet")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv.gz", b"id,name\n1,b\n"),
        ("a.jsonl.gz", b'{"id": "1", "name": "b"}\n'),
        ("a.csv", b"id,name\n1,b\n"),
        ("a.jsonl", b'{"id": "1", "name": "b"}\n'),
    ],
)
def test_gzip_is_known_by_its_first_bytes(tmp_path: Path, name: str, content: bytes) -> None:
    for stored in (gzip.compress(content), content):
        _, rows = read(written(tmp_path, name, stored))
        assert rows == [{"id": "1", "name": "b"}]


@pytest.mark.parametrize("content", [b"PK\x03\x04 a zip", b"\xd0\xcf\x11\xe0 an old workbook"])
def test_a_workbook_under_the_name_of_a_text(tmp_path: Path, content: bytes) -> None:
    for name in ("a.csv", "a.jsonl"):
        with pytest.raises(SourceError, match="workbook or an archive"):
            read(written(tmp_path, name, content))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda whole: whole[:-20],
        lambda whole: whole[:15],
        lambda whole: whole[:12] + b"\xff" * 20 + whole[32:],
        lambda whole: whole[:-8] + b"\0" * 8,
    ],
    ids=["cut", "cut at the start", "spoilt", "wrong sum"],
)
def test_broken_gzip(tmp_path: Path, spoil: Any) -> None:
    whole = gzip.compress(b"id,name\n" + b"".join(b"%d,%d\n" % (n, n * 7919 % 10007) for n in range(5000)))
    with pytest.raises(SourceError, match="not a whole gzip file"):
        read(written(tmp_path, "a.csv.gz", spoil(whole)))


@pytest.mark.parametrize(
    ("stored", "told"),
    [("cp1251", "utf-8"), ("koi8-r", "utf-8"), ("cp866", "utf-8"), ("utf-16-le", "utf-8"), ("utf-8", "cp1251")],
)
@pytest.mark.parametrize("lead", ["", "1,x\n" * 5000], ids=["first line", "later"])
def test_another_encoding_than_was_told_is_named(tmp_path: Path, stored: str, told: str, lead: str) -> None:
    content = f"id,name\n{lead}1,Иван Петров\n2,Мария Сидорова\n".encode(stored)
    if stored == "utf-8" and lead:
        content = "\n".join(["id,name", "1,Жук", lead]).encode()  # told by the beginning
    with pytest.raises(SourceError, match=f"not {told.upper()}") as caught:
        read(written(tmp_path, "a.csv", content), encoding=told)
    assert f"encoding='{stored.replace('koi8-r', 'koi8_r')}'" in str(caught.value)
    assert "Иван" not in str(caught.value)


@pytest.mark.parametrize("stored", ["cp1251", "cp866"])
@pytest.mark.parametrize("word", ["Оплачен", "Новый"])
def test_one_russian_word_is_enough_to_tell_the_encoding(tmp_path: Path, stored: str, word: str) -> None:
    content = f"id;emails;status\n1;a@example.com;{word}\n".encode(stored)
    with pytest.raises(SourceError, match=f"encoding='{stored}'"):
        read(written(tmp_path, "a.csv", content))


def test_plain_text_does_not_look_like_utf_16(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        read(written(tmp_path, "a.csv", b"id,name\n1,Ann\n2,Bob\n"), encoding="utf-32")
    assert "utf-16" not in str(caught.value)


def test_one_damaged_byte_does_not_look_like_another_encoding(tmp_path: Path) -> None:
    content = "id,name\n1,Иван Петров\n".encode().replace("П".encode(), b"\xd0\x00"[:1])
    with pytest.raises(SourceError, match="damaged") as caught:
        read(written(tmp_path, "a.csv", content))
    assert "encoding=" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("id;имя\n1;Жук\n".encode("utf-16"), "utf-8"),
        ("id;имя\n1;Жук\n".encode("utf-16"), "cp1251"),
        ("id;имя\n1;Жук\n".encode("utf-8-sig"), "cp1251"),
        ("id;имя\n1;Жук\n".encode("utf-16-be"), "utf-16-be"),
        ("id;имя\n1;Жук\n".encode("cp1251"), "windows-1251"),
        ("id;имя\n1;Жук\n".encode("cp1251"), 1251),
        ("id;имя\n1;Жук\n".encode("koi8-r"), "koi8-r"),
    ],
)
def test_encodings(tmp_path: Path, content: bytes, encoding: Any) -> None:
    assert read(written(tmp_path, "a.csv", content), encoding=encoding) == (["id", "имя"], [{"id": "1", "имя": "Жук"}])
    packed = written(tmp_path, "b.csv", gzip.compress(content))
    assert read(packed, encoding=encoding)[1] == [{"id": "1", "имя": "Жук"}]


@pytest.mark.parametrize("encoding", ["cp1251", "utf-16", "utf-8-sig"])
def test_json_lines_in_other_encodings(tmp_path: Path, encoding: str) -> None:
    path = written(tmp_path, "a.jsonl", '{"id": "Ж", "sum": 0.10}\n{"id": "2"}\n'.encode(encoding))
    assert read(path, encoding=encoding)[1] == [{"id": "Ж", "sum": Decimal("0.10")}, {"id": "2"}]


def test_json_lines_that_are_not_utf_8(tmp_path: Path) -> None:
    path = written(tmp_path, "a.jsonl", '{"id": "1"}\n{"name": "Иван Петров"}\n'.encode("cp1251"))
    with pytest.raises(SourceError, match="encoding='cp1251'"):
        read(path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b""),
        ("a.jsonl", b""),
        ("a.parquet", b""),
        ("a.xlsx", b""),
        ("a.csv.gz", b""),
        ("a.csv", gzip.compress(b"", mtime=0)),
        ("a.csv", "\ufeff".encode()),
        ("a.csv", b"\n;;;\n"),
    ],
)
def test_a_file_of_nothing_is_an_empty_source(tmp_path: Path, name: str, content: bytes) -> None:
    assert read(written(tmp_path, name, content)) == (None, [])


def test_a_file_that_is_not_there_yet_may_come(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path / "none" / "none.csv", tmp_path / "none*.csv"):
        with pytest.raises(SourceUnavailable, match="or not yet"):
            read(path)


def test_globs_and_lists(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    for number in (2, 1, 3):
        written(tmp_path, f"{number}.csv", f"id,x\n{number},a\n")
    (tmp_path / "4.csv").mkdir()
    assert [row["id"] for row in read(tmp_path / "*.csv")[1]] == ["1", "2", "3"]
    assert "3.csv'): 1 rows" in caplog.text
    assert [row["id"] for row in read(tmp_path / "[13].csv")[1]] == ["1", "3"]
    odd = str(written(tmp_path, "orders [1].csv", "x,id\na,5\n"))
    paths = [str(tmp_path / "2.csv"), odd, str(tmp_path / "*.csv"), odd]
    with FileSource(paths).open() as stream:
        assert list(stream.columns or ()) == ["id", "x"]
        assert [row["id"] for row in stream.rows] == ["2", "5", "1", "3"]


def test_a_glob_in_object_storage(memory_url: str) -> None:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    for number in (2, 1):
        (ObjectStoragePath(memory_url) / f"day/{number}.jsonl").write_bytes(b'{"id": %d}\n' % number)
    assert read(f"{memory_url}/day/*.jsonl") == (None, [{"id": 1}, {"id": 2}])
    with pytest.raises(SourceUnavailable, match="no file fits"):
        read(f"{memory_url}/day/*.csv")


@pytest.mark.parametrize("pattern", ["*/orders.csv", "**/orders.csv", "*/orders.*", "[ab]/*.csv", "?/ord*.csv"])
@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (PermissionError("Forbidden"), ConfigurationError),
        (ConnectionError("down"), PassingError),
        (OSError(16, "SlowDown"), PassingError),
        (TimeoutError(), PassingError),
    ],
)
def test_a_folder_that_cannot_be_listed_is_no_empty_folder(
    tmp_path: Path,
    memory_url: str,
    pattern: str,
    error: OSError,
    raised: type[Exception],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    scan = os.scandir

    def closed(path: Any) -> Any:
        if str(path).rstrip("/").endswith("/b"):
            raise error
        return scan(path)

    for url in (f"file://{tmp_path}", memory_url):
        for name in ("a", "b"):
            (ObjectStoragePath(url) / name).mkdir()
            (ObjectStoragePath(url) / name / "orders.csv").write_bytes(f"id\n{name}\n".encode())
        assert [row["id"] for row in read(f"{url}/{pattern}")[1]] == ["a", "b"]
        with monkeypatch.context() as patch, raising(error, "ls", last="/b"):
            patch.setattr("os.scandir", closed)
            with pytest.raises(raised, match="Read"):
                read(f"{url}/{pattern}")


def test_deep_globs(tmp_path: Path) -> None:
    for name in ("1.csv", "x/2.csv", "x/y/3.csv", "z/y/4.csv", "z/5.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"id\n{name}\n")

    def found(pattern: str) -> str:
        return "".join(Path(row["id"]).stem for row in read(tmp_path / pattern)[1])

    assert found("**/*.csv") == "1234"
    assert found("x/**/*.csv") == "23"
    assert found("*/y/*.csv") == found("**/y/*.csv") == "34"
    assert found("[!x]/*/?.csv") == "4"


def test_one_file_is_read_once_however_it_is_spelt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "day").mkdir()
    path = str(written(tmp_path, "day/a.csv", "id\n1\n"))
    (tmp_path / "link.csv").symlink_to(path)
    (tmp_path / "nights").symlink_to(tmp_path / "day")
    written(tmp_path, "day/b.csv", "id\n2\n")
    spelt = [
        path,
        f"file://{path}",
        path.replace("/day/", "//day/"),
        path.replace("/day/", "/day/./"),
        path.replace("/day/", "/nights/../day/"),
        str(tmp_path / "nights/a.csv"),
        str(tmp_path / "link.csv"),
        str(tmp_path / "day/[a].csv"),
        os.path.relpath(path, "/"),
    ]
    monkeypatch.chdir("/")  # where Airflow 2.11 looks for relative paths
    for other in spelt:
        caplog.clear()
        for paths in ([path, other], [other, path]):
            with FileSource(paths).open() as stream:
                assert [row["id"] for row in stream.rows] == ["1"], other
        assert caplog.text.count("are one file: it is read once") == 2
    with FileSource([*spelt, f"{tmp_path}/*/*.csv"]).open() as stream:
        assert [row["id"] for row in stream.rows] == ["1", "2"]


def test_names_of_object_storage_are_taken_as_they_are(memory_url: str, caplog: pytest.LogCaptureFixture) -> None:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    for number, name in enumerate(["a.csv", "x/a.csv"]):
        (ObjectStoragePath(memory_url) / name).write_bytes(b"id\n%d\n" % number)
    with FileSource([f"{memory_url}/a.csv", f"{memory_url}/x/a.csv", f"{memory_url}/*.csv"]).open() as stream:
        assert [row["id"] for row in stream.rows] == ["0", "1"]
    assert caplog.text.count("are one file") == 1


def test_a_glob_passes_over_what_is_no_data(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    for name in ("1.csv", "~$1.csv", ".1.csv.swp.csv", ".ipynb_checkpoints/1.csv", "x/~$2.csv", "x/.hidden/2.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        written(tmp_path, name, f"id\n{name}\n")
    assert [row["id"] for row in read(tmp_path / "**/*.csv")[1]] == ["1.csv"]
    assert all(f"{name} is passed over" in caplog.text for name in ("~$1.csv", ".ipynb_checkpoints", "x/.hidden"))
    assert [row["id"] for row in read(tmp_path / ".*.csv")[1]] == [".1.csv.swp.csv"]  # that was asked for
    with pytest.raises(SourceUnavailable, match="no file fits"):
        read(tmp_path / "x/*.csv")


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
@pytest.mark.parametrize("lead", [0, 3000])
@pytest.mark.parametrize("encoding", ["utf-8", "cp1251"])
def test_a_zero_byte_spoils_its_line_alone(tmp_path: Path, name: str, lead: int, encoding: str) -> None:
    content = f"id,name\n{'0,x' + chr(10) if lead else ''}" + "0,Жук\n" * lead + "1,\0Жук\n2,Ж\0\0у\n3,Жук\n"
    stored = content.encode(encoding)
    rows = read(written(tmp_path, name, gzip.compress(stored) if name.endswith("gz") else stored), encoding=encoding)[1]
    assert rows[-3:] == ["the line has a zero byte"] * 2 + [{"id": "3", "name": "Жук"}]
    with pytest.raises(SourceError, match="zero byte stands in its header"):
        read(written(tmp_path, name, stored.replace(b"na", b"\0a")), encoding=encoding)


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "Infinity", "[1, NaN]", '{"a": NaN}'])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_numbers_that_are_no_json_are_told(tmp_path: Path, number: str, encoding: str) -> None:
    path = written(tmp_path, "a.jsonl", f'{{"id": 1, "sum": {number}}}\n{{"id": "NaN"}}\n'.encode(encoding))
    with FileSource(str(path), encoding=encoding).open() as stream:
        bad, good = stream.rows
    assert isinstance(bad, UnreadableRow)
    assert bad.fix == "NaN and Infinity are none: write null"
    assert good == {"id": "NaN"}


@pytest.mark.parametrize("path", ["", [], [""], None])
def test_a_path_that_came_out_empty(path: Any) -> None:
    with pytest.raises(ConfigurationError, match="path is empty"), FileSource(path).open():
        pass


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"delimiter": ";;"}, "delimiter="),
        ({"delimiter": '"'}, "delimiter="),
        ({"decimal": " "}, "decimal="),
        ({"encoding": "cp12510"}, "encoding="),
        ({"date_format": "%Q"}, "date_format="),
        ({"date_format": "%d.%m.%"}, "date_format="),
    ],
)
def test_options_that_cannot_work(tmp_path: Path, options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        read(written(tmp_path, "a.csv", "id\n"), **options)


def test_options_are_handed_on_to_the_checker(tmp_path: Path) -> None:
    source = FileSource(str(written(tmp_path, "a.csv", "id\n")), decimal=",", date_format="%m/%d/%Y", null_values=["-"])
    with source.open() as stream:
        reading = stream.reading
    assert reading == Reading(decimal=",", date_format="%m/%d/%Y", null_values=frozenset(["-"]))


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").mkdir()
    for path in (tmp_path / "a.csv", written(tmp_path, "b.csv", "id\n") / "c.csv"):
        with pytest.raises(ConfigurationError, match="Correct path="):
            read(path)


@pytest.mark.parametrize(("name", "given_"), [("a.xml", None), ("a", None), ("a.gz", None), ("a.csv", "xml")])
def test_unknown_format(tmp_path: Path, name: str, given_: str | None) -> None:
    with pytest.raises(ConfigurationError, match="unknown format"):
        read(written(tmp_path, name, "id\n"), format=given_)


@pytest.mark.parametrize("url", ["nowhere://bucket/a.csv", "github://a:b@main/a.csv"])
def test_unknown_storage(url: str) -> None:
    with pytest.raises(ConfigurationError, match="provider of this storage"):
        read(url)


def test_the_format_may_be_told(tmp_path: Path) -> None:
    assert read(written(tmp_path, "orders.txt", "id\n1\n"), format="csv")[1] == [{"id": "1"}]
    assert read(written(tmp_path, "orders.gz", gzip.compress(b'{"id":1}')), format="jsonl")[1] == [{"id": 1}]


def test_object_storage(memory_url: str) -> None:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    (ObjectStoragePath(memory_url) / "a.csv.gz").write_bytes(gzip.compress(b"id\n1\n"))
    assert read(f"{memory_url}/a.csv.gz") == (["id"], [{"id": "1"}])
    with pytest.raises(SourceUnavailable, match="no such file"):
        read(f"{memory_url}/b.csv")


def test_rows_are_read_as_they_are_asked_for(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", "id\n" + "1\n" * 100_000 + "1,2\n" + '"')
    with FileSource(str(path)).open() as stream:
        assert [next(stream.rows)["id"] for _ in range(3)] == ["1"] * 3  # the broken end was not reached yet


def test_what_is_shown_of_a_source() -> None:
    source = FileSource("s3://c@bucket/a.csv", conn_id="c", columns={"id": "no"})
    assert json.loads(json.dumps(source.serialize())) == {
        "path": "s3://c@bucket/a.csv",
        "conn_id": "c",
        "format": None,
        "columns": {"id": "no"},
    }
    assert repr(source) == "FileSource('s3://c@bucket/a.csv')"
    source = FileSource(["a.csv", "b*.csv"], encoding="cp1251", null_values=("-",), multiline=True)
    shown = json.loads(json.dumps(source.serialize()))
    assert (shown["path"], shown["encoding"], shown["null_values"]) == (["a.csv", "b*.csv"], "cp1251", ["-"])
    assert "delimiter" not in shown
