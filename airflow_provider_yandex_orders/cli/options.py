# SPDX-License-Identifier: Apache-2.0
"""The options of each command, in the words of ``argparse``, which Airflow's command line takes too."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Sequence
from typing import Any, Final

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
