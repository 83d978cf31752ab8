# SPDX-License-Identifier: Apache-2.0
"""``python -m airflow_provider_yandex_orders``: the commands, for every version of Airflow."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext

from airflow_provider_yandex_orders.cli.options import COMMANDS, Command, function_of


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    parser = ArgumentParser(prog="python -m airflow_provider_yandex_orders")
    _add(parser, COMMANDS)
    options = parser.parse_args(arguments)
    with _airflow_home() if options.command.alone else nullcontext():
        return function_of(options.command)(options)


def _add(parser: ArgumentParser, commands: Mapping[str, Command | tuple[str, Mapping[str, Command]]]) -> None:
    """Teach a parser commands and groups of them."""
    names = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, command in commands.items():
        told = command.help if isinstance(command, Command) else command[0]
        made = names.add_parser(name, help=told, description=told)
        if not isinstance(command, Command):
            _add(made, command[1])
            continue
        made.set_defaults(command=command)
        for flag, settings in command.arguments.items():
            made.add_argument(flag, **settings)


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
