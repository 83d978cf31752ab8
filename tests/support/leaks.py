# SPDX-License-Identifier: Apache-2.0
"""What no output may hold, and the search for it in all that a test made the package say.

The planted values are those of the suite's rows and connections: its token, addresses of its domains, phones of its
spans, a surname that is also a street. Searched are log records at DEBUG, what was printed, exceptions that left the
package with their chains, results and events (XCom), templated arguments as Airflow shows them, tables of Airflow's
database, and files that the package wrote. Parts, and rows put off until a later day, are what holds customers' data.
"""

from __future__ import annotations

import base64
import functools
import logging
import re
import sqlite3
import stat
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

PACKAGE = "airflow_provider_yandex_orders"
TOKEN = "sandbox-token"
DOMAINS = ("@example.com", "@example.org", "@example.net", "@x.example")
SURNAME = "Плантов"
LATIN = "Plantov"
PHONES = ("999555", "999000", "916123", "912345")
"""First digits of the phones in the tests' rows, without the country's; the demo's CRM has codes of its own."""

NOT_THE_PROVIDER = (f"{PACKAGE}.sandbox", f"{PACKAGE}.demo")
CUSTOMERS_DATA = re.compile(r"\.?(?:[\w-]+-\d{5,}(?:\.|$)|(?:deferred|page-.*)\.|airflow\.cfg$)")
"""Names of files that hold rows on purpose, or that Airflow writes with examples of its own."""
KEEPS_SECRETS = ("connection", "dag_code", "variable")
"""Tables of Airflow's own that are meant to: connections, and the text of DAG files."""
WATCHED = ("execute", "execute_complete", "test_connection")
_SPANS = "|".join(rf"{span[:3]}[\s().-]{{0,2}}{span[3:]}" for span in PHONES)
DIGITS = re.compile(rf"(?:{_SPANS}|97[2-6][\s().-]{{0,2}}\d{{3}})[\s.-]?\d\d[\s.-]?\d\d(?!\d)")
BEFORE = re.compile(r"(?<![\d.])(?:\+?[78])?[\s().-]{0,2}$")
"""What may stand before a phone: else its digits are of a longer number, or of a second's."""
_HEX = re.compile(
    r"(?<![0-9a-z%])(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?=[0-9]*[a-f])[0-9a-f]{8,})(?![0-9a-z])"
)
"""Random ones may hold a phone's digits by chance; after an address's ``%`` stands a sign, such as a phone's plus."""


