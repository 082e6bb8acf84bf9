"""In: the `sweep:` and `design:` of an experiment. Out: its points, and the dimensions they make in
results.nc.

A grid has an axis for every path: all combinations. Any other design has a single axis, `point`,
with a column for every path: values side by side (zip), points as written (list), or points drawn
between the ends (random, latin_hypercube, sobol, saltelli, morris). Values between two ends are
text with 12 significant digits, as a person would write them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plastogen._base.units import parse, rounded, split
from plastogen.errors import InputError, QuantityError
from plastogen.experiment.sweep import DRAWN, Design, Filled, Span, kind_of, length
from plastogen.simulation import VARIABLES

LEVELS = 4  # that a number takes in a Morris design
POINT = "point"  # the dimension of every design but a grid
SUBJECT = "subject"  # the dimension of virtual subjects
DIMENSIONS = (
    "arm",
    "seed",
    "time",
    "class",
    "pool",
    "species",
    "snapshot",
    "frequency",
    SUBJECT,
    POINT,
)
ROLE = "role"  # the coordinate that says what each point of a Saltelli design is
OTHERS = (ROLE, "beyond", "run", "status", "probes", "cap_hit", "n", "arm_title", "snapshot_time")
TAKEN = (
    *VARIABLES,
    *DIMENSIONS,
    *OTHERS,
)  # what results.nc holds beside readouts and what is swept


@dataclass(frozen=True)
class Column:
    """What one path is set to along an axis.

    `written`: as it is set, text with its unit. `values`: numbers in `unit`, or text and "" where
    it is no quantity.
    """

    name: str
    path: str
    written: tuple[Any, ...]
    values: tuple[Any, ...]
    unit: str


@dataclass(frozen=True)
class Axis:
    """One dimension of a sweep, `name` in results.nc; every column has `size` values. `roles`: what
    each point is for, in a design whose order tells it.
    """

    name: str
    size: int
    columns: tuple[Column, ...]
    roles: tuple[str, ...] = ()


def axes_of(sweep: Filled, design: Design, taken: Collection[str] = ()) -> tuple[Axis, ...]:
    """The dimensions, in order; none without a sweep. `taken`: names of other things in
    results.nc.
    """
    if not sweep:
        return ()
    if isinstance(sweep, list):
        written: dict[str, list[Any]] = {
            path: [point[path] for point in sweep] for path in sweep[0]
        }
    elif design.kind in DRAWN:
        shares = drawn(design.kind, len(sweep), design.points or 0, design.seed)
        written = {
            path: _picked(swept, shares[:, i]) for i, (path, swept) in enumerate(sweep.items())
        }
    else:
        written = {path: _stepped(swept, design) for path, swept in sweep.items()}
    found = columns(written, taken)
    if kind_of(sweep, design) == "grid":
        return tuple(Axis(column.name, len(column.written), (column,)) for column in found)
    count = len(found[0].written)
    roles = ("A", *(f"AB {column.name}" for column in found), "B")
    named = roles * (count // len(roles)) if design.kind == "saltelli" else ()
    return (Axis(POINT, count, found, named),)


def drawn(kind: str, paths: int, points: int, seed: int) -> NDArray[np.float64]:
    """Shares 0..1 of the way from end to end: (points, paths). But for a hypercube the first n do
    not depend on n.
    """
    rng = np.random.default_rng(seed)
    if kind == "morris":
        return _morris(paths, points, seed)
    if kind == "random":
        return rng.random((points, paths))
    from scipy.stats import qmc

    if kind == "latin_hypercube":
        return np.asarray(qmc.LatinHypercube(paths, rng=rng).random(points))
    wide = 2 * paths if kind == "saltelli" else paths
    whole: NDArray[np.float64] = qmc.Sobol(wide, rng=rng).random_base2(
        max(points - 1, 0).bit_length()
    )[:points]
    return _saltelli(whole[:, :paths], whole[:, paths:]) if kind == "saltelli" else whole


def _saltelli(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """For every row, in order: that of A, A with one number after the other from B, that of B
    (Saltelli 2010; the order of SALib without second-order indices).
    """
    paths = a.shape[1]
    mixed = np.where(np.eye(paths, dtype=bool), b[:, None], a[:, None])
    return np.asarray(np.concatenate([a[:, None], mixed, b[:, None]], axis=1).reshape(-1, paths))


def _morris(paths: int, points: int, seed: int) -> NDArray[np.float64]:
    """Trajectories that move one number at a time (Morris 1991). Raises InputError without
    SALib.
    """
    try:
        from SALib.sample.morris import sample
    except ImportError:
        wanted = "the extra for Morris: pip install 'plastogen[sensitivity]'"
        raise InputError.one(file="design", found="no SALib", wanted=wanted) from None
    problem = {
        "num_vars": paths,
        "names": [str(k) for k in range(paths)],
        "bounds": [[0, 1]] * paths,
    }
    shares: NDArray[np.float64] = np.asarray(
        sample(problem, points, num_levels=LEVELS, seed=seed), float
    )
    return shares


def _picked(swept: list[Any] | Span, shares: NDArray[np.float64]) -> list[Any]:
    if isinstance(swept, Span):
        return swept.at(shares)
    return [swept[min(int(share * len(swept)), len(swept) - 1)] for share in shares]


def _stepped(swept: list[Any] | Span, design: Design) -> list[Any]:
    return swept.at(np.linspace(0, 1, length(swept, design))) if isinstance(swept, Span) else swept


def columns(
    written: Mapping[str, Sequence[Any]], taken: Collection[str] = ()
) -> tuple[Column, ...]:
    """A column for each path, named by its last word where that is unique and not `taken`."""
    last = [path.rpartition(".")[2] for path in written]
    found = []
    for word, (path, values) in zip(last, written.items(), strict=True):
        name = word if last.count(word) == 1 and word not in taken else path.replace(".", "_")
        found.append(Column(name, path, tuple(values), *_as_numbers(values)))
    return tuple(found)


def points(axes: Sequence[Axis]) -> Iterator[tuple[tuple[int, ...], dict[str, Any]]]:
    """Every point: its place on each axis, and path -> value as written; one empty point without
    axes.
    """
    for index in product(*(range(axis.size) for axis in axes)):
        at = zip(axes, index, strict=True)
        yield index, {column.path: column.written[i] for axis, i in at for column in axis.columns}


def corners(sweep: Filled, design: Design) -> Iterator[dict[str, Any]]:
    """A few points that show what is wrong with any: the ends of what is a number, each name
    once.
    """
    if isinstance(sweep, list) or design.kind == "zip":
        (axis,) = axes_of(sweep, design)
        telling = {i for column in axis.columns for i in _telling(column.written)}
        yield from (
            {column.path: column.written[i] for column in axis.columns} for i in sorted(telling)
        )
        return
    ends = {
        path: s.at(np.array([0, 1])) if isinstance(s, Span) else [s[i] for i in _telling(s)]
        for path, s in sweep.items()
    }
    first = {path: values[0] for path, values in ends.items()}
    yield first
    for path, values in ends.items():
        yield from ({**first, path: value} for value in values[1:])
    if len(ends) > 1:
        yield {path: values[-1] for path, values in ends.items()}


def _telling(written: Sequence[Any]) -> list[int]:
    """Places of the least and the greatest number, or of each text when first met."""
    values, unit = _as_numbers(written)
    if unit:
        return sorted({int(np.argmin(values)), int(np.argmax(values))})
    first: dict[str, int] = {}
    for i, value in enumerate(values):
        first.setdefault(value, i)
    return list(first.values())


def _as_numbers(written: Sequence[Any]) -> tuple[tuple[Any, ...], str]:
    """Values as numbers in the unit of the first, or as text where they are not quantities."""
    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in written):
        return tuple(float(v) for v in written), "1"
    texts = [str(v) for v in written]
    with suppress(QuantityError):
        parts = [split(text) for text in texts]
        unit = parts[0][1]
        if all(own for _, own in parts):
            numbers = (
                rounded(n) if own == unit else parse(text, unit)
                for (n, own), text in zip(parts, texts, strict=True)
            )
            return tuple(numbers), unit
    return tuple(texts), ""
