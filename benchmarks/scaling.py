"""Cost against size: cells at fixed in-degree, and synapses at a fixed number of cells. CPU time
and memory.

    python benchmarks/scaling.py [--cells 1000 3000 10000 30000 100000] [--in-degrees 50 150 600]

Counts go up and connection probabilities down, so that every cell keeps its 150 inputs; at another
in-degree weights change the other way, so that the mean input stays. CPU seconds (user and system)
of the simulating process: drawing the network (a run of no length), and each further second of
biology at dt 0.5 ms. Memory: the most the process has held (VmHWM, as ru_maxrss, but without what
it inherits from Python on being forked). Programs are built first.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from variants import children_cpu_s, machine, table

from plastogen import load_model
from plastogen.model.circuit import Circuit, Drive, Engine, rates_hz

IN_DEGREE, SEED, POLL_S = 150, 1, 0.002
KINDS = ("ampa", "nmda", "gaba")


def scaled(cells: int, in_degree: int) -> Circuit:
    """The prefrontal circuit with about `cells` cells and `in_degree` inputs to each, and the mean
    input it has.
    """
    base = load_model("circuits", "prefrontal")
    more = cells / base.size
    own = float(base.connections[0].probability) * base.size  # in-degree as it is
    fewer = in_degree / own
    changes: dict[str, object] = {
        f"populations.{name}.count": round(p.count * more) for name, p in base.populations.items()
    }
    for k, connection in enumerate(base.connections):
        changes[f"connections.{k}.probability"] = float(connection.probability) * fewer / more
        for kind in KINDS:
            if (given := getattr(connection, kind)) is not None:
                changes[f"connections.{k}.{kind}"] = f"{float(given) / fewer:.12g} nS"
    return load_model("circuits", "prefrontal", set=changes)


def programs() -> Iterator[str]:
    """Process ids of what this process has started and is still there."""
    for told in Path("/proc/self/task").glob("*/children"):
        with suppress(OSError):
            yield from told.read_text().split()


class Watched:
    """The most memory (MiB) that programs started by the engine have held while this was
    entered.
    """

    def __enter__(self) -> Watched:
        self.most, self._over = 0.0, threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(POLL_S):
            for child in programs():
                with suppress(OSError, StopIteration):
                    told = Path(f"/proc/{child}/status").read_text().splitlines()
                    held = next(line for line in told if line.startswith("VmHWM"))
                    if not any(line.startswith("Name:\tpython") for line in told):
                        self.most = max(self.most, int(held.split()[1]) / 1024)


def measure(cells: int, in_degree: int, seconds: float) -> list[str]:
    """One row of the table."""
    circuit = scaled(cells, in_degree)
    Engine(circuit).run(Drive(), SEED, seconds=1e-3, settle_s=0)  # built, before it is timed
    one = Engine(circuit)
    before = children_cpu_s()
    one.run(Drive(), SEED, seconds=1e-3, settle_s=0)
    drawing, wall = children_cpu_s() - before, time.monotonic()
    before = children_cpu_s()
    with Watched() as watched:
        spikes = one.run(Drive(), SEED, seconds=seconds, settle_s=0)
    wall = time.monotonic() - wall
    running = (children_cpu_s() - before - drawing) / seconds
    synapses = sum(
        circuit.populations[c.source].count
        * circuit.populations[c.target].count
        * float(c.probability)
        for c in circuit.connections
    )
    return [
        f"{circuit.size:,}",
        f"{synapses:,.0f}",
        f"{drawing:.2f}",
        f"{running:.3g}",
        f"{1e6 * running / circuit.size:.0f}",
        f"{1e9 * running / synapses:.0f}",
        f"{wall:.1f}",
        f"{watched.most:.0f}",
        f"{1024 * watched.most / circuit.size:.1f}",
        f"{2**20 * watched.most / synapses:.0f}",
        " ".join(f"{rate:.1f}" for rate in rates_hz(spikes)[0]),
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--cells", type=int, nargs="*", default=[1000, 3000, 10_000, 30_000, 100_000]
    )
    parser.add_argument(
        "--in-degrees", type=int, nargs="*", default=[50, 150, 600], help="at 1,000 cells"
    )
    parser.add_argument("--seconds", type=float, default=1)
    asked = parser.parse_args()
    head = [
        "cells",
        "synapses",
        "drawing, CPU s",
        "CPU s a s of biology",
        "us a cell",
        "ns a synapse",
        "wall s of 1 s",
        "MiB",
        "KiB a cell",
        "B a synapse",
        "E PV SST (Hz)",
    ]
    rows = []
    with tempfile.TemporaryDirectory(prefix="plastogen-scaling-") as place:
        os.environ["PLASTOGEN_CACHE"] = place
        for cells, in_degree in [(n, IN_DEGREE) for n in asked.cells] + [
            (1000, k) for k in asked.in_degrees
        ]:
            rows.append(measure(cells, in_degree, asked.seconds))
            print("| " + " | ".join(rows[-1]) + " |", flush=True)
    print(f"\ndt 0.5 ms. {machine()}.\n")
    print(table(head, rows))


if __name__ == "__main__":
    main()
