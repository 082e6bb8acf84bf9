"""Drugs and subjects that ship, what may be given to whom, effects on targets, and row 7 of the
evidence table.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from plastogen._base.definition import build, quantities
from plastogen._base.document import Document, read_text
from plastogen._base.library import Library
from plastogen.errors import InputError
from plastogen.model.circuit import Circuit
from plastogen.model.pharmacology.block_kinetics import BlockKinetics, Pool
from plastogen.model.pharmacology.drug import Drug, check_treatment, exposure, held_occupancy
from plastogen.model.pharmacology.kinetics import Exposure
from plastogen.model.pharmacology.nmda_block import (
    SUBUNITS,
    occupancy_readout,
    unblocking_rate,
)
from plastogen.model.pharmacology.regimen import Input, Treatment
from plastogen.model.pharmacology.subject import Subject
from plastogen.model.pharmacology.treated_subject import TreatedSubject

LIBRARY = Library()
DRUGS = {name: LIBRARY.load("drugs", name, Drug) for name in LIBRARY.names("drugs")}
SUBJECTS = {name: LIBRARY.load("subjects", name, Subject) for name in LIBRARY.names("subjects")}
TOOLS = {
    "nbqx": "ampa", "rapamycin": "mtorc1", "anti_bdnf": "bdnf", "gaba_antagonist": "gaba",
    "release_reducer": "release", "spike_silencer": "silence",
}  # fmt: skip
INFUSION = "{drug: ketamine, dose: 0.5 mg/kg, route: iv, over: 40 min}"
ADULT = SUBJECTS["healthy_adult"]
MAGNESIUM = LIBRARY.load("circuits", "prefrontal", Circuit).magnesium


def give(text: str) -> Treatment:
    return build(read_text(text, "treatment"), Treatment)


def number(value: str) -> dict[str, str]:
    return {"value": value, "source": "assumed", "evidence": "assumed", "note": "a test"}


def test_row_7_occupancy() -> None:
    t = np.linspace(0, 4, 241)
    found = exposure(DRUGS["ketamine"], ADULT, [give(INFUSION)])
    assert found is not None
    half = DRUGS["ketamine"].actions.occupancy_half
    assert half is not None
    occupancy = occupancy_readout(found.at(t).brain_uM["ketamine"], float(half))
    assert 0.2 < occupancy.max() < 0.35
    assert (occupancy[t >= 2] < 0.1).all()


def test_every_source_is_a_reference() -> None:
    known = {*LIBRARY.references(), "assumed", "computed", "constructed"}
    for model in (*DRUGS.values(), *SUBJECTS.values()):
        for path, quantity in quantities(model):
            assert quantity.source in known, path


@pytest.mark.parametrize("name", ["ketamine", "memantine", "mk801", "ssri"])
@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_drug_reaches_the_brain_of_every_subject_by_every_route(name: str, subject: str) -> None:
    drug, who = DRUGS[name], SUBJECTS[subject]
    kinetics = drug.kinetics_for(who.species, who.kinetics)
    assert kinetics is not None
    for route in kinetics.routes:
        treatment = give(f"{{drug: {name}, dose: 1 mg/kg, route: {route}}}")
        assert check_treatment(drug, who, treatment) == ()
        found = exposure(drug, who, [treatment])
        assert found is not None
        assert found.at(1.0).brain_uM[name] > 0


@pytest.mark.parametrize(("name", "target"), TOOLS.items())
def test_a_tool_drug_has_one_target_and_no_kinetics(name: str, target: str) -> None:
    drug = DRUGS[name]
    assert (list(drug.targets), drug.kinetics, drug.parent) == ([target], {}, None)
    held = give(f"{{drug: {name}, occupancy: 0.9, at: -30 min, for: 4 h}}")
    assert check_treatment(drug, ADULT, held) == ()
    assert exposure(drug, ADULT, [held]) is None
    t = np.array([-0.51, -0.5, 0.0, 3.49, 3.5])
    np.testing.assert_allclose(held_occupancy([held], t), [0, 0.9, 0.9, 0.9, 0])
    (fault,) = check_treatment(drug, ADULT, give(f"{{drug: {name}, dose: 1 mg, route: iv}}"))
    assert fault.at == "dose"
    assert "tool drug without kinetics" in fault.found
    assert "occupancy: 0.9" in fault.wanted
    (fault,) = check_treatment(drug, ADULT, give(f"{{drug: {name}, brain: 1 uM, for: 1 h}}"))
    assert (fault.at, "occupancy" in fault.wanted) == ("brain", True)


@pytest.mark.parametrize(
    ("drug", "subject", "treatment", "at", "said", "near"),
    [
        (
            "ketamine",
            "healthy_adult",
            "{drug: ketamine, dose: 1 mg, route: i.v.}",
            "route",
            "one of iv, im, oral",
            "iv",
        ),
        (
            "ketamine",
            "healthy_mouse",
            "{drug: ketamine, dose: 1 mg, route: oral}",
            "route",
            "one of ip, sc",
            None,
        ),
        (
            "ketamine",
            "healthy_adult",
            "{drug: ketamine, occupancy: 0.5, for: 1 h}",
            "occupancy",
            "brain conc",
            None,
        ),
    ],
)
def test_what_cannot_be_given(
    drug: str, subject: str, treatment: str, at: str, said: str, near: str | None
) -> None:
    (fault,) = check_treatment(DRUGS[drug], SUBJECTS[subject], give(treatment))
    assert (fault.at, fault.nearest) == (at, near)
    assert said in fault.wanted


def test_a_species_without_kinetics_and_a_set_without_a_name() -> None:
    human_only = DRUGS["ketamine"].model_copy(
        update={"kinetics": {"human": DRUGS["ketamine"].kinetics["human"]}}
    )
    (fault,) = check_treatment(human_only, SUBJECTS["healthy_rat"], give(INFUSION))
    assert (fault.at, "for a rat" in fault.found, "human" in fault.wanted) == ("dose", True, True)
    for name, faults in (("H1", 0), ("H2", 0), ("default", 0), ("H3", 1)):
        subject = ADULT.model_copy(update={"kinetics": name})
        found = check_treatment(DRUGS["ketamine"], subject, give(INFUSION))
        assert len(found) == faults
    assert "default, H2, H1" in found[0].wanted
    with pytest.raises(ValueError, match="found the kinetics 'H3', wanted one of H2, H1"):
        DRUGS["ketamine"].kinetics_for("human", "H3")


def test_a_bath_needs_no_kinetics() -> None:
    bath = give("{drug: ketamine, brain: 1 uM, for: 1 h}")
    drug = DRUGS["ketamine"].model_copy(update={"kinetics": {}})
    assert check_treatment(drug, ADULT, bath) == ()
    found = exposure(drug, ADULT, [bath])
    assert found is not None
    np.testing.assert_allclose(found.at([0.0, 0.9, 1.0]).brain_uM["ketamine"], [1, 1, 0])


def test_the_subject_names_the_kinetics_and_the_weight() -> None:
    drug, t = DRUGS["ketamine"], 1.0
    h1 = exposure(drug, ADULT.model_copy(update={"kinetics": "H1"}), [give(INFUSION)])
    h2 = exposure(drug, ADULT, [give(INFUSION)])
    assert h1 is not None
    assert h2 is not None
    assert h1.at(t).plasma_ng_ml["ketamine"] == pytest.approx(55, abs=0.6)
    assert h2.at(t).plasma_ng_ml["ketamine"] == pytest.approx(104, abs=1)
    twice = exposure(drug, ADULT, [give(INFUSION), give(INFUSION)])
    assert twice is not None
    assert twice.at(t).brain_uM["ketamine"] == pytest.approx(2 * h2.at(t).brain_uM["ketamine"])


KINETICS = [
    (name, animal, chosen)
    for name, drug in DRUGS.items()
    for animal, sets in drug.kinetics.items()
    for chosen in sets
]


@pytest.mark.parametrize(("name", "animal", "chosen"), KINETICS)
def test_clearance_goes_with_the_power_of_weight_that_the_set_names(
    name: str, animal: str, chosen: str
) -> None:
    kinetics = DRUGS[name].kinetics[animal][chosen]
    assert kinetics.clearance_exponent is not None
    assert kinetics.clearance_exponent.range is not None
    held_mg_ml = []  # venous: what a constant infusion of 1 mg/h comes to: input over clearance
    for times in (1, 2):
        weight_kg = times * float(kinetics.reference_weight)
        body = Exposure(
            kinetics,
            parent=name,
            inputs=[Input("iv" if "iv" in kinetics.routes else "oral", 0, 1e6, 1e6)],
            molar_masses=DRUGS[name].molar_masses(),
            weight_kg=weight_kg,
        )
        held_mg_ml.append(float(body.at(1e6 - 1).plasma_ng_ml[name]))
    assert held_mg_ml[0] / held_mg_ml[1] == pytest.approx(2 ** float(kinetics.clearance_exponent))
    if "iv" in kinetics.routes:
        clearance_ml_h = float(kinetics.clearance) * 60e3
        assert held_mg_ml[0] == pytest.approx(1e6 / clearance_ml_h, rel=1e-6)


def test_every_way_to_dose_a_drug_has_a_usual_dose() -> None:
    for name, drug in DRUGS.items():
        for animal, sets in drug.kinetics.items():
            routes = {route for kinetics in sets.values() for route in kinetics.routes}
            assert set(drug.usual_doses[animal]) == routes, (name, animal)
            assert all(dose.range and dose.source for dose in drug.usual_doses[animal].values())


@pytest.mark.parametrize(
    ("dose", "route", "more", "fits"),
    [
        ("0.5 mg/kg", "iv", "", True),
        ("35 g", "iv", "", False),
        ("500 mg/kg", "iv", "", False),
        ("35 g", "iv", ", confirm: true", True),
        ("500 mg/kg/h", "iv", ", over: 40 min", True),
        ("500 mg/kg/h", "iv", ", over: 4 h", False),
        ("2 mol", "iv", "", False),
        ("50 g", "intranasal", "", False),
        ("100 mg/kg", "iv", ", every: 1 d, times: 3, escalate: 3", False),
        ("100 mg/kg", "iv", ", every: 1 d, times: 2, escalate: 3", True),
        ("10 mg/kg", "iv", ", every: 1 min, times: 300", False),
        ("10 mg/kg", "iv", ", every: 1 d, times: 300", True),
    ],
)
def test_a_dose_far_above_the_usual_has_to_be_confirmed(
    dose: str, route: str, more: str, fits: bool
) -> None:
    given = give(f"{{drug: ketamine, dose: {dose}, route: {route}{more}}}")
    faults = check_treatment(DRUGS["ketamine"], ADULT, given)
    assert (len(faults) == 0) == fits
    for fault in faults:
        assert fault.at == "dose"
        assert dose in fault.found
        assert "`confirm: true`" in fault.wanted


def test_an_occupancy_held_has_no_concentration() -> None:
    held = give("{drug: ssri, occupancy: 0.8, for: 6 wk}")
    found = exposure(DRUGS["ssri"], ADULT, [held])
    assert found is not None
    assert found.at(1.0).brain_uM["ssri"] == 0
    np.testing.assert_allclose(held_occupancy([held], [1.0]), [0.8])


def test_occupancies_held_at_once_act_independently() -> None:
    held = give("{drug: ssri, occupancy: 0.5, for: 1 h}")
    np.testing.assert_allclose(held_occupancy([held, held], np.array([0.0, 2.0])), [0.75, 0])


def test_daily_ssri_occupies_most_transporters() -> None:
    course = give("{drug: ssri, dose: 20 mg, route: oral, every: 1 d, times: 42}")
    found = exposure(DRUGS["ssri"], ADULT, [course])
    assert found is not None
    t = np.array([0.5, 7.0, 41.5]) * 24
    given = TreatedSubject(ADULT, {"ssri": DRUGS["ssri"]}, {"daily": course})
    occupied = given.targets(t)["serotonin"]
    assert 0.3 < occupied[0] < 0.6
    assert 0.7 < occupied[-1] < 0.9
    assert (np.diff(occupied) > 0).all()


def test_norketamine_is_scaled_by_affinity() -> None:
    nmdar = DRUGS["ketamine"].actions.nmdar
    ratio = nmdar["norketamine"].ic50.uM() / nmdar["ketamine"].ic50.uM()
    np.testing.assert_allclose(ratio, 0.97 / 0.119, rtol=5e-3)
    assert list(nmdar) == ["ketamine", "norketamine"]  # hydroxynorketamine does not block


def test_mk801_enters_open_channels_at_its_rate_and_leaves_at_its_own() -> None:
    """25 per uM and s to the open state (Jahr 1992), which 0.3 of those with glutamate are in (Dzubay
    and Jahr 1996); 90 min to leave at -70 mV, 2 min at +30 mV (Huettner and Bean 1988).
    """
    block = DRUGS["mk801"].actions.nmdar["mk801"]
    open_share = 0.3
    assert float(block.reference_mg) == 0
    binding = float(block.unblocking_rate) / block.ic50.uM() / open_share
    assert binding[SUBUNITS.index("GluN2A")] == pytest.approx(25, rel=0.01)
    assert (binding > 25 / 3).all()
    assert (binding < 25 * 3).all()
    leaving_min = 1 / unblocking_rate(block, [-70.0, 30.0]) / 60
    np.testing.assert_allclose(leaving_min, [90, 2], rtol=0.02)


def _blocked(give: dict[str, dict[str, Any]], route: str, circuit_shares: dict[str, float]) -> Any:
    """Block of a pool that always has glutamate, at half-hours after doses in a subject, and the
    [3H]MK-801 readout there.
    """
    doses = {
        name: Treatment.model_validate({"route": route, "at": "0 h", "drug": name} | dose)
        for name, dose in give.items()
    }
    given = TreatedSubject(ADULT, {name: DRUGS[name] for name in give}, doses)
    kinetics = BlockKinetics([Pool("p", circuit_shares)], given.blockers, MAGNESIUM)
    gating = kinetics.gating([0.3], [[1.0]], [-60.0])
    state, blocks = kinetics.start(), []
    for start_h in np.arange(0, 4, 0.5):
        t = np.linspace(start_h, start_h + 0.5, 121)
        state = kinetics.advance(state, gating, gating, brain_uM=given.blocker_uM(t), dt_h=0.5)[-1]
        blocks.append(kinetics.fraction(state)[0])
    return np.array(blocks), given.occupancy(np.arange(0, 4, 0.5))


@pytest.mark.parametrize("route", ["iv", "im", "oral", "intranasal"])
def test_equal_parts_of_the_enantiomers_are_the_racemate(route: str) -> None:
    mix = {"GluN2A": 0.5, "GluN2B": 0.3, "GluN2C": 0.1, "GluN2D": 0.1}
    half = {"dose": "0.5 mg/kg"}
    found = _blocked({"s_ketamine": half, "r_ketamine": half}, route, mix)
    wanted = _blocked({"ketamine": {"dose": "1 mg/kg"}}, route, mix)
    for one, other in zip(found, wanted, strict=True):
        assert other.max() > 0.01
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-12)


def test_the_enantiomers_differ_as_their_affinities_do() -> None:
    """Ki 0.3 and 1.4 uM (Ebert 1997), of norketamine's 1.7 and 13 uM."""
    s, r = (DRUGS[f"{one}_ketamine"].actions.nmdar for one in "sr")
    for name, ratio in (("ketamine", 1.4 / 0.3), ("norketamine", 13 / 1.7)):
        of_s, of_r = (one[f"{letter}_{name}"].ic50.uM() for one, letter in ((s, "s"), (r, "r")))
        np.testing.assert_allclose(of_r / of_s, ratio, rtol=1e-4)


