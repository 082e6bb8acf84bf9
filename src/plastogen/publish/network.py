"""In: results of a run, and the condition it was run under. Out: what drives its network along the
course; and the network itself at one moment, asked again: spikes, voltages, connections.

Results keep what the network did as rates. What drove it follows from them, so one moment costs one
simulation, not the course again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from plastogen._base.files import read_npz, write_npz
from plastogen._base.text import any_of, nearest, show
from plastogen._base.units import parse
from plastogen.errors import CacheDamaged, InputError, QuantityError
from plastogen.experiment import COMPLETE, FOLDERS, Condition, OpenExperiment
from plastogen.model.circuit import Circuit, Drive, Engine, Learning, RuleNumbers, Spikes, reduce
from plastogen.model.plasticity import CalciumRule, rule_in
from plastogen.simulation import held_state, treated_of

if TYPE_CHECKING:
    import xarray as xr

ANY_MS, MS_PER_S = 10, 1000  # of a run that only says who is connected with whom
WEIGHTS = ("pre", "post", "size", "efficacy")
SLOW = ("weight", "scaling", "inhibitory_weight", "pv_integrity", "tolerance")


@dataclass(frozen=True, eq=False)
class NetworkActivity:
    """What the spiking network does at one moment of a course.

    spikes: times (s), cells, sampled voltages (mV) and `synapses`, the cells before and behind each
    connection. drive: what it was driven by, relative to the healthy circuit. at_h: the moment (h).
    wall_s: what asking took (s), compiling included. learning: where a rule was named, what would
    become of each synapse between principal cells.
    """

    circuit: Circuit
    drive: Drive
    at_h: float
    spikes: Spikes
    wall_s: float
    learning: Learning | None = None

    @property
    def connections(self) -> dict[tuple[str, str], npt.NDArray[np.int32]]:
        """(class, class) -> cells before and behind each synapse, counted from 0 within their
        class: (2, synapses).
        """
        assert self.spikes.synapses is not None
        before, behind = self.spikes.synapses
        found = {}
        for one, cells in self.spikes.slices.items():
            for other, targets in self.spikes.slices.items():
                here = (before >= cells.start) & (before < cells.stop)
                here &= (behind >= targets.start) & (behind < targets.stop)
                pairs = [before[here] - cells.start, behind[here] - targets.start]
                found[one, other] = np.stack(pairs)
        return found

    def write_weights(self, path: Path | str) -> None:
        """Keep size and efficacy of each synapse that follows a rule in an .npz file, with the
        cells before and behind it. Raises InputError where none does, StoreError.
        """
        if self.learning is None:
            raise _wrong("rule", None, "the name of a rule, when the network is asked")
        write_npz(Path(path), **{name: getattr(self.learning, name) for name in WEIGHTS})


def drive_along(one: xr.Dataset, condition: Condition) -> Drive:
    """What drives the network along courses of one condition; numbers have the shape of `one`'s
    variables, whose last dimension is time.
    """
    healthy = one["spine_density"] * 0 + 1  # of what a circuit's runs do not have
    state = held_state(
        {pool: one["block"].sel(pool=pool).values for pool in condition.circuit.pools()},
        {name: one.get(name, healthy).values for name in SLOW},
        one["spine_density"].values,
        treated_of(condition.plan(int(one["seed"].values.flat[0]), "numpy")).targets(one["time"]),
        inhibition=float(condition.subject.inhibition),
        feedback=condition.setting.switches.feedback == "on",
    )
    return reduce(condition.circuit, state)


def network_at(
    ds: xr.Dataset,
    opened: OpenExperiment,
    arm: str,
    seed: int,
    at: str | float,
    *,
    index: Sequence[int] = (),
    seconds: float | None = None,
    rule: str | None = None,
    live: bool = False,
    weights: Path | str | None = None,
    conductance: bool = False,
    announce: Callable[[str], None] | None = None,
) -> NetworkActivity:
    """The network of an arm with master seed `seed` at a moment of its course.

    at: hours, a length of time ("90 min") or one of the experiment's snapshots. index: place on
    each axis of a sweep. seconds: how long it is watched, the window of its probes by default.
    rule: a calcium rule that every synapse between principal cells follows, its amplitudes those of
    a living brain; weights: a file of `write_weights` that they begin with. Efficacies are frozen
    unless they are to be `live`; with `conductance` each synapse transmits in proportion to its
    efficacy, too, over the rule's own. Raises InputError, EngineError, StoreError.
    """
    if opened.experiment.induction is not None:
        wanted = "an experiment without an `induction:`, which asks a network"
        raise InputError.one(file="network", found=f"{opened.name}, an induction", wanted=wanted)
    for name, value, known in (
        ("arm", arm, list(opened.experiment.arms)),
        ("seed", seed, list(opened.seeds)),
    ):
        if value not in known:
            raise _wrong(name, value, any_of(map(str, known)), map(str, known))
    if rule is None:
        for name, asked in (("live", live), ("weights", weights), ("conductance", conductance)):
            if asked:
                raise _wrong(name, asked, "a rule beside it: rule=NAME; no synapse learns without")
    condition = _condition(opened, arm, tuple(index))
    at_h = _moment(condition, at)
    if condition.setting.switches.probe == "frozen":
        at_h = condition.start_h
    drive = _drive_at(_course(ds, opened, condition, seed), condition, at_h)
    course, began = condition.setting.course, time.monotonic()
    engine = Engine(condition.circuit, announce=announce)
    watched = float(course.window) if seconds is None else seconds
    settle_s, learning = float(course.settle), None
    if rule is None:
        spikes = engine.run(drive, seed, seconds=watched, settle_s=settle_s, synapses=True)
    else:
        numbers = _numbers(opened, condition.circuit, rule)
        size, efficacy = (1.0, None) if weights is None else _begun(engine, seed, Path(weights))
        spikes, learning = engine.learn(
            drive,
            seed,
            numbers,
            seconds=watched,
            settle_s=settle_s,
            live=live,
            conductance=conductance,
            size=size,
            efficacy=efficacy,
        )
    wall_s = time.monotonic() - began
    return NetworkActivity(condition.circuit, drive, at_h, spikes, wall_s, learning)


def _numbers(opened: OpenExperiment, circuit: Circuit, name: str) -> RuleNumbers:
    """A rule by name, in a living brain. Raises InputError."""
    folder, _ = FOLDERS["rule"]
    names = opened.models.library.names(folder)
    if name not in names:
        raise _wrong("rule", name, any_of(names), names)
    rule = opened.models.load(folder, name, CalciumRule, {})
    return rule_in(circuit, rule, scale=float(rule.in_vivo))


def _begun(engine: Engine, seed: int, path: Path) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Sizes and efficacies of a file, if they are of the synapses of this network. Raises
    InputError.
    """
    try:
        found = read_npz(path)
    except (FileNotFoundError, CacheDamaged) as error:
        raise _wrong("weights", str(path), f"a file of write_weights ({error})") from None
    if not set(WEIGHTS) <= found.keys() or len({found[name].shape for name in WEIGHTS}) != 1:
        raise _wrong("weights", str(path), f"a file of write_weights: {', '.join(WEIGHTS)}")
    spikes = engine.run(Drive(), seed, seconds=ANY_MS / MS_PER_S, settle_s=0, synapses=True)
    assert spikes.synapses is not None
    between = (spikes.synapses < engine.circuit.slices()[engine.circuit.principal].stop).all(axis=0)
    if not np.array_equal(spikes.synapses[:, between], [found["pre"], found["post"]]):
        wanted = f"weights of this circuit and seed, {int(between.sum())} synapses"
        raise _wrong("weights", f"{len(found['pre'])} others in {path}", wanted)
    for name, least, most in (("size", 0, np.inf), ("efficacy", 0, 1)):
        if not np.all((found[name] >= least) & (found[name] <= most)):
            raise _wrong("weights", f"a {name} outside", f"{name} from {least} to {most:g}")
    return found["size"], found["efficacy"]


