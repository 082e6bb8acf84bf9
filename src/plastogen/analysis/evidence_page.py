"""In: lines of the evidence, what came out of the experiments. Out: docs/evidence.md as text.

Misses are reported, not hidden; what does not count stands under its own heading, and what has not
been run is named.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from plastogen._base.scope import SCOPE
from plastogen._base.text import counted, rounded
from plastogen.analysis.evidence import CameOut, Line, Row, every_line
from plastogen.analysis.naive import AS_KETAMINE, NOTHING
from plastogen.analysis.score import Score, distance, score
from plastogen.experiment import Experiment, Status, Verdict

OUTCOMES: Mapping[Status, tuple[str, str]] = {  # of what is met, of what is missed
    "predicted": ("hit", "MISS"),
    "calibrated": ("fits", "does not fit"),
    "input": ("as put in", "NOT as put in"),
    "by construction": ("holds by construction", "DOES NOT HOLD"),
}
HEADS: Mapping[Status, str] = {  # in the order of the page
    "predicted": "Predicted",
    "calibrated": "Calibrated",
    "input": "Put in",
    "by construction": "By construction",
}
COLUMNS = ("outcome", "what was found", "found [95 %]", "what the model says [95 %]", "apart")
SCORES = ("model", "asked", "met", "each source once", "within two standard errors", "median")
DIGITS = 3
HEAD = """\
# Evidence: what was found beside what the model says

