"""Invented results with the names, dimensions and units of results.nc: in, arms and seeds; out, a
Dataset and spikes.

The curves are plausible shapes (bi-exponentials and saturating rises), not output of the model:
they are there to draw and to test figures and the report, never to quote. Names of classes, pools
and species, and dimensions, units and words of variables, are the product's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from plastogen import SCOPE
from plastogen._base.library import Library
from plastogen.experiment.verdict import Verdict
from plastogen.model.circuit import Circuit
from plastogen.model.pharmacology.drug import Drug
from plastogen.runs.dosing import dosing_row
from plastogen.simulation.course import Weights
from plastogen.simulation.variables import VARIABLES

ARMS = ("vehicle", "ketamine", "nbqx", "rapamycin", "ketamine_nbqx", "ketamine_rapamycin")
LIBRARY = Library()
CIRCUIT = LIBRARY.load("circuits", "prefrontal", Circuit)
CLASSES, POOLS = CIRCUIT.classes, tuple(CIRCUIT.pools())
SPECIES = LIBRARY.load("drugs", "ketamine", Drug).species
SNAPSHOTS = ("before", "during", "after", "day")
SNAPSHOT_H = (-0.5, 0.6, 2.0, 24.0)
BOUNDARIES = {name: (part.start, part.stop) for name, part in CIRCUIT.slices().items()}
BASE_HZ = dict(zip(CLASSES, (4.2, 9.5, 8.0), strict=True))
IC50_UM = dict(zip(POOLS, (5.0, 4.0, 5.2, 3.6, 2.4, 2.9, 2.1), strict=True))


def spines() -> dict[str, xr.Dataset]:
    """Spines of a run of two arms, as a run keeps them; invented."""
    rng, n = np.random.default_rng(0), 600
    look_h = np.array([-6.0, 0, 24, 48, 96, 168, 336])
    found = {}
    for arm, preparation in zip(ARMS, ("thinned skull", "cranial window"), strict=False):
        born_h = np.where(
            rng.random(n) < 0.7, -24 * rng.exponential(300, n), rng.uniform(0, 336, n)
        )
        lost_h = np.where(rng.random(n) < 0.7, np.inf, born_h + 24 * rng.exponential(5, n))
        lost_h = np.where(lost_h <= 0, np.inf, lost_h)
        there = (born_h[:, None] <= look_h) & (look_h < lost_h[:, None])
        columns = {
            "site": np.arange(n), "pre": rng.integers(0, 5, n), "post": rng.integers(0, 4, n),
            "contact": np.zeros(n, int), "branch": rng.integers(0, 10, n), "place": rng.random(n),
            "kind": (lost_h == np.inf).astype(int), "returned": np.zeros(n, int),
            "born_h": born_h, "lost_h": lost_h,
        }  # fmt: skip
        ds = xr.Dataset({name: ("spine", values) for name, values in columns.items()})
        ln_size = np.where(there, rng.standard_normal((n, len(look_h))), np.nan)
        ds = ds.assign(ln_size=(("spine", "look"), ln_size)).assign_coords(look=look_h)
        published = {"EPSPs": [[1, 0, 1]], "volumes": [[0.75, -1, 0.5], [0.25, 1, 0.5]]}
        found[arm] = ds.assign_attrs(
            seed=1, preparation=preparation, branches=10, branch_length_um=40.0, end_h=336.0,
            start_h=-1.0, published=json.dumps(published),
        )  # fmt: skip
    return found


def ensembles() -> dict[str, Weights]:
    """Weights of a run of three arms, as a run keeps them; invented."""
    rng, cells = np.random.default_rng(0), 40
    pre, post = np.nonzero(rng.random((cells, cells)) < 0.3)
    members = rng.permutation(cells)[:20].reshape(2, 10)
    ones = np.ones(len(pre))
    return {
        arm: Weights(members, pre, post, ones, rng.lognormal(0, 0.3, len(pre))) for arm in ARMS[:3]
    }


def grid_h(end_h: float = 336.0) -> np.ndarray:
    """Hours from -1 to `end_h`, dense around dosing."""
    parts = [
        np.arange(-1, 0, 0.25),
        np.arange(0, 2, 0.04),
        np.arange(2, 8, 0.2),
        np.arange(8, 30, 0.7),
        np.arange(30, end_h, 6.0),
        [end_h],
    ]
    grid = np.unique(np.round(np.concatenate(parts), 6))
    return np.asarray(grid[grid <= end_h])


def infusion(
    t: np.ndarray, over: float, fast: float, slow: float, share: float = 0.6
) -> np.ndarray:
    """Shape of a concentration during and after an infusion (peak near 1)."""

    def phase(rate: float) -> np.ndarray:
        during = 1 - np.exp(-rate * np.clip(t, 0, over))
        return np.asarray(during * np.exp(-rate * np.clip(t - over, 0, None)))

    shape = share * phase(fast) / (1 - np.exp(-fast * over)) + (1 - share) * phase(slow) / (
        1 - np.exp(-slow * over)
    )
    return np.asarray(np.where(t > 0, shape, 0.0))


def late(t: np.ndarray, delay: float, rise: float, fall: float) -> np.ndarray:
    """Rises after a delay, decays over days; peak near 1."""
    s = np.clip(t - delay, 0, None)
    return np.asarray((1 - np.exp(-s / rise)) * np.exp(-s / fall))


def dosing(arms: Sequence[str]) -> str:
    """What was given, as results.nc carries it (JSON text)."""
    rows = []
    for arm in arms:
        if "ketamine" in arm:
            rows.append(
                dosing_row(
                    arm, "ketamine", "dose", 0.5, "mg/kg", (0.0, 2 / 3), route="iv", over_h=2 / 3
                )
            )
        if "nbqx" in arm:
            rows.append(dosing_row(arm, "nbqx", "occupancy", 90, "%", (-0.5, 3.5), title="NBQX"))
        if "rapamycin" in arm:
            rows.append(dosing_row(arm, "rapamycin", "occupancy", 90, "%", (-0.5, 23.5)))
    return json.dumps(rows)


def as_stored(name: str, values: np.ndarray) -> tuple[tuple[str, ...], np.ndarray, dict[str, str]]:
    """A variable by arm and seed, with the dimensions, unit and words that results.nc gives it."""
    variable = VARIABLES[name]
    dims = ("arm", "seed", *variable.dims)
    return dims, values, {"units": variable.unit, "long_name": variable.long_name}


def results(
    arms: Sequence[str] = ARMS,
    seeds: int = 4,
    end_h: float = 336.0,
    failed: Sequence[tuple[str, int]] = (),
    dose: Mapping[str, float] | None = None,
) -> xr.Dataset:
    """A Dataset like results.nc. `failed` lists (arm, seed index) of runs that left nothing; `dose`
    scales an arm.
    """
    rng = np.random.default_rng(7)
    t = grid_h(end_h)
    size, n_arms = t.size, len(arms)
    seed_gain = 1 + 0.12 * rng.standard_normal(seeds)
    shape = (n_arms, seeds, size)
    names = [name for name, variable in VARIABLES.items() if variable.dims == ("time",)]
    v = {name: np.zeros(shape) for name in names}
    rate, rate_se = np.zeros((*shape, len(CLASSES))), np.full((*shape, len(CLASSES)), 0.09)
    block = np.zeros((*shape, len(POOLS)))
    plasma, brain = np.zeros((*shape, len(SPECIES))), np.zeros((*shape, len(SPECIES)))
    frequency = np.arange(0.5, 100.5, 0.5)
    spectrum = np.zeros((n_arms, seeds, len(SNAPSHOTS), frequency.size))
    snap_rate = np.zeros((n_arms, seeds, len(SNAPSHOTS), len(CLASSES)))
    for i, arm in enumerate(arms):
        scale = (dose or {}).get(arm, 1.0) if "ketamine" in arm or "memantine" in arm else 0.0
        ampa, mtor = float("nbqx" not in arm), float("rapamycin" not in arm)
        for s in range(seeds):
            g = seed_gain[s]
            ket = 0.42 * scale * infusion(t, 40 / 60, 5.0, 0.23)
            brain[i, s] = np.stack(
                [ket, 0.16 * scale * late(t, 0.1, 1.0, 8), 0.1 * scale * late(t, 0.3, 3.0, 14)], -1
            )
            plasma[i, s] = brain[i, s] * np.array([450.0, 420.0, 400.0])
            block[i, s] = np.stack([ket / (ket + IC50_UM[p]) for p in POOLS], -1)
            surge = 2.6 * infusion(t, 40 / 60, 3.0, 0.6) * scale * np.exp(-0.25 * scale) * g
            noise = rng.standard_normal((size, 3)) * 0.09 * float(scale > 0 or "nbqx" in arm)
            sign = np.array([0.22, -0.14, -0.3]) * (0.25 + 0.75 * ampa)
            drop = -0.4 * (1 - ampa) * ((t > -0.5) & (t < 3.5))
            growth = 0.09 * late(t, 1, 3, 140) * scale * g * ampa * mtor
            rate[i, s] = (
                np.array(list(BASE_HZ.values()))
                * (1 + sign * surge[:, None] / 1.6 + drop[:, None] + growth[:, None])
                + noise
            )
            jitter = rng.standard_normal(size) * float(scale > 0)
            v["occupancy"][i, s] = ket / (ket + 1.42)
            v["glutamate"][i, s] = 100 * (
                1 + 0.22 * surge * (0.3 + 0.7 * ampa) + 0.5 * drop + 0.012 * jitter
            )
            v["ampa_throughput"][i, s] = (1 + 0.3 * surge) * np.where(drop < 0, 0.1, 1)
            v["dissociation"][i, s] = v["pattern_shift"][i, s] = 0.3 * infusion(
                t, 40 / 60, 5, 0.7
            ) * scale * g + 0.01 * np.abs(jitter)
            v["bdnf"][i, s] = 1 + (0.55 * ampa + 0.12) * g * scale * late(t, 0.1, 0.6, 5)
            v["eef2k"][i, s] = 1 - 0.18 * scale * infusion(t, 40 / 60, 3, 0.35)
            v["mtorc1"][i, s] = (
                1
                + 0.9 * ampa * mtor * g * scale * late(t, 0.2, 0.5, 3)
                - (0.05 if not mtor else 0) * ((t > -0.5) & (t < 23.5))
            )
            v["desensitisation"][i, s] = 1 + 0.4 * ampa * g * scale * late(t, 0.2, 0.8, 3)
            v["balance"][i, s] = 1 + 0.03 * surge * ampa + 0.3 * drop
            v["tag"][i, s] = 0.02 * g * ampa * scale * late(t, 0.1, 1, 3) - 0.1 * (1 - ampa) * late(
                t + 0.5, 0, 1, 3
            )
            v["free_protein"][i, s] = 0.2 * ampa * mtor * g * scale * late(t, 0.5, 1, 6)
            v["protein"][i, s] = 1 + 0.5 * ampa * mtor * g * scale * late(t, 1, 4, 50)
            v["weight"][i, s] = 0.88 + 0.16 * g * ampa * scale * (
                0.3 * late(t, 0.5, 1, 20) + 0.9 * mtor * late(t, 2, 5, 160)
            )
            v["spine_density"][i, s] = 0.8 + 0.13 * g * ampa * mtor * scale * late(t, 10, 14, 400)
            v["scaling"][i, s] = 1 - 0.02 * scale * late(t, 3, 24, 100)
            v["structure"][i, s] = v["weight"][i, s] * v["spine_density"][i, s]
            v["recurrent"][i, s] = v["weight"][i, s] * v["spine_density"][i, s] * v["scaling"][i, s]
            v["spine_formation"][i, s] = 0.003 * (1 + 2 * growth / 0.09)
            v["spine_elimination"][i, s] = 0.003
            v["pv_integrity"][i, s] = 1
            v["clinical_effect"][i, s] = -8 * (v["recurrent"][i, s] - v["recurrent"][i, s, 0])
            for k, when in enumerate(SNAPSHOT_H):
                level = float(np.interp(when, t, surge))
                gamma = (
                    3e-2
                    * (1 + 0.9 * level)
                    * np.exp(-0.5 * ((frequency - 46 + 3 * level) / 8) ** 2)
                )
                wiggle = np.exp(0.15 * rng.standard_normal(frequency.size))
                spectrum[i, s, k] = (
                    (0.12 / (1 + (frequency / 3.5) ** 1.4) * (1 + 0.2 * level) + gamma) * g * wiggle
                )
                snap_rate[i, s, k] = [
                    np.interp(when, t, rate[i, s, :, c]) for c in range(len(CLASSES))
                ]
    gamma_band, delta_band = (frequency >= 30) & (frequency <= 80), frequency <= 4
    values = {
        **v,
        "rate_hz": rate,
        "rate_se_hz": rate_se,
        "block": block,
        "plasma_ng_ml": plasma,
        "arterial_ng_ml": plasma,
        "brain_uM": brain,
        "gamma_power": spectrum[..., gamma_band].sum(-1) * 0.5,
        "delta_power": spectrum[..., delta_band].sum(-1) * 0.5,
        "gamma_peak_hz": frequency[gamma_band][spectrum[..., gamma_band].argmax(-1)],
        "snapshot_rate_hz": snap_rate,
        "spectrum": spectrum,
    }
    data = {name: as_stored(name, array) for name, array in values.items()}
    for name, array in values.items():
        for arm, s in failed:
            if name != "rate_se_hz":
                array[list(arms).index(arm), s] = np.nan
    status = np.full((n_arms, seeds), "complete", dtype=object)
    for arm, s in failed:
        status[list(arms).index(arm), s] = "failed: the binary stopped"
    ds = xr.Dataset(
        data,
        coords={
            "arm": list(arms),
            "seed": np.arange(1, seeds + 1),
            "time": ("time", t, {"units": "h"}),
            "class": list(CLASSES),
            "pool": list(POOLS),
            "species": list(SPECIES),
            "snapshot": list(SNAPSHOTS),
            "frequency": ("frequency", frequency, {"units": "Hz"}),
            "snapshot_time": ("snapshot", list(SNAPSHOT_H), {"units": "h"}),
        },
    )
    ds["probes"] = (("arm", "seed"), np.full((n_arms, seeds), 41))
    ds["cap_hit"] = (("arm", "seed"), np.zeros((n_arms, seeds), dtype=bool))
    ds["status"] = (("arm", "seed"), status)
    ds.attrs = {
        "title": "One infusion",
        "question": "Does one infusion leave stronger, more numerous synapses after the "
        "drug has gone, and what does that depend on?",
        "species": "human",
        "subject": "stressed_adult",
        "circuit": "prefrontal",
        "plasticity": "all",
        "rule": "visual_nonlinear",
        "kind": "course",
        "n_expected": n_arms * seeds,
        "n_complete": n_arms * seeds - len(failed),
        "scope": SCOPE,
        "dosing": dosing(arms),
        "versions": json.dumps({"plastogen": "0.1.0", "brian2": "2.9.0", "numpy": "2.3.5"}),
    }
    return add_readouts(ds)


def add_readouts(ds: xr.Dataset) -> xr.Dataset:
    """`ds` with a few readouts by (arm, seed), marked as the results layer marks them."""

    def at(name: str, when: float) -> xr.DataArray:
        return ds[name].sel(time=when, method="nearest").drop_vars("time")

    found = {
        "glutamate_peak": (
            ds["glutamate"].max("time", skipna=False),
            "Glutamate, peak",
            "%",
            "glutamate",
        ),
        "weight_24h": (at("weight", 24), "Weight at 24 h", "1", "weight"),
        "spine_density_24h": (
            at("spine_density", 24),
            "Spine density at 24 h",
            "1",
            "spine_density",
        ),
        "effect_day_1": (
            at("clinical_effect", 24),
            "Clinical effect on day 1",
            "1",
            "clinical_effect",
        ),
    }
    for name, (values, title, unit, of) in found.items():
        ds[name] = values.assign_attrs(units=unit, long_name=title, readout=1, of=of)
    return ds


def snapshot_spikes(
    seconds: float = 20.0, seed: int = 1
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Poisson spikes with a gamma rhythm for each snapshot: name -> (times_s, cell numbers)."""
    rng = np.random.default_rng(seed)
    gain = {
        "before": (1, 1, 1, 0.2),
        "during": (1.5, 0.8, 0.55, 0.9),
        "after": (1.2, 0.95, 0.8, 0.5),
        "day": (1.1, 1.05, 1.0, 0.25),
    }
    out = {}
    for name, (*scales, depth) in gain.items():
        times, cells = [], []
        for (cls, (first, last)), scale in zip(BOUNDARIES.items(), scales, strict=True):
            expected = BASE_HZ[cls] * scale * seconds * (last - first)
            t = np.sort(rng.uniform(0, seconds, rng.poisson(expected * (1 + depth))))
            slow = 0.5 * np.sin(2 * np.pi * 1.3 * t)
            keep = (
                rng.uniform(0, 1 + depth, t.size)
                < 1 + depth * np.cos(2 * np.pi * 44 * t + 4 * slow) * 0.9
            )
            times.append(t[keep])
            cells.append(rng.integers(first, last, int(keep.sum())))
        order = np.argsort(np.concatenate(times), kind="stable")
        out[name] = (np.concatenate(times)[order], np.concatenate(cells)[order].astype(np.int32))
    return out


