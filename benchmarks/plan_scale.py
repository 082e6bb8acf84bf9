"""How long it takes to check a sweep, and to make its plans and the names of its runs, before
anything runs.

    python benchmarks/plan_scale.py [--points 30 1000 10000]

`sensitivity` at that many points of a Sobol sequence: 33 numbers of a drug and of the plasticity
swept at once, the worst case, for no two points share a model. CPU seconds, each size in a process
of its own; `whole` includes Python and its imports.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time

from plastogen.experiment import check, open_experiment, resolve_conditions
from plastogen.runs import list_runs

MIB = 2**20
KIB = 2**10


def measure(points: int) -> str:
    """One row of the table."""
    began = time.process_time()
    question = open_experiment("sensitivity", {"design.points": points, "course.method": "direct"})
    check(question)
    checked = time.process_time()
    cases = resolve_conditions(question)
    resolved = time.process_time()
    jobs, _ = list_runs(question, cases, "cpp")
    named = time.process_time()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIB / MIB
    seconds = (checked - began, resolved - checked, named - resolved, named)
    return " | ".join(
        (str(points), str(len(jobs)), *(f"{s:.2g}" for s in seconds), f"{memory:.0f}")
    )


def main() -> None:
    """Measure every size and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--points", type=int, nargs="+", default=[30, 1000, 10000])
    parser.add_argument("--one", type=int)
    told = parser.parse_args()
    if told.one is not None:
        print(f"| {measure(told.one)} |")
        return
    print(
        "| points | runs | check | cases | plans and ids | whole | MiB"
        " |\n|---|---|---|---|---|---|---|"
    )
    for points in told.points:
        subprocess.run([sys.executable, __file__, "--one", str(points)], check=True)


if __name__ == "__main__":
    main()
