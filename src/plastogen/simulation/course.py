"""In: a `Plan`, all that determines one course. Out: a `Course`, ms to weeks: what drug, circuit
and synapses did.

Two clocks. The slow state is integrated; the circuit is asked (the probe) at the ends of macro
steps. A step is first taken with the activity as it was, the circuit is asked at its end, and the
step is taken again with the activity running to the answer: the difference is the error that sets
the step. A drive within `resolution` of one already asked gets the same answer, so that noise does
not make a resting state drift; resolution and steps shrink with the tolerance.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from plastogen._base.machine import single_threaded
from plastogen.model.circuit import PRINCIPAL, Activity, Circuit, Drive, measures
from plastogen.model.pharmacology import Drug, Subject, TreatedSubject, Treatment
from plastogen.model.plasticity import STATES, Plasticity, SlowModel
from plastogen.simulation.outputs import observe, switched
from plastogen.simulation.probe import CachedProbe, FormulaProbe, NetworkProbe
from plastogen.simulation.step import Moment, Path, Stepper
from plastogen.simulation.switches import Switches

Array = npt.NDArray[np.float64]
Progress = Callable[[str, float], None]

SNAPSHOT_S = 20  # spectra and rasters are never taken from the short windows of probes
RESOLUTION_SHARE = 0.125  # of the tolerance: drives this close get the same answer
DRIVE_STEP_SHARE = 2  # of the tolerance: the most a drive moves in a step
LOG_RATE_SHARE = 5  # of the tolerance: the most a log rate moves in a step, beside its noise
NOISE_FLOOR_SE = 2  # changes of activity within this many standard errors do not shorten a step
FIRST_STEP_H, SHORTEST_STEP_H, LONGEST_STEP_H = 1 / 30, 1 / 240, 48
SHRINK, SAFETY, GROW = 0.3, 0.9, 3
REST_ROUNDS = 20  # probes spent on finding the resting state under ongoing stress


@dataclass(frozen=True)
class Plan:
    """All that determines a course. Times in h from the first planned dose; `stress`: (start, end,
    level) spans.
    """

    subject: Subject
    circuit: Circuit
    plasticity: Plasticity
    drugs: Mapping[str, Drug]
    treatments: Mapping[str, Treatment]
    stress: tuple[tuple[float, float, float], ...]
    switches: Switches
    start_h: float
    duration_h: float
    grid_h: Array
    seed: int
    method: str
    window_s: float
    settle_s: float
    tolerance: float
    max_probes: int
    snapshots: Mapping[str, float] = field(default_factory=dict)
    start: Mapping[str, float] = field(default_factory=dict)
    backend: str | None = None
    emulator: str = ""  # the digest of the answers that stand in for the network


@dataclass
class Course:
    """What came out. `arrays`: variable -> (times, ...) on `t_h`; `snapshots`: moment -> spikes and
    spectrum.
    """

    t_h: Array
    arrays: dict[str, Array]
    pools: tuple[str, ...]
    species: tuple[str, ...]
    snapshots: dict[str, dict[str, npt.NDArray[Any]]]
    log: dict[str, Any]


class ProbeScheduler:
    """Asks the circuit for one course, never twice about the same drive, and no more than `most`
    times.
    """

    def __init__(self, probe: CachedProbe, seed: int, *, resolution: float, most: int) -> None:
        self.probe, self.seed, self.resolution, self.most = probe, seed, resolution, most
        self.circuit = probe.circuit
        self.drives: list[Array] = []
        self.answers: list[Activity] = []
        self.cap_hit = False
        self.frozen: Activity | None = None

    def hear(self, drive: Drive) -> Activity:
        """What the circuit does under `drive`: the answer to the nearest drive asked if it is near
        enough.
        """
        if self.frozen is not None:
            return self.frozen
        wanted = drive.array(self.circuit)
        if self.drives:
            distance = np.abs(np.array(self.drives) - wanted).max(axis=1)
            nearest = int(distance.argmin())
            full = len(self.drives) >= self.most
            self.cap_hit |= full and bool(distance[nearest] > self.resolution)
            if distance[nearest] <= self.resolution or full:
                return self.answers[nearest]
        return self.adopt(drive, self.probe.ask(drive, self.seed))

    def adopt(self, drive: Drive, answer: Activity) -> Activity:
        """Take `answer` for what the circuit does under `drive` from here on."""
        self.drives.append(drive.array(self.circuit))
        self.answers.append(answer)
        return answer


@single_threaded
def simulate(plan: Plan, *, progress: Progress | None = None) -> Course:
    """Follow one course from `plan.start_h` to `plan.duration_h`.

    `progress(what, share)` is told how far it is, and of the compile step. Raises EngineError,
    StoreError.

    >>> question = plastogen.check("mine", set={"course.method": "formula"})
    >>> course = plastogen.simulate(question.case("ketamine").plan(seed=1, backend="numpy"))
    >>> course.arrays["weight"].shape == course.t_h.shape
    True
    """
    tell = progress or (lambda what, share: None)
    network = None
    if plan.method == "formula":
        probe = CachedProbe(FormulaProbe(plan.circuit))
    else:
        network = NetworkProbe(
            plan.circuit,
            seconds=plan.window_s,
            settle_s=plan.settle_s,
            backend=plan.backend,
            announce=lambda what: tell(what, 0),
        )
        probe = CachedProbe(network)
    listener = ProbeScheduler(
        probe, plan.seed, resolution=RESOLUTION_SHARE * plan.tolerance, most=plan.max_probes
    )
    treated = treated_of(plan)
    model = SlowModel(switched(plan.plasticity, plan.switches))
    stepper = Stepper(plan.circuit, model, treated, plan.switches, listener.hear(Drive()))
    start = _begin(plan, stepper, listener)
    if plan.switches.probe == "frozen":
        listener.frozen = start.activity
    writer = _Writer(plan, stepper, start)
    drives = _follow(plan, stepper, listener, start, writer, tell)
    snapshots = {}
    if network is not None:
        for name, drive in drives.items():
            tell(f"snapshot {name}", 1)
            snapshots[name] = _snapshot(network, drive, plan.seed)
    log = {
        "probes": len(listener.drives),
        "cap_hit": listener.cap_hit,
        "steps": writer.steps,
        "simulated": probe.asked,
        "remembered": probe.answered,
        "backend": network.engine.backend if network else "formula",
    }
    return Course(plan.grid_h, writer.arrays, stepper.pools, treated.species, snapshots, log)


def treated_of(plan: Plan) -> TreatedSubject:
    """The subject of a course and all that is given to it."""
    metabolites = plan.switches.metabolites == "on"
    return TreatedSubject(
        plan.subject, plan.drugs, plan.treatments, plan.stress, metabolites=metabolites
    )


def _begin(plan: Plan, stepper: Stepper, listener: ProbeScheduler) -> Moment:
    """The first moment: the healthy state, or the resting state of a subject who differs."""
    model = stepper.model
    y = model.healthy_state()
    if not plan.subject.at_set_points:
        y = _at_rest(stepper, listener, float(plan.subject.stress))
    for name, factor in plan.start.items():
        y[STATES.index(name)] *= factor
    return _heard(
        stepper, listener, Moment(plan.start_h, y, stepper.kinetics.start(), stepper.baseline)
    )


def _heard(stepper: Stepper, listener: ProbeScheduler, moment: Moment) -> Moment:
    """`moment` with what the circuit does in it."""
    return replace(moment, activity=listener.hear(stepper.drive(moment)))


def _at_rest(stepper: Stepper, listener: ProbeScheduler, stress: float) -> Array:
    """The slow state that rests under lasting stress in this circuit: J asked and J found agree to
    the resolution.
    """
    model = stepper.model
    undosed = Moment(-np.inf, model.healthy_state(), stepper.kinetics.start(), stepper.baseline)
    at = _heard(stepper, listener, undosed)
    tried: list[tuple[float, float]] = []
    closest = (np.inf, at)
    for _ in range(REST_ROUNDS):
        asked = float(model.recurrent(at.y))
        y = model.rest(stepper.inputs(at.activity, stress))
        found = float(model.recurrent(y))
        closest = min(closest, (abs(found - asked), replace(at, y=y)), key=lambda known: known[0])
        if closest[0] <= listener.resolution / 2:
            break
        tried.append((asked, found - asked))
        aim = found
        if len(tried) > 1 and tried[-1][1] != tried[-2][1]:  # a secant towards found = asked
            (j0, e0), (j1, e1) = tried[-2:]
            aim = float(
                np.clip(j1 - e1 * (j1 - j0) / (e1 - e0), min(asked, found), max(asked, found))
            )
        y = y.copy()
        y[STATES.index("weight")] *= aim / found  # any state with this J asks the same question
        at = _heard(stepper, listener, replace(at, y=y))
    at = closest[
        1
    ]  # noise may leave no J that answers itself: the closest answer stands for its resting state
    listener.adopt(stepper.drive(at), at.activity)
    return at.y


def _follow(
    plan: Plan,
    stepper: Stepper,
    listener: ProbeScheduler,
    now: Moment,
    writer: _Writer,
    tell: Progress,
) -> dict[str, Drive]:
    """Step to the end, writing as it goes; returns the drive at each snapshot's moment."""
    stops = {t for t in stepper.treated.events_h if plan.start_h < t < plan.duration_h}
    moments = {
        name: min(max(t, plan.start_h), plan.duration_h) for name, t in plan.snapshots.items()
    }
    ends = sorted({*stops, *(t for t in moments.values() if t > plan.start_h), plan.duration_h})
    drives = {name: stepper.drive(now) for name, t in moments.items() if t == plan.start_h}
    length = FIRST_STEP_H
    for end in ends:
        while now.t_h < end:
            path, length = _macro_step(plan, stepper, listener, now, end, length)
            writer.write(path)
            now = path.end
            tell("course", (now.t_h - plan.start_h) / (plan.duration_h - plan.start_h))
        drive = stepper.drive(now)
        drives |= {name: drive for name, t in moments.items() if t == end}
        if end in stops:  # held levels jump here: ask again, and start with small steps
            now = _heard(stepper, listener, now)
            length = FIRST_STEP_H
    return drives


