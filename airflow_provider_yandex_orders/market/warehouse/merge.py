# SPDX-License-Identifier: Apache-2.0
"""Local files into a warehouse by dlt: first beside its tables, then into all of them in one transaction.

dlt itself merges each table in a transaction of its own: a worker that dies would leave orders with new items and old
payments. So it makes the tables and brings the rows, and a few statements here replace the orders.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from airflow_provider_yandex_orders.exceptions import ConfigurationError, PassingError, PermanentError
from airflow_provider_yandex_orders.market.tables.declare import Column, Table, Type
from airflow_provider_yandex_orders.market.tables.files import SCALE
from airflow_provider_yandex_orders.market.warehouse.declare import CHANGED_AFTER_FINAL, WAREHOUSE_TABLES
from airflow_provider_yandex_orders.market.warehouse.destinations import COMING, Destination
from airflow_provider_yandex_orders.privacy import driver_words

_PIPELINE = "market_order_stats"
_BATCH = 5000
_TYPES = {
    Type.INTEGER: "bigint",
    Type.TEXT: "text",
    Type.BOOLEAN: "bool",
    Type.DECIMAL: "decimal",
    Type.DATE: "date",
    Type.MOMENT: "timestamp",
    Type.JSON: "json",
}
_SETTINGS: dict[str, Any] = {
    "providers": {"enable_airflow_secrets": False},
    "restore_from_destination": False,
    "runtime": {"dlthub_telemetry": False, "log_level": "CRITICAL"},
    "load": {"workers": 4, "raise_on_max_retries": 1},
}
"""All that dlt is told beside arguments: neither its files nor environment variables count."""
_OLDER = (
    "(n.status_update_date < o.status_update_date OR (n.fetched_at < o.fetched_at"
    " AND (n.status_update_date = o.status_update_date"
    " OR n.status_update_date IS NULL OR o.status_update_date IS NULL)))"
)
_REFUSED = {"ProgrammingError", "IntegrityError", "DataError", "NotSupportedError"}


class Merged(NamedTuple):
    """What became of the orders.

    :param tables: rows loaded, by table.
    :param changed_after_final: orders that were over and have another content now.
    """

    tables: dict[str, int]
    orders: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    outdated: int = 0
    changed_after_final: int = 0


def load(
    destination: Destination,
    dataset: str,
    tables: Sequence[str],
    folder: Path,
    rows: Mapping[str, int],
    *,
    keep_changes: bool,
    check: Callable[[], None],
) -> Merged:
    """Replace the orders of local files in the warehouse, in all tables.

    :param dataset: where the tables are; what comes is put into another one beside it first.
    :param tables: names of those to load.
    :param rows: rows of each file.
    :param keep_changes: whether to note orders that changed after they were final.
    :param check: called before the warehouse's tables are touched.
    """
    with _explained(destination), _own_settings(folder):
        import dlt

        chosen = [table for table in WAREHOUSE_TABLES if table.name in tables]
        schema = dlt.Schema(_PIPELINE)
        for table in [*chosen, *([CHANGED_AFTER_FINAL] if keep_changes else [])]:
            schema.update_table(_declared(table, destination))
        resources = [_resource(table, folder, destination) for table in chosen if rows[table.name]]
        kind = getattr(dlt.destinations, destination.name)
        made = kind(**destination.arguments, staging_dataset_name_layout=COMING)

        def pipeline(of: str) -> Any:
            return dlt.pipeline(_PIPELINE, str(folder / "pipelines"), destination=made, dataset_name=of)

        beside = pipeline(COMING % dataset)
        with beside.sql_client() as client:
            if client.has_dataset():  # our tables only: whatever else is there is somebody's
                # First the one that a load in its transaction has read: its database lets us wait there.
                own = (schema.loads_table_name, schema.version_table_name, schema.state_table_name)
                client.drop_tables(*own, *(table.name for table in WAREHOUSE_TABLES))
        brought = beside.run(dlt.source(lambda: resources, schema=schema)(), loader_file_format=destination.format)
        final = pipeline(dataset)
        _check_ours(final, schema.name, [table.name for table in WAREHOUSE_TABLES])
        final.sync_schema()
        check()
        try:
            with final.sql_client() as client, client.begin_transaction():
                if rows["orders"]:
                    _check_alone(client, schema.loads_table_name, brought.loads_ids)
                return _merge(client, chosen, rows, keep_changes=keep_changes)
        finally:
            final.deactivate()


@contextmanager
def _own_settings(folder: Path) -> Iterator[None]:
    from dlt.common.configuration.container import Container
    from dlt.common.configuration.providers.dictionary import DictionaryProvider
    from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext
    from dlt.common.runtime.run_context import RunContext

    class Settings(RunContext):
        def initial_providers(self) -> list[Any]:
            provider = DictionaryProvider()
            for name, value in _SETTINGS.items():
                provider.set_value(name, value, None)
            return [provider]

    with Container().injectable_context(PluggableRunContext(Settings(str(folder)))):
        yield


@contextmanager
def _explained(destination: Destination) -> Iterator[None]:
    """Errors in our words: those of dlt quote statements and rows."""
    doing = f"Load order statistics into {destination.name}"
    try:
        yield
    except (PassingError, PermanentError):
        raise
    except Exception as error:  # noqa: BLE001 - whatever dlt and a driver raise
        chain = list(_inner(error))
        names = set().union(*map(_names, chain))
        if names & {"ImportError", "MissingDependencyException"}:
            raise ConfigurationError(f"{doing}: something is not installed. Install dlt[{destination.name}].") from None
        if "ConfigurationException" in names:
            raise ConfigurationError(f"{doing}: the connection lacks something: {type(chain[-1]).__name__}.") from None
        drivers = [each for each in chain if {"DatabaseError", "InterfaceError"} & _names(each) and not _is_dlt(each)]
        said = driver_words(drivers[-1]) if drivers else type(chain[-1]).__name__
        if drivers and "password" in str(drivers[-1]).lower():
            said = "it refuses the login or the password"
        what = f"{doing}: the database failed: {said}. Its tables are as they were, where it has transactions"
        if "DatabaseUndefinedRelation" in names:
            raise PermanentError(
                f"{what}. A table or column that dlt made was removed by hand: drop the whole dataset, and load anew."
            ) from None
        if names & _REFUSED:
            raise PermanentError(f"{what}. Correct the connection or what its user may do.") from None
        raise PassingError(f"{what}; the next try loads all anew. Check the connection if that fails too.") from None


def _inner(error: BaseException | None) -> Iterator[Exception]:
    while isinstance(error, Exception):
        yield error
        inside = (getattr(error, name, None) for name in ("exception", "dbapi_exception", "inner_exc", "orig"))
        error = next((each for each in inside if isinstance(each, BaseException)), error.__cause__)


def _names(error: BaseException) -> set[str]:
    return {base.__name__ for base in type(error).__mro__}


def _is_dlt(error: BaseException) -> bool:
    return type(error).__module__.startswith(("dlt.", "sqlalchemy."))


def _declared(table: Table, destination: Destination) -> Any:
    from dlt.common.schema.utils import new_table

    return new_table(table.name, write_disposition="append", columns=_columns(table, destination))


def _columns(table: Table, destination: Destination) -> list[Any]:
    columns = [_column(column, column.name in table.key, destination) for column in table.columns]
    columns[0]["unique"] = len(table.key) == 1  # PostgreSQL makes an index of it
    return columns


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
                        plain = [None if value is None else f"{value:f}" for value in rows.column(number).to_pylist()]
                        rows = rows.set_column(number, field.name, pa.array(plain, pa.string()))
                yield rows

    return dlt.resource(batches, name=table.name, write_disposition="append", columns=_columns(table, destination))


def _check_ours(pipeline: Any, schema_name: str, names: Sequence[str]) -> None:
    """Make sure that tables of our names are ours."""
    with pipeline.destination_client() as client:
        if client.is_storage_initialized() and client.get_stored_schema(schema_name) is None:
            taken = [name for name in names if client.get_storage_table(name)[0]]
            if taken:
                raise ConfigurationError(
                    f"Load order statistics: {pipeline.dataset_name} has tables {', '.join(taken)} that no load made. "
                    "Nothing was loaded. Name another dataset."
                )


def _check_alone(client: Any, loads_table: str, ours: Sequence[str]) -> None:
    """Make sure that the rows are those of this load, and, in PostgreSQL, that they stay so until the end."""
    _, loads = client.get_qualified_table_names(loads_table)
    found = [row[0] for row in client.execute_sql(f"SELECT load_id FROM {loads}")]  # noqa: S608
    if sorted(found) != sorted(ours):
        raise PassingError(
            "Load order statistics: another task loads there now, from a machine with another journal. Nothing was "
            "loaded; the next try loads all anew. Let both name one journal_conn_id."
        )


def _merge(client: Any, tables: Sequence[Table], rows: Mapping[str, int], *, keep_changes: bool) -> Merged:
    """Replace what the warehouse has of the orders beside it, but for those it has newer."""
    named = {table.name: client.get_qualified_table_names(table.name) for table in tables}
    if not rows["orders"]:
        return Merged(dict.fromkeys(named, 0))
    orders, incoming = named["orders"]
    both = f"FROM {incoming} n JOIN {orders} o ON o.order_id = n.order_id"
    same = "o.content_sum = n.content_sum"
    late = f"o.is_final AND NOT {same}"

    def count(what: str) -> int:
        return int(client.execute_sql(f"SELECT COUNT(*) {what}")[0][0])

    def insert(table: Table, into: str, select: str) -> None:
        names = ", ".join(map(client.escape_column_name, table.names))
        client.execute_sql(f"INSERT INTO {into} ({names}) SELECT {select.format(names=names)}")

    outdated = count(f"{both} WHERE {_OLDER}")
    if outdated:
        older = f"SELECT order_id FROM (SELECT n.order_id {both} WHERE {_OLDER}) outdated"  # noqa: S608
        for name in reversed(named):  # orders, by which the others are told, last
            if rows[name]:
                client.execute_sql(f"DELETE FROM {named[name][1]} WHERE order_id IN ({older})")  # noqa: S608
    known, unchanged, changed_late = count(both), count(f"{both} WHERE {same}"), count(f"{both} WHERE {late}")
    if keep_changes and changed_late:
        moment = "n.order_id, n.campaign_id, o.status, n.status, n.fetched_at"
        insert(
            CHANGED_AFTER_FINAL,
            client.make_qualified_table_name(CHANGED_AFTER_FINAL.name),
            f"{moment} {both} WHERE {late}",
        )
    loaded = dict.fromkeys(named, 0)
    for table in tables:
        old, new = named[table.name]
        client.execute_sql(f"DELETE FROM {old} WHERE order_id IN (SELECT order_id FROM {incoming})")  # noqa: S608
        if rows[table.name]:
            insert(table, old, f"{{names}} FROM {new}")
            loaded[table.name] = count(f"FROM {new}")
    taken = rows["orders"] - outdated
    return Merged(loaded, taken, taken - known, known - unchanged, unchanged, outdated, changed_late)
