"""In: the slow state along a course and what the circuit did. Out: every variable of results.nc:
its dimensions, its unit, its name on an axis, and what it is made of.

Arrays may carry one axis of courses after that of time: what variables are made of is arithmetic
along the last axes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from plastogen.model.circuit import Activity, Circuit, Role, measures
from plastogen.model.plasticity import STATES, SlowModel
from plastogen.simulation.coupling import relative_balance
from plastogen.simulation.kinds import COURSES, OF_ENSEMBLES, OF_SPINES, Kind

Array: TypeAlias = npt.NDArray[np.float64]

ERROR_OF_STEPS = 1e-3  # of a variable's size: what lies beyond its bounds by less is no fault


@dataclass(frozen=True)
class Recorded:
    """A course, or many side by side, as it was stepped.

    y: (times, ..., states). activity: a number of `Activity` along it, (times, ...). start,
    baseline: activity when it begins, and of the healthy circuit. reference: the slow state when it
    begins. stress: its level.
    """

    circuit: Circuit
    model: SlowModel
    y: Array
    activity: Callable[[str], Array]
    start: Activity
    baseline: Activity
    reference: Array
    stress: Array

    def relative(self, name: str) -> Array:
        """A number of `Activity`, as a ratio to the healthy circuit's."""
        return np.asarray(self.activity(name) / getattr(self.baseline, name))


@dataclass(frozen=True)
class Variable:
    """One variable of results.nc: its dimensions after (arm, seed), its unit, its name, and what a
    1 means if it has no unit. `role`: the role of the classes without which there is no such thing;
    `error`: the variable that holds its standard error; `of`: the kinds of runs that have it;
    `low`, `high`: beyond these there is no such value, in its unit. `made`: what it is in a course,
    where it is no slow state and nothing known beforehand.
    """

    dims: tuple[str, ...]
    unit: str
    long_name: str
    scale: str = ""
    role: Role | None = None
    error: str = ""
    of: tuple[Kind, ...] = COURSES
    low: float = 0.0
    high: float = math.inf
    made: Callable[[Recorded], Array] | None = None

    @property
    def size(self) -> float:
        """What is much of it, in its unit: a millionth of this is nothing."""
        return 100 if self.unit == "%" else 1.0

    @property
    def place(self) -> str | None:
        """The dimension a readout must pick from ("class", "pool", "species"), if there is one."""
        return next((dim for dim in self.dims if dim in ("class", "pool", "species")), None)

    @property
    def of_snapshot(self) -> bool:
        return "snapshot" in self.dims


_TIME, _SNAP = ("time",), ("snapshot",)
_INDUCED: tuple[Kind, ...] = ("induction",)
_BOTH: tuple[Kind, ...] = (*COURSES, *_INDUCED)
_EACH, _TAUGHT = OF_SPINES, ("spine_ensembles",)
UNTAUGHT, PAIRS = "mean of the untaught circuit: 1", "correlation of pairs of cells"


def _ensembles(long_name: str, scale: str, **more: Any) -> Variable:
    """What is measured of ensembles, between two looks as at the last."""
    return Variable(_TIME, "1", long_name, scale, **{"of": OF_ENSEMBLES, **more})


