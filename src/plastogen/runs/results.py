"""In: an experiment's conditions and its runs on disk. Out: results.nc as an xarray Dataset,
table.csv.

Only the parent process writes these, run after run, so that memory does not grow with the number of
runs: readouts, each from a whole run, are kept as float64; curves go to the file block by block and
are opened lazily where they are many. Nothing partial is averaged in silence: a run that is not
there is NaN and says so in `status`, and `n` says for each cell on how many seeds of those expected
it rests.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from plastogen import __version__
from plastogen._base.digest import digest
from plastogen._base.files import atomic_write, replacing
from plastogen._base.scope import SCOPE
from plastogen._base.sealed import ALTERED, fault, sealing
from plastogen._base.text import show
from plastogen._base.textfile import is_dir, is_file
from plastogen.errors import CacheDamaged, InputError, in_words
from plastogen.experiment import (
    COMPLETE,
    ROLE,
    Condition,
    OpenExperiment,
    judge_claims,
    kind_of,
    title_in,
)
from plastogen.model.pharmacology import Known
from plastogen.runs.curves import Axes, empty
from plastogen.runs.dosing import dosing_rows
from plastogen.runs.netcdf import Block, Curve, blocks, finish, open_netcdf, writing
from plastogen.runs.readout_table import MISSING, ReadoutTable
from plastogen.runs.store import Store
from plastogen.runs.tables import table
from plastogen.runs.worker import versions
from plastogen.simulation import OF_SPINES, event_times, treated_of

if TYPE_CHECKING:
    import xarray as xr

Array: TypeAlias = NDArray[Any]
Place: TypeAlias = tuple[str, tuple[int, ...], int]  # arm, place on each sweep axis, seed
REASON_CHARS = 200  # of why a run failed; all of it stands in the folder of runs
RUNS_AT_ONCE = 4096  # whose curves are in memory at once
RUNS_TOGETHER = 1024  # which are packed together in the file
RESULTS, TABLE = "results.nc", "table.csv"
RESULTS_VERSION = 3  # raised when results.nc or table.csv show the same runs in another way


@dataclass(frozen=True)
class Cells:
    """Where each run stands in results.nc: dimensions (arm, sweep axes, seed)."""

    arms: tuple[str, ...]
    axes: tuple[tuple[str, int], ...]
    seeds: tuple[int, ...]

    @property
    def dims(self) -> tuple[str, ...]:
        return ("arm", *(name for name, _ in self.axes), "seed")

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.arms), *(size for _, size in self.axes), len(self.seeds))

    def named(self, ids: Mapping[Place, str]) -> Array:
        """The id of every run in its cell, "" where none is asked for."""
        names = np.full(self.shape, "", dtype=object)
        arms = {arm: i for i, arm in enumerate(self.arms)}
        seeds = {seed: k for k, seed in enumerate(self.seeds)}
        for (arm, index, seed), run in ids.items():
            names[arms[arm], *index, seeds[seed]] = run
        return names

    def blocks(self, most: int, packed: int = 1) -> Iterator[Block]:
        """Parts of at most `most` cells, each of all arms and seeds at neighbouring points where
        they fit.
        """
        axes = [size for _, size in self.axes]
        for *points, arm, seed in blocks((*axes, len(self.arms), len(self.seeds)), most, packed):
            yield (arm, *points, seed)


def states(store: Store, ids: Mapping[Place, str]) -> dict[str, str]:
    """For each run: "complete", "missing", or that it failed and why."""
    return {
        run: COMPLETE if store.fault(run) is None else _why_not(store, run)
        for run in dict.fromkeys(ids.values())
    }


def _why_not(store: Store, run: str) -> str:
    reason = store.failure(run)
    text = " ".join(f"failed: {reason}".split()) if reason else MISSING
    return text if len(text) <= REASON_CHARS else f"{text[:REASON_CHARS]} ..."


def results_of(
    opened: OpenExperiment,
    conditions: Sequence[Condition],
    store: Store,
    ids: Mapping[Place, str],
    say: Callable[[str], None] = print,
) -> xr.Dataset:
    """The Dataset of results.nc with table.csv beside it, both made anew unless they are whole and
    show just this already.

    Raises StoreError.
    """
    path, tidy = store.folder / RESULTS, store.folder / TABLE
    faults = {file: fault(file) for file in (path, tidy)}
    for file, why in faults.items():
        if why == ALTERED:
            say(f"{file} is {why}; it is made again")
    if not any(faults.values()):
        there = open_netcdf(path)
        now = _inputs(opened, store, ids, states(store, ids), opened.seeds)
        if there.attrs.get("inputs") == now:
            return there
        there.close()
    with sealing(store.folder, RESULTS, TABLE):
        ds = assemble(opened, conditions, store, ids, path)
        atomic_write(tidy, table(ds))
    return ds


def _inputs(
    opened: OpenExperiment,
    store: Store,
    ids: Mapping[Place, str],
    state: Mapping[str, str],
    seeds: Sequence[int],
) -> str:
    """A digest of all that results and figures show: which runs, what became of them and is in
    them (the same run may have been made again), how they are read.
    """
    whole, marks = hashlib.sha256(), {run: store.mark(run) for run in set(ids.values())}
    for place, run in ids.items():
        whole.update(f"{place} {run} {state[run]} {marks[run]}\n".encode())
    settings = sorted((path, str(value)) for path, value in opened.set.items())
    return digest(
        [
            RESULTS_VERSION,
            __version__,
            versions(),
            whole.hexdigest(),
            opened.document.tree,
            settings,
            list(seeds),
        ]
    )


def assemble(
    opened: OpenExperiment,
    conditions: Sequence[Condition],
    store: Store,
    ids: Mapping[Place, str],
    path: Path,
    seeds: Sequence[int] | None = None,
) -> xr.Dataset:
    """Write all runs to `path` and open it: curves on axes they share, every readout beside them,
    the verdicts.

    Raises StoreError.
    """
    import xarray as xr

    experiment = opened.experiment
    seeds = tuple(seeds or opened.seeds)
    cells = Cells(
        tuple(experiment.arms), tuple((axis.name, axis.size) for axis in opened.axes), seeds
    )
    ids = {place: run for place, run in ids.items() if place[2] in seeds}
    names = cells.named(ids)
    axes = Axes.of(
        conditions,
        experiment.snapshots,
        _frequency(store, names) if experiment.snapshots else np.empty(0),
    )
    wide = axes.variables(cells.dims)
    sizes = dict(zip(cells.dims, cells.shape, strict=True)) | axes.sizes
    large = {name: it for name, it in wide.items() if all(sizes[dim] for dim in it[0])}
    packed = zip(cells.dims, next(cells.blocks(RUNS_TOGETHER)), strict=True)
    chunk = {dim: part.stop - part.start for dim, part in packed} | {"arm": 1}
    book = ReadoutTable(experiment.readouts, names)
    of_cell = {(each.arm, each.index): each for each in conditions}

    def known(place: tuple[int, ...]) -> Known:
        arm, *index, seed = place
        plan = of_cell[cells.arms[arm], tuple(index)].plan(seeds[seed], "")
        return Known(treated_of(plan), event_times(plan))

    with replacing(path) as partial:
        with writing(partial, sizes, large, chunk) as put:
            for block in cells.blocks(RUNS_AT_ONCE, RUNS_TOGETHER):
                put(block, _block(store, names, block, axes, book, large, known))
        none = {
            name: (dims, np.empty([sizes[d] for d in dims]), attrs)
            for name, (dims, attrs) in wide.items()
            if name not in large
        }
        small = xr.Dataset(none | book.variables(cells.dims), _coords(opened, cells, axes))
        small.attrs = _about(opened, conditions, book) | {
            "inputs": _inputs(opened, store, ids, book.state(), seeds)
        }
        small.attrs["claims"] = json.dumps(
            [verdict.as_dict() for verdict in judge_claims(opened, small)]
        )
        finish(partial, small)
    return open_netcdf(path)


def _frequency(store: Store, names: Array) -> Array:
    """The frequencies of spectra, from the first run of each arm that is there; none where no run
    has a spectrum.
    """
    for arm in names:
        for run in dict.fromkeys(arm.ravel()):
            try:
                found = store.load(run).frequency_hz
            except CacheDamaged:
                continue
            if found.size:
                return found
            break
    return np.empty(0)


def _block(
    store: Store,
    names: Array,
    block: Block,
    axes: Axes,
    book: ReadoutTable,
    large: Collection[str],
    known: Callable[[tuple[int, ...]], Known],
) -> dict[str, Curve]:
    """The curves of a block's runs; what else is kept of them goes into the book."""
    here, corner = names[block], [part.start for part in block]
    values = empty({name: (*here.shape, *axes.shape(name)) for name in large})
    places: dict[str, list[tuple[int, ...]]] = {}
    for at in np.ndindex(here.shape):
        places.setdefault(str(here[at]), []).append(at)
    for run in store.order(places):
        inside = places[run]
        whole = [tuple(first + i for first, i in zip(corner, at, strict=True)) for at in inside]
        try:
            stored = store.load(run)
        except CacheDamaged:
            book.miss(whole, _why_not(store, run))
            continue
        book.enter(whole, stored, known(whole[0]) if book.of_known else None)
        for name, curve in axes.curves(stored):
            if name in values:
                for at in inside:
                    values[name][at] = curve
    return values


