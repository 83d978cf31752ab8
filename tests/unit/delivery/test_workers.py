# SPDX-License-Identifier: Apache-2.0
"""Rows that several processes check come to what one process makes of them, and no process stays behind."""

from __future__ import annotations

import errno
import os
import random
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psutil
import pytest

from airflow_provider_yandex_orders.delivery import shared
from airflow_provider_yandex_orders.delivery.same_key import SameKey
from airflow_provider_yandex_orders.delivery.sorter import Sorter
from airflow_provider_yandex_orders.exceptions import PassingError
from airflow_provider_yandex_orders.metrica.kinds import OFFLINE_CONVERSIONS, SIMPLE_ORDERS
from airflow_provider_yandex_orders.rows.formats import csv_format, json_format
from airflow_provider_yandex_orders.rows.kind import RowKind
from airflow_provider_yandex_orders.sources import CallableSource, FileSource, Source
from tests.unit.delivery.outcomes import GOOD, outcome
from tests.unit.unit_support import check_options, order

TASK = os.getpid()


@pytest.fixture(autouse=True)
def others() -> Iterator[set[psutil.Process]]:
    """The processes that other tests' services keep below this one; no test here may add to them."""
    before = set(psutil.Process().children())
    yield before
    assert set(psutil.Process().children()) <= before


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "BATCH", 7)


def pipes() -> set[str]:
    """What this process holds open of pipes; other tests' services keep files and connections of their own."""
    held = set()
    for file in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the folder was read by a descriptor of its own
            held.add(str(file.readlink()))
    return {each for each in held if each.startswith("pipe:")}


def messy(kind: RowKind) -> list[dict[str, Any]]:
    """Rows of all sorts: good, bad, doubled, with values that cannot be copied, with columns of their own."""
    chance = random.Random(7)
    values: list[Any] = [None, "", "null", "#N/A", "x", "a@example.com", "8 916 123-45-67", "9161234567", 5, 5.5]
    values += ["2026-10-25 02:30:00", "2027-01-01 10:00:00", datetime(2026, 11, 1, tzinfo=UTC), "paid", "170000000012"]
    values += [["a@example.com", "b"], {"a": 1}, lambda: None, "lead:5", "old", Decimal("7.5")]
    rows = []
    for number in range(300):
        row = dict(GOOD[kind.name]) | {kind.key[0]: f"1700000000{number % 250:03}"}
        for name in chance.sample(kind.field_names, chance.choice([0, 0, 0, 1, 2])):
            row[name] = chance.choice(values)
        rows.append(row | ({f"Extra{number % 3}": number} if number % 10 == 0 else {}))
    return rows


