"""In: a `Circuit`, a `Drive`, a seed. Out: `Spikes`, from a program compiled once and kept, or from
numpy.

The program is keyed by what is compiled into it (cells, step, delay, highest connection
probability, equations, flags, compiler, machine); everything else is a value handed over at run
time.
"""

from __future__ import annotations

import errno
import json
import math
import os
import platform
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from plastogen._base.digest import digest
from plastogen._base.files import cache_dir, explained
from plastogen._base.leftovers import SCRATCH, ours, sweep_scratch
from plastogen._base.sealed import checksum, folder_fault, made_once
from plastogen._base.streams import stream
from plastogen.errors import EngineError, MachineError, in_words
from plastogen.model.circuit import network
from plastogen.model.circuit.children import run_child
from plastogen.model.circuit.definition import Circuit
from plastogen.model.circuit.drive import MILLI, Drive, cell_values, shared_values
from plastogen.model.circuit.generate import generate
from plastogen.model.circuit.spikes import Spikes

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
TOO_LARGE = getattr(signal, "SIGXFSZ", 0)  # what ends a program that writes a file beyond the limit
MACHINES = tuple(  # signals by which the system ends a program that did nothing wrong
    getattr(signal, name, 0) for name in ("SIGKILL", "SIGBUS", "SIGILL", "SIGXCPU", "SIGTERM")
)
ANSWER_S = 20  # that a compiler may take to say its version
PAIRS = ("S._synaptic_pre", "S._synaptic_post")  # as Brian2 calls the ends of its synapses
ROOM = 2**20  # bytes left on a disk that is not full
_alone = threading.Lock()


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

    The equations are those of two classes: a circuit says how many it has, and each adds the same.
    """
    found = {
        "backend": backend,
        "brian2": metadata.version("brian2"),
        "network": digest(equations(("E", "I")))[:12],
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


def equations(classes: Sequence[str]) -> list[str]:
    """All that is written in Brian2's language of a network of `classes`, the principal one
    first.
    """
    return [
        network.variables(classes),
        network.DRAW,
        network.external(),
        network.step(classes),
        network.RESET,
        network.arrival(classes),
        network.connect(classes, 1),
    ]


def baked(circuit: Circuit) -> dict[str, Any]:
    """What is compiled in: the arguments of `network.model`."""
    highest = max((float(c.probability) for c in circuit.connections), default=1.0)
    rung = (
        max(1, math.ceil(4 * highest)) / 4
    )  # coarse, so that another probability seldom needs another program
    while 0 < highest <= rung / 2:  # sparse networks draw few candidates
        rung /= 2
    return {
        "classes": circuit.classes,
        "n": circuit.size,
        "step_ms": float(circuit.step),
        "delay_ms": circuit.wait_ms,
        "p_max": rung,
    }


def program_key(circuit: Circuit) -> str:
    """Digest of all that is compiled in."""
    return digest(
        {
            **baked(circuit),
            **signature("cpp"),
            "voltage": [network.RECORDED, network.VOLTAGE_STEP_MS],
        }
    )[:16]


def program_folder(circuit: Circuit) -> Path:
    """Where the compiled program of `circuit` is, or will be."""
    return cache_dir() / "programs" / program_key(circuit)


def is_built(circuit: Circuit) -> bool:
    """Whether the compiled program of `circuit` is in the cache."""
    return folder_fault(program_folder(circuit)) is None


def build(circuit: Circuit, *, announce: Callable[[str], None] | None = None) -> Path:
    """The folder of the compiled program, whole; compiled once, by whichever process comes first,
    and again when it is damaged.

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
            generate(work, baked(circuit), flags())
        code, said = network.make(work)
        if code or not (work / "main").is_file():
            raise MachineError(
                f"the network did not compile:\n{said.strip() or 'the compiler said nothing'}\n"
                "`plastogen doctor` looks for the cause"
            )
        for left in [*work.rglob("*.o"), work / "common.h.gch", work / "results"]:
            shutil.rmtree(left) if left.is_dir() else left.unlink(missing_ok=True)

    return made_once(program_folder(circuit), make, announce)


@contextmanager
def _brian2() -> Iterator[None]:
    """Brian2 in this process, for the numpy backend; one thread at a time: it holds one global
    network and device. Any thread may be the first.

    Its import would set a handler of Ctrl-C: the host keeps its own.
    """
    with _alone:
        plain = signal.signal

        def refused(number: int, handler: Any) -> Any:
            return signal.getsignal(number)

        signal.signal = refused  # type: ignore[assignment]
        try:
            import brian2  # noqa: F401
        finally:
            signal.signal = plain
        yield


