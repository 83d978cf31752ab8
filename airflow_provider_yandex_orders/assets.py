# SPDX-License-Identifier: Apache-2.0
"""Assets: where deliveries go and fetches come from, for DAGs that are scheduled by them and for lineage."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from contextlib import suppress
from inspect import signature
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

from airflow.providers.common.compat.sdk import Asset, AssetAlias

from airflow_provider_yandex_orders.period import run_period

if TYPE_CHECKING:
    from airflow.providers.common.compat.openlineage.facet import Dataset as OpenLineageDataset
    from airflow.providers.common.compat.sdk import Context

log = logging.getLogger(__name__)

DELIVERED = "yandex-orders-delivered"
"""Alias of all assets that uploads deliver to."""
FETCHED = "yandex-orders-fetched"
"""Alias of all assets that fetches bring."""
_HOSTS = {"yandex-metrica": "api-metrika.yandex.net", "yandex-market": "api.partner.market.yandex.ru", "altcraft": ""}
_PATH = re.compile(r"(/[^/]+)+/\w+")
_MOST_IDS = 100
_BY_NAME = "name" in signature(Asset).parameters
"""Datasets before Airflow 3 have no names; an event through an alias whose extra is nested fails the task there."""


def create_asset(
    *,
    service: str,
    entity: str,
    place: int | str | None = None,
    host: str | None = None,
    extra: dict[str, Any] | None = None,
) -> Asset:
    """The asset of one kind of row at one place: ``yandex-metrica://api-metrika.yandex.net/12345/orders``.

    :param service: ``metrica``, ``market`` or ``altcraft``.
    :param entity: the kind of row as the delivery names it (``simple_orders``, ``contacts``, ``orders``,
        ``offline_conversions``, ``altcraft_orders``), or a table of a fetch (``orders``, ``items``, ...; ``raw`` for
        the orders as they came).
    :param place: counter of Metrica, or store of Market.
    :param host: host, with its port where it has one; by default the service's own. Altcraft has none.
    :param extra: the asset's own extra; none by default.
    """
    scheme = service if service in _HOSTS else f"yandex-{service}"
    path = [str(each) for each in (host or _HOSTS.get(scheme), place, entity) if each not in (None, "")]
    return Asset(uri=sanitize_uri(urlsplit(f"{scheme}://{'/'.join(path)}")).geturl(), extra=extra)


def sanitize_uri(uri: SplitResult) -> SplitResult:
    """The address in the one form in which it is this asset's.

    :raises ValueError: it names no such place.
    """
    placed = uri.scheme == "altcraft" or _PATH.fullmatch(uri.path)
    if uri.scheme not in _HOSTS or not uri.netloc or not re.fullmatch(r"/.*\w", uri.path) or not placed:
        raise ValueError(
            f"The asset {uri.geturl()!r} names no place: write yandex-metrica://host/counter/entity, "
            "yandex-market://host/campaign/table or altcraft://host/entity."
        )
    return uri._replace(netloc=uri.netloc.lower())


def convert_asset_to_openlineage(asset: Asset, lineage_context: Any = None) -> OpenLineageDataset:  # noqa: ARG001 - OpenLineage gives it
    """The same place as OpenLineage names it."""
    from airflow.providers.common.compat.openlineage.facet import Dataset as OpenLineageDataset

    parts = urlsplit(asset.uri)
    return OpenLineageDataset(namespace=f"{parts.scheme}://{parts.netloc}", name=parts.path.lstrip("/"))


def with_alias(outlets: list[Any], name: str, wanted: bool) -> list[Any]:
    """The outlets of a task: through the alias it emits events of assets that are known only when it runs."""
    others = [each for each in outlets if getattr(each, "name", None) != name]
    return [*others, AssetAlias(name)] if wanted and _BY_NAME else others


def emit(
    task: Any,
    context: Context,
    alias: str,
    there: tuple[str, str, str],
    events: Mapping[str, Mapping[str, Any]],
    whole: Mapping[str, Any] | None = None,
) -> None:
    """Tell Airflow what a task brought, once it succeeds: an event of each asset, and of the task's own outlets.

    :param task: the operator; lineage finds the addresses in its ``_emitted``.
    :param alias: the alias the events go through; where it is not among the task's outlets only those are told of.
    :param there: service, host and place.
    :param events: by the kind of row, what its event holds.
    :param whole: what own outlets get that are none of these; by default the first.
    """
    service, host, place = there
    try:
        assets = {name: create_asset(service=service, entity=name, place=place, host=host) for name in events}
        task._emitted = {name: asset.uri for name, asset in assets.items()}
        accessors: Any = context.get("outlet_events")
        if accessors is None:
            return
        told, whole = {"partition": _partition(context)}, whole or next(iter(events.values()))
        own = {outlet.uri: outlet for outlet in task.outlets if isinstance(outlet, Asset)}
        names = {asset.uri: name for name, asset in assets.items()}
        for uri, outlet in own.items():
            accessors[outlet].extra = {**(events[names[uri]] if uri in names else whole), **told}
        # Airflow makes an asset that comes through an alias when the task ends; of two that end at once one would fail.
        is_first = getattr(context.get("ti"), "map_index", -1) < 1
        for outlet in task.outlets if is_first else ():
            if isinstance(outlet, AssetAlias) and outlet.name == alias:
                for name, asset in assets.items():
                    if asset.uri not in own:
                        accessors[outlet].add(asset, extra={**events[name], **told})
    except Exception as error:  # noqa: BLE001 - what only tells never fails a delivery
        log.warning("No asset event is emitted (%s).", type(error).__name__)


def delivered(delivery: Mapping[str, Any]) -> dict[str, Any]:
    """What the event of a delivery holds: counts, sums and the ids of uploads."""
    kept = ("service", "entity", "counter_id", "host", "merge_mode", "money", "values_dropped")
    ids = [part["upload_id"] for part in delivery["parts"] if part["upload_id"]]
    return {
        **{name: value for name, value in delivery.items() if name in kept or name.startswith("rows_")},
        "upload_ids": ids[:_MOST_IDS],
    }


def _partition(context: Mapping[str, Any]) -> dict[str, str]:
    """The run's partition and period, as far as it has them."""
    key = context.get("partition_key") or getattr(context.get("dag_run"), "partition_key", None)
    partition = {"key": str(key)} if key else {}
    with suppress(Exception):  # it only adds to the event
        period = run_period(context)
        partition |= {"start": period.start.isoformat(), "end": period.end.isoformat()}
    return partition
