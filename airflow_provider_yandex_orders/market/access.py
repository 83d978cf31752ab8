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

_MODELS = ("FBY", "FBS", "DBS", "LAAS")
_WITHOUT_STATISTICS = ("LAAS",)
"""Working models whose stores have no order statistics; of a model the service adds tomorrow nobody knows that."""

_AVAILABLE = "AVAILABLE"
_SWITCHED_OFF = (
    "DISABLED_BY_INACTIVITY",
    "DISABLED_BY_NO_ACTIVE_CONTRACT",
    "MANUALLY_DISABLED",
    "DISABLED_BY_NO_PLACEMENT_TYPE",
)
"""States of a store's API in which it answers nothing."""

_SHOWN = 20


def missing_scope(scopes: Sequence[object]) -> str | None:
    """What a key lacks, and how to get it; ``None`` when it lacks nothing."""
    if set(SCOPES) & set(scopes):
        return None
    return (
        f"The key lacks a scope: it has {', '.join(map(str, scopes)) or 'none'}, and order statistics need {SCOPES[0]} "
        "or a wider one. Add it to the key in the cabinet; that takes up to 10 minutes."
    )


def closed_store(campaign_id: int, stores: Sequence[Mapping[str, Any]]) -> str | None:
    """What keeps a store's statistics closed; ``None`` when nothing does."""
    store = _found(campaign_id, stores)
    if store is None:
        known = ", ".join(f"{each.get('id')} ({each.get('placementType')})" for each in stores[:_SHOWN])
        return f"Store {campaign_id} is not this key's: it sees {known or 'no store'}. Correct campaign_id."
    model, state = store.get("placementType"), store.get("apiAvailability")
    if model in _WITHOUT_STATISTICS:
        return f"Store {campaign_id} works by {model}, which has no order statistics. Choose another store."
    if state in _SWITCHED_OFF:
        return f"The API of store {campaign_id} is switched off ({state}): switch it on in the cabinet."
    return None


def unknown_words(campaign_id: int, stores: Sequence[Mapping[str, Any]]) -> str:
    """What the service says of a store in words this package does not know, as a sentence; empty where it knows all."""
    store = _found(campaign_id, stores) or {}
    known = {"placementType": _MODELS, "apiAvailability": (*_SWITCHED_OFF, _AVAILABLE)}
    new = [f"{name} {store[name]!s:.40}" for name, words in known.items() if store.get(name) not in (None, *words)]
    return f" Market says {' and '.join(new)} of it, which this package does not know." if new else ""


def _found(campaign_id: int, stores: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    return next((each for each in stores if each.get("id") == campaign_id), None)
