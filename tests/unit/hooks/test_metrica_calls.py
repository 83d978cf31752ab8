# SPDX-License-Identifier: Apache-2.0
"""What the hook of Metrica puts on the wire, compared with what the service documents."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from airflow.providers.common.compat.sdk import ObjectStoragePath

from airflow_provider_yandex_orders.exceptions import (
    ConfigurationError,
    PassingError,
    ServiceRefused,
    ServiceUnavailable,
)
from airflow_provider_yandex_orders.hooks.metrica import LIST_LIMIT, LIST_PAGES, MetricaHook
from airflow_provider_yandex_orders.triggers.metrica import MetricaUploadsWait
from airflow_provider_yandex_orders.waiting import Demands
from tests.support.breaking_store import raising
from tests.unit.hooks.metrica_support import COUNTER, TOKEN
from tests.unit.http.scripted_server import Reply, ScriptedServer, Seen, error_reply, json_reply
from tests.unit.http.wire import file_of, file_part

SAMPLE = Path(__file__).parents[1] / "kinds" / "orders_sample.json"
CRM = "/cdp/api/v1/counter/24"
MANAGEMENT = "/management/v1/counter/24"
# As seen in public: https://yandex.ru/dev/metrika/ru/management/openapi/schema/uploadSimpleOrders
UPLOADING = {
    "uploading_id": "8a6e0804-2bd0-4672-b79d-d97027f9071a",
    "datetime": "2025-03-04 15:20:00",
    "api_validation_status": "PASSED",
    "elements_count": 1,
    "entity_type": "SYSTEM",
    "uploading_format": "CSV",
    "uploading_source": "API",
}
OFFLINE = {"id": 9000000000000000001, "source_quantity": 1, "line_quantity": 1, "status": "UPLOADED"}


def only(server: ScriptedServer) -> Seen:
    """The one request that came, with the token where it belongs and nowhere else."""
    (seen,) = server.seen
    assert seen.headers["Authorization"] == f"OAuth {TOKEN}"
    assert TOKEN not in seen.path + seen.body.decode()
    return seen


def query(seen: Seen) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(seen.path).query, keep_blank_values=True, strict_parsing=True)


# --- uploads -------------------------------------------------------------------------------------------------------

Upload = Callable[[MetricaHook, str], dict[str, Any]]
UPLOADS: list[tuple[str, str, Upload]] = [
    (
        "csv",
        f"{CRM}/data/simple_orders?merge_mode=SAVE&delimiter_type=COMMA",
        lambda hook, path: hook.upload_simple_orders(None, path),
    ),
    (
        "csv",
        f"{CRM}/data/simple_orders?merge_mode=APPEND&delimiter_type=SEMICOLON",
        lambda hook, path: hook.upload_simple_orders(
            "24", path, merge_mode="APPEND", delimiter_type="SEMICOLON", resend=False
        ),
    ),
    ("json", f"{CRM}/data/contacts/json?merge_mode=SAVE", lambda hook, path: hook.upload_contacts(None, path)),
    (
        "json",
        f"{CRM}/data/contacts/json?merge_mode=UPDATE",
        # What belongs to CSV is not sent with JSON.
        lambda hook, path: hook.upload_contacts(24, path, merge_mode="UPDATE", columns_mapping={"uniq_id": "no"}),
    ),
    (
        "csv",
        f"{CRM}/data/contacts/csv?merge_mode=SAVE&delimiter_type=COMMA&columns_mapping=%22id%3Bsum%22%3A%22id%3Bsum%22",
        lambda hook, path: hook.upload_contacts(None, path, upload_format="csv"),
    ),
    ("json", f"{CRM}/data/orders/json?merge_mode=SAVE", lambda hook, path: hook.upload_orders(None, path)),
    (
        "csv",
        f"{CRM}/data/orders/csv?merge_mode=APPEND&delimiter_type=SEMICOLON"
        "&columns_mapping=%22id%22%3A%22id%22%2C%22sum%22%3A%22sum%22",
        lambda hook, path: hook.upload_orders(None, path, upload_format="csv", merge_mode="APPEND"),
    ),
    (
        "csv",
        f"{CRM}/data/orders/csv?merge_mode=SAVE&delimiter_type=COMMA"
        "&columns_mapping=%22id%22%3A%22order+no%22%2C%22revenue%22%3A%22%D0%A1%D1%83%D0%BC%D0%BC%D0%B0%22",
        lambda hook, path: hook.upload_orders(
            None,
            path,
            upload_format="csv",
            delimiter_type="COMMA",
            columns_mapping={"id": "order no", "revenue": "Сумма"},
        ),
    ),
    (
        "csv",
        f"{MANAGEMENT}/offline_conversions/upload?type=BASIC",
        lambda hook, path: hook.upload_offline_conversions(None, path),
    ),
    (
        "csv",
        f"{MANAGEMENT}/offline_conversions/upload?comment=%D0%9C%D0%B0%D1%80%D1%82part1&type=BASIC",
        lambda hook, path: hook.upload_offline_conversions(None, path, comment="Мартpart1"),
    ),
    (
        "csv",
        f"{MANAGEMENT}/offline_conversions/upload?comment=a+b%26c%3Dd%2B&type=BASIC",
        lambda hook, path: hook.upload_offline_conversions(None, path, comment="a b&c=d+"),
    ),
]
CONTENT = 'id;sum\r\n"Ж";1\n\u2028'.encode()


@pytest.mark.parametrize(("suffix", "path", "upload"), UPLOADS, ids=[each[1][-60:] for each in UPLOADS])
def test_uploads_on_the_wire(
    server: ScriptedServer, hook: MetricaHook, folder: ObjectStoragePath, suffix: str, path: str, upload: Upload
) -> None:
    file = folder / f"part-00001.{suffix}"
    file.write_bytes(CONTENT)
    answer = OFFLINE if "offline" in path else UPLOADING
    server.script(json_reply({"uploading": answer}))
    assert upload(hook, str(file)) == answer
    seen = only(server)
    assert (seen.method, seen.path) == ("POST", path)
    assert seen.headers["Content-Length"] == str(len(seen.body))
    if suffix == "json":
        assert seen.headers["Content-Type"] == "application/json"
        assert seen.body == CONTENT
        return
    part = file_part(seen)
    assert seen.headers["Content-Type"].startswith("multipart/form-data; boundary=")
    assert part.get_param("name", header="Content-Disposition") == "file"
    assert part.get_filename() == "part-00001.csv"
    assert part.get_content_type() == "text/csv"
    assert file_of(seen) == CONTENT


def test_columns_mapping_has_the_documented_form(server: ScriptedServer, hook: MetricaHook, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x\n")
    server.script(json_reply({"uploading": UPLOADING}))
    mapping = {"uniq_id": "Номер клиента", "emails": "e,mail"}
    hook.upload_contacts(None, str(tmp_path / "a.csv"), upload_format="csv", columns_mapping=mapping)
    assert dict(query(only(server)))["columns_mapping"] == '"uniq_id":"Номер клиента","emails":"e,mail"'


def test_a_path_object_is_taken_too(server: ScriptedServer, hook: MetricaHook, folder: ObjectStoragePath) -> None:
    file = folder / "part-00001.json"
    file.write_bytes(SAMPLE.read_bytes())
    server.script(json_reply({"uploading": UPLOADING}))
    hook.upload_orders(None, file)
    assert only(server).body == SAMPLE.read_bytes()


def test_the_counter_of_the_call_goes_before_the_connections(
    server: ScriptedServer, hook: MetricaHook, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text("x\n")
    server.script(json_reply({"uploading": UPLOADING}))
    hook.upload_simple_orders(7, str(tmp_path / "a.csv"))
    hook.upload_offline_conversions("8", str(tmp_path / "a.csv"))
    assert [seen.path.split("/data")[0].split("/offline")[0] for seen in server.seen] == [
        "/cdp/api/v1/counter/7",
        "/management/v1/counter/8",
    ]


ALL_UPLOADS: dict[str, Upload] = {
    "simple_orders": lambda hook, path: hook.upload_simple_orders(None, path),
    "keyless simple_orders": lambda hook, path: hook.upload_simple_orders(None, path, resend=False),
    "contacts": lambda hook, path: hook.upload_contacts(None, path),
    "orders": lambda hook, path: hook.upload_orders(None, path),
    "orders csv": lambda hook, path: hook.upload_orders(None, path, upload_format="csv"),
    "offline_conversions": lambda hook, path: hook.upload_offline_conversions(None, path),
}
ONCE = {"keyless simple_orders", "offline_conversions"}


@pytest.mark.parametrize("name", ALL_UPLOADS)
def test_upload_of_no_file(server: ScriptedServer, hook: MetricaHook, tmp_path: Path, name: str) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(ConfigurationError, match="no file"):
            ALL_UPLOADS[name](hook, str(path))
    assert server.seen == []


@pytest.mark.parametrize("name", ALL_UPLOADS)
def test_a_storage_that_is_down_is_not_a_file_that_is_missing(
    server: ScriptedServer, hook: MetricaHook, memory_url: str, name: str
) -> None:
    with raising(ConnectionError("down")), pytest.raises(PassingError, match=r"none\.csv.*ConnectionError: down"):
        ALL_UPLOADS[name](hook, f"{memory_url}/none.csv")
    assert server.seen == []


def test_a_staged_file_of_another_worker(
    server: ScriptedServer, hook: MetricaHook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__YANDEX_ORDERS__STAGING_PATH", str(tmp_path))
    with pytest.raises(PassingError, match="staging_path"):
        hook.upload_orders(None, str(tmp_path / "dag" / "part-00001.json"))
    assert server.seen == []


def test_a_storage_that_breaks_while_a_file_is_sent(server: ScriptedServer, hook: MetricaHook, memory_url: str) -> None:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    path = ObjectStoragePath(f"{memory_url}/part-00001.csv")
    path.write_bytes(b"id\n")
    with (
        raising(ConnectionError("down"), "open"),
        pytest.raises(PassingError, match=r"part-00001\.csv.*cannot be read"),
    ):
        hook.upload_simple_orders(None, path)


@pytest.mark.parametrize("name", ALL_UPLOADS)
def test_a_refused_upload_names_the_file(server: ScriptedServer, hook: MetricaHook, tmp_path: Path, name: str) -> None:
    (tmp_path / "part-00007.csv").write_text("id\n")
    server.script(error_reply(400, "invalid_uploading", "Column 3 is unknown"))
    with pytest.raises(ServiceRefused, match=r"Upload part-00007\.csv: .*Column 3 is unknown"):
        ALL_UPLOADS[name](hook, str(tmp_path / "part-00007.csv"))
    assert len(server.seen) == 1


@pytest.mark.parametrize("name", ALL_UPLOADS)
@pytest.mark.parametrize(
    ("reply", "taken"),
    [
        (error_reply(503, "backend_error", "x"), True),
        (error_reply(504, "timeout", "x"), True),
        (Reply(act="cut"), True),
        (Reply(200, b"<html>"), True),
        (error_reply(429, "quota_requests_by_ip", "x"), False),
    ],
    ids=["503", "504", "cut", "html", "429"],
)
def test_what_may_have_arrived_goes_out_again_only_where_a_repeat_does_no_harm(
    server: ScriptedServer, hook: MetricaHook, tmp_path: Path, name: str, reply: Reply, taken: bool
) -> None:
    (tmp_path / "a.csv").write_text("id\n")
    server.script(reply)
    with pytest.raises(ServiceUnavailable) as caught:
        ALL_UPLOADS[name](hook, str(tmp_path / "a.csv"))
    assert caught.value.maybe_applied is taken
    assert len(server.seen) == (1 if taken and name in ONCE else hook.client.attempts)
    assert len({seen.path for seen in server.seen}) == 1


@pytest.mark.parametrize("name", ALL_UPLOADS)
@pytest.mark.parametrize(
    "answer",
    [{}, [], None, "PASSED", {"uploading": None}, {"uploading": []}, {"uploading": {}}, {"uploading": {"id": None}}],
    ids=str,
)
def test_an_upload_answered_in_another_shape_may_have_arrived(
    server: ScriptedServer, hook: MetricaHook, tmp_path: Path, name: str, answer: Any
) -> None:
    (tmp_path / "a.csv").write_text("id\n")
    server.script(json_reply(answer))
    with pytest.raises(ServiceUnavailable, match=r"^Upload a\.csv: Yandex Metrica answered without ") as caught:
        ALL_UPLOADS[name](hook, str(tmp_path / "a.csv"))
    assert caught.value.maybe_applied
    assert len(server.seen) == 1


# --- states --------------------------------------------------------------------------------------------------------


def listed(first: int, last: int) -> list[dict[str, Any]]:
    """Uploads of one second each, newest first."""
    return [
        {
            "uploading_id": f"u{number}",
            "api_validation_status": "PASSED",
            "datetime": f"2025-03-04 {number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}",
        }
        for number in range(first, last, -1)
    ]


def test_crm_states_are_looked_for_page_by_page(server: ScriptedServer, hook: MetricaHook) -> None:
    pages = [listed(3000, 2000), listed(2000, 1000), listed(1000, 990)]
    server.script(*[json_reply({"uploadings": page}) for page in pages])
    assert set(hook.upload_states("crm", None, ["u2999", "u2500"])) == {"u2999", "u2500"}
    assert [seen.path for seen in server.seen] == [f"{CRM}/last_uploadings?limit={LIST_LIMIT}"]

    server.script(*[json_reply({"uploadings": page}) for page in pages])
    found = hook.upload_states("crm", None, ["u2999", "u995", "nowhere"])
    assert set(found) == {"u2999", "u995"}
    assert len(server.seen) == 3
    assert "datetime_offset=2025-03-04+00%3A33%3A21" in server.seen[1].path
    assert all(state.final and state.good for state in found.values())


def test_crm_states_are_not_looked_for_without_end(server: ScriptedServer, hook: MetricaHook) -> None:
    server.script(*[json_reply({"uploadings": listed(last + 1000, last)}) for last in range(90_000, 0, -1000)])
    assert hook.upload_states("crm", None, ["nowhere"]) == {}
    assert len(server.seen) == LIST_PAGES


def test_crm_states_of_a_list_that_does_not_move(server: ScriptedServer, hook: MetricaHook) -> None:
    still = [{**each, "datetime": "2025-03-04 00:00:00"} for each in listed(3000, 2000)]
    server.script(json_reply({"uploadings": still}))
    assert hook.upload_states("crm", None, ["nowhere"]) == {}
    assert len(server.seen) == 2


def test_states_of_a_list_whose_second_answer_does_not_come(server: ScriptedServer, hook: MetricaHook) -> None:
    failed = [error_reply(504, "timeout", "Query is too slow")]
    hook.once()
    server.script(json_reply({"uploadings": listed(3000, 2000)}), *failed)
    assert set(hook.upload_states("crm", None, ["u2999", "nowhere"])) == {"u2999"}
    server.script(json_reply({"uploadings": listed(3000, 2000)}), *failed)
    with pytest.raises(ServiceUnavailable):
        hook.upload_states("crm", None, ["nowhere"])

    page = [OFFLINE | {"id": number} for number in range(10_000)]
    server.script(json_reply({"uploadings": page}), *failed)
    assert set(hook.upload_states("offline", None, ["5", "10005"])) == {"5"}


def test_what_polls_do_not_find_is_looked_for_further_back_ever_more_rarely(
    server: ScriptedServer, hook: MetricaHook
) -> None:
    pages = [json_reply({"uploadings": page}) for page in (listed(3000, 2000), listed(2000, 1000), listed(1000, 990))]
    wait = MetricaUploadsWait("crm", hook.conn_id, Demands()).expect({"u2999": 24, "u995": 24, "nowhere": 24})
    asked, missed = [], dict[str, int]()

    def poll(*ids: str) -> None:
        server.script(*pages)
        assert wait.ask(hook, ("crm", 24), ids, missed).keys() == {*ids} - {"nowhere"}
        asked.append(len(server.seen))

    for _ in range(9):
        poll("u2999", "nowhere")
    assert asked == [3, 3, 3, 1, 3, 1, 1, 1, 3]
    poll("u2999", "u995", "nowhere")  # one that joins, or was found there, is looked for at once
    poll("u2999", "u995", "nowhere")
    poll("u2999")
    assert asked[9:] == [3, 3, 1]


def test_the_state_of_one_offline_upload(server: ScriptedServer, hook: MetricaHook) -> None:
    server.script(json_reply({"uploading": OFFLINE | {"status": "PROCESSED", "linked_quantity": 0}}))
    upload_id = str(OFFLINE["id"])
    (state,) = hook.upload_states("offline", None, [upload_id]).values()
    assert (only(server).method, only(server).path) == (
        "GET",
        f"{MANAGEMENT}/offline_conversions/uploading/{upload_id}",
    )
    assert (state.upload_id, state.status, state.final, state.good) == (upload_id, "PROCESSED", True, True)
    assert (state.rows_total, state.rows_accepted, state.rows_linked) == (1, 1, 0)


def test_the_states_of_several_offline_uploads(server: ScriptedServer, hook: MetricaHook) -> None:
    uploads = [OFFLINE | {"id": number} for number in (1, 2, 3)]
    server.script(json_reply({"uploadings": uploads}))
    assert set(hook.upload_states("offline", 24, ["1", "3", "4"])) == {"1", "3"}
    assert only(server).path == f"{MANAGEMENT}/offline_conversions/uploadings?type=BASIC&limit=10000&offset=0"


def test_all_pages_of_offline_uploads(server: ScriptedServer, hook: MetricaHook) -> None:
    uploads = [OFFLINE | {"id": number} for number in range(25_000)]
    pages = [uploads[:10_000], uploads[9_999:19_999], uploads[20_000:]]  # one came in between: all moved on by one
    server.script(*[json_reply({"uploadings": page}) for page in pages])
    assert [each["id"] for each in hook.offline_uploadings()] == [*range(19_999), *range(20_000, 25_000)]
    assert [seen.path.rpartition("&")[2] for seen in server.seen] == ["offset=0", "offset=10000", "offset=20000"]


def test_only_as_many_pages_of_offline_uploads_as_are_needed(server: ScriptedServer, hook: MetricaHook) -> None:
    uploads = [OFFLINE | {"id": number} for number in range(20_000)]
    server.script(json_reply({"uploadings": uploads[:10_000]}), json_reply({"uploadings": uploads[10_000:]}))
    assert set(hook.upload_states("offline", None, ["5", "10005"])) == {"5", "10005"}
    assert len(server.seen) == 2


def test_a_server_that_knows_no_pages_of_offline_uploads(server: ScriptedServer, hook: MetricaHook) -> None:
    server.script(json_reply({"uploadings": [OFFLINE | {"id": number} for number in range(10_000)]}))
    assert len(hook.offline_uploadings()) == 10_000
    assert len(server.seen) == 2


@pytest.mark.parametrize("status", [400, 404])
def test_an_offline_upload_the_service_does_not_list_yet(
    server: ScriptedServer, hook: MetricaHook, status: int
) -> None:
    server.script(
        error_reply(status, "invalid_parameter", "No object with specified ID."), json_reply({"uploadings": []})
    )
    assert hook.upload_states("offline", None, ["5"]) == {}
    assert [seen.path for seen in server.seen][1].startswith(f"{MANAGEMENT}/offline_conversions/uploadings?")


def test_a_counter_that_is_not_there_is_no_upload_to_wait_for(server: ScriptedServer, hook: MetricaHook) -> None:
    server.script(*[error_reply(404, "not_found", "Entity not found") for _ in range(2)])
    with pytest.raises(ServiceRefused, match="counter_id"):
        hook.upload_states("offline", None, ["5"])


# --- the rest ------------------------------------------------------------------------------------------------------

GOAL = {"id": 5, "name": "Заявка", "type": "action", "conditions": [{"type": "exact", "url": "lead"}]}
STATUS = {"id": "packed", "humanized": "Собран", "type": "IN_PROGRESS", "goal_action_ids": ["lead"]}
CALLS: list[tuple[Callable[[MetricaHook], Any], Any, Any, str, str]] = [
    (lambda hook: hook.counter(), {"counter": COUNTER}, COUNTER, "GET", MANAGEMENT),
    (lambda hook: hook.counter(7), {"counter": COUNTER}, COUNTER, "GET", "/management/v1/counter/7"),
    (
        lambda hook: hook.last_uploadings(),
        {"uploadings": [UPLOADING]},
        [UPLOADING],
        "GET",
        f"{CRM}/last_uploadings?limit=1000",
    ),
    (
        lambda hook: hook.last_uploadings(limit=5, before="2020-02-10 10:00:00"),
        {"uploadings": []},
        [],
        "GET",
        f"{CRM}/last_uploadings?limit=5&datetime_offset=2020-02-10+10%3A00%3A00",
    ),
    (
        lambda hook: hook.offline_uploadings(),
        {"uploadings": [OFFLINE]},
        [OFFLINE],
        "GET",
        f"{MANAGEMENT}/offline_conversions/uploadings?type=BASIC&limit=10000&offset=0",
    ),
    (lambda hook: hook.goals(), {"goals": [GOAL]}, [GOAL], "GET", f"{MANAGEMENT}/goals?useDeleted=false"),
    (lambda hook: hook.create_goal(None, "lead", "Заявка"), {"goal": GOAL}, GOAL, "POST", f"{MANAGEMENT}/goals"),
    (
        lambda hook: hook.order_statuses(),
        {"order_statuses": [STATUS]},
        [STATUS],
        "GET",
        f"{CRM}/schema/order_statuses",
    ),
    (
        lambda hook: hook.map_order_statuses(None, [STATUS]),
        {"success": True},
        None,
        "POST",
        f"{CRM}/schema/order_statuses",
    ),
    (
        lambda hook: hook.report(metrics="ym:s:cdpOrdersAllOrders", date1="2025-03-01", dimensions=None),
        {"data": [], "totals": [0]},
        {"data": [], "totals": [0]},
        "GET",
        "/stat/v1/data?ids=24&metrics=ym%3As%3AcdpOrdersAllOrders&date1=2025-03-01",
    ),
]
BODIES = {
    f"{MANAGEMENT}/goals": {
        "goal": {"name": "Заявка", "type": "action", "conditions": [{"type": "exact", "url": "lead"}]}
    },
    f"{CRM}/schema/order_statuses": {"order_statuses": [STATUS]},
}


@pytest.mark.parametrize(("call", "answer", "wanted", "method", "path"), CALLS, ids=[each[4][-50:] for each in CALLS])
def test_calls_on_the_wire(
    server: ScriptedServer,
    hook: MetricaHook,
    call: Callable[[MetricaHook], Any],
    answer: Any,
    wanted: Any,
    method: str,
    path: str,
) -> None:
    server.script(json_reply(answer))
    assert call(hook) == wanted
    seen = only(server)
    assert (seen.method, seen.path) == (method, path)
    assert seen.headers["Accept"] == "application/json"
    if method == "GET":
        assert seen.body == b""
        return
    assert seen.headers["Content-Type"] == "application/json"
    assert json.loads(seen.body) == BODIES[path]
    assert "Заявка".encode() in seen.body or "Собран".encode() in seen.body  # UTF-8, as the service asks


NAMES = [
    "counter",
    "counter",
    "uploadings",
    "uploadings",
    "uploadings",
    "goals",
    "goal",
    "order_statuses",
    None,
    "data",
]


@pytest.mark.parametrize(
    ("call", "name"),
    [(each[0], name) for each, name in zip(CALLS, NAMES, strict=True) if name],
    ids=[f"{each[3]} {each[4][-40:]}" for each, name in zip(CALLS, NAMES, strict=True) if name],
)
@pytest.mark.parametrize("shape", ["none", "list", "null", "text", "other", "items"])
def test_answers_of_another_shape(
    server: ScriptedServer, hook: MetricaHook, call: Callable[[MetricaHook], Any], name: str, shape: str
) -> None:
    as_list = name in ("uploadings", "goals", "order_statuses", "data")
    answer: Any = {
        "none": {},
        "list": [],
        "null": {name: None},
        "text": "ok",
        "other": {name: {} if as_list else []},
        "items": {name: ["ivan@example.com"]},
    }[shape]
    server.script(json_reply(answer))
    with pytest.raises(ServiceUnavailable, match=f"answered without '{name}'") as caught:
        call(hook)
    assert "ivan" not in str(caught.value)


def test_a_goal_is_never_made_twice_by_a_lost_answer(server: ScriptedServer, hook: MetricaHook) -> None:
    for reply in (Reply(act="cut"), error_reply(503, "backend_error", "x")):
        server.script(reply)
        with pytest.raises(ServiceUnavailable) as caught:
            hook.create_goal(None, "lead", "Lead")
        assert caught.value.maybe_applied
        assert len(server.seen) == 1


def test_statuses_may_be_mapped_again_after_a_lost_answer(server: ScriptedServer, hook: MetricaHook) -> None:
    server.script(error_reply(503, "backend_error", "x"), json_reply({"success": True}))
    hook.map_order_statuses(None, [STATUS])
    assert len(server.seen) == 2
