"""In: a results folder. Out: its courses as the page draws them: means over seeds, and what the
network was meanwhile.

Curves are kept in 16 bits between their smallest and largest value: off by less than 1/100,000 of
that range.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from plastogen._base.text import show
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
from plastogen.model.circuit import reduce
from plastogen.model.plasticity import Spines
from plastogen.publish.explore.numbers import factors
from plastogen.runs import dosing_rows, dosing_text, open_netcdf, read_record
from plastogen.simulation import held_state, treated_of

if TYPE_CHECKING:
    import xarray as xr

Array = npt.NDArray[np.float64]

CURVES = (
    "glutamate",
    "bdnf",
    "mtorc1",
    "eef2k",
    "protein",
    "weight",
    "recurrent",
    "spine_density",
    "pv_integrity",
    "tolerance",
    "clinical_effect",
)
SLOW = ("weight", "scaling", "pv_integrity", "tolerance")
LEVELS = 65535
DARK_TINT = 40  # per cent of white that lifts a colour off a dark page


def study(folder: Path) -> dict[str, Any]:
    """All courses of a finished run or sweep, ready for JSON. Raises InputError when the page
    cannot show them.
    """
    ds, opened = _opened(folder)
    with ds:
        axes, runs, courses = opened.axes, ds["run"], dict[str, int]()
        index, dosed, curves = dict[str, int](), [], []
        described: list[tuple[str, str, str]] = []
        for place, point in opened.points():
            at = dict(zip((axis.name for axis in axes), place, strict=True))
            for arm in map(str, ds["arm"].values):
                key = " ".join(
                    map(str, runs.sel(arm=arm).isel(at).values.ravel())
                )  # equal arms share their runs
                if key not in courses:
                    courses[key] = len(courses)
                    condition = opened.condition(arm, place, point)
                    found = list(_curves(ds.sel(arm=arm).isel(at).load(), condition))
                    described = [(name, label, unit) for name, label, unit, _ in found]
                    curves.append([values for *_, values in found])
                    dosed.append(
                        [
                            [row["start_h"], row["end_h"], dosing_text(row)]
                            for row in dosing_rows(condition)
                        ]
                    )
                index["/".join(map(str, (arm, *place)))] = courses[key]
        return {
            "name": opened.name,
            "title": ds.attrs["title"],
            "question": ds.attrs["question"],
            "who": layout.subtitle(ds),
            "circuit": ds.attrs["circuit"],
            "seeds": ds.sizes["seed"],
            "arms": list(_arms(ds)),
            "axes": [_axis(axis) for axis in axes],
            "index": index,
            "given": dosed,
            "time_h": np.round(ds["time"].values, 6).tolist(),
            "curves": [
                dict(zip(("name", "label", "unit"), words, strict=True)) for words in described
            ],
            **packed(np.array(curves)),
        }


def _opened(folder: Path) -> tuple[xr.Dataset, OpenExperiment]:
    """Results and the experiment they are of. Raises InputError."""
    path, record = folder / "results.nc", read_record(folder)
    if record is None or not path.is_file():
        wanted = "a results folder, which `plastogen run` makes"
        raise InputError.one(
            file=str(folder), found=show(path.name if record else "asked.json"), wanted=wanted
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
    """What the network was told along a course, mean over seeds: (factors, times)."""
    pools = [str(pool) for pool in one["pool"].values]
    block = one["block"].transpose("pool", "seed", "time").values
    slow = {name: one[name].transpose("seed", "time").values for name in SLOW}
    switches, subject = condition.setting.switches, condition.subject
    treated = treated_of(condition.plan(int(one["seed"][0]), "numpy"))
    drive = reduce(
        condition.circuit,
        held_state(
            dict(zip(pools, block, strict=True)),
            slow,
            one["spine_density"].transpose("seed", "time").values,
            treated.targets(one["time"]),
            inhibition=float(subject.inhibition),
            feedback=switches.feedback == "on",
        ),
    )
    shape = block.shape[1:]
    return np.array(
        [np.broadcast_to(drive[name], shape).mean(axis=0) for name in factors(condition.circuit)],
        dtype=float,
    )


def _curves(one: xr.Dataset, condition: Condition) -> Iterator[tuple[str, str, str, Array]]:
    """Name, label, unit and values (times,) of every curve the page may draw, means over seeds."""
    mean = one[["plasma_ng_ml", "brain_uM", "block", "rate_hz", "vacant", *CURVES]].mean("seed")
    species = str(one["species"].values[0]) if one.sizes["species"] else ""
    for name in ("plasma_ng_ml", "brain_uM"):
        level = mean[name].sel(species=species).values if species else np.zeros(one.sizes["time"])
        yield (
            name,
            f"{species} in {'plasma' if name == 'plasma_ng_ml' else 'brain, unbound'}",
            _unit(one, name),
            level,
        )
    for cls in condition.circuit.classes:
        yield (
            f"block_{cls}",
            f"{cls} blocked",
            "%",
            100 * mean["block"].sel(pool=f"{cls}.synaptic").values,
        )
    for cls in condition.circuit.classes:
        yield f"rate_{cls}", f"{cls} rate", "Hz", mean["rate_hz"].sel({"class": cls}).values
    for name in CURVES:
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
    """(courses, curves, times) in 16 bits: value = low + (high - low) x level / LEVELS, `low` and
    `high` a curve.
    """
    low, high = values.min(axis=(0, 2)), values.max(axis=(0, 2))
    span = np.where(high > low, high - low, 1)[:, None]
    levels = np.round((values - low[:, None]) / span * LEVELS).astype("<u2")
    return {
        "low": low.tolist(),
        "high": high.tolist(),
        "data": base64.b64encode(levels.tobytes()).decode("ascii"),
    }


def as_json(value: Any) -> str:
    """JSON that may stand inside a script element."""
    return json.dumps(value, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
