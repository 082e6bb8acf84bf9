"""In: results and runs of the network. Out: spikes as Neurodata Without Borders, a file
for each run (extra `nwb`).

One clock, seconds since the course began, holds as epochs the course, its snapshots and what was
given. Every cell is a unit, silent ones too: rates are spikes over the time of `obs_intervals`,
over all cells.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from plastogen._base.files import explained
from plastogen._base.quantity import parse
from plastogen._base.scope import SCOPE
from plastogen.errors import InputError
from plastogen.model.pharmacology import S_PER_H
from plastogen.publish.finished_runs import FinishedRun, file_names, finished_runs
from plastogen.runs import Store, dosing_text
from plastogen.simulation import SNAPSHOT_S

if TYPE_CHECKING:
    import xarray as xr

LATIN = {"human": "Homo sapiens", "mouse": "Mus musculus", "rat": "Rattus norvegicus"}
ADULT = {"human": "P18Y/", "mouse": "P8W/", "rat": "P8W/"}  # ISO 8601: this old, or older
KEYWORDS = ("simulation", "ketamine", "NMDA receptor", "spiking network", "prefrontal cortex")


def to_nwb(
    ds: xr.Dataset, store: Store, folder: Path, *, say: Callable[[str], None] = print
) -> list[Path]:
    """Write every finished run that has snapshots, one file a run; `say` hears of each. Raises
    InputError, StoreError.
    """
    try:
        from pynwb import NWBHDF5IO
    except ImportError:
        wanted = "the extra for NWB: pip install 'plastogen[nwb]'"
        raise InputError.one(file="export", found="no pynwb", wanted=wanted) from None
    runs = list(finished_runs(ds, store))
    if not runs or not ds.sizes.get("snapshot", 0) or ds.attrs.get("method") != "direct":
        found = "no finished run with spikes"
        wanted = "runs of the network (method direct) with snapshots"
        raise InputError.one(file="export", found=found, wanted=wanted)
    paths: list[Path] = []
    with explained(folder, "write into"):
        folder.mkdir(parents=True, exist_ok=True)
        for i, (name, one) in enumerate(zip(file_names(runs), runs, strict=True), start=1):
            path = folder / f"{name}.nwb"
            with NWBHDF5IO(str(path), "w") as file:
                file.write(_nwb(ds, store, one))
            paths.append(path)
            say(f"{i} of {len(runs)}: {path}")
    return paths


def _nwb(ds: xr.Dataset, store: Store, one: FinishedRun) -> Any:
    """One run as an NWBFile."""
    from pynwb import NWBFile
    from pynwb.file import Subject

    plan, manifest = store.plan(one.run), store.load(one.run).manifest
    start_h = float(plan["start_h"])
    attrs = {key: str(value) for key, value in ds.attrs.items()}
    given = [row for row in json.loads(attrs.get("dosing", "[]")) if row["arm"] == one.arm]
    doses = "; ".join(dict.fromkeys(dosing_text(row) for row in given)) or "nothing"
    about = f"arm {one.arm}" + f", {one.point}" * bool(one.point) + f", seed {one.told['seed']}"
    made = datetime.fromtimestamp((store.runs / one.run / "plan.json").stat().st_mtime, UTC)
    species = str(plan["subject"]["species"])  # results of several species name them all
    weight, unit = plan["subject"]["weight"]
    whole = NWBFile(
        session_description=(
            f"{attrs['title']}: {about}. Simulated spikes of {SNAPSHOT_S} s at each snapshot."
        ),
        identifier=one.run,
        session_id=re.sub(r"[^\w.+-]", "-", one.name),
        session_start_time=made.replace(microsecond=0),
        experiment_description=attrs.get("question", attrs["title"]),
        experimenter=["plastogen, simulation"],
        institution="none: a simulation",
        lab=f"plastogen {manifest['versions']['plastogen']}, {attrs['circuit']} circuit",
        keywords=list(KEYWORDS),
        pharmacology=doses,
        protocol=json.dumps({"experiment": attrs.get("experiment", ""), **_plain(one.told)}),
        data_collection=json.dumps(
            {key: manifest[key] for key in ("backend", "versions", "model_version", "git")}
        ),
        notes=(
            f"{SCOPE} Times are seconds since the course began, {-start_h:g} h before the first"
            " dose; only the snapshots were kept (epochs, obs_intervals)."
        ),
    )
    whole.subject = Subject(
        subject_id=re.sub(r"[^\w]+|_", "-", f"{attrs['subject']}-seed-{one.told['seed']}"),
        species=LATIN[species],
        description=f"virtual: {attrs['subject'].replace('_', ' ')}",
        sex="U",
        age=ADULT[species],
        weight=f"{weight:g} {unit}",
    )
    shots = store.spikes(one.run)
    began = {
        name: max(float(plan["snapshots"][name]) - start_h, 0) * S_PER_H
        for name in sorted(shots, key=lambda name: float(plan["snapshots"][name]))
    }
    step_s = _step_s(plan)
    _add_epochs(whole, (start_h, float(plan["duration_h"])), began, given, step_s)
    whole.units = _units(shots, began, manifest["classes"], step_s)
    return whole


def _plain(told: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v.item() if isinstance(v, np.generic) else v for k, v in told.items()}


def _step_s(plan: Mapping[str, Any]) -> float:
    """The time step of the network, s."""
    value, unit = plan["circuit"]["step"]
    return parse(f"{value} {unit}", "s")


def _add_epochs(
    whole: Any,
    span_h: tuple[float, float],
    began: Mapping[str, float],
    given: Sequence[Mapping[str, Any]],
    step_s: float,
) -> None:
    """The course, what was given and the snapshots, on the clock of the file; what is given at once
    takes a step of the network.
    """
    whole.add_epoch_column("kind", "course, dosing or snapshot")
    whole.add_epoch_column("what", "which snapshot; what was given")
    whole.add_epoch_column("time_h", "when it begins, hours in the course")
    start_h, end_h = span_h
    rows = [("course", "the whole course", 0.0, (end_h - start_h) * S_PER_H)]
    for row in given:
        times = ((row[end] - start_h) * S_PER_H for end in ("start_h", "end_h"))
        rows.append(("dosing", dosing_text(row), *times))
    rows += [("snapshot", name, start, start + SNAPSHOT_S) for name, start in began.items()]
    for kind, what, start, stop in sorted(rows, key=lambda row: row[2]):
        time_h = start / S_PER_H + start_h
        end = max(stop, start + step_s)
        whole.add_epoch(start, end, [kind], kind=kind, what=what, time_h=time_h)


def _units(
    shots: Mapping[str, tuple[NDArray[np.float64], NDArray[np.int32]]],
    began: Mapping[str, float],
    classes: Mapping[str, tuple[int, int]],
    step_s: float,
) -> Any:
    """A unit a cell, those that never fired too, with its spikes in the order of time."""
    from pynwb.core import VectorData, VectorIndex
    from pynwb.misc import Units

    count = max(end for _, end in classes.values())
    times = np.concatenate([shots[name][0].astype(np.float64) + began[name] for name in began])
    cells = np.concatenate([shots[name][1] for name in began])
    order = np.lexsort((times, cells))
    ends = np.cumsum(np.bincount(cells, minlength=count))
    spans = np.array([[start, start + SNAPSHOT_S] for start in began.values()])
    names = np.empty(count, object)
    for name, (first, end) in classes.items():
        names[first:end] = name
    spikes = VectorData(name="spike_times", description="when it fired, s", data=times[order])
    seen = VectorData(
        name="obs_intervals", description="when it was observed, s", data=np.tile(spans, (count, 1))
    )
    intervals = VectorIndex(
        name="obs_intervals_index", data=len(spans) * np.arange(1, count + 1), target=seen
    )
    return Units(
        name="units",
        description="every cell of the circuit, silent ones too",
        columns=[
            spikes,
            VectorIndex(name="spike_times_index", data=ends, target=spikes),
            seen,
            intervals,
            VectorData(name="cell_class", description="its class", data=names.tolist()),
            VectorData(name="cell", description="its number", data=np.arange(count)),
        ],
        id=np.arange(count),
        resolution=step_s,
    )