def _encoded(word: str) -> Iterator[str]:
    """How the bytes of a word may stand in a text: in base64 wherever they begin, in hex, in an address, in JSON."""
    raw = word.encode()
    for before in range(3):
        whole = base64.b64encode(b"-" * before + raw).rstrip(b"=").decode()
        yield whole[-(-before * 8 // 6) : (before + len(raw)) * 8 // 6]
    yield from (raw.hex(), quote(word, safe=""), word.encode("unicode_escape").decode())


WORDS = (TOKEN, *DOMAINS, SURNAME, LATIN)
SIGNS = {
    sign.lower()
    for word in (*WORDS, *map(str.lower, WORDS), *(f"7{span}" for span in PHONES))
    for sign in (word, *_encoded(word))
} - {f"7{span}" for span in PHONES}
"""Every text that gives a planted value away, in small letters."""


def leaked(text: str) -> str | None:
    """A planted value in a text, with what stands around it; ``None`` where there is none."""
    lower = text.lower().replace(r"\\", "\\")  # JSON in a text that is shown as Python shows it
    found = next((lower.find(sign) for sign in SIGNS if sign in lower), None)
    if found is None:
        lower = _HEX.sub("#", lower)
        phones = (each.start() for each in DIGITS.finditer(lower))
        found = next((at for at in phones if BEFORE.search(lower[max(0, at - 5) : at])), None)
    return None if found is None else lower[max(0, found - 60) : found + 60]


class Outputs(logging.Handler):
    """All that was said during one test."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.said: dict[tuple[str, str], None] = {}

    def note(self, kind: str, text: object) -> None:
        """Keep a text of an output of this kind."""
        self.said[kind, str(text)] = None

    def note_error(self, error: BaseException) -> None:
        """Keep an exception, and those it came from, as far as Python shows them."""
        link: BaseException | None = error
        while link is not None:
            self.note("an exception", "".join(traceback.format_exception_only(link)) + repr(vars(link)))
            link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record of the log."""
        if record.name.startswith(NOT_THE_PROVIDER):
            return
        self.note("the log", record.getMessage())
        if record.exc_info and record.exc_info[1]:
            self.note_error(record.exc_info[1])

    def note_files(self, folder: Path, since: float) -> None:
        """Keep the names of new files, and what is in those that the package wrote: no other user may read them."""
        for path in folder.rglob("*"):
            if (status := path.lstat()).st_mtime < since or not stat.S_ISREG(status.st_mode):
                continue
            content = b"" if status.st_mode & 0o077 else path.read_bytes()
            if content.startswith(b"SQLite format 3"):
                with suppress(sqlite3.DatabaseError):  # a test has damaged it
                    self.note_database(path)
                content = b""
            self.note_file(path.relative_to(folder), content)

    def note_file(self, path: Path, content: bytes) -> None:
        """Keep a file's name, and what is in it where that is not rows on purpose."""
        self.note("a file's name", path)
        if not CUSTOMERS_DATA.match(path.name):
            self.note(f"the file {path.name}", content.decode(errors="replace"))

    def note_database(self, path: Path) -> None:
        """Keep what stands in a SQLite database: in its bytes, numbers that are none of it would touch each other."""
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                if table not in KEEPS_SECRETS:
                    for row in database.execute(f'SELECT * FROM "{table}"'):
                        cells = (
                            each.decode(errors="replace") if isinstance(each, bytes) else str(each) for each in row
                        )
                        self.note(f"the table {table}", " | ".join(cells))

    def leaks(self) -> list[str]:
        """What nobody may read, and where it stands."""
        everything = "\n".join(text for _, text in self.said)
        if leaked(everything) is None:
            return []
        found = ((kind, leaked(text)) for kind, text in self.said)
        return [f"{kind}: ...{around}..." for kind, around in dict.fromkeys(found) if around is not None]


LOST = re.compile(
    r'^--- Logging error ---$.*?^(?=Message: )|^ *File "[^\n]*", line \d+, in [^\n]*\n(?: {4}[^\n]*\n)?',
    re.DOTALL | re.MULTILINE,
)
NOW: list[Outputs] = []
"""Where outputs of the running test go."""


def note(kind: str, text: object) -> None:
    """Keep a text of an output of the running test."""
    for outputs in NOW:
        outputs.note(kind, text)


def _watched(said_by: str, method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def watched(self: Any, *arguments: Any, **named: Any) -> Any:
        if "event" in named:
            note("the event of a trigger", named["event"])
        try:
            result = method(self, *arguments, **named)
            note(f"what {said_by} gives", result)
        except BaseException as error:  # a task that defers is left by one
            if (trigger := getattr(error, "trigger", None)) is not None:
                note("a trigger", trigger.serialize())
            for outputs in NOW:
                outputs.note_error(error)
            raise
        finally:
            for name in getattr(self, "template_fields", ()):
                note(f"the rendered template of {name}", serialize(getattr(self, name, None), name))
        return result

    from airflow.serialization.helpers import serialize_template_field as serialize

    vars(watched)["watches"] = True
    return watched


def _memory() -> dict[str, Any]:
    """The files of the object storage that lies in memory."""
    module = sys.modules.get("fsspec.implementations.memory")
    return dict(module.MemoryFileSystem.store) if module else {}


def _watch(base: type) -> None:
    """Keep what the package's classes of a kind of Airflow's tell it."""
    kinds: list[type] = base.__subclasses__()
    for kind in kinds:
        _watch(kind)
        for name in WATCHED if kind.__module__.startswith(PACKAGE) else ():
            method = vars(kind).get(name)
            if method is not None and not hasattr(method, "watches"):
                setattr(kind, name, _watched(f"{kind.__name__}.{name}", method))


def _watch_pytest() -> None:
    """Keep what a test reads of what was printed, and the package's exceptions that a test expects."""
    read, fill = pytest.CaptureFixture.readouterr, pytest.ExceptionInfo.fill_unfilled

    def read_and_note(fixture: Any) -> Any:
        printed = read(fixture)
        note("the standard output", printed)
        return printed

    def fill_and_note(info: Any, found: Any) -> None:
        fill(info, found)
        names = [frame.f_globals.get("__name__", "") for frame, _ in traceback.walk_tb(found[2])]
        if any(name.startswith(PACKAGE) and not name.startswith(NOT_THE_PROVIDER) for name in names):
            for outputs in NOW:
                outputs.note_error(found[1])

    pytest.CaptureFixture.readouterr = read_and_note  # type: ignore[method-assign, assignment]
    pytest.ExceptionInfo.fill_unfilled = fill_and_note  # type: ignore[method-assign, assignment]


_watch_pytest()
PRINTED = pytest.StashKey[str]()


@contextmanager
def watched(item: pytest.Item, home: Path, folder: Path | None) -> Iterator[None]:
    """Fail a test that makes the package tell a planted value.

    :param home: Airflow's.
    :param folder: the test's own, where it has one.
    """
    outputs = Outputs()
    began = time.time() - 0.05  # a file system's clock is coarse
    database = home / "airflow.db"
    held = set(_memory())
    if airflow := sys.modules.get("airflow.providers.common.compat.sdk"):
        _watch(airflow.BaseOperator)
        _watch(airflow.BaseHook)
    NOW.append(outputs)
    root, package = logging.getLogger(), logging.getLogger(PACKAGE)
    level = package.level
    package.setLevel(logging.DEBUG)
    root.addHandler(outputs)
    try:
        yield
    finally:
        root.removeHandler(outputs)
        package.setLevel(level)
        NOW.remove(outputs)
    # Where a handler of Airflow's has lost its stream, logging prints lines of the tests' own source.
    outputs.note("the standard output", LOST.sub("", item.stash.get(PRINTED, "")))
    for place in (folder, home / "yandex_orders"):
        if place is not None and place.is_dir():
            outputs.note_files(place, began)
    for name, file in _memory().items():
        if name not in held:
            outputs.note_file(Path(name), file.getvalue())
    if database.exists() and max(each.stat().st_mtime for each in home.glob("airflow.db*")) >= began:
        outputs.note_database(database)
    if leaks := outputs.leaks():
        pytest.fail("Planted values are told in:\n" + "\n".join(leaks), pytrace=False)
