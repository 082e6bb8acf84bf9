"""In: a results folder. Out: its courses as the page draws them: means over seeds, and what the
network was meanwhile.

Curves are kept in 16 bits between their smallest and largest value: off by less than 1/100,000 of
that range. Classes are those of the runs, whatever circuit they came from; where a course's circuit
lacks what another has, its curve is absent.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from plastogen._base.units import split
from plastogen.errors import InputError, QuantityError
from plastogen.experiment import (
    COMPLETE,
    POINT,
    SUBJECT,
    Axis,
    Condition,
    OpenExperiment,
    open_experiment,
)
from plastogen.figures import data, labels, layout, style
from plastogen.model.plasticity import Spines
from plastogen.publish.explore.branch import branch
from plastogen.publish.explore.numbers import factors
from plastogen.publish.network import drive_along
from plastogen.runs import dosing_rows, dosing_text, open_netcdf, read_record

if TYPE_CHECKING:
    import xarray as xr

Array = npt.NDArray[np.float64]

LEVEL_CURVES = ("plasma_ng_ml", "brain_uM")
CURVES = (
    "glutamate",
    "balance",
    "bdnf",
    "mtorc1",
    "eef2k",
    "tag",
    "free_protein",
    "protein",
    "weight",
    "spine_density",
    "structure",
    "recurrent",
    "pv_integrity",
    "tolerance",
    "clinical_effect",
)
LEVELS, ABSENT = 65534, 65535  # steps between the smallest and the largest value; no value here
DARK_TINT = 40  # per cent of white that lifts a colour off a dark page


def study(folder: Path) -> dict[str, Any]:
    """All courses of a finished run or sweep, ready for JSON. Raises InputError when the page
    cannot show them.
    """
    ds, opened = _opened(folder)
    with ds:
        runs, courses, cells = ds["run"], dict[str, int](), set[int]()
        index, dosed, curves = dict[str, int](), list[list[Any]](), list[dict[str, Array]]()
        words = dict[str, tuple[str, str]]()
        for place, point in opened.points():
            at = dict(zip((axis.name for axis in opened.axes), place, strict=True))
            for arm in map(str, ds["arm"].values):
                key = " ".join(
                    map(str, runs.sel(arm=arm).isel(at).values.ravel())
                )  # equal arms share their runs
                if key not in courses:
                    courses[key] = len(courses)
                    condition = opened.condition(arm, place, point)
                    found = list(_curves(ds.sel(arm=arm).isel(at).load(), condition))
                    words |= {name: (label, unit) for name, label, unit, _ in found}
                    curves.append({name: values for name, *_, values in found})
                    cells.add(condition.circuit.size)
                    principal = condition.circuit.principal
                    rows = dosing_rows(condition)
                    dosed.append([[row["start_h"], row["end_h"], dosing_text(row)] for row in rows])
                index["/".join(map(str, (arm, *place)))] = courses[key]
        return {
            "name": opened.name,
            "title": ds.attrs["title"],
            "question": ds.attrs["question"],
            "who": _who(ds, opened, cells),
            "principal": principal,
            "classes": list(_classes(ds)),
            "arms": list(_arms(ds)),
            "axes": [_axis(axis) for axis in opened.axes],
            "index": index,
            "given": dosed,
            "time_h": np.round(ds["time"].values, 6).tolist(),
            "curves": [
                {"name": name, "label": label, "unit": unit}
                for name, (label, unit) in words.items()
            ],
            "branch": branch(ds, folder, courses) if "spines_standing" in ds else None,
            "choices": [name for name in (*LEVEL_CURVES, *CURVES) if name in words],
            **packed(np.array([_rows(own, words, ds.sizes["time"]) for own in curves])),
        }


def _who(ds: xr.Dataset, opened: OpenExperiment, cells: set[int]) -> str:
    """Who was simulated with what, but for what the sweep itself varies."""
    swept = {axis.name for axis in opened.axes}
    fixed = {k: v for k, v in ds.attrs.items() if k != "title" and k not in swept}
    told = layout.subtitle(ds.drop_attrs(deep=False).assign_attrs(fixed))
    if ds.attrs.get("method") == "formula":
        return told
    sizes, n = " or ".join(f"{size:,}" for size in sorted(cells)), ds.sizes["seed"]
    return f"{told}; {f'mean of {n} networks' if n > 1 else 'one network'} of {sizes} cells"


def _rows(own: Mapping[str, Array], names: Iterable[str], times: int) -> list[Array]:
    """A course's curves in order, NaN where it has none."""
    return [own.get(name, np.full(times, np.nan)) for name in names]


