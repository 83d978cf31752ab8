# SPDX-License-Identifier: Apache-2.0
"""What is asked: calls that change nothing, and one upload for those who name a counter to test on.

``{counter}`` and ``{campaign}`` in a path or a query stand for ids of either side.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Call:
    """One request.

    :param body: sent as JSON; none: no body.
    :param rows: sent as the file of an upload.
    :param known: whether it carries the token.
    """

    method: str
    path: str
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    rows: str | None = None
    known: bool = True

    def __str__(self) -> str:
        query = "&".join(f"{name}={value}" for name, value in self.query.items())
        body = "" if self.body is None else f" {dict(self.body)}"
        return f"{self.method} {self.path}{query and '?'}{query}{body}{'' if self.known else ', without a token'}"


@dataclass(frozen=True, slots=True)
class Service:
    """One service.

    :param host: where it is, unless the connection says else.
    :param ids: ids that its calls need: field of the connection's extra, and the sandbox's value.
    :param credentials: headers and body fields that carry a token, by the extra's ``auth_type``.
    :param reads: calls that change nothing.
    :param write: an upload that is sent to the service on demand only, and always to the sandbox.
    :param seeds: what else the sandbox gets, so that its lists are not empty.
    """

    host: str | None
    ids: Mapping[str, str]
    credentials: Callable[[str, str | None], tuple[Mapping[str, str], Mapping[str, str]]]
    reads: tuple[Call, ...]
    write: Call | None = None
    seeds: tuple[Call, ...] = ()


def _oauth(token: str, _way: str | None) -> tuple[Mapping[str, str], Mapping[str, str]]:
    return {"Authorization": f"OAuth {token}"}, _NOTHING


def _api_key(token: str, way: str | None) -> tuple[Mapping[str, str], Mapping[str, str]]:
    return ({"Authorization": f"Bearer {token}"} if way == "oauth" else {"Api-Key": token}), _NOTHING


def _in_body(token: str, way: str | None) -> tuple[Mapping[str, str], Mapping[str, str]]:
    return ({"Authorization": f"Bearer {token}"}, _NOTHING) if way == "bearer" else (_NOTHING, {"token": token})


_NOW: Final = datetime.now(UTC)
_HOUR_AGO: Final = _NOW - timedelta(hours=1)
_TODAY: Final = str(_NOW.date())
_BEFORE: Final = str(_NOW.date() - timedelta(days=1))
_YEARS_AGO: Final = str(_NOW.date() - timedelta(days=4000))

_COUNTER: Final = "/management/v1/counter/{counter}"
_CONVERSIONS: Final = f"{_COUNTER}/offline_conversions"
_CDP: Final = "/cdp/api/v1/counter/{counter}"
_REPORT: Final = "/stat/v1/data"
_VISITS: Final = {"ids": "{counter}", "metrics": "ym:s:visits", "date1": "yesterday", "date2": "yesterday", "limit": 1}

METRICA: Final = Service(
    host="https://api-metrika.yandex.net",
    ids={"counter_id": "101"},
    credentials=_oauth,
    reads=(
        Call("GET", "/management/v1/counters", {"per_page": 1}),
        Call("GET", _COUNTER),
        Call("GET", f"{_COUNTER}/goals"),
        Call("GET", f"{_CONVERSIONS}/uploadings", {"limit": 1}),
        Call("GET", f"{_CDP}/last_uploadings"),
        Call("GET", f"{_CDP}/schema/order_statuses"),
        Call("GET", f"{_CDP}/schema/attributes", {"entity_type": "ORDER"}),
        Call("GET", _REPORT, _VISITS),
        Call("GET", _REPORT, {**_VISITS, "metrics": "ym:s:noSuchMetric"}),
        Call("GET", f"{_CONVERSIONS}/uploading/1"),
        Call("GET", "/management/v1/counter/1"),
        Call("GET", "/management/v1/counter/nothing"),
        Call("GET", "/management/v1/nothing"),
        Call("GET", _COUNTER, known=False),
    ),
    write=Call(
        "POST",
        f"{_CDP}/data/simple_orders",
        {"merge_mode": "SAVE"},
        rows=f"id,create_date_time,emails\ncompare-{_NOW:%Y%m%d},{_HOUR_AGO:%Y-%m-%d %H:%M:%S},order@example.com\n",
    ),
    seeds=(
        Call(
            "POST",
            f"{_CONVERSIONS}/upload",
            rows=f"ClientId,Target,DateTime\n1700000000000000000,order,{int(_HOUR_AGO.timestamp())}\n",
        ),
    ),
)

_STATS: Final = "/v2/campaigns/{campaign}/stats/orders"
_PERIOD: Final = {"dateFrom": _BEFORE, "dateTo": _TODAY}
MARKET: Final = Service(
    host="https://api.partner.market.yandex.ru",
    ids={"campaign_id": "1001"},
    credentials=_api_key,
    reads=(
        Call("POST", "/v2/auth/token"),
        Call("GET", "/v2/campaigns", {"limit": 1}),
        Call("GET", "/v2/campaigns", {"page": 1, "pageSize": 1}),
        Call("POST", _STATS, {"limit": 1}, _PERIOD),
        Call("POST", _STATS, {"limit": 1}, {"updateFrom": _BEFORE, "updateTo": _TODAY}),
        Call("POST", _STATS, {"limit": 1}, {"dateFrom": _YEARS_AGO, "dateTo": _TODAY}),
        Call("POST", _STATS, {"limit": 1}, {"dateFrom": _BEFORE}),
        Call("POST", _STATS, {"limit": 1}, {}),
        Call("POST", _STATS, {"limit": 1}),
        Call("POST", _STATS, {"limit": 1}, {"dateFrom": _TODAY, "dateTo": _BEFORE}),
        Call("POST", _STATS, {"limit": 1}, {**_PERIOD, "updateFrom": _BEFORE, "updateTo": _TODAY}),
        Call("POST", _STATS, {"limit": 1}, {**_PERIOD, "statuses": ["NO_SUCH_STATUS"]}),
        Call("POST", _STATS, {"limit": 1}, {"orders": []}),
        Call("POST", _STATS, {"limit": 201}, _PERIOD),
        Call("POST", _STATS, {"limit": 1, "pageToken": "nonsense"}, _PERIOD),
        Call("POST", "/v2/campaigns/1/stats/orders", {"limit": 1}, _PERIOD),
        Call("GET", _STATS),
        Call("GET", "/v2/nothing"),
        Call("GET", "/v2/campaigns", known=False),
    ),
)

_ORDERS: Final = "/api/v1.1/market/orders"
ALTCRAFT: Final = Service(
    host=None,
    ids={},
    credentials=_in_body,
    reads=(
        Call("POST", f"{_ORDERS}/list", body={"from_id": "", "limit": 1}),
        Call("POST", f"{_ORDERS}/get_status", body={"external_id": "no-such-order"}),
        Call("POST", f"{_ORDERS}/get_status", body={}),
        Call("POST", f"{_ORDERS}/nothing", body={}),
        Call("POST", f"{_ORDERS}/list", body={"from_id": "", "limit": 1}, known=False),
    ),
)

SERVICES: Final[Mapping[str, Service]] = {"yandex_metrica": METRICA, "yandex_market": MARKET, "altcraft": ALTCRAFT}
"""By the type of the connection."""
