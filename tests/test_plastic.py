"""Synapses of the network that follow a calcium rule: Brian2 against the rule itself."""

from __future__ import annotations

from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import plastogen
from plastogen._base.library import Library
from plastogen.model.circuit import Circuit, Drive, Engine, RuleNumbers, Spikes, packed, plastic
from plastogen.model.circuit.plastic import Learner, Learning
from plastogen.model.circuit.program import baked, program_key
from plastogen.model.plasticity.calcium_rule import CalciumRule, efficacies, numbers_of

SMALL = Library().load("circuits", "small", Circuit)
SECONDS, SETTLE, LEFT = 0.6, 0.2, 0.63
HELD = Drive(nmda_E=0.7, release=0.9)


def rule(name: str, scale: float = 1) -> RuleNumbers:
    return numbers_of(Library().load("rules", name, CalciumRule), scale=scale)


@pytest.mark.parametrize("name", ["visual_nonlinear", "classical"])
def test_synapses_between_random_trains_end_where_the_rule_says(name: str) -> None:
    """Weights and calcium in double: 1e-6, and in fact the last digits."""
    import brian2 as b2

    b2.prefs.codegen.target = "numpy"
    numbers, step_s, n, end_s = rule(name), 5e-4, 12, 0.5
    rng = np.random.default_rng(4)
    steps = [rng.permutation(np.arange(1, 900))[:50] for _ in range(n)]
    pre, post = ([np.sort(s[part]) * step_s for s in steps] for part in (slice(30), slice(30, 50)))

    def cells(trains: list[np.ndarray], called: str) -> Any:
        who = np.repeat(np.arange(n), [len(train) for train in trains])
        times = np.concatenate(trains) * b2.second
        return b2.SpikeGeneratorGroup(n, who, times, dt=step_s * b2.second, name=called)

    b2.defaultclock.dt = step_s * b2.second
    before, behind = cells(pre, "before"), cells(post, "behind")
    compiled = Learner(numbers, live=True).baked(1000 * step_s)
    made = plastic.synapses(before, behind, **compiled)
    made.connect(j="i")
    shared = plastic.values(numbers, left=1, from_s=0)
    for field, value in {**shared, **plastic.initial(numbers.initial)}.items():
        made.variables[field].set_value(value)
    b2.Network(before, behind, made).run(end_s * b2.second)
    inside = {name: np.array(made.variables[name].get_value()) for name in plastic.KEPT}
    found = plastic.learned(inside, shared, end_s, live=True)
    late = replace(numbers, delay_s=compiled["calcium_delay_ms"] / 1000)
    for k in range(n):
        arrives = pre[k][pre[k] + late.delay_s < end_s - step_s / 2]
        wanted = efficacies(late, arrives, post[k] + step_s * 1e-6, [end_s])
        assert found.efficacy[k] == pytest.approx(wanted.efficacy[0], abs=1e-6)
        assert found.potentiation[k] == pytest.approx(wanted.potentiation[0], abs=1e-6)
        assert found.depression[k] == pytest.approx(wanted.depression[0], abs=1e-6)
    assert np.ptp(found.efficacy) > 1e-3


def follows(found: Learning, spikes: Spikes, numbers: RuleNumbers, left: float) -> None:
    """Whether synapses are where the rule takes them by these spikes, from the first on, and every
    second of them is counted.
    """
    step_s, end_s = float(SMALL.step) / 1000, spikes.seconds
    late_s = step_s * round(numbers.delay_s / step_s)
    moving = [*np.argsort(-found.potentiation)[:15], *range(0, len(found.pre), 999)]
    for k in moving:
        pre = spikes.t_s[spikes.i == found.pre[k]] + late_s
        post = spikes.t_s[spikes.i == found.post[k]] + step_s * 1e-6  # calcium is there before
        pre = pre[pre < end_s - step_s / 2]
        still = replace(numbers, delay_s=0)
        wanted = efficacies(still, pre, post, [end_s], left=lambda s: left)
        for name in ("efficacy", "potentiation", "depression"):
            assert getattr(found, name)[k] == pytest.approx(getattr(wanted, name)[0], abs=1e-6)
    assert found.potentiation.max() > 0.01
    assert found.efficacy.std() > 1e-4


