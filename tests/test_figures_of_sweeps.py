"""Figures of sweeps and of virtual subjects: what stands on them is what the data say, missing runs
are told.
"""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import fake_sweeps as fake
import numpy as np
import pytest
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import QuadMesh
from matplotlib.colors import same_color
from matplotlib.figure import Figure
from matplotlib.text import Text

import plastogen
from plastogen.analysis import sensitivity as asking
from plastogen.errors import InputError
from plastogen.figures import axis, data, labels, style
from plastogen.figures._arms import plot_arms
from plastogen.figures._courses import plot_courses
from plastogen.figures._landscape import plot_landscape
from plastogen.figures._phase import plot_phase
from plastogen.figures._plane import plot_plane
from plastogen.figures._responders import plot_responders
from plastogen.figures._sensitivity import plot_sensitivity
from plastogen.figures._sweep import plot_sweep
from plastogen.figures._tornado import plot_tornado
from plastogen.simulation.variables import VARIABLES

DOSES, PLANE, DRAWN, PEOPLE = fake.doses(), fake.plane(), fake.drawn(), fake.people()


def texts(fig: Figure | Axes) -> list[str]:
    return [t.get_text() for t in fig.findobj(Text) if t.get_text()]


def titled(fig: Figure, start: str) -> Axes:
    return next(ax for ax in fig.axes if ax.get_title(loc="left").startswith(start))


def without(ds: xr.Dataset, **where: Any) -> xr.Dataset:
    """`ds` where some runs are missing."""
    ds = ds.copy(deep=True)
    for name in [*ds.data_vars]:
        if name != "status":
            ds[name].loc[where] = np.nan
    ds["status"].loc[where] = "missing"
    return ds.assign_attrs(n_complete=int((ds["status"] == "complete").sum()))


# what every figure says


@pytest.mark.parametrize(
    ("ds", "wanted"),
    [
        (DOSES, "a grid (30 points) over dose; 3 arms × 4 seeds: 360 of 360 runs"),
        (
            PLANE,
            "a grid (66 points) over Mg²⁺ of ketamine's IC50s, dose; 2 arms × 3 seeds: 396 of 396 runs",
        ),
        (
            PEOPLE,
            "200 virtual subjects of virtual_adult, who differ in stress, clearance, body weight, strength of inhibition; 2 arms × 2 seeds: 800 of 800 runs",
        ),
        (without(DOSES, arm="ketamine", seed=2), "3 arms × 4 seeds: 330 of 360 runs"),
        (DOSES.isel(dose=3), ""),
    ],
    ids=["grid", "plane", "people", "missing", "one point"],
)
def test_the_design_and_the_number_of_runs_are_said(ds: xr.Dataset, wanted: str) -> None:
    found = data.describe_design(ds)
    assert found.endswith(wanted) if wanted else found == ""


def test_many_numbers_are_counted() -> None:
    ds = DRAWN.copy()
    plan = json.loads(ds.attrs["design"])
    plan["over"][0] = [plan["over"][0][0], *(f"a.b{k}: range" for k in range(33))]
    ds.attrs["design"] = json.dumps(plan)
    assert "over 33 numbers" in data.describe_design(ds)


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("subject.stress", "stress"),
        ("drugs.k.actions.nmdar.k.ic50.GluN2B", "IC50 GluN2B of k"),
        ("drugs.k.kinetics.human.H2.peripheral.0.flow", "flow to peripheral compartment 0"),
        ("subject.glun2b", "share of GluN2B"),
    ],
)
def test_a_path_is_said_in_words(path: str, wanted: str) -> None:
    assert labels.path_label(path) == wanted


def test_intervals_are_over_virtual_subjects_where_there_are_some() -> None:
    values = PEOPLE["effect_day_1"].sel(arm="ketamine")
    found = data.interval(values)
    means = values.mean("seed").values
    assert float(found.mean) == pytest.approx(means.mean())
    assert float(found.high - found.low) == pytest.approx(
        2 * 1.972 * means.std(ddof=1) / np.sqrt(200), rel=1e-3
    )
    assert int(found.n) == 200


