"""In: nothing. Out: the figures there are, a row each: caption, what it needs, what it takes.

Everything that names figures reads this table. A row `name` is drawn by the function `plot_<name>`
of `plastogen/figures/_<name>.py`, which takes the results and what `takes` lists.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from plastogen.simulation import COURSES, OF_ENSEMBLES, OF_SPINES, Kind

Taken: TypeAlias = Literal[
    "circuit", "claims", "ensembles", "overlay", "readouts", "spikes", "spines", "verdicts"
]


@dataclass(frozen=True)
class Figure:
    """One figure. `caption`: what it shows; `takes`: what is drawn beside the results.

    With `own_data` it is drawn when somebody lays their own data over the course, never for an
    experiment. Of an experiment it needs so many `snapshots`, so many `numbers` that are swept (or
    virtual subjects), with `responders` virtual subjects of whom a readout says yes or no, with
    `held` an arm that holds a concentration, with `claims` a claim, and that it is `of` one of
    these kinds.
    """

    caption: str
    snapshots: int = 0
    numbers: int = 0
    responders: bool = False
    own_data: bool = False
    held: bool = False
    claims: bool = False
    takes: tuple[Taken, ...] = ()
    of: tuple[Kind, ...] = (*COURSES, "induction")


# name in an experiment's `figures:` -> its row
FIGURES: dict[str, Figure] = {
    "timeline": Figure(
        "From dose to spine. Left, one arm: concentration, block, firing and signals. "
        "Right, all arms: glutamate, early potentiation, free new protein, and what synapses make "
        "of the two: synaptic weight and spine density. Time is linear near dosing and "
        "logarithmic later.",
        takes=("overlay",),
        of=COURSES,
    ),
    "acute": Figure(
        "The first hours: unbound drug in the brain, receptors blocked, glutamate, the "
        "rate of each class.",
        takes=("overlay",),
        of=COURSES,
    ),
    "own_data": Figure(
        "Somebody's own measurements beside the course of the model, a panel each variable, "
        "and how well the two agree.",
        takes=("overlay",),
        own_data=True,
        of=COURSES,
    ),
    "arms": Figure(
        "Readouts of all arms, every seed a dot, with mean and 95 % interval.",
        takes=("verdicts", "readouts"),
    ),
    "claims": Figure(
        "All claims by the arm they are about: what is predicted, with its 95 % interval, "
        "beside what was found or is asked for, and the verdict; misses stand out.",
        claims=True,
        takes=("verdicts",),
    ),
    "raster": Figure(
        "Spikes of one run in each snapshot, the rate of each class, and the spectrum of "
        "the E rate with the slow-delta and gamma bands.",
        snapshots=1,
        takes=("spikes",),
        of=COURSES,
    ),
    "circuit": Figure(
        "The circuit as its file defines it: classes by number of cells, connections by "
        "probability × conductance, and the pools of NMDA receptors where block acts.",
        takes=("circuit",),
    ),
    "block": Figure(
        "Share of each pool of NMDA receptors that is blocked, against the unbound "
        "concentration in the brain.",
        held=True,
    ),
    "sweep": Figure(
        "Readouts against dose or against the swept value, with 95 % intervals; of points "
        "drawn over many numbers, each readout against the number it follows most "
        "closely. Open symbols: ranges that claims with a source ask for at a point.",
        takes=("readouts", "claims"),
    ),
    "spectra": Figure(
        "Gamma and slow-delta power in each snapshot, relative to the first, and dissociation.",
        snapshots=2,
        of=COURSES,
    ),
    "landscape": Figure(
        "Readouts over two swept numbers, the treated arm less the untreated: colour and "
        "contours, straight between the points that were run.",
        numbers=2,
    ),
    "plane": Figure(
        "The first readout over the second and the third: the swept arm as colour and contours, "
        "straight between the points that were run; the other arms as points on it.",
        numbers=1,
        takes=("readouts",),
    ),
    "courses": Figure(
        "A variable over time as small multiples, a panel each value of a sweep; many "
        "points or virtual subjects as threads, with their median and middle nine tenths.",
        numbers=1,
    ),
    "phase": Figure(
        "Synaptic weight against spine density, dots where time is told; grey lines where "
        "their product, what lasts at synapses, is the same.",
        of=COURSES,
    ),
    "responders": Figure(
        "Which virtual subjects respond: the readout behind the answer, the chance (AUC) "
        "that each number is higher in a responder, and the two numbers that separate "
        "best.",
        responders=True,
    ),
    "tornado": Figure(
        "How far each swept number swings each readout: its mean where the number is in "
        "its lowest and in its highest fifth.",
        numbers=1,
    ),
    "spine_sizes": Figure(
        "Sizes of all spines of one seed on a log axis, when the course begins and ends, "
        "beside distributions that were measured.",
        takes=("spines",),
        of=OF_SPINES,
    ),
    "spine_age": Figure(
        "Size of each spine against its age, at the end of the course.",
        takes=("spines",),
        of=OF_SPINES,
    ),
    "spine_survival": Figure(
        "Survival of cohorts of spines, those of time 0 and those born in the two days after "
        "it; shares formed and lost since time 0.",
        takes=("spines",),
        of=OF_SPINES,
    ),
    "dendrite": Figure(
        "One branch, spine by spine, at each look: the area of a head goes with size; spines "
        "that are new since the look before and that are gone at the next one are marked.",
        takes=("spines",),
        of=OF_SPINES,
    ),
    "wiring": Figure(
        "Connections between principal cells before and in the end: weights in the order of "
        "before, connections onto a cell, reciprocity and clustering over those of a random graph.",
        takes=("spines",),
        of=OF_SPINES,
    ),
    "minis": Figure(
        "Miniature EPSCs as a slice would measure them, before and in the end: amplitude of an "
        "event, the size of a spine, and how often a cell has one.",
        takes=("spines",),
        of=OF_SPINES,
    ),
    "ensemble_weights": Figure(
        "Weights between E cells of one seed, sorted by ensemble: before teaching, and after it in "
        "the first two arms.",
        takes=("ensembles",),
        of=OF_ENSEMBLES,
    ),
    "ensemble_course": Figure(
        "Synapses and ensembles on one time axis: spine density, strength of all synapses, that "
        "within ensembles, and completion; a line an arm, with intervals.",
        of=OF_ENSEMBLES,
    ),
    "sensitivity": Figure(
        "Which number matters for which readout: Sobol indices, elementary effects or "
        "partial rank correlations, as the design allows; pale where it is not told from "
        "none.",
        numbers=1,
    ),
}
