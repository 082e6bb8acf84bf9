"""In: plans that stand for a sweep, and the network. Out: the `Emulator` of that sweep, and what it
cost.

Rounds: the plans are followed with what is known so far. Of every number they move, the drives at
its two ends are put to the network first: where nothing was asked along a number, the process does
not know that it matters. Of all other drives they meet, those that tell most of the least sure
answers follow, one by one; then all is fitted again, until every drive met is sure enough: the rate
of principal cells there, and what it does to the balance of synapses that the course began with.
Plans that are sure are followed again at the end only. Questions between the ends lie on a fine
lattice, and answers are kept on disk for all sweeps of a circuit. What comes out depends on the
plans and the network alone, not on what happened to be on disk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from plastogen._base.text import counted, percent
from plastogen.model.circuit import PRINCIPAL, Activity, Drive, balance
from plastogen.simulation.course import Plan
from plastogen.simulation.emulator import LEAST_MOVE, MARGIN, Emulator
from plastogen.simulation.lockstep import Answers, Lockstep, alike
from plastogen.simulation.probe import CachedProbe, NetworkProbe
from plastogen.simulation.rate_surface import places

Array: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Tell: TypeAlias = Callable[[str, float], None]
Spread: TypeAlias = Callable[..., Iterable[Any]]  # as `map`: a function over a list, in its order

# of a plan's tolerance: the standard error of a log rate that is sure enough, and of the balance,
# of which one window says less by far
SURE_SHARE, BALANCE_SHARE = 0.25, 0.5
SLACK = 1.25  # beyond what is wanted: the last questions are worth little
PLAIN = 0.1  # of a change of the balance: what is as sure as this share of it is sure enough
SILENT = 1e-6  # a balance below which there is none to speak of
NEARLY = 2.0  # times what is wanted: a few questions are not worth a round from here on
LATTICE = 128  # questions a unit of a drive
A_ROUND, FEWEST = 32, 4  # questions a round at most, and those that make a round worth while
MOST_ROUNDS, MOST_QUESTIONS = 24, 640
SEEDS_AT_ENDS = 2  # that are asked at the ends of every number
REFIT_GROWTH = 1.5  # the covariance is fitted again when there are this many times more answers


@dataclass(frozen=True)
class TrainedEmulator:
    """An emulator, and how it came about: questions put to the network, those answered from disk,
    and the largest standard errors among the drives the plans met, of a log rate and of the balance
    of synapses relative to a course's start (`tolerance` and `balance_tolerance` were wanted).
    """

    emulator: Emulator
    asked: int
    remembered: int
    error: float
    balance_error: float
    held_out: float
    balance_held_out: float
    tolerance: float
    balance_tolerance: float
    held_out_by_axis: Mapping[str, float] = field(default_factory=dict)

    def about(self) -> dict[str, Any]:
        """What a run's manifest says of it."""
        counts = {
            "probes": len(self.emulator.drives),
            "asked": self.asked,
            "remembered": self.remembered,
        }
        errors = {
            "error": self.error,
            "balance_error": self.balance_error,
            "held_out": self.held_out,
            "balance_held_out": self.balance_held_out,
            "wanted": self.tolerance,
            "balance_wanted": self.balance_tolerance,
        }
        rounded = {name: float(f"{value:.4g}") for name, value in errors.items()}
        axes = {name: float(f"{value:.4g}") for name, value in self.held_out_by_axis.items()}
        return {**counts, **rounded, "held_out_by_axis": axes}


