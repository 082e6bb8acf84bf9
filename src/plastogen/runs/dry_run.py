"""In: a request and the runs it needs. Out: lines that say what running it would take, before
anything runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from plastogen._base.files import cache_dir
from plastogen._base.machine import in_bytes
from plastogen._base.text import counted
from plastogen.experiment import Condition, OpenExperiment, corners
from plastogen.model.circuit import is_built, program_key
from plastogen.model.plasticity import learner_of
from plastogen.runs.cost import expected_costs, training_cost
from plastogen.runs.emulators import emulator_path
from plastogen.runs.request import Request
from plastogen.runs.worker import Run
from plastogen.simulation import OF_SPINES, Plan, network_key, teaching_program

S_PER_MIN = MIN_PER_H = 60
H_PER_DAY = 24
NAMED = 5  # broken runs that are named
CPP = "cpp"


def describe_plan(request: Request, *, workers: int) -> Iterator[str]:
    """The plan, line by line."""
    opened, store, ids, runs = request.opened, request.store, request.ids, request.runs
    experiment = opened.experiment
    faults = {run.id: store.fault(run.id) for run in runs}
    todo = [run for run in runs if faults[run.id] is not None]
    points = f"{counted(opened.size, 'point')}, " if opened.sweep_in_words else ""
    shared = f" ({len(ids) - len(runs)} shared)" if len(ids) > len(runs) else ""
    yield (
        f"{opened.name}: {points}{counted(len(ids), 'run')}, {len(runs)} different{shared},"
        f" {len(todo)} still to do"
    )
    for words in opened.sweep_in_words:
        yield from (f"  {'  ' * bool(i)}{line}" for i, line in enumerate(words))
    for arm in experiment.arms:
        mine = [run for (name, *_), run in ids.items() if name == arm]
        yield f"  {arm}: {sum(faults[run] is None for run in mine)} of {len(mine)} finished"
    broken = [(run, fault) for run, fault in faults.items() if fault not in (None, "missing")]
    yield from (
        f"  run {run} is broken ({fault}) and would be run again" for run, fault in broken[:NAMED]
    )
    if len(broken) > NAMED:
        yield f"  and {len(broken) - NAMED} more are broken"
    if todo:
        unlearned = _unlearned(request, todo)
        if any(run.plan.asks_network or run.plan.emulator for run in todo):
            yield from _circuits(request, str(todo[0].plan.backend), len(unlearned))
        yield from _cost(todo, unlearned, workers, experiment.takes)
    yield f"  results go to {store.folder}"


def _unlearned(request: Request, todo: Sequence[Run]) -> list[Plan]:
    """A plan for each emulator that has still to be learned for the runs to do."""
    needed = {run.plan.emulator for run in todo}
    return [
        each.plans[0]
        for each in request.training_sets.values()
        if each.key in needed
        and not any(
            emulator_path(folder, each.key).is_file() for folder in (request.folder, cache_dir())
        )
    ]


def _circuits(request: Request, backend: str, unlearned: int) -> Iterator[str]:
    """What has to be compiled and learned, and what else the network has to be asked anew for."""
    asked = list({(id(c.circuit), id(c.rule)): c for c in request.conditions}.values())
    experiment = request.opened.experiment
    course = experiment.course

    def probe_key(condition: Condition) -> str:
        circuit, rule = condition.circuit, condition.rule
        return network_key(circuit, float(course.window), float(course.settle), backend, rule)

    def programs(condition: Condition) -> dict[str, bool]:
        """The programs a condition needs, and whether each is compiled."""
        circuit, rule = condition.circuit, condition.rule
        needed = []
        if course.method != "formula":
            needed.append((circuit, learner_of(circuit, rule), False))
        if experiment.ensembles is not None:
            each = condition.kind in OF_SPINES
            needed.append((*teaching_program(circuit, rule, each=each), True))
        return {
            program_key(circuit, learner, driven=driven): is_built(circuit, learner, driven=driven)
            for circuit, learner, driven in needed
        }

    if backend == CPP:
        built = {key: there for each in asked for key, there in programs(each).items()}
        along = _because(request.opened, lambda condition: tuple(programs(condition)))
        yield f"  programs: {len(built)}, {sum(built.values())} of them compiled{along}"
    if course.method == "formula":
        return
    if request.training_sets:
        learned = len(request.training_sets) - unlearned
        yield (
            f"  emulators: {len(request.training_sets)}, {learned} of them"
            f" learned{_because(request.opened, probe_key)}"
        )
    else:
        different = len({probe_key(each) for each in asked})
        yield (
            "  circuits for the network to answer for:"
            f" {different}{_because(request.opened, probe_key)}"
        )


def _because(opened: OpenExperiment, key: Any) -> str:
    """Which swept paths change `key` of a condition."""
    arm = next(iter(opened.experiment.arms))
    points = list(corners(opened.sweep, opened.experiment.design))
    first, guilty = points[0], []
    for path in first:
        if path.startswith(("circuit.", "model.circuit", "rule.", "model.rule")):
            alone = [{**first, path: point[path]} for point in points]
            if len({key(opened.condition(arm, (), point)) for point in alone}) > 1:
                guilty.append(path)
    return f" (they differ along {', '.join(guilty)})" if guilty else ""


def _cost(
    todo: Sequence[Run], unlearned: Sequence[Plan], workers: int, takes: str | None
) -> Iterator[str]:
    """Time and disk, from what runs like these took on this machine."""
    costs = [(n, cost) for n, cost in expected_costs(todo) if cost is not None]
    if not costs:
        file = f"; its file says: {takes}" if takes else ""
        yield f"  time and disk: not known, for no such run has been made on this machine yet{file}"
        return
    seconds = sum(n * cost.seconds for n, cost in costs) / min(workers, len(todo))
    taken = in_bytes(int(sum(n * cost.bytes for n, cost in costs)))
    lengths = {cost.duration_h for _, cost in costs}
    other = lengths - {run.plan.duration_h for run in todo}
    of = (
        f" of {', '.join(in_time(h * S_PER_MIN * MIN_PER_H) for h in sorted(lengths))}"
        if other
        else ""
    )
    rests = f"going by {sum(cost.runs for _, cost in costs)} such runs{of} on this machine"
    yield f"  about {in_time(seconds)} with {workers} at once, {taken} on disk, {rests}"
    if unknown := len(todo) - sum(n for n, _ in costs):
        yield f"  and {counted(unknown, 'run')} of a kind that has not been made here yet"
    if unlearned:
        training = [cost for plan in unlearned if (cost := training_cost(plan)) is not None]
        known = (
            f"about {in_time(sum(cost.seconds for cost in training) / workers)}"
            if training
            else "not known how long"
        )
        yield f"  learning {counted(len(unlearned), 'emulator')} comes on top: {known}"


def in_time(seconds: float) -> str:
    """90 -> "90 s", 600 -> "10 min"."""
    minutes = seconds / S_PER_MIN
    hours = minutes / MIN_PER_H
    if minutes < 2:
        return f"{seconds:.0f} s"
    if hours < 2:
        return f"{minutes:.0f} min"
    return f"{hours:.0f} h" if hours < 2 * H_PER_DAY else f"{hours / H_PER_DAY:.0f} d"
