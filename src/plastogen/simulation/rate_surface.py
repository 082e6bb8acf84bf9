"""In: questions put to the network and the rates it answered. Out: `RateSurface`: how alike the
answers to any two questions are.

    covariance = size matern (1 + share same)       same: 1 between questions to one network seed
    matern     = (1 + d + d^2 / 3) exp(-d),   d^2 = 5 sum ((x - y) / length)^2
    of answers   covariance + noise, on the diagonal

Size, a length for each number of a drive, share and noise are those under which the answers are
most likely: Rasmussen and Williams (2006), eqs. 4.17, 5.8, 5.9. scikit-learn, which costs every
worker two seconds of import, is the oracle in tests.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_solve, cholesky
from scipy.optimize import minimize
from scipy.spatial.distance import cdist

from plastogen.model.circuit import RATE_FLOOR_HZ, Activity

Array: TypeAlias = npt.NDArray[np.float64]

LENGTHS = (0.05, 20.0)  # bounds of the lengths, in units of a drive
SIZES, SHARES, NOISES = (  # bounds of variances, in units of the answers' own
    (0.1, 100.0),
    (1e-4, 0.3),
    (1e-5, 0.1),
)
FIRST_SIZE, FIRST_LENGTH = 1.0, 0.5
FIRST_SHARE, FIRST_NOISE = 0.01, 0.001
LEAST_SPREAD = 0.2  # of a log rate among the answers: few answers do not show how far rates can go
FITTED = 256  # answers that a surface is fitted on, at most
MATERN_SLOPE = 5 / 3  # of the head's matern: d matern / d log length = 5/3 apart (1 + d) exp(-d)
JITTER = 1e-10  # on the diagonal beside the noise
BLOCK = 32  # questions answered at a time
# what tells seeds apart in the column beside the drives, too little for the surface to feel
SEED_STEP = 1e-9


def places(drives: Array, seeds: npt.ArrayLike) -> Array:
    """Questions as surfaces take them, (n, numbers + 1): drives, and a column that tells seeds
    apart.
    """
    return np.column_stack(
        [drives, np.broadcast_to(np.asarray(seeds, float), len(drives)) * SEED_STEP]
    )


def log_rates(answers: Sequence[Activity]) -> Array:
    """(answers, classes); finite where a class is silent."""
    return np.asarray(np.log(np.array([a.rate_hz for a in answers]) + RATE_FLOOR_HZ))


def scale(rates: Array) -> tuple[Array, Array]:
    """Middle and spread of log rates (answers, classes) among the answers, (classes,) each."""
    return rates.mean(axis=0), np.maximum(rates.std(axis=0), LEAST_SPREAD)


def fitted_on(answers: int) -> npt.NDArray[np.int64]:
    """Which of so many answers surfaces are fitted on."""
    return np.linspace(0, answers - 1, min(answers, FITTED)).astype(int)


def matern(d: Array) -> Array:
    """Correlation at distances in lengths, times the root of 5: see the head of this file."""
    return np.asarray((1 + d + d**2 / 3) * np.exp(-d))


@dataclass(frozen=True, eq=False)
class RateSurface:
    """See the head of this file; lengths: (numbers + 1,), as `places` has columns."""

    size: float
    lengths: Array
    share: float
    noise: float

    @classmethod
    def first(cls, numbers: int) -> RateSurface:
        """Where a fit over so many numbers of a drive starts."""
        return cls(FIRST_SIZE, np.full(numbers + 1, FIRST_LENGTH), FIRST_SHARE, FIRST_NOISE)

    @classmethod
    def from_theta(cls, theta: Array) -> RateSurface:
        """That of the logarithms of size, lengths, share and noise, in one row."""
        size, *lengths, share, noise = np.exp(theta)
        return cls(float(size), np.array(lengths), float(share), float(noise))

    @property
    def theta(self) -> Array:
        """The row that `from_theta` takes."""
        return np.asarray(np.log(np.hstack([self.size, self.lengths, self.share, self.noise])))

    def alike(self, asked: Array, told: Array) -> tuple[Array, Array]:
        """Correlation of each question (m, numbers + 1) with each that was answered (n, ...) on the
        surface of one seed, and 1 where both are to the same seed: (m, n) each.
        """
        d = cdist(asked / self.lengths, told / self.lengths) * np.sqrt(5)
        own, other = (np.rint(x[:, -1] / SEED_STEP) for x in (asked, told))
        return matern(d), (own[:, None] == other).astype(float)

    def alike_in_blocks(self, asked: Array, told: Array) -> Iterator[tuple[int, Array, Array]]:
        """`alike` of questions in turn, all blocks of one size, so that an answer has the same bits
        whatever else is asked with it; with the number of rows that are questions.
        """
        for start in range(0, len(asked), BLOCK):
            some = asked[start : start + BLOCK]
            rest = np.broadcast_to(some[:1], (BLOCK - len(some), some.shape[1]))
            yield len(some), *self.alike(np.concatenate([some, rest]), told)

    def covariance_of(self, alike: Array, same: Array) -> Array:
        """Of answers so much alike, without noise."""
        return np.asarray(self.size * alike * (1 + self.share * same))

    def covariance(self, asked: Array, told: Array) -> Array:
        """Of the answers to two sets of questions, without noise, (m, n)."""
        return self.covariance_of(*self.alike(asked, told))

    @property
    def variance(self) -> float:
        """Of any answer, without noise."""
        return self.size * (1 + self.share)

    def departing(self, asked: Array, start: Array) -> Array:
        """Variance of the departure of each answer from that at its start, both to one seed and
        without noise, in units of the variance of an answer: (n,). What is known takes from it.
        """
        away = (asked - start)[:, :-1] / self.lengths[:-1]
        return np.asarray(2 * (1 - matern(np.sqrt(5 * (away**2).sum(axis=1)))))

    def factor(self, told: Array) -> Array:
        """Lower Cholesky factor of the covariance of answers, noise included: (n, n)."""
        covariance = self.covariance(told, told) + self.noise * np.eye(len(told))
        covariance[np.diag_indices_from(covariance)] += JITTER
        return np.asarray(cholesky(covariance, lower=True))

    def fitted(self, told: Array, rates: Array) -> RateSurface:
        """That under which log `rates` (n, classes) are most likely, from this one on."""
        middle, spread = scale(rates)
        chosen = fitted_on(len(told))
        some, scaled = told[chosen], ((rates - middle) / spread)[chosen]

        def unlikely(theta: Array) -> tuple[float, Array]:
            likelihood, gradient = RateSurface.from_theta(theta).log_likelihood(some, scaled)
            return -likelihood, -gradient

        bounds = np.log([SIZES, *[LENGTHS] * len(self.lengths), SHARES, NOISES])
        found = minimize(unlikely, self.theta, method="L-BFGS-B", jac=True, bounds=bounds)
        return RateSurface.from_theta(found.x)

    def log_likelihood(self, told: Array, values: Array) -> tuple[float, Array]:
        """Of values (n, columns), columns apart from each other, and its gradient along `theta`."""
        n, lower = len(told), self.factor(told)
        alpha = cho_solve((lower, True), values)
        each = -0.5 * np.einsum("ik,ik->k", values, alpha)
        each -= np.log(np.diag(lower)).sum()
        each -= n / 2 * np.log(2 * np.pi)
        inner = np.einsum("ik,jk->ijk", alpha, alpha)
        inner -= cho_solve((lower, True), np.eye(n))[..., None]
        gradient = 0.5 * np.einsum("ijl,jik->kl", inner, self._gradient(told))
        return float(each.sum()), gradient.sum(axis=-1)

    def _gradient(self, told: Array) -> Array:
        """Of the covariance of answers along `theta`, (n, n, numbers of theta)."""
        alike, same = self.alike(told, told)
        apart = (told[:, None] - told) ** 2 / self.lengths**2
        d = np.sqrt(5 * apart.sum(-1))[..., None]
        along = MATERN_SLOPE * apart * (d + 1) * np.exp(-d)
        seeds = (1 + self.share * same)[..., None]
        sized = (self.size * alike)[..., None]
        own = (self.share * same)[..., None]
        noise = self.noise * np.eye(len(told))[..., None]
        return np.dstack([sized * seeds, along * self.size * seeds, own * sized, noise])
