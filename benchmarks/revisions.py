"""What a run of the network costs in revisions of this repository, in turn.

    python benchmarks/revisions.py 335edcd 1fca03d HEAD [--seconds 5] [--repetitions 21]

Each revision is taken out of git into a folder of its own, with a cache of its own, and answers in
a process of its own. CPU seconds (user and system) of the simulating process, build and Python's
part excluded; of the last revision also with the calcium rule on every synapse between E cells:
`counted`, efficacies that stand still while what would move them is counted, as a course asks, and
`live`, efficacies that move. A round asks all in turn, with a seed of its own; a ratio is to the
first revision in the same round.
"""

from __future__ import annotations

import argparse
import io
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from variants import children_cpu_s, machine, table

ROOT = Path(__file__).parents[1]
CIRCUIT, RULE = "prefrontal", "visual_nonlinear"
STATIC, COUNTED, LIVE = "static", "counted", "live"


def serve() -> None:
    """In a revision: a line `way seed seconds` on standard input, CPU seconds on standard output."""
    from plastogen import load_model
    from plastogen.model.circuit import Drive, Engine
    from plastogen.model.plasticity import numbers_of

    engine = Engine(load_model("circuits", CIRCUIT))
    for line in sys.stdin:
        way, seed, seconds = line.split()
        how: dict[str, Any] = {"seconds": float(seconds), "settle_s": 0}
        before = children_cpu_s()
        if way == STATIC:
            engine.run(Drive(), int(seed), **how)
        else:
            rule = numbers_of(load_model("rules", RULE))
            engine.learn(Drive(), int(seed), rule, live=way == LIVE, **how)
        print(children_cpu_s() - before, flush=True)


class Revision:
    """A revision, ready to be asked."""

    def __init__(self, name: str, place: Path) -> None:
        """Taken out into `place`, its process started."""
        found = subprocess.run(
            ["git", "archive", name], cwd=ROOT, check=True, stdout=subprocess.PIPE
        ).stdout
        with tarfile.open(fileobj=io.BytesIO(found)) as archive:
            archive.extractall(place, filter="data")
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).resolve()), "--serve"],
            cwd=place,  # where it looks for models
            env=os.environ
            | {"PYTHONPATH": str(place / "src"), "PLASTOGEN_CACHE": str(place / "cache")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def cpu_s(self, way: str, seed: int, seconds: float) -> float:
        """CPU seconds of a run, of what it compiles too."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(way, seed, seconds, file=self._process.stdin, flush=True)
        return float(self._process.stdout.readline())

    def close(self) -> None:
        """End its process."""
        self._process.communicate()


def measure(
    revisions: list[str], seconds: float, rounds: int
) -> dict[tuple[str, str], list[float]]:
    """(revision, way) -> CPU seconds of each round."""
    with tempfile.TemporaryDirectory(prefix="plastogen-revisions-") as place:
        there = {name: Revision(name, Path(place) / str(k)) for k, name in enumerate(revisions)}
        asked = [(name, STATIC) for name in there]
        asked += [(revisions[-1], way) for way in (COUNTED, LIVE)]
        for name, way in asked:
            there[name].cpu_s(way, 1, 0.1)  # builds
        found: dict[tuple[str, str], list[float]] = {one: [] for one in asked}
        for k in range(rounds):
            for name, way in asked if k % 2 else reversed(asked):
                found[name, way].append(there[name].cpu_s(way, k + 1, seconds))
        for one in there.values():
            one.close()
    return found


def report(found: dict[tuple[str, str], list[float]]) -> str:
    """A table: medians, ratios to the first and what half of them lie between."""
    base, rows = next(iter(found.values())), []
    for (name, way), values in found.items():
        low, middle, high = statistics.quantiles(
            [one / first for one, first in zip(values, base, strict=True)], n=4
        )
        spent = f"{statistics.median(values):.3f}"
        rows.append([name, way, spent, f"{middle:.2f}", f"{low:.2f}-{high:.2f}"])
    head = ["revision", "synapses between E cells", "CPU s", "ratio", "half of the rounds"]
    return table(head, rows)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("revisions", nargs="*", default=["HEAD"])
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--repetitions", type=int, default=21)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        return serve()
    found = measure(asked.revisions, asked.seconds, asked.repetitions)
    print(f"{asked.seconds:g} s of {CIRCUIT}, {asked.repetitions} rounds. {machine()}.\n")
    print(report(found))


if __name__ == "__main__":
    main()
