# SPDX-License-Identifier: Apache-2.0
"""What holds for every upload: a kind of upload inherits these tests, and says what its rows are."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
import requests
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException, AirflowSkipException
from airflow.serialization.helpers import serialize_template_field

from airflow_provider_yandex_orders.exceptions import (
    PassingError,
    RejectedRowsError,
    ServiceRefused,
    ServiceUnavailable,
)
from airflow_provider_yandex_orders.sandbox.server import SandboxServer

TOKEN = "sandbox-token"
MAIL = "planted.person@example.com"
PHONE = "+7 912 345-67-89"
NAME = "Плантов Пётр"
PLANTED = (TOKEN, "planted.person", "9123456789", "912 345-67-89", "Плантов", "Пётр")
SAID = f"no such value '{NAME}', {MAIL}, {PHONE}: not with {TOKEN}"


class Killed(BaseException):
    """Ends a task as a signal would."""


Sent = Callable[..., Any]


class UploadSuite:
    """Tests of one kind of upload.

    A subclass names the operator, the request that uploads and the answers of its service, and makes rows.
    """

    operator: ClassVar[type]
    arguments: ClassVar[dict[str, Any]] = {}
    rows_of_a_part: ClassVar[str] = "max_part_rows"
    """The argument that says how many rows a part may have."""
    request: ClassVar[str]
    """Regular expression of the path that uploads."""
    quota: ClassVar[dict[str, Any]]
    """Fault: the service's answer when a quota is used up for long."""
    trouble: ClassVar[dict[str, Any]]
    """Fault: the service's answer when it cannot now."""
    wrong: ClassVar[str]
    """A field that a value of no type spoils."""

    def row(self, number: int, **fields: Any) -> dict[str, Any]:
        """A good row; its key has the number in it."""
        raise NotImplementedError

    def person(self, number: int) -> dict[str, Any]:
        """A good row with the planted mail and phone, and the name where there is a field for it."""
        raise NotImplementedError

    def received(self, sandbox: SandboxServer) -> list[int]:
        """How often the service took each row, in the order of arrival."""
        raise NotImplementedError

    def counted(self, sandbox: SandboxServer) -> list[int]:
        """How often each row counts; most services know a row again, and then a repeat does not."""
        return [1] * len(self.received(sandbox))

    def connect(self, monkeypatch: pytest.MonkeyPatch, url: str, token: str) -> None:
        """Point the operator's default connection somewhere."""
        raise NotImplementedError

    def set_up(self, sandbox: SandboxServer) -> None:
        """Make ready what the service must have before an upload."""

    @pytest.fixture
    def sandbox(self, yandex_sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> SandboxServer:
        self.connect(monkeypatch, yandex_sandbox.url, TOKEN)
        self.set_up(yandex_sandbox)
        return yandex_sandbox

    @pytest.fixture
    def task(self, sandbox: SandboxServer, tmp_path: Path) -> Callable[..., Any]:
        """Makes the task anew, as each try is a process of its own; parts have two rows."""

        def make(rows: Any, **arguments: Any) -> Any:
            given = {self.rows_of_a_part: 2, "staging_path": str(tmp_path / "staging"), **self.arguments, **arguments}
            return self.operator(task_id="upload", source=rows, **given)

        return make

    @pytest.fixture
    def send(self, task: Callable[..., Any], context: Callable[..., Any]) -> Sent:
        """Executes a new try of the task."""
        return lambda rows, **arguments: task(rows, **arguments).execute(context())

    @pytest.fixture(autouse=True)
    def _no_waiting(self, naps: list[float]) -> None:
        """Pauses between attempts take no time."""

    def rows(self, number: int) -> list[dict[str, Any]]:
        return [self.row(each) for each in range(1, number + 1)]

    def uploads(self, sandbox: SandboxServer) -> int:
        """How many parts reached the service, or tried to."""
        return sum(self.request in each["path"] and each["method"] == "POST" for each in sandbox.client.requests())

    # What arrives.

    def test_every_row_arrives_once_and_is_accounted_for(self, sandbox: SandboxServer, send: Sent) -> None:
        delivery = send([*self.rows(5), self.row(6, **{self.wrong: object()})], max_rejected=1)
        assert self.received(sandbox) == [1] * 5
        assert [part["rows"] for part in delivery["parts"]] == [2, 2, 1]
        counts = {name: count for name, count in delivery.items() if name.startswith("rows_")}
        counts.pop("rows_old", None)  # of those that are sent
        assert (counts.pop("rows_read"), counts["rows_sent"], counts["rows_rejected"]) == (6, 5, 1)
        assert sum(counts.values()) == 6
        assert json.loads(json.dumps(delivery)) == delivery

    def test_an_empty_source_sends_nothing(self, sandbox: SandboxServer, send: Sent) -> None:
        before = len(sandbox.client.requests())
        delivery = send([])
        assert (delivery["rows_read"], delivery["rows_sent"], delivery["parts"]) == (0, 0, [])
        with pytest.raises(AirflowSkipException):
            send([], skip_empty=True)
        assert self.uploads(sandbox) == 0
        asked = [each for each in sandbox.client.requests()[before:] if not each["path"].endswith("get_status")]
        assert {each["method"] for each in asked} <= {"GET"}  # but Altcraft, which is asked by POST

    def test_too_many_rejects_send_nothing(self, sandbox: SandboxServer, send: Sent, tmp_path: Path) -> None:
        with pytest.raises(RejectedRowsError, match=r"1 of 5 rows cannot be sent.*rejected\.jsonl"):
            send([*self.rows(4), self.row(5, **{self.wrong: object()})])
        assert self.uploads(sandbox) == 0
        (rejects,) = tmp_path.rglob("rejected.jsonl")
        (rejected,) = [json.loads(line) for line in rejects.read_text().splitlines()]
        assert rejected["row"] == 5
        assert all(rejected[name] for name in ("column", "code", "reason", "fix"))

    # What goes wrong on the way.

    def test_a_short_failure_is_waited_out(self, sandbox: SandboxServer, send: Sent, naps: list[float]) -> None:
        sandbox.client.add_fault(method="POST", path=self.request, times=2, **self.trouble)
        send(self.rows(3))
        assert self.received(sandbox) == [1] * 3
        assert len(naps) == 2

    def test_a_retry_sends_only_what_is_missing(self, sandbox: SandboxServer, send: Sent) -> None:
        sandbox.client.add_fault(method="POST", path=self.request, skip=2, times=None, **self.trouble)
        with pytest.raises(ServiceUnavailable) as raised:
            send(self.rows(6))
        assert not isinstance(raised.value, AirflowFailException)
        sandbox.client.clear_faults()
        before = self.uploads(sandbox)
        delivery = send(self.rows(6)[::-1])
        assert self.uploads(sandbox) == before + 1
        assert self.received(sandbox) == [1] * 6
        assert (delivery["rows_sent"], [part["rows"] for part in delivery["parts"]]) == (6, [2, 2, 2])

    @pytest.mark.parametrize("moment", ["before", "after"])
    @pytest.mark.parametrize("part", [0, 1, 2])
    def test_a_crash_loses_nothing_and_doubles_nothing(
        self, sandbox: SandboxServer, send: Sent, monkeypatch: pytest.MonkeyPatch, part: int, moment: str
    ) -> None:
        """The process ends with its request on the way: it never left, or it took effect and nobody heard."""
        transmit = requests.Session.send
        left = [part]

        def die(session: requests.Session, request: Any, **more: Any) -> requests.Response:
            if request.method != "POST" or self.request not in request.url:
                return transmit(session, request, **more)
            if left[0] == 0 and moment == "before":
                raise Killed
            answer = transmit(session, request, **more)
            if left[0] == 0:
                raise Killed
            left[0] -= 1
            return answer

        with monkeypatch.context() as patched:
            patched.setattr(requests.Session, "send", die)
            with pytest.raises(Killed):
                send(self.rows(6))
        delivery = send(self.rows(6))
        assert delivery["rows_sent"] == 6
        counted = self.counted(sandbox)
        assert len(counted) == 6
        assert max(counted) == 1
        # Parts that were answered go out once.
        assert self.uploads(sandbox) <= 3 + (moment == "after")

    def test_a_used_up_quota_hands_the_task_back_with_the_time(
        self, sandbox: SandboxServer, send: Sent, naps: list[float]
    ) -> None:
        sandbox.client.add_fault(method="POST", path=self.request, skip=1, times=None, **self.quota)
        with pytest.raises(PassingError) as raised:
            send(self.rows(4))
        assert 60 < (raised.value.retry_after or 0) <= 86_400 + 60
        assert (self.uploads(sandbox), naps) == (2, [])
        sandbox.client.clear_faults()
        assert send(self.rows(4))["rows_sent"] == 4
        assert self.received(sandbox) == [1] * 4

    def test_a_service_that_is_down_is_for_later(
        self, sandbox: SandboxServer, send: Sent, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.connect(monkeypatch, "http://127.0.0.1:9", TOKEN)  # nobody listens on "discard"
        with pytest.raises(ServiceUnavailable, match=r"cannot be reached.*Check the connection's host"):
            send(self.rows(1))

    def test_a_dead_token_ends_the_task_at_once(
        self, sandbox: SandboxServer, send: Sent, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.connect(monkeypatch, sandbox.url, "a-token-that-died")
        with pytest.raises(ServiceRefused) as raised:
            send(self.rows(1))
        assert isinstance(raised.value, AirflowFailException)
        assert self.received(sandbox) == []

    # What nobody may read.

    @pytest.mark.parametrize(
        "fault",
        [
            {"skip": 99},
            {"status": 400, "body": SAID},
            {"status": 403, "body": {"errors": [{"error_type": "access_denied", "message": SAID}], "message": SAID}},
            {"status": 500, "body": SAID},
            {"status": 200, "body": {"error": 400, "error_text": SAID, SAID: SAID}},
            {"status": 200, "body": f"<html>{SAID}"},
            {"status": 302, "body": SAID, "headers": {"Location": f"http://127.0.0.1:9/{TOKEN}"}},
            {"action": "drop", "moment": "after"},
        ],
        ids=["taken", "refused", "forbidden", "broken", "odd", "html", "redirect", "cut"],
    )
    def test_nothing_personal_and_no_token_is_told(
        self,
        sandbox: SandboxServer,
        task: Callable[..., Any],
        context: Callable[..., Any],
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
        caplog: pytest.LogCaptureFixture,
        capfd: pytest.CaptureFixture[str],
        fault: dict[str, Any],
    ) -> None:
        caplog.set_level(logging.DEBUG)
        sandbox.client.add_fault(method="POST", path=self.request, **{"times": None, **fault})
        misplaced = [self.row(number, **{field: value}) for number, (field, value) in enumerate(self._misplaced(), 10)]
        rows = [self.person(1), *misplaced, {**self.person(2), **dict(self._misplaced()[:1])}]
        upload = task(rows, max_rejected=len(rows) - 1)
        told = [str(serialize_template_field(getattr(upload, name), name)) for name in upload.template_fields]
        try:
            told.append(json.dumps(upload.execute(context()), ensure_ascii=False))
        except AirflowException as error:
            told += [*traceback.format_exception(error), repr(list(_arguments(error)))]
        files = [
            path for path in tmp_path.rglob("*") if path.suffix in (".jsonl", ".json") and "part-" not in path.name
        ]
        assert any(path.name == "rejected.jsonl" for path in files)
        told += [path.read_text() for path in files] + [str(path) for path in tmp_path.rglob("*")]
        captured = capfd.readouterr()
        everything = "\n".join([*told, caplog.text, captured.out, captured.err])
        assert "rejected" in everything
        lower = everything.lower()
        assert [secret for secret in PLANTED if secret.lower() in lower] == []

    def _misplaced(self) -> list[tuple[str, str]]:
        """Fields that ought to hold something else."""
        return [(self.wrong, each) for each in (NAME, MAIL, PHONE, f"{NAME} {PHONE}")]


def _arguments(error: BaseException | None) -> Iterator[Any]:
    while error is not None:
        yield vars(error)
        error = error.__cause__ or error.__context__
