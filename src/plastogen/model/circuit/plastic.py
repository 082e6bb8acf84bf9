"""In: a network's principal cells. Out: Brian2 synapses between them that follow a calcium rule
from spike to spike, beside those that transmit.

They are the same pairs as the network's own: drawn by the same random numbers. They are in double,
whatever the network is in. Each has a `size`, its conductance relative to the circuit's: what it
transmits beside the network's own synapse is size - 1, which may be negative, for arrivals add up.

The equations are those of `plasticity.calcium_rule`, to which tests hold them. Per synapse:
efficacy; calcium of presynaptic and of postsynaptic origin at its last event, at `seen`;
presynaptic resources at the last arrival, at `arrived`; since `from_s`: potentiation and depression
(how often, in units of tau, either process has had time to act) and what presynaptic spikes let in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from plastogen.model.circuit.measures import MS_PER_S
from plastogen.model.circuit.precision import SYNAPSES, write_in_double

Array = npt.NDArray[Any]

NUMBERS: dict[str, str] = {  # what all synapses share: name -> unit
    "calcium_s": "second",
    "presynaptic": "1",
    "postsynaptic": "1",
    "coincidence": "1",
    "threshold": "1",
    "potentiation_rate": "hertz",
    "depression_rate": "hertz",
    "used": "1",
    "recovery_s": "second",
    "by_efficacy": "1",
    "from_s": "second",
}
STATES: dict[str, str] = {
    "size": "1",
    "efficacy": "1",
    "by_nmda": "1",
    "by_spike": "1",
    "resources": "1",
    "arrived": "second",
    "seen": "second",
    "potentiation": "1",
    "depression": "1",
    "let_in": "1",
}
INDICES = ("_synaptic_pre", "_synaptic_post")
KEPT = (*INDICES, *STATES)  # what is read of synapses after a run
READ = tuple(f"P.{name}" for name in KEPT)
NEVER_S = -1_000_000_000  # when a synapse that has met no spike met its last


@dataclass(frozen=True)
class RuleNumbers:
    """A calcium rule in plain floats; seconds, calcium in units of the threshold of depression.

    presynaptic: calcium of a spike at full resources, before efficacy where `by_efficacy` is 1 (it
    is 0 in a rule without release). used: share of the resources that a spike takes, 0 where they
    do not tire. potentiation, depression: 1/s.
    """

    calcium_s: float
    presynaptic: float
    postsynaptic: float
    coincidence: float
    threshold: float
    potentiation: float
    depression: float
    delay_s: float
    initial: float
    used: float
    recovery_s: float
    by_efficacy: float


@dataclass(frozen=True)
class Learner:
    """How synapses learn, as far as it is compiled in: with a frozen efficacy what would move it is
    only counted, unless it is `live`; `sized`: each transmits as much as its size says, and where
    it `follows`, as much as size times efficacy. One pair of cells in `every` has a synapse that
    learns, the same number before and behind every cell.
    """

    rule: RuleNumbers
    live: bool = False
    sized: bool = False
    every: int = 1
    follows: bool = False

    def baked(self, step_ms: float) -> dict[str, Any]:
        """The arguments of `synapses`, and of which pairs: calcium comes whole steps after its
        spike.
        """
        steps = round(self.rule.delay_s * MS_PER_S / step_ms)
        found = {"calcium_delay_ms": step_ms * steps, "live": self.live, "sized": self.sized}
        found |= {"follows": True} if self.follows else {}
        return found if self.every == 1 else found | {"every": self.every}


def values(rule: RuleNumbers, *, left: float, from_s: float) -> dict[str, float]:
    """What all synapses share, SI units; names as in `NUMBERS`. `left`: share left of the
    conductance of NMDA receptors, times release.
    """
    return {
        "calcium_s": rule.calcium_s,
        "presynaptic": left * rule.presynaptic,
        "postsynaptic": rule.postsynaptic,
        "coincidence": rule.coincidence,
        "threshold": rule.threshold,
        "potentiation_rate": rule.potentiation,
        "depression_rate": rule.depression,
        "used": rule.used,
        "recovery_s": rule.recovery_s,
        "by_efficacy": rule.by_efficacy,
        "from_s": from_s,
    }


def initial(efficacy: npt.ArrayLike, size: npt.ArrayLike = 1.0) -> dict[str, npt.ArrayLike]:
    """What synapses begin with that have met no spike; names as in `STATES`."""
    fresh: dict[str, npt.ArrayLike] = dict.fromkeys(STATES, 0.0)
    met = {"resources": 1.0, "arrived": NEVER_S, "seen": NEVER_S}
    return fresh | met | {"size": size, "efficacy": efficacy}


@dataclass(frozen=True, eq=False)
class Learning:
    """What became of every synapse between principal cells in a run; all (synapses,), in an order
    that is the same for the same circuit and seed.

    pre, post: the cells. size: conductance relative to the circuit's. efficacy: at the end.
    potentiation, depression: how often, in units of tau, either process has had time to act after
    settling; calcium: the mean of what presynaptic spikes let in, in units of the threshold of
    depression.
    """

    pre: Array
    post: Array
    size: Array
    efficacy: Array
    potentiation: Array
    depression: Array
    calcium: Array


def learned(
    found: Mapping[str, Array], shared: Mapping[str, float], end_s: float, *, live: bool
) -> Learning:
    """What synapses are in at `end_s`, from what they were in after their last events."""
    k = shared
    calcium, seen = found["by_nmda"] + found["by_spike"], found["seen"]
    gap = end_s - seen
    high = _time_above(calcium, k["threshold"], k["calcium_s"], gap)
    above = _time_above(calcium, 1.0, k["calcium_s"], gap)
    both = k["potentiation_rate"] + k["depression_rate"]
    goal, efficacy = k["potentiation_rate"] / both, found["efficacy"]
    if live:
        efficacy = goal + (efficacy - goal) * np.exp(-high * both)
        efficacy = efficacy * np.exp(-(above - high) * k["depression_rate"])
    return Learning(
        pre=found["_synaptic_pre"],
        post=found["_synaptic_post"],
        size=found["size"],
        efficacy=efficacy,
        potentiation=found["potentiation"]
        + np.clip(seen + high - k["from_s"], 0, high) * k["potentiation_rate"],
        depression=found["depression"]
        + np.clip(seen + above - k["from_s"], 0, above) * k["depression_rate"],
        calcium=k["calcium_s"] * found["let_in"] / (end_s - k["from_s"]),
    )


NOW = "t"  # what time it is for a synapse, unless somebody keeps another time
UPDATE = """
gap = now - seen
high = time_above(by_nmda + by_spike, threshold, calcium_s, gap)
above = time_above(by_nmda + by_spike, 1.0, calcium_s, gap)
potentiation = potentiation + clip(seen + high - from_s, 0*high, high)*potentiation_rate
depression = depression + clip(seen + above - from_s, 0*above, above)*depression_rate
left = decayed(gap/calcium_s)
by_nmda = by_nmda*left
by_spike = by_spike*left
seen = now
"""
LEARN = """
both = potentiation_rate + depression_rate
goal = potentiation_rate / both
efficacy = goal + (efficacy - goal)*decayed(high*both)
efficacy = efficacy*decayed((above - high)*depression_rate)
"""
ARRIVAL = """
resources = 1 - (1 - resources*(1 - used))*decayed((now - arrived)/recovery_s)
arrived = now
jump = presynaptic*(by_efficacy*efficacy + 1 - by_efficacy)*resources
by_nmda = by_nmda + jump
let_in = let_in + jump*int(now >= from_s)
"""
SPIKE = """
by_spike = by_spike + postsynaptic + coincidence*by_nmda
"""
TRANSMISSION = "x_ampa_post += out_ampa_pre*(size - 1); x_nmda_post += ds_pre*(size - 1)"
CPP = {
    "_time_above": """
