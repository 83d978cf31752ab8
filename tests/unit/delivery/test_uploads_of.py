# SPDX-License-Identifier: Apache-2.0
"""Which uploads a sensor waits for, by what it is given."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_yandex_orders.delivery.result import uploads_of

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
        ([], {}),
        ([[["u1"], (2,)], iter(["u3"])], {"u1": None, "2": None, "u3": None}),
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
