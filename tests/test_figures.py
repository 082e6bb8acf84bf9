"""Figures: what stands on them, where it comes from, that equal data make equal bytes, and what
they refuse.
"""

from __future__ import annotations

import inspect
import itertools
import json
import math
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import fake_results as fake
import fake_sweeps
import matplotlib as mpl
import numpy as np
import pytest
import scipy.stats
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle, Wedge
from matplotlib.text import Annotation, Text

from plastogen import SCOPE
from plastogen._base.library import Library
from plastogen.errors import InputError
from plastogen.experiment.definition import shipped
from plastogen.experiment.figure_table import FIGURES
from plastogen.experiment.resolve import open_experiment
from plastogen.figures import axis, data, labels, layout, overlay, panels, placing, style
from plastogen.figures._acute import plot_acute
from plastogen.figures._arms import plot_arms
from plastogen.figures._block import plot_block
from plastogen.figures._circuit import plot_circuit, strength
from plastogen.figures._claims import plot_claims
from plastogen.figures._courses import plot_courses
from plastogen.figures._dendrite import plot_dendrite
from plastogen.figures._ensemble_course import plot_ensemble_course
from plastogen.figures._ensemble_weights import plot_ensemble_weights
from plastogen.figures._landscape import plot_landscape
from plastogen.figures._minis import plot_minis
from plastogen.figures._own_data import plot_own_data
from plastogen.figures._phase import plot_phase
from plastogen.figures._plane import plot_plane
from plastogen.figures._raster import by_tenths, plot_raster
from plastogen.figures._responders import plot_responders
from plastogen.figures._sensitivity import plot_sensitivity
from plastogen.figures._spectra import plot_spectra
from plastogen.figures._spine_age import plot_spine_age
from plastogen.figures._spine_sizes import plot_spine_sizes
from plastogen.figures._spine_survival import plot_spine_survival
from plastogen.figures._sweep import plot_sweep
from plastogen.figures._timeline import plot_timeline
from plastogen.figures._tornado import plot_tornado
from plastogen.figures._wiring import plot_wiring
from plastogen.figures.draw import INPUTS, drawing_function
from plastogen.model.circuit import Circuit

DS = fake.results()
TAUGHT = DS.assign(ensemble_weight=DS["structure"], ensemble_completion=DS["structure"]).drop_vars(
    "ensemble_strength", errors="ignore"
)
MINE = overlay.read_overlay(Path(__file__).parent / "data" / "blood.csv")
CIRCUIT = Library().load("circuits", "prefrontal", Circuit)
DRAW: dict[str, Callable[[], Figure]] = {
    "timeline": lambda: plot_timeline(DS),
    "acute": lambda: plot_acute(DS),
    "own_data": lambda: plot_own_data(DS, overlay=MINE),
    "arms": lambda: plot_arms(DS, verdicts=fake.verdicts()),
    "claims": lambda: plot_claims(DS, verdicts=fake.verdicts()),
    "raster": lambda: plot_raster(DS, fake.snapshot_spikes(4), fake.BOUNDARIES),
    "circuit": lambda: plot_circuit(CIRCUIT, DS),
    "block": lambda: plot_block(fake.held()),
    "sweep": lambda: plot_sweep(fake.doses()),
    "spectra": lambda: plot_spectra(DS),
    "landscape": lambda: plot_landscape(fake_sweeps.plane()),
    "plane": lambda: plot_plane(fake_sweeps.causes(), readouts=CAUSES),
    "courses": lambda: plot_courses(fake_sweeps.doses()),
    "phase": lambda: plot_phase(fake_sweeps.doses()),
    "responders": lambda: plot_responders(fake_sweeps.people()),
    "tornado": lambda: plot_tornado(fake_sweeps.drawn()),
    "sensitivity": lambda: plot_sensitivity(fake_sweeps.drawn()),
    "spine_sizes": lambda: plot_spine_sizes(DS, fake.spines()),
    "spine_age": lambda: plot_spine_age(DS, fake.spines()),
    "spine_survival": lambda: plot_spine_survival(DS, fake.spines()),
    "dendrite": lambda: plot_dendrite(DS, fake.spines()),
    "wiring": lambda: plot_wiring(DS, fake.spines()),
    "minis": lambda: plot_minis(DS, fake.spines()),
    "ensemble_weights": lambda: plot_ensemble_weights(DS, fake.ensembles()),
    "ensemble_course": lambda: plot_ensemble_course(TAUGHT),
}
CAUSES = ["spine_density_24h", "weight_24h", "glutamate_40min"]
SEEDS = {"landscape": "n = 3 seeds", "plane": "n = 3 seeds", "responders": "n = 200 virtual subjects × 2 seeds", "tornado": "n = 2 seeds",
         "sensitivity": "n = 2 seeds", "raster": "one run, seed 1", "circuit": "1,000 cells",
         **dict.fromkeys(("spine_sizes", "spine_age", "dendrite", "wiring", "minis"), "one run an arm, seed 1"),
         "ensemble_weights": "one run an arm"}  # fmt: skip
DRAWN: dict[str, Figure] = {}


def drawn(name: str) -> Figure:
    """Each figure, drawn once for all tests."""
    if name not in DRAWN:
        DRAWN[name] = DRAW[name]()
    return DRAWN[name]


def texts(fig: Figure | Axes) -> list[str]:
    """Everything that is written in a figure, tick labels included."""
    return [t.get_text() for t in fig.findobj(Text) if t.get_text()]


def titled(fig: Figure, start: str) -> Axes:
    """The axes whose title starts so."""
    return next(ax for ax in fig.axes if ax.get_title(loc="left").startswith(start))


def labelled(ax: Axes, label: str) -> xr.DataArray:
    """The line with this label."""
    return next(line for line in ax.lines if line.get_label() == label)


# -- every figure ----------------------------------------------------------------------------------


def test_there_is_a_function_for_each_name_and_a_test_for_each() -> None:
    assert set(FIGURES) == set(DRAW)
    assert all(callable(drawing_function(name)) for name in FIGURES)


def test_what_a_figure_takes_are_parameters_of_its_function_and_nothing_else_is_required() -> None:
    for name, row in FIGURES.items():
        given = {key for taken in row.takes for key in INPUTS[taken].keywords}
        parameters = inspect.signature(drawing_function(name)).parameters
        required = {key for key, p in parameters.items() if p.default is p.empty}
        assert required - {"ds"} <= given <= set(parameters), name


