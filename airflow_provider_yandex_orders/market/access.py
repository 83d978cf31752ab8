# SPDX-License-Identifier: Apache-2.0
"""Why the order statistics of a store cannot be read, as far as its key and the list of stores tell.

Sources: https://yandex.ru/dev/market/partner-api/doc/ru/concepts/api-key ,
https://yandex.ru/dev/market/partner-api/doc/ru/reference/campaigns/getCampaigns
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

SCOPES = (
    "INVENTORY_AND_ORDER_PROCESSING_READ_ONLY",
    "INVENTORY_AND_ORDER_PROCESSING",
    "ALL_METHODS_READ_ONLY",
    "ALL_METHODS",
)
"""Scopes of a key of which order statistics need one, the narrowest first."""

MODELS = frozenset({"FBY", "FBS", "DBS"})
"""Working models whose stores have order statistics."""

_SHOWN = 20


def missing_scope(scopes: Sequence[object]) -> str | None:
    """What a key lacks, and how to get it; ``None`` when it lacks nothing.

    :param scopes: ``authScopes`` of the key.
    """
    if set(SCOPES) & set(scopes):
        return None
    return (
        f"The key lacks a scope: it has {', '.join(map(str, scopes)) or 'none'}, and order statistics need {SCOPES[0]} "
        "or a wider one. Add it to the key in the cabinet; that takes up to 10 minutes."
    )


def closed_store(campaign_id: int, stores: Sequence[Mapping[str, Any]]) -> str | None:
    """What keeps a store's statistics closed; ``None`` when nothing does.

    :param campaign_id: the store.
    :param stores: all stores the key sees.
    """
    store = next((each for each in stores if each.get("id") == campaign_id), None)
    if store is None:
        known = ", ".join(f"{each.get('id')} ({each.get('placementType')})" for each in stores[:_SHOWN])
        return f"Store {campaign_id} is not this key's: it sees {known or 'no store'}. Correct campaign_id."
    model, state = store.get("placementType"), store.get("apiAvailability")
    if model is not None and model not in MODELS:
        return f"Store {campaign_id} works by {model}, which has no order statistics. Choose another store."
    if state not in (None, "AVAILABLE"):
        return f"The API of store {campaign_id} is switched off ({state}): switch it on in the cabinet."
    return None
