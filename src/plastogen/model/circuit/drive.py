"""In: a `Circuit` and what is frozen during a probe. Out: the numbers the network is given, one
array a cell.

`Drive` is all the network ever sees of drugs and plasticity: NMDA, AMPA, GABA and release scales
and the strength of named pathways, each relative to the healthy, drug-free circuit. Which numbers
there are says the circuit (`Circuit.drive_numbers`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from plastogen._base.streams import stream
from plastogen._base.text import nearest, show
from plastogen.errors import InputError
from plastogen.model.circuit.definition import Circuit
from plastogen.model.pharmacology import SUBUNITS

Array = npt.NDArray[np.float64]

PICO, NANO, MILLI = 1e-12, 1e-9, 1e-3
OFF_WHEN_HEALTHY = ("silence",)  # numbers that are 0 in the healthy circuit; all others are 1


class Drive:
    """What a probe holds constant; only numbers that differ from the healthy, drug-free circuit's.

    All are shares of the healthy value (1), but `silence` (0 to 1); each may be an array of
    courses. nmda_X: synaptic NMDA conductance left on class X. tonic_X: tonic NMDA conductance left
    on X. ampa, gaba: conductance left at all such synapses. release: glutamate release of principal
    cells. recurrent: strength of synapses between these (weight x spines x scaling).
    inhibitory_weight: of inhibitory synapses onto these. pv_output: of all synapses of perisomatic
    classes. silence: share of the silencing conductance that is open in principal cells.
    """

    __slots__ = ("_changed",)

    def __init__(self, **numbers: Any) -> None:
        """`numbers` by name; those not named are the healthy circuit's."""
        self._changed = {
            name: value
            for name, value in numbers.items()
            if isinstance(value, np.ndarray) or value != healthy(name)
        }

    @classmethod
    def from_array(cls, circuit: Circuit, values: npt.ArrayLike) -> Drive:
        """The drive whose `array` this is: (numbers,), or (courses, numbers) for one of courses."""
        rows = np.asarray(values, dtype=float)
        columns = rows.T if rows.ndim > 1 else rows.tolist()
        return cls(**dict(zip(circuit.drive_numbers, columns, strict=True)))

    def __getitem__(self, name: str) -> Any:
        return self._changed.get(name, healthy(name))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Drive) and self._changed == other._changed

    def __hash__(self) -> int:
        return hash(frozenset(self._changed.items()))

    def __repr__(self) -> str:
        return f"Drive({', '.join(f'{name}={value!r}' for name, value in self._changed.items())})"

    def changed(self, **numbers: Any) -> Drive:
        """The same but for these numbers."""
        return Drive(**{**self._changed, **numbers})

    def array(self, circuit: Circuit) -> Array:
        """The circuit's numbers in order, (numbers,); (courses, numbers) when some are arrays.

        Raises InputError for a number the circuit does not have.
        """
        self.check(circuit)
        values = [self[name] for name in circuit.drive_numbers]
        if any(isinstance(value, np.ndarray) for value in values):
            return np.stack(np.broadcast_arrays(*values), axis=-1)
        return np.array(values, dtype=float)

    def check(self, circuit: Circuit) -> None:
        """Raises InputError for a number the circuit does not have."""
        names = circuit.drive_numbers
        for name in self._changed:
            if name not in names:
                wanted = f"a number of this circuit: {', '.join(names)}"
                near = nearest(name, names)
                raise InputError.one(file="Drive", found=show(name), wanted=wanted, nearest=near)


def healthy(name: str) -> float:
    """A number of the healthy, drug-free circuit."""
    return 0 if name in OFF_WHEN_HEALTHY else 1


def per_cell(circuit: Circuit, field: str) -> Array:
    """A field of `Population` for each cell, shape (cells,), in the field's own unit."""
    groups = [circuit.populations[name] for name in circuit.classes]
    return np.concatenate([np.full(p.count, float(getattr(p, field))) for p in groups])


def conductance(circuit: Circuit, kind: str, source: str) -> Array:
    """Peak conductance (nS) that one event from class `source` opens in each cell, shape
    (cells,).
    """
    found = []
    for name in circuit.classes:
        connection = circuit.connection(source, name)
        value = getattr(connection, kind) if connection else None
        found.append(
            np.full(circuit.populations[name].count, 0.0 if value is None else float(value))
        )
    return np.concatenate(found)


def by_class(circuit: Circuit, values: Sequence[float]) -> Array:
    """One value a class, for each cell, shape (cells,)."""
    return np.repeat(
        np.array(values, dtype=float), [circuit.populations[name].count for name in circuit.classes]
    )


