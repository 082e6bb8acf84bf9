"""A 64-point sweep of one scalar (tonic NMDA on SST cells), 5 s each: ours against two ways without
plastogen.

    python benchmarks/sweep_speed.py [--points 64] [--seconds 5] [--others 2]

Wall and CPU seconds on two cores, build included, imports not. Ours: one binary, two workers, from
an empty cache. Naive: the textbook network in Brian2's runtime with its default settings (Cython,
its cache empty), built anew at each point. Rebuilding: the textbook network compiled to C++ at each
point. Both at dt 0.1 ms and measured on a few points; a first point, which compiles, counts once,
the mean of the others for all the rest. Then one worker against two, in turns.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import textbook
from variants import children_cpu_s, circuit, machine, machine_speedup, table

from plastogen.model.circuit import Drive, Engine, rates_hz
from plastogen.model.circuit.program import build

SEED, WORKERS, PAIRS, PART = 1, 2, 3, 16
Cost: TypeAlias = npt.NDArray[np.float64]
TARGETS = {"naive": 20, "rebuild": 40, "workers": 1.8}


def drives(points: int) -> list[Drive]:
    """The points of the sweep."""
    return [Drive(tonic_SST=share) for share in np.linspace(1, 0.3, points).tolist()]


def clock() -> Cost:
    """Wall and CPU seconds so far (user and system, programs that were started included)."""
    return np.array([time.monotonic(), time.process_time() + children_cpu_s()])


def ours(
    points: list[Drive], seconds: float, workers: int
) -> tuple[list[float], list[list[float]]]:
    """When each point was there (wall s), and its rates; the program is built if it is not
    there.
    """
    began, engine = time.monotonic(), Engine(circuit("prefrontal", 0.5))
    build(engine.circuit)

    def one(drive: Drive) -> tuple[float, list[float]]:
        rates = list(rates_hz(engine.run(drive, SEED, seconds=seconds, settle_s=0))[0])
        return time.monotonic() - began, rates

    with ThreadPoolExecutor(workers) as pool:
        found = list(pool.map(one, points))
    return sorted(t for t, _ in found), [rates for _, rates in found]


def naive(points: list[Drive], seconds: float) -> tuple[list[Cost], list[list[float]]]:
    """What each point costs in a runtime loop, and its rates."""
    import brian2 as b2

    b2.set_device("runtime")
    b2.prefs.reset_to_defaults()
    fine, taken, rates = circuit("prefrontal", 0.1), [], []
    with tempfile.TemporaryDirectory(prefix="plastogen-cython-") as place:
        b2.prefs.codegen.runtime.cython.cache_dir = place
        for drive in points:
            began = clock()
            network, spikes = textbook.assembled(fine, SEED, drive)
            network.run(seconds * b2.second)
            rates.append(textbook.rates_hz(fine, spikes.i, seconds))
            taken.append(clock() - began)
    return taken, rates


def rebuilding(points: list[Drive], seconds: float) -> tuple[list[Cost], list[list[float]]]:
    """What each point costs, compiled each time, and its rates."""
    fine, taken, rates = circuit("prefrontal", 0.1), [], []
    for drive in points:
        began = clock()
        with tempfile.TemporaryDirectory(prefix="plastogen-textbook-") as place:
            textbook.build(fine, SEED, seconds, Path(place), drive)
            rates.append(textbook.run(Path(place), fine, seconds))
        taken.append(clock() - began)
    return taken, rates


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--points", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument(
        "--others", type=int, default=2, help="points of the other two, beside the first"
    )
    asked = parser.parse_args()
    points = drives(asked.points)
    few = points[: asked.others + 1]
    with tempfile.TemporaryDirectory(prefix="plastogen-sweep-") as place:
        os.environ["PLASTOGEN_CACHE"] = place
        began = clock()
        times, rates = ours(points, asked.seconds, WORKERS)
        own = clock() - began
        print(
            f"ours, wall s when each point was there: {' '.join(f'{t:.1f}' for t in times)}",
            flush=True,
        )
        runtime, runtime_rates = naive(few, asked.seconds)
        print(f"naive, wall and CPU s of each point: {_pairs(runtime)}", flush=True)
        rebuilt, rebuilt_rates = rebuilding(few[1:], asked.seconds)
        print(f"rebuilding, wall and CPU s of each point: {_pairs(rebuilt)}", flush=True)
        speedups = []
        part = points[: min(PART, len(points))]
        for _ in range(PAIRS):
            alone, both = (ours(part, asked.seconds, workers)[0][-1] for workers in (1, WORKERS))
            speedups.append(alone / both)
    loop = runtime[0] + np.mean(runtime[1:], axis=0) * (len(points) - 1)
    again = np.mean(rebuilt, axis=0) * len(points)
    rows = [
        [
            name,
            f"{cost[0]:.0f}",
            f"{cost[0] / own[0]:.1f}",
            f"{cost[1]:.0f}",
            f"{cost[1] / own[1]:.1f}",
            _rates(heard),
        ]
        for name, cost, heard in [
            ("ours, two workers", own, rates[1]),
            ("Brian2 runtime loop (extrapolated)", loop, runtime_rates[1]),
            ("C++ built at each point (extrapolated)", again, rebuilt_rates[0]),
        ]
    ]
    load = f"Load of the machine: {os.getloadavg()[0]:.1f}."
    print(f"\n{len(points)} points of {asked.seconds:g} s. {machine()}. {load}\n")
    print(
        table(
            ["way", "wall s", "ratio", "CPU s", "ratio", "E PV SST of the second point (Hz)"], rows
        )
    )
    speedup = statistics.median(speedups)
    print(
        f"\ntwo workers against one: {' '.join(f'{s:.2f}' for s in speedups)}, median {speedup:.2f}"
    )
    print(
        f"two bare processes against one, which is what the machine gives: {machine_speedup():.2f}"
    )
    for name, value in {
        "naive": loop[0] / own[0],
        "rebuild": again[0] / own[0],
        "workers": speedup,
    }.items():
        verdict = "met" if value >= TARGETS[name] else "MISSED"
        print(f"- {name}: {value:.1f}, target at least {TARGETS[name]}: {verdict}")


def _pairs(costs: list[Cost]) -> str:
    return ", ".join(f"{wall:.1f} {cpu:.1f}" for wall, cpu in costs)


def _rates(values: list[float]) -> str:
    return " ".join(f"{value:.1f}" for value in values)


if __name__ == "__main__":
    main()
