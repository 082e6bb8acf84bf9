"""In: what is frozen (`State`) and a seed. Out: what the circuit did (`Activity`). The seam between
the two clocks.

    Probe = Callable[[State, int], Activity]

The slow world knows nothing of the network but this. `NetworkProbe` asks the spiking network,
`FormulaProbe` an analytic stand-in; `CachedProbe` keeps answers on disk. The network sees of a
state only `reduce(circuit, state)`, a `Drive`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from plastogen._base.digest import digest
from plastogen._base.files import TEMPORARY, cache_dir, read_npz, write_npz
from plastogen._base.leftovers import sweep
from plastogen.errors import CacheDamaged
from plastogen.model.circuit import (
    PRINCIPAL,
    Activity,
    Circuit,
    Drive,
    Engine,
    Learning,
    Spikes,
    State,
    derive_activity,
    measures,
    reduce,
    signature,
    synapse_classes,
)
from plastogen.model.plasticity import CalciumRule, learner_of
from plastogen.simulation.model_version import MODEL_VERSION

Array = npt.NDArray[np.float64]
KEY_LENGTH = 16
PATTERN_NOISE = (  # the stream of the baseline that patterns are held against: never a probe's own
    "pattern"
)


class Probe(Protocol):
    """The seam: what does the circuit do when this state is held?

    >>> small = plastogen.load_model("circuits", "small")
    >>> probe: plastogen.simulation.Probe = plastogen.simulation.FormulaProbe(small)
    >>> probe(plastogen.simulation.State(), seed=1).voltage.shape[0]
    3
    """

    def __call__(self, state: State, seed: int) -> Activity: ...


def network_key(
    circuit: Circuit,
    seconds: float,
    settle_s: float,
    backend: str,
    rule: CalciumRule | None = None,
) -> str:
    """Digest of all that an answer of the network depends on but drive and seed."""
    told = circuit.heard()
    told |= {"window": [seconds, settle_s], "pattern": PATTERN_NOISE}
    if rule is not None:
        told["learner"] = asdict(learner_of(circuit, rule))
    told["version"] = MODEL_VERSION["circuit"]
    return digest({**told, **signature(backend)})[:16]


class NetworkProbe:
    """Asks the spiking network: `seconds` of activity after `settle_s` at a frozen state, a share
    of its synapses counting what a `rule` would do to them. Spikes do not depend on the rule.

    >>> small = plastogen.load_model("circuits", "small")
    >>> probe = plastogen.simulation.NetworkProbe(small, seconds=0.5, settle_s=0.2)
    >>> blocked = plastogen.simulation.State(nmdar={"PV.synaptic": 0.5})
    >>> probe(blocked, seed=1).rate_hz.shape
    (3,)
    """

    def __init__(
        self,
        circuit: Circuit,
        rule: CalciumRule | None = None,
        *,
        seconds: float,
        settle_s: float,
        backend: str | None = None,
        announce: Callable[[str], None] | None = None,
    ) -> None:
        self.circuit, self.rule, self.seconds, self.settle_s = circuit, rule, seconds, settle_s
        self.learner = None if rule is None else learner_of(circuit, rule)
        self.engine = Engine(circuit, backend=backend, announce=announce)
        self._patterns: dict[int, Array] = {}
        self._of_seed: dict[int, threading.Lock] = {}

    @cached_property
    def key(self) -> str:
        """Digest of everything but drive and seed that an answer depends on, the compiled program
        included. Raises MachineError, StoreError.
        """
        known = network_key(
            self.circuit, self.seconds, self.settle_s, self.engine.backend, self.rule
        )
        return "-".join(filter(None, (known, self.engine.program(self.learner)[:KEY_LENGTH])))

    def spikes(
        self, drive: Drive, seed: int, *, seconds: float | None = None, noise: str = "noise"
    ) -> Spikes:
        """The spikes behind an answer, or a longer stretch of them. Raises EngineError,
        StoreError.
        """
        return self.watch(drive, seed, self.seconds if seconds is None else seconds, noise)[0]

    def watch(
        self, drive: Drive, seed: int, seconds: float, noise: str = "noise"
    ) -> tuple[Spikes, Learning | None]:
        """Spikes, and what became of synapses where a rule is followed: in the same program
        whatever is wanted, so that only one is compiled. Raises EngineError, StoreError.
        """
        settle_s, learner = self.settle_s, self.learner
        if learner is None:
            run = self.engine.run
            return run(drive, seed, seconds=seconds, settle_s=settle_s, noise=noise), None
        return self.engine.learn(
            drive,
            seed,
            learner.rule,
            seconds=seconds,
            settle_s=settle_s,
            noise=noise,
            every=learner.every,
        )

    def pattern(self, seed: int) -> Array:
        """How often each principal cell fires in the healthy, drug-free baseline of this seed, in
        odd and in even seconds, (2, cells).
        """
        with self._of_seed.setdefault(seed, threading.Lock()):
            if seed not in self._patterns:
                spikes = self.spikes(Drive(), seed, noise=PATTERN_NOISE)
                self._patterns[seed] = measures.half_patterns(spikes)
            return self._patterns[seed]

    def __call__(self, state: State, seed: int) -> Activity:
        return self.measure(reduce(self.circuit, state), seed)

    def measure(self, drive: Drive, seed: int) -> Activity:
        """What the network does under `drive`."""
        spikes, learning = self.watch(drive, seed, self.seconds)
        drift, pattern = synapse_classes.unknown(), self.pattern(seed)
        if learning is not None:
            groups = synapse_classes.rate_groups(pattern.sum(axis=0))
            drift = synapse_classes.drift_of(learning, groups, self.seconds)
        rate, error = measures.rates_hz(spikes)
        k = self.circuit
        bound = drive["release"] * measures.bound_share(
            spikes, saturation=float(k.agonist.saturation), decay_ms=float(k.decays.nmda)
        )
        return derive_activity(
            k,
            drive,
            rate_hz=rate,
            rate_se_hz=error,
            bound=min(1.0, bound),
            pattern_shift=measures.pattern_shift(measures.half_patterns(spikes), pattern),
            voltage=measures.voltage_distribution(spikes),
            drift=drift,
        )


class FormulaProbe:
    """The analytic stand-in of the circuit's file: log rate linear in the drive; and of the rule's:
    power laws of rate and receptors. For tests, lessons and no compiler.

    >>> probe = plastogen.simulation.FormulaProbe(plastogen.load_model("circuits", "small"))
    >>> blocked = plastogen.simulation.State(nmdar={"PV.synaptic": 0.5})
    >>> healthy = probe(plastogen.simulation.State(), seed=1)
    >>> bool(probe(blocked, seed=1).rate_hz[0] > healthy.rate_hz[0])
    True
    """

    def __init__(self, circuit: Circuit, rule: CalciumRule | None = None) -> None:
        self.circuit, self.synapses = circuit, None if rule is None else rule.formula
        f = circuit.formula
        classes, numbers = circuit.classes, circuit.drive_numbers
        self._base = np.array([float(f.baseline_hz[name]) for name in classes])
        self._gain = np.array([[f.slope(name, n) for n in numbers] for name in classes])
        self._voltage = measures.usual_voltage(circuit)

    @property
    def key(self) -> str:
        """Digest of all that an answer depends on."""
        k = self.circuit
        return digest([k.formula, k.agonist, k.decays, k.magnesium, k.reversals, self.synapses])[
            :16
        ]

    def __call__(self, state: State, seed: int) -> Activity:
        return self.measure(reduce(self.circuit, state), seed)

    def measure(self, drive: Drive, seed: int) -> Activity:
        """What the formula gives under `drive`, or under many; the same for every seed."""
        moved = drive.array(self.circuit) - Drive().array(self.circuit)
        rate = self._base * np.exp((moved[..., None, :] * self._gain).sum(axis=-1))
        k = self.circuit
        each = float(k.agonist.saturation) * float(k.decays.nmda) / measures.MS_PER_S
        e = rate[..., PRINCIPAL]
        bound = drive["release"] * e * each / (1 + e * each)
        shift = 1 - np.exp(-np.abs(self._gain[PRINCIPAL] * moved).sum(axis=-1))
        drift = synapse_classes.unknown(rate.shape[:-1])
        if self.synapses is not None:
            left = drive[f"nmda_{k.principal}"] * drive["release"]
            drift = self.synapses.drift(e / self._base[PRINCIPAL], left)
        return derive_activity(
            k,
            drive,
            rate_hz=rate,
            rate_se_hz=np.zeros_like(rate),
            bound=bound,
            pattern_shift=shift,
            voltage=np.broadcast_to(self._voltage, (*rate.shape, self._voltage.shape[-1])),
            drift=drift,
        )


class DriveProbe(Protocol):
    """A probe that also answers on drives, and says what its answers depend on."""

    circuit: Circuit

    @property
    def key(self) -> str: ...
    def measure(self, drive: Drive, seed: int) -> Activity: ...


@lru_cache(maxsize=64)
def _sweep_once(folder: Path) -> None:
    """Sweep a folder of answers of what killed processes left, once a process."""
    for place in folder.glob("*"):
        sweep(place, TEMPORARY)


class CachedProbe:
    """A probe whose answers are kept on disk and shared by every arm, run and experiment.

    What was kept before `since`, seconds since 1970, is asked again.
    """

    def __init__(
        self, probe: DriveProbe, folder: Path | None = None, *, since: float = 0.0
    ) -> None:
        self._since = since
        _sweep_once(folder or cache_dir() / "probes" / probe.key)
        self._probe, self._folder = probe, folder or cache_dir() / "probes" / probe.key
        self.circuit = probe.circuit
        self.asked = self.answered = 0
        self._counting = threading.Lock()

    def path(self, drive: Drive, seed: int) -> Path:
        """Where the answer to this question is kept."""
        name = digest([drive.array(self.circuit).tolist(), seed])
        return self._folder / name[:2] / f"{name[2:20]}.npz"

    def __call__(self, state: State, seed: int) -> Activity:
        return self.measure(reduce(self.circuit, state), seed)

    def measure(self, drive: Drive, seed: int) -> Activity:
        """The answer from disk, or from the probe itself (then kept). A damaged file is asked
        again.
        """
        path = self.path(drive, seed)
        with suppress(FileNotFoundError, CacheDamaged, KeyError):
            if not self._since or path.stat().st_mtime >= self._since:
                found = Activity.from_arrays(read_npz(path))
                with self._counting:
                    self.answered += 1
                return found
        with self._counting:
            self.asked += 1
        found = self._probe.measure(drive, seed)
        write_npz(path, **found.arrays())
        return found