def train(
    plans: Sequence[Plan],
    probe: CachedProbe,
    *,
    workers: int,
    spread: Spread = map,
    progress: Tell | None = None,
) -> TrainedEmulator:
    """The emulator that is sure of every drive that `plans` (of one circuit) meet. `spread` follows
    the cohorts of them that are alike, as `map` does; the result does not hang on it.

    Raises EngineError, StoreError.
    """
    say = progress or (lambda what, share: None)
    circuit = plans[0].circuit
    wanted, of_balance = (share * plans[0].tolerance for share in (SURE_SHARE, BALANCE_SHARE))
    quiet = min(float(plan.plasticity.synapse.quiet) for plan in plans)
    seeds = sorted({plan.seed for plan in plans})
    drives = np.repeat(Drive().array(circuit)[None], len(seeds), axis=0)
    whose = np.array(seeds, dtype=np.int64)
    with ThreadPoolExecutor(workers, thread_name_prefix="probe") as pool:

        def put(new: Array, to: Ints) -> list[Activity]:
            return list(
                pool.map(
                    lambda q: probe.measure(Drive.from_array(circuit, q[0]), int(q[1])),
                    zip(new, to, strict=True),
                )
            )

        answers = put(drives, whose)
        emulator, fitted = Emulator.fit(circuit, drives, whose, answers, refit=False), len(drives)
        everyone = following = list(range(len(plans)))
        rounds = 0
        while True:
            exact, of_plan = _met(plans, following, emulator, spread)
            met, of_each = exact.on_lattice()
            rate, balance = _unsureness(emulator, met, wanted, of_balance, quiet=quiet)
            unsure = float(max(rate.max(), balance.max()))
            say(
                f"learning the circuit: {counted(len(drives), 'probe')}, rates within"
                f" {percent(wanted * rate.max(), 1)}, the balance of synapses within"
                f" {percent(of_balance * balance.max(), 1)} (wanted {percent(wanted, 1)} and"
                f" {percent(of_balance, 1)})",
                min(1.0, 1 / max(unsure, 1.0)),
            )
            questions, to = _ends(exact.drives, exact.seeds, drives)
            worth = len(questions) > 0
            if not worth and unsure > SLACK:
                # the same question again has the same answer, noise and all
                new = ~_among(met.drives, met.seeds, drives, whose)
                room = min(A_ROUND, MOST_QUESTIONS - len(drives))
                chosen = _most_telling(emulator, met, rate, balance, new, room)
                questions, to = met.drives[chosen], met.seeds[chosen]
                worth = worth_a_round(len(chosen), unsure)
            if not worth or rounds == MOST_ROUNDS:
                if len(following) == len(plans):
                    break
                following = everyone  # whether those that were sure are so still
                continue
            rounds += 1
            left = np.unique(of_plan[np.maximum(rate, balance)[of_each] > 1])
            following = left.tolist() or everyone
            answers += put(questions, to)
            drives, whose = np.concatenate([drives, questions]), np.concatenate([whose, to])
            refit = len(drives) >= REFIT_GROWTH * fitted
            fitted = len(drives) if refit else fitted
            emulator = Emulator.fit(
                circuit, drives, whose, answers, emulator.theta, emulator.drift_theta, refit=refit
            )
    return TrainedEmulator(
        emulator,
        probe.asked,
        probe.answered,
        wanted * float(rate.max()),
        of_balance * float(balance.max()),
        float(np.sqrt((emulator.held_out()[:, PRINCIPAL] ** 2).mean())),
        float(np.sqrt((emulator.balance.held_out() ** 2).mean())),
        wanted,
        of_balance,
        emulator.held_out_by_axis(),
    )


def worth_a_round(questions: int, unsure: float) -> bool:
    """Whether so many questions are put: enough of them, or any while the answers are far from as
    sure as wanted.
    """
    return questions >= FEWEST or (questions > 0 and unsure > NEARLY)


def network(
    plan: Plan, announce: Callable[[str], None] | None = None, *, since: float = 0.0
) -> CachedProbe:
    """The network that a plan would ask, its answers kept on disk, if not from before `since`."""
    return CachedProbe(
        NetworkProbe(
            plan.circuit,
            plan.rule,
            seconds=plan.window_s,
            settle_s=plan.settle_s,
            backend=plan.backend,
            announce=announce,
        ),
        since=since,
    )


@dataclass(frozen=True)
class _Met:
    """Drives that courses meet, (n, numbers), the seed each was met with, (n,), and the drives that
    those courses began with, (n, numbers).
    """

    drives: Array
    seeds: Ints
    starts: Array

    def on_lattice(self) -> tuple[_Met, Ints]:
        """The questions that are nearest on the lattice, each once, and which of them stands for
        each that was met, (n,).
        """
        rows = np.rint(np.hstack([self.drives, self.starts]) * LATTICE)
        rows, which = np.unique(np.column_stack([rows, self.seeds]), axis=0, return_inverse=True)
        drives, starts = np.split(rows[:, :-1] / LATTICE, 2, axis=1)
        return _Met(drives, rows[:, -1].astype(np.int64), starts), which.reshape(-1)


