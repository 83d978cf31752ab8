# SPDX-License-Identifier: Apache-2.0
"""The options of each command, in the words of ``argparse``, which Airflow's command line takes too."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, Final, NamedTuple

from airflow_provider_yandex_orders.sandbox.__main__ import OPTIONS as SANDBOX

UPLOADS: Final = {
    "simple_orders": "metrica.MetricaUploadSimpleOrdersOperator",
    "contacts": "metrica.MetricaUploadContactsOperator",
    "orders": "metrica.MetricaUploadOrdersOperator",
    "offline_conversions": "metrica.MetricaUploadOfflineConversionsOperator",
    "altcraft_orders": "altcraft.AltcraftImportOrdersOperator",
}
"""The operator that uploads each kind of row."""

CHECK_HELP: Final = "Check the rows of a file as an upload would, and send nothing"

_PAIRS: Final = {"nargs": "+", "action": "extend"}
_SWITCH: Final = {"action": "store_true", "default": None}

CHECK: Final[dict[str, dict[str, Any]]] = {
    "files": {"nargs": "+", "metavar": "FILE", "help": "files, globs or object storage URLs"},
    "--entity": {"choices": tuple(UPLOADS), "default": "simple_orders", "help": "what the rows are"},
    "--columns": {**_PAIRS, "metavar": "FIELD=COLUMN", "help": "columns with other names; or one JSON object"},
    "--status-map": {
        **_PAIRS,
        "metavar": "WORD=STATUS",
        "help": "statuses of the file to the service's; or one JSON object",
    },
    "--defaults": {**_PAIRS, "metavar": "FIELD=VALUE", "help": "values of fields that rows have nothing in"},
    "--same-key": {
        **_PAIRS,
        "metavar": "HOW",
        "help": "rows of one order: last, merge, or FIELD=sum|join|first|last ...",
    },
    "--timezone": {"dest": "source_timezone", "help": "zone of date-times without one (the counter's)"},
    "--counter-timezone": {"default": "Europe/Moscow", "help": "the counter's zone (Europe/Moscow)"},
    "--format": {"choices": ("csv", "jsonl", "parquet", "excel"), "help": "of the files (told by their names)"},
    "--encoding": {"help": "of CSV and JSON Lines (utf-8)"},
    "--delimiter": {"help": "between the cells of CSV (told by the first lines)"},
    "--decimal": {"choices": (".", ","), "help": "what stands before decimals (.)"},
    "--date-format": {"help": "of dates, as strptime has it (forms that can be read one way only)"},
    "--null-values": {"nargs": "+", "metavar": "TEXT", "help": "texts that stand for nothing"},
    "--multiline": {**_SWITCH, "help": "cells with many line ends are meant"},
    "--conn-id": {"help": "Airflow connection of the files' object storage"},
    "--merge-mode": {"choices": ("SAVE", "UPDATE", "APPEND"), "help": "of CRM uploads (SAVE)"},
    "--phone-region": {"help": "country of phones without a country code (RU)"},
    "--max-rejected": {"default": "0", "help": "rejected rows put up with: a number, or a share below 1 (0)"},
    "--max-dropped": {"help": "values of one column that may be left out: a number, or a share below 1"},
    "--no-require-id": {**_SWITCH, "dest": "require_id", "action": "store_false", "help": "take orders without an id"},
    "--hash-identifiers": {**_SWITCH, "help": "write md5 sums in place of e-mails and phones"},
    "--examples": {"type": int, "default": 3, "metavar": "N", "help": "rejected rows shown of each code (3)"},
    "--output": {"metavar": "FOLDER", "help": "keep the files that would be sent, and the rejects, here"},
}
"""Arguments of the command by name."""

EXPLAIN_HELP: Final = "Print the source of the quick pass over plainly good rows, as an upload makes it"
EXPLAIN: Final[dict[str, dict[str, Any]]] = {
    "entity": {"choices": tuple(UPLOADS), "help": "what the rows are"},
    **{flag: CHECK[flag] for flag in CHECK if flag not in ("files", "--entity", "--examples", "--output")},
}
"""Arguments of the other command; what they mean is the same."""

_JOURNAL: Final = {"--journal-conn-id": {"help": "connection of the journal (that of the configuration)"}}
_ONE: Final = {
    "delivery": {"type": int, "metavar": "ID", "help": "the delivery, as `journal list` shows it"},
    **_JOURNAL,
}


class Command(NamedTuple):
    """A command.

    :param function: module and name of what runs it, inside this package.
    :param arguments: by name, in the words of ``argparse``; of a group its commands.
    :param alone: it needs no Airflow, and gets a home of its own for what the import of one makes.
    """

    help: str
    function: str
    arguments: Mapping[str, Any]
    alone: bool = False


JOURNAL: Final = {
    "list": Command(
        "Print the last deliveries: what went where, how many rows, by which task",
        "cli.journal.deliveries",
        {
            "--days": {"type": int, "default": 7, "help": "how many days back (7)"},
            "--limit": {"type": int, "default": 20, "help": "most deliveries to print (20)"},
            "--dag-id": {"help": "only those of this DAG"},
            **_JOURNAL,
        },
    ),
    "show": Command("Print a delivery: counts, rejects by reason, parts", "cli.journal.show", _ONE),
    "forget": Command(
        "Let a delivery count as never sent: the next task that reads its rows sends them again",
        "cli.journal.forget",
        {**_ONE, "--yes": {**_SWITCH, "help": "do it; without, only what would be forgotten is printed"}},
    ),
    "arrived": Command(
        "Let parts without an answer count as arrived, once you saw them at the service",
        "cli.journal.arrived",
        {**_ONE, "--yes": {**_SWITCH, "help": "do it, though another try has written a part's file anew"}},
    ),
    "purge": Command(
        "Forget what is older than journal_days now, and free its room",
        "cli.journal.purge",
        {"--days": {"type": int, "help": "other days than journal_days, 30 at least"}, **_JOURNAL},
    ),
}

TOKEN: Final[dict[str, dict[str, Any]]] = {
    "service": {"choices": ("metrica", "market", "altcraft"), "help": "of which service"},
    "--conn-id": {"help": "test the token of this connection instead, as the form's Test does"},
}

COMMANDS: Final[dict[str, Command | tuple[str, Mapping[str, Command]]]] = {
    "check": Command(CHECK_HELP, "cli.check.check_files", CHECK, alone=True),
    "explain": Command(EXPLAIN_HELP, "cli.check.explain", EXPLAIN, alone=True),
    "journal": ("What was sent, and what you know of it: the journal of deliveries", JOURNAL),
    "sandbox": Command(
        "Run the services on this machine, to try DAGs without an account", "sandbox.__main__.run", SANDBOX
    ),
    "token": Command("Say how to get a token, and what it may do", "cli.token.token", TOKEN),
}
"""The commands by name; of a group its help and its commands."""


def function_of(command: Command) -> Callable[[Namespace], int]:
    """What runs a command, imported now; it returns the exit code."""
    module, _, name = f"{__package__.partition('.')[0]}.{command.function}".rpartition(".")
    function: Callable[[Namespace], int] = getattr(import_module(module), name)
    return function


_SOURCE = ("format", "encoding", "delimiter", "decimal", "date_format", "null_values", "multiline", "conn_id")
_UPLOAD = ("source_timezone", "merge_mode", "phone_region", "max_dropped", "require_id", "hash_identifiers")


class WrongOption(Exception):
    """An option cannot be read; the message says how it is written."""


def source_arguments(options: Namespace) -> dict[str, Any]:
    """Arguments of the source: those that were given."""
    return {"columns": pairs(options.columns, "--columns")} | _given(options, _SOURCE)


def upload_arguments(options: Namespace) -> dict[str, Any]:
    """Arguments of the upload: those that were given."""
    found = _given(options, _UPLOAD)
    for name in ("status_map", "defaults"):
        if getattr(options, name):
            found[name] = pairs(getattr(options, name), f"--{name.replace('_', '-')}", last=name == "status_map")
    if options.same_key:
        words = {"last", "merge"}.intersection(options.same_key)
        if words and len(options.same_key) > 1:
            raise WrongOption(
                "--same-key: last and merge stand alone. Give one of them, or ways of fields: revenue=sum."
            )
        found["same_key"] = words.pop() if words else pairs(options.same_key, "--same-key")
    return found


def pairs(given: Sequence[str] | None, option: str, *, last: bool = False) -> dict[str, Any] | None:
    """A mapping, of ``name=value`` or of JSON objects. A name that is given twice gets a list.

    :param last: the last ``=`` divides, as what is before may have one.
    :raises WrongOption: one is neither.
    """
    found: dict[str, Any] = {}
    for text in given or ():
        if text.startswith("{"):
            try:
                found |= json.loads(text)
            except ValueError:
                raise WrongOption(f"{option}: this begins as a JSON object and is none.") from None
            continue
        name, sign, value = text.rpartition("=") if last else text.partition("=")
        if not sign:
            raise WrongOption(f"{option}: write name=value, each in quotes of its own where it has spaces, or JSON.")
        if name in found and not last:
            known = found[name]
            found[name] = [*known, value] if isinstance(known, list) else [known, value]
        else:
            found[name] = value
    return found or None


def _given(options: Namespace, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(options, name) for name in names if getattr(options, name) is not None}
