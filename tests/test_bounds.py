"""One table of bounds a variable: nothing beyond them is kept, and `check` refuses what breaks them by
itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from courses import KETAMINE, plan
from test_experiment import question

from plastogen.errors import InputError
from plastogen.experiment import check
from plastogen.simulation import VARIABLES, FormulaProbe, Plan
from plastogen.simulation.adaptive import follow
from plastogen.simulation.lockstep import simulate_formulas
from plastogen.simulation.variables import bounds_of, impossible, require_possible

T_H = np.array([-1.0, 0.0, 2.5])
WRITTEN = """
question: What comes out?
model: {subject: healthy_adult, circuit: small}
course: {duration: 6 h, seeds: 1, method: formula, start: {persistent: 1, pv_integrity: 1}}
arms: {base: {}}
readouts: {w: {of: weight, at: 2 h}}
"""


@pytest.mark.parametrize("name", VARIABLES)
def test_every_variable_has_bounds_and_nothing_beyond_them_is_kept(name: str) -> None:
    variable = VARIABLES[name]
    inside = float(min(max(0.5, variable.low), variable.high))
    course = np.full((3, 2), inside)
    require_possible({name: course}, T_H)
    ends = {variable.low: -1, variable.high: 1}
    for end, way in ends.items():
        if math.isfinite(end):
            course[1:, 1] = end + way * 0.01 * variable.size
            with pytest.raises(ValueError, match=f"{name} is .* at 0 h") as caught:
                require_possible({name: course}, T_H)
            assert bounds_of(name) in str(caught.value)
    course[2, 0] = np.nan
    with pytest.raises(ValueError, match="leaves the finite"):
        require_possible({name: np.full((3, 2), np.nan)}, T_H)


def test_a_share_has_two_ends() -> None:
    for name in ("block", "occupancy", "pv_integrity"):
        assert bounds_of(name) == "at least 0 and at most 1"


@pytest.mark.parametrize(
    "run",
    [lambda p: simulate_formulas([p])[0], lambda p: follow(p, FormulaProbe(p.circuit, p.rule))],
)
def test_a_run_that_leaves_its_bounds_fails_with_variable_time_and_value(
    run: Callable[[Plan], object],
) -> None:
    """Whether many are followed side by side, or one in adaptive steps."""
    asked = plan(KETAMINE, start={"persistent": 1.38}, hours=1)
    with pytest.raises(ValueError, match=r"(vacant|spine_formation) is -0\.\d+.* at -1 h"):
        run(asked)


@pytest.mark.parametrize(
    ("settings", "path", "wanted"),
    [
        ({"switches.block.E": 10}, "switches.block.E", "at most 1"),
        ({"switches.block.PV": 1.01}, "switches.block.PV", "at most 1"),
        ({"course.start.persistent": 1.38}, "course.start.persistent", "leaves vacant at least 0"),
        ({"course.start.pv_integrity": 1.2}, "course.start.pv_integrity", "at most 1"),
    ],
)
def test_check_refuses_what_the_input_alone_decides(
    settings: dict[str, Any], path: str, wanted: str
) -> None:
    with pytest.raises(InputError) as caught:
        check(question(WRITTEN, **settings))
    assert any(p.path == path and wanted in p.wanted for p in caught.value.problems)


def test_what_is_possible_is_left_alone() -> None:
    (course,) = simulate_formulas(
        [plan(KETAMINE, start={"persistent": 0.9, "weight": 1.3}, hours=1)]
    )
    assert not list(impossible(course.arrays))
    check(question(WRITTEN, **{"course.start.persistent": 0.9, "switches.block.E": 1}))
