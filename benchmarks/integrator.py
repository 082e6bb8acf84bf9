"""How far courses of a formula lie from courses in steps a sixteenth as long, and what they cost.

    python benchmarks/integrator.py [--days 14] [--batch 200]

For each kind of course and way of following it: the largest error of any variable at any time, as a
share of that variable's range (or of a hundredth of its size, where it hardly moves), and CPU
seconds a course. Figures of the schemes before: docs/decisions/0016-the-integrator.md.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from variants import machine, table

from plastogen.experiment import open_experiment
from plastogen.simulation import (
    FormulaProbe,
    Lockstep,
    Plan,
    event_times,
    follow,
    formula_nodes,
    simulate,
)

FINER = 16
QUESTION = """question: How far are courses from those in finer steps?
model: {{subject: {subject}, circuit: prefrontal, plasticity: all}}
course: {{duration: {days:g} d, seeds: 1, method: formula}}
arms:
  given: {{give: {{{give}}}}}
readouts:
  weight: {{of: weight, at: 24 h}}
figures: []
"""
INFUSION = "infusion: {drug: ketamine, dose: 0.5 mg/kg, route: iv, over: 40 min, at: 0 h}"
BLOCKER = "blocker: {drug: nbqx, occupancy: 0.9, at: -30 min, for: 4 h}"
KINDS = {
    "infusion, healthy": ("healthy_adult", INFUSION),
    "infusion, stressed": ("stressed_adult", INFUSION),
    "infusion and NBQX, stressed": ("stressed_adult", f"{INFUSION}, {BLOCKER}"),
    "bolus": ("healthy_adult", "b: {drug: ketamine, dose: 0.5 mg/kg, route: iv, at: 0 h}"),
    "bath of 6 h": ("healthy_adult", "b: {drug: ketamine, brain: 3 uM, at: 0 h, for: 6 h}"),
}
Arrays = dict[str, np.ndarray]


def plan(folder: Path, subject: str, give: str, days: float) -> Plan:
    """The one course of a question."""
    path = folder / "integrator.yaml"
    path.write_text(QUESTION.format(subject=subject, give=give, days=days))
    question = open_experiment(str(path))
    (case,) = question.conditions()
    return case.plan(1, "cpp")


def reference(one: Plan) -> Arrays:
    """The course in steps a sixteenth as long as those of `simulate`."""
    nodes = formula_nodes(one.grid_h, event_times(one))
    finer = np.concatenate([nodes[:-1] + n / FINER * np.diff(nodes) for n in range(FINER)])
    finer = np.append(np.sort(finer), nodes[-1])
    return Lockstep([one], FormulaProbe(one.circuit, one.rule), nodes_h=finer).simulate()[0].arrays


def worst(found: Arrays, wanted: Arrays) -> tuple[float, str]:
    """The largest error as a share of a variable's range, and whose it is."""
    errors = {}
    for name, values in wanted.items():
        if values.size:
            scale = max(float(np.ptp(values)), 0.01 * float(np.abs(values).max()), 1e-9)
            errors[name] = float(np.abs(found[name] - values).max()) / scale
    name = max(errors, key=lambda each: errors[each])
    return errors[name], name


def cpu(work: Callable[[], Arrays]) -> tuple[float, Arrays]:
    """CPU seconds of `work`, and what it gave."""
    before = time.process_time()
    found = work()
    return time.process_time() - before, found


def batch(one: Plan, courses: int) -> float:
    """CPU seconds a course where so many are followed side by side."""
    many, answers = (
        [replace(one, seed=n) for n in range(courses)],
        FormulaProbe(one.circuit, one.rule),
    )
    seconds, _ = cpu(lambda: Lockstep(many, answers).simulate()[0].arrays)
    return seconds / courses


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--days", type=float, default=14)
    parser.add_argument("--batch", type=int, default=200)
    asked = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(prefix="plastogen-integrator-") as place:
        one = plan(Path(place), *KINDS["infusion, healthy"], asked.days)
        print(
            f"A course of a batch of {asked.batch}: {batch(one, asked.batch):.4f} CPU s.",
            flush=True,
        )
        for kind, (subject, give) in KINDS.items():
            one = plan(Path(place), subject, give, asked.days)
            answers, wanted = FormulaProbe(one.circuit, one.rule), reference(one)
            ways: dict[str, Callable[[], Arrays]] = {
                "formula": lambda one=one: simulate(one).arrays,
                "at the times of the grid": lambda one=one, answers=answers: (
                    Lockstep([one], answers).simulate()[0].arrays
                ),
                f"adaptive, tolerance {one.tolerance:g}": lambda one=one, answers=answers: (
                    follow(one, answers)[0].arrays
                ),
            }
            for way, work in ways.items():
                seconds, found = cpu(work)
                error, name = worst(found, wanted)
                rows.append([kind, way, f"{error:.1e}", name, f"{seconds:.2f}"])
                print(*rows[-1], sep=" | ", flush=True)
    print(f"\n{asked.days:g} days. {machine()}.\n")
    print(table(["course", "way", "largest error", "of", "CPU s"], rows))


if __name__ == "__main__":
    main()