def _macro_step(
    plan: Plan, stepper: Stepper, listener: ProbeScheduler, now: Moment, end_h: float, length: float
) -> tuple[Path, float]:
    """One accepted step towards `end_h`, and the length to try next."""
    here = stepper.drive(now).array(plan.circuit)
    while True:
        length = min(max(length, SHORTEST_STEP_H), LONGEST_STEP_H)
        left = end_h - now.t_h
        target = (
            end_h if left <= length else now.t_h + min(length, left / 2)
        )  # no sliver at the end
        guess = stepper.step(now, target)
        moved = np.abs(stepper.drives(guess) - here).max(axis=1) / (
            DRIVE_STEP_SHARE * plan.tolerance
        )
        too_far = np.flatnonzero(moved > 1)
        if len(too_far) and target - now.t_h > SHORTEST_STEP_H:
            within = max(float(guess.block_t_h[max(too_far[0] - 1, 1)]), now.t_h + SHORTEST_STEP_H)
            if within < target:
                target = within
                guess = stepper.step(now, target)
        heard = listener.hear(stepper.drive(guess.end, before=True))
        path = guess if heard is now.activity else stepper.step(now, target, heard)
        error = _error(plan, now.activity, heard, guess.end.y, path.end.y)
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
    floor = 1 / (plan.window_s * len(first.rate_hz))  # Hz; keeps the log of a silent class finite
    r0, r1 = first.rate_hz + floor, last.rate_hz + floor
    noise = NOISE_FLOOR_SE * np.hypot(first.rate_se_hz / r0, last.rate_se_hz / r1)
    beyond = np.maximum(np.abs(np.log(r1 / r0)) - noise, 0)
    return float(
        np.maximum(slow, beyond[PRINCIPAL] / (LOG_RATE_SHARE * plan.tolerance))
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
        self.arrays = stepper.treated.written(self.t_h)
        self._reference = float(stepper.model.recurrent(start.y))
        first = self.t_h <= start.t_h
        times = self.t_h[first]
        still = Path(
            start,
            start,
            lambda t: np.repeat(start.y[None], np.size(t), axis=0),
            times,
            np.repeat(stepper.block(start.blocked)[None], len(times), axis=0),
        )
        self._fill(
            first,
            still,
            lambda name: np.repeat(
                np.asarray(getattr(start.activity, name), dtype=float)[None], len(times), axis=0
            ),
        )

    def write(self, path: Path) -> None:
        """Fill the part of the grid that one step covers."""
        self.steps += 1
        inside = (self.t_h > path.start.t_h) & (self.t_h <= path.end.t_h)
        if inside.any():
            times = self.t_h[inside]
            self._fill(inside, path, lambda name: path.activity(name, times))

    def _fill(
        self, where: npt.NDArray[np.bool_], path: Path, heard: Callable[[str], Array]
    ) -> None:
        times = self.t_h[where]
        found = observe(
            self.stepper.circuit,
            self.stepper.model,
            np.atleast_2d(path.slow(times)),
            heard,
            start=self.start.activity,
            baseline=self.stepper.baseline,
            reference=self._reference,
            stress=self.arrays["stress"][where],
        )
        found["block"] = np.stack(
            [np.interp(times, path.block_t_h, column) for column in path.block.T], -1
        )
        for name, values in found.items():
            if name not in self.arrays:
                self.arrays[name] = np.full((len(self.t_h), *values.shape[1:]), np.nan)
            self.arrays[name][where] = values
