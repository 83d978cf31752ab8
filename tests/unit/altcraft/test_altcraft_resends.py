# SPDX-License-Identifier: Apache-2.0
"""What is remembered of a part that must not be repeated in the same way: every end of a try, and the next one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from airflow_provider_yandex_orders.delivery.attempted import attempted_keys
from airflow_provider_yandex_orders.delivery.parts import Part
from airflow_provider_yandex_orders.delivery.progress import progress_of
from airflow_provider_yandex_orders.delivery.rejects import FaultFile, LinesFile
from airflow_provider_yandex_orders.delivery.result import DeliveredPart
from airflow_provider_yandex_orders.delivery.send import Route, refusals, send_parts
from airflow_provider_yandex_orders.exceptions import ConfigurationError, ServiceRefused, ServiceUnavailable
from airflow_provider_yandex_orders.privacy import shown_key
from airflow_provider_yandex_orders.rows.faults import Fault
from airflow_provider_yandex_orders.waiting import UploadState

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

PART = Part("part-00001.json", rows=3, bytes=9, sha256="sum")


class Crash(BaseException):
    """The process dies."""


class Platform:
    """Tells first sends from repeats."""

    def __init__(self, outcome: Any = None) -> None:
        self.outcome = outcome
        self.calls: list[Any] = []

    def first(self, part: Part) -> UploadState:
        return self._end("first")

    def again(self, part: Part, remembered: Mapping[str, Any]) -> UploadState:
        return self._end(("again", dict(remembered)))

    def _end(self, call: Any) -> UploadState:
        self.calls.append(call)
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        refused = tuple(self.outcome or ())
        return UploadState("", "ACCEPTED", True, True, rows_accepted=3 - len(refused), refused=refused)


def send(platform: Platform, folder: ObjectStoragePath) -> list[DeliveredPart]:
    return send_parts([PART], _route(platform), progress_of({}, folder))


def _route(platform: Platform) -> Route:
    return Route(
        upload=platform.first, resend=platform.again, key_of=lambda part: part.sha256, state_of=lambda _id: None
    )


@pytest.mark.parametrize(
    ("end", "next_call"),
    [
        (Crash(), ("again", {"status": "sending"})),
        (ServiceUnavailable("cut", maybe_applied=True), ("again", {"status": "sending"})),
        (ServiceUnavailable("unreachable"), "first"),
        (ServiceRefused("token"), "first"),
        (ConfigurationError("no token in the connection"), "first"),
        (ServiceRefused("strange", maybe_applied=True), ("again", {"status": "sending"})),
        (RuntimeError("a fault of ours"), ("again", {"status": "sending"})),
    ],
)
def test_the_next_try_knows_whether_it_is_a_repeat(
    folder: ObjectStoragePath, end: BaseException, next_call: Any
) -> None:
    with pytest.raises(type(end)):
        send(Platform(end), folder)
    platform = Platform()
    (part,) = send(platform, folder)
    assert platform.calls == [next_call]
    assert (part["upload_id"], part["rows_accepted"]) == (None, 3)
    platform = Platform()
    assert send(platform, folder) == [part]
    assert platform.calls == []


def test_a_repeat_stays_one_until_it_is_answered(folder: ObjectStoragePath) -> None:
    for end in (Crash(), ServiceUnavailable("unreachable"), ServiceRefused("token")):
        with pytest.raises(type(end)):
            send(Platform(end), folder)
    platform = Platform()
    send(platform, folder)
    assert platform.calls == [("again", {"status": "sending"})]


def test_refused_rows_are_offered_again_and_then_forgotten(folder: ObjectStoragePath) -> None:
    (part,) = send(Platform([("A", "no"), ("B", "never")]), folder)
    assert (part["rows_refused"], part["rows_accepted"]) == (2, 1)
    route, progress = _route(Platform()), progress_of({}, folder)
    assert list(refusals([PART], route, progress)) == [("A", "no"), ("B", "never")]

    broken = Platform(ServiceUnavailable("unreachable"))
    with pytest.raises(ServiceUnavailable):
        send(broken, folder)
    dead = Platform(Crash())
    with pytest.raises(Crash):
        send(dead, folder)
    ((_again, told),) = dead.calls
    assert (told["status"], told["refused"]) == ("ACCEPTED", [["A", "no"], ["B", "never"]])

    last = Platform()
    (part,) = send(last, folder)
    # The process died while they were on their way: now they may have arrived.
    assert last.calls == [("again", {"status": "sending", "refused": [["A", "no"], ["B", "never"]]})]
    assert "refused" not in part
    assert list(refusals([PART], route, progress_of({}, folder))) == []


def test_attempted_keys_are_those_on_record(folder: ObjectStoragePath) -> None:
    contents = {"part-00001.json": b'["A"]', "part-00002.json": b'["B", "C"]', "part-00003.json": b'["D"]'}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    progress = progress_of({}, folder)

    def attempted() -> Any:
        return attempted_keys(
            folder,
            progress,
            key_of=lambda part: part.path[-7:],
            keys_in=lambda _name, content: msgspec.json.decode(content),
        )

    assert not attempted()
    progress.set("01.json", {"status": "sending"})
    progress.set("02.json", {"status": "PARTLY", "upload_id": "", "final": True, "refused": [["C", "no"]]})
    progress.set("03.json", {"status": "not taken"})
    assert [key for key in "ABCDE" if key in attempted()] == ["A", "B"]
    # Other parts lie there on the next try: what was attempted stays so.
    (folder / "part-00001.json").write_bytes(b'["E"]')
    progress.set("01.json", {"status": "not taken"})
    assert [key for key in "ABCDE" if key in attempted()] == ["A", "B"]


def test_more_rejects_stand_beside_the_first(folder: ObjectStoragePath) -> None:
    path = folder / "rejected.jsonl"
    with FaultFile(path) as first:
        first.add(1, "A", [Fault("status", "unknown_status", "no", "map it")])
    with FaultFile(path, more=True) as more:
        assert more.path is None
        more.add(None, "B", [Fault("", "refused", "the platform: no", "correct it")])
        more.add(None, "ivan@example.com", [Fault("", "refused", "the platform: no", "correct it")])
    found = [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]
    assert [(each["row"], each["key"]) for each in found] == [
        (1, "A"),
        (None, "B"),
        (None, shown_key("ivan@example.com")),
    ]
    assert more.lines == ["2 refused, first a row (B): the platform: no; correct it"]
    with LinesFile(folder / "new.jsonl", more=True) as alone:
        alone.write(1)
    assert (folder / "new.jsonl").read_bytes() == b"1\n"
