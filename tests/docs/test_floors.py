# SPDX-License-Identifier: Apache-2.0
"""The lowest versions that are allowed are the ones that ``make test-lowest`` runs."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
NAME = PROJECT["name"]


def floors(extra: str | None = None) -> dict[str, Version]:
    """Lowest allowed version of each distribution, those of the extras that an extra takes in included."""
    found: dict[str, Version] = {}
    for line in PROJECT["dependencies"] if extra is None else PROJECT["optional-dependencies"][extra]:
        requirement = Requirement(line)
        if requirement.name == NAME:
            for each in sorted(requirement.extras):
                found |= floors(each)
            continue
        (lowest,) = [each.version for each in requirement.specifier if each.operator in (">=", "==", "~=")]
        found[canonicalize_name(requirement.name)] = Version(lowest)
    return found


def pins() -> dict[str, Version]:
    lines = (ROOT / "constraints-lowest.txt").read_text().splitlines()
    pairs = [line.partition("==") for line in lines if not line.startswith("#")]
    return {canonicalize_name(name): Version(version) for name, _, version in pairs}


@pytest.mark.parametrize(("name", "floor"), sorted({**floors(), **floors("test")}.items()))
def test_the_lowest_version_is_the_one_that_is_tested(name: str, floor: Version) -> None:
    assert pins().get(name) == floor


def test_what_an_environment_is_made_of_is_pinned() -> None:
    rules, _ = (ROOT / "Makefile").read_text().split("\nconstraints:")  # which makes the pins
    asked = [line for line in rules.splitlines() if line.startswith("\t") and ("$(PIP)" in line or "-m pip " in line)]
    assert len(asked) > 6
    pinned = ("--constraint constraints", "call pinned,constraints")
    assert [line for line in asked if not any(word in line for word in pinned)] == []
    # Options do not reach what builds the package itself.
    assert all("call pinned" in line for line in asked if "--editable" in line)
