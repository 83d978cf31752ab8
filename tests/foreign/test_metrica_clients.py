# SPDX-License-Identifier: Apache-2.0
"""``tapi-yandex-metrika`` and ``aiotapioca-yandex-metrika``: clients nobody here wrote, at work with the sandbox.

Both have the address of the service built in; only that is changed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import date, timedelta
from typing import Any

import pytest

from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from tests.foreign.conftest import TOKEN

elsewhere = "another environment has it: make test-foreign"
tapi = pytest.importorskip("tapi_yandex_metrika.tapi_yandex_metrika", reason=elsewhere)
tapi2 = pytest.importorskip("tapi2", reason=elsewhere)
aio = pytest.importorskip("aiotapioca_yandex_metrika.aiotapioca_yandex_metrika", reason=elsewhere)
aiotapioca = pytest.importorskip("aiotapioca", reason=elsewhere)
aiohttp = pytest.importorskip("aiohttp", reason=elsewhere)

COUNTER = 101
GOAL = {"name": "Paid", "type": "action", "conditions": [{"type": "exact", "url": "order_paid"}]}
AS_READ = {"id": 0, "default_price": 0.0, "is_retargeting": 0, "goal_source": "user", "is_favorite": 0}
"""What an answer has and a request may: whoever reads a goal, changes it and sends it back sends these too."""
CONVERSIONS = f"/management/v1/counter/{COUNTER}/offline_conversions/upload"
ROWS = "ClientId,Target,DateTime\n1,order_paid,1700000000\n2,order_paid,1700000001\n"
ORDERS = f"/cdp/api/v1/counter/{COUNTER}/data/simple_orders?merge_mode=SAVE"
YESTERDAY = date.today() - timedelta(days=1)
REPORT = {
    "ids": COUNTER,
    "metrics": "ym:s:cdpOrdersAllOrders",
    "dimensions": "ym:s:date",
    "date1": str(YESTERDAY),
    "date2": "today",
}


class TestTapi:
    def client(self, server: SandboxServer, kind: str, token: str = TOKEN) -> Any:
        adapter = type("Local", (getattr(tapi, kind),), {"get_api_root": lambda *_args, **_kwargs: f"{server.url}/"})
        return tapi2.generate_wrapper_from_adapter(adapter)(
            access_token=token, default_url_params={"counterId": COUNTER}
        )

    def management(self, server: SandboxServer, token: str = TOKEN) -> Any:
        return self.client(server, "YandexMetrikaManagementClientAdapter", token)

    def test_counters(self, yandex_sandbox: SandboxServer) -> None:
        client = self.management(yandex_sandbox)
        assert COUNTER in [counter["id"] for counter in client.counters().get().data["counters"]]
        assert client.counter().get().data["counter"]["time_zone_name"] == "Europe/Moscow"

    def test_the_life_of_a_goal(self, yandex_sandbox: SandboxServer) -> None:
        client = self.management(yandex_sandbox)
        made = client.goals().post(data={"goal": AS_READ | GOAL}).data["goal"]
        assert [goal["id"] for goal in client.goals().get().data["goals"]] == [made["id"]]
        one = client.goal(goalId=made["id"])
        assert one.get().data["goal"]["conditions"][0]["url"] == "order_paid"
        assert one.put(data={"goal": {**made, "name": "Paid order"}}).data["goal"]["name"] == "Paid order"
        assert one.delete().data == {"success": True}
        assert client.goals().get().data["goals"] == []

    def test_uploads_of_conversions_are_read(self, yandex_sandbox: SandboxServer, upload: Callable[..., None]) -> None:
        upload(CONVERSIONS, ROWS)
        client = self.management(yandex_sandbox)
        (uploading,) = client.offline_conversions_uploadings().get().data["uploadings"]
        read = client.offline_conversions_uploading(id=uploading["id"]).get().data["uploading"]
        assert (read["id"], read["source_quantity"]) == (uploading["id"], 2)

    def test_it_cannot_upload(self, yandex_sandbox: SandboxServer) -> None:
        """It declares every body as JSON, also a multipart one: the service cannot find the file in it either."""
        with pytest.raises(tapi.exceptions.YandexMetrikaClientError, match="multipart"):
            self.management(yandex_sandbox).offline_conversions_upload().post(files={"file": ("a.csv", ROWS)})
        assert yandex_sandbox.client.uploads(kind="conversions") == []

    def test_reports(self, yandex_sandbox: SandboxServer, upload: Callable[..., None]) -> None:
        upload(ORDERS, f"id,create_date_time,client_ids\n1,{YESTERDAY} 10:00:00,7\n2,{YESTERDAY} 10:00:00,8\n")
        client = self.client(yandex_sandbox, "YandexMetrikaStatsClientAdapter")
        whole = client.stats().get(params=REPORT)
        assert whole().to_dicts() == [
            dict(zip((REPORT["dimensions"], REPORT["metrics"]), row, strict=True)) for row in whole().to_values()
        ]
        pages = client.stats().get(params={**REPORT, "limit": 1})
        assert list(pages().iter_rows()) == whole().to_values()

    def test_refusals_have_the_shape_it_expects(self, yandex_sandbox: SandboxServer) -> None:
        with pytest.raises(tapi.exceptions.YandexMetrikaTokenError, match="invalid_token"):
            self.management(yandex_sandbox, "wrong").counter().get()
        yandex_sandbox.client.add_fault(path="goals", preset="quota_requests_by_uid")
        with pytest.raises(tapi.exceptions.YandexMetrikaLimitError, match="quota_requests_by_uid"):
            self.management(yandex_sandbox).goals().get()


class TestAiotapioca:
    @asynccontextmanager
    async def client(self, server: SandboxServer, kind: str, token: str = TOKEN) -> Any:
        adapter = type("Local", (getattr(aio, kind),), {"api_root": f"{server.url}/"})
        made = aiotapioca.generate_wrapper_from_adapter(adapter)
        async with made(access_token=token, default_url_params={"counter_id": COUNTER}) as client:
            yield client

    def do(self, server: SandboxServer, work: Callable[[Any], Awaitable[Any]], run: Any, token: str = TOKEN) -> Any:
        """Run work with a client of the management API."""

        async def all_of_it() -> Any:
            async with self.client(server, "YandexMetrikaManagementAPIClientAdapter", token) as client:
                return await work(client)

        return run(all_of_it())

    def test_counters(self, yandex_sandbox: SandboxServer, run: Any) -> None:
        async def work(client: Any) -> Any:
            return (await client.counters().get()).data(), (await client.counter().get()).data()

        counters, counter = self.do(yandex_sandbox, work, run)
        assert counters["rows"] == len(counters["counters"])
        assert counter["counter"]["id"] == COUNTER

    def test_the_life_of_a_goal(self, yandex_sandbox: SandboxServer, run: Any) -> None:
        async def work(client: Any) -> Any:
            made = (await client.goals().post(data={"goal": AS_READ | GOAL})).data()["goal"]
            one = client.goal(goal_id=made["id"])
            read = (await one.get()).data()["goal"]
            changed = (await one.put(data={"goal": {**made, "name": "Paid order"}})).data()["goal"]
            return made, read, changed, (await one.delete()).data(), (await client.goals().get()).data()

        made, read, changed, gone, left = self.do(yandex_sandbox, work, run)
        assert made["id"] == read["id"] == changed["id"]
        assert (read["name"], changed["name"]) == ("Paid", "Paid order")
        assert (gone, left) == ({"success": True}, {"goals": []})

    def test_uploads_of_conversions_are_read(
        self, yandex_sandbox: SandboxServer, run: Any, upload: Callable[..., None]
    ) -> None:
        upload(CONVERSIONS, ROWS)

        async def work(client: Any) -> Any:
            (uploading,) = (await client.offline_conversions_uploadings().get()).data()["uploadings"]
            return (await client.offline_conversions_uploading(id=uploading["id"]).get()).data()

        assert self.do(yandex_sandbox, work, run)["uploading"]["source_quantity"] == 2

    def test_it_cannot_upload(self, yandex_sandbox: SandboxServer, run: Any) -> None:
        """It writes every body as JSON, and a form is none."""
        form = aiohttp.FormData({"file": ROWS})
        with pytest.raises(TypeError, match="FormData"):
            self.do(yandex_sandbox, lambda client: client.offline_conversions_upload().post(data=form), run)
        assert yandex_sandbox.client.uploads(kind="conversions") == []

    def test_reports(self, yandex_sandbox: SandboxServer, run: Any, upload: Callable[..., None]) -> None:
        upload(ORDERS, f"id,create_date_time,client_ids\n1,{YESTERDAY} 10:00:00,7\n2,{YESTERDAY} 10:00:00,8\n")

        async def work() -> Any:
            async with self.client(yandex_sandbox, "YandexMetrikaReportsAPIClientAdapter") as client:
                return (await client.reports().get(params=REPORT)).data()

        report = run(work())
        assert report["query"]["metrics"] == [REPORT["metrics"]]
        assert report["total_rows"] == len(report["data"])

    def test_refusals_have_the_shape_it_expects(self, yandex_sandbox: SandboxServer, run: Any) -> None:
        with pytest.raises(aio.YandexMetrikaTokenError, match="invalid_token"):
            self.do(yandex_sandbox, lambda client: client.counter().get(), run, "wrong")
        yandex_sandbox.client.add_fault(path="goals", preset="quota_requests_by_uid")
        with pytest.raises(aio.YandexMetrikaLimitError, match="quota_requests_by_uid"):
            self.do(yandex_sandbox, lambda client: client.goals().get(), run)
