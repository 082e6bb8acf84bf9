"""In: text. Out: HTML in which nothing of that text can become markup: what is not `Html` is
escaped.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

MOST_SVG_BYTES = 1_500_000  # a larger drawing is put in as PNG
NOTHING_FROM_OUTSIDE = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
VOID = ("img", "meta", "br", "hr", "input")


class Html(str):
    """Text that is markup already."""


def el(name: str, /, *inside: str, **attributes: str | bool | None) -> Html:
    """An element. `inside` is escaped unless it is Html; `class_` stands for class; False and None
    leave one out.
    """
    given = "".join(
        f" {key.rstrip('_').replace('_', '-')}"
        + ("" if value is True else f'="{escape(str(value))}"')
        for key, value in attributes.items()
        if value not in (None, False)
    )
    body = "".join(text if isinstance(text, Html) else escape(text) for text in inside)
    return Html(f"<{name}{given}>" if name in VOID else f"<{name}{given}>{body}</{name}>")


def join(parts: Iterable[str], between: str = "\n") -> Html:
    """Parts one after the other, each escaped unless it is Html."""
    return Html(
        escape(between).join(part if isinstance(part, Html) else escape(part) for part in parts)
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, class_: str = "") -> Html:
    """A table that scrolls by itself when it is too wide."""
    top = el("thead", el("tr", *(el("th", text, scope="col") for text in head)))
    body = el("tbody", *(join([el("tr", *(el("td", cell) for cell in row)), ""]) for row in rows))
    return el("div", el("table", top, body), class_=f"wide {class_}".strip())


def picture(files: Sequence[Path], alt: str) -> Html:
    """One figure with its bytes inside, of the files it was saved as: SVG where that is small
    enough.
    """
    by_kind = {path.suffix: path for path in files}
    small = ".svg" in by_kind and by_kind[".svg"].stat().st_size <= MOST_SVG_BYTES
    path = by_kind[".svg"] if small or ".png" not in by_kind else by_kind[".png"]
    kind = "svg+xml" if path.suffix == ".svg" else "png"
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    return el("img", src=f"data:image/{kind};base64,{data}", alt=alt)


def document(title: str, css: str, body: Html, *, scripts: bool = False) -> Html:
    """A whole page that asks for nothing from outside; `scripts`: those inside it may run."""
    allowed = NOTHING_FROM_OUTSIDE + ("; script-src 'unsafe-inline'" if scripts else "")
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=allowed),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("title", title),
        el("style", Html(css)),
    )
    return Html("<!doctype html>\n" + el("html", head, body, lang="en") + "\n")
