# SPDX-License-Identifier: Apache-2.0
"""The sandbox's counters, and how they look to a reader.

Sources: https://yandex.ru/dev/metrika/ru/management/openapi/counter/counter ,
https://yandex.ru/dev/metrika/ru/management/openapi/counter/counters .
Unstated there and chosen here: names in ``field`` that the sandbox does not know are passed over; a counter that the
user may not see is absent from the list; the offset 0, which clients send, is the 1 of the description.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from starlette.datastructures import QueryParams

from airflow_provider_yandex_orders.sandbox.metrica.errors import MetricaError
from airflow_provider_yandex_orders.sandbox.metrica.params import choice, number, words
from airflow_provider_yandex_orders.sandbox.settings import SandboxSettings

PERMISSIONS: Final = ("own", "edit", "view", "analyst", "view_access_filter", "analyst_access_filter")
STATUSES: Final = ("Active", "Deleted")
TYPES: Final = ("simple", "partner")
_WRITERS: Final = frozenset({"own", "edit"})
_MAX_INT32: Final = 2_147_483_647
_MAX_INT64: Final = 9_223_372_036_854_775_807


@dataclass(frozen=True, slots=True)
class Counter:
    """One counter (tag)."""

    id: int
    name: str
    site: str
    zone: ZoneInfo
    permission: str | None
    """The right of the sandbox's user; none: somebody else's counter."""

    @property
    def writable(self) -> bool:
        """Whether data may be uploaded and goals made."""
        return self.permission in _WRITERS

    def now(self) -> datetime:
        """Counter time of this moment, naive, whole seconds: the form in which the service prints it."""
        return datetime.now(self.zone).replace(tzinfo=None, microsecond=0)

    def as_dict(self, fields: Sequence[str], goals: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """The counter object, with the parts that were asked for."""
        offset = datetime.now(self.zone).utcoffset()
        counter: dict[str, Any] = {
            "id": self.id,
            "name": self.name,
            "owner_login": "sandbox-owner",
            "status": "Active",
            "type": "simple",
            "permission": self.permission,
            "site": self.site,
            "site2": {"site": self.site},
            "time_zone_name": self.zone.key,
            "time_zone_offset": 0 if offset is None else int(offset.total_seconds() // 60),
            "create_time": "2024-01-15T10:00:00+03:00",
            "update_time": "2024-01-15T10:00:00+03:00",
            # Real answers mix numbers into documented booleans.
            "favorite": 0,
        }
        if "counter_flags" in fields:
            counter["counter_flags"] = {"collect_first_party_data": True, "use_in_benchmarks": 0}
        if "goals" in fields:
            counter["goals"] = list(goals)
        return counter


def counters(settings: SandboxSettings) -> list[Counter]:
    """Every counter of the sandbox, in the order they are listed."""
    main, east = ZoneInfo(settings.timezone), ZoneInfo("Asia/Vladivostok")
    return [
        Counter(101, "Demo shop", "demo.example", main, "own"),
        Counter(102, "Partner shop", "partner.example", main, "view"),
        Counter(103, "Demo shop, Far East", "east.example", east, "own"),
        Counter(104, "Somebody else's shop", "foreign.example", main, None),
    ]


def find(settings: SandboxSettings, counter_id: str) -> Counter:
    """The counter of a path, if the user may see it."""
    if not (counter_id.isascii() and counter_id.isdigit() and 0 < int(counter_id[:20]) <= _MAX_INT32):
        raise MetricaError("invalid_parameter", "The counter id must be an int32", "counterId")
    for counter in counters(settings):
        if counter.id == int(counter_id):
            if counter.permission is None:
                raise MetricaError("access_denied")
            return counter
    raise MetricaError("not_found")


def select(settings: SandboxSettings, query: QueryParams) -> tuple[int, list[Counter]]:
    """The number of counters that fit the query, and the asked page of them."""
    per_page = number(query, "per_page", default=1000, least=1, most=_MAX_INT64)
    offset = max(1, number(query, "offset", default=1, least=0, most=_MAX_INT64))
    permissions = [choice("permission", word, PERMISSIONS) for word in words(query, "permission")]
    statuses = [choice("status", word, STATUSES) for word in words(query, "status")]
    types = [choice("type", word, TYPES) for word in words(query, "type")]
    ids = words(query, "counter_ids")
    if not all(word.isascii() and word.isdigit() for word in ids):
        raise MetricaError("invalid_parameter", "Counter ids must be numbers", "counter_ids")
    needle = query.get("search_string", "").lower()
    found = [
        counter
        for counter in counters(settings)
        if counter.permission is not None
        and (not permissions or counter.permission in permissions)
        and (not statuses or "Active" in statuses)
        and (not types or "simple" in types)
        and (not ids or str(counter.id) in ids)
        and any(needle in text.lower() for text in (str(counter.id), counter.name, counter.site))
    ]
    return len(found), found[offset - 1 : offset - 1 + per_page]
