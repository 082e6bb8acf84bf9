"""In: an experiment and its conditions. Out: what does not go with the kind of run that they are:
inductions, or courses of single spines or with ensembles.
"""

from __future__ import annotations

from collections.abc import Iterator

from plastogen._base.text import any_of, nearest, show
from plastogen.errors import Problem
from plastogen.experiment import validate_ensembles, validate_induction
from plastogen.experiment.definition import Experiment
from plastogen.experiment.resolve import Condition, OpenExperiment
from plastogen.experiment.validate_given import written
from plastogen.model.plasticity import COUNTED, sites_expected
from plastogen.simulation import OF_SPINES

FIXED_OF_COURSE = ("duration", "seed", "seeds", "subjects", "synapses", "method")
PATHS_OF_SPINES = ("model.spines", "course.preparation")
EACH = "an experiment that follows each spine, course.synapses: each"
FIXED_BY_ALL = ("induction", "ensembles", *(f"course.{name}" for name in FIXED_OF_COURSE))
FEWEST_SITES, MOST_SITES = (
    1000,
    10**7,
)  # some 300 bytes a site in memory


def wanted_of(path: str, experiment: Experiment) -> str | None:
    """What a path wants of the experiment, where it would change nothing of it, or only some
    arms.
    """
    about = f"{path}.".startswith(("spines.", *(f"{name}." for name in PATHS_OF_SPINES)))
    if about and experiment.kind not in OF_SPINES:
        return EACH
    found = validate_ensembles.wanted_of(path, experiment)
    return found or validate_induction.wanted_of(path, experiment)


def validate_kind(opened: OpenExperiment, condition: Condition) -> Iterator[Problem]:
    """What does not go with the kind of run that a condition is."""
    yield from validate_induction.validate_induction(opened, condition)
    yield from validate_ensembles.validate_ensembles(opened, condition)
    yield from _validate_interventions(opened, condition)
    yield from validate_ensembles.validate_stimulations(opened, condition)
    if condition.setting.course.synapses == "each":
        yield from _validate_spines(opened, condition)
    if condition.kind not in OF_SPINES:
        for path in PATHS_OF_SPINES:
            part, _, name = path.partition(".")
            own = getattr(opened.experiment, part)
            if name in own.model_fields_set:
                yield opened.document.problem(path, show(getattr(own, name)), EACH)


def _validate_spines(opened: OpenExperiment, condition: Condition) -> Iterator[Problem]:
    """Spines nobody can follow, or in a preparation that their file does not know."""
    document, course = opened.document, condition.setting.course
    if condition.kind == "induction":
        wanted = "mean: an induction drives synapses of its own"
        yield document.problem("course.synapses", show(course.synapses), wanted, "mean")
        return
    if course.method == "emulated":
        wanted = "direct or formula: no emulator has learned single spines"
        yield document.problem("course.method", show(course.method), wanted, "direct")
    sites = sites_expected(condition.circuit, float(condition.spines.places.filling))
    if not FEWEST_SITES <= sites <= MOST_SITES:
        cells = condition.circuit.principal
        found = f"each, of about {sites:,.0f} sites between {cells} cells"
        wanted = f"mean, or a circuit with {FEWEST_SITES:,} to {MOST_SITES:,} sites"
        yield document.problem("course.synapses", found, wanted, "mean")
    counted = [state for state in COUNTED if state in course.start]
    for state in counted:
        found = f"{show(state)}, which is counted from spines"
        wanted = "a state that is not, or synapses: mean; spines go by `intervene` of an arm"
        yield document.problem(f"course.start.{state}", found, wanted)
    known = condition.spines.preparations
    if course.preparation not in known:
        own = opened.experiment.arm(condition.arm).set
        at = ("arms", condition.arm, "set", "course.preparation")
        where = at if "course.preparation" in own else "course.preparation"
        wanted = f"{any_of(known)}, as spines/{condition.setting.model.spines} has them"
        near = nearest(course.preparation, known)
        yield document.problem(where, show(course.preparation), wanted, near)


def _validate_interventions(opened: OpenExperiment, condition: Condition) -> Iterator[Problem]:
    """Interventions where no spines are, or after the course."""
    document, course = opened.document, condition.setting.course
    for label, one in condition.interventions.items():
        path = written(opened.experiment, condition.arm, label, "intervene")
        if condition.kind not in OF_SPINES:
            verb = "delete" if one.freeze is None else "freeze"
            wanted = f"course.synapses: each; a mean synapse has no spines to {verb}"
            if condition.kind == "induction":
                wanted = f"none: an induction drives one synapse, which has no spines to {verb}"
            yield document.problem(path, show(one.what), wanted)
        elif float(one.at) >= condition.end_h:
            wanted = f"a time before the course ends, {course.duration.text}"
            yield document.problem(f"{path}.at", f"'{one.at.text}'", wanted)
        elif one.ensemble is not None:
            ensembles = condition.setting.ensembles
            if ensembles is None or one.ensemble > ensembles.groups:
                wanted = (
                    "an experiment with `ensembles:`"
                    if ensembles is None
                    else f"an ensemble, 1 to {ensembles.groups}"
                )
                yield document.problem(f"{path}.ensemble", str(one.ensemble), wanted)
