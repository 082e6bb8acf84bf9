"""In: results of a sweep, or of virtual subjects. Out: how much each swept number matters for each
readout.

How it is measured follows from the design. `saltelli`: Sobol indices (Saltelli 2010, Jansen 1999,
through scipy), shares of the readout's variance. `morris`: elementary effects (Campolongo 2007,
through SALib), in the readout's unit. Any other design: partial rank correlations (Marino 2008), -1
to 1. All come with 95 % intervals, and beside them the swing: the readout's mean where the number
is in its lowest and in its highest fifth.
"""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from plastogen._base.csv_table import CsvWriter
from plastogen.analysis.contrast import SEED, control_arm, require_name, results_error, scale_of
from plastogen.errors import InputError
from plastogen.experiment import (
    CONFIDENCE,
    LEVELS,
    POINT,
    ROLE,
    Array,
    Estimate,
    differences,
    mean_interval,
    most_of,
    partial_rank_correlations,
    varies,
)

if TYPE_CHECKING:
    import xarray as xr

FIFTHS = 5
RESAMPLES = 500  # of a bootstrap
FEWEST = 3  # points more than numbers, below which nothing is measured
SETS = {"saltelli": 2, "morris": 1}  # points of a set, more than numbers
MEASURES = {  # design -> (what is shown first, beside it)
    "saltelli": ("total Sobol index", "first-order Sobol index"),
    "morris": ("mean absolute elementary effect", "standard deviation of elementary effects"),
    "": ("partial rank correlation", ""),
}


@dataclass(frozen=True)
class Influence:
    """What one number does to one readout. `value` with its interval, and `beside`, are what
    `MEASURES` says.

    swing: means (and intervals) of the readout where the number is lowest and highest: ((mean, low,
    high), (...)).
    """

    readout: str
    unit: str
    number: str
    path: str
    value: float
    low: float
    high: float
    beside: float
    swing: tuple[Estimate, Estimate]
    n: int
    expected: int

    @property
    def weight(self) -> float:
        """How far from none: what numbers are ranked by."""
        return abs(self.value)


@dataclass(frozen=True)
class Sample:
    """A sweep as a table: x (points, numbers), y readout -> (points,), NaN where a run is missing
    or has no value, of one arm or (`less`) of one less another. `answers`: readouts that say yes or
    no.
    """

    kind: str
    names: tuple[str, ...]
    paths: tuple[str, ...]
    x: Array
    y: Mapping[str, Array]
    units: Mapping[str, str]
    answers: frozenset[str] = frozenset()
    less: bool = False
    scales: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Measured:
    """For each number: what is measured, the ends of its interval, what stands beside it. `n`:
    points it rests on.
    """

    value: Array
    low: Array
    high: Array
    beside: Array
    n: int


def sobol(y: Array, numbers: int, *, scale: float = 0.0, seed: int = 1) -> Measured:
    """Total Sobol indices, and beside them first-order ones; `y` (points,) as a Saltelli design
    orders its points: A, A with one number of B after the other, B. NaN where `y` does not vary:
    there is no variance to share out.

    A set of points any of which is NaN is left out, then as many as leave a power of two, which the
    estimator needs.
    """
    from scipy.stats import bootstrap, sobol_indices

    blocks = y.reshape(-1, numbers + 2)
    blocks = blocks[np.isfinite(blocks).all(1)]
    blocks = blocks[: 1 << (len(blocks).bit_length() - 1)]
    if not varies(blocks.ravel(), scale=scale):
        none = np.full(numbers, np.nan)
        return Measured(none, none, none, none, blocks.size)
    f: dict[str, Array] = {
        "f_A": blocks[:, 0][None],
        "f_AB": blocks[:, 1:-1].T[:, None],
        "f_B": blocks[:, -1][None],
    }
    found = sobol_indices(func=f, n=len(blocks), rng=seed)
    total = np.asarray(found.total_order)
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", RuntimeWarning
        )  # of a number that does nothing: there is no spread to find
        spread = bootstrap(
            [np.arange(len(blocks))],
            lambda chosen: _total(blocks[chosen]),
            vectorized=False,
            confidence_level=CONFIDENCE,
            n_resamples=RESAMPLES,
            rng=seed,
        ).confidence_interval
    low, high = (np.where(np.isnan(end), total, end) for end in (spread.low, spread.high))
    return Measured(total, low, high, np.asarray(found.first_order), blocks.size)


def _total(blocks: Array) -> Array:
    """Total indices (Jansen 1999) from sets of points, (sets, numbers + 2) -> (numbers,)."""
    apart = (blocks[:, :1] - blocks[:, 1:-1]) ** 2
    return np.asarray(apart.mean(0) / (2 * blocks[:, [0, -1]].var()))


