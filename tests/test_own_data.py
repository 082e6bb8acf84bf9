"""Own data: files as people keep them, read in one way or refused; every point drawn in its panel or
counted; what the model says beside it.
"""

from __future__ import annotations

import codecs
import csv
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fake_results as fake
import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

from plastogen.errors import InputError
from plastogen.figures import (
    agreement,
    agreement_of,
    own_points,
    plot_acute,
    plot_own_data,
    plot_timeline,
    write_agreement,
)
from plastogen.figures.overlay import Overlay, read_overlay
from plastogen.figures.own_points import GID

DATA = Path(__file__).parent / "data"
DS = fake.results()
FIVE = {"plasma": 9, "spines": 9, "blood": 8, "rates": 7, "scale": 10}


@pytest.fixture
def read(tmp_path: Path) -> Callable[[str | bytes], list[Overlay]]:
    def reading(content: str | bytes) -> list[Overlay]:
        file = tmp_path / "mine.csv"
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_overlay(file)

    return reading


Read = Callable[[str | bytes], list[Overlay]]
PLAIN = "time_h,value,low,high\n0.5,92.5,80,105\n24,87.25,80,90\n"


def points(figure: Figure, title: str = "") -> np.ndarray[Any, Any]:
    """Points of own data in the panels whose title or label begins so."""
    found = [
        np.asarray(line.get_xydata())
        for ax in figure.axes
        if ax.get_title("left").startswith(title) or ax.get_ylabel().startswith(title)
        for line in ax.lines
        if line.get_gid() == GID
    ]
    return np.concatenate(found) if found else np.zeros((0, 2))


def said(figure: Figure) -> str:
    return " ".join(t.get_text() for t in figure.findobj(lambda a: hasattr(a, "get_text")))


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        PLAIN.replace(",", ";"),
        PLAIN.replace(",", "\t"),
        PLAIN.replace(",", ";").replace(".", ","),
        PLAIN.replace(",", "\t").replace(".", ","),
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", ",,,\n"),
        "# a remark, with commas; and 1,234\n\n" + PLAIN,
        "# decimal: point\n" + PLAIN.replace("\n", ",,\n").replace("high,,", "high"),
        codecs.BOM_UTF8 + PLAIN.encode(),
        PLAIN.encode("utf-16"),
        codecs.BOM_UTF16_BE + PLAIN.encode("utf-16-be"),
        PLAIN.encode("utf-16-le"),
        PLAIN.encode("utf-32"),
        ("# gemessen in M\u00fcnchen\n" + PLAIN).encode("latin-1"),
        PLAIN.replace("time_h", "Time [min]").replace("0.5,", "30,").replace("24,", "1440,"),
        PLAIN.replace("time_h", "time (d)").replace("0.5,", "0.0208333333333,").replace("24,", "1,"),
    ],
)  # fmt: skip
def test_one_table_is_one_however_it_was_kept(read: Read, content: str | bytes) -> None:
    (overlay,) = read(content)
    np.testing.assert_allclose(overlay.time_h, [0.5, 24], rtol=1e-9)
    np.testing.assert_allclose(overlay.value, [92.5, 87.25])
    np.testing.assert_allclose(overlay.low, [80, 80])
    np.testing.assert_allclose(overlay.high, [105, 90])
    assert not overlay.below.any()


