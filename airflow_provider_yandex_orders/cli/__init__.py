# SPDX-License-Identifier: Apache-2.0
"""The command line: ``python -m airflow_provider_yandex_orders``, and ``airflow yandex-orders`` where Airflow asks."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable, Mapping
from typing import Any

from airflow_provider_yandex_orders.cli.options import COMMANDS, Command, function_of


def get_cli_commands() -> list[Any]:
    """What Airflow 3.3 adds to its own commands. Every ``airflow`` command calls it: nothing heavy is imported."""
    from airflow.cli.cli_config import GroupCommand

    return [GroupCommand(name="yandex-orders", help="Orders for Metrica and Altcraft", subcommands=_airflows(COMMANDS))]


def _airflows(commands: Mapping[str, Any]) -> tuple[Any, ...]:
    """The commands as Airflow has its own."""
    from airflow.cli.cli_config import ActionCommand, Arg, GroupCommand

    return tuple(
        ActionCommand(
            name=name,
            help=command.help,
            func=_ending(command),
            args=tuple(Arg((flag,), **settings) for flag, settings in command.arguments.items()),
        )
        if isinstance(command, Command)
        else GroupCommand(name=name, help=command[0], subcommands=_airflows(command[1]))
        for name, command in commands.items()
    )


def _ending(command: Command) -> Callable[[Namespace], None]:
    """Runs a command and ends the process."""

    def run(options: Namespace) -> None:
        sys.exit(function_of(command)(options))

    return run
