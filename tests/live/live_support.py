# SPDX-License-Identifier: Apache-2.0
"""What the live tests agree on."""

from __future__ import annotations

from datetime import date

TODAY = date(2026, 3, 2)
"""Far from now: the scheduled run that unpausing starts finds nothing."""
TOKEN = "PLANTED-live-token-4711"
ALTCRAFT_ORDERS = 3000
