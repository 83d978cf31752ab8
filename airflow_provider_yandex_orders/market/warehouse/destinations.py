# SPDX-License-Identifier: Apache-2.0
"""Connections of Airflow as destinations of dlt."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow_provider_yandex_orders.exceptions import ConfigurationError

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Connection

_DOING = "Load order statistics"
COMING = "%s_orders_coming"
"""Name of the dataset where rows of another one are first: nobody else has a reason to take it."""
_LIBPQ = ("sslmode", "sslcert", "sslkey", "sslrootcert", "options", "connect_timeout", "application_name")


class Destination(NamedTuple):
    """A warehouse.

    :param name: dlt's name of it, which is that of its extra too.
    :param arguments: what dlt makes it from.
    :param format: of the files it is loaded from.
    :param as_text: dlt's types for which texts are loaded.
    :param place: what tells it from others, without a secret.
    """

    name: str
    arguments: Mapping[str, Any]
    format: str
    as_text: frozenset[str]
    place: str


def destination_of(connection: Connection) -> Destination:
    """The warehouse of a connection.

    :raises ConfigurationError: there is none for its type, or what it needs is missing.
    """
    known = _KNOWN.get(connection.conn_type or "")
    if known is None:
        raise ConfigurationError(
            f"{_DOING}: connection {connection.conn_id!r} is of type {connection.conn_type}. Orders can be loaded by "
            f"one of type {', '.join(_KNOWN)}."
        )
    name, file_format, as_text, read = known
    arguments = read(connection, connection.extra_dejson)
    given = arguments.get("credentials", {})
    named = ("host", "port", "database", "project_id")
    place = given if isinstance(given, str) else "/".join(str(given[part]) for part in named if given.get(part))
    return Destination(name, arguments, file_format, frozenset(as_text), place)


def check_name(destination: Destination, dataset: str) -> None:
    """Make sure that a DuckDB file is not named like a schema in it, which makes every name ambiguous.

    :raises ConfigurationError: it is.
    """
    if destination.name == "duckdb" and Path(destination.place).stem in (dataset, COMING % dataset):
        raise ConfigurationError(
            f"{_DOING}: DuckDB cannot tell the file {Path(destination.place).name} from the dataset {dataset!r} in it. "
            "Name another dataset, or rename the file."
        )


def _server(connection: Connection, **more: Any) -> dict[str, Any]:
    named = {"username": connection.login, "password": connection.password, "host": connection.host, **more}
    return {"credentials": {name: value for name, value in named.items() if value not in (None, "")}}


def _postgres(connection: Connection, extra: Mapping[str, Any]) -> dict[str, Any]:
    query = {name: str(extra[name]) for name in _LIBPQ if name in extra}
    database = connection.schema or connection.login
    made = _server(connection, port=connection.port or 5432, database=database, query=query)
    made["credentials"].setdefault("password", "")  # it may be in a .pgpass file or in PGPASSWORD, or none be asked for
    return made


def _clickhouse(connection: Connection, extra: Mapping[str, Any]) -> dict[str, Any]:
    secure = str(extra.get("secure", "")).lower() in ("1", "true")
    return _server(
        connection,
        port=connection.port or (9440 if secure else 9000),
        http_port=int(extra.get("http_port") or (8443 if secure else 8123)),
        database=connection.schema or "default",
        secure=int(secure),
    )


def _bigquery(_connection: Connection, extra: Mapping[str, Any]) -> dict[str, Any]:
    extra = {name.removeprefix("extra__google_cloud_platform__"): value for name, value in extra.items()}
    key = extra.get("keyfile_dict")
    location = {"location": extra["location"]} if extra.get("location") else {}
    try:
        if not key and extra.get("key_path"):
            key = Path(extra["key_path"]).read_text(encoding="utf-8")
        if not key:
            return location  # the machine's own credentials
        read = json.loads(key) if isinstance(key, str) else dict(key)
    except (OSError, ValueError, TypeError) as error:
        raise ConfigurationError(
            f"{_DOING}: the key of the connection cannot be read ({type(error).__name__}). Correct keyfile_dict, which "
            "is JSON, or key_path, a file of the worker, in its extra."
        ) from None
    return {"credentials": {**read, "project_id": extra.get("project") or read.get("project_id")}, **location}


def _snowflake(connection: Connection, extra: Mapping[str, Any]) -> dict[str, Any]:
    extra = {name.removeprefix("extra__snowflake__"): value for name, value in extra.items()}
    key = {"private_key": extra.get("private_key_content"), "private_key_path": extra.get("private_key_file")}
    by_key = {"password": None, "private_key_passphrase": connection.password, **key} if any(key.values()) else {}
    named = {name: extra.get(name) for name in ("database", "warehouse", "role")}
    return _server(connection, **{"host": extra.get("account") or connection.host, **named, **by_key})


def _duckdb(connection: Connection, _extra: Mapping[str, Any]) -> dict[str, Any]:
    return {"credentials": _file(connection)}


def _sqlite(connection: Connection, _extra: Mapping[str, Any]) -> dict[str, Any]:
    return {"credentials": {"drivername": "sqlite", "database": _file(connection)}}  # an address would cut it at a ?


def _mysql(connection: Connection, extra: Mapping[str, Any]) -> dict[str, Any]:
    driver = "mysql+mysqldb" if find_spec("MySQLdb") else "mysql+pymysql"
    query = {"charset": str(extra.get("charset") or "utf8mb4")}
    port = connection.port or 3306
    return _server(connection, drivername=driver, port=port, database=connection.schema, query=query)


def _file(connection: Connection) -> str:
    path = connection.host or connection.schema
    if not path or path == ":memory:":
        raise ConfigurationError(f"{_DOING}: connection {connection.conn_id!r} names no file: put its path into host.")
    return path


_Read = Callable[["Connection", Mapping[str, Any]], dict[str, Any]]
_KNOWN: dict[str, tuple[str, str, tuple[str, ...], _Read]] = {
    "postgres": ("postgres", "csv", (), _postgres),
    "duckdb": ("duckdb", "parquet", (), _duckdb),
    # SQLite makes binary floats of numbers; what comes of JSON elsewhere is the driver's choice.
    "sqlite": ("sqlalchemy", "parquet", ("decimal", "json"), _sqlite),
    "mysql": ("sqlalchemy", "parquet", ("json",), _mysql),
    "clickhouse": ("clickhouse", "parquet", ("json",), _clickhouse),
    "snowflake": ("snowflake", "parquet", ("json",), _snowflake),
    "gcpbigquery": ("bigquery", "parquet", ("json",), _bigquery),
    "google_cloud_platform": ("bigquery", "parquet", ("json",), _bigquery),
}
