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


def page(query: QueryParams) -> dict[str, Any]:
    """One page of the list; an absent ``limit`` gives all, as the pages name no default."""
    limit = number(query, "limit", default=_MOST, least=1, most=_MOST)
    start = tokens.read(query, "campaigns", limit).offset
    own = [campaign for campaign in CAMPAIGNS if campaign.own]
    answer: dict[str, Any] = {
        "campaigns": [campaign.as_dict() for campaign in own[start : start + limit]],
        "pager": {"total": len(own), "from": start + 1, "to": min(start + limit, len(own)), "pageSize": limit},
    }
    if start + limit < len(own):
        answer["paging"] = {"nextPageToken": tokens.write(tokens.Place(start + limit), "campaigns", limit)}
    return answer
