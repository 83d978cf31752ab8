# SPDX-License-Identifier: Apache-2.0
"""What is known of a part after trouble, and what becomes of its rows: effects are counted at the service."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from shutil import copyfile, rmtree
from typing import Any

import pytest

from airflow_provider_yandex_orders.exceptions import (
    JournalUnavailable,
    PassingError,
    PermanentError,
    RejectedRowsError,
    ServiceRefused,
    UploadUnclearError,
)
from airflow_provider_yandex_orders.hooks.metrica import MetricaHook
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from tests.matrix.kinds import KINDS, Kind
from tests.support.pauses import shorten

ORDERS, KEYLESS, CONVERSIONS, ALTCRAFT = KINDS[0], KINDS[1], KINDS[4], KINDS[5]
LOST: dict[str, Any] = {"action": "drop", "moment": "after"}
NO: dict[str, Any] = {"status": 403, "body": "{}"}


class Store(dict[str, Any]):
    """A task's state store, as far as it is used: a mapping with ``set``, which may be out of reach."""

    deaf = mute = away = False

    def get(self, key: str, default: Any = None) -> Any:
        if self.away:
            raise ConnectionError("the API server is away")
        return super().get(key, default)

    def set(self, key: str, value: Any) -> None:
        if self.mute:
            self[key] = value
        if self.deaf or self.mute:
            raise ConnectionError("the API server is away")
        self[key] = json.loads(json.dumps(value))


@pytest.fixture
def send(upload: Any, tmp_path: Path) -> Callable[..., Any]:
    """Sends numbered rows of a kind, two a part."""

    def execute(kind: Kind, *numbers: int, **arguments: Any) -> Any:
        size = "batch_size" if kind is ALTCRAFT else "max_part_rows"
        given = {"staging_path": str(tmp_path / "staging"), size: 2, **kind.arguments, **arguments}
        return upload([kind.row(number, 1) for number in numbers], kind.operator, **given)

    return execute


def counted(kind: Kind, sandbox: SandboxServer) -> dict[int, int]:
    return {number: effect.counted for number, effect in sorted(kind.effects(sandbox).items())}


# An answer was lost, and what came later says nothing of it.


@pytest.mark.parametrize("later", [NO, {"status": 429, "body": "{}"}, {"status": 400, "body": "{}"}])
@pytest.mark.parametrize("kind", [CONVERSIONS, ALTCRAFT], ids=lambda kind: kind.name)
def test_a_refusal_after_a_lost_answer_does_not_say_that_nothing_arrived(
    metrica: SandboxServer, send: Any, ask: Any, kind: Kind, later: dict[str, Any]
) -> None:
    metrica.client.add_fault(method="POST", path=kind.request, times=1, **LOST)
    metrica.client.add_fault(method="POST", path=kind.request, times=None, **later)
    with pytest.raises((PassingError, PermanentError)):
        send(kind, 1, 2)
    metrica.client.clear_faults()
    assert counted(kind, metrica) == {1: 1, 2: 1}
    assert ask("SELECT state FROM parts") == ["sending"]
    send(kind, 2, 3)  # in a part of other rows
    assert counted(kind, metrica) == {1: 1, 2: 1, 3: 1}


def test_rows_of_unknown_fate_that_a_source_has_no_more_stay_unclear(metrica: SandboxServer, send: Any) -> None:
    metrica.client.add_fault(method="POST", path=ALTCRAFT.request, times=None, **LOST)
    with pytest.raises(PassingError):
        send(ALTCRAFT, 1, 2)
    metrica.client.clear_faults()
    send(ALTCRAFT, 3)  # the delivery is complete without them
    send(ALTCRAFT, 1, 2, 3, run_id="run-2")
    assert counted(ALTCRAFT, metrica) == {1: 1, 2: 1, 3: 1}


