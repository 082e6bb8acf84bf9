"""In: the rows of experiments/evidence, the experiments that ship, what came out of them. Out:
every claim that has a source, as a `Line`: what was found beside what the model says.

Rows put claims of one finding together and number it; a claim that no row names is a row of its
own. What a claim is worth (`status`) stands in its experiment: only predictions count as hits or
misses. An experiment that has not been run is said to be so.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pydantic

from plastogen._base.definition import Definition, build
from plastogen._base.document import read
from plastogen._base.library import Library, builtin
from plastogen._base.quantity import Fault, faulty
from plastogen._base.text import nearest, show
from plastogen.analysis.contrast import require_name
from plastogen.analysis.evidence_functions import FUNCTIONS
from plastogen.experiment import Claim, Experiment, Status, Verdict

ROWS = "experiments/evidence/rows.yaml"


class Row(Definition):
    """What was found, and where the model's answer is: claims of an experiment, or a pure function
    of the models (`of`, `given`), which then says what it is worth (`status`) and accepts.
    """

    row: int | None
    what: str
    found: str
    source: str
    by: str | None = None
    experiment: str | None = None
    claims: list[str] = []
    of: str | None = None
    given: dict[str, str] = {}
    status: Status | None = None
    unit: str = "1"
    range: tuple[float, float] | None = None
    note: str | None = None

    @pydantic.model_validator(mode="after")
    def _one_place(self) -> Row:
        faults = []
        if (self.experiment is None) == (self.of is None):
            faults.append(
                Fault("", "not one of experiment and of", "claims of an experiment, or a function")
            )
        if self.of is not None and self.of not in FUNCTIONS:
            near = nearest(self.of, FUNCTIONS)
            faults.append(Fault("of", show(self.of), f"one of {', '.join(FUNCTIONS)}", near))
        if self.of is not None and self.range is None:
            faults.append(Fault("range", "nothing", "the range that is accepted"))
        if (self.of is None) != (self.status is None):
            wanted = "it beside of, and only there: what a claim is worth stands in its experiment"
            faults.append(Fault("status", show(self.status), wanted))
        if faults:
            raise faulty(faults)
        return self


class Rows(Definition):
    """The whole table."""

    rows: list[Row]


@dataclass(frozen=True)
class CameOut:
    """What came out of an experiment: its verdicts, and those of the models without a mechanism
    (model -> claim -> verdict). `lacking` runs of it are missing.
    """

    verdicts: Sequence[Verdict]
    naive: Mapping[str, Mapping[str, Verdict]] = field(default_factory=dict)
    lacking: int = 0


@dataclass(frozen=True)
class Line:
    """One answer of the model. `claim` of `experiment`, where it is one; `verdict` is None where
    that has not been run.
    """

    row: Row
    status: Status
    claim: str = ""
    verdict: Verdict | None = None


def load_rows() -> list[Row]:
    """The table that ships. Raises InputError."""
    return build(read(builtin("experiments") / "evidence" / "rows.yaml"), Rows).rows


def sourced(experiment: Experiment) -> list[Claim]:
    """The claims of an experiment that somebody else's finding stands behind."""
    return [claim for claim in experiment.expect if claim.source is not None]


def every_line(
    table: Sequence[Row],
    experiments: Mapping[str, Experiment],
    came_out: Mapping[str, CameOut],
) -> Iterator[Line]:
    """Every line, rows with a number first: a row's function, or each of its claims; then claims
    that no row names. `came_out`: of the experiments that have been run.

    Raises InputError for a row about an experiment or a claim there is none of.
    """
    library = Library()
    made = {
        name: {claim.claim: claim for claim in sourced(experiment)}
        for name, experiment in experiments.items()
    }
    for row in _whole(table, made):
        if row.experiment is None:
            yield Line(row, row.status or "input", verdict=_of_function(library, row))
            continue
        where = f"{ROWS}, row {row.row}"
        claims = made[require_name(row.experiment, list(made), where)]
        out = came_out.get(row.experiment)
        verdicts = {one.claim: one for one in out.verdicts} if out is not None else {}
        for text in row.claims:
            claim = claims[require_name(text, list(claims), f"{where}, {row.experiment}")]
            yield Line(row, claim.status, text, verdicts.get(text))


def _whole(table: Sequence[Row], made: Mapping[str, Mapping[str, Claim]]) -> Iterator[Row]:
    """The rows in their order, then one for each claim that none of them names."""
    yield from sorted(table, key=lambda row: row.row or 0)
    named = {(row.experiment, text) for row in table for text in row.claims}
    for name, claims in made.items():
        for text, claim in claims.items():
            if (name, text) not in named:
                yield Row(
                    row=None,
                    what=text,
                    found=claim.reported or "",
                    source=str(claim.source),
                    experiment=name,
                    claims=[text],
                )


def _of_function(library: Library, row: Row) -> Verdict:
    """The verdict on a row that stands on a pure function: nothing about it varies."""
    assert row.of is not None
    assert row.range is not None
    value, (low, high) = FUNCTIONS[row.of](library, row.given), row.range
    return Verdict(
        claim=row.what,
        readout=row.of,
        outcome="met" if low <= value <= high else "missed",
        value=value,
        low=math.nan,
        high=math.nan,
        unit=row.unit,
        n=0,
        expected=0,
        wanted=f"{low:g} to {high:g}",
        source=row.source,
        note=row.note or "",
        status=row.status or "input",
    )
