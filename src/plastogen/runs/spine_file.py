"""In: the spines of a course. Out: spines.nc in its run's folder, a row a spine; opened again, it
waits in the file until it is asked for.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from plastogen._base.scope import SCOPE
from plastogen.errors import CacheDamaged, in_words
from plastogen.model.plasticity import SpineModel
from plastogen.simulation import Lives, Plan

if TYPE_CHECKING:
    import xarray as xr

SPINES = "spines.nc"
PER_LN = 1000  # steps of ln size in the file, of its unit
NO_SPINE = -(2**15)
COLUMNS: dict[str, tuple[str, str, str]] = {  # name -> type in the file, unit, what it is
    "site": ("i4", "1", "site, of all potential ones"),
    "pre": ("i4", "1", "presynaptic cell"),
    "post": ("i4", "1", "postsynaptic cell"),
    "contact": ("i2", "1", "which contact of this pair of cells"),
    "branch": ("i2", "1", "branch of the postsynaptic cell"),
    "place": ("f4", "1", "place along the branch, 0 to 1"),
    "kind": ("i1", "1", "0: transient, 1: lasting"),
    "returned": ("i1", "1", "1: born where a lasting spine was lost not long before"),
    "born_h": ("f4", "h", "time of birth"),
    "lost_h": ("f4", "h", "time of loss; infinite: it still stands"),
}


def write_spines(path: Path, plan: Plan, lives: Lives) -> None:
    """Write the file; sizes to a thousandth of ln size."""
    import xarray as xr

    assert plan.spines is not None
    assert plan.preparation is not None
    columns: dict[str, Any] = {
        name: ("spine", getattr(lives, name).astype(kind), {"units": unit, "long_name": what})
        for name, (kind, unit, what) in COLUMNS.items()
    }
    about = {"units": "1", "long_name": "ln size; conductance is exp of it, lasting mean 1"}
    columns["ln_size"] = (("spine", "look"), lives.ln_size, about)
    look = ("look", lives.look_h, {"units": "h", "long_name": "time of a look"})
    ds = xr.Dataset(columns, {"look": look}, _about(plan, plan.spines, plan.preparation))
    packed = {"zlib": True, "complevel": 4, "shuffle": True}
    stepped = {"dtype": "i2", "scale_factor": 1 / PER_LN, "_FillValue": NO_SPINE}
    encoding = {name: packed | {"_FillValue": None} for name in COLUMNS} | {
        "ln_size": packed | stepped
    }
    ds.to_netcdf(path, engine="h5netcdf", encoding=encoding)


def _about(plan: Plan, model: SpineModel, preparation: str) -> dict[str, Any]:
    return {
        "seed": plan.seed,
        "preparation": model.preparations[preparation].title,
        "branches": model.places.branches,
        "branch_length_um": float(model.places.branch_length),
        "published": json.dumps(_published(model)),
        "start_h": plan.start_h,
        "end_h": plan.duration_h,
        "scope": SCOPE,
    }


def _published(model: SpineModel) -> dict[str, list[list[float]]]:
    """Title -> (share, mean of ln, standard deviation of ln) of each part."""
    return {
        one.title: [[float(x) for x in (p.share, p.ln_mean, p.ln_spread)] for p in one.parts]
        for one in model.published.values()
    }


def open_spines(path: Path) -> xr.Dataset:
    """The file as a Dataset (spine, look) that reads what it is asked for. Raises CacheDamaged."""
    import xarray as xr

    if not path.is_file():
        raise CacheDamaged(f"{path} is not there: this run does not follow each spine")
    try:
        return xr.open_dataset(path, engine="h5netcdf", cache=False)
    except Exception as error:  # a damaged file can fail in any way
        raise CacheDamaged(f"{path} does not open ({in_words(error)})") from error


def standing(ds: xr.Dataset, at_h: float) -> Any:
    """Which spines stand at a time, (spine,)."""
    return (ds["born_h"].values <= at_h) & (at_h < ds["lost_h"].values)


def turnover(ds: xr.Dataset, from_h: float, until_h: float) -> tuple[float, float]:
    """Shares formed and lost between two times, of the spines at the first; a place that lost its
    spine and has one again counts as neither, as an image would have it.
    """
    first, last = (np.unique(ds["site"].values[standing(ds, h)]) for h in (from_h, until_h))
    both = len(np.intersect1d(first, last, assume_unique=True))
    return (len(last) - both) / len(first), (len(first) - both) / len(first)