def _condition(opened: OpenExperiment, arm: str, index: tuple[int, ...]) -> Condition:
    """The condition of an arm at a place of the sweep. Raises InputError."""
    for place, point in opened.points():
        if place == index:
            return opened.condition(arm, place, point)
    sizes = ", ".join(f"{axis.name} 0 to {axis.size - 1}" for axis in opened.axes)
    raise _wrong("index", index, f"a place on each axis: {sizes}" if sizes else "none: no sweep")


def _moment(condition: Condition, at: str | float) -> float:
    """A moment of the course, h. Raises InputError."""
    if at in condition.snapshots:
        at_h = condition.snapshots[str(at)]
    elif isinstance(at, str):
        try:
            at_h = parse(at, "h")
        except QuantityError as error:
            there = condition.snapshots
            wanted = f"{error.wanted}, or a snapshot: {', '.join(there) or 'there is none'}"
            raise _wrong("at", at, wanted, there) from None
    else:
        at_h = float(at)
    start_h, end_h = condition.start_h, condition.end_h
    if not start_h <= at_h <= end_h:
        raise _wrong("at", at, f"a moment of the course, {start_h:g} to {end_h:g} h")
    return at_h


def _course(ds: xr.Dataset, opened: OpenExperiment, condition: Condition, seed: int) -> xr.Dataset:
    """What results keep of one course. Raises InputError when it is not there."""
    place = dict(zip((axis.name for axis in opened.axes), condition.index, strict=True))
    one = ds.sel(arm=condition.arm, seed=seed).isel(place)
    if str(one["status"].values) != COMPLETE:
        wanted = f"a finished run; make it with: plastogen run {opened.name}"
        raise _wrong("seed", f"{condition.arm}, seed {seed}", wanted)
    return one


def _drive_at(one: xr.Dataset, condition: Condition, at_h: float) -> Drive:
    """What drives the network at one moment: between two written times, what lies between."""
    times = one["time"].values
    held = [name for name in (*SLOW, "spine_density", "block") if name in one]
    now = one[[*held, "seed"]].interp(time=[min(max(at_h, float(times[0])), float(times[-1]))])
    values = drive_along(now, condition).array(condition.circuit)
    return Drive.from_array(condition.circuit, np.ravel(values))


def _wrong(name: str, found: object, wanted: str, known: Iterable[str] = ()) -> InputError:
    near = nearest(str(found), known)
    return InputError.one(file="network", path=name, found=show(found), wanted=wanted, nearest=near)
