"""In: an experiment's readouts, claims and figures. Out: what is wrong with them beyond each line
alone.
"""

from __future__ import annotations

import keyword
from collections.abc import Collection, Iterator, Sequence

from plastogen._base.document import Document
from plastogen._base.text import any_of, nearest, show
from plastogen.errors import Problem, QuantityError
from plastogen.experiment.claim import ALONG, Claim, Found
from plastogen.experiment.definition import Experiment
from plastogen.experiment.design import SUBJECT, TAKEN, Axis
from plastogen.experiment.figure_table import FIGURES
from plastogen.experiment.readout import ERROR, REASON, Readout, level
from plastogen.experiment.resolve import Condition
from plastogen.experiment.selection import along, column, picked
from plastogen.model.circuit import Circuit
from plastogen.model.plasticity import STATES
from plastogen.simulation import READABLE, VARIABLES, Kind

KINDS: dict[Kind, str] = {
    "course": "a course of the mean synapse",
    "spines": "a course of each spine",
    "induction": "an induction",
    "ensembles": "a course with ensembles",
    "spine_ensembles": "a course of each spine with ensembles",
}


def words(document: Document, experiment: Experiment) -> Iterator[Problem]:
    """A question that asks nothing: it heads every figure, table and report."""
    if not experiment.question.strip():
        yield document.problem(("question",), "nothing", "what the experiment asks, in words")


def figures(document: Document, experiment: Experiment) -> Iterator[Problem]:
    """Figures there are none of, that stand there twice, or that need what the experiment does not
    have.
    """
    for i, name in enumerate(experiment.figures):
        if name in experiment.figures[:i]:
            yield document.problem(("figures", i), f"{show(name)} once more", "each figure once")
        elif name not in FIGURES:
            wanted = f"one of {', '.join(FIGURES)}"
            yield document.problem(("figures", i), show(name), wanted, nearest(name, FIGURES))
        elif lack := _lack(name, experiment):
            found, wanted = lack
            yield document.problem(("figures", i), f"{name} {found}", wanted)


def _lack(name: str, experiment: Experiment) -> tuple[str, str] | None:
    """What the figure `name` needs and the experiment lacks: found, wanted."""
    figure, subjects = FIGURES[name], experiment.course.subjects
    if figure.own_data:
        return "without data", "your own, laid over results: plastogen plot NAME --data FILE"
    kind = experiment.kind
    if kind not in figure.of:
        there = ", ".join(name for name, row in FIGURES.items() if kind in row.of)
        return f"in {KINDS[kind]}", f"one of {there}"
    given = [one for arm in experiment.arms.values() for one in arm.give.values()]
    if figure.held and not any(one.brain is not None for one in given):
        wanted = "an arm that holds one, give: {drug: ketamine, brain: 1 uM, for: 1 h}"
        return "without a concentration that is held", wanted
    if figure.claims and not experiment.expect:
        return "without a claim", "one under `expect:`"
    if len(experiment.snapshots) < figure.snapshots:
        wanted = "moments under `snapshots:`, such as {before: -30 min, during: 40 min}"
        return f"with {len(experiment.snapshots)} snapshots", wanted
    map_of_two = figure.numbers > 1
    if _swept(experiment) < figure.numbers and (map_of_two or not subjects):
        found = ("with nothing swept", "with one number swept")[_swept(experiment)]
        a_number = "a number under `sweep:`, or `subjects:` under course:"
        return found, "two numbers under `sweep:`" if map_of_two else a_number
    if not figure.responders:
        return None
    if not subjects:
        wanted = "`subjects: 200` under course:, with a subject whose file says how people vary"
        return "without virtual subjects", wanted
    if not any(readout.yes_no for readout in experiment.readouts.values()):
        wanted = (
            "a readout that says yes or no, such as {of: clinical_effect, at: 24 h, below: -0.5}"
        )
        return "without a readout that says who responds", wanted
    return None


def readout_names(document: Document, experiment: Experiment) -> Iterator[Problem]:
    """Readouts whose names are taken."""
    taken = {*TAKEN, *(f"{name}{end}" for name in experiment.readouts for end in (ERROR, REASON))}
    for name in experiment.readouts:
        if name in taken or keyword.iskeyword(name):
            wanted = "a name of its own, because results.nc holds it beside the variables"
            yield document.problem(
                f"readouts.{name}", f"'{name}', which is taken", wanted, f"{name}_readout"
            )


