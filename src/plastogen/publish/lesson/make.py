"""In: the name of a lesson. Out: its experiment run (or found finished), its key, and the files it
is made of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Unpack

from plastogen._base.files import atomic_write
from plastogen._base.text import counted
from plastogen.analysis import list_cited
from plastogen.experiment import title_of
from plastogen.figures import arm_label, caption_of
from plastogen.model.circuit import default_backend
from plastogen.publish.lesson import key as keys
from plastogen.publish.lesson import render, sheets
from plastogen.publish.lesson.definition import Lesson, open_lesson
from plastogen.publish.lesson.key import Key
from plastogen.publish.lesson.sheets import Ran
from plastogen.publish.report.methods import given_by_arm, in_all_arms
from plastogen.publish.workflow import Outcome, complete, draw_into
from plastogen.runs import RESULTS, Request, RunOptions, Say, Watcher, make_request, silent
from plastogen.simulation import OF_ENSEMBLES

RUN_BY = {
    "cpp": "as a compiled program",
    "numpy": "in numpy",
}  # a student reads no names of backends


@dataclass(frozen=True)
class Made:
    """What a lesson came to."""

    lesson: Lesson
    key: Key
    ran: Outcome
    files: tuple[Path, ...]


def make_lesson(
    name: str,
    settings: Mapping[str, object] | None = None,
    *,
    full: bool = False,
    out: Path | None = None,
    say: Say = print,
    watcher: Watcher | None = None,
    **options: Unpack[RunOptions],
) -> Made:
    """Run what the lesson needs and write its sheets. `full`: its experiment as it ships, not the
    short form.

    Where results/EXPERIMENT is finished, that is taken. Raises InputError, StoreError, WorkersLost,
    EngineError.
    """
    lesson, document = open_lesson(name)
    folder = out or RESULTS / f"lesson_{Path(document.file).stem}"
    request, why = _make_request(lesson, settings or {}, folder, full=full, say=say)
    keys.check(lesson, document, request.opened)
    say(f"{lesson.title}: {why}")
    outcome = complete(request, say=say, watcher=watcher, figures=False, **options)
    key = keys.key(lesson, request.opened, outcome.ds, outcome.verdicts)
    command = f"plastogen lesson {name}" + "".join(
        f" --set {path}='{v}'" for path, v in (settings or {}).items()
    )
    files = draw_into(
        outcome, lesson.figures, folder / "figures", readouts=lesson.readouts, say=say
    )
    by_name = {name: [path for path in files if path.stem == name] for name in lesson.figures}
    ran = _ran(outcome, command, {name: caption_of(by_name[name]) for name in by_name})
    return Made(lesson, key, outcome, _write(lesson, key, ran, by_name, folder))


def _make_request(
    lesson: Lesson, settings: Mapping[str, object], folder: Path, *, full: bool, say: Say
) -> tuple[Request, str]:
    """The experiment as it is to be run, and where its results come from."""
    whole = make_request(lesson.experiment, settings, say=silent)
    finished = all(whole.store.fault(run.id) is None for run in whole.runs)
    if finished or full or not lesson.set:
        came = (
            f"taken from {whole.folder}, which is finished"
            if finished
            else f"runs {lesson.experiment} as it ships"
        )
        return whole, came if finished or lesson.set else f"{came}; takes {lesson.takes}"
    short = make_request(lesson.experiment, {**lesson.set, **settings}, out=folder, say=say)
    if all(short.store.fault(run.id) is None for run in short.runs):
        return short, f"taken from {folder}"
    slow = (
        ""
        if default_backend() == "cpp"
        else "; there is no C++ compiler, so far longer (see plastogen doctor)"
    )
    return short, f"runs {lesson.experiment} in short; takes {lesson.takes}{slow}"


def _ran(outcome: Outcome, command: str, captions: Mapping[str, str]) -> Ran:
    """What was run, in words."""
    opened, ds = outcome.request.opened, outcome.ds
    first = {condition.arm: condition for condition in reversed(outcome.request.conditions)}
    own = opened.experiment.arms
    given = given_by_arm(opened, first)
    arms = [(own[arm].title or arm_label(arm), "; ".join(given[arm]) or "nothing") for arm in own]
    common = in_all_arms(opened)
    backends = str(ds.attrs.get("backends", ""))
    network = (
        "ensembles in the network, their course by a formula"
        if ds.attrs.get("kind") in OF_ENSEMBLES and ds.attrs["method"] == "formula"
        else "a formula in place of the network"
        if ds.attrs["method"] == "formula"
        else f"network run {RUN_BY.get(backends, backends)}"
    )
    swept = "".join(
        f" Every group was run over {whole}: {'; '.join(map(_titled, paths))}."
        for whole, *paths in opened.sweep_in_words
    )
    how = (
        f"{str(ds.attrs['subject']).replace('_', ' ').capitalize()}, circuit {ds.attrs['circuit']},"
        f" {network}; {ds.attrs['n_complete']} of {ds.attrs['n_expected']} runs, n ="
        f" {counted(len(opened.seeds), 'seed')}.{swept}"
    )
    sources = [verdict.source for verdict in outcome.verdicts]
    used = list_cited([], sources, opened.models.library)
    return Ran(
        opened.experiment.question,
        (opened.experiment.note or "").replace("`", "").strip(),
        arms,
        how + (f" In every group: {'; '.join(common)}." if common else ""),
        command,
        captions,
        used,
    )


def _titled(swept: str) -> str:
    """`circuit.magnesium.concentration: 0, 1 mM` with the number's title for its path."""
    path, _, values = swept.partition(": ")
    return f"{title_of(path) or path}: {values}"


def _write(
    lesson: Lesson, key: Key, ran: Ran, files: Mapping[str, Sequence[Path]], folder: Path
) -> tuple[Path, ...]:
    """The three sheets as HTML and Markdown, and their figures, into `folder`. Raises
    StoreError.
    """
    linked = {name: f"figures/{name}.png" for name in lesson.figures}
    blocks = {
        "student": sheets.student(lesson, ran, key),
        "teacher": sheets.teacher(lesson, ran, key),
        "slides": sheets.slides(lesson, ran, key),
    }
    written = []
    for name, parts in blocks.items():
        atomic_write(
            folder / f"{name}.html", render.page(f"{lesson.title}: {name}", parts, files, kind=name)
        )
        atomic_write(folder / f"{name}.md", render.markdown(parts, linked))
        written += [folder / f"{name}.html", folder / f"{name}.md"]
    return tuple(written)
