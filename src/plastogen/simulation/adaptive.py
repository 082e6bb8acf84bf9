"""In: one plan. Out: its course, the circuit asked as seldom as its tolerance allows.

Two clocks. The slow state is integrated (`step`); the circuit is asked (the probe) at the ends of
macro steps. A step is first taken with the activity as it was, the circuit is asked at its end, and
the step is taken again with the activity running to the answer: the difference is the error that
sets the step; steps shrink with the tolerance. What stands in for an answer, and when, says
`probe_scheduler`. Where answers have the noise of a window the course is followed twice, the second
time by all that was answered together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from plastogen._base.machine import single_threaded
from plastogen.model.circuit import PRINCIPAL, Activity, Drive, measures
from plastogen.simulation.course import Course, Plan, Progress, event_times
from plastogen.simulation.ensembles import with_ensembles
from plastogen.simulation.induction import simulate_induction
from plastogen.simulation.lockstep import REST_TOLERANCE, simulate_formulas
from plastogen.simulation.probe import CachedProbe, DriveProbe, NetworkProbe
from plastogen.simulation.probe_scheduler import DRIVE_STEP_SHARE, ProbeScheduler
from plastogen.simulation.rest import begin
from plastogen.simulation.spines import spine_steps
from plastogen.simulation.step import Moment, Path, Stepper
from plastogen.simulation.variables import observe, require_possible

Array = npt.NDArray[np.float64]

SNAPSHOT_S = 20  # spectra and rasters are never taken from the short windows of probes
LOG_RATE_SHARE = 5  # of the tolerance: the most a log rate moves in a step, beside its noise
NOISE_FLOOR_SE = 2  # changes of activity within this many standard errors do not shorten a step
FIRST_STEP_H, SHORTEST_STEP_H, LONGEST_STEP_H = 1 / 30, 1 / 240, 48
SHRINK, SAFETY, GROW = 0.3, 0.9, 3
SUBSTEPS = 8  # of block within a macro step
REST_ROUNDS = 20  # answers spent on finding the resting state under ongoing stress


@single_threaded
def simulate(plan: Plan, *, progress: Progress | None = None, since: float = 0.0) -> Course:
    """The course of `plan`: at fixed nodes where a formula answers, in adaptive steps where the
    network does; of an induction, what it does to its synapse.

    `progress(what, share)` is told how far it is, and of the compile step. Answers of the network
    that were kept before `since` (s since 1970) are asked again. Raises EngineError,
    StoreError, ValueError (a course of a formula that leaves the finite).

    >>> opened = plastogen.check("mine", set={"course.method": "formula"})
    >>> course = plastogen.simulate(opened.condition("ketamine").plan(seed=1, backend="numpy"))
    >>> course.arrays["weight"].shape == course.t_h.shape
    True
    """
    tell = progress or (lambda what, share: None)
    if plan.induction is not None:
        return simulate_induction(plan, tell)
    if plan.method == "formula":
        return simulate_formulas([plan], tell)[0]
    network = NetworkProbe(
        plan.circuit,
        plan.rule,
        seconds=plan.window_s,
        settle_s=plan.settle_s,
        backend=plan.backend,
        announce=lambda what: tell(what, 0),
    )
    course, drives = follow(plan, network, tell, since=since)
    for name, drive in drives.items():
        tell(f"snapshot {name}", 1)
        course.snapshots[name] = _snapshot(network, drive, plan.seed)
    course.log["backend"] = network.engine.backend
    return with_ensembles(plan, course, tell)


def follow(
    plan: Plan, asker: DriveProbe, tell: Progress = lambda what, share: None, *, since: float = 0.0
) -> tuple[Course, dict[str, Drive]]:
    """The course of `plan` with the answers of `asker`, kept on disk, and the drive at each of its
    snapshots' moments. Followed twice where answers have noise: in what moves synapses, that of one
    window, at the start too, is as large as what a drug does to them, and between answers that
    stand one by one rates jump.
    """
    probe = CachedProbe(asker, since=since)
    scheduler = ProbeScheduler(probe, plan.seed, tolerance=plan.tolerance, most=plan.max_probes)

    def first_half(what: str, share: float) -> None:
        tell(what, share / 2 if scheduler.noisy else share)

    stepper, writer, drives = _follow_once(plan, scheduler, first_half)
    if scheduler.start_again():
        stepper, writer, drives = _follow_once(
            plan, scheduler, lambda what, share: tell(what, (1 + share) / 2)
        )
    log = {
        "probes": len(scheduler.measured),
        "cap_hit": scheduler.cap_hit,
        "furthest": scheduler.furthest,
        "resolution": scheduler.resolution,
        "steps": writer.steps,
        "simulated": probe.asked,
        "remembered": probe.answered,
    }
    species = stepper.treated[0].species
    require_possible(writer.arrays, plan.grid_h)
    course = Course(plan.grid_h, writer.arrays, stepper.pools, species, {}, log)
    return stepper.completed(course), drives


def _follow_once(
    plan: Plan, scheduler: ProbeScheduler, tell: Progress
) -> tuple[Stepper, _Writer, dict[str, Drive]]:
    """From the resting state to the end, with the answers of `scheduler`."""
    stepper = Stepper([plan], scheduler.answer)
    within = REST_TOLERANCE if scheduler.smooth else scheduler.resolution / 2
    start = begin(stepper, within=within, rounds=REST_ROUNDS, adopt=scheduler.adopt)
    if plan.switches.probe == "frozen":
        scheduler.frozen = start.activity
    writer = _Writer(plan, stepper, start)
    return stepper, writer, _to_the_end(plan, stepper, start, writer, tell)


def _to_the_end(
    plan: Plan, stepper: Stepper, now: Moment, writer: _Writer, tell: Progress
) -> dict[str, Drive]:
    """Step to the end, writing as it goes; returns the drive at each snapshot's moment."""

    def drive(moment: Moment) -> Drive:
        return Drive.from_array(plan.circuit, stepper.drives_at(moment)[0])

    stops = {t for t in event_times(plan) if plan.start_h < t < plan.duration_h}
    moments = {
        name: min(max(t, plan.start_h), plan.duration_h) for name, t in plan.snapshots.items()
    }
    turning = {*stops, *moments.values(), *spine_steps(plan).tolist(), plan.duration_h}
    ends = sorted(t for t in turning if t > plan.start_h)
    drives = {name: drive(now) for name, t in moments.items() if t == plan.start_h}
    length = FIRST_STEP_H
    for end in ends:
        while now.t_h < end:
            path, length = _macro_step(plan, stepper, now, end, length)
            path = stepper.with_spines(path)
            writer.write(path)
            now = path.end
            tell("course", (now.t_h - plan.start_h) / (plan.duration_h - plan.start_h))
        drives |= {name: drive(now) for name, t in moments.items() if t == end}
        if end in stops:  # held levels jump here: ask again, and start with small steps
            now = stepper.intervene(now)
            now = replace(now, activity=stepper.answer(stepper.drives_at(now)))
            length = FIRST_STEP_H
    return drives


