"""In: results and names of figures. Out: PNG and SVG files, drawn only when what they show has
changed.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from plastogen._base.files import explained
from plastogen._base.sealed import fault, read_json, sealing, write_json
from plastogen.analysis import results_error
from plastogen.errors import CacheDamaged, StoreError, in_words
from plastogen.experiment import COMPLETE, FIGURES, Claim, Taken, Verdict
from plastogen.model.circuit import Circuit
from plastogen.runs import Store

if TYPE_CHECKING:
    import xarray as xr

    from plastogen.figures.overlay import Overlay

KINDS = ("png", "svg")
DRAWN = "drawn.json"
LETTERS_NAMED = 8  # that the font lacks, of those in a figure


@dataclass(frozen=True)
class Shown:
    """What figures show: results, claims and verdicts on them, the circuit, and a digest of it all.

    `folder`: where they go, if not to those of the results; `readouts`: which ones, where a figure
    shows readouts.
    """

    ds: xr.Dataset
    verdicts: Sequence[Verdict]
    circuit: Circuit
    store: Store
    inputs: str
    folder: Path | None = None
    readouts: Sequence[str] | None = None
    claims: Sequence[Claim] = ()


def draw_figures(
    shown: Shown,
    names: Sequence[str],
    *,
    say: Callable[[str], None],
    overlays: Sequence[Overlay] = (),
    again: bool = False,
    undrawn: list[str] | None = None,
) -> list[Path]:
    """Draw what is not drawn yet from these results; all files of `names`. Raises StoreError,
    InputError.

    With a list for `undrawn`, a figure that cannot be drawn is said and noted there, and the others
    are drawn.
    """
    folder = shown.folder or shown.store.folder / "figures"
    marks, lacking = _marks(folder), set[str]()
    paths: list[Path] = []
    for name in names:
        files = [folder / f"{name}.{kind}" for kind in KINDS]
        if (
            again
            or overlays
            or marks.get(name) != shown.inputs
            or any(fault(path) for path in files)
        ):
            try:
                with _gathering(lacking):
                    _save(name, shown, overlays, folder)
            except StoreError:
                raise
            except Exception as error:
                if undrawn is None:
                    raise
                undrawn.append(name)
                say(f"figure {name} could not be drawn: {in_words(error)}")
                continue
            marks[name] = "own data" if overlays else shown.inputs
            write_json(folder / DRAWN, marks)
            say(f"figure {files[0]}")
        paths += files
    if lacking:
        some = " ".join(sorted(lacking)[:LETTERS_NAMED])
        say(
            f"the font of figures lacks letters that stand in titles ({some}): boxes stand for them"
        )
    return paths


@contextmanager
def _gathering(lacking: set[str]) -> Iterator[None]:
    """Adds the letters that the font does not have, in place of a warning for each."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for one in caught:
        if letter := re.match(r"Glyph (\d+) ", str(one.message)):
            lacking.add(chr(int(letter[1])))
        else:
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)


def _save(name: str, shown: Shown, overlays: Sequence[Overlay], folder: Path) -> None:
    from plastogen.figures.layout import save

    figure = _figure(name, shown, overlays)
    with explained(folder, "write into"), sealing(folder, *(f"{name}.{kind}" for kind in KINDS)):
        save(figure, folder, name)


def _marks(folder: Path) -> dict[str, str]:
    """What each figure was last drawn from."""
    with suppress(FileNotFoundError, CacheDamaged):
        return read_json(folder / DRAWN)
    return {}


def drawing_function(name: str) -> Callable[..., Any]:
    """The function that draws the figure `name`; its module, which loads matplotlib, comes late."""
    from plastogen import figures

    drawing: Callable[..., Any] = getattr(figures, f"plot_{name}")
    return drawing


def _figure(name: str, shown: Shown, overlays: Sequence[Overlay]) -> Any:
    """One figure by name, of what its row in the table of figures takes."""
    given: dict[str, Any] = {}
    for taken in FIGURES[name].takes:
        source = INPUTS[taken]
        given |= dict(zip(source.keywords, source.values(shown, overlays), strict=True))
    return drawing_function(name)(ds=shown.ds, **given)


def _spikes(shown: Shown) -> tuple[Any, ...]:
    """Spikes of the first seed that is there, of the arm that figures follow."""
    from plastogen.figures.data import focus_arm

    arm = focus_arm(shown.ds)
    one = shown.ds.sel(arm=arm)
    there = [(int(s), str(r)) for s, r, status in _runs(one) if status == COMPLETE]
    if not there:
        raise results_error(
            shown.ds, found=f"no finished run of {arm}", wanted="one, to show its spikes"
        )
    seed, run = there[0]
    cells = shown.store.load(run).manifest["classes"]
    return shown.store.spikes(run), cells, arm, seed


def _first_runs(shown: Shown, kept: Literal["ensembles", "spines"]) -> dict[str, Any]:
    """What a run keeps, of the first seed that is there, of each arm that has one."""
    found = {}
    for arm in map(str, shown.ds["arm"].values):
        runs = _runs(shown.ds.sel(arm=arm))
        there = [str(run) for _, run, status in runs if status == COMPLETE]
        if there:
            found[arm] = getattr(shown.store, kept)(there[0])
    if not found:
        raise results_error(shown.ds, found="no finished run", wanted="one, to show what is in it")
    return found


@dataclass(frozen=True)
class Input:
    """What a figure may take beside results: the parameters it goes to, and where it is from."""

    keywords: tuple[str, ...]
    values: Callable[[Shown, Sequence[Overlay]], tuple[Any, ...]]


INPUTS: Mapping[Taken, Input] = {
    "claims": Input(("claims",), lambda shown, _: (shown.claims,)),
    "circuit": Input(("definition",), lambda shown, _: (shown.circuit,)),
    "ensembles": Input(("ensembles",), lambda shown, _: (_first_runs(shown, "ensembles"),)),
    "overlay": Input(("overlay",), lambda _, overlays: (overlays,)),
    "readouts": Input(("readouts",), lambda shown, _: (shown.readouts,)),
    "spikes": Input(("spikes", "cells", "arm", "seed"), lambda shown, _: _spikes(shown)),
    "spines": Input(("spines",), lambda shown, _: (_first_runs(shown, "spines"),)),
    "verdicts": Input(("verdicts",), lambda shown, _: (shown.verdicts,)),
}


def _runs(one: xr.Dataset) -> list[tuple[Any, Any, Any]]:
    """(seed, run, status) at the first point of every sweep axis."""
    axes = {dim: 0 for dim in one["run"].dims if dim != "seed"}
    at = one.isel(axes)
    return list(zip(at["seed"].values, at["run"].values, at["status"].values, strict=True))
