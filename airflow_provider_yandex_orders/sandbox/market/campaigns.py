# SPDX-License-Identifier: Apache-2.0
"""The sandbox's stores.

Source: https://yandex.ru/dev/market/partner-api/doc/ru/reference/campaigns/getCampaigns . A store of another cabinet is
answered with 403, an unknown one with 404; the pages leave open which of the two a foreign store gets.
"""

from dataclasses import dataclass
from typing import Any, Final

from starlette.datastructures import QueryParams

from airflow_provider_yandex_orders.sandbox.market import tokens
from airflow_provider_yandex_orders.sandbox.market.errors import MarketError
from airflow_provider_yandex_orders.sandbox.market.params import number

MODELS_WITH_STATISTICS: Final = frozenset({"FBS", "FBY", "DBS"})
_BUSINESS: Final = {"id": 5001, "name": "Demo cabinet"}
_MOST: Final = 100
_LAST_PAGE: Final = 10_000
_INT32: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Campaign:
    """One store."""

    id: int
    domain: str
    model: str
    availability: str
    own: bool = True
    """Whether it belongs to the key's cabinet."""

    def as_dict(self) -> dict[str, Any]:
        """The store as it is listed."""
        return {
            "id": self.id,
            "domain": self.domain,
            "clientId": self.id + 1_000_000,
            "business": _BUSINESS,
            "placementType": self.model,
            "apiAvailability": self.availability,
        }


CAMPAIGNS: Final = (
    Campaign(1001, "Demo shop", "FBS", "AVAILABLE"),
    Campaign(1002, "Demo shop, warehouse", "FBY", "AVAILABLE"),
    Campaign(1003, "Demo shop, own delivery", "DBS", "DISABLED_BY_INACTIVITY"),
    Campaign(1004, "Demo shop, own site", "LAAS", "AVAILABLE"),
    Campaign(1005, "Somebody else's shop", "FBS", "AVAILABLE", own=False),
)


def find(campaign_id: str) -> Campaign:
    """The store of a path, if its order statistics can be read."""
    if not (campaign_id.isascii() and campaign_id.isdigit() and 0 < int(campaign_id[:19]) == int(campaign_id)):
        raise MarketError("market_bad_request", f"Type mismatch: '{campaign_id[:40]}'")
    found = next((campaign for campaign in CAMPAIGNS if campaign.id == int(campaign_id)), None)
    if found is None:
        raise MarketError("market_not_found", f"Campaign {campaign_id} not found")
    if not found.own:
        raise MarketError("market_forbidden", f"Access denied to campaign {campaign_id}")
    if found.availability != "AVAILABLE":
        raise MarketError("market_forbidden", f"API is disabled for campaign {campaign_id}: {found.availability}")
    if found.model not in MODELS_WITH_STATISTICS:
        allowed = ", ".join(sorted(MODELS_WITH_STATISTICS))
        raise MarketError("market_bad_request", f"Campaign type is not allowed. Allowed campaign types: {allowed}")
    return found


def page(query: QueryParams, most: int, *, numbered: bool) -> dict[str, Any]:
    """One page of the list; an absent ``limit`` gives all, as the pages name no default.

    A page is named by a token, or the older way by its number; of both the token counts.

    :param most: stores of a page at most, whatever is asked for.
    :param numbered: whether only the number of pages tells that there are more.
    """
    size = min(most, number(query, "pageSize", default=_MOST, least=1, most=_INT32))
    limit = min(most, number(query, "limit", default=min(size, _MOST), least=1, most=_MOST))
    current = number(query, "page", default=1, least=1, most=_LAST_PAGE)
    start = tokens.read(query, "campaigns", limit).offset or (current - 1) * limit
    own = [campaign for campaign in CAMPAIGNS if campaign.own]
    shown = own[start : start + limit]
    answer: dict[str, Any] = {
        "campaigns": [campaign.as_dict() for campaign in shown],
        "pager": {
            "total": len(own),
            "from": start + 1,
            "to": start + len(shown),
            "currentPage": start // limit + 1,
            "pagesCount": -(-len(own) // limit),
            "pageSize": limit,
        },
    }
    if start + limit < len(own) and not numbered:
        answer["paging"] = {"nextPageToken": tokens.write(tokens.Place(start + limit), "campaigns", limit)}
    return answer
