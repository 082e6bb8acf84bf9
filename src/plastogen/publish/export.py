"""In: results. Out: tables that any program reads: CSV."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from plastogen._base.csv_table import CsvWriter
from plastogen._base.files import atomic_write
from plastogen._base.scope import SCOPE
from plastogen.experiment import COMPLETE
from plastogen.runs import RUNS_AT_ONCE, blocks, head, labels, table

if TYPE_CHECKING:
    import xarray as xr

NOTE = (
    "Exported by plastogen. {scope}\n\nreadouts.csv: one row a run. courses.csv: one row a run and"
    " time. snapshots.csv: one row a run and snapshot.\nUnits stand in square brackets in the head"
    " of each column; a column without has none.\n{title}: {question}\nSpecies: {species}."
    " {n_complete} of {n_expected} runs.\n"
)


def to_csv(ds: xr.Dataset, folder: Path) -> list[Path]:
    """Write readouts.csv, courses.csv, snapshots.csv and README.txt into `folder`. Raises
    StoreError.
    """
    files: dict[str, str | Callable[[Any], None]] = {
        "readouts.csv": table(ds),
        "courses.csv": partial(_wide, ds, "time"),
        "README.txt": NOTE.format(**{**ds.attrs, "scope": SCOPE}),
    }
    if ds.sizes.get("snapshot", 0):
        files["snapshots.csv"] = partial(_wide, ds, "snapshot")
    for name, content in files.items():
        atomic_write(folder / name, content)
    return [folder / name for name in files]


def _wide(ds: xr.Dataset, along: str, file: BinaryIO) -> None:
    """All variables along one dimension: a row each run and place on it, a column each variable and
    class, pool, ...
    """
    outer = [str(dim) for dim in ds["status"].dims]
    names = [str(n) for n in ds.data_vars if along in ds[n].dims and "frequency" not in ds[n].dims]
    of_run = {name: values.reshape(ds["status"].shape) for name, values in labels(ds).items()}
    moments = ds[along].values.tolist()
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    writer = CsvWriter(text)
    writer.row([*(head(ds, name) for name in of_run), *_heads(ds, names, along)])
    for block in blocks(ds["status"].shape, RUNS_AT_ONCE):
        here = ds.isel(dict(zip(outer, block, strict=True)))
        there = here["status"].values.ravel() == COMPLETE
        courses = [
            here[n].transpose(*outer, along, ...).values.reshape(there.size, len(moments), -1)
            for n in names
        ]
        for run in np.flatnonzero(there):
            told = [values[block].ravel()[run] for values in of_run.values()]
            numbers = _written(np.hstack([course[run] for course in courses]))
            writer.rows([*told, moment, *row] for moment, row in zip(moments, numbers, strict=True))
    text.detach()


def _written(values: NDArray[np.float32]) -> list[list[str]]:
    """Numbers with the digits that tell them from all others, nothing for NaN."""
    found: list[list[str]] = np.where(np.isnan(values), "", values.astype(str)).tolist()
    return found


def _heads(ds: xr.Dataset, names: Iterable[str], along: str) -> list[str]:
    """Heads of the columns: the moment, then variable, place, unit."""
    heads = [head(ds, along)]
    for name in names:
        dims = [d for d in ds[name].dims if d not in (*ds["status"].dims, along)]
        heads += [head(ds, name, str(place)) for place in (ds[dims[0]].values if dims else [""])]
    return heads
