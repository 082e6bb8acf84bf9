"""In: the rows of experiments/evidence, results of the experiments they name. Out:
docs/evidence.md.

A row is an input, calibrated or predicted; only predictions count as hits. Misses are reported, not
hidden.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

import numpy as np
import pydantic

from plastogen._base.definition import Definition, build
from plastogen._base.document import read
from plastogen._base.library import Library, builtin
from plastogen._base.quantity import Fault, faulty
from plastogen._base.scope import SCOPE
from plastogen._base.text import nearest, show
from plastogen._base.units import parse
from plastogen.analysis.contrast import require_name
from plastogen.experiment import Verdict
from plastogen.model.circuit import Circuit
from plastogen.model.pharmacology import SUBUNITS, Array, BlockKinetics, Drug, NmdarBlock, Pool
from plastogen.model.plasticity import Plasticity, Spines

Given = Mapping[str, str]
Mean = tuple[float, float | None, float | None]
LONG_S = 10**7  # long enough for block to settle
OUTCOMES = {
    ("input", True): "as put in", ("input", False): "NOT as put in", ("calibrated", True): "fits",
    ("calibrated", False): "does not fit", ("predicted", True): "hit", ("predicted", False): "MISS",
}  # fmt: skip


HEADS = {
    "predicted": "Predicted",
    "calibrated": "Calibrated",
    "input": "Put in",
}  # in the order of the page


class Row(Definition):
    """One row: what was found, and where the model's answer is: claims of an experiment, or a pure
    function.
    """

    row: int
    what: str
    status: Literal["input", "calibrated", "predicted"]
    found: str
    source: str
    by: str | None = None
    experiment: str | None = None
    claims: list[str] = []
    of: str | None = None
    given: dict[str, str] = {}
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
        if (self.by is not None) != (self.status == "calibrated"):
            faults.append(
                Fault(
                    "by",
                    show(self.by),
                    "the calibrated parameter, and only where status is calibrated",
                )
            )
        if faults:
            raise faulty(faults)
        return self


class Rows(Definition):
    """The whole table."""

    rows: list[Row]


@dataclass(frozen=True)
class Line:
    """One answer of the model; `claim` says which, where a row has several."""

    row: Row
    claim: str
    value: Mean
    unit: str
    wanted: str
    outcome: str
    note: str = ""


def load_rows() -> list[Row]:
    """The table that ships. Raises InputError."""
    return build(read(builtin("experiments") / "evidence" / "rows.yaml"), Rows).rows


def experiments_of(table: Sequence[Row]) -> list[str]:
    """Names of the experiments the table stands on, in the order of the table."""
    return list(dict.fromkeys(row.experiment for row in table if row.experiment is not None))


def judge_rows(table: Sequence[Row], judged: Mapping[str, Sequence[Verdict]]) -> Iterator[Line]:
    """Every line: a row's function, or each of its claims. `judged`: experiment -> its verdicts.

    Raises InputError for an experiment without verdicts, or a claim its experiment does not make.
    """
    library = Library()
    for row in sorted(table, key=lambda row: row.row):
        if row.of is not None and row.range is not None:
            value = FUNCTIONS[row.of](library, row.given)
            met = row.range[0] <= value <= row.range[1]
            wanted = f"{row.range[0]:g} to {row.range[1]:g}"
            yield Line(
                row,
                "",
                (value, None, None),
                row.unit,
                wanted,
                OUTCOMES[row.status, met],
                row.note or "",
            )
            continue
        experiment = require_name(str(row.experiment), list(judged), f"evidence, row {row.row}")
        verdicts = {verdict.claim: verdict for verdict in judged[experiment]}
        for claim in row.claims:
            v = verdicts[
                require_name(claim, list(verdicts), f"evidence, row {row.row}, {experiment}")
            ]
            outcome = OUTCOMES[row.status, v.outcome == "met"]
            outcome = {"undecided": "undecided", "known miss": "known miss"}.get(v.outcome, outcome)
            n = f"n = {v.n}" if v.n == v.expected else f"n = {v.n} of {v.expected}"
            note = "; ".join(filter(None, (n, v.reason, v.known_miss)))
            yield Line(
                row,
                claim if len(row.claims) > 1 else "",
                (v.value, v.low, v.high),
                v.unit,
                v.wanted,
                outcome,
                note,
            )


def render_page(table: Sequence[Row], judged: Mapping[str, Sequence[Verdict]]) -> str:
    """docs/evidence.md as text."""
    whole = list(judge_rows(table, judged))
    predicted = Counter(line.outcome for line in whole if line.row.status == "predicted")
    calibrated = dict.fromkeys(str(row.by) for row in table if row.status == "calibrated")
    told = ", ".join(f"{n} {outcome}" for outcome, n in sorted(predicted.items()))
    head = (
        "# Evidence: what was found beside what the model says\n\nMade by `plastogen evidence`; do"
        " not edit. Only what is *predicted* counts. A *calibrated* row had one\nparameter chosen"
        " to meet it (which parameters, and on what, is decided before a run), an *input* was given"
        " to the\nmodel. Values are means over seeds with 95 % intervals, n is how many. A *known"
        " miss* says why. Rows are numbered as in\n`experiments/evidence/rows.yaml`; their sources"
        " are in `models/references.yaml`. Clinical rows go through\none labelled map and predict"
        f" no person.\n\nOf {sum(predicted.values())} predictions: {told}. Calibrated:"
        f" {len(calibrated)} parameters"
        f" ({', '.join(f'`{name}`' for name in calibrated)}).\n\n*{SCOPE}*\n"
    )
    return head + "".join(
        _section(status, [line for line in whole if line.row.status == status]) for status in HEADS
    )


def _section(status: str, whole: Sequence[Line]) -> str:
    """A heading and a table; a row that has several answers says once what was found."""
    text = (
        f"\n## {HEADS[status]}\n\n| outcome | what was found | what the model says"
        " |\n|---|---|---|\n"
    )
    for row, group in groupby(whole, key=lambda line: line.row):
        found = f"**{row.row} {row.what}**: {row.found}; *{row.source}*"
        for line in group:
            if line.claim and found:
                text += _cells("", found, "")
                found = ""
            text += _cells(line.outcome, line.claim or found, _answer(line))
    return text


def _answer(line: Line) -> str:
    value, low, high = line.value
    span = "" if low is None or high is None or math.isnan(low) else f" [{low:.3g}, {high:.3g}]"
    unit = "" if line.unit == "1" else f" {line.unit}"
    shown = "none" if math.isnan(value) else f"{value:.3g}{span}{unit}"
    return f"{shown}; accepted: {line.wanted}" + (f"; {line.note}" if line.note else "")


def _cells(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


# Pure functions of the models: (library, given) -> number in the row's unit.


def clearance(library: Library, given: Given) -> float:
    """Clearance at the reference weight, L/h."""
    kinetics = _drug(library, given).kinetics_for(given["animal"])  # type: ignore[arg-type]
    assert kinetics is not None
    return float(kinetics.clearance) * parse("1 h", "min")


def volume(library: Library, given: Given) -> float:
    """Sum of the volumes of all compartments at the reference weight, L."""
    kinetics = _drug(library, given).kinetics_for(given["animal"])  # type: ignore[arg-type]
    assert kinetics is not None
    return float(kinetics.central_volume) + sum(float(p.volume) for p in kinetics.peripheral)


def half_life(library: Library, given: Given) -> float:
    """Elimination half-life of a one-compartment set, min."""
    kinetics = _drug(library, given).kinetics_for(given["animal"])  # type: ignore[arg-type]
    assert kinetics is not None
    assert not kinetics.peripheral
    return math.log(2) * float(kinetics.central_volume) / float(kinetics.clearance)


def magnesium_shift(library: Library, given: Given) -> float:
    """IC50 with magnesium over IC50 without, for one subunit."""
    block, at = _block(library, given), SUBUNITS.index(given["subunit"])
    return float(block.ic50.uM()[at] / block.ic50_without_mg.uM()[at])


def trapped(library: Library, given: Given) -> float:
    """Share of block left after a wash without agonist, no magnesium (the protocol of Mealing
    1999).
    """
    kinetics = _kinetics(library, given, mg_mM=0)
    load, wash = parse(given["load"], "h"), parse(given["wash"], "h")
    voltage = float(_block(library, given).reference_voltage)
    blocked = _held(
        kinetics, kinetics.start(), 1, parse(given["concentration"], "uM"), voltage, load
    )
    left = _held(kinetics, blocked, 0, 0, voltage, wash)
    return float(kinetics.fraction(left)[0] / kinetics.fraction(blocked)[0])


def untrapping_ratio(library: Library, given: Given) -> float:
    """How much longer a blocker takes to leave with agonist at one voltage than at another
    (Huettner 1988).
    """
    kinetics = _kinetics(library, given, mg_mM=1)
    voltage = float(_block(library, given).reference_voltage)
    full = _held(
        kinetics, kinetics.start(), 1, parse("10 uM", "uM"), voltage, parse(f"{LONG_S} s", "h")
    )
    rates = []
    for key in ("slow", "fast"):
        minute = parse("1 min", "h")
        later = _held(kinetics, full, 1, 0, parse(given[key], "mV"), minute)
        rates.append(math.log(float(kinetics.fraction(full)[0] / kinetics.fraction(later)[0])))
    return rates[1] / rates[0]


def turnover(library: Library, given: Given) -> float:
    """Share of a healthy cohort of spines that is gone after an interval; as many are new."""
    spines = Spines(library.load("plasticity", given["plasticity"], Plasticity).spine)
    hours = parse(given["interval"], "h")
    transient = spines.transient * -math.expm1(-spines.transient_h * hours)
    return transient + spines.persistent * -math.expm1(-spines.loss_h * hours)


def _drug(library: Library, given: Given) -> Drug:
    return library.load("drugs", given["drug"], Drug)


def _block(library: Library, given: Given) -> NmdarBlock:
    return _drug(library, given).actions.nmdar[given["drug"]]


def _kinetics(library: Library, given: Given, *, mg_mM: float) -> BlockKinetics:
    circuit = library.load("circuits", "prefrontal", Circuit)
    pool = Pool("E.synaptic", circuit.populations["E"].nmdar.synaptic.shares())
    efold = float(circuit.magnesium.efold)
    return BlockKinetics(
        [pool], {given["drug"]: _block(library, given)}, mg_mM=mg_mM, mg_efold_mV=efold
    )


def _held(
    kinetics: BlockKinetics, state: Array, a: float, uM: float, v_mV: float, hours: float
) -> Array:
    gating = kinetics.gating([float(a)], np.ones((1, 1)), [v_mV])
    path = kinetics.advance(state, gating, gating, brain_uM=np.full((3, 1), float(uM)), dt_h=hours)
    return np.asarray(path[-1])


FUNCTIONS: dict[str, Callable[[Library, Given], float]] = {
    function.__name__: function
    for function in (
        clearance,
        volume,
        half_life,
        magnesium_shift,
        trapped,
        untrapping_ratio,
        turnover,
    )
}
