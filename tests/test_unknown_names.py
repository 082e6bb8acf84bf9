"""A name from a person that is not there is told with what was found, what was wanted and the
nearest, whatever takes it; nobody sees a KeyError.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import fake_results as fake
import fake_sweeps
import pytest

from plastogen.analysis import contrast, evidence, responders, sensitivity
from plastogen.errors import InputError
from plastogen.experiment.resolve import open_experiment
from plastogen.figures.draw import drawing_function

DS, PEOPLE, PLANE = fake.results(), fake_sweeps.people(20), fake_sweeps.plane()


def draw(name: str, ds: Any, **inputs: Any) -> Callable[[], Any]:
    return lambda: drawing_function(name)(ds, **inputs)


PLACES: dict[str, tuple[str, Callable[[], Any]]] = {
    "contrasts of a readout": ("spine_density_24", lambda: list(contrast.contrasts(DS, ["spine_density_24"]))),
    "contrasts than an arm": ("vehicl", lambda: list(contrast.contrasts(DS, than="vehicl"))),
    "responders by a readout": ("respond", lambda: responders.find_responders(PEOPLE, "respond")),
    "responders in an arm": ("ketamin", lambda: responders.find_responders(PEOPLE, arm="ketamin")),
    "sensitivity of a readout": ("effect_dya_1", lambda: sensitivity.influences(PEOPLE, ["effect_dya_1"])),
    "sensitivity in an arm": ("ketamin", lambda: sensitivity.influences(PEOPLE, arm="ketamin")),
    "sensitivity than an arm": ("vehicl", lambda: sensitivity.influences(PEOPLE, than="vehicl")),
    "evidence": ("one_infusio", lambda: list(evidence.every_line(
        [row.model_copy(update={"experiment": "one_infusio"}) for row in evidence.load_rows() if row.claims],
        {"one_infusion": open_experiment("one_infusion").experiment}, {}))),
    "arms: readout": ("spine_density_24", draw("arms", DS, readouts=["spine_density_24"])),
    "sweep: readout": ("glutamate_surg", draw("sweep", fake.doses(), readouts=["glutamate_surg"])),
    "landscape: readout": ("spine_day", draw("landscape", PLANE, readouts=["spine_day"])),
    "courses: variable": ("weigh", draw("courses", PEOPLE, variable="weigh")),
    "courses: readout": ("effect_dya_1", draw("courses", PEOPLE, readout="effect_dya_1")),
    "responders: readout": ("respond", draw("responders", PEOPLE, readout="respond")),
    "responders: arm": ("ketamin", draw("responders", PEOPLE, arm="ketamin")),
    "tornado: readout": ("effect_dya_1", draw("tornado", PEOPLE, readouts=["effect_dya_1"])),
    "tornado: arm": ("ketamin", draw("tornado", PEOPLE, arm="ketamin")),
    "sensitivity: readout": ("effect_dya_1", draw("sensitivity", PEOPLE, readouts=["effect_dya_1"])),
    "sensitivity: arm": ("ketamin", draw("sensitivity", PEOPLE, arm="ketamin")),
    "spectra: arm": ("ketamin", draw("spectra", DS, arms=["ketamin"])),
    "block: pool": ("E.synapti", draw("block", fake.held(), pools=["E.synapti"])),
    "phase: state": ("weigh", draw("phase", DS, states=["weigh", "spine_density"])),
    "timeline: arm": ("ketamin", draw("timeline", DS, focus="ketamin")),
    "acute: arm": ("ketamin", draw("acute", DS, arms=["ketamin"])),
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_an_unknown_name_is_told_with_what_is_there(place: str) -> None:
    name, use = PLACES[place]
    with pytest.raises(InputError) as caught:
        use()
    (problem,) = caught.value.problems
    assert name in problem.found, problem
    assert problem.wanted, problem
    assert problem.nearest, problem
