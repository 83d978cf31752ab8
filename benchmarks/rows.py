# SPDX-License-Identifier: Apache-2.0
"""Rows: read, checked, normalised, hashed, written, every bad one with its reason; and the whole task around it."""

from __future__ import annotations

import csv
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

from benchmarks import orders, plain
from benchmarks.pairs import SCALE, Line, Measured, Side, in_turn, line

ORDERS = int(200_000 * SCALE)
MILLIONS = bool(os.environ.get("BENCH_MILLIONS"))
"""Whether the growth at 2,000,000 rows and the whole task of 1,000,000 orders are measured too: some minutes more."""
_WARM = 200
_FEW = 20_000
_SELECT = "SELECT * FROM orders"

# Ours.


def _source(kind: str, place: str, count: int) -> Any:
    from airflow_provider_yandex_orders.sources import FileSource, RowsSource, SqlSource

    if kind == "sqlite":
        return SqlSource("crm", f"{_SELECT} LIMIT {count}")
    return FileSource(place) if kind == "csv" else RowsSource(list(orders.orders(count)))


def prepare_rows(source: str, form: str, place: str, count: int, workers: int = 1) -> Callable[[], dict[str, Any]]:
    """The row path: from the source to parts and rejects, without journal and service."""
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    from airflow_provider_yandex_orders.delivery.plan import Limits, Plan
    from airflow_provider_yandex_orders.delivery.prepare import prepare
    from airflow_provider_yandex_orders.metrica.kinds import SIMPLE_ORDERS
    from airflow_provider_yandex_orders.rows.formats import csv_format, json_format
    from airflow_provider_yandex_orders.rows.options import CheckOptions

    folder = ObjectStoragePath(tempfile.mkdtemp())
    options = CheckOptions(
        counter_zone=lambda: ZoneInfo(orders.COUNTER_ZONE),
        source_zone=ZoneInfo(orders.SOURCE_ZONE),
        hash_identifiers=True,
        status_map=orders.STATUSES,
    )
    kind = SIMPLE_ORDERS.with_statuses(tuple(orders.STATUSES.values()))
    format_of = csv_format if form == "csv" else json_format
    shared: dict[str, Any] = {"workers": workers} if workers > 1 else {}

    def run(rows: Any) -> dict[str, Any]:
        limits = Limits(max_rejected=10**9, max_dropped=10**9)
        prepared = prepare(rows, Plan(kind, options, limits, folder, {"part": format_of(kind)}, **shared))
        written = [part.path for part in prepared.parts]
        return {"written": written, "rejected": prepared.rejected_path, "read": prepared.rows_read}

    warm = tempfile.mkdtemp() + "/warm.csv"
    orders.write_csv(Path(warm), _WARM)
    run(_source(source, warm, _WARM))  # what is imported is imported before the mark
    rows = _source(source, place, count)
    return lambda: run(rows)


def upload_task(count: int) -> Callable[[], dict[str, Any]]:
    """The whole task: from the database to files that the service took, with a journal that knows nothing yet."""
    from airflow_provider_yandex_orders.operators.metrica import MetricaUploadSimpleOrdersOperator

    folder = tempfile.mkdtemp()
    os.environ["AIRFLOW_HOME"] = folder

    def run(name: str, rows: int) -> dict[str, Any]:
        task = MetricaUploadSimpleOrdersOperator(
            task_id=name,
            source=_source("sqlite", "", rows),
            source_timezone=orders.SOURCE_ZONE,
            status_map=orders.STATUSES,
            hash_identifiers=True,
            max_rejected=0.1,
            staging_path=folder,
        )
        ti = SimpleNamespace(dag_id="benchmark", run_id="run", task_id=name, map_index=-1, xcom_push=lambda **_: None)
        delivery = task.execute({"ti": ti})  # type: ignore[typeddict-item]
        return {"sent": delivery["rows_sent"], "rejected": delivery["rows_rejected"]}

    run("warm", _WARM)
    return lambda: run("whole", count)


# The peers.


