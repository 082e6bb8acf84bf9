"""In: a question and its results. Out: the verdict on each claim; over a sweep, on all the points it is about."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from plastogen.case import Question
from plastogen.claim import Verdict, judge
from plastogen.readout import level

if TYPE_CHECKING:
    import xarray as xr

Array: TypeAlias = NDArray[np.float64]
COMPLETE = "complete"
WORST_FIRST = ("undecided", "missed", "known miss", "met")


def verdicts(question: Question, ds: xr.Dataset) -> list[Verdict]:
    """The verdict on each claim; in a sweep, the worst over the points it is about."""
    experiment = question.experiment
    arms = {arm: i for i, arm in enumerate(experiment.arms)}
    there = ds["status"].values == COMPLETE
    found = []
    for claim in experiment.expect:
        unit = experiment.readouts[claim.readout].unit
        each = []
        for index, point in question.points():
            if any(point[path] != value for path, value in claim.where.items()):
                continue

            def values(name: str, arm: str, index: tuple[int, ...] = index) -> Array:
                return np.asarray(ds[name].values[arms[arm], *index], float)

            complete = {arm: there[arms[arm], *index] for arm in claim.arms.values()}
            where = ", ".join(f"{path} = {value}" for path, value in point.items())
            number = partial(level, unit=unit)
            each.append(judge(claim, values, complete=complete, unit=unit, number=number, where=where))
        found.append(min(each, key=lambda verdict: WORST_FIRST.index(verdict.outcome)))
    return found


def told(ds: xr.Dataset) -> list[Verdict]:
    """The verdicts that results carry."""
    return [Verdict.from_dict(plain) for plain in json.loads(ds.attrs["claims"])]
