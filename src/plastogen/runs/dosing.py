"""In: a condition. Out: what it is given and when, row by row, as results.nc carries it."""

from __future__ import annotations

from typing import Any

from plastogen.experiment import Condition


def dosing_rows(case: Condition) -> list[dict[str, Any]]:
    """What an arm is given, for bars over a time axis: arm, drug, what, start_h, end_h."""
    rows = []
    for treatment in case.treatments.values():
        length = treatment.over or treatment.held
        title = case.drugs[treatment.drug].title
        if treatment.dose is not None:
            what = f"{title} {treatment.dose.text} {treatment.route}"
            what += f" over {treatment.over.text}" if treatment.over is not None else ""
        elif treatment.occupancy is not None:
            what = f"{title} at {float(treatment.occupancy):.0%} occupancy"
        else:
            what = f"{title} held at {treatment.brain.text if treatment.brain else ''}"
        for start in treatment.starts_h():
            end = start + (float(length) if length is not None else 0)
            rows.append(
                {
                    "arm": case.arm,
                    "drug": treatment.drug,
                    "what": what,
                    "start_h": start,
                    "end_h": end,
                }
            )
    for start, end, stress in case.stress:
        what = f"stress {stress:g}"
        rows.append(
            {"arm": case.arm, "drug": "stress", "what": what, "start_h": start, "end_h": end}
        )
    return rows
