# SPDX-License-Identifier: Apache-2.0
"""Each part is sent once."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_yandex_orders.delivery.progress import progress_of
from airflow_provider_yandex_orders.delivery.result import DeliveredPart, upload_ids_of
from airflow_provider_yandex_orders.delivery.send import send_parts
from airflow_provider_yandex_orders.exceptions import ServiceUnavailable, UploadFailedError
from airflow_provider_yandex_orders.parts.files import Part
from airflow_provider_yandex_orders.states import UploadState

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

PARTS = [Part(f"part-{number}.csv", rows=5, bytes=9, sha256=f"sum {number}") for number in range(1, 4)]


class Service:
    """Takes parts; answers or fails as told."""

    def __init__(self, **failing: Any) -> None:
        self.taken: list[str] = []
        self.failing = failing

    def upload(self, part: Part) -> UploadState:
        self.taken.append(part.sha256)
        verdict = self.failing.get(part.sha256.replace(" ", ""), "PASSED")
        if isinstance(verdict, Exception):
            raise verdict
        final = verdict in ("PASSED", "FAILED")
        return UploadState(f"u {part.sha256}", verdict, final, verdict == "PASSED", part.rows)


def send(service: Service, folder: ObjectStoragePath, parts: list[Part] = PARTS) -> list[DeliveredPart]:
    return send_parts(parts, service.upload, progress_of({}, folder), lambda part: part.sha256)


def test_a_second_try_sends_nothing(folder: ObjectStoragePath) -> None:
    service = Service()
    first = send(service, folder)
    assert service.taken == [part.sha256 for part in PARTS]
    assert [(part["path"], part["upload_id"], part["status"], part["rows_accepted"]) for part in first] == [
        (part.path, f"u {part.sha256}", "PASSED", 5) for part in PARTS
    ]
    assert send(service, folder) == first
    assert len(service.taken) == 3


@pytest.mark.parametrize("error", [ServiceUnavailable("no"), RuntimeError("killed")])
def test_a_retry_goes_on_where_the_first_try_stopped(folder: ObjectStoragePath, error: Exception) -> None:
    service = Service(sum2=error)
    with pytest.raises(type(error)):
        send(service, folder)
    service = Service()
    assert [part["upload_id"] for part in send(service, folder)] == ["u sum 1", "u sum 2", "u sum 3"]
    assert service.taken == ["sum 2", "sum 3"]


def test_a_part_judged_bad_is_not_remembered(folder: ObjectStoragePath) -> None:
    with pytest.raises(UploadFailedError, match=r"part-2\.csv.* u sum 2 .*FAILED") as caught:
        send(Service(sum2="FAILED"), folder)
    assert "gave no reason" in str(caught.value)
    service = Service()
    send(service, folder)
    assert service.taken == ["sum 2", "sum 3"]


def test_a_state_that_is_not_final_is_remembered(folder: ObjectStoragePath) -> None:
    assert send(Service(sum1="UPLOADED"), folder)[0]["status"] == "UPLOADED"
    service = Service()
    send(service, folder)
    assert service.taken == []


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
    send_parts(
        [Part("part-1.csv", 5, 9, "y")],
        lambda part: UploadState("u", "PASSED", True, True, 4),
        progress_of({}, folder),
        lambda part: part.sha256,
    )
    assert "counts 4 rows in part-1.csv, which has 5" in caplog.text


@pytest.mark.parametrize(
    ("value", "ids"),
    [
        ("u1", ["u1"]),
        (["u1", "u2"], ["u1", "u2"]),
        ({"parts": [{"upload_id": "u1"}, {"upload_id": None}, {"upload_id": "u2"}]}, ["u1", "u2"]),
        ([{"parts": [{"upload_id": "u1"}]}, {"parts": []}, "u2"], ["u1", "u2"]),
        ({"parts": []}, []),
        ([], []),
    ],
)
def test_upload_ids_of(value: Any, ids: list[str]) -> None:
    assert upload_ids_of(value) == ids


@pytest.mark.parametrize("value", [None, 5, [None], [5]])
def test_what_holds_no_upload_ids(value: Any) -> None:
    with pytest.raises(TypeError):
        upload_ids_of(value)
