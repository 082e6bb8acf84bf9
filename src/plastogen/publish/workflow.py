"""In: a request. Out: an `Outcome`: runs and results on disk, verdicts on its claims, figures, a
report.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from plastogen._base.files import locked
from plastogen._base.leftovers import SCRATCH, ours
from plastogen._base.sealed import fault, read_json, sealing, write_json
from plastogen._base.text import nearest, show
from plastogen.errors import CacheDamaged, InputError
from plastogen.experiment import (
    COMPLETE,
    FIGURES,
    OpenExperiment,
    Verdict,
    stored_verdicts,
)
from plastogen.figures import Shown, draw_figures
from plastogen.runs import (
    Request,
    RunOptions,
    RunResult,
    Say,
    Watcher,
    assemble,
    made_by_0_1,
    repeat_request,
    results_of,
    run_missing,
    states,
    without_result,
)

if TYPE_CHECKING:
    import xarray as xr

    from plastogen.publish.network import NetworkActivity

LOCK = ".lock"  # held while results.nc and table.csv are written
EARLY = "acute"  # the figure that is drawn as soon as the first seed is there


@dataclass
class Outcome:
    """What came out of a request. `results`: one for each run, empty when nothing was run."""

    request: Request
    ds: xr.Dataset
    verdicts: list[Verdict]
    results: list[RunResult]
    figures: list[Path] = field(default_factory=list)
    report: Path | None = None
    undrawn: list[str] = field(default_factory=list)

    @property
    def failed(self) -> list[RunResult]:
        """Runs that gave nothing; `note` says why."""
        return without_result(self.results)

    @property
    def missed(self) -> list[Verdict]:
        """Claims that were missed or are undecided."""
        return [verdict for verdict in self.verdicts if verdict.outcome in ("missed", "undecided")]

    def network(
        self,
        arm: str,
        seed: int,
        at: str | float,
        *,
        index: Sequence[int] = (),
        seconds: float | None = None,
        rule: str | None = None,
        live: bool = False,
        weights: Path | str | None = None,
        conductance: bool = False,
        say: Say = print,
    ) -> NetworkActivity:
        """The spiking network of a run at one moment, asked again: spikes, sampled voltages, who is
        connected to whom; with a calcium `rule`, what would become of each synapse.

        `at`: hours, a length of time ("90 min") or a snapshot of the experiment; `index`: place
        on each axis of a sweep; `seconds`: how long it is watched, the window of its probes by
        default. It costs one simulation of that and of the time it settles, some seconds for 1,000
        cells, and the first time half a minute to compile; `wall_s` says what it took. A run of
        the formula or the emulator asks the network too. `rule`: one that synapses between
        principal cells follow (`plastogen list rules`); their efficacies are frozen, and what would
        move them is counted, unless they are `live`; `weights`: a file of `write_weights` that
        synapses begin with; with `conductance`, each also transmits in proportion to its efficacy
        (over the rule's own; a loop that can run away). Raises InputError, EngineError, StoreError.

        >>> ds = plastogen.run("mine", seeds=2, method="formula")
        >>> outcome, lines = plastogen.open_outcome("mine"), []
        >>> now = outcome.network("ketamine", 1, "40 min", seconds=0.2, say=lines.append)
        >>> now.spikes.v_mV.shape
        (40, 100)
        >>> sorted(now.connections)[0]
        ('E', 'E')
        >>> lines[-1]
        'asked the network once more: ... s'
        """
        from plastogen.publish.network import network_at

        found = network_at(
            self.ds,
            self.request.opened,
            arm,
            seed,
            at,
            index=index,
            seconds=seconds,
            rule=rule,
            live=live,
            conductance=conductance,
            weights=weights,
            announce=say,
        )
        say(f"asked the network once more: {found.wall_s:.1f} s")
        return found


def complete(
    request: Request,
    *,
    say: Say = print,
    watcher: Watcher | None = None,
    figures: bool = True,
    **options: Unpack[RunOptions],
) -> Outcome:
    """Run what is not there yet, then results, verdicts, figures, report.

    Raises InputError, StoreError, WorkersLost.
    """

    def draw_early() -> None:
        _draw_early(request, say)

    opened = request.opened
    early = figures and EARLY in opened.experiment.figures and len(opened.seeds) > 1
    results = run_missing(
        request,
        request.runs,
        say=say,
        watcher=watcher,
        first_seed=draw_early if early else None,
        **options,
    )
    return publish_results(request, results, say=say, figures=figures)


def publish_results(
    request: Request, results: list[RunResult], *, say: Say = print, figures: bool = True
) -> Outcome:
    """Results, verdicts, figures, report, of the runs that are there. Raises StoreError."""
    ds = _assemble(request, say)
    outcome = Outcome(request, ds, stored_verdicts(ds), results)
    if figures:
        names = _drawable(request.opened, say)
        outcome.figures = draw_figures(_shown(request, ds), names, say=say, undrawn=outcome.undrawn)
        outcome.report = _report(outcome)
    return outcome


def _assemble(request: Request, say: Say) -> xr.Dataset:
    """The results of what is there, written by one process at a time. Raises StoreError."""
    with locked(request.folder / LOCK):
        return results_of(request.opened, request.conditions, request.store, request.ids, say)


def _shown(request: Request, ds: xr.Dataset) -> Shown:
    circuit = request.conditions[0].circuit
    return Shown(
        ds,
        stored_verdicts(ds),
        circuit,
        request.store,
        str(ds.attrs["inputs"]),
        claims=request.opened.experiment.expect,
    )


def _draw_early(request: Request, say: Say) -> None:
    """The first hours from the first seed alone, while the other seeds run."""
    with tempfile.TemporaryDirectory(prefix=ours(SCRATCH)) as folder:
        path, seeds = Path(folder) / "early.nc", request.opened.seeds[:1]
        with assemble(
            request.opened, request.conditions, request.store, request.ids, path, seeds
        ) as ds:
            ds.attrs |= {"n_expected": len(request.ids), "claims": "[]"}
            draw_figures(_shown(request, ds), [EARLY], say=say, undrawn=[])


def _drawable(opened: OpenExperiment, say: Say) -> list[str]:
    """The experiment's figures, without those that show spikes when there is no network."""
    names = list(opened.experiment.figures)
    if opened.experiment.course.method != "direct":
        left_out = [name for name in names if FIGURES[name].snapshots]
        if left_out:
            say(f"without the network there are no spikes to show, so no {' or '.join(left_out)}")
        names = [name for name in names if name not in left_out]
    return names


def _report(outcome: Outcome, *, anew: bool = False) -> Path:
    """report.html, unless it already shows this. Raises StoreError."""
    request, inputs = outcome.request, str(outcome.ds.attrs["inputs"])
    path, mark = request.folder / "report.html", request.folder / "report.json"
    shown = {"inputs": inputs, "figures": [path.stem for path in outcome.figures]}
    with suppress(FileNotFoundError, CacheDamaged):
        if not anew and fault(path) is None and read_json(mark) == shown:
            return path
    from plastogen.publish.report.page import write_report

    backends = [backend for backend in str(outcome.ds.attrs["backends"]).split(", ") if backend]
    with sealing(request.folder, path.name):
        path = write_report(
            request.folder,
            opened=request.opened,
            conditions=request.conditions,
            ds=outcome.ds,
            verdicts=outcome.verdicts,
            figures=outcome.figures,
            backends=backends,
        )
    write_json(mark, shown)
    return path


def reopen(
    name: str | Path,
    settings: Mapping[str, object] | None = None,
    *,
    out: Path | str | None = None,
    say: Say = print,
) -> Outcome:
    """The outcome of an experiment run before, with the settings it had then unless others are
    given.

    Raises InputError when none of its runs is there.
    """
    request = repeat_request(name, settings, out=out, say=say)
    if COMPLETE not in states(request.store, request.ids).values():
        old = made_by_0_1(request)
        found = "runs made by 0.1" if old else "none of these runs"
        wanted = f"finished runs; make them {'again ' if old else ''}with: plastogen run {name}"
        raise InputError.one(file=str(request.folder), found=found, wanted=wanted)
    ds = _assemble(request, say)
    return Outcome(request, ds, stored_verdicts(ds), [])


def redraw(
    outcome: Outcome, names: Sequence[str], data: Path | None, *, say: Say = print
) -> list[Path]:
    """Draw `names`, or the experiment's figures, with a person's own `data` laid over.

    Raises InputError.
    """
    for name in names:
        if name not in FIGURES:
            wanted = f"one of {', '.join(FIGURES)}"
            raise InputError.one(
                file="plot", found=show(name), wanted=wanted, nearest=nearest(name, FIGURES)
            )
    if data is not None:
        return _lay_over(outcome, names, data, say)
    chosen = names or _drawable(outcome.request.opened, say)
    return draw_figures(_shown(outcome.request, outcome.ds), chosen, say=say, again=True)


def _lay_over(outcome: Outcome, names: Sequence[str], file: Path, say: Say) -> list[Path]:
    """Figures with own data on them, the one that holds all of them among these, and two tables of
    how well the two agree.
    """
    from plastogen.figures import agreement_of, read_overlay, write_agreement

    overlays = read_overlay(file)
    for name in names:
        if "overlay" not in FIGURES[name].takes:
            takes = [each for each, row in FIGURES.items() if "overlay" in row.takes]
            wanted = f"a figure that own data can be laid over: {', '.join(takes)}"
            raise InputError.one(file="plot", found=f"{name} with --data", wanted=wanted)
    own = [name for name, row in FIGURES.items() if row.own_data]
    shown = _shown(outcome.request, outcome.ds)
    chosen = list(dict.fromkeys([*own, *names]))
    paths = draw_figures(shown, chosen, say=say, overlays=overlays, again=True)
    found = [agreement_of(outcome.ds, overlay) for overlay in overlays]
    for one in found:
        say(f"{one.name}: {one.sentence()}")
    tables = write_agreement(found, outcome.request.folder / "figures")
    for path in tables:
        say(f"table {path}")
    return [*paths, *tables]


def draw_into(
    outcome: Outcome,
    names: Sequence[str],
    folder: Path,
    *,
    readouts: Sequence[str] = (),
    say: Say = print,
) -> list[Path]:
    """Figures that give no verdict on claims, drawn into `folder`. Raises InputError,
    StoreError.
    """
    shown = _shown(outcome.request, outcome.ds)
    unjudged = replace(
        shown,
        verdicts=(),
        folder=folder,
        readouts=readouts or None,
        inputs=f"{shown.inputs} {readouts}",
    )
    return draw_figures(unjudged, names, say=say)


def rewrite_report(outcome: Outcome, *, say: Say = print) -> Path:
    """Write report.html again, with the experiment's figures. Raises StoreError."""
    shown = _shown(outcome.request, outcome.ds)
    outcome.figures = draw_figures(shown, _drawable(outcome.request.opened, say), say=say)
    return _report(outcome, anew=True)
