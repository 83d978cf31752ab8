# SPDX-License-Identifier: Apache-2.0
"""Values as people's tables hold them: sent as they were meant, or refused aloud."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowException

from airflow_provider_yandex_orders.exceptions import ConfigurationError, RejectedRowsError
from airflow_provider_yandex_orders.hooks.metrica import MetricaHook
from airflow_provider_yandex_orders.operators.metrica import MetricaUploadContactsOperator as Contacts
from airflow_provider_yandex_orders.operators.metrica import MetricaUploadOfflineConversionsOperator as Conversions
from airflow_provider_yandex_orders.operators.metrica import MetricaUploadOrdersOperator as Orders
from airflow_provider_yandex_orders.operators.metrica import MetricaUploadSimpleOrdersOperator as SimpleOrders
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sources import FileSource

Run = Callable[..., Any]
NOW = datetime.now(UTC)
MADE = (NOW - timedelta(days=2)).strftime("%Y-%m-%d 10:00:00")
ORDER = {"id": "7", "create_date_time": MADE, "emails": "a@example.com"}
FULL = {"id": "7", "client_uniq_id": "C-1", "create_date_time": MADE, "order_status": "PAID"}
CONVERSION = {"ClientId": "1700000000123456789", "Target": "paid", "DateTime": int(NOW.timestamp()) - 9000}


LISTS = ("client_ids", "emails", "phones", "goals")


class Whole:
    """A whole number of another library: it has an index and nothing else."""

    def __index__(self) -> int:
        return 3


def stored(metrica: SandboxServer, kind: str = "simple_orders") -> dict[str, Any]:
    (found,) = metrica.client.orders(101, kind=kind)
    return dict(found)


def rejected(run: Run, operator: type, row: dict[str, Any], code: str, **arguments: Any) -> str:
    with pytest.raises(RejectedRowsError, match=f"1 {code}") as caught:
        run(operator, source=[row], **arguments)
    return str(caught.value)


@pytest.mark.parametrize("operator", [SimpleOrders, Orders])
def test_goals_and_goal_statuses_the_counter_does_not_have(
    metrica: SandboxServer, run: Run, goals: Callable[..., None], operator: type, caplog: pytest.LogCaptureFixture
) -> None:
    goals("lead_ok")
    row = FULL if operator is Orders else ORDER
    rejected(run, operator, {**row, "goals": "lead_okk:5"}, "unknown_target")
    assert "did you mean 'lead_ok'?" in " ".join(each.getMessage().strip() for each in caplog.records)
    rejected(run, operator, {**row, "order_status": "Оплачен"}, "unknown_status")
    rejected(run, operator, {**row, "order_status": "done"}, "unknown_status", status_map={"done": "lead_o"})
    rows = [{**row, "id": str(n), "goals": "lead_ok", "order_status": "lead_ok"} for n in range(5)]
    before = len(metrica.client.requests())
    assert run(operator, source=rows)["rows_sent"] == 5
    asked = [each["path"] for each in metrica.client.requests()[before:]]
    assert len([path for path in asked if path.endswith("/goals")]) == 1
    assert run(operator, source=[{**row, "goals": "unseen"}], check_targets=False, dry_run=True)["rows_prepared"] == 1


def test_statuses_of_the_counters_own_mapping_need_no_goal(metrica: SandboxServer, run: Run) -> None:
    MetricaHook().map_order_statuses(101, [{"id": "packed", "type": "IN_PROGRESS"}])
    run(Orders, source=[{**FULL, "order_status": "packed"}])
    assert stored(metrica, "orders")["order_status"] == "packed"


@pytest.mark.parametrize(
    ("status_map", "value", "meant"),
    [
        ({"": "IN_PROGRESS"}, "", "IN_PROGRESS"),
        ({"": "IN_PROGRESS"}, None, "IN_PROGRESS"),
        ({"": "IN_PROGRESS", "ok": "PAID"}, "ok", "PAID"),
        ({True: "PAID", False: "IN_PROGRESS"}, False, "IN_PROGRESS"),
        ({"true": "PAID", "false": "IN_PROGRESS"}, "False", "IN_PROGRESS"),
        ({1: "PAID", 0: "SPAM"}, False, "SPAM"),
        *(({"True": "PAID", "False": "SPAM"}, value, "SPAM") for value in (False, 0, "0", "FALSE")),
        ({"True": "SPAM", "False": "PAID"}, 1, "SPAM"),
        ({True: "SPAM", "new": "PAID"}, "1", "SPAM"),
        ("{'done': 'CANCELLED'}", "done", "CANCELLED"),
        ('{"done": "CANCELLED"}', "done", "CANCELLED"),
    ],
)
def test_a_status_told_by_emptiness_or_truth(
    metrica: SandboxServer, run: Run, status_map: Any, value: Any, meant: str
) -> None:
    run(SimpleOrders, source=[{**ORDER, "order_status": value}], status_map=status_map)
    assert stored(metrica)["order_status"] == meant


@pytest.mark.parametrize("operator", [SimpleOrders, Orders])
@pytest.mark.parametrize("status_map", [{None: "PAID"}, {None: "PAID", "x": "SPAM"}, {"True": "PAID", True: "SPAM"}])
def test_a_map_that_cannot_be_obeyed_is_told_while_the_dag_is_parsed(operator: Any, status_map: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"status_map .*(\"\" for an empty status|two things)"):
        operator(task_id="t", source=[], status_map=status_map)


@pytest.mark.parametrize("operator", [SimpleOrders, Orders])
def test_an_empty_status_is_mapped_to_a_goal_the_counter_has_or_nothing_is_sent(
    metrica: SandboxServer, run: Run, goals: Callable[..., None], operator: Any
) -> None:
    goals("lead_ok")
    row = {**(FULL if operator is Orders else ORDER), "order_status": ""}
    with pytest.raises(ConfigurationError, match=r'status_map\[""\].*neither a status nor a goal.*lead_ok'):
        run(operator, source=[row], status_map={"": "lead_okk"})
    assert metrica.client.orders(101) == []
    assert run(operator, source=[row], status_map={"": "lead_ok"})["rows_sent"] == 1


def test_birth_dates_the_service_does_not_take_are_left_out_and_told(metrica: SandboxServer, run: Run) -> None:
    born = ["04.03.1960", "1969-12-31", "01.02.55", "1930-05-05", "1941-05-05", "01.02.98", "0001-01-01", "1900-01-01"]
    rows = [{"uniq_id": f"C{n}", "name": "Null", "birth_date": date} for n, date in enumerate(born)]
    delivery = run(Contacts, source=rows)
    assert (delivery["rows_sent"], delivery["values_dropped"]) == (8, 6)
    codes = [json.loads(line)["code"] for line in Path(delivery["dropped_path"]).read_text().splitlines()]
    assert sorted(codes) == [*["bad_date"] * 2, *["before_1970"] * 4]
    held = {each["uniq_id"]: each for each in metrica.client.contacts()}
    assert [held[f"C{n}"].get("birth_date") for n in range(8)] == [None] * 8
    assert {each["name"] for each in held.values()} == {"Null"}  # free text: a name may be such a word


def test_what_a_lookup_did_not_find_is_empty_and_told(
    metrica: SandboxServer, run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    run(SimpleOrders, source=[{**ORDER, "order_status": "#N/A", "revenue": "#Н/Д"}])
    assert "2 cells hold #N/A" in caplog.text


def test_products_are_names_and_quantities_or_nothing(metrica: SandboxServer, run: Run) -> None:
    run(Orders, source=[{**FULL, "products": "None,NULL,'plum:2"}])
    assert stored(metrica, "orders")["products"] == ["plum:2"]
    rejected(run, Orders, {**FULL, "id": "8", "products": "nan:2"}, "bad_products")
    rejected(run, Orders, {**FULL, "id": "8", "products": {"88.0": 2}}, "float_id")


def test_goal_prices_and_defaults_are_written_as_the_source_is(
    metrica: SandboxServer, run: Run, goals: Callable[..., None], tmp_path: Path
) -> None:
    goals("lead")
    file = tmp_path / "orders.jsonl"
    price = {"goal_action_id": "lead", "price": "1'099,90"}
    file.write_text(json.dumps({**ORDER, "goals": [price]}) + "\n" + json.dumps({**ORDER, "id": "8"}) + "\n")
    run(SimpleOrders, source=FileSource(str(file), decimal=","), defaults={"cost": "1 000,50", "goals": "lead:5"})
    held = {each["id"]: (each["goals"], each["cost"]) for each in metrica.client.orders(101)}
    assert held == {"7": (["lead:1099.90"], "1000.50"), "8": (["lead:5"], "1000.50")}
    with pytest.raises(ConfigurationError, match="defaults"):
        run(SimpleOrders, source=FileSource(str(file), decimal=","), defaults={"cost": "1.234"})


@pytest.mark.parametrize(
    ("region", "number", "sent"),
    [
        ("DE", "8 999 123-45-67", None),
        ("DE", "8 (495) 123-45-67", None),  # of Moscow, not of Vietnam
        ("DE", "030 901820", "4930901820"),
        ("DE", "+7 999 123-45-67", "79991234567"),
        ("RU", "8 495 123-45-67", "74951234567"),
        ("VN", "84951234567", "84951234567"),
        (None, "8 (495) 123-45-67", None),
    ],
)
def test_a_number_of_two_countries_is_of_none(
    metrica: SandboxServer, run: Run, region: Any, number: str, sent: str | None
) -> None:
    delivery = run(SimpleOrders, source=[{**ORDER, "phones": number}], phone_region=region)
    assert (stored(metrica)["phones"] or []) == ([sent] if sent else [])
    assert delivery["values_dropped"] == (0 if sent else 1)


def test_a_word_the_source_reads_as_nothing_cannot_be_mapped(metrica: SandboxServer, run: Run) -> None:
    with pytest.raises(ConfigurationError, match="status_map cannot map NULL"):
        run(SimpleOrders, source=[ORDER], status_map={"NULL": "SPAM"})


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        ({"revenue": "1500.50 руб."}, {"revenue": "1500.50"}),
        ({"revenue": "₽ 1500", "currency": "RUR"}, {"revenue": "1500", "currency": "RUB"}),
        ({"revenue": "7 €", "currency": "eur"}, {"revenue": "7", "currency": "EUR"}),
        ({"revenue": Fraction(5, 4)}, {"revenue": "1.25"}),
        ({"revenue": Whole()}, {"revenue": "3"}),
        ({"emails": "a@example.com; b@example.com\nC@example.com"}, {"emails": [f"{n}@example.com" for n in "abc"]}),
        (
            {"emails": "\u202aa\u200b@example.com\ufeff", "id": "\u200e7\u00ad"},
            {"emails": ["a@example.com"], "id": "7"},
        ),
        ({"phones": "8 (999) 000-00-00 доб. 12; +7 999 000-00-01"}, {"phones": ["79990000000", "79990000001"]}),
        ({"create_date_time": "3.11.2026 9:07:00"}, {"create_date_time": "2026-11-03 09:07:00"}),
        ({"create_date_time": "03.11.2026 9:07"}, {"create_date_time": "2026-11-03 09:07:00"}),
        ({"client_ids": "\u200b"}, {"client_ids": []}),
        (
            {"emails": "None,a@example.com; NULL", "client_ids": ["nan", "NaT"]},
            {"emails": ["a@example.com"], "client_ids": []},
        ),
        ({"phones": "\u202a+7 999\u00ad000-00-00\u202c,'+7 999 000-00-01"}, {"phones": ["79990000000", "79990000001"]}),
        (
            {"id": "'A-7", "emails": "'a@example.com,'b@example.com"},
            {"id": "A-7", "emails": ["a@example.com", "b@example.com"]},
        ),
        ({"revenue": "1 234.50", "cost": "1'000"}, {"revenue": "1234.50", "cost": "1000"}),
        (
            {"revenue": "\ufeff1\u00a0234.50\u00a0руб.\u200e", "currency": "руб."},
            {"revenue": "1234.50", "currency": "RUB"},
        ),
        ({"revenue": "5 €", "currency": "€"}, {"revenue": "5", "currency": "EUR"}),
        ({"currency": "₽"}, {"currency": "RUB"}),
        ({"currency": "$"}, {"currency": "USD"}),
        ({"create_date_time": "\u200b3.11.2026\u00a09:07\ufeff"}, {"create_date_time": "2026-11-03 09:07:00"}),
        (
            {"order_status": "\u200eSP\u00adAM", "goals": "lead\u200b:5\ufeff"},
            {"order_status": "SPAM", "goals": ["lead:5"]},
        ),
        ({"goals": "lead:NULL,none,call:1 234.50"}, {"goals": ["lead", "call:1234.50"]}),
        ({"client_uniq_id": "None", "cost": "NONE", "currency": "Null"}, {"client_uniq_id": None, "cost": None}),
        ({"cost": "#Н/Д", "client_uniq_id": "#n/a", "currency": "NaT"}, {"client_uniq_id": None, "cost": None}),
    ],
)
def test_read_as_it_was_meant(metrica: SandboxServer, run: Run, fields: dict[str, Any], sent: dict[str, Any]) -> None:
    run(SimpleOrders, source=[{**ORDER, **fields}], check_targets=False)
    found = stored(metrica)
    assert {name: found[name] or ([] if name in LISTS else None) for name in sent} == sent


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"id": "88.0"}, "float_id"),
        ({"client_uniq_id": "4,2E+17"}, "float_id"),
        ({"client_ids": "1,712,345,678"}, "bad_client_id"),
        ({"client_ids": "00000000000"}, "bad_client_id"),
        ({"client_ids": 0}, "bad_client_id"),
        *(
            ({"goals": goals}, "decimal_comma")
            for goals in ("lead:99,90", "lead:1,234.50", "lead:99,90р", "99,90 руб.")
        ),
        *(
            ({"goals": [{"goal_action_id": "lead", "price": 99}, last]}, "decimal_comma")
            for last in (90, "90", "234.50")
        ),
        *(({"id": changed}, "float_id") for changed in ("1 234,00", "-88.0", "88.", "1\u00a0234.00")),
        *(({"id": f"7{sign}8"}, "control_sign") for sign in "\x00\n\t\x1f\x85"),
        *(({"id": error}, "sheet_error") for error in ("#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#ССЫЛКА!")),
        ({"revenue": "#REF!"}, "sheet_error"),
        ({"order_status": "#ЗНАЧ!"}, "sheet_error"),
        ({"id": "NaT"}, "missing"),
        ({"id": "#Н/Д"}, "missing"),
        ({"create_date_time": "0001-01-01T00:00:00+02:30:17"}, "missing"),
        ({"create_date_time": "1900-01-01"}, "missing"),
        ({"create_date_time": "1601-01-01T00:00:00Z"}, "missing"),
        ({"revenue": "5 $"}, "other_currency"),
        ({"revenue": "5 руб", "currency": "EUR"}, "other_currency"),
        ({"revenue": "5 штук"}, "not_a_number"),
        ({"revenue": Fraction(1, 3)}, "not_a_number"),
        ({"revenue": "9223372036855"}, "too_much"),
        ({"client_ids": list(range(10**9, 10**9 + 501))}, "too_much"),
        ({"emails": [f"a{n}@example.com" for n in range(51)]}, "too_much"),
        ({"phones": [79990000000 + n for n in range(51)]}, "too_much"),
        ({"emails_md5": [f"{n:032x}" for n in range(51)]}, "too_much"),
        ({"goals": [f"g{n}" for n in range(101)]}, "too_much"),
        ({"cost": "9223372036854.01"}, "too_much"),
        ({"create_date_time": "0000-00-00 00:00:00"}, "missing"),
        ({"create_date_time": "11/03/2026"}, "bad_date"),
        ({"currency": "BYR"}, "old_currency"),
    ],
)
def test_refused_aloud(metrica: SandboxServer, run: Run, fields: dict[str, Any], code: str) -> None:
    rejected(run, SimpleOrders, {**ORDER, **fields}, code, check_targets=False)
    assert metrica.client.orders(101) == []


def test_the_services_limits_are_the_sandboxs_too(metrica: SandboxServer, run: Run, tmp_path: Path) -> None:
    rejected(run, Orders, {**FULL, "user_comment": "x" * 1001}, "too_much")
    run(Orders, source=[{**FULL, "user_comment": "x" * 1000}])
    assert len(stored(metrica, "orders")["user_comment"]) == 1000
    for name, most in {"emails": 50, "client_ids": 500}.items():
        for count in (most, most + 1):
            values = ",".join(f"1{n:09}" if name == "client_ids" else f"a{n}@example.com" for n in range(count))
            path = tmp_path / "orders.csv"
            path.write_text(f'id,create_date_time,{name}\n7,{MADE},"{values}"\n')
            answer = MetricaHook().upload_simple_orders(101, str(path))
            assert answer["api_validation_status"] == ("PASSED" if count == most else "FAILED")


def test_identifiers_that_are_the_same_are_sent_once(metrica: SandboxServer, run: Run) -> None:
    row = {"emails": "A@example.com, a@example.com", "phones": ["8 999 000-00-00", "+79990000000"]}
    run(SimpleOrders, source=[{**ORDER, **row, "client_ids": [1712345678, "1712345678"]}])
    held = stored(metrica)
    assert (held["emails"], held["phones"]) == (["a@example.com"], ["79990000000"])
    assert held["client_ids"] == ["1712345678"]


def test_quantities_of_other_libraries(metrica: SandboxServer, run: Run) -> None:
    run(Orders, source=[{**FULL, "products": {"pear": Decimal("3.000"), "plum": Whole()}}], upload_format="csv")
    assert stored(metrica, "orders")["products"] == ["pear:3", "plum:3"]


def test_defaults_stand_for_what_is_empty(metrica: SandboxServer, run: Run) -> None:
    rows = [{**ORDER, "currency": ""}, {**ORDER, "id": "8", "currency": "USD"}]
    run(SimpleOrders, source=rows, defaults='{"currency": "EUR", "order_status": "SPAM"}')
    held = {each["id"]: (each["currency"], each["order_status"]) for each in metrica.client.orders(101)}
    assert held == {"7": ("EUR", "SPAM"), "8": ("USD", "SPAM")}
    for defaults in ({"id": "5"}, {"currency": "roubles"}, {"nothing": 1}):
        with pytest.raises(ConfigurationError, match="defaults"):
            run(SimpleOrders, source=rows, defaults=defaults)


def test_a_column_that_is_mostly_lost_fails_the_task(metrica: SandboxServer, run: Run) -> None:
    rows = [{**ORDER, "id": str(n), "phones": "+7 (0) 900" if n % 2 else "9990000000"} for n in range(20)]
    with pytest.raises(RejectedRowsError, match=r"10 of 20 values of column 'phones'.*10 bad_phone.*max_dropped"):
        run(SimpleOrders, source=rows)
    assert metrica.client.orders(101) == []
    for enough in (0.5, "10"):
        assert run(SimpleOrders, source=rows, max_dropped=enough)["values_dropped"] == 10
    few = [{**ORDER, "phones": "nobody"}]
    assert run(SimpleOrders, source=few)["values_dropped"] == 1
    with pytest.raises(RejectedRowsError, match="1 of 1 values"):
        run(SimpleOrders, source=few, max_dropped=0)


def test_the_region_completes_phones_and_the_log_counts_them(
    metrica: SandboxServer, run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    run(SimpleOrders, source=[{**ORDER, "phones": "29 123-45-67"}], phone_region="by")
    assert stored(metrica)["phones"] == ["375291234567"]
    assert "1 rows have phones without a country code" in caplog.text
    delivery = run(SimpleOrders, source=[{**ORDER, "phones": "29 123-45-67"}], phone_region=None)
    assert delivery["values_dropped"] == 1


def test_old_and_future_rows_are_counted(
    metrica: SandboxServer, run: Run, goals: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    goals("paid")
    days = [{**CONVERSION, "DateTime": NOW - timedelta(days=each)} for each in (1, 22, 40)]
    delivery = run(Conversions, source=days)
    assert (delivery["rows_sent"], delivery["rows_old"]) == (3, 2)
    assert "2 rows are too_old: each was made more than 21 days ago" in caplog.text
    rows = [{**ORDER, "id": str(n), "create_date_time": date} for n, date in enumerate([NOW, "2062-01-01", MADE])]
    delivery = run(SimpleOrders, source=rows, source_timezone="UTC")
    assert (delivery["rows_sent"], delivery["rows_future"]) == (3, 1)
    assert "1 rows are dated in the future" in caplog.text


def test_what_the_log_tells_of_statuses_and_of_rejects(
    metrica: SandboxServer, run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    rows = [{**ORDER, "id": str(n), "order_status": "return/exchange" if n % 3 else "new"} for n in range(9)]
    rows += [{**ORDER, "id": "x", "create_date_time": "soon"}]
    run(SimpleOrders, source=rows, status_map={"new": "IN_PROGRESS"}, max_rejected=9)
    assert "Statuses in the source: 'return/exchange' 6, 'new' 3" in caplog.text
    lines = [each.getMessage() for each in caplog.records]
    here = lines.index("           7  rejected")
    told = [line.strip().split(", ")[0] for line in lines[here + 1 :]]
    codes, fixes = ([line for line in told if line.startswith(word)] for word in ("rejected: ", "fix: "))
    assert codes == ["rejected: 6 unmapped_status", "rejected: 1 bad_date"]
    assert len(fixes) == 2
    assert told[told.index("all in:") + 1].endswith("rejected.jsonl")
    assert told[-1].startswith("next: correct the rejected rows")
    assert all(len(line) <= 85 for line in lines if "/" not in line)
    caplog.clear()
    personal = [{**ORDER, "id": str(n), "order_status": "Иванов Иван"} for n in range(3)]
    with pytest.raises(RejectedRowsError):
        run(SimpleOrders, source=personal, status_map={"new": "PAID"})
    assert "Statuses in the source" not in caplog.text


ODD: list[Any] = [5, 2.5, True, ["x"], {"a": "b"}, "nonsense", ""]


@pytest.mark.parametrize(
    ("operator", "row"),
    [(SimpleOrders, ORDER), (Conversions, CONVERSION), (Orders, FULL), (Contacts, {"uniq_id": 5})],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_whatever_rendering_makes_of_an_argument_it_works_or_is_told(
    metrica: SandboxServer, run: Run, goals: Callable[..., None], operator: Any, row: dict[str, Any]
) -> None:
    goals("paid")
    names = {name.removeprefix("_") for name in operator.template_fields} - {"source", "dry_run", "staging_path"}
    for name in sorted(names):
        for value in ODD:
            try:
                run(operator, source=[row], dry_run=True, **{name: value})
            except AirflowException as error:
                assert len(str(error)) > 10  # noqa: PT017 - many arguments, one test


def test_native_values_that_mean_something_are_taken(metrica: SandboxServer, run: Run, goals: Any) -> None:
    goals("paid")
    delivery = run(Conversions, source=[CONVERSION], comment=20261126, max_rejected="0.01", counter_id="101")
    assert delivery["rows_sent"] == 1


@pytest.mark.parametrize("price", [{"Price": 500}, {"revenue": "500"}])
def test_a_goal_whose_price_has_another_name_is_not_sent_without_it(
    metrica: SandboxServer, run: Run, goals: Callable[..., None], price: dict[str, Any]
) -> None:
    goals("lead")
    rejected(run, SimpleOrders, {**ORDER, "goals": [{"goal_action_id": "lead", **price}]}, "bad_goal")
    run(SimpleOrders, source=[{**ORDER, "goals": [{"goal_action_id": "lead", "price": 5, "name": "Lead"}]}])
    assert stored(metrica)["goals"] == ["lead:5"]


@pytest.mark.parametrize("word", ["", " ", "NULL", "none", "nan"])
@pytest.mark.parametrize("column", ["emails_md5", "phones_md5"])
def test_a_sum_of_nothing_is_no_customer(metrica: SandboxServer, run: Run, column: str, word: str) -> None:
    rejected(run, SimpleOrders, {**ORDER, column: hashlib.md5(word.encode()).hexdigest()}, "bad_md5")


@pytest.mark.parametrize("day", ["2026-11-20+03:00", "2026-11-20-05:00", "20261120+0300", "2026-11-20Z"])
def test_the_zone_of_a_day_is_no_time(metrica: SandboxServer, run: Run, day: str) -> None:
    rejected(run, SimpleOrders, {**ORDER, "create_date_time": day}, "bad_date")
    rejected(run, Conversions, {**CONVERSION, "DateTime": day}, "bad_date", check_targets=False)


@pytest.mark.parametrize("value", [datetime(2026, 5, 12), date(2026, 5, 12), time(10, 30)])
def test_a_date_that_a_spreadsheet_made_of_an_id_is_none(metrica: SandboxServer, run: Run, value: Any) -> None:
    rejected(run, SimpleOrders, {**ORDER, "id": value}, "not_text")
    rejected(run, Orders, {**FULL, "client_uniq_id": value}, "not_text")
    rejected(run, Conversions, {**CONVERSION, "UserId": value}, "not_text", check_targets=False)


@pytest.mark.parametrize("value", ["####", "########", "Err:502", "#GETTING_DATA"])
def test_what_a_spreadsheet_shows_in_place_of_a_value_is_no_id(metrica: SandboxServer, run: Run, value: str) -> None:
    rejected(run, SimpleOrders, {**ORDER, "id": value}, "sheet_error")


@pytest.mark.parametrize("value", ["undefined", "(null)", "(NULL)"])
def test_words_for_nothing_of_browsers_and_databases(metrica: SandboxServer, run: Run, value: str) -> None:
    rejected(run, SimpleOrders, {**ORDER, "id": value}, "missing")
    run(SimpleOrders, source=[{**ORDER, "client_uniq_id": value}])
    assert not stored(metrica)["client_uniq_id"]


def test_a_comma_that_parts_thousands_before_a_point(metrica: SandboxServer, run: Run) -> None:
    run(SimpleOrders, source=[{**ORDER, "revenue": "$1,234,567.80", "cost": "1,234.5", "currency": "USD"}])
    assert (stored(metrica)["revenue"], stored(metrica)["cost"]) == ("1234567.80", "1234.5")
    for value in ("1,234", "12,34.5", "1,2345.6", "1.234,56"):
        with pytest.raises(RejectedRowsError):
            run(SimpleOrders, source=[{**ORDER, "revenue": value}])


def test_client_ids_are_parted_as_other_identifiers(metrica: SandboxServer, run: Run) -> None:
    ids = ["1700000000123456789", "1700000000123456790", "1700000000123456791"]
    run(SimpleOrders, source=[{**ORDER, "client_ids": f"{ids[0]};{ids[1]}\n{ids[2]}"}])
    assert stored(metrica)["client_ids"] == ids


def test_zero_is_no_click(metrica: SandboxServer, run: Run) -> None:
    row = {"Yclid": "0", "Target": "paid", "DateTime": CONVERSION["DateTime"]}
    rejected(run, Conversions, row, "bad_client_id", check_targets=False)


def test_false_and_zero_are_statuses_in_the_log(
    metrica: SandboxServer, run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [{**ORDER, "id": str(n), "order_status": value} for n, value in enumerate([False, 0, None])]
    with caplog.at_level(logging.INFO):
        run(SimpleOrders, source=rows, status_map={True: "PAID", False: "SPAM"})
    assert "Statuses in the source: '' 1, '0' 1, 'False' 1." in caplog.text