Made by `plastogen evidence`; do not edit. Every claim with a source, of every experiment that
ships. Only what is *predicted* counts. A *calibrated* row had a parameter chosen to meet it
(which, and on what, is decided before a run), *put in* is what the model was given, and *by
construction* what it could not miss. Values are means over seeds with 95 % intervals, n is how
many; of a sweep it is the worst place that the claim is about. A *known miss* says why. *Apart* is
how far the two means lie from each other, in standard errors of both together, where the source
gives an interval. Numbered rows stand in `experiments/evidence/rows.yaml`, sources in
`models/references.yaml`. Clinical rows go through one labelled map and predict no person.
"""
NAIVE_NOTE = """\
Two models without a mechanism are scored by the same function, on the claims they say something
else about than plastogen: *{nothing}*, every treated arm is as the untreated one, and
*{ketamine}*, every treated arm is as the ketamine arm of the same subject. Their numbers come from
the same results; what an effect is measured by stays as it came out.
"""


def render_evidence(
    table: Sequence[Row],
    experiments: Mapping[str, Experiment],
    came_out: Mapping[str, CameOut],
) -> str:
    """docs/evidence.md as text. Raises InputError for a row about what there is not."""
    whole = list(every_line(table, experiments, came_out))
    parts = [HEAD, *_counts(whole, table), f"*{SCOPE}*\n", _scores(whole, came_out)]
    parts += [
        _section(status, [line for line in whole if line.status == status]) for status in HEADS
    ]
    parts.append(_not_run(whole, came_out))
    return "\n".join(filter(None, parts))


def _counts(whole: Sequence[Line], table: Sequence[Row]) -> Iterator[str]:
    """How many came out how, in a paragraph."""
    here = [line for line in whole if line.verdict is not None]
    predicted = Counter(outcome(line) for line in here if line.status == "predicted")
    told = ", ".join(f"{n} {what}" for what, n in sorted(predicted.items()))
    text = f"Of {predicted.total()} predictions: {told or 'none of them has been run'}."
    text += "".join(
        f" {HEADS[status]}, not counted: {n}."
        for status in HEADS
        if status != "predicted" and (n := sum(line.status == status for line in here))
    )
    numbers = dict.fromkeys(row.by for row in table if row.by is not None)
    text += f" Parameters calibrated: {len(numbers)} ({', '.join(f'`{n}`' for n in numbers)})."
    if lacking := len(whole) - len(here):
        text += f" Not run on this version, and not counted: {lacking}."
    yield text + "\n"


def _scores(whole: Sequence[Line], came_out: Mapping[str, CameOut]) -> str:
    """The score of plastogen, and those of the models without a mechanism beside its own on the
    same claims.
    """
    mine = [line for line in whole if line.verdict is not None and line.status == "predicted"]
    if not mine:
        return ""
    of_all = score([line.verdict for line in mine if line.verdict is not None])
    rows = [("plastogen", of_all)]
    for name in (NOTHING, AS_KETAMINE):
        pairs = list(_beside(mine, came_out, name))
        rows.append((name, score([theirs for theirs, _ in pairs])))
        rows.append(("plastogen, on the same", score([ours for _, ours in pairs])))
    far, lacking = len(of_all.distances), of_all.asked - len(of_all.distances)
    note = NAIVE_NOTE.format(nothing=NOTHING, ketamine=AS_KETAMINE)
    text = f"## Scores\n\n{note}\n"
    text += (
        f"Of {of_all.asked} predictions {far} have an interval on both sides, {of_all.ranges} of"
    )
    text += " these from a range that the source names, taken for a 95 % interval (~);"
    text += f" {lacking} have none, so no distance.\n\n" + _head(SCORES)
    return text + "".join(_cells(name, *_score_cells(each)) for name, each in rows)


def _beside(
    mine: Sequence[Line], came_out: Mapping[str, CameOut], name: str
) -> Iterator[tuple[Verdict, Verdict]]:
    """A naive model's verdict and plastogen's, of the claims that model is asked."""
    for line in mine:
        out = came_out.get(line.row.experiment or "")
        theirs = out.naive.get(name, {}).get(line.claim) if out is not None else None
        if theirs is not None and line.verdict is not None:
            yield theirs, line.verdict


def _score_cells(each: Score) -> tuple[str, ...]:
    far = f"{each.near} of {len(each.distances)}" if each.distances else "none has a distance"
    once = "" if math.isnan(each.by_source) else f"{each.by_source:.2f}"
    middle = "" if math.isnan(each.median) else f"{each.median:.1f}"
    return str(each.asked), str(each.met), once, far, middle


def _section(status: Status, whole: Sequence[Line]) -> str:
    """A heading and a table; a row that has several answers says once what was found."""
    if not whole:
        return ""
    text = f"## {HEADS[status]}\n\n" + _head(COLUMNS)
    for row, group in groupby(whole, key=lambda line: line.row):
        lines = list(group)
        if len(lines) > 1:
            text += _cells("", _found(row), "", "", "")
        for line in lines:
            what = line.claim if len(lines) > 1 else _found(row)
            text += _cells(outcome(line), what, *_numbers(line))
    return text


def _found(row: Row) -> str:
    name = f"{row.row} {row.what}" if row.row is not None else row.what
    where = "" if row.row is not None else f" (`{row.experiment}`)"
    told = f": {row.found}" if row.found else ""
    return f"**{name}**{where}{told}; *{row.source}*"


def outcome(line: Line) -> str:
    """What became of a line, in the words of its status."""
    if line.verdict is None:
        return "not run"
    if line.verdict.outcome in ("undecided", "known miss"):
        return line.verdict.outcome
    return OUTCOMES[line.status][line.verdict.outcome != "met"]


def _numbers(line: Line) -> tuple[str, str, str]:
    """What was found, what the model says, and how far apart they are."""
    v = line.verdict
    if v is None:
        return "", "not run on this version", ""
    n = (
        ""
        if not v.expected
        else f"n = {v.n}"
        if v.n == v.expected
        else f"n = {v.n} of {v.expected}"
    )
    span, word = v.directed
    said = f"{_span(*span, v.unit)} {word}".rstrip() if math.isfinite(v.value) else "none"
    why = v.known_miss if v.outcome == "known miss" else ""
    parts = (said, f"accepted: {v.wanted}", n, v.spot, v.note, v.reason, why)
    far = distance(v)
    rough = "~" * v.found_range
    return (
        _found_span(v),
        "; ".join(filter(None, parts)),
        "" if far is None else f"{rough}{far:.1f}",
    )


def _found_span(v: Verdict) -> str:
    if v.found is None:
        return ""
    value, low, high = v.found
    if not v.found_range:
        return _span(value, low, high, v.unit)
    ends = f"{rounded(low, DIGITS)} to {rounded(high, DIGITS)}"
    return ends + ("" if v.unit == "1" else f" {v.unit}")


def _span(value: float, low: float, high: float, unit: str) -> str:
    ends = f" [{rounded(low, DIGITS)}, {rounded(high, DIGITS)}]" if math.isfinite(low) else ""
    return f"{rounded(value, DIGITS)}{ends}" + ("" if unit == "1" else f" {unit}")


def _not_run(whole: Sequence[Line], came_out: Mapping[str, CameOut]) -> str:
    """Experiments that have not been run on this version, or not wholly."""
    lacking = Counter(
        line.row.experiment for line in whole if line.verdict is None and line.row.experiment
    )
    lines = [
        f"- `{name}`: {counted(n, 'claim')}; `plastogen run {name}`"
        for name, n in sorted(lacking.items())
    ]
    lines += [
        f"- `{name}`: {out.lacking} of its runs are missing; judged on those that are there"
        for name, out in sorted(came_out.items())
        if out.lacking
    ]
    return "## Not run on this version\n\n" + "\n".join(lines) + "\n" if lines else ""


def _head(columns: Sequence[str]) -> str:
    return _cells(*columns) + "|" + "---|" * len(columns) + "\n"


def _cells(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"
