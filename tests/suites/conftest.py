# SPDX-License-Identifier: Apache-2.0
"""The inherited tests are in modules that pytest would not look at, so their asserts are told to it here."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("tests.suites.upload", "tests.suites.wait")
