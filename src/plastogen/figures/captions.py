"""In: nothing. Out: what figures there are, each with its caption."""

from __future__ import annotations

# name in an experiment's `figures:` -> what it shows, as a caption
FIGURES: dict[str, str] = {
    "timeline": (
        "From dose to spine. Left, one arm: concentration, block, firing and signals. Right, all"
        " arms: glutamate, mTORC1, synaptic weight, spine density. Time is linear near dosing and"
        " logarithmic later."
    ),
    "acute": (
        "The first hours: unbound drug in the brain, receptors blocked, glutamate, the rate of each"
        " class."
    ),
    "arms": "Readouts of all arms, every seed a dot, with mean and 95 % interval.",
    "raster": (
        "Spikes of one run in each snapshot, the rate of each class, and the spectrum of the E rate"
        " with the slow-delta and gamma bands."
    ),
    "circuit": (
        "The circuit as its file defines it: classes by number of cells, connections by probability"
        " × conductance, and the pools of NMDA receptors where block acts."
    ),
    "block": (
        "Share of each pool of NMDA receptors that is blocked, against the unbound concentration in"
        " the brain."
    ),
    "sweep": (
        "Readouts against dose or against the swept value, with 95 % intervals; of points drawn"
        " over many numbers, each readout against the number it follows most closely."
    ),
    "landscape": (
        "Readouts over two swept numbers, the treated arm less the untreated: colour and contours,"
        " straight between the points that were run."
    ),
    "courses": (
        "A variable over time as small multiples, a panel each value of a sweep; many points or"
        " virtual subjects as threads, with their median and middle nine tenths."
    ),
    "phase": (
        "Synaptic weight against spine density, dots where time is told; grey lines where their"
        " product is the same."
    ),
    "responders": (
        "Which virtual subjects respond: the readout behind the answer, the chance (AUC) that each"
        " number is higher in a responder, and the two numbers that separate best."
    ),
    "tornado": (
        "How far each swept number swings each readout: its mean where the number is in its lowest"
        " and in its highest fifth."
    ),
    "sensitivity": (
        "Which number matters for which readout: Sobol indices, elementary effects or partial rank "
        "correlations, as the design allows; pale where it is not told from none."
    ),
    "spectra": (
        "Gamma and slow-delta power in each snapshot, relative to the first, and dissociation."
    ),
}