def _coords(opened: OpenExperiment, cells: Cells, axes: Axes) -> dict[str, Any]:
    """Names and numbers along every dimension."""
    experiment = opened.experiment
    coords: dict[str, Any] = {
        "arm": list(cells.arms), "seed": list(cells.seeds), "class": list(axes.classes),
        "pool": list(axes.pools),
        "time": ("time", axes.time_h, {"units": "h", "resolution": axes.resolution,
                                       "long_name": "time after the first planned dose"}),
        "species": np.array(axes.species, dtype=object),
        "snapshot": np.array(axes.snapshots, dtype=object),
        "frequency": ("frequency", axes.frequency_hz, {"units": "Hz"}),
    }  # fmt: skip
    if axes.snapshots:
        when = [float(t) for t in experiment.snapshots.values()]
        coords["snapshot_time"] = ("snapshot", when, {"units": "h"})
    coords["arm_title"] = ("arm", [experiment.arm(arm).title or "" for arm in cells.arms])
    for axis in opened.axes:
        coords[axis.name] = (
            axis.name,
            np.arange(axis.size),
            {"units": "1", "long_name": "point of the design"},
        )
        if axis.roles:
            about = {"long_name": "place in the design: A, A with one number of B, B"}
            coords[ROLE] = (axis.name, np.array(axis.roles, dtype=object), about)
        for column in axis.columns:
            title = title_in(experiment, column.path) or ""
            about = {"units": column.unit, "path": column.path, "title": title}
            coords[column.name] = (axis.name, list(column.values), about)
    return coords


