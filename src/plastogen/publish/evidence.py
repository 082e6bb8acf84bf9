"""In: every experiment that ships, results of those that have been run. Out: docs/evidence.md as
text.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Unpack

from plastogen._base.leftovers import SCRATCH, ours
from plastogen._base.library import builtin
from plastogen.analysis import CameOut, load_rows, naive_verdicts, render_evidence, sourced
from plastogen.errors import InputError
from plastogen.experiment import (
    COMPLETE,
    Experiment,
    open_experiment,
    shipped,
    stored_verdicts,
)
from plastogen.publish.progress_bar import ProgressBar
from plastogen.publish.workflow import complete
from plastogen.runs import RESULTS, Request, RunOptions, assemble, make_request, states


def evidence_page(
    *, run: bool = False, seeds: int | None = None, **options: Unpack[RunOptions]
) -> str:
    """The page, from results in ./results that this version made; with `run`, from those of every
    experiment, run where they are not there.

    Raises InputError where there are none, StoreError, WorkersLost.
    """
    experiments, came_out = experiments_of_evidence(), dict[str, CameOut]()
    for name in experiments:
        with ProgressBar(talks=False) as bar:
            request = make_request(_file(name), seeds=seeds, say=bar.say)
            if run:
                complete(request, say=bar.say, watcher=bar, figures=False, **options)
            found = _came_out(request)
        if found is not None:
            came_out[name] = found
    if not came_out:
        wanted = "results of this version; make them with: plastogen evidence --run"
        raise InputError.one(file=str(RESULTS), found="no run of any experiment", wanted=wanted)
    return render_evidence(load_rows(), experiments, came_out)


def experiments_of_evidence() -> Mapping[str, Experiment]:
    """Experiments that ship and make a claim with a source, by name; no file of somebody's own."""
    every = {name: open_experiment(_file(name)).experiment for name in shipped()}
    return {name: experiment for name, experiment in every.items() if sourced(experiment)}


def _came_out(request: Request) -> CameOut | None:
    """What came out of an experiment; None where none of its runs is there. Its folder is read
    only: it may hold results of other settings.
    """
    there = list(states(request.store, request.ids).values())
    if COMPLETE not in there:
        return None
    opened, conditions, store = request.opened, request.conditions, request.store
    with (
        tempfile.TemporaryDirectory(prefix=ours(SCRATCH)) as folder,
        assemble(opened, conditions, store, request.ids, Path(folder) / "results.nc") as ds,
    ):
        verdicts, naive = stored_verdicts(ds), naive_verdicts(opened, ds)
    return CameOut(verdicts, naive, sum(state != COMPLETE for state in there))


def _file(name: str) -> str:
    return str(builtin("experiments") / f"{name}.yaml")