def test_subjects() -> None:
    for name, subject in SUBJECTS.items():
        stress, species = name.split("_")
        assert stress == "virtual" or float(subject.stress) == (1 if stress == "stressed" else 0)
        assert bool(subject.varies) == (stress == "virtual")
        assert subject.species == {"adult": "human"}.get(species, species)
    assert float(ADULT.weight) == 70
    tree = LIBRARY.document("subjects", "healthy_adult").tree
    for key, value in (("stress", number("1.5")), ("weight", number("0 kg")), ("species", "dog")):
        with pytest.raises(InputError, match=key):
            build(Document("subject.yaml", {**tree, key: value}), Subject)


def _change(tree: dict[str, Any], path: str, value: object) -> None:
    *above, last = path.split(".")
    for step in above:
        tree = tree[step]
    tree[last] = value


@pytest.mark.parametrize(
    ("drug", "change", "value", "path", "said"),
    [
        ("ketamine", "default_kinetics.human", "H3", "default_kinetics.human", "one of H2, H1"),
        ("ketamine", "default_kinetics", {"human": "H2", "rat": "R1"}, "default_kinetics.mouse", "one of R1"),
        ("ketamine", "species", {"ketamine": {"molar_mass": number("237 g/mol")}},
         "kinetics.human.H2.metabolites.hnk", "one of ketamine"),
        ("ketamine", "kinetics.mouse.R1.metabolites.norketamine.from", "ketamin", "kinetics.mouse.R1.metabolites",
         "nearest valid name: ketamine"),
        ("memantine", "species", {}, "kinetics.human.M1", "the drug under `species`"),
        ("memantine", "species", {"other": {"molar_mass": number("1 g/mol")}}, "actions.nmdar.memantine", "one of other"),
        ("ssri", "targets.serotonin", {"emax": number("1")}, "targets.serotonin.half", "given by dose"),
        ("nbqx", "targets.ampa", {"maximum": number("1")}, "targets.ampa.maximum", "-0.8 for a blocker"),
        ("nbqx", "targets.ampa.emax", number("0"), "targets.ampa.emax", "but not 0"),
        ("nbqx", "targets.ampa.emax", number("2.5"), "targets.ampa.emax", "from -1 (all of it lost) to 2"),
        ("nbqx", "targets.ampa.emax", number("-1.1"), "targets.ampa.emax.value", "at least -1"),
        ("ssri", "targets.serotonin.emax", number("-0.5"), "targets.serotonin.emax", "above 0, up to 1 (all of it)"),
        ("nbqx", "targets", {"nmdar.PV": {"emax": number("-1")}}, "targets.nmdar.PV", "nmdar.PV.synaptic"),
        ("ketamine", "targets", {"ampa": {"hnkk": {"emax": number("1"), "half": number("1 uM")}}},
         "targets.ampa.hnkk", "nearest valid name: hnk"),
        ("ketamine", "targets", {"ampa": {"hnk": {"emax": number("1")}}}, "targets.ampa.hnk.half", "nobody holds"),
        ("nbqx", "targets.ampa.half", number("1 uM"), "targets.ampa.half", "no species"),
        ("nbqx", "targets", {"ampar": {"emax": number("-1")}}, "targets.ampar", "ampa"),
    ],
)  # fmt: skip
def test_a_drug_file_that_contradicts_itself(
    drug: str, change: str, value: object, path: str, said: str
) -> None:
    document = LIBRARY.document("drugs", drug)
    _change(document.tree, change, value)
    with pytest.raises(InputError) as caught:
        build(document, Drug)
    assert path in [problem.path for problem in caught.value.problems]
    assert said in str(caught.value)


def test_subunits_of_a_block_are_all_wanted() -> None:
    document = LIBRARY.document("drugs", "memantine")
    del document.tree["actions"]["nmdar"]["memantine"]["ic50"][SUBUNITS[2]]
    with pytest.raises(
        InputError, match=r"memantine.ic50.GluN2C: found nothing, wanted a concentration"
    ):
        build(document, Drug)