def plain_rows(source: str, form: str, place: str, count: int) -> Callable[[], dict[str, Any]]:
    """Careful plain Python."""
    folder = Path(tempfile.mkdtemp())
    write = plain.to_csv if form == "csv" else plain.to_json
    rows: Iterable[dict[str, Any]]
    if source == "dicts":
        rows = list(orders.orders(count))
    else:
        rows = plain.from_sqlite(place) if source == "sqlite" else plain.from_csv(place)

    def run() -> dict[str, Any]:
        write(rows, folder)
        return {"written": [str(folder / f"orders.{form}")], "rejected": str(folder / "rejected.jsonl")}

    return run


def duck_rows(count: int) -> Callable[[], dict[str, Any]]:
    """DuckDB, from the same list of dicts."""
    from benchmarks import duck

    folder = Path(tempfile.mkdtemp())
    rows = list(orders.orders(count))
    return lambda: duck.to_csv(rows, folder)


# The same rows.


def prepare_and_read(**arguments: Any) -> Callable[[], Any]:
    """What the row path accepts and rejects."""
    work = prepare_rows(**arguments)
    return lambda: _outcome(work())


def plain_and_read(**arguments: Any) -> Callable[[], Any]:
    """What plain Python accepts and rejects."""
    work = plain_rows(**arguments)
    return lambda: _outcome(work())


def duck_and_read(count: int) -> Callable[[], Any]:
    """What DuckDB accepts and rejects."""
    work = duck_rows(count)
    return lambda: _outcome(work())


def _outcome(done: dict[str, Any]) -> list[Any]:
    accepted: list[Any] = []
    for path in done["written"]:
        text = Path(path).read_text()
        rows = next(iter(json.loads(text).values())) if path.endswith(".json") else csv.DictReader(text.splitlines())
        accepted += ({name: each for name, each in sorted(row.items()) if each} for row in rows)
    rejected = [json.loads(each) for each in Path(done["rejected"]).read_text().splitlines()]
    return [accepted, [[each["row"], each["column"]] for each in rejected]]


def check_same(*sides: Side) -> None:
    """Make sure that all accept and reject the same rows, with the same values.

    :raises AssertionError: one does not.
    """
    first, *others = in_turn(*sides, rounds=1)
    for side, other in zip(sides[1:], others, strict=True):
        for what, ours, theirs in zip(("accepted", "rejected"), first.result, other.result, strict=True):
            pair = next(((one, two) for one, two in zip(ours, theirs, strict=False) if one != two), None)
            if ours != theirs:
                raise AssertionError(f"{side.work}: {len(ours)} and {len(theirs)} rows {what}; first: {pair}")


# The table.

Places = dict[str, str]


@contextmanager
def crm(count: int) -> Iterator[Places]:
    """Files of so many orders, by their kind."""
    with tempfile.TemporaryDirectory(prefix="benchmark-crm-") as folder:
        places = {"csv": f"{folder}/orders.csv", "sqlite": f"{folder}/orders.db", "dicts": ""}
        orders.write_csv(Path(places["csv"]), count)
        orders.write_sqlite(Path(places["sqlite"]), count)
        yield places


