# SPDX-License-Identifier: Apache-2.0
"""A server in a process of its own that takes uploads and throws them away, as fast as it can."""

from __future__ import annotations

import datetime
import ipaddress
import json
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_ANSWER = json.dumps({"uploading": {"uploading_id": 1, "api_validation_status": "PASSED"}}).encode()
_BLOCK = 1024 * 1024


@contextmanager
def sink(folder: Path | None = None) -> Iterator[str]:
    """The address of such a server.

    :param folder: where its key and certificate are made, for TLS; ``None`` for plain HTTP.
    """
    files = [] if folder is None else [str(file) for file in make_certificate(folder)]
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.sink", *files], stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        try:
            yield f"{'https' if files else 'http'}://127.0.0.1:{int(server.stdout.readline())}"
        finally:
            server.terminate()


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of this machine and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    today = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate, secret = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate, secret


def serve(files: list[str]) -> None:
    """Take connections until the process is ended."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if files else None
    if context:
        context.load_cert_chain(*files)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        print(listening.getsockname()[1], flush=True)
        while True:
            connection, _ = listening.accept()
            threading.Thread(target=_take, args=(connection, context), daemon=True).start()


def _take(plain: socket.socket, context: ssl.SSLContext | None) -> None:
    with context.wrap_socket(plain, server_side=True) if context else plain as connection:
        waiting, block = b"", memoryview(bytearray(_BLOCK))
        while True:
            while b"\r\n\r\n" not in waiting:
                more = connection.recv(_BLOCK)
                if not more:
                    return
                waiting += more
            head, _, begun = waiting.partition(b"\r\n\r\n")
            headers = dict(each.lower().split(b": ", 1) for each in head.split(b"\r\n")[1:])
            if b"expect" in headers:
                connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            left = int(headers.get(b"content-length", b"0")) - len(begun)
            while left > 0:
                taken = connection.recv_into(block)
                if not taken:
                    return
                left -= taken
            lines = (b"HTTP/1.1 200 OK", b"Content-Type: application/json", b"Content-Length: %d" % len(_ANSWER))
            connection.sendall(b"\r\n".join((*lines, b"", _ANSWER)))
            waiting = b""


if __name__ == "__main__":
    serve(sys.argv[1:])