def test_every_figure_is_drawn_of_what_its_row_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    from plastogen.figures import draw

    spikes = (fake.snapshot_spikes(4), fake.BOUNDARIES, "ketamine", 4)
    monkeypatch.setattr(draw, "_spikes", lambda shown: spikes)
    monkeypatch.setattr(draw, "_first_runs", lambda shown, kept: {"ketamine": DS})
    given: dict[str, Any] = {}
    monkeypatch.setattr(
        draw, "drawing_function", lambda name: lambda **inputs: given.update({name: inputs})
    )
    shown = draw.Shown(DS, ["verdict"], fake.CIRCUIT, None, "", readouts=["weight"])  # type: ignore[list-item,arg-type]
    for name, row in FIGURES.items():
        draw._figure(name, shown, ["own"])  # type: ignore[list-item]
        inputs = given[name]
        assert inputs.pop("ds") is DS
        wanted = {key for taken in row.takes for key in INPUTS[taken].keywords}
        assert set(inputs) == wanted
    assert given["raster"]["arm"] == "ketamine"
    assert given["raster"]["seed"] == 4
    assert given["circuit"]["definition"] is fake.CIRCUIT
    assert given["arms"] == {"verdicts": ["verdict"], "readouts": ["weight"]}
    assert given["acute"] == given["own_data"] == {"overlay": ["own"]}


def test_spectra_need_as_many_snapshots_as_their_row_says() -> None:
    needed = FIGURES["spectra"].snapshots
    assert needed > 1
    plot_spectra(DS.isel(snapshot=slice(needed)))
    with pytest.raises(InputError, match="snapshots"):
        plot_spectra(DS.isel(snapshot=slice(needed - 1)))


@pytest.mark.parametrize("name", FIGURES)
def test_each_figure_says_whom_it_is_about_and_carries_the_scope_line(name: str) -> None:
    said = texts(drawn(name))
    assert SCOPE in said
    species, circuit_name = (
        ("rat", "small")
        if name == "block"
        else ("rat" if name == "sweep" else "human", "prefrontal")
    )
    assert any(species in line and f"{circuit_name} circuit" in line for line in said)
    assert SEEDS.get(name, "n = 4 seeds") in said


@pytest.mark.parametrize(
    ("name", "units"),
    [("timeline", ["µM", "%", "%", "% of baseline", "× healthy", "1 d", "40 min"]),
     ("acute", ["µM", "%", "% of baseline", "2 h"]), ("arms", ["%", "relative to healthy", "Hedges g"]),
     ("raster", ["Hz", "Hz²/Hz", "ms"]), ("circuit", ["nS", "Hz", "%"]), ("block", ["µM", "%"]),
     ("sweep", ["mg/kg", "%"]), ("spectra", ["× before", "share lost"]), ("landscape", ["mg/kg", "mM", "%"]),
     ("plane", ["relative to healthy", "%"]),
     ("courses", ["mg/kg", "1 d"]), ("phase", ["mg/kg", "3 d"]), ("responders", ["L/min", "AUC"]),
     ("tornado", ["%", "relative to healthy"]), ("sensitivity", ["Sobol index"]),
     ("spine_sizes", ["ln size", "mean of lasting spines"]), ("spine_age", ["(d)"]), ("spine_survival", ["(d)", "share"]),
     ("wiring", ["mean lasting spine", "share", "random"]), ("minis", ["mean of lasting spines", "share"]),
     ("ensemble_weights", ["untaught circuit: 1"]), ("ensemble_course", ["× healthy", "untaught: 1", "1: none", "1 d"]),
     ("dendrite", ["µm", "day 14"])],
)  # fmt: skip
def test_units_stand_on_the_axes(name: str, units: list[str]) -> None:
    said = " | ".join(texts(drawn(name)))
    assert [unit for unit in units if unit not in said] == []


@pytest.mark.parametrize("name", FIGURES)
def test_no_axes_with_data_go_without_words(name: str) -> None:
    bare = [
        ax
        for ax in drawn(name).axes
        if ax.axison and ax.lines and not (ax.get_title(loc="left") or ax.get_ylabel())
    ]
    strips = [ax for ax in bare if not ax.spines["bottom"].get_visible()]
    shared = [ax for ax in bare if name == "raster"]
    assert len(bare) == len({*strips, *shared})


@pytest.mark.parametrize("name", FIGURES)
def test_nothing_is_written_outside_the_slide(name: str) -> None:
    fig = drawn(name)
    renderer = FigureCanvasAgg(fig).get_renderer()
    titles = [text for ax in fig.axes for text in (ax._left_title, ax.xaxis.label, ax.yaxis.label)]  # type: ignore[attr-defined]
    for text in [
        *fig.findobj(Annotation),
        *titles,
        *(t for key in fig.legends for t in key.get_texts()),
    ]:
        if text.get_text():
            box = text.get_window_extent(renderer)
            inside = min(box.x0, box.y0) >= 0 and box.x1 <= fig.bbox.x1 and box.y1 <= fig.bbox.y1
            assert inside, text.get_text()


@pytest.mark.parametrize(
    "name", ["circuit", *(pytest.param(n, marks=pytest.mark.slow) for n in ("timeline", "raster"))]
)
def test_equal_data_make_equal_bytes(name: str, tmp_path: Path) -> None:
    first = layout.save(DRAW[name](), tmp_path / "a", name)
    with mpl.rc_context({"font.size": 33, "lines.linewidth": 9, "svg.hashsalt": "other"}):
        again = layout.save(DRAW[name](), tmp_path / "b", name)
    assert [path.name for path in first] == [f"{name}.png", f"{name}.svg"]
    for one, other in zip(first, again, strict=True):
        assert one.read_bytes() == other.read_bytes()
    assert "<dc:date>" not in first[1].read_text()
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == [
        f"{name}.png",
        f"{name}.svg",
    ]


def test_a_picture_is_a_slide_of_sixteen_to_nine(tmp_path: Path) -> None:
    from PIL import Image

    png, _ = layout.save(drawn("block"), tmp_path, "block")
    with Image.open(png) as image:
        assert image.size == (2000, 1125)


