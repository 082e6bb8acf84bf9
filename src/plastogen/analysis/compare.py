"""In: two results. Out: for every readout and arm they share, how far apart they are, and whether
beyond noise.

They are compared where both have a run: the same arm, point of the sweep and seed, pair by pair.
Pairs of one seed share their noise, so each seed counts once, with its mean over the points;
p-values (Student's t) are corrected for the number of rows (Benjamini-Hochberg).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from plastogen._base.text import columns
from plastogen.analysis.contrast import scale_of
from plastogen.experiment import COMPLETE, FEWEST, Array, differences, false_discovery, t_test

if TYPE_CHECKING:
    import xarray as xr

Point: TypeAlias = frozenset[tuple[str, Any, str]]  # path, value, unit
CHANCE = 0.05  # the share of false alarms among the differences that are told
DIGITS = 9  # of swept values that are compared
TOLD = 5  # names in a line of what could not be compared


@dataclass(frozen=True)
class Row:
    """A readout in an arm: `n` pairs of `seeds` seeds, means of both and of B - A with its standard
    error.

    `most`: the largest difference at any one point of a sweep, seeds averaged. `p` is NaN where
    noise cannot be judged (a single seed) and where there is no pair.
    """

    readout: str
    unit: str
    arm: str
    n: int
    seeds: int
    a: float
    b: float
    difference: float
    error: float
    most: float
    p: float
    equal: bool
    verdict: str = ""


@dataclass
class Comparison:
    """`rows`, and in `left_out` what could not be compared."""

    rows: list[Row]
    left_out: list[str] = field(default_factory=list)


class Side:
    """One of two results: readouts as (arm, point, seed)."""

    def __init__(self, ds: xr.Dataset) -> None:
        self.ds = ds
        self.arms = [str(arm) for arm in ds["arm"].values]
        self.seeds = [int(seed) for seed in ds["seed"].values]
        self.dims = ds["status"].dims
        self.readouts = {
            str(name): ds[name] for name in ds.data_vars if "readout" in ds[name].attrs
        }
        self.complete = self._flat(ds["status"].values == COMPLETE)

    def _flat(self, values: NDArray[Any]) -> NDArray[Any]:
        return values.reshape(len(self.arms), -1, len(self.seeds))

    @cached_property
    def points(self) -> dict[Point, int]:
        """What is set at every point of the sweep -> its place."""
        sizes = [self.ds.sizes[dim] for dim in self.dims[1:-1]]
        swept = [
            (
                self.dims.index(coord.dims[0]) - 1,
                str(coord.attrs["path"]),
                coord.values.tolist(),
                str(coord.attrs["units"]),
            )
            for coord in self.ds.coords.values()
            if "path" in coord.attrs
        ]
        found: dict[Point, int] = {}
        for place, index in enumerate(np.ndindex(*sizes)):
            found[
                frozenset(
                    (path, _key(values[index[axis]]), unit) for axis, path, values, unit in swept
                )
            ] = place
        return found

    def values(self, readout: str) -> Array:
        """(arm, point, seed), NaN where there is no run."""
        return np.where(
            self.complete, self._flat(np.asarray(self.readouts[readout].values, float)), np.nan
        )


def _key(value: Any) -> Any:
    return f"{value:.{DIGITS}g}" if isinstance(value, float) else value


def compare_results(a: xr.Dataset, b: xr.Dataset) -> Comparison:
    """Both, paired by arm, point and seed."""
    one, two = Side(a), Side(b)
    arms = [arm for arm in one.arms if arm in two.arms]
    points = [point for point in one.points if point in two.points]
    seeds = [seed for seed in one.seeds if seed in two.seeds]
    names = [
        name
        for name in one.readouts
        if name in two.readouts and _unit(one, name) == _unit(two, name)
    ]
    where = [
        np.ix_(
            [side.arms.index(arm) for arm in arms],
            [side.points[point] for point in points],
            [side.seeds.index(seed) for seed in seeds],
        )
        for side in (one, two)
    ]
    rows = []
    for name in names:
        x, y = one.values(name)[where[0]], two.values(name)[where[1]]
        scale = max(scale_of(side.readouts[name]) for side in (one, two))
        rows += [_row(name, _unit(one, name), arm, x[i], y[i], scale) for i, arm in enumerate(arms)]
    return Comparison(_judged(rows), [*_left_out(one, two), *_gaps(one, two, where)])


def _unit(side: Side, name: str) -> str:
    return str(side.readouts[name].attrs["units"])


def _row(name: str, unit: str, arm: str, a: Array, b: Array, scale: float) -> Row:
    """`a`, `b`: (point, seed); `scale`: of the readout."""
    both = np.isfinite(a) & np.isfinite(b)
    d = np.where(both, differences(b, a, scale=scale), 0.0)
    here = both.any(axis=0)
    each = d.sum(axis=0)[here] / both.sum(axis=0)[here]  # a seed
    at = d.sum(axis=1)[both.any(axis=1)] / both.sum(axis=1)[both.any(axis=1)]  # a point
    most = float(at[np.abs(at).argmax()]) if at.size else np.nan
    n, seeds = int(both.sum()), int(here.sum())
    mean = float(each.mean()) if n else np.nan
    error, p = t_test(each, scale=scale)
    equal = bool(n) and not d[both].any()
    means = [float(x[both].mean()) if n else np.nan for x in (a, b)]
    return Row(name, unit, arm, n, seeds, means[0], means[1], mean, error, most, p, equal)


def _judged(rows: Sequence[Row]) -> list[Row]:
    """The rows with their verdicts."""
    open_ = [row for row in rows if not row.equal and np.isfinite(row.p)]
    corrected = false_discovery(np.array([row.p for row in open_]))
    beyond = {id(row): p <= CHANCE for row, p in zip(open_, corrected, strict=True)}
    return [replace(row, verdict=_verdict(row, beyond.get(id(row), False))) for row in rows]


def _verdict(row: Row, beyond: bool) -> str:
    if not row.n:
        return "no pairs"
    if row.equal:
        return "equal"
    if row.seeds < FEWEST:
        return "one seed: noise is not known"
    return "DIFFERS" if beyond else "perhaps" if row.p <= CHANCE else "within noise"


def _left_out(one: Side, two: Side) -> Iterator[str]:
    """What only one of both has, or has otherwise."""
    for what, a, b in (
        ("arms", one.arms, two.arms),
        ("seeds", one.seeds, two.seeds),
        ("readouts", list(one.readouts), list(two.readouts)),
    ):
        for name, mine, theirs in (("A", a, b), ("B", b, a)):
            only = [str(x) for x in mine if x not in theirs]
            if only:
                more = f" and {len(only) - TOLD} more" if len(only) > TOLD else ""
                yield f"only in {name}: {what} {', '.join(only[:TOLD])}{more}"
    paths = [{path for point in side.points for path, _, _ in point} for side in (one, two)]
    if paths[0] != paths[1]:
        swept = (" and ".join(sorted(path)) or "nothing" for path in paths)
        yield "they sweep over different paths: A over {}, B over {}".format(*swept)
    else:
        for name, side, other in (("A", one, two), ("B", two, one)):
            n = len(side.points.keys() - other.points.keys())
            if n:
                yield f"only in {name}: {n} of {len(side.points)} points"
    for name in one.readouts.keys() & two.readouts.keys():
        if _unit(one, name) != _unit(two, name):
            yield f"{name} is in {_unit(one, name)} in A and in {_unit(two, name)} in B"


def _gaps(one: Side, two: Side, where: Sequence[Any]) -> Iterator[str]:
    """How many of the runs both should have are not there."""
    for name, side, at in (("A", one, where[0]), ("B", two, where[1])):
        there = side.complete[at]
        if not there.all():
            yield f"{name} has {int(there.sum())} of the {there.size} runs both should have"


def describe_comparison(found: Comparison) -> Iterator[str]:
    """What a person reads of it."""
    head = (
        "readout",
        "arm",
        "pairs",
        "A",
        "B",
        "B - A",
        "standard error",
        "most at a point",
        "verdict",
    )
    cells: list[tuple[str, ...]] = [head]
    for row in found.rows:
        name = row.readout if row.unit in ("", "1") else f"{row.readout} [{row.unit}]"
        numbers = (_number(x) for x in (row.a, row.b, row.difference, row.error, row.most))
        cells.append((name, row.arm, str(row.n), *numbers, row.verdict))
    yield from columns(cells)
    yield ", ".join(
        f"{n} {verdict}" for verdict, n in Counter(row.verdict for row in found.rows).most_common()
    )
    for line in found.left_out:
        yield f"not compared: {line}"


def _number(x: float) -> str:
    return "" if np.isnan(x) else f"{x:.4g}"