@cache
def plain() -> Spikes:
    engine = Engine(SMALL, backend="numpy")
    return engine.run(HELD, 3, seconds=SECONDS + SETTLE, settle_s=0, synapses=True)


def test_a_network_that_learns_has_the_spikes_and_synapses_of_one_that_does_not() -> None:
    options = {"seconds": SECONDS, "settle_s": SETTLE}
    spikes, found = Engine(SMALL, backend="numpy").learn(HELD, 3, rule("classical"), **options)
    late = plain().t_s >= SETTLE
    np.testing.assert_allclose(spikes.t_s, plain().t_s[late] - SETTLE)
    np.testing.assert_array_equal(spikes.i, plain().i[late])
    pairs = plain().synapses
    assert pairs is not None
    between = (pairs < SMALL.populations[SMALL.principal].count).all(axis=0)
    np.testing.assert_array_equal(pairs[:, between], [found.pre, found.post])
    assert (found.efficacy == rule("classical").initial).all()  # frozen
    numbers = replace(rule("classical"), delay_s=0)
    k = int(np.argmax(found.depression))
    pre = plain().t_s[plain().i == found.pre[k]] + 0.0045
    post = plain().t_s[plain().i == found.post[k]] + 1e-9
    looks = [SETTLE, SETTLE + SECONDS]
    wanted = efficacies(numbers, pre[pre < looks[1] - 1e-6], post, looks, left=lambda s: LEFT)
    assert found.depression[k] == pytest.approx(np.diff(wanted.depression)[0], abs=1e-6)


def test_sizes_are_heard_synapse_by_synapse_while_they_learn() -> None:
    """All sizes 1.25 are 1.25 times the strength between principal cells."""
    _sizes_while_learning("numpy")


@pytest.mark.slow
@pytest.mark.network
def test_the_compiled_network_learns_as_the_rule_says() -> None:
    _sizes_while_learning("cpp")


def _sizes_while_learning(backend: str) -> None:
    engine, numbers = Engine(SMALL, backend=backend), rule("visual_nonlinear", 0.8)
    options: dict[str, Any] = {"seconds": SECONDS, "settle_s": 0.0}
    spikes, found = engine.learn(HELD, 3, numbers, size=1.25, live=True, **options)
    follows(found, spikes, numbers, LEFT)
    assert (found.size == 1.25).all()
    strong = engine.run(HELD.changed(recurrent=1.25), 3, **options)
    usual = engine.run(HELD, 3, **options)
    early = {
        name: one.i[one.t_s < 0.1].tolist()
        for name, one in zip("abc", (spikes, strong, usual), strict=True)
    }
    assert early["a"] == early["b"] != early["c"]  # later, rounding has grown


def test_on_request_a_synapse_transmits_by_its_efficacy() -> None:
    """Efficacies of 0.6 where the rule's own is 0.5 are sizes of 1.2; live ones move what follows."""
    engine, numbers = Engine(SMALL, backend="numpy"), rule("visual_nonlinear")
    options: dict[str, Any] = {"seconds": 0.15, "settle_s": 0.0}
    plain, unheard = engine.learn(HELD, 3, numbers, efficacy=0.6, size=1.1, **options)
    sized, _ = engine.learn(HELD, 3, numbers, efficacy=0.6, size=1.1 * 1.2, **options)
    heard, found = engine.learn(
        HELD, 3, numbers, efficacy=0.6, size=1.1, conductance=True, **options
    )
    early = sized.t_s < 0.1  # later, rounding has grown
    np.testing.assert_array_equal(heard.i[: early.sum()], sized.i[early])
    assert plain.i[: early.sum()].tolist() != sized.i[early].tolist()
    np.testing.assert_allclose(found.size, unheard.size)
    assert (found.efficacy == 0.6).all()
    live, moved = engine.learn(
        HELD, 3, numbers, efficacy=0.6, size=1.1, conductance=True, live=True, **options
    )
    assert moved.efficacy.std() > 0
    assert len(live.t_s)


