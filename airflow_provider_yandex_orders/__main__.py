# SPDX-License-Identifier: Apache-2.0
"""``python -m airflow_provider_yandex_orders``: commands that need no running Airflow."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from airflow_provider_yandex_orders.cli.options import CHECK, CHECK_HELP, EXPLAIN, EXPLAIN_HELP


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    parser = ArgumentParser(prog="python -m airflow_provider_yandex_orders")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, told, flags in (("check", CHECK_HELP, CHECK), ("explain", EXPLAIN_HELP, EXPLAIN)):
        command = commands.add_parser(name, help=told, description=told)
        for flag, settings in flags.items():
            command.add_argument(flag, **settings)
    options = parser.parse_args(arguments)
    with _airflow_home():
        if options.command == "explain":
            from airflow_provider_yandex_orders.cli.explain import explain

            return explain(options)
        from airflow_provider_yandex_orders.cli.check import check_files

        return check_files(options)


@contextmanager
def _airflow_home() -> Iterator[None]:
    """A home for Airflow, whose import alone makes folders: the user's where one is named, else one for this run."""
    os.environ.setdefault("AIRFLOW__METRICS__TIMER_UNIT_CONSISTENCY", "True")  # else Airflow 2.11 warns of its default
    logging.getLogger("airflow").setLevel(logging.ERROR)
    if "AIRFLOW_HOME" in os.environ:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="yandex-orders-", ignore_cleanup_errors=True) as home:
        os.environ["AIRFLOW_HOME"] = home
        try:
            yield
        finally:
            del os.environ["AIRFLOW_HOME"]


if __name__ == "__main__":
    sys.exit(main())
