# SPDX-License-Identifier: Apache-2.0
"""Every way a row may be sent twice, for every kind of row: effects are counted at the service, and the docs say them.

With ``PRINT_MATRIX=1`` in the environment (and one process) the table in the docs is written anew.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from tests.matrix.kinds import KINDS, Kind
from tests.matrix.scenes import SCENES, Stage
from tests.support.connections import connect, connect_altcraft
from tests.support.pauses import shorten

DOCS = Path(__file__).parents[2] / "docs" / "journal.md"
NAMES = [scene.__name__.replace("_", " ") for scene in SCENES]
HEAD = f"| | {' | '.join(kind.name for kind in KINDS)} |"


def told() -> dict[str, list[str]]:
    """The table of the docs: a row of cells for each scene."""
    _before, head, after = DOCS.read_text().partition(HEAD)
    assert head, "docs/journal.md has no matrix of these kinds"
    lines = [line for line in after.splitlines()[2:] if line.startswith("|")][: len(SCENES)]
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {name: cells for name, *cells in table}


def write(scene: str, kind: Kind, outcome: str) -> None:
    text = DOCS.read_text()
    (line,) = [line for line in text.splitlines() if line.startswith(f"| {scene} |")]
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    cells[1 + KINDS.index(kind)] = outcome
    DOCS.write_text(text.replace(line, f"| {' | '.join(cells)} |"))


def test_the_docs_have_every_scene() -> None:
    assert list(told()) == NAMES


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("scene", SCENES, ids=NAMES)
def test_no_effect_is_doubled_and_no_row_is_lost(
    yandex_sandbox: SandboxServer,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    context: Callable[..., dict[str, Any]],
    naps: list[float],
    scene: Callable[[Stage], None],
    kind: Kind,
) -> None:
    connect(monkeypatch, yandex_sandbox.url)
    connect_altcraft(monkeypatch, yandex_sandbox.url)
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path / "home"))
    shorten(monkeypatch.setattr)
    yandex_sandbox.client.change_settings(linked_share=1)
    kind.set_up()
    stage = Stage(kind, yandex_sandbox, monkeypatch, tmp_path, context)
    scene(stage)

    effects = kind.effects(yandex_sandbox)
    assert effects.keys() == stage.wanted.keys(), "a row is lost"
    for number, days in stage.wanted.items():
        assert effects[number].day == max(days), "an older version stands over a newer one"
        assert effects[number].counted <= len(days if kind.name == "Altcraft" else [1]), "an effect is doubled"
    for message in stage.asked:
        assert "journal arrived" in message or "journal_conn_id" in message

    repeated = any(effects[number].received > len(days) for number, days in stage.wanted.items())
    outcome = "asks" if stage.asked else "sent again" if repeated else "once"
    name = scene.__name__.replace("_", " ")
    if os.environ.get("PRINT_MATRIX"):
        write(name, kind, outcome)
    assert told()[name][KINDS.index(kind)] == outcome
