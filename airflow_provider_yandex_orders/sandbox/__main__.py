# SPDX-License-Identifier: Apache-2.0
"""``python -m airflow_provider_yandex_orders.sandbox``: a sandbox until Ctrl-C or SIGTERM, or a comparison with one."""

import argparse
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from airflow_provider_yandex_orders.sandbox.settings import METRICA_QUOTAS, SandboxSettings

_LOOK_SECONDS = 0.5

OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "--host": {"default": "127.0.0.1", "help": "address to listen on (127.0.0.1)"},
    "--port": {"type": int, "default": 8765, "help": "0: any free one (8765)"},
    "--processing-seconds": {"type": float, "default": 2.0, "help": "seconds until an upload is listed (2)"},
    "--store": {"type": Path, "help": "SQLite file that keeps the state (a temporary one)"},
    "--no-quotas": {"action": "store_true", "help": "let Metrica take any number of requests"},
    "--timezone": {"default": "Europe/Moscow", "help": "time zone of counter 101 (Europe/Moscow)"},
}
"""Arguments of the command, in the words of ``argparse``."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if list(arguments[:1]) == ["compare"]:
        from airflow_provider_yandex_orders.sandbox.compare.command import main as compare

        return compare(arguments[1:])
    return run(_parser().parse_args(arguments))


def run(options: argparse.Namespace) -> int:
    """Run a sandbox until it is told to end; returns the exit code.

    :param options: as :data:`OPTIONS` has them.
    """
    try:
        settings = SandboxSettings(
            timezone=options.timezone,
            processing_seconds=options.processing_seconds,
            store=options.store,
            **({} if options.no_quotas else METRICA_QUOTAS),
        )
    except ValueError as error:
        return _fail(str(error))
    try:
        from airflow_provider_yandex_orders.sandbox.server import SandboxServer
    except ImportError as error:
        return _fail(f"{error}; install the package with its extra: airflow-provider-yandex-orders[sandbox]")

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    server = SandboxServer(settings, port=options.port, host=options.host)
    try:
        server.start()
    except OSError as error:
        return _fail(f"cannot listen on {options.host}:{options.port}: {error.strerror or error}")
    except ValueError as error:
        return _fail(str(error))
    print(f"Sandbox: {server.url}", flush=True)
    print(
        "Token: sandbox-token (everything) or sandbox-read-token (reading). Counter: 101. Ctrl-C ends it.",
        flush=True,
    )
    while server.running and not stop.wait(_LOOK_SECONDS):
        pass
    crashed = not server.running
    server.stop()
    return 1 if crashed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m airflow_provider_yandex_orders.sandbox",
        description="A local stand-in for the services that the provider talks to.",
        epilog="compare --help: how a live service and the sandbox differ.",
    )
    for flag, settings in OPTIONS.items():
        parser.add_argument(flag, **settings)
    return parser


def _fail(message: str) -> int:
    print(f"Sandbox: {message}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
