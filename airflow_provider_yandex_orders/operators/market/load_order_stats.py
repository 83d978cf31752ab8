# SPDX-License-Identifier: Apache-2.0
"""Fetched order statistics into a warehouse."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any, TypedDict

from airflow.providers.common.compat.sdk import AirflowNotFoundException, BaseHook, BaseOperator, Connection, Context

from airflow_provider_yandex_orders.exceptions import ConfigurationError
from airflow_provider_yandex_orders.log_lines import failure_told
from airflow_provider_yandex_orders.retry import with_retry_policy
from airflow_provider_yandex_orders.summary import tell

_DOING = "Load order statistics"


class LoadedOrderStats(TypedDict):
    """What a load did: counts only. ``tables`` are rows loaded, by table."""

    service: str
    dataset: str
    tables: dict[str, int]
    orders: int
    orders_new: int
    orders_changed: int
    orders_unchanged: int
    orders_outdated: int
    changed_after_final: int


class MarketLoadOrderStatsOperator(BaseOperator):
    """Loads fetched order statistics into a warehouse: every order is replaced whole, in all tables at once.

    :param source: what to load: ``output`` of a :class:`MarketFetchOrderStatsOperator`, of a mapped one too, or a list
        of such results. (templated)
    :param conn_id: connection of the warehouse, of type ``postgres``, ``clickhouse``, ``gcpbigquery``, ``snowflake``,
        ``duckdb``, ``sqlite`` or ``mysql``. (templated)
    :param dataset: schema (BigQuery: dataset, MySQL: database) of the tables, made where it is not there: small Latin
        letters, digits and single underscores; by default ``market``. (templated)
    :param tables: a list of the tables to load, such as ``["items", "payments"]``; ``orders`` always is. The others
        stay as they are. By default all. (templated)
    :param changed_after_final: whether orders that changed after they were final are also noted in the table
        ``changed_after_final``; by default ``False``. They are counted anyway.
    :param journal_conn_id: connection of the journal, in which tasks that load the same dataset take turns; by default
        ``[yandex_orders] journal_conn_id`` of Airflow's configuration, else a file under ``AIRFLOW_HOME``. (templated)
    """

    template_fields: Sequence[str] = ("source", "conn_id", "dataset", "tables", "journal_conn_id")
    ui_color = "#fff4cc"

    def __init__(
        self,
        *,
        source: Any,
        conn_id: str,
        dataset: str = "market",
        tables: Sequence[str] | None = None,
        changed_after_final: bool = False,
        journal_conn_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**with_retry_policy(kwargs))
        self.source = source
        self.conn_id = conn_id
        self.dataset = dataset
        self.tables = tables
        self.changed_after_final = changed_after_final
        self.journal_conn_id = journal_conn_id

    @failure_told()
    def execute(self, context: Context) -> LoadedOrderStats:
        """Read the files, keep the newest of each order, load, report."""
        missing = [name for name in ("dlt", "pyarrow") if find_spec(name) is None]
        if missing:
            raise ConfigurationError(
                f"{_DOING}: {' and '.join(missing)} is missing. Install airflow-provider-yandex-orders[warehouse]."
            )
        from airflow_provider_yandex_orders.journal.records import Destination
        from airflow_provider_yandex_orders.journal.store import open_journal
        from airflow_provider_yandex_orders.market.warehouse.declare import WAREHOUSE_TABLES
        from airflow_provider_yandex_orders.market.warehouse.destinations import check_name, destination_of
        from airflow_provider_yandex_orders.market.warehouse.incoming import fetched_of, write_incoming
        from airflow_provider_yandex_orders.market.warehouse.merge import load
        from airflow_provider_yandex_orders.storage import scratch_folder

        known = [table.name for table in WAREHOUSE_TABLES]
        tables = [self.tables] if isinstance(self.tables, str) else self.tables
        chosen = known if tables is None else ["orders", *tables]
        unknown = sorted(set(chosen) - set(known))
        if unknown:
            raise ConfigurationError(f"{_DOING}: no table {', '.join(unknown)}; there are {', '.join(known)}.")
        if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", self.dataset):
            raise ConfigurationError(
                f"{_DOING}: dataset takes small Latin letters, digits and single underscores, such as market_2026."
            )
        fetches = fetched_of(self.source)
        destination = destination_of(self._connection())
        check_name(destination, self.dataset)
        with (
            scratch_folder(f"load {destination.place} {self.dataset}") as folder,
            open_journal(self.journal_conn_id) as journal,
        ):
            incoming = write_incoming(fetches, folder)
            here = Destination("market", destination.place, "", f"warehouse {self.dataset}")
            with journal.lease(here, _DOING, "another task loads there now, and two at once could mix") as lease:
                merged = load(
                    destination,
                    self.dataset,
                    chosen,
                    folder,
                    incoming.rows,
                    keep_changes=self.changed_after_final,
                    check=lease.check,
                )
        loaded = LoadedOrderStats(
            service="market",
            dataset=self.dataset,
            tables=merged.tables,
            orders=merged.orders,
            orders_new=merged.new,
            orders_changed=merged.changed,
            orders_unchanged=merged.unchanged,
            orders_outdated=merged.outdated + incoming.outdated,
            changed_after_final=merged.changed_after_final,
        )
        left_out = ", ".join(sorted(set(known) - set(chosen)))
        if left_out and merged.orders > merged.unchanged:
            self.log.warning(
                "%s: tables= leaves out %s: they are older now than their orders. To bring them up to date "
                "load the same fetch without tables=; an older one is not taken any more.",
                _DOING,
                left_out,
            )
        tell(loaded)
        return loaded

    def _connection(self) -> Connection:
        try:
            return BaseHook.get_connection(self.conn_id)
        except AirflowNotFoundException:
            raise ConfigurationError(
                f"{_DOING}: there is no connection {self.conn_id!r}. Create it, or correct conn_id."
            ) from None
