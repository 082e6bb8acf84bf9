"""In: what is frozen (`State`) and a seed. Out: what the circuit did (`Activity`). The seam between
the two clocks.

    Probe = Callable[[State, int], Activity]

The slow world knows nothing of the network but this. `NetworkProbe` asks the spiking network,
`FormulaProbe` an analytic stand-in; `remembered` keeps answers on disk. The network sees of a state
only `reduce(state)`, a `Drive`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from plastogen._base.files import CacheDamaged, cache_dir, digest, read_npz, write_npz
from plastogen.model.circuit import CLASSES, Circuit, Drive, Engine, Spikes
from plastogen.model.circuit import activity as glutamate
from plastogen.model.circuit.engine import signature

Array = npt.NDArray[np.float64]
UNHEARD = ("title", "regime", "note", "formula")  # parts of a circuit that no network hears of
PATTERN_NOISE = (  # the stream of the baseline that patterns are held against: never a probe's own
    "pattern"
)


@dataclass(frozen=True)
class State:
    """What a probe freezes. `nmdar`: pool -> conductance left (1: all; above 1 after
    up-regulation).

    ampa, gaba, release: shares left; silence: share of the silencing conductance open. weight,
    spines, scaling: the factors of E -> E strength; pv_integrity: strength of PV output. All
    relative to the healthy subject.
    """

    nmdar: dict[str, float] = field(default_factory=dict)
    ampa: float = 1
    gaba: float = 1
    release: float = 1
    silence: float = 0
    weight: float = 1
    spines: float = 1
    scaling: float = 1
    pv_integrity: float = 1


def reduce(state: State) -> Drive:
    """What the network is told of a state: block by class and kind of receptor, and one product for
    strength.
    """
    left = {f"{kind}_{name}": 1.0 for kind in ("nmda", "tonic") for name in CLASSES}
    for pool, share in state.nmdar.items():
        name, _, kind = pool.partition(".")
        if kind != "rest":
            left[f"{'nmda' if kind == 'synaptic' else 'tonic'}_{name}"] = share
    return Drive(
        **left,
        ampa=state.ampa,
        gaba=state.gaba,
        release=state.release,
        silence=state.silence,
        recurrent=state.weight * state.spines * state.scaling,
        pv_output=state.pv_integrity,
    )


@dataclass(frozen=True, eq=False)
class Activity:
    """What the circuit did in a window, with standard errors of the rates.

    rate_hz, rate_se_hz: (classes,). glutamate: release of E cells (Hz). ampa_throughput: AMPA
    current E cells pass to each other (Hz, relative units). bound: share of synaptic NMDA receptors
    with glutamate. calcium: entry through synaptic NMDA receptors of E cells (mV, relative units).
    pattern_shift: see `glutamate.pattern_shift`. voltage: share of time at each of
    `glutamate.bin_centres_mV()`, (classes, bins).
    """

    rate_hz: Array
    rate_se_hz: Array
    glutamate: float
    ampa_throughput: float
    bound: float
    calcium: float
    pattern_shift: float
    voltage: Array

    @classmethod
    def from_arrays(cls, arrays: dict[str, Array]) -> Activity:
        """The activity whose `arrays()` these are. Raises KeyError when one is missing."""
        values = {f.name: arrays[f.name] for f in fields(cls)}
        return cls(
            **{name: value if value.ndim else float(value) for name, value in values.items()}  # type: ignore[arg-type]
        )

    def arrays(self) -> dict[str, Array]:
        """Every value as an array, by name."""
        return {f.name: np.asarray(getattr(self, f.name), dtype=float) for f in fields(self)}


class Probe(Protocol):
    """The seam: what does the circuit do when this state is held?"""

    def __call__(self, state: State, seed: int) -> Activity: ...


def agonist(circuit: Circuit, activity: Activity, baseline: Activity) -> dict[str, Any]:
    """Pool -> share of the time its receptors have glutamate bound, one number or one a course.

    Synaptic: from spikes. Tonic: ambient glutamate, which goes with release. Rest: spontaneous
    release alone.
    """
    k = circuit.agonist
    ambient = np.minimum(1.0, float(k.ambient) * activity.glutamate / baseline.glutamate)
    mini = (
        float(k.mini_rate) * float(k.saturation) * float(circuit.decays.nmda) / glutamate.MS_PER_S
    )
    shares = {"synaptic": activity.bound, "tonic": ambient, "rest": mini}
    return {pool: shares[pool.partition(".")[2]] for pool in circuit.pools()}


def voltages(circuit: Circuit, activity: Activity) -> dict[str, Array]:
    """Pool -> distribution of its membrane's voltage over the bins; at rest all the weight is at
    the resting one.
    """
    found = {}
    for pool in circuit.pools():
        name, _, kind = pool.partition(".")
        if kind == "rest":
            rest = float(circuit.populations[name].rest)
            row = np.zeros_like(activity.voltage[..., 0, :])
            row[..., np.argmin(np.abs(glutamate.bin_centres_mV() - rest))] = 1
            found[pool] = row
        else:
            found[pool] = activity.voltage[..., CLASSES.index(name), :]
    return found


def heard(
    circuit: Circuit,
    drive: Drive,
    *,
    rate_hz: Array,
    rate_se_hz: Array,
    bound: Any,
    pattern_shift: Any,
    voltage: Array,
) -> Activity:
    """The activity that follows from what was counted; all may have one row a course, as may
    numbers of the drive.
    """
    v, m, e = glutamate.bin_centres_mV(), circuit.magnesium, CLASSES.index("E")
    free = glutamate.mg_free(
        v, mg_mM=float(m.concentration), half_mM=float(m.half), efold_mV=float(m.efold)
    )
    inward = (voltage[..., e, :] * free * (float(circuit.reversals.excitatory) - v)).sum(axis=-1)
    released = rate_hz[..., e] * drive.release
    passed = released * drive.recurrent * drive.ampa
    numbers: dict[str, Any] = {
        "glutamate": released,
        "ampa_throughput": passed,
        "bound": bound,
        "calcium": bound * drive.nmda_E * inward,
        "pattern_shift": pattern_shift,
    }
    if rate_hz.ndim == 1:
        numbers = {name: float(number) for name, number in numbers.items()}
    return Activity(rate_hz=rate_hz, rate_se_hz=rate_se_hz, voltage=voltage, **numbers)


def network_key(circuit: Circuit, seconds: float, settle_s: float, backend: str) -> str:
    """Digest of all that an answer of the network depends on but drive and seed."""
    told = {name: getattr(circuit, name) for name in Circuit.model_fields if name not in UNHEARD}
    told |= {"window": [seconds, settle_s], "pattern": PATTERN_NOISE}
    return digest({**told, **signature(backend)})[:16]


class NetworkProbe:
    """Asks the spiking network: `seconds` of activity after `settle_s` at a frozen state."""

    def __init__(
        self,
        circuit: Circuit,
        *,
        seconds: float,
        settle_s: float,
        backend: str | None = None,
        announce: Callable[[str], None] | None = None,
    ) -> None:
        self.circuit, self.seconds, self.settle_s = circuit, seconds, settle_s
        self.engine = Engine(circuit, backend=backend, announce=announce)
        self._patterns: dict[int, Array] = {}

    @cached_property
    def key(self) -> str:
        """Digest of everything but drive and seed that an answer depends on."""
        return network_key(self.circuit, self.seconds, self.settle_s, self.engine.backend)

    def spikes(
        self, drive: Drive, seed: int, *, seconds: float | None = None, noise: str = "noise"
    ) -> Spikes:
        """The spikes behind an answer, or a longer stretch of them. Raises EngineError,
        StoreError.
        """
        length = self.seconds if seconds is None else seconds
        return self.engine.run(drive, seed, seconds=length, settle_s=self.settle_s, noise=noise)

    def __call__(self, state: State, seed: int) -> Activity:
        return self.ask(reduce(state), seed)

    def ask(self, drive: Drive, seed: int) -> Activity:
        """What the network does under `drive`."""
        spikes = self.spikes(drive, seed)
        pattern = glutamate.half_patterns(spikes)
        if seed not in self._patterns:
            self._patterns[seed] = glutamate.half_patterns(
                self.spikes(Drive(), seed, noise=PATTERN_NOISE)
            )
        rate, error = glutamate.rates_hz(spikes)
        k = self.circuit
        bound = drive.release * glutamate.bound_share(
            spikes, saturation=float(k.agonist.saturation), decay_ms=float(k.decays.nmda)
        )
        return heard(
            k,
            drive,
            rate_hz=rate,
            rate_se_hz=error,
            bound=min(1.0, bound),
            pattern_shift=glutamate.pattern_shift(pattern, self._patterns[seed]),
            voltage=glutamate.voltage_distribution(spikes),
        )


class FormulaProbe:
    """The analytic stand-in of the circuit file: log rate linear in the drive. For tests, lessons
    and no compiler.
    """

    def __init__(self, circuit: Circuit) -> None:
        self.circuit = circuit
        f = circuit.formula
        self._base = np.array([float(f.baseline_hz[name]) for name in CLASSES])
        self._gain = np.array([[float(f.gain[name][d]) for d in Drive.names()] for name in CLASSES])
        v = glutamate.bin_centres_mV()
        bells = [
            np.exp(-(((v - float(f.voltage[name])) / float(f.voltage_spread)) ** 2) / 2)
            for name in CLASSES
        ]
        self._voltage = np.array([bell / bell.sum() for bell in bells])

    @property
    def key(self) -> str:
        """Digest of all that an answer depends on."""
        k = self.circuit
        return digest([k.formula, k.agonist, k.decays, k.magnesium, k.reversals])[:16]

    def __call__(self, state: State, seed: int) -> Activity:
        return self.ask(reduce(state), seed)

    def ask(self, drive: Drive, seed: int) -> Activity:
        """What the formula gives under `drive`, or under many; the same for every seed."""
        moved = drive.array() - Drive().array()
        rate = self._base * np.exp((moved[..., None, :] * self._gain).sum(axis=-1))
        k = self.circuit
        each = float(k.agonist.saturation) * float(k.decays.nmda) / glutamate.MS_PER_S
        e = rate[..., CLASSES.index("E")]
        bound = drive.release * e * each / (1 + e * each)
        shift = 1 - np.exp(-np.abs(self._gain[0] * moved).sum(axis=-1))
        return heard(
            k,
            drive,
            rate_hz=rate,
            rate_se_hz=np.zeros_like(rate),
            bound=bound,
            pattern_shift=shift,
            voltage=np.broadcast_to(self._voltage, (*rate.shape, self._voltage.shape[-1])),
        )


class Asker(Protocol):
    """A probe that also answers on drives, and says what its answers depend on."""

    @property
    def key(self) -> str: ...
    def ask(self, drive: Drive, seed: int) -> Activity: ...


class CachedProbe:
    """A probe whose answers are kept on disk and shared by every arm, run and experiment."""

    def __init__(self, probe: Asker, folder: Path | None = None) -> None:
        self._probe, self._folder = probe, folder or cache_dir() / "probes" / probe.key
        self.asked = self.answered = 0

    def path(self, drive: Drive, seed: int) -> Path:
        """Where the answer to this question is kept."""
        name = digest([drive.array().tolist(), seed])
        return self._folder / name[:2] / f"{name[2:20]}.npz"

    def __call__(self, state: State, seed: int) -> Activity:
        return self.ask(reduce(state), seed)

    def ask(self, drive: Drive, seed: int) -> Activity:
        """The answer from disk, or from the probe itself (then kept). A damaged file is asked
        again.
        """
        path = self.path(drive, seed)
        try:
            found = Activity.from_arrays(read_npz(path))
            self.answered += 1
            return found
        except (FileNotFoundError, CacheDamaged, KeyError):
            self.asked += 1
            found = self._probe.ask(drive, seed)
            write_npz(path, **found.arrays())
            return found
