"""The slow equations followed by LSODA, alone and to 1e-9: what tests hold the integrator's equations to."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from plastogen.model.plasticity.system import Inputs, SlowModel

Array = npt.NDArray[np.float64]

SOLVER_RTOL = 1e-9
SOLVER_ATOL = 1e-12


def advance(
    model: SlowModel, y: Array, t0_h: float, t1_h: float, inputs: Callable[[float], Inputs]
) -> tuple[Array, Array, Callable[[npt.ArrayLike], Array]]:
    """Follow the state from `t0_h` to `t1_h` (LSODA): times (n,), states (n, states), an
    interpolant.

    `inputs(t_h)` must be smooth inside the interval: step exactly onto dose events. The
    interpolant takes one time (hours, in the interval) and returns (states,), or an array of n
    and returns (n, states). Raises RuntimeError when the solver gives up.
    """
    return _solve(model, y, t0_h, t1_h, lambda t, state: inputs(t))


def simulate(
    model: SlowModel,
    y: Array,
    inputs: Callable[[float, float], Inputs],
    t_h: Sequence[float] | Array,
    *,
    jumps: Sequence[float] | None = None,
) -> Array:
    """States (n, states) at the times `t_h`, from `y` at the first; `inputs(t_h, J)` is the
    circuit.

    Solved from jump to jump: `inputs` may jump at any of `jumps`, of which `t_h` has all; at any of
    `t_h` if they are not given.
    """
    times = np.asarray(t_h, dtype=float)
    ends = times if jumps is None else np.unique([times[0], *jumps, times[-1]])
    states = [np.asarray(y, dtype=float)[None]]
    for t0, t1 in pairwise(ends):

        def heard(t: float, state: Array, last: float = float(np.nextafter(t1, t0))) -> Inputs:
            return inputs(
                min(t, last), float(model.recurrent(state))
            )  # a jump at t1 belongs to the next stretch

        _, path, dense = _solve(model, states[-1][-1], t0, t1, heard)
        inside = times[(times > t0) & (times < t1)]
        states += [dense(inside)] if len(inside) else []
        states.append(path[-1:])
    return np.concatenate(states)


def _solve(
    model: SlowModel, y: Array, t0_h: float, t1_h: float, inputs: Callable[[float, Array], Inputs]
) -> tuple[Array, Array, Callable[[npt.ArrayLike], Array]]:
    def fun(t: float, state: Array) -> Array:
        return model.rate_of_change(state, inputs(t, state))

    path = solve_ivp(
        fun,
        (t0_h, t1_h),
        y,
        method="LSODA",
        dense_output=True,
        rtol=SOLVER_RTOL,
        atol=SOLVER_ATOL,
    )
    if not path.success or not np.isfinite(path.y).all():
        raise RuntimeError(
            f"the slow state could not be followed past {path.t[-1]:g} h: {path.message}"
        )
    dense = path.sol
    return path.t, path.y.T, lambda t: np.asarray(dense(t)).T


def steady_state(model: SlowModel, answer: Callable[..., Inputs], *, both: bool = False) -> Array:
    """The state at rest in a circuit that answers J with `answer(J)`; where it hears of `both`,
    with `answer(J, inhibition)`.

    Scaling and inhibition follow from the rate alone, and only that has to come out as it went in.
    """

    def told(rate: float) -> Inputs:
        scaled, inhibited = model.strength.at_rate(rate)
        first = answer(1.0, 1.0) if both else answer(1.0)
        *_, transient, persistent = model.spines.steady(first.serotonin, first.stress)
        J = scaled * (transient + persistent)
        return answer(J, inhibited) if both else answer(J)

    def excess(log_rate: float) -> float:
        return math.log(told(math.exp(log_rate)).rate_E) - log_rate

    ends = (-1.0, 1.0)
    while excess(ends[0]) < 0 or excess(ends[1]) > 0:
        ends = (2 * ends[0], 2 * ends[1])
    root = brentq(excess, *ends, xtol=1e-15, rtol=4 * np.finfo(float).eps)
    return model.rest(told(math.exp(root)))
