"""In: a seed, a step. Out: what chance brings to each site: 64 bits, one even and two normal
numbers that know nothing of each other.

Bits are drawn of every site, whatever stands there, so that what a site meets depends on seed, step
and site alone; numbers are made of them only where they are needed.
"""

from __future__ import annotations

from functools import cache
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
EVEN_BITS, NORMAL_BITS = 24, 16  # of 64; a normal number is one of so many equally likely ones


def drawn_bits(seed: int, step: int, sites: int) -> Array:
    """(sites,), uint64."""
    return np.asarray(np.random.SFC64([seed, step]).random_raw(sites))


def even(bits: Array) -> Array:
    """A number from 0 to below 1 of each site, of the upper bits, float32."""
    return (bits >> np.uint64(64 - EVEN_BITS)).astype(np.float32) * np.float32(2.0**-EVEN_BITS)


def normal(bits: Array) -> tuple[Array, Array]:
    """Two normal numbers of each site, of the lower bits, float32."""
    places = bits & np.uint64(2**NORMAL_BITS - 1)
    others = (bits >> np.uint64(NORMAL_BITS)) & np.uint64(2**NORMAL_BITS - 1)
    return _quantiles().take(places), _quantiles().take(others)


@cache
def _quantiles() -> Array:
    """Equally likely normal numbers, of variance 1."""
    from scipy.special import ndtri

    n = 2**NORMAL_BITS
    found = ndtri((np.arange(n) + 1 / 2) / n)
    return np.asarray(found / found.std(), np.float32)
