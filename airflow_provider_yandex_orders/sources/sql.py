# SPDX-License-Identifier: Apache-2.0
"""Rows from any database Airflow has a hook for, streamed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import uuid4

from airflow.providers.common.compat.sdk import AirflowException, AirflowNotFoundException, BaseHook

from airflow_provider_yandex_orders.exceptions import ConfigurationError, SourceError, SourceUnavailable
from airflow_provider_yandex_orders.sources.base import ColumnMap, RowStream, Source, of_table, plain

FETCH_ROWS = 2000
_REFUSED = frozenset({"ProgrammingError", "DataError", "NotSupportedError"})


@dataclass(eq=False, repr=False)
class SqlSource(Source):
    """The rows of a query, through the connection's own Airflow hook.

    The result is never held in memory: PostgreSQL gets a server-side cursor and MySQL an unbuffered one; other
    drivers are read in steps of 2,000 rows.

    :param conn_id: a connection whose hook is a ``DbApiHook``. (templated)
    :param sql: the query, or the name of a ``.sql`` file beside the DAG. (templated)
    :param parameters: values for the query's placeholders, as the database's driver writes them. (templated)
    :param columns: ``{"target field": "column of the result"}`` where names differ; a dotted path into a JSON column;
        or a list of columns, of which list fields take all and others the first filled. (templated)
    :param hook_params: arguments of the connection's hook, such as ``{"schema": "crm"}``. (templated)
    """

    template_fields: ClassVar[tuple[str, ...]] = ("conn_id", "sql", "parameters", "columns", "hook_params")

    conn_id: str
    sql: str
    parameters: Mapping[str, Any] | Sequence[Any] | None = None
    columns: ColumnMap | None = None
    hook_params: Mapping[str, Any] | None = None

    def serialize(self) -> dict[str, Any]:
        """The query as rendered; parameters only by their number, as they may be personal."""
        count = len(self.parameters) if isinstance(self.parameters, (list, tuple, Mapping)) else 1
        shown = {
            "conn_id": self.conn_id,
            "sql": self.sql,
            "parameters": f"{count} value{'' if count == 1 else 's'}, not shown" if self.parameters else None,
            "columns": self.columns,
            "hook_params": list(self.hook_params) if isinstance(self.hook_params, Mapping) else self.hook_params,
        }
        return {name: plain(value) for name, value in shown.items() if value is not None}

    @contextmanager
    def open(self) -> Iterator[RowStream]:
        """Run the query."""
        hook = self._hook()
        with ExitStack() as opened:
            try:
                connection = opened.enter_context(closing(hook.get_conn()))
                cursor = opened.enter_context(closing(_cursor(connection)))
                # Drivers read None and "no parameters" differently: a % in the query is then a plain %.
                cursor.execute(self.sql, self.parameters) if self.parameters else cursor.execute(self.sql)
                first = cursor.fetchmany(FETCH_ROWS)  # a server-side cursor knows its columns only now
            except Exception as error:  # noqa: BLE001 - drivers share no base class that could be named
                raise self._explain(error) from None
            if cursor.description is None:
                raise SourceError(f"Read {self.conn_id!r}: the query gives no rows. It must be a SELECT.")
            names = [column[0] for column in cursor.description]
            yield RowStream(names, of_table(names, self._cells(cursor, first)))

    def _cells(self, cursor: Any, first: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
        batch = first
        while batch:
            # Cursors that a connection may ask for give mappings.
            yield from map(tuple, (row.values() for row in batch) if isinstance(batch[0], Mapping) else batch)
            try:
                batch = cursor.fetchmany(FETCH_ROWS)
            except Exception as error:  # noqa: BLE001 - as above
                raise self._explain(error) from None

    def __repr__(self) -> str:
        return f"SqlSource({self.conn_id!r})"

    def _hook(self) -> Any:
        try:
            connection = BaseHook.get_connection(self.conn_id)
            hook = connection.get_hook(hook_params=dict(self.hook_params or {}))
        except AirflowNotFoundException:
            raise ConfigurationError(
                f"There is no connection {self.conn_id!r}. Create it, or correct conn_id of the SqlSource."
            ) from None
        except AirflowException as error:  # its type has no hook here
            raise ConfigurationError(
                f"The connection {self.conn_id!r} cannot be used: {error}. Install the provider of its type, or "
                "correct conn_id of the SqlSource."
            ) from None
        if not hasattr(hook, "get_conn") or not hasattr(hook, "get_records"):
            raise ConfigurationError(
                f"The connection {self.conn_id!r} ({type(hook).__name__}) is no database: SqlSource needs one whose "
                "hook is a DbApiHook. For files use FileSource."
            )
        return hook

    def _explain(self, error: Exception) -> Exception:
        """The driver's error in our words; an error that is no driver's stays what it is."""
        names = {base.__name__ for base in type(error).__mro__}
        if not names & {"DatabaseError", "InterfaceError"}:  # the names PEP 249 gives them
            return error
        from airflow_provider_yandex_orders.privacy import driver_words

        said = driver_words(error)
        # SQLite calls everything operational; its code 1 is an error in the query.
        if names & _REFUSED or getattr(error, "sqlite_errorcode", None) == 1:
            return SourceError(
                f"Read {self.conn_id!r}: the database refuses the query: {said}. Correct sql of the SqlSource."
            )
        return SourceUnavailable(
            f"Read {self.conn_id!r}: the database failed: {said}. Nothing was sent; the next try reads anew."
        )


def _cursor(connection: Any) -> Any:
    """A cursor that leaves the result with the server, where the driver has one."""
    raw = getattr(connection, "connection", connection)
    driver = type(raw).__module__.partition(".")[0]
    if driver in ("psycopg2", "psycopg"):
        return connection.cursor(f"yandex_orders_{uuid4().hex[:12]}")
    if driver == "MySQLdb":
        from MySQLdb.cursors import SSCursor

        return connection.cursor(SSCursor)
    return connection.cursor()