def _macro_step(
    plan: Plan, stepper: Stepper, now: Moment, end_h: float, length: float
) -> tuple[Path, float]:
    """One accepted step towards `end_h`, and the length to try next."""
    here = stepper.drives_at(now)
    while True:
        length = min(max(length, SHORTEST_STEP_H), LONGEST_STEP_H)
        left = end_h - now.t_h
        target = (
            end_h if left <= length else now.t_h + min(length, left / 2)
        )  # no sliver at the end
        (given,) = stepper.given(np.array([now.t_h, target]), SUBSTEPS)
        guess = stepper.step(now, given)
        moved = np.abs(stepper.drives_along(guess, given) - here).max(axis=(1, 2))
        too_far = np.flatnonzero(moved > DRIVE_STEP_SHARE * plan.tolerance)
        if len(too_far) and target - now.t_h > SHORTEST_STEP_H:
            within = max(float(guess.t_h[max(too_far[0] - 1, 1)]), now.t_h + SHORTEST_STEP_H)
            if within < target:
                target = within
                (given,) = stepper.given(np.array([now.t_h, target]), SUBSTEPS)
                guess = stepper.step(now, given)
        answer = stepper.answer(stepper.drives_at(guess.end, before=True))
        path = guess if answer is now.activity else stepper.step(now, given, answer)
        error = _error(plan, now.activity, answer, guess.end.y, path.end.y)
        if not np.isfinite(error):
            raise RuntimeError(
                f"the course cannot go on past {now.t_h:g} h: what the circuit answers is not"
                " finite"
            )
        taken = target - now.t_h
        if (
            error <= 1 or taken <= SHORTEST_STEP_H or target <= now.t_h + SHORTEST_STEP_H
        ):  # rounding may lengthen it
            return path, taken * min(GROW, SAFETY / max(float(np.sqrt(error)), SAFETY / GROW))
        length = taken * max(SHRINK, SAFETY / float(np.sqrt(error)))


