# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: T201 - stories are for people
"""``python -m tests.simulation 123``: the story of one seed; of two numbers, those of the seeds between that break."""

from __future__ import annotations

import sys

from tests.simulation.many import main, run

if __name__ == "__main__":
    numbers = [int(each) for each in sys.argv[1:]]
    if len(numbers) == 1:
        print(*run(numbers[0], numbers[0] + 1, always=True), sep="\n")
    else:
        sys.exit(bool(main(*numbers)))
