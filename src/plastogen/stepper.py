"""In: the slow state, block and the circuit's activity at a time. Out: the same a macro step later, and its path.

One step of both clocks, with the activity of the circuit running linearly from one answer of the probe to the next.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from plastogen.circuit import CLASSES, Circuit, Drive
from plastogen.glutamate import bin_centres_mV
from plastogen.plasticity import STATES, Inputs, SlowModel
from plastogen.probe import Activity, State, agonist, reduce, voltages
from plastogen.receptor import BlockKinetics, Pool
from plastogen.switches import Switches
from plastogen.treated import Treated

Array = npt.NDArray[np.float64]

BLOCK_STEPS = 32  # of block within a macro step
INPUT_NODES = 9  # where the slow layer's inputs are evaluated within a macro step; linear between


@dataclass(frozen=True)
class Moment:
    """Where a course stands: time (h), slow state, blocked states of all pools, and the circuit's activity."""

    t_h: float
    y: Array
    blocked: Array
    activity: Activity


@dataclass(frozen=True)
class Path:
    """One macro step: from `start` to `end`, the slow state in between (dense) and block at `block_t_h`."""

    start: Moment
    end: Moment
    slow: Callable[[npt.ArrayLike], Array]
    block_t_h: Array
    block: Array  # (times, pools), before the block switches

    def activity(self, name: str, t_h: Array) -> Array:
        """A number of `Activity` along the step, (times, ...)."""
        share = (t_h - self.start.t_h) / (self.end.t_h - self.start.t_h)
        first, last = (np.asarray(getattr(m.activity, name), dtype=float) for m in (self.start, self.end))
        share = share.reshape((-1,) + (1,) * first.ndim)
        return np.asarray(first + share * (last - first))


class Stepper:
    """What one course is made of; `baseline` is the activity of the healthy, drug-free circuit of its seed."""

    def __init__(
        self, circuit: Circuit, model: SlowModel, treated: Treated, switches: Switches, baseline: Activity
    ) -> None:
        self.circuit, self.model, self.treated, self.switches = circuit, model, treated, switches
        self.baseline = baseline
        self.pools = tuple(circuit.pools())
        self.kinetics = BlockKinetics(
            [Pool(name, treated.subject.mix(shares)) for name, shares in circuit.pools().items()], treated.blockers,
            mg_mM=float(circuit.magnesium.concentration), mg_efold_mV=float(circuit.magnesium.efold),
        )  # fmt: skip
        self._site = np.array([switches.block.of(pool) for pool in self.pools])
        self._conductance = self._pool_weights()

    def _pool_weights(self) -> dict[str, Array]:
        """Class -> weights of its synaptic and tonic pools in its mean block (half each; rest is not counted)."""
        found = {}
        for name in CLASSES:
            chosen = np.array([pool.startswith(f"{name}.") and not pool.endswith(".rest") for pool in self.pools])
            found[name] = chosen / chosen.sum()
        return found

    def block(self, blocked: Array) -> Array:
        """Blocked share of each pool's conductance after the switches: (..., pools)."""
        return np.asarray(self.kinetics.fraction(blocked) * self._site)

    def state(self, t_h: float, y: Array, block: Array, *, before: bool = False) -> State:
        """What a probe at `t_h` would freeze, `block` by pool; `before` takes held levels as just before `t_h`."""
        when = np.array([np.nextafter(t_h, -np.inf) if before else t_h])
        effect = {name: float(value[0]) for name, value in self.treated.effects(when).items()}
        inhibition = float(self.treated.subject.inhibition)
        slow = dict(zip(STATES, y.tolist(), strict=True))
        raised = 1 + slow["tolerance"]
        left = (1 - block) * raised
        on = self.switches.feedback == "on"
        return State(
            nmdar=dict(zip(self.pools, left.tolist(), strict=True)),
            ampa=1 - effect.get("ampa", 0), gaba=inhibition * (1 - effect.get("gaba", 0)),
            release=1 - effect.get("release", 0), silence=effect.get("silence", 0), weight=slow["weight"] if on else 1,
            spines=float(self.model.spine_density(y)) if on else 1, scaling=slow["scaling"] if on else 1,
            pv_integrity=slow["pv_integrity"],
        )  # fmt: skip

    def drive(self, moment: Moment, *, before: bool = False) -> Drive:
        """What the network would be told at a moment."""
        return reduce(self.state(moment.t_h, moment.y, self.block(moment.blocked), before=before))

    def drives(self, path: Path) -> Array:
        """What it would be told along a step, at each `path.block_t_h`: (times, numbers of a `Drive`)."""
        along = zip(path.block_t_h, path.slow(path.block_t_h), path.block, strict=True)
        end = path.end.t_h  # a level that jumps here belongs to the next step, one at the start to this
        return np.array([reduce(self.state(t, y, block, before=t == end)).array() for t, y, block in along])

    def inputs(self, activity: Activity, stress: float) -> Inputs:
        """What the slow layer hears under lasting `activity` and stress, without drugs."""
        rate, passed = self._ratios(activity)
        return Inputs(rate_E=rate, ampa_throughput=passed, stress=stress)

    def _ratios(self, activity: Activity) -> tuple[float, float]:
        own, base = activity, self.baseline
        return float(own.rate_hz[0] / base.rate_hz[0]), float(own.ampa_throughput / base.ampa_throughput)

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
            v_mV=bin_centres_mV(), brain_uM=self.treated.blocker_uM(middles), dt_h=float(times[-1] - times[0]),
        )  # fmt: skip

    def _inputs(self, times: Array, block: Array, first: Activity, last: Activity) -> Callable[[float], Inputs]:
        every = (len(times) - 1) // (INPUT_NODES - 1)
        nodes = times[::every].copy()
        asked = nodes.copy()
        asked[-1] = np.nextafter(asked[-1], -np.inf)  # a level that starts or stops at the end belongs to the next step
        effects, zero = self.treated.effects(asked), np.zeros(len(nodes))
        share = (nodes - nodes[0]) / (nodes[-1] - nodes[0])
        (rate0, passed0), (rate1, passed1) = self._ratios(first), self._ratios(last)
        at_nodes = block[::every]
        resting = [i for i, pool in enumerate(self.pools) if pool.endswith(".rest")]
        rest_block = at_nodes[:, resting].mean(axis=1) if resting else zero
        table = np.stack([
            rate0 + share * (rate1 - rate0), passed0 + share * (passed1 - passed0), 1 - rest_block,
            at_nodes @ self._conductance["PV"], at_nodes @ self._conductance["E"],
            effects.get("bdnf", zero), effects.get("mtorc1", zero), effects.get("serotonin", zero),
            self.treated.stress(asked),
        ])  # fmt: skip
        origin, width = float(nodes[0]), float(nodes[1] - nodes[0])
        rows = table.T.tolist()

        def at(t_h: float) -> Inputs:
            place = min(max((t_h - origin) / width, 0.0), INPUT_NODES - 1.0)
            k = min(int(place), INPUT_NODES - 2)
            part = place - k
            return Inputs(*(a + part * (b - a) for a, b in zip(rows[k], rows[k + 1], strict=True)))

        return at
