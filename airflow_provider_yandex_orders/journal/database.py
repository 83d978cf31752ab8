# SPDX-License-Identifier: Apache-2.0
"""The journal's database: where it is, how it is made and upgraded, and how its errors are told."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from airflow.providers.common.compat.sdk import AirflowException, AirflowNotFoundException, BaseHook, conf
from sqlalchemy import create_engine, event, func, inspect, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, InternalError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import QueuePool

from airflow_provider_yandex_orders.exceptions import ConfigurationError, JournalUnavailable
from airflow_provider_yandex_orders.journal import tables
from airflow_provider_yandex_orders.journal.bulk import PostgresBulk, SqliteBulk
from airflow_provider_yandex_orders.privacy import scrub

SCHEMA = "yandex_orders"
"""The schema in PostgreSQL; SQLite has none."""
_BUSY_SECONDS = 60.0
_CONNECT_SECONDS = 10
_DEAD_SECONDS = 60
"""A server that is not heard of for so long is taken for dead."""
_ADVISORY_LOCK = 0x79_6F_6A_72  # any number of our own
_TURN_LOCK = _ADVISORY_LOCK + 1
_WRITES = "journal_writes"
_PASSING = (OperationalError, InterfaceError, InternalError, PoolTimeout)


def _first(connection: Connection, _schema: str) -> None:
    tables.metadata.create_all(connection)
    secret, journal_id = secrets.token_hex(32), secrets.token_hex(8)
    connection.execute(
        tables.meta.insert(), [{"name": "secret", "value": secret}, {"name": "journal_id", "value": journal_id}]
    )


def _second(connection: Connection, schema: str) -> None:
    """What tells Airflow's own retry from a task that people cleared. A journal made anew has it already."""
    for column in ("deliveries.try_number", "deliveries.max_tries", "parts.told"):
        _add(connection, schema, column, "INTEGER")


def _third(connection: Connection, schema: str) -> None:
    """What rows were worth."""
    _add(connection, schema, "parts.money", "JSON")
    tables.money.create(connection, checkfirst=True)


def _fourth(connection: Connection, _schema: str) -> None:
    """What people were told."""
    tables.notices.create(connection, checkfirst=True)


def _fifth(connection: Connection, schema: str) -> None:
    """What a page of many deliveries needs; the views are made anew by every upgrade."""
    connection.execute(
        text(f"CREATE INDEX IF NOT EXISTS journal_deliveries_started ON {schema}journal_deliveries (started_at)")
    )


def _add(connection: Connection, schema: str, named: str, kind: str) -> None:
    """Add a column, named by its table, where it is not there."""
    table, _, column = f"journal_{named}".partition(".")
    there = inspect(connection).get_columns(table, schema=schema.rstrip(".") or None)
    if column not in (each["name"] for each in there):
        connection.execute(text(f"ALTER TABLE {schema}{table} ADD COLUMN {column} {kind}"))


UPGRADES: tuple[Callable[[Connection, str], None], ...] = (_first, _second, _third, _fourth, _fifth)
"""What leads from each version of the tables to the next; the number of them is the version. Never changed, only
added to. Each gets the connection and the schema with its dot."""


