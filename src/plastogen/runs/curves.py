"""In: conditions, and runs on grids and with names of their own. Out: their curves on axes that all
share, as float32.

Without a sweep the shared times are the union of all grids; in a sweep they are few
(`time_grid.shared`). Readouts do not come from here: they are read from whole runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from plastogen.experiment import Condition
from plastogen.runs.netcdf import Curve, Dims
from plastogen.runs.store import Stored
from plastogen.simulation import MANY, SHARED, VARIABLES, Variable, shared, union, variables_of

Array: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Axes:
    """What stands along the dimensions that curves have beside those of the runs."""

    time_h: Array
    classes: tuple[str, ...]
    pools: tuple[str, ...]
    species: tuple[str, ...]
    snapshots: tuple[str, ...]
    frequency_hz: Array
    names: tuple[str, ...] = tuple(VARIABLES)
    """The variables that some run has."""

    @classmethod
    def of(
        cls, conditions: Sequence[Condition], snapshots: Iterable[str], frequency_hz: Array
    ) -> Axes:
        """Those that hold all `conditions`: the union of the labels of their circuits and drugs."""
        circuits = {id(condition.circuit): condition.circuit for condition in conditions}.values()
        kinds = {condition.kind for condition in conditions}
        names = {
            name for circuit in circuits for kind in kinds for name in variables_of(circuit, kind)
        }
        species = dict.fromkeys(
            s for condition in conditions for drug in condition.drugs.values() for s in drug.species
        )
        return cls(
            _times(conditions),
            tuple(dict.fromkeys(name for circuit in circuits for name in circuit.classes)),
            tuple(dict.fromkeys(pool for circuit in circuits for pool in circuit.pools())),
            tuple(species),
            tuple(snapshots),
            frequency_hz,
            tuple(name for name in VARIABLES if name in names),
        )

    @property
    def resolution(self) -> str:
        """`80 times, 1 min to 24 h apart`: how finely courses are written down."""
        gaps = np.diff(self.time_h)
        if not gaps.size:
            return "one time"
        return f"{self.time_h.size} times, {_apart(gaps.min())} to {_apart(gaps.max())} apart"

    @property
    def held(self) -> dict[str, Variable]:
        """Name -> variable of all that some run has."""
        return {name: VARIABLES[name] for name in self.names}

    @property
    def sizes(self) -> dict[str, int]:
        return {
            "time": self.time_h.size,
            "class": len(self.classes),
            "pool": len(self.pools),
            "species": len(self.species),
            "snapshot": len(self.snapshots),
            "frequency": self.frequency_hz.size,
        }

    def variables(self, outer: Dims) -> dict[str, tuple[Dims, dict[str, Any]]]:
        """Name -> dimensions and attributes of every variable, below the dimensions of the runs."""
        return {
            name: (
                (*outer, *variable.dims),
                {"units": variable.unit, "long_name": variable.long_name},
            )
            for name, variable in self.held.items()
        }

    def shape(self, name: str) -> tuple[int, ...]:
        """That of one run's curve of a variable."""
        return tuple(self.sizes[dim] for dim in VARIABLES[name].dims)

    def curves(self, run: Stored) -> Iterator[tuple[str, Curve]]:
        """Every variable of a run, linear between its own times; before its start it stands still.

        A species that was not given is 0; a snapshot that was not taken is NaN, as is a class, a
        pool or a variable the run's circuit does not have.
        """
        between = (
            None if np.array_equal(run.time_h, self.time_h) else _between(run.time_h, self.time_h)
        )
        for name, variable in self.held.items():
            if name not in run.arrays:
                yield name, np.full(self.shape(name), np.nan, np.float32)
                continue
            values = np.asarray(run.arrays[name])
            for dim, wanted, absent in (
                ("class", self.classes, np.nan),
                ("pool", self.pools, np.nan),
                ("snapshot", self.snapshots, np.nan),
                ("species", self.species, 0.0),
            ):
                if dim in variable.dims and run.labels[dim] != wanted:
                    values = _named(
                        values, variable.dims.index(dim), run.labels[dim], wanted, absent
                    )
            if between is not None and "time" in variable.dims:
                left, right, share = between
                share = share.reshape(-1, *(1,) * (values.ndim - 1))
                values = values[left] * (1 - share) + values[right] * share
            yield name, values.astype(np.float32)


def _times(conditions: Sequence[Condition]) -> Array:
    if not any(condition.point for condition in conditions):
        return union(condition.grid_h for condition in conditions)
    start, end = (
        min(condition.start_h for condition in conditions),
        max(condition.end_h for condition in conditions),
    )
    most = max(SHARED, MANY // len(conditions))
    return shared(
        start, end, (event for condition in conditions for event in condition.events_h), most
    )


def _apart(hours: float) -> str:
    return f"{hours:.2g} h" if hours >= 1 else f"{60 * hours:.2g} min"


def _between(own_h: Array, wanted_h: Array) -> tuple[NDArray[np.intp], NDArray[np.intp], Array]:
    """For each wanted time: the run's times on both sides, and how far it is from the first to the
    second.
    """
    t = np.clip(wanted_h, own_h[0], own_h[-1])
    right = np.clip(np.searchsorted(own_h, t, side="right"), 1, own_h.size - 1)
    return right - 1, right, (t - own_h[right - 1]) / (own_h[right] - own_h[right - 1])


def _named(
    values: Array, at: int, own: Sequence[str], wanted: Sequence[str], absent: float
) -> Array:
    """`values` with the names along dimension `at` in the wanted order."""
    shape = (*values.shape[:at], len(wanted), *values.shape[at + 1 :])
    found = np.full(shape, absent)
    for k, name in enumerate(wanted):
        if name in own:
            found[(slice(None),) * at + (k,)] = values.take(own.index(name), at)
    return found


def empty(names: Mapping[str, tuple[int, ...]]) -> dict[str, Curve]:
    """An array of NaN for each name and shape: cells nobody has filled."""
    return {name: np.full(shape, np.nan, np.float32) for name, shape in names.items()}
