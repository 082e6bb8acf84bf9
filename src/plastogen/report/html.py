"""In: text. Out: HTML in which nothing of that text can become markup: what is not `Html` is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

VOID = ("img", "meta", "br", "hr")


class Html(str):
    """Text that is markup already."""


def el(name: str, /, *inside: str, **attributes: str | bool | None) -> Html:
    """An element. `inside` is escaped unless it is Html; `class_` stands for class; False and None leave one out."""
    given = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{escape(str(value))}"')
        for key, value in attributes.items()
        if value not in (None, False)
    )
    body = "".join(text if isinstance(text, Html) else escape(text) for text in inside)
    return Html(f"<{name}{given}>" if name in VOID else f"<{name}{given}>{body}</{name}>")


def join(parts: Iterable[str], between: str = "\n") -> Html:
    """Parts one after the other, each escaped unless it is Html."""
    return Html(escape(between).join(part if isinstance(part, Html) else escape(part) for part in parts))


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, class_: str = "") -> Html:
    """A table that scrolls by itself when it is too wide."""
    top = el("thead", el("tr", *(el("th", text, scope="col") for text in head)))
    body = el("tbody", *(join([el("tr", *(el("td", cell) for cell in row)), ""]) for row in rows))
    return el("div", el("table", top, body), class_=f"wide {class_}".strip())