VARIABLES: dict[str, Variable] = {
    "plasma_ng_ml": Variable((*_TIME, "species"), "ng/mL", "venous plasma concentration", of=_BOTH),
    "arterial_ng_ml": Variable(
        (*_TIME, "species"), "ng/mL", "arterial plasma concentration", of=_BOTH
    ),
    "brain_uM": Variable((*_TIME, "species"), "uM", "unbound brain concentration", of=_BOTH),
    "occupancy": Variable(
        _TIME,
        "1",
        "receptor occupancy ([3H]MK-801 readout)",
        "share of receptors",
        of=_BOTH,
        high=1,
    ),
    "block": Variable(
        (*_TIME, "pool"),
        "1",
        "blocked share of NMDA current",
        "share of current",
        of=_BOTH,
        high=1,
    ),
    "rate_hz": Variable(
        (*_TIME, "class"),
        "Hz",
        "firing rate",
        error="rate_se_hz",
        made=lambda c: c.activity("rate_hz"),
    ),
    "rate_se_hz": Variable(
        (*_TIME, "class"),
        "Hz",
        "standard error of the firing rate",
        made=lambda c: c.activity("rate_se_hz"),
    ),
    "glutamate": Variable(
        _TIME,
        "%",
        "extracellular glutamate, % of baseline",
        made=lambda c: 100 * c.activity("glutamate") / c.start.glutamate,
    ),
    "ampa_throughput": Variable(
        _TIME,
        "1",
        "AMPA throughput onto E, ratio to baseline",
        "ratio to baseline",
        made=lambda c: c.relative("ampa_throughput"),
    ),
    "dissociation": Variable(
        _TIME,
        "1",
        "dissociation proxy: SST inhibition lost per E spike",
        "share lost",
        role="dendritic",
        low=-math.inf,
        high=1,
        made=lambda c: measures.dissociation(c.circuit, c.activity("rate_hz"), c.start.rate_hz),
    ),
    "pattern_shift": Variable(
        _TIME,
        "1",
        "shift of the pattern of E cells from baseline",
        "1 - correlation",  # divided by reliability: noise goes a little beyond 0, as 0 is its mean
        low=-math.inf,
        made=lambda c: c.activity("pattern_shift"),
    ),
    "calcium": Variable(
        _TIME,
        "1",
        "calcium entry through NMDA receptors of E, ratio to baseline",
        "ratio to baseline",
        made=lambda c: c.relative("calcium"),
    ),
    "balance": Variable(
        _TIME,
        "1",
        "balance of potentiation and depression, ratio to baseline",
        "ratio to baseline",
        made=lambda c: relative_balance(
            c.activity("potentiation"),
            c.activity("depression"),
            c.baseline,
            quiet=c.model.strength.quiet,
        ),
    ),
    "stress": Variable(_TIME, "1", "stress", "level"),
    "bdnf": Variable(_TIME, "1", "BDNF", "relative to healthy"),
    "eef2k": Variable(_TIME, "1", "eEF2 kinase activity", "relative to healthy"),
    "mtorc1": Variable(_TIME, "1", "mTORC1 activity", "relative to healthy"),
    "desensitisation": Variable(
        _TIME, "1", "TrkB signal that TrkB is used to", "relative to healthy", low=1
    ),
    "free_protein": Variable(
        _TIME, "1", "new protein free to be captured", "share of the most", high=1
    ),
    "protein": Variable(_TIME, "1", "synaptic proteins", "relative to healthy"),
    "tag": Variable(
        _TIME, "1", "early potentiation (tag)", "share of the healthy balance", low=-math.inf
    ),
    "weight": Variable(_TIME, "1", "synaptic weight", "relative to healthy"),
    "scaling": Variable(_TIME, "1", "homeostatic scaling", "relative to healthy"),
    "inhibitory_weight": Variable(
        _TIME, "1", "inhibitory weight onto principal cells", "relative to healthy"
    ),
    "recurrent": Variable(
        _TIME,
        "1",
        "recurrent strength J",
        "relative to healthy",
        made=lambda c: c.model.recurrent(c.y),
    ),
    "structure": Variable(
        _TIME,
        "1",
        "strength of synapses, weight x spines",
        "relative to healthy",
        made=lambda c: c.model.structure(c.y),
    ),
    "spine_density": Variable(
        _TIME,
        "1",
        "spine density",
        "relative to healthy",
        made=lambda c: c.model.spine_density(c.y),
    ),
    "vacant": Variable(
        _TIME,
        "1",
        "vacant sites (spines lost to stress)",
        "relative to healthy",
        made=lambda c: c.model.vacant(c.y),
    ),
    "spine_formation": Variable(
        _TIME, "1/d", "spine formation", made=lambda c: c.model.formation(c.y, c.stress)
    ),
    "spine_elimination": Variable(
        _TIME, "1/d", "spine elimination", made=lambda c: c.model.elimination(c.y, c.stress)
    ),
    "pv_integrity": Variable(
        _TIME, "1", "PV integrity", "relative to healthy", "perisomatic", high=1
    ),
    "tolerance": Variable(_TIME, "1", "tolerance (NMDA receptor up-regulation)", "share added"),
    "tone": Variable(_TIME, "1", "serotonergic tone", "level"),
    "clinical_effect": Variable(
        _TIME,
        "1",
        "clinical effect, Hedges g (negative is better)",
        "Hedges g",
        low=-math.inf,
        made=lambda c: c.model.clinical_effect(c.y, c.reference),
    ),
    "epsp_change": Variable(
        _TIME, "1", "change of the EPSP", "0: none; 1: doubled", of=_INDUCED, low=-1
    ),
    "efficacy": Variable(_TIME, "1", "efficacy of the synapse", "0 to 1", of=_INDUCED),
    "potentiation": Variable(_TIME, "1", "potentiation so far", "time constants", of=_INDUCED),
    "depression": Variable(_TIME, "1", "depression so far", "time constants", of=_INDUCED),
    "peak_calcium": Variable(
        _TIME, "1", "highest calcium so far", "threshold of depression", of=_INDUCED
    ),
    "spines_standing": Variable(_TIME, "1", "spines that stand", "relative to time 0", of=_EACH),
    "spines_formed": Variable(
        _TIME, "1", "spines formed since time 0", "share of those at time 0", of=_EACH
    ),
    "spines_lost": Variable(
        _TIME, "1", "spines lost since time 0", "share of those at time 0", of=_EACH, high=1
    ),
    "spines_turnover": Variable(
        _TIME, "1", "turnover since time 0", "(formed + lost) / all of both times", of=_EACH, high=1
    ),
    "spines_returned": Variable(
        _TIME, "1", "spines where a lost one was", "share of spines", of=_EACH, high=1
    ),
    "spines_transient": Variable(
        _TIME, "1", "transient spines", "share of spines", of=_EACH, high=1
    ),
    "spines_conductance": Variable(
        _TIME, "1", "conductance of all spines", "relative to time 0", of=_EACH
    ),
    "size_mean": Variable(_TIME, "1", "mean size of spines", "mean of lasting spines: 1", of=_EACH),
    "size_median": Variable(
        _TIME, "1", "median size of spines", "mean of lasting spines: 1", of=_EACH
    ),
    "size_of_half": Variable(
        _TIME, "1", "largest spines with half of all conductance", "share", of=_EACH, high=1
    ),
    "size_spread": Variable(
        _TIME, "1", "spread of sizes of spines", "standard deviation of ln size", of=_EACH
    ),
    "size_skewness": Variable(
        _TIME,
        "1",
        "skewness of ln size of spines",
        "0: lognormal",
        of=_EACH,
        low=-math.inf,
    ),
    "ensemble_weight": _ensembles("weight of synapses within ensembles", UNTAUGHT),
    "ensemble_weight_outward": _ensembles("weight to and from cells in no ensemble", UNTAUGHT),
    "ensemble_strength": _ensembles(
        "ensembles' weight x strength of all synapses", "healthy: 1", of=_TAUGHT
    ),
    "ensemble_spines_left": _ensembles(
        "spines within ensembles since teaching", "share left", of=_TAUGHT, high=1
    ),
    "ensemble_coactivity": _ensembles("co-activity within ensembles", PAIRS, low=-1, high=1),
    "outside_coactivity": _ensembles("co-activity outside ensembles", PAIRS, low=-1, high=1),
    "ensemble_completion": _ensembles(
        "completion: answer to a cue of cells not cued over that of cells outside",
        "1: no completion",
    ),
    "ensemble_overlap": _ensembles(
        "overlap: answer to a cue of other ensembles over that of cells outside", "1: no overlap"
    ),
    "delay_activity": _ensembles("rate of a cued ensemble after the cue", "before the cue: 1"),
    "delay_outside": _ensembles("rate outside ensembles after a cue", "before the cue: 1"),
    "recall_rate_hz": Variable((*_TIME, "class"), "Hz", "firing rate at recall", of=OF_ENSEMBLES),
    "gamma_power": Variable(_SNAP, "Hz^2", "gamma power, 30-80 Hz"),
    "delta_power": Variable(_SNAP, "Hz^2", "slow-delta power"),
    "gamma_peak_hz": Variable(_SNAP, "Hz", "gamma peak frequency"),
    "snapshot_rate_hz": Variable((*_SNAP, "class"), "Hz", "firing rate in the snapshot"),
    "spectrum": Variable((*_SNAP, "frequency"), "Hz^2/Hz", "spectrum of the E population rate"),
}
READABLE = tuple(name for name, variable in VARIABLES.items() if "frequency" not in variable.dims)


