"""In: what there is (models, experiments, variables). Out: lines of text that say it, for `list`
and `show`; and files to start from, for `new`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from plastogen._base.definition import build, quantities
from plastogen._base.document import Document
from plastogen._base.files import atomic_write
from plastogen._base.library import Library, builtin
from plastogen._base.quantity import Quantity
from plastogen._base.text import columns, nearest, show
from plastogen._base.textfile import is_file
from plastogen.errors import InputError
from plastogen.experiment import (
    FIGURES,
    FOLDERS,
    NAME,
    OpenExperiment,
    check,
    open_experiment,
    shipped,
    title_of,
)
from plastogen.model.circuit import Circuit
from plastogen.model.plasticity import STATES
from plastogen.publish.lesson.definition import FOLDER as LESSONS
from plastogen.publish.lesson.definition import open_lesson
from plastogen.publish.lesson.definition import shipped as shipped_lessons
from plastogen.runs import dosing_rows
from plastogen.simulation import (
    OF_ENSEMBLES,
    OF_SPINES,
    READABLE,
    VARIABLES,
    Switches,
    block_sites,
    bounds_of,
)

MODEL_KINDS = dict(FOLDERS.values())
KINDS = (
    "experiments",
    "lessons",
    *MODEL_KINDS,
    "variables",
    "figures",
    "states",
    "switches",
    "references",
)
# kind of file that `new` makes -> its folder
NEW_FILES = {
    "experiment": Path(),
    "sweep": Path(),
    "lesson": Path(LESSONS),
    "subject": Path("models/subjects"),
    "circuit": Path("models/circuits"),
    "plasticity": Path("models/plasticity"),
    "rule": Path("models/rules"),
    "spine": Path("models/spines"),
    "drug": Path("models/drugs"),
}


def listing(kind: str, *, here: Path | None = None) -> list[tuple[str, str]]:
    """Name and title of everything of a kind. Raises InputError."""
    if kind not in KINDS:
        wanted = f"one of {', '.join(KINDS)}"
        raise InputError.one(
            file="list", found=show(kind), wanted=wanted, nearest=nearest(kind, KINDS)
        )
    library = Library(here)
    if kind == "experiments":
        return [(name, _title(builtin("experiments") / f"{name}.yaml")) for name in shipped()]
    if kind == "lessons":
        files = _lessons(here)
        return [(name, _title(files[name])) for name in sorted(files)]
    if kind == "variables":
        return [(name, f"{v.long_name} [{v.unit}]{_by(v.dims)}") for name, v in VARIABLES.items()]
    if kind == "references":
        return [
            (key, f"{r.authors} {r.year}. {r.title}") for key, r in library.references().items()
        ]
    if kind in ("figures", "states"):
        return [(name, "") for name in (FIGURES if kind == "figures" else STATES)]
    if kind == "switches":
        return list(_switches(library).items())
    return [(name, _title(library.find(kind, name))) for name in library.names(kind)]


def _switches(library: Library) -> dict[str, str]:
    """Path of every switch, sites of all circuits that are there, and what it can be set to."""
    circuits = [library.load("circuits", own, Circuit) for own in library.names("circuits")]
    sites = {
        f"switches.block.{site}": f"a factor on block of {text}, 0 and up"
        for circuit in circuits
        for site, text in block_sites(circuit).items()
    }
    return sites | {
        f"switches.{name}": " or ".join(getattr(info.annotation, "__args__", ()))
        for name, info in Switches.model_fields.items()
        if name != "block"
    }


def _lessons(here: Path | None) -> dict[str, Path]:
    """Lessons of one's own and those that ship."""
    own = {path.stem: path for path in sorted(((here or Path()) / LESSONS).glob("*.yaml"))}
    return {name: builtin(LESSONS) / f"{name}.yaml" for name in shipped_lessons()} | own


def _by(dims: Sequence[str]) -> str:
    places = [dim for dim in dims if dim != "time"]
    return f", by {' and '.join(places)}" if places else ""


def _title(path: Path) -> str:
    """The title of a file, without reading all of it as YAML."""
    found = re.search(r"^title:\s*(.+?)\s*$", path.read_text(encoding="utf-8"), re.M)
    return found[1].strip("\"'") if found else ""


def describe(name: str, *, here: Path | None = None) -> Iterator[str]:
    """What there is to know of a model, an experiment, a variable or a reference, line by line.
    Raises InputError.
    """
    library = Library(here)
    found = 0
    if name in shipped() or Path(name).suffix == ".yaml" or is_file(Path(f"{name}.yaml")):
        yield from _experiment(open_experiment(name))
        found += 1
    for folder, kind in MODEL_KINDS.items():
        if name in library.names(folder):
            yield from ([""] if found else [])
            yield from _model(library.document(folder, name), folder, kind)
            found += 1
    if name in VARIABLES:
        yield from _variable(name)
        found += 1
    if name in (references := library.references()):
        r = references[name]
        yield f"{name}: {r.authors} ({r.year}). {r.title}. {r.journal}." + (
            f" doi:{r.doi}" if r.doi else ""
        )
        yield from ([f"  {r.note}"] if r.note else [])
        found += 1
    for line in _other(name, here):
        yield line
        found += 1
    if found:
        return
    known = [name for kind in KINDS for name, _ in listing(kind, here=here)]
    wanted = "a name that `plastogen list` prints"
    raise InputError.one(file="show", found=show(name), wanted=wanted, nearest=nearest(name, known))