class Database:
    """The opened journal: transactions whose errors are ours.

    :param named: how messages name the place.
    """

    def __init__(self, engine: Engine, named: str) -> None:
        self.named = named
        self.postgres = engine.dialect.name == "postgresql"
        if self.postgres:
            engine = engine.execution_options(schema_translate_map={None: SCHEMA})
        self.bulk: PostgresBulk | SqliteBulk = PostgresBulk(f"{SCHEMA}.") if self.postgres else SqliteBulk()
        self._engine = engine
        self._writer = engine.execution_options(**{_WRITES: True})
        try:
            self.meta = self._open()
        except BaseException:
            engine.dispose()
            raise

    def reading(self) -> AbstractContextManager[Connection]:
        """A transaction that only reads."""
        return self._transaction(self._engine)

    def writing(self) -> AbstractContextManager[Connection]:
        """A transaction that writes: in SQLite it waits its turn before it reads."""
        return self._transaction(self._writer)

    @property
    def insert(self) -> Callable[[Any], Any]:
        """``INSERT`` that can say ``ON CONFLICT``."""
        return postgresql.insert if self.postgres else sqlite.insert

    @property
    def clock(self) -> Any:
        """Expression: seconds since 1970 by the server's clock, which all workers share."""
        if self.postgres:
            return func.date_part("epoch", func.clock_timestamp())
        return (func.julianday("now") - 2440587.5) * 86400.0

    def one_after_the_other(self, connection: Connection) -> None:
        """Let no other transaction take a turn before this one ends; SQLite has one writer at a time anyway."""
        if self.postgres:
            connection.execute(select(func.pg_advisory_xact_lock(_TURN_LOCK)))

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    @contextmanager
    def _transaction(self, engine: Engine) -> Iterator[Connection]:
        try:
            with engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise self._explain(error) from None

    def _explain(self, error: SQLAlchemyError) -> Exception:
        said = scrub(" ".join(str(getattr(error, "orig", None) or error).split())[:500])
        if isinstance(error, _PASSING) or (isinstance(error, DBAPIError) and error.connection_invalidated):
            return JournalUnavailable(
                f"The journal of deliveries, {self.named}, does not answer: {said}. Without it nobody knows what was "
                "sent before, so nothing goes out. The next try asks again; look at the database and at "
                "journal_conn_id ([yandex_orders] of the configuration, or the task's argument).",
                retry_after=60.0,
            )
        if isinstance(error, IntegrityError):
            return error  # a mistake in this package, to be seen as it is
        return ConfigurationError(
            f"The journal of deliveries, {self.named}, cannot be used: {said}. Correct journal_conn_id "
            f"([yandex_orders] of the configuration, or the task's argument), or its account's rights: it makes and "
            f"changes tables{f' in the schema {SCHEMA}' if self.postgres else ''}."
        )

    def _open(self) -> dict[str, str]:
        """Make or upgrade the tables where that is needed; what the journal knows of itself."""
        with self.reading() as connection:
            known = self._read(connection)
        if known.get("version") != str(len(UPGRADES)):
            with self.writing() as connection:
                known = self._upgrade(connection)
        return known

    def _read(self, connection: Connection) -> dict[str, str]:
        if not inspect(connection).has_table(tables.meta.name, schema=SCHEMA if self.postgres else None):
            return {}
        found = connection.execute(select(tables.meta.c.name, tables.meta.c.value))
        return {row.name: row.value for row in found}

    def _upgrade(self, connection: Connection) -> dict[str, str]:
        """Two processes may come here at once: the second finds the work done."""
        if self.postgres:
            connection.execute(select(func.pg_advisory_xact_lock(_ADVISORY_LOCK)))
            # IF NOT EXISTS would ask for the right to make schemas also where the schema is there.
            if SCHEMA not in inspect(connection).get_schema_names():
                connection.execute(text(f"CREATE SCHEMA {SCHEMA}"))
        known = self._read(connection)
        version = int(known.get("version", 0))
        if version > len(UPGRADES):
            raise ConfigurationError(
                f"The journal of deliveries, {self.named}, was made by a newer version of this package (tables of "
                f"version {version}, this one knows {len(UPGRADES)}). Install that version here too."
            )
        if version == len(UPGRADES):
            return known
        schema = f"{SCHEMA}." if self.postgres else ""
        # PostgreSQL puts new ones in their place: what people have built on them, and who may read them, stays.
        make = "CREATE OR REPLACE VIEW" if self.postgres else "CREATE VIEW"
        for name in () if self.postgres else tables.VIEWS:
            connection.execute(text(f"DROP VIEW IF EXISTS {name}"))
        for upgrade in UPGRADES[version:]:
            upgrade(connection, schema)
        for name, query in tables.VIEWS.items():
            connection.execute(text(f"{make} {schema}{name} AS {query.format(schema=schema)}"))
        values = {"name": "version", "value": str(len(UPGRADES))}
        connection.execute(
            self.insert(tables.meta).values(values).on_conflict_do_update(index_elements=["name"], set_=values)
        )
        return self._read(connection)


