"""In: a `Circuit` and what is frozen during a probe. Out: the numbers the network is given, one
array a cell.

`Drive` is all the network ever sees of drugs and plasticity: NMDA, AMPA, GABA and release scales
and the strength of named pathways, each relative to the healthy, drug-free circuit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from plastogen._base.streams import stream
from plastogen.model.circuit.definition import CLASSES, Circuit

Array = npt.NDArray[np.float64]

PICO, NANO, MILLI = 1e-12, 1e-9, 1e-3


@dataclass(frozen=True, slots=True)
class Drive:
    """What a probe holds constant: shares of the healthy, drug-free value (1), and `silence` (0 to
    1).

    nmda_X: synaptic NMDA conductance left on class X. tonic_X: tonic NMDA conductance left on X.
    ampa, gaba: conductance left at all such synapses. release: glutamate release of E cells.
    recurrent: strength of E -> E synapses (weight x spines x scaling). pv_output: strength of PV
    synapses. silence: share of the silencing conductance that is open in E cells.
    """

    nmda_E: float = 1
    nmda_PV: float = 1
    nmda_SST: float = 1
    tonic_E: float = 1
    tonic_PV: float = 1
    tonic_SST: float = 1
    ampa: float = 1
    gaba: float = 1
    release: float = 1
    recurrent: float = 1
    pv_output: float = 1
    silence: float = 0

    def array(self) -> Array:
        """The twelve numbers in the order of `Drive.names()`; (courses, 12) when they are arrays of
        courses.
        """
        values = [getattr(self, name) for name in self.names()]
        if any(isinstance(value, np.ndarray) for value in values):
            return np.stack(np.broadcast_arrays(*values), axis=-1)
        return np.array(values, dtype=float)

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Names of the numbers, in order."""
        return tuple(f.name for f in fields(cls))


def per_cell(circuit: Circuit, field: str) -> Array:
    """A field of `Population` for each cell, shape (cells,), in the field's own unit."""
    groups = [circuit.populations[name] for name in CLASSES]
    return np.concatenate([np.full(p.count, float(getattr(p, field))) for p in groups])


def conductance(circuit: Circuit, kind: str, source: str) -> Array:
    """Peak conductance (nS) that one event from class `source` opens in each cell, shape
    (cells,).
    """
    found = []
    for name in CLASSES:
        connection = circuit.connection(source, name)
        value = getattr(connection, kind) if connection else None
        found.append(
            np.full(circuit.populations[name].count, 0.0 if value is None else float(value))
        )
    return np.concatenate(found)


def by_class(circuit: Circuit, values: Sequence[float]) -> Array:
    """One value a class, for each cell, shape (cells,)."""
    return np.repeat(
        np.array(values, dtype=float), [circuit.populations[name].count for name in CLASSES]
    )


def cell_values(circuit: Circuit, drive: Drive, seed: int) -> dict[str, Array]:
    """Everything the network needs for each cell, SI units, shape (cells,); names as in
    `network.CELL`.

    The seed's "input" stream gives every cell its own background strength (lognormal) and first
    voltage.
    """
    n = circuit.size
    rng = np.random.default_rng(stream(seed, "input"))
    spread = float(circuit.background.spread)
    own = np.exp(spread * rng.standard_normal(n) - spread**2 / 2)
    rest, reset = per_cell(circuit, "rest"), per_cell(circuit, "reset")
    is_class = {name: by_class(circuit, [float(name == c) for c in CLASSES]) for name in CLASSES}
    onto_E = np.where(is_class["E"] > 0, drive.recurrent, 1)
    nmda = by_class(circuit, (drive.nmda_E, drive.nmda_PV, drive.nmda_SST))
    tonic = by_class(circuit, (drive.tonic_E, drive.tonic_PV, drive.tonic_SST))
    values = {
        "v": MILLI * (rest + (reset - rest) * rng.random(n)),
        "C": PICO * per_cell(circuit, "capacitance"),
        "g_L": NANO * per_cell(circuit, "leak"),
        "v_L": MILLI * rest,
        "v_th": MILLI * per_cell(circuit, "threshold"),
        "v_reset": MILLI * reset,
        "t_ref": MILLI * per_cell(circuit, "refractory"),
        "w_ext": NANO * per_cell(circuit, "background") * own * drive.ampa,
        "w_ampa": NANO * conductance(circuit, "ampa", "E") * onto_E * drive.ampa,
        "w_nmda": NANO * conductance(circuit, "nmda", "E") * onto_E * nmda * drive.release,
        "w_PV": NANO * conductance(circuit, "gaba", "PV") * drive.gaba * drive.pv_output,
        "w_SST": NANO * conductance(circuit, "gaba", "SST") * drive.gaba,
        "w_adapt": NANO * per_cell(circuit, "adaptation"),
        "g_tonic": NANO * per_cell(circuit, "tonic_nmda") * tonic,
        "g_silence": NANO * float(circuit.silencing) * is_class["E"] * drive.silence,
        "out_ampa": is_class["E"] * drive.release,
        "out_nmda": is_class["E"] * float(circuit.agonist.saturation),
        "out_PV": is_class["PV"],
        "out_SST": is_class["SST"],
    }
    for target in CLASSES:
        values[f"is_{target}"] = is_class[target]
        chances = [circuit.connection(source, target) for source in CLASSES]
        values[f"p_{target}"] = by_class(
            circuit, [float(c.probability) if c else 0.0 for c in chances]
        )
    return values


def shared_values(circuit: Circuit) -> dict[str, float]:
    """Numbers all cells share, SI units; names as in `network.SHARED`."""
    step = float(circuit.step)
    decays = {
        "ampa": circuit.decays.ampa,
        "ext": circuit.decays.ampa,
        "nmda": circuit.decays.nmda,
        "PV": circuit.decays.gaba_PV,
        "SST": circuit.decays.gaba_SST,
        "adapt": circuit.decays.adaptation,
    }
    values = {}
    for name, tau in decays.items():
        left = math.exp(-step / float(tau))
        values[f"left_{name}"] = left  # what is left of a conductance after a step
        values[f"mean_{name}"] = (
            (1 - left) * float(tau) / step
        )  # its mean over the step, relative to the start
    return values | {
        "v_exc": MILLI * float(circuit.reversals.excitatory),
        "v_inh": MILLI * float(circuit.reversals.inhibitory),
        "v_K": MILLI * float(circuit.reversals.potassium),
        "mg_ratio": float(circuit.magnesium.concentration) / float(circuit.magnesium.half),
        "mg_efold": MILLI * float(circuit.magnesium.efold),
        "n_ext": float(circuit.background.rate) * MILLI * step,
    }
