# SPDX-License-Identifier: Apache-2.0
"""The token leaves by the request's body, or by its header where that is asked for, and by no other way."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from airflow.providers.common.compat.sdk import AirflowException

from airflow_provider_yandex_orders.hooks.altcraft import AltcraftHook
from airflow_provider_yandex_orders.operators.altcraft import AltcraftImportOrdersOperator
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sandbox.settings import SandboxSettings
from airflow_provider_yandex_orders.sensors.altcraft import AltcraftOrdersSensor
from tests.support.altcraft_rows import order
from tests.support.connections import connect_altcraft

TOKEN = "PLANTED-9876543210123-token"
IMPORT = "market/orders/import"

ECHO = f"the token {TOKEN} of buyer1@example.com is not welcome"
FAULTS: list[dict[str, Any]] = [
    {},
    {"status": 200, "body": {"error": 403, "error_text": ECHO}, "times": None},
    {"status": 200, "body": {"error": 400, "error_text": ECHO}, "times": 3},
    {"status": 302, "body": ECHO, "headers": {"Location": f"http://127.0.0.1:9/?token={TOKEN}"}, "times": None},
]


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    with SandboxServer(SandboxSettings(write_tokens=(TOKEN,))) as running:
        yield running


@pytest.fixture
def platform(server: SandboxServer) -> SandboxServer:
    server.renew()
    return server


@pytest.mark.parametrize(
    ("auth_type", "body_format", "fault"),
    [("body", "json", {}), ("body", "xml", {}), *(("bearer", "json", fault) for fault in FAULTS)],
    ids=str,
)
def test_the_token_is_nowhere_else(
    platform: SandboxServer,
    tmp_path: Path,
    context: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    naps: list[float],
    auth_type: str,
    body_format: str,
    fault: dict[str, Any],
) -> None:
    connect_altcraft(monkeypatch, platform.url, token=TOKEN, auth_type=auth_type)
    caplog.set_level(logging.DEBUG)
    if fault:
        platform.client.add_fault(path=IMPORT, **fault)
    operator = AltcraftImportOrdersOperator(
        task_id="import",
        source=[order(1), order(2), order(3, status="?")],
        skip_triggers=True,
        max_rejected=2,
        body_format=body_format,
        staging_path=str(tmp_path),
        verify=True,
        timeout=0,
    )
    told = []
    try:
        told.append(json.dumps(operator.execute(context())))
    except AirflowException as error:
        told += traceback.format_exception(error)
        told.append(repr(vars(error)))
    told += [repr(operator.source.serialize()), str(AltcraftHook().test_connection())]
    try:
        told.append(
            str(
                AltcraftOrdersSensor(task_id="verify", order_ids=["B"], timeout=0, poke_interval=0.01).execute(
                    context()
                )
            )
        )
    except AirflowException as error:
        told += traceback.format_exception(error)
    captured = capfd.readouterr()
    files = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert any(path.name.startswith("part-") for path in files)
    everything = "\n".join([*told, caplog.text, captured.out, captured.err, str(platform.client.requests())])
    assert "Import" in everything
    for secret in (TOKEN, TOKEN[:10], TOKEN[-10:]):
        assert secret not in everything
        assert secret not in repr(vars(operator))
        assert not [path for path, content in files.items() if secret.encode() in content]
    # Nor do the platform's words bring personal data into what is read by many.
    assert "buyer1@example.com" not in everything
    assert not [path for path in files if path.suffix == ".jsonl" and b"buyer1@" in files[path]]


@pytest.mark.parametrize(("auth_type", "in_body"), [(None, True), ("body", True), ("bearer", False)])
def test_where_it_goes(
    platform: SandboxServer, monkeypatch: pytest.MonkeyPatch, auth_type: str | None, in_body: bool
) -> None:
    connect_altcraft(monkeypatch, platform.url, token=TOKEN, auth_type=auth_type)
    sent: list[Any] = []
    send = requests.Session.send

    def noted(session: requests.Session, request: Any, **more: Any) -> Any:
        if IMPORT in request.url:
            sent.append(request)
        return send(session, request, **more)

    monkeypatch.setattr(requests.Session, "send", noted)
    assert AltcraftHook().import_orders([{**order(1), "total_price": "45"}], skip_triggers=True)["error"] == 0
    (request,) = sent
    assert TOKEN not in request.url
    assert (TOKEN.encode() in request.body) is in_body
    assert (request.headers.get("Authorization") == f"Bearer {TOKEN}") is not in_body
    assert platform.client.altcraft_summary()["orders"] == 1
