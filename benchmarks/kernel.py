"""Our engine at dt 0.5 ms against a hand-written C++ kernel of the same network, and Brian2 as it
comes, at dt 0.1 ms.

    python benchmarks/kernel.py [--seconds 5] [--repetitions 7]

kernel.cpp: the equations of circuit/network.py in double precision, the whole program of a person
who writes this one network by hand. CPU seconds (user and system) of the simulating process, start,
synapses and spike file included, build excluded; medians of alternating repetitions, each with
another seed; rates are means and standard errors over them.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np
from variants import (
    PlainEngine,
    brian2_flags,
    children_cpu_s,
    circuit,
    compiled_with,
    machine,
    table,
)

from plastogen.model.circuit import (
    Circuit,
    Drive,
    Engine,
    cell_values,
    compiler,
    network,
    rates_hz,
    shared_values,
)
from plastogen.model.circuit.program import flags

OURS, KERNEL, PLAIN = (
    "ours, dt 0.5 ms",
    "hand-written kernel, dt 0.1 ms",
    "plain Brian2 C++, dt 0.1 ms, its own flags",
)
KERNEL_COARSE = "hand-written kernel, dt 0.5 ms"
FLAGS = ("-O3", "-march=native", "-ffast-math", "-std=c++17")
TARGET = 2
LAWS = 3  # of Mg2+, of GluN2A and GluN2B, GluN2C, GluN2D
Simulate: TypeAlias = Callable[[float, int], list[float]]


def build(folder: Path) -> Path:
    """Compile the kernel in `folder`."""
    program = folder / "kernel"
    source = Path(__file__).with_suffix(".cpp")
    subprocess.run(
        [str(compiler()), *FLAGS, str(source), "-o", str(program)], check=True, timeout=120
    )
    return program


def run(program: Path, circuit: Circuit, seconds: float, seed: int) -> list[float]:
    """Simulate; mean rate of each class (Hz)."""
    folder = program.parent
    cells, shared = cell_values(circuit, Drive(), seed), shared_values(circuit)
    laws = tuple(circuit.magnesium_laws)
    if len(laws) != LAWS:
        raise ValueError(f"kernel.cpp has {LAWS} laws of Mg2+, the circuit {len(laws)}")
    np.concatenate([cells[name] for name in network.cell_units(circuit.classes, laws)]).tofile(
        folder / "cells"
    )
    decays = network.traces(circuit.classes)
    traces = [shared[f"{part}_{name}"] for name in decays for part in ("left", "mean")]
    names = ("v_exc", "v_inh", "v_K", *laws, "mg_efold", "n_ext")
    rest = [shared[name] for name in names]
    np.array(traces + rest).tofile(folder / "shared")
    delay = round(circuit.wait_ms / float(circuit.step))
    values = (folder, circuit.size, seconds, 1e-3 * float(circuit.step), delay, seed)
    subprocess.run([str(program), *map(str, values)], check=True)
    spikes = np.fromfile(folder / "spikes", dtype=np.int32).reshape(-1, 2)
    counts = np.bincount(spikes[:, 1], minlength=circuit.size)
    return [float(counts[part].mean()) / seconds for part in circuit.slices().values()]


def spread(rates: list[list[float]]) -> str:
    """Mean and standard error over the seeds, of each class."""
    error = (
        np.std(rates, axis=0, ddof=1) / np.sqrt(len(rates))
        if len(rates) > 1
        else np.zeros(len(rates[0]))
    )
    return ", ".join(
        f"{a:.2f} ± {e:.2f}" for a, e in zip(np.mean(rates, axis=0), error, strict=True)
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--circuit", default="prefrontal")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--repetitions", type=int, default=7)
    asked = parser.parse_args()
    coarse, fine = circuit(asked.circuit, 0.5), circuit(asked.circuit, 0.1)
    with tempfile.TemporaryDirectory(prefix="plastogen-kernel-") as place:
        os.environ["PLASTOGEN_CACHE"] = place
        program = build(Path(place))

        def engine(one: Engine, chosen: tuple[str, ...]) -> Simulate:
            def simulate(seconds: float, seed: int) -> list[float]:
                with compiled_with(chosen):
                    return list(rates_hz(one.run(Drive(), seed, seconds=seconds, settle_s=0))[0])

            return simulate

        variants: dict[str, Simulate] = {
            OURS: engine(Engine(coarse), flags()),
            KERNEL: lambda seconds, seed: run(program, fine, seconds, seed),
            KERNEL_COARSE: lambda seconds, seed: run(program, coarse, seconds, seed),
            PLAIN: engine(PlainEngine(fine), brian2_flags()),
        }
        cpu: dict[str, list[float]] = {label: [] for label in variants}
        rates: dict[str, list[list[float]]] = {label: [] for label in variants}
        for simulate in variants.values():
            simulate(0.1, 0)  # builds
        for seed in range(asked.repetitions):
            for label, simulate in variants.items():
                before = children_cpu_s()
                rates[label].append(simulate(asked.seconds, seed))
                cpu[label].append(children_cpu_s() - before)
    medians = {label: statistics.median(values) for label, values in cpu.items()}
    print(
        f"{asked.seconds:g} s of biology, CPU seconds, medians of {asked.repetitions}."
        f" {machine()}.\n"
    )
    print(
        table(
            ["engine", "CPU s", "range", "ratio", "E PV SST (Hz)"],
            [
                [
                    label,
                    f"{medians[label]:.3f}",
                    f"{min(cpu[label]):.3f}-{max(cpu[label]):.3f}",
                    f"{medians[label] / medians[KERNEL]:.2f}",
                    spread(rates[label]),
                ]
                for label in variants
            ],
        )
    )
    ratio = medians[OURS] / medians[KERNEL]
    verdict = "met" if ratio <= TARGET else "MISSED"
    print(f"\nours / kernel at dt 0.1 ms: {ratio:.2f}, target at most {TARGET}: {verdict}")


if __name__ == "__main__":
    main()
