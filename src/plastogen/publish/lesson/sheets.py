"""In: a `Lesson`, its key and what was run. Out: student sheet, teacher sheet and slides as plain
blocks.

A block says what a thing is, not how it looks: `lesson.render` turns blocks into HTML and Markdown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from plastogen._base.scope import SCOPE
from plastogen.analysis import Cited
from plastogen.publish.lesson.definition import LEVELS, Lesson
from plastogen.publish.lesson.key import Checked, Key
from plastogen.publish.lesson.places import minus

TOLD = {
    "see": "See: read it off the figures",
    "explain": "Explain: say why",
    "judge": "Judge: how far does it go?",
}
LINES = {"see": 2, "explain": 4, "judge": 5}  # to write on
REFRESHED = 3  # statements to agree or disagree with, on a slide


@dataclass(frozen=True)
class Heading:
    text: str
    level: int = 2


@dataclass(frozen=True)
class Text:
    text: str
    kind: str = ""  # aim, scope, small, alarm, command


@dataclass(frozen=True)
class Points:
    items: Sequence[str]


@dataclass(frozen=True)
class Table:
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Picture:
    name: str
    caption: str


@dataclass(frozen=True)
class Figures:
    """Pictures beside one another on paper."""

    pictures: Sequence[Picture]


@dataclass(frozen=True)
class Asked:
    """A question by its number, with room to write, or with its answer and the claims it rests
    on.
    """

    number: int
    text: str
    lines: int = 0
    answer: str = ""
    checked: Sequence[Checked] = ()
    brief: bool = False  # claims by name alone: a slide has no room for fine print


@dataclass(frozen=True)
class Slide:
    """Blocks, and a figure `beside` them."""

    blocks: Sequence[Block]
    beside: Picture | None = None


Block = Heading | Text | Points | Table | Picture | Figures | Asked | Slide


@dataclass(frozen=True)
class Ran:
    """What was run, in words: the experiment's question, its arms (title, what was given and what
    else is different), how it was run, and what each figure shows.
    """

    question: str
    note: str
    arms: Sequence[tuple[str, str]]
    how: str
    command: str
    captions: Mapping[str, str]
    cited: Sequence[Cited] = field(default=())


def student(lesson: Lesson, ran: Ran, key: Key) -> list[Block]:
    """The sheet students write on: no answer stands on it."""
    return [
        *_top(lesson, "Student sheet"),
        *_background(lesson, ran, ""),
        *_pictures(lesson, ran),
        *_questions(lesson, key, answered=False),
        Heading("Do you agree?"),
        Text("Say for each statement whether you agree, and why."),
        *(Asked(i, m.belief, lines=2) for i, m in enumerate(lesson.misconceptions, 1)),
    ]


def teacher(lesson: Lesson, ran: Ran, key: Key) -> list[Block]:
    """The same with its answers, what they rest on, and what the evidence does not show."""
    return [
        *_top(lesson, "Teacher sheet, with answer key"),
        *_disagreement(key),
        Table(("", ""), [("Made again by", ran.command)]),
        *_background(lesson, ran, ran.note),
        *_pictures(lesson, ran),
        *_questions(lesson, key, answered=True),
        Heading("Common misconceptions"),
        *(
            Asked(i, f"“{m.belief}”", answer=said)
            for i, (m, said) in enumerate(zip(lesson.misconceptions, key.instead, strict=True), 1)
        ),
        Heading("What the evidence does not show"),
        Points(key.not_shown),
        Heading("Change the model"),
        *_change(lesson, ran),
        *_numbers(key),
        *_sources(ran),
    ]


def slides(lesson: Lesson, ran: Ran, key: Key) -> list[Block]:
    """A set for the projector: aim, question, figures, a slide a question and one with its
    answer.
    """
    made = [Slide((Heading(lesson.title, 1), Text(lesson.aim, "aim"), Text(SCOPE, "scope")))]
    made.append(Slide((Heading("What we know before"), Points(lesson.background))))
    arms = Table(("Group", "Given"), ran.arms)
    made.append(
        Slide((Heading("The experiment"), Text(ran.question, "aim"), arms, Text(ran.how, "small")))
    )
    pictures = {name: Picture(name, ran.captions[name]) for name in lesson.figures}
    made += [Slide((picture,)) for picture in pictures.values()]
    for number, i in enumerate(key.asked, 1):
        level = Heading(TOLD[lesson.questions[i].level])
        beside = pictures[lesson.figure_beside(lesson.questions[i])]
        answered = Asked(number, key.asks[i], 0, key.answers[i], key.checked[i], brief=True)
        made.append(Slide((level, Asked(number, key.asks[i])), beside))
        made.append(Slide((level, answered), beside))
    beliefs = [m.belief for m in lesson.misconceptions]
    made.append(Slide((Heading("Do you agree?"), Points(beliefs[:REFRESHED]))))
    made.append(
        Slide(
            (
                Heading("What the evidence does not show"),
                Points(key.not_shown),
                Text(SCOPE, "scope"),
            )
        )
    )
    return list(made)


def _top(lesson: Lesson, what: str) -> Iterator[Block]:
    yield Text(what, "what")
    yield Heading(lesson.title, 1)
    yield Text(lesson.aim, "aim")
    yield Text(SCOPE, "scope")
    yield Table(
        ("", ""), [("Time needed", lesson.time), ("You should know", "; ".join(lesson.before))]
    )


def _disagreement(key: Key) -> Iterator[Block]:
    for one in key.disagreements:
        wanted = "is met" if one.holds else "is not met"
        told = (
            f"The answers say that this claim {wanted}; in this run it came out as"
            f" “{one.verdict.outcome}”"
        )
        yield Text(f"{told}: {one.verdict.claim}. Do not use the answers that rest on it.", "alarm")
    for ask, one in key.left_out:
        told = (
            f"Left out, for “{one.verdict.claim}” came out as “{one.verdict.outcome}” in this run"
        )
        yield Text(f"{told}: {ask}", "small")


def _background(lesson: Lesson, ran: Ran, note: str) -> Iterator[Block]:
    yield Heading("What we know before")
    yield from (Text(text) for text in lesson.background)
    yield Heading("The experiment")
    yield Text(ran.question, "aim")
    yield from [Text(note)] if note else []
    yield Table(("Group", "Given"), ran.arms)
    yield Text(ran.how, "small")


def _pictures(lesson: Lesson, ran: Ran) -> Iterator[Block]:
    yield Heading("What came out")
    yield Figures([Picture(name, ran.captions[name]) for name in lesson.figures])


def _questions(lesson: Lesson, key: Key, *, answered: bool) -> Iterator[Block]:
    """What can be asked of this run, numbered in the order of the file."""
    yield Heading("Questions")
    numbers = {i: number for number, i in enumerate(key.asked, 1)}
    for level in LEVELS:
        here = [i for i in numbers if lesson.questions[i].level == level]
        yield from [Heading(TOLD[level], 3)] if here else []
        for i in here:
            if answered:
                yield Asked(numbers[i], key.asks[i], 0, key.answers[i], key.checked[i])
            else:
                yield Asked(numbers[i], key.asks[i], lines=LINES[level])


def _change(lesson: Lesson, ran: Ran) -> Iterator[Block]:
    yield Text(
        f"{lesson.change.why} Run it again, and see which answers no longer hold, and what can no"
        " longer be asked:"
    )
    sets = " ".join(f"--set {path}='{value}'" for path, value in lesson.change.set.items())
    yield Text(f"{ran.command} {sets}", "command")


def _numbers(key: Key) -> Iterator[Block]:
    """Every number of the key with its interval."""
    if key.numbers:
        yield Heading("Where the numbers come from")
        rows = [(one.text, one.exact, one.span or "one seed", str(one.n)) for one in key.numbers]
        yield Table(("Readout, group", "Mean", "95 % interval", "Seeds"), rows)


def _sources(ran: Ran) -> Iterator[Block]:
    if ran.cited:
        yield Heading("Sources of the claims")
        yield Points([minus(one.line) for one in ran.cited])