def _about(
    opened: OpenExperiment, conditions: Sequence[Condition], book: ReadoutTable
) -> dict[str, Any]:
    experiment = opened.experiment
    first = conditions[0]
    return {
        "title": experiment.title or opened.name.replace("_", " ").capitalize(),
        "experiment": opened.name,
        "question": experiment.question,
        "species": ", ".join(dict.fromkeys(condition.subject.species for condition in conditions)),
        **{
            key: ", ".join(dict.fromkeys(getattr(each.setting.model, key) for each in conditions))
            for key in ("subject", "circuit", "plasticity", "rule")
        },
        **_preparations(conditions),
        "kind": first.kind,
        "method": first.setting.course.method,
        "design": json.dumps(_design(opened)),
        "n_expected": book.names.size,
        "n_complete": int(book.complete.sum()),
        "scope": SCOPE,
        "dosing": json.dumps(
            [
                row
                for condition in conditions
                if not any(condition.index)
                for row in dosing_rows(condition)
            ]
        ),
        "versions": json.dumps(versions(), sort_keys=True),
        "backends": ", ".join(sorted(book.backends)),
    }


def _preparations(conditions: Sequence[Condition]) -> dict[str, str]:
    """In which single spines are seen; nothing of other runs."""
    found = dict.fromkeys(each.preparation for each in conditions if each.kind in OF_SPINES)
    return {"preparation": ", ".join(found)} if found else {}


def _design(opened: OpenExperiment) -> dict[str, Any]:
    """How points were made: the kind of design, its seed, what it is over in words; empty without
    points.
    """
    if not opened.sweep_in_words:
        return {}
    experiment = opened.experiment
    kind = kind_of(experiment.sweep, experiment.design) if experiment.sweep else ""
    paths = [column.path for axis in opened.axes for column in axis.columns]
    return {
        "kind": kind,
        "seed": experiment.design.seed,
        "paths": paths,
        "over": opened.sweep_in_words,
    }


def readouts(ds: xr.Dataset) -> xr.Dataset:
    """The readouts alone."""
    return ds[[name for name in ds.data_vars if "readout" in ds[name].attrs]]


def load(folder: Path | str) -> xr.Dataset:
    """The results in a folder, or in a results.nc: readouts in memory, curves in the file where
    they are many.

    Raises InputError when there are none.

    >>> ds = plastogen.run("mine", seeds=2, method="formula")
    >>> plastogen.load("results/mine").equals(ds)
    True
    """
    path = Path(folder)
    path = path / RESULTS if is_dir(path) else path
    if not is_file(path):
        wanted = "a results folder, which holds results.nc"
        raise InputError.one(
            file=str(folder), found=show(path.name), wanted=f"{wanted}; `plastogen run` makes one"
        )
    wanted = "results.nc as plastogen wrote it"
    again = "; delete it and run the experiment again, which takes seconds"
    if (why := fault(path)) == ALTERED:
        raise InputError.one(file=str(path), found=f"a file that is {why}", wanted=wanted + again)
    try:
        ds = open_netcdf(path)
    except Exception as error:  # a foreign or damaged file can fail in any way
        found = f"a file that does not open ({in_words(error)})"
        raise InputError.one(file=str(path), found=found, wanted=wanted + again) from None
    lacks = [name for name in ("status", "run", "arm", "seed") if name not in ds.variables]
    lacks += [name for name in ("experiment", "inputs") if name not in ds.attrs]
    if lacks:
        ds.close()
        raise InputError.one(file=str(path), found=f"no {lacks[0]} in it", wanted=wanted)
    return ds