def impossible(arrays: Mapping[str, npt.NDArray[np.float64]]) -> Iterator[tuple[str, int, float]]:
    """Variables along a course, (times, ...), that no such thing can have: name, place of the first
    time, value there.
    """
    for name, values in arrays.items():
        variable = VARIABLES.get(name)
        low, high = (-math.inf, math.inf) if variable is None else (variable.low, variable.high)
        room = ERROR_OF_STEPS * (1 if variable is None else variable.size)
        rows = np.reshape(values, (len(values), -1))
        wrong = ~(np.isfinite(rows) & (rows >= low - room) & (rows <= high + room))
        if wrong.any():
            at = int(wrong.any(axis=1).argmax())
            yield name, at, float(rows[at][wrong[at]][0])


def require_possible(
    arrays: Mapping[str, npt.NDArray[np.float64]], t_h: npt.NDArray[np.float64]
) -> None:
    """Raises ValueError, with variable, time and value, for a course of what cannot be."""
    for name, at, found in impossible(arrays):
        when = f"at {t_h[at]:.4g} h: a parameter or a start is out of its useful range"
        if not math.isfinite(found):
            raise ValueError(f"the course of {name} leaves the finite {when}")
        raise ValueError(f"{name} is {found:.4g}, which is to be {bounds_of(name)}, {when}")


