"""In: results that follow each spine. Out: a table of its spines (CSV) and a list of its edges
(SONATA, HDF5) for every run, and a note that says what is in them and what they are not.

Edges are the spines that stand when the course ends: https://github.com/AllenInstitute/sonata.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from plastogen._base.csv_table import CsvWriter
from plastogen._base.files import atomic_write
from plastogen._base.scope import SCOPE
from plastogen.errors import InputError
from plastogen.model.pharmacology import S_PER_H
from plastogen.model.plasticity import H_PER_DAY
from plastogen.publish.finished_runs import file_names, finished_runs
from plastogen.runs import Store, standing

if TYPE_CHECKING:
    import xarray as xr

MAGIC, VERSION = 0x0A7A, (0, 1)  # of a SONATA file
ROWS = 10_000  # at once
NOTE = (
    "Exported by plastogen. {scope}\n\n{title}: {question}\n<run>.csv: one row a spine; times in h"
    " from the first planned dose, sizes as conductance (the mean of lasting spines is 1), empty"
    " where a spine did not stand.\n<run>.edges.h5: spines that stand when the course ends, from"
    " the presynaptic to the postsynaptic cell, in the SONATA format.\n"
)
PER_SPINE = ("pre", "post", "contact", "branch", "place", "kind", "returned", "born_h", "lost_h")


def to_spine_tables(
    ds: xr.Dataset, store: Store, folder: Path, say: Callable[[str], None] = print
) -> list[Path]:
    """Write <run>.csv and <run>.edges.h5 for every finished run, named by arm, point and seed, and
    README.txt into `folder`.

    Raises InputError when the results follow no single spines, StoreError.
    """
    if "spines_standing" not in ds:
        wanted = "results of an experiment with course.synapses: each"
        found = f"{ds.attrs.get('experiment', 'results')} of mean synapses"
        raise InputError.one(file="export --spines", found=found, wanted=wanted)
    note = folder / "README.txt"
    told = {"title": "", "question": "", **ds.attrs, "scope": SCOPE}
    atomic_write(note, NOTE.format(**told))
    paths = [note]
    runs = list(finished_runs(ds, store))
    for name, one in zip(file_names(runs), runs, strict=True):
        with store.spines(one.run) as spines:
            for suffix, write in (("csv", _csv), ("edges.h5", _edges)):
                path = folder / f"{name}.{suffix}"
                atomic_write(path, partial(write, spines))
                paths.append(path)
                say(str(path))
    return paths


def _csv(spines: xr.Dataset, file: BinaryIO) -> None:
    """A row a spine: where, what, when, and its size at each look, nothing where it did not
    stand.
    """
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    writer = CsvWriter(text)
    looks = [f"size_day_{h / H_PER_DAY:g}" for h in spines["look"].values]
    writer.row([*PER_SPINE, *looks])
    for start in range(0, spines.sizes["spine"], ROWS):
        part = spines.isel(spine=slice(start, start + ROWS)).load()
        columns = [part[name].values.tolist() for name in PER_SPINE]
        sizes = np.exp(part["ln_size"].values)
        for row, size in zip(zip(*columns, strict=True), sizes, strict=True):
            told = ["" if x in (np.inf, -np.inf) else x for x in row]
            writer.row([*told, *("" if np.isnan(x) else f"{x:.4g}" for x in size)])
    text.detach()


def _edges(spines: xr.Dataset, file: BinaryIO) -> None:
    import h5py

    at = np.flatnonzero(standing(spines, float(spines.attrs["end_h"])))
    one = spines.isel(spine=at, look=-1).load()
    one = one.isel(spine=np.flatnonzero(np.isfinite(one["ln_size"].values)))
    n = one.sizes["spine"]
    whole = io.BytesIO()  # HDF5 reads back what it writes, which `file` does not allow
    with h5py.File(whole, "w") as made:
        made.attrs["magic"] = np.uint32(MAGIC)
        made.attrs["version"] = np.array(VERSION, np.uint32)
        made.attrs["comment"] = f"{SCOPE} Seen in: {spines.attrs['preparation']}."
        edges = made.create_group("edges/principal_to_principal")
        for end, cells in (("source", "pre"), ("target", "post")):
            ids = edges.create_dataset(f"{end}_node_id", data=one[cells].values.astype(np.uint64))
            ids.attrs["node_population"] = "principal"
        edges["edge_type_id"] = np.zeros(n, np.uint32)
        edges["edge_group_id"] = np.zeros(n, np.uint32)
        edges["edge_group_index"] = np.arange(n, dtype=np.uint64)
        edges["0/syn_weight"] = np.exp(one["ln_size"].values)
        edges["0/afferent_section_id"] = one["branch"].values.astype(np.uint32)
        edges["0/afferent_section_pos"] = one["place"].values
        edges["0/born_s"] = one["born_h"].values.astype(float) * S_PER_H
        edges["0/lasting"] = one["kind"].values
    file.write(whole.getvalue())
