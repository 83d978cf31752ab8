# SPDX-License-Identifier: Apache-2.0
"""The demo's command line: its options, its exit codes and how it ends."""

from __future__ import annotations

import argparse
import sqlite3
import sys
from collections import deque
from pathlib import Path

from airflow_provider_yandex_orders.demo import runner
from airflow_provider_yandex_orders.demo.children import Children, Interrupted
from airflow_provider_yandex_orders.demo.errors import DemoError
from airflow_provider_yandex_orders.demo.private_airflow import TOKEN
from airflow_provider_yandex_orders.privacy import scrub

TAIL_LINES = 25
TAIL_WIDTH = 1000


def run_command(arguments: list[str] | None = None) -> int:
    """Run the demo and return its exit code: 0, 1 for a failure, 128 + the signal that stopped it."""
    options = _parser().parse_args(arguments)
    children = Children()
    try:
        try:
            children.catch_signals()
            return _attempt(options, children=children)
        finally:
            children.stop()
    except Interrupted as interrupted:
        children.stop()  # again: the signal may have come just before the first
        _say("Stopped.")
        return interrupted.exit_code


def _attempt(options: argparse.Namespace, *, children: Children) -> int:
    try:
        if options.fill:
            from airflow_provider_yandex_orders.demo.fill import fill

            _say(fill(options.fill))
        else:
            runner.run(options.folder, keep=options.keep, children=children, say=_say)
    except DemoError as error:
        _complain(str(error), error.log)
        return 1
    except (OSError, sqlite3.Error) as error:
        _complain(f"{type(error).__name__}: {error}", None)
        return 1
    return 0


def _complain(message: str, log: Path | None) -> None:
    lines = [f"The demo failed: {message}"]
    if log is not None and log.is_file():
        with log.open(encoding="utf-8", errors="replace") as whole:
            tail = deque(whole, TAIL_LINES)
        lines += ["", *(f"  | {_harmless(line)}" for line in tail), "", f"The whole log: {log}"]
    print("\n".join(lines), file=sys.stderr, flush=True)


def _harmless(line: str) -> str:
    return scrub(line.rstrip()).replace(TOKEN, "***")[:TAIL_WIDTH]


def _say(line: str) -> None:
    print(line, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m airflow_provider_yandex_orders.demo",
        description=(
            "Fill a small CRM with 6,919 real orders, start the local sandbox, and let a private Airflow run the "
            "example DAGs against it, good days and a bad one. Nothing leaves this machine."
        ),
    )
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path(".demo"),
        help="where everything goes; emptied of the demo's earlier run first (default: %(default)s)",
    )
    parser.add_argument(
        "--fill",
        metavar="CONN_ID",
        help="run nothing; make the tables that all example DAGs read in the database of this Airflow connection",
    )
    parser.add_argument(
        "--keep", action="store_true", help="leave the pages of the sandbox and of Airflow up, until Ctrl-C"
    )
    return parser
