"""How much memory and time the results of a large sweep take: written, judged, opened again, read.

    python benchmarks/results_scale.py [--points 1000 10000] [--arms 4] [--seeds 4]

Seconds are of the processor. Courses are one formula course under many names, so that only what
this measures costs anything. Each size has a process of its own, whose peak resident memory is that
of the whole parent of a sweep: cases, jobs, curves, readouts, verdicts.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from plastogen.experiment import open_experiment
from plastogen.runs import Store, Stored, assemble, list_runs, open_netcdf, table
from plastogen.simulation import simulate

TEXT = """
question: What does a large sweep cost?
model: {{subject: healthy_adult, circuit: small}}
course: {{duration: 14 d, seeds: {seeds}, method: formula}}
arms:
  vehicle: {{}}
{arms}
readouts:
  weight_24h: {{of: weight, at: 24 h}}
  weight_peak: {{of: weight, take: peak}}
  weight_area: {{of: weight, take: area}}
  surge: {{of: glutamate, take: peak, until: 6 h}}
  rate_peak: {{of: rate_hz, class: E, take: peak}}
  onset: {{of: weight, take: onset}}
expect:
  - {{claim: stronger everywhere, readout: weight_24h, more: a1, than: vehicle}}
  - {{claim: in a window, readout: surge, arm: a1, between: [100 %, 200 %]}}
  - {{claim: most respond, readout: weight_24h, arm: a1, minus: vehicle, at_least: 0.01, share: [0.5, 1]}}
sweep: {{course.window: [{windows}]}}
"""
ARM = (
    "  a{k}: {{give: {{x: {{drug: ketamine, dose: {k} mg/kg, route: iv, over: 40 min, at: 0 h}}}}}}"
)
MIB = 2**20
GOLDEN = 0.6180339887498949  # multiples of it, without their whole part, are spread evenly


def text(points: int, arms: int, seeds: int) -> str:
    """An experiment with that many points, arms and seeds."""
    windows = ", ".join(f"{2 + k / 1000:g} s" for k in range(points))
    return TEXT.format(
        seeds=seeds, windows=windows, arms="\n".join(ARM.format(k=k) for k in range(1, arms))
    )


class Copies(Store):
    """A store that holds one course under every name, each a little different."""

    def __init__(self, folder: Path, like: Stored) -> None:
        super().__init__(folder)
        self.like, self.loads = like, 0

    def fault(self, run: str) -> None:
        return None

    def load(self, run: str) -> Stored:
        self.loads += 1
        factor = 1 + int(run, 16) * GOLDEN % 1
        return replace(
            self.like, arrays={name: values * factor for name, values in self.like.arrays.items()}
        )


@contextmanager
def timed(table: dict[str, float], name: str) -> Iterator[None]:
    began = time.process_time()
    yield
    table[name] = time.process_time() - began


def measure(points: int, arms: int, seeds: int) -> dict[str, float]:
    """CPU seconds of each step, and MiB: of the file, and the most that was resident."""
    found: dict[str, float] = {"points": points, "runs": points * arms * seeds}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "large.yaml").write_text(text(points, arms, seeds))
        question = open_experiment(folder / "large.yaml")
        with timed(found, "cases s"):
            cases = question.conditions()
        store = Store(folder)
        store.prepare()
        plan = cases[-1].plan(1, "formula")
        log = {"log": {"probes": 0}, "backend": "formula", "versions": {}}
        store.write("0" * 12, plan, simulate(plan), log)
        copies = Copies(folder, store.load("0" * 12))
        with timed(found, "jobs s"):
            jobs, places = list_runs(question, cases, "formula")
        ids = {place: f"{k:012x}" for k, place in enumerate(places)}
        found["jobs"], found["before MiB"] = len(jobs), resident()
        with timed(found, "write s"):
            ds = assemble(question, cases, copies, ids, folder / "results.nc")
        found["loads"] = copies.loads
        with timed(found, "table s"):
            csv = table(ds)
        found["table MiB"] = len(csv) / MIB
        ds.close()
        with timed(found, "open s"):
            ds = open_netcdf(folder / "results.nc")
        with timed(found, "readout s"):
            float(ds["weight_24h"].sel(arm="a1").mean())
        with timed(found, "one course s"):
            float(ds["weight"].isel(dict.fromkeys(ds["status"].dims, 0)).max())
        with timed(found, "one variable s"):
            np.asarray(ds["weight"].sel(arm="a1").values).mean()
        found["file MiB"] = (folder / "results.nc").stat().st_size / MIB
        found["peak MiB"] = resident()
    return found


def resident() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--points", type=int, nargs="+", default=[100, 1000, 10000])
    parser.add_argument("--arms", type=int, default=4)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(measure(asked.points[0], asked.arms, asked.seeds)))
        return
    same = ["--one", "--arms", str(asked.arms), "--seeds", str(asked.seeds), "--points"]
    rows = []
    for points in asked.points:
        command = [sys.executable, __file__, *same, str(points)]
        rows.append(
            json.loads(
                subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
            )
        )
    for name in rows[0]:
        print(f"{name:>16}", *(f"{row[name]:>10.3g}" for row in rows))


if __name__ == "__main__":
    main()
