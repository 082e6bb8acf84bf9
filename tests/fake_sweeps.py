"""Invented sweeps with the names and dimensions of results.nc: a dose axis, a plane, points drawn,
virtual subjects.

As in fake_results, the numbers have plausible shapes and are there to draw and to test, never to
quote.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from plastogen import SCOPE
from plastogen.experiment.design import ROLE, axes_of
from plastogen.experiment.sweep import Design, Span
from plastogen.runs.dosing import dosing_row
from plastogen.simulation.variables import VARIABLES

T = np.unique(np.concatenate([np.linspace(-1, 6, 29), np.geomspace(6, 336, 32)]))
ARMS = ("vehicle", "ketamine", "ketamine_nbqx")
DOSE, MG = "arms.ketamine.give.infusion.dose", "drugs.ketamine.actions.nmdar.ketamine.reference_mg"
READOUTS = {
    "effect_day_1": ("clinical_effect", 24.0, "clinical effect on day 1", "1"),
    "spine_density_24h": ("spine_density", 24.0, "spine density at 24 h", "1"),
    "glutamate_40min": ("glutamate", 0.67, "glutamate at 40 min", "%"),
    "weight_24h": ("weight", 24.0, "weight at 24 h", "1"),
}


def _late(delay: float, rise: float, fall: float) -> np.ndarray:
    s = np.clip(T - delay, 0, None)
    return np.asarray((1 - np.exp(-s / rise)) * np.exp(-s / fall))


def courses(strength: Any, stress: Any, noise: Any) -> dict[str, np.ndarray]:
    """Variable -> (..., time) for a drug of some strength under some stress; all of one shape,
    noise about 1.
    """
    strength, stress, noise = (np.asarray(x, float)[..., None] for x in (strength, stress, noise))
    surge = strength * np.exp(-0.35 * strength) * noise
    weight = 1 - 0.1 * stress + 0.12 * surge * _late(0.3, 2, 150)
    spines = 1 - 0.2 * stress + 0.12 * surge * (0.2 + 0.8 * stress) * _late(9, 10, 320)
    recurrent = weight * spines
    return {
        "glutamate": 100 * (1 + 0.2 * surge * _late(0.1, 0.3, 1)),
        "dissociation": 0.2 * strength * _late(0, 0.2, 1.5) + 0 * noise,
        "weight": weight,
        "spine_density": spines,
        "recurrent": recurrent,
        "clinical_effect": -9 * np.log(recurrent / recurrent[..., :1]),
    }


def dataset(
    outer: Mapping[str, int],
    values: Mapping[str, np.ndarray],
    coords: Mapping[str, Any],
    design: Mapping[str, Any],
    arms: Sequence[str] = ARMS,
    title: str = "Dose and response",
    threshold: float | None = None,
) -> xr.Dataset:
    """The Dataset: curves over `outer` and time, a few readouts, status, attributes."""
    dims = tuple(outer)
    data: dict[str, Any] = {}
    for name, curve in values.items():
        variable = VARIABLES[name]
        attrs = {"units": variable.unit, "long_name": variable.long_name}
        data[name] = ((*dims, *variable.dims), curve, attrs)
    for name, (of, when, long_name, unit) in READOUTS.items():
        at = values[of][..., int(np.abs(T - when).argmin())]
        data[name] = (dims, at, {"units": unit, "long_name": long_name, "readout": 1, "of": of})
    if threshold is not None:
        attrs = {
            "units": "1",
            "long_name": "response on day 1",
            "readout": 1,
            "yes_no": 1,
            "of": "clinical_effect",
        }
        yes = (data["effect_day_1"][1] < threshold).astype(float)
        data = {"responds": (dims, yes, attrs | {"threshold": threshold, "beyond": "below"})} | data
    data["status"] = (dims, np.full(tuple(outer.values()), "complete", dtype=object))
    rows = [
        dosing_row(a, "ketamine", "dose", 0.5, "mg/kg", (0.0, 2 / 3), route="iv", over_h=2 / 3)
        for a in arms
        if "ketamine" in a
    ]
    rows += [
        dosing_row(a, "nbqx", "occupancy", 90, "%", (-0.5, 7.5), title="NBQX")
        for a in arms
        if "nbqx" in a
    ]
    n = int(np.prod(list(outer.values())))
    ds = xr.Dataset(data, coords={"arm": list(arms), "time": ("time", T, {"units": "h"}), **coords})
    ds.attrs = {
        "title": title, "species": "human", "subject": "stressed_adult", "circuit": "prefrontal", "plasticity": "all",
        "n_expected": n, "n_complete": n, "scope": SCOPE, "dosing": json.dumps(rows), "design": json.dumps(design),
    }  # fmt: skip
    return ds


def _axis(
    path: str, values: np.ndarray, unit: str, dim: str
) -> tuple[str, np.ndarray, dict[str, str]]:
    return dim, values, {"units": unit, "path": path}


def _arm_factor(arms: Sequence[str]) -> np.ndarray:
    return np.array([0.0 if a == "vehicle" else 0.12 if "nbqx" in a else 1.0 for a in arms])


def doses(points: int = 30, seeds: int = 4, arms: Sequence[str] = ARMS) -> xr.Dataset:
    """One axis: dose."""
    rng = np.random.default_rng(1)
    dose = np.geomspace(0.05, 5, points)
    outer = {"arm": len(arms), "dose": points, "seed": seeds}
    strength = _arm_factor(arms)[:, None, None] * (2 * dose)[None, :, None] + np.zeros(seeds)
    noise = 1 + 0.1 * rng.standard_normal(seeds) + 0.03 * rng.standard_normal(tuple(outer.values()))
    coords = {"seed": range(1, seeds + 1), "dose": _axis(DOSE, dose, "mg/kg", "dose")}
    over = [[f"a grid ({points} points)", f"{DOSE}: 0.05 mg/kg to 5 mg/kg, {points} values, log"]]
    return dataset(
        outer,
        courses(strength, 1, noise),
        coords,
        {"kind": "grid", "paths": [DOSE], "over": over},
        arms,
    )


def plane(seeds: int = 3) -> xr.Dataset:
    """Two axes: dose and how much magnesium counts."""
    rng = np.random.default_rng(2)
    dose, mg = np.geomspace(0.05, 5, 11), np.array([1.0, 2, 4, 8, 16, 1000])
    arms = ("vehicle", "ketamine")
    outer = {"arm": 2, "reference_mg": mg.size, "dose": dose.size, "seed": seeds}
    strength = (1 + np.log10(mg))[:, None] * dose
    strength = np.array([0, 1])[:, None, None, None] * strength[None, :, :, None] + np.zeros(seeds)
    noise = 1 + 0.1 * rng.standard_normal(seeds) + 0.03 * rng.standard_normal(tuple(outer.values()))
    coords = {
        "seed": range(1, seeds + 1),
        "dose": _axis(DOSE, dose, "mg/kg", "dose"),
        "reference_mg": _axis(MG, mg, "mM", "reference_mg"),
    }
    over = [
        [
            "a grid (66 points)",
            f"{MG}: 1 mM, 2 mM",
            f"{DOSE}: 0.05 mg/kg to 5 mg/kg, 11 values, log",
        ]
    ]
    design = {"kind": "grid", "paths": [MG, DOSE], "over": over}
    return dataset(outer, courses(strength, 1, noise), coords, design, arms, "Block and magnesium")


def causes() -> xr.Dataset:
    """`plane`, its weight moved by the second number alone, and arms that no number reaches."""
    ds = plane()
    weight = (ds["weight_24h"] * 0 + np.log10(ds["reference_mg"])).transpose(*ds["weight_24h"].dims)
    ds = ds.assign(weight_24h=weight.assign_attrs(ds["weight_24h"].attrs))
    still = ds.sel(arm="ketamine").isel(dose=[4], reference_mg=[2])
    filled = [
        still.isel(dose=0, reference_mg=0).expand_dims(
            {"arm": [arm], "reference_mg": ds["reference_mg"], "dose": ds["dose"]}
        )
        for arm in ("ketamine_low", "ketamine_middle")
    ]
    found = xr.concat([ds, *filled], "arm", coords="minimal", compat="override", join="outer")
    return found.transpose(*ds.dims).assign_attrs(ds.attrs)


def drawn(kind: str = "saltelli", points: int = 128, seeds: int = 2) -> xr.Dataset:
    """Points of a design over five numbers, of which three matter, the first most."""
    paths = {
        "plasticity.spine.rescue": (0.07, 0.2), "drugs.ketamine.actions.nmdar.ketamine.ic50.GluN2B": (2.5, 10.0),
        "plasticity.signalling.mtorc1_gain": (6.0, 10.0), "plasticity.synapse.tag_time": (1.0, 3.0),
        "drugs.ketamine.kinetics.human.H2.clearance": (1.15, 1.5),
    }  # fmt: skip
    spans: dict[str, Any] = {
        p: Span.model_validate({"from": low, "to": high}) for p, (low, high) in paths.items()
    }
    (axis,) = axes_of(spans, Design.model_validate({"kind": kind, "points": points}))
    rng = np.random.default_rng(3)
    x = {c.name: np.array(c.values, float) for c in axis.columns}
    strength = 8 * x["rescue"] * (x["GluN2B"] / 5) ** -0.6 * (x["mtorc1_gain"] / 8) ** 1.2
    arms = ("vehicle", "ketamine")
    outer = {"arm": 2, "point": axis.size, "seed": seeds}
    strength = np.array([0, 1])[:, None, None] * strength[None, :, None] + np.zeros(seeds)
    noise = 1 + 0.05 * rng.standard_normal(seeds)
    coords = {"seed": range(1, seeds + 1), "point": range(axis.size)}
    coords |= {c.name: _axis(c.path, x[c.name], "1", "point") for c in axis.columns}  # type: ignore[misc]
    if axis.roles:
        coords[ROLE] = ("point", np.array(axis.roles, dtype=object))  # type: ignore[assignment]
    over = [
        [
            f"a Saltelli design ({axis.size} points, seed 1)",
            *(f"{path}: the range in models/" for path in paths),
        ]
    ]
    design = {"kind": kind, "paths": list(paths), "over": over}
    return dataset(outer, courses(strength, 1, noise), coords, design, arms, "What matters")


def people(count: int = 200, seeds: int = 2) -> xr.Dataset:
    """Virtual subjects: stress and clearance decide who responds, weight and inhibition hardly do."""
    rng = np.random.default_rng(4)
    stress, clearance = rng.beta(3, 2, count), 1.3 * np.exp(0.35 * rng.standard_normal(count))
    weight, inhibition = (
        70 * np.exp(0.2 * rng.standard_normal(count)),
        np.exp(0.1 * rng.standard_normal(count)),
    )
    arms = ("vehicle", "ketamine")
    outer = {"arm": 2, "subject": count, "seed": seeds}
    strength = np.array([0, 1])[:, None, None] * (1.3 / clearance)[None, :, None] + np.zeros(seeds)
    noise = 1 + 0.05 * rng.standard_normal(seeds) + 0.1 * rng.standard_normal((1, count, 1))
    coords = {
        "seed": range(1, seeds + 1), "subject": range(count),
        "subject_stress": _axis("subject.stress", stress, "1", "subject"),
        "clearance": _axis("drugs.ketamine.kinetics.human.H2.clearance", clearance, "L/min", "subject"),
        "subject_weight": _axis("subject.weight", weight, "kg", "subject"),
        "inhibition": _axis("subject.inhibition", inhibition, "1", "subject"),
    }  # fmt: skip
    paths = [attrs["path"] for _, _, attrs in list(coords.values())[2:]]  # type: ignore[misc]
    over = [
        [
            f"{count} virtual subjects of virtual_adult",
            *(f"{path}: lognormal around 1" for path in paths),
        ]
    ]
    design = {"kind": "", "paths": paths, "over": over}
    values = courses(strength, stress[None, :, None], noise)
    return dataset(outer, values, coords, design, arms, "Who responds", threshold=-0.8)


def along(parts: Sequence[xr.Dataset], axis: str, values: Sequence[float]) -> xr.Dataset:
    """Results side by side along a swept axis, each at one of its values."""
    dim = xr.Variable(axis, values)
    whole = xr.concat(
        parts, dim=dim, data_vars="all", coords="minimal", compat="override", join="exact"
    )
    return whole.assign_attrs(parts[0].attrs)
