"""In: plans that stand for a sweep, and the network. Out: the `Emulator` of that sweep, and what it
cost.

Rounds: the plans are followed with what is known so far. Of every number they move, the drives at
its two ends are put to the network first: where nothing was asked along a number, the process does
not know that it matters. Of all other drives they meet, those whose answers are least sure follow,
chosen one by one so that each tells something new; then all is fitted again, until every drive met
is sure enough. Questions between the ends lie on a fine lattice, and answers are kept on disk for
all sweeps of a circuit. What comes out depends on the plans and the
network alone, not on what happened to be on disk.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from plastogen.model.circuit import PRINCIPAL, Activity, Drive
from plastogen.simulation.course import Plan
from plastogen.simulation.emulator import LEAST_MOVE, MARGIN, Emulator
from plastogen.simulation.lockstep import Answers, Lockstep, alike
from plastogen.simulation.probe import CachedProbe, NetworkProbe
from plastogen.simulation.rate_surface import places

Array: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Tell: TypeAlias = Callable[[str, float], None]

SURE_SHARE = 0.25  # of a plan's tolerance: the standard error of a log rate that is sure enough
SLACK = 1.25  # beyond what is wanted: the last questions are worth little
NEARLY = 2.0  # times what is wanted: a few questions are not worth a round from here on
LATTICE = 128  # questions a unit of a drive
A_ROUND, FEWEST = 32, 4  # questions a round at most, and those that make a round worth while
MOST_ROUNDS, MOST_QUESTIONS = 24, 640
SEEDS_AT_ENDS = 2  # that are asked at the ends of every number
REFIT_GROWTH = 1.5  # the covariance is fitted again when there are this many times more answers


@dataclass(frozen=True)
class TrainedEmulator:
    """An emulator, and how it came about: questions put to the network, those answered from disk,
    and the largest standard error of a log rate among the drives the plans met (`tolerance` was
    wanted).
    """

    emulator: Emulator
    asked: int
    remembered: int
    error: float
    held_out: float
    balance_held_out: float
    tolerance: float
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
            "held_out": self.held_out,
            "balance_held_out": self.balance_held_out,
            "wanted": self.tolerance,
        }
        rounded = {name: float(f"{value:.4g}") for name, value in errors.items()}
        axes = {name: float(f"{value:.4g}") for name, value in self.held_out_by_axis.items()}
        return {**counts, **rounded, "held_out_by_axis": axes}


def train(
    plans: Sequence[Plan], probe: CachedProbe, *, workers: int, progress: Tell | None = None
) -> TrainedEmulator:
    """The emulator that is sure of every drive that `plans` (of one circuit) meet.

    Raises EngineError, StoreError.
    """
    say = progress or (lambda what, share: None)
    circuit, tolerance = plans[0].circuit, SURE_SHARE * plans[0].tolerance
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
        for rounds in range(MOST_ROUNDS + 1):
            exact, exact_by = _met(plans, emulator)
            met, met_by = _on_lattice(exact, exact_by)
            unsure = _unsureness(emulator, met, met_by)
            # the same question again has the same answer, noise and all
            new = ~_among(met, met_by, drives, whose)
            ends, ends_by = _ends(exact, exact_by, drives)
            say(
                f"learning the circuit: {len(drives)} probes, error {unsure.max():.3f} (wanted"
                f" {tolerance:g})",
                min(1.0, tolerance / max(float(unsure.max()), tolerance)),
            )
            room = min(A_ROUND, MOST_QUESTIONS - len(drives))
            enough = unsure.max() <= SLACK * tolerance and not len(ends)
            if enough or rounds == MOST_ROUNDS:
                break
            if not len(ends):
                left = np.where(new, unsure, 0)
                chosen = _most_telling(emulator, met, met_by, left, above=tolerance, most=room)
                if not worth_a_round(len(chosen), float(left.max()), tolerance):
                    break
                ends, ends_by = met[chosen], met_by[chosen]
            answers += put(ends, ends_by)
            drives, whose = np.concatenate([drives, ends]), np.concatenate([whose, ends_by])
            refit = len(drives) >= REFIT_GROWTH * fitted
            fitted = len(drives) if refit else fitted
            emulator = Emulator.fit(
                circuit, drives, whose, answers, emulator.theta, emulator.drift_theta, refit=refit
            )
    return TrainedEmulator(
        emulator,
        probe.asked,
        probe.answered,
        float(unsure.max()),
        float(np.sqrt((emulator.held_out()[:, 0] ** 2).mean())),
        emulator.drifts.balance_held_out(),
        tolerance,
        emulator.held_out_by_axis(),
    )


def worth_a_round(questions: int, error: float, tolerance: float) -> bool:
    """Whether so many questions are put: enough of them, or any while the answers are far from as
    sure as wanted.
    """
    return questions >= FEWEST or (questions > 0 and error > NEARLY * tolerance)


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


def _met(plans: Sequence[Plan], answers: Answers) -> tuple[Array, Ints]:
    """The drives that the courses of `plans` meet, and the seed each was met with."""
    met, by = [], []
    for _, group in groupby(sorted(plans, key=alike), key=alike):
        cohort = Lockstep(list(group), answers)
        cohort.simulate()
        met += cohort.asked
        by += [cohort.seeds] * len(cohort.asked)
    return np.concatenate(met), np.concatenate(by)


def _on_lattice(drives: Array, seeds: Ints) -> tuple[Array, Ints]:
    """The questions that are nearest on the lattice, each once."""
    rows = np.unique(np.column_stack([np.rint(drives * LATTICE), seeds]), axis=0)
    return rows[:, :-1] / LATTICE, rows[:, -1].astype(np.int64)


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


def _unsureness(emulator: Emulator, drives: Array, seeds: Ints) -> Array:
    """Standard error of the principal cells' rate, relative to its baseline or to itself, whichever
    is larger: (n,).
    """
    circuit, e = emulator.circuit, PRINCIPAL
    rate = emulator.measure(Drive.from_array(circuit, drives), seeds).rate_hz[:, e]
    each, whose = np.unique(seeds, return_inverse=True)
    at_rest = np.broadcast_to(Drive().array(circuit), (len(each), drives.shape[1]))
    base = emulator.measure(Drive.from_array(circuit, at_rest), each).rate_hz[whose, e]
    return np.asarray(emulator.error(drives, seeds)[:, e] * np.minimum(1, rate / base))


def _most_telling(
    emulator: Emulator, drives: Array, seeds: Ints, unsure: Array, *, above: float, most: int
) -> Ints:
    """Indices of the least sure questions, each chosen as if those before it had been answered."""
    names = np.flatnonzero(unsure > above)
    if not len(names) or most <= 0:
        return names[:0]
    asked, surface = places(drives[names], seeds[names]), emulator.surface
    apart = emulator.explained(asked)
    variance = np.maximum(
        surface.variance - np.einsum("ij,ij->j", apart, apart), np.finfo(float).tiny
    )
    scale = unsure[names] / np.sqrt(variance)
    chosen: list[int] = []
    while len(chosen) < most:
        best = int((scale * np.sqrt(variance)).argmax())
        if scale[best] * np.sqrt(variance[best]) <= above:
            break
        chosen.append(best)
        scale[best] = 0  # once is enough: asked again, it would answer the same
        with_best = surface.covariance(asked, asked[best : best + 1])[:, 0]
        with_best -= apart.T @ apart[:, best]
        told = with_best / np.sqrt(with_best[best] + surface.noise)
        apart = np.vstack([apart, told])
        variance = np.maximum(variance - told**2, np.finfo(float).tiny)
    return names[chosen]