def held(
    drugs: Sequence[str] = ("ketamine", "memantine"),
    levels: Sequence[float] = (0.1, 0.3, 1, 3, 10, 30),
    seeds: int = 4,
) -> xr.Dataset:
    """Arms at held concentrations: block per pool at each."""
    t = np.array([-0.1, 0.0, 0.25, 0.5, 1.0, 1.1])
    arms = [f"{drug}_{level:g}uM" for drug in drugs for level in levels]
    species = list(drugs)
    brain, block = (
        np.zeros((len(arms), seeds, t.size, len(drugs))),
        np.zeros((len(arms), seeds, t.size, len(POOLS))),
    )
    rng = np.random.default_rng(3)
    for i in range(len(arms)):
        k, level = divmod(i, len(levels))
        c = levels[level] * ((t >= 0) & (t < 1.05))
        brain[i, :, :, k] = c
        for p, pool in enumerate(POOLS):
            half = IC50_UM[pool] * (1 if k == 0 else (2.0 if pool.startswith("E") else 0.6))
            block[i, :, :, p] = c / (c + half) * (1 + 0.02 * rng.standard_normal((seeds, 1)))
    ds = xr.Dataset(
        {
            "brain_uM": as_stored("brain_uM", brain),
            "block": as_stored("block", block),
        },
        coords={
            "arm": arms,
            "seed": range(1, seeds + 1),
            "time": ("time", t, {"units": "h"}),
            "pool": list(POOLS),
            "species": species,
        },
    )
    ds["status"] = (("arm", "seed"), np.full((len(arms), seeds), "complete", dtype=object))
    ds.attrs = {
        "title": "Block by concentration",
        "question": "Who is blocked, and how much?",
        "species": "rat",
        "subject": "healthy_rat",
        "circuit": "small",
        "plasticity": "all",
        "rule": "visual_nonlinear",
        "kind": "course",
        "scope": SCOPE,
        "n_expected": len(arms) * seeds,
        "n_complete": len(arms) * seeds,
    }
    return ds