def cell_values(circuit: Circuit, drive: Drive, seed: int) -> dict[str, Array]:
    """Everything the network needs for each cell, SI units, shape (cells,); names as in
    `network.cell_units`.

    The seed's "input" stream gives every cell its own background strength (lognormal) and first
    voltage. Raises InputError for a number of the drive the circuit does not have.
    """
    drive.check(circuit)
    n, classes, principal = circuit.size, circuit.classes, circuit.principal
    rng = np.random.default_rng(stream(seed, "input"))
    spread = float(circuit.background.spread)
    own = np.exp(spread * rng.standard_normal(n) - spread**2 / 2)
    rest, reset = per_cell(circuit, "rest"), per_cell(circuit, "reset")
    is_class = {name: by_class(circuit, [float(name == c) for c in classes]) for name in classes}
    recurrent = np.where(is_class[principal] > 0, drive["recurrent"], 1)
    nmda, tonic = (
        by_class(circuit, [drive[f"{kind}_{name}"] for name in classes])
        for kind in ("nmda", "tonic")
    )
    ampa_peak = NANO * conductance(circuit, "ampa", principal)
    nmda_peak = NANO * conductance(circuit, "nmda", principal)
    values = {
        "v": MILLI * (rest + (reset - rest) * rng.random(n)),
        "C": PICO * per_cell(circuit, "capacitance"),
        "g_L": NANO * per_cell(circuit, "leak"),
        "v_L": MILLI * rest,
        "v_th": MILLI * per_cell(circuit, "threshold"),
        "v_reset": MILLI * reset,
        "t_ref": MILLI * per_cell(circuit, "refractory"),
        "w_ext": NANO * per_cell(circuit, "background") * own * drive["ampa"],
        "w_ampa": ampa_peak * recurrent * drive["ampa"],
        **{f"w_{name}": inhibition(circuit, drive, name) for name in circuit.inhibitory},
        "w_adapt": NANO * per_cell(circuit, "adaptation"),
        "g_silence": NANO * float(circuit.silencing) * is_class[principal] * drive["silence"],
        "out_ampa": is_class[principal] * drive["release"],
        "out_nmda": is_class[principal] * float(circuit.agonist.saturation),
        **{f"out_{name}": is_class[name] for name in circuit.inhibitory},
    }
    lasting, following = tonic_peaks(circuit)
    pools = circuit.pools()
    for law, subunits in circuit.magnesium_laws.items():
        synaptic, outside = (
            by_class(circuit, [share_of(pools[f"{name}.{kind}"], subunits) for name in classes])
            for kind in ("synaptic", "tonic")
        )
        through_synapses = synaptic * nmda_peak * recurrent * nmda + outside * following * tonic
        values[f"w_{law}"] = through_synapses * drive["release"]
        values[f"g_{law}"] = outside * lasting * tonic
    for target in classes:
        values[f"is_{target}"] = is_class[target]
        chances = [circuit.connection(source, target) for source in classes]
        values[f"p_{target}"] = by_class(
            circuit, [float(c.probability) if c else 0.0 for c in chances]
        )
    return values


def share_of(pool: Mapping[str, float], subunits: Sequence[str]) -> float:
    """Share of a pool's conductance that these subunits have together."""
    return sum(pool.get(subunit, 0.0) for subunit in subunits)


def tonic_peaks(circuit: Circuit) -> tuple[Array, Array]:
    """Tonic NMDA conductance (S), (cells,): what glial glutamate holds open; and what vesicular
    glutamate does, a unit of receptors bound at the synapses of a cell. Together they are
    `tonic_nmda` at baseline.

    Vesicular glutamate is heard through the trace of a cell's own synapses: tonic receptors let go
    of it as slowly as synaptic ones do.
    """
    peak, vesicular = NANO * per_cell(circuit, "tonic_nmda"), circuit.agonist.vesicular
    if vesicular is None:
        return peak, np.zeros_like(peak)
    wired = [circuit.connection(circuit.principal, name) for name in circuit.classes]
    inputs = by_class(circuit, [float(c.probability) if c else 0.0 for c in wired])
    inputs *= circuit.populations[circuit.principal].count
    bound = np.where(inputs > 0, inputs * float(vesicular.bound), np.inf)
    share = circuit.agonist.vesicular_share
    return peak * (1 - share), peak * share / bound


def inhibition(circuit: Circuit, drive: Drive, source: str) -> Array:
    """Conductance (S) that one spike of class `source` opens in each cell, shape (cells,)."""
    onto_principal = by_class(circuit, [float(c == circuit.principal) for c in circuit.classes])
    each = NANO * conductance(circuit, "gaba", source) * drive["gaba"]
    each = each * np.where(onto_principal > 0, drive["inhibitory_weight"], 1)
    perisomatic = source in circuit.of_role("perisomatic")
    return np.asarray(each * drive["pv_output"] if perisomatic else each)


def shared_values(circuit: Circuit) -> dict[str, float]:
    """Numbers all cells share, SI units; names as in `network.shared_units`."""
    step = float(circuit.step)
    decays = {
        "ampa": circuit.decays.ampa,
        "ext": circuit.decays.ampa,
        "nmda": circuit.decays.nmda,
        **{name: circuit.decays.gaba[name] for name in circuit.inhibitory},
        "adapt": circuit.decays.adaptation,
    }
    values = {}
    for name, tau in decays.items():
        left = math.exp(-step / float(tau))
        values[f"left_{name}"] = left  # what is left of a conductance after a step
        values[f"mean_{name}"] = (
            (1 - left) * float(tau) / step
        )  # its mean over the step, relative to the start
    ratio = dict(zip(SUBUNITS, circuit.magnesium.ratio().tolist(), strict=True))
    return values | {
        "v_exc": MILLI * float(circuit.reversals.excitatory),
        "v_inh": MILLI * float(circuit.reversals.inhibitory),
        "v_K": MILLI * float(circuit.reversals.potassium),
        **{law: ratio[subunits[0]] for law, subunits in circuit.magnesium_laws.items()},
        "mg_efold": MILLI * float(circuit.magnesium.efold),
        "n_ext": float(circuit.background.rate) * MILLI * step,
    }
