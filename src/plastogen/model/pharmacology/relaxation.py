"""In: rates of n states filled from what is free. Out: one step of them, solved exactly however
stiff it is.

    dx/dt = on (1 - sum x) - off x

The matrix is diagonal plus rank one, its eigenvalues real and <= 0: its resolvent has a closed form
(Sherman and Morrison), and exp and (exp - 1)/z follow from one contour integral, on the parabola of
Weideman and Trefethen (2007).
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.float64]
Complex: TypeAlias = npt.NDArray[Any]

CONTOUR_NODES = (
    12  # of the integral in `propagators`: its error is about exp(-2 pi/3 nodes) = 1e-11
)
IN_CACHE = 2048  # systems worked on at a time


def propagators(on: Array, off: Array) -> tuple[Array, Array]:
    """P and f of the step x -> P x + f over unit time, accurate to 1e-11.

    `on`, `off`: shape (..., n), non-negative, rate times step. Returns shapes (..., n, n) and (...,
    n).
    """
    z, weight = _contour(CONTOUR_NODES)
    shape = (len(z),) + (1,) * on.ndim
    resolvent = 1 / (z.reshape(shape) + off)
    scaled = resolvent * on
    scaled *= weight.reshape(shape) / (1 + scaled.sum(-1, keepdims=True))
    f, p = np.zeros(on.shape), np.zeros((*on.shape, on.shape[-1]))
    f += np.einsum(
        "k,k...->...", 1 / z, scaled
    ).imag  # no BLAS: its threads fight for cores over many small calls
    p -= np.einsum("k...i,k...j->...ij", scaled, resolvent).imag
    i = np.arange(on.shape[-1])
    p[..., i, i] += np.einsum("k,k...->...", weight, resolvent).imag
    return p, f


def relaxed(x: Array, on: Array, off: Array, first: Array, last: Array) -> Array:
    """P x + f of `propagators`, without making P: for one step of many courses, under a force that
    runs from `first` to `last`, added to dx/dt. All (..., n).

    Part by part, so that what is worked on stays in cache. In real numbers and plain sums, whose
    last bits, unlike those of numpy's complex ones, do not hang on how many there are.
    """
    x_, on_, off_, force_, rise_ = (
        np.ascontiguousarray(each.reshape(-1, x.shape[-1]).T)
        for each in (x, on, off, on + first, last - first)
    )
    found = np.zeros(x_.shape)
    nodes = [(z, 1 / z, weight) for z, weight in zip(*_contour(CONTOUR_NODES), strict=True)]
    for start in range(0, x.size // x.shape[-1], IN_CACHE):
        part = slice(start, start + IN_CACHE)
        x_in, on_in, off_in = x_[:, part], on_[:, part], off_[:, part]
        force, rise = force_[:, part], rise_[:, part]
        for z, inverse, weight in nodes:
            real = z.real + off_in
            square = real * real + z.imag**2
            real, imag = real / square, -z.imag / square  # of the resolvent, 1 / (z + off)
            in_r, in_i = real * on_in, imag * on_in
            ramp = inverse * inverse
            to_r = x_in + inverse.real * force + ramp.real * rise
            to_i = inverse.imag * force + ramp.imag * rise
            some_r, some_i = real * to_r - imag * to_i, real * to_i + imag * to_r
            all_r, all_i = 1 + sum(in_r), sum(in_i)
            sum_r, sum_i = sum(some_r), sum(some_i)
            square = all_r * all_r + all_i * all_i
            share_r, share_i = (
                (sum_r * all_r + sum_i * all_i) / square,
                (sum_i * all_r - sum_r * all_i) / square,
            )
            some_r -= in_r * share_r - in_i * share_i
            some_i -= in_r * share_i + in_i * share_r
            found[:, part] += weight.imag * some_r + weight.real * some_i
    return found.T.reshape(x.shape)


def _contour(n: int) -> tuple[Complex, Complex]:
    """Nodes and weights of the contour integral."""
    root = 1 + 1j * (np.arange(n) + 0.5) * 3 / n
    z = np.pi * n / 12 * root**2
    return z, np.exp(z) * root * 1j / 2
