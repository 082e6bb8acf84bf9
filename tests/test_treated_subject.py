"""What is known beforehand of a treatment: concentrations, occupancy, effects on targets, stress,
and when they jump.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from plastogen._base.library import Library
from plastogen.model.pharmacology.drug import Drug, exposure
from plastogen.model.pharmacology.regimen import Treatment, event_times
from plastogen.model.pharmacology.subject import Subject
from plastogen.model.pharmacology.targets import TargetEffect
from plastogen.model.pharmacology.treated_subject import TreatedSubject

LIBRARY = Library()
ADULT = LIBRARY.load("subjects", "healthy_adult", Subject)
STRESSED = LIBRARY.load("subjects", "stressed_adult", Subject)
INFUSION = {"drug": "ketamine", "dose": "0.5 mg/kg", "route": "iv", "over": "40 min", "at": "0 h"}
NBQX = {"drug": "nbqx", "occupancy": 0.9, "at": "-30 min", "for": "4 h"}


def treated(
    *given: dict[str, Any],
    subject: Subject = ADULT,
    stress: tuple[tuple[float, float, float], ...] = (),
    **k: Any,
) -> TreatedSubject:
    treatments = {f"t{n}": Treatment.model_validate(t) for n, t in enumerate(given)}
    drugs = {t.drug: LIBRARY.load("drugs", t.drug, Drug) for t in treatments.values()}
    return TreatedSubject(subject, drugs, treatments, stress, **k)


def test_concentrations_are_those_of_the_kinetics() -> None:
    t = np.array([-1, 0.2, 0.7, 3, 24])
    ketamine = LIBRARY.load("drugs", "ketamine", Drug)
    alone = exposure(ketamine, ADULT, [Treatment.model_validate(INFUSION)])
    assert alone is not None
    found, wanted = treated(INFUSION, NBQX).concentrations(t), alone.at(t)
    assert set(found.brain_uM) == {"ketamine", "norketamine", "hnk"}
    for name in wanted.brain_uM:
        np.testing.assert_allclose(found.brain_uM[name], wanted.brain_uM[name])
        np.testing.assert_allclose(found.plasma_ng_ml[name], wanted.plasma_ng_ml[name])


def test_two_treatments_with_one_drug_add_up() -> None:
    later = INFUSION | {"at": "6 h"}
    t = np.array([1.0, 7.0, 30.0])
    one, two, both = (treated(*g).blocker_uM(t) for g in ((INFUSION,), (later,), (INFUSION, later)))
    np.testing.assert_allclose(both, one + two, rtol=1e-9)


def test_drugs_are_listed_beside_each_other() -> None:
    both = treated(INFUSION, {"drug": "memantine", "brain": "2 uM", "at": "1 h", "for": "2 h"})
    assert set(both.species) == {"ketamine", "norketamine", "hnk", "memantine"}
    assert tuple(both.blockers) == ("ketamine", "norketamine", "memantine")
    held = both.blocker_uM(np.array([0.99, 1.0, 2.99, 3.0]))[:, 2]
    np.testing.assert_array_equal(held, [0, 2, 2, 0])


def test_blockers_and_their_concentrations_are_in_one_order() -> None:
    given = treated(INFUSION)
    t = np.array([0.5, 2.0])
    brain = given.concentrations(t).brain_uM
    np.testing.assert_array_equal(
        given.blocker_uM(t), np.stack([brain[name] for name in given.blockers], -1)
    )
    assert given.blocker_uM(t).shape == (2, 2)


def test_without_metabolites_only_the_parent_blocks_but_all_are_shown() -> None:
    given = treated(INFUSION, metabolites=False)
    assert tuple(given.blockers) == ("ketamine",)
    assert given.concentrations([2.0]).brain_uM["norketamine"] > 0


def test_nobody_treated_has_nothing_in_him() -> None:
    nothing, t = treated(), np.array([0.0, 1.0])
    assert (nothing.species, nothing.blockers, nothing.targets(t)) == (
        (),
        {},
        {},
    )
    assert nothing.blocker_uM(t).shape == (2, 0)
    assert not nothing.occupancy(t).any()


def test_occupancy_is_the_parent_s_displacement() -> None:
    given, t = treated(INFUSION), np.array([-1.0, 0.5, 5.0])
    c = given.concentrations(t).brain_uM["ketamine"]
    np.testing.assert_allclose(given.occupancy(t), c / (c + 1.42))
    assert given.occupancy(t)[0] == 0


def test_a_tool_drug_has_no_occupancy_to_show() -> None:
    assert not treated(NBQX).occupancy(np.array([0.0])).any()


def test_a_held_effect_begins_at_its_start_and_ends_before_its_end() -> None:
    given = treated(NBQX)
    t = np.array([-0.5 - 1e-9, -0.5, 0, 3.5 - 1e-9, 3.5])
    np.testing.assert_allclose(given.targets(t)["ampa"], [1, 0.1, 0.1, 0.1, 1])
    assert set(given.targets(t)) == {"ampa"}


def test_drugs_on_one_target_act_independently() -> None:
    two = treated(NBQX, NBQX | {"occupancy": 0.5, "at": "1 h"})
    np.testing.assert_allclose(
        two.targets(np.array([0.0, 2.0, 4.0]))["ampa"], [0.1, 0.1 * 0.5, 0.5]
    )
    assert set(
        treated(NBQX, {"drug": "rapamycin", "occupancy": 1, "for": "1 h"}).targets([0.0])
    ) == {"ampa", "mtorc1"}


def test_two_drugs_on_one_target_act_independently() -> None:
    drugs = {"nbqx": LIBRARY.load("drugs", "nbqx", Drug)}
    drugs["twin"] = drugs["nbqx"]
    treatments = {name: Treatment.model_validate(NBQX | {"drug": name}) for name in drugs}
    assert TreatedSubject(ADULT, drugs, treatments).targets(np.array([0.0]))[
        "ampa"
    ] == pytest.approx(0.1**2)


def test_an_ssri_by_dose_acts_through_its_concentration() -> None:
    ssri = LIBRARY.load("drugs", "ssri", Drug)
    (route,) = next(iter(ssri.kinetics["human"].values())).routes
    given = treated(
        {"drug": "ssri", "dose": "20 mg", "route": route, "at": "0 h", "every": "1 d", "times": 5}
    )
    t = np.array([-1.0, 5.0, 100.0])
    target = ssri.targets["serotonin"]
    assert isinstance(target, TargetEffect)
    assert target.half is not None
    c = given.concentrations(t).brain_uM[str(ssri.parent)]
    wanted = float(target.emax) * c / (c + float(target.half))
    np.testing.assert_allclose(given.targets(t)["serotonin"], wanted)
    assert 0 == wanted[0] < wanted[1]


def test_every_jump_is_an_event() -> None:
    given, stress = [Treatment.model_validate(t) for t in (INFUSION, NBQX)], ((5.0, 29.0, 0.5),)
    assert event_times(given, stress) == pytest.approx((-0.5, 0, 2 / 3, 3.5, 5, 29))
    repeated = Treatment.model_validate(NBQX | {"every": "24 h", "times": 2})
    assert event_times([repeated]) == pytest.approx((-0.5, 3.5, 23.5, 27.5))


def test_stress_is_the_subject_s_own_but_during_an_event() -> None:
    t = np.array([4.9, 5.0, 28.9, 29.0])
    span = ((5.0, 29.0, 0.5),)
    np.testing.assert_array_equal(treated(stress=span).stress(t), [0, 0.5, 0.5, 0])
    np.testing.assert_array_equal(
        treated(subject=STRESSED, stress=span).stress(t), [1, 0.5, 0.5, 1]
    )
    np.testing.assert_array_equal(treated(subject=STRESSED).stress(t), np.ones(4))
    later = treated(stress=((0.0, 10.0, 1.0), (5.0, 29.0, 0.2)))
    np.testing.assert_array_equal(
        later.stress(t), [1, 0.2, 0.2, 0]
    )  # the later of two that overlap
