"""In: what the circuit does, hour by hour (`Inputs`). Out: signals, weights and spines, for weeks.

`SlowModel` binds a `Plasticity` to floats. The healthy state under neutral inputs is an exact fixed
point. Beside the cascade, the synapse and the spines
stand three slow ends:

    d pv_integrity = (1 - pv_integrity) / tau - loss S(pv_block) pv_integrity           (Behrens
        2008, row 50)
    d tolerance    = (gain e_block - tolerance) / tau    the course gives NMDA x (1 + tolerance)
        (Morgan 2012)
    d tone         = (serotonin - tone) / tau                                            (Taylor
        2006, row 49)

Of its synapses the circuit hears two numbers: J = weight x scaling x spine density, and the
inhibitory weight.
Scaling is in J, but neither in what a blot nor in what a patient shows: `structure` leaves it out.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from plastogen.model.plasticity.definition import Plasticity
from plastogen.model.plasticity.signalling import LEAST, Cascade, Inputs, Saturation
from plastogen.model.plasticity.spine import H_PER_DAY, Spines
from plastogen.model.plasticity.spine_law import SpineLaw
from plastogen.model.plasticity.synapse import Strength

Array: TypeAlias = npt.NDArray[np.float64]
T = TypeVar("T")

STATES = (
    "eef2k", "bdnf", "adaptation", "desensitisation", "mtorc1", "free_protein", "protein",
    "accustomed", "tag", "weight", "scaling", "inhibitory_weight",
    "commit_1", "commit_2", "transient", "persistent",
    "pv_integrity", "tolerance", "tone",
)  # fmt: skip
"""The slow state, in order: ratios to healthy, but spines (shares of healthy density) and what is
nil when healthy (`NIL`).
"""
COUNTED = ("weight", "transient", "persistent")  # what a table of single spines says of them
NIL = ("free_protein", "tag", "commit_1", "commit_2", "tolerance", "tone")

_AT = {name: i for i, name in enumerate(STATES)}
FREE_PROTEIN, ACCUSTOMED, TAG = _AT["free_protein"], _AT["accustomed"], _AT["tag"]
WEIGHT, SCALING = _AT["weight"], _AT["scaling"]
INHIBITORY_WEIGHT = _AT["inhibitory_weight"]
PV = _AT["pv_integrity"]
COMMIT_1, COMMIT_2 = _AT["commit_1"], _AT["commit_2"]
TRANSIENT, PERSISTENT = _AT["transient"], _AT["persistent"]


HEALTHY = Inputs()


class SlowModel:
    """A `Plasticity` bound to floats. States are arrays whose last axis is `STATES`; time is in
    hours.
    """

    def __init__(self, plasticity: Plasticity) -> None:
        k = plasticity
        on = k.pathways
        self.cascade = Cascade(
            k.signalling, disinhibition=on.disinhibition, spontaneous=on.spontaneous
        )
        self.strength = Strength(k.synapse, float(k.signalling.steepness))
        self.spines = Spines(k.spine)
        self.pv = Saturation(float(k.misuse.pv_half), float(k.misuse.pv_steepness))
        self.pv_loss_h = float(k.misuse.pv_loss)
        self.pv_recovery_h = 1 / (float(k.misuse.pv_recovery) * H_PER_DAY)
        self.tolerance_gain = float(k.misuse.tolerance_gain)
        self.tolerance_h = 1 / (float(k.misuse.tolerance_time) * H_PER_DAY)
        self.tone_h = 1 / (float(k.comparator.tone_time) * H_PER_DAY)
        self.effect_per_log_strength = float(k.clinical.effect_per_log_strength)
        self.largest_effect = float(k.clinical.largest_effect)

    def between_steps_of(self, law: SpineLaw, transient: float) -> SlowModel:
        """The model of a course that follows each spine: between their steps, spines move as the
        mean of single spines' law, `transient` of which are transient when healthy.
        """
        found = copy.copy(self)
        found.spines = spines = copy.copy(self.spines)
        spines.transient, spines.persistent, spines.least_vacant = transient, 1 - transient, 0.0
        spines.transient_h, spines.loss_h = law.kind_loss
        spines.sites = spines.persistent * (1 + spines.loss_h / spines.rescue_h)
        return found

    @property
    def fastest_h(self) -> float:
        """The highest rate constant of all, 1/h, or the next power of two: what an explicit step
        must resolve.
        """
        ends = (self.pv_loss_h, self.pv_recovery_h, self.tolerance_h, self.tone_h)
        rates = [part.fastest_h for part in (self.cascade, self.strength, self.spines)]
        return float(2 ** np.ceil(np.log2(max(*rates, *(float(np.max(rate)) for rate in ends)))))

    def healthy_state(self) -> Array:
        """The state of the healthy, drug-free subject, (states,), of many (courses, states):
        `rate_of_change` is zero under neutral inputs.
        """
        start = dict.fromkeys(STATES, 1.0) | dict.fromkeys(NIL, 0.0)
        start |= {"transient": self.spines.transient, "persistent": self.spines.persistent}
        start["free_protein"] = self.cascade.basal
        return np.stack(np.broadcast_arrays(*(start[name] for name in STATES)), axis=-1)

    def rate_of_change(self, y: Array, inputs: Inputs) -> Array:
        """d(y)/dt per hour, shape (states,)."""
        return np.array(self.rates(y.tolist(), inputs))

    def rates(self, y: Sequence[Any], inputs: Inputs) -> tuple[Any, ...]:
        """d(y)/dt per hour of each state, from numbers, or from arrays with one number a course."""
        signals, synapse, spines = y[:ACCUSTOMED], y[ACCUSTOMED:COMMIT_1], y[COMMIT_1:PV]
        pv, tolerance, tone = y[PV:]
        i = inputs
        passed = i.ampa_throughput / (y[TRANSIENT] + y[PERSISTENT])
        captured = self.strength.captured(y[TAG], y[FREE_PROTEIN])
        return (
            *self.cascade.rates(*signals, throughput=passed, inputs=i),
            *self.strength.rates(*synapse, captured=captured, inputs=i),
            *self.spines.rates(*spines, captured=captured, tone=tone, stress=i.stress),
            (1 - pv) * self.pv_recovery_h - self.pv_loss_h * self.pv(i.pv_block) * pv,
            (self.tolerance_gain * i.e_block - tolerance) * self.tolerance_h,
            (i.serotonin - tone) * self.tone_h,
        )

    def rest(self, inputs: Inputs) -> Array:
        """The state that lasting `inputs` lead to, in closed form (J is whatever comes out): (...,
        states).
        """
        i = inputs
        if not np.all(i.calcium > 0):
            raise ValueError(
                "a silent circuit has no resting state: lasting calcium must be above 0"
            )
        spines = self.spines.steady(i.serotonin, i.stress)
        signals = self.cascade.steady(i.ampa_throughput / (spines[-2] + spines[-1]), i)
        pv = 1 / (1 + self.pv_loss_h * self.pv(i.pv_block) / self.pv_recovery_h)
        return np.stack(
            np.broadcast_arrays(
                *signals,
                *self.strength.steady(i),
                *spines,
                pv,
                self.tolerance_gain * i.e_block,
                i.serotonin,
            ),
            axis=-1,
        )

    def settled(self, y: Array, rate_E: npt.ArrayLike) -> Array:
        """The state, scaling and inhibitory weight where a lasting rate leads, (..., states)."""
        found = np.array(y)
        scaled, inhibited = self.strength.at_rate(np.asarray(rate_E, float))
        found[..., SCALING], found[..., INHIBITORY_WEIGHT] = scaled, inhibited
        return found

    def recurrent(self, y: Array) -> Array:
        """J, the strength of recurrent excitation relative to healthy: weight x scaling x spine
        density.
        """
        product: Array = y[..., WEIGHT] * y[..., SCALING] * self.spine_density(y)
        return product

    def spine_density(self, y: Array) -> Array:
        """Transient and persistent spines together, relative to healthy."""
        density: Array = y[..., TRANSIENT] + y[..., PERSISTENT]
        return density

    def vacant(self, y: Array) -> Array:
        """Sites of persistent spines that stand empty, relative to the healthy spine density."""
        empty: Array = self.spines.vacant(y[..., PERSISTENT])
        return empty

    def formation(self, y: Array, stress: npt.ArrayLike = 0.0) -> Array:
        """Spines formed a day, as a share of the spines present (1/d); `stress` is the level at
        that time.
        """
        formed = self.spines.formed(y[..., COMMIT_2], y[..., PERSISTENT], np.asarray(stress))
        per_day: Array = H_PER_DAY * sum(formed) / self.spine_density(y)
        return per_day

    def elimination(self, y: Array, stress: npt.ArrayLike = 0.0) -> Array:
        """Spines lost a day, as a share of the spines present (1/d); `stress` is the level at that
        time.
        """
        lost = self.spines.lost(y[..., TRANSIENT], y[..., PERSISTENT], np.asarray(stress))
        per_day: Array = H_PER_DAY * sum(lost) / self.spine_density(y)
        return per_day

    def structure(self, y: Array) -> Array:
        """What lasts at the synapses: weight x spine density, relative to healthy."""
        return np.asarray(y[..., WEIGHT] * self.spine_density(y))

    def function(self, y: Array) -> Array:
        """What early potentiation adds to synapses for hours, relative to healthy."""
        return np.asarray(1 + y[..., TAG])

    def clinical_effect(self, y: Array, reference: Array) -> Array:
        """Effect size (Hedges g, negative = better) of a state against that of a reference.

        The one clinical map: the log of structure x function by one slope, calibrated on the peak
        of row 45, which flattens (tanh) where the scale ends; it predicts no person. Early
        potentiation (function) gives the onset, structure the day after.
        """

        def log(state: Array) -> Array:
            strength = self.structure(state) * np.maximum(self.function(state), LEAST)
            return np.asarray(np.log(strength))

        line = self.effect_per_log_strength * (log(y) - log(reference))
        effect: Array = -self.largest_effect * np.tanh(line / self.largest_effect)
        return effect

    def jacobian(self, y: Array, inputs_of_y: Callable[[Array], Inputs]) -> Array:
        """d(rate)/d(state) per hour, the circuit in the loop: shape (states, states), central
        differences.
        """
        n = len(STATES)
        matrix = np.empty((n, n))
        for column in range(n):
            step = np.zeros(n)
            step[column] = np.cbrt(np.finfo(float).eps) * max(1.0, abs(float(y[column])))
            ahead = self.rate_of_change(y + step, inputs_of_y(y + step))
            behind = self.rate_of_change(y - step, inputs_of_y(y - step))
            matrix[:, column] = (ahead - behind) / (2 * step[column])
        return matrix

    def spectral_abscissa(self, y: Array, inputs_of_y: Callable[[Array], Inputs]) -> float:
        """Largest real part of the Jacobian's eigenvalues, 1/h: negative when the state returns."""
        return float(np.linalg.eigvals(self.jacobian(y, inputs_of_y)).real.max())


def stacked(models: Sequence[T]) -> T:
    """One model of many courses: each number becomes an array, (courses,), unless all courses share
    it.
    """
    first: Any = models[0]
    if isinstance(first, int | float):
        return first if all(m == first for m in models) else np.array(models, dtype=float)  # type: ignore[return-value]
    if isinstance(first, tuple):
        return tuple(map(stacked, zip(*models, strict=True)))  # type: ignore[return-value]
    both: Any = object.__new__(type(first))
    for name in getattr(first, "__slots__", None) or vars(first):
        setattr(both, name, stacked([getattr(m, name) for m in models]))
    return both  # type: ignore[no-any-return]
