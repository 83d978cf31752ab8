# SPDX-License-Identifier: Apache-2.0
"""The SQLite file: all or nothing, exact sums, and nothing left behind."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from airflow_provider_yandex_orders.sandbox.store import Store

SCHEMA = "CREATE TABLE IF NOT EXISTS things (value TEXT);"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    found = Store(tmp_path / "kept.sqlite", [SCHEMA])
    yield found
    found.close()


def values(store: Store) -> list[str | None]:
    with store.connect() as connection:
        return [row["value"] for row in connection.execute("SELECT value FROM things")]


def fail_half_way(store: Store) -> None:
    with store.connect() as connection, store.transaction(connection):
        connection.execute("INSERT INTO things VALUES ('a')")
        raise RuntimeError("half way")


def test_failed_transaction_leaves_nothing_and_frees_the_writer(store: Store) -> None:
    with pytest.raises(RuntimeError, match="half way"):
        fail_half_way(store)
    assert values(store) == []

    with store.connect() as connection, store.transaction(connection):
        connection.execute("INSERT INTO things VALUES ('b')")
    assert values(store) == ["b"]


def test_decimal_sum_is_exact(store: Store) -> None:
    with store.connect() as connection:
        numbers = [("0.1",), ("0.2",), (None,), ("99999999999999999999999999999999.01",)]
        connection.executemany("INSERT INTO things VALUES (?)", numbers)
        total = connection.execute("SELECT decimal_sum(value) FROM things").fetchone()[0]

    assert total == "99999999999999999999999999999999.31"


def test_clear_empties_the_named_tables(store: Store) -> None:
    with store.connect() as connection:
        connection.execute("INSERT INTO things VALUES ('a')")
    store.clear(["things"])
    assert values(store) == []


def test_temporary_file_goes_with_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    store = Store(None, [SCHEMA])
    assert list(tmp_path.iterdir()) != []
    store.close()
    assert list(tmp_path.iterdir()) == []


def test_named_file_stays(tmp_path: Path) -> None:
    store = Store(tmp_path / "kept.sqlite", [SCHEMA])
    store.close()
    assert (tmp_path / "kept.sqlite").exists()
