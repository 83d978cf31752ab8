# SPDX-License-Identifier: Apache-2.0
"""Messages about deliveries: when one is sent, what it says, and by which channel."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from airflow.plugins_manager import AirflowPlugin
from airflow.providers.common.compat.sdk import DAG, AirflowSkipException, BaseNotifier, Context

from airflow_provider_yandex_orders.exceptions import ConfigurationError
from airflow_provider_yandex_orders.notifications.delivery import DeliveryNotifier
from airflow_provider_yandex_orders.operators.metrica import (
    MetricaLinkedOrdersOperator,
    MetricaUploadSimpleOrdersOperator,
)
from airflow_provider_yandex_orders.sandbox.server import SandboxServer

GOOD = {"id": "A-1", "create_date_time": "2025-03-04 15:20:00", "emails": "planted.buyer@example.com"}
BAD = {"id": "A-2", "create_date_time": "planted words", "emails": "planted.buyer@example.com"}

PAGES = hasattr(AirflowPlugin, "fastapi_apps")

Callback = Callable[..., Any]


@pytest.fixture(autouse=True)
def _base_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example.com/")


@pytest.fixture
def upload(metrica: SandboxServer, tmp_path: Path, context: Callable[..., Any]) -> Callback:
    """Runs a task and makes the context its callbacks get."""
    dag = DAG("crm_daily", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=timezone.utc))
    numbers = iter(range(1, 1000))

    def run(
        *rows: dict[str, Any], run_id: str = "", whose: str = "upload", map_index: int = -1, **arguments: Any
    ) -> Any:
        operator = MetricaUploadSimpleOrdersOperator(
            task_id=f"upload_{next(numbers)}",
            source=list(rows),
            source_timezone="UTC",
            staging_path=str(tmp_path / "staging"),
            dag=dag,
            **arguments,
        )
        given: Any = context(whose, run_id or f"run_{operator.task_id}", map_index)
        given |= {"dag": dag, "run_id": given["ti"].run_id}
        given["ti"].dag_id, given["ti"].task, given["ti"].state = "crm_daily", operator, "success"
        try:
            operator.execute(given)
        except Exception as error:  # noqa: BLE001 - as Airflow does
            given |= {"exception": error}
            given["ti"].state = "failed"
        return given

    return run


def of_dag(task: Any, reason: str) -> Any:
    """The least that the callback of a DAG gets."""
    return {"dag": task["dag"], "run_id": task["run_id"], "reason": reason}


@pytest.fixture
def heard() -> list[str]:
    return []


@pytest.fixture
def tell(heard: list[str]) -> DeliveryNotifier:
    return DeliveryNotifier(heard.append)


def headlines(texts: list[str]) -> list[str]:
    return [text.partition(":")[0] for text in texts]


def test_changes_are_told_and_runs_are_not(upload: Callback, heard: list[str], tell: DeliveryNotifier) -> None:
    for rows in ([GOOD], [GOOD], [BAD], [BAD], [GOOD], [GOOD]):
        tell(upload(*rows))
    assert headlines(heard) == ["Delivered", "Not delivered", "Delivered again"]


def test_a_failure_after_a_good_delivery_nobody_was_told_of_is_news(
    upload: Callback, heard: list[str], tell: DeliveryNotifier
) -> None:
    tell(upload(BAD))
    upload(GOOD)
    tell(upload(BAD))
    assert headlines(heard) == ["Not delivered"] * 2


def test_a_warning_is_told_once(upload: Callback, heard: list[str]) -> None:
    tell = DeliveryNotifier(heard.append, max_rejected=0.3)
    for number in range(3):
        tell(upload({**GOOD, "id": f"B-{number}"}, BAD, max_rejected=1))
    assert headlines(heard) == ["Delivered, but look at it"]


def test_a_mapped_task_hears_of_its_own_deliveries(upload: Callback, heard: list[str], tell: DeliveryNotifier) -> None:
    for _ in range(3):
        tell(upload(GOOD, map_index=1))
        tell(upload(BAD, map_index=3))
    assert headlines(heard) == ["Delivered", "Not delivered"]


def test_a_dag_that_fails_again_is_told_once(upload: Callback, heard: list[str], tell: DeliveryNotifier) -> None:
    for run_id in ("monday", "tuesday", "wednesday"):
        upload(GOOD, run_id=run_id, whose="other")
        tell.notify(of_dag(upload(BAD, run_id=run_id), "task_failure"))
    assert headlines(heard) == ["Not delivered"]


@pytest.mark.parametrize("left", [{"state": None}, {"state": "failed", "exception": "Detected zombie job"}])
def test_a_task_whose_worker_died_is_not_delivered(
    upload: Callback, heard: list[str], tell: DeliveryNotifier, left: dict[str, Any]
) -> None:
    upload(GOOD, run_id="monday", map_index=1)
    died = upload(run_id="monday", map_index=3, send=False)
    died["ti"].task, died["ti"].state = None, left["state"]
    tell({**died, **({"exception": left["exception"]} if "exception" in left else {})})
    assert headlines(heard) == ["Not delivered"]
    assert "no error is known" in heard[0]
    assert "sent 1" not in heard[0]


def test_every_run_is_told_where_that_is_wanted(upload: Callback, heard: list[str]) -> None:
    tell = DeliveryNotifier(heard.append, every_run=True)
    tell(upload(GOOD))
    tell(upload(GOOD))
    assert headlines(heard) == ["Delivered"] * 2


@pytest.mark.parametrize(
    ("language", "good", "bad"),
    [
        ("en", ["Delivered: crm_daily", "counter 101", "read 1, sent 1"], ["Not delivered", "read 2", "rejected 1"]),
        ("ru", ["Доставлено: crm_daily", "счётчик 101", "прочитано 1"], ["Не доставлено", "отклонено 1"]),
    ],
)
def test_the_text_says_what_went_what_did_not_and_why(
    upload: Callback, heard: list[str], language: str, good: list[str], bad: list[str]
) -> None:
    tell = DeliveryNotifier(heard.append, language=language)
    tell(upload(GOOD, run_id="monday"))
    failed = upload(GOOD, BAD, run_id="tuesday")
    tell(failed)
    for text, words in zip(heard, (good, bad), strict=True):
        assert all(word in text for word in words), text
        assert "planted" not in text
        assert len(text) < 2000
    assert str(failed["exception"])[:300] in heard[1]
    address = "https://airflow.example.com/yandex-orders/delivery?"
    assert heard[0].endswith(f"\n{address}dag_id=crm_daily&run_id=monday&task_id=upload&map_index=-1") is PAGES


@pytest.mark.parametrize(("name", "value"), [("YANDEX_ORDERS__DELIVERY_PAGE", "False"), ("API__BASE_URL", "")])
def test_a_page_that_is_not_there_is_not_linked(
    upload: Callback, heard: list[str], tell: DeliveryNotifier, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"AIRFLOW__{name}", value)
    tell(upload(GOOD))
    assert "yandex-orders/" not in heard[0]


def test_a_foreign_error_is_named_and_not_quoted(upload: Callback, heard: list[str], tell: DeliveryNotifier) -> None:
    tell({**upload(GOOD), "exception": ValueError("planted.buyer@example.com")})
    assert "ValueError: the log of the task says more" in heard[0]
    assert "planted" not in heard[0]


def test_warnings_follow_their_thresholds(upload: Callback, heard: list[str]) -> None:
    tell = DeliveryNotifier(heard.append, max_rejected=0.3)
    good = [{**GOOD, "id": f"B-{number}"} for number in range(3)]
    tell(upload(*good, BAD, max_rejected=1))
    tell(upload(*good[:1], BAD, max_rejected=1))
    tell(upload(*good))
    assert headlines(heard) == ["Delivered", "Delivered, but look at it", "Delivered again"]
    assert "50.0% of the rows were rejected, more than 30.0%" in heard[1]


def test_too_few_linked_orders_are_told(upload: Callback, heard: list[str], context: Callable[..., Any]) -> None:
    operator = MetricaLinkedOrdersOperator(task_id="linked", date_from="2026-03-01", date_to="2026-03-02", sent=10)
    given: Any = {**upload(GOOD), **context("linked")}
    operator.execute(given)
    given["ti"].task, given["ti"].state = operator, "success"
    DeliveryNotifier(heard.append, min_linked=0.5)(given)
    assert "0.0% of the orders found a visit, less than 50.0%" in heard[0]


@pytest.mark.parametrize("weeks", [4, 3])
def test_nothing_on_a_day_that_always_has_orders(
    upload: Callback, heard: list[str], tell: DeliveryNotifier, weeks: int
) -> None:
    # Of tomorrow too: midnight may come while this runs.
    ago = {f"{week} weeks, {day}": timedelta(weeks=week, days=-day) for week in range(1, weeks + 1) for day in (0, 1)}
    for run_id in ago:
        upload({**GOOD, "id": run_id}, run_id=run_id)
    with sqlite3.connect(Path(os.environ["AIRFLOW_HOME"]) / "yandex_orders" / "journal.db") as journal:
        for run_id, before in ago.items():
            made = (datetime.now(timezone.utc) - before).strftime("%Y-%m-%d %H:%M:%S.%f")
            journal.execute("UPDATE journal_deliveries SET started_at = ? WHERE run_id = ?", (made, run_id))
    tell(upload())
    assert headlines(heard) == ["Delivered, but look at it" if weeks == 4 else "Delivered"]


def test_a_skip_is_no_failure(upload: Callback, heard: list[str], tell: DeliveryNotifier) -> None:
    skipped = upload(skip_empty=True)
    assert isinstance(skipped["exception"], AirflowSkipException)
    skipped["ti"].state = "skipped"
    tell(skipped)
    assert headlines(heard) == ["Delivered"]


def test_a_deadline_tells_what_has_come_so_far(upload: Callback, heard: list[str], tell: DeliveryNotifier) -> None:
    upload(GOOD, run_id="late")
    run = {"dag_id": "crm_daily", "dag_run_id": "late"}
    for _ in range(2):
        context: Any = {"dag_run": run, "deadline": {"deadline_time": "2026-11-26T09:00:00+00:00"}}
        asyncio.run(tell.async_notify(context))
    (text,) = heard
    assert text.startswith("Late: crm_daily\nrun late\nmetrica, counter 101, simple_orders: read 1, sent 1\n")
    assert "the run has not ended by 2026-11-26T09:00:00" in text


def test_a_dag_tells_of_all_its_deliveries(upload: Callback, heard: list[str], tell: DeliveryNotifier) -> None:
    for whose, rows in (("other", [GOOD]), ("upload", [GOOD]), ("upload", [{**GOOD, "id": "C-1"}, GOOD])):  # cleared
        task = upload(*rows, run_id="monday", whose=whose)
    tell.notify(of_dag(task, "task_failure"))
    headline, run, *told, why = heard[0].split("\n")[:5]
    assert (headline, run, why) == ("Not delivered: crm_daily", "run monday", "the run ended with task_failure")
    assert [line.partition(": ")[2] for line in told] == ["read 1, sent 1", "read 2, sent 2"]
    assert heard[0].endswith("\nhttps://airflow.example.com/yandex-orders/?dag_id=crm_daily") is PAGES


def test_a_text_is_no_longer_than_telegram_takes(upload: Callback, heard: list[str], tell: DeliveryNotifier) -> None:
    for index in range(21):
        task = upload(GOOD, run_id="monday", map_index=index)
    tell.notify(of_dag(task, "x" * 5000))
    assert 4000 < len(heard[0]) <= 4096
    assert (heard[0].count("read 1"), "\n...\n" in heard[0]) == (20, True)
    assert heard[0].endswith("dag_id=crm_daily" if PAGES else "xxx...")


def test_what_was_not_sent_is_told_by_the_next_run(upload: Callback) -> None:
    texts: list[str] = []

    def channel(text: str) -> None:
        texts.append(text)
        if len(texts) == 1:
            raise OSError("no network")

    tell = DeliveryNotifier(channel)
    for _ in range(3):
        tell(upload(GOOD))
    assert len(texts) == 2


def test_one_channel_of_several_is_enough(upload: Callback, heard: list[str]) -> None:
    def broken(text: str) -> None:
        raise OSError("no network")

    tell = DeliveryNotifier([broken, heard.append])
    tell(upload(GOOD))
    tell(upload(GOOD))
    assert headlines(heard) == ["Delivered"]


def test_without_the_journal_every_failure_is_told(upload: Callback, heard: list[str]) -> None:
    tell = DeliveryNotifier(heard.append, journal_conn_id="no_such_connection")
    for rows in ([GOOD], [BAD], [BAD]):
        tell(upload(*rows))
    assert headlines(heard) == ["Not delivered"] * 2


def test_languages_are_known_words() -> None:
    with pytest.raises(ConfigurationError, match="en, ru"):
        DeliveryNotifier(print, language="de")


@pytest.mark.parametrize("name", ["max_rejected", "min_linked"])
@pytest.mark.parametrize("value", [5, -0.1, "many", True])
def test_thresholds_are_shares(name: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"{name} must be a share from 0 to 1"):
        DeliveryNotifier(print, **{name: value})


# Channels.


class Post(BaseHTTPRequestHandler):
    """Takes what is posted, as a webhook does."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0)).decode()
        self.server.taken.append((self.path, body))  # type: ignore[attr-defined]
        status, answer = _as_bot(parse_qs(body)) if self.path.startswith("/bot") else (200, "ok")
        self.send_response(status)
        self.end_headers()
        self.wfile.write(answer.encode())

    def log_message(self, *_arguments: Any) -> None:
        """Nothing."""


