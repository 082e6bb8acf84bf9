"""How a sweep goes with more workers: wall time of the same points with one, two, ... processes,
each from an empty folder and cache.

    python benchmarks/workers.py [--points 200] [--workers 1,2] [--repetitions 3] [--executor
        processes] [--method formula] [--json FILE]

Courses of 2 days. By `--method formula` it is Python's own work that is spread; by `direct` the
network, a program of its own, answers (its compiling is not counted). Start-up of the workers and
writing the runs are included, results and figures are not. Medians of repetitions that alternate.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from pathlib import Path

from variants import machine, machine_speedup, table

from plastogen.model.circuit import Drive, Engine
from plastogen.runs import Request, make_request, run_all

TARGET = 1.8  # two workers against one
EXPERIMENT = """
question: How fast are many points?
model: {subject: stressed_adult, circuit: prefrontal}
course: {duration: 2 d, seeds: 1, method: METHOD}
arms:
  ketamine: {give: {infusion: {drug: ketamine, dose: 0.5 mg/kg, route: iv, over: 40 min, at: 0 h}}}
sweep: {arms.ketamine.give.infusion.dose: {from: 0.1 mg/kg, to: 2 mg/kg, points: POINTS, spacing: log}}
"""


def wall_s(request: Request, workers: int, executor: str) -> float:
    """Seconds that all runs take with so many workers."""
    began = time.monotonic()
    came = [
        done.state
        for done in run_all(request.runs, request.store, workers=workers, executor=executor)
    ]
    assert set(came) == {"run"}, came
    return time.monotonic() - began


def main() -> None:
    """Measure, print a table, and say whether the target is met."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--points", type=int, default=200)
    parser.add_argument("--workers", default="1,2")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--executor", default="processes")
    parser.add_argument("--method", choices=("formula", "direct"), default="formula")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    counts = [int(word) for word in given.workers.split(",")]
    taken: dict[int, list[float]] = {n: [] for n in counts}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "many.yaml"
        written = EXPERIMENT.replace("POINTS", str(given.points))
        file.write_text(written.replace("METHOD", given.method))
        for repetition in range(given.repetitions):
            for n in counts:
                os.environ["PLASTOGEN_CACHE"] = f"{folder}/{repetition}/{n}/cache"
                request = make_request(file, out=Path(folder) / f"{repetition}" / f"{n}" / "many")
                if given.method == "direct":
                    engine = Engine(request.runs[0].plan.circuit)  # compiled, if it is not yet
                    engine.run(Drive(), 1, seconds=0.1, settle_s=0)
                taken[n].append(wall_s(request, n, given.executor))
    seconds = {n: statistics.median(values) for n, values in taken.items()}
    print(f"{machine()}; {given.points} points, {given.method}, {given.executor}, wall time")
    rows = [
        [str(n), f"{s:.1f}", f"{given.points / s:.1f}", f"{seconds[counts[0]] / s:.2f}"]
        for n, s in seconds.items()
    ]
    print(table(["workers", "seconds", "points a second", f"times {counts[0]} worker"], rows))
    if 1 in seconds and 2 in seconds:
        ratio = seconds[1] / seconds[2]
        print(
            f"two workers: {ratio:.2f} times one (target {TARGET}:"
            f" {'met' if ratio >= TARGET else 'MISSED'})"
        )
        print(
            "two bare processes against one, which is what the machine gives:"
            f" {machine_speedup():.2f}"
        )
    if given.json:
        given.json.write_text(
            json.dumps({"machine": machine(), "points": given.points, "seconds": taken}, indent=1)
        )


if __name__ == "__main__":
    main()
