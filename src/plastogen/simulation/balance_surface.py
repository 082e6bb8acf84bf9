"""In: what probes said would move synapses, and how alike their questions were. Out: where all of
them together drive synapses to, between questions, with its error: `BalanceSurface`.

The balance of one class of synapses hangs on a few spikes of a window; the mean over classes is
what is known best, and what the slow state hears. So it has a Gaussian process of its own, in the
logarithm of its odds: as smooth along the numbers of a drive as the rates, whose correlations it
takes, with a variance, a share by which seeds depart from each other and a noise of its own. What
classes say by themselves is moved together, so that their mean is what this one says.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_solve, cholesky, solve_triangular

from plastogen.model.circuit import balance
from plastogen.simulation.drift_surface import LEAST_SPREAD, covariance, drift_from, most_likely
from plastogen.simulation.rate_surface import RateSurface, fitted_on

Array: TypeAlias = npt.NDArray[np.float64]

LITTLE = 0.01  # of the mean answer, added to each: a silent circuit says what all say together
FURTHEST = 0.999  # of odds: a share of synapses that no answer comes near
ROUNDS = 6  # in which classes are moved to the mean that is wanted; each leaves a fifth or less


class BalanceSurface:
    """The process of the mean balance. surface, told: the rates' and its questions, as `places` has
    them; columns: those of `DriftSurface`, (n, columns); theta (3,): variance, share of seeds,
    noise.
    """

    def __init__(self, surface: RateSurface, told: Array, columns: Array, theta: Array) -> None:
        self.surface, self.told, self.theta = surface, told, theta
        self._little = _little(columns)
        odds = self._odds(columns)
        self._middle, self._spread = _scale(odds)
        alike, same = surface.alike(told, told)
        self._lower = cholesky(covariance(alike, same, theta), lower=True)
        scaled = (odds - self._middle) / self._spread
        self._alpha = cho_solve((self._lower, True), scaled)
        self._precision = np.diag(cho_solve((self._lower, True), np.eye(len(told))))
        # an error is no smaller than that of answers left out
        self._honest = max(1.0, float((self._alpha**2 / self._precision).mean()))

    @staticmethod
    def fitted(surface: RateSurface, told: Array, columns: Array, theta: Array) -> Array:
        """The parameters under which the answers are most likely, from `theta` on."""
        chosen = fitted_on(len(told))
        alike, same = surface.alike(told[chosen], told[chosen])
        odds = _odds(columns, _little(columns))[chosen]
        middle, spread = _scale(odds)
        return most_likely(alike, same, ((odds - middle) / spread)[:, None], theta)

    # what it says

    def towards(self, columns: Array, alike: Array, same: Array) -> Array:
        """Columns at questions, (m, columns), their mean balance being what this process says from
        correlations (m, n) with what was answered.
        """
        size, share, _ = self.theta
        shared, own = alike @ self._alpha, (alike * same) @ self._alpha
        return self._moved(columns, self._middle + self._spread * size * (shared + share * own))

    def raised(self, columns: Array, by: Array) -> Array:
        """Columns, (m, columns), the log odds of their mean balance higher by `by` (m,)."""
        return self._moved(columns, self._odds(columns) + by)

    def _moved(self, columns: Array, odds: Array) -> Array:
        """All classes moved alike, what acts on each (potentiation and depression) held."""
        ratio, level, spread = np.split(columns, 3, axis=1)
        whole = level + np.log1p(np.exp(ratio))

        def by(shift: Array) -> Array:
            moved = ratio + shift[:, None]
            return np.hstack([moved, whole - np.log1p(np.exp(moved)), spread])

        shift = np.zeros(len(columns))
        for _ in range(ROUNDS):
            shift = shift + odds - self._odds(by(shift))
        return by(shift)

    def _odds(self, columns: Array) -> Array:
        return _odds(columns, self._little)

    # how sure it is

    @property
    def variance(self) -> float:
        """Of any answer, without noise, in units of the spread."""
        size, share, _ = self.theta
        return float(size * (1 + share))

    @property
    def noise(self) -> float:
        """Of one answer, in units of the spread."""
        return float(self.theta[-1])

    def covariance(self, asked: Array, told: Array) -> Array:
        """Of the answers to two sets of questions, without noise, (m, n)."""
        size, share, _ = self.theta
        alike, same = self.surface.alike(asked, told)
        return np.asarray(size * alike * (1 + share * same))

    def departing(self, asked: Array, start: Array) -> Array:
        """See `RateSurface.departing`."""
        return self.surface.departing(asked, start)

    def explained(self, asked: Array) -> Array:
        """What is known of each question, (answers, n): its variance is `variance` less the sum of
        squares.
        """
        return np.asarray(
            solve_triangular(self._lower, self.covariance(asked, self.told).T, lower=True)
        )

    def error(self, asked: Array, start: Array) -> Array:
        """Standard error of the log odds at questions (n, ...) as departures from those at `start`
        (n, ...): (n,).
        """
        apart = self.explained(asked) - self.explained(start)
        prior = self.variance * self.departing(asked, start)
        found = np.maximum(prior - np.einsum("ij,ij->j", apart, apart), 0)
        found[(asked == start).all(axis=1)] = 0
        return np.asarray(np.sqrt(self._honest * found) * self._spread)

    def held_out(self) -> Array:
        """Error of the log odds of each answer when it is left out, its own noise included: (n,);
        Rasmussen and Williams (2006), eq. 5.12.
        """
        return np.asarray(self._alpha / self._precision * self._spread)


def _little(columns: Array) -> tuple[Array, Array]:
    drift = drift_from(columns)
    return LITTLE * drift.potentiation.mean(axis=0), LITTLE * drift.depression.mean(axis=0)


def _odds(columns: Array, little: tuple[Array, Array]) -> Array:
    """Log odds of the mean balance, (n,)."""
    drift = drift_from(columns)
    share = balance(drift.potentiation + little[0], drift.depression + little[1])
    inside = np.clip(share, 1 - FURTHEST, FURTHEST)
    return np.asarray(np.log(inside / (1 - inside)))


def _scale(odds: Array) -> tuple[float, float]:
    return float(odds.mean()), max(float(odds.std()), LEAST_SPREAD)
