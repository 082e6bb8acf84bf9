"""In: a built-in circuit. Out: engines with another step, without averaged conductances, or with
other compiler flags.

Shared by the benchmarks; run those, not this.
"""

from __future__ import annotations

import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from plastogen import load_model
from plastogen.model.circuit import Circuit, Engine, network
from plastogen.model.circuit.program import signature

BARE_LOOP = "x = 0\nfor i in range(20_000_000): x += i * i"  # about a second


def circuit(name: str, step_ms: float) -> Circuit:
    """A built-in circuit with another time step; its delay, from threshold to effect, stays."""
    return load_model("circuits", name, set={"step": f"{step_ms:g} ms"})


class PlainEngine(Engine):
    """Plain exponential Euler: a conductance keeps through a step the value it has at its start."""

    def __init__(self, circuit: Circuit) -> None:
        """The means over a step are values given at run time, so this is the same program as
        `Engine`'s.
        """
        super().__init__(circuit)
        self._shared |= {f"mean_{name}": 1.0 for name in network.traces(circuit.classes)}


def brian2_flags() -> tuple[str, ...]:
    """The flags Brian2 gives gcc unless told otherwise; ask before anything is built."""
    from brian2 import prefs

    return tuple(prefs.codegen.cpp.extra_compile_args_gcc)


@contextmanager
def compiled_with(flags: tuple[str, ...]) -> Iterator[None]:
    """Engines build and run programs compiled with `flags`."""
    with patch("plastogen.model.circuit.program.flags", lambda: flags):
        yield


def children_cpu_s() -> float:
    """CPU time (user and system, s) of all child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def machine_speedup(workers: int = 2, repetitions: int = 5) -> float:
    """What the machine itself gives: work of so many bare loops, each a process that shares
    nothing, against one.
    """

    def wall_s(n: int) -> float:
        began = time.monotonic()
        loops = [subprocess.Popen([sys.executable, "-S", "-c", BARE_LOOP]) for _ in range(n)]
        for loop in loops:
            loop.wait()
        return time.monotonic() - began

    return statistics.median(workers * wall_s(1) / wall_s(workers) for _ in range(repetitions))


def table(head: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def machine() -> str:
    """Processor, cores, compiler, Brian2 and date, in a line."""
    model = platform.processor() or platform.machine()
    for line in (
        Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else ()
    ):
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
    about = signature("cpp")
    parts = (
        f"{model}, {os.cpu_count()} cores",
        about["compiler"],
        f"Brian2 {about['brian2']}",
        time.strftime("%Y-%m-%d"),
    )
    return "; ".join(parts)
