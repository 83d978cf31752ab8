# SPDX-License-Identifier: Apache-2.0
"""Files of lines: faults, and rows that wait."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_yandex_orders.delivery.rejects import FaultFile, LinesFile
from airflow_provider_yandex_orders.privacy import shown_key
from airflow_provider_yandex_orders.rows.faults import Fault

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

MAIL = Fault("mail", "bad_email", "emails is not an e-mail address", "correct it")
DATE = Fault("made", "bad_date", "create_date_time is not a date-time", "give one")


def entries(path: str | None) -> list[dict[str, Any]]:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    assert path is not None
    return [json.loads(line) for line in ObjectStoragePath(path).read_text().splitlines()]


def test_first_fault_and_the_rest(folder: ObjectStoragePath) -> None:
    with FaultFile(folder / "rejected.jsonl") as file:
        file.add(3, "A-1", [DATE, MAIL])
        file.add(5, None, [MAIL])
        file.add(6, None, [MAIL])
    date = {"column": "made", "code": "bad_date", "reason": DATE.reason, "fix": "give one"}
    mail = {"column": "mail", "code": "bad_email", "reason": MAIL.reason, "fix": "correct it"}
    assert entries(file.path) == [
        {"row": 3, "key": "A-1", **date, "also": [mail]},
        {"row": 5, "key": None, **mail},
        {"row": 6, "key": None, **mail},
    ]
    assert (file.entries, file.by_code()) == (3, "2 bad_email, 1 bad_date")
    assert list(file.told.items()) == [  # the most frequent first
        ("bad_email", {"rows": 2, "first": "row 5, column mail", "reason": MAIL.reason, "fix": "correct it"}),
        ("bad_date", {"rows": 1, "first": "row 3 (A-1), column made", "reason": DATE.reason, "fix": "give one"}),
    ]


def test_no_fault_no_file(folder: ObjectStoragePath) -> None:
    path = folder / "rejected.jsonl"
    path.write_bytes(b"of an earlier try\n")
    with FaultFile(path) as file:
        assert not path.exists()
    assert (file.path, file.entries, file.by_code()) == (None, 0, "")
    assert not path.exists()


def test_the_file_is_whole_when_the_work_fails(folder: ObjectStoragePath) -> None:
    file = FaultFile(folder / "rejected.jsonl")

    def work() -> None:
        with file:
            file.add(1, "A-1", [DATE])
            raise LookupError

    with pytest.raises(LookupError):
        work()
    assert len(entries(file.path)) == 1


def test_of_each_code_one_is_told(folder: ObjectStoragePath) -> None:
    with FaultFile(folder / "rejected.jsonl") as file:
        for row in range(1, 101):
            file.add(row, str(row), [DATE])
    assert [(code, told["rows"]) for code, told in file.told.items()] == [("bad_date", 100)]
    assert len(entries(file.path)) == file.entries == 100


@pytest.mark.parametrize("key", ["ivan@example.com", "+7 (999) 555-11-11", "79995551111", "Иванов Иван"])
def test_a_key_that_is_personal_is_told_as_its_sum(folder: ObjectStoragePath, key: str) -> None:
    with FaultFile(folder / "rejected.jsonl") as file:
        file.add(1, key, [DATE])
    shown = entries(file.path)[0]["key"]
    assert shown.startswith("#")
    assert shown in file.told["bad_date"]["first"]
    assert key not in str(file.told)


def test_lines_of_anything(folder: ObjectStoragePath) -> None:
    with LinesFile(folder / "deferred.jsonl") as file:
        assert (file.path, file.entries) == (None, 0)
        file.write({"Price": Decimal("1500.50"), "DateTime": 1741089600, "UserId": "Ж\n"})
        file.write({"Price": None})
    assert entries(file.path) == [{"Price": "1500.50", "DateTime": 1741089600, "UserId": "Ж\n"}, {"Price": None}]
    assert file.entries == 2


def test_no_line_no_file(folder: ObjectStoragePath) -> None:
    (folder / "deferred.jsonl").write_bytes(b"of an earlier try\n")
    with LinesFile(folder / "deferred.jsonl") as file:
        pass
    assert file.path is None
    assert not (folder / "deferred.jsonl").exists()


def test_more_rejects_stand_beside_the_first(folder: ObjectStoragePath) -> None:
    path = folder / "rejected.jsonl"
    with FaultFile(path) as first:
        first.add(1, "A", [Fault("status", "unknown_status", "no", "map it")])
    with FaultFile(path, more=True) as more:
        assert more.path is None
        more.add(None, "B", [Fault("", "refused", "the platform: no", "correct it")])
        more.add(None, "ivan@example.com", [Fault("", "refused", "the platform: no", "correct it")])
    found = [json.loads(line) for line in path.read_bytes().splitlines()]
    assert [(each["row"], each["key"]) for each in found] == [
        (1, "A"),
        (None, "B"),
        (None, shown_key("ivan@example.com")),
    ]
    told = {"rows": 2, "first": "a row (B)", "reason": "the platform: no", "fix": "correct it"}
    assert more.told == {"refused": told}
    with LinesFile(folder / "new.jsonl", more=True) as alone:
        alone.write(1)
    assert (folder / "new.jsonl").read_bytes() == b"1\n"