def test_figures_are_imported_only_when_they_are_drawn() -> None:
    code = (
        "import sys, plastogen.figures; print('matplotlib' in sys.modules, 'xarray' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert found.stdout.strip() == "False False"


# -- arms and their looks --------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["arms", "timeline", "acute", "phase", "spectra"])
def test_an_arm_of_any_title_is_drawn(name: str) -> None:
    """Longer than the slide is wide; warnings are errors here."""
    ds = fake_sweeps.doses() if name == "phase" else DS
    titles = [f"{'a title ' * 40}{k}" for k in range(ds.sizes["arm"])]
    assert drawing_function(name)(ds.assign_coords(arm_title=("arm", titles))).axes


@pytest.mark.parametrize(
    "name",
    [
        n
        for n in FIGURES
        if "spines" not in FIGURES[n].takes and "ensembles" not in FIGURES[n].takes
    ],
)
def test_where_nothing_is_given_a_figure_is_drawn_or_refused_in_words(name: str) -> None:
    """Results of an untreated arm alone hold no species."""
    ds = fake.results(("vehicle",)).isel(species=[]).assign_attrs(dosing="[]")
    given = {"raster": {"spikes": fake.snapshot_spikes(4), "boundaries": fake.BOUNDARIES}}
    with suppress(InputError):
        if name == "circuit":
            plot_circuit(CIRCUIT, ds)
        elif name == "own_data":
            plot_own_data(ds, overlay=MINE)
        else:
            drawing_function(name)(ds, *given.get(name, {}).values())


def test_an_arm_looks_the_same_in_every_figure() -> None:
    looks = style.arm_styles(DS)
    lines = [
        line
        for name in ("timeline", "acute", "spectra")
        for line in drawn(name).legends[0].get_lines()
    ]
    names = [
        text.get_text()
        for name in ("timeline", "acute", "spectra")
        for text in drawn(name).legends[0].get_texts()
    ]
    by_label = {look.label: look for look in looks.values()}
    assert len(names) == 18
    for name, line in zip(names, lines, strict=True):
        assert line.get_color() == by_label[name].colour
    labels = {t.get_text(): t.get_color() for t in drawn("arms").axes[0].get_yticklabels()}
    assert labels == {look.label: look.colour for look in looks.values()}


def test_the_untreated_are_grey_and_a_blocker_changes_line_and_not_colour() -> None:
    looks = style.arm_styles(DS)
    assert looks["vehicle"].colour == style.GREY == looks["nbqx"].colour
    assert (
        looks["ketamine"].colour
        == looks["ketamine_nbqx"].colour
        == looks["ketamine_rapamycin"].colour
        == style.BLUE
    )
    assert looks["nbqx"].line == looks["ketamine_nbqx"].line != looks["ketamine"].line == "-"
    assert len({(look.colour, look.line) for look in looks.values()}) == len(looks)


def test_an_arm_keeps_its_look_when_only_some_are_drawn() -> None:
    fig = plot_timeline(DS, arms=["ketamine_nbqx", "ketamine"])
    whole = style.arm_styles(DS)
    assert [line.get_color() for line in fig.legends[0].get_lines()] == [
        whole["ketamine"].colour
    ] * 2
    assert [text.get_text() for text in fig.legends[0].get_texts()] == [
        "ketamine + NBQX",
        "ketamine",
    ]


def test_more_arms_than_colours_differ_in_line_and_marker() -> None:
    arms = ["vehicle", *("abcdefghij")]
    ds = (
        fake.results(("vehicle", "ketamine"), seeds=2, end_h=3)
        .isel(arm=[0, *[1] * 10])
        .assign_coords(arm=arms)
    )
    ds.attrs["dosing"] = json.dumps(
        [
            {"arm": a, "drug": "ketamine", "what": "ketamine 1 mg/kg", "start_h": 0.0, "end_h": 0.0}
            for a in arms[1:]
        ]
    )
    looks = list(style.arm_styles(ds.drop_vars("arm_title", errors="ignore")).values())
    assert (
        len({(look.colour, look.line) for look in looks})
        == len({(look.colour, look.marker) for look in looks})
        == 11
    )


def test_untreated_arms_differ_in_line() -> None:
    ds = (
        fake.results(("vehicle", "ketamine"), seeds=2, end_h=3)
        .isel(arm=[0, 0, 0, 1])
        .assign_coords(arm=list("abcd"))
    )
    ds.attrs["dosing"] = json.dumps(
        [{"arm": "d", "drug": "ketamine", "what": "k", "start_h": 0.0, "end_h": 0.0}]
    )
    looks = style.arm_styles(ds.drop_vars("arm_title", errors="ignore"))
    assert {looks[name].colour for name in "abc"} == {style.GREY}
    assert (
        len({looks[name].line for name in "abc"})
        == len({looks[name].marker for name in "abc"})
        == 3
    )


@pytest.mark.parametrize("name", shipped())
def test_no_two_arms_of_an_experiment_look_alike(name: str) -> None:
    arms = open_experiment(name).experiment.arms

    def drugs(arm: str) -> list[str]:
        inherited = drugs(parent) if (parent := arms[arm].extends) else []
        return inherited + [dose.drug for dose in arms[arm].give.values()]

    given = [
        {"arm": arm, "drug": drug, "what": drug, "start_h": 0.0, "end_h": 0.0}
        for arm in arms
        for drug in drugs(arm)
    ]
    names = list(arms)
    ds = fake.results(("vehicle",), seeds=2, end_h=1).isel(arm=[0] * len(names))
    ds = ds.assign_coords(arm=names).drop_vars("arm_title", errors="ignore")
    ds.attrs["dosing"] = json.dumps(given)
    looks = style.arm_styles(ds).values()
    assert len({(look.colour, look.line, look.marker, look.filled) for look in looks}) == len(names)


def test_titles_begin_with_a_capital_where_that_is_right() -> None:
    assert [labels.sentence(text) for text in ("spine density", "mTORC1 at 2 h", "eEF2K")] == [
        "Spine density",
        "mTORC1 at 2 h",
        "eEF2K",
    ]


def test_an_axis_says_what_a_ratio_is_relative_to() -> None:
    ds = DS.copy()
    name = next(
        str(n)
        for n in ds.data_vars
        if ds[n].attrs.get("readout") and ds[n].attrs.get("units") == "1"
    )
    ds[name] = ds[name].assign_attrs(ratio_to="start")
    assert labels.unit_label(ds[name]) == "relative to start"
    assert "relative to start" in [ax.get_xlabel() for ax in plot_arms(ds).axes]


def test_looks_follow_what_was_given_not_what_an_arm_is_called() -> None:
    ds = fake.results(("vehicle", "ketamine", "ketamine_2"), seeds=2, end_h=3)
    ds = ds.assign_coords(arm=["control", "a", "b"]).assign_coords(
        arm_title=("arm", ["", "on E alone", ""])
    )
    rows = [
        {"arm": a, "drug": "ketamine", "what": "ketamine 1 mg/kg", "start_h": 0.0, "end_h": 0.0}
        for a in "ab"
    ]
    ds.attrs["dosing"] = json.dumps(rows)
    looks = style.arm_styles(ds)
    assert looks["control"].colour == style.GREY
    assert looks["a"].colour == style.BLUE != looks["b"].colour != style.GREY
    assert looks["a"].label == "on E alone"
    assert looks["b"].label == "b"


def test_doses_run_from_light_to_dark() -> None:
    looks = style.arm_styles(fake.doses())
    colours = [look.colour for name, look in looks.items() if name != "vehicle"]
    light = [sum(int(colour[k : k + 2], 16) for k in (1, 3, 5)) for colour in colours]
    assert light == sorted(light, reverse=True)
    assert len(set(colours)) == 5


@pytest.mark.parametrize(
    ("name", "label"),
    [("ketamine_nbqx", "ketamine + NBQX"), ("nbqx", "NBQX"), ("mk801", "MK-801"), ("ssri", "SSRI"),
     ("ketamine_anti_bdnf", "ketamine + anti-BDNF"), ("daily_high", "daily high")],
)  # fmt: skip
def test_names_of_arms_are_made_readable(name: str, label: str) -> None:
    assert style.arm_label(name) == label


def test_many_arms_with_long_names_get_a_key_of_several_rows() -> None:
    names = [f"ketamine_{letter}" for letter in "abcdefg"]
    ds = fake.results(names, seeds=2, end_h=3)
    ds = ds.assign_coords(arm_title=("arm", ["block of tonic receptors alone"] * 7))
    fig = plot_acute(ds)
    box = fig.legends[0].get_window_extent()
    assert box.x0 >= 0
    assert box.y0 > fig.axes[0].get_window_extent().y1


# -- how many, how sure ----------------------------------------------------------------------------


def test_missing_runs_are_said_and_left_out() -> None:
    ds = fake.results(failed=[("nbqx", 0), ("ketamine_nbqx", 2)])
    for fig in (plot_arms(ds), plot_acute(ds, arms=["ketamine", "nbqx"])):
        assert "INCOMPLETE: 22 of 24 runs (NBQX 3 of 4, ketamine + NBQX 3 of 4)" in texts(fig)
    found = data.interval(ds["weight"].sel(arm="nbqx"))
    assert set(found.n) == {3}
    assert np.isfinite(found.mean).all()


def test_an_arm_of_which_nothing_is_there_does_not_stop_the_drawing() -> None:
    ds = fake.results(seeds=2, failed=[("ketamine", 0), ("ketamine", 1)], end_h=30)
    fig = plot_acute(ds)
    assert "INCOMPLETE: 10 of 12 runs (ketamine 0 of 2)" in texts(fig)
    assert data.focus_arm(ds) == "ketamine_nbqx"


def test_runs_that_were_never_begun_count_as_missing() -> None:
    ds = DS.isel(seed=[0])
    ds.attrs["n_expected"] = 24
    assert layout.seeds_sentence(ds) == "INCOMPLETE: 6 of 24 runs"


def test_intervals_are_students() -> None:
    values = np.random.default_rng(5).normal(3, 2, (5, 7))
    found = data.interval(xr.DataArray(values, dims=("seed", "time")))
    low, high = scipy.stats.t.interval(0.95, 4, values.mean(0), scipy.stats.sem(values, axis=0))
    np.testing.assert_allclose(found.mean, values.mean(0))
    np.testing.assert_allclose(found.low, low)
    np.testing.assert_allclose(found.high, high)


def test_one_seed_has_a_mean_and_no_width() -> None:
    found = data.interval(xr.DataArray([[2.0]], dims=("seed", "time")))
    assert found.mean[0] == 2.0
    assert math.isnan(found.low[0])
    assert math.isnan(found.high[0])


def test_two_seeds_are_lines_and_no_band() -> None:
    values = xr.DataArray([[1.0, 2.0], [3.0, 5.0]], dims=("seed", "time"))
    ax = Figure().add_subplot()
    axis.draw_course(ax, np.array([0.0, 1.0]), data.interval(values), "#000000")
    assert len(ax.collections) == 0
    drawn = sorted(np.asarray(line.get_ydata()).tolist() for line in ax.lines)
    assert drawn == [[1, 2], [2, 3.5], [3, 5]]


def test_the_noise_band_is_that_of_a_mean_over_seeds() -> None:
    at = {"arm": "vehicle", "class": "E"}
    assert data.noise_half_width(DS, "rate_hz", at) == pytest.approx(1.959964 * 0.09 / 2, rel=1e-6)
    relative = data.noise_half_width(DS, "rate_hz", at, relative=True)
    base = float(DS["rate_hz"].sel(at).isel(time=0, seed=0))
    assert relative == pytest.approx(100 * 1.959964 * 0.09 / base / 2, rel=1e-6)
    assert math.isnan(data.noise_half_width(DS, "glutamate", {"arm": "vehicle"}))


def test_the_noise_band_is_drawn_around_the_baseline() -> None:
    band = [p for p in titled(drawn("timeline"), "Rates").patches if p.get_gid() == "noise floor"]
    assert len(band) == 1
    low, high = band[0].get_y(), band[0].get_y() + band[0].get_height()
    assert (low + high) / 2 == pytest.approx(100)
    widest = max(
        data.noise_half_width(DS, "rate_hz", {"arm": "ketamine", "class": c}, relative=True)
        for c in fake.CLASSES
    )
    assert high - low == pytest.approx(2 * widest)


# -- courses ---------------------------------------------------------------------------------------


def test_lines_are_means_over_seeds_in_the_unit_of_the_title() -> None:
    fig = drawn("timeline")
    block_line = labelled(titled(fig, "NMDA block"), "PV")
    expected = 100 * DS["block"].sel(arm="ketamine", pool="PV.synaptic").mean("seed")
    np.testing.assert_allclose(block_line.get_ydata(), expected)
    rate = DS["rate_hz"].sel({"arm": "ketamine", "class": "SST"})
    change = (100 * rate / rate.sel(time=rate.time < -0.5).mean("time")).mean("seed")
    np.testing.assert_allclose(labelled(titled(fig, "Rates"), "SST").get_ydata(), change)
    weights = [line.get_ydata() for line in titled(fig, "Synaptic weight").lines]
    for arm in fake.ARMS:
        mean = DS["weight"].sel(arm=arm).mean("seed").values
        assert any(len(y) == mean.size and np.allclose(y, mean) for y in weights)


def test_occupancy_stands_beside_block_and_is_thinner() -> None:
    ax = titled(drawn("timeline"), "NMDA block")
    np.testing.assert_allclose(
        labelled(ax, "occupancy").get_ydata(),
        100 * DS["occupancy"].sel(arm="ketamine").mean("seed"),
    )
    assert labelled(ax, "occupancy").get_linewidth() < labelled(ax, "E").get_linewidth()


def test_minutes_and_days_have_room_on_one_axis() -> None:
    ax = titled(drawn("timeline"), "Spine density")
    assert [t.get_text() for t in ax.get_xticklabels()] == [
        "0",
        "40 min",
        "2 h",
        "6 h",
        "1 d",
        "3 d",
        "7 d",
        "14 d",
    ]
    left, right = ax.get_xlim()
    place = {
        h: ax.transAxes.inverted().transform(ax.transData.transform((h, 0)))[0]
        for h in (left, 0, 2, 24, right)
    }
    widths = np.diff(list(place.values()))
    assert (widths > 0.1).all()
    assert widths[1] == pytest.approx(math.asinh(2) / (math.asinh(336) + math.asinh(1)))


def test_short_courses_are_drawn_in_hours_and_repeated_doses_in_days() -> None:
    fig = Figure()
    ax = fig.add_subplot()
    axis.time_axis(ax, (-1, 6))
    assert ax.get_xscale() == "linear"
    assert [axis.time_text(t) for t in ax.get_xticks()] == [
        "−1 h",
        "0",
        "1 h",
        "2 h",
        "3 h",
        "4 h",
        "5 h",
        "6 h",
    ]
    repeated = [
        data.DosingEvent("ketamine", "ketamine", "", day * 72.0, day * 72.0 + 1) for day in range(6)
    ]
    axis.time_axis(ax, (-1, 720), repeated)
    assert ax.get_xscale() == "linear"
    assert [axis.time_text(t) for t in ax.get_xticks()] == ["0", "7 d", "14 d", "21 d", "28 d"]
    axis.time_axis(ax, (-1, 1008))
    assert ax.get_xscale() == "asinh"
    assert [axis.time_text(t) for t in ax.get_xticks()][-3:] == ["7 d", "14 d", "42 d"]


@pytest.mark.parametrize(
    ("hours", "text"),
    [(0, "0"), (2 / 3, "40 min"), (0.5, "30 min"), (1.5, "1.5 h"), (6, "6 h"), (24, "1 d"), (336, "14 d"), (-0.5, "−30 min"),
     (-1, "−1 h"), (36, "36 h"), (1.25, "75 min")],
)  # fmt: skip
def test_times_are_said_as_people_say_them(hours: float, text: str) -> None:
    assert axis.time_text(hours) == text


def test_dosing_is_shaded_while_the_drug_goes_in() -> None:
    spans = [
        p
        for p in titled(drawn("timeline"), "Unbound").patches
        if isinstance(p, Rectangle) and p.get_gid() is None
    ]
    assert [(round(p.get_x(), 6), round(p.get_x() + p.get_width(), 6)) for p in spans] == [
        (0, round(2 / 3, 6))
    ]
    said = texts(drawn("timeline"))
    for what in (
        "ketamine 0.5 mg/kg iv over 40 min",
        "NBQX at 90 % occupancy",
        "rapamycin at 90 % occupancy",
    ):
        assert what in said


def test_a_formula_is_not_taken_for_the_network_and_no_noise_for_noise() -> None:
    ds = fake.results(("vehicle", "ketamine"), seeds=2, end_h=3).assign_attrs(method="formula")
    ds["rate_se_hz"] = 0 * ds["rate_se_hz"]
    said = texts(plot_acute(ds))
    assert [line for line in said if "a formula, not the network" in line]
    assert not [line for line in said if "probe noise" in line]
    taught = texts(plot_ensemble_weights(ds.assign_attrs(kind="ensembles"), fake.ensembles()))
    assert [line for line in taught if "ensembles in the network" in line]


def test_many_treatments_share_a_row_and_daily_doses_are_not_shaded_in_every_panel() -> None:
    fig = plot_timeline(fake.doses())
    assert "ketamine" in texts(fig)
    assert not [text for text in texts(fig) if "mg/kg ip" in text]
    ds = fake.results(("vehicle", "ketamine"), seeds=2, end_h=330)
    rows = [
        {
            "arm": "ketamine",
            "drug": "ketamine",
            "what": "daily",
            "start_h": 24.0 * d,
            "end_h": 24.0 * d,
        }
        for d in range(13)
    ]
    ds.attrs["dosing"] = json.dumps(rows)
    ax = titled(plot_timeline(ds), "Unbound")
    assert [line for line in ax.lines if len(set(line.get_xdata())) == 1] == []


def test_repeated_doses_are_marks_named_once_after_the_last() -> None:
    ds = fake.results(("vehicle", "ketamine"), seeds=2, end_h=720)
    rows = [
        {
            "arm": "ketamine",
            "drug": "ketamine",
            "what": "infusions",
            "start_h": 72.0 * k,
            "end_h": 72.0 * k + 0.7,
        }
        for k in range(6)
    ]
    ds.attrs["dosing"] = json.dumps(rows)
    strip = plot_timeline(ds).axes[0]
    marks = sorted(float(line.get_xdata()[0]) for line in strip.lines if line.get_marker() == "v")
    assert marks == [72.0 * k for k in range(6)]
    names = [text for text in strip.texts if text.get_text() == "infusions"]
    assert [name.xy[0] for name in names] == [360.7]


def test_the_first_hours_end_where_they_are_asked_to() -> None:
    fig = plot_acute(DS, until_h=2)
    assert titled(fig, "Unbound").get_xlim()[1] <= 2
    assert titled(drawn("acute"), "Unbound").get_xlim()[1] == pytest.approx(6, abs=0.2)


# -- the other figures -----------------------------------------------------------------------------


def test_a_raster_shows_every_spike_of_its_window() -> None:
    spikes = fake.snapshot_spikes(4)
    fig = drawn("raster")
    t, who = spikes["during"]
    start = (t.max() - 1) / 2
    inside = (t >= start) & (t < start + 1)
    ax = next(ax for ax in fig.axes if ax.get_title(loc="left") == "during: 36 min")
    for cls, (first, end) in fake.BOUNDARIES.items():
        line = next(
            line
            for line in ax.lines
            if line.get_color() == style.KNOWN_CLASSES[cls].colour and line.get_marker() == "o"
        )
        assert len(line.get_xdata()) == int((inside & (who >= first) & (who < end)).sum())
    assert "E 4.2   PV 9.5   SST 8.0" in " ".join(
        texts(plot_raster(fake.results(seeds=1), spikes, fake.BOUNDARIES, arm="vehicle"))
    )


def test_population_rates_are_spikes_a_second_a_cell() -> None:
    times, cells = np.linspace(0, 4, 4001)[:-1], np.zeros(4000, dtype=np.int32)
    fig = plot_raster(DS, {"before": (times, cells)}, {"E": (0, 100)})
    rate = labelled(fig.axes[1], "E").get_ydata()
    middle = slice(len(rate) // 4, -len(rate) // 4)
    assert np.mean(rate[middle]) == pytest.approx(
        10, rel=0.02
    )  # 1000 spikes a second over 100 cells


def test_gamma_and_slow_delta_are_marked() -> None:
    ax = drawn("raster").axes[-1]
    spans = sorted((p.get_x(), p.get_x() + p.get_width()) for p in ax.patches)
    assert spans == [(0.5, 4), (30, 80)]
    assert {"γ", "δ"} <= set(texts(ax))


def test_spectra_are_averaged_in_bands_and_keep_their_power() -> None:
    frequency = np.arange(0.5, 100.5, 0.5)
    centres, means = by_tenths(frequency, 3 * np.ones(200))
    np.testing.assert_allclose(means, 3)
    assert (np.diff(centres) > 0).all()
    assert len(centres) < 60
    _, means = by_tenths(frequency, frequency)
    np.testing.assert_allclose(means, by_tenths(frequency, frequency)[0])


def test_a_blocker_that_flattens_the_rest_runs_off_the_scale_and_that_is_said() -> None:
    ds = DS.copy(deep=True)
    for arm in ("nbqx", "ketamine_nbqx"):
        ds["glutamate"].loc[{"arm": arm, "time": slice(-0.5, 3.5)}] = -100.0
    ax = titled(plot_timeline(ds), "Glutamate")
    assert "off scale: NBQX, ketamine + NBQX" in texts(ax)
    assert ax.get_ylim()[0] > 0
    assert not [
        text for text in texts(titled(drawn("timeline"), "Glutamate")) if text.startswith("off")
    ]


def test_where_every_cell_is_silent_the_figure_says_so() -> None:
    spikes = dict(fake.snapshot_spikes(4))
    moment = list(spikes)[1]
    spikes[moment] = (np.zeros(0), np.zeros(0, np.int32))
    ds = DS.copy()
    ds["spectrum"] = DS["spectrum"].where(DS["snapshot"] != moment, 0.0)
    said = [texts(ax) for ax in plot_raster(ds, spikes, fake.BOUNDARIES).axes]
    assert sum("every cell is silent" in each for each in said) == 1
    assert sum("no spikes, no power" in each for each in said) == 1
    assert not any("silent" in each for each in texts(plot_acute(DS)))
    ds["rate_hz"] = DS["rate_hz"].where((DS["arm"] != "nbqx") | (DS["time"] < 1), 0.0)
    for draw in (plot_acute, plot_timeline):
        assert "every cell is silent for a time in: NBQX" in " ".join(texts(draw(ds)))


def test_block_refuses_doses_after_which_concentrations_only_pass_by() -> None:
    with pytest.raises(InputError, match="found doses, after which.*hold a concentration"):
        plot_block(DS)


def test_block_refuses_one_concentration_of_each_drug() -> None:
    held = json.dumps(
        [{"arm": arm, "kind": "level", "drug": "ketamine"} for arm in DS["arm"].values]
    )
    with pytest.raises(InputError, match="found one concentration of each drug, wanted arms that"):
        plot_block(DS.isel(arm=[1]).assign_attrs(dosing=held))


def test_a_time_axis_that_turns_logarithmic_says_so() -> None:
    """Every panel with such an axis has, below its column, the words."""
    for name, figure in ((n, drawn(n)) for n in DRAW):
        bent = [ax for ax in figure.axes if ax.get_xscale() == "asinh"]
        said = any("linear to 1 h, then logarithmic" in each for each in texts(figure))
        assert said == bool(bent), name


def test_colour_bars_say_what_they_are_of() -> None:
    bars = [ax for ax in plot_landscape(fake_sweeps.plane()).axes if ax.get_label() == "<colorbar>"]
    assert bars
    assert all(ax.get_ylabel() for ax in bars)


@pytest.mark.parametrize("name", FIGURES)
def test_no_legend_and_no_label_lies_over_a_curve(name: str) -> None:
    """Boxes of text against curves as drawn (but for words that stand on their own bar), against
    one another, and against the axes they would be cut by.
    """
    figure = drawn(name)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    for ax in figure.axes:
        boxes = {
            t.get_text(): Text.get_window_extent(t, renderer) for t in ax.texts if t.get_text()
        }
        if (key := ax.get_legend()) is not None:
            boxes["the legend"] = key.get_window_extent(renderer)
        curves = [
            placing.dense(line)
            for line in ax.lines
            if line.get_linestyle() not in ("None", "") and line.get_linewidth() < panels.BAR_PT / 2
        ]
        for text, box in boxes.items():
            inner = box.shrunk(0.96, 0.8)
            for curve in curves:
                seen = curve[[ax.bbox.contains(*point) for point in curve]]
                assert not inner.count_contains(seen), (name, ax.get_title("left"), text)
        for (one, a), (other, b) in itertools.combinations(boxes.items(), 2):
            assert not a.shrunk(0.96, 0.8).overlaps(b.shrunk(0.96, 0.8)), (name, one, other)
        for text, box in boxes.items() if ax.spines["bottom"].get_visible() else ():
            across = box.x1 > ax.bbox.x0 and box.x0 < ax.bbox.x1
            cut = across and box.shrunk(1, 0.8).y0 < ax.bbox.y0 < box.shrunk(1, 0.8).y1
            assert not cut, (name, ax.get_title("left"), text)


def test_a_raster_without_snapshots_says_what_it_wants() -> None:
    with pytest.raises(InputError, match="found no snapshots, wanted snapshots"):
        plot_raster(DS, {}, fake.BOUNDARIES)
    with pytest.raises(InputError, match="found seed 9"):
        plot_raster(DS, fake.snapshot_spikes(2), fake.BOUNDARIES, seed=9)


def test_every_seed_is_a_dot_and_claims_say_what_became_of_them() -> None:
    fig = drawn("arms")
    ax = titled(fig, "Spine density")
    dots = [set(np.round(line.get_xdata(), 9)) for line in ax.lines if len(line.get_xdata()) == 4]
    assert set(np.round(DS["spine_density_24h"].sel(arm="ketamine").values, 9)) in dots
    said = texts(fig)
    for line in (
        "✓ met",
        "✗ missed",
        "✗ known miss",
        "? undecided",
        "glutamate rises during the infusion",
        "42.1 % [38, 46.2], wanted between 5 % and 40 %, n = 4 of 4",
        "no value, wanted at most 0.2, n = 1 of 4",
        "−0.4 Hz [−1.1, 0.3], wanted less than 0 Hz, n = 4 of 4",
        "of 4 claims: 1 met, 1 missed, 1 known miss, 1 undecided",
    ):
        assert line in said


def test_arms_are_compared_by_the_readouts_most_claims_are_about() -> None:
    ds = DS.assign(
        {f"other_{k}": DS["glutamate_peak"].assign_attrs(long_name=f"other {k}") for k in range(4)}
    )
    ds = ds[["other_0", "other_1", "other_2", "other_3", *(str(v) for v in DS.data_vars)]]
    ds["onset"] = DS["glutamate_peak"].assign_attrs(units="h")
    ds["never"] = (np.nan * DS["glutamate_peak"]).assign_attrs(DS["glutamate_peak"].attrs)
    fig = plot_arms(ds, verdicts=[v for v in fake.verdicts() for _ in range(2)])
    titles = [ax.get_title(loc="left").replace("\n", " ") for ax in fig.axes[:4]]
    assert titles == [
        "Glutamate, peak",
        "Weight at 24 h",
        "Spine density at 24 h",
        "Clinical effect on day 1",
    ]
    assert "of 8 claims: 2 met, 2 missed, 2 known miss, 2 undecided; all in the report" in texts(
        fig
    )
    assert next(text for text in texts(fig) if text[:1] in "✓✗?" and len(text) > 3) == "✗ missed"
    with pytest.raises(InputError, match="found wieght_24h.*nearest valid name: weight_24h"):
        plot_arms(DS, readouts=["wieght_24h"])
    with pytest.raises(InputError, match="no readouts"):
        plot_arms(fake.held())


def test_circles_go_by_number_of_cells_and_lines_by_strength() -> None:
    fig = drawn("circuit")
    big = {
        to_hex(p.get_edgecolor()): p.radius
        for p in fig.axes[0].patches
        if type(p) is Circle and p.radius > 5
    }
    radii = {cls: big[style.KNOWN_CLASSES[cls].colour.lower()] for cls in CIRCUIT.populations}
    assert radii["E"] > radii["PV"] >= radii["SST"]
    onto_E = CIRCUIT.connection("PV", "E")
    assert onto_E is not None
    assert strength(onto_E) == pytest.approx(float(onto_E.probability) * float(onto_E.gaba))  # type: ignore[arg-type]
    assert max(CIRCUIT.connections, key=strength) is onto_E
    said = " ".join(texts(fig))
    for words in (
        "800 cells",
        "synaptic",
        "tonic",
        "resting",
        "background",
        "2A 60 %, 2B 40 %",
        "excites (AMPA, NMDA)",
    ):
        assert words in said


def test_pools_are_filled_by_their_block_at_the_peak_of_the_drug() -> None:
    wedges = [p for p in drawn("circuit").axes[0].patches if isinstance(p, Wedge)]
    at = float(DS["brain_uM"].sel(arm="ketamine").mean("seed").sum("species").idxmax("time"))
    blocked = DS["block"].sel(arm="ketamine", time=at).mean("seed")
    np.testing.assert_allclose(
        sorted((w.theta2 - w.theta1) / 360 for w in wedges), sorted(blocked.values)
    )
    assert [
        p for p in plot_circuit(CIRCUIT, name="prefrontal").axes[0].patches if isinstance(p, Wedge)
    ] == []


def test_block_is_read_while_the_concentration_is_held() -> None:
    ds = fake.held()
    fig = drawn("block")
    assert [ax.get_title(loc="left") for ax in fig.axes] == ["ketamine", "memantine"]
    line = labelled(fig.axes[1], "SST, tonic")
    np.testing.assert_allclose(line.get_xdata(), [0.1, 0.3, 1, 3, 10, 30])
    expected = 100 * ds["block"].sel(arm="memantine_3uM", pool="SST.tonic", time=1.0).mean()
    assert line.get_ydata()[3] == pytest.approx(float(expected))
    assert fig.axes[0].get_xscale() == "log"
    with pytest.raises(InputError, match="no arm with drug in the brain"):
        plot_block(fake.results(("vehicle",), seeds=2, end_h=2))


def test_readouts_are_drawn_against_the_dose_of_each_arm() -> None:
    ax = titled(drawn("sweep"), "Glutamate")
    assert [t.get_text() for t in ax.get_xticklabels()] == ["10", "20", "30", "50", "200"]
    curve = next(line for line in ax.lines if len(line.get_xdata()) == 5)
    ds = fake.doses()
    np.testing.assert_allclose(
        curve.get_ydata(), ds["glutamate_peak"].sel(arm=ds.arm[1:]).mean("seed")
    )
    assert "vehicle" in texts(ax)


def test_the_name_of_a_level_lies_over_no_bar_and_no_dot() -> None:
    """After the largest dose the interval reaches over the level of the untreated, at its end."""
    ds = fake.doses()
    level = float(ds["glutamate_peak"].sel(arm="vehicle").mean())
    values = ds["glutamate_peak"].copy()
    values.loc[{"arm": ds.arm[-1]}] = np.linspace(0.8 * level, 1.25 * level, ds.sizes["seed"])
    ax = titled(plot_sweep(ds.assign(glutamate_peak=values)), "Glutamate")
    (name,) = (text for text in ax.texts if text.get_text() == "vehicle")
    assert placing._covered(name.get_window_extent(), placing.Ink.of(ax), [], ax.bbox) == 0


def test_readouts_are_drawn_along_a_sweep() -> None:
    ds = fake.swept()
    ax = titled(plot_sweep(ds), "Weight")
    assert ax.get_xlabel() == "dose (mg/kg)"
    np.testing.assert_allclose(
        labelled(ax, "ketamine").get_ydata(), ds["weight_24h"].sel(arm="ketamine").mean("seed")
    )


def test_a_figure_of_one_point_refuses_a_sweep_and_names_its_axis() -> None:
    with pytest.raises(
        InputError, match=r"at dose: found 4 values of dose, wanted one.*0\.1, 0\.2, 0\.5, 1\.0"
    ):
        plot_timeline(fake.swept())
    assert plot_spectra(fake.swept().isel(dose=[1])).axes


def test_doses_in_different_units_are_refused_and_so_is_one_dose() -> None:
    ds = fake.doses()
    rows = json.loads(ds.attrs["dosing"])
    rows[0]["unit"], rows[3]["unit"] = "uM", "mg"
    ds.attrs["dosing"] = json.dumps(rows)
    with pytest.raises(InputError, match="doses in uM and mg/kg and mg"):
        plot_sweep(ds)
    with pytest.raises(
        InputError, match="found one dose, wanted a sweep, or arms that differ in dose"
    ):
        plot_sweep(DS)


def test_power_is_compared_run_by_run() -> None:
    ax = titled(drawn("spectra"), "Gamma power (× before)")
    ratio = (
        (DS["gamma_power"] / DS["gamma_power"].sel(snapshot="before"))
        .sel(arm="ketamine")
        .mean("seed")
    )
    means = [line.get_ydata() for line in ax.lines if len(line.get_ydata()) == 3]
    assert any(np.allclose(y, ratio.values[1:]) for y in means)
    assert [t.get_text() for t in ax.get_xticklabels()] == [
        "during\n36 min",
        "after\n2 h",
        "day\n1 d",
    ]
    with pytest.raises(InputError, match="found 1 snapshots"):
        plot_spectra(DS.isel(snapshot=[0]))


@pytest.mark.parametrize("draw", [plot_timeline, plot_acute, plot_spectra, plot_arms])
def test_unknown_arms_are_refused_with_the_nearest_name(draw: Callable[..., Figure]) -> None:
    with pytest.raises(
        InputError, match="found ketamin, wanted one of .*nearest valid name: ketamine"
    ):
        draw(DS, arms=["ketamin"])


def test_results_without_a_variable_are_refused() -> None:
    with pytest.raises(InputError, match="One infusion: found no variable bdnf"):
        plot_timeline(DS.drop_vars("bdnf"))


def of_classes(*names: str) -> Circuit:
    """The shipped circuit with other classes in place of PV and SST, wired as PV is."""
    given = [c for c in CIRCUIT.connections if {c.source, c.target} <= {"E", "PV"}]
    wires = [c for c in given if (c.source, c.target) == ("E", "E")]
    for name in names:
        own = {end: {"E": "E", "PV": name}[end] for end in ("E", "PV")}
        wires += [
            c.model_copy(update={"source": own[c.source], "target": own[c.target]})
            for c in given
            if "PV" in (c.source, c.target)
        ]
    cells = {"E": CIRCUIT.populations["E"]} | dict.fromkeys(names, CIRCUIT.populations["PV"])
    return CIRCUIT.model_copy(update={"populations": cells, "connections": wires})


@pytest.mark.parametrize("names", [("PV",), ("PV", "SST", "VIP"), ("PV", "SST", "VIP", "NDNF")])
def test_a_circuit_of_any_classes_is_drawn_with_each_apart_and_inside(
    names: tuple[str, ...],
) -> None:
    ax = plot_circuit(of_classes(*names)).axes[0]
    cells = [p for p in ax.patches if isinstance(p, Circle) and p.radius > 2]
    assert len(cells) == 1 + len(names)
    assert {t.get_text() for t in ax.texts} >= {"E", *names}
    for a, b in itertools.combinations(cells, 2):
        assert math.dist(a.center, b.center) > a.radius + b.radius
    for cell in cells:
        assert ax.get_xlim()[0] < cell.center[0] - cell.radius
        assert ax.get_ylim()[0] < cell.center[1] - 3 / 2 * cell.radius
        assert ax.get_ylim()[1] > cell.center[1] + 3 / 2 * cell.radius


@pytest.mark.parametrize("name", FIGURES)
def test_nothing_that_is_written_is_a_formula(name: str) -> None:
    assert not [text for text in texts(drawn(name)) if "$" in text or "\\" in text]


def test_a_title_with_dollars_is_written_as_it_is() -> None:
    title = "costs $\\frac{1$ and $5"
    fig = plot_arms(DS.assign_attrs(title=title), verdicts=fake.verdicts())
    assert any(title in text for text in texts(fig))


def of_many_arms(n: int) -> xr.Dataset:
    names = [f"arm_{k}" for k in range(n)]
    titles = [f"arm {k}, of a drug at {k} mg/kg" for k in range(n)]
    ds = DS.isel(arm=0).drop_vars(["arm", "arm_title"], errors="ignore").expand_dims(arm=names)
    return ds.assign_coords(arm_title=("arm", titles))


@pytest.mark.parametrize("n", [2, 12, 20, 50])
def test_names_of_many_arms_do_not_run_into_one_another(n: int) -> None:
    fig = plot_arms(of_many_arms(n), verdicts=fake.verdicts())
    boxes = [label.get_window_extent() for label in fig.axes[0].get_yticklabels()]
    assert len(boxes) == n
    assert all(a.y0 > b.y0 and a.y0 > b.y1 - 2 for a, b in itertools.pairwise(boxes))


@pytest.mark.parametrize("draw", [plot_timeline, plot_acute])
def test_of_many_arms_as_many_are_lines_as_can_be_told_apart(draw: Any) -> None:
    fig = draw(of_many_arms(50), focus="arm_40")
    (key,) = fig.legends
    named = [text.get_text() for text in key.get_texts()]
    assert len(named) == data.MOST_LINES
    assert "arm 40, of a drug at 40 mg/kg" in named
    assert any("12 of 50 arms" in ax.get_title() + ax.get_title(loc="left") for ax in fig.axes)
    few = draw(of_many_arms(50), arms=["arm_3", "arm_49"])
    assert len(few.legends[0].get_texts()) == 2
