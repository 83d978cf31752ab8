# SPDX-License-Identifier: Apache-2.0
"""What a sandbox can be told before it starts, and which of it can change while it runs."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

RUNTIME_SETTINGS: Final = frozenset({"processing_seconds", "max_reported_errors", "seed"})
"""Settings that the control API may change; the others are fixed for the life of the process."""


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """Settings of one sandbox; the defaults suit a person trying a DAG."""

    timezone: str = "Europe/Moscow"
    """Time zone (tz database name) of Metrica's main counter, 101."""

    processing_seconds: float = 2.0
    """Seconds between accepting an upload and listing it. Read at every request: lowering it releases waiting ones."""

    store: Path | None = None
    """SQLite file that keeps the state between runs; none: a temporary one, removed at the end."""

    seed: int = 0
    """Seed of the choices that the real service makes in random order."""

    write_tokens: tuple[str, ...] = ("sandbox-token",)
    """Tokens with every right."""

    read_tokens: tuple[str, ...] = ("sandbox-read-token",)
    """Tokens that may only read."""

    max_upload_bytes: int = 1_000_000_000
    """Largest file taken, in bytes. The documentation says 1 GB; of its two readings this is the smaller."""

    max_reported_errors: int = 100
    """Row errors spelled out in one answer; the rest are only counted, so that an answer stays readable."""

    def __post_init__(self) -> None:
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"unknown time zone {self.timezone!r}: use a tz database name") from error
        if not (math.isfinite(self.processing_seconds) and self.processing_seconds >= 0):
            raise ValueError("processing_seconds must be a finite number, zero or more")
        if self.max_upload_bytes < 1 or self.max_reported_errors < 1:
            raise ValueError("max_upload_bytes and max_reported_errors must be positive")