class Engine:
    """Runs one circuit, many times. Safe to use from several threads."""

    def __init__(
        self,
        circuit: Circuit,
        *,
        backend: str | None = None,
        announce: Callable[[str], None] | None = None,
    ) -> None:
        """`backend` is "cpp" or "numpy" (None: cpp where there is a compiler); `announce` is told
        of a build.
        """
        self.circuit, self.backend, self.announce = circuit, backend or default_backend(), announce
        self._shared = shared_values(circuit)

    def run(
        self,
        drive: Drive,
        seed: int,
        *,
        seconds: float,
        settle_s: float,
        noise: str = "noise",
        synapses: bool = False,
    ) -> Spikes:
        """Simulate `settle_s` and then `seconds`; only the latter is kept. `noise` names the stream
        of input spikes; with `synapses`, who is connected to whom is kept too.

        Raises EngineError when the program fails or gives something that is not finite, StoreError
        from the disk.
        """
        cells = cell_values(self.circuit, drive, seed)
        given: dict[str, npt.ArrayLike] = {**cells, **self._shared}
        wrong = [name for name, value in given.items() if not np.all(np.isfinite(value))]
        if wrong:
            raise EngineError(
                f"the network was given values that are not finite: {', '.join(wrong)}"
            )
        total, seeds = settle_s + seconds, (stream(seed, "structure"), stream(seed, noise))
        if self.backend == "cpp":
            t, i, v, pairs = self._compiled(cells, total, seeds)
        else:
            with _brian2():
                t, i, v, pairs = network.run_numpy(
                    cells,
                    self._shared,
                    **{k: x for k, x in baked(self.circuit).items() if k != "n"},
                    seconds=total,
                    structure_seed=seeds[0],
                    noise_seed=seeds[1],
                )
        if not np.all(np.isfinite(v)):
            raise EngineError(
                "the network's voltages are not finite: a parameter is out of its useful range"
            )
        kept = (t >= settle_s) & (t < total)
        first = int(np.ceil(settle_s / (MILLI * network.VOLTAGE_STEP_MS)))
        return Spikes(
            t_s=t[kept] - settle_s,
            i=i[kept].astype(np.int32),
            seconds=seconds,
            v_mV=v[first:] / MILLI,
            recorded=network.recorded(self.circuit.size),
            slices=self.circuit.slices(),
            synapses=pairs.astype(np.int32) if synapses else None,
        )

    def _compiled(
        self, cells: dict[str, npt.NDArray[np.float64]], seconds: float, seeds: tuple[int, int]
    ) -> network.Raw:
        folder = build(self.circuit, announce=self.announce)
        return _execute(folder, cells, self._shared, seconds, seeds)

    @property
    def program(self) -> str:
        """What answers: SHA-256 of the compiled program, "" of numpy. Raises as `build`."""
        compiled = self.backend == "cpp"
        return checksum(build(self.circuit, announce=self.announce) / "main") if compiled else ""


def _execute(
    folder: Path,
    cells: dict[str, npt.NDArray[np.float64]],
    shared: dict[str, float],
    seconds: float,
    seeds: tuple[int, int],
) -> network.Raw:
    sweep_scratch()
    with (
        explained(Path(tempfile.gettempdir()), "write to"),
        tempfile.TemporaryDirectory(prefix=ours(SCRATCH)) as place,
    ):
        values = [f"G.{name}={value!r}" for name, value in shared.items()]
        for name, array in cells.items():
            array.astype(np.float64).tofile(f"{place}/{name}.in")
            values.append(f"G.{name}={place}/{name}.in")
        environment = os.environ | {
            "PLASTOGEN_SECONDS": repr(float(seconds)),
            "PLASTOGEN_STRUCTURE": str(seeds[0]),
            "PLASTOGEN_NOISE": str(seeds[1]),
        }
        done = run_child(
            [str(folder / "main"), "--results_dir", f"{place}/", *values], folder, environment
        )
        said, code = done.out, done.code
        if code == -TOO_LARGE:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
        if shutil.disk_usage(place).free < ROOM:  # the program itself would not say so
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if -code in MACHINES:
            raise MachineError(
                f"the compiled network was ended by the system ({signal.Signals(-code).name}):"
                " out of memory, perhaps; run fewer at once (--jobs)"
            )
        if code or said.strip():
            raise EngineError(f"the compiled network failed (exit {code}): {said.strip()[:500]}")
        try:
            arrays = json.loads((folder / "arrays.json").read_text())
            found = {}
            for name in ("spikes.t", "spikes.i", "voltage.v", "G.v", *PAIRS):
                file, dtype = arrays[name]
                found[name] = np.fromfile(f"{place}/{file}", dtype=dtype)
        except (OSError, ValueError, KeyError) as error:
            raise EngineError(
                f"the compiled network left no readable results ({in_words(error)})"
            ) from error
    width = len(network.recorded(len(cells["v"])))
    v = found["voltage.v"]
    if (
        len(v) % width
        or len(found["spikes.t"]) != len(found["spikes.i"])
        or len(found[PAIRS[0]]) != len(found[PAIRS[1]])
        or not np.all(np.isfinite(found["G.v"]))
    ):
        raise EngineError("the compiled network left results that are cut short or not finite")
    pairs = np.stack([found[name] for name in PAIRS])
    return found["spikes.t"], found["spikes.i"], v.reshape(-1, width), pairs


__all__ = ["Engine", "EngineError", "build", "compiler", "default_backend", "signature"]
