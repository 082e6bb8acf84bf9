"""In: what an experiment says of one course. Out: `Plan`, all that determines it, and `Course`,
what came out.

A plan is followed by `adaptive` (one course, the network answers) or `lockstep` (many courses, an
emulator or the formula answers).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from plastogen.model import pharmacology
from plastogen.model.circuit import Circuit, measures
from plastogen.model.pharmacology import Drug, Subject, TreatedSubject, Treatment
from plastogen.model.plasticity import (
    CalciumRule,
    Ensembles,
    Induction,
    Intervention,
    Plasticity,
    SpineModel,
    Stimulation,
)
from plastogen.simulation.kinds import Kind, kind_of
from plastogen.simulation.switches import Switches

Array = npt.NDArray[np.float64]
Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Plan:
    """All that determines a course. Times in h from the first planned dose; `stress`: (start, end,
    level) spans. A part that is None is no part of it.

    >>> opened = plastogen.check("mine", set={"course.method": "formula"})
    >>> plan = opened.condition("ketamine").plan(seed=1, backend="numpy")
    >>> (plan.duration_h, plan.seed)
    (2.0, 1)
    """

    subject: Subject
    circuit: Circuit
    plasticity: Plasticity
    rule: CalciumRule
    drugs: Mapping[str, Drug]
    treatments: Mapping[str, Treatment]
    stress: tuple[tuple[float, float, float], ...]
    switches: Switches
    start_h: float
    duration_h: float
    grid_h: Array
    seed: int
    method: str
    window_s: float
    settle_s: float
    tolerance: float
    max_probes: int
    snapshots: Mapping[str, float] = field(default_factory=dict)
    start: Mapping[str, float] = field(default_factory=dict)
    backend: str | None = None
    emulator: str = ""  # the digest of the answers that stand in for the network
    induction: Induction | None = None  # followed in place of the slow state, under `rule`
    spines: SpineModel | None = None  # each followed, in this preparation
    preparation: str | None = None
    interventions: tuple[Intervention, ...] | None = None  # on single spines
    stimulations: tuple[Stimulation, ...] | None = None  # of cells, beside ensembles
    ensembles: Ensembles | None = None  # taught and recalled in the network, beside the course

    @property
    def kind(self) -> Kind:
        return kind_of(
            induction=self.induction is not None,
            ensembles=self.ensembles is not None,
            each=self.spines is not None,
        )

    @property
    def asks_network(self) -> bool:
        """Whether the spiking network is asked, for the course or beside it."""
        return self.method == "direct" or self.ensembles is not None


@dataclass(frozen=True, eq=False)
class Lives:
    """Every spine that stood in a course, in the order of their births; all (spines,) but
    `ln_size`, (spines, looks), NaN where it did not stand.

    site: its place among all sites of this seed; pre, post, contact, branch, place: as of `Sites`.
    kind: 0 transient, 1 lasting; returned: born where a lasting one was remembered. born_h, lost_h:
    infinite if it still stands.
    """

    look_h: npt.NDArray[Any]
    site: npt.NDArray[Any]
    pre: npt.NDArray[Any]
    post: npt.NDArray[Any]
    contact: npt.NDArray[Any]
    branch: npt.NDArray[Any]
    place: npt.NDArray[Any]
    kind: npt.NDArray[Any]
    returned: npt.NDArray[Any]
    born_h: npt.NDArray[Any]
    lost_h: npt.NDArray[Any]
    ln_size: npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Weights:
    """Which principal cells belong together, (groups, cells), and what each synapse between
    principal cells transmits relative to the circuit's, before and after teaching, (synapses,).
    """

    members: npt.NDArray[Any]
    pre: npt.NDArray[Any]
    post: npt.NDArray[Any]
    before: npt.NDArray[Any]
    after: npt.NDArray[Any]


@dataclass
class Course:
    """What came out. `arrays`: variable -> (times, ...) on `t_h`; `snapshots`: moment -> spikes and
    spectrum; `spines`: every one, where each is followed; `weights`: where ensembles are taught.

    >>> opened = plastogen.check("mine", set={"course.method": "formula"})
    >>> course = plastogen.simulate(opened.condition("ketamine").plan(seed=1, backend="numpy"))
    >>> bool(course.arrays["block"].max() > 0.1)
    True
    """

    t_h: Array
    arrays: dict[str, Array]
    pools: tuple[str, ...]
    species: tuple[str, ...]
    snapshots: dict[str, dict[str, npt.NDArray[Any]]]
    log: dict[str, Any]
    spines: Lives | None = None
    weights: Weights | None = None


def event_times(plan: Plan) -> tuple[float, ...]:
    """When anything that is given or done, or stress, starts or stops (h), sorted."""
    given = pharmacology.event_times(plan.treatments.values(), plan.stress)
    done = {t for one in plan.interventions or () for t in one.times_h}
    return tuple(sorted({*given, *done}))


def treated_of(plan: Plan) -> TreatedSubject:
    """The subject of a course and all that is given to it."""
    metabolites = plan.switches.metabolites == "on"
    return TreatedSubject(
        plan.subject,
        plan.drugs,
        plan.treatments,
        plan.stress,
        metabolites=metabolites,
        pools=plan.circuit.pools(),
        currents=measures.unit_currents(plan.circuit),
    )