@pytest.mark.parametrize(
    ("head", "row", "variable", "scale", "value"),
    [
        ("value (ng/mL)", "92", "plasma_ng_ml", "stored", 92),
        ("value (mcg/mL)", "0.092", "plasma_ng_ml", "stored", 92),
        ("plasma (ug/L)", "92", "plasma_ng_ml", "stored", 92),
        ("value", "0.4", "brain_uM", "stored", 0.4),
        ("value (nM)", "400", "brain_uM", "stored", 0.4),
        ("rate (Hz)", "8", "rate_hz", "stored", 8),
        ("rate (% of baseline)", "118", "rate_hz", "baseline", 118),
        ("rate (1/min)", "480", "rate_hz", "stored", 8),
        ("glutamate (% of baseline)", "118", "glutamate", "stored", 118),
        ("block (%)", "30", "block", "stored", 0.3),
        ("dissociation (%)", "30", "dissociation", "stored", 0.3),
        ("spine_formation (%/d)", "12.4", "spine_formation", "stored", 0.124),
        ("spine density (% of before)", "108", "spine_density", "baseline", 108),
        ("gamma (% of baseline)", "140", "gamma_power", "baseline", 140),
        ("spine_density (x healthy)", "0.9", "spine_density", "stored", 0.9),
    ],
)
def test_a_unit_in_the_head_is_checked_and_converted(
    read: Read, head: str, row: str, variable: str, scale: str, value: float
) -> None:
    (overlay,) = read(f"time_h,{head}\n1,{row}\n")
    assert (overlay.variable, overlay.scale) == (variable, scale)
    assert float(overlay.value[0]) == pytest.approx(value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("hours,value\n1,2\n", r"mine\.csv:1: found columns hours, value, wanted a column time_h"),
        ("time_h,valeu\n1,2\n", "found column 'valeu', wanted a column value.*nearest valid name: value"),
        ("time_h,value,lo\n1,2,1\n", "found column 'lo', wanted only .*nearest valid name: low"),
        ("time,value\n1,2\n", "found column time without a unit, wanted its unit"),
        ("time (kg),value\n1,2\n", "found column time \\(kg\\), wanted a unit of time"),
        ("time_h,value\n1,2\n3,soon\n", r"mine\.csv:3 at value: found 'soon', wanted a finite number"),
        ("time_h,value\n1,inf\n", r"mine\.csv:2 at value: found 'inf'"),
        ("time_h,value\n1,1e308\n", r"mine\.csv:2 at value: found '1e308', wanted a number of at most"),
        ("time_h,value\n1\n", r"mine\.csv:2: found 1 cell, '1', wanted 2, as the head names"),
        ("time_h,value\n1,\n", r"mine\.csv:2 at value: found '', wanted a finite number"),
        ("time_h,value\n0,5,118,2\n", "4 cells.*decimal commas need semicolons between columns"),
        ("time_h,value,low\n1,2,x\n", r"mine\.csv:2 at low: found 'x'"),
        ("time_h,value\n", "found no rows"),
        ("", "found columns none"),
        ("time_h,value,value\n1,2,3\n", "found two columns 'value', wanted each column once"),
        ("time_h,value,rate (Hz)\n1,2,3\n", "found columns value and rate \\(Hz\\), wanted one column of values"),
        ("time_h,value,low,high\n1,2,3,1\n", r"mine\.csv:2: found low 3 above high 1"),
        ("time_h,value,low,high\n1,9,1,3\n", r"mine\.csv:2 at value: found value 9, wanted one between low 1 and"),
        ("time_h;value\n1;1,234\n2;2,500\n", r"mine\.csv:2 at value: found '1,234', 1234 or 1\.234, wanted .*decimal: comma"),
        ("time_h;value\n1;1.234\n", "wanted a number that can be read in one way only"),
        ('time_h,value\n1,"1,234"\n', "wanted a number that can be read in one way only"),
        ("time_h;value\n1;1,5\n2;2.5\n", r"mine\.csv:2 at value: found '1,5', wanted .*decimal point as the others"),
        ("# decimal: coma\ntime_h,value\n1,2\n", r"mine\.csv:1 at decimal: found 'coma'.*nearest valid name: comma"),
        ("time_h,value\n1,BLQ\n", "write what lies below what can be measured with its limit, such as <0.5"),
        ("time_h,value\n<1,2\n", "found a time below 1"),
        ("time_h,value (mg/kg)\n1,2\n", r"mine\.csv:2: found values in mg/kg, wanted a column variable"),
        ("time_h,rate (mV)\n1,2\n", r"mine\.csv:1: found column rate \(mV\) in mV, wanted rate_hz in Hz, % of baseline"),
        ("time_h,rate (%)\n1,2\n", "wanted rate_hz in Hz, % of baseline or % of peak"),
        ("time_h,rate\n1,2\n", "wanted its unit in brackets, Hz or % of baseline"),
        ("time_h,value (ng/mL),low (mg/L)\n1,2,1\n", "found column low \\(mg/L\\), wanted the unit of the values"),
        ("time_h,value,variable\n1,2,wieght\n", r"mine\.csv:2 at variable: found 'wieght'.*nearest valid name: weight"),
        ("time_h,clinical (points)\n0,30\n", "wanted `# sd:` above"),
        ("# sd: 6\ntime_h,clinical (points)\n24,30\n", "wanted a score at time 0 or before"),
        ("time_h (min),value\n1,2\n", "found column 'time_h \\(min\\)', wanted one unit of time"),
        ("# decimal: comma\n# decimal: point\ntime_h,value\n1,2\n", r"mine\.csv:2 at decimal: found decimal 'point', and 'comma' in line 1"),
        ("# variabel: weight\ntime_h,value\n1,2\n", r"mine\.csv:1: found 'variabel', wanted one of decimal.*nearest valid name: variable"),
        ("time_h,,value\n1,,5\n", r"mine\.csv:1: found no name for column 2, wanted a name"),
        ("time_h,plasma (ng/mL)\n1,5\n2,-5\n", r"mine\.csv:3 at plasma \(ng/mL\): found -5 ng/mL, wanted plasma_ng_ml of at least 0"),
        ("time_h,plasma (ng/mL)\n1,<-0.5\n", "found -0.5 ng/mL, wanted plasma_ng_ml of at least 0"),
        ("time_h,plasma (ng/mL),low,high\n1,<0.5,0.1,0.9\n", "found '<0.5' with low or high, wanted a limit, or"),
        ("time_h," + "v" * 9999 + "\n1,2\n", r"found columns time_h, v{50,60}\.\.\., wanted"),
        (b"\x00\x01\x02\x00", "found .*wanted"),
        (b"\xff\xfe\x00", "found bytes that are not text in utf-16"),
        (b"time_h,value\n1,2\x1b[2J\n", r"mine\.csv:2: found the character"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_in_one_way_is_named_with_its_line(
    read: Read, content: str | bytes, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        read(content)


def test_a_missing_file_a_folder_and_a_pipe_are_named(tmp_path: Path) -> None:
    for name in ("none.csv", "."):
        with pytest.raises(InputError, match="wanted a CSV file that can be read"):
            read_overlay(tmp_path / name)


def test_the_head_may_say_how_numbers_are_written(read: Read) -> None:
    written = "time_h;value\n1;1,234\n"
    assert read("# decimal: comma\n" + written)[0].value == pytest.approx([1.234])
    assert read("# decimal: point\n" + written)[0].value == pytest.approx([1234])


@pytest.mark.parametrize(
    "content",
    [
        "sep=;\ntime (h);weight\n1;1,2\n2;1,3\n",
        "SEP=,\n# arm: ketamine\ntime (h),Weight\n1,1.2\n2,1.3\n",
        "sep=|\nTime [hrs]|WEIGHT\n1|1.2\n2|1.3\n",
    ],
)
def test_a_table_as_excel_keeps_it_is_read(read: Read, content: str) -> None:
    (mine,) = read(content)
    assert (mine.variable, mine.time_h.tolist(), mine.value.tolist()) == (
        "weight",
        [1, 2],
        [1.2, 1.3],
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("time (h)|weight\n1|1.2\n", r":1: found 'time \(h\)\|weight', wanted names of columns, with commas"),
        ("time weight\n1 1.2\n", "wanted names of columns, with commas, semicolons or tabs between them"),
        ("time (h),spine density\n1,98\n2,102\n", ":1: found spine_density of 102 times the healthy, wanted its unit in brackets, such as spine density"),
        ("time (h),bdnf\n1,120\n", "bdnf of 120 times the healthy"),
    ],
)  # fmt: skip
def test_what_is_hardly_meant_is_asked_about(read: Read, content: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(content)


def test_what_lies_below_what_can_be_measured_is_a_limit(read: Read) -> None:
    (overlay,) = read("time_h,plasma (ng/mL)\n1,92\n24,<0.5\n48,< 0.5\n")
    assert overlay.below.tolist() == [False, True, True]
    assert overlay.value.tolist() == [92, 0.5, 0.5]
    figure = plot_own_data(DS, overlay=[overlay])
    assert "triangles: below the limit" in said(figure)
    assert [line.get_marker() for line in figure.axes[0].lines if line.get_gid()] == ["o", "v"]


@pytest.mark.parametrize(("name", "count"), FIVE.items())
def test_five_files_of_a_persons_own_are_drawn_and_scored(
    name: str, count: int, tmp_path: Path
) -> None:
    overlays = read_overlay(DATA / f"{name}.csv")
    assert sum(o.value.size for o in overlays) == count
    figure = plot_own_data(DS, overlay=overlays)
    assert len(points(figure)) == count
    assert f"own data: {count} of {count} points drawn" in said(figure)
    for ax in figure.axes:
        x, y = own_points.points_of(ax).T  # ends of bars among them
        for values, (low, high) in ((x, ax.get_xlim()), (y, ax.get_ylim())):
            assert (low <= values).all()
            assert (values <= high).all()
    found = [agreement_of(DS, overlay) for overlay in overlays]
    table, summary = write_agreement(found, tmp_path)
    with table.open() as file:
        assert len(list(csv.DictReader(file))) == count
    with summary.open() as file:
        assert len(list(csv.DictReader(file))) == len(overlays)


def test_every_point_is_in_view_or_counted_as_outside(read: Read) -> None:
    """A rate of 118 % with a bar to 130 in a panel that ends at 110, and points at other times."""
    (overlay,) = read(
        "# class: E\ntime_h,rate (% of baseline),low,high\n0.5,218,190,230\n1,105,,\n900,99,,\n"
    )
    figure = plot_timeline(DS, overlay=[overlay])
    ax = next(ax for ax in figure.axes if ax.get_title("left") == "Rates (% of baseline)")
    assert ax.get_ylim()[1] > 230
    assert "own data: 2 of 3 points drawn; 1 outside the times shown (900 h)" in said(figure)
    (other,) = read("time_h,plasma (ng/mL)\n0.5,100\n1,105\n")
    assert "0 of 2 points drawn; 2 without a panel here (see own_data)" in said(
        plot_timeline(DS, overlay=[other])
    )


def test_a_time_far_from_all_others_has_few_ticks(read: Read) -> None:
    """A slip of the unit of time must not draw a tick every half day of a century."""
    for time in ("-1000000", "900000"):
        figure = plot_own_data(DS, overlay=read(f"time_h,plasma (ng/mL)\n{time},3\n"))
        for ax in figure.axes:
            assert len(ax.get_xticks()) < 30


def test_days_before_the_first_dose_have_ticks(read: Read) -> None:
    (overlay,) = read("# arm: ketamine\ntime_h,spine_density\n-48,1\n24,1.1\n")
    (ax,) = plot_own_data(DS, overlay=[overlay]).axes
    ticks = [text.get_text() for text in ax.get_xticklabels()]
    assert "0" in ticks
    assert "\u22121 d" in ticks


def test_points_lie_in_the_panel_of_their_class_and_arm(read: Read) -> None:
    overlays = read(
        "time_h,rate (% of baseline),class,arm\n0.5,118,E,ketamine\n0.5,72,SST,ketamine\n1,99,E,vehicle\n"
    )
    figure = plot_acute(DS, overlay=overlays)
    assert points(figure, "E rate").tolist() == [[0.5, 118], [1, 99]]
    assert points(figure, "SST rate").tolist() == [[0.5, 72]]
    assert points(figure, "PV rate").size == 0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("time_h,rate (Hz)\n1,2\n", "mine.csv:2 at class: found nothing, wanted a column class"),
        ("time_h,rate (Hz),class\n1,2,SSR\n", "at class: found 'SSR', wanted one of E, PV, SST; nearest valid name: SST"),
        ("time_h,value,arm\n1,2,vehicel\n", "at arm: found 'vehicel'.*nearest valid name: vehicle"),
        ("time_h,value,species\n1,2,norketamin\n", "at species: found 'norketamin'.*name: norketamine"),
    ],
)  # fmt: skip
def test_names_that_results_do_not_hold_are_told_with_the_line(
    read: Read, content: str, message: str
) -> None:
    for draw in (plot_own_data, plot_timeline, plot_acute):
        with pytest.raises(InputError, match=message):
            draw(DS, overlay=read(content))


@pytest.mark.parametrize(
    ("variable", "place", "scale"),
    [
        ("occupancy", "", "baseline"),
        ("block", "# class: E\n", "baseline"),
        ("clinical_effect", "", "baseline"),
        ("brain_uM", "# species: ketamine\n", "baseline"),
        ("rate_hz", "# class: SST\n", "baseline"),
        ("rate_hz", "# class: SST\n", "peak"),
    ],
)
def test_of_nothing_there_is_no_percentage(
    read: Read, variable: str, place: str, scale: str
) -> None:
    """What is 0 before the first dose, or throughout, as SST cells that are silent."""
    ds = DS.copy(deep=True)
    ds["rate_hz"].loc[{"class": "SST"}] = 0
    mine = read(f"{place}time_h,variable,value (% of {scale})\n1,{variable},120\n")
    with pytest.raises(
        InputError, match=f"{variable}, which is 0 .* in these results, wanted .*its own unit"
    ):
        plot_own_data(ds, overlay=mine)


def test_a_class_that_is_silent_before_is_said_to_be_and_draws_no_band() -> None:
    """Silent in every seed, and in one of them."""
    for seeds in (slice(None), [0]):
        ds = DS.copy(deep=True)
        ds["rate_hz"][{"class": 2, "seed": seeds}] = ds["rate_hz"][
            {"class": 2, "seed": seeds}
        ].where(ds["time"] > 0, 0)
        rates = next(
            ax for ax in plot_timeline(ds).axes if ax.get_title("left").startswith("Rates")
        )
        words = [text.get_text() for text in rates.get_legend().get_texts()]
        assert ("SST (silent before)" in words) == (seeds == slice(None))
        assert rates.get_ylim()[1] < 1000


def test_without_data_there_is_no_such_figure() -> None:
    with pytest.raises(InputError, match="plastogen plot NAME --data FILE"):
        plot_own_data(DS)


def test_how_well_model_and_measurement_agree_by_hand(read: Read) -> None:
    """Predicted is read at the times of the course; ratios 2, 1 and 4; two of three intervals hold."""
    times = DS["time"].values[[60, 90, 120]].tolist()
    values = DS["spine_density"].sel(arm="ketamine").mean("seed").values[[60, 90, 120]].tolist()
    reported = [(2, 0.4, 2.0), (1, 0.5, 2.0), (4, 0.1, 0.5)]  # ratio, low and high over predicted
    rows = "".join(
        f"{t},{v / ratio},{v * low},{v * high}\n"
        for t, v, (ratio, low, high) in zip(times, values, reported, strict=True)
    )
    (overlay,) = read(f"# arm: ketamine\ntime_h,spine_density,low,high\n{rows}900,1,,\n")
    told = agreement_of(DS, overlay)
    np.testing.assert_allclose(told.ratio, [2, 1, 4, math.nan], rtol=1e-6)
    summary = told.summary()
    assert summary["points"] == 4
    assert summary["scored"] == 3
    assert summary["outside_the_course"] == 1
    assert summary["median_absolute_prediction_error"] == pytest.approx(1.0)
    assert summary["share_within_twofold"] == pytest.approx(2 / 3)
    assert summary["share_inside_interval"] == pytest.approx(2 / 3)
    assert told.predicted_low[0] <= told.predicted[0] <= told.predicted_high[0]


def test_limits_are_held_apart_from_the_error(read: Read) -> None:
    high, low = 1e5, 1e-6
    (overlay,) = read(f"# arm: ketamine\ntime_h,plasma (ng/mL)\n0.66,<{high}\n0.66,<{low}\n")
    summary = agreement_of(DS, overlay).summary()
    assert summary["scored"] == 0
    assert summary["limits"] == 2
    assert summary["share_of_limits_kept"] == 0.5


def test_a_rating_scale_becomes_a_change_in_standard_deviations(read: Read) -> None:
    kept = "# sd: 6 points\ntime (d),clinical (points),arm\n0,33,ketamine\n1,24,ketamine\n0,32,vehicle\n1,31,vehicle\n"
    treated, control = read(kept)
    assert treated.value.tolist() == pytest.approx([0, -1.5])
    assert control.value.tolist() == pytest.approx([0, -1 / 6])
    asked, other = read(kept.replace("clinical", "dissociation"))
    assert asked.scale == other.scale == "peak"
    assert asked.value.max() == 100


def test_per_cent_of_the_peak_is_of_the_arms_that_were_measured(read: Read) -> None:
    """An arm that nobody measured changes nothing."""
    (one,) = read("# arm: ketamine\ntime_h,dissociation (% of peak)\n0.7,100\n")
    two = read("time_h,dissociation (% of peak),arm\n0.7,100,ketamine\n0.7,5,vehicle\n")
    higher = DS.copy(deep=True)
    higher["dissociation"].loc[{"arm": "rapamycin"}] = 5.0
    for ds in (DS, higher):
        assert np.nanmax(agreement.course(ds, one, "ketamine")[1].mean) == pytest.approx(100)
    tops = [np.nanmax(agreement.course(higher, each, str(each.arm))[1].mean) for each in two]
    assert max(tops) == pytest.approx(100)
    assert tops[0] > tops[1]


def test_a_standard_deviation_without_points_is_refused(read: Read) -> None:
    text = "# variable: clinical_effect\n# sd: 6\ntime (d),value\n0,30\n1,24\n"
    with pytest.raises(
        InputError,
        match=r"mine\.csv:2: found sd '6' and no column of points, wanted `value \(points\)`",
    ):
        read(text)
    (found,) = read(text.replace("value", "value (points)"))
    assert found.value.tolist() == [0, -1]


def test_between_times_a_concentration_falls_as_it_fades(read: Read) -> None:
    """Straight on a log scale, and straight where there is none yet."""
    ds = DS.isel(time=slice(0, 4)).assign_coords(time=[-1.0, 0.0, 1.0, 3.0])
    values = np.array([0, 0, 100, 25])
    ds["plasma_ng_ml"] = ds["plasma_ng_ml"] * 0 + xr.DataArray(values, dims="time")
    (own,) = read("# arm: ketamine\ntime_h,plasma (ng/mL)\n-0.5,1\n0.5,50\n2,50\n9,5\n")
    np.testing.assert_allclose(agreement_of(ds, own).predicted, [0, 50, 50, np.nan])
    (weight,) = read("# arm: ketamine\ntime_h,weight (x healthy)\n2,1\n")
    ds["weight"] = ds["weight"] * 0 + xr.DataArray(values, dims="time")
    np.testing.assert_allclose(agreement_of(ds, weight).predicted, [62.5])
