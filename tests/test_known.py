"""What is given is read from its own solution: exact at any time, in area and at its turns."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import pytest

from plastogen._base.document import read_text
from plastogen._base.library import Library
from plastogen.experiment.models import Models
from plastogen.experiment.reading import evaluate
from plastogen.experiment.readout import Readout
from plastogen.experiment.resolve import OpenExperiment
from plastogen.model.pharmacology.drug import Drug
from plastogen.model.pharmacology.known import CONCENTRATIONS, KNOWN, Known
from plastogen.model.pharmacology.regimen import Treatment, event_times
from plastogen.model.pharmacology.subject import Subject
from plastogen.model.pharmacology.treated_subject import TreatedSubject
from plastogen.simulation.adaptive import simulate
from plastogen.simulation.course import event_times as times_of
from plastogen.simulation.course import treated_of

LIBRARY, MIN_PER_H = Library(), 60
SUBJECTS = {"human": "healthy_adult", "rat": "healthy_rat", "mouse": "healthy_mouse"}
DRUGS = {name: LIBRARY.load("drugs", name, Drug) for name in LIBRARY.names("drugs")}
SETS = [
    (name, species, variant, route)
    for name, drug in DRUGS.items()
    for species, variants in drug.kinetics.items()
    for variant, one in variants.items()
    for route in one.routes
]
BOLUS = {"drug": "ketamine", "dose": "0.5 mg/kg", "route": "iv", "at": "0 h"}


def known(
    *given: dict[str, Any], species: str = "human", **changes: object
) -> tuple[Known, TreatedSubject]:
    subject = LIBRARY.load("subjects", SUBJECTS[species], Subject, overrides=changes)
    treatments = {f"t{n}": Treatment.model_validate(t) for n, t in enumerate(given)}
    drugs = {t.drug: DRUGS[t.drug] for t in treatments.values()}
    treated = TreatedSubject(subject, drugs, treatments)
    return Known(treated, event_times(treatments.values())), treated


def read(what: dict[str, Any], *given: dict[str, Any], hours: float = 48, **changes: Any) -> float:
    """A readout of a course that is written at its ends alone."""
    exact, treated = known(*given, **changes)
    t = np.array([-1.0, hours])
    return evaluate(
        Readout.model_validate(what),
        arrays=treated.written(t),
        time_h=t,
        labels={"species": treated.species},
        known=exact,
    )


def test_all_that_a_treated_subject_writes_is_known() -> None:
    assert set(known(BOLUS)[1].written(np.zeros(1))) == set(KNOWN)


@pytest.mark.parametrize(("name", "species", "variant", "route"), SETS)
def test_the_area_is_what_arrives_over_clearance(
    name: str, species: str, variant: str, route: str
) -> None:
    """To infinity: long after the slowest half-life. A swallowed part takes the oral route."""
    one = DRUGS[name].kinetics[species][variant]  # type: ignore[index]
    weight = one.reference_weight
    dose = {"drug": name, "dose": "1 mg/kg", "route": route, "at": "0 h"}
    exact, _ = known(dose, species=species, weight=f"{float(weight):g} kg", kinetics=variant)
    areas = []
    for blood in ("plasma_ng_ml", "arterial_ng_ml"):
        _, x, weights = exact.points(exact.curve(blood, name), -1.0, 1e5, turns=False)
        areas.append((weights * x).sum())
    share = float(one.routes[route].bioavailability)
    if (swallowed := one.routes[route].swallowed) is not None:
        down = float(swallowed)
        share = (1 - down) * share + down * float(one.routes["oral"].bioavailability)
    mg_min_per_L = share * float(weight) / float(one.clearance)
    assert areas == pytest.approx([mg_min_per_L * 1000 / MIN_PER_H] * 2, rel=1e-6)


def test_a_bolus_is_read_from_its_solution() -> None:
    """By lines on a grid of 2 min it read 4286 at 1 min, with an area of 362.6."""
    plasma = {"of": "plasma_ng_ml", "species": "ketamine"}
    arterial = {"kinetics": "H1"}
    assert read(plasma | {"at": "1 min"}, BOLUS, **arterial) == pytest.approx(1778, abs=1)
    assert read(plasma | {"take": "area"}, BOLUS, hours=480, **arterial) == pytest.approx(
        302.0, abs=0.1
    )
    assert read(plasma | {"at": "1 min"}, BOLUS | {"over": "40 min"}, **arterial) == pytest.approx(
        100.5, abs=0.1
    )


ORAL = {"drug": "ketamine", "dose": "1 mg/kg", "route": "oral", "at": "30 min"}


@pytest.mark.parametrize("of", [*CONCENTRATIONS, "occupancy"])
def test_turns_areas_and_crossings_are_those_of_a_curve_looked_at_closely(of: str) -> None:
    what: dict[str, Any] = {"of": of} | ({} if of == "occupancy" else {"species": "ketamine"})
    bath = {"drug": "ketamine", "brain": "0.3 uM", "at": "6 h", "for": "2 h"}
    exact, _ = known(ORAL, bath)
    t = np.linspace(-1, 48, 400_001)
    x = exact.curve(of, what.get("species"))(t)
    found = {
        take: read(what | {"take": take}, ORAL, bath)
        for take in ("peak", "trough", "area", "mean", "time_of_peak", "onset", "duration")
    }
    assert found["peak"] == pytest.approx(x.max(), rel=1e-6)
    assert found["time_of_peak"] == pytest.approx(t[x.argmax()], abs=2e-3)
    assert found["trough"] == 0
    assert found["area"] == pytest.approx(np.trapezoid(x, t), rel=1e-4)
    assert found["mean"] == pytest.approx(found["area"] / 49)
    half = x > x.max() / 2
    assert found["onset"] == pytest.approx(t[half.argmax()], abs=2e-3)
    assert found["duration"] == pytest.approx(half.sum() * (t[1] - t[0]), abs=1e-2)
    part = read(what | {"take": "area", "from": "1 h", "until": "7 h"}, ORAL, bath)
    inside = (t >= 1) & (t <= 7)
    assert part == pytest.approx(np.trapezoid(x[inside], t[inside]), rel=1e-3)
    ratio = read(what | {"at": "2 h", "relative_to": "peak"}, ORAL, bath)
    assert ratio == pytest.approx(read(what | {"at": "2 h"}, ORAL, bath) / x.max(), rel=1e-6)


# what is read does not hang on when an arm's clock starts

QUESTION = """
question: Does a minute matter?
model: {subject: healthy_adult, circuit: small}
course: {duration: 5 h, method: formula}
arms:
  held: {give: {away: {drug: release_reducer, occupancy: 0.5, at: X, for: 2 h}}}
  dosed: {give: {dose: {drug: ketamine, dose: 0.5 mg/kg, route: iv, over: 40 min, at: X}}}
  stressed: {stress: {level: 0.8, at: X, for: 3 h}}