def test_what_was_sent_again_on_purpose_is_unclear_no_more(
    metrica: SandboxServer, send: Any, ask: Any, on_upload: Any
) -> None:
    def killed() -> None:
        raise KeyboardInterrupt

    on_upload(killed)
    with pytest.raises(KeyboardInterrupt):
        send(KEYLESS, 1, 2, tries=(1, 1))
    with pytest.raises(UploadUnclearError):  # Airflow's own retry is nobody's answer
        send(KEYLESS, 1, 2, resend=True, tries=(2, 1))
    send(KEYLESS, 1, 2, resend=True, tries=(3, 2))
    assert ask("SELECT state FROM parts WHERE sent_at IS NOT NULL ORDER BY part_id") == ["abandoned", "good"]
    assert send(KEYLESS, 1, 2, run_id="run-2")["rows_unchanged"] == 2
    assert counted(KEYLESS, metrica) == {1: 2, 2: 2}


@pytest.mark.parametrize("ended", [False, True])
def test_the_task_that_people_are_told_to_clear_sends_again(
    metrica: SandboxServer, send: Any, monkeypatch: pytest.MonkeyPatch, ended: bool
) -> None:
    def killed(*_request: Any, **_more: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as worker:
        worker.setattr(MetricaHook, "upload_simple_orders", killed)
        with pytest.raises(KeyboardInterrupt):
            send(KEYLESS, 1, 2, tries=(1, 2))
    if ended:  # without those rows
        send(KEYLESS, 3, tries=(2, 2))
    with pytest.raises(UploadUnclearError, match=r"run-1/.*clear the task that sent them"):
        send(KEYLESS, 1, 2, run_id="run-2", tries=(1, 2))
    assert send(KEYLESS, 1, 2, tries=(3, 4))["rows_sent"] == 2
    assert send(KEYLESS, 1, 2, run_id="run-2", tries=(2, 4))["rows_unchanged"] == 2


def test_a_plan_counts_what_is_on_its_way(metrica: SandboxServer, send: Any, upload: Any, on_upload: Any) -> None:
    plans: list[Any] = []
    on_upload(lambda: plans.append(send(KEYLESS, 1, 2, 3, run_id="plan", send=False)))
    send(KEYLESS, 1, 2)
    assert (plans[0]["plan"]["unclear"], plans[0]["rows_prepared"]) == (2, 3)
    delivery = upload(plans, run_id="send", require_id=False)
    assert (delivery["rows_sent"], delivery["rows_unchanged"]) == (1, 2)
    assert counted(KEYLESS, metrica) == {1: 1, 2: 1, 3: 1}


# A part never left.


@pytest.mark.parametrize("trouble", ["deaf", "mute", "away"])
def test_a_part_that_could_not_be_put_on_record_did_not_go_out(
    metrica: SandboxServer, send: Any, ask: Any, trouble: str
) -> None:
    store = Store()
    setattr(store, trouble, True)
    with pytest.raises(PassingError, match=r"state store.*ConnectionError.*not sent"):
        send(KEYLESS, 1, 2, 3, store=store)
    assert counted(KEYLESS, metrica) == {}
    assert ask("SELECT part_id FROM parts WHERE sent_at IS NOT NULL") == ask("SELECT * FROM sent_rows") == []
    setattr(store, trouble, False)
    assert send(KEYLESS, 1, 2, 3, store=store)["rows_sent"] == 3  # and nobody is asked about the first part
    assert counted(KEYLESS, metrica) == {1: 1, 2: 1, 3: 1}


def test_a_platform_that_refused_all_is_still_unknown(
    metrica: SandboxServer, send: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    metrica.client.add_fault(method="POST", path=ALTCRAFT.request, times=None, **NO)
    with pytest.raises(ServiceRefused):
        send(ALTCRAFT, 1, 2)
    metrica.client.clear_faults()
    with monkeypatch.context() as elsewhere:  # another journal, or other hands
        elsewhere.setenv("AIRFLOW_HOME", str(tmp_path / "elsewhere"))
        send(ALTCRAFT, 1, 2)
    with pytest.raises(PermanentError, match="knows nothing that was sent to this platform"):
        send(ALTCRAFT, 1, 2, run_id="run-2")
    assert counted(ALTCRAFT, metrica) == {1: 1, 2: 1}


# The journal, its answers or the files of an earlier try went missing.


def test_an_acceptance_the_journal_misses_is_told_before_more_goes_out(
    metrica: SandboxServer, home: Path, send: Any, ask: Any, on_upload: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shorten(monkeypatch.setattr, limit=0.5)  # the turn ends by itself, as it cannot be given back
    store, away = Store(), home.with_name("away.db")
    on_upload(lambda: home.rename(away))
    with pytest.raises(JournalUnavailable, match="what was accepted"):
        send(KEYLESS, 1, 2, 3, store=store)
    assert counted(KEYLESS, metrica) == {1: 1, 2: 1}
    away.rename(home)
    assert ask("SELECT state FROM parts WHERE sent_at IS NOT NULL") == ["sending"]
    seen = []
    on_upload(lambda: seen.extend(ask("SELECT state FROM parts WHERE sent_at IS NOT NULL ORDER BY sent_at")))
    assert send(KEYLESS, 1, 2, 3, store=store)["rows_sent"] == 3
    assert seen == ["good", "sending"]
    assert store["yandex_orders_sent"]["answers"] == {}  # told again later, it would stand over how the part ended
    assert send(KEYLESS, 1, 2, 3, run_id="run-2")["rows_unchanged"] == 3
    assert counted(KEYLESS, metrica) == {1: 1, 2: 1, 3: 1}


def test_a_number_that_another_task_got_after_a_restore_is_not_this_tasks(
    metrica: SandboxServer, home: Path, send: Any
) -> None:
    send(ORDERS, 9, run_id="before")
    backup = Path(copyfile(home, home.with_name("backup.db")))
    store, other = Store(), Store()
    metrica.client.add_fault(method="POST", path=KEYLESS.request, skip=1, times=None, status=429, body="{}")
    with pytest.raises(PassingError):
        send(KEYLESS, 1, 2, 3, 4, store=store)
    metrica.client.clear_faults()
    backup.rename(home)
    send(KEYLESS, 5, 6, 7, 8, run_id="other", store=other)
    ((mine,), (theirs,)) = store.values(), other.values()
    assert {name: mine[name] for name in ("journal", "delivery")} == {
        name: theirs[name] for name in ("journal", "delivery")
    }
    with pytest.raises(
        PermanentError, match=r"which the journal of deliveries.*does not know.*put back to an earlier state"
    ):
        send(KEYLESS, 1, 2, 3, 4, store=store)
    assert counted(KEYLESS, metrica) == {1: 1, 2: 1, 5: 1, 6: 1, 7: 1, 8: 1, 9: 1}


def test_orders_whose_files_lie_on_another_worker_are_not_asked_for(
    metrica: SandboxServer, send: Any, tmp_path: Path
) -> None:
    metrica.client.add_fault(method="POST", path=ALTCRAFT.request, skip=1, times=None, status=429, body="{}")
    with pytest.raises(PassingError):
        send(ALTCRAFT, 1, 2, 3, 4)
    metrica.client.clear_faults()
    rmtree(tmp_path / "staging")
    delivery = send(ALTCRAFT, 1, 2, 3, 4, staging_path=str(tmp_path / "another"), verify=True, poke_interval=0)
    assert (delivery["rows_sent"], len(delivery["parts"]), delivery["verified"]["checked"]) == (4, 2, 2)
    assert delivery["sample"].keys() == {ALTCRAFT.row(number, 1)["external_id"] for number in (3, 4)}
    assert counted(ALTCRAFT, metrica) == {1: 1, 2: 1, 3: 1, 4: 1}


# The platform would not take an order.


def test_what_the_platform_refused_is_counted_by_reason_and_never_waited_for(
    metrica: SandboxServer, upload: Any, ask: Any, tmp_path: Path
) -> None:
    given = {**ALTCRAFT.arguments, "staging_path": str(tmp_path / "staging"), "verify": True, "timeout": 0}
    good, bad = ALTCRAFT.row(1, 1), {**ALTCRAFT.row(2, 1), "endpoint": "unknown-shop"}
    with pytest.raises(RejectedRowsError):
        upload([good, bad], ALTCRAFT.operator, **given)
    delivery = upload([good, ALTCRAFT.row(3, 1)], ALTCRAFT.operator, **given)  # the bad one is out of the source
    assert set(delivery["sample"]) == {ALTCRAFT.row(3, 1)["external_id"]}
    upload([bad], ALTCRAFT.operator, run_id="run-2", max_rejected=1, **{**given, "verify": False})
    assert ask("SELECT code, sum(rows) FROM rejected_by_reason GROUP BY code") == [("refused", 1)]
