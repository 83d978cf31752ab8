# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks [name ...]``: measure and print; a whole run of the full size is written down, and quoted in
the docs."""

from __future__ import annotations

import os
import pkgutil
import platform
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import import_module, metadata
from pathlib import Path
from types import ModuleType

from benchmarks.pairs import SCALE

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "RESULTS.md"
QUOTES = FOLDER.parent / "docs" / "speed.md"
BEGIN, END = "<!-- ratios, by make bench -->\n", "<!-- end of ratios -->"
QUOTED = ("rows, sqlite in", "rows, dicts in", "whole task", "a page", "fetch", "journal", "import", "upload", "1,000")
"""How the lines begin whose ratios stand in the docs."""
COLUMNS = ("work", "ours", "peer", "ratio", "note")
PACKAGES = ("apache-airflow", "requests", "msgspec", "pyarrow", "duckdb")

Lines = Sequence[dict[str, object]]


def benchmarks() -> dict[str, ModuleType]:
    """The modules that measure something, by their names."""
    found = (
        import_module(f"benchmarks.{each.name}") for each in pkgutil.iter_modules([str(FOLDER)]) if each.name[0] != "_"
    )
    return {module.__name__.rpartition(".")[2]: module for module in found if hasattr(module, "measure")}


def main(names: Sequence[str]) -> int:
    """Run all, or those that are named; returns the exit code."""
    known = benchmarks()
    if unknown := [name for name in names if name not in known]:
        print(f"There is no benchmark {', '.join(unknown)}. There are: {', '.join(known)}.")
        return 2
    lines: list[dict[str, object]] = []
    failed, started = [], time.monotonic()
    for name in names or known:
        print(f"{name} ...", flush=True)
        try:
            lines += known[name].measure()
        except Exception:  # noqa: BLE001 - one that breaks does not hide the others
            traceback.print_exc()
            failed.append(name)
    minutes = (time.monotonic() - started) / 60
    print(f"\n{table(lines)}\n\n{minutes:.1f} minutes.")
    if failed:
        print(f"Failed: {', '.join(failed)}. {RESULTS.name} stays as it was.")
        return 1
    if not names and SCALE == 1:
        RESULTS.write_text(report(lines, minutes))
        before, _, rest = QUOTES.read_text().partition(BEGIN)
        QUOTES.write_text(f"{before}{BEGIN}{quoted(RESULTS.read_text())}{END}{rest.partition(END)[2]}")
        print(f"Written to {RESULTS}, and quoted in {QUOTES}.")
    return 0


def table(lines: Lines) -> str:
    """The lines as a table of Markdown."""
    cells = [COLUMNS, ("---",) * len(COLUMNS)]
    cells += [tuple("-" if each[name] is None else _in_cell(str(each[name])) for name in COLUMNS) for each in lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)


def _in_cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "/")


def quoted(results: str) -> str:
    """The main ratios of the results, as the docs have them."""
    rows = [[cell.strip() for cell in each.strip("|").split("|")] for each in results.splitlines() if each[:1] == "|"]
    main_ones = (f"| {work} | {ratio} |\n" for work, _, _, ratio, _ in rows if ratio != "-" and work.startswith(QUOTED))
    return f"| work | ratio |\n|---|---|\n{''.join(main_ones)}"


def report(lines: Lines, minutes: float) -> str:
    """The results with what they were measured on."""
    versions = [f"Python {platform.python_version()}"]
    for name in PACKAGES:
        try:
            versions.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            versions.append(f"no {name}")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    machine = f"{_processor()}, {os.cpu_count()} cores, {memory:.0f} GB, {platform.system()} {platform.release()}"
    return f"""# Results

Written by `make bench` (BENCH_SCALE {SCALE:g}) on {datetime.now(UTC):%Y-%m-%d} in {minutes:.0f} minutes. Only ratios
carry over to other machines: both sides ran in turn, each round in a process of its own, and the figures are medians.
Seconds are of the processor unless they are called wall; growth is the peak of resident memory above the same process
before the work.

{machine}; {", ".join(versions)}.

{table(lines)}
"""


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    return next((each.partition(": ")[2] for each in lines if each.startswith("model name")), platform.machine())


if __name__ == "__main__":
    for name in [name for name in os.environ if name.startswith("AIRFLOW_")]:
        del os.environ[name]
    with tempfile.TemporaryDirectory(prefix="benchmark-airflow-") as home:
        os.environ |= {"AIRFLOW_HOME": home, "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
        sys.exit(main(sys.argv[1:]))