"""


@lru_cache
def reads(arm: str, at_min: int) -> dict[str, float]:
    """Numbers of a course whose one event is at this time, read at times counted from there."""
    text = QUESTION.replace("X", f"{at_min} min")
    opened = OpenExperiment("test", read_text(text, "test.yaml"), Models(LIBRARY), {})
    plan = opened.condition(arm).plan(1, "numpy")
    course = simulate(plan)
    exact = Known(treated_of(plan), times_of(plan))
    labels = {
        "species": course.species,
        "pool": course.pools,
        "class": plan.circuit.classes,
    }
    found = {}
    for of in ("glutamate", "weight", "bdnf", "occupancy", "stress"):
        ways: list[dict[str, Any]] = [{"at": f"{at_min + m} min"} for m in (-30, 10, 59, 121)]
        until = {"from": f"{at_min - 60} min", "until": f"{at_min + 240} min"}
        ways += [{"take": take} | until for take in ("peak", "trough", "area")]
        for way in ways:
            readout = Readout.model_validate({"of": of} | way)
            name = f"{of} {way.get('take') or ways.index(way)}"
            found[name] = evaluate(
                readout, arrays=course.arrays, time_h=course.t_h, labels=labels, known=exact
            )
    return found


@pytest.mark.parametrize("arm", ["held", "dosed", "stressed"])
@pytest.mark.parametrize("at_min", [-60, -7])
def test_shifting_an_arm_by_a_minute_shifts_what_is_read_with_it(arm: str, at_min: int) -> None:
    """A course that begins under the drug takes it for its baseline: with a hold at -60 min
    glutamate was 99.6 % under it, at -59 min 58.5 %.
    """
    one, other = reads(arm, at_min), reads(arm, at_min + 1)
    for name, number in one.items():
        of = name.split()[0]
        levels = [x for key, x in one.items() if key.startswith(of) and not key.endswith("area")]
        size = max(np.ptp(levels), 1e-6) * (5 if name.endswith("area") else 1)
        assert abs(other[name] - number) < 0.005 * size, name
