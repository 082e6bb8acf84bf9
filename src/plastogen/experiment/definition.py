"""In: experiments/*.yaml. Out: an `Experiment`: a question, arms that share everything but what
they say they change, what to read out, and what must come out.

Time 0 is the first planned dose; pre-treatments stand at negative times.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import pydantic
from pydantic import Discriminator, Field, Tag

from plastogen._base.definition import Definition
from plastogen._base.document import Document, read
from plastogen._base.library import builtin
from plastogen._base.quantity import Given, Quantity
from plastogen._base.text import nearest, show
from plastogen._base.textfile import is_file
from plastogen._base.units import parse
from plastogen.errors import InputError
from plastogen.experiment.claim import Claim
from plastogen.experiment.readout import Readout
from plastogen.experiment.sweep import LAST_SEED, MAX_POINTS, Design, Sweep
from plastogen.experiment.sweep import faults as sweep_faults
from plastogen.model.pharmacology import Duration, Moment, Treatment
from plastogen.model.plasticity import Ensembles, Induction, Intervention, Stimulation
from plastogen.simulation import Kind, Switches, kind_of

D = TypeVar("D", bound=Definition)
NAME = r"^[A-Za-z][A-Za-z0-9_-]{0,63}$"
Name = Annotated[str, Field(pattern=NAME)]
MAX_ARMS, MAX_SEEDS = 200, 1000
MAX_PROBES = 10_000
SHORTEST_S, LONGEST_S = 0.1, 1000  # of activity that a probe simulates


def _default(text: str, unit: str) -> Any:
    return Field(default_factory=lambda: Quantity(parse(text, unit), unit, text))


class ModelNames(Definition):
    """Which models the experiment is about: names of files in models/."""

    subject: str
    circuit: str = "prefrontal"
    plasticity: str = "all"
    rule: str = "visual_nonlinear"
    spines: str = "cortex"


class CourseSettings(Definition):
    """How long, how often, how exactly.

    `seed` is the first of `seeds` consecutive master seeds. `subjects` is how many virtual subjects
    are drawn from what the subject's file says of how people vary, each met by every arm and seed.
    A probe simulates `settle` and then measures `window`. `tolerance` is the error allowed in the
    slow state at a step. `start` multiplies states at the beginning (`weight: 1.05`), to see
    whether they return. With `synapses: each` every spine is followed, as one sees it in a
    `preparation` of the file `model.spines`.
    """

    duration: Duration
    seeds: int = Field(2, ge=1, le=MAX_SEEDS)
    subjects: int | None = Field(None, ge=1, le=MAX_POINTS)
    seed: int = Field(1, ge=0, le=LAST_SEED)
    method: Literal["direct", "emulated", "formula"] = "direct"
    window: Annotated[Quantity, Given("s", minimum=SHORTEST_S, maximum=LONGEST_S)] = _default(
        "8 s", "s"
    )
    settle: Annotated[Quantity, Given("s", minimum=0, maximum=LONGEST_S)] = _default("0.5 s", "s")
    tolerance: Annotated[Quantity, Given("1", above=0, maximum=1)] = _default("0.02", "1")
    max_probes: int = Field(80, ge=1, le=MAX_PROBES)
    start: dict[str, Annotated[Quantity, Given("1", above=0)]] = {}
    synapses: Literal["mean", "each"] = "mean"
    preparation: str = "thinned_skull"


class StressEvent(Definition):
    """Stress at `level` (0..1) from `at`, for a time or to the end; the subject's own ongoing
    stress otherwise.
    """

    level: Annotated[Quantity, Given("1", minimum=0, maximum=1)]
    at: Moment
    held: Duration | None = Field(None, alias="for")


def stress_spans(
    given: StressEvent | list[StressEvent] | None, end_h: float
) -> tuple[tuple[float, float, float], ...]:
    """Spans of stress (start, end, level), h, sorted; without an end they last to `end_h`."""
    events = [] if given is None else given if isinstance(given, list) else [given]
    spans = (
        (float(e.at), end_h if e.held is None else float(e.at) + float(e.held), float(e.level))
        for e in events
    )
    return tuple(sorted(spans))


def _done_to(given: Any) -> str:
    """Whether an entry of `intervene:` is about spines or about cells."""
    if isinstance(given, Mapping):
        return "cells" if "stimulate" in given else "spines"
    return "cells" if isinstance(given, Stimulation) else "spines"


Done = Annotated[
    Annotated[Intervention, Tag("spines")] | Annotated[Stimulation, Tag("cells")],
    Discriminator(_done_to),
]
"""What is done at a time: to spines, or to cells."""


class Arm(Definition):
    """What one group gets, and what is done to its spines or cells (`intervene`). `extends`
    inherits another arm; names given here are added or replaced.
    """

    title: str | None = None
    note: str | None = None
    extends: str | None = None
    give: dict[Name, Treatment] = {}
    intervene: dict[Name, Done] = {}
    stress: StressEvent | list[StressEvent] | None = None
    set: dict[str, Any] = {}
    switches: Switches | None = None


class Experiment(Definition):
    """One experiment, as its file has it. With an `induction`, about a synapse that electrodes
    drive, two cells alone (method formula, if none is named) or in the network (direct); without,
    about a course of weeks, beside which the network may be taught `ensembles`.

    >>> experiment = plastogen.check("mine").experiment
    >>> list(experiment.arms)
    ['vehicle', 'ketamine']
    """

    question: str
    title: str | None = None
    takes: str | None = None
    note: str | None = None
    model: ModelNames
    course: CourseSettings
    switches: Switches = Field(default_factory=Switches)
    induction: Induction | None = None
    ensembles: Ensembles | None = None
    arms: dict[Name, Arm] = Field(min_length=1, max_length=MAX_ARMS)
    snapshots: dict[Name, Moment] = {}
    readouts: dict[Name, Readout] = {}
    expect: list[Claim] = []
    figures: list[str] = []
    sweep: Sweep = {}
    design: Design = Field(default_factory=Design)

    @property
    def kind(self) -> Kind:
        """What its runs are."""
        return kind_of(
            induction=self.induction is not None,
            ensembles=self.ensembles is not None,
            each=self.course.synapses == "each",
        )

    @pydantic.model_validator(mode="after")
    def _two_cells_alone(self) -> Experiment:
        if self.induction is None or "method" in self.course.model_fields_set:
            return self
        return self.model_copy(
            update={"course": self.course.model_copy(update={"method": "formula"})}
        )

    @pydantic.model_validator(mode="after")
    def _arms_lead_somewhere(self) -> Experiment:
        from plastogen._base.quantity import Fault, faulty

        faults = []
        for name, arm in self.arms.items():
            others = [other for other in self.arms if other != name]
            if arm.extends is not None and arm.extends not in others:
                near = nearest(arm.extends, others)
                wanted = (
                    f"another arm: {', '.join(others)}"
                    if others
                    else "no extends: there is no other arm"
                )
                faults.append(Fault(f"arms.{name}.extends", show(arm.extends), wanted, near))
        if not faults:
            for name in self.arms:
                line = _ancestry(self.arms, name)
                if line is None:
                    found = f"'{self.arms[name].extends}', which leads back to {name}"
                    faults.append(
                        Fault(f"arms.{name}.extends", found, "arms that end at one without extends")
                    )
        faults += sweep_faults(self.sweep, self.design)
        if faults:
            raise faulty(faults)
        return self

    def arm(self, name: str) -> Arm:
        """Arm `name` with all that it inherits."""
        line = _ancestry(self.arms, name)
        assert line is not None
        whole = Arm()
        for ancestor in reversed(line):
            own = self.arms[ancestor]
            switches = own.switches
            if switches is not None and whole.switches is not None:
                switches = laid_over(whole.switches, switches)
            whole = Arm(
                title=own.title,
                note=own.note,
                give={**whole.give, **own.give},
                intervene={**whole.intervene, **own.intervene},
                stress=own.stress if own.stress is not None else whole.stress,
                set={**whole.set, **own.set},
                switches=switches or whole.switches,
            )
        return whole


def _ancestry(arms: Mapping[str, Arm], name: str) -> list[str] | None:
    """The arm and those it inherits from, nearest first; None when they go in a circle."""
    line = [name]
    while (base := arms[line[-1]].extends) is not None:
        if base in line:
            return None
        line.append(base)
    return line


def laid_over(base: D, over: D) -> D:
    """`base` with the fields that were written in `over`, level by level."""
    changed: dict[str, Any] = {}
    for name in over.model_fields_set:
        old, new = getattr(base, name), getattr(over, name)
        changed[name] = (
            laid_over(old, new)
            if isinstance(new, Definition) and isinstance(old, Definition)
            else {**old, **new}
            if isinstance(new, dict) and isinstance(old, dict)
            else new
        )
    return base.model_copy(update=changed)


def shipped() -> list[str]:
    """Names of the experiments that ship, sorted."""
    return sorted(path.stem for path in builtin("experiments").glob("*.yaml"))


def locate(name: str | Path) -> Path:
    """The file of experiment `name`: a path, a file here or in ./experiments, or one that ships.

    Raises InputError with the nearest name.
    """
    given = Path(name)
    if given.suffix in (".yaml", ".yml") or len(given.parts) > 1:
        return given
    own = [folder / f"{name}.yaml" for folder in (Path(), Path("experiments"))]
    for path in (*own, builtin("experiments") / f"{name}.yaml"):
        if is_file(path):
            return path
    names = sorted(
        {
            *shipped(),
            *(p.stem for p in Path().glob("*.yaml")),
            *(p.stem for p in Path().glob("experiments/*.yaml")),
        }
    )
    wanted = f"an experiment: {', '.join(names)}, or the path of a file"
    raise InputError.one(
        file="experiments", found=show(str(name)), wanted=wanted, nearest=nearest(str(name), names)
    )


def document_of(name: str | Path) -> Document:
    """The experiment's file, read. Raises InputError."""
    return read(locate(name))
