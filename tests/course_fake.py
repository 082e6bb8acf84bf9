"""A course that costs nothing: a plan in, plausible arrays out. For tests of what stands above
courses.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from plastogen.model.plasticity import STATES
from plastogen.runs import worker
from plastogen.simulation.course import Course, Lives, Plan
from plastogen.simulation.spines import FollowedSpines
from plastogen.simulation.variables import VARIABLES


def simulate(
    plan: Plan, *, progress: Callable[[str, float], None] | None = None, since: float = 0.0
) -> Course:
    """Every variable is 1 + dose-like factor x seed x a hump in time; deterministic in the plan,
    whatever was kept and `since` when.
    """
    if progress:
        progress("compiling the circuit", 0)
        progress("course", 0.5)
    t = np.asarray(plan.grid_h, float)
    strength = sum(float(g.dose or g.occupancy or g.brain or 0) for g in plan.treatments.values())
    hump = (
        strength * (1 + 0.01 * plan.seed) * np.clip(t, 0, None) * np.exp(-np.clip(t, 0, None) / 5)
    )
    species = tuple(s for drug in plan.drugs.values() for s in drug.species)
    pools = tuple(plan.circuit.pools())
    sizes = {"class": len(plan.circuit.classes), "pool": len(pools), "species": len(species)}
    arrays: dict[str, Any] = {}
    for name, variable in VARIABLES.items():
        if "time" in variable.dims:
            shape = [sizes[dim] for dim in variable.dims[1:]]
            arrays[name] = np.broadcast_to(
                (1 + hump).reshape(-1, *(1 for _ in shape)), (t.size, *shape)
            ).copy()
    shot = {
        "t_s": np.array([0.1, 0.2, 0.5]), "i": np.array([0, 3, 7], np.int32),
        "rate_hz": np.linspace(3.0, 8.0, sizes["class"]),
        "spectrum": np.ones(4), "frequency_hz": np.arange(4.0), "gamma_power": np.array(1 + strength),
        "delta_power": np.array(1.0), "gamma_peak_hz": np.array(40.0),
    }  # fmt: skip
    shots = {name: dict(shot) for name in plan.snapshots}
    log = {"probes": 3, "cap_hit": False, "backend": plan.backend}
    course = Course(t, arrays, pools, species, shots, log)
    return course if plan.spines is None else replace(course, spines=_spines(plan))


def _spines(plan: Plan) -> Lives:
    """Spines that nothing moves but themselves."""
    spines, still = FollowedSpines(plan), np.zeros(len(STATES))
    for first, last in pairwise(spines.steps_h):
        spines.follow(first, still, last, still)
    return spines.lives()


def simulate_formulas(
    plans: Sequence[Plan], progress: Callable[[str, float], None] | None = None
) -> list[Course]:
    """Each as one alone would be, with whatever stands for that just now."""
    return [worker.simulate(plan, progress=progress) for plan in plans]


def deadly(plan: Plan, *, progress: Callable[[str, float], None] | None = None) -> Course:
    """Kills its process for the vehicle of seed 6: always, or as often as there are files once* in
    FAKE_LIVES.
    """
    if plan.seed == 6 and not plan.treatments:
        folder = os.environ.get("FAKE_LIVES")
        left = sorted(Path(folder).glob("once*")) if folder else [None]
        if left:
            if left[0] is not None:
                left[0].unlink()
            os.kill(os.getpid(), signal.SIGKILL)
    return simulate(plan, progress=progress)


def unhurried(plan: Plan, *, progress: Callable[[str, float], None]) -> Course:
    """Takes a fifth of a second."""
    for step in range(20):
        progress("course", step / 20)
        time.sleep(0.01)
    return simulate(plan, progress=progress)
