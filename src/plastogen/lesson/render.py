"""In: blocks of a sheet or of slides, and files of figures. Out: one self-contained HTML page; Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from pathlib import Path

from plastogen.figure import FIGURES
from plastogen.lesson.key import Checked, minus
from plastogen.lesson.sheets import Asked, Block, Heading, Picture, Points, Slide, Table, Text
from plastogen.report import SIGNS
from plastogen.report.html import Html, document, el, join, picture, table

Files = Mapping[str, Sequence[Path]]  # figure -> the files it was saved as


def page(title: str, blocks: Iterable[Block], files: Files, *, css: str) -> Html:
    """A page of its own; `css`: sheet or slides."""
    style = (resources.files("plastogen.lesson") / f"{css}.css").read_text(encoding="utf-8")
    return document(title, style, el("body", *(join(["", _html(block, files)]) for block in blocks), class_=css))


def _html(block: Block, files: Files) -> Html:
    match block:
        case Heading(text, level):
            return el(f"h{level}", text)
        case Text(text, kind):
            return el("p", text, class_=kind or None)
        case Points(items):
            return el("ul", *(el("li", item) for item in items))
        case Table(head, rows):
            if any(head):
                return table(head, rows)
            return el("dl", *(el("div", el("dt", name), el("dd", what)) for name, what in rows))
        case Picture(name):
            return el("figure", picture(files[name], FIGURES[name]), el("figcaption", FIGURES[name]))
        case Asked():
            return _asked(block)
        case Slide(blocks):
            full = "full" if len(blocks) == 1 else None
            return el("section", *(join(["", _html(one, files)]) for one in blocks), class_=full)


def _asked(block: Asked) -> Html:
    inside = [el("p", el("b", f"{block.number}. "), block.text, class_="ask")]
    inside += [el("div", class_="line")] * block.lines
    if block.answer:
        inside.append(el("p", block.answer, class_="answer"))
    rests = [el("li", el("span", SIGNS[c.verdict.outcome][0], class_=SIGNS[c.verdict.outcome][1]), f" {_rest(c)}")
             for c in block.checked]  # fmt: skip
    if rests:
        inside.append(el("ul", *rests, class_="claims"))
    return el("div", *inside, class_="question")


def _rest(one: Checked) -> str:
    """A claim an answer rests on: how it came out, with numbers, and after whom."""
    v = one.verdict
    unit = "" if v.unit == "1" else f" {v.unit}"
    span = "" if v.n < 2 or v.low == v.high else f" [{v.low:.3g}, {v.high:.3g}]"
    found = "no value" if v.value != v.value else f"{v.value:.3g}{span}{unit}"
    parts = [f"{v.claim}{f' ({v.spot})' if v.spot else ''}: {found}, wanted {v.wanted}, n = {v.rests_on}"]
    parts += [v.known_miss] if v.known_miss and not one.holds else []
    parts += [f"source: {v.source}"] if v.source else []
    told = "" if one.agrees else "DISAGREES with the answer: "
    return minus(f"{told}{v.outcome}: {'; '.join(parts)}")


def markdown(blocks: Iterable[Block], figures: Mapping[str, str]) -> str:
    """The same as Markdown; `figures`: name -> where its PNG stands. Slides are parted by a rule, as for Marp."""
    return "\n\n".join(_markdown(block, figures) for block in blocks) + "\n"


def _markdown(block: Block, figures: Mapping[str, str]) -> str:
    match block:
        case Heading(text, level):
            return f"{'#' * level} {_plain(text)}"
        case Text(text, kind):
            return f"*{_plain(text)}*" if kind in ("scope", "small", "what") else _plain(text)
        case Points(items):
            return "\n".join(f"- {_plain(item)}" for item in items)
        case Table(head, rows):
            if not any(head):
                return "\n".join(f"- **{name}:** {_plain(what)}" for name, what in rows)
            lines = [head, ["---"] * len(head), *rows]
            return "\n".join(
                f"| {' | '.join(_plain(cell).replace('|', chr(92) + '|') for cell in row)} |" for row in lines
            )
        case Picture(name):
            return f"![{FIGURES[name]}]({figures[name]})"
        case Asked():
            parts = [f"**{block.number}.** {_plain(block.text)}"]
            parts += [f"**Answer.** {_plain(block.answer)}"] if block.answer else []
            claims = [f"- {SIGNS[c.verdict.outcome][0]} {_plain(_rest(c))}" for c in block.checked]
            parts += ["\n".join(claims)] if claims else []
            return "\n\n".join(parts)
        case Slide(inside):
            return markdown(inside, figures).strip() + "\n\n---"


def _plain(text: str) -> str:
    """Text in which nothing is markup."""
    for sign in ("\\", "*", "_", "<", "[", "`"):
        text = text.replace(sign, f"\\{sign}")
    return text