static inline double _time_above(double c, double threshold, double tau, double gap)
{
    if (c <= threshold)
        return 0;
    const double found = tau*log(c/threshold);
    return found < gap ? found : gap;
}
""",
    "_decayed": """
static inline double _decayed(double x)
{
    return x == 0 ? 1 : exp(-x);
}
""",
}


def equations() -> list[str]:
    """All that is written in Brian2's language, and in C++, of synapses that follow a rule."""
    declared = [f"{name} : {unit}" for name, unit in (STATES | NUMBERS).items()]
    return [*declared, UPDATE, LEARN, ARRIVAL, SPIKE, TRANSMISSION, *CPP.values()]


def _time_above(c: Array, threshold: float, tau: float, gap: Array) -> Array:
    """For how long calcium that is `c` now stays above a threshold within `gap`."""
    return np.asarray(np.minimum(gap, tau * np.log(np.maximum(c, threshold) / threshold)))


def synapses(
    group: Any,
    target: Any,
    *,
    calcium_delay_ms: float,
    live: bool,
    sized: bool = False,
    follows: bool = False,
    delay_ms: float = 0,
    now: str = NOW,
    namespace: Mapping[str, Any] | None = None,
) -> Any:
    """Synapses of the rule from `group` to `target`, not connected, as a `Learner` has them;
    `delay_ms`: of what they transmit; `now`: what time it is for them, of names in `namespace`.
    """
    import brian2 as b2

    ms = b2.ms
    delays = {"calcium": calcium_delay_ms * ms}
    update = UPDATE + LEARN if live else UPDATE
    arrival = {"calcium": update + ARRIVAL}
    if sized:
        delays["transmission"] = delay_ms * ms
        follows_efficacy = TRANSMISSION.replace("size", "size*efficacy")
        arrival["transmission"] = follows_efficacy if follows else TRANSMISSION
    made = b2.Synapses(
        group,
        target,
        model="\n".join(
            [f"{name} : {unit}" for name, unit in STATES.items()]
            + [f"{name} : {unit} (shared)" for name, unit in NUMBERS.items()]
            + [f"now = {now} : second (shared)"]
        ),
        on_pre=arrival,
        on_post=update + SPIKE,
        delay=delays,
        name="P",
        namespace=_functions() | dict(namespace or {}),
        dtype=SYNAPSES,
    )
    for pathway in made._pathways:
        write_in_double(pathway)
    made.calcium.order = -1  # calcium that comes in as the cell fires is there for its spike
    return made


def _functions() -> dict[str, Any]:
    """What the equations call: each skips its logarithm or exponential where that is plain."""
    import brian2 as b2

    second = b2.second
    above = b2.Function(_time_above, arg_units=[1, 1, second, second], return_unit=second)
    decayed = b2.Function(lambda x: np.exp(-x), arg_units=[1], return_unit=1)
    for function, name in ((above, "_time_above"), (decayed, "_decayed")):
        function.implementations.add_numpy_implementation(function.pyfunc, discard_units=True)
        function.implementations.add_implementation("cpp", CPP[name], name=name)
    return {"time_above": above, "decayed": decayed}
