"""In: rates of n states filled from what is free, and a force. Out: one step of them, solved
exactly however stiff it is.

    dx/dt = on (1 - sum x) - off x + force

The matrix is diagonal plus rank one, so its resolvent has a closed form (Sherman and Morrison), and
its eigenvalues are real and <= 0. On that half line exp is, to 3e-8, a sum over the eight poles of
its best rational approximation (Trefethen, Weideman and Schmelzer 2006), and so are (exp z - 1)/z
and the next of these functions over the same poles (Schmelzer and Trefethen 2007).
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.float64]

# Those above the real axis, by the method of Caratheodory and Fejer.
POLES = (
    3.220945245054341 + 1.193619605419332j,
    2.292249147821056 + 3.600771496077135j,
    0.269490987367496 + 6.082032592700096j,
    -3.408539501461802 + 8.773034564408094j,
)
RESIDUES = (
    -1.831771710632897 - 9.525608129943738j,
    2.436240732924865 + 3.716755640860530j,
    -0.632588053732685 - 0.443923102700152j,
    0.028129757161819 + 0.011577384568874j,
)
IN_CACHE = 16384  # numbers worked on at a time


def relaxed(x: Array, on: Array, off: Array, first: Array, last: Array) -> Array:
    """`x` after unit time, under a force that runs from `first` to `last`. All (n, ...); on, off
    >= 0, rate times step.

    In real numbers and plain sums, whose last bits, unlike those of numpy's complex ones, do not
    hang on how many systems there are.
    """
    n = len(x)
    slope = (on * (1 - sum(x)) - off * x + first).reshape(n, -1)
    on, off, rise = (each.reshape(n, -1) for each in (on, off, last - first))
    moved = np.zeros(slope.shape)
    width = max(1, IN_CACHE // n)
    for start in range(0, moved.shape[1], width):
        part = slice(start, start + width)
        at_once = max(1, width // moved[:, part].shape[1])  # few systems: more poles at a time
        for k in range(0, len(POLES), at_once):
            poles = slice(k, k + at_once)
            for each in _moved(poles, on[:, part], off[:, part], slope[:, part], rise[:, part]):
                moved[:, part] += each
    return x + moved.reshape(x.shape)


def _moved(poles: slice, on: Array, off: Array, slope: Array, rise: Array) -> Array:
    """What each of some poles adds to how far states move in unit time that begin with `slope`,
    which the force changes by `rise`: (poles, n, systems), from (n, systems).
    """
    of_slope, of_rise = _OF_SLOPE[:, poles], _OF_RISE[:, poles]
    real = off + _RE[poles]
    imag = real * real  # of the resolvent, at first as one over it
    imag += _IM[poles] ** 2
    np.reciprocal(imag, out=imag)
    real *= imag
    imag *= -_IM[poles]
    work, more = np.empty(real.shape), np.empty(real.shape)
    slope_r, slope_i, rise_r, rise_i, on_r, on_i = (
        _sum(np.multiply(part, each, out=work))
        for each in (slope, rise, on)
        for part in (real, imag)
    )
    to_r = of_slope[0] * slope_r - of_slope[1] * slope_i + of_rise[0] * rise_r - of_rise[1] * rise_i
    to_i = of_slope[0] * slope_i + of_slope[1] * slope_r + of_rise[0] * rise_i + of_rise[1] * rise_r
    on_r += 1
    size = on_r * on_r + on_i * on_i
    shares = ((to_r * on_r + to_i * on_i) / size, (to_i * on_r - to_r * on_i) / size)
    for k, (part, share) in enumerate(zip((real, imag), shares, strict=True)):
        np.multiply(of_slope[k], slope, out=work)
        work += np.multiply(of_rise[k], rise, out=more)
        work -= np.multiply(on, share, out=more)
        part *= work
    real -= imag
    return np.asarray(real)


def _sum(values: Array) -> Array:
    """Over states, one after the other: (poles, 1, systems)."""
    found = values[:, :1].copy()
    for k in range(1, values.shape[1]):
        found += values[:, k : k + 1]
    return found


_POLES, _WEIGHTS = (np.reshape(values, (-1, 1, 1)) for values in (POLES, -2 * np.array(RESIDUES)))
_RE, _IM = _POLES.real, _POLES.imag
_OF_SLOPE, _OF_RISE = (
    np.stack([weight.real, weight.imag]) for weight in (_WEIGHTS / _POLES, _WEIGHTS / _POLES**2)
)
