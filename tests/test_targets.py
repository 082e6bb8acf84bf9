"""The table of targets: every one moves the variable it names, in every way a course is followed."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from circuit_files import LIBRARY, ODD, SMALL, TWO, VIP
from courses import RULE, answering, plan

from plastogen._base.definition import build
from plastogen._base.document import read_text
from plastogen._base.quantity import Quantity
from plastogen.errors import InputError
from plastogen.experiment.resolve import open_experiment
from plastogen.experiment.validate import check
from plastogen.model.circuit import Circuit
from plastogen.model.pharmacology.drug import Drug
from plastogen.model.pharmacology.nmda_block import SUBUNITS
from plastogen.model.pharmacology.regimen import Treatment
from plastogen.model.pharmacology.subject import Subject
from plastogen.model.pharmacology.targets import TARGETS, by_pool, effect_paths, target
from plastogen.model.pharmacology.treated_subject import TreatedSubject
from plastogen.model.plasticity.definition import Plasticity
from plastogen.simulation.adaptive import simulate
from plastogen.simulation.coupling import reaches, targets_of
from plastogen.simulation.course import Course, Plan
from plastogen.simulation.lockstep import Lockstep
from plastogen.simulation.probe import FormulaProbe
from plastogen.simulation.variables import VARIABLES

HOURS, LATE = 0.1, 0.09
START = {"mtorc1": 2.0}  # at rest no new protein is made, and none can be taken away
HELD = {"tool": {"drug": "tool", "occupancy": 0.5, "at": "0 h", "for": "1 h"}}
ADULT = LIBRARY.load("subjects", "healthy_adult", Subject)
ALL = LIBRARY.load("plasticity", "all", Plasticity)
KETAMINE = LIBRARY.load("drugs", "ketamine", Drug)


def number(value: float | str) -> dict[str, Any]:
    return {"value": value, "source": "constructed", "evidence": "constructed", "note": "a tool"}


def tool(**emax: float) -> Drug:
    targets = {name.replace("__", "."): {"emax": number(x)} for name, x in emax.items()}
    return Drug.model_validate({"title": "A tool", "targets": targets})


def held(name: str, emax: float) -> Plan:
    drugs = {"tool": tool(**{name.replace(".", "__"): emax})}
    return plan(HELD, hours=HOURS, start_h=-0.01, circuit=answering(), drugs=drugs, start=START)


def followed(one: Plan) -> dict[str, Course]:
    """The course in each way it can be followed."""
    probe = FormulaProbe(one.circuit, RULE)
    batch = Lockstep([replace(one, seed=2), one], probe).simulate()
    return {
        "direct": simulate(one),
        "emulated": Lockstep([one], probe).simulate()[0],
        "emulated, in a batch": batch[1],
    }


def test_every_target_moves_the_variable_it_names_up_and_down_in_every_way() -> None:
    untouched = followed(plan({}, hours=HOURS, start_h=-0.01, circuit=answering(), start=START))
    offenders = []
    for name in targets_of(answering()):
        row = target(name)
        signs = (-1, 1) if row.kind == "factor" else (1,)
        found = {sign: followed(held(name, sign * 0.8)) for sign in signs}
        for way in untouched:
            ends = [
                course[way].arrays[row.moves][np.searchsorted(course[way].t_h, LATE)]
                for course in (untouched, *found.values())
            ]
            for one, other in combinations(ends, 2):
                if np.abs(one - other).max() < 1e-7 * np.abs(one).max():
                    offenders.append(f"{name}, {way}: {row.moves} does not differ from {one}")
        for courses in found.values():
            alone, batch = courses["emulated"].arrays, courses["emulated, in a batch"].arrays
            if any(not np.array_equal(alone[key], batch[key]) for key in alone):
                offenders.append(f"{name}: other bits in a batch")
    assert offenders == []


def test_what_a_target_names_is_a_variable_and_the_bounds_leave_room() -> None:
    assert {row.moves for row in TARGETS.values()} <= set(VARIABLES)
    for name in targets_of(SMALL):
        row = target(name)
        assert row.base in (0, 1)
        assert row.most > 1 or row.kind == "addition"


@pytest.mark.parametrize("circuit", [*ODD.values(), VIP, TWO])
def test_the_targets_of_a_circuit_are_those_that_reach_it(circuit: Circuit) -> None:
    """A pool at rest is heard where it stands on principal cells; all else is felt by some cell."""
    silent = [name for name in targets_of(circuit) if not reaches(circuit, ALL, name)]
    principal = f"nmdar.{circuit.principal}.rest"
    assert all(name.endswith(".rest") and name != principal for name in silent)


def test_factors_multiply_and_shares_add_independently() -> None:
    drugs = {"a": tool(ampa=-0.5, silence=0.4), "b": tool(ampa=1, silence=0.4)}
    given = {
        name: Treatment.model_validate({"drug": name, "occupancy": 0.5, "at": "0 h", "for": "1 h"})
        for name in drugs
    }
    found = TreatedSubject(ADULT, drugs, given).targets(np.array([-1.0, 0.5]))
    np.testing.assert_allclose(found["ampa"], [1, 0.75 * 1.5])
    np.testing.assert_allclose(found["silence"], [0, 1 - 0.8 * 0.8])


POOLS = answering().pools()


@pytest.mark.parametrize("metabolites", [True, False])
def test_the_targets_that_are_named_are_those_that_have_a_value(metabolites: bool) -> None:
    for name in LIBRARY.names("drugs"):
        drugs = {name: LIBRARY.load("drugs", name, Drug)}
        one = TreatedSubject(ADULT, drugs, {}, metabolites=metabolites, pools=POOLS)
        assert one.target_names == tuple(one.targets(np.array([0.0, 1.0]))), name


def left(drug: str, brain: str, subject: Subject = ADULT) -> dict[str, float]:
    """Pool -> what an unbound concentration of a drug that ships leaves of it, at once."""
    bath = {"drug": drug, "brain": brain, "at": "0 h", "for": "1 h"}
    given = {"bath": Treatment.model_validate(bath)}
    drugs = {drug: LIBRARY.load("drugs", drug, Drug)}
    found = TreatedSubject(subject, drugs, given, pools=POOLS).targets(np.array([0.0]))
    assert found.keys() <= {f"nmdar.{pool}" for pool in POOLS}
    return {pool: float(found[f"nmdar.{pool}"][0]) for pool in POOLS if f"nmdar.{pool}" in found}


@pytest.mark.parametrize(
    ("drug", "ki"),
    [("cpp", (0.041, 0.27, 0.63, 1.99)), ("d_ap5", (0.28, 0.46, 1.6, 3.7))],
)
def test_a_competitive_antagonist_takes_its_place_at_once_and_without_opening(
    drug: str, ki: tuple[float, ...]
) -> None:
    """C/(C + Ki) of the receptors with each subunit: a pool at rest loses as much as one in use."""
    found = left(drug, "0.5 uM")
    for pool, mix in POOLS.items():
        shares = [mix.get(name, 0.0) for name in SUBUNITS]
        wanted = sum(share * k / (k + 0.5) for share, k in zip(shares, ki, strict=True))
        assert found[pool] == pytest.approx(wanted, rel=1e-9)
    assert found["E.rest"] == found["E.synaptic"]


def test_a_glun2b_antagonist_takes_what_a_pool_has_of_glun2b() -> None:
    found = left("ro_25_6981", "1 uM")
    taken = 0.9 * 1 / (1 + 0.009)
    for pool, mix in POOLS.items():
        assert found[pool] == pytest.approx(1 - taken * mix["GluN2B"], rel=1e-9)
    rich = ADULT.model_copy(update={"glun2b": Quantity(1.5, "1", "1.5")})
    assert left("ro_25_6981", "1 uM", rich)["E.rest"] == pytest.approx(1 - taken * 0.6)


def test_a_potentiator_raises_receptors_of_interneurons_alone() -> None:
    found = left("ciq", "2.8 uM")
    assert not any(pool.startswith("E.") for pool in found)
    assert found["SST.tonic"] == pytest.approx(1 + 0.5 * 0.35)


def test_effects_on_subunits_and_on_a_pool_multiply() -> None:
    values = {"nmdar.GluN2B": 0.5, "nmdar.GluN2A": 0.0, "nmdar.p": 0.8, "ampa": 0.3}
    found = by_pool(values, {"p": {"GluN2A": 0.25, "GluN2B": 0.75}, "q": {"GluN2D": 1.0}})
    assert found == pytest.approx({"nmdar.p": 0.8 * 0.375, "ampa": 0.3})


@pytest.mark.parametrize(
    "wrong", ["nmdar.GluN2E", "nmdar.GluN2b", "nmdar.glun2b", "nmdar.GluN2B.x"]
)
def test_a_subunit_that_is_none_is_refused_with_those_that_are(wrong: str) -> None:
    with pytest.raises(InputError, match="nmdar.GluN2B"):
        build(read_text(f"title: x\ntargets:\n  {wrong}: {{emax: {number(-1)}}}", "drug"), Drug)


def test_a_metabolite_acts_as_its_parent_does() -> None:
    half = 1.5
    effects = {
        "ketamine": {"emax": number(-0.4), "half": number("10 uM")},
        "hnk": {"emax": number(0.6), "half": number(f"{half} uM")},
    }
    tree = KETAMINE.model_dump(mode="python") | {"targets": {"ampa": effects}}
    drug = KETAMINE.model_copy(update={"targets": Drug.model_validate(
        {"title": "x", "species": {n: {"molar_mass": number("200 g/mol")} for n in effects},
         "targets": tree["targets"]}).targets})  # fmt: skip
    dose = {"drug": "ketamine", "dose": "0.5 mg/kg", "route": "iv", "at": "0 h"}
    given, t = {"dose": Treatment.model_validate(dose)}, np.array([0.5, 4.0, 12.0])
    both = TreatedSubject(ADULT, {"ketamine": drug}, given)
    brain = both.concentrations(t).brain_uM
    k, h = brain["ketamine"], brain["hnk"]
    assert (h > 0).all()
    wanted = (1 - 0.4 * k / (k + 10)) * (1 + 0.6 * h / (h + half))
    np.testing.assert_allclose(both.targets(t)["ampa"], wanted)
    alone = TreatedSubject(ADULT, {"ketamine": drug}, given, metabolites=False)
    np.testing.assert_allclose(alone.targets(t)["ampa"], 1 - 0.4 * k / (k + 10))


def test_an_effect_is_named_where_it_is_written() -> None:
    effect = tool(ampa=-0.5).targets["ampa"]
    assert effect_paths("ampa", effect, "ketamine") == {"ketamine": "targets.ampa"}
    written = {"ketamine": effect}
    assert effect_paths("ampa", written, "ketamine") == {"ketamine": "targets.ampa.ketamine"}


EXPERIMENT = """
question: What does a target do?
model: {subject: healthy_adult, circuit: CIRCUIT, plasticity: all}
course: {duration: 2 h, seeds: 1, method: formula}
arms:
  vehicle: {title: Vehicle}
  one: {give: {tool: {drug: tool, occupancy: 0.5, at: 0 h, for: 1 h}}}
  two: {extends: one, give: {other: {drug: other, occupancy: 0.5, at: 0 h, for: 1 h}}}
