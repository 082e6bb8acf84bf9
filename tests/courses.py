"""Plans for tests: one subject, one circuit whose formula answers as written here, and what is
given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from circuit_files import NUMBERS

from plastogen._base.library import Library
from plastogen.model.circuit import Activity, Circuit
from plastogen.model.pharmacology.drug import Drug
from plastogen.model.pharmacology.regimen import Treatment, holds, inputs
from plastogen.model.pharmacology.subject import Subject
from plastogen.model.plasticity.calcium_rule import CalciumRule
from plastogen.model.plasticity.definition import Plasticity
from plastogen.simulation.course import Course, Plan
from plastogen.simulation.lockstep import alike, simulate_formulas
from plastogen.simulation.switches import Switches
from plastogen.simulation.time_grid import grid

LIBRARY = Library()
RULE = LIBRARY.load("rules", "visual_nonlinear", CalciumRule)
GAINS: dict[str, dict[str, float]] = {
    "E": {
        "nmda_E": 0.6, "nmda_PV": -0.2, "nmda_SST": -0.6, "tonic_E": 0.3, "tonic_PV": -0.5, "tonic_SST": -0.8,
        "ampa": 0.3, "gaba": -0.5, "release": 0.2, "recurrent": 0.7, "inhibitory_weight": -0.9, "pv_output": -0.2,
        "silence": -4,
    },
    "PV": {"nmda_PV": 0.3, "tonic_PV": 0.7, "recurrent": 0.6, "ampa": 0.8, "nmda_E": 0.4, "silence": -4},
    "SST": {"nmda_SST": 0.5, "tonic_SST": 1.2, "recurrent": 0.5, "ampa": 0.4, "silence": -3},
}  # fmt: skip
INFUSION: dict[str, Any] = {
    "drug": "ketamine",
    "dose": "0.5 mg/kg",
    "route": "iv",
    "over": "40 min",
    "at": "0 h",
}
KETAMINE = {"infusion": INFUSION}
BATH = {"bath": {"drug": "ketamine", "brain": "3 uM", "at": "0 h", "for": "6 h"}}


@lru_cache
def answering(name: str = "small", gains: str = "own") -> Circuit:
    """Circuit `name` with the slopes of `GAINS`, or with none ("flat")."""
    overrides: dict[str, object] = {
        f"formula.gain.{cls}.{number}": GAINS[cls].get(number, 0) if gains == "own" else 0
        for cls in GAINS
        for number in NUMBERS
    }
    return LIBRARY.load("circuits", name, Circuit, overrides=overrides)


def ratios(activity: Activity, base: Activity, rule: CalciumRule) -> dict[str, Any]:
    """What the slow layer is told of a circuit, written out again: ratios to the healthy one."""
    own, spike = float(rule.presynaptic), float(rule.postsynaptic)
    rate = activity.rate_hz[..., 0] / base.rate_hz[..., 0]
    entry = activity.calcium / base.calcium

    quiet = float(LIBRARY.load("plasticity", "all", Plasticity).synapse.quiet)

    def goal(a: Activity) -> Any:
        up, down = (
            a.potentiation + quiet * base.potentiation,
            a.depression + quiet * base.depression,
        )
        return np.mean(up / (up + down), axis=-1)

    def moved(a: Activity) -> Any:
        return np.sum(a.potentiation, axis=-1) + np.sum(a.depression, axis=-1)

    return {
        "rate_E": rate,
        "rate_I": activity.rate_hz[..., 1:].sum(-1) / base.rate_hz[..., 1:].sum(-1),
        "ampa_throughput": activity.ampa_throughput / base.ampa_throughput,
        "calcium": (own * entry + spike * rate) / (own + spike),
        "balance": goal(activity) / goal(base),
        "above_threshold": moved(activity) / moved(base),
    }


def plan(
    give: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    subject: str = "healthy_adult",
    circuit: Circuit | None = None,
    plasticity: str = "all",
    rule: CalciumRule | None = None,
    tuned: Mapping[str, object] | None = None,
    switches: Mapping[str, Any] | None = None,
    hours: float = 24,
    start_h: float = -1,
    method: str = "formula",
    tolerance: float = 0.02,
    max_probes: int = 400,
    also_at: tuple[float, ...] = (),
    drugs: Mapping[str, Drug] | None = None,
    window_s: float = 2,
    **more: Any,
) -> Plan:
    """A plan; `tuned` overrides numbers of the plasticity file, `also_at` are more times to write
    down.
    """
    treatments = {name: Treatment.model_validate(t) for name, t in (give or {}).items()}
    weight = 70.0
    events = {
        x
        for t in treatments.values()
        for i in inputs(t, weight, 1.0)  # times alone count
        for x in (i.start_h, i.start_h + i.duration_h)
    }
    events |= {x for t in treatments.values() for h in holds(t) for x in (h.start_h, h.end_h)}
    times = np.unique(np.concatenate([grid(start_h, hours, sorted(events)), also_at]))
    return Plan(
        subject=LIBRARY.load("subjects", subject, Subject),
        circuit=circuit or answering(),
        plasticity=LIBRARY.load("plasticity", plasticity, Plasticity, overrides=tuned or {}),
        rule=rule or RULE,
        drugs=drugs or {t.drug: LIBRARY.load("drugs", t.drug, Drug) for t in treatments.values()},
        treatments=treatments,
        stress=more.pop("stress", ()),
        switches=Switches.model_validate(switches or {}),
        start_h=start_h,
        duration_h=hours,
        grid_h=times,
        seed=more.pop("seed", 1),
        method=method,
        window_s=window_s,
        settle_s=0.5,
        tolerance=tolerance,
        max_probes=max_probes,
        **more,
    )


def simulate_all(plans: Sequence[Plan]) -> list[Course]:
    """The course of each of `plans`, with the answers of their formula: with the same bits as one
    alone, in a tenth of the time, for those that are alike are simulated side by side.
    """
    groups: dict[str, list[int]] = {}
    for i, one in enumerate(plans):
        groups.setdefault(alike(one), []).append(i)
    found: dict[int, Course] = {}
    for places in groups.values():
        found |= zip(places, simulate_formulas([plans[i] for i in places]), strict=True)
    return [found[i] for i in range(len(plans))]
