# SPDX-License-Identifier: Apache-2.0
"""The commands ``check`` and ``explain``: all of an upload up to its first request, by the upload's own operator.

No values of rows are shown: a terminal's text travels.
"""

from __future__ import annotations

import inspect
import json
import logging
import os
import sys
import tempfile
from argparse import Namespace
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec

from airflow_provider_yandex_orders.cli.odd import WatchedFile
from airflow_provider_yandex_orders.cli.options import UPLOADS, WrongOption, source_arguments, upload_arguments
from airflow_provider_yandex_orders.delivery.columns import check_mapping
from airflow_provider_yandex_orders.delivery.plan import Limits, Plan
from airflow_provider_yandex_orders.delivery.prepare import sorter_of
from airflow_provider_yandex_orders.exceptions import (
    ConfigurationError,
    PassingError,
    PermanentError,
    SourceUnavailable,
)
from airflow_provider_yandex_orders.operators.arguments import zone
from airflow_provider_yandex_orders.rows.kind import RowKind
from airflow_provider_yandex_orders.sources.base import RowStream
from airflow_provider_yandex_orders.sources.columns import names_of
from airflow_provider_yandex_orders.sources.parts import PartsSource, parts_in
from airflow_provider_yandex_orders.summary import counts
from airflow_provider_yandex_orders.templated import number

WOULD_SEND, WOULD_FAIL, CANNOT_CHECK = 0, 1, 2

_PACKAGE = "airflow_provider_yandex_orders"
_CONNECTION = "yandex_orders_check"
_NOWHERE = json.dumps({"host": "http://127.0.0.1:9", "password": "no-token-here"})
_ANY = 1e15
_REJECTED, _DROPPED = "Rejected rows", "Values left out of rows that are sent"
_SHOWN_WORDS = 20


def check_files(options: Namespace) -> int:
    """Check the rows of files, print what an upload would do with them, and send nothing.

    :return: 0: the upload would send; 1: it would fail; 2: the check itself cannot be made.
    """
    told: dict[str, Any] = {}
    kept = options.output and str(Path(options.output).absolute())
    place = nullcontext(kept) if kept else tempfile.TemporaryDirectory(prefix="yandex-orders-")
    with place as folder, _warnings(folder) as warnings:
        try:
            limits = Limits(number(options.max_rejected, "--max-rejected", meaning="a number of rows, or a share"))
            steps, source, kind = _steps_of(options, folder)
            failure = None
        except (WrongOption, PermanentError) as error:
            return _end(CANNOT_CHECK, str(error))
        try:
            told["delivery"] = steps.deliver(_context(told))
        except (ConfigurationError, SourceUnavailable) as error:
            return _end(CANNOT_CHECK, str(error))
        except (PermanentError, PassingError) as error:
            failure = str(error)
        delivery = told.get("delivery")
        if delivery is None:
            return _end(WOULD_FAIL, failure or "")
        print(*counts(delivery), sep="\n")
        if failure is None:
            _print_parts(delivery, kind)
        for title, name in ((_REJECTED, "rejected_path"), (_DROPPED, "dropped_path")):
            _print_faults(title, delivery[name], options.examples, kept=bool(kept))
        odd = [*source.oddities(), *warnings]
        if odd:
            print("\nLook at:")
            for sentence in odd:
                print(f"  - {sentence}")
        if failure:
            return _end(WOULD_FAIL, failure)
        rejected, read = delivery["rows_rejected"], delivery["rows_read"]
        if not limits.allows(rejected, read):
            return _end(
                WOULD_FAIL,
                f"the upload would fail and send nothing: {rejected:,} of {read:,} rows are rejected, and max_rejected "
                f"is {limits.max_rejected:g}.",
            )
        return _end(WOULD_SEND, f"the upload would send {delivery['rows_prepared']:,} of {read:,} rows.")


def explain(options: Namespace) -> int:
    """Print the pass that is made for rows which have a column for every field.

    :return: 0: it is printed, or it is said that there is none; 2: the options cannot work.
    """
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    options.files = []
    with tempfile.TemporaryDirectory(prefix="yandex-orders-") as folder, ExitStack() as opened:
        try:
            steps, source, _kind = _steps_of(options, folder)
            kind = steps._filled_kind()
            checked, files, mode = steps._check_options(), steps._files(kind), options.merge_mode or "SAVE"
            plan = Plan(kind, checked, Limits(), ObjectStoragePath(folder), files, merge_mode=mode)
            check_mapping(source.columns, kind)
            columns = dict.fromkeys(name for field in kind.field_names for name in names_of(source.columns, field))
            stream = RowStream(list(columns), iter(()), source.reading)
            text = sorter_of(source, plan, stream, opened).explained(tuple(columns))
        except (WrongOption, PermanentError) as error:
            print(f"Cannot explain: {error}", file=sys.stderr)
            return CANNOT_CHECK
    print(text or "There is no quick pass: every row goes through the full checkers.")
    return WOULD_SEND