"""
TOOL = "title: A tool\ntargets: {TARGET: {emax: {value: EMAX, source: assumed, evidence: assumed, note: a}}}\n"


def faults(folder: Path, target: str, emax: float, *, circuit: str = "small") -> str:
    """What `check` says of an experiment whose two tools have this target, "" if all is well."""
    (folder / "models" / "drugs").mkdir(parents=True)
    for name in ("tool", "other"):
        text = TOOL.replace("TARGET", target).replace("EMAX", str(emax))
        (folder / "models" / "drugs" / f"{name}.yaml").write_text(text)
    if circuit != "small":
        source = Path(__file__).parent / "models" / "circuits" / f"{circuit}.yaml"
        (folder / "models" / "circuits").mkdir()
        (folder / "models" / "circuits" / f"{circuit}.yaml").write_text(source.read_text())
    (folder / "mine.yaml").write_text(EXPERIMENT.replace("CIRCUIT", circuit))
    try:
        check(open_experiment(folder / "mine.yaml"))
    except InputError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("target", "emax", "circuit", "said"),
    [
        ("nmdar.VIP.synaptic", -1, "small", ["drugs/tool.yaml", "targets.nmdar.VIP.synaptic", "nmdar.PV.synaptic"]),
        ("nmdar.VIP.synaptic", -1, "vip", []),
        ("nmdar.SST.tonic", 0.5, "two_classes", ["does nothing in the circuit of", "nmdar.PV.tonic"]),
        ("ampa", 1, "small", ["arms.two", "take ampa to 4 times", "at most 3"]),
        ("ampa", 0.5, "small", []),
        ("bdnf", -1, "small", []),
    ],
)  # fmt: skip
def test_check_refuses_what_does_nothing_and_what_goes_too_far(
    target: str, emax: float, circuit: str, said: list[str], tmp_path: Path
) -> None:
    found = faults(tmp_path, target, emax, circuit=circuit)
    assert bool(found) == bool(said), found
    assert [words for words in said if words not in found] == []
