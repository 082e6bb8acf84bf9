"""In: a `Lesson` and an answered experiment. Out: its answer key: texts filled in, claims as they
came out.

What stands in braces in a text is read from the run (see `lesson.places`). A question is asked only
where the claims it takes for granted, its premise, were met.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import xarray as xr

from plastogen._base.document import Document
from plastogen._base.text import any_of, nearest, show
from plastogen.errors import InputError, Problem
from plastogen.experiment import OpenExperiment, Verdict
from plastogen.publish.lesson.definition import Lesson, Question
from plastogen.publish.lesson.places import PLACE, Found, fault, fixed, read


@dataclass(frozen=True)
class Checked:
    """A claim that an answer rests on, and whether it came out as the answer says."""

    verdict: Verdict
    holds: bool

    @property
    def agrees(self) -> bool:
        return self.verdict.outcome != "undecided" and (self.verdict.outcome == "met") == self.holds


@dataclass(frozen=True)
class Key:
    """Every text of a lesson filled in, in the order of the file, what each question takes for
    granted, and what each answer rests on.
    """

    asks: tuple[str, ...]
    answers: tuple[str, ...]
    instead: tuple[str, ...]
    not_shown: tuple[str, ...]
    premises: tuple[tuple[Checked, ...], ...]
    checked: tuple[tuple[Checked, ...], ...]
    numbers: tuple[Found, ...]

    @property
    def asked(self) -> list[int]:
        """Which questions can be asked: those whose premise was met."""
        return [i for i, given in enumerate(self.premises) if all(one.agrees for one in given)]

    @property
    def left_out(self) -> list[tuple[str, Checked]]:
        """Questions that cannot be asked of this run, each with what it takes for granted."""
        return [
            (self.asks[i], next(one for one in given if not one.agrees))
            for i, given in enumerate(self.premises)
            if i not in self.asked
        ]

    @property
    def disagreements(self) -> list[Checked]:
        """Claims that came out other than the answers to what is asked say, each once."""
        every = {
            one.verdict.claim: one for i in self.asked for one in self.checked[i] if not one.agrees
        }
        return list(every.values())


def texts(lesson: Lesson) -> Iterator[tuple[str, str]]:
    """(path, text) of every text that may read numbers."""
    yield from ((f"questions.{i}.ask", q.ask) for i, q in enumerate(lesson.questions))
    yield from ((f"questions.{i}.answer", q.answer) for i, q in enumerate(lesson.questions))
    yield from (
        (f"misconceptions.{i}.instead", m.instead) for i, m in enumerate(lesson.misconceptions)
    )
    yield from ((f"not_shown.{i}", text) for i, text in enumerate(lesson.not_shown))


def check(lesson: Lesson, document: Document, opened: OpenExperiment) -> None:
    """Raises InputError, all at once: claims the experiment does not make, numbers it does not
    have.
    """
    problems = list[Problem]()
    claims = [claim.claim for claim in opened.experiment.expect]
    for i, asked in enumerate(lesson.questions):
        for key, named in _named(asked):
            for k, claim in enumerate(named):
                if claim not in claims:
                    wanted = (
                        f"a claim of {opened.name}, in its words; plastogen show {opened.name}"
                        " lists them"
                    )
                    at = f"questions.{i}.{key}.{k}"
                    problems.append(
                        document.problem(at, show(claim), wanted, nearest(claim, claims))
                    )
    for i, name in enumerate(lesson.readouts):
        if name not in (known := opened.experiment.readouts):
            problems.append(
                document.problem(f"readouts.{i}", show(name), any_of(known), nearest(name, known))
            )
    for path, text in texts(lesson):
        for place in PLACE.findall(text):
            wrong = fault(place, opened)
            if wrong is not None:
                problems.append(document.problem(path, *wrong))
    if problems:
        raise InputError(problems)


def _named(asked: Question) -> tuple[tuple[str, list[str]], ...]:
    """The claims a question names, by what it says of them."""
    return ("premise", asked.premise), ("holds", asked.holds), ("misses", asked.misses)


def key(lesson: Lesson, opened: OpenExperiment, ds: xr.Dataset, verdicts: Sequence[Verdict]) -> Key:
    """The key of a lesson that `check` found sound."""
    numbers: dict[str, Found] = {}

    def put(place: str) -> str:
        said = fixed(place, opened)
        if said is None:
            numbers.setdefault(place, read(place, opened, ds))
        return numbers[place].in_sentence if said is None else said

    def filled(text: str) -> str:
        return " ".join(PLACE.sub(lambda match: put(match[1]), text).split())

    by_claim: Mapping[str, Verdict] = {verdict.claim: verdict for verdict in verdicts}

    def checked(named: Sequence[str], holds: bool) -> tuple[Checked, ...]:
        return tuple(Checked(by_claim[claim], holds) for claim in named)

    return Key(
        tuple(filled(q.ask) for q in lesson.questions),
        tuple(filled(q.answer) for q in lesson.questions),
        tuple(filled(m.instead) for m in lesson.misconceptions),
        tuple(filled(text) for text in lesson.not_shown),
        tuple(checked(q.premise, True) for q in lesson.questions),
        tuple(checked(q.holds, True) + checked(q.misses, False) for q in lesson.questions),
        tuple(numbers.values()),
    )
