"""In: what probes said would move synapses, and how alike their questions were. Out: the same
between questions, smoothed: `DriftSurface`.

A probe tells the rates of its cells well and the balance of its synapses badly: a few fast pairs
carry it. So every kind of number (log of potentiation over depression, log of depression, log of
the spread) has, for each group of cells behind, a noise of its own beside those of the rates, and a
share of its own by which seeds depart from each other. Along the numbers of a drive all are as
smooth as the rates, whose correlations they take.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize

from plastogen.model.circuit import RATE_CLASSES, Activity, Drift

Array: TypeAlias = npt.NDArray[np.float64]

KINDS = ("balance", "depression", "spread")
SLOWEST = 1e-6  # 1/s: what acts no more often than this moves nothing within days
GROUPS = len(KINDS) * RATE_CLASSES  # columns of one kind and one group of cells behind
COLUMNS = GROUPS * RATE_CLASSES
GROUP = np.arange(COLUMNS) // RATE_CLASSES**2 * RATE_CLASSES + np.arange(COLUMNS) % RATE_CLASSES
LEAST_SPREAD = 0.1  # of a logarithm among the answers
BOUNDS = ((0.1, 1e4), (1e-4, 1.0), (1e-4, 3.0))  # of variance, share of seeds, noise
FIRST = (1.0, 0.1, 0.3)  # of each, where a fit starts
STARTS = tuple(  # and others: what rates hardly feel, over long lengths, may look like noise alone
    (size, FIRST[1], noise) for size in (1.0, 10.0, 100.0, 1000.0) for noise in (0.03, 0.3, 1.0)
)


def drift_columns(answers: Sequence[Activity]) -> Array:
    """What is smoothed, (answers, columns): each kind by class of synapse."""
    potentiation, depression, variance = (
        np.array([np.ravel(getattr(a, name)) for a in answers])
        for name in ("potentiation", "depression", "drift_variance")
    )
    level = np.log(depression + SLOWEST)
    balance = np.log(potentiation + SLOWEST) - level
    return np.hstack([balance, level, np.log(variance + SLOWEST**2)])


def drift_from(columns: Array) -> Drift:
    """The drift of which these are the columns, (n, classes) each."""
    balance, level, spread = np.split(columns, len(KINDS), axis=1)
    return Drift(
        np.maximum(np.exp(balance + level) - SLOWEST, 0),
        np.maximum(np.exp(level) - SLOWEST, 0),
        np.maximum(np.exp(spread) - SLOWEST**2, 0),
    )


class DriftSurface:
    """A Gaussian process for each group of columns.

    alike (n, n): correlation of the questions on the surface of the rates, same (n, n): 1 between
    those to one seed. theta (groups, 3): variance, share of seeds, noise.
    """

    def __init__(self, alike: Array, same: Array, values: Array, theta: Array) -> None:
        self.theta = theta
        self._middle = values.mean(axis=0)
        self._spread = np.maximum(values.std(axis=0), LEAST_SPREAD)
        self._factors = [cho_factor(covariance(alike, same, t), lower=True) for t in theta]
        scaled = (values - self._middle) / self._spread
        self._alpha = np.empty_like(scaled)
        for group, factor in enumerate(self._factors):
            mine = group == GROUP
            self._alpha[:, mine] = cho_solve(factor, scaled[:, mine])

    @staticmethod
    def first() -> Array:
        """The parameters that a fit starts from."""
        return np.tile(FIRST, (GROUPS, 1))

    @staticmethod
    def fitted(alike: Array, same: Array, values: Array, theta: Array) -> Array:
        """The parameters under which the answers are most likely, from `theta` on."""
        spread = np.maximum(values.std(axis=0), LEAST_SPREAD)
        scaled = (values - values.mean(axis=0)) / spread
        return np.array(
            [
                most_likely(alike, same, scaled[:, group == GROUP], start)
                for group, start in enumerate(theta)
            ]
        )

    def means(self, alike: Array, same: Array) -> Array:
        """Columns at questions, (m, columns), from their correlations (m, n) with those that were
        answered.
        """
        size, share, _ = self.theta.T
        shared, own = alike @ self._alpha, (alike * same) @ self._alpha
        found = size[GROUP] * (shared + share[GROUP] * own)
        return np.asarray(found * self._spread + self._middle)


def covariance(alike: Array, same: Array, theta: Array) -> Array:
    """Of answers so much alike, (n, n), noise included; theta (3,): variance, share of seeds,
    noise.
    """
    size, share, noise = theta
    return np.asarray(size * alike * (1 + share * same) + noise * np.eye(len(alike)))


def most_likely(alike: Array, same: Array, scaled: Array, start: Array) -> Array:
    """One row of `theta`: from `start`, or from one of `STARTS` if that is more likely already."""

    def unlikely(logs: Array) -> float:
        lower, _ = factor = cho_factor(covariance(alike, same, np.exp(logs)), lower=True)
        fit = np.einsum("ij,ij->", scaled, cho_solve(factor, scaled)) / 2
        return float(fit + scaled.shape[1] * np.log(np.diag(lower)).sum())

    bounds = [tuple(np.log(pair)) for pair in BOUNDS]
    first = min(np.log(np.vstack([start, STARTS])), key=unlikely)
    return np.asarray(np.exp(minimize(unlikely, first, bounds=bounds).x))
