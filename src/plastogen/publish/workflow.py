"""In: a question. Out: its answer: runs and results on disk, verdicts on its claims, figures, a
report.

The Python door: `run("one_infusion", set={"course.seeds": 2})` gives the results as an xarray
Dataset, `load(folder)` opens those of a folder.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from plastogen._base.files import atomic_write, locked
from plastogen._base.machine import cores
from plastogen._base.text import nearest, show
from plastogen.errors import InputError, StoreError
from plastogen.experiment.claim import Verdict
from plastogen.experiment.resolve import OpenExperiment
from plastogen.experiment.validate_outputs import FIGURES, NEED_SNAPSHOTS
from plastogen.experiment.verdict import COMPLETE, told
from plastogen.figures.draw import Shown, draw
from plastogen.runs.cost import record, record_learning
from plastogen.runs.emulators import provide
from plastogen.runs.noted import note
from plastogen.runs.request import How, Request, Say, _quiet, ask, ask_again, lacking
from plastogen.runs.results import assemble, results_of, states
from plastogen.runs.scheduler import Rerun, Run, RunResult, Watcher, execute

if TYPE_CHECKING:
    import xarray as xr

LOCK = ".lock"  # held while results.nc and table.csv are written
REASONS = 5  # of earlier failures that are told at once
EARLY = "acute"  # the figure that is drawn as soon as the first seed is there
OK, BAD_INPUT, RUN_FAILED, CLAIM_MISSED = 0, 2, 3, 4


@dataclass
class Outcome:
    """What came out. `failed`: why, for each run that gave nothing."""

    asked: Request
    ds: xr.Dataset
    verdicts: list[Verdict]
    done: list[RunResult]
    figures: list[Path] = field(default_factory=list)
    report: Path | None = None
    undrawn: list[str] = field(default_factory=list)

    @property
    def failed(self) -> list[RunResult]:
        return lacking(self.done)

    @property
    def exit_code(self) -> int:
        """0 all good, 3 a run failed or is missing or a figure could not be drawn, 4 a claim
        missed; 3 beats 4.
        """
        if self.failed or self.undrawn:
            return RUN_FAILED
        return (
            CLAIM_MISSED if any(v.outcome in ("missed", "undecided") for v in self.verdicts) else OK
        )


def answer(
    asked: Request,
    *,
    say: Say = print,
    watcher: Watcher | None = None,
    figures: bool = True,
    **how: Unpack[How],
) -> Outcome:
    """Run what is not there yet, then results, verdicts, figures, report. Raises StoreError,
    WorkersLost.
    """
    done = have(asked, asked.jobs, say=say, watcher=watcher, early=figures, **how)
    return conclude(asked, done, say=say, figures=figures)


def have(
    asked: Request,
    jobs: Sequence[Run],
    *,
    say: Say = print,
    watcher: Watcher | None = None,
    early: bool = False,
    **how: Unpack[How],
) -> list[RunResult]:
    """Run what is not there yet of `jobs`; `early`: draw a first figure on the way. Raises
    StoreError, WorkersLost.
    """
    note(asked.folder, asked.question.name, asked.question.set, asked.jobs)
    done: list[RunResult] = []
    first = {job.id for job in jobs if job.seed == asked.question.seeds[0]}
    _learn(asked, jobs, watcher=watcher, workers=how.get("workers", 1))
    early = early and EARLY in asked.question.experiment.figures and len(asked.question.seeds) > 1
    began = time.monotonic()
    with closing(execute(jobs, asked.store, watcher=watcher, **how)) as coming:
        for one in coming:
            done.append(one)
            if one.note and one.came != "failed before":
                say(f"{one.job.place}: {one.note}" if one.came == "failed" else one.note)
            first.discard(one.job.id)
            if early and not first:
                early = False
                if any(d.came == "run" for d in done):
                    _draw_early(asked, say)
    fresh = [one.job for one in done if one.came == "run"]
    if fresh and not how.get("scheduler"):
        with suppress(StoreError):  # the runs are there; only the next estimate goes without them
            record(
                fresh,
                (time.monotonic() - began) * min(how.get("workers", 1), len(fresh)),
                asked.store,
            )
    for line in _given_up(asked, done):
        say(line)
    return done


def _learn(asked: Request, jobs: Sequence[Run], *, watcher: Watcher | None, workers: int) -> None:
    """Have the emulators that runs still to be done need. Raises EngineError, StoreError."""
    needed = {
        job.plan.emulator
        for job in jobs
        if job.plan.emulator and asked.store.fault(job.id) is not None
    }
    for pilots in asked.pilots.values():
        if pilots.key in needed:

            def moved(label: str, share: float, key: str = pilots.key) -> None:
                if watcher is not None:
                    watcher.moved(key, 0, label, share)

            began = time.monotonic()
            if provide(pilots, asked.folder, workers=workers, moved=moved):
                with suppress(StoreError):  # as above
                    record_learning(pilots.plans[0], (time.monotonic() - began) * workers)
            if watcher is not None:
                watcher.finished(pilots.key, 0)


def _given_up(asked: Request, done: Sequence[RunResult]) -> Iterator[str]:
    """What failed in an earlier run and was left alone, each reason once."""
    reasons = Counter(one.note for one in done if one.came == "failed before")
    for reason, times in reasons.most_common(REASONS):
        yield f"failed before, {times} run{'s' if times > 1 else ''}: {reason}"
    if len(reasons) > REASONS:
        yield (
            f"and {len(reasons) - REASONS} more reasons; `plastogen status {asked.folder}` has"
            " them all"
        )
    if reasons:
        yield "what failed is not run again unless asked for: add --rerun failed"


def conclude(
    asked: Request, done: list[RunResult], *, say: Say = print, figures: bool = True
) -> Outcome:
    """Results, verdicts, figures, report, of the runs that are there. Raises StoreError."""
    ds = _results(asked)
    found = Outcome(asked, ds, told(ds), done)
    if figures:
        names = _drawable(asked.question, say)
        found.figures = draw(_shown(asked, ds), names, say=say, undrawn=found.undrawn)
        found.report = _report(found)
    return found


def _results(asked: Request) -> xr.Dataset:
    """The results of what is there, written by one process at a time. Raises StoreError."""
    with locked(asked.folder / LOCK):
        return results_of(asked.question, asked.cases, asked.store, asked.ids)


def _shown(asked: Request, ds: xr.Dataset) -> Shown:
    return Shown(ds, told(ds), asked.cases[0].circuit, asked.store, str(ds.attrs["inputs"]))


def _draw_early(asked: Request, say: Say) -> None:
    """The first hours from the first seed alone, while the other seeds run."""
    with tempfile.TemporaryDirectory() as folder:
        path, first = Path(folder) / "early.nc", asked.question.seeds[:1]
        with assemble(asked.question, asked.cases, asked.store, asked.ids, path, first) as ds:
            ds.attrs |= {"n_expected": len(asked.ids), "claims": "[]"}
            draw(_shown(asked, ds), [EARLY], say=say, undrawn=[])


def _drawable(question: OpenExperiment, say: Say) -> list[str]:
    """The experiment's figures, without those that show spikes when there is no network."""
    names = list(question.experiment.figures)
    if question.experiment.course.method != "direct":
        left_out = [name for name in names if name in NEED_SNAPSHOTS]
        if left_out:
            say(f"without the network there are no spikes to show, so no {' or '.join(left_out)}")
        names = [name for name in names if name not in left_out]
    return names


