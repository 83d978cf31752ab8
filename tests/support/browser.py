# SPDX-License-Identifier: Apache-2.0
"""Debian's Chromium, driven for tests, and the pictures they take for the docs."""

from __future__ import annotations

import os
import shutil
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
WIDTH, HEIGHT = 1280, 800
NARROW = 400
_NAMES = ("chromium", "chromium-browser", "google-chrome")
# A browser of tests asks nobody in the network for anything.
_QUIET = ("--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage", "--no-first-run")
_PATIENCE = 60.0
"""Seconds: the machine may be busy with other tests."""


class BrowserUnavailable(Exception):
    """No browser can be driven here; the text says why."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without a window.

    :raises BrowserUnavailable: Chromium or its driver is not installed.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise BrowserUnavailable("playwright is not installed (extra: browser)") from None
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        raise BrowserUnavailable("no Chromium is installed (Debian: apt-get install chromium)")
    arguments = [*_QUIET, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=arguments)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def window(browser: Browser, url: str, **options: Any) -> Iterator[Page]:
    """A window of its own, with nothing left over of others.

    :param url: what paths are relative to.
    :param options: of Playwright's ``new_context``: ``viewport``, ``color_scheme``, ...
    """
    given = {"viewport": {"width": WIDTH, "height": HEIGHT}, "locale": "en-US", "timezone_id": "UTC", **options}
    context = browser.new_context(base_url=url, reduced_motion="reduce", **given)
    try:
        context.set_default_timeout(_PATIENCE * 1000)
        yield context.new_page()
    finally:
        context.close()


def faint(page: Page) -> list[str]:
    """Texts whose contrast with their ground is below 4.5, as WCAG reckons it."""
    return page.evaluate(  # type: ignore[no-any-return]
        """() => {
        const light = (color) => {
            const [r, g, b] = color.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255)
                .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const ground = (element) => {
            for (let at = element; at; at = at.parentElement) {
                const color = getComputedStyle(at).backgroundColor;
                if (color !== "rgba(0, 0, 0, 0)") return color;
            }
            return "rgb(255, 255, 255)";
        };
        return [...document.querySelectorAll("body *")].filter((one) =>
            one.tagName !== "OPTION" && one.checkVisibility() &&
            [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim())
        ).filter((one) => {
            const pair = [light(getComputedStyle(one).color), light(ground(one))].sort((a, b) => b - a);
            return (pair[0] + 0.05) / (pair[1] + 0.05) < 4.5;
        }).map((one) => `${one.tagName} ${one.textContent.trim().slice(0, 40)}`);
        }"""
    )


_RENAME = """([home, shown]) => {
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) texts.currentNode.data = texts.currentNode.data.replaceAll(home, shown);
}"""


def picture(page: Page, name: str, home: Path, **options: Any) -> None:
    """A picture of the docs: kept anew where ``PICTURES`` is set, and taken for nothing otherwise.

    :param name: of the file in ``docs/pictures``, without its ending; spelled out, as a test looks for it.
    :param home: of the Airflow that is seen; the picture shows another one.
    :param options: of Playwright's ``screenshot``: ``full_page``, ``clip``, ...
    """
    for frame in page.frames:
        frame.evaluate(_RENAME, [str(home), "/opt/airflow"])
    taken = page.screenshot(animations="disabled", caret="hide", **options)
    if os.environ.get("PICTURES"):
        PICTURES.mkdir(exist_ok=True)
        (PICTURES / f"{name}.png").write_bytes(taken)


def moving_picture(shots: Sequence[bytes], name: str, seconds: int = 3) -> None:
    """Several pictures of one size as one that moves (an animated PNG), kept as :func:`picture` keeps one."""

    def chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
        at = 8
        while at < len(png):
            (length,) = struct.unpack(">I", png[at : at + 4])
            yield png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
            at += length + 12

    made, number, size = [shots[0][:8]], 0, b""

    def add(kind: bytes, data: bytes) -> None:
        made.append(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)))

    for shot in shots:
        parts = list(chunks(shot))
        header = next(data for kind, data in parts if kind == b"IHDR")
        if not size:
            size = header
            add(b"IHDR", header)
            add(b"acTL", struct.pack(">II", len(shots), 0))
        assert header == size, "pictures of one size and kind make a moving one"
        add(b"fcTL", struct.pack(">I", number) + size[:8] + struct.pack(">IIHHBB", 0, 0, seconds, 1, 0, 0))
        number += 1
        for data in (data for kind, data in parts if kind == b"IDAT"):
            if number == 1:
                add(b"IDAT", data)
            else:
                add(b"fdAT", struct.pack(">I", number) + data)
                number += 1
    add(b"IEND", b"")
    if os.environ.get("PICTURES"):
        (PICTURES / f"{name}.png").write_bytes(b"".join(made))