def test_missing_runs_are_red_and_rings() -> None:
    ds = without(DOSES, arm="ketamine", seed=2)
    fig = plot_sweep(ds)
    assert any(t.startswith("INCOMPLETE: 330 of 360 runs (ketamine 90 of 120)") for t in texts(fig))
    assert "hollow: runs are missing" in " ".join(texts(fig))
    rings = [
        line
        for line in fig.axes[0].lines
        if line.get_markerfacecolor() == "white" and len(line.get_xdata())
    ]
    assert [len(line.get_xdata()) for line in rings] == [30]
    assert not [
        line
        for line in plot_sweep(DOSES).axes[0].lines
        if line.get_markerfacecolor() == "white" and len(line.get_xdata())
    ]


# sweep


def test_a_line_an_arm_along_one_axis_with_a_band() -> None:
    ax = titled(plot_sweep(DOSES), "Spine density")
    assert ax.get_xscale() == "log"
    assert ax.get_xlabel() == "dose (mg/kg)"
    line = next(line for line in ax.lines if line.get_label() == "ketamine")
    np.testing.assert_allclose(
        line.get_ydata(), DOSES["spine_density_24h"].sel(arm="ketamine").mean("seed")
    )
    assert len(ax.collections) == 3
    assert all(len(t.get_text()) <= 4 for t in ax.get_xticklabels())


def test_a_line_each_value_of_a_second_axis() -> None:
    fig = plot_sweep(PLANE)
    ax = titled(fig, "Weight")
    lines = {line.get_label(): line for line in ax.lines}
    np.testing.assert_allclose(
        lines["4 mM"].get_ydata(),
        PLANE["weight_24h"].sel(arm="ketamine", reference_mg=4).mean("seed"),
    )
    assert [t.get_text() for t in fig.legends[0].get_texts()] == [
        "vehicle",
        "1 mM",
        "2 mM",
        "4 mM",
        "8 mM",
        "16 mM",
        "1000 mM",
    ]


def test_points_over_many_numbers_are_dots_against_the_one_that_is_followed() -> None:
    ax = titled(plot_sweep(DRAWN), "Spine density")
    assert ax.get_xlabel() == "rate at which lost spines come back"
    (dots,) = [line for line in ax.lines if line.get_marker() == "o"]
    effect = (
        DRAWN["spine_density_24h"].sel(arm="ketamine")
        - DRAWN["spine_density_24h"].sel(arm="vehicle")
    ).mean("seed")
    np.testing.assert_allclose(dots.get_xdata(), DRAWN["rescue"])
    np.testing.assert_allclose(dots.get_ydata(), effect)
    assert "ρ = 0.96" in texts(ax)


def test_a_third_axis_is_refused() -> None:
    ds = fake.along([PLANE, PLANE], "gain", [1.0, 2.0])
    with pytest.raises(InputError, match="choose with .sel"):
        plot_sweep(ds)


@pytest.mark.parametrize(("values", "scale", "ticks"), [
    (np.array([0.1, 0.3, 1, 3]), "log", [0.1, 0.3, 1, 3]),
    (np.geomspace(0.05, 5, 30), "log", None),
    (np.array([0.0, 1, 2]), "linear", [0, 1, 2]),
    (np.geomspace(0.05, 5, 5), "log", None),
])  # fmt: skip
def test_ticks_stand_at_the_values_where_these_are_few_and_short(
    values: np.ndarray, scale: str, ticks: list[float] | None
) -> None:
    ax = Figure().subplots()
    axis.dose_axis(ax, values)
    assert ax.get_xscale() == scale
    if ticks is not None:
        assert list(ax.get_xticks()) == ticks
    else:
        assert {0.1, 1.0} <= {round(float(t), 6) for t in ax.get_xticks()}


# landscape


def test_a_landscape_is_the_effect_over_both_numbers() -> None:
    fig = plot_landscape(PLANE)
    ax = titled(fig, "Spine density")
    assert (ax.get_xlabel(), ax.get_ylabel()) == (
        "dose (mg/kg)",
        "Mg²⁺ of ketamine's IC50s (mM)",
    )
    effect = (
        PLANE["spine_density_24h"].sel(arm="ketamine")
        - PLANE["spine_density_24h"].sel(arm="vehicle")
    ).mean("seed")
    mesh = next(c for c in ax.collections if isinstance(c, QuadMesh))
    shown = np.asarray(mesh.get_array())
    at = {
        (0, 0): (0.05, 1),
        (-1, -1): (5, 1000),
        (0, -1): (5, 1),
        (-1, 0): (0.05, 1000),
    }  # corners: row, column
    for (row, column), (dose, mg) in at.items():
        assert shown[row, column] == pytest.approx(
            float(effect.sel(dose=dose, reference_mg=mg, method="nearest"))
        )
    dots = next(line for line in ax.lines if line.get_marker() == "o")
    assert len(dots.get_xdata()) == 66
    assert len(ax.texts) > 2  # contours are labelled


