# SPDX-License-Identifier: Apache-2.0
"""Order statistics of Yandex Market into files."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypedDict

from airflow.providers.common.compat.sdk import BaseOperator, Context

from airflow_provider_yandex_orders.assets import FETCHED, emit, with_alias
from airflow_provider_yandex_orders.exceptions import ConfigurationError, PermanentError
from airflow_provider_yandex_orders.hooks.base import place_of
from airflow_provider_yandex_orders.hooks.market import MarketHook
from airflow_provider_yandex_orders.log_lines import failure_told
from airflow_provider_yandex_orders.operators.arguments import zone
from airflow_provider_yandex_orders.retry import with_retry_policy
from airflow_provider_yandex_orders.summary import tell
from airflow_provider_yandex_orders.ui.links import CabinetLink

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    from airflow_provider_yandex_orders.journal.lease import Lease
    from airflow_provider_yandex_orders.market.fetch import Fetched
    from airflow_provider_yandex_orders.market.filters import OrderFilter
    from airflow_provider_yandex_orders.market.pages import OrdersPage
    from airflow_provider_yandex_orders.market.staged import Window

log = logging.getLogger(__name__)

EVERY_STORE = "all"


class OrderStats(TypedDict):
    """What a fetch of order statistics did.

    ``rows`` are counts by table, ``new_fields`` counts of the fields that have no column, by ``table.field``;
    ``window`` is empty for orders by id, ``fetched_at`` is when the oldest page was read, ``schema_path`` is ``None``
    without tables.
    """

    service: str
    campaign_id: int
    window: dict[str, str]
    fetched_at: str
    orders: int
    pages: int
    requests: int
    orders_outdated: int
    orders_without_id: int
    rows: dict[str, int]
    new_fields: dict[str, int]
    paths: list[str]
    tables: dict[str, str]
    schema_path: str | None


class MarketFetchOrderStatsOperator(BaseOperator):
    """Fetches order statistics of a store, or of all, every page, into files a warehouse can load.

    Two kinds of files: the raw orders, one JSON object a line as the service wrote it, and tidy tables (``orders``,
    ``items``, ``prices``, ``details``, ``payments``, ``commissions``, ``subsidies``) with a file that describes them. A
    file appears whole or not at all, and an empty window writes every file too. Orders that came more than once are
    kept once, by the latest ``statusUpdateDate``. Memory stays flat whatever the number of orders.

    Each page goes to ``staging_path`` as it comes; a retry goes on from the last one there and ends in the same files.

    Without a period the run's own is read, by the day of change: the partition's day where the run is one of a
    partition, else its data interval, else the day before its moment; days in Moscow time, and ``overlap_days`` before.
    The service shows changes up to 40 minutes late, so load the files by replacing orders of the same id. A period the
    service finds too long is read in shorter ones, into the same files.

    The result has ``service``, ``campaign_id``, ``orders``, ``pages``, ``requests``, ``paths`` and ``tables``, and with
    them the window, the rows of each table and the fields that are new. The same counts go into the asset events,
    one of each table, and of the task's own outlets.

    .. seealso:: https://yandex.ru/dev/market/partner-api/doc/ru/reference/orders-stats/getOrdersStats

    :param path: folder or object storage URL the files go to. Their names tell store, window and content. (templated)
    :param campaign_id: the store, a whole number above 0; by default the connection's (its login, or
        ``campaign_id`` of its extra). ``"all"``: every store of the key, one after the other, and a list of results;
        a store that has no statistics, or whose API is switched off, is left out with a warning. (templated)
    :param market_conn_id: connection of type ``yandex_market``; by default ``yandex_market_default``. (templated)
    :param date_from: first day the orders were made on, ``YYYY-MM-DD`` or a date, in Moscow time; with ``date_to``.
        By default no such limit. (templated)
    :param date_to: last such day, included. (templated)
    :param update_from: first day the orders changed on, likewise; with ``update_to``, instead of the pair above. By
        default the run's own period, where nothing else is given. (templated)
    :param update_to: last such day, included. (templated)
    :param order_ids: a list of ids of the orders, instead of both pairs. By default no such limit. (templated)
    :param statuses: a list: only orders that are in one of these statuses now, as the service spells them. A word this
        package does not know is sent too, with a warning. By default all. (templated)
    :param has_cis: ``True``: only orders with marked goods; ``False``: only the others; ``None``, the default: all.
    :param overlap_days: whole days before the run's own that are read once more, where no period is given; 0 or more,
        by default 1.
    :param output_format: ``jsonl.gz`` (default), ``jsonl`` or ``parquet`` (extra ``parquet``).
    :param tables: whether to write the tables beside the raw orders; by default ``True``.
    :param page_size: orders of one page, from 1 to 200, by default 200; large pages spend fewer requests.
    :param staging_path: folder or object storage URL for pages under way; by default ``[yandex_orders] staging_path``
        of Airflow's configuration, else a folder under ``AIRFLOW_HOME``. (templated)
    :param parallel: requests at once: 1 (default), or 2, which halves the time of a period of several days: parts of it
        are read at the same time. A day, orders by id, and changes of today are read one page after the other all the
        same.
    :param journal_conn_id: connection of the journal, where tasks of all workers count their requests at once; by
        default ``[yandex_orders] journal_conn_id`` of Airflow's configuration, else a file under ``AIRFLOW_HOME``.
        (templated)
    :param emit_asset: ``True`` (by default) emits an asset event of each table; ``False`` only of ``outlets``.
    """

    template_fields: Sequence[str] = (
        "market_conn_id",
        "campaign_id",
        "path",
        "date_from",
        "date_to",
        "update_from",
        "update_to",
        "order_ids",
        "statuses",
        "staging_path",
        "journal_conn_id",
    )
    ui_color = "#fff4cc"
    _emitted: Mapping[str, str] | None = None
    _reported: Sequence[OrderStats] = ()
    operator_extra_links = (CabinetLink(),)

    def __init__(
        self,
        *,
        path: str,
        campaign_id: int | str | None = None,
        market_conn_id: str = MarketHook.default_conn_name,
        date_from: date | str | None = None,
        date_to: date | str | None = None,
        update_from: date | str | None = None,
        update_to: date | str | None = None,
        order_ids: Iterable[int | str] | None = None,
        statuses: Iterable[str] | None = None,
        has_cis: bool | None = None,
        overlap_days: int = 1,
        output_format: str = "jsonl.gz",
        tables: bool = True,
        page_size: int = 200,
        staging_path: str | None = None,
        parallel: int = 1,
        journal_conn_id: str | None = None,
        emit_asset: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**with_retry_policy(kwargs))
        self.outlets = with_alias(self.outlets, FETCHED, emit_asset)
        self.path = path
        self.campaign_id = campaign_id
        self.market_conn_id = market_conn_id
        self.date_from = date_from
        self.date_to = date_to
        self.update_from = update_from
        self.update_to = update_to
        self.order_ids = order_ids
        self.statuses = statuses
        self.has_cis = has_cis
        self.overlap_days = overlap_days
        self.output_format = output_format
        self.tables = tables
        self.page_size = page_size
        self.staging_path = staging_path
        self.parallel = parallel
        self.journal_conn_id = journal_conn_id
        self.emit_asset = emit_asset

    @failure_told()
    def execute(self, context: Context) -> OrderStats | list[OrderStats]:
        """Check, fetch, publish, report."""
        from airflow_provider_yandex_orders.market.fetch import target_folder
        from airflow_provider_yandex_orders.market.filters import check_page_size
        from airflow_provider_yandex_orders.market.staged import remove_expired
        from airflow_provider_yandex_orders.storage import staging_folder

        hook, every = MarketHook(self.market_conn_id), self.campaign_id == EVERY_STORE
        given = None if every else hook.campaign_id(self.campaign_id)
        check_page_size(self.page_size)
        chosen = self._filter(context)
        self._check_output()
        folder, target = staging_folder(self.staging_path, context), target_folder(self.path)
        remove_expired(self.staging_path, context)

        try:
            stores = hook.open_stores() if given is None else [given]
            reported = [self._fetch(hook, store, chosen, folder, target) for store in stores]
        except PermanentError:  # no try goes on from the pages
            _forget(folder)
            raise
        _forget(folder)
        self._reported = reported
        self._emit(context, place_of(hook.base_url), reported)
        return reported if every else reported[0]

    def _fetch(
        self, hook: MarketHook, store: int, chosen: OrderFilter, folder: ObjectStoragePath, target: ObjectStoragePath
    ) -> OrderStats:
        """All of one store. Its pages stay on storage: a try that comes after another store failed needs them."""
        from airflow_provider_yandex_orders.market.fetch import fetch, publish
        from airflow_provider_yandex_orders.market.tables.files import Outputs
        from airflow_provider_yandex_orders.storage import scratch_folder

        log.info("Reading order statistics of store %d: %s.", store, chosen.window or chosen.label)
        parts = chosen.windows() if self.parallel > 1 else [chosen]
        with scratch_folder(str(folder)) as local:
            new_outputs = partial(Outputs, local, self.output_format, tables=self.tables)
            with hook.places(min(self.parallel, len(parts)), self.journal_conn_id) as places:
                window = partial(self._window, hook, store, folder, places)
                streams = len(places) or self.parallel
                fetched = fetch(lambda: list(map(window, parts)), streams, new_outputs)
            paths = publish(local, target, f"order_stats_{store}_{chosen.label}")
        stats = self._stats(store, chosen, fetched, paths)
        tell(stats)
        return stats

    def _window(
        self, hook: MarketHook, campaign_id: int, folder: ObjectStoragePath, places: Sequence[Lease], part: OrderFilter
    ) -> Window:
        """Each with a hook of its own: threads must not share the client that counts its requests."""
        from airflow_provider_yandex_orders.market.staged import StagedPages, Window

        reader = MarketHook(self.market_conn_id, connection=hook.connection)

        def fetch_page(body: Mapping[str, Any], *, page_token: str | None) -> OrdersPage:
            for place in places:
                place.check()
            return reader.order_stats_page(campaign_id, body, page_token=page_token, page_size=self.page_size)

        sum_of = part.fingerprint(hook.base_url, campaign_id, self.page_size)
        return Window(fetch_page, part, StagedPages(folder, sum_of))

    def _stats(self, campaign_id: int, chosen: OrderFilter, fetched: Fetched, paths: Mapping[str, str]) -> OrderStats:
        from airflow_provider_yandex_orders.market.tables.order_stats import TABLES

        return OrderStats(
            service="market",
            campaign_id=campaign_id,
            window=chosen.window,
            fetched_at=datetime.fromtimestamp(fetched.since, UTC).isoformat(),
            orders=fetched.orders,
            pages=fetched.pages,
            requests=fetched.requests,
            orders_outdated=fetched.outdated,
            orders_without_id=fetched.without_id,
            rows=fetched.rows,
            new_fields=fetched.new_fields,
            paths=[paths["raw"]],
            tables={table.name: paths[table.name] for table in TABLES if table.name in paths},
            schema_path=paths.get("schema"),
        )

    def _filter(self, context: Context) -> OrderFilter:
        from airflow_provider_yandex_orders.market.api import TIMEZONE
        from airflow_provider_yandex_orders.market.filters import order_filter, run_window

        period = {
            "date_from": self.date_from,
            "date_to": self.date_to,
            "update_from": self.update_from,
            "update_to": self.update_to,
            "order_ids": self.order_ids,
        }
        if all(value in (None, "") for value in period.values()):
            moscow = zone(TIMEZONE, "The service")
            period["update_from"], period["update_to"] = run_window(context, moscow, self.overlap_days)
        return order_filter(**period, statuses=self.statuses, has_cis=self.has_cis)

    def _check_output(self) -> None:
        from airflow_provider_yandex_orders.market.api import PARALLEL
        from airflow_provider_yandex_orders.market.tables.files import FORMATS

        if not isinstance(self.path, str) or not self.path.strip():
            raise ConfigurationError("Fetch order statistics: path is empty. Name a folder or an object storage URL.")
        if self.output_format not in FORMATS:
            raise ConfigurationError(f"Fetch order statistics: output_format must be one of {', '.join(FORMATS)}.")
        if isinstance(self.parallel, (bool, float)) or self.parallel not in range(1, PARALLEL + 1):
            raise ConfigurationError(f"Fetch order statistics: parallel must be a whole number from 1 to {PARALLEL}.")
        if self.output_format == "parquet" and find_spec("pyarrow") is None:
            raise ConfigurationError(
                "Fetch order statistics: Parquet needs pyarrow. Install airflow-provider-yandex-orders[parquet]."
            )

    def _emit(self, context: Context, host: str, fetched: Sequence[OrderStats]) -> None:
        """Tell who waits for the tables that they are there."""
        events = {}
        for stats in fetched:
            told = {name: stats[name] for name in ("campaign_id", "orders", "rows")}
            told |= {"new_fields": stats["new_fields"]} if stats["new_fields"] else {}
            for table, path in _files(stats).items():
                events[f"{stats['campaign_id']}/{table}"] = {**told, **stats["window"], "path": path}
        whole: dict[str, Any] = {"campaign_ids": [stats["campaign_id"] for stats in fetched], **fetched[0]["window"]}
        whole["orders"] = sum(stats["orders"] for stats in fetched)
        emit(self, context, FETCHED, ("market", host, ""), events, whole if len(fetched) > 1 else None)

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> Any:
        """What came from where, for OpenLineage: its provider asks, where it is installed."""
        if not self._emitted or not self._reported:
            return None
        from airflow_provider_yandex_orders.lineage import fetch_lineage

        rows = {
            path: {"raw": stats["orders"], **stats["rows"]}[table]
            for stats in self._reported
            for table, path in _files(stats).items()
        }
        return fetch_lineage(self._emitted, rows)


def _files(stats: OrderStats) -> dict[str, str]:
    """What was written, by the table; the orders as the service has them are ``raw``."""
    return {"raw": stats["paths"][0], **stats["tables"]}


def _forget(folder: ObjectStoragePath) -> None:
    """Remove the pages; a storage that fails just then spoils no finished fetch."""
    from airflow_provider_yandex_orders.market.staged import forget_pages

    try:
        forget_pages(folder)
    except Exception as error:  # noqa: BLE001 - whatever a storage raises
        log.warning("The fetched pages could not be removed: %s.", type(error).__name__)