def _error(plan: Plan, first: Activity, last: Activity, guessed: Array, taken: Array) -> float:
    """Error of a step in units of what is allowed: of the slow state, and of rates beyond their
    noise.
    """
    slow = float(np.abs(taken - guessed).max()) / plan.tolerance
    floor = 1 / (plan.window_s * first.rate_hz.shape[-1])  # Hz; the log of a silent class is finite
    r0, r1 = first.rate_hz + floor, last.rate_hz + floor
    noise = NOISE_FLOOR_SE * np.hypot(first.rate_se_hz / r0, last.rate_se_hz / r1)
    beyond = np.maximum(np.abs(np.log(r1 / r0)) - noise, 0)
    return float(
        np.maximum(slow, beyond[..., PRINCIPAL].max() / (LOG_RATE_SHARE * plan.tolerance))
    )  # not max(): nan must stay nan


def _snapshot(network: NetworkProbe, drive: Drive, seed: int) -> dict[str, npt.NDArray[Any]]:
    """Spikes, rates and rhythms of a long stretch at a frozen drive."""
    spikes = network.spikes(drive, seed, seconds=SNAPSHOT_S, noise="snapshot")
    frequency, density = measures.spectrum(spikes)
    rate, error = measures.rates_hz(spikes)
    return {
        "t_s": spikes.t_s.astype(np.float32),
        "i": spikes.i,
        "rate_hz": rate,
        "rate_se_hz": error,
        "frequency_hz": frequency,
        "spectrum": density,
        "gamma_power": np.array(measures.band_power(frequency, density, measures.GAMMA_HZ)),
        "delta_power": np.array(measures.band_power(frequency, density, measures.DELTA_HZ)),
        "gamma_peak_hz": np.array(measures.peak_frequency(frequency, density, measures.GAMMA_HZ)),
        "drive": drive.array(network.circuit),
    }


class _Writer:
    """Writes the course down on the common grid as it is stepped."""

    def __init__(self, plan: Plan, stepper: Stepper, start: Moment) -> None:
        self.t_h, self.stepper, self.start, self.steps = plan.grid_h, stepper, start, 0
        self.arrays = stepper.treated[0].written(self.t_h)
        self._reference = start.y
        first = self.t_h <= start.t_h
        n = int(first.sum())

        def still(x: npt.ArrayLike) -> Array:
            return np.repeat(np.asarray(x, float)[None], n, axis=0)

        self._fill(
            first,
            still(start.y),
            still(stepper.block(start.blocked)),
            lambda name: still(getattr(start.activity, name)),
        )

    def write(self, path: Path) -> None:
        """Fill the part of the grid that one step covers."""
        self.steps += 1
        inside = (self.t_h > path.start.t_h) & (self.t_h <= path.end.t_h)
        if inside.any():
            times = self.t_h[inside]
            self._fill(
                inside,
                path.slow(times),
                path.blocks(times),
                lambda name: path.activity(name, times),
            )

    def _fill(
        self,
        where: npt.NDArray[np.bool_],
        y: Array,
        block: Array,
        activity: Callable[[str], Array],
    ) -> None:
        found = observe(
            self.stepper.circuit,
            self.stepper.model,
            y,
            activity,
            start=self.start.activity,
            baseline=self.stepper.baseline,
            reference=self._reference,
            stress=self.arrays["stress"][where][:, None],
        )
        for name, values in {**found, "block": block}.items():
            if name not in self.arrays:
                self.arrays[name] = np.full((len(self.t_h), *values.shape[2:]), np.nan)
            self.arrays[name][where] = values[:, 0]