def test_a_plane_is_a_readout_over_two_others_with_the_arms_that_pass_by() -> None:
    names = ["spine_density_24h", "weight_24h", "glutamate_40min"]
    ds = fake.causes()
    ax = plot_plane(ds, readouts=names).axes[0]
    small, large = ax.lines[:2]
    mean = ds[names].mean("seed")
    for dots, arms in ((small, ["ketamine"]), (large, ["ketamine_low", "ketamine_middle"])):
        found = np.unique(np.round(dots.get_xydata(), 9), axis=0)
        wanted = [np.ravel(mean[name].sel(arm=arms)) for name in names[1:]]
        assert found == pytest.approx(np.unique(np.round(np.column_stack(wanted), 9), axis=0))
    assert [text.get_text() for text in ax.texts[-2:]] == [
        style.arm_title(ds, arm) for arm in ("ketamine_low", "ketamine_middle")
    ]
    with pytest.raises(InputError, match="2 readouts"):
        plot_plane(PLANE, readouts=names[:2])
    with pytest.raises(InputError, match="two that do not go together"):
        plot_plane(PLANE, readouts=names)
    with pytest.raises(InputError, match="a sweep, to draw a map of"):
        plot_plane(PLANE.isel(dose=[0], reference_mg=[0]), readouts=names)


@pytest.mark.parametrize("name", ["landscape", "sweep"])
def test_a_long_title_of_a_panel_keeps_off_the_next(name: str) -> None:
    ds = PLANE if name == "landscape" else DOSES
    names = [str(n) for n in ds.data_vars if ds[n].attrs.get("readout")]
    long = {n: ds[n].assign_attrs(long_name=f"{n}, {'with words ' * 5}and an end") for n in names}
    fig = (plot_landscape if name == "landscape" else plot_sweep)(ds.assign(long))
    fig.draw_without_rendering()
    titles = [text for text in fig.findobj(Text) if "with words" in text.get_text()]
    names_of_axes = [ax.yaxis.label for ax in fig.axes if ax.get_ylabel()]
    assert len(titles) > 1
    for title, other in itertools.product(titles, [*titles, *names_of_axes]):
        if title is not other:
            assert not title.get_window_extent().overlaps(other.get_window_extent())


def test_the_axes_of_a_landscape_may_be_chosen() -> None:
    ax = plot_landscape(PLANE, axes=["reference_mg", "dose"], readouts=["weight_24h"]).axes[0]
    assert ax.get_xlabel() == "Mg²⁺ of ketamine's IC50s (mM)"


def test_missing_points_of_a_landscape_are_crossed() -> None:
    ax = plot_landscape(
        without(PLANE, arm="ketamine", seed=1, dose=PLANE["dose"].values[2], reference_mg=4.0),
        readouts=["weight_24h"],
    ).axes[0]
    (cross,) = [line for line in ax.lines if line.get_marker() == "x" and len(line.get_xdata())]
    assert (cross.get_xdata()[0], cross.get_ydata()[0]) == (
        pytest.approx(PLANE["dose"].values[2]),
        4,
    )


def test_points_drawn_over_two_numbers_make_a_landscape_and_over_five_none() -> None:
    two = DRAWN.drop_vars(["mtorc1_gain", "tag_time", "clearance"])
    two.attrs["design"] = json.dumps(json.loads(DRAWN.attrs["design"]) | {"kind": "sobol"})
    assert plot_landscape(two.isel(point=slice(0, None, 7)), readouts=["weight_24h"]).axes
    with pytest.raises(InputError, match="points over 5 numbers"):
        plot_landscape(DRAWN)
    with pytest.raises(InputError, match="found 1 swept numbers, wanted two"):
        plot_landscape(DOSES)


# courses and phase


def test_a_panel_each_value_with_the_arms_in_it() -> None:
    fig = plot_courses(DOSES, variable="weight")
    panels = [ax for ax in fig.axes if ax.axison]
    assert len(panels) == 12
    assert panels[0].get_title(loc="left") == "0.05 mg/kg"
    assert panels[-1].get_title(loc="left") == "5 mg/kg"
    blue = [line for line in panels[-1].lines if same_color(line.get_color(), style.BLUE)]
    np.testing.assert_allclose(
        blue[0].get_ydata(), DOSES["weight"].sel(arm="ketamine").isel(dose=-1).mean("seed")
    )
    assert "(12 of 30)" in " ".join(texts(fig))


