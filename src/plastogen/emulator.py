"""In: drives the network was asked about, and its answers. Out: `Emulator`: an answer to any drive, with its error.

A Gaussian process (scikit-learn) over the twelve numbers of a `Drive`, in the logarithm of the rates. All network
seeds share one surface; each departs from it by an amount that is learned too, so that what one seed was asked helps
the others. The same weights interpolate the share of bound receptors, voltages and errors of rates.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_solve, solve_triangular
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import (
    ConstantKernel,
    Kernel,
    Matern,
    NormalizedKernelMixin,
    StationaryKernelMixin,
    WhiteKernel,
)

from plastogen.cache import digest, read_npz, write_npz
from plastogen.circuit import CLASSES, Circuit, Drive
from plastogen.glutamate import RATE_FLOOR_HZ
from plastogen.probe import Activity, heard

Array: TypeAlias = npt.NDArray[np.float64]

NUMBERS, RATES = len(Drive.names()), len(CLASSES)
LENGTHS = (0.05, 20.0)  # bounds of the length scales, in units of a drive
SIZES, SEED_SHARES, NOISES = (0.1, 100.0), (1e-4, 0.3), (1e-5, 0.1)  # of variances, in units of the answers' own
FIRST_LENGTH, FIRST_SEED_SHARE, FIRST_NOISE = 0.5, 0.01, 0.001
LEAST_SPREAD = 0.2  # of a log rate among the answers: few answers do not show how far rates can go
FITTED = 256  # answers that length scales are fitted on, at most
SEED_STEP = 1e-9  # what tells seeds apart in the column beside the drives, too little for the surface to feel


class SameSeed(StationaryKernelMixin, NormalizedKernelMixin, Kernel):  # type: ignore[misc]
    """Covariance 1 between questions to the same network seed, 0 otherwise."""

    def __init__(self) -> None:
        """Nothing to set; scikit-learn reads the parameters of a kernel from this signature."""

    def __call__(self, X: Array, Y: Array | None = None, eval_gradient: bool = False) -> Any:
        """Covariances (n, m) of the questions X (n, 13) and Y, and, where asked, their (empty) gradient."""
        own, other = (np.rint(a[:, -1] / SEED_STEP) for a in (X, X if Y is None else Y))
        same = (own[:, None] == other).astype(float)
        return (same, np.empty((*same.shape, 0))) if eval_gradient else same

    def __repr__(self) -> str:
        return "SameSeed()"


def covariance() -> Any:
    """Surface x (what all seeds share + the seed's own part) + noise, with the values a fit starts from."""
    surface = ConstantKernel(1.0, SIZES) * Matern(np.full(NUMBERS + 1, FIRST_LENGTH), LENGTHS, nu=2.5)
    own = ConstantKernel(FIRST_SEED_SHARE, SEED_SHARES) * SameSeed()
    return surface * (ConstantKernel(1.0, "fixed") + own) + WhiteKernel(FIRST_NOISE, NOISES)


def places(drives: Array, seeds: npt.ArrayLike) -> Array:
    """Questions as the process takes them, (n, 13): drives, and a column that tells seeds apart."""
    return np.column_stack([drives, np.broadcast_to(np.asarray(seeds, float), len(drives)) * SEED_STEP])


def columns(answers: Sequence[Activity]) -> Array:
    """What is interpolated, one row an answer: log rates, then the rest."""
    return np.array([
        np.concatenate([
            np.log(a.rate_hz + RATE_FLOOR_HZ), [a.bound, a.pattern_shift], a.rate_se_hz, np.ravel(a.voltage),
        ]) for a in answers
    ])  # fmt: skip


class Emulator:
    """Answers in place of the network of `circuit`.

    drives (n, 12), seeds (n,) and values (n, columns of `columns`): what it learned from. theta: the covariance's
    parameters, as scikit-learn orders them. shift: by how many of its standard errors every answer is moved up.
    """

    def __init__(
        self, circuit: Circuit, drives: Array, seeds: npt.NDArray[np.int64], values: Array, theta: Array, *,
        shift: float = 0,
    ) -> None:  # fmt: skip
        self.circuit, self.drives, self.seeds, self.values, self.theta = circuit, drives, seeds, values, theta
        self.shift = shift
        self._middle, self._spread = values.mean(axis=0), _spread(values)
        self._process = GaussianProcessRegressor(covariance().clone_with_theta(theta), optimizer=None)
        self._process.fit(places(drives, seeds), (values - self._middle) / self._spread)

    @classmethod
    def fit(
        cls, circuit: Circuit, drives: Array, seeds: npt.NDArray[np.int64], answers: Sequence[Activity],
        theta: Array | None = None, *, refit: bool = True,
    ) -> Emulator:  # fmt: skip
        """The emulator of these answers; the covariance is fitted to the log rates, from `theta` on."""
        values = columns(answers)
        first = covariance() if theta is None else covariance().clone_with_theta(theta)
        found = first.theta
        if refit:
            chosen = np.linspace(0, len(drives) - 1, min(len(drives), FITTED)).astype(int)
            rates = ((values - values.mean(axis=0)) / _spread(values))[chosen, :RATES]
            process = GaussianProcessRegressor(first)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # a bound that is reached is no fault here
                found = process.fit(places(drives, seeds)[chosen], rates).kernel_.theta
        return cls(circuit, drives, seeds, values, found)

    def shifted(self, by: float) -> Emulator:
        """The same, every answer moved up by `by` of its standard errors."""
        other = object.__new__(Emulator)
        other.__dict__.update(self.__dict__, shift=by)
        return other

    @cached_property
    def key(self) -> str:
        """Digest of all its answers depend on."""
        arrays = (self.drives, self.seeds, self.values, self.theta)
        return digest([self.circuit, [digest(np.asarray(a).tolist()) for a in arrays]])[:16]

    def ask(self, drive: Drive, seed: Any) -> Activity:
        """What the network would do under `drive` (numbers of one row a question), seeds (n,)."""
        drives = np.atleast_2d(drive.array())
        asked = places(drives, seed)
        weights = self._process.kernel_(asked, self._process.X_train_)
        found = weights @ self._process.alpha_ * self._spread + self._middle
        if self.shift:
            found = found + self.shift * (self._error(asked, weights, noise=True)[:, None] * self._spread)
        rate = np.maximum(np.exp(found[:, :RATES]) - RATE_FLOOR_HZ, 0)
        bound, pattern = np.clip(found[:, RATES : RATES + 2].T, 0, 1)
        voltage = np.maximum(found[:, 2 * RATES + 2 :].reshape(len(drives), RATES, -1), 0)
        return heard(
            self.circuit, Drive(*drives.T), rate_hz=rate, rate_se_hz=np.maximum(found[:, RATES + 2 : 2 * RATES + 2], 0),
            bound=bound, pattern_shift=pattern, voltage=voltage / voltage.sum(axis=-1, keepdims=True),
        )  # fmt: skip

    def error(self, drives: Array, seeds: npt.ArrayLike) -> Array:
        """Standard error of the log rates, relative to baseline, without the probes' noise: (n, classes)."""
        asked = places(np.atleast_2d(drives), seeds)
        weights = self._process.kernel_(asked, self._process.X_train_)
        return np.asarray(self._error(asked, weights, noise=False)[:, None] * self._spread[:RATES])

    def _error(self, asked: Array, weights: Array, *, noise: bool) -> Array:
        """Standard error of answers as departures from the baseline of their seed, in units of the spread: (n,)."""
        kernel, trained, factor = self._process.kernel_, self._process.X_train_, self._process.L_
        rest = np.column_stack([np.broadcast_to(Drive().array(), (len(asked), NUMBERS)), asked[:, -1]])
        seeds, which = np.unique(asked[:, -1], return_inverse=True)
        of_seed = np.array([rest[which == k][0] for k in range(len(seeds))])
        apart = solve_triangular(factor, (weights - kernel(of_seed, trained)[which]).T, lower=True)
        prior = self.surface.diag(asked) + self.surface.diag(rest) - 2 * self._to_rest(asked, of_seed, which)
        variance = np.maximum(prior - np.einsum("ij,ij->j", apart, apart), 0)
        if noise:
            variance = variance + self.noise * (np.abs(asked - rest).max(axis=1) > 0)
        return np.asarray(np.sqrt(variance))

    def _to_rest(self, asked: Array, of_seed: Array, which: npt.NDArray[np.int64]) -> Array:
        found = np.empty(len(asked))
        for k in range(len(of_seed)):
            found[which == k] = self.surface(asked[which == k], of_seed[k : k + 1])[:, 0]
        return found

    def explained(self, asked: Array) -> Array:
        """What is known of each question, (answers, n): its variance is that of the surface less the sum of squares."""
        weights = self.surface(asked, self._process.X_train_)
        return np.asarray(solve_triangular(self._process.L_, weights.T, lower=True))

    @property
    def surface(self) -> Any:
        """The fitted covariance without the noise."""
        return self._process.kernel_.k1

    @property
    def noise(self) -> float:
        """Variance of one probe's noise, in units of the spread."""
        return float(self._process.kernel_.k2.noise_level)

    def held_out(self) -> Array:
        """Error of each log rate it learned from when that answer is left out: (n, classes); Rasmussen and
        Williams (2006), eq. 5.12."""
        inverse = cho_solve((self._process.L_, True), np.eye(len(self.drives)))
        return np.asarray(self._process.alpha_[:, :RATES] / np.diag(inverse)[:, None] * self._spread[:RATES])

    def save(self, path: Path) -> None:
        """Keep it. Raises StoreError."""
        write_npz(path, drives=self.drives, seeds=self.seeds, values=self.values, theta=self.theta)

    @classmethod
    def load(cls, path: Path, circuit: Circuit) -> Emulator:
        """The emulator kept at `path`. Raises FileNotFoundError, CacheDamaged, StoreError."""
        kept = read_npz(path)
        return cls(circuit, kept["drives"], kept["seeds"], kept["values"], kept["theta"])


def _spread(values: Array) -> Array:
    """The scale of each column, never 0, of log rates never below `LEAST_SPREAD`."""
    spread = np.asarray(values.std(axis=0))
    spread[:RATES] = np.maximum(spread[:RATES], LEAST_SPREAD)
    return np.asarray(np.where(spread > 0, spread, 1))