def _report(found: Outcome, *, again: bool = False) -> Path:
    """report.html, unless it already shows this. Raises StoreError."""
    asked, inputs = found.asked, str(found.ds.attrs["inputs"])
    path, mark = asked.folder / "report.html", asked.folder / "report.json"
    shown = [inputs, [path.stem for path in found.figures]]
    with suppress(OSError, ValueError):
        if path.is_file() and json.loads(mark.read_text()) == shown and not again:
            return path
    from plastogen.publish.report.page import write_report

    backends = [backend for backend in str(found.ds.attrs["backends"]).split(", ") if backend]
    path = write_report(
        asked.folder,
        question=asked.question,
        cases=asked.cases,
        ds=found.ds,
        verdicts=found.verdicts,
        figures=found.figures,
        backends=backends,
    )
    atomic_write(mark, json.dumps(shown))
    return path


def again(
    name: str | Path,
    settings: Mapping[str, object] | None = None,
    *,
    out: Path | str | None = None,
    say: Say = print,
) -> Outcome:
    """The results of a run made before, with the settings it was run with unless others are given.

    Raises InputError when there are none.
    """
    asked = ask_again(name, settings, out=out, say=say)
    if COMPLETE not in states(asked.store, asked.ids).values():
        wanted = f"finished runs; make them with: plastogen run {name}"
        raise InputError.one(file=str(asked.folder), found="none of these runs", wanted=wanted)
    ds = _results(asked)
    return Outcome(asked, ds, told(ds), [])


def redraw(
    found: Outcome, names: Sequence[str], data: Path | None, *, say: Say = print
) -> list[Path]:
    """Draw `names`, or the experiment's figures, with a person's own `data` laid over. Raises
    InputError.
    """
    from plastogen.figures.overlay import read_overlay

    for name in names:
        if name not in FIGURES:
            wanted = f"one of {', '.join(FIGURES)}"
            raise InputError.one(
                file="plot", found=show(name), wanted=wanted, nearest=nearest(name, FIGURES)
            )
    overlays = read_overlay(data) if data is not None else []
    chosen = names or _drawable(found.asked.question, say)
    shown = _shown(found.asked, found.ds)
    return draw(shown, chosen, say=say, overlays=overlays, again=True)


def drawn(
    found: Outcome,
    names: Sequence[str],
    folder: Path,
    *,
    readouts: Sequence[str] = (),
    say: Say = print,
) -> list[Path]:
    """Figures that give no verdict on claims, drawn into `folder`. Raises InputError,
    StoreError.
    """
    shown = _shown(found.asked, found.ds)
    own = replace(
        shown,
        verdicts=(),
        folder=folder,
        readouts=readouts or None,
        inputs=f"{shown.inputs} {readouts}",
    )
    return draw(own, names, say=say)


def rewrite(found: Outcome, *, say: Say = print) -> Path:
    """Write report.html again, with the experiment's figures. Raises StoreError."""
    shown = _shown(found.asked, found.ds)
    found.figures = draw(shown, _drawable(found.asked.question, say), say=say)
    return _report(found, again=True)


def run(
    name: str | Path,
    *,
    set: Mapping[str, object] | None = None,
    seed: int | None = None,
    seeds: int | None = None,
    jobs: int | None = None,
    out: Path | str | None = None,
    method: str | None = None,
    figures: bool = False,
    executor: str = "",
    scheduler: str | None = None,
    rerun: Rerun = "",
) -> xr.Dataset:
    """Run an experiment and give back its results; runs already on disk are not run again.

    `set`: dotted path -> value, as --set takes; `jobs`, `executor`, `scheduler`, `rerun`: as on the
    command line. Raises InputError, StoreError, WorkersLost.
    """
    asked = ask(name, set, seed=seed, seeds=seeds, method=method, out=out, say=_quiet)
    how: How = {
        "workers": jobs or cores(),
        "executor": executor,
        "scheduler": scheduler,
        "rerun": rerun,
    }
    return answer(asked, say=_quiet, figures=figures, **how).ds