def _as_bot(asked: dict[str, list[str]]) -> tuple[int, str]:
    """What Telegram answers: of a text in HTML it knows a few tags, and takes nothing else in angle brackets."""
    (text,) = asked["text"]
    if "parse_mode" in asked and re.search("<(?!/?(a|b|code|i|pre|s|u)\\b)", text):
        refusal = "Bad Request: can't parse entities: Unsupported start tag"
        return 400, json.dumps({"ok": False, "error_code": 400, "description": refusal})
    chat = {"id": int(asked["chat_id"][0]), "type": "group"}
    return 200, json.dumps({"ok": True, "result": {"message_id": 1, "date": 0, "chat": chat, "text": text}})


@pytest.fixture
def webhook() -> Iterator[HTTPServer]:
    with HTTPServer(("127.0.0.1", 0), Post) as server:
        server.taken = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def connection(monkeypatch: pytest.MonkeyPatch, name: str, **fields: Any) -> None:
    monkeypatch.setenv(f"AIRFLOW_CONN_{name}", json.dumps(fields))


def test_a_webhook_gets_the_text(upload: Callback, webhook: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    notifiers = pytest.importorskip("airflow.providers.http.notifications.http", exc_type=ImportError)
    connection(monkeypatch, "HOOK", conn_type="http", host=f"http://127.0.0.1:{webhook.server_port}")
    channel = notifiers.HttpNotifier(http_conn_id="hook", endpoint="orders", json={"text": "{{ message }}"})
    tell = DeliveryNotifier(channel)
    tell(upload(GOOD))
    tell(upload(BAD))
    taken = [json.loads(body)["text"] for _path, body in webhook.taken]  # type: ignore[attr-defined]
    assert headlines(taken) == ["Delivered", "Not delivered"]


def test_slack_gets_the_text(upload: Callback, webhook: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    notifiers = pytest.importorskip("airflow.providers.slack.notifications.slack_webhook", exc_type=ImportError)
    address = f"http://127.0.0.1:{webhook.server_port}/services"
    connection(monkeypatch, "SLACK", conn_type="slackwebhook", host=address, password="T0/B0/X")
    DeliveryNotifier(notifiers.SlackWebhookNotifier(slack_webhook_conn_id="slack", text="{{ message }}"))(upload(GOOD))
    ((path, body),) = webhook.taken  # type: ignore[attr-defined]
    assert path == "/services/T0/B0/X"
    assert json.loads(body)["text"].startswith("Delivered: crm_daily\n")


def test_telegram_gets_the_text(upload: Callback, webhook: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("airflow.providers.telegram.hooks.telegram", exc_type=ImportError)
    telegram = pytest.importorskip("telegram")
    bot, base_url = telegram.Bot, f"http://127.0.0.1:{webhook.server_port}/bot"
    monkeypatch.setattr(telegram, "Bot", lambda token: bot(token, base_url=base_url))
    connection(monkeypatch, "CHAT", conn_type="telegram", password="123:abc", host="-1001")
    tell = DeliveryNotifier("chat", language="ru")
    for _ in range(2):
        tell(upload(GOOD, run_id="<monday> & more"))
    ((path, body),) = webhook.taken  # type: ignore[attr-defined]
    assert path.endswith("/bot123:abc/sendMessage")
    asked = parse_qs(body)
    assert asked["chat_id"] == ["-1001"]
    assert "запуск <monday> & more\n" in asked["text"][0]


class Kept(BaseNotifier):
    """A channel a deadline alert can name."""

    template_fields = ("text",)

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def notify(self, context: Context) -> None:
        CHANNEL_HEARD.append(self.text)


CHANNEL_HEARD: list[str] = []
CHANNEL = Kept("<{{ message }}>")


def test_a_channel_is_named_by_its_path(upload: Callback) -> None:
    CHANNEL_HEARD.clear()
    DeliveryNotifier(f"{__name__}.CHANNEL")(upload(GOOD))
    (text,) = CHANNEL_HEARD
    assert text.startswith("<Delivered: crm_daily\n")
    assert CHANNEL.text == "<{{ message }}>"


def test_an_e_mail_gets_the_text(upload: Callback, monkeypatch: pytest.MonkeyPatch) -> None:
    notifiers = pytest.importorskip("airflow.providers.smtp.notifications.smtp", exc_type=ImportError)
    with MailServer() as server:
        extra = {"disable_ssl": True, "disable_tls": True}
        connection(monkeypatch, "MAIL", conn_type="smtp", host="127.0.0.1", port=server.port, extra=extra)
        channel = notifiers.SmtpNotifier(
            to="team@example.com",
            from_email="airflow@example.com",
            subject="{{ message.splitlines()[0] }}",
            html_content="<pre>{{ message | e }}</pre>",
            smtp_conn_id="mail",
        )
        DeliveryNotifier(channel)(upload(GOOD))
    assert "Subject: Delivered: crm_daily" in server.text


class MailServer:
    """As much of SMTP as one mail takes."""

    def __enter__(self) -> MailServer:
        import socket

        self.text = ""
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(60)
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        with suppress(OSError), closing(self._socket.accept()[0]) as client, client.makefile("rwb") as lines:

            def answer(said: bytes) -> None:
                lines.write(said + b"\r\n")
                lines.flush()

            answer(b"220 here")
            for line in lines:
                verb = line.split()[0].upper()
                if verb == b"DATA":
                    answer(b"354 go on")
                    for part in lines:
                        if part == b".\r\n":
                            break
                        self.text += part.decode()
                answer(b"250 ok" if verb != b"QUIT" else b"221 bye")
                if verb == b"QUIT":
                    return
