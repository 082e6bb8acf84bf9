"""In: an experiment's cases and its runs on disk. Out: results.nc as an xarray Dataset, table.csv, the
verdicts.

Only the parent process writes these. Nothing partial is averaged in silence: a run that is not there is NaN
and says so in `status`, and every verdict says on how many seeds of those expected it rests.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from plastogen import SCOPE
from plastogen.cache import CacheDamaged, atomic_write, explained
from plastogen.case import Case, Question
from plastogen.claim import Claim, Verdict, judge
from plastogen.execute import versions
from plastogen.experiment import Experiment
from plastogen.grid import union
from plastogen.readout import CLASSES, POOLS, VARIABLES, Readout, evaluate, level
from plastogen.store import Store, Stored

if TYPE_CHECKING:
    import xarray as xr

Array: TypeAlias = NDArray[np.float64]
Place: TypeAlias = tuple[str, tuple[int, ...], int]  # arm, place on each sweep axis, seed
COMPLETE = "complete"


@dataclass
class Loaded:
    """Every run that is there, and why the others are not. Runs shared by several places are read once."""

    runs: dict[Place, Stored]
    why_not: dict[Place, str]

    @classmethod
    def read(cls, store: Store, ids: Mapping[Place, str]) -> Loaded:
        """Read the runs named by `ids`."""
        found: dict[str, Stored] = {}
        runs: dict[Place, Stored] = {}
        why_not: dict[Place, str] = {}
        for place, run in ids.items():
            try:
                found[run] = found.get(run) or store.load(run)
                runs[place] = found[run]
            except CacheDamaged:
                reason = store.failure(run)
                why_not[place] = f"failed: {reason}" if reason else "missing"
        return cls(runs, why_not)


def assemble(
    question: Question, cases: Sequence[Case], loaded: Loaded, ids: Mapping[Place, str],
    seeds: Sequence[int] | None = None,
) -> xr.Dataset:  # fmt: skip
    """All runs as one Dataset, on the union of their grids, with every readout beside the variables."""
    import xarray as xr

    seeds = tuple(seeds if seeds is not None else question.seeds)
    arms = tuple(question.experiment.arms)
    axes = question.axes
    shape = (len(arms), *(axis.size for axis in axes), len(seeds))
    outer = ("arm", *(axis.name for axis in axes), "seed")
    where = {
        (arm, index, seed): (i, *index, k)
        for i, arm in enumerate(arms) for index, _ in question.points() for k, seed in enumerate(seeds)
    }  # fmt: skip
    runs = {place: run for place, run in loaded.runs.items() if place in where}
    time_h = union(case.grid_h for case in cases)
    species = tuple(dict.fromkeys(s for run in runs.values() for s in run.labels["species"]))
    frequency = next((r.frequency_hz for r in runs.values() if r.frequency_hz.size), np.empty(0))
    snapshots = tuple(question.experiment.snapshots)
    sizes = {
        "time": time_h.size, "class": len(CLASSES), "pool": len(POOLS), "species": len(species),
        "snapshot": len(snapshots), "frequency": frequency.size,
    }  # fmt: skip
    data: dict[str, Any] = {}
    for name, variable in VARIABLES.items():
        values = np.full((*shape, *(sizes[dim] for dim in variable.dims)), np.nan)
        for place, run in runs.items():
            values[where[place]] = _on_common(run, name, time_h, {"species": species, "snapshot": snapshots})
        attrs = {"units": variable.unit, "long_name": variable.long_name}
        data[name] = ((*outer, *variable.dims), values, attrs)
    for name, readout in question.experiment.readouts.items():
        numbers = np.full(shape, np.nan)
        for place, run in runs.items():
            numbers[where[place]] = _read(readout, run)
        title = readout.title or name.replace("_", " ")
        data[name] = (outer, numbers, {"units": readout.unit, "long_name": title, "readout": 1})
    data |= _bookkeeping(outer, shape, where, runs, loaded, ids)
    coords: dict[str, Any] = {
        "arm": list(arms), "seed": list(seeds), "class": list(CLASSES), "pool": list(POOLS),
        "time": ("time", time_h, {"units": "h", "long_name": "time after the first planned dose"}),
        "species": np.array(species, dtype=object), "snapshot": np.array(snapshots, dtype=object),
        "frequency": ("frequency", frequency, {"units": "Hz"}),
    }  # fmt: skip
    if snapshots:
        when = [float(t) for t in question.experiment.snapshots.values()]
        coords["snapshot_time"] = ("snapshot", when, {"units": "h"})
    coords["arm_title"] = ("arm", [question.experiment.arm(arm).title or "" for arm in arms])
    for axis in axes:
        for column in axis.columns:
            coords[column.name] = (axis.name, list(column.values), {"units": column.unit, "path": column.path})
    ds = xr.Dataset(data, coords=coords)
    ds.attrs = _about(question, cases, len(where), len(runs))
    return ds


def _read(readout: Readout, run: Stored) -> float:
    return evaluate(readout, arrays=run.arrays, time_h=run.time_h, labels=run.labels)


def _bookkeeping(
    outer: tuple[str, ...], shape: tuple[int, ...], where: Mapping[Place, tuple[int, ...]],
    runs: Mapping[Place, Stored], loaded: Loaded, ids: Mapping[Place, str],
) -> dict[str, Any]:  # fmt: skip
    status = np.full(shape, COMPLETE, dtype=object)
    names = np.full(shape, "", dtype=object)
    probes, cap_hit = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int8)
    for place, at in where.items():
        names[at] = ids[place]
        if place in runs:
            log = runs[place].manifest["log"]
            probes[at], cap_hit[at] = int(log.get("probes", 0)), int(bool(log.get("cap_hit", False)))
        else:
            status[at] = loaded.why_not.get(place, "missing")
    return {
        "status": (outer, status, {"long_name": "whether the run is complete, or why not"}),
        "run": (outer, names, {"long_name": "folder of the run, below runs/"}),
        "probes": (outer, probes, {"units": "1", "long_name": "times the circuit was asked"}),
        "cap_hit": (outer, cap_hit, {"units": "1", "long_name": "1 where the cap on probes was reached"}),
    }


def _on_common(run: Stored, name: str, time_h: Array, names: Mapping[str, tuple[str, ...]]) -> Array:
    """A variable of a run on the common grid and names; before its own start it stands still.

    A species that was not given is 0; a snapshot that was not taken is NaN.
    """
    values = np.asarray(run.arrays[name], float)
    variable = VARIABLES[name]
    for dim, absent in (("snapshot", np.nan), ("species", 0.0)):
        if dim in variable.dims:
            at = variable.dims.index(dim)
            own = run.labels[dim]
            shape = values.shape[:at] + values.shape[at + 1 :]
            parts = [values.take(own.index(n), at) if n in own else np.full(shape, absent) for n in names[dim]]
            values = np.stack(parts, at) if parts else np.zeros((*shape[:at], 0, *shape[at:]))
    if "time" not in variable.dims or np.array_equal(run.time_h, time_h):
        return values
    t = np.clip(time_h, run.time_h[0], run.time_h[-1])
    right = np.clip(np.searchsorted(run.time_h, t, side="right"), 1, run.time_h.size - 1)
    share = (t - run.time_h[right - 1]) / (run.time_h[right] - run.time_h[right - 1])
    share = share.reshape(-1, *(1,) * (values.ndim - 1))
    return np.asarray(values[right - 1] * (1 - share) + values[right] * share)


def _about(question: Question, cases: Sequence[Case], expected: int, complete: int) -> dict[str, Any]:
    experiment = question.experiment
    first = cases[0]
    return {
        "title": experiment.title or question.name.replace("_", " ").capitalize(),
        "experiment": question.name, "question": experiment.question,
        "species": ", ".join(dict.fromkeys(case.subject.species for case in cases)),
        "subject": experiment.model.subject, "circuit": experiment.model.circuit,
        "plasticity": experiment.model.plasticity, "method": first.setting.course.method,
        "n_expected": expected, "n_complete": complete, "scope": SCOPE,
        "dosing": json.dumps([row for case in cases if not any(case.index) for row in dosing(case)]),
        "versions": json.dumps(versions(), sort_keys=True),
    }  # fmt: skip


def dosing(case: Case) -> list[dict[str, Any]]:
    """What an arm is given, for bars over a time axis: arm, drug, what, start_h, end_h."""
    rows = []
    for treatment in case.treatments.values():
        length = treatment.over or treatment.held
        title = case.drugs[treatment.drug].title
        if treatment.dose is not None:
            what = f"{title} {treatment.dose.text} {treatment.route}"
            what += f" over {treatment.over.text}" if treatment.over is not None else ""
        elif treatment.occupancy is not None:
            what = f"{title} at {float(treatment.occupancy):.0%} occupancy"
        else:
            what = f"{title} held at {treatment.brain.text if treatment.brain else ''}"
        for start in treatment.starts_h():
            end = start + (float(length) if length is not None else 0)
            rows.append({"arm": case.arm, "drug": treatment.drug, "what": what, "start_h": start, "end_h": end})
    for start, end, stress in case.stress:
        what = f"stress {stress:g}"
        rows.append({"arm": case.arm, "drug": "stress", "what": what, "start_h": start, "end_h": end})
    return rows


def verdicts(question: Question, ds: xr.Dataset) -> list[Verdict]:
    """The verdict on each claim; in a sweep, the worst over the points it is about."""
    experiment = question.experiment
    axes = question.axes
    found = []
    for claim in experiment.expect:
        each = []
        for index, point in question.points():
            if any(point[path] != value for path, value in claim.where.items()):
                continue
            here = ds.isel({axis.name: i for axis, i in zip(axes, index, strict=True)})
            complete = {a: here["status"].sel(arm=a).values == COMPLETE for a in experiment.arms}
            where = ", ".join(f"{path} = {value}" for path, value in point.items())
            each.append(_verdict(claim, here, experiment, complete, where))
        order = ("undecided", "missed", "known miss", "met")
        found.append(min(each, key=lambda verdict: order.index(verdict.outcome)))
    return found


def _verdict(
    claim: Claim, here: xr.Dataset, experiment: Experiment, complete: Mapping[str, Any], where: str
) -> Verdict:
    unit = experiment.readouts[claim.readout].unit

    def values(name: str, arm: str) -> Array:
        return np.asarray(here[name].sel(arm=arm).values, float)

    def number(text: float | str) -> float:
        return level(text, unit)

    return judge(claim, values, complete=complete, unit=unit, number=number, where=where)


def readouts(ds: xr.Dataset) -> xr.Dataset:
    """The readouts alone."""
    return ds[[name for name in ds.data_vars if "readout" in ds[name].attrs]]


def write(ds: xr.Dataset, folder: Path) -> None:
    """results.nc and table.csv, each whole or not at all. Raises StoreError."""
    atomic_write(folder / "table.csv", table(ds))
    with explained(folder / "results.nc", "write"):
        atomic_write(folder / "results.nc", lambda file: file.write(netcdf(ds)))


def netcdf(ds: xr.Dataset) -> bytes:
    """`ds` as a netCDF4 file."""
    buffer = io.BytesIO()
    ds.to_netcdf(buffer, engine="h5netcdf")
    return buffer.getvalue()


def _head(ds: xr.Dataset, name: str) -> str:
    """A column's name with its unit, where it has one."""
    unit = ds[name].attrs.get("units", "")
    return name if unit in ("", "1") else f"{name} [{unit}]"


def table(ds: xr.Dataset) -> str:
    """One tidy row a run, as CSV: arm, swept values, seed, readouts, status, run."""
    outer = list(ds["status"].dims)
    names = list(readouts(ds).data_vars)
    heads = [_head(ds, str(name)) for name in (*outer, *names)] + ["status", "run"]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(heads)
    coords = [ds[dim].values for dim in outer]
    values = [ds[name].values for name in (*names, "status", "run")]
    for at in np.ndindex(*(len(c) for c in coords)):
        row = [c[i] for c, i in zip(coords, at, strict=True)] + [v[at] for v in values]
        writer.writerow(["" if isinstance(x, float) and np.isnan(x) else x for x in row])
    return out.getvalue()
