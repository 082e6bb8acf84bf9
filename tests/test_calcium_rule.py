"""Calcium decides: the rule against an implementation of its own, and what holds of every set of
numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from plastogen._base.library import Library
from plastogen.model.circuit import RuleNumbers
from plastogen.model.plasticity.calcium_rule import (
    CalciumRule,
    efficacies,
    in_magnesium,
    numbers_of,
)

RULES = {name: Library().load("rules", name, CalciumRule) for name in Library().names("rules")}
NAMES = sorted(RULES)


def by_superposition(
    rule: CalciumRule, pre: Sequence[float], post: Sequence[float], end: float, left: float = 1
) -> tuple[float, float, float]:
    """w, potentiation, depression at `end`: calcium as a sum over all spikes so far, crossings of
    its thresholds by bisection, each stretch between them in closed form.
    """
    tau, late = float(rule.calcium_time) / 1000, float(rule.delay) / 1000
    up = float(rule.potentiation) / float(rule.efficacy_time)
    down = float(rule.depression) / float(rule.efficacy_time)
    high = float(rule.potentiation_threshold)
    jumps: list[tuple[float, float, bool]] = []  # time, size, whether of presynaptic origin

    def calcium(t: float, *, presynaptic: bool = False) -> float:
        mine = (j for j in jumps if j[2] or not presynaptic)
        return math.fsum(size * math.exp(-(t - at) / tau) for at, size, _ in mine)

    w, raised, lowered, now = float(rule.initial), 0.0, 0.0, -1.0
    resources, before = 1.0, None
    moments = sorted([(t + late, "pre") for t in pre] + [(t, "post") for t in post])
    for t, what in [*moments, (end, "end")]:
        cuts = [now, t]
        for threshold in (1.0, high):
            if jumps and calcium(now) > threshold > calcium(t):
                cuts.append(brentq(lambda x, th=threshold: calcium(x) - th, now, t, xtol=1e-14))
        for first, last in zip(sorted(cuts), sorted(cuts)[1:], strict=False):
            c, span = calcium((first + last) / 2), last - first
            if c > high:
                goal = up / (up + down)
                w = goal - (goal - w) * math.exp(-(up + down) * span)
                raised, lowered = raised + up * span, lowered + down * span
            elif c > 1:
                w, lowered = w * math.exp(-down * span), lowered + down * span
        now = t
        if what == "pre":
            size = float(rule.presynaptic) * left
            if rule.release is not None:
                share, recovery = float(rule.release.share), float(rule.release.recovery)
                if before is not None:
                    empty = 1 - resources * (1 - share)
                    resources = 1 - empty * math.exp(-(t - before) / recovery)
                before, size = t, size * share * resources * w
            jumps.append((t, size, True))
        elif what == "post":
            size = float(rule.postsynaptic)
            size += float(rule.coincidence) * calcium(t, presynaptic=True)
            jumps.append((t, size, False))
    return w, raised, lowered


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", range(3))
def test_an_implementation_of_its_own_agrees(name: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    pre, post = (np.sort(rng.uniform(0, 2, n)).tolist() for n in (25, 20))
    found = efficacies(numbers_of(RULES[name]), pre, post, [4.0], left=lambda s: 0.7)
    wanted = by_superposition(RULES[name], pre, post, 4.0, left=0.7)
    got = (found.efficacy[0], found.potentiation[0], found.depression[0])
    assert got == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_efficacy_stays_between_0_and_1_and_looking_changes_nothing(
    name: str, data: st.DataObject
) -> None:
    times = st.lists(st.floats(0, 1), max_size=12)
    pre, post, looks = (data.draw(times) for _ in range(3))
    numbers = numbers_of(RULES[name])
    seen = efficacies(numbers, pre, post, [*looks, 3.0])
    alone = efficacies(numbers, pre, post, [3.0])
    assert ((seen.efficacy >= 0) & (seen.efficacy <= 1)).all()
    for field in ("efficacy", "potentiation", "depression", "peak_calcium"):
        assert getattr(seen, field)[-1] == pytest.approx(getattr(alone, field)[0], abs=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_without_spikes_nothing_moves_and_what_was_looked_at_comes_back_in_order(name: str) -> None:
    numbers = numbers_of(RULES[name])
    still = efficacies(numbers, [], [], [0.0, 9.0])
    assert still.efficacy.tolist() == [numbers.initial] * 2
    assert not still.potentiation.any()
    assert not still.depression.any()
    assert not still.peak_calcium.any()
    post = [0.01 * i for i in range(20)]
    backwards = efficacies(numbers, post, post, [2.0, 0.0])
    assert backwards.efficacy[1] == numbers.initial
    assert backwards.efficacy[0] != numbers.initial


@pytest.mark.parametrize("name", NAMES)
def test_a_synapse_without_nmda_receptors_hears_nothing_of_its_presynaptic_cell(name: str) -> None:
    post = [0.02 * i for i in range(10)]
    deaf = efficacies(numbers_of(RULES[name]), post, post, [2.0], left=lambda s: 0.0)
    alone = efficacies(numbers_of(RULES[name]), [], post, [2.0])
    assert deaf.efficacy == pytest.approx(alone.efficacy, abs=1e-15)


def test_calcium_between_the_thresholds_depresses_and_above_both_potentiates() -> None:
    numbers = replace(
        numbers_of(RULES["classical"]), delay_s=0.0, presynaptic=0.0, postsynaptic=1.2
    )
    low = efficacies(numbers, [], [0.0], [1.0])
    assert low.efficacy[0] < numbers.initial
    assert low.potentiation[0] == 0
    above_s = numbers.calcium_s * math.log(1.2)
    assert low.depression[0] == pytest.approx(above_s * numbers.depression)
    high = efficacies(replace(numbers, postsynaptic=9.0), [], [0.0], [1.0])
    assert high.efficacy[0] > numbers.initial
    assert high.peak_calcium[0] == 9


def test_both_amplitudes_of_calcium_scale_together() -> None:
    whole, less = (
        numbers_of(RULES["visual_nonlinear"]),
        numbers_of(RULES["visual_nonlinear"], scale=0.6),
    )
    for name, value in vars(less).items():
        factor = 0.6 if name in ("presynaptic", "postsynaptic") else 1
        assert value == pytest.approx(factor * getattr(whole, name)), name


def free(v_mV: float, mg_mM: float) -> float:
    return 1 / (1 + mg_mM / 3.57 * math.exp(-v_mV / 16.13))


@pytest.mark.parametrize("name", NAMES)
def test_magnesium_as_in_the_experiments_behind_a_rule_changes_nothing(name: str) -> None:
    numbers, relief = numbers_of(RULES[name]), RULES[name].magnesium
    usual = in_magnesium(numbers, relief, free, float(relief.concentration))
    for field, value in vars(numbers).items():
        assert getattr(usual, field) == pytest.approx(value), field


def test_without_magnesium_a_presynaptic_spike_needs_no_partner() -> None:
    def paired(numbers: RuleNumbers) -> float:
        return numbers.presynaptic * (1 + numbers.coincidence)

    numbers, relief = numbers_of(RULES["visual_nonlinear"]), RULES["visual_nonlinear"].magnesium
    none = in_magnesium(numbers, relief, free, 0.0)
    assert none.presynaptic > 15 * numbers.presynaptic
    assert none.coincidence < numbers.coincidence / 15
    assert paired(none) == pytest.approx(paired(numbers), rel=0.15)
    more = in_magnesium(numbers, relief, free, 4.0)
    assert more.presynaptic < numbers.presynaptic / 3
