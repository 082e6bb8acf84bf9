"""In: the slow state, block and the circuit's activity at a time. Out: the same a macro step later,
and its path.

One step of both clocks, with the activity of the circuit running linearly from one answer of the
probe to the next.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from plastogen.model.circuit import (
    PRINCIPAL,
    Activity,
    Circuit,
    Drive,
    State,
    agonist,
    bin_centres_mV,
    reduce,
    voltages,
)
from plastogen.model.pharmacology import BlockKinetics, Pool, TreatedSubject
from plastogen.model.plasticity import STATES, Inputs, SlowModel
from plastogen.simulation.switches import Switches

Array = npt.NDArray[np.float64]

BLOCK_STEPS = 32  # of block within a macro step
INPUT_NODES = 9  # where the slow layer's inputs are evaluated within a macro step; linear between


@dataclass(frozen=True)
class Moment:
    """Where a course stands: time (h), slow state, blocked states of all pools, and the circuit's
    activity.
    """

    t_h: float
    y: Array
    blocked: Array
    activity: Activity


@dataclass(frozen=True)
class Path:
    """One macro step: from `start` to `end`, the slow state in between (dense) and block at
    `block_t_h`.
    """

    start: Moment
    end: Moment
    slow: Callable[[npt.ArrayLike], Array]
    block_t_h: Array
    block: Array  # (times, pools), before the block switches

    def activity(self, name: str, t_h: Array) -> Array:
        """A number of `Activity` along the step, (times, ...)."""
        share = (t_h - self.start.t_h) / (self.end.t_h - self.start.t_h)
        first, last = (
            np.asarray(getattr(m.activity, name), dtype=float) for m in (self.start, self.end)
        )
        share = share.reshape((-1,) + (1,) * first.ndim)
        return np.asarray(first + share * (last - first))


def kinetics_of(circuit: Circuit, treated: TreatedSubject) -> BlockKinetics:
    """How the pools of a circuit are blocked by what is given."""
    return BlockKinetics(
        [Pool(name, treated.subject.mix(shares)) for name, shares in circuit.pools().items()],
        treated.blockers,
        mg_mM=float(circuit.magnesium.concentration),
        mg_efold_mV=float(circuit.magnesium.efold),
    )


def frozen(
    left: dict[str, Any],
    slow: Mapping[str, Any],
    density: Any,
    effect: Mapping[str, Any],
    *,
    inhibition: Any,
    feedback: bool,
) -> State:
    """What a probe freezes: NMDA conductance `left` by pool, the slow state by name, effects on
    other targets.

    Numbers, or arrays with one number a course. Without `feedback` the circuit hears nothing of its
    synapses.
    """
    return State(
        nmdar=left,
        ampa=1 - effect.get("ampa", 0),
        gaba=inhibition * (1 - effect.get("gaba", 0)),
        release=1 - effect.get("release", 0),
        silence=effect.get("silence", 0),
        weight=slow["weight"] if feedback else 1,
        spines=density if feedback else 1,
        scaling=slow["scaling"] if feedback else 1,
        pv_integrity=slow["pv_integrity"],
    )


def ratios(activity: Activity, baseline: Activity) -> tuple[Any, Any]:
    """Rate of principal cells and AMPA throughput, relative to the healthy circuit's."""
    rate = activity.rate_hz[..., PRINCIPAL] / baseline.rate_hz[..., PRINCIPAL]
    return rate, activity.ampa_throughput / baseline.ampa_throughput


def inputs(
    circuit: Circuit,
    block: Array,
    *,
    rate_E: Array,
    ampa_throughput: Array,
    effect: Mapping[str, Array],
    stress: Array,
) -> Inputs:
    """What the slow layer hears at many times, or in many courses: `block` is (..., pools), the
    others (...).

    The block of principal and of perisomatic cells is the mean of their synaptic and tonic
    receptors; those at rest are not counted.
    """
    pools, perisomatic = tuple(circuit.pools()), circuit.of_role("perisomatic")
    zero = np.zeros(block.shape[:-1])

    def mean_block(classes: Sequence[str], *kinds: str) -> Array:
        wanted = {f"{name}.{kind}" for name in classes for kind in kinds}
        chosen = [i for i, pool in enumerate(pools) if pool in wanted]
        return np.asarray(block[..., chosen].mean(axis=-1)) if chosen else zero

    return Inputs(
        rate_E=rate_E,
        ampa_throughput=ampa_throughput,
        rest_current=1 - mean_block([circuit.principal], "rest"),
        pv_block=mean_block(perisomatic, "synaptic", "tonic"),
        e_block=mean_block([circuit.principal], "synaptic", "tonic"),
        sequestered_bdnf=effect.get("bdnf", zero),
        mtorc1_blocked=effect.get("mtorc1", zero),
        serotonin=effect.get("serotonin", zero),
        stress=stress,
    )


