# SPDX-License-Identifier: Apache-2.0
"""`python -m airflow_provider_yandex_orders.demo`: the example DAG, run here and now."""

from __future__ import annotations

import sys


def main(arguments: list[str] | None = None) -> int:
    """Run the demo and return its exit code."""
    try:
        # Imported here, so that Ctrl-C while Python still loads is answered as calmly as any later one.
        from airflow_provider_yandex_orders.demo.command import run_command

        return run_command(arguments)
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
