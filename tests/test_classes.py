"""Whatever classes and pools a circuit has: labels, numbers, formula, emulation follow its file."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench import say
from circuit_files import LIBRARY, ODD, SMALL, TWO, VIP
from courses import KETAMINE, RULE, plan

from plastogen._base.definition import build
from plastogen.errors import InputError
from plastogen.experiment.resolve import open_experiment
from plastogen.experiment.validate import check
from plastogen.model.circuit import Circuit, Drive, Engine, rates_hz
from plastogen.runs.curves import Axes
from plastogen.runs.identity import run_id
from plastogen.runs.store import Store
from plastogen.simulation.adaptive import simulate
from plastogen.simulation.emulator import Emulator
from plastogen.simulation.lockstep import Lockstep
from plastogen.simulation.probe import FormulaProbe
from plastogen.simulation.variables import VARIABLES, variables_of

CIRCUITS = pytest.mark.parametrize("circuit", ODD.values(), ids=ODD)
TEXT = """
question: Does a circuit of one's own go all the way?
model: {subject: healthy_adult, circuit: NAME, plasticity: all}
course: {duration: 4 h, seeds: 2, method: formula}
arms:
  vehicle: {title: Vehicle}
  ketamine:
    give: {infusion: {drug: ketamine, dose: 0.5 mg/kg, route: iv, over: 40 min, at: 0 h}}
readouts:
  rate: {of: rate_hz, class: CLASS, at: 1 h}