WAYS: Mapping[str, Mapping[str, Any]] = {
    "plain": {},
    "merged": {"same_key": SameKey(merges=True)},
    "changes": {"merge_mode": "UPDATE"},
    "planned": {"sends": False, "same_key": SameKey(last=True)},
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", [SIMPLE_ORDERS, OFFLINE_CONVERSIONS], ids=lambda kind: kind.name)
def test_all_is_equal(kind: RowKind, way: str, tmp_path: Path) -> None:
    rows = messy(kind)
    form = json_format if way == "merged" and kind is SIMPLE_ORDERS else csv_format
    found = []
    for workers in (1, 3):
        folder = tmp_path / str(workers)
        options = check_options(status_map={"paid": "PAID", "PAID": "PAID"}, hash_identifiers=True)
        arguments: dict[str, Any] = {"kind": kind, "options": options, "files": {"part": form(kind)}, **WAYS[way]}
        found.append(outcome(CallableSource(lambda: iter(rows)), folder, workers=workers, **arguments))
    one, several = found
    assert len(several.pop("slow")) < len(one.pop("slow"))  # it was not this process that took them
    assert one["rows_rejected"] > 20
    assert one["parts"]
    assert one == several


def csv_source(tmp_path: Path, lines: list[str]) -> FileSource:
    (tmp_path / "orders.csv").write_text("id,create_date_time,emails\n" + "\n".join(lines) + "\n")
    return FileSource(str(tmp_path / "orders.csv"))


GOOD_LINES = [f"A{number},2026-11-01 10:00:00,a@example.com" for number in range(30)]


@pytest.mark.parametrize(
    "source",
    [
        lambda place: csv_source(place, [*GOOD_LINES, "B,1,2,3,4", 'C,"x"y,', *GOOD_LINES]),
        lambda place: rows_source([order(id=str(n)) for n in range(20)] + [order(Emails="a", EMAILS="b", emails="c")]),
        lambda place: rows_source([{"id": "1", "create_date_time": "x", "Emails": "a", "EMAILS": "b"}], before=20),
        lambda place: rows_source([order()], before=20, columns={"emails": "mail"}),
        lambda place: rows_source([order(mail="a@example.com")], before=20, columns={"emails": "mail"}),
    ],
    ids=["lines that are no rows", "nearly one name", "two names", "a column no row has", "one the last row has"],
)
def test_columns_are_judged_alike(source: Callable[[Path], Source], tmp_path: Path) -> None:
    arguments: dict[str, Any] = {
        "kind": SIMPLE_ORDERS,
        "options": check_options(),
        "files": {"part": csv_format(SIMPLE_ORDERS)},
    }
    one, two = (outcome(source(tmp_path), tmp_path / str(workers), workers=workers, **arguments) for workers in (1, 2))
    assert one.pop("slow")
    assert two.pop("slow")
    assert one == two


def rows_source(rows: list[dict[str, Any]], before: int = 0, columns: Any = None) -> CallableSource:
    return CallableSource(lambda: iter([*(order(id=f"B{n}") for n in range(before)), *rows]), columns=columns)


class Deadly:
    """A value at which the process that reads it is killed, as for want of memory."""

    def __str__(self) -> str:
        if os.getpid() != TASK:
            os.kill(os.getpid(), signal.SIGKILL)
        return "B1"


def test_a_process_that_dies_is_a_passing_error(tmp_path: Path) -> None:
    source = CallableSource(lambda: (order(id=Deadly() if n == 20 else f"A{n}") for n in range(60)))
    with pytest.raises(PassingError, match=r"a process that checks them has ended by SIGKILL.* workers=1") as told:
        run_shared(source, tmp_path / "dies", catches=())
    assert "Nothing was sent" in str(told.value)


ARGUMENTS: dict[str, Any] = {
    "kind": SIMPLE_ORDERS,
    "options": check_options(),
    "files": {"part": csv_format(SIMPLE_ORDERS)},
}


def run_shared(source: Source, folder: Path, catches: Any = Exception) -> dict[str, Any]:
    return outcome(source, folder, workers=2, catches=catches, **ARGUMENTS)


def test_no_process_outlives_a_task_that_fails(others: set[psutil.Process], tmp_path: Path) -> None:
    seen: list[int] = []

    def rows() -> Iterator[dict[str, Any]]:
        yield from (order(id=f"A{n}") for n in range(40))
        seen.append(len(set(psutil.Process().children()) - others))
        raise OSError("the source is gone")

    assert "OSError" in run_shared(CallableSource(rows), tmp_path / "fails")["error"]
    assert seen == [2]


def test_no_process_outlives_a_task_that_is_killed(tmp_path: Path) -> None:
    hears, tells = os.pipe()

    def rows() -> Iterator[dict[str, Any]]:
        yield from (order(id=f"A{n}") for n in range(40))
        os.write(tells, " ".join(str(each.pid) for each in psutil.Process().children()).encode())
        time.sleep(60)

    task = os.fork()
    if task == 0:
        try:
            run_shared(CallableSource(rows), tmp_path / "killed")
        finally:
            os._exit(0)
    workers = [psutil.Process(int(pid)) for pid in os.read(hears, 100).split()]
    assert len(workers) == 2
    os.kill(task, signal.SIGKILL)
    os.waitpid(task, 0)
    _gone, alive = psutil.wait_procs(workers, timeout=10)
    assert [each for each in alive if each.status() != psutil.STATUS_ZOMBIE] == []
    os.close(hears)
    os.close(tells)


def test_rows_longer_than_a_pipe_holds_keep_nobody_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "BATCH", 40)
    # Those of one batch and what comes of them fill pipes both ways; others beside them are short.
    rows = [order(id=str(n), client_uniq_id="u" * (50_000 if n // 40 % 3 else 1)) for n in range(400)]
    found = []
    for workers in (1, 2):
        arguments: dict[str, Any] = {"kind": SIMPLE_ORDERS, "options": check_options()}
        arguments |= {"files": {"part": csv_format(SIMPLE_ORDERS)}, "workers": workers}
        found.append(outcome(CallableSource(lambda: iter(rows)), tmp_path / str(workers), **arguments))
    one, several = found
    assert one["parts"]
    assert [each.pop("slow")[:1] for each in found] == [[1], [1]]
    assert one == several


def test_a_dict_that_is_changed_and_given_again_is_another_row(tmp_path: Path) -> None:
    def rows() -> Iterator[dict[str, Any]]:
        row = order()
        for number in range(40):
            row["id"] = f"A{number}"
            yield row

    found = run_shared(CallableSource(rows), tmp_path / "again")
    assert (found["rows_read"], found["rows_duplicate"]) == (40, 0)


class Shown(str):
    """A text of its own class, as template engines have."""

    __slots__ = ()

    def strip(self, *signs: Any) -> Shown:
        return self


@pytest.mark.parametrize("bad", [Shown("A 20"), "A20"])
def test_rows_that_a_process_cannot_tell_are_taken_here(
    bad: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error in the middle of a batch: nothing of the rows before it is counted twice."""
    taken = Sorter.take

    def take(self: Sorter, rows: Any, first: int = 1) -> int:
        if os.getpid() != TASK and first == 15:
            taken(self, list(rows)[:3], first)
            raise OSError("no room")
        return taken(self, rows, first)

    monkeypatch.setattr(Sorter, "take", take)
    rows = [order(id=bad if number == 20 else f"A{number}", order_status=None) for number in range(60)]
    found = run_shared(CallableSource(lambda: iter(rows)), tmp_path / "told")
    one = outcome(CallableSource(lambda: iter(rows)), tmp_path / "one", workers=1, **ARGUMENTS)
    found.pop("slow"), one.pop("slow")
    assert found == one


def test_processes_that_cannot_be_started_are_a_passing_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, fork = [0], os.fork

    def second_fails() -> int:
        begun[0] += 1
        if begun[0] == 2:
            raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
        return fork()

    monkeypatch.setattr(os, "fork", second_fails)
    opened = pipes()
    source = CallableSource(lambda: (order(id=f"A{n}") for n in range(60)))
    with pytest.raises(PassingError, match=r"cannot be started \(Resource temporarily unavailable\).* workers=1"):
        run_shared(source, tmp_path / "none", catches=())
    assert pipes() <= opened
