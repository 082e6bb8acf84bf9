"""In: results. Out: their finished runs, each with a name for a file of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from plastogen.experiment import COMPLETE
from plastogen.runs import Store, labels

if TYPE_CHECKING:
    import xarray as xr

MOST_NAMED = 4  # swept values in the name of a file: more are told by the number of the run
LONGEST_NAME = 80


@dataclass(frozen=True)
class FinishedRun:
    """A finished run: its id, and what tells it from others: arm, place in the sweep, seed."""

    run: str
    told: Mapping[str, Any]

    @property
    def arm(self) -> str:
        return str(self.told["arm"])

    @property
    def point(self) -> str:
        """Its place in the sweep in words, empty without."""
        own = {k: v for k, v in self.told.items() if k not in ("arm", "seed")}
        return ", ".join(f"{name} = {_short(value)}" for name, value in own.items())

    @property
    def name(self) -> str:
        """Of its file: `ketamine_seed-1`, `ketamine_dose-0.5_seed-1`."""
        own = {k: v for k, v in self.told.items() if k not in ("arm", "seed")}
        parts = [f"{name}-{_short(value)}" for name, value in own.items()]
        if len(parts) > MOST_NAMED:
            parts = [f"run-{self.run}"]
        whole = "_".join([self.arm, *parts, f"seed-{_short(self.told['seed'])}"])
        return re.sub(r"[^\w.+-]", "-", whole)[:LONGEST_NAME]


def _short(value: Any) -> str:
    return f"{float(value):.6g}" if isinstance(value, float | np.floating) else str(value)


def finished_runs(ds: xr.Dataset, store: Store) -> Iterator[FinishedRun]:
    """The finished runs of `ds`, each once: equal conditions share a run."""
    columns = labels(ds)
    status, ids = ds["status"].values.ravel(), ds["run"].values.ravel()
    seen = set[str]()
    for k, run in enumerate(map(str, ids)):
        if status[k] == COMPLETE and run not in seen and store.fault(run) is None:
            seen.add(run)
            yield FinishedRun(run, {name: values.ravel()[k] for name, values in columns.items()})


def file_names(runs: Sequence[FinishedRun]) -> list[str]:
    """A name for each run's file, none twice."""
    names: list[str] = []
    for one in runs:
        names.append(f"{one.name}_run-{one.run}" if one.name in names else one.name)
    return names
