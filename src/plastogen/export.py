"""In: results and runs. Out: tables that any program reads: CSV, or spikes as NWB (extra `nwb`)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from plastogen import SCOPE
from plastogen.cache import atomic_write, explained
from plastogen.definition import InputError
from plastogen.results import table
from plastogen.store import Store
from plastogen.verdicts import COMPLETE

if TYPE_CHECKING:
    import xarray as xr

NOTE = (
    "Exported by plastogen. {scope}\n\n"
    "readouts.csv: one row a run. courses.csv: one row a run and time. snapshots.csv: one row a run and snapshot.\n"
    "Units stand in square brackets in the head of each column; a column without has none.\n"
    "{title}: {question}\nSpecies: {species}. {n_complete} of {n_expected} runs.\n"
)


def to_csv(ds: xr.Dataset, folder: Path) -> list[Path]:
    """Write readouts.csv, courses.csv, snapshots.csv and README.txt into `folder`. Raises StoreError."""
    files = {"readouts.csv": table(ds), "courses.csv": _wide(ds, "time")}
    if ds.sizes.get("snapshot", 0):
        files["snapshots.csv"] = _wide(ds, "snapshot")
    files["README.txt"] = NOTE.format(**{**ds.attrs, "scope": SCOPE})
    for name, text in files.items():
        atomic_write(folder / name, text)
    return [folder / name for name in files]


def _wide(ds: xr.Dataset, along: str) -> str:
    """All variables along one dimension: a row each run and place on it, a column each variable and class, pool, ..."""
    outer = [str(dim) for dim in ds["status"].dims]
    names = [n for n in ds.data_vars if along in ds[n].dims and "frequency" not in ds[n].dims]
    heads = [*outer, f"{along} [h]" if along == "time" else along, *_heads(ds, names, along)]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(heads)
    for at in np.ndindex(*(ds.sizes[dim] for dim in outer)):
        one = ds.isel(dict(zip(outer, at, strict=True)))
        if str(one["status"].item()) != COMPLETE:
            continue
        columns = [one[n].transpose(along, ...).values.reshape(ds.sizes[along], -1) for n in names]
        labels = [one[dim].item() for dim in outer]
        for moment, row in zip(ds[along].values, np.hstack(columns), strict=True):
            writer.writerow([*labels, moment, *("" if np.isnan(x) else repr(float(x)) for x in row)])
    return out.getvalue()


def _heads(ds: xr.Dataset, names: Iterable[Any], along: str) -> list[str]:
    """Heads of the columns: variable, place, unit."""
    heads = []
    for name in names:
        dims = [d for d in ds[name].dims if d not in (*ds["status"].dims, along)]
        unit = ds[name].attrs.get("units", "1")
        shown = "" if unit == "1" else f" [{unit}]"
        places: Sequence[Any] = ds[dims[0]].values if dims else [""]
        heads += [f"{name}{' ' if str(place) else ''}{place}{shown}" for place in places]
    return heads


def to_nwb(ds: xr.Dataset, store: Store, folder: Path) -> list[Path]:
    """Write the spikes of every finished run's snapshots, one file a run. Raises InputError, StoreError."""
    try:
        from pynwb import NWBHDF5IO
    except ImportError:
        wanted = "the extra for NWB: pip install 'plastogen[nwb]'"
        raise InputError.one(file="export", found="no pynwb", wanted=wanted) from None
    paths = []
    with explained(folder, "write into"):
        folder.mkdir(parents=True, exist_ok=True)
        for run in dict.fromkeys(str(r) for r in ds["run"].values.ravel()):
            if store.fault(run) is not None:
                continue
            path = folder / f"{run}.nwb"
            with NWBHDF5IO(str(path), "w") as file:
                file.write(_nwb(ds, store, run))
            paths.append(path)
    return paths


def _nwb(ds: xr.Dataset, store: Store, run: str) -> Any:
    """One run as an NWBFile: a unit a cell that fired, a column for its class and snapshot."""
    from datetime import UTC, datetime

    from pynwb import NWBFile

    classes = store.load(run).manifest["classes"]
    whole = NWBFile(
        session_description=f"{ds.attrs['title']}: simulated spikes at snapshots. {SCOPE}",
        identifier=run, session_start_time=datetime.fromtimestamp(0, UTC),
        notes="simulated; times are seconds from the start of each snapshot",
    )  # fmt: skip
    whole.add_unit_column("cell_class", "E, PV or SST")
    whole.add_unit_column("snapshot", "moment of the course")
    whole.add_unit_column("cell", "number of the cell")
    for snapshot, (times, cells) in store.spikes(run).items():
        for cell in np.unique(cells):
            name = next(n for n, (first, end) in classes.items() if first <= cell < end)
            spikes = times[cells == cell]
            whole.add_unit(spike_times=spikes, cell_class=name, snapshot=snapshot, cell=int(cell))
    return whole