def morris(x: Array, y: Array, *, scale: float = 0.0, seed: int = 1) -> Measured:
    """Mean absolute elementary effects over the whole range of a number, and beside them their
    standard deviations.

    `x` (points, numbers): trajectories of numbers + 1 points; one any of which is NaN in `y` is
    left out. Effects that are none on the readout's `scale` are 0. Raises InputError without SALib.
    """
    try:
        from SALib.analyze.morris import analyze
    except ImportError:
        wanted = "the extra for Morris: pip install 'plastogen[sensitivity]'"
        raise InputError.one(file="sensitivity", found="no SALib", wanted=wanted) from None
    numbers = x.shape[1]
    there = np.isfinite(y.reshape(-1, numbers + 1)).all(1).repeat(numbers + 1)
    problem = {
        "num_vars": numbers,
        "names": [str(k) for k in range(numbers)],
        "bounds": [[0, 1]] * numbers,
    }
    found = analyze(
        problem,
        x[there],
        y[there],
        num_levels=LEVELS,
        num_resamples=RESAMPLES,
        conf_level=CONFIDENCE,
        seed=seed,
    )
    mean, half, sigma = (
        differences(np.asarray(found[name], float), np.zeros(numbers), scale=scale)
        for name in ("mu_star", "mu_star_conf", "sigma")
    )
    return Measured(mean, np.maximum(mean - half, 0), mean + half, sigma, int(there.sum()))


def ranked(x: Array, y: Array) -> Measured:
    """Partial rank correlations of `y` (points,) with each column of `x`; intervals by Fisher's z.
    NaN is left out.
    """
    there = np.isfinite(y)
    found, low, high = partial_rank_correlations(x[there], y[there])
    return Measured(found, low, high, np.full(found.size, np.nan), int(there.sum()))


def swing(
    x: Array, y: Array, *, share: bool = False, scale: float = 0.0, most: float = np.inf
) -> tuple[Estimate, Estimate]:
    """Mean and interval of `y` where `x` (points,) is in its lowest and in its highest fifth.

    `share`: `y` says yes or no; `most`: what it cannot exceed in size.
    """
    low, high = np.quantile(x, [1 / FIFTHS, 1 - 1 / FIFTHS])
    return (
        mean_interval(y[x <= low], share=share, scale=scale, most=most),
        mean_interval(y[x >= high], share=share, scale=scale, most=most),
    )


def sample(ds: xr.Dataset, names: Sequence[str], arm: str, than: str | None) -> Sample:
    """The sweep as a table: readouts of `arm` (less those of `than`), averaged over seeds, at every
    point.
    """
    swept = [str(dim) for dim in ds["status"].dims if dim not in ("arm", SEED)]
    columns = [
        (str(name), coord)
        for name, coord in ds.coords.items()
        if "path" in coord.attrs
        and set(coord.dims) <= set(swept)
        and np.issubdtype(coord.dtype, np.number)
    ]
    columns = [(name, coord) for name, coord in columns if np.unique(coord.values).size > 1]
    design = json.loads(ds.attrs.get("design", "{}"))
    order = list(design.get("paths", []))
    columns.sort(key=lambda named: order.index(named[1].attrs["path"]) if order else 0)
    if not columns:
        raise results_error(ds, found="no swept number", wanted="a sweep, or virtual subjects")
    shape = [ds.sizes[dim] for dim in swept]
    wide = [
        coord.broadcast_like(ds["status"].isel({"arm": 0, SEED: 0})).transpose(*swept)
        for _, coord in columns
    ]
    y = {}
    for name in names:
        values = ds[name].astype(float)
        mine = values.sel(arm=arm) - (values.sel(arm=than) if than is not None else 0)
        y[name] = (
            mine.mean(SEED, skipna=False).transpose(*swept).values.reshape(int(np.prod(shape)))
        )
    units = {name: str(ds[name].attrs.get("units", "1")) for name in names}
    x = np.column_stack([coord.values.ravel() for coord in wide]).astype(float)
    kind = str(design.get("kind", "")) if swept == [POINT] else ""
    paths = tuple(str(coord.attrs["path"]) for _, coord in columns)
    if kind == "saltelli" and ROLE not in ds.coords:  # results of 0.1 have A, B, A with B
        sets = np.arange(len(x)).reshape(-1, x.shape[1] + 2)
        old = np.column_stack([sets[:, :1], sets[:, 2:], sets[:, 1:2]]).ravel()
        x, y = x[old], {name: values[old] for name, values in y.items()}
    scales = {name: scale_of(ds[name]) for name in names}
    answers = frozenset(name for name in names if "yes_no" in ds[name].attrs)
    kind = kind if kind in MEASURES else ""
    numbers = tuple(name for name, _ in columns)
    return Sample(kind, numbers, paths, x, y, units, answers, than is not None, scales)


