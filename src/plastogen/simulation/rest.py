"""In: a `Stepper`. Out: the slow state in which each course rests under lasting stress, without
drugs.

All follows in closed form from what the circuit does (`SlowModel.rest`), and what it is told from
the rate of its principal cells alone (`SlowModel.settled`), so one number is sought: the rate at
which scaling and inhibition let the circuit fire at that rate. Secant rule, each course by itself;
one that has arrived stays, however long others take.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from plastogen.model.circuit import Activity
from plastogen.model.plasticity import STATES
from plastogen.simulation.step import Moment, Stepper

Array: TypeAlias = npt.NDArray[np.float64]


def begin(
    stepper: Stepper,
    *,
    within: float,
    rounds: int,
    adopt: Callable[[Array, Activity], object] | None = None,
) -> Moment:
    """Where courses begin: healthy, or at rest in a subject who differs, pushed by `Plan.start`.

    `adopt(drives, activity)` is told what the circuits did at rest.
    """
    plans, y = stepper.plans, stepper.healthy()
    differs = np.array([not plan.subject.at_set_points for plan in plans])
    if differs.any():
        y_rest, activity = resting(stepper, within=within, rounds=rounds)
        y = np.where(differs[:, None], y_rest, y)
        if adopt is not None:
            adopt(stepper.drives(y, stepper.no_block(), stepper.no_levels()), activity)
    for name in {name for plan in plans for name in plan.start}:
        y[:, STATES.index(name)] *= [plan.start.get(name, 1) for plan in plans]
    moment = Moment(plans[0].start_h, y, stepper.kinetics.start(), stepper.baseline)
    return replace(moment, activity=stepper.answer(stepper.drives_at(moment)))


def resting(stepper: Stepper, *, within: float, rounds: int) -> tuple[Array, Activity]:
    """The undosed resting state, (courses, states), and what the circuits did in it.

    Sought until the rate that synapses settled at and the rate found agree `within`, in at most
    `rounds` answers; noise may leave no rate that answers itself: then the closest stands for it.
    """
    model, block, none = stepper.model, stepper.no_block(), stepper.no_levels()
    levels = none | {"stress": np.array([float(plan.subject.stress) for plan in stepper.plans])}
    kept, rate = stepper.baseline, np.ones(len(stepper.plans))
    y = closest = stepper.imprint(model.rest(stepper.inputs(kept, block, levels)))
    least = np.full(len(y), np.inf)
    last: tuple[Array, Array] | None = None
    for _ in range(rounds):
        activity = stepper.answer(stepper.drives(model.settled(y, rate), block, none))
        inputs = stepper.inputs(activity, block, levels)
        y = stepper.imprint(model.rest(inputs))
        error = inputs.rate_E - rate
        closer = (least > within) & (np.abs(error) < least)  # one that has arrived stays
        closest, kept = np.where(closer[:, None], y, closest), _chosen(closer, activity, kept)
        least = np.where(closer, np.abs(error), least)
        if (least <= within).all():
            break
        aim = inputs.rate_E if last is None else _secant(rate, inputs.rate_E, error, *last)
        last, rate = (rate, error), aim
    return closest, kept


def _secant(told: Array, found: Array, error: Array, told_0: Array, error_0: Array) -> Array:
    """The rate at which found = told on the line through the last two, between the two."""
    gap = error - error_0
    root = told - error * (told - told_0) / np.where(gap == 0, 1, gap)
    between = np.clip(root, np.minimum(told, found), np.maximum(told, found))
    return np.asarray(np.where(gap == 0, found, between))


def _chosen(which: npt.NDArray[np.bool_], one: Activity, other: Activity) -> Activity:
    """The activity of `one` where `which`, (courses,), and of `other` elsewhere."""
    pairs = {name: (x, other.arrays()[name]) for name, x in one.arrays().items()}
    return Activity(
        **{  # type: ignore[arg-type]
            name: np.where(which.reshape((-1,) + (1,) * (x.ndim - 1)), x, y)
            for name, (x, y) in pairs.items()
        }
    )
