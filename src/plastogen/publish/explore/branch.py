"""In: results that follow each spine. Out: one branch of one cell, and every spine that ever stood
on it, in the first seed of each course, as the page draws it.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from plastogen.figures import median_branch, on_branch
from plastogen.runs import Store

if TYPE_CHECKING:
    import xarray as xr

MOST_COURSES = 3  # of which a branch is chosen
DIGITS = 3


def branch(ds: xr.Dataset, folder: Path, courses: Mapping[str, int]) -> dict[str, Any]:
    """The branch in all `courses` (run ids of its seeds -> place), ready for JSON.

    A spine is [site, place along the branch in um, 1 if it lasts, 1 if it came back where one was
    lost, born (h), lost (h), sizes at looks]; born or lost: null where it was there already, or
    still is. Raises CacheDamaged, StoreError.
    """
    store, first = Store(folder), [key.split()[0] for key in courses]
    with ExitStack() as open_files:
        spines = [open_files.enter_context(store.spines(run)) for run in first]
        cell, which = median_branch(spines[:MOST_COURSES])
        return {
            "seed": int(spines[0].attrs["seed"]),
            "cell": cell,
            "length_um": float(spines[0].attrs["branch_length_um"]),
            "preparation": str(spines[0].attrs["preparation"]),
            "looks_h": [one["look"].values.tolist() for one in spines],
            "courses": [_spines(one, cell, which) for one in spines],
        }


def _spines(one: xr.Dataset, cell: int, which: int) -> list[list[Any]]:
    part = on_branch(one, cell, which).load()
    start_h, length_um = float(one["look"].values[0]), float(one.attrs["branch_length_um"])
    found = []
    for k in range(part.sizes["spine"]):
        row = {name: part[name].values[k] for name in ("site", "place", "kind", "returned")}
        born_h, lost_h = (float(part[name].values[k]) for name in ("born_h", "lost_h"))
        sizes = np.exp(part["ln_size"].values[k].astype(float))
        found.append(
            [
                int(row["site"]),
                round(float(row["place"]) * length_um, 2),
                int(row["kind"]),
                int(row["returned"]),
                None if born_h <= start_h else round(born_h, DIGITS),
                None if np.isinf(lost_h) else round(lost_h, DIGITS),
                [None if np.isnan(x) else round(float(x), DIGITS) for x in sizes],
            ]
        )
    return found