def bounds_of(name: str) -> str:
    """What a variable can be, in words."""
    variable = VARIABLES[name]
    unit = "" if variable.unit == "1" else f" {variable.unit}"
    ends = [
        f"{word} {end:g}{unit}"
        for word, end in (("at least", variable.low), ("at most", variable.high))
        if math.isfinite(end)
    ]
    return " and ".join(ends)


def variables_of(circuit: Circuit, kind: Kind = "course") -> dict[str, Variable]:
    """Those of a circuit's runs of a kind: all whose role, if they need one, some class of it
    has.
    """
    return {
        name: variable
        for name, variable in VARIABLES.items()
        if kind in variable.of and (variable.role is None or circuit.of_role(variable.role))
    }


def observe(
    circuit: Circuit,
    model: SlowModel,
    y: Array,
    activity: Callable[[str], Array],
    *,
    start: Activity,
    baseline: Activity,
    reference: Array,
    stress: Array,
) -> dict[str, Array]:
    """Variables of results.nc along a course that are known once it is stepped, those the circuit
    has; arguments as in `Recorded`. Block, and what is given, are not among them.
    """
    recorded = Recorded(circuit, model, y, activity, start, baseline, reference, stress)
    there = variables_of(circuit)
    states = {
        name: y[..., i]
        for i, name in enumerate(STATES)
        if name in there or name not in VARIABLES  # one without a row is kept, never shown
    }
    return states | {n: row.made(recorded) for n, row in there.items() if row.made is not None}
