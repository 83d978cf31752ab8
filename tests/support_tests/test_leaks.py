# SPDX-License-Identifier: Apache-2.0
"""The search for planted values finds them in every kind of output, and nothing where there is nothing."""

from __future__ import annotations

import base64
import os
import random
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.leaks import DOMAINS, LATIN, PHONES, SURNAME, TOKEN, leaked

ROOT = Path(__file__).parents[2]
VALUES = (TOKEN, SURNAME, LATIN, *(f"buyer{domain}" for domain in DOMAINS), *(f"7{span}1234" for span in PHONES))


def test_a_leak_in_any_output_fails_the_test(tmp_path: Path) -> None:
    copy = tmp_path / "test_leaking.py"
    copy.write_text((ROOT / "tests/support_tests/leaking.py").read_text())
    options = ["-c", os.devnull, "--rootdir", str(tmp_path), "-p", "tests.conftest", "-p", "tests.unit.conftest"]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", *options, str(copy)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    ended = re.findall(r"::(\S.*?) (PASSED|ERROR|FAILED)\b", ran.stdout.partition("= ERRORS =")[0])
    passed = {name for name, how in ended if how == "PASSED"}
    caught = {name for name, how in ended if how == "ERROR"}
    assert passed - caught == {"test_all_is_well"}, ran.stdout + ran.stderr
    assert len(caught) > 30
    assert not [each for each in ended if each[1] == "FAILED"]
    errors = ran.stdout.partition("= short test summary")[0]  # it says them again where CI is set
    assert errors.count("Planted values are told in:") == len(caught)


@given(st.sampled_from(VALUES), st.binary(max_size=20), st.binary(max_size=20))
def test_a_value_is_found_wherever_it_stands_in_base64(value: str, before: bytes, after: bytes) -> None:
    assert leaked(base64.b64encode(before + value.encode() + after).decode())


@pytest.mark.parametrize("value", VALUES)
def test_a_value_is_found_in_hex_and_in_an_address(value: str) -> None:
    assert leaked(f"ab12cd34 {value.encode().hex()}")
    assert leaked(f"ab12cd34 0x{value.encode().hex().upper()}")
    assert leaked(f"to={quote(f'+{value}')}")


NUMBERS = ["79123456789012", "1912345678901", "id 891234567891", "example.com", "2026-11-01"]
# Random ones in which a phone's digits stand by chance.
RANDOM = [random.Random(seed).randbytes(32).hex() for seed in (2031, 4504, 6913, 8879)]
RANDOM += ["97516367-30f0-48d3-8a88-0d1c5a7e44b2", "0d1c5a7e-30f0-48d3-8a88-979751636730"]


@pytest.mark.parametrize("text", [*NUMBERS, *RANDOM, f"secret | {RANDOM[0]}", f"{{'id': '{RANDOM[1].upper()}'}}"])
def test_what_is_no_planted_value(text: str) -> None:
    assert leaked(text) is None