def verdicts() -> list[Verdict]:
    """One verdict of each outcome, and a claim that would break HTML."""
    return [
        Verdict(
            "spine density is still raised a day later",
            "spine_density_24h",
            "met",
            0.0913,
            0.0721,
            0.1105,
            "1",
            4,
            4,
            "at least 0.02",
            source="li2010",
        ),
        Verdict(
            "glutamate rises during the infusion",
            "glutamate_peak",
            "missed",
            42.1,
            38.0,
            46.2,
            "%",
            4,
            4,
            "between 5 % and 40 %",
            source="abdallah2018",
        ),
        Verdict(
            "the gamma peak moves down",
            "gamma_shift",
            "known miss",
            -0.4,
            -1.1,
            0.3,
            "Hz",
            4,
            4,
            "less than 0 Hz",
            known_miss="E follows PV too closely in this regime",
            source="shaw2015",
        ),
        Verdict(
            "NBQX before <ketamine> blocks the gain & more",
            "weight_24h",
            "undecided",
            float("nan"),
            float("nan"),
            float("nan"),
            "1",
            1,
            4,
            "at most 0.2",
            reason="3 of 4 runs are missing",
            source="maeng2008",
        ),
    ]


def doses(mg_per_kg: Sequence[float] = (10, 20, 30, 50, 200)) -> xr.Dataset:
    """Arms that differ in dose, titled as in glutamate_surge."""
    names = [f"mg_{dose:g}" for dose in mg_per_kg]
    fake = results(
        ["vehicle", *(f"ketamine_{k}" for k in range(len(names)))],
        dose={f"ketamine_{k}": (d / 25) for k, d in enumerate(mg_per_kg)},
        end_h=24,
    )
    fake = fake.assign_coords(arm=["vehicle", *names])
    fake = fake.assign_coords(arm_title=("arm", ["", *(f"{dose:g} mg/kg" for dose in mg_per_kg)]))
    fake.attrs["dosing"] = json.dumps(
        [
            dosing_row(name, "ketamine", "dose", dose, "mg/kg", (0.0, 0.0), route="ip")
            for name, dose in zip(names, mg_per_kg, strict=True)
        ]
    )
    fake.attrs |= {
        "title": "The glutamate surge, dose by dose",
        "species": "rat",
        "subject": "healthy_rat",
    }
    return fake


def swept(values: Sequence[float] = (0.1, 0.2, 0.5, 1.0)) -> xr.Dataset:
    """A sweep of the dose over two arms: the axis `dose` between arm and seed."""
    parts = [results(("vehicle", "ketamine"), dose={"ketamine": value / 0.5}) for value in values]
    ds = xr.concat(
        parts,
        xr.DataArray(list(values), dims="dose", name="dose", attrs={"units": "mg/kg"}),
        data_vars="all",
        combine_attrs="override",
        coords="minimal",
        compat="override",
        join="override",
    )
    ds = ds.transpose("arm", "dose", "seed", ...)
    ds.attrs["n_expected"] = ds.attrs["n_complete"] = 2 * len(values) * ds.sizes["seed"]
    return ds
