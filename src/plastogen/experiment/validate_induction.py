"""In: an experiment and its conditions. Out: what is wrong with an induction, with the rule of a
course, and with paths that an experiment with or without an induction has no use for.
"""

from __future__ import annotations

from collections.abc import Iterator

from plastogen._base.text import show
from plastogen.errors import Problem
from plastogen.experiment.definition import LONGEST_S, Experiment
from plastogen.experiment.resolve import Condition, OpenExperiment
from plastogen.experiment.validate_given import written
from plastogen.model.circuit import MOST_DRIVEN, measures
from plastogen.model.pharmacology import S_PER_H, target
from plastogen.model.plasticity import Induction
from plastogen.simulation import Switches, most_synapses

IDLE_SWITCHES = ("probe", "feedback", "homeostasis", "calcium_rule")  # links an induction has not


def wanted_of(path: str, experiment: Experiment) -> str | None:
    """What a path wants of the experiment, where it would change nothing of it, or only some
    arms.
    """
    induced = experiment.induction is not None
    if f"{path}.".startswith("induction.") and not induced:
        return "an experiment that has an `induction:`, for all of its arms"
    if f"{path}.".startswith(("plasticity.", "model.plasticity.")) and induced:
        return "an experiment without an `induction:`, or a path below rule"
    return None


def _rule_of_a_course(opened: OpenExperiment, condition: Condition) -> Iterator[Problem]:
    """A rule without a formula, where nothing else can answer."""
    if condition.setting.course.method == "formula" and condition.rule.formula is None:
        found = f"{show(condition.setting.model.rule)}, a rule without a section `formula`"
        wanted = "one that has it, or course.method emulated or direct, which ask the network"
        yield opened.document.problem("model.rule", found, wanted)


def validate_induction(opened: OpenExperiment, condition: Condition) -> Iterator[Problem]:
    """What an induction has no use for, and one that does not fit its rule or its course; without
    one, a rule that cannot answer.
    """
    induction, course = condition.setting.induction, condition.setting.course
    if induction is None:
        yield from _rule_of_a_course(opened, condition)
        return
    problem = opened.document.problem
    if course.method == "emulated":
        wanted = "formula: the two cells alone; or direct: in the spiking network"
        yield problem("course.method", show(course.method), wanted, "formula")
    if course.method == "direct":
        yield from _in_network(opened, condition, induction)
    idle: dict[str, object] = {"snapshots": condition.snapshots, "course.start": course.start}
    idle[f"arms.{condition.arm}.stress"] = condition.stress
    for path, given in idle.items():
        if given:
            wanted = "none: an induction drives one synapse or a pathway"
            yield problem(path, path.rpartition(".")[2], wanted)
    for name in IDLE_SWITCHES:
        now, usual = getattr(condition.setting.switches, name), Switches.model_fields[name].default
        if now != usual:
            at = _switched(opened, condition.arm, name)
            yield problem(at, show(now), f"{usual}: an induction drives one synapse or a pathway")
    first = induction.first_efficacies(float(condition.rule.initial))
    if not 0 < first[0] <= first[-1] <= 1:
        wanted = f"synapses that begin between 0 and 1, not from {first[0]:g} to {first[-1]:g}"
        yield problem("induction.spread", induction.spread.text, wanted)
    yield from _spikes(opened, condition, induction)
    yield from _idle_drugs(opened, condition)


def _switched(opened: OpenExperiment, arm: str | None, name: str) -> str:
    """Where an arm has a switch from."""
    while arm is not None:
        own = opened.experiment.arms[arm]
        if own.switches is not None and name in own.switches.model_fields_set:
            return f"arms.{arm}.switches.{name}"
        arm = own.extends
    return f"switches.{name}"


def _spikes(
    opened: OpenExperiment, condition: Condition, induction: Induction
) -> Iterator[Problem]:
    """Spikes beyond the course, or faster than a cell can fire."""
    problem, end = opened.document.problem, condition.setting.course.duration.text
    first_h, last_h = (float(induction.at) + edge for edge in induction.edges_h)
    if last_h > condition.end_h:
        wanted = f"spikes that end within the course, {end}"
        yield problem("induction", f"spikes until {last_h:.3g} h", wanted)
    if first_h < condition.start_h:
        wanted = f"spikes that begin within the course, from {condition.start_h:.3g} h"
        yield problem("induction", f"spikes from {first_h:.3g} h", wanted)
    circuit = condition.circuit
    rest_ms = float(circuit.populations[circuit.principal].refractory)
    if float(induction.rate) * rest_ms > measures.MS_PER_S:
        most = measures.MS_PER_S / rest_ms
        wanted = f"at most {most:g} Hz: an {circuit.principal} cell rests {rest_ms:g} ms"
        yield problem("induction.rate", f"'{induction.rate.text}'", wanted)


def _idle_drugs(opened: OpenExperiment, condition: Condition) -> Iterator[Problem]:
    """Drugs that act on nothing that an induction has: cells and receptors, no slow layer."""
    for label, treatment in condition.treatments.items():
        drug = condition.drugs[treatment.drug]
        acts = drug.actions.nmdar or any(target(t).read_by == "circuit" for t in drug.targets)
        if not acts:
            at = f"{written(opened.experiment, condition.arm, label)}.drug"
            wanted = "a drug that acts on cells or receptors: an induction has no slow layer"
            yield opened.document.problem(at, show(treatment.drug), wanted)


def _in_network(
    opened: OpenExperiment, condition: Condition, induction: Induction
) -> Iterator[Problem]:
    """What a network cannot be driven with."""
    problem, circuit = opened.document.problem, condition.circuit
    most, synapses = most_synapses(circuit), induction.synapses
    if synapses > most:
        name = condition.setting.model.circuit
        wanted = f"at most {most}: as many reach a principal cell of circuit {name}"
        yield problem("induction.synapses", str(synapses), wanted)
    spikes = (synapses + 1) * induction.spikes * induction.trains * induction.repeats
    if spikes > MOST_DRIVEN:
        found = f"{spikes} spikes (spikes x trains x repeats, of {synapses} cells and one)"
        yield problem("induction", found, f"at most {MOST_DRIVEN} where a network is driven")
    seconds = induction.length_h * S_PER_H
    if seconds > LONGEST_S:
        wanted = f"at most {LONGEST_S} s where a network is driven; method: formula has no such end"
        yield problem("induction", f"{seconds:.4g} s from the first spike to the last", wanted)
