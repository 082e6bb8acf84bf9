"""In: an experiment and its results. Out: the verdict on each claim; over a sweep, on all the
points it is about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from plastogen.experiment.claim import ALONG, Claim
from plastogen.experiment.design import SUBJECT, Axis
from plastogen.experiment.judge import judge_correlation, judge_line, judge_point, judge_share
from plastogen.experiment.readout import REASON, Readout, level
from plastogen.experiment.resolve import OpenExperiment
from plastogen.experiment.selection import along, column, picked, value_text
from plastogen.experiment.statistics import Array, differences
from plastogen.experiment.verdict import COMPLETE, Verdict

if TYPE_CHECKING:
    import xarray as xr

Index: TypeAlias = tuple[Any, ...]  # a place on each axis, or a slice
# of a claim: arm -> the arm whose values are taken in its place
StandIns: TypeAlias = Callable[[Claim], Mapping[str, str]]
WORST_FIRST = ("undecided", "missed", "known miss", "met")


def judge_claims(
    opened: OpenExperiment, ds: xr.Dataset, stand_ins: StandIns | None = None
) -> list[Verdict]:
    """The verdict on each claim; in a sweep, the worst over the points it is about, virtual
    subjects together. With `stand_ins`, what it would be if arms had the values of others.
    """
    experiment = opened.experiment
    sweep = SweptReadouts(
        opened.axes,
        {arm: i for i, arm in enumerate(experiment.arms)},
        {name: np.asarray(ds[name].values, float) for name in experiment.readouts},
        experiment.readouts,
        {
            name: ds[f"{name}{REASON}"].values.astype(object)
            for name in experiment.readouts
            if f"{name}{REASON}" in ds
        },
        ds["status"].values == COMPLETE,
    )
    people = sweep.by_subject() if any(axis.name == SUBJECT for axis in sweep.axes) else sweep
    found = []
    for claim in experiment.expect:
        asked = sweep if claim.goes_with else people
        if stand_ins is not None:
            asked = asked.answered_by(stand_ins(claim))
        each = asked.judge(claim)
        found.append(_worst(claim, experiment.readouts[claim.readout].unit, list(each)))
    return found


def _worst(claim: Claim, unit: str, each: Sequence[Verdict]) -> Verdict:
    """The least good of all, and of equals the one that is nearest to being missed, or furthest
    from being met.
    """

    def good(one: Verdict) -> tuple[int, float]:
        room = one.value
        if claim.between is not None:
            low, high = (level(end, unit) for end in claim.between)
            room = min(one.value - low, high - one.value)
        elif claim.form == "blocked":
            room = -abs(one.value)
        return WORST_FIRST.index(one.outcome), room if room == room else -np.inf

    return replace(
        min(each, key=good), places=len(each), met_at=sum(one.outcome == "met" for one in each)
    )


@dataclass(frozen=True)
class SweptReadouts:
    """Readouts of every run. `values` and `there`, which runs finished: (arm, sweep axes, seed)."""

    axes: tuple[Axis, ...]
    arms: dict[str, int]
    values: dict[str, Array]
    readouts: Mapping[str, Readout]
    reasons: Mapping[str, NDArray[np.object_]]  # why times are NaN, of those that are
    there: NDArray[np.bool_]
    counted: str = ""  # what stands where seeds do, if not seeds

    def by_subject(self) -> SweptReadouts:
        """The same with virtual subjects, the last axis, in the place of seeds: one counts by the
        mean of its seeds.
        """
        means = {name: values.mean(-1) for name, values in self.values.items()}
        return replace(
            self,
            axes=self.axes[:-1],
            values=means,
            reasons={name: first_reason(each) for name, each in self.reasons.items()},
            there=np.asarray(self.there.all(-1)),
            counted="virtual subjects",
        )

    def answered_by(self, stand_ins: Mapping[str, str]) -> SweptReadouts:
        """The same where arms have the values of those that stand in for them."""
        return replace(self, arms={arm: self.arms[stand_ins.get(arm, arm)] for arm in self.arms})

    def judge(self, claim: Claim) -> Iterator[Verdict]:
        """The verdict at each place of the sweep that the claim is about."""
        for found in self._judge(claim):
            yield replace(found, counted=self.counted or found.counted)

    def _judge(self, claim: Claim) -> Iterator[Verdict]:
        readout = self.readouts[claim.readout]
        unit, scale = readout.unit, readout.scale
        number = partial(level, unit=unit)
        mask = picked(self.axes, claim.where)
        if claim.share is not None:
            values, there = self._difference(claim, (mask,))
            if self.counted:
                values, there = values.reshape(-1, 1), there.reshape(-1, 1)
            yield judge_share(
                claim, values, there, unit=unit, number=number, where=_words_of_where(claim)
            )
        elif claim.goes_with is not None:
            values, there = self._difference(claim, (mask,))
            other = self._other(str(claim.goes_with), str(claim.arm), mask)
            yield judge_correlation(
                claim,
                values,
                np.broadcast_to(other, values.shape),
                there,
                scales=(scale, self._scale(str(claim.goes_with))),
                where=_words_of_where(claim),
            )
        elif claim.axis is not None:
            yield from self._lines(claim, mask)
        else:
            for index in zip(*np.nonzero(mask), strict=True) if mask.ndim else [()]:
                complete = {arm: self.there[self.arms[arm], *index] for arm in claim.arms.values()}
                values_at = partial(self._values, index)
                yield judge_point(
                    claim,
                    values_at,
                    complete=complete,
                    unit=unit,
                    scale=scale,
                    number=number,
                    where=self._where(index),
                    yes_no=readout.yes_no,
                    reasons=partial(self._reasons, index),
                )

    def _lines(self, claim: Claim, mask: NDArray[np.bool_]) -> Iterator[Verdict]:
        """Along one axis, at every combination of the others; `where` may shorten the axis."""
        place, order = along(self.axes, str(claim.axis), mask, ALONG[claim.form])
        _, walked = column(self.axes, str(claim.axis))
        readout = self.readouts[claim.readout]
        for other in np.argwhere(mask.any(place)):
            index: Index = (*other[:place], slice(None), *other[place:])
            kept = order[mask[index][order]]
            index = (*other[:place], kept, *other[place:])
            values, there = self._difference(claim, index)
            yield judge_line(
                claim,
                values,
                there,
                [value_text(walked, i) for i in kept],
                unit=readout.unit,
                scale=readout.scale,
                number=partial(level, unit=readout.unit),
                where=self._where((*other[:place], None, *other[place:])),
                yes_no=readout.yes_no,
            )

    def _values(self, index: Index, readout: str, arm: str) -> Array:
        values: Array = self.values[readout][self.arms[arm], *index]
        return values

    def _reasons(self, index: Index, readout: str, arm: str) -> NDArray[np.object_]:
        if readout not in self.reasons:
            return np.full(self.there[self.arms[arm], *index].shape, "", dtype=object)
        found: NDArray[np.object_] = self.reasons[readout][self.arms[arm], *index]
        return found

    def _scale(self, name: str) -> float:
        """What is much of a readout; 0 of a number that is swept, which has no rounding."""
        return self.readouts[name].scale if name in self.readouts else 0.0

    def _other(self, name: str, arm: str, mask: NDArray[np.bool_]) -> Array:
        """A readout, or a number that is swept: (points, seeds) or (points, 1)."""
        if name in self.readouts:
            return self._values((mask,), name, arm)
        place, own = column(self.axes, name)
        shape = [-1 if i == place else 1 for i in range(len(self.axes))]
        return np.broadcast_to(np.array(own.values, float).reshape(shape), mask.shape)[mask][
            :, None
        ]

    def _difference(self, claim: Claim, index: Index) -> tuple[Array, NDArray[np.bool_]]:
        """The readout of the claim's arm less that of `minus`, and where both are there: (points,
        seeds).
        """
        arm, minus = self.arms[str(claim.arm)], claim.minus
        values, there = self.values[claim.readout][arm][index], self.there[arm][index]
        if minus is not None:
            other = self._values(index, claim.readout, minus)
            values = differences(values, other, scale=self._scale(claim.readout))
            there = there & self.there[self.arms[minus]][index]
        return values, there

    def _where(self, index: Index) -> str:
        """A place in words; an axis that is walked along is left out."""
        at = [
            (own, i)
            for axis, i in zip(self.axes, index, strict=True)
            for own in axis.columns
            if i is not None
        ]
        return ", ".join(value_text(own, i) for own, i in at)


def first_reason(each: NDArray[np.object_]) -> NDArray[np.object_]:
    """Of a virtual subject (the last axis are its seeds) the first seed's that has one."""
    flat = each.reshape(-1, each.shape[-1])
    found = np.array([next(filter(None, row), "") for row in flat.tolist()], dtype=object)
    return found.reshape(each.shape[:-1])


def _words_of_where(claim: Claim) -> str:
    return ", ".join(f"{name} = {value}" for name, value in claim.where.items())
