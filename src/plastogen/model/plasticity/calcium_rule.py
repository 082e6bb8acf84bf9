"""In: models/rules/*.yaml and the spikes on both sides of a synapse. Out: its efficacy, decided by
calcium, event by event and exactly.

Calcium c = c_pre + c_post is in units of the threshold of depression; between spikes both parts
decay with `calcium_time`. With R the resources of release, U the share of them that a spike takes:

    presynaptic spike, `delay` later    R <- 1 - (1 - (R - U R)) exp(-gap / recovery)
                                        c_pre += presynaptic w U R left
    postsynaptic spike                  c_post += postsynaptic + coincidence c_pre
    c above potentiation_threshold      tau dw/dt = potentiation (1 - w) - depression w
    c between that and 1                tau dw/dt = -depression w
    c below 1                           nothing

`left` is the conductance of NMDA receptors that is left. A rule without `release` has U = 1 at full
resources and no w in its calcium. Calcium stays above a threshold th for calcium_time ln(c / th),
so that nothing is integrated in steps (Graupner and Brunel 2012; Deperrois and Graupner 2020).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
import numpy.typing as npt
import pydantic

from plastogen._base.definition import Definition
from plastogen._base.quantity import Fault, In, Quantity, faulty
from plastogen.model.circuit import (
    RATE_GROUPS,
    Circuit,
    Drift,
    Learner,
    RuleNumbers,
    measures,
    synapse_classes,
)

Array = npt.NDArray[np.float64]
Amount = Annotated[Quantity, In("1", minimum=0)]
Rate = Annotated[Quantity, In("1", above=0)]

ARRIVAL, SPIKE, LOOK = range(3)  # of events at one time: calcium comes in before it is read


class Release(Definition):
    """Section `release` of a rule: presynaptic resources that spikes use up."""

    share: Annotated[Quantity, In("1", above=0, maximum=1)]
    recovery: Annotated[Quantity, In("s", above=0)]


class Relief(Definition):
    """Section `magnesium` of a rule: the Mg2+ it was measured in, and the two voltages between
    which a postsynaptic spike relieves NMDA receptors of it.
    """

    concentration: Annotated[Quantity, In("mM", minimum=0)]
    resting: Annotated[Quantity, In("mV")]
    spike: Annotated[Quantity, In("mV")]


class ByClass(Definition):
    """What principal cells' rate and NMDA receptors make of one number of each class of synapse:
    baseline (rate / its own)^rate (conductance left times release)^left.

    baseline: group of the cell before -> group of the cell behind -> value.
    """

    baseline: dict[str, dict[str, Annotated[Quantity, In("1", minimum=0)]]]
    rate: Annotated[Quantity, In("1", minimum=0)]
    left: Annotated[Quantity, In("1", minimum=0)]

    @pydantic.model_validator(mode="after")
    def _all_classes(self) -> ByClass:
        found = {"baseline": list(self.baseline)}
        found |= {f"baseline.{pre}": list(row) for pre, row in self.baseline.items()}
        faults = []
        for at, given in found.items():
            missing = [name for name in RATE_GROUPS if name not in given]
            strange = [name for name in given if name not in RATE_GROUPS]
            if missing or strange:
                wanted = f"a value for each of {', '.join(RATE_GROUPS)}, and no other"
                faults.append(Fault(at, ", ".join(given) or "nothing", wanted))
        if faults:
            raise faulty(faults)
        return self

    def values(self, rate: npt.ArrayLike, left: npt.ArrayLike) -> Array:
        """By class, (..., classes), under rates relative to baseline and conductance left."""
        base = np.array([[float(self.baseline[a][b]) for b in RATE_GROUPS] for a in RATE_GROUPS])
        factor = np.asarray(rate) ** float(self.rate) * np.asarray(left) ** float(self.left)
        return np.asarray(factor[..., None] * base.ravel())


class StandIn(Definition):
    """Section `formula` of a rule: what a network would say of its synapses, without the network;
    fitted on the network (benchmarks/rule_formula.py).
    """

    potentiation: ByClass
    depression: ByClass
    drift_variance: ByClass

    def drift(self, rate: npt.ArrayLike, left: npt.ArrayLike) -> Drift:
        """What would move synapses, by class."""
        return Drift(
            self.potentiation.values(rate, left),
            self.depression.values(rate, left),
            self.drift_variance.values(rate, left),
        )


class CalciumRule(Definition):
    """One file of models/rules: how calcium moves the efficacy of an excitatory synapse."""

    title: str
    note: str | None = None
    calcium_time: Annotated[Quantity, In("ms", above=0)]
    presynaptic: Amount
    postsynaptic: Amount
    coincidence: Amount
    potentiation_threshold: Annotated[Quantity, In("1", above=1)]
    potentiation: Rate
    depression: Rate
    efficacy_time: Annotated[Quantity, In("s", above=0)]
    delay: Annotated[Quantity, In("ms", minimum=0)]
    initial: Annotated[Quantity, In("1", above=0, maximum=1)]
    release: Release | None = None
    magnesium: Relief
    in_vivo: Rate
    formula: StandIn | None = None


def numbers_of(rule: CalciumRule, *, scale: float = 1) -> RuleNumbers:
    """`rule` in plain floats, the amplitudes of calcium times `scale`."""
    release, tau_s = rule.release, float(rule.efficacy_time)
    return RuleNumbers(
        calcium_s=float(rule.calcium_time) / measures.MS_PER_S,
        presynaptic=scale * float(rule.presynaptic) * (float(release.share) if release else 1),
        postsynaptic=scale * float(rule.postsynaptic),
        coincidence=float(rule.coincidence),
        threshold=float(rule.potentiation_threshold),
        potentiation=float(rule.potentiation) / tau_s,
        depression=float(rule.depression) / tau_s,
        delay_s=float(rule.delay) / measures.MS_PER_S,
        initial=float(rule.initial),
        used=float(release.share) if release else 0,
        recovery_s=float(release.recovery) if release else 1,
        by_efficacy=1 if release else 0,
    )


def nmda_share(rule: CalciumRule) -> float:
    """Part of a spine's calcium that comes in through NMDA receptors, the rule's own amplitudes."""
    own, spike = float(rule.presynaptic), float(rule.postsynaptic)
    return own / (own + spike)


def in_magnesium(
    numbers: RuleNumbers, relief: Relief, free: Callable[[float, float], float], mg_mM: float
) -> RuleNumbers:
    """`numbers` at another concentration of Mg2+. `free(v_mV, mg_mM)`: share of open NMDA receptors
    that Mg2+ leaves free.

    A presynaptic spike alone meets receptors at the resting voltage; what a postsynaptic spike adds
    to that, 1 + coincidence, meets them at its peak. A rule of sums only has no such relief.
    """
    resting, spike, usual = (float(q) for q in (relief.resting, relief.spike, relief.concentration))
    alone = free(resting, mg_mM) / free(resting, usual)
    paired = (1 + numbers.coincidence) * free(spike, mg_mM) / free(spike, usual)
    return replace(
        numbers,
        presynaptic=numbers.presynaptic * alone,
        coincidence=max(0.0, paired / alone - 1) if numbers.coincidence else 0.0,
    )


def rule_in(circuit: Circuit, rule: CalciumRule, *, scale: float = 1) -> RuleNumbers:
    """`rule` in the Mg2+ of a circuit, the amplitudes of calcium times `scale`."""
    law, shares = circuit.magnesium, circuit.subunit_shares(f"{circuit.principal}.synaptic")

    def free(v_mV: float, mg_mM: float) -> float:
        return float(law.at(mg_mM).free(v_mV) @ shares)

    numbers = numbers_of(rule, scale=scale)
    return in_magnesium(numbers, rule.magnesium, free, float(law.concentration))


def learner_of(circuit: Circuit, rule: CalciumRule) -> Learner:
    """How synapses of a probe follow `rule`: in a living brain, their efficacies frozen, as many
    of them as are needed.
    """
    numbers = rule_in(circuit, rule, scale=float(rule.in_vivo))
    return Learner(numbers, every=synapse_classes.followed_every(circuit))


@dataclass(frozen=True)
class Efficacies:
    """A synapse at the times it was looked at, all (times,).

    efficacy: w. potentiation, depression: how often, in units of tau, either process has had time
    to act so far; potentiation / (potentiation + depression) is where w is driven to. peak_calcium:
    the highest calcium so far.
    """

    efficacy: Array
    potentiation: Array
    depression: Array
    peak_calcium: Array


class CalciumSynapse:
    """One synapse between events; times in s."""

    def __init__(self, numbers: RuleNumbers, initial: float) -> None:
        self.k, self.efficacy = numbers, initial
        self.c_pre = self.c_post = self.peak = 0.0
        self.potentiation = self.depression = 0.0
        self.resources, self.arrived_s, self.now_s = 1.0, -math.inf, -math.inf

    def advance(self, to_s: float) -> None:
        """Let time pass without spikes until `to_s`."""
        k, c = self.k, self.c_pre + self.c_post
        gap_s, self.now_s = to_s - self.now_s, to_s
        if c <= 0:
            return
        high = min(gap_s, max(0.0, k.calcium_s * math.log(c / k.threshold)))
        above = min(gap_s, max(0.0, k.calcium_s * math.log(c)))
        if above > 0:
            both = k.potentiation + k.depression
            goal = k.potentiation / both
            w = goal + (self.efficacy - goal) * math.exp(-high * both)
            self.efficacy = w * math.exp(-(above - high) * k.depression)
            self.potentiation += high * k.potentiation
            self.depression += above * k.depression
        left = math.exp(-gap_s / k.calcium_s)
        self.c_pre *= left
        self.c_post *= left

    def arrive(self, left: float) -> None:
        """A presynaptic spike arrives at NMDA receptors of which a share is `left`."""
        k = self.k
        remaining = self.resources * (1 - k.used)
        recovered = math.exp(-(self.now_s - self.arrived_s) / k.recovery_s)
        self.resources, self.arrived_s = 1 - (1 - remaining) * recovered, self.now_s
        by_efficacy = k.by_efficacy * self.efficacy + 1 - k.by_efficacy
        self.c_pre += k.presynaptic * by_efficacy * self.resources * left
        self.peak = max(self.peak, self.c_pre + self.c_post)

    def spike(self) -> None:
        """The postsynaptic cell fires."""
        self.c_post += self.k.postsynaptic + self.k.coincidence * self.c_pre
        self.peak = max(self.peak, self.c_pre + self.c_post)


def efficacies(
    numbers: RuleNumbers,
    pre_s: Iterable[float],
    post_s: Iterable[float],
    at_s: Sequence[float] | Array,
    *,
    left: Callable[[float], float] = lambda s: 1.0,
    initial: float | None = None,
) -> Efficacies:
    """A synapse at the times `at_s`, from the spikes of both cells (s, in any order).

    `left(s)`: conductance of NMDA receptors left when a presynaptic spike arrives; `initial`: the
    efficacy to begin with, the rule's own if it is not given.
    """
    synapse = CalciumSynapse(numbers, numbers.initial if initial is None else initial)
    events = [(s + numbers.delay_s, ARRIVAL) for s in pre_s]
    events += [(s, SPIKE) for s in post_s] + [(float(s), LOOK) for s in at_s]
    seen = []
    for s, kind in sorted(events):
        synapse.advance(s)
        if kind == ARRIVAL:
            synapse.arrive(left(s))
        elif kind == SPIKE:
            synapse.spike()
        else:
            seen.append((synapse.efficacy, synapse.potentiation, synapse.depression, synapse.peak))
    order = np.argsort(np.asarray(at_s, float), kind="stable")
    found = np.empty((len(seen), 4))
    found[order] = np.array(seen, float).reshape(-1, 4)
    return Efficacies(*found.T)
