# SPDX-License-Identifier: Apache-2.0
"""Connections of Airflow as destinations of dlt."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow_provider_yandex_orders.exceptions import ConfigurationError

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Connection


class Destination(NamedTuple):
    """A warehouse.

    :param factory: dlt's destination.
    :param format: of the files dlt loads there.
    :param as_text: dlt's types that the database has no exact one for.
    """

    factory: Any
    format: str
    as_text: frozenset[str] = frozenset()


def destination_of(connection: Connection) -> Destination:
    """The warehouse of a connection.

    :raises ConfigurationError: dlt has none for its type, or not all that it needs is there.
    """
    make = _MADE.get(connection.conn_type)
    if make is None:
        raise ConfigurationError(
            f"Load order statistics: connection {connection.conn_id} is of type {connection.conn_type}. What can be "
            f"loaded into: {', '.join(_MADE)}."
        )
    import dlt.destinations as known

    return make(connection, known)


def _postgres(connection: Connection, known: Any) -> Destination:
    return Destination(known.postgres(_url(connection, "postgresql")), "csv")


def _duckdb(connection: Connection, known: Any) -> Destination:
    return Destination(known.duckdb(connection.host or connection.schema), "parquet")


def _sqlite(connection: Connection, known: Any) -> Destination:
    return Destination(known.sqlalchemy(f"sqlite:///{connection.host}"), "parquet", frozenset({"decimal"}))


def _url(connection: Connection, scheme: str) -> Any:
    from sqlalchemy.engine import URL

    url = URL.create(
        scheme, connection.login, connection.password, connection.host, connection.port, connection.schema or None
    )
    return url.render_as_string(hide_password=False)


_MADE: dict[str, Callable[[Connection, Any], Destination]] = {
    "postgres": _postgres,
    "duckdb": _duckdb,
    "sqlite": _sqlite,
}
