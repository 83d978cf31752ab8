# SPDX-License-Identifier: Apache-2.0
"""The command line: ``python -m airflow_provider_yandex_orders``, and ``airflow yandex-orders`` where Airflow asks."""

from __future__ import annotations

from typing import Any

from airflow_provider_yandex_orders.cli.options import CHECK, CHECK_HELP, EXPLAIN, EXPLAIN_HELP


def get_cli_commands() -> list[Any]:
    """What Airflow 3.3 adds to its own commands. Every ``airflow`` command calls it: nothing heavy is imported."""
    from airflow.cli.cli_config import ActionCommand, Arg, GroupCommand, lazy_load_command

    check = ActionCommand(
        name="check",
        help=CHECK_HELP,
        func=lazy_load_command(f"{__name__}.check.command"),
        args=tuple(Arg((flag,), **settings) for flag, settings in CHECK.items()),
    )
    explain = ActionCommand(
        name="explain",
        help=EXPLAIN_HELP,
        func=lazy_load_command(f"{__name__}.explain.command"),
        args=tuple(Arg((flag,), **settings) for flag, settings in EXPLAIN.items()),
    )
    return [GroupCommand(name="yandex-orders", help="Orders for Metrica and Altcraft", subcommands=(check, explain))]