def _steps_of(options: Namespace, folder: str) -> tuple[Any, WatchedFile, RowKind]:
    """The upload, with a connection that leads nowhere: nothing can be sent."""
    os.environ[f"AIRFLOW_CONN_{_CONNECTION.upper()}"] = _NOWHERE
    service, _, name = UPLOADS[options.entity].partition(".")
    operator = getattr(import_module(f"{_PACKAGE}.operators.{service}"), name)
    takes = inspect.signature(operator).parameters
    given = upload_arguments(options)
    for argument in given:
        if argument not in takes:
            raise WrongOption(f"An upload of {options.entity} takes no {argument}.")
    known = {
        f"{service}_conn_id": _CONNECTION,
        "counter_id": 1,
        "skip_triggers": True,
        "check_targets": False,  # only the service knows its goals
        "resend": True,  # what was sent before is not asked
        "max_rejected": _ANY,  # what would be sent without the rejects is worth seeing; judged at the end
    }
    known = {argument: value for argument, value in known.items() if argument in takes}
    counter = {"time_zone_name": str(zone(options.counter_timezone, "--counter-timezone")), "permission": "own"}
    task = operator(task_id="check", source=[], dry_run=True, staging_path=folder, **known, **given)
    steps = task._steps()
    steps._settings = counter
    kind = steps._row_kind()
    # Airflow 2.11 looks for relative paths at the root.
    files = [file if "://" in file else str(Path(file).absolute()) for file in options.files]
    source = WatchedFile(files, kind, **source_arguments(options))
    task.source = source
    return steps, source, kind


def _context(told: dict[str, Any]) -> Any:
    """What a task is told of its run; takes the delivery, which is there before the task may fail."""
    ti = SimpleNamespace(dag_id="check", run_id="check", task_id="check", map_index=-1, try_number=1)
    ti.xcom_push = lambda key, value: told.__setitem__(key, value)
    return {"ti": ti, "task_instance": ti}


@contextmanager
def _warnings(folder: str) -> Iterator[list[str]]:
    """What the package warns of meanwhile, in place of the log.

    :param folder: where the rejects lie: what is said of them is shown otherwise.
    """
    found: list[str] = []

    class Taken(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            text = record.getMessage()
            told = record.levelno >= logging.WARNING or record.module == "columns"
            if not told or folder in text or record.module == "steps":  # the result is printed otherwise
                return
            if text.startswith("    ") and found:  # the rest of a long sentence
                found[-1] += f" {text.strip()}"
            elif not text.startswith(" "):
                found.append(text)

    log, handler = logging.getLogger(_PACKAGE), Taken()
    state = log.propagate, log.level
    log.addHandler(handler)
    log.propagate = False
    log.setLevel(logging.INFO)
    try:
        yield found
    finally:
        log.removeHandler(handler)
        log.propagate, log.level = state


def _print_parts(delivery: Mapping[str, Any], kind: RowKind) -> None:
    """What the files that would be sent hold, read again."""
    parts = parts_in(delivery)
    size = sum(part["bytes"] for part in parts)
    print(f"\nWould be sent: {delivery['rows_prepared']:,} rows in {len(parts):,} file(s) of {size:,} bytes")
    name, words = kind.status or "Target", Counter[str]()
    first, last = "", ""
    with PartsSource(delivery).open() as stream:
        for row in stream.rows:
            words[str(row.get(name) or "")] += 1
            made = str(row.get(kind.created or "") or "")
            first, last = min(first or made, made or first), max(last, made)
    common = words.most_common(_SHOWN_WORDS)
    if any(word for word, _ in common):
        more = f", and {len(words) - len(common):,} other words" if len(words) > len(common) else ""
        told = ", ".join(f"{word or '(empty)'} {count:,}" for word, count in common)
        print(f"  {name}: {told}{more}")
    for amount, by_currency in delivery["plan"]["money"].items():
        told = ", ".join(f"{Decimal(total):,f} {code}" for code, total in by_currency.items())
        print(f"  {amount}: {told}")
    if first:
        print(f"  {kind.created}: {first} to {last}")


def _print_faults(title: str, path: str | None, examples: int, *, kept: bool) -> None:
    """The faults of a file of faults: of each code how many, and the first; where it lies, if it is kept."""
    if path is None:
        return
    counts: Counter[str] = Counter()
    shown: dict[str, list[str]] = defaultdict(list)
    with Path(path).open("rb") as file:
        for fault in map(msgspec.json.decode, file):
            counts[fault["code"]] += 1
            if len(shown[fault["code"]]) < examples:
                key = f" ({fault['key']})" if fault["key"] else ""
                column = f", column {fault['column']}" if fault["column"] else ""
                also = f"; also {', '.join(each['code'] for each in fault['also'])}" if "also" in fault else ""
                shown[fault["code"]].append(f"row {fault['row']}{key}{column}: {fault['reason']}; {fault['fix']}{also}")
    print(f"\n{title}: {sum(counts.values()):,}")
    for code, count in counts.most_common():
        print(f"  {code}: {count:,}")
        for told in shown[code]:
            print(f"    {told}")
    if kept:
        print(f"  All of them: {path}")


def _end(code: int, message: str) -> int:
    verdict = {WOULD_SEND: "Good", WOULD_FAIL: "Bad", CANNOT_CHECK: "Cannot check"}[code]
    print(f"\n{verdict}: {message}", file=sys.stdout if code != CANNOT_CHECK else sys.stderr)
    return code
