"""Fourteen days of one arm, emulated, against simulating every second of them with the same
program. CPU seconds.

    python benchmarks/days.py [--days 14] [--doses 30] [--seeds 4] [--cohort 200] [--brute 60]

The arm: 0.5 mg/kg of ketamine over 40 min into a stressed adult (experiment one_infusion). Circuit
met before: the emulator is learned, the course is followed as a run does it
(`simulate_with_errors`: the course, and the same with the emulator's error), alone and in a cohort.
From an empty store: the program is built and the emulator learned for this arm alone; and for a
range of doses, its whole cost counted for the one arm, and shared by all its courses. Every second:
`--brute` seconds of the compiled network, extrapolated.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from variants import children_cpu_s, machine, table

from plastogen.experiment import open_experiment
from plastogen.model.circuit import Drive
from plastogen.simulation import (
    Lockstep,
    NetworkProbe,
    Plan,
    network,
    simulate_with_errors,
    train,
)

T = TypeVar("T")
TARGET_MET, TARGET_EMPTY, S_PER_DAY = 10_000, 1_000, 86_400
QUESTION = """question: What do fourteen days cost?
model: {{subject: stressed_adult, circuit: prefrontal, plasticity: all}}
course: {{duration: {days:g} d, seeds: {seeds}, method: emulated}}
arms:
  ketamine: {{give: {{infusion: {{drug: ketamine, dose: 0.5 mg/kg, route: iv, over: 40 min, at: 0 h}}}}}}
sweep:
  arms.ketamine.give.infusion.dose: {{from: 0.1 mg/kg, to: 2 mg/kg, points: {doses}, spacing: log}}
readouts:
  weight: {{of: weight, at: 24 h}}
figures: []
"""
ALONE = "  arms.ketamine.give.infusion.dose: [0.5 mg/kg]\n"


def plans(folder: Path, days: float, doses: int, seeds: int) -> list[Plan]:
    """Every course of a range of doses, or, for one dose, of 0.5 mg/kg alone."""
    text = QUESTION.format(days=days, seeds=seeds, doses=doses)
    if doses == 1:
        text = text[: text.index("  arms.ketamine.give")] + ALONE + text[text.index("readouts:") :]
    path = folder / f"days_{days:g}_{doses}.yaml"
    path.write_text(text)
    question = open_experiment(str(path))
    return [case.plan(seed, "cpp") for case in question.conditions() for seed in question.seeds]


def cpu(work: Callable[[], T]) -> tuple[float, T]:
    """CPU seconds (user and system, programs it starts included) of `work`, and what it gave."""
    before = time.process_time() + children_cpu_s()
    found = work()
    return time.process_time() + children_cpu_s() - before, found


def learned_from_nothing(courses: Sequence[Plan], cache: Path) -> tuple[float, object]:
    """CPU seconds of building the program and learning `courses`, from an empty cache, and the
    `Learned`.
    """
    os.environ["PLASTOGEN_CACHE"] = str(cache)
    return cpu(lambda: train(courses, network(courses[0]), workers=2))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--days", type=float, default=14)
    parser.add_argument("--doses", type=int, default=30)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--cohort", type=int, default=200)
    parser.add_argument("--brute", type=float, default=60)
    parser.add_argument("--repetitions", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="plastogen-days-") as place:
        folder = Path(place)
        (arm,) = plans(folder, asked.days, 1, 1)
        many = plans(folder, asked.days, asked.doses, asked.seeds)
        own_s, own = learned_from_nothing([arm], folder / "one")
        print(f"learned the arm: {own_s:.1f} CPU s, {own.about()}", flush=True)
        range_s, ranged = learned_from_nothing(many, folder / "many")
        print(f"learned {len(many)} courses: {range_s:.1f} CPU s, {ranged.about()}", flush=True)
        emulator = ranged.emulator
        cohort = (many * (asked.cohort // len(many) + 1))[: asked.cohort]
        Lockstep([arm], emulator).simulate()
        ways: dict[str, Callable[[], object]] = {
            "alone": lambda: simulate_with_errors([arm], emulator),
            "without errors": lambda: Lockstep([arm], emulator).simulate(),
            "cohort": lambda: simulate_with_errors(cohort, emulator),
        }
        took = {
            name: statistics.median(cpu(way)[0] for _ in range(asked.repetitions))
            for name, way in ways.items()
        }
        took["cohort"] /= len(cohort)
        probe = NetworkProbe(arm.circuit, arm.rule, seconds=asked.brute, settle_s=0)
        probe.watch(Drive(), arm.seed, 1)  # builds the program, if it is not there
        brute = cpu(lambda: probe.watch(Drive(), arm.seed, asked.brute))[0] / asked.brute
        curve = {}
        for days in (1, 7, asked.days, 4 * asked.days):
            (other,) = plans(folder, days, 1, 1)
            curve[days] = cpu(lambda p=other: simulate_with_errors([p], emulator))[0]
    whole = brute * asked.days * S_PER_DAY
    rows = [
        ["every second (extrapolated)", whole, 1.0],
        ["met before, alone", took["alone"], TARGET_MET],
        ["met before, alone, without the emulator's error", took["without errors"], TARGET_MET],
        [f"met before, a course of a cohort of {asked.cohort}", took["cohort"], TARGET_MET],
        ["empty store, this arm alone, build included", own_s + took["alone"], TARGET_EMPTY],
        [
            f"empty store, {len(many)} courses learned for the one",
            range_s + took["alone"],
            TARGET_EMPTY,
        ],
        [
            f"empty store, a course of {len(many)}",
            range_s / len(many) + took["cohort"],
            TARGET_EMPTY,
        ],
    ]
    print(
        f"\n{asked.days:g} days, CPU seconds, dt 0.5 ms; every second: {1e3 * brute:.1f} ms a s."
        f" {machine()}.\n"
    )
    print(
        table(
            ["way", "CPU s", "times cheaper", "target"],
            [
                [
                    name,
                    f"{s:.3g}",
                    f"{whole / s:,.0f}",
                    f"{target:,.0f}" + (" met" if whole / s >= target else " MISSED"),
                ]
                for name, s, target in rows
            ],
        )
    )
    print(
        "\ndays of biology, one course, CPU s: "
        + ", ".join(f"{d:g} d {s:.2f}" for d, s in curve.items())
    )


if __name__ == "__main__":
    main()
