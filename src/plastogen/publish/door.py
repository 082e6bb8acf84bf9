"""In: names and results, as a person has them at the keyboard. Out: the functions of
`import plastogen`.

`mine.yaml` in the examples is an experiment in the working folder. Everything that is wrong with
what is given raises `plastogen.InputError`, which names the file, the place, what was found, what
was wanted and the nearest valid name.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, overload

from plastogen import analysis, experiment, runs
from plastogen._base.library import Library
from plastogen._base.machine import cores, one_blas_thread
from plastogen._base.text import any_of, nearest
from plastogen._base.text import show as shown
from plastogen.errors import InputError
from plastogen.publish.catalogue import describe, listing
from plastogen.publish.progress_bar import ProgressBar, in_jupyter
from plastogen.publish.workflow import Outcome, complete, reopen

if TYPE_CHECKING:
    import xarray as xr

    from plastogen.figures import Figure
    from plastogen.model import Circuit, Drug, Plasticity, Subject

NEED_MORE = {"circuit", "spikes"}  # what a figure may show that is not in results


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
    rerun: runs.Rerun = "",
    progress: bool = False,
) -> xr.Dataset:
    """Run an experiment and give back its results; runs already on disk are not run again.

    `name`: one that ships or a file. `set`: dotted path -> value, as --set takes; `jobs`: runs at
    once; `out`: the folder, results/NAME by default; `executor`, `scheduler`, `rerun`: as on the
    command line; `progress`: show a bar in a terminal and in Jupyter, nothing where output is
    piped. Readouts have dimensions (arm, [point or axes of a sweep], [subject], seed), variables
    also time (h); the unit of each is in `attrs["units"]`.

    Raises InputError, StoreError, EngineError, WorkersLost.

    >>> ds = plastogen.run("mine", seeds=2, method="formula")
    >>> ds["weight_2h"].dims
    ('arm', 'seed')
    >>> ds["weight_2h"].attrs["units"]
    '1'
    """
    request = runs.make_request(
        name, set, seed=seed, seeds=seeds, method=method, out=out, say=runs.silent
    )
    options: runs.RunOptions = {
        "workers": jobs or cores(),
        "executor": executor,
        "scheduler": scheduler,
        "rerun": rerun,
    }
    seen = progress and (sys.stderr.isatty() or in_jupyter())
    with one_blas_thread(), ProgressBar() if seen else nullcontext() as watcher:
        return complete(request, say=runs.silent, watcher=watcher, figures=figures, **options).ds


def open_outcome(
    name: str | Path,
    *,
    set: Mapping[str, object] | None = None,
    out: Path | str | None = None,
) -> Outcome:
    """The outcome of an experiment run before: its request, results, verdicts on its claims.

    `set`: the settings it was run with by default. Raises InputError when none of its runs is
    there, StoreError.

    >>> ds = plastogen.run("mine", seeds=2, method="formula")
    >>> outcome = plastogen.open_outcome("mine")
    >>> [verdict.outcome for verdict in outcome.verdicts]
    ['met']
    """
    return reopen(name, set, out=out, say=runs.silent)


def check(
    name: str | Path, *, set: Mapping[str, object] | None = None
) -> experiment.OpenExperiment:
    """An experiment, checked as a whole without running anything. Raises InputError.

    >>> opened = plastogen.check("one_infusion")
    >>> list(opened.experiment.arms)[:3]
    ['vehicle', 'ketamine', 'nbqx']
    """
    opened = experiment.open_experiment(name, set or {})
    experiment.check(opened)
    return opened


def catalogue(kind: str) -> dict[str, str]:
    """Name -> title of everything of a kind: "experiments", "drugs", "circuits", "variables", ...

    Raises InputError for a kind that is none, with those there are.

    >>> "ketamine" in plastogen.catalogue("drugs")
    True
    >>> plastogen.catalogue("drug")
    Traceback (most recent call last):
    plastogen.errors.InputError: list: found 'drug', wanted one of ... nearest valid name: drugs
    """
    return dict(listing(kind, here=Path()))


def show(name: str) -> str:
    """What there is to know of a model, an experiment, a variable or a reference. Raises
    InputError.

    >>> print(plastogen.show("spine_density"))
    spine_density: ...
    """
    return "\n".join(describe(name, here=Path()))


Settings: TypeAlias = Mapping[str, object] | None


@overload
def load_model(kind: Literal["drugs"], name: str, *, set: Settings = None) -> Drug: ...
@overload
def load_model(kind: Literal["subjects"], name: str, *, set: Settings = None) -> Subject: ...
@overload
def load_model(kind: Literal["circuits"], name: str, *, set: Settings = None) -> Circuit: ...
@overload
def load_model(kind: Literal["plasticity"], name: str, *, set: Settings = None) -> Plasticity: ...
@overload
def load_model(
    kind: str, name: str, *, set: Settings = None
) -> Drug | Subject | Circuit | Plasticity: ...
def load_model(
    kind: str, name: str, *, set: Settings = None
) -> Drug | Subject | Circuit | Plasticity:
    """A model by name, of models/ beside you or of those that ship.

    `kind`: "drugs", "subjects", "circuits" or "plasticity"; `set`: path in the model -> value.
    Quantities are held in the unit their field states (`float(x)`) and as written (`x.text`).
    Raises InputError.

    >>> small = plastogen.load_model("circuits", "small", set={"populations.E.leak": "12 nS"})
    >>> small.size
    250
    >>> float(small.populations["E"].leak)
    12.0
    """
    kinds: dict[str, Any] = dict(experiment.FOLDERS.values())
    if kind not in kinds:
        wanted, near = any_of(kinds), nearest(kind, kinds)
        raise InputError.one(file="load_model", found=shown(kind), wanted=wanted, nearest=near)
    model: Drug | Subject | Circuit | Plasticity = Library(Path()).load(
        kind, name, kinds[kind], overrides=set
    )
    return model


def plot(ds: xr.Dataset, name: str = "timeline", **options: Any) -> Figure:
    """The figure `name` of results; `options`: as `plastogen.figures.plot_<name>` takes them.

    "circuit" and "raster" show more than results hold: call plot_circuit and plot_raster of
    `plastogen.figures`. Raises InputError.

    >>> ds = plastogen.run("mine", seeds=2, method="formula")
    >>> figure = plastogen.plot(ds, "arms")
    >>> type(figure).__name__
    'Figure'
    """
    from plastogen import figures

    table = experiment.FIGURES
    known = [each for each in table if not NEED_MORE.intersection(table[each].takes)]
    if name not in known:
        wanted, near = any_of(known), nearest(name, known)
        raise InputError.one(file="plot", found=shown(name), wanted=wanted, nearest=near)
    figure: Figure = getattr(figures, f"plot_{name}")(ds, **options)
    return figure


def contrasts(
    ds: xr.Dataset,
    names: Sequence[str] | None = None,
    *,
    than: str | None = None,
    effect: float | None = None,
) -> list[analysis.Contrast]:
    """Every arm less `than` in each of `names`, readouts or variables, with interval, Hedges' g,
    noise floor and how many seeds show it.

    `than`: the untreated arm by default; `names`: all readouts; `effect`: a difference, in the unit
    of the readout, for which `needed` is counted. Raises InputError.

    >>> ds = plastogen.run("mine", seeds=2, method="formula")
    >>> first, *_ = plastogen.contrasts(ds, ["weight_2h"])
    >>> (first.arm, first.than, first.expected)
    ('ketamine', 'vehicle', 2)
    >>> bool(first.stats["difference"] > 0)
    True
    """
    return list(analysis.contrasts(ds, names, than=than, effect=effect))


def compare(a: xr.Dataset, b: xr.Dataset) -> analysis.Comparison:
    """Two results, readout by readout: which are equal, which differ beyond chance.

    `rows`: one a readout and arm; `left_out`: what could not be compared, and why.

    >>> ds = plastogen.run("mine", seeds=2, method="formula")
    >>> {row.verdict for row in plastogen.compare(ds, ds).rows}
    {'equal'}
    """
    return analysis.compare_results(a, b)


def sensitivity_of(
    ds: xr.Dataset,
    names: Sequence[str] | None = None,
    *,
    arm: str | None = None,
    than: str | None = None,
) -> list[analysis.Influence]:
    """How much each swept number, or number that differs between virtual subjects, matters for each
    readout, the greatest first.

    `value` with `low` and `high`: Sobol index, elementary effect or partial rank correlation, as
    the design of the sweep allows. Of `arm` less `than`. Raises InputError.

    >>> people = {"model.subject": "virtual_adult", "course.subjects": 12}
    >>> ds = plastogen.run("mine", seeds=1, method="formula", set=people)
    >>> {each.readout for each in plastogen.sensitivity_of(ds, ["weight_2h"])}
    {'weight_2h'}
    """
    return analysis.influences(ds, names, arm=arm, than=than)[1]


def responders_of(
    ds: xr.Dataset, readout: str | None = None, *, arm: str | None = None
) -> analysis.Response:
    """Which virtual subjects respond, and which numbers separate them from those who do not.

    `readout`: one that says yes or no, the first by default; `arm`: where most respond. Raises
    InputError.

    >>> people = {"model.subject": "virtual_adult", "course.subjects": 12}
    >>> ds = plastogen.run("mine", seeds=1, method="formula", set=people)
    >>> plastogen.responders_of(ds).n
    12
    """
    return analysis.find_responders(ds, readout, arm)


def status(folder: Path | str) -> runs.Status:
    """How a results folder stands: what is finished, failed and why, under way, missing.

    Raises InputError when it is none.

    >>> ds = plastogen.run("mine", seeds=2, method="formula")
    >>> found = plastogen.status("results/mine")
    >>> (len(found.failed), len(found.missing))
    (0, 0)
    """
    return runs.read_status(folder)