def test_its_variable_is_that_of_the_first_readout() -> None:
    title = texts(plot_courses(DOSES.isel(dose=[0, 20])))[0]
    assert title.lower() == VARIABLES["clinical_effect"].long_name.lower()
    with pytest.raises(InputError, match="a variable with one course"):
        plot_courses(DOSES, variable="effect_day_1")
    with pytest.raises(InputError, match="timeline shows one point"):
        plot_courses(DOSES.isel(dose=0, drop=True))


def test_arms_of_people_are_dots_of_subjects() -> None:
    ax = plot_arms(PEOPLE, readouts=["weight_24h"]).axes[0]
    dots = next(
        line for line in ax.lines if line.get_linestyle() == "None" and len(line.get_xdata()) == 200
    )
    np.testing.assert_allclose(
        dots.get_xdata(), PEOPLE["weight_24h"].sel(arm="vehicle").mean("seed")
    )


def test_people_are_threads_around_their_median() -> None:
    ax = titled(plot_courses(PEOPLE, variable="weight"), "ketamine (n = 200)")
    threads = [line for line in ax.lines if line.get_linewidth() < 1]
    each = PEOPLE["weight"].sel(arm="ketamine").mean("seed")
    assert len(threads) == 200
    np.testing.assert_allclose(threads[7].get_ydata(), each.isel(subject=7))
    (thick,) = [line for line in ax.lines if line.get_linewidth() == 3]
    np.testing.assert_allclose(thick.get_ydata(), each.median("subject"))


def test_a_phase_portrait_goes_from_state_to_state_with_time_marked() -> None:
    fig = plot_phase(DOSES)
    ax = fig.axes[0]
    assert (ax.get_xlabel(), ax.get_ylabel()) == tuple(
        VARIABLES[name].long_name for name in ("weight", "spine_density")
    )
    assert {"start", "1 d", "14 d"} <= set(texts(ax))
    path = max(
        ax.lines,
        key=lambda line: len(line.get_xdata()) == DOSES.sizes["time"] and np.ptp(line.get_xdata()),
    )
    strongest = DOSES.sel(arm="ketamine").isel(
        dose=int(
            np.ptp(DOSES["weight"].sel(arm="ketamine").mean("seed").values, axis=-1)[
                [0, 6, 12, 17, 23, 29]
            ].argmax()
            * 29
            / 5
            + 0.5
        )
    )
    np.testing.assert_allclose(path.get_xdata(), strongest["weight"].mean("seed"))
    np.testing.assert_allclose(path.get_ydata(), strongest["spine_density"].mean("seed"))
    with pytest.raises(InputError, match="found bdnf, wanted a state"):
        plot_phase(DOSES, states=["weight", "bdnf"])


# responders


def test_responders_are_counted_and_what_separates_them_is_ranked() -> None:
    fig = plot_responders(PEOPLE)
    left, middle, right = fig.axes
    yes = (PEOPLE["effect_day_1"].sel(arm="ketamine").mean("seed") < -0.8).values
    heights = [patch.get_height() for patch in left.patches]
    assert sum(heights) == 200
    assert f"respond ({yes.sum()})" in texts(fig)
    assert left.get_xlabel() == "clinical effect on day 1"
    assert float(left.lines[0].get_xdata()[0]) == -0.8
    assert [t.get_text() for t in middle.get_yticklabels()][:2] == ["clearance", "stress"]
    diamonds = [line for line in middle.lines if line.get_marker() == "D"]
    assert float(diamonds[0].get_xdata()[0]) < 0.1
    assert (right.get_xlabel(), right.get_ylabel()) == ("clearance (L/min)", "stress")
    assert [len(line.get_xdata()) for line in right.lines] == [int((~yes).sum()), int(yes.sum())]


def test_an_answer_with_no_number_behind_it_is_shown_as_a_share_of_seeds() -> None:
    assert (
        plot_responders(PEOPLE.drop_vars("effect_day_1")).axes[0].get_xlabel()
        == "share of seeds that say yes"
    )


def test_without_people_or_an_answer_nobody_responds() -> None:
    with pytest.raises(InputError, match="no virtual subjects"):
        plot_responders(DOSES)
    few = PEOPLE.isel(subject=slice(0, 3))
    assert "too few respond" in " ".join(texts(plot_responders(few)))


