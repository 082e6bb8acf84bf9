"""In: an experiment and its conditions. Out: what is wrong with an induction, with the rule of a
course, and with paths that an experiment with or without an induction has no use for.
"""

from __future__ import annotations

from collections.abc import Iterator

from plastogen._base.text import show
from plastogen.errors import Problem
from plastogen.experiment.definition import Experiment
from plastogen.experiment.resolve import Condition, OpenExperiment


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
    if course.method != "formula":
        wanted = "formula: electrodes make the cells fire, and no network is asked"
        yield problem("course.method", show(course.method), wanted, "formula")
    idle: dict[str, object] = {"snapshots": condition.snapshots, "course.start": course.start}
    idle[f"arms.{condition.arm}.stress"] = condition.stress
    for path, given in idle.items():
        if given:
            wanted = "none: an induction drives one synapse, in no network"
            yield problem(path, path.rpartition(".")[2], wanted)
    first = induction.first_efficacies(float(condition.rule.initial))
    if not 0 < first[0] <= first[-1] <= 1:
        wanted = f"synapses that begin between 0 and 1, not from {first[0]:g} to {first[-1]:g}"
        yield problem("induction.spread", induction.spread.text, wanted)
    last_h = float(induction.at) + induction.length_h
    if last_h > condition.end_h:
        wanted = f"spikes that end within the course, {course.duration.text}"
        yield problem("induction", f"spikes until {last_h:.3g} h", wanted)
