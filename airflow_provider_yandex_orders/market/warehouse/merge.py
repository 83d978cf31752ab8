# SPDX-License-Identifier: Apache-2.0
"""Local files into a warehouse by dlt: first beside its tables, then into all of them in one transaction.

dlt itself merges each table in a transaction of its own: a worker that dies would leave orders with new items and old
payments. So it makes the tables and brings the rows, and a few statements here replace the orders.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow_provider_yandex_orders.market.tables.declare import Column, Table, Type
from airflow_provider_yandex_orders.market.tables.files import SCALE
from airflow_provider_yandex_orders.market.warehouse.declare import CHANGED_AFTER_FINAL, WAREHOUSE_TABLES

if TYPE_CHECKING:
    from airflow_provider_yandex_orders.market.warehouse.destinations import Destination

_TYPES = {
    Type.INTEGER: "bigint",
    Type.TEXT: "text",
    Type.BOOLEAN: "bool",
    Type.DECIMAL: "decimal",
    Type.DATE: "date",
    Type.MOMENT: "timestamp",
    Type.JSON: "json",
}
_BATCH = 5000
_PIPELINE = "market_order_stats"
_SETTINGS: dict[str, Any] = {
    "providers": {"enable_airflow_secrets": False},
    "restore_from_destination": False,
    "runtime": {"dlthub_telemetry": False, "log_level": "CRITICAL"},
    "load": {"workers": 4, "raise_on_max_retries": 1},
    "data_writer": {"disable_compression": True},
}
"""All that dlt is told beside arguments: neither its files nor environment variables count."""
_OLDER = (
    "(n.status_update_date < o.status_update_date"
    " OR (n.status_update_date IS NULL AND o.status_update_date IS NOT NULL)"
    " OR ((n.status_update_date = o.status_update_date"
    " OR (n.status_update_date IS NULL AND o.status_update_date IS NULL)) AND n.fetched_at < o.fetched_at))"
)


class Merged(NamedTuple):
    """What became of the orders.

    :param tables: rows loaded, by table.
    :param changed_after_final: orders that were over and have another content now.
    """

    tables: dict[str, int]
    orders: int
    new: int
    changed: int
    unchanged: int
    outdated: int
    changed_after_final: int


def load(
    destination: Destination,
    dataset: str,
    tables: Sequence[str],
    folder: Path,
    rows: Mapping[str, int],
    *,
    keep_changes: bool,
) -> Merged:
    """Replace the orders of local files in the warehouse, in all tables.

    :param dataset: where the tables are; what comes is put into another one beside it first.
    :param tables: names of those to load.
    :param rows: rows of each file.
    :param keep_changes: whether to note orders that changed after they were final.
    """
    import dlt

    chosen = [table for table in WAREHOUSE_TABLES if table.name in tables]
    with _own_settings(folder):
        schema = dlt.Schema(_PIPELINE)
        for table in [*chosen, *([CHANGED_AFTER_FINAL] if keep_changes else [])]:
            schema.update_table(_declared(table, destination))
        resources = [_resource(table, folder, destination) for table in chosen if rows[table.name]]

        def pipeline(of: str) -> Any:
            where = str(folder / "pipelines")
            return dlt.pipeline(_PIPELINE, pipelines_dir=where, destination=destination.factory, dataset_name=of)

        beside = pipeline(f"{dataset}_staging")
        with beside.sql_client() as client:
            if client.has_dataset():
                client.drop_dataset()
        beside.run(dlt.source(lambda: resources, schema=schema)(), loader_file_format=destination.format)
        final = pipeline(dataset)
        final.sync_schema()
        with final.sql_client() as client, client.begin_transaction():
            return _merge(client, chosen, rows, keep_changes=keep_changes)


@contextmanager
def _own_settings(folder: Path) -> Iterator[None]:
    from dlt.common.configuration.providers.dictionary import DictionaryProvider
    from dlt.common.runtime.run_context import RunContext, switched_run_context

    class Settings(RunContext):
        def initial_providers(self) -> list[Any]:
            provider = DictionaryProvider()
            provider._config_doc = _SETTINGS
            return [provider]

    with switched_run_context(Settings(str(folder))):
        yield


def _declared(table: Table, destination: Destination) -> dict[str, Any]:
    from dlt.common.schema.utils import new_table

    columns = [_column(column, column.name in table.key, destination) for column in table.columns]
    if len(table.key) == 1:
        columns[0]["unique"] = True
    return dict(new_table(table.name, write_disposition="append", columns=columns))


def _column(column: Column, is_key: bool, destination: Destination) -> dict[str, Any]:
    kind = _TYPES[column.type]
    kind = "text" if kind in destination.as_text else kind
    exact = {"precision": 38, "scale": SCALE} if kind == "decimal" else {}
    return {"name": column.name, "data_type": kind, "nullable": not is_key, **exact}


def _resource(table: Table, folder: Path, destination: Destination) -> Any:
    import dlt
    import pyarrow as pa
    import pyarrow.parquet as pq

    def batches() -> Iterator[Any]:
        with pq.ParquetFile(folder / f"{table.name}.parquet") as file:
            for batch in file.iter_batches(_BATCH):
                rows = pa.Table.from_batches([batch])
                for number, field in enumerate(rows.schema):
                    if pa.types.is_decimal(field.type) and "decimal" in destination.as_text:
                        rows = rows.set_column(number, field.name, rows.column(number).cast(pa.string()))
                yield rows

    return dlt.resource(batches, name=table.name, write_disposition="append")


def _merge(client: Any, tables: Sequence[Table], rows: Mapping[str, int], *, keep_changes: bool) -> Merged:
    """Replace what the warehouse has of the orders beside it, but for those it has newer."""
    named = {table.name: client.get_qualified_table_names(table.name) for table in tables}
    orders, new_orders = named["orders"]
    column = client.escape_column_name
    both = f"FROM {new_orders} n JOIN {orders} o ON o.order_id = n.order_id"
    same = "o.content_sum = n.content_sum"
    late = f"o.is_final AND NOT {same}"
    if not rows["orders"]:
        return Merged(dict.fromkeys(named, 0), 0, 0, 0, 0, 0, 0)

    def count(what: str) -> int:
        return int(client.execute_sql(f"SELECT COUNT(*) {what}")[0][0])

    outdated = count(f"{both} WHERE {_OLDER}")
    if outdated:
        older = f"SELECT n.order_id {both} WHERE {_OLDER}"
        for name in reversed(named):  # orders, by which the others are told, last
            if rows[name]:
                client.execute_sql(
                    f"DELETE FROM {named[name][1]} WHERE order_id IN (SELECT order_id FROM ({older}) outdated)"
                )
    known, unchanged, changed_late = count(both), count(f"{both} WHERE {same}"), count(f"{both} WHERE {late}")
    taken = rows["orders"] - outdated
    if keep_changes and changed_late:
        names = ", ".join(column(name) for name in CHANGED_AFTER_FINAL.names)
        client.execute_sql(
            f"INSERT INTO {client.make_qualified_table_name(CHANGED_AFTER_FINAL.name)} ({names}) "
            f"SELECT n.order_id, n.campaign_id, o.status, n.status, n.fetched_at {both} WHERE {late}"
        )
    loaded = {}
    for table in tables:
        old, new = named[table.name]
        names = ", ".join(map(column, table.names))
        client.execute_sql(f"DELETE FROM {old} WHERE order_id IN (SELECT order_id FROM {new_orders})")
        if rows[table.name]:
            client.execute_sql(f"INSERT INTO {old} ({names}) SELECT {names} FROM {new}")
        loaded[table.name] = count(f"FROM {new}") if rows[table.name] else 0
    return Merged(loaded, taken, taken - known, known - unchanged, unchanged, outdated, changed_late)
