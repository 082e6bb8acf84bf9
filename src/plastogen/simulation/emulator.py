"""In: drives the network was asked about, and its answers. Out: `Emulator`: an answer to any drive,
with its error.

A Gaussian process over the numbers of the circuit's `Drive`, in the logarithm of the rates
(`RateSurface`). All network seeds share one surface; each departs from it by an amount that is
learned too, so that what one seed was asked helps the others. The same weights interpolate the
share of bound receptors, voltages and errors of rates.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_solve, solve_triangular
from threadpoolctl import ThreadpoolController

from plastogen._base.digest import digest
from plastogen._base.files import read_npz, write_npz
from plastogen.model.circuit import (
    PRINCIPAL,
    RATE_FLOOR_HZ,
    Activity,
    Circuit,
    Drive,
    derive_activity,
)
from plastogen.simulation.balance_surface import BalanceSurface
from plastogen.simulation.drift_surface import (
    COLUMNS,
    FIRST,
    DriftSurface,
    drift_columns,
    drift_from,
)
from plastogen.simulation.rate_surface import RateSurface, fitted_on, log_rates, places, scale

Array: TypeAlias = npt.NDArray[np.float64]

LEAST_MOVE = 1e-3  # of a number of a drive: what moves it by less leaves it where it is
MARGIN = 0.1  # of the range that was asked: what lies this far beyond is no longer near it
ALARM = 0.001  # the chance that errors which are as large as said look too large
_threads = ThreadpoolController()  # of the libraries that multiply matrices


def columns(answers: Sequence[Activity]) -> Array:
    """What is interpolated, one row an answer: log rates, then the rest."""
    told = np.array(
        [
            np.concatenate([[a.bound, a.pattern_shift], a.rate_se_hz, np.ravel(a.voltage)])
            for a in answers
        ]
    )
    return np.hstack([log_rates(answers), told, drift_columns(answers)])


class Emulator:
    """Answers in place of the network of `circuit`.

    drives (n, numbers), seeds (n,) and values (n, columns of `columns`): what it learned from.
    theta: that of `RateSurface`; drift_theta: of `drifts`, what would move synapses, smoothed by
    itself, and in its last row of `balance`, where all of them are driven to.
    """

    _start: Array | None = None

    def __init__(
        self,
        circuit: Circuit,
        drives: Array,
        seeds: npt.NDArray[np.int64],
        values: Array,
        theta: Array,
        drift_theta: Array | None = None,
    ) -> None:
        self.circuit, self.drives, self.seeds = circuit, drives, seeds
        self.values, self.theta = values, theta
        self.drift_theta = _first() if drift_theta is None else drift_theta
        self.rates = len(circuit.classes)  # the columns of `values` that are log rates
        values, drifts = np.split(values, [-COLUMNS], axis=1)
        self._middle, self._spread = values.mean(axis=0), _spread(values, self.rates)
        self.surface, self.asked = RateSurface.from_theta(theta), places(drives, seeds)
        self._lower = self.surface.factor(self.asked)
        self._alpha = cho_solve((self._lower, True), (values - self._middle) / self._spread)
        alike = self.surface.alike(self.asked, self.asked)
        self.drifts = DriftSurface(*alike, drifts, self.drift_theta[:-1])
        self.balance = BalanceSurface(self.surface, self.asked, drifts, self.drift_theta[-1])
        self._honest = 1.0  # until errors are held out, they are what the process says

    @classmethod
    def fit(
        cls,
        circuit: Circuit,
        drives: Array,
        seeds: npt.NDArray[np.int64],
        answers: Sequence[Activity],
        theta: Array | None = None,
        drift_theta: Array | None = None,
        *,
        refit: bool = True,
    ) -> Emulator:
        """The emulator of these answers; the covariance is fitted to the log rates, from `theta`
        on, then that of drifts.
        """
        values, asked = columns(answers), places(drives, seeds)
        first = RateSurface.first(len(circuit.drive_numbers))
        surface = first if theta is None else RateSurface.from_theta(theta)
        if refit:
            found = surface.fitted(asked, values[:, : len(circuit.classes)])
            surface = RateSurface.from_theta(found.theta)  # as it is kept on disk
            drift_theta = _fitted(surface, asked, values[:, -COLUMNS:], drift_theta)
        fitted = cls(circuit, drives, seeds, values, surface.theta, drift_theta)
        return fitted.checked()

    def checked(self) -> Emulator:
        """The same, its errors as large as those of answers that are left out, on the worst axis:
        numbers that few answers moved may be fitted as noise, or as if they did nothing.
        """
        self._honest = max(
            (self._understated(moved) for moved in self.moved_axes().values()), default=1.0
        )
        return self

    def _understated(self, moved: npt.NDArray[np.bool_]) -> float:
        """By how much the variance of answers in `moved` (n,) is larger, left out, than is said of
        them: 1 where that may be chance.
        """
        from scipy.special import chdtri

        squares = (self.standard_held_out()[moved] ** 2).mean(axis=1)
        sure = squares.sum() > chdtri(len(squares), ALARM)
        return float(squares.mean()) if sure else 1.0

    def moved_axes(self) -> dict[str, npt.NDArray[np.bool_]]:
        """Numbers of a drive that any answer moved -> the answers that are at least half as far
        from the healthy as the furthest.
        """
        away = np.abs(self.drives - Drive().array(self.circuit))
        return {
            name: column >= column.max() / 2
            for name, column in zip(self.circuit.drive_numbers, away.T, strict=True)
            if column.max() > LEAST_MOVE
        }

    def beyond(self, drives: Array) -> str:
        """In words, which numbers of `drives` (n, numbers) lie beyond all it was asked, and how
        far; "" where none.
        """
        low, high = self.drives.min(axis=0), self.drives.max(axis=0)
        room = MARGIN * (high - low) + LEAST_MOVE
        told = []
        for i, name in enumerate(self.circuit.drive_numbers):
            least, most = drives[:, i].min(), drives[:, i].max()
            if least < low[i] - room[i] or most > high[i] + room[i]:
                far = least if low[i] - least > most - high[i] else most
                told.append(f"{name} {far:.3g} (asked {low[i]:.3g} to {high[i]:.3g})")
        return ", ".join(told)

    def moved(self, start: Array) -> Emulator:
        """The same, but of the last n answers to many drives the rates and the balance of synapses
        lie a standard error higher, as departures from `start`.

        start: where each of n courses begins, (n, numbers). The error is that of the emulator and,
        away from the start, the noise of one probe; it is taken to last through a course: what
        follows is rather too large than small.
        """
        other = object.__new__(Emulator)
        other.__dict__.update(self.__dict__, _start=start)
        return other

    @cached_property
    def key(self) -> str:
        """Digest of all its answers depend on."""
        arrays = (self.drives, self.seeds, self.values, self.theta, self.drift_theta)
        return digest([self.circuit, [digest(np.asarray(a).tolist()) for a in arrays]])[:16]

    def measure(self, drive: Drive, seed: Any) -> Activity:
        """What the network would do under `drive` (numbers of one row a question), seeds (n,)."""
        drives, rates = np.atleast_2d(drive.array(self.circuit)), self.rates
        asked = places(drives, seed)
        means, drifts = self._means(asked)
        found = means * self._spread + self._middle
        if self._start is not None:
            here = slice(len(drives) - len(self._start), None)
            variance = self._variance(asked[here], self._start)
            variance += self.surface.noise * (drives[here] != self._start).any(axis=1)
            healthy = Drive().array(self.circuit)
            unmoved = (drives[here] == healthy).all(axis=1)  # what all is relative to
            variance[unmoved] = 0
            found[here, :rates] += np.sqrt(variance)[:, None] * self._spread[:rates]
            start = np.column_stack([self._start, asked[here, -1]])
            unsure = np.where(unmoved, 0, self.balance.error(asked[here], start))
            drifts[here] = self.balance.raised(drifts[here], unsure)
        rate = np.maximum(np.exp(found[:, :rates]) - RATE_FLOOR_HZ, 0)
        bound, pattern = np.clip(found[:, rates : rates + 2].T, 0, 1)
        voltage = np.maximum(found[:, 2 * rates + 2 :].reshape(len(drives), rates, -1), 0)
        return derive_activity(
            self.circuit,
            Drive.from_array(self.circuit, drives),
            rate_hz=rate,
            rate_se_hz=np.maximum(found[:, rates + 2 : 2 * rates + 2], 0),
            bound=bound,
            pattern_shift=pattern,
            voltage=voltage / voltage.sum(axis=-1, keepdims=True),
            drift=drift_from(drifts),
        )

    def _means(self, asked: Array) -> tuple[Array, Array]:
        """The mean answers, (n, columns), in units of the spread, and those of drifts, as they
        are.
        """
        found, drifts = [], []
        with _threads.limit(limits=1):  # they fight for cores over many small calls
            for n, alike, same in self.surface.alike_in_blocks(asked, self.asked):
                found.append((self.surface.covariance_of(alike, same) @ self._alpha)[:n])
                by_class = self.drifts.means(alike, same)
                drifts.append(self.balance.towards(by_class, alike, same)[:n])
        return np.concatenate(found), np.concatenate(drifts)

    def error(self, drives: Array, seeds: npt.ArrayLike) -> Array:
        """Standard error of the log rates, relative to baseline, without the probes' noise: (n,
        classes).
        """
        asked = places(np.atleast_2d(drives), seeds)
        healthy = Drive().array(self.circuit)
        baseline = np.broadcast_to(healthy, (len(asked), len(healthy)))
        spread = self._spread[: self.rates]
        return np.asarray(np.sqrt(self._variance(asked, baseline))[:, None] * spread)

    def balance_error(self, drives: Array, starts: Array, seeds: npt.ArrayLike) -> Array:
        """Standard error of the balance of synapses at `drives` (n, numbers) relative to that at
        `starts` (n, numbers), without the probes' noise: (n,).
        """
        return self.balance.error(places(drives, seeds), places(starts, seeds))

    def _variance(self, asked: Array, reference: Array) -> Array:
        """Variance of answers as departures from those at `reference` (n, numbers), in units of the
        spread: (n,).
        """
        others, which = np.unique(
            np.column_stack([reference, asked[:, -1]]), axis=0, return_inverse=True
        )
        apart = self.explained(asked) - self.explained(others)[:, which]
        prior = self.surface.variance * self.surface.departing(asked, others[which])
        found = np.maximum(prior - np.einsum("ij,ij->j", apart, apart), 0)
        return np.asarray(self._honest * found)

    def explained(self, asked: Array) -> Array:
        """What is known of each question, (answers, n): its variance is that of the surface less
        the sum of squares.
        """
        weights = self.surface.covariance(asked, self.asked)
        return np.asarray(solve_triangular(self._lower, weights.T, lower=True))

    def held_out(self) -> Array:
        """Error of each log rate it learned from when that answer is left out: (n, classes);
        Rasmussen and Williams (2006), eq. 5.12.
        """
        precision = self._precision[:, None]
        return np.asarray(self._errors / precision * self._spread[: self.rates])

    def standard_held_out(self) -> Array:
        """The same in units of the error that the process says it makes there, noise included."""
        return np.asarray(self._errors / np.sqrt(self._precision)[:, None])

    def held_out_by_axis(self) -> dict[str, float]:
        """Number of a drive -> error of the principal cells' log rate (root mean square) where that
        number is moved and the answer left out.
        """
        missed = self.held_out()[:, PRINCIPAL] ** 2
        return {name: float(np.sqrt(missed[m].mean())) for name, m in self.moved_axes().items()}

    @property
    def _errors(self) -> Array:
        return np.asarray(self._alpha[:, : self.rates])

    @cached_property
    def _precision(self) -> Array:
        return np.diag(cho_solve((self._lower, True), np.eye(len(self.drives))))

    def save(self, path: Path) -> None:
        """Keep it. Raises StoreError."""
        names = ("drives", "seeds", "values", "theta", "drift_theta")
        write_npz(path, **{name: getattr(self, name) for name in names})

    @classmethod
    def load(cls, path: Path, circuit: Circuit) -> Emulator:
        """The emulator kept at `path`. Raises FileNotFoundError, CacheDamaged, StoreError."""
        kept = read_npz(path)
        names = ("drives", "seeds", "values", "theta", "drift_theta")
        return cls(circuit, *(kept[name] for name in names)).checked()


def _first() -> Array:
    """Where the fit of what moves synapses starts."""
    return np.vstack([DriftSurface.first(), FIRST])


def _fitted(surface: RateSurface, asked: Array, drifts: Array, theta: Array | None) -> Array:
    """The parameters of `drifts` and, in the last row, of `balance`, from `theta` on."""
    chosen, start = fitted_on(len(asked)), _first() if theta is None else theta
    alike = surface.alike(asked[chosen], asked[chosen])
    by_class = DriftSurface.fitted(*alike, drifts[chosen], start[:-1])
    return np.vstack([by_class, BalanceSurface.fitted(surface, asked, drifts, start[-1])])


def _spread(values: Array, rates: int) -> Array:
    """The scale of each column, never 0; the first `rates` are log rates."""
    spread = np.asarray(values.std(axis=0))
    spread[:rates] = scale(values[:, :rates])[1]
    return np.asarray(np.where(spread > 0, spread, 1))
