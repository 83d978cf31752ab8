# SPDX-License-Identifier: Apache-2.0
"""Each part is sent once, whatever happens in between."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_yandex_orders.delivery.parts import Part
from airflow_provider_yandex_orders.delivery.progress import progress_of
from airflow_provider_yandex_orders.delivery.result import DeliveredPart, uploads_of
from airflow_provider_yandex_orders.delivery.send import Route, send_parts
from airflow_provider_yandex_orders.exceptions import (
    ConfigurationError,
    ServiceRefused,
    ServiceUnavailable,
    UploadFailedError,
    UploadUnclearError,
)
from airflow_provider_yandex_orders.waiting import UploadState

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

PARTS = [Part(f"part-{number}.csv", rows=5, bytes=9, sha256=f"sum {number}") for number in range(1, 4)]
FINAL = {"PASSED": True, "PROCESSED": True, "FAILED": False, "LINKAGE_FAILURE": False}


def state_of(part: Part, status: str) -> UploadState:
    return UploadState(f"u {part.sha256}", status, status in FINAL, FINAL.get(status, False), part.rows)


class Service:
    """Takes parts, answers or fails as told, and remembers what arrived.

    :param verdicts: by sum: the status of an upload, or the error in place of an answer.
    :param arrives: whether a part whose answer is lost arrived all the same.
    """

    def __init__(self, arrives: bool = False, **verdicts: Any) -> None:
        self.taken: list[str] = []
        self.asked: list[str] = []
        self.looked_up: list[str] = []
        self.arrives = arrives
        self.verdicts = verdicts
        self.held: dict[str, UploadState] = {}

    def upload(self, part: Part) -> UploadState:
        self.taken.append(part.sha256)
        verdict = self.verdicts.get(part.sha256.replace(" ", ""), "PASSED")
        broken = isinstance(verdict, BaseException)
        state = state_of(part, "UPLOADED" if broken else verdict)
        if not broken or self.arrives:
            self.held[state.upload_id] = state
        if broken:
            raise verdict
        return state

    def state_of(self, upload_id: str) -> UploadState | None:
        self.asked.append(upload_id)
        return self.held.get(upload_id)

    def find(self, part: Part) -> UploadState | None:
        self.looked_up.append(part.sha256)
        return self.held.get(f"u {part.sha256}")

    def becomes(self, status: str) -> None:
        self.held = {name: state_of(part, status) for name in self.held for part in PARTS if name == f"u {part.sha256}"}


def route(service: Service, *, finds: bool = False, may_repeat: bool = True) -> Route:
    return Route(
        upload=service.upload,
        key_of=lambda part: part.sha256,
        state_of=service.state_of,
        find=service.find if finds else None,
        may_repeat=may_repeat,
    )


def send(service: Service, folder: ObjectStoragePath, parts: list[Part] = PARTS, **how: bool) -> list[DeliveredPart]:
    """One try of a task."""
    return send_parts(parts, route(service, **how), progress_of({}, folder))


HOW = pytest.mark.parametrize("finds", [False, True], ids=["repeats", "looks up"])


@HOW
def test_a_second_try_sends_nothing(folder: ObjectStoragePath, finds: bool) -> None:
    service = Service()
    first = send(service, folder, finds=finds)
    assert service.taken == [part.sha256 for part in PARTS]
    assert [(part["path"], part["upload_id"], part["status"], part["rows_accepted"]) for part in first] == [
        (part.path, f"u {part.sha256}", "PASSED", 5) for part in PARTS
    ]
    assert send(service, folder, finds=finds) == first
    assert len(service.taken) == 3
    assert (service.asked, service.looked_up) == ([], [])


@HOW
@pytest.mark.parametrize("error", [ServiceUnavailable("no"), RuntimeError("killed"), KeyboardInterrupt()])
def test_a_retry_goes_on_where_the_first_try_stopped(
    folder: ObjectStoragePath, error: BaseException, finds: bool
) -> None:
    service = Service(sum2=error)
    with pytest.raises(type(error)):
        send(service, folder, finds=finds)
    service = Service()
    delivered = send(service, folder, finds=finds)
    assert [part["upload_id"] for part in delivered] == ["u sum 1", "u sum 2", "u sum 3"]
    assert service.taken == ["sum 2", "sum 3"]


# --- an upload whose end is not known yet --------------------------------------------------------------------------


@HOW
@pytest.mark.parametrize("now", ["PASSED", "PROCESSED", "MATCHED", "UPLOADED"])
def test_an_upload_that_was_not_final_is_asked_for(folder: ObjectStoragePath, now: str, finds: bool) -> None:
    service = Service(sum1="UPLOADED")
    assert send(service, folder, finds=finds)[0]["status"] == "UPLOADED"
    service.becomes(now)
    assert [part["status"] for part in send(service, folder, finds=finds)] == [now, "PASSED", "PASSED"]
    assert (service.asked, len(service.taken)) == (["u sum 1"], 3)
    assert json.loads((folder / "progress.json").read_bytes())["sum 1"] == {
        "upload_id": "u sum 1",
        "status": now,
        "final": now in FINAL,
        "rows_accepted": 5,
    }
    send(service, folder, finds=finds)
    assert len(service.asked) == (1 if now in FINAL else 2)


def test_an_upload_the_service_does_not_list_yet_keeps_its_last_state(folder: ObjectStoragePath) -> None:
    service = Service(sum1="UPLOADED")
    first = send(service, folder)
    service.held.clear()
    assert send(service, folder) == first
    assert (service.asked, len(service.taken)) == (["u sum 1"], 3)


@HOW
@pytest.mark.parametrize("bad", ["FAILED", "LINKAGE_FAILURE"])
def test_an_upload_that_ended_badly_is_sent_again(folder: ObjectStoragePath, bad: str, finds: bool) -> None:
    service = Service(sum1="UPLOADED")
    send(service, folder, finds=finds)
    service.becomes(bad)
    service.verdicts.clear()
    assert send(service, folder, finds=finds)[0]["status"] == "PASSED"
    assert service.taken == ["sum 1", "sum 2", "sum 3", "sum 1"]


@HOW
def test_a_part_judged_bad_at_once_is_sent_again(folder: ObjectStoragePath, finds: bool) -> None:
    with pytest.raises(UploadFailedError, match=r"part-2\.csv.* u sum 2 .*FAILED") as caught:
        send(Service(sum2="FAILED"), folder, finds=finds)
    assert "gave no reason" in str(caught.value)
    service = Service()
    send(service, folder, finds=finds)
    assert service.taken == ["sum 2", "sum 3"]


def test_the_services_reason_is_told(folder: ObjectStoragePath) -> None:
    failed = replace(state_of(PARTS[0], "FAILED"), detail="column 3 is unknown")
    how = replace(route(Service()), upload=lambda part: failed)
    with pytest.raises(UploadFailedError, match=r"It said: column 3 is unknown\."):
        send_parts(PARTS, how, progress_of({}, folder))


# --- a part without an answer --------------------------------------------------------------------------------------

LOST = ServiceUnavailable("cut.", maybe_applied=True)
NEVER_SENT = ServiceUnavailable("not reached.", maybe_applied=False)


@pytest.mark.parametrize("error", [LOST, RuntimeError("killed"), KeyboardInterrupt()])
@pytest.mark.parametrize("arrives", [True, False])
def test_a_part_that_may_have_arrived_is_looked_up(
    folder: ObjectStoragePath, error: BaseException, arrives: bool
) -> None:
    service = Service(arrives, sum2=error)
    with pytest.raises(type(error)):
        send(service, folder, finds=True)
    assert json.loads((folder / "progress.json").read_bytes())["sum 2"] == {"status": "sending"}
    service.verdicts.clear()
    delivered = send(service, folder, finds=True)
    assert service.looked_up == ["sum 2"]
    assert service.taken == ["sum 1", "sum 2"] + ["sum 2"] * (not arrives) + ["sum 3"]
    assert [part["upload_id"] for part in delivered] == ["u sum 1", "u sum 2", "u sum 3"]
    assert delivered[1]["status"] == ("UPLOADED" if arrives else "PASSED")


def test_a_part_found_as_bad_is_sent_again(folder: ObjectStoragePath) -> None:
    service = Service(arrives=True, sum1=LOST)
    with pytest.raises(ServiceUnavailable):
        send(service, folder, finds=True)
    service.verdicts.clear()
    service.becomes("LINKAGE_FAILURE")
    send(service, folder, finds=True)
    assert service.taken == ["sum 1", "sum 1", "sum 2", "sum 3"]


def test_a_part_is_marked_before_it_is_sent(folder: ObjectStoragePath) -> None:
    seen: list[Any] = []
    service = Service()

    def upload(part: Part) -> UploadState:
        seen.append(json.loads((folder / "progress.json").read_bytes())[part.sha256])
        return service.upload(part)

    send_parts(PARTS, replace(route(service, finds=True), upload=upload), progress_of({}, folder))
    assert seen == [{"status": "sending"}] * 3


@pytest.mark.parametrize("arrives", [True, False])
def test_rows_with_keys_are_simply_sent_again(folder: ObjectStoragePath, arrives: bool) -> None:
    service = Service(arrives, sum1=LOST)
    with pytest.raises(ServiceUnavailable) as caught:
        send(service, folder)
    assert caught.value is LOST
    service.verdicts.clear()
    send(service, folder)
    assert service.taken == ["sum 1", "sum 1", "sum 2", "sum 3"]


@pytest.mark.parametrize("arrives", [True, False])
def test_rows_without_keys_that_may_have_arrived_need_a_human(folder: ObjectStoragePath, arrives: bool) -> None:
    service = Service(arrives, sum2=LOST)
    with pytest.raises(UploadUnclearError) as caught:
        send(service, folder, may_repeat=False)
    for part in ("cut.", "part-2.csv", "without a key", "clear the task"):
        assert part in str(caught.value)
    assert service.taken == ["sum 1", "sum 2"]
    service.verdicts.clear()
    send(service, folder, may_repeat=False)  # the task was cleared: that is the answer
    assert service.taken == ["sum 1", "sum 2", "sum 2", "sum 3"]


@pytest.mark.parametrize("error", [RuntimeError("killed"), KeyboardInterrupt()])
def test_rows_without_keys_whose_worker_died_need_a_human(folder: ObjectStoragePath, error: BaseException) -> None:
    service = Service(arrives=True, sum2=error)
    with pytest.raises(type(error)):
        send(service, folder, may_repeat=False)
    service.verdicts.clear()
    with pytest.raises(UploadUnclearError, match=r"cut off.*part-2\.csv"):
        send(service, folder, may_repeat=False)
    assert service.taken == ["sum 1", "sum 2"]
    send(service, folder, may_repeat=False)
    assert service.taken == ["sum 1", "sum 2", "sum 2", "sum 3"]


@pytest.mark.parametrize("error", [NEVER_SENT, ServiceRefused("no."), ConfigurationError("no file")])
def test_rows_without_keys_that_never_arrived_are_simply_sent(folder: ObjectStoragePath, error: Exception) -> None:
    service = Service(sum2=error)
    with pytest.raises(type(error)) as caught:
        send(service, folder, may_repeat=False)
    assert caught.value is error
    service.verdicts.clear()
    send(service, folder, may_repeat=False)
    assert service.taken == ["sum 1", "sum 2", "sum 2", "sum 3"]


def test_rows_without_keys_that_were_judged_bad_are_simply_sent(folder: ObjectStoragePath) -> None:
    service = Service(sum2="FAILED")
    with pytest.raises(UploadFailedError):
        send(service, folder, may_repeat=False)
    service.verdicts.clear()
    send(service, folder, may_repeat=False)
    assert service.taken == ["sum 1", "sum 2", "sum 2", "sum 3"]


# --- the rest ------------------------------------------------------------------------------------------------------


def test_changed_content_is_sent(folder: ObjectStoragePath) -> None:
    send(Service(), folder)
    service = Service()
    send(service, folder, [PARTS[0], Part("part-2.csv", 5, 9, "sum changed")])
    assert service.taken == ["sum changed"]


def test_no_parts(folder: ObjectStoragePath) -> None:
    assert send(Service(), folder, []) == []


def test_a_count_that_differs_is_warned_of(folder: ObjectStoragePath, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    send(Service(), folder, [Part("part-1.csv", 5, 9, "x")])
    assert not caplog.records
    counted = UploadState("u", "PASSED", True, True, 4)
    how = replace(route(Service()), upload=lambda part: counted)
    send_parts([Part("part-1.csv", 5, 9, "y")], how, progress_of({}, folder))
    assert "counts 4 rows in part-1.csv, which has 5" in caplog.text


METRICA = {"service": "metrica", "entity": "orders"}


def uploads(value: Any) -> dict[str, int | None]:
    return uploads_of(value, service="metrica", entities=frozenset({"orders", "contacts"}))


@pytest.mark.parametrize(
    ("value", "ids"),
    [
        ("u1", {"u1": None}),
        (5, {"5": None}),
        (["u1", 2], {"u1": None, "2": None}),
        (
            METRICA | {"counter_id": 7, "parts": [{"upload_id": "u1"}, {"upload_id": None}, {"upload_id": 2}]},
            {"u1": 7, "2": 7},
        ),
        (
            [METRICA | {"counter_id": number, "parts": [{"upload_id": f"u{number}"}]} for number in (7, 8)] + ["u9"],
            {"u7": 7, "u8": 8, "u9": None},
        ),
        (METRICA | {"counter_id": 7, "parts": []}, {}),
        ([[["u1"], (2,)], iter(["u3"])], {"u1": None, "2": None, "u3": None}),
        ([], {}),
    ],
)
def test_uploads_of(value: Any, ids: dict[str, int | None]) -> None:
    assert uploads(value) == ids


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        5.5,
        [None],
        "",
        " ",
        "['u1', 'u2']",
        {"u1": 1},
        object(),
        "None",
        "none",
        "True",
        b"1",
        [["u1"], b"2"],
        "b'1'",
        -5,
        0,
        "0",
        [["None"]],
        {"service": "market", "paths": []},
        "{'parts': []}",
        "a b",
    ],
)
def test_what_holds_no_upload_ids(value: Any) -> None:
    with pytest.raises(TypeError):
        uploads(value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"service": "altcraft"}, "delivery to altcraft"),
        ({"entity": "offline_conversions"}, "delivery of offline_conversions"),
        ({"rows_prepared": 5}, "only prepared"),
    ],
)
def test_deliveries_that_cannot_be_waited_for(changes: dict[str, Any], words: str) -> None:
    delivery = METRICA | {"counter_id": 7, "parts": [{"upload_id": "u1"}]} | changes
    with pytest.raises(ValueError, match=words):
        uploads([delivery])
