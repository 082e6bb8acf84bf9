"""In: one course (arrays over time, snapshots) and a `Readout`. Out: one number.

What is given is known beforehand: concentrations, occupancy and stress are read from their own
solution (`Known`), exact at any time. Other values between grid points are linear interpolations.
The time of what never happens is NaN, with
the reason, never a guess: of a peak where the course does not move (by a millionth of its
variable's scale and by two of its standard errors), of an onset that is not reached (`never`), or
that lies before the stretch begins (`already`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from plastogen._base.quantity import Quantity
from plastogen.experiment.readout import PEAK, START, TIMES, Readout, level
from plastogen.experiment.statistics import RESOLUTION
from plastogen.model.pharmacology import KNOWN, Known

Array: TypeAlias = NDArray[np.float64]
NEVER, ALREADY = "never", "already"  # why there is no time
_NEVER = ("onset", "time_of_peak", "time_of_trough")  # times that need not be
ERRORS_MOVED = 2  # standard errors that a course moves by, at least


def evaluate(
    readout: Readout,
    *,
    arrays: Mapping[str, Array],
    time_h: Array,
    labels: Mapping[str, tuple[str, ...]],
    known: Known | None = None,
) -> float:
    """The number `readout` asks for, from one course.

    `arrays`: variable -> (time,), (time, place), (snapshot,) or (snapshot, place); `time_h`: hours
    (time,); `labels`: dimension -> names ("class", "pool", "species", "snapshot"). NaN where the
    course has no such place (a species that was never given is 0) or where it never happens.
    `known`: of what is given; without it that is read off the grid as everything else.
    """
    return read(readout, arrays=arrays, time_h=time_h, labels=labels, known=known)[0]


def read(
    readout: Readout,
    *,
    arrays: Mapping[str, Array],
    time_h: Array,
    labels: Mapping[str, tuple[str, ...]],
    known: Known | None = None,
) -> tuple[float, str]:
    """As `evaluate`, and for a time that is NaN the reason: `NEVER` or `ALREADY`."""
    number, reason = _number(readout, arrays, time_h, labels, known)
    if not readout.yes_no:
        return number, reason
    if reason:  # what never happens is not before or after any time
        return 0.0, ""
    beyond = _beyond(readout, np.array([number]), 0.0)[0] > 0
    return (number if np.isnan(number) else float(beyond)), ""


def _number(
    readout: Readout,
    arrays: Mapping[str, Array],
    time_h: Array,
    labels: Mapping[str, tuple[str, ...]],
    known: Known | None,
) -> tuple[float, str]:
    """What the readout reads, before it is held against a threshold, and why it is no time."""
    if readout.of not in arrays:  # no class of this circuit has the role it needs
        return float("nan"), ""
    place = readout.variable.place
    at = None
    if place is not None:
        names = labels[place]
        if readout.place not in names:
            return _of_what_is_not_there(readout, place)
        at = names.index(str(readout.place))
    values = _of_place(arrays[readout.of], at)
    noise = 0.0
    if readout.variable.error in arrays:
        noise = float(np.nan_to_num(_of_place(arrays[readout.variable.error], at)).max())
    if readout.variable.of_snapshot:
        return _of_snapshot(readout, values, labels["snapshot"]), ""
    if known is not None and readout.of in KNOWN:
        curve = _of_known(known, readout)
    else:
        curve = _of_grid(time_h, values)
    span = float(time_h[0]), float(time_h[-1])
    if readout.relative_to is not None:
        reference = _reference(curve, readout.relative_to, span)
        curve = _scaled(curve, lambda x: _relative(x, reference, readout.as_))
        noise = noise / abs(reference) if readout.as_ == "ratio" and reference else noise
    value, _ = curve
    if readout.at is not None:
        return float(value(np.clip([float(readout.at)], *span))[0]), ""
    t, x, weights = _stretch(curve, span, readout.from_, readout.until)
    if not np.isfinite(x).all():
        return float("nan"), ""
    if readout.take in TIMES:
        scale = readout.variable.size if readout.level_unit == readout.variable.unit else 1.0
        still = max(RESOLUTION * scale, ERRORS_MOVED * noise)
        return _time(readout, t, x, float(value(np.array(span[:1]))[0]), still)
    return _summary(readout, t, x, weights), ""


def _of_place(values: Array, at: int | None) -> Array:
    whole = np.asarray(values, dtype=np.float64)
    return whole if at is None else whole[..., at]


def _of_what_is_not_there(readout: Readout, place: str) -> tuple[float, str]:
    """Of a species that was never given there is 0, and nothing happens to it."""
    if place != "species" or readout.relative_to is not None:
        return float("nan"), ""
    return (float("nan"), NEVER) if readout.take in _NEVER else (0.0, "")


def _of_snapshot(readout: Readout, values: Array, names: tuple[str, ...]) -> float:
    if readout.snapshot not in names:
        return float("nan")
    value = float(values[names.index(readout.snapshot)])
    if readout.relative_to is None:
        return value
    if readout.relative_to not in names:
        return float("nan")
    reference = float(values[names.index(readout.relative_to)])
    return float(_relative(np.array([value]), reference, readout.as_)[0])


def _relative(values: Array, reference: float, how: str) -> Array:
    if how == "difference":
        return values - reference
    return values / reference if reference != 0 else np.full_like(values, np.nan)


Curve: TypeAlias = tuple[
    Callable[[Array], Array],  # what it is at times
    Callable[[float, float], tuple[Array, Array, Array]],  # times in a stretch, values, weights
]


def _of_grid(time_h: Array, values: Array) -> Curve:
    """Straight lines between the times of a grid."""

    def value(t: Array) -> Array:
        return np.asarray(np.interp(t, time_h, values))

    def points(first: float, last: float) -> tuple[Array, Array, Array]:
        inside = time_h[(time_h > first) & (time_h < last)]
        t = np.concatenate([[first], inside, [last]])
        gaps = np.diff(t)
        return t, value(t), (np.append(gaps, 0) + np.append(0, gaps)) / 2

    return value, points


def _of_known(known: Known, readout: Readout) -> Curve:
    """The solution itself."""
    value = known.curve(readout.of, readout.place)
    turns = readout.take not in ("area", "mean") or readout.relative_to == PEAK
    return value, lambda first, last: known.points(value, first, last, turns=turns)


def _scaled(curve: Curve, change: Callable[[Array], Array]) -> Curve:
    value, points = curve

    def changed(first: float, last: float) -> tuple[Array, Array, Array]:
        t, x, weights = points(first, last)
        return t, change(x), weights

    return lambda t: change(value(t)), changed


def _reference(curve: Curve, name: str, span: tuple[float, float]) -> float:
    value, points = curve
    if name == PEAK:
        return float(points(*span)[1].max())
    return float(value(np.array([span[0 if name == START else 1]]))[0])


def _stretch(
    curve: Curve, span: tuple[float, float], start: Quantity | None, end: Quantity | None
) -> tuple[Array, Array, Array]:
    """The course between two times, as far as it goes: times, values, weights of its integral."""
    value, points = curve
    first = span[0] if start is None else max(float(start), span[0])
    last = span[1] if end is None else min(float(end), span[1])
    if last > first:
        return points(first, last)
    return np.array([first]), value(np.array([first])), np.zeros(1)


def _summary(readout: Readout, t: Array, x: Array, weights: Array) -> float:
    match readout.take:
        case "peak":
            return float(x.max())
        case "trough":
            return float(x.min())
        case "area":
            return float((weights * x).sum())
        case _:
            return float((weights * x).sum() / (t[-1] - t[0])) if t.size > 1 else float(x[0])


def _time(readout: Readout, t: Array, x: Array, first: float, still: float) -> tuple[float, str]:
    """A time, or NaN and the reason. `first`: what the whole course begins with; `still`: a move no
    larger than this is none.
    """
    match readout.take:
        case "time_of_peak":
            found = time_of_peak(t, x, first, still)
            return found, NEVER if np.isnan(found) else ""
        case "time_of_trough":
            found = time_of_peak(t, -x, -first, still)
            return found, NEVER if np.isnan(found) else ""
        case "onset":
            return onset(t, _beyond(readout, x, still), still * (readout.threshold is not None))
        case _:
            return time_beyond(t, _beyond(readout, x, still)), ""


def _beyond(readout: Readout, x: Array, still: float) -> Array:
    """How far `x` is beyond the threshold: positive where it is.

    Without a threshold: half of the largest deviation from the value the stretch starts with, if
    that is more than `still`.
    """
    if readout.above is not None:
        return x - level(readout.above, readout.threshold_unit)
    if readout.below is not None:
        return level(readout.below, readout.threshold_unit) - x
    deviation = x - x[0]
    largest = deviation[np.abs(deviation).argmax()]
    if abs(largest) <= still:
        return np.full_like(x, -1.0)
    return np.asarray(deviation / largest - 0.5)


def time_of_peak(t: Array, x: Array, first: float, still: float) -> float:
    """When `x` is highest; NaN where it does not move by more than `still`, and where it is highest
    as it starts and the course as a whole started no lower (`first`). Shapes (n,).
    """
    if np.ptp(x) <= still or x.max() - min(x[0], first) <= still:
        return float("nan")
    return float(t[x.argmax()])


def onset(t: Array, beyond: Array, still: float = 0.0) -> tuple[float, str]:
    """The first time `beyond` reaches 0 from below, interpolated; NaN and the reason where it does
    not. What starts within `still` of 0 has not begun. Shapes (n,).
    """
    away = np.flatnonzero(np.abs(beyond) > still)
    if away.size and away[0] == 0 and beyond[0] > 0:
        return float("nan"), ALREADY
    begun = away[0] if away.size else beyond.size
    hits = begun + np.flatnonzero(beyond[begun:] >= 0)
    if hits.size == 0:
        return float("nan"), NEVER
    i = int(hits[0])
    share = min(max(-beyond[i - 1] / (beyond[i] - beyond[i - 1]), 0.0), 1.0)
    return float(t[i - 1] + share * (t[i] - t[i - 1])), ""


def time_beyond(t: Array, beyond: Array) -> float:
    """For how long `beyond` is above 0, its course between points taken as straight lines. Shapes
    (n,).
    """
    a, b, dt = beyond[:-1], beyond[1:], np.diff(t)
    rise = np.abs(b - a)
    share = np.clip(np.maximum(a, b), 0, None) / np.where(rise == 0, 1, rise)
    share = np.where(rise == 0, (a > 0).astype(float), np.minimum(share, 1))
    return float((share * dt).sum())
