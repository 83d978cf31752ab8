# SPDX-License-Identifier: Apache-2.0
"""A window that was stopped leaves storage to the next try, which may be at work there already."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import ObjectStoragePath

from airflow_provider_yandex_orders.market.filters import order_filter
from airflow_provider_yandex_orders.market.pages import OrdersPage, PagesBroken, Place, Step
from airflow_provider_yandex_orders.market.staged import StagedPages, Window

CHOSEN = order_filter(date_from="2026-05-20", date_to="2026-05-20")


def staged(folder: Path) -> StagedPages:
    return StagedPages(ObjectStoragePath(f"file://{folder}"), "0" * 16)


@pytest.fixture
def pages(tmp_path: Path) -> list[Path]:
    """Two pages, between which one is missing."""
    staged(tmp_path).add(Step(OrdersPage([b'{"id":1}'], "two"), Place(), Place(token="two")))
    (first,) = tmp_path.iterdir()
    third = first.with_name(first.name.replace("000001", "000003"))
    shutil.copy(first, third)
    return [first, third]


def test_stopped_before_it_looks_what_is_there(tmp_path: Path, pages: list[Path]) -> None:
    window = Window(lambda *_args, **_kwargs: pytest.fail("asked"), CHOSEN, staged(tmp_path))
    window.stop()
    window.read()
    assert sorted(tmp_path.iterdir()) == pages


@pytest.mark.parametrize("stopped", [True, False])
def test_stopped_before_its_pages_break(tmp_path: Path, pages: list[Path], stopped: bool) -> None:
    def fetch_page(_body: Any, *, page_token: str | None) -> OrdersPage:
        shutil.copy(pages[0], pages[1])  # as the next try keeps one
        if stopped:
            window.stop()
        raise PagesBroken(f"{page_token} is dead")

    window = Window(fetch_page, CHOSEN, staged(tmp_path))
    with pytest.raises(PagesBroken, match="two is dead"):
        window.read()
    assert (sorted(tmp_path.iterdir()), window.broken) == ((pages, False) if stopped else ([], True))
