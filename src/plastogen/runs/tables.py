"""In: the results of an experiment. Out: one tidy row a run as CSV, and names of its columns."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from plastogen._base.csv_table import CsvWriter
from plastogen.experiment import ROLE

if TYPE_CHECKING:
    import xarray as xr

Array: TypeAlias = NDArray[Any]


def head(ds: xr.Dataset, name: str, place: str = "") -> str:
    """A column's name with its unit, where it has one: `rate_hz PV [Hz]`."""
    unit = ds[name].attrs.get("units", "")
    whole = f"{name} {place}".strip()
    return whole if unit in ("", "1") else f"{whole} [{unit}]"


def labels(ds: xr.Dataset) -> dict[str, Array]:
    """What tells one run from another: arm, place and role in the design and swept values, seed;
    each over all runs, flat.
    """
    dims = [str(dim) for dim in ds["status"].dims]
    names = [
        str(n)
        for dim in dims
        for n in (dim, *(c for c in ds.coords if ds[c].dims == (dim,) and c != dim))
    ]
    places = np.indices(ds["status"].shape).reshape(len(dims), -1)
    return {
        name: ds[name].values[places[dims.index(str(ds[name].dims[0]))]]
        for name in names
        if name in dims or name == ROLE or "path" in ds[name].attrs
    }


def table(ds: xr.Dataset) -> str:
    """One tidy row a run, as CSV: arm, swept values, seed, readouts and their errors, status,
    run, and why times are missing.
    """
    columns = labels(ds)
    numbers = [name for name in ds.data_vars if {"readout", "error_of"} & ds[name].attrs.keys()]
    reasons = [name for name in ds.data_vars if "reason_of" in ds[name].attrs]
    values = {str(n): ds[n].values.ravel() for n in (*numbers, "status", "run", *reasons)}
    out = io.StringIO()
    writer = CsvWriter(out)
    writer.row([head(ds, name) for name in columns | values])
    writer.rows(zip(*(_plain(column) for column in (columns | values).values()), strict=True))
    return out.getvalue()


def _plain(column: Array) -> list[Any]:
    """Values as they are written in a table, nothing for NaN."""
    return ["" if x != x else x for x in column.tolist()]
