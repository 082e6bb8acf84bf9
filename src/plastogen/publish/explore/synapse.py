"""In: a circuit, the rule and the induction that ship. Out: what the page's two cells and their
synapse may be given, so that the page itself has no model.

The pairing and its rates are those of an experiment; the page varies rate, interval and block.
"""

from __future__ import annotations

from typing import Any

from plastogen._base.library import Library, builtin
from plastogen.experiment import open_experiment
from plastogen.model.circuit import Circuit, measures, pair
from plastogen.model.plasticity import CalciumRule, rule_in

EXPERIMENT = "ltp_by_frequency"
FARTHEST_MS = 50  # of the two spikes of a pair
SHOWN_MS = 500  # of calcium
LOOKS = 300  # at the synapse in that time
DECAYED = 30  # times of calcium after which none is left


def inputs(circuit: Circuit) -> dict[str, Any]:
    """Everything that the page's synapse needs beside its program, ready for JSON."""
    opened = open_experiment(builtin("experiments") / f"{EXPERIMENT}.yaml")
    induction, name = opened.experiment.induction, opened.experiment.model.rule
    assert induction is not None
    rule = Library().load("rules", name, CalciumRule)
    numbers = rule_in(circuit, rule)
    (swept,) = opened.axes
    rates_Hz = [float(value) for value in swept.columns[0].values]
    return {
        "title": rule.title,
        "values": pair.values(numbers),
        "delay_s": numbers.delay_s,
        "thresholds": [1, numbers.threshold],
        "initial": numbers.initial,
        "wait_s": DECAYED * numbers.calcium_s,
        "steps": pair.MOST_STEPS,
        "step_s": pair.STEP_MS / measures.MS_PER_S,
        "shown_s": SHOWN_MS / measures.MS_PER_S,
        "looks": LOOKS,
        "spikes": induction.spikes,
        "trains": induction.trains,
        "every_s": float(induction.every),
        "rates_Hz": rates_Hz,
        "rate": rates_Hz.index(float(induction.rate)),
        "interval_ms": float(induction.interval),
        "farthest_ms": FARTHEST_MS,
    }
