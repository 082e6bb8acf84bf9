"""In: an experiment that was run (results, verdicts, figures). Out: report.html, one page that
needs nothing but itself.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from plastogen._base.files import atomic_write
from plastogen._base.scope import SCOPE
from plastogen._base.text import counted
from plastogen.analysis import (
    WORDS,
    Cited,
    Number,
    count_evidence,
    describe_evidence,
    list_cited,
    numbers_in_use,
)
from plastogen.experiment import FIGURES, Condition, OpenExperiment, Verdict
from plastogen.publish.report.html import (
    NOTHING_FROM_OUTSIDE,
    Html,
    document,
    el,
    join,
    picture,
    table,
)
from plastogen.publish.report.methods import given_by_arm, in_all_arms, methods

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["NOTHING_FROM_OUTSIDE", "SECTIONS", "SIGNS", "page", "write_report"]
NAME = "report.html"
SIGNS = {
    "met": ("✓", "met"),
    "missed": ("✗", "missed"),
    "known miss": ("✗", "known"),
    "undecided": ("?", "undecided"),
}
SECTIONS = ("Arms", "Figures", "Claims", "Methods", "Numbers", "References", "Versions")


def write_report(
    folder: Path,
    *,
    opened: OpenExperiment,
    conditions: Sequence[Condition],
    ds: xr.Dataset,
    verdicts: Sequence[Verdict],
    figures: Sequence[Path] = (),
    backends: Sequence[str] = (),
) -> Path:
    """Writes report.html into `folder`, whole or not at all, and returns its path. Raises
    StoreError.

    `conditions` as `OpenExperiment.conditions()` gives them; `figures`: PNG and SVG files, the stem
    being the figure's name; `backends`: what ran the circuit, as the manifests say. The same input
    makes the same bytes.
    """
    path = folder / NAME
    atomic_write(path, page(opened, conditions, ds, verdicts, figures, backends))
    return path


def page(
    opened: OpenExperiment,
    conditions: Sequence[Condition],
    ds: xr.Dataset,
    verdicts: Sequence[Verdict],
    figures: Sequence[Path] = (),
    backends: Sequence[str] = (),
) -> Html:
    """The page as text. Of a sweep it describes every arm as the files have it, and says what was
    run instead.
    """
    conditions = opened.typical_conditions() if opened.sweep_in_words else conditions
    used = numbers_in_use(conditions)
    known = list_cited(used, [verdict.source for verdict in verdicts], opened.models.library)
    keys = {one.key for one in known}
    told = methods(opened, conditions, ds, used, backends)
    parts = {
        "Arms": _arms(opened, conditions, ds),
        "Figures": _figures(figures),
        "Claims": _claims(verdicts, keys),
        "Methods": el("div", *(el("p", text) for text in told), class_="methods"),
        "Numbers": _numbers(used, keys),
        "References": _references(known),
        "Versions": _versions(opened, ds, backends),
    }
    css = (resources.files("plastogen.publish.report") / "page.css").read_text(encoding="utf-8")
    title = str(ds.attrs.get("title", opened.name))
    sections = [el("section", el("h2", name), parts[name], id=name.lower()) for name in SECTIONS]
    body = el("body", _top(title, ds, verdicts), *(join(["", section]) for section in sections))
    return document(f"{title}: plastogen report", css, body)


def _top(title: str, ds: xr.Dataset, verdicts: Sequence[Verdict]) -> Html:
    """Title, question, scope, the facts at a glance, and what is missing."""
    attrs = {key: str(value) for key, value in ds.attrs.items()}
    count = Counter[str](verdict.outcome for verdict in verdicts)
    met = (
        ", ".join(f"{count[outcome]} {outcome}" for outcome in SIGNS if count[outcome])
        or "none made"
    )
    runs = f"{attrs.get('n_complete', '?')} of {attrs.get('n_expected', '?')} complete"
    facts = {
        "Subject": f"{attrs.get('subject', '')} ({attrs.get('species', '')})".replace("_", " "),
        **{
            name.capitalize(): attrs.get(name, "")
            for name in (
                ("rule",) if attrs.get("kind") == "induction" else ("circuit", "rule", "plasticity")
            )
        },
        "Runs": runs,
        "Claims": met,
    }
    listed = el(
        "dl",
        *(el("div", el("dt", name), el("dd", text)) for name, text in facts.items()),
        class_="facts",
    )
    links = el("nav", *(el("a", name, href=f"#{name.lower()}") for name in SECTIONS))
    question = el("p", attrs.get("question", ""), class_="question")
    scope = el("p", attrs.get("scope", SCOPE), class_="scope")
    return el("header", el("h1", title), question, scope, listed, _missing(ds), links)


def _missing(ds: xr.Dataset) -> Html:
    """Which runs are not there, and why; nothing when all are."""
    done, expected = int(ds.attrs.get("n_complete", 0)), int(ds.attrs.get("n_expected", 0))
    if done >= expected:
        return Html("")
    why = Counter[str]()
    for arm in ds["arm"].values:
        for status in ds["status"].sel(arm=arm).values.ravel():
            if str(status) != "complete":
                why[f"{arm}: {status}"] += 1
    text = f"INCOMPLETE: {done} of {expected} runs. "
    rest = "Means and intervals rest on the runs that are there; nothing was filled in."
    reasons = el(
        "ul", *(el("li", f"{reason} ({n})" if n > 1 else reason) for reason, n in why.items())
    )
    return el("div", el("strong", text), rest, reasons, class_="alarm")


def _arms(opened: OpenExperiment, conditions: Sequence[Condition], ds: xr.Dataset) -> Html:
    """Arm, what it was given, how many runs it rests on."""
    from plastogen.figures import arm_styles, count_runs

    first = {condition.arm: condition for condition in reversed(conditions)}
    looks, done = arm_styles(ds), count_runs(ds)
    given = given_by_arm(opened, first)
    rows = []
    for name in opened.experiment.arms:
        look = looks[name]
        line = "solid" if look.line == "-" else "dotted" if look.marker == "^" else "dashed"
        swatch = el(
            "span", class_="swatch", style=f"border-top-style: {line}; border-color: {look.colour}"
        )
        alias = (
            el("span", f" {name}", class_="small")
            if look.label.lower() != name.lower()
            else Html("")
        )
        what = _minus("; ".join(given[name]) or "nothing")
        rows.append([join([swatch, look.label, alias], ""), what, "{} of {}".format(*done[name])])
    axes = [
        el("p", f"Every arm was run over {whole}: {'; '.join(paths)}.")
        for whole, *paths in opened.sweep_in_words
    ]
    if common := in_all_arms(opened):
        axes.append(el("p", f"In every arm: {'; '.join(common)}."))
    note = el("p", opened.experiment.note.strip()) if opened.experiment.note else Html("")
    return join([note, table(("Arm", "Given", "Runs complete"), rows), *axes])


def _figures(paths: Sequence[Path]) -> Html:
    """Each figure once, as SVG where that is small enough, with its caption."""
    found = []
    for name in dict.fromkeys(path.stem for path in paths):
        caption = FIGURES[name].caption if name in FIGURES else name
        image = picture([path for path in paths if path.stem == name], caption)
        found.append(el("figure", image, el("figcaption", caption), id=f"figure-{name}"))
    return join(found) if found else el("p", "None were drawn.")


def _claims(verdicts: Sequence[Verdict], known: set[str]) -> Html:
    """Each claim: outcome, what was found with its interval, what was wanted, on how many seeds,
    after whom.
    """
    if not verdicts:
        return el("p", "This experiment makes no claims.")
    rows = []
    for verdict in verdicts:
        sign, kind = SIGNS[verdict.outcome]
        claim = [el("span", verdict.claim)]
        claim += [
            el("div", text, class_="small")
            for text in (verdict.spot, verdict.worth, verdict.note, verdict.reason)
            if text
        ]
        if verdict.known_miss:
            claim.append(el("div", f"known miss: {verdict.known_miss}", class_="small"))
        rows.append(
            [
                el("span", f"{sign} {verdict.outcome}", class_=kind),
                join(claim, ""),
                _found(verdict),
                _minus(verdict.wanted),
                verdict.rests_on,
                _source(verdict.source, known),
            ]
        )
    head = ("Outcome", "Claim", "Found, with 95 % interval", "Wanted", "Seeds", "Source")
    return table(head, rows, class_="claims")


def _found(verdict: Verdict) -> str:
    if verdict.value != verdict.value:
        return "no value"
    unit = "" if verdict.unit == "1" else f" {verdict.unit}"
    span = f" [{verdict.low:.3g}, {verdict.high:.3g}]" if verdict.low == verdict.low else ""
    return _minus(f"{verdict.value:.3g}{span}{unit}")


def _minus(text: str) -> str:
    return re.sub(r"(?<!\w)-(?=\d)", "−", text)


def _source(key: str | None, known: set[str]) -> str:
    return el("a", key, href=f"#ref-{key}") if key in known and key else "–"


def _numbers(used: Sequence[Number], known: set[str]) -> Html:
    """Every number in use, folded up by model, with source and evidence."""
    groups = []
    for model in dict.fromkeys(number.model for number in used):
        mine = [number for number in used if number.model == model]
        kinds = ", ".join(f"{n} {word}" for word, n in count_evidence(mine).items())
        title = el(
            "summary",
            f"{model} ",
            el("span", f"{counted(len(mine), 'number')}: {kinds}", class_="small"),
        )
        head = ("Number", "Value", "Range", "Evidence", "Source", "Note")
        rows = [_number(number, known) for number in mine]
        groups.append(el("details", title, table(head, rows, class_="numbers")))
    return join([el("p", f"In use are {describe_evidence(used)}."), *groups])


def _number(number: Number, known: set[str]) -> list[str]:
    """A number's row: where it stands, its value as written, range, evidence, source, note."""
    q = number.quantity
    unit = "" if q.unit == "1" else f" {q.unit}"
    span = "" if q.range is None else f"{q.range[0]:.4g} to {q.range[1]:.4g}{unit}"
    evidence = WORDS.get(str(q.evidence), str(q.evidence))
    return [number.path, q.text, span, evidence, _source(q.source, known), q.note or ""]


def _references(known: Sequence[Cited]) -> Html:
    items = []
    for one in known:
        r = one.reference
        text = f"{r.authors} ({r.year}). {r.title}. {r.journal}. "
        doi = (
            el("a", f"doi:{r.doi}", href=f"https://doi.org/{r.doi}", rel="noreferrer")
            if r.doi
            else Html("")
        )
        items.append(el("li", text, doi, id=f"ref-{one.key}"))
    return el("ol", *items, class_="references") if items else el("p", "None are cited.")


def _versions(opened: OpenExperiment, ds: xr.Dataset, backends: Sequence[str]) -> Html:
    """What computed this, and the line that computes it again."""
    versions = json.loads(ds.attrs.get("versions", "{}"))
    rows = [[name, str(version)] for name, version in versions.items()]
    rows += [["circuit run by", backend] for backend in backends]
    settings = "".join(f" --set {path}='{value}'" for path, value in opened.set.items())
    again = el("p", "To repeat: ", el("code", f"plastogen run {opened.name}{settings}"))
    return join([table(("", ""), rows), again])
