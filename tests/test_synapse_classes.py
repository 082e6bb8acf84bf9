"""What the circuit says of its synapses: classes by rate, and what would move them."""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from typing import Any

import numpy as np
import pytest
from circuit_files import ODD
from courses import LIBRARY

from plastogen.model.circuit import (
    RATE_CLASSES,
    Activity,
    Circuit,
    Drive,
    Engine,
    Learning,
    measures,
    synapse_classes,
)
from plastogen.model.circuit.synapse_classes import drift_of, followed_every, rate_groups
from plastogen.model.plasticity import CalciumRule, learner_of
from plastogen.simulation import FormulaProbe, NetworkProbe

SMALL = LIBRARY.load("circuits", "small", Circuit)
RULE = LIBRARY.load("rules", "visual_nonlinear", CalciumRule)
WINDOW: dict[str, Any] = {"seconds": 0.24, "settle_s": 0.1, "backend": "numpy"}


def learning(rng: np.random.Generator, cells: int, synapses: int) -> Learning:
    pre, post = rng.integers(0, cells, (2, synapses))
    values = rng.random((3, synapses))
    return Learning(pre, post, np.ones(synapses), np.full(synapses, 0.3), *values)


def test_groups_are_of_equal_number_and_in_the_order_of_rates() -> None:
    rng = np.random.default_rng(0)
    counts = rng.poisson(3, 99)
    groups = rate_groups(counts)
    assert np.bincount(groups).tolist() == [33, 33, 33]
    assert counts[groups == 0].max() <= counts[groups == 1].min()
    assert counts[groups == 1].max() <= counts[groups == 2].min()
    assert np.bincount(rate_groups(np.zeros(100))).max() == 34


def test_means_and_variance_are_those_of_the_synapses_of_each_class() -> None:
    rng = np.random.default_rng(1)
    found, groups = learning(rng, 12, 400), rate_groups(rng.random(12))
    groups[groups == 1] = 2  # no cell in the middle: its classes have no synapse
    drift = drift_of(found, groups, 2.0)
    moved = (found.potentiation * 0.7 - found.depression * 0.3) / 2
    for pre in range(RATE_CLASSES):
        for post in range(RATE_CLASSES):
            here = (groups[found.pre] == pre) & (groups[found.post] == post)
            k = RATE_CLASSES * pre + post
            if not here.any():
                assert [part[k] for part in drift] == [0, 0, 0]
                continue
            assert drift.potentiation[k] == pytest.approx(found.potentiation[here].mean() / 2)
            assert drift.depression[k] == pytest.approx(found.depression[here].mean() / 2)
            assert drift.variance[k] == pytest.approx(moved[here].var())


def test_as_many_synapses_are_followed_as_are_needed() -> None:
    for circuit in (SMALL, LIBRARY.load("circuits", "prefrontal", Circuit)):
        wired, cells = circuit.connection("E", "E"), circuit.populations["E"].count
        assert wired is not None
        followed = cells**2 * float(wired.probability) / followed_every(circuit)
        assert 0.7 < followed / synapse_classes.FOLLOWED < 1.5
    alone = [c for c in SMALL.connections if (c.source, c.target) != ("E", "E")]
    assert followed_every(SMALL.model_copy(update={"connections": alone})) == 1


HELD = Drive(nmda_E=0.7)


@cache
def probe() -> NetworkProbe:
    return NetworkProbe(SMALL, RULE, **WINDOW)


@cache
def answer() -> Activity:
    return probe().measure(HELD, 3)


def test_a_probe_that_counts_has_the_spikes_of_one_that_does_not() -> None:
    plain = NetworkProbe(SMALL, **WINDOW).spikes(HELD, 3)
    np.testing.assert_array_equal(answer().rate_hz, measures.rates_hz(plain)[0])
    np.testing.assert_array_equal(answer().voltage, measures.voltage_distribution(plain))
    for name in ("potentiation", "depression", "drift_variance"):
        found = getattr(answer(), name)
        assert found.shape == (RATE_CLASSES**2,)
        assert (found >= 0).all()
        assert found[-1] > 0


def test_the_share_that_is_followed_is_of_the_same_synapses_and_means_the_same() -> None:
    engine, window = Engine(SMALL, backend="numpy"), WINDOW["seconds"]
    numbers, every = probe().learner.rule, probe().learner.every  # type: ignore[union-attr]
    assert every > 1
    _, found = engine.learn(HELD, 3, numbers, seconds=window, settle_s=WINDOW["settle_s"])
    kept = (found.pre + found.post) % every == 0
    rows = {field.name: getattr(found, field.name)[kept] for field in fields(Learning)}
    groups = rate_groups(probe().pattern(3).sum(axis=0))
    drift = drift_of(Learning(**rows), groups, window)
    np.testing.assert_array_equal(answer().potentiation, drift.potentiation)
    np.testing.assert_array_equal(answer().depression, drift.depression)
    whole, part = found.depression, rows["depression"]
    error = whole.std() / np.sqrt(len(part))
    assert abs(part.mean() - whole.mean()) < 4 * error


def test_in_a_living_brain_calcium_is_less() -> None:
    numbers = learner_of(SMALL, RULE).rule
    assert numbers.postsynaptic == pytest.approx(float(RULE.in_vivo) * float(RULE.postsynaptic))


def test_the_key_of_a_network_is_that_of_its_rule_too() -> None:
    def key(rule: CalciumRule | None) -> str:
        return NetworkProbe(SMALL, rule, **WINDOW).key

    other = LIBRARY.load("rules", "visual_nonlinear", CalciumRule, overrides={"in_vivo": 0.65})
    classical = LIBRARY.load("rules", "classical", CalciumRule)
    assert len({key(rule) for rule in (None, RULE, other, classical)}) == 4
    assert key(RULE.model_copy(update={"formula": None, "title": "another"})) == key(RULE)


@pytest.mark.parametrize("name", ["shipped", "VIP", "two classes"])
def test_the_formula_is_a_power_law_of_rate_and_of_what_is_left(name: str) -> None:
    probe = FormulaProbe(ODD[name], RULE)
    law = RULE.formula
    assert law is not None
    drives = Drive(**{f"nmda_{probe.circuit.principal}": np.array([1, 0.8]), "release": 0.9})
    rest, found = probe.measure(Drive(), 1), probe.measure(drives, np.array([1, 1]))
    ratio = found.rate_hz[:, 0] / rest.rate_hz[0]
    left = np.array([0.9, 0.72])
    assert found.potentiation.shape == (2, RATE_CLASSES**2)
    for number in ("potentiation", "depression", "drift_variance"):
        row = getattr(law, number)
        wanted = ratio ** float(row.rate) * left ** float(row.left)
        base = getattr(rest, number)
        np.testing.assert_allclose(getattr(found, number), wanted[:, None] * base)
        assert base[5] == float(row.baseline["middle"]["high"])
    assert np.isnan(FormulaProbe(ODD[name]).measure(Drive(), 1).depression).all()
