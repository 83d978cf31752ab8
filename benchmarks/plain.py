# SPDX-License-Identifier: Apache-2.0
"""The peer: careful plain Python, as a good engineer writes it for one table of orders.

Each field is checked by a function of its own, every fault is written down with its reason, nothing is guessed, and
rows are read, checked and written one by one.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from benchmarks.orders import COUNTER_ZONE, SOURCE_ZONE, STATUSES

WRITTEN = (
    *("id", "create_date_time", "client_uniq_id", "client_ids", "emails", "phones", "emails_md5", "phones_md5"),
    *("order_status", "revenue", "cost", "goals", "currency"),
)
EMAIL = re.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-z0-9-]+(\.[a-z0-9-]+)+")
MOST = Decimal(9223372036854)
CURRENCIES = {"RUB", "EUR", "USD", "BYN", "KZT", "AMD", "GEL", "UZS", "KGS", "AZN", "TRY", "CNY", "GBP"}

SOURCE, COUNTER = ZoneInfo(SOURCE_ZONE), ZoneInfo(COUNTER_ZONE)


class Bad(ValueError):
    """A value that cannot be sent; the text is the reason."""


def read_text(value: str) -> str:
    """An id or a name."""
    if any(sign < " " for sign in value):
        raise Bad("holds a control character")
    return value


def read_moment(value: str) -> str:
    """A date-time, in the counter's zone."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise Bad("is not a date-time") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=SOURCE)
    return moment.astimezone(COUNTER).strftime("%Y-%m-%d %H:%M:%S")


def read_client_id(value: str) -> str:
    """A ClientID."""
    if not (value.isascii() and value.isdigit() and 8 <= len(value) <= 20):
        raise Bad("is not a ClientID: 8 to 20 digits")
    return value


def read_email(value: str) -> str:
    """An e-mail address in lower case."""
    address = value.lower()
    if not EMAIL.fullmatch(address):
        raise Bad("is not an e-mail address")
    return address


def read_phone(value: str) -> str:
    """A phone number: digits with the country code."""
    digits = re.sub(r"[\s().+-]", "", value)
    if not (digits.isascii() and digits.isdigit()):
        raise Bad("has signs no phone number has")
    if len(digits) == 10:
        digits = "7" + digits
    elif len(digits) == 11 and digits.startswith("8"):
        digits = "7" + digits[1:]
    if not 11 <= len(digits) <= 15:
        raise Bad("is not a phone number")
    return digits


def read_status(value: str) -> str:
    """An order status as the service has it."""
    if value not in STATUSES:
        raise Bad("is not in the map of statuses")
    return STATUSES[value]


def read_money(value: str) -> str:
    """An exact amount, zero or more."""
    try:
        amount = Decimal(value)
    except InvalidOperation:
        raise Bad("is not a number") from None
    if not amount.is_finite() or amount < 0:
        raise Bad("is below zero")
    if amount > MOST:
        raise Bad("is more than the service takes")
    return format(amount, "f")


def read_currency(value: str) -> str:
    """A currency's code."""
    code = value.upper()
    if code not in CURRENCIES:
        raise Bad("is no currency")
    return code


def many(read: Callable[[str], str]) -> Callable[[str], list[str]]:
    """Reads a list of values, each once."""

    def read_all(value: str) -> list[str]:
        return list(dict.fromkeys(read(part.strip()) for part in re.split("[,;]", value) if part.strip()))

    return read_all


READERS: dict[str, Callable[[str], Any]] = {
    "id": read_text,
    "create_date_time": read_moment,
    "client_uniq_id": read_text,
    "client_ids": many(read_client_id),
    "emails": many(read_email),
    "phones": many(read_phone),
    "order_status": read_status,
    "revenue": read_money,
    "cost": read_money,
    "currency": read_currency,
}
REQUIRED = ("id", "create_date_time")
IDENTIFIERS = ("client_ids", "emails", "phones")
DROPPABLE = ("emails", "phones")


def hashes(values: Iterable[str]) -> list[str]:
    """The md5 sum of each value."""
    return [hashlib.md5(value.encode(), usedforsecurity=False).hexdigest() for value in values]


def check(row: Mapping[str, Any]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """The values of a row as they are sent, and what is wrong with it: columns and reasons."""
    values: dict[str, Any] = {}
    faults: list[tuple[str, str]] = []
    dropped: list[tuple[str, str]] = []
    for column, read in READERS.items():
        cell = row.get(column)
        text = "" if cell is None else str(cell).strip()
        if not text:
            continue
        try:
            values[column] = read(text)
        except Bad as bad:
            (dropped if column in DROPPABLE else faults).append((column, f"{column} {bad}"))
    bad_columns = [column for column, _ in faults]
    for column in REQUIRED:
        if column not in values and column not in bad_columns:
            faults.append((column, f"{column} is empty"))
    if not faults and not any(values.get(name) for name in IDENTIFIERS):
        faults += dropped or [("client_ids", "no customer identifier")]
    values["emails_md5"] = hashes(values.pop("emails", ()))
    values["phones_md5"] = hashes(values.pop("phones", ()))
    return values, faults


def from_csv(path: str) -> Iterator[dict[str, Any]]:
    """The rows of a CSV file."""
    with Path(path).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def from_sqlite(path: str) -> Iterator[dict[str, Any]]:
    """The rows of the table ``orders``."""
    with closing(sqlite3.connect(path)) as database:
        cursor = database.execute("SELECT * FROM orders")
        names = [each[0] for each in cursor.description]
        for row in cursor:
            yield dict(zip(names, row, strict=True))


def good_rows(rows: Iterable[Mapping[str, Any]], folder: Path) -> Iterator[dict[str, Any]]:
    """The good rows; the others go to the file of rejects."""
    with (folder / "rejected.jsonl").open("w", encoding="utf-8") as rejects:
        for number, row in enumerate(rows, start=1):
            values, faults = check(row)
            if faults:
                told = {"row": number, "key": row.get("id"), "column": faults[0][0], "reason": faults[0][1]}
                told["also"] = [reason for _, reason in faults[1:]]
                rejects.write(json.dumps(told) + "\n")
            else:
                yield values


def to_csv(rows: Iterable[Mapping[str, Any]], folder: Path) -> None:
    """Write the good rows as the service's CSV."""
    with (folder / "orders.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, WRITTEN, restval="", lineterminator="\n")
        writer.writeheader()
        for values in good_rows(rows, folder):
            for name in ("client_ids", "emails_md5", "phones_md5"):
                values[name] = ",".join(values.get(name, ()))
            writer.writerow(values)


def to_json(rows: Iterable[Mapping[str, Any]], folder: Path) -> None:
    """Write the good rows as one JSON document; amounts are numbers."""
    with (folder / "orders.json").open("w", encoding="utf-8") as file:
        file.write('{"orders":[')
        for number, values in enumerate(good_rows(rows, folder)):
            for name in ("revenue", "cost"):
                if name in values:
                    values[name] = float(values[name])
            file.write((",\n" if number else "") + json.dumps({name: each for name, each in values.items() if each}))
        file.write("]}")