figures: [circuit, timeline, acute]
"""


@CIRCUITS
def test_a_run_keeps_the_labels_of_its_circuit(circuit: Circuit, tmp_path: Path) -> None:
    store, here = Store(tmp_path), plan(KETAMINE, circuit=circuit, hours=2)
    store.prepare()
    course = simulate(here)
    store.write(run_id(here), here, course, {})
    kept = store.load(run_id(here))
    assert kept.labels["class"] == circuit.classes
    assert kept.labels["pool"] == tuple(circuit.pools())
    assert kept.arrays["rate_hz"].shape[1] == len(circuit.classes)
    for i in range(len(circuit.pools())):
        np.testing.assert_array_equal(kept.arrays["block"][:, i], course.arrays["block"][:, i])
        assert kept.arrays["block"][:, i].max() > 0.01
    for pool in circuit.pools():  # a resting pool has other agonist and voltage than a synaptic one
        name, _, kind = pool.partition(".")
        if kind == "rest":
            rest, busy = (list(circuit.pools()).index(p) for p in (pool, f"{name}.synaptic"))
            assert not np.array_equal(kept.arrays["block"][:, rest], kept.arrays["block"][:, busy])


@CIRCUITS
def test_a_run_has_the_variables_whose_roles_its_circuit_has(circuit: Circuit) -> None:
    here = plan(KETAMINE, circuit=circuit, hours=1)
    wanted = {name for name, v in variables_of(circuit).items() if not v.of_snapshot}
    alone, beside = simulate(here), Lockstep([here], FormulaProbe(circuit, RULE)).simulate()[0]
    for course in (alone, beside):
        assert course.arrays.keys() & VARIABLES.keys() == wanted


def test_what_needs_a_role_is_absent_without_it() -> None:
    induced = {name for name, variable in VARIABLES.items() if "course" not in variable.of}
    assert VARIABLES.keys() - variables_of(TWO).keys() == {"dissociation"} | induced
    assert "pv_output" in TWO.drive_numbers
    plain = TWO.model_copy(
        update={
            "populations": {
                **TWO.populations,
                "PV": TWO.populations["PV"].model_copy(update={"role": "other"}),
            }
        }
    )
    absent = VARIABLES.keys() - variables_of(plain).keys()
    assert absent == {"dissociation", "pv_integrity"} | induced
    assert "pv_output" not in plain.drive_numbers
    gain = {
        name: {number: slope for number, slope in own.items() if number != "pv_output"}
        for name, own in plain.formula.gain.items()
    }
    plain = plain.model_copy(update={"formula": plain.formula.model_copy(update={"gain": gain})})
    course = simulate(plan(KETAMINE, circuit=plain, hours=1))
    assert not {"dissociation", "pv_integrity"} & course.arrays.keys()


@pytest.mark.parametrize(("circuit", "count"), [(VIP, 15), (TWO, 11)], ids=["VIP", "two classes"])
def test_the_emulator_takes_as_many_numbers_and_classes_as_the_circuit(
    circuit: Circuit, count: int
) -> None:
    rng, probe = np.random.default_rng(1), FormulaProbe(circuit, RULE)
    healthy = Drive().array(circuit)
    drives = np.vstack([healthy, healthy + 0.1 * rng.random((60, count)) * (healthy > 0)])
    answers = [probe.measure(Drive.from_array(circuit, row), 1) for row in drives]
    emulator = Emulator.fit(circuit, drives, np.ones(61, np.int64), answers)
    found = emulator.measure(Drive.from_array(circuit, drives[:2]), 1)
    assert found.rate_hz.shape == (2, len(circuit.classes))
    np.testing.assert_allclose(found.rate_hz[0], answers[0].rate_hz, rtol=0.02)


def test_many_circuits_share_the_union_of_their_labels(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(TEXT.replace("NAME", "small").replace("CLASS", "E"))
    case = open_experiment(tmp_path / "mine.yaml").condition("ketamine")
    axes = Axes.of([replace(case, circuit=c) for c in (TWO, SMALL, VIP)], (), np.empty(0))
    assert axes.classes == ("E", "PV", "SST", "VIP")
    assert set(axes.pools) == set(VIP.pools())
    store, here = Store(tmp_path), plan(KETAMINE, circuit=TWO, hours=1)
    store.prepare()
    store.write(run_id(here), here, simulate(here), {})
    curves = dict(axes.curves(store.load(run_id(here))))
    assert curves["rate_hz"].shape[1] == len(axes.classes)
    assert np.isfinite(curves["rate_hz"][:, :2]).all()
    assert np.isnan(curves["rate_hz"][:, 2:]).all()
    assert np.isnan(curves["dissociation"]).all()


def test_a_drive_has_only_numbers_of_the_circuit() -> None:
    with pytest.raises(InputError, match=r"'nmda_SST'.*nmda_E"):
        Drive(nmda_SST=0.5).array(TWO)


def _tree() -> Any:
    return copy.deepcopy(LIBRARY.document("circuits", "small").tree)


FORMULA = [
    *((f"formula.{part}.{name}", (part, name)) for part in ("baseline_hz", "voltage", "gain") for name in SMALL.classes),
    *((f"formula.gain.{name}.{number}", ("gain", name, number)) for name in SMALL.classes for number in SMALL.drive_numbers if number != "inhibitory_weight"),
    *((f"decays.gaba.{name}", ("gaba", name)) for name in SMALL.inhibitory),
]  # fmt: skip


def test_every_key_of_formula_and_decays_is_missed_by_name() -> None:
    document, silent = LIBRARY.document("circuits", "small"), []
    for path, steps in FORMULA:
        for wrong in ("left out", "misspelled"):
            tree = _tree()
            node = tree["decays"] if steps[0] == "gaba" else tree["formula"]
            for step in steps[:-1]:
                node = node[step]
            value = node.pop(steps[-1])
            if wrong == "misspelled":
                node[f"{steps[-1]}x"] = value
            with pytest.raises(InputError) as caught:
                build(replace(document, tree=tree), Circuit)
            found = {p.path: p for p in caught.value.problems}
            if path not in found or found[path].found != "nothing" or not found[path].file:
                silent.append((path, wrong))
            if wrong == "misspelled" and found[f"{path}x"].nearest != steps[-1]:
                silent.append((path, "nearest"))
    assert silent == []


def _experiment(folder: Path, circuit: str, readout: str) -> Path:
    (folder / "models").symlink_to(Path(__file__).parent / "models")
    path = folder / "mine.yaml"
    path.write_text(TEXT.replace("NAME", circuit).replace("rate_hz, class: CLASS", readout))
    return path


def test_a_readout_of_a_class_or_role_the_circuit_lacks_is_an_error_at_check(
    tmp_path: Path,
) -> None:
    path = _experiment(tmp_path, "two_classes", "rate_hz, class: SST")
    with pytest.raises(InputError, match=r"readouts\.rate\.class: found 'SST'.*one of E, PV"):
        check(open_experiment(path))
    path.write_text(path.read_text().replace("rate_hz, class: SST", "dissociation"))
    with pytest.raises(InputError, match="no class of the circuit is dendritic"):
        check(open_experiment(path))


@pytest.mark.parametrize(("name", "last"), [("vip", "VIP"), ("two_classes", "PV")])
def test_a_circuit_of_ones_own_goes_all_the_way(
    name: str, last: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Check, run, figures, report and export."""
    _experiment(tmp_path, name, f"rate_hz, class: {last}")
    monkeypatch.chdir(tmp_path)
    for words in (
        ("check", "mine"),
        ("run", "mine"),  # which draws, and writes the report
        ("export", "mine"),
    ):
        done = say(*words)
        assert done.exit_code == 0, f"{words}: {done.output}"
        assert "could not be drawn" not in done.output
    drawn = {path.stem for path in (tmp_path / "results/mine/figures").glob("*.png")}
    assert drawn == {"circuit", "timeline", "acute"}
    assert last in (tmp_path / "results/mine/report.html").read_text()


@pytest.mark.network
@pytest.mark.parametrize(
    ("circuit", "backend"), [(VIP, "cpp"), (TWO, "numpy")], ids=["VIP-cpp", "two classes-numpy"]
)
def test_every_class_fires_in_the_network(circuit: Circuit, backend: str) -> None:
    found = Engine(circuit, backend=backend).run(Drive(), 1, seconds=2, settle_s=0.3)
    assert found.classes == circuit.classes
    assert (rates_hz(found)[0] > 0.5).all()