def open_database(journal_conn_id: str | None) -> Database:
    """The database a connection names, or the local file, as :func:`.store.open_journal` says."""
    conn_id = journal_conn_id or conf.get("yandex_orders", "journal_conn_id", fallback="")
    if conn_id:
        return Database(_connected(conn_id), f"connection {conn_id!r}")
    path = _local_file()
    engine = create_engine(URL.create("sqlite", database=str(path)), **_options("sqlite"))
    _own_transactions(engine)
    return Database(engine, f"file {path}")


_DIALECTS = {"postgres": "postgresql", "sqlite": "sqlite"}


def _connected(conn_id: str) -> Engine:
    named = f"journal_conn_id names the connection {conn_id!r}"
    try:
        hook = BaseHook.get_hook(conn_id)
    except AirflowNotFoundException:
        raise ConfigurationError(f"{named}, which does not exist. Create it, or correct journal_conn_id.") from None
    except (AirflowException, ImportError) as error:  # its type has no hook here
        raise ConfigurationError(
            f"{named}, which cannot be used: {error}. Install the provider of its type: for PostgreSQL "
            "pip install apache-airflow-providers-postgres, for SQLite pip install apache-airflow-providers-sqlite."
        ) from None
    dialect = _DIALECTS.get(getattr(hook, "conn_type", ""))
    if dialect is None:
        raise ConfigurationError(
            f"{named}, whose hook is {type(hook).__name__}. The journal needs PostgreSQL, or SQLite where all tasks "
            "run on one machine: name a connection of type postgres or sqlite."
        )
    try:
        engine: Engine = hook.get_sqlalchemy_engine(_options(dialect))
    except (ImportError, AirflowException, SQLAlchemyError) as error:
        raise ConfigurationError(
            f"{named}, which cannot be used: {scrub(str(error))}. Correct it, and install what its provider needs for "
            "SQLAlchemy (apache-airflow-providers-postgres with psycopg2 or psycopg)."
        ) from None
    if dialect == "sqlite":
        _own_transactions(engine)
    return engine


def _options(dialect: str) -> dict[str, Any]:
    if dialect == "sqlite":
        arguments = {"timeout": _BUSY_SECONDS, "check_same_thread": False}
        return {"poolclass": QueuePool, "connect_args": arguments, "hide_parameters": True}
    arguments = {
        "connect_timeout": _CONNECT_SECONDS,
        "keepalives_idle": _DEAD_SECONDS // 2,
        "keepalives_interval": _DEAD_SECONDS // 6,
        "keepalives_count": 3,
        "tcp_user_timeout": _DEAD_SECONDS * 1000,
    }
    return {"connect_args": arguments, "hide_parameters": True, "pool_pre_ping": True}


def _own_transactions(engine: Engine) -> None:
    """SQLite begins when told to, with the lock a writer needs: else two writers that read first are at odds."""

    @event.listens_for(engine, "connect")
    def _opened(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA cache_size = -16000")

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _local_file() -> Path:
    """The file and its folder, closed to other users of the machine."""
    folder = Path(os.environ.get("AIRFLOW_HOME", "~/airflow")).expanduser() / "yandex_orders"
    path = folder / "journal.db"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise ConfigurationError(
            f"The journal of deliveries cannot be made: {error}. Make {folder} writable for Airflow's user, or name a "
            "database by [yandex_orders] journal_conn_id."
        ) from None
    return path


def now() -> datetime:
    """The moment, in UTC and without a zone, as the tables keep it."""
    return datetime.now(UTC).replace(tzinfo=None)
