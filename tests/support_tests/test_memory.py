# SPDX-License-Identifier: Apache-2.0
"""The memory meter sees a peak that is gone at the end, and only what comes after the mark."""

from __future__ import annotations

import pytest

from tests.support.memory import peak_growth_mb

# Without the right to reset the kernel's peak the meter falls back to a sampling thread.
NO_RESET = """
import builtins
_open = builtins.open

def refusing(path, *args, **kwargs):
    if path == "/proc/self/clear_refs":
        raise PermissionError(path)
    return _open(path, *args, **kwargs)

builtins.open = refusing
"""


@pytest.mark.parametrize("prelude", ["", NO_RESET], ids=["kernel", "sampling"])
def test_growth_after_the_mark(prelude: str) -> None:
    code = f"""{prelude}
import sys, time
before = bytearray(200 * 2**20)
del before
mark_memory()
held = bytearray(int(sys.argv[1]) * 2**20)
time.sleep(0.3)
del held
"""
    assert 59 < peak_growth_mb(code, ["60"]) < 80


def test_nothing_done_costs_nothing() -> None:
    assert peak_growth_mb("mark_memory()") < 5


@pytest.mark.parametrize(
    ("code", "text"),
    [("1 / 0", "ZeroDivisionError"), ("pass", "never called mark_memory"), ("mark_memory(); 1 / 0", "Zero")],
)
def test_failure_is_told(code: str, text: str) -> None:
    with pytest.raises(RuntimeError, match=text):
        peak_growth_mb(code)