def _swept(experiment: Experiment) -> int:
    """How many paths are swept."""
    sweep = experiment.sweep
    return len(sweep[0]) if isinstance(sweep, list) and sweep else len(sweep)


def readouts(
    document: Document, experiment: Experiment, conditions: list[Condition]
) -> Iterator[Problem]:
    """Times outside the course, species nobody gets, classes and snapshots there are none of,
    states to start from.
    """
    yield from _states(document, experiment)
    if not conditions:
        return
    start_h, end_h = (
        min(condition.start_h for condition in conditions),
        min(condition.end_h for condition in conditions),
    )
    species = sorted(
        {s for condition in conditions for drug in condition.drugs.values() for s in drug.species}
    )
    circuits = list({id(condition.circuit): condition.circuit for condition in conditions}.values())
    for name, readout in experiment.readouts.items():
        path = f"readouts.{name}"
        if (kind := conditions[0].kind) not in readout.variable.of:
            there = [name for name in READABLE if kind in VARIABLES[name].of]
            wanted = f"a variable of {KINDS[kind]}: {', '.join(there)}"
            near = nearest(readout.of, there)
            yield document.problem(f"{path}.of", show(readout.of), wanted, near)
            continue
        for key, time in (("at", readout.at), ("from", readout.from_), ("until", readout.until)):
            if time is not None and not start_h <= float(time) <= end_h:
                wanted = f"a time within the course, {start_h:g} h to {end_h:g} h"
                yield document.problem(f"{path}.{key}", show(time.text), wanted)
        if readout.species is not None and readout.species not in species:
            wanted = any_of(species) if species else "no species: no arm gives a drug with kinetics"
            near = nearest(readout.species, species)
            yield document.problem(f"{path}.species", show(readout.species), wanted, near)
        yield from _places(document, path, readout, circuits)
        yield from _snapshot_names(document, path, readout, experiment.snapshots)


def _places(
    document: Document, path: str, readout: Readout, circuits: Collection[Circuit]
) -> Iterator[Problem]:
    """Classes and pools no circuit has; variables that need a role none of their classes has."""
    role = readout.variable.role
    if role is not None and not any(circuit.of_role(role) for circuit in circuits):
        found = f"'{readout.of}', where no class of the circuit is {role}"
        wanted = f"another variable, or a circuit with a class of the role {role}"
        yield document.problem(f"{path}.of", found, wanted)
    classes = dict.fromkeys(name for circuit in circuits for name in circuit.classes)
    pools = dict.fromkeys(pool for circuit in circuits for pool in circuit.pools())
    for key, word, names in (("class", readout.class_, classes), ("pool", readout.pool, pools)):
        if word is not None and word not in names:
            wanted = any_of(names)
            yield document.problem(f"{path}.{key}", show(word), wanted, nearest(word, names))


def _snapshot_names(
    document: Document, path: str, readout: Readout, names: Collection[str]
) -> Iterator[Problem]:
    given = {"snapshot": readout.snapshot}
    if readout.variable.of_snapshot:
        given["relative_to"] = readout.relative_to
    for key, name in given.items():
        if name is not None and name not in names:
            wanted = (
                f"a snapshot: {', '.join(names)}"
                if names
                else "a snapshot named under `snapshots:`"
            )
            yield document.problem(f"{path}.{key}", show(name), wanted, nearest(name, names))


def _states(document: Document, experiment: Experiment) -> Iterator[Problem]:
    for name in experiment.course.start:
        if name not in STATES:
            wanted = f"a state: {', '.join(STATES)}"
            yield document.problem(
                f"course.start.{name}", show(name), wanted, nearest(name, STATES)
            )


def claims(
    document: Document,
    experiment: Experiment,
    axes: Sequence[Axis] | None,
    references: Collection[str],
) -> Iterator[Problem]:
    """Claims about arms, readouts, numbers or points there are none of, or from sources nobody has
    listed.
    """
    said: dict[str, int] = {}
    for i, claim in enumerate(experiment.expect):
        if (first := said.setdefault(claim.claim, i)) != i:
            found = f"the words of expect.{first} again"
            yield document.problem(f"expect.{i}.claim", found, "words of its own for each claim")
        if claim.source is not None and claim.source not in references:
            near = nearest(claim.source, references)
            yield document.problem(
                f"expect.{i}.source", show(claim.source), "a key of references.yaml", near
            )
        yield from _claim(document, experiment, i, claim)
        if axes is not None:
            yield from _points(document, axes, f"expect.{i}", claim, experiment)


