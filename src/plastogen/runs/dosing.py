"""In: a condition. Out: what it is given and when, row by row, as results.nc carries it; and a row
in few words.

Rows hold numbers with their units. Text is made of them at the end, and never read back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypeAlias

from plastogen._base.text import percent
from plastogen.experiment import Condition
from plastogen.model.pharmacology import Treatment

Kind: TypeAlias = Literal["dose", "level", "occupancy", "stress", "intervention"]
MIN_PER_H = 60
CELLS = "cells"  # where others name a drug
DIGITS = 3  # of an amount in few words


def dosing_row(
    arm: str,
    drug: str,
    kind: Kind,
    amount: float,
    unit: str,
    span_h: tuple[float, float],
    *,
    title: str = "",
    route: str | None = None,
    over_h: float | None = None,
    what: str = "",
) -> dict[str, Any]:
    """One row. `amount` in `unit`: of a dose, a level that is held, an occupancy in %, a stress, of
    an intervention the share of spines.

    `what`: the row in words, those of the file where there is one.
    """
    row: dict[str, Any] = {
        "arm": arm,
        "drug": drug,
        "title": title or drug,
        "kind": kind,
        "amount": amount,
        "unit": unit,
        "route": route,
        "over_h": over_h,
        "start_h": span_h[0],
        "end_h": span_h[1],
    }
    return row | {"what": what or dosing_text(row)}


def dosing_rows(condition: Condition) -> list[dict[str, Any]]:
    """What an arm is given, for bars over a time axis, a row each time it is given."""
    rows = []
    for treatment in condition.treatments.values():
        title = condition.drugs[treatment.drug].title
        kind, unit, what = _described(treatment, title)
        for start, amount in zip(treatment.starts_h(), _amounts(treatment), strict=False):
            rows.append(
                dosing_row(
                    condition.arm,
                    treatment.drug,
                    kind,
                    amount,
                    unit,
                    (start, start + treatment.length_h),
                    title=title,
                    route=treatment.route,
                    over_h=float(treatment.over) if treatment.over is not None else None,
                    what=what,
                )
            )
    for one in condition.interventions.values():
        start, *until = one.times_h
        end = until[0] if until else start if one.freeze is None else condition.end_h
        amount = float(one.share)
        row = dosing_row(
            condition.arm, "spines", "intervention", amount, "1", (start, end), what=one.what
        )
        rows.append(row)
    for each in condition.stimulations.values():
        span = (float(each.at), float(each.at))
        rows.append(dosing_row(condition.arm, CELLS, "intervention", 1, "1", span, what=each.what))
    for start, end, stress in condition.stress:
        rows.append(dosing_row(condition.arm, "stress", "stress", stress, "1", (start, end)))
    return rows


def _described(treatment: Treatment, title: str) -> tuple[Kind, str, str]:
    """Kind, unit, and the words of the file."""
    if treatment.dose is not None:
        over = f" over {treatment.over.text}" if treatment.over is not None else ""
        what = f"{title} {treatment.dose.text} {treatment.route}{over}"
        return "dose", treatment.dose.unit, what
    if treatment.occupancy is not None:
        return "occupancy", "%", f"{title} at {percent(float(treatment.occupancy))} occupancy"
    assert treatment.brain is not None
    return "level", treatment.brain.unit, f"{title} held at {treatment.brain.text}"


def _amounts(treatment: Treatment) -> Iterator[float]:
    """The amount each time it is given, in the unit of its row."""
    if treatment.occupancy is not None:
        first = 100 * float(treatment.occupancy)
    else:
        given = treatment.dose if treatment.dose is not None else treatment.brain
        assert given is not None
        first = float(given)
    factor = float(treatment.escalate) if treatment.escalate is not None else 1.0
    while True:
        yield first
        first *= factor


def dosing_text(row: Mapping[str, Any]) -> str:
    """`ketamine 0.5 mg/kg iv over 40 min`: a row in few words. Results of older versions hold no
    numbers here: their words stand as they are.
    """
    if "kind" not in row:
        return str(row["what"])
    name = _short_name(row["title"])
    amount = f"{row['amount']:.{DIGITS}g}"
    unit = row["unit"].replace("uM", "µM")
    if row["kind"] == "stress":
        return f"stress {amount}"
    if row["kind"] == "intervention":
        return str(row["what"])
    if row["kind"] == "occupancy":
        return f"{name} at {amount} % occupancy"
    if row["kind"] == "level":
        return f"{name} held at {amount} {unit}"
    over = f"over {_duration(row['over_h'])}" if row["over_h"] else ""
    return " ".join(filter(None, (name, amount, unit, row["route"], over)))


def _short_name(title: str) -> str:
    """`Ketamine (racemic)` -> `ketamine`; an abbreviation keeps its capitals."""
    name = title.partition(" (")[0]
    return name[:1].lower() + name[1:] if name[1:2].islower() else name


def _duration(hours: float) -> str:
    return f"{MIN_PER_H * hours:.{DIGITS}g} min" if hours < 1 else f"{hours:.{DIGITS}g} h"
