# SPDX-License-Identifier: Apache-2.0
"""Answers that mean harm: without an end, larger than memory, from another host, under a false certificate."""

from __future__ import annotations

import datetime as dt
import gzip
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_yandex_orders.exceptions import ConfigurationError, ServiceRefused, ServiceUnavailable
from airflow_provider_yandex_orders.http.client import MOST_BYTES, ServiceClient
from airflow_provider_yandex_orders.metrica.api import read_failure
from tests.support.memory import peak_growth_mb
from tests.unit.http.scripted_server import Reply, ScriptedServer, running_server

TOKEN = "y0_AgAAAASecretToken"
MB = 2**20
CALL = """
import sys
from airflow_provider_yandex_orders.exceptions import ServiceUnavailable
from airflow_provider_yandex_orders.http.client import ServiceClient
from airflow_provider_yandex_orders.metrica.api import read_failure

client = ServiceClient(service="S", base_url=sys.argv[1], headers={}, read_failure=read_failure, attempts=1)
mark_memory()
try:
    client.call("POST", "/p", doing="Upload")
except ServiceUnavailable as error:
    assert sys.argv[2] in str(error), error
else:
    raise AssertionError("it went through")
"""


def client_of(url: str) -> ServiceClient:
    headers = {"Authorization": f"OAuth {TOKEN}", "Api-Key": TOKEN}
    return ServiceClient(
        service="Yandex Metrica",
        base_url=url,
        headers=headers,
        read_failure=read_failure,
        attempts=1,
        timeout=(5.0, 5.0),
    )


def packed(times: int) -> bytes:
    """A gigabyte of spaces, packed so often."""
    body = gzip.compress(b" " * MB, 9) * 1024
    for _ in range(times - 1):
        body = gzip.compress(body, 9)
    return body


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(body=b'{"a": "' + b"a" * MB, act="endless"), f"more than {MOST_BYTES:,} bytes"),
        (Reply(500, body=b"[]," * (MB // 3), act="endless"), f"more than {MOST_BYTES:,} bytes"),
        (Reply(body=packed(1), headers={"Content-Encoding": "gzip"}), f"more than {MOST_BYTES:,} bytes"),
        (Reply(body=packed(2), headers={"Content-Encoding": "gzip, gzip"}), f"more than {MOST_BYTES:,} bytes"),
        (Reply(body=b"[" * (8 * MB)), "not JSON"),
    ],
    ids=["text", "error", "packed", "packed twice", "nested"],
)
def test_a_gigabyte_is_left_in_bounded_memory(server: ScriptedServer, reply: Reply, said: str) -> None:
    server.script(reply)
    assert peak_growth_mb(CALL, [server.url, said]) < 5 * MOST_BYTES / MB


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_nothing_goes_to_another_host(server: ScriptedServer, status: int) -> None:
    with running_server() as other:
        other.script(Reply())
        server.script(Reply(status, b"", {"Location": f"{other.url}/elsewhere", "Refresh": f"0; url={other.url}"}))
        for method in ("GET", "POST"):
            with pytest.raises(ServiceRefused, match="address has moved") as caught:
                client_of(server.url).call(method, "/p", doing="Upload")
            assert TOKEN not in str(caught.value)
        assert other.seen == []


def test_entities_of_xml_are_never_unfolded(server: ScriptedServer) -> None:
    bomb = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    bomb += "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)) + "]><x>&j;</x>"
    for status in (200, 400, 500):
        server.script(Reply(status, bomb.encode(), {"Content-Type": "application/xml"}))
        with pytest.raises((ServiceUnavailable, ServiceRefused)) as caught:
            client_of(server.url).call("POST", "/p", doing="Upload")
        assert "aaaa" not in str(caught.value)


def certificate(folder: Path, name: str, days: int, *, signed: bool) -> tuple[Path, Path]:
    """A certificate for a name, which ends in so many days; and that of whoever signed it."""
    pytest.importorskip("cryptography")
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    now = dt.datetime.now(dt.timezone.utc)
    own, signer = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())

    def made(subject: str, issuer: str, key: Any, by: Any, *, ends: int, is_signer: bool) -> Any:
        where = x509.IPAddress(ipaddress.ip_address(name)) if name[0].isdigit() else x509.DNSName(name)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=90))
            .not_valid_after(now + dt.timedelta(days=ends))
            .add_extension(x509.BasicConstraints(ca=is_signer, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([where]), critical=False)
        )
        return builder.sign(by, hashes.SHA256())

    authority = made("authority", "authority", signer, signer, ends=90, is_signer=True)
    issuer, by = ("authority", signer) if signed else ("service", own)
    shown = made("service", issuer, own, by, ends=days, is_signer=False)
    pem = serialization.Encoding.PEM
    key = own.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "service.pem").write_bytes(key + shown.public_bytes(pem))
    (folder / "authority.pem").write_bytes(authority.public_bytes(pem))
    return folder / "service.pem", folder / "authority.pem"


@contextmanager
def tls_server(shown: Path) -> Iterator[tuple[str, list[str]]]:
    """A server behind a certificate; its address, and the requests that came."""
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that hangs up is part of the test."""

    with Server(("127.0.0.1", 0), Handler) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(shown)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{server.server_port}", seen
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("name", "days", "signed", "why"),
    [
        ("127.0.0.1", 90, True, None),
        ("api.example.com", 90, True, "mismatch"),
        ("127.0.0.1", -1, True, "expired"),
        ("127.0.0.1", 90, False, "self.signed"),
    ],
    ids=["good", "another host", "expired", "self-signed"],
)
def test_a_false_certificate_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, days: int, signed: bool, why: str | None
) -> None:
    shown, authority = certificate(tmp_path, name, days, signed=signed)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority))
    with tls_server(shown) as (url, seen):
        if why is None:
            assert client_of(url).call("GET", "/p", doing="Test") == {}
            return
        with pytest.raises(ConfigurationError, match=rf"certificate of .* cannot be verified \(.*{why}") as caught:
            client_of(url).call("GET", "/p", doing="Test")
        assert TOKEN not in str(caught.value)
        assert seen == []