def _opened(folder: Path) -> tuple[xr.Dataset, OpenExperiment]:
    """Results and the experiment they are of. Raises InputError."""
    path, record = folder / "results.nc", read_record(folder)
    if record is None or not path.is_file():
        wanted = "a results folder, which `plastogen run` makes"
        raise InputError.one(
            file=str(folder),
            found=f"no {path.name if record else 'asked.json'} in it",
            wanted=wanted,
        )
    opened, ds = open_experiment(record.experiment, record.set), open_netcdf(path)
    sizes = {axis.name: axis.size for axis in opened.axes}
    fault = None
    if {POINT, SUBJECT} & sizes.keys():
        fault = "points that are no grid", "one course, or a grid of them (design: {kind: grid})"
    elif sizes != {name: ds.sizes[name] for name in data.sweep_axes(ds)} or {
        *opened.experiment.arms
    } != {*map(str, ds["arm"].values)}:
        fault = (
            f"another question than {record.experiment} asks now",
            f"its answer: plastogen run {record.experiment}",
        )
    elif not bool((ds["status"] == COMPLETE).all()):
        there = f"{ds.attrs['n_complete']} of {ds.attrs['n_expected']} runs"
        fault = there, f"all of them: plastogen run {record.experiment}"
    if fault is not None:
        ds.close()
        raise InputError.one(file=str(path), found=fault[0], wanted=fault[1])
    return ds, opened


def drives(one: xr.Dataset, condition: Condition) -> Array:
    """What drives the network along a course, mean over seeds: (factors, times)."""
    drive = drive_along(one.transpose(..., "seed", "time"), condition)
    shape = (one.sizes["seed"], one.sizes["time"])
    return np.array(
        [np.broadcast_to(drive[name], shape).mean(axis=0) for name in factors(condition.circuit)],
        dtype=float,
    )


def _curves(one: xr.Dataset, condition: Condition) -> Iterator[tuple[str, str, str, Array]]:
    """Name, label, unit and values (times,) of every curve the page may draw, means over seeds."""
    there = [name for name in CURVES if name in one.data_vars]
    mean = one[[*LEVEL_CURVES, "block", "rate_hz", "vacant", *there]].mean("seed")
    species = str(one["species"].values[0]) if one.sizes["species"] else ""
    for name, where in zip(LEVEL_CURVES, ("venous plasma", "brain, unbound"), strict=True):
        level = mean[name].sel(species=species).values if species else np.zeros(one.sizes["time"])
        yield name, f"{species} in {where}", _unit(one, name), level
    for cls in condition.circuit.classes:
        blocked = 100 * mean["block"].sel(pool=f"{cls}.synaptic").values
        yield f"block_{cls}", f"{cls} blocked", "%", blocked
    for cls in condition.circuit.classes:
        yield f"rate_{cls}", f"{cls} rate", "Hz", mean["rate_hz"].sel({"class": cls}).values
    for name in there:
        yield name, str(one[name].attrs["long_name"]), _unit(one, name), mean[name].values
    spines = Spines(condition.plasticity.spine)
    persistent = spines.sites - mean["vacant"].values
    yield "sites", "sites for persistent spines", "", np.full(one.sizes["time"], spines.sites)
    yield "persistent", "persistent spines", "", persistent
    yield "transient", "transient spines", "", mean["spine_density"].values - persistent
    for name, values in zip(factors(condition.circuit), drives(one, condition), strict=True):
        yield f"drive.{name}", name, "", values


def _unit(ds: xr.Dataset, name: str) -> str:
    return labels.unit_text(str(ds[name].attrs["units"]))


def _classes(ds: xr.Dataset) -> Iterator[dict[str, str]]:
    for name, look in style.class_styles(map(str, ds["class"].values)).items():
        yield {"name": name, "light": look.colour, "dark": style.tint(look.colour, DARK_TINT)}


def _arms(ds: xr.Dataset) -> Iterator[dict[str, Any]]:
    for name, look in style.arm_styles(ds).items():
        dash = [] if isinstance(look.line, str) else list(look.line[1])
        dark = style.tint(look.colour, DARK_TINT)
        yield {"name": name, "label": look.label, "light": look.colour, "dark": dark, "dash": dash}


def _axis(axis: Axis) -> dict[str, Any]:
    (column,) = axis.columns
    numbers = all(isinstance(value, int | float) for value in column.values)
    return {
        "name": axis.name.replace("_", " "),
        "texts": [_text(value) for value in column.written],
        "numbers": numbers,
    }


def _text(written: Any) -> str:
    """A value as it is said: numbers with three digits."""
    try:
        number, unit = split(written)
    except QuantityError:
        return str(written)
    return f"{number:.3g} {unit}".strip()


def packed(values: Array) -> dict[str, Any]:
    """(courses, curves, times) in 16 bits, with the range of each curve over all courses; NaN is
    ABSENT.
    """
    there = np.isfinite(values)
    low = np.where(there, values, np.inf).min(axis=(0, 2))
    high = np.where(there, values, -np.inf).max(axis=(0, 2))
    span = np.where(high > low, high - low, 1)[:, None]
    shares = np.where(there, values - low[:, None], 0) / span
    levels = np.where(there, np.round(shares * LEVELS), ABSENT).astype("<u2")
    return {
        "low": low.tolist(),
        "high": high.tolist(),
        "data": base64.b64encode(levels.tobytes()).decode("ascii"),
    }


def as_json(value: Any) -> str:
    """JSON that may stand inside a script element."""
    return json.dumps(value, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
