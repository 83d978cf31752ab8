# SPDX-License-Identifier: Apache-2.0
"""The command ``token``: the way to one, and what the form's "Test" says of a connection's."""

from __future__ import annotations

import pytest

from airflow_provider_yandex_orders.__main__ import main
from airflow_provider_yandex_orders.get_provider_info import connection_type
from airflow_provider_yandex_orders.sandbox.server import SandboxServer


@pytest.mark.parametrize(
    ("service", "conn_type", "words"),
    [
        ("metrica", "yandex_metrica", ["metrika:write", "metrika:offline_data", "oauth.yandex.ru", "about a year"]),
        ("market", "yandex_market", ["inventory-and-order-processing:read-only", "ACMA:"]),
        ("altcraft", "altcraft", ["Settings, Tokens", "market roles", "start triggers"]),
    ],
)
def test_the_way_to_each(capsys: pytest.CaptureFixture[str], service: str, conn_type: str, words: list[str]) -> None:
    assert main(["token", service]) == 0
    told = capsys.readouterr().out
    assert [word for word in [*words, conn_type] if word not in told] == []
    behaviour = connection_type(conn_type)["ui-field-behaviour"]
    assert f"`airflow yandex-orders token {service}`" in behaviour["placeholders"]["password"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("metrica", "--conn-id", "yandex_metrica_default"), 0, "its account may edit"),
        (("market", "--conn-id", "yandex_metrica_default"), 2, "has the type yandex_metrica, not yandex_market"),
        (("metrica", "--conn-id", "nowhere"), 2, "There is no connection 'nowhere'"),
    ],
)
def test_that_of_a_connection(
    capsys: pytest.CaptureFixture[str],
    airflow_db: None,
    metrica: SandboxServer,
    arguments: tuple[str, ...],
    code: int,
    words: str,
) -> None:
    assert main(["token", *arguments]) == code
    assert words in "".join(capsys.readouterr())


def test_one_that_does_not_work(
    capsys: pytest.CaptureFixture[str], airflow_db: None, metrica: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    metrica.client.add_fault(path="/management/", preset="access_denied", times=2)
    assert main(["token", "metrica", "--conn-id", "yandex_metrica_default"]) == 1
    assert "it lacks a scope" in capsys.readouterr().out
