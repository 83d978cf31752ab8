# SPDX-License-Identifier: Apache-2.0
"""Contacts and orders: what is particular to the full mode."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from airflow_provider_yandex_orders.exceptions import ConfigurationError, RejectedRowsError
from airflow_provider_yandex_orders.hooks.metrica import MetricaHook
from airflow_provider_yandex_orders.operators.metrica import (
    MetricaUploadContactsOperator,
    MetricaUploadOrdersOperator,
)
from airflow_provider_yandex_orders.sandbox.server import SandboxServer

Run = Callable[..., Any]
SAMPLE = Path(__file__).with_name("orders_sample.json")


def contact(number: int, **fields: Any) -> dict[str, Any]:
    return {"uniq_id": f"C-{number}", "emails": f"Buyer{number}@example.com", **fields}


def order(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "id": f"A-{number}",
        "client_uniq_id": f"C-{number}",
        "create_date_time": "2026-11-01 10:00:00",
        "order_status": "PAID",
        **fields,
    }


def _goal(shown: str) -> tuple[str, Decimal | None]:
    name, _, price = shown.partition(":")
    return name, Decimal(price) if price else None


def test_the_vendors_sample_passes_unchanged_in_meaning(
    metrica: SandboxServer, run: Run, goals: Callable[..., None]
) -> None:
    goals("goal_id1", "goal_id2")
    MetricaHook().upload_orders(103, str(SAMPLE))
    rows = msgspec.json.decode(SAMPLE.read_bytes())["orders"]
    delivery = run(MetricaUploadOrdersOperator, source=rows)
    written = msgspec.json.decode(Path(delivery["parts"][0]["path"]).read_bytes())
    assert written["orders"] == rows

    def held(counter_id: int) -> list[dict[str, Any]]:
        left_out = {"counter_id", "upload_ids"}
        orders = metrica.client.orders(counter_id, kind="orders")
        return [{name: value for name, value in each.items() if name not in left_out} for each in orders]

    assert held(101) == held(103) != []


@pytest.mark.parametrize("upload_format", ["json", "csv"])
def test_goals_and_products_arrive_alike(
    metrica: SandboxServer, run: Run, goals: Callable[..., None], upload_format: str
) -> None:
    goals("call", "lead")
    rows = [
        order(1, goals="call:300.50,lead", products={"pear": 10, "apple": 2}),
        order(2, goals=[{"goal_action_id": "call", "price": 5}], products="pear:1"),
    ]
    run(MetricaUploadOrdersOperator, source=rows, upload_format=upload_format)
    held = {each["id"]: each for each in metrica.client.orders(101, kind="orders")}
    arrived = [[_goal(each) for each in held[key]["goals"]] for key in ("A-1", "A-2")]
    assert arrived == [[("call", Decimal("300.5")), ("lead", None)], [("call", Decimal(5))]]
    assert [held["A-1"]["products"], held["A-2"]["products"]] == [["pear:10", "apple:2"], ["pear:1"]]


def test_the_newest_version_of_an_order_is_sent(metrica: SandboxServer, run: Run) -> None:
    rows = [
        order(1, revenue=3, update_date_time="2026-11-03T00:00:00+03:00"),
        order(1, revenue=1, update_date_time="2026-11-02T23:00:00Z"),
        order(1, revenue=2, update_date_time="2026-11-02T20:59:59Z"),
    ]
    delivery = run(MetricaUploadOrdersOperator, source=rows)
    assert (delivery["rows_sent"], delivery["rows_duplicate"]) == (1, 2)
    assert metrica.client.orders(101, kind="orders")[0]["revenue"] == "1"


class TestCustomers:
    def test_too_many_orders_of_one_customer(
        self, metrica: SandboxServer, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def guests() -> list[dict[str, Any]]:
            return [order(number, client_uniq_id="guest") for number in range(100_001)]

        with pytest.raises(RejectedRowsError, match=r"100,001 rows, and the service takes 100,000"):
            run(MetricaUploadOrdersOperator, source=guests())
        assert not metrica.client.uploads(101)


class TestAttributes:
    @pytest.fixture(autouse=True)
    def attributes(self, metrica: SandboxServer) -> None:
        MetricaHook().client.call(
            "POST",
            "/cdp/api/v1/counter/101/schema/attributes",
            doing="Create attributes",
            params={"entity_type": "CONTACT"},
            json={"attributes": [{"name": "segment", "multivalued": False}, {"name": "cities", "multivalued": True}]},
        )

    @pytest.mark.parametrize("upload_format", ["json", "csv"])
    def test_custom_attributes_arrive(self, metrica: SandboxServer, run: Run, upload_format: str) -> None:
        delivery = run(
            MetricaUploadContactsOperator,
            source=[contact(1, tier="gold; best", lived=["Omsk", "Tver"]), contact(2, tier=None)],
            upload_format=upload_format,
            attributes={"segment": "tier", "cities": "lived"},
        )
        assert delivery["parts"][0]["status"] == "PASSED"
        assert [each["attributes"] for each in metrica.client.contacts(101)] == [
            {"segment": "gold; best", "cities": ["Omsk", "Tver"]},
            {},
        ]

    @pytest.mark.parametrize(("upload_format", "where"), [("json", "attribute_values."), ("csv", "")])
    def test_a_second_task_sends_what_the_first_prepared(
        self, metrica: SandboxServer, run: Run, upload_format: str, where: str
    ) -> None:
        arguments = {"upload_format": upload_format, "merge_mode": "UPDATE"}
        attributes = {"segment": "tier", "cities": "lived"}
        source = [contact(1, tier="gold", lived=["Omsk", "Tver"])]
        prepared = run(
            MetricaUploadContactsOperator,
            task_id="prepare",
            source=source,
            attributes=attributes,
            send=False,
            **arguments,
        )
        again = {name: f"{where}{name}" for name in attributes}
        run(MetricaUploadContactsOperator, source=prepared, attributes=again, **arguments)
        assert metrica.client.contacts(101)[0]["attributes"] == {"segment": "gold", "cities": ["Omsk", "Tver"]}

    @pytest.mark.parametrize("name", ["a b", "emails", ""])
    def test_names_that_cannot_be(self, run: Run, name: str) -> None:
        with pytest.raises(ConfigurationError, match="attributes"):
            run(MetricaUploadContactsOperator, source=[contact(1)], attributes={name: "x"}, upload_format="csv")


class TestHashingInATaskOfItsOwn:
    @pytest.mark.parametrize("upload_format", ["json", "csv"])
    def test_clear_data_stays_with_the_first_task(self, metrica: SandboxServer, run: Run, upload_format: str) -> None:
        prepared = run(
            MetricaUploadContactsOperator,
            task_id="hash",
            source=[contact(1, phones="8 999 555-11-11", name="Ivan")],
            hash_identifiers=True,
            send=False,
            upload_format=upload_format,
        )
        assert metrica.client.requests() == []
        assert [part["status"] for part in prepared["parts"]] == ["PREPARED"]
        written = Path(prepared["parts"][0]["path"]).read_text()
        assert "example.com" not in written
        assert "9995551111" not in written
        run(
            MetricaUploadContactsOperator,
            task_id="upload",
            source=prepared,
            refuse_clear_identifiers=True,
            upload_format=upload_format,
        )
        (held,) = metrica.client.contacts(101)
        assert held["phones_md5"] == ["f09f2c3d48f31e2a802944ade2e5aec5"]

    def test_the_second_task_refuses_clear_data(self, metrica: SandboxServer, run: Run) -> None:
        with pytest.raises(RejectedRowsError, match="clear_identifier"):
            run(MetricaUploadContactsOperator, source=[contact(1)], refuse_clear_identifiers=True)
        assert not metrica.client.uploads(101)


def test_json_parts_keep_to_two_megabytes(metrica: SandboxServer, run: Run) -> None:
    rows = [contact(number, name="x" * 900) for number in range(4000)]
    delivery = run(MetricaUploadContactsOperator, source=rows)
    assert len(delivery["parts"]) == 2
    assert all(part["bytes"] <= 2_000_000 for part in delivery["parts"])
    assert len(metrica.client.contacts(101, limit=5000)) == 4000


def test_fields_only_json_has_are_refused_in_csv(run: Run) -> None:
    from airflow_provider_yandex_orders.exceptions import SourceError
    from airflow_provider_yandex_orders.sources import FileSource

    with pytest.raises(SourceError, match="no field 'birth_date'"):
        run(
            MetricaUploadContactsOperator,
            source=FileSource("contacts.csv", columns={"birth_date": "born"}),
            upload_format="csv",
        )


def test_an_unknown_format(run: Run) -> None:
    with pytest.raises(ConfigurationError, match="upload_format"):
        run(MetricaUploadOrdersOperator, source=[order(1)], upload_format="xml")