def influences(
    ds: xr.Dataset,
    names: Sequence[str] | None = None,
    *,
    arm: str | None = None,
    than: str | None = None,
) -> tuple[str, list[Influence], dict[str, str]]:
    """The kind of design (a key of `MEASURES`); what every swept number does to every readout, the
    greatest first; and the readouts of which nothing can be measured, with the reason.

    Of `arm` (the first that is treated) less `than` (the untreated one, if another arm is asked
    about). Raises InputError.
    """
    own = [str(name) for name in ds.data_vars if "readout" in ds[name].attrs]
    chosen = [require_name(name, own, "readout") for name in names or own]
    arms = [str(a) for a in ds["arm"].values]
    base = require_name(than, arms, "arm") if than is not None else control_arm(ds, arms)
    mine = (
        require_name(arm, arms, "arm")
        if arm is not None
        else next((a for a in arms if a != base), base)
    )
    found = sample(ds, chosen, mine, base if mine != base else None)
    reasons = {name: _why_not(found, name) for name in chosen}
    measured = [one for name in chosen if not reasons[name] for one in _of_readout(found, name)]
    return found.kind, measured, {name: why for name, why in reasons.items() if why}


def _why_not(found: Sample, name: str) -> str:
    """Why nothing can be measured of a readout; empty if it can."""
    y, fewest = found.y[name], found.x.shape[1] + FEWEST
    there = np.isfinite(y)
    if not varies(y[there], scale=found.scales[name]) and there.any():
        return "is the same at every point"
    if there.sum() < fewest:
        return f"has a value at {there.sum()} of {y.size} points, which takes {fewest}"
    together = found.x.shape[1] + SETS.get(found.kind, 0)
    if found.kind and not there.reshape(-1, together).all(1).any():
        return f"has no value in any whole set of {together} points"
    return ""


def _of_readout(found: Sample, name: str) -> Iterator[Influence]:
    y, scale = found.y[name], found.scales[name]
    there, answer = np.isfinite(y), name in found.answers
    share, most = answer and not found.less, most_of(answer)
    if found.kind == "saltelli":
        measured = sobol(y, found.x.shape[1], scale=scale)
    elif found.kind == "morris":
        measured = morris(found.x, y, scale=scale)
    else:
        measured = ranked(found.x, y)
    each = [
        Influence(
            name,
            found.units[name],
            found.names[k],
            found.paths[k],
            float(measured.value[k]),
            float(measured.low[k]),
            float(measured.high[k]),
            float(measured.beside[k]),
            swing(found.x[there, k], y[there], share=share, scale=scale, most=most),
            measured.n,
            y.size,
        )
        for k in range(len(found.names))
    ]
    yield from sorted(each, key=lambda one: -one.weight)


def text_rows(kind: str, found: Sequence[Influence]) -> Iterator[tuple[str, ...]]:
    """`found` as rows of text, a head first."""
    first, second = MEASURES[kind]
    yield (
        "readout",
        "number",
        f"{first} [95 % interval]",
        *([second] if second else []),
        "low to high fifth",
        "n",
    )
    for one in found:
        unit = "" if one.unit == "1" else f" {one.unit}"
        beside = [f"{one.beside:.2g}"] if second else []
        ends = f"{one.swing[0][0]:.3g} to {one.swing[1][0]:.3g}{unit}"
        measured = f"{one.value:.2g} [{one.low:.2g}, {one.high:.2g}]"
        yield one.readout, one.number, measured, *beside, ends, f"{one.n} of {one.expected}"


def csv_text(kind: str, found: Sequence[Influence]) -> str:
    """All of `found` as CSV."""
    out = io.StringIO()
    writer = CsvWriter(out)
    ends = ("lowest_fifth", "highest_fifth")
    writer.row(
        [
            "readout",
            "unit",
            "number",
            "path",
            "measure",
            "value",
            "low",
            "high",
            "beside",
            *ends,
            "n",
            "expected",
        ]
    )
    for one in found:
        numbers: list[Any] = [
            one.value,
            one.low,
            one.high,
            one.beside,
            one.swing[0][0],
            one.swing[1][0],
        ]
        shown = [f"{x:.6g}" if np.isfinite(x) else "" for x in numbers]
        writer.row(
            [
                one.readout,
                one.unit,
                one.number,
                one.path,
                MEASURES[kind][0],
                *shown,
                one.n,
                one.expected,
            ]
        )
    return out.getvalue()
