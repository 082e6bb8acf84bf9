"""Other simulators on the same network, each as its users would write it. CPU seconds a second of
biology.

    python benchmarks/peers.py [--seconds 1] [--repetitions 3] [--python VENV/bin/python]

Ours at dt 0.5 ms; all others at dt 0.1 ms, one thread, building and the first 0.1 s left out.
`--python` is one that has NEURON and NEST (`pip install neuron nest-simulator` into a venv of its
own); without them a line says so. Same equations and the same connections for Brian2 and NEURON;
what NEST's model lacks stands in peers_nest.py. PyGeNN is on no package index (it is built from
source), so it is not here.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import kernel
import numpy as np
import textbook
from variants import children_cpu_s, circuit, machine, table

from plastogen.model.circuit import (
    Circuit,
    Drive,
    Engine,
    cell_values,
    rates_hz,
    shared_values,
)

SEED, LIMIT_S = 1, 240
OURS = "ours, dt 0.5 ms"
Told: TypeAlias = tuple[float, list[float]]
Simulate: TypeAlias = Callable[[float], Told]


class Absent(Exception):
    """A simulator that is not installed or does not build."""


def one_law(circuit: Circuit) -> dict[str, Any]:
    """The values of cells for simulators that know one law of Mg2+, the first: with the conductance
    of it that carries as much current at -55 mV.
    """
    cells, shared = cell_values(circuit, Drive(), SEED), shared_values(circuit)
    laws = tuple(circuit.magnesium_laws)
    free = {law: 1 / (1 + shared[law] * np.exp(0.055 / shared["mg_efold"])) for law in laws}
    first = laws[0]
    found: dict[str, Any] = {**cells, **shared, "mg_ratio": shared[first]}
    for whole, part in (("w_nmda", "w"), ("g_tonic", "g")):
        found[whole] = sum(cells[f"{part}_{law}"] * free[law] / free[first] for law in laws)
    return found


def leave(circuit: Circuit, folder: Path) -> None:
    """The network as plain arrays, SI units (time constants in ms), for scripts that do not know
    plastogen.
    """
    source, target = textbook.connections(circuit, SEED)
    of_class = np.repeat(
        np.arange(len(circuit.classes)),
        [circuit.populations[name].count for name in circuit.classes],
    )
    taus = {f"tau_{name}": tau for name, tau in textbook.taus(circuit).items()}
    np.savez(
        folder / "network.npz",
        of_class=of_class,
        source=source,
        target=target,
        delay_ms=circuit.wait_ms,
        rate=float(circuit.background.rate),
        **one_law(circuit),
        **taus,
    )


def ours(coarse: Circuit) -> Simulate:
    """The compiled engine: its whole process."""
    engine = Engine(coarse)

    def simulate(seconds: float) -> Told:
        before = children_cpu_s()
        spikes = engine.run(Drive(), SEED, seconds=seconds, settle_s=0)
        return children_cpu_s() - before, rates_hz(spikes)[0].tolist()

    return simulate


def by_hand(fine: Circuit, folder: Path) -> Simulate:
    """The kernel of kernel.cpp: its whole process."""
    program = kernel.build(folder)

    def simulate(seconds: float) -> Told:
        before = children_cpu_s()
        rates = kernel.run(program, fine, seconds, SEED)
        return children_cpu_s() - before, rates

    return simulate


def brian2(fine: Circuit, target: str) -> Simulate:
    """Brian2's runtime."""

    def simulate(seconds: float) -> Told:
        import brian2 as b2

        b2.set_device("runtime")
        b2.prefs.reset_to_defaults()
        b2.prefs.codegen.target = target
        network, spikes = textbook.assembled(fine, SEED, Drive())
        network.run(0.1 * b2.second)
        before, began = len(spikes.i), time.process_time()
        network.run(seconds * b2.second)
        return time.process_time() - began, textbook.rates_hz(
            fine, np.asarray(spikes.i)[before:], seconds
        )

    return simulate


def elsewhere(python: str, script: str, module: str, folder: Path) -> Simulate:
    """A script run by another Python, which has `module`."""
    if subprocess.run(
        [python, "-c", f"import {module}"], capture_output=True, timeout=LIMIT_S
    ).returncode:
        raise Absent(f"{python} has no {module}; see --python")

    def simulate(seconds: float) -> Told:
        command = [python, str(Path(__file__).with_name(script)), str(folder), repr(seconds)]
        quiet = {"PATH": os.pathsep.join([str(Path(python).parent), os.environ["PATH"]])}
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=LIMIT_S, env=os.environ | quiet
        )
        if done.returncode:
            raise Absent(f"{script} failed: {done.stderr.strip()[-300:]}")
        told = json.loads(done.stdout.strip().splitlines()[-1])
        return told["cpu_s"], told["rates_hz"]

    return simulate


def neuron(python: str, folder: Path) -> Simulate:
    """NEURON, its mechanism compiled first."""
    simulate = elsewhere(python, "peers_neuron.py", "neuron", folder)
    shutil.copy(Path(__file__).with_name("peers_lif.mod"), folder)
    build = Path(python).with_name("nrnivmodl")
    path = {"PATH": os.pathsep.join([str(Path(python).parent), os.environ["PATH"]])}
    done = subprocess.run(
        [str(build)], cwd=folder, capture_output=True, env=os.environ | path, timeout=LIMIT_S
    )
    if done.returncode:
        raise Absent("nrnivmodl failed")
    return simulate


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--python", default="python3", help="a Python that has NEURON and NEST")
    asked = parser.parse_args()
    coarse, fine = circuit("prefrontal", 0.5), circuit("prefrontal", 0.1)
    with tempfile.TemporaryDirectory(prefix="plastogen-peers-") as place:
        folder = Path(place)
        leave(fine, folder)
        makers: dict[str, Callable[[], Simulate]] = {
            OURS: lambda: ours(coarse),
            "kernel written by hand": lambda: by_hand(fine, folder),
            "Brian2 runtime, Cython": lambda: brian2(fine, "cython"),
            "Brian2 runtime, numpy": lambda: brian2(fine, "numpy"),
            "NEURON": lambda: neuron(asked.python, folder),
            "NEST iaf_bw_2001": lambda: elsewhere(asked.python, "peers_nest.py", "nest", folder),
        }
        ready: dict[str, Simulate] = {}
        for label, maker in makers.items():
            try:
                ready[label] = maker()
                ready[label](0.05)
            except Absent as why:
                ready.pop(label, None)
                print(f"{label}: left out; {why}", flush=True)
        cpu: dict[str, list[float]] = {label: [] for label in ready}
        rates = {}
        for _ in range(asked.repetitions):
            for label, simulate in ready.items():
                taken, rates[label] = simulate(asked.seconds)
                cpu[label].append(taken / asked.seconds)
    medians = {label: statistics.median(values) for label, values in cpu.items()}
    print(
        f"\nCPU seconds a second of biology, medians of {asked.repetitions} of {asked.seconds:g} s."
        f" {machine()}.\n"
    )
    print(
        table(
            ["simulator", "CPU s", "range", "times ours", "E PV SST (Hz)"],
            [
                [
                    label,
                    f"{median:.3f}",
                    f"{min(cpu[label]):.3f}-{max(cpu[label]):.3f}",
                    f"{median / medians[OURS]:.1f}",
                    " ".join(f"{rate:.1f}" for rate in rates[label]),
                ]
                for label, median in medians.items()
            ],
        )
    )


if __name__ == "__main__":
    main()
