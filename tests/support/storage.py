# SPDX-License-Identifier: Apache-2.0
"""Object storage that lies in memory."""

from __future__ import annotations

from importlib import import_module
from uuid import uuid4


def memory_bucket() -> str:
    """URL of a fresh bucket."""
    from fsspec.implementations.memory import MemoryFileSystem

    try:
        store = import_module("airflow.sdk.io")
    except ImportError:  # Airflow 2.11
        store = import_module("airflow.io.store")
    store.attach("memory", fs=MemoryFileSystem())
    return f"memory://bucket-{uuid4().hex}"
