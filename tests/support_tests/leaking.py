# SPDX-License-Identifier: Apache-2.0
"""Tests that make the package tell planted values, each in a way of its own: all but the last are to be caught.

What users import tells none, so errors that quote what they are given come from functions behind it.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from airflow.providers.common.compat.sdk import BaseHook, BaseOperator, TaskDeferred
from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_yandex_orders.exceptions import ConfigurationError
from airflow_provider_yandex_orders.templated import mapping, whole
from tests.support.leaks import PACKAGE, SURNAME, TOKEN

MAIL, PHONE, NAME = "Buyer7@Example.com", "+7 (912) 345-67-89", f"{SURNAME}а Анна"
FORMS = {
    "token": f"Authorization: OAuth {TOKEN}",
    "mail": MAIL,
    "phone": PHONE,
    "digits": "79123456789",
    "short": "8 999 000-00-01",
    "name": NAME,
    "address": f"{SURNAME}ая улица, 7",
    "base64": base64.b64encode(f"of {MAIL.lower()};".encode()).decode(),
    "base64 name": base64.b64encode(f"of: {NAME};".encode()).decode(),
    "base64 phone": base64.b64encode(b"#79123456789").decode(),
    "hex": MAIL.lower().encode().hex(),
    "address of a page": quote(f"?mail={MAIL}"),
    "name in an address": quote(NAME),
    "JSON": json.dumps(NAME),
}
log = logging.getLogger(f"{PACKAGE}.some.module")


@pytest.mark.parametrize("form", FORMS)
def test_the_log(form: str) -> None:
    log.debug("Row 1: %s", FORMS[form])


def test_the_log_of_a_task() -> None:
    logging.getLogger("airflow.task").warning("Row 1: %s", MAIL)


def test_an_error_in_the_log() -> None:
    try:
        os.environ[MAIL]
    except KeyError:
        log.debug("No such row", exc_info=True)


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_what_is_printed(stream: str) -> None:
    print(MAIL, file=getattr(sys, stream))


def test_what_is_printed_and_read(capfd: pytest.CaptureFixture[str]) -> None:
    sys.stdout.write(MAIL)
    assert capfd.readouterr().out


def test_an_exception() -> None:
    with pytest.raises(ConfigurationError):
        whole("x", f"what {MAIL} gave")


def test_the_cause_of_an_exception() -> None:
    class Odd(str):
        def strip(self, *_: Any) -> str:
            try:
                return os.environ[MAIL]
            except KeyError as error:
                raise RuntimeError("unreadable") from error

    with pytest.raises(RuntimeError):
        mapping(Odd("{"), "status_map")


class _Told(BaseOperator):
    __module__ = f"{PACKAGE}.operators.told"
    template_fields = ("source",)

    def __init__(self, *, source: Any, result: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.source = source
        self.result = result

    def execute_complete(self, context: Any, event: Any) -> None:
        """Whatever happened, nothing is said."""

    def execute(self, context: Any) -> Any:
        if self.result == "defer":
            raise TaskDeferred(trigger=_Trigger(), method_name="execute_complete")
        return self.result


class _Trigger(BaseTrigger):
    def __init__(self) -> None:
        """No argument."""

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return "trigger", {"told": MAIL}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        yield TriggerEvent({})


class _Hook(BaseHook):
    __module__ = f"{PACKAGE}.hooks.told"

    def test_connection(self) -> tuple[bool, str]:
        return False, f"{TOKEN} is refused"


def test_what_a_task_gives(context: Callable[..., Any]) -> None:
    _Told(task_id="told", source=None, result={"path": MAIL}).execute(context())


def test_a_rendered_template(context: Callable[..., Any]) -> None:
    _Told(task_id="told", source=[{"emails": MAIL}], result=None).execute(context())


def test_a_trigger(context: Callable[..., Any]) -> None:
    with pytest.raises(TaskDeferred):
        _Told(task_id="told", source=None, result="defer").execute(context())


def test_an_event(context: Callable[..., Any]) -> None:
    _Told(task_id="told", source=None, result=None).execute_complete(context(), event={"message": MAIL})


def test_what_is_pushed(context: Callable[..., Any]) -> None:
    context()["ti"].xcom_push("delivery", {"told": MAIL})


def test_the_test_button() -> None:
    assert not _Hook().test_connection()[0]


def _write(path: Path, text: str, mode: int = 0o600) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def test_a_file_of_rejects(tmp_path: Path) -> None:
    _write(tmp_path / "staging/a_dag/run/upload/rejected.jsonl", json.dumps({"key": NAME}))


def test_the_name_of_a_file(tmp_path: Path) -> None:
    _write(tmp_path / "staging/a_dag/run/upload" / MAIL, "", 0o644)


def test_the_journal() -> None:
    _write(Path(os.environ["AIRFLOW_HOME"]) / "yandex_orders/journal.db", MAIL)


def test_object_storage(memory_url: str) -> None:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    (ObjectStoragePath(memory_url) / "dropped.jsonl").write_text(MAIL)


def test_airflows_database() -> None:
    with sqlite3.connect(Path(os.environ["AIRFLOW_HOME"]) / "airflow.db") as database:
        database.execute("CREATE TABLE rendered_task_instance_fields (fields)")
        database.execute("INSERT INTO rendered_task_instance_fields VALUES (?)", [json.dumps({"source": NAME})])


def test_all_is_well(tmp_path: Path, context: Callable[..., Any]) -> None:
    for leaked in ("airflow.db", "yandex_orders/journal.db"):  # new enough, on a quick machine, to be this test's
        (Path(os.environ["AIRFLOW_HOME"]) / leaked).unlink(missing_ok=True)
    _write(tmp_path / "staging/part-00001.csv", MAIL)
    _write(tmp_path / "crm.csv", MAIL, 0o644)
    log.info("Upload 1791234567891: 10 rows, 8 of them new; example.com answered")
    with pytest.raises(ConfigurationError):
        whole("x", "workers")
    _Told(task_id="told", source="orders.csv", result={"rows_sent": 10}).execute(context())