def _other(name: str, here: Path | None) -> Iterator[str]:
    """What there is to know of a lesson, a figure, a state or a switch."""
    if name in (lessons := _lessons(here)):
        lesson, _ = open_lesson(lessons[name])
        yield f"{lesson.title}  (lesson on {lesson.experiment}, {lesson.time})"
        yield f"  {lesson.aim}"
        yield f"  takes {lesson.takes}; its sheets and slides: plastogen lesson {name}"
        yield from (f"  {question.level}: {question.ask}" for question in lesson.questions)
    if name in FIGURES:
        yield f"figure {name}: {FIGURES[name].caption}"
    if name in STATES:
        yield f"state {name} of the slow model; course.start.{name} multiplies it at the beginning"
    if name.startswith("switches.") and name in (switches := _switches(Library(here))):
        yield f"{name}: {switches[name]}"
        said = (Switches.__doc__ or "").splitlines()[2:]
        yield from (f"  {line.strip()}" for line in said if line)


PLACES = {"class": "E", "pool": "E.synaptic", "species": "ketamine"}  # of an example
RUNS = {  # kinds of runs that a variable may be found in alone
    OF_SPINES: "runs that follow each spine (`spines:`)",
    OF_ENSEMBLES: "runs beside which ensembles are taught (`ensembles:`)",
    ("spine_ensembles",): "runs that do both (`spines:`, `ensembles:`)",
    ("induction",): "inductions (`induction:`)",
}


def _variable(name: str) -> Iterator[str]:
    """What a variable is, its unit or what a 1 means, its bounds, and a readout of it."""
    variable = VARIABLES[name]
    yield f"{name}: {variable.long_name} [{variable.unit}]{_by(variable.dims)}"
    scale = f"scale: {variable.scale}" if variable.scale else ""
    if said := "; ".join(filter(None, (scale, bounds_of(name)))):
        yield f"  {said}"
    if variable.of in RUNS:
        yield f"  only in {RUNS[variable.of]}"
    if variable.role:
        yield f"  only in circuits with a class of the role {variable.role}"
    if name not in READABLE:
        return
    place = f", {variable.place}: {PLACES[variable.place]}" if variable.place else ""
    when = "snapshot: during" if variable.of_snapshot else "take: mean"
    yield f"  a readout of it: {{of: {name}{place}, {when}}}"


def _model(document: Document, folder: str, kind: Any) -> Iterator[str]:
    """Title, notes, then one line a number: path, value, range, evidence, source, note."""
    model = build(document, kind)
    yield f"{model.title}  ({folder}/{Path(document.file).stem})"
    for key in ("regime", "note"):
        if getattr(model, key, None):
            yield f"  {key}: {getattr(model, key)}".rstrip()
    rows = []
    root = next(root for root, (own, _) in FOLDERS.items() if own == folder)
    within = f"{root}.{Path(document.file).stem}" if root == "drugs" else root
    for path, q in quantities(model):
        what = title_of(f"{within}.{path}") or ""
        rows.append((path, what, q.text, span(q), q.evidence or "", q.source or "", q.note or ""))
    head = ("number", "what", "value", "range", "evidence", "source", "note")
    yield from columns([head, *rows])


def span(quantity: Quantity) -> str:
    """The range, in the unit the value is written in."""
    if quantity.range is None:
        return ""
    number, _, unit = quantity.text.partition(" ")
    scale = quantity.value / float(number) if float(number) else 1.0
    low, high = (end / scale for end in quantity.range)
    return f"{low:g} to {high:g} {unit}".rstrip()


def _experiment(opened: OpenExperiment) -> Iterator[str]:
    experiment = opened.experiment
    yield f"{experiment.title or opened.name}: {experiment.question}"
    if experiment.takes:
        yield f"  takes {experiment.takes}"
    if experiment.note:
        yield f"  {experiment.note}".rstrip()
    course, model = experiment.course, experiment.model
    yield f"  {model.subject}, circuit {model.circuit}, plasticity {model.plasticity}"
    yield f"  {course.duration.text}, {course.seeds} seeds"
    yield "arms:"
    first = {condition.arm: condition for condition in reversed(check(opened))}
    for arm, own in experiment.arms.items():
        what = list(dict.fromkeys(str(row["what"]) for row in dosing_rows(first[arm])))
        yield f"  {arm}{f' ({own.title})' if own.title else ''}: {'; '.join(what) or 'nothing'}"
    for whole, *paths in opened.sweep_in_words:
        yield from (f"over {whole}:", *(f"  {path}" for path in paths))
    yield "readouts:"
    yield from columns(
        [(f"  {name}", f"[{r.unit}]", r.title or "") for name, r in experiment.readouts.items()]
    )
    if experiment.expect:
        yield "claims:"
        for claim in experiment.expect:
            found = "".join(f": {text}" for text in (claim.reported,) if text)
            source = f"  ({claim.source}{found})" if claim.source else ""
            miss = claim.miss_at("what comes out")
            known = f"  known miss: {miss}" if miss else ""
            yield f"  {claim.claim}{source}{known}"


# ---- files to start from


def new_file(kind: str, name: str, *, folder: Path | None = None) -> Path:
    """Write the file; its path. Raises InputError for a bad kind or name or a file that is there,
    StoreError.
    """
    if kind not in NEW_FILES:
        wanted = f"one of {', '.join(NEW_FILES)}"
        raise InputError.one(
            file="new", found=show(kind), wanted=wanted, nearest=nearest(kind, NEW_FILES)
        )
    if not re.fullmatch(NAME, name):
        wanted = "a name of letters, digits, - and _, such as my_dose"
        raise InputError.one(file="new", found=show(name), wanted=wanted)
    path = (folder or Path()) / NEW_FILES[kind] / f"{name}.yaml"
    if path.exists():
        raise InputError.one(
            file=str(path), found="a file that is already there", wanted="a new name"
        )
    text = (Path(__file__).parent / "template" / f"{kind}.yaml").read_text(encoding="utf-8")
    atomic_write(path, text.replace("NAME", name))
    return path