def _claim(document: Document, experiment: Experiment, i: int, claim: Claim) -> Iterator[Problem]:
    at = f"expect.{i}"
    for key, arm in claim.arms.items():
        if arm not in experiment.arms:
            near = nearest(arm, experiment.arms)
            yield document.problem(
                f"{at}.{key}", show(arm), f"an arm: {', '.join(experiment.arms)}", near
            )
    for key, name in (("readout", claim.readout), (claim.form, claim.other)):
        if name is not None and name not in experiment.readouts:
            listed = (
                f"a readout: {', '.join(experiment.readouts)}"
                if experiment.readouts
                else "a readout of this file"
            )
            yield document.problem(
                f"{at}.{key}", show(name), listed, nearest(name, experiment.readouts)
            )
        elif (
            name is not None and claim.before is not None and experiment.readouts[name].unit != "h"
        ):
            yield document.problem(
                f"{at}.{key}", show(name), "a readout that is a time, such as take: onset"
            )
    readout = experiment.readouts.get(claim.readout)
    ends = [("by", claim.by), ("at_least", claim.at_least), ("at_most", claim.at_most)]
    ends += [(f"between.{k}", end) for k, end in enumerate(claim.between or ())]
    for key, number in ends:
        if number is not None and readout is not None:
            try:
                written = document.written(f"{at}.{key}")
                level(number if written is None else written, readout.unit)
            except QuantityError as error:
                yield document.problem(f"{at}.{key}", error.found, error.wanted, error.nearest)
    if claim.found is not None and readout is not None:
        yield from _found(document, f"{at}.found", claim.found, claim.judged_in(readout.unit))
    if claim.between is not None and readout is not None:
        low, high = (_level(end, readout.unit) for end in claim.between)
        if low is not None and high is not None and low > high:
            yield document.problem(
                f"{at}.between", f"{claim.between[0]} to {claim.between[1]}", "the lower end first"
            )


def _found(document: Document, at: str, found: Found, unit: str) -> Iterator[Problem]:
    """What a source found, in another unit than is claimed, or outside its own interval."""
    ends = "interval" if found.interval is not None else "range"
    numbers = {f"{ends}.0": found.ends[0], f"{ends}.1": found.ends[1]}
    if found.value is not None:
        numbers["value"] = found.value
    read = {}
    for key, number in numbers.items():
        try:
            written = document.written(f"{at}.{key}")
            read[key] = level(number if written is None else written, unit)
        except QuantityError as error:
            yield document.problem(f"{at}.{key}", error.found, error.wanted, error.nearest)
    if len(read) < len(numbers):
        return
    low, high = read[f"{ends}.0"], read[f"{ends}.1"]
    if not low <= read.get("value", low) <= high or low == high:
        told = f"{found.ends[0]} to {found.ends[1]}"
        wanted = "two ends, the lower first" + (
            f", with {found.value} between them" if found.value is not None else ""
        )
        yield document.problem(f"{at}.{ends}", told, wanted)


def _points(
    document: Document, axes: Sequence[Axis], at: str, claim: Claim, experiment: Experiment
) -> Iterator[Problem]:
    """Points that `where` picks and there are none of; axes that cannot be walked along; numbers
    that do not vary.
    """
    sound, every = True, axes
    if claim.goes_with is None:
        axes = [axis for axis in axes if axis.name != SUBJECT]
    for name, value in claim.where.items():
        try:
            picked(axes, {name: value})
        except QuantityError as error:
            sound = False
            yield document.problem(
                (*document.steps(f"{at}.where"), name), error.found, error.wanted, error.nearest
            )
    if not sound:
        return
    key = "where"
    try:
        mask = picked(axes, claim.where)
        key = claim.form
        if claim.axis is not None:
            along(axes, claim.axis, mask, ALONG[claim.form])
        elif claim.share is not None and not every:
            raise QuantityError("a share of points", "a sweep, or virtual subjects")
        elif claim.goes_with is not None and claim.goes_with not in experiment.readouts:
            _, other = column(axes, claim.goes_with)
            if not other.unit:
                raise QuantityError(show(claim.goes_with), "a readout, or a number that varies")
    except QuantityError as error:
        yield document.problem(f"{at}.{key}", error.found, error.wanted, error.nearest)


def _level(text: float | str, unit: str) -> float | None:
    try:
        return level(text, unit)
    except QuantityError:
        return None
