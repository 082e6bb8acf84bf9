"""The one search for the resting state: where it ends, for one course and for many, with noise too."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from courses import RULE, answering, plan

from plastogen.model.circuit import Drive
from plastogen.model.circuit.activity import Activity
from plastogen.model.plasticity import STATES
from plastogen.simulation.probe import FormulaProbe
from plastogen.simulation.rest import resting
from plastogen.simulation.step import Stepper

FORMULA = FormulaProbe(answering(), RULE)


class Asking:
    """A formula that counts, with noise of its own for each question."""

    def __init__(self, noise: float = 0.0) -> None:
        self.told: list[tuple[float, ...]] = []
        self.noise, self.rng = noise, np.random.default_rng(1)

    def __call__(self, drives: np.ndarray) -> Activity:
        drive = Drive.from_array(answering(), drives)
        told = (np.asarray(drive[name]) for name in ("recurrent", "inhibitory_weight"))
        self.told.append(tuple(float(x.flat[0]) for x in told))
        found = FORMULA.measure(drive, 1)
        factor = np.exp(self.noise * self.rng.standard_normal(len(drives)))
        return replace(
            found,
            ampa_throughput=found.ampa_throughput * factor,
            rate_hz=found.rate_hz * factor[:, None],
        )


@pytest.mark.parametrize("within", [1e-3, 1e-13])
def test_what_synapses_come_to_is_what_the_circuit_was_told(within: float) -> None:
    asking = Asking()
    stepper = Stepper([plan(subject="stressed_adult")], asking)
    y, activity = resting(stepper, within=within, rounds=100)
    told, inhibited = asking.told[-1]
    assert float(stepper.model.recurrent(y)[0]) == pytest.approx(told, abs=within)
    found = float(y[0, STATES.index("inhibitory_weight")])
    assert found == pytest.approx(inhibited, abs=within)
    again = FORMULA.measure(Drive(recurrent=told, inhibitory_weight=inhibited), 1)
    np.testing.assert_allclose(activity.rate_hz[0], again.rate_hz)
    assert len(asking.told) < 12


def test_a_course_rests_where_it_rests_alone_however_long_others_take() -> None:
    quick, slow = plan(), plan(subject="stressed_adult")
    together = Stepper([quick, slow], Asking())
    y, _ = resting(together, within=1e-13, rounds=100)
    for one, found in zip((quick, slow), y, strict=True):
        by_itself, _ = resting(Stepper([one], Asking()), within=1e-13, rounds=100)
        np.testing.assert_array_equal(found, by_itself[0])


def test_one_that_is_near_enough_stays_while_another_is_sought() -> None:
    """With a wide tolerance the first course arrives at once, the second later: the first is kept."""
    quick, slow = plan(), plan(subject="stressed_adult")
    noisy = Asking(noise=1e-4)
    stepper = Stepper([quick, slow], noisy)
    y, _ = resting(stepper, within=2e-3, rounds=100)
    first = Stepper([quick, slow], Asking(noise=1e-4))
    once, _ = resting(first, within=1e9, rounds=1)
    np.testing.assert_array_equal(y[0], once[0])


def test_noise_that_leaves_no_rest_gives_the_closest() -> None:
    asking = Asking(noise=0.02)
    stepper = Stepper([plan(subject="stressed_adult")], asking)
    y, _ = resting(stepper, within=1e-13, rounds=8)
    found = float(stepper.model.recurrent(y)[0])
    assert len(asking.told) == 9  # the baseline and eight rounds
    assert 0.5 < found < 0.95
