"""The reliance table: shares of current against a hand count, and the loop's return."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from bench import say
from circuit_files import CLASSES, NUMBERS
from courses import RULE

from plastogen._base.library import Library
from plastogen.model.circuit import Circuit, Drive, measures
from plastogen.model.plasticity.definition import Plasticity
from plastogen.simulation.nmda_reliance import (
    Reliance,
    current_shares,
    measure_reliance,
    slowest_return_per_h,
)
from plastogen.simulation.probe import FormulaProbe

LIBRARY = Library()
PREFRONTAL = LIBRARY.load("circuits", "prefrontal", Circuit)


def at_one_voltage(v_mV: float) -> np.ndarray:
    centres = measures.bin_centres_mV()
    row = np.zeros(len(centres))
    row[np.argmin(np.abs(centres - v_mV))] = 1
    return np.array([row] * len(CLASSES))


def test_shares_are_currents_by_hand() -> None:
    activity = replace(
        FormulaProbe(PREFRONTAL).measure(Drive(), 1), bound=0.1, voltage=at_one_voltage(-59.5)
    )
    activity = replace(activity, rate_hz=np.array([5.0, 10.0, 8.0]))
    synaptic, tonic = current_shares(PREFRONTAL, activity)
    free = 1 / (1 + 1 / 3.57 * math.exp(59.5 / 16.13))
    ampa, nmda = 800 * 0.2 * 0.25 * 5 * 0.002, 800 * 0.2 * 1.3 * 0.1 * free
    outside, lasting = 2.85 * 1000 * 0.002, 4 * free
    whole = ampa + nmda + outside + lasting
    assert synaptic[0] == pytest.approx(nmda / whole)
    assert tonic[0] == pytest.approx(lasting / whole)


def made_up(slope: float) -> Reliance:
    slopes = np.zeros((len(CLASSES), len(NUMBERS)))
    slopes[0, NUMBERS.index("recurrent")] = slope
    nothing = np.zeros(len(CLASSES))
    return Reliance(NUMBERS, nothing, nothing, slopes, slopes, nothing, nothing, 0.1)


@pytest.mark.parametrize("name", ["all", "disinhibition", "spontaneous"])
def test_the_state_comes_back_with_the_circuit_in_the_loop(name: str) -> None:
    plasticity = LIBRARY.load("plasticity", name, Plasticity)
    measured = float(PREFRONTAL.formula.gain["E"]["recurrent"])
    assert slowest_return_per_h(plasticity, RULE, made_up(measured)) < 0
    assert slowest_return_per_h(plasticity, RULE, made_up(60.0)) < 0  # nothing to capture at rest


def open_gate(share: float, steepness: float) -> Plasticity:
    """Synapses that find some free protein at rest."""
    tuned = {"signalling.translation_basal": share, "signalling.steepness": steepness}
    return LIBRARY.load("plasticity", "all", Plasticity, overrides=tuned)


def test_too_strong_a_loop_is_found_out_where_protein_is_free_at_rest() -> None:
    assert slowest_return_per_h(open_gate(0.01, 1), RULE, made_up(60.0)) > 0
    assert slowest_return_per_h(open_gate(0.01, 1), RULE, made_up(0.0)) < 0


def test_as_shipped_a_little_tag_captures_next_to_nothing_and_no_loop_runs_away() -> None:
    steepness = float(LIBRARY.load("plasticity", "all", Plasticity).signalling.steepness)
    assert slowest_return_per_h(open_gate(0.01, steepness), RULE, made_up(60.0)) < 0


@pytest.mark.slow
@pytest.mark.usefixtures("shared_results")
@pytest.mark.network
def test_measured_slopes_are_those_of_the_formula_in_the_file() -> None:
    found = measure_reliance(PREFRONTAL, seeds=(1, 2), seconds=8, settle_s=0.5)
    written = np.array([[float(PREFRONTAL.formula.gain[c][d]) for d in NUMBERS] for c in CLASSES])
    assert found.slope == pytest.approx(written, rel=0.25, abs=0.25)
    assert (
        found.tonic_share[2] > 2 * found.tonic_share[0]
    )  # SST cells lean on tonic NMDA: what README says
    assert np.all(found.nmda_share > 0)


@pytest.mark.parametrize(("back", "fate"), [(-0.01, "fades to a third in 100 h"), (0.5, "grows")])
def test_the_command_says_whether_a_nudge_fades(
    back: float, fate: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = "plastogen.simulation.nmda_reliance"
    monkeypatch.setattr(f"{module}.measure_reliance", lambda circuit, **asked: made_up(0.0))
    monkeypatch.setattr(f"{module}.slowest_return_per_h", lambda *models: back)
    told = say("reliance", "prefrontal")
    assert told.exit_code == 0, told.output
    assert f"plasticity all: a nudge of the synapses {fate}" in told.output
    assert f"spectral abscissa {back:.2g} /h" in told.output