class Stepper:
    """What one course is made of; `baseline` is the activity of the healthy, drug-free circuit of
    its seed.
    """

    def __init__(
        self,
        circuit: Circuit,
        model: SlowModel,
        treated: TreatedSubject,
        switches: Switches,
        baseline: Activity,
    ) -> None:
        self.circuit, self.model, self.treated, self.switches = circuit, model, treated, switches
        self.baseline = baseline
        self.pools = tuple(circuit.pools())
        self.kinetics = kinetics_of(circuit, treated)
        self._site = np.array([switches.block.of(pool) for pool in self.pools])

    def block(self, blocked: Array) -> Array:
        """Blocked share of each pool's conductance after the switches: (..., pools)."""
        return np.asarray(self.kinetics.fraction(blocked) * self._site)

    def state(self, t_h: float, y: Array, block: Array, *, before: bool = False) -> State:
        """What a probe at `t_h` would freeze, `block` by pool; `before` takes held levels as just
        before `t_h`.
        """
        when = np.array([np.nextafter(t_h, -np.inf) if before else t_h])
        effect = {name: float(value[0]) for name, value in self.treated.effects(when).items()}
        slow = dict(zip(STATES, y.tolist(), strict=True))
        left = dict(zip(self.pools, ((1 - block) * (1 + slow["tolerance"])).tolist(), strict=True))
        return frozen(
            left,
            slow,
            float(self.model.spine_density(y)),
            effect,
            inhibition=float(self.treated.subject.inhibition),
            feedback=self.switches.feedback == "on",
        )

    def drive(self, moment: Moment, *, before: bool = False) -> Drive:
        """What the network would be told at a moment."""
        return reduce(
            self.circuit,
            self.state(moment.t_h, moment.y, self.block(moment.blocked), before=before),
        )

    def drives(self, path: Path) -> Array:
        """What it would be told along a step, at each `path.block_t_h`: (times, numbers of a
        `Drive`).
        """
        along = zip(path.block_t_h, path.slow(path.block_t_h), path.block, strict=True)
        end = (
            path.end.t_h
        )  # a level that jumps here belongs to the next step, one at the start to this
        return np.array(
            [
                reduce(self.circuit, self.state(t, y, block, before=t == end)).array(self.circuit)
                for t, y, block in along
            ]
        )

    def inputs(self, activity: Activity, stress: float) -> Inputs:
        """What the slow layer hears under lasting `activity` and stress, without drugs."""
        rate, passed = ratios(activity, self.baseline)
        return Inputs(rate_E=float(rate), ampa_throughput=float(passed), stress=stress)

    def step(self, start: Moment, end_h: float, arriving: Activity | None = None) -> Path:
        """From `start` to `end_h`, the activity running to `arriving` (None: staying as it is)."""
        last = start.activity if arriving is None else arriving
        times = np.linspace(start.t_h, end_h, BLOCK_STEPS + 1)
        path = self._advance_block(start, last, times)
        block = self.block(path)
        heard = self._inputs(times, block, start.activity, last)
        _, y, dense = self.model.advance(start.y, start.t_h, end_h, heard)
        return Path(start, Moment(end_h, y[-1], path[-1], last), dense, times, block)

    def _advance_block(self, start: Moment, last: Activity, times: Array) -> Array:
        if not self.kinetics.species:
            return np.zeros((len(times), *self.kinetics.shape))
        middles = (times[1:] + times[:-1]) / 2
        own = [agonist(self.circuit, a, self.baseline) for a in (start.activity, last)]
        shape = [voltages(self.circuit, a) for a in (start.activity, last)]
        return self.kinetics.advance(
            start.blocked,
            a_start=np.array([own[0][pool] for pool in self.pools]),
            a_end=np.array([own[1][pool] for pool in self.pools]),
            v_weights_start=np.array([shape[0][pool] for pool in self.pools]),
            v_weights_end=np.array([shape[1][pool] for pool in self.pools]),
            v_mV=bin_centres_mV(),
            brain_uM=self.treated.blocker_uM(middles),
            dt_h=float(times[-1] - times[0]),
        )

    def _inputs(
        self, times: Array, block: Array, first: Activity, last: Activity
    ) -> Callable[[float], Inputs]:
        every = (len(times) - 1) // (INPUT_NODES - 1)
        nodes = times[::every].copy()
        asked = nodes.copy()
        asked[-1] = np.nextafter(
            asked[-1], -np.inf
        )  # a level that starts or stops at the end belongs to the next step
        share = (nodes - nodes[0]) / (nodes[-1] - nodes[0])
        (rate0, passed0), (rate1, passed1) = (
            ratios(first, self.baseline),
            ratios(last, self.baseline),
        )
        told = inputs(
            self.circuit,
            block[::every],
            rate_E=rate0 + share * (rate1 - rate0),
            ampa_throughput=passed0 + share * (passed1 - passed0),
            effect=self.treated.effects(asked),
            stress=self.treated.stress(asked),
        )
        origin, width = float(nodes[0]), float(nodes[1] - nodes[0])
        rows = np.stack([getattr(told, field.name) for field in fields(Inputs)], axis=-1).tolist()

        def at(t_h: float) -> Inputs:
            place = min(max((t_h - origin) / width, 0.0), INPUT_NODES - 1.0)
            k = min(int(place), INPUT_NODES - 2)
            part = place - k
            return Inputs(*(a + part * (b - a) for a, b in zip(rows[k], rows[k + 1], strict=True)))

        return at