def _met(
    plans: Sequence[Plan], chosen: Sequence[int], answers: Answers, spread: Spread
) -> tuple[_Met, Ints]:
    """What the courses of the `chosen` ones of `plans` meet, and which plan each is a course of,
    (n,).
    """
    marks = {k: alike(plans[k]) for k in chosen}
    by_mark = groupby(sorted(chosen, key=marks.__getitem__), key=marks.__getitem__)
    cohorts = [list(group) for _, group in by_mark]
    followed = spread(partial(_follow, answers), [[plans[k] for k in one] for one in cohorts])
    met, by, begun, whose = [], [], [], []
    for members, (asked, first_drives) in zip(cohorts, followed, strict=True):
        met += asked
        by += [np.array([plans[k].seed for k in members])] * len(asked)
        begun += [first_drives] * len(asked)
        whose += [np.array(members)] * len(asked)
    found = _Met(np.concatenate(met), np.concatenate(by), np.concatenate(begun))
    return found, np.concatenate(whose)


def _follow(answers: Answers, plans: Sequence[Plan]) -> tuple[list[Array], Array]:
    """All drives that courses side by side met, each (courses, numbers), and those they began
    with.
    """
    cohort = Lockstep(plans, answers)
    cohort.simulate()
    return cohort.asked, cohort.first_drives


def _ends(met: Array, met_by: Ints, asked: Array) -> tuple[Array, Ints]:
    """Of every number that is moved beyond what was asked, the drives at its two ends, for up to
    `SEEDS_AT_ENDS` seeds; each once.
    """
    low, high = asked.min(axis=0), asked.max(axis=0)
    room = MARGIN * (high - low) + LEAST_MOVE
    found = []
    for seed in np.unique(met_by)[:SEEDS_AT_ENDS]:
        mine = met[met_by == seed]
        below = mine.argmin(axis=0)[mine.min(axis=0) < low - room]
        above = mine.argmax(axis=0)[mine.max(axis=0) > high + room]
        found += [(*mine[i], seed) for i in {*below.tolist(), *above.tolist()}]
    rows = np.unique(np.array(found).reshape(-1, met.shape[1] + 1), axis=0)
    return rows[:, :-1], rows[:, -1].astype(np.int64)


def _among(drives: Array, seeds: Ints, told: Array, told_by: Ints) -> npt.NDArray[np.bool_]:
    """Which questions have been put already: (n,)."""
    known = {(*drive, seed) for drive, seed in zip(told.tolist(), told_by.tolist(), strict=True)}
    return np.array(
        [
            (*drive, seed) in known
            for drive, seed in zip(drives.tolist(), seeds.tolist(), strict=True)
        ]
    )


def _unsureness(
    emulator: Emulator, met: _Met, wanted: float, of_balance: float, *, quiet: float
) -> tuple[Array, Array]:
    """Standard errors in units of those wanted, (n,) each: of the principal cells' rate, relative
    to its baseline or to itself, whichever is larger; and of the balance of synapses, relative to
    that at a course's start, a plain change of which need not be as sure. Where a circuit is
    silent, of so much of it as synapses hear (`quiet`, see `plasticity.synapse`).
    """
    circuit, e, n = emulator.circuit, PRINCIPAL, len(met.drives)
    each, whose = np.unique(np.column_stack([met.starts, met.seeds]), axis=0, return_inverse=True)
    starts, seeds = each[:, :-1], each[:, -1].astype(np.int64)
    at_rest = np.broadcast_to(Drive().array(circuit), starts.shape)
    asked = np.concatenate([met.drives, starts, at_rest])
    found = emulator.measure(
        Drive.from_array(circuit, asked), np.concatenate([met.seeds, seeds, seeds])
    )
    rate, base = found.rate_hz[:n, e], found.rate_hz[n + len(each) :, e][whose]
    error = emulator.error(met.drives, met.seeds)[:, e] * np.minimum(1, rate / base)
    goal = balance(found.potentiation, found.depression)
    change = np.abs(goal[:n] / np.maximum(goal[n : n + len(each)][whose], SILENT) - 1)
    moved = (found.potentiation + found.depression).sum(axis=-1)
    above = moved[:n] / moved[n + len(each) :][whose]
    balance_error = emulator.balance_error(met.drives, met.starts, met.seeds)
    balance_error *= above / (above + quiet)
    return error / wanted, balance_error / np.maximum(of_balance, PLAIN * change)


