# SPDX-License-Identifier: Apache-2.0
"""Pieces of HTML that every part of the page is made of."""

from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal
from html import escape
from typing import Final


class Html(str):
    """Text that is HTML already; any other text is escaped."""

    __slots__ = ()


NOTHING: Final = Html('<p class="soft">Nothing yet.</p>')


def text(value: object) -> str:
    """One value as HTML: numbers with separators of thousands."""
    if isinstance(value, Html):
        return value
    return f"{value:,}" if isinstance(value, (int, Decimal)) else escape(str(value))


def join(*pieces: object) -> Html:
    """Pieces one after the other."""
    return Html("".join(map(text, pieces)))


def plural(count: int, noun: str) -> str:
    """A number and its noun."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def size(count: int) -> str:
    """Bytes as people read them."""
    for unit in ("bytes", "kB"):
        if count < 1000:
            return f"{count:,.0f} {unit}"
        count //= 1000
    return f"{count:,} MB"


def tiles(numbers: Iterable[tuple[str, object]]) -> Html:
    """Large numbers with their names."""
    shown = "".join(f"<div><dt>{text(name)}</dt><dd>{text(value)}</dd></div>" for name, value in numbers)
    return Html(f'<dl class="tiles">{shown}</dl>')


def pill(words: str, kind: str) -> Html:
    """A short word on a colour: good, bad, warn or plain."""
    return join(Html(f'<span class="pill {kind}">'), words, Html("</span>"))


def bar(value: Decimal, most: Decimal) -> Html:
    """A bar beside the number that it shows."""
    share = 100 * value / most if most > 0 else Decimal(0)
    return Html(
        f'<span class="bar" aria-hidden="true"><span style="width:{max(share, Decimal(0)):.1f}%"></span></span>'
    )


def table(
    caption: str,
    heads: Sequence[str],
    rows: Iterable[Sequence[object]],
    numbers: Collection[int] = (),
    *,
    cards: bool = False,
) -> Html:
    """A table, or a word for its absence.

    :param numbers: places of the columns that hold numbers.
    :param cards: each row becomes a card where the window is narrow; the roles stay when the style takes it apart.
    """
    kinds = [' class="number"' if place in numbers else "" for place in range(len(heads))]
    body = "".join(
        '<tr role="row">'
        + "".join(
            f'<td role="cell"{kind} data-head="{escape(head)}"><div>{text(cell)}</div></td>'
            for kind, head, cell in zip(kinds, heads, row, strict=True)
        )
        + "</tr>"
        for row in rows
    )
    if not body:
        return NOTHING
    head = "".join(
        f'<th role="columnheader" scope="col"{kind}>{text(name)}</th>' for kind, name in zip(kinds, heads, strict=True)
    )
    kind = ' class="cards"' if cards else ""
    return Html(
        f'<table role="table"{kind}><caption>{text(caption)}</caption>'
        f'<thead role="rowgroup"><tr role="row">{head}</tr></thead><tbody role="rowgroup">{body}</tbody></table>'
    )


def parts(*titled: tuple[str, Html]) -> Html:
    """Parts of a section under their titles, those that have something to show."""
    shown = (join(Html("<div><h3>"), title, Html("</h3>"), inside, Html("</div>")) for title, inside in titled)
    filled = [part for part, (_, inside) in zip(shown, titled, strict=True) if inside is not NOTHING]
    return join(*filled) if filled else NOTHING


def foldable(name: str, head: object, inside: object) -> Html:
    """A line that opens; one with nothing inside does not.

    :param name: its id on the page, by which it stays open when the page is refreshed.
    """
    if not inside:
        return join(Html('<div class="line">'), head, Html("</div>"))
    return join(
        Html(f'<details id="{name}"><summary id="{name}-line">'), head, Html("</summary>"), inside, Html("</details>")
    )


def items(name: str, shown: Iterable[object]) -> Html:
    """A list of lines, or a word for its absence."""
    lines = "".join(f"<li>{text(one)}</li>" for one in shown)
    return Html(f'<ol class="{name}">{lines}</ol>') if lines else NOTHING
