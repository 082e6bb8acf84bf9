"""In: a `Circuit`. Out: the folder of its compiled program, made once and kept.

The program is keyed by what is compiled into it (cells, how many laws of Mg2+, step, delay, highest
connection probability, how synapses learn, equations, flags, compiler, machine); everything else is
a value handed over at run time.
"""

from __future__ import annotations

import math
import os
import platform
import shutil
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

from plastogen._base.digest import digest
from plastogen._base.files import cache_dir, explained
from plastogen._base.sealed import folder_fault, made_once
from plastogen.errors import MachineError
from plastogen.model.circuit import electrodes, external, network, packed, plastic
from plastogen.model.circuit.definition import LAWS, Circuit
from plastogen.model.circuit.generate import generate
from plastogen.model.circuit.plastic import Learner
from plastogen.model.circuit.precision import CELLS

# Brian2's state update is vectorised only with this form of the flags (docs/decisions/0003).
GCC_FLAGS = (
    "-w",
    "-O3",
    "-ffast-math",
    "-march=native",
    "-std=c++11",
    "--param=vect-max-version-for-alias-checks=1000",
)
OTHER_FLAGS = ("-w", "-O3", "-std=c++11")
ANSWER_S = 20  # that a compiler may take to say its version


def compiler() -> str | None:
    """Path of the C++ compiler Brian2 will call, or None."""
    words = [word for word in os.environ.get("CXX", "").split() if not word.startswith("-")]
    named = words[-1] if words else network.CXX  # `ccache g++ -m64` calls g++
    return shutil.which(named) if shutil.which("make") else None


@lru_cache(maxsize=1)
def compiler_version() -> str:
    """First line of what the compiler says of its version."""
    path = compiler()
    if path is None:
        return "none"
    try:
        asked = subprocess.run(
            [path, "--version"],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=ANSWER_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return f"{Path(path).name}, which does not answer"
    said = asked.stdout.decode(errors="replace").strip()
    return said.splitlines()[0] if said else f"{Path(path).name}, which says no version"


@lru_cache(maxsize=1)
def machine() -> str:
    """What -march=native depends on: architecture and the processor's features."""
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return platform.machine() + next(
            (line.partition(":")[2] for line in lines if line.startswith("flags")), ""
        )
    return platform.machine() + platform.processor()


def flags() -> tuple[str, ...]:
    """Compiler flags: vectorised for gcc, plain for others. CXX_FLAGS of the user are not read."""
    return GCC_FLAGS if "clang" not in compiler_version().lower() else OTHER_FLAGS


def default_backend() -> str:
    """ "cpp" when there is a compiler, else "numpy"."""
    return "cpp" if compiler() else "numpy"


def signature(backend: str) -> dict[str, str]:
    """What spikes depend on besides circuit, drive and seed; part of every run's id.

    The equations are those of two classes and one law of Mg2+: a circuit says how many it has, and
    each adds the same.
    """
    found = {
        "backend": backend,
        "brian2": metadata.version("brian2"),
        "network": digest(equations(("E", "I"), LAWS[:1]))[:12],
        "synapses": digest(plastic.equations())[:12],
    }
    if backend == "cpp":
        found |= {
            "compiler": compiler_version(),
            "flags": " ".join(flags()),
            "machine": digest(machine())[:12],
        }
    else:
        found |= {"numpy": metadata.version("numpy")}
    return found


def equations(classes: Sequence[str], laws: Sequence[str]) -> list[str]:
    """All that is written in Brian2's language of a network of `classes`, the principal one first,
    whose receptors obey these laws of Mg2+.
    """
    return [
        CELLS.__name__,
        network.variables(classes, laws),
        *external.equations(),
        network.step(classes, laws),
        network.RESET,
        network.arrival(classes),
        network.connect(classes, 1),
    ]


def baked(
    circuit: Circuit, learner: Learner | None = None, *, driven: bool = False
) -> dict[str, Any]:
    """What is compiled in: the arguments of `network.model`."""
    highest = max((float(c.probability) for c in circuit.connections), default=1.0)
    rung = (
        max(1, math.ceil(4 * highest)) / 4
    )  # coarse, so that another probability seldom needs another program
    while 0 < highest <= rung / 2:  # sparse networks draw few candidates
        rung /= 2
    found = {
        "classes": circuit.classes,
        "laws": tuple(circuit.magnesium_laws),
        "n": circuit.size,
        "step_ms": float(circuit.step),
        "delay_ms": circuit.wait_ms,
        "p_max": rung,
    }
    if learner is not None:
        found |= {"learner": learner.baked(float(circuit.step))}
    return found | {"driven": True} if driven else found


def program_key(circuit: Circuit, learner: Learner | None = None, *, driven: bool = False) -> str:
    """Digest of all that is compiled in."""
    return digest(
        {
            **baked(circuit, learner, driven=driven),
            **signature("cpp"),
            **({} if learner is None else {"packed": [packed.BEFORE, packed.AHEAD]}),
            **({"electrodes": electrodes.equations()} if driven else {}),
            "voltage": [network.RECORDED, network.VOLTAGE_STEP_MS],
            "left": [network.NEEDED, plastic.READ],
        }
    )[:16]


def program_folder(
    circuit: Circuit, learner: Learner | None = None, *, driven: bool = False
) -> Path:
    """Where the compiled program of `circuit` is, or will be."""
    return cache_dir() / "programs" / program_key(circuit, learner, driven=driven)


def is_built(circuit: Circuit, learner: Learner | None = None, *, driven: bool = False) -> bool:
    """Whether the compiled program of `circuit` is in the cache."""
    return folder_fault(program_folder(circuit, learner, driven=driven)) is None


def build(
    circuit: Circuit,
    learner: Learner | None = None,
    *,
    driven: bool = False,
    announce: Callable[[str], None] | None = None,
) -> Path:
    """The folder of the compiled program, whole; compiled once, by whichever process comes first,
    and again when it is damaged. With a learner, synapses between principal cells follow a rule;
    where cells are `driven`, electrodes can make each of them fire.

    Raises MachineError (no compiler, compilation failed) or StoreError (cache cannot be written).
    """

    def make(work: Path) -> None:
        if compiler() is None:
            raise MachineError(
                "no C++ compiler (g++ and make) was found; install one (Debian: apt-get install g++"
                ' make), or give backend="numpy", which is 5 to 12 times slower'
            )
        if announce:
            announce("compiling the network (once; about 10 s)")
        with explained(work, "write"):
            generate(work, baked(circuit, learner, driven=driven), flags())
        code, said = network.make(work)
        if code or not (work / "main").is_file():
            raise MachineError(
                f"the network did not compile:\n{said.strip() or 'the compiler said nothing'}\n"
                "`plastogen doctor` looks for the cause"
            )
        for left in [*work.rglob("*.o"), work / "common.h.gch", work / "results"]:
            shutil.rmtree(left) if left.is_dir() else left.unlink(missing_ok=True)

    return made_once(program_folder(circuit, learner, driven=driven), make, announce)