def _most_telling(
    emulator: Emulator,
    met: _Met,
    rate: Array,
    balance: Array,
    new: npt.NDArray[np.bool_],
    most: int,
) -> Ints:
    """Indices of the questions that tell most of the least sure answers: of rates, which are
    departures from the healthy circuit's, then of balances, which are those from a course's start.
    """
    at_rest = np.broadcast_to(Drive().array(emulator.circuit), met.drives.shape)
    pairs = (
        (rate, emulator.surface, emulator.explained, at_rest),
        (balance, emulator.balance, emulator.balance.explained, met.starts),
    )
    asked, left, chosen = places(met.drives, met.seeds), new.copy(), np.array([], dtype=np.int64)
    for unsure, process, explained, reference in pairs:
        found = _telling(
            process,
            explained,
            asked,
            places(reference, met.seeds),
            unsure,
            left,
            most=most - len(chosen),
        )
        left[found] = False
        chosen = np.concatenate([chosen, found])
    return chosen


class _Process(Protocol):
    """A Gaussian process: see `RateSurface`."""

    @property
    def variance(self) -> float: ...
    @property
    def noise(self) -> float: ...
    def covariance(self, asked: Array, told: Array) -> Array: ...
    def departing(self, asked: Array, start: Array) -> Array: ...


def _telling(
    process: _Process,
    explained: Callable[[Array], Array],
    asked: Array,
    reference: Array,
    unsure: Array,
    new: npt.NDArray[np.bool_],
    *,
    most: int,
) -> Ints:
    """Of questions `asked` (n, ...), those that make departures from `reference` (n, ...) sure, the
    least sure first, each chosen as if those before it had been answered; only `new` ones.
    """
    wanted = np.flatnonzero(unsure > 1)
    if not len(wanted) or most <= 0:
        return wanted[:0]
    tiny = np.finfo(float).tiny
    of_each, of_start = explained(asked), explained(reference[wanted])
    apart = of_each[:, wanted] - of_start
    variance = np.maximum(process.variance - np.einsum("ij,ij->j", of_each, of_each), tiny)
    prior = process.variance * process.departing(asked[wanted], reference[wanted])
    departure = np.maximum(prior - np.einsum("ij,ij->j", apart, apart), tiny)
    scale, free = unsure[wanted] / np.sqrt(departure), new.copy()
    chosen: list[int] = []
    while len(chosen) < most and free.any():
        k = int((scale * np.sqrt(departure)).argmax())
        if scale[k] * np.sqrt(departure[k]) <= 1:
            break
        one = wanted[k]
        ends = process.covariance(np.vstack([asked[one], reference[one]]), asked)
        told = (ends[0] - ends[1] - apart[:, k] @ of_each) ** 2 / (variance + process.noise)
        best = int(np.where(free, told, -1).argmax())
        chosen.append(best)
        free[best] = False
        size = np.sqrt(variance[best] + process.noise)
        here = asked[best : best + 1]
        more = (process.covariance(asked, here)[:, 0] - of_each.T @ of_each[:, best]) / size
        start = process.covariance(reference[wanted], here)[:, 0] - of_start.T @ of_each[:, best]
        of_each, of_start = np.vstack([of_each, more]), np.vstack([of_start, start / size])
        apart = np.vstack([apart, more[wanted] - start / size])
        variance = np.maximum(variance - more**2, tiny)
        departure = np.maximum(departure - apart[-1] ** 2, tiny)
    return np.array(chosen, dtype=np.int64)
