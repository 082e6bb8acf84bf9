"""Sites of `switches.block` are those of the circuit at hand: each scales its own pools, in words of
that circuit, and a site that it has not is refused.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from bench import FORMULA
from circuit_files import ODD

import plastogen
from plastogen.errors import InputError
from plastogen.experiment import open_experiment
from plastogen.model.circuit import Circuit
from plastogen.publish.report.methods import given_text
from plastogen.simulation.switches import Switches, block_sites

HERE = Path(__file__).parent


@pytest.mark.parametrize("name", ODD)
def test_every_site_scales_its_own_pools_and_every_pool_has_a_site(name: str) -> None:
    circuit, scaled = ODD[name], set[str]()
    for site in block_sites(circuit):
        switches = Switches.model_validate({"block": {site: 0.5}})
        own = {pool for pool in circuit.pools() if switches.block_factor(pool) != 1}
        word, _, cls = site.partition("_")
        wanted = {
            pool
            for pool in circuit.pools()
            if pool == f"{site}.synaptic"
            or (
                word in ("tonic", "rest")
                and pool.endswith(f".{word}")
                and cls in ("", pool[: -len(word) - 1])
            )
        }
        assert own == wanted != set(), site
        scaled |= own
    assert scaled == set(circuit.pools())
    both = Switches.model_validate({"block": {"tonic": 0.5, "tonic_E": 0.5}})
    assert both.block_factor("E.tonic") == 0.25


def test_a_pool_beside_the_classes_is_a_site_by_its_own_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Such as that of a habenula, which is no class of cells of the microcircuit."""
    (circuit, *_) = ODD.values()
    pools = circuit.pools() | {"habenula.synaptic": {"GluN2B": 1.0}}
    monkeypatch.setattr(Circuit, "pools", lambda self: pools)
    assert block_sites(circuit)["habenula"] == "habenula"
    switches = Switches.model_validate({"block": {"habenula": 0.5}})
    assert {pool for pool in pools if switches.block_factor(pool) != 1} == {"habenula.synaptic"}


def test_a_factor_of_one_changes_nothing_not_even_the_name_of_a_run() -> None:
    told = Switches.model_validate({"block": {"E": 1, "SST": 0}})
    assert told.essential() == Switches.model_validate({"block": {"SST": 0}})


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with circuits of other classes."""
    shutil.copytree(HERE / "models", tmp_path / "models")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(circuit: str, switches: str = "{}", more: str = "") -> str:
    text = FORMULA.replace("circuit: small", f"circuit: {circuit}")
    Path("mine.yaml").write_text(f"{text}switches: {switches}\n{more}")
    return "mine"


def test_a_class_of_any_circuit_is_a_site_of_it(lab: Path) -> None:
    name = written("vip", "{block: {VIP: 0, tonic_VIP: 0.5}}")
    plastogen.check(name)
    condition = open_experiment(name).condition("ketamine")
    factors = {pool: condition.setting.switches.block_factor(pool) for pool in ODD["VIP"].pools()}
    assert (factors["VIP.synaptic"], factors["VIP.tonic"], factors["E.tonic"]) == (0, 0.5, 1)
    assert given_text(condition)[-2:] == [
        "no block on VIP",
        "block on tonic receptors of VIP × 0.5",
    ]
    plastogen.check(written("vip", more="sweep: {switches.block.tonic_VIP: [0, 1]}\n"))
    plastogen.check(written("vip"), set={"switches.block.VIP": 0})


@pytest.mark.parametrize(
    ("circuit", "switches", "more", "place", "near"),
    [
        ("two_classes", "{block: {SST: 0}}", "", "switches.block.SST", None),
        ("small", "{block: {tonic_PVV: 0}}", "", "switches.block.tonic_PVV", "tonic_PV"),
        ("small", "{}", "sweep: {switches.block.VIP: [0, 1]}\n", "sweep.switches.block.VIP", None),
        ("small", "{}", "sweep: {arms.early.switches.block.STS: [0, 1]}\n",
         "sweep.arms.early.switches.block.STS", "arms.early.switches.block.SST"),
        ("small", "{block: {SST: 0}}", "sweep: {model.circuit: [small, two_classes]}\n",
         "switches.block.SST", None),
    ],
)  # fmt: skip
def test_a_site_that_the_circuit_has_not_is_refused(
    lab: Path, circuit: str, switches: str, more: str, place: str, near: str | None
) -> None:
    with pytest.raises(InputError) as refused:
        plastogen.check(written(circuit, switches, more))
    (problem,) = refused.value.problems
    assert (problem.path, problem.nearest) == (place, near)
    assert problem.wanted.startswith("a site of the circuit: E, PV")


def test_a_state_of_cells_that_the_circuit_has_not_is_no_start(lab: Path) -> None:
    two = Path("models/circuits/two_classes.yaml").read_text()
    two = re.sub(r"pv_output: {[^}]*}, ", "", two.replace("role: perisomatic", "role: other"))
    Path("models/circuits/no_pv.yaml").write_text(two)
    text = FORMULA.replace("seeds: 2", "seeds: 2, start: {pv_integrity: 0.9, weight: 1.1}")
    for circuit, ends in (("two_classes", ""), ("no_pv", "E, PV, none of them perisomatic")):
        Path("mine.yaml").write_text(text.replace("circuit: small", f"circuit: {circuit}"))
        if not ends:
            plastogen.check("mine")
            continue
        with pytest.raises(InputError, match=ends) as refused:
            plastogen.check("mine")
        assert [p.path for p in refused.value.problems] == ["course.start.pv_integrity"]


def test_a_site_of_no_circuit_is_refused_in_an_arm_and_on_the_command_line(lab: Path) -> None:
    with pytest.raises(InputError, match=r"--set at switches\.block\.EE: found 'EE'"):
        plastogen.check(written("small"), set={"switches.block.EE": 0})
    name = written("small")
    text = (
        Path("mine.yaml")
        .read_text()
        .replace("vehicle: {}", "vehicle: {set: {switches.block.X1: 0}}")
    )
    Path("mine.yaml").write_text(text)
    with pytest.raises(InputError, match=r"arms\.vehicle\.set\.switches\.block\.X1"):
        plastogen.check(name)