# what matters


def test_a_tornado_is_sorted_and_goes_from_low_to_high() -> None:
    ax = titled(plot_tornado(DRAWN), "Spine density")
    assert [t.get_text() for t in ax.get_yticklabels()][:3] == [
        "rate at which lost spines come back",
        "IC50 GluN2B of ketamine",
        "gain of mTORC1",
    ]
    _, found, _ = asking.influences(DRAWN, ["spine_density_24h"])
    first = next(one for one in found if one.number == "rescue")
    bar = ax.lines[0]
    assert list(bar.get_xdata()) == pytest.approx([first.swing[0][0], first.swing[1][0]])
    faces = [line.get_markerfacecolor() for line in ax.lines if line.get_marker() == "o"]
    assert faces[:2] == ["white", style.BLUE]


def test_the_door_answers_for_the_readouts_that_are_named() -> None:
    found = plastogen.sensitivity_of(DRAWN, ["spine_density_24h"])
    assert {one.readout for one in found} == {"spine_density_24h"}
    assert len({one.readout for one in plastogen.sensitivity_of(DRAWN)}) > 1


def test_the_heat_map_holds_the_indices_and_says_which() -> None:
    fig = plot_sensitivity(DRAWN)
    ax = fig.axes[0]
    _, found, _ = asking.influences(DRAWN)
    (image,) = ax.images
    shown = np.asarray(image.get_array())
    by = {(one.readout, one.path): one.value for one in found}
    rows = ["plasticity.spine.rescue", "drugs.ketamine.actions.nmdar.ketamine.ic50.GluN2B"]
    for i, path in enumerate(rows):
        np.testing.assert_allclose(shown[i], [by[name, path] for name in fake.READOUTS])
    assert any("Total Sobol index" in t for t in texts(fig))
    assert "rank correlation" in " ".join(texts(plot_sensitivity(PEOPLE)))


def test_titles_beside_long_names_of_numbers_stay_on_the_slide() -> None:
    ds, long = DRAWN.copy(), "glutamate over the whole of the infusion"
    for name in fake.READOUTS:
        ds[name] = DRAWN[name].assign_attrs(long_name=long)
    fig = plot_tornado(ds)
    for ax in fig.axes:
        rows = ax.get_yticks()
        ax.set_yticks(rows, ["rate at which captured protein strengthens synapses"] * len(rows))
    renderer = FigureCanvasAgg(fig).get_renderer()
    fig.draw(renderer)
    titles = [ax._left_title for ax in fig.axes if ax._left_title.get_text()]  # type: ignore[attr-defined]
    assert len(titles) >= 2
    for title in titles:
        assert title.get_window_extent(renderer).x1 <= fig.bbox.x1


@pytest.mark.parametrize("draw", [plot_tornado, plot_sensitivity])
def test_what_does_not_vary_is_refused(draw: Any) -> None:
    flat = DRAWN.isel(arm=[0])
    with pytest.raises(InputError, match="which is the same at every point"):
        draw(flat)
    with pytest.raises(InputError, match="no swept number"):
        draw(DRAWN.isel(point=[0]))


# large sweeps


@pytest.mark.slow
def test_curves_of_a_large_sweep_are_read_only_where_they_are_drawn(tmp_path: Path) -> None:
    path = tmp_path / "r.nc"
    DOSES.drop_vars("status").to_netcdf(path, engine="h5netcdf")
    with xr.open_dataset(path, engine="h5netcdf", chunks=None) as lazy:
        ds = lazy.assign(status=DOSES["status"])
        for draw in (plot_sweep, plot_courses, plot_phase):
            draw(ds)
        loaded = {str(name) for name in ds.data_vars if ds[name].variable._in_memory}
        assert not loaded & {"glutamate", "dissociation", "recurrent"}


def test_a_map_of_a_readout_without_numbers_says_so_and_the_others_are_drawn() -> None:
    ds = fake.plane()
    names = [str(name) for name in ds.data_vars if "readout" in ds[name].attrs]
    ds[names[0]] = ds[names[0]] * np.nan
    figure = plot_landscape(ds, readouts=names[:2])
    said = [text.get_text() for ax in figure.axes for text in ax.texts]
    size = ds[names[0]].isel(arm=0, seed=0).size
    assert f"no map: numbers at 0 of {size} points" in said
    assert sum(bool(ax.collections) for ax in figure.axes) >= 2  # the other, and its colour bar
