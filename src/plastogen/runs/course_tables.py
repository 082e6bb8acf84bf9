"""In: a plan and the course it gave. Out: the arrays and names that a run keeps on disk."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from plastogen.simulation import Course, Plan, variables_of

Array: TypeAlias = NDArray[Any]
SUMMARY = ("rate_hz", "spectrum", "gamma_power", "delta_power", "gamma_peak_hz")


def course_tables(plan: Plan, course: Course) -> dict[str, Array]:
    """What course.npz holds. Raises ValueError when the course is not finite or lacks a
    variable.
    """
    tables: dict[str, Array] = {"time_h": np.asarray(plan.grid_h, float)}
    for name, variable in variables_of(plan.circuit, plan.kind).items():
        if variable.of_snapshot:
            continue
        values = np.asarray(course.arrays[name], float)
        if values.shape[0] != tables["time_h"].size or not np.isfinite(values).all():
            raise ValueError(f"the course of {name} is not finite at every time of the grid")
        tables[name] = values
    shots = course.snapshots
    tables["frequency_hz"] = np.asarray(
        next(iter(shots.values()))["frequency_hz"] if shots else [], float
    )
    below = {"rate_hz": (len(plan.circuit.classes),), "spectrum": tables["frequency_hz"].shape}
    for key in SUMMARY:
        values = np.array([shots[s][key] for s in shots], dtype=float)
        tables["snapshot_rate_hz" if key == "rate_hz" else key] = values.reshape(
            len(shots), *below.get(key, ())
        )
    tables["names_snapshot"] = np.array(list(shots), dtype=np.str_)
    tables["names_class"] = np.array(plan.circuit.classes, dtype=np.str_)
    tables["names_pool"] = np.array(list(plan.circuit.pools()), dtype=np.str_)
    tables["names_species"] = np.array(list(course.species), dtype=np.str_)
    return tables


def boundaries(plan: Plan) -> dict[str, list[int]]:
    """Class -> [first cell, one past the last], for rasters."""
    return {name: [part.start, part.stop] for name, part in plan.circuit.slices().items()}
