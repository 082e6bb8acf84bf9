"""In: nothing. Out: a first picture within seconds, of a network that really ran: before and under
ketamine.

Needs no compiler: the small circuit runs in numpy (or compiled, where it has been before). How much
is blocked comes from the receptor model along a course, in which a formula stands in for the
network.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from plastogen._base.text import percent
from plastogen.experiment import Condition, open_experiment
from plastogen.model.circuit import (
    Drive,
    Engine,
    Spikes,
    State,
    compiler,
    is_built,
    rates_hz,
    reduce,
)
from plastogen.runs import RESULTS, SMALL_CIRCUIT
from plastogen.simulation import simulate

EXPERIMENT, ARM, MOMENT = "disinhibition", "ketamine", "during"
FULL = "one_infusion"
SECONDS, SETTLE_S, SHOWN_S, SEED = 4, 0.5, 1, 1
UNDER = "under ketamine"


def make_demo(folder: Path | None = None, *, say: Callable[[str], None] = print) -> Path:
    """Draw it into `folder` (results/demo); the PNG. Raises EngineError, StoreError."""
    began = time.monotonic()
    opened = open_experiment(
        EXPERIMENT, {"model.circuit": SMALL_CIRCUIT, "course.method": "formula"}
    )
    condition = opened.condition(ARM)
    backend = "cpp" if compiler() and is_built(condition.circuit) else "numpy"
    minutes = round(60 * condition.snapshots[MOMENT])
    given = next(iter(condition.treatments.values()))
    dose = given.dose.text if given.dose is not None else ""
    say(
        f"A {condition.subject.species} is given {given.drug}, {dose}. No compiler is needed for"
        " this demo."
    )
    course = simulate(condition.plan(SEED, backend))
    block = [
        float(np.interp(condition.snapshots[MOMENT], course.t_h, column))
        for column in course.arrays["block"].T
    ]
    by_pool = dict(zip(course.pools, block, strict=True))
    told = ", ".join(
        f"{percent(by_pool[pool])} on {pool.partition('.')[0]}"
        for pool in condition.circuit.pools()
        if pool.endswith("synaptic")
    )
    say(f"NMDA current blocked after {minutes} min, from the receptor model: {told}")
    where = "in numpy" if backend == "numpy" else "compiled"
    say(
        f"simulating {condition.circuit.size} spiking cells {where}, {SECONDS} s before and"
        f" {SECONDS} s under the drug ..."
    )
    engine = Engine(condition.circuit, backend=backend)
    drives = {
        "before": Drive(),
        UNDER: reduce(
            condition.circuit, State(nmdar={pool: 1 - share for pool, share in by_pool.items()})
        ),
    }
    spikes = {
        name: engine.run(d, SEED, seconds=SECONDS, settle_s=SETTLE_S) for name, d in drives.items()
    }
    for name, found in spikes.items():
        say(f"  {name:15} {_rates(found)}")
    path = _draw(
        opened.experiment.title or EXPERIMENT, condition, spikes, folder or RESULTS / "demo", where
    )
    say(f"figure {path} ({time.monotonic() - began:.0f} s)")
    full = open_experiment(FULL).experiment
    say(
        f"\nNext, the full run, from dose to spines over two weeks ({full.takes}):\n  plastogen run"
        f" {FULL}"
    )
    if compiler() is None:
        say(
            "  (there is no C++ compiler: it takes the small circuit in numpy; `plastogen doctor`"
            " says what to install)"
        )
    say("In class:\n  plastogen lesson disinhibition")
    return path


def _rates(spikes: Spikes) -> str:
    rate, error = rates_hz(spikes)
    return (
        "   ".join(
            f"{c} {r:.1f} ± {e:.1f}" for c, r, e in zip(spikes.classes, rate, error, strict=True)
        )
        + " Hz"
    )


def _draw(
    title: str, condition: Condition, spikes: Mapping[str, Spikes], folder: Path, where: str
) -> Path:
    import xarray as xr

    from plastogen._base.files import explained
    from plastogen.figures import plot_pair, save

    names, one = condition.setting.model, next(iter(spikes.values()))
    about = {
        "title": title,
        "species": condition.subject.species,
        "subject": names.subject,
        "circuit": names.circuit,
    }
    fig = plot_pair(
        xr.Dataset(attrs=about),
        {name: (found.t_s, found.i) for name, found in spikes.items()},
        {cls: (part.start, part.stop) for cls, part in one.slices.items()},
        {name: _rates(found) for name, found in spikes.items()},
        heading="One network, before and under ketamine",
        seeds=f"one run, {where}, seed {SEED}",
        window_s=SHOWN_S,
    )
    with explained(folder, "write into"):
        return save(fig, folder, "demo")[0]
