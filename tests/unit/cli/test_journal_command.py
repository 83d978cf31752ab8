# SPDX-License-Identifier: Apache-2.0
"""The commands ``journal ...``: what uploads left in the journal, and what people tell it."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_yandex_orders.__main__ import main
from airflow_provider_yandex_orders.exceptions import PassingError, PermanentError, RejectedRowsError, UploadFailedError
from airflow_provider_yandex_orders.journal.store import open_journal
from airflow_provider_yandex_orders.operators.metrica import MetricaUploadSimpleOrdersOperator
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.ui.questions import Filter, waited_for

ROOT = Path(__file__).parents[3]
ORDERS = [
    {"id": f"A-{number}", "create_date_time": "2026-11-25 10:00:00", "emails": "buyer@example.com", "revenue": price}
    for number, price in enumerate(("10", "20", "much"))
]


@pytest.fixture
def journal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
    monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", "server")  # as the command sets it: undone after the test

    def run(*arguments: str) -> tuple[int, str]:
        capsys.readouterr()
        code = main(["journal", *arguments])
        return code, "".join(capsys.readouterr())

    return run


def waited() -> list[str]:
    with open_journal() as journal:
        return [each["state"] for each in waited_for(journal, Filter(), ["a_dag"])]


def upload(context: dict[str, Any], **arguments: Any) -> dict[str, Any]:
    arguments = {"source": ORDERS, "max_rejected": 1, "changed_only": True, **arguments}
    operator = MetricaUploadSimpleOrdersOperator(task_id="upload", **arguments)
    return dict(operator.execute(context))  # type: ignore[arg-type]


def test_a_delivery_is_listed_shown_and_forgotten(
    metrica: SandboxServer, context: Callable[..., dict[str, Any]], journal: Callable[..., tuple[int, str]]
) -> None:
    assert journal("list") == (0, f"No delivery in 7 days is in the journal, file {home() / 'journal.db'}.\n")
    upload(context())
    code, told = journal("list", "--dag-id", "a_dag")
    head, line = told.splitlines()
    assert (code, head.split()[:2]) == (0, ["id", "started"])
    number = line.split()[0]
    assert "simple_orders at 127.0.0.1" in line
    assert "a_dag.upload manual__1" in line
    assert line.split()[-7:] == ["done,", "with", "rejects", "3", "2", "0", "1"]
    assert "No delivery" in journal("list", "--dag-id", "another")[1]

    code, told = journal("show", number)
    assert code == 0
    for words in ("rows_sent: 2", "rejected, not_a_number: 1", "accepted"):
        assert words in told
    assert upload(context(run_id="manual__2"))["rows_unchanged"] == 2

    code, told = journal("forget", number)
    assert (code, "2 rows in 1 part(s) that count as sent, those that the service accepted" in told) == (1, True)
    assert "--yes" in told
    assert journal("arrived", number) == (
        1,
        f"Every part of delivery {number} that went out was answered: nothing is changed.\n",
    )
    assert upload(context(run_id="manual__3"))["rows_unchanged"] == 2
    assert journal("forget", number, "--yes") == (0, "Forgotten: 2 rows in 1 part(s).\n")
    assert upload(context(run_id="manual__4"))["rows_sent"] == 2
    assert journal("purge") == (0, "Forgotten: 0 part(s) older than 400 days.\n")


@pytest.mark.parametrize(("told", "sent_again"), [("arrived", 0), ("forget", 1)])
def test_of_a_part_without_an_answer_people_say_what_became_of_it(
    metrica: SandboxServer,
    context: Callable[..., dict[str, Any]],
    journal: Callable[..., tuple[int, str]],
    naps: list[float],
    told: str,
    sent_again: int,
) -> None:
    keyless = {"source": [{**ORDERS[0], "id": None}], "require_id": False, "changed_only": False}
    metrica.client.add_fault(path="simple_orders", action="drop", moment="after" if told == "arrived" else "before")
    with pytest.raises(PermanentError, match="arrived"):
        upload(context(), **keyless)
    number = journal("list")[1].splitlines()[1].split()[0]
    code, shown = journal("show", number)
    assert (code, f"journal arrived {number}" in shown, "clear the task" in shown) == (0, True, True)
    assert journal(told, number, *(["--yes"] if told == "forget" else []))[0] == 0
    assert upload(context(run_id="manual__2"), **keyless)["rows_sent"] == sent_again
    assert metrica.client.summary(101)["orders"] == 1


@pytest.mark.parametrize("resend", [False, True])
def test_a_file_that_another_try_wrote_anew_does_not_tell_what_arrived(
    metrica: SandboxServer,
    context: Callable[..., dict[str, Any]],
    journal: Callable[..., tuple[int, str]],
    naps: list[float],
    tmp_path: Path,
    resend: bool,
) -> None:
    keyless = {
        "source": [{**ORDERS[0], "id": None}],
        "require_id": False,
        "resend": resend,
        "staging_path": str(tmp_path),
    }
    metrica.client.add_fault(path="simple_orders", action="drop", moment="before")
    with pytest.raises(PermanentError, match="arrived"):
        upload(context(), **keyless)
    number = journal("list")[1].splitlines()[1].split()[0]
    (file,) = tmp_path.rglob("part-00001.csv")
    sent = file.read_text()
    file.write_text(sent.replace("10", "20"))  # as a try does that finds another journal
    code, told = journal("arrived", number)
    assert (code, str(file) in told, "--yes" in told) == (1, True, True)
    assert "sending" in journal("show", number)[1]
    file.write_text(sent)
    assert journal("arrived", number)[0] == 0


def test_what_arrived_can_be_told_where_the_file_cannot_be_seen_or_is_another(
    metrica: SandboxServer,
    context: Callable[..., dict[str, Any]],
    journal: Callable[..., tuple[int, str]],
    tmp_path: Path,
) -> None:
    for run, change in (("manual__1", Path.unlink), ("manual__2", lambda file: file.write_text("another"))):
        keyless = {"source": [{**ORDERS[0], "id": None, "revenue": len(run)}], "require_id": False, "resend": True}
        keyless["staging_path"] = str(tmp_path)
        metrica.client.add_fault(path="simple_orders", action="drop", moment="after")
        with pytest.raises(PermanentError, match="arrived"):
            upload(context(run_id=run), **keyless)
        number = journal("list")[1].splitlines()[1].split()[0]
        (file,) = tmp_path.rglob(f"{run}/upload/part-00001.csv")
        change(file)
        assert journal("arrived", number, *(["--yes"] if run == "manual__2" else []))[0] == 0


def test_after_an_outage_that_a_retry_made_good_nobody_is_asked_to_look(
    metrica: SandboxServer,
    context: Callable[..., dict[str, Any]],
    journal: Callable[..., tuple[int, str]],
    naps: list[float],
) -> None:
    orders = {"source": ORDERS[:2], "changed_only": False}
    metrica.client.add_fault(method="POST", path="simple_orders", preset="backend_error", times=None)
    with pytest.raises(PassingError):
        upload(context(), **orders)
    metrica.client.clear_faults()
    number = journal("list")[1].splitlines()[1].split()[0]
    assert "Nobody knows" in journal("show", number)[1]
    assert waited() == ["sending"]

    assert upload(context(), **orders)["rows_sent"] == 2
    told = journal("show", number)[1]
    assert (told.splitlines()[0].endswith(": done"), "Nobody knows" in told) == (True, False)
    assert waited() == []


def test_an_upload_that_failed_tells_its_rejects_and_goes_on(
    metrica: SandboxServer, context: Callable[..., dict[str, Any]], journal: Callable[..., tuple[int, str]]
) -> None:
    with pytest.raises(RejectedRowsError):
        upload(context(), max_rejected=0)
    number = journal("list")[1].splitlines()[1].split()[0]
    with closing(sqlite3.connect(home() / "journal.db")) as database:
        assert database.execute("SELECT code, rows FROM rejected_by_reason").fetchall() == [("not_a_number", 1)]
    told = journal("show", number)[1]
    for words in (": not all sent\n", "rows_read: 3", "rows_rejected: 1", "rejected, not_a_number: 1"):
        assert words in told
    # Nothing went out: there is nothing to tell, and the delivery stays open.
    assert journal("arrived", number)[0] == 1
    assert journal("show", number)[1] == told


def test_what_metrica_judged_bad_is_told_as_refused(
    metrica: SandboxServer, context: Callable[..., dict[str, Any]], journal: Callable[..., tuple[int, str]]
) -> None:
    bad = {"uploading": {"uploading_id": "u-1", "api_validation_status": "FAILED", "elements_count": 0}}
    metrica.client.add_fault(method="POST", action="answer", status=200, body=json.dumps(bad))
    with pytest.raises(UploadFailedError):
        upload(context())
    line = journal("list")[1].splitlines()[1]
    assert line.split()[-5:] == ["refused", "3", "2", "0", "1"]
    assert journal("show", line.split()[0])[1].splitlines()[0].endswith(": refused")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("show", "77"), "There is no delivery 77 in the journal"),
        (("forget", "77"), "There is no delivery 77 in the journal"),
        (("arrived", "77"), "There is no delivery 77 in the journal"),
        (("purge", "--days", "3"), "it must be a whole number of 30 or more"),
        (("list", "--journal-conn-id", "nowhere"), "which does not exist. Create it, or correct journal_conn_id."),
    ],
)
def test_what_cannot_be_done(
    journal: Callable[..., tuple[int, str]], airflow_db: None, arguments: tuple[str, ...], words: str
) -> None:
    code, told = journal(*arguments)
    assert code == 2
    assert words in told


def test_the_commands_of_a_shell(airflow_db: None, tmp_path: Path) -> None:
    """By Airflow's own command where it takes some of providers; and with a connection that its database holds."""
    from airflow.models.connection import Connection
    from airflow.providers_manager import ProvidersManager
    from airflow.utils.session import create_session

    with create_session() as session:
        session.add(Connection(conn_id="a_stored_journal", conn_type="sqlite", host=str(tmp_path / "other.db")))
    program = ["airflow", "yandex-orders"]
    if not hasattr(ProvidersManager, "cli_command_functions"):
        program = ["airflow_provider_yandex_orders"]
    try:
        done = subprocess.run(
            [sys.executable, "-m", *program, "journal", "list", "--journal-conn-id", "a_stored_journal"],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        with create_session() as session:
            session.query(Connection).filter_by(conn_id="a_stored_journal").delete()
    assert done.returncode == 0, done.stderr[-3000:]
    assert "No delivery in 7 days is in the journal, connection 'a_stored_journal'." in done.stdout


def home() -> Path:
    return Path(os.environ["AIRFLOW_HOME"]) / "yandex_orders"
