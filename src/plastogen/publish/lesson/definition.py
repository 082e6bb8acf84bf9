"""In: lessons/*.yaml. Out: a `Lesson`: an aim, an experiment, questions at three levels with
answers that rest on it.

Questions and answers name what they read instead of giving numbers: `{rate_E of ketamine}` (see
`lesson.places`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, get_args

import pydantic
from pydantic import Field

from plastogen._base.definition import Definition, build
from plastogen._base.document import Document, read
from plastogen._base.library import builtin
from plastogen._base.quantity import Fault, faulty
from plastogen._base.text import any_of, nearest, show
from plastogen._base.textfile import is_file
from plastogen.errors import InputError
from plastogen.experiment import FIGURES

FOLDER = "lessons"
Level = Literal["see", "explain", "judge"]
LEVELS: tuple[Level, ...] = get_args(Level)


class Question(Definition):
    """One question. `premise`: claims of the experiment that it takes for granted; where one is not
    met it is not asked. `figure`: which of the lesson's figures stands beside it. `holds`: claims
    that must be met for the answer to be right; `misses`: claims that must come out as not met,
    where the answer is about what the model gets wrong. Claims are named in the experiment's words.
    """

    level: Level
    ask: str
    answer: str
    premise: list[str] = []
    figure: str | None = None
    holds: list[str] = []
    misses: list[str] = []

    @pydantic.model_validator(mode="after")
    def _rests_on_something(self) -> Question:
        if not (self.holds or self.misses or "{" in self.answer):
            wanted = (
                "a number of the run ({readout of arm}) in the answer, or claims under holds: or"
                " misses:"
            )
            raise faulty([Fault("", "an answer that rests on nothing", wanted)])
        return self


class Misconception(Definition):
    """What is often believed, and what to say instead; students are asked whether they agree with
    it.
    """

    belief: str
    instead: str


class Change(Definition):
    """A change of the model after which the answers no longer hold: shows that they depend on
    it.
    """

    set: dict[str, Any] = Field(min_length=1)
    why: str


class Lesson(Definition):
    """One lesson. `set` is how its experiment is run for it, where the shipped one would take too
    long; `readouts` are those that its figures show, where a figure shows readouts.
    """

    title: str
    experiment: str
    set: dict[str, Any] = {}
    takes: str
    time: str
    aim: str
    before: list[str] = Field(min_length=1)
    background: list[str] = Field(min_length=1)
    figures: list[str] = Field(min_length=1)
    readouts: list[str] = []
    questions: list[Question]
    misconceptions: list[Misconception] = Field(min_length=2)
    not_shown: list[str] = Field(min_length=1)
    change: Change

    @pydantic.model_validator(mode="after")
    def _whole(self) -> Lesson:
        faults = []
        for i, name in enumerate(self.figures):
            if name not in FIGURES:
                faults.append(
                    Fault(
                        f"figures.{i}",
                        show(name),
                        f"one of {', '.join(FIGURES)}",
                        nearest(name, FIGURES),
                    )
                )
        for i, question in enumerate(self.questions):
            if question.figure is not None and question.figure not in self.figures:
                known = any_of(self.figures)
                near = nearest(question.figure, self.figures)
                faults.append(Fault(f"questions.{i}.figure", show(question.figure), known, near))
        asked = {question.level for question in self.questions}
        if lacking := [level for level in LEVELS if level not in asked]:
            found = f"none of level {' or '.join(lacking)}"
            faults.append(
                Fault(
                    "questions", found, "at least one question of each level: see, explain, judge"
                )
            )
        if faults:
            raise faulty(faults)
        return self

    def figure_beside(self, question: Question) -> str:
        """The figure to look at for a question: its own, else the first that shows readouts."""
        showing = [name for name in self.figures if "readouts" in FIGURES[name].takes]
        return question.figure or [*showing, *self.figures][0]


def shipped() -> list[str]:
    """Names of the lessons that ship, sorted."""
    return sorted(path.stem for path in builtin(FOLDER).glob("*.yaml"))


def locate(name: str | Path) -> Path:
    """The file of lesson `name`: a path, a file in ./lessons, or one that ships. Raises
    InputError.
    """
    given = Path(name)
    if given.suffix in (".yaml", ".yml") or len(given.parts) > 1:
        return given
    for path in (Path(FOLDER) / f"{name}.yaml", builtin(FOLDER) / f"{name}.yaml"):
        if is_file(path):
            return path
    names = sorted({*shipped(), *(path.stem for path in Path().glob(f"{FOLDER}/*.yaml"))})
    wanted = f"a lesson: {', '.join(names)}, or the path of a file"
    raise InputError.one(
        file=FOLDER, found=show(str(name)), wanted=wanted, nearest=nearest(str(name), names)
    )


def open_lesson(name: str | Path) -> tuple[Lesson, Document]:
    """The lesson and its file. Raises InputError."""
    document = read(locate(name))
    return build(document, Lesson), document
