"""In: a `Circuit`, a `Drive`, a seed. Out: `Spikes`, from a program compiled once and kept
(`program`), or from numpy.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from plastogen._base.files import explained
from plastogen._base.leftovers import SCRATCH, ours, sweep_scratch
from plastogen._base.sealed import checksum
from plastogen._base.streams import stream
from plastogen.errors import EngineError, MachineError, in_words
from plastogen.model.circuit import network, plastic
from plastogen.model.circuit.children import run_child
from plastogen.model.circuit.definition import Circuit
from plastogen.model.circuit.drive import MILLI, Drive, cell_values, shared_values
from plastogen.model.circuit.electrodes import Driven
from plastogen.model.circuit.plastic import Learner, Learning, RuleNumbers
from plastogen.model.circuit.precision import CELLS, SYNAPSES
from plastogen.model.circuit.program import baked, build, default_backend
from plastogen.model.circuit.spikes import Spikes

TOO_LARGE = getattr(signal, "SIGXFSZ", 0)  # what ends a program that writes a file beyond the limit
MACHINES = tuple(  # signals by which the system ends a program that did nothing wrong
    getattr(signal, name, 0) for name in ("SIGKILL", "SIGBUS", "SIGILL", "SIGXCPU", "SIGTERM")
)
ROOM = 2**20  # bytes left on a disk that is not full
_alone = threading.Lock()


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


def _seeds(seed: int, noise: str) -> tuple[int, int]:
    """Of the wiring, and of external spikes."""
    return stream(seed, "structure"), stream(seed, noise)


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
        driven: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    ) -> Spikes:
        """Simulate `settle_s` and then `seconds`; only the latter is kept. `noise` names the stream
        of input spikes; with `synapses`, who is connected to whom is kept too. `driven`: times (s
        after settling) and cells of spikes that electrodes cause.

        Raises EngineError when the program fails or gives something that is not finite, StoreError
        from the disk.
        """
        seeds = _seeds(seed, noise)
        cells = cell_values(self.circuit, drive, seed)
        electrodes = self._electrodes(driven, settle_s)
        raw = self._run(cells, settle_s + seconds, seeds, driven=electrodes)
        return self._spikes(raw, settle_s, seconds, synapses=synapses)

    def learn(
        self,
        drive: Drive,
        seed: int,
        rule: RuleNumbers,
        *,
        seconds: float,
        settle_s: float,
        live: bool = False,
        size: npt.ArrayLike = 1.0,
        efficacy: npt.ArrayLike | None = None,
        noise: str = "noise",
        every: int = 1,
        conductance: bool = False,
        driven: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    ) -> tuple[Spikes, Learning]:
        """As `run`, synapses between principal cells following a rule, those of one pair of cells
        in `every`; NMDA receptors and release are those of the drive.

        `size`: conductance of each synapse, relative to the circuit's; `efficacy`: to begin with,
        the rule's own if not given; either one for all or (synapses,), in the order of a `Learning`
        of the same circuit and seed. Efficacies are frozen, and what would move them is counted,
        unless they are `live`; with `conductance`, each synapse transmits as much as size times
        efficacy over the rule's own. Where all sizes are 1, spikes are otherwise those of `run`.
        """
        left = float(drive[f"nmda_{self.circuit.principal}"]) * float(drive["release"])
        shared = plastic.values(rule, left=left, from_s=settle_s)
        sized = conductance or bool(np.any(np.asarray(size) != 1))
        learner = Learner(rule, live, sized, every, follows=conductance)
        usual = rule.initial if conductance else 1.0  # what an efficacy is held against
        given = np.asarray(size, float) / usual
        begun = plastic.initial(rule.initial if efficacy is None else efficacy, given)
        seeds = _seeds(seed, noise)
        cells, total = cell_values(self.circuit, drive, seed), settle_s + seconds
        electrodes = self._electrodes(driven, settle_s)
        raw = self._run(cells, total, seeds, learner, {**shared, **begun}, electrodes)
        learning = plastic.learned(raw.learning, shared, total, live=live)
        learning = replace(learning, size=learning.size * usual)
        return self._spikes(raw, settle_s, seconds, synapses=True), learning

    def _electrodes(
        self, driven: tuple[npt.ArrayLike, npt.ArrayLike] | None, settle_s: float
    ) -> Driven | None:
        """Spikes that electrodes cause, from times after settling (s) and cells."""
        if driven is None:
            return None
        late = settle_s + np.asarray(driven[0], float)
        return Driven.at(late, driven[1], float(self.circuit.step))

    def _run(
        self,
        cells: dict[str, npt.NDArray[np.float64]],
        total: float,
        seeds: tuple[int, int],
        learner: Learner | None = None,
        learning: Mapping[str, npt.ArrayLike] | None = None,
        driven: Driven | None = None,
    ) -> network.Raw:
        given: dict[str, npt.ArrayLike] = {**cells, **self._shared, **(learning or {})}
        wrong = [name for name, value in given.items() if not np.all(np.isfinite(value))]
        if wrong:
            raise EngineError(
                f"the network was given values that are not finite: {', '.join(wrong)}"
            )
        if self.backend == "cpp":
            folder = build(self.circuit, learner, driven=driven is not None, announce=self.announce)
            raw = _execute(folder, cells, self._shared, total, seeds, learning or {}, driven)
        else:
            with _brian2():
                raw = network.run_numpy(
                    cells,
                    self._shared,
                    **{k: x for k, x in baked(self.circuit, learner).items() if k != "n"},
                    seconds=total,
                    structure_seed=seeds[0],
                    noise_seed=seeds[1],
                    learning=learning,
                    driven=driven,
                )
        if not np.all(np.isfinite(raw.v)):
            raise EngineError(
                "the network's voltages are not finite: a parameter is out of its useful range"
            )
        return raw

    def _spikes(
        self, raw: network.Raw, settle_s: float, seconds: float, *, synapses: bool = False
    ) -> Spikes:
        """What comes after settling."""
        kept = (raw.t >= settle_s) & (raw.t < settle_s + seconds)
        first = int(np.ceil(settle_s / (MILLI * network.VOLTAGE_STEP_MS)))
        return Spikes(
            t_s=raw.t[kept] - settle_s,
            i=raw.i[kept].astype(np.int32),
            seconds=seconds,
            v_mV=raw.v[first:].astype(np.float64) / MILLI,
            recorded=network.recorded(self.circuit.size),
            slices=self.circuit.slices(),
            synapses=raw.pairs.astype(np.int32) if synapses else None,
        )

    def program(self, learner: Learner | None = None) -> str:
        """What answers: SHA-256 of the compiled program, "" of numpy. Raises as `build`."""
        if self.backend != "cpp":
            return ""
        return checksum(build(self.circuit, learner, announce=self.announce) / "main")


def _execute(
    folder: Path,
    cells: dict[str, npt.NDArray[np.float64]],
    shared: dict[str, float],
    seconds: float,
    seeds: tuple[int, int],
    learning: Mapping[str, npt.ArrayLike],
    driven: Driven | None,
) -> network.Raw:
    sweep_scratch()
    with (
        explained(Path(tempfile.gettempdir()), "write to"),
        tempfile.TemporaryDirectory(prefix=ours(SCRATCH)) as place,
    ):
        values = [f"G.{name}={value!r}" for name, value in shared.items()]
        given = {f"G.{name}": np.asarray(array, CELLS) for name, array in cells.items()}
        given |= {f"P.{name}": np.asarray(value, SYNAPSES) for name, value in learning.items()}
        given |= {} if driven is None else driven.given
        for name, array in given.items():
            if array.ndim:
                array.tofile(f"{place}/{name}.in")
            values.append(f"{name}={f'{place}/{name}.in' if array.ndim else repr(float(array))}")
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
        inside = plastic.READ if learning else ()
        try:
            arrays = json.loads((folder / "arrays.json").read_text())
            found = {}
            for name in (*network.NEEDED, *inside):
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
        or len({len(found[name]) for name in network.PAIRS}) > 1
        or len({len(found[name]) for name in inside}) > 1
        or not all(np.all(np.isfinite(found[name])) for name in ("G.v", *inside))
    ):
        raise EngineError("the compiled network left results that are cut short or not finite")
    pairs = np.stack([found[name] for name in network.PAIRS])
    within = {name.removeprefix("P."): found[name] for name in inside}
    return network.Raw(found["spikes.t"], found["spikes.i"], v.reshape(-1, width), pairs, within)
