# SPDX-License-Identifier: Apache-2.0
"""The platform's own samples of an order, JSON and XML: one row makes both, and the sandbox takes both."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from airflow_provider_yandex_orders.operators.altcraft import AltcraftImportOrdersOperator
from airflow_provider_yandex_orders.sandbox.server import SandboxServer

JSON_SAMPLE: list[dict[str, Any]] = json.loads(Path(__file__).with_name("altcraft_order_sample.json").read_text())
XML_SAMPLE = Path(__file__).with_name("altcraft_order_sample.xml").read_bytes()

ROW: dict[str, Any] = {
    "external_id": 123456,
    "matching": "EMAIL",
    "email": " JohnDoe@Example.com",
    "endpoint": "endpoint_external_id",
    "tags": "one, two",
    "status": "new",
    "delivery_cost": 100,
    "total_price": "1000",
    "currency": "usd",
    "custom_fields": '{"order_field_id_1": "data", "order_field_id_2": 123}',
    "region": "region_external_id",
    "lines": [
        {
            "external_id": "1234000",
            "status": "new",
            "sku": "sku_external_id",
            "final_price_per_item": "900",
            "count": "5",
            "custom_fields": {"line_field_id_2": "data", "line_field_id_1": 123},
        }
    ],
}
"""The samples' order as a CRM may have it: other types and spellings, and two prices left to be filled."""


@pytest.fixture
def part(altcraft: SandboxServer, context: Callable[..., Any], tmp_path: Path) -> Callable[[str], bytes]:
    """Gives the file that is made of the row and nothing else."""

    def write(body_format: str) -> bytes:
        operator = AltcraftImportOrdersOperator(
            task_id="import",
            source=[ROW],
            skip_triggers=True,
            body_format=body_format,
            dry_run=True,
            staging_path=str(tmp_path),
        )
        (written,) = operator.execute(context())["parts"]
        return Path(written["path"]).read_bytes()

    return write


def meaning(element: ET.Element) -> Any:
    """An element as names and texts; what repeats is a list."""
    children = list(element)
    if not children:
        return element.text
    found: dict[str, Any] = {}
    for child in children:
        found.setdefault(child.tag, []).append(meaning(child))
    return found


def as_texts(value: Any) -> Any:
    """JSON as XML has it: all values texts, all elements lists."""
    if isinstance(value, dict):
        return {
            name: [as_texts(each) for each in (held if isinstance(held, list) else [held])]
            for name, held in value.items()
        }
    return str(value)


def test_the_row_makes_the_json_sample(part: Callable[[str], bytes]) -> None:
    assert json.loads(part("json")) == {"altcraft_orders": JSON_SAMPLE}


def test_the_row_makes_the_xml_sample(part: Callable[[str], bytes]) -> None:
    made, sample = meaning(ET.fromstring(part("xml"))), meaning(ET.fromstring(XML_SAMPLE))
    # The one difference between the samples themselves: the status of the line.
    assert sample["row"][0]["lines"][0].pop("status") == ["0001"]
    assert made["row"][0]["lines"][0].pop("status") == ["new"]
    assert made == sample


def test_both_say_the_same(part: Callable[[str], bytes]) -> None:
    assert meaning(ET.fromstring(part("xml")))["row"] == [as_texts(JSON_SAMPLE[0])]


@pytest.mark.parametrize("xml_data", ["rows", "repeated"])
@pytest.mark.parametrize("body_format", ["json", "xml"])
@pytest.mark.parametrize("line_status", ["new", "0001"])
def test_the_sandbox_takes_both(
    altcraft: SandboxServer,
    context: Callable[..., Any],
    tmp_path: Path,
    body_format: str,
    xml_data: str,
    line_status: str,
) -> None:
    row = {**ROW, "lines": [{**ROW["lines"][0], "status": line_status}]}
    operator = AltcraftImportOrdersOperator(
        task_id="import",
        source=[row],
        skip_triggers=True,
        body_format=body_format,
        xml_data=xml_data,
        custom_line_statuses=[{"external_id": "0001", "name": "Taken", "type": "in_process"}],
        staging_path=str(tmp_path),
    )
    assert operator.execute(context())["rows_sent"] == 1
    (held,) = altcraft.client.altcraft_orders()
    for count in ("number", "times_received", "triggers_started"):
        held.pop(count)
    assert held["lines"][0].pop("status") == line_status
    sample = json.loads(json.dumps(JSON_SAMPLE[0]))
    sample["lines"][0].pop("status")
    assert as_texts(held) == as_texts(sample)
    assert held["lines"][0]["count"] == 5


def test_the_sandbox_takes_the_json_sample_itself(altcraft: SandboxServer) -> None:
    from airflow_provider_yandex_orders.hooks.altcraft import AltcraftHook

    assert AltcraftHook().import_orders(JSON_SAMPLE, skip_triggers=True) == {"error": 0, "error_text": ""}
    rows = list(ET.fromstring(XML_SAMPLE))
    assert AltcraftHook().import_orders(rows, skip_triggers=True, body_format="xml")["error"] == 0
    (held,) = altcraft.client.altcraft_orders()
    assert (held["times_received"], held["lines"][0]["status"]) == (2, "0001")
