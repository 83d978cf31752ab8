# SPDX-License-Identifier: Apache-2.0
"""Market's official schema, fuzzed against the sandbox: whatever is sent, the answer is one that the schema has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings

from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sandbox.settings import SandboxSettings
from tests.support.market_official import MISSING, SCHEMA

schemathesis = pytest.importorskip("schemathesis", reason="another environment has it: make test-foreign")
if not SCHEMA.is_file():
    pytest.skip(MISSING, allow_module_level=True)

from schemathesis import checks  # noqa: E402
from schemathesis.specs.openapi import checks as openapi_checks  # noqa: E402

STORE = 1001
CHECKS = [
    checks.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_schema_conformance,
    openapi_checks.negative_data_rejection,
]
schema: Any = schemathesis.openapi.from_path(SCHEMA)
few = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,  # the same requests in every run: what fails once fails again
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    with SandboxServer(SandboxSettings(market_orders_per_day=5)) as server:
        yield server


@schema.parametrize()  # type: ignore[untyped-decorator]  # the types are in another environment
@few
def test_any_request(case: Any, server: SandboxServer) -> None:
    case.call_and_validate(base_url=server.url, headers={"Api-Key": "sandbox-token"}, checks=CHECKS)


@schema.include(operation_id="getOrdersStats").parametrize()  # type: ignore[untyped-decorator]
@few
def test_any_request_about_a_store_that_is_there(case: Any, server: SandboxServer) -> None:
    """Of a generated store number hardly any is a store: the body would never be looked at."""
    number = str(case.path_parameters["campaignId"])
    if re.fullmatch(r"[1-9][0-9]{0,18}", number) and int(number) < 2**63:
        case.path_parameters["campaignId"] = STORE
    response = case.call_and_validate(base_url=server.url, headers={"Api-Key": "sandbox-token"}, checks=CHECKS)
    assert response.status_code != 403