@contextmanager
def sandbox() -> Iterator[str]:
    """The address of a sandbox in a process of its own, whose work is not ours."""
    module = "airflow_provider_yandex_orders.sandbox"
    command = [sys.executable, "-m", module, "--port", "0", "--no-quotas", "--processing-seconds", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().removeprefix("Sandbox: ").strip()
        finally:
            server.terminate()


PAIRS = (("sqlite", "csv", 2.2), ("csv", "csv", 2.2), ("dicts", "csv", 2.6), ("dicts", "json", 2.6))
"""Where rows come from, what they are written as, and how many times as fast as plain Python that must be."""


def measure(count: int = ORDERS, rounds: int = 3, pairs: Sequence[tuple[str, str, float]] = PAIRS) -> list[Line]:
    """Rows, and the whole task.

    :param count: orders.
    :param rounds: how often each side runs.
    :param pairs: such as in :data:`PAIRS`.
    """
    lines: list[Line] = []
    with crm(count) as places, sandbox() as url:
        for source, form, goal in pairs:
            sides = {
                "ours": _side(source, form, places, count),
                "plain": _side(source, form, places, count, "plain_rows"),
                **_beside(source, form, places, count, url),
            }
            if source == "dicts":
                few = min(count, _FEW)
                works = [f"{name}_and_read" for name in ("prepare", "plain")]
                others = [Side("benchmarks.rows:duck_and_read", {"count": few})] if "duck" in sides else []
                check_same(*(_side(source, form, places, few, work) for work in works), *others)
            found = dict(zip(sides, in_turn(*sides.values(), rounds=rounds), strict=True))
            lines += _lines(f"rows, {source} in, {form} out, {count:,} orders", goal, found)
            if "whole" in found:
                lines.append(_whole(count, found["whole"], found["ours"]))
    if MILLIONS:
        lines += _millions()
    return lines


def _side(source: str, form: str, places: Places, count: int, work: str = "prepare_rows", **more: Any) -> Side:
    given = {"source": source, "form": form, "place": places[source], "count": count, **more}
    return Side(f"benchmarks.rows:{work}", given, orders.crm(places["sqlite"]))


def _beside(source: str, form: str, places: Places, count: int, url: str) -> dict[str, Side]:
    """What else is measured with the rows of this pair."""
    if (source, form) == ("dicts", "csv") and importlib.util.find_spec("duckdb"):
        return {"duck": Side("benchmarks.rows:duck_rows", {"count": count})}
    if (source, form) != ("sqlite", "csv"):
        return {}
    from airflow_provider_yandex_orders.delivery.plan import Plan

    shared = any(each.name == "workers" for each in fields(Plan))
    two = {"two": _side(source, form, places, count, workers=2)} if shared else {}
    metrica = {"conn_type": "yandex_metrica", "host": url, "password": "sandbox-token", "extra": {"counter_id": 101}}
    known = orders.crm(places["sqlite"]) | {"AIRFLOW_CONN_YANDEX_METRICA_DEFAULT": json.dumps(metrica)}
    return {**two, "whole": Side("benchmarks.rows:upload_task", {"count": count}, known)}


def _lines(work: str, goal: float, found: dict[str, Measured]) -> Iterator[Line]:
    ours, plain_python = found["ours"], found["plain"]
    yield line(
        f"{work}: plain Python's CPU time to ours",
        f"{ours.cpu:.2f} s",
        f"{plain_python.cpu:.2f} s",
        plain_python.cpu / ours.cpu,
        f"goal >= {goal}",
        f"wall {ours.wall:.2f} s and {plain_python.wall:.2f} s",
        f"growth {ours.growth:.0f} MB and {plain_python.growth:.0f} MB",
    )
    if duck := found.get("duck"):
        yield line(
            f"{work}: our CPU time to DuckDB's",
            f"{ours.cpu:.2f} s",
            f"{duck.cpu:.2f} s",
            ours.cpu / duck.cpu,
            f"goal <= 1.0; wall {ours.wall:.2f} s and {duck.wall:.2f} s",
            f"growth {ours.growth:.0f} MB and {duck.growth:.0f} MB, goal a twentieth",
        )
    if two := found.get("two"):
        yield line(
            f"{work}, workers=2: plain Python's wall time to ours",
            f"{two.wall:.2f} s",
            f"{plain_python.wall:.2f} s",
            plain_python.wall / two.wall,
            f"goal >= 4; growth of the first process {two.growth:.0f} MB",
        )


def _whole(count: int, whole: Measured, rows: Measured) -> Line:
    return line(
        f"whole task, {count:,} orders of SQLite to accepted: CPU time of the rows alone to all",
        f"{whole.cpu:.2f} s",
        f"{rows.cpu:.2f} s",
        rows.cpu / whole.cpu,
        f"goal >= 0.6; a million takes {whole.wall * 1e6 / count:.0f} s, goal < 45 s; growth {whole.growth:.0f} MB",
    )


def _millions() -> Iterator[Line]:
    many, million = 2_000_000, 1_000_000
    with crm(many) as places, sandbox() as url:
        (rows,) = in_turn(_side("sqlite", "csv", places, many), rounds=1)
        yield line(
            f"rows, sqlite in, csv out, {many:,} orders: growth to the goal",
            f"{rows.growth:.0f} MB",
            "30 MB",
            rows.growth / 30,
        )
        whole = _beside("sqlite", "csv", places, million, url)["whole"]
        yield _whole(million, *in_turn(whole, _side("sqlite", "csv", places, million), rounds=1))
