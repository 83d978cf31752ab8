# SPDX-License-Identifier: Apache-2.0
"""The command: a connection's service and a sandbox, call by call."""

import argparse
import logging
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, Final

import requests

from airflow_provider_yandex_orders.sandbox.compare.calls import SERVICES, Call, Service
from airflow_provider_yandex_orders.sandbox.compare.shape import Shape, differences, shape
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sandbox.settings import SandboxSettings

ALIKE, DIFFERENT, CANNOT = 0, 1, 2
_TOKEN: Final = "sandbox-token"  # noqa: S105 - the sandbox's own
_TIMEOUT: Final = (10.0, 60.0)


class CannotCompare(Exception):
    """The comparison cannot be made; the message says why."""


@dataclass(frozen=True, slots=True)
class _Side:
    """Where calls go, and with what."""

    service: Service
    url: str
    token: str
    ids: Mapping[str, str]
    auth_type: str | None = None

    def ask(self, call: Call) -> Shape:
        """Send a call; what its answer is like."""
        headers, fields = self.service.credentials(self.token, self.auth_type) if call.known else ({}, {})
        own = {self.token: "<token>", **{value: f"<{name}>" for name, value in self.ids.items()}}
        names = {name.removesuffix("_id"): value for name, value in self.ids.items()}
        with requests.Session() as session:
            session.auth = lambda request: request  # else a login of ~/.netrc takes the token's place
            session.trust_env = self.token != _TOKEN  # a proxy does not reach a loopback address
            answer = session.request(
                call.method,
                f"{self.url}{call.path.format_map(names)}",
                params={name: str(value).format_map(names) for name, value in call.query.items()},
                headers=dict(headers),
                json=None if call.body is None else {**fields, **call.body},
                files=None if call.rows is None else {"file": ("compare.csv", call.rows, "text/csv")},
                timeout=_TIMEOUT,
                allow_redirects=False,  # a redirect could carry the token elsewhere
            )
        return shape(answer.status_code, answer.headers, answer.content, own)


def main(arguments: Sequence[str]) -> int:
    """Compare and print; returns the exit code: 0 for alike, 1 for different, 2 where it cannot be told."""
    options = _parser().parse_args(arguments)
    if options.write and not options.counter:
        return _fail("--write needs --counter, the counter to test on: the upload stays in it.")
    try:
        name, live = _service_side(options.conn_id, options.counter)
        if options.write and live.service.write is None:
            return _fail("--write is for connections of type yandex_metrica.")
        return _compare(name, live, write=options.write)
    except CannotCompare as error:
        return _fail(str(error))
    except requests.RequestException as error:
        return _fail(f"the service of {options.conn_id!r} does not answer ({type(error).__name__}): check its host.")


def _compare(name: str, live: _Side, *, write: bool) -> int:
    service = live.service
    told = f"{version('airflow-provider-yandex-orders')}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    print(f"# {name}: the live service against the sandbox of airflow-provider-yandex-orders {told}\n")
    calls = ((service.write,) if write and service.write else ()) + service.reads
    different = 0
    with SandboxServer(SandboxSettings(processing_seconds=0)) as server:
        sandbox = _Side(service, server.url, _TOKEN, service.ids)
        for seed in (*service.seeds, *([service.write] if service.write and not write else [])):
            sandbox.ask(seed)
        for call in calls:
            found = list(differences(live.ask(call), sandbox.ask(call)))
            different += bool(found)
            print(f"## {call}\n" + "".join(f"- {line}\n" for line in found or ["alike"]))
    print(
        f"{len(calls) - different} of {len(calls)} calls are alike. Values of good answers are not shown, and the "
        "words of refusals without what looks personal: read them all the same before you attach this to a report."
    )
    return DIFFERENT if different else ALIKE


def _service_side(conn_id: str, counter: str | None) -> tuple[str, _Side]:
    """The type of a connection, and its service."""
    # Not through the task SDK, which outside a task does not look into Airflow's own database.
    from airflow.models.connection import Connection

    for name in ("airflow", "uvicorn"):
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        connection: Any = Connection.get_connection_from_secrets(conn_id)
    except Exception as error:  # noqa: BLE001 - whatever a secrets backend raises
        raise CannotCompare(f"the connection {conn_id!r} cannot be read ({type(error).__name__}).") from None
    service = SERVICES.get(connection.conn_type)
    if service is None:
        raise CannotCompare(f"the connection {conn_id!r} is none of {', '.join(SERVICES)}.")
    host, token, extra = connection.host or service.host, connection.password, connection.extra_dejson
    if not host or not token:
        raise CannotCompare(f"the connection {conn_id!r} has no {'password' if host else 'host'}.")
    url = host if "://" in host else f"{connection.schema or 'https'}://{host}"
    if connection.port and not re.search(r":\d+$", url):
        url = f"{url.rstrip('/')}:{connection.port}"
    ids = {name: str(extra.get(name) or connection.login or "") for name in service.ids}
    if counter and "counter_id" in ids:
        ids["counter_id"] = counter
    for name, value in ids.items():
        if not (value.isascii() and value.isdigit()):
            raise CannotCompare(f"the connection {conn_id!r} has no {name}, or none that is a number.")
    return connection.conn_type, _Side(service, url.rstrip("/"), token, ids, extra.get("auth_type"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m airflow_provider_yandex_orders.sandbox compare",
        description="Send harmless requests to the service of a connection and to a sandbox, and print where they "
        "differ, for a bug report.",
    )
    parser.add_argument("--conn-id", required=True, help="Airflow connection of the live service")
    parser.add_argument("--counter", metavar="ID", help="Metrica's counter to ask about (the connection's)")
    parser.add_argument("--write", action="store_true", help="also upload one made-up order to --counter")
    return parser


def _fail(message: str) -> int:
    print(f"Compare: {message}", file=sys.stderr)
    return CANNOT
