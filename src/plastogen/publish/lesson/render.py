"""In: blocks of a sheet or of slides, and files of figures. Out: one self-contained HTML page;
Markdown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from pathlib import Path

from plastogen._base.text import rounded
from plastogen.publish.lesson.key import Checked
from plastogen.publish.lesson.places import minus
from plastogen.publish.lesson.sheets import (
    Asked,
    Block,
    Figures,
    Heading,
    Picture,
    Points,
    Slide,
    Table,
    Text,
)
from plastogen.publish.report.html import Html, document, el, join, picture, table
from plastogen.publish.report.page import SIGNS

UNIT = re.compile(r"(?<=\d) (?=(?:%|s|min|h|d|Hz|nM|µM|mM|mV|mg/kg)(?![\w%]))")
Files = Mapping[str, Sequence[Path]]  # figure -> the files it was saved as


def bound(text: str) -> str:
    """Text in which no line ends between a number and its unit."""
    return UNIT.sub("\N{NO-BREAK SPACE}", text)


def page(title: str, blocks: Iterable[Block], files: Files, *, kind: str) -> Html:
    """A page of its own; `kind`: student, teacher or slides."""
    css = "slides" if kind == "slides" else "sheet"
    style = (resources.files("plastogen.publish.lesson") / f"{css}.css").read_text(encoding="utf-8")
    return document(
        title,
        style,
        el("body", *(join(["", _html(block, files)]) for block in blocks), class_=f"{css} {kind}"),
    )


def _html(block: Block, files: Files) -> Html:
    match block:
        case Heading(text, level):
            return el(f"h{level}", text)
        case Text(text, kind):
            return el("p", bound(text), class_=kind or None)
        case Points(items):
            return el("ul", *(el("li", bound(item)) for item in items))
        case Table(head, rows):
            if any(head):
                return table(head, [[bound(cell) for cell in row] for row in rows])
            return el("dl", *(el("div", el("dt", name), el("dd", what)) for name, what in rows))
        case Picture(name, caption):
            return el(
                "figure",
                picture(files[name], caption),
                el("figcaption", bound(caption)),
            )
        case Figures(pictures):
            return el("div", *(_html(one, files) for one in pictures), class_="figures")
        case Asked():
            return _asked(block)
        case Slide(blocks, beside):
            full = "full" if len(blocks) == 1 else None
            inside = [join(["", _html(one, files)]) for one in blocks]
            if beside is None:
                return el("section", *inside, class_=full)
            return el("section", el("div", *inside), _html(beside, files), class_="beside")


def _asked(block: Asked) -> Html:
    inside = [el("p", el("b", f"{block.number}. "), bound(block.text), class_="ask")]
    inside += [el("div", class_="line")] * block.lines
    if block.answer:
        inside.append(el("p", bound(block.answer), class_="answer"))
    rests = []
    for c in block.checked:
        sign, colour = SIGNS[c.verdict.outcome]
        rests.append(el("li", el("span", sign, class_=colour), f" {_rest(c, block.brief)}"))
    if rests:
        inside.append(el("ul", *rests, class_="claims"))
    return el("div", *inside, class_="question")


def _rest(one: Checked, brief: bool) -> str:
    """A claim an answer rests on: how it came out and, unless `brief`, with which numbers and after
    whom.
    """
    v = one.verdict
    told = "" if one.agrees else "DISAGREES with the answer: "
    if brief:
        return f"{told}{v.outcome}: {v.claim}"
    unit = "" if v.unit == "1" else f" {v.unit}"
    low, mean, high = (rounded(end, 3) for end in (v.low, v.value, v.high))
    span = "" if v.n < 2 or v.low == v.high else f" [{low}, {high}]"
    found = "no value" if v.value != v.value else f"{mean}{span}{unit}"
    parts = [
        f"{v.claim}{f' ({v.spot})' if v.spot else ''}: {found}, wanted {v.wanted}, n = {v.rests_on}"
    ]
    parts += [v.known_miss] if v.known_miss and not one.holds else []
    parts += [f"source: {v.source}"] if v.source else []
    return minus(f"{told}{v.outcome}: {'; '.join(parts)}")


def markdown(blocks: Iterable[Block], figures: Mapping[str, str]) -> str:
    """The same as Markdown; `figures`: name -> where its PNG stands. Slides are parted by a rule,
    as for Marp.
    """
    return "\n\n".join(_markdown(block, figures) for block in blocks) + "\n"


def _markdown(block: Block, figures: Mapping[str, str]) -> str:
    match block:
        case Heading(text, level):
            return f"{'#' * level} {_plain(text)}"
        case Text(text, "command"):
            return f"    {text}"
        case Text(text, kind):
            return f"*{_plain(text)}*" if kind in ("scope", "small", "what") else _plain(text)
        case Points(items):
            return "\n".join(f"- {_plain(item)}" for item in items)
        case Table(head, rows):
            if not any(head):
                return "\n".join(f"- **{_plain(name)}:** {_plain(what)}" for name, what in rows)
            lines = [head, ["---"] * len(head), *rows]
            return "\n".join(
                f"| {' | '.join(_plain(cell).replace('|', chr(92) + '|') for cell in row)} |"
                for row in lines
            )
        case Picture(name, caption):
            return f"![{_plain(caption)}]({figures[name]})"
        case Figures(pictures):
            return "\n\n".join(_markdown(one, figures) for one in pictures)
        case Asked():
            parts = [f"**{block.number}.** {_plain(block.text)}"]
            parts += [f"**Answer.** {_plain(block.answer)}"] if block.answer else []
            claims = [
                f"- {SIGNS[c.verdict.outcome][0]} {_plain(_rest(c, block.brief))}"
                for c in block.checked
            ]
            parts += ["\n".join(claims)] if claims else []
            return "\n\n".join(parts)
        case Slide(inside, beside):
            shown = [*inside, *([beside] if beside else [])]
            return markdown(shown, figures).strip() + "\n\n---"


def _plain(text: str) -> str:
    """Text in which nothing is markup."""
    for sign in ("\\", "*", "_", "<", "[", "`"):
        text = text.replace(sign, f"\\{sign}")
    return text