PART = """#include "objects.h"
    double* __restrict  _ptr_array_P_seen = _array_P_seen;
    double* __restrict  _ptr_array_P_let_in = _array_P_let_in;
        const size_t _vectorisation_idx = _idx;
        double seen = _ptr_array_P_seen[_idx] + _ptr_array_P_let_in[_idx];
"""


def test_states_of_a_synapse_lie_side_by_side_or_nothing_is_compiled(tmp_path: Path) -> None:
    (tmp_path / "code_objects").mkdir()
    parts = [tmp_path / "code_objects" / f"P_{name}_codeobject.cpp" for name in ("post", "calcium")]
    for path in parts:
        path.write_text(PART)
    (tmp_path / "main.cpp").write_text("int main(int argc) {\n  network.run(1.0, NULL, 10.0);\n}")
    packed.pack(tmp_path)
    place, size = packed.STATES.index("seen"), len(packed.STATES)
    assert f"_ptr_array_P_seen = brian::_packed_P + {place};" in parts[0].read_text()
    assert f"_ptr_array_P_seen[{size}*_idx] + _ptr_array_P_let_in[_idx]" in parts[1].read_text()
    with pytest.raises(RuntimeError, match="0 parts packed"):
        packed.pack(tmp_path)


def test_a_program_is_named_after_how_its_synapses_learn() -> None:
    numbers = rule("classical")
    learners = [
        None,
        Learner(numbers),
        Learner(numbers, live=True),
        Learner(numbers, sized=True),
        Learner(numbers, follows=True),
    ]
    keys = {program_key(SMALL, learner) for learner in learners}
    assert len(keys) == len(learners)
    other = replace(numbers, presynaptic=3.0, threshold=2.0)
    assert program_key(SMALL, Learner(other)) == program_key(SMALL, Learner(numbers))
    assert "learner" not in baked(SMALL)


EXPERIMENT = """
question: What would become of synapses?
model: {subject: healthy_rat, circuit: small}
course: {duration: 2 h, seeds: 1, method: formula, settle: 100 ms}
arms:
  plain: {}
readouts:
  weight_1h: {of: weight, at: 1 h}
"""


def test_weights_are_written_and_read_by_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("plastogen.publish.network.Engine", partial(Engine, backend="numpy"))
    Path("mine.yaml").write_text(EXPERIMENT)
    plastogen.run("mine", figures=False)
    outcome, lines = plastogen.open_outcome("mine"), list[str]()

    def ask(**options: Any) -> Any:
        options = {"rule": "visual_nonlinear", "seconds": 0.2, "say": lines.append, **options}
        return outcome.network("plain", 1, "1 h", **options)

    first = ask(live=True)
    assert first.learning is not None
    first.write_weights("w.npz")
    again = ask(weights="w.npz").learning
    np.testing.assert_array_equal(again.efficacy, first.learning.efficacy)
    assert again.efficacy.std() > 0
    for asked in ({"live": True}, {"weights": "w.npz"}, {"conductance": True}):
        with pytest.raises(plastogen.InputError, match="a rule beside it"):
            ask(rule=None, **asked)
    with pytest.raises(plastogen.InputError, match="nearest valid name: classical"):
        ask(rule="clasical")
    with pytest.raises(plastogen.InputError, match="a file of write_weights"):
        ask(weights="none.npz")
    with pytest.raises(plastogen.InputError, match="wanted the name of a rule"):
        ask(rule=None).write_weights("v.npz")
    np.savez("cut.npz", **{k: x[:5] for k, x in np.load("w.npz").items()})
    with pytest.raises(plastogen.InputError, match="weights of this circuit and seed"):
        ask(weights="cut.npz")
