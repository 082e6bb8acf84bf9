"""What every slide sees to, whatever it draws: a key lies over no curve, and an axis counts from no
offset.
"""

from __future__ import annotations

import itertools

import fake_results as fake
import matplotlib.style
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from plastogen.figures import layout, placing, style

DS = fake.results()
X = np.linspace(0, 3, 200)


@layout.slide
def full(curves: list[np.ndarray]) -> Figure:
    """A panel with a key inside it and these curves."""
    fig = layout.new_slide(DS, "Full")
    ax = fig.add_subplot()
    for k, curve in enumerate(curves):
        ax.plot(X, curve, label=f"curve number {k}")
    placing.legend(ax, above=False)
    return fig


def test_a_key_lies_over_no_curve_however_full_its_panel_is() -> None:
    everywhere = [np.full(X.shape, y) for y in np.linspace(0, 1, 12)]
    waves = [np.sin(60 * X + k) for k in range(6)]  # in every corner
    for curves in (waves, [X, 3 - X, np.full(X.shape, 1.5)], everywhere):
        fig = full(curves)
        (ax,) = fig.axes
        key = ax.get_legend()
        assert key is not None
        box = key.get_window_extent().shrunk(0.98, 0.9)
        if len(curves) < 12:  # that many have a key half as high as the panel
            assert not any(box.count_contains(placing.dense(line)) for line in ax.lines)
        low, high = ax.get_ylim()
        assert low <= min(c.min() for c in curves)
        assert high >= max(c.max() for c in curves)


@layout.slide
def level(bars: np.ndarray, at: float) -> Figure:
    """A named level, and bars with dots that reach over it."""
    fig = layout.new_slide(DS, "Level")
    ax = fig.add_subplot()
    ax.set(xlim=(0, 1), ylim=(0, 1))
    ax.axhline(at, linewidth=2)
    for x in bars:
        ax.plot([x, x], [0.3, 0.7], linewidth=3)
        ax.plot([x], [0.5], marker="o", markersize=9)
    placing.name_line(ax, "vehicle", at)
    return fig


@pytest.mark.parametrize("at", [0.02, 0.5, 0.98])
def test_the_name_of_a_line_lies_over_nothing(at: float) -> None:
    for bars in ([], [1], [0.92, 0.96, 1], np.linspace(0.3, 1, 30), np.linspace(0, 0.7, 30)):
        (ax,) = level(np.asarray(bars, float), at).axes
        (name,) = ax.texts
        box = name.get_window_extent()
        assert placing._covered(box, placing.Ink.of(ax), [], ax.bbox) == 0
        assert abs(box.y0 + box.y1 - 2 * ax.transData.transform((0, at))[1]) < 3 * box.height


def test_words_beside_points_keep_off_each_other_and_lie_over_threads_before_a_curve() -> None:
    with matplotlib.style.context(layout.style_sheet()):
        fig = layout.new_slide(DS, "Crowded")
        ax = fig.add_subplot()
        for y in np.linspace(-1, 2, 60):  # no place is free
            ax.plot(X[::40], y + X[::40] / 3, linewidth=0.5, alpha=0.25)
        (curve,) = ax.plot(X, X / 3)
        fig.draw_without_rendering()
        points = [(text, x, x / 3) for text, x in (("one", 1), ("two", 1.05), ("three", 2))]
        placing.label_points(ax, points, 12)
        boxes = [text.get_window_extent().shrunk(0.9, 0.8) for text in ax.texts]
    assert len(boxes) == 3
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))
    assert not any(box.count_contains(placing.dense(curve)) for box in boxes)


@pytest.mark.parametrize("change", [1e-9, 1e-6, 1e-5])
@pytest.mark.parametrize("middle", [1.0, 100.0, -70.0])
def test_an_axis_counts_from_no_offset(middle: float, change: float) -> None:
    fig = full([middle * (1 + change * X)])
    (ax,) = fig.axes
    assert ax.yaxis.get_major_formatter().get_offset() == ""
    low, high = ax.get_ylim()
    assert high - low == pytest.approx(abs(middle) / 100, rel=0.5)
    assert low < middle < high


@pytest.mark.parametrize("words", ["ketamine", "a very long title of an arm " * 9, "x" * 400])
def test_a_key_of_arms_ends_whatever_they_are_called(words: str) -> None:
    looks = [style.ArmStyle(f"{words} {k}", style.BLUE, "-", "o", True) for k in range(3)]
    with matplotlib.style.context(layout.style_sheet()):
        fig = layout.new_slide(DS, "Named", arms=looks)
        (key,) = fig.legends
        assert key.get_window_extent().x0 >= 0
        assert len(key.get_texts()) == 3


def test_a_long_note_ends_within_the_slide() -> None:
    with matplotlib.style.context(layout.style_sheet()):
        for note in ("short", "word " * 36, "word " * 50):
            fig = layout.new_slide(DS, "Noted", note=note)
            (text,) = fig.findobj(lambda part: part.get_gid() == layout.NOTE)
            assert text.get_window_extent().x1 <= fig.bbox.width - layout.MARGIN_PT / 2


@layout.slide
def narrow(low: float, high: float) -> Figure:
    """Panels side by side with long numbers below them."""
    fig = layout.new_slide(DS, "Narrow")
    for ax in fig.subplots(1, 5):
        ax.plot([low, high], [0, 1])
        ax.xaxis.set_major_locator(MaxNLocator(5))
    return fig


@pytest.mark.parametrize(("low", "high"), [(-0.08, 0.001), (0, 2), (-12345.6, -12345.1)])
def test_labels_of_ticks_stand_apart(low: float, high: float) -> None:
    for ax in narrow(low, high).axes:
        ends = [
            (box.x0, box.x1)
            for tick in ax.xaxis.get_major_ticks()
            if tick.label1.get_text() and ax.get_xlim()[0] <= tick.get_loc() <= ax.get_xlim()[1]
            for box in [tick.label1.get_window_extent()]
        ]
        for (_, before), (after, _) in itertools.pairwise(ends):
            assert after > before


@layout.slide
def low_panels(low: float, high: float) -> Figure:
    """Panels above each other, too low for five labels each."""
    fig = layout.new_slide(DS, "Low")
    for ax in fig.subplots(7, 1):
        ax.plot([0, 1], [low, high])
        ax.yaxis.set_major_locator(MaxNLocator(5))
    return fig


def test_labels_of_low_panels_stand_apart() -> None:
    for ax in low_panels(0.808, 0.889).axes:
        boxes = [
            tick.label1.get_window_extent()
            for tick in ax.yaxis.get_major_ticks()
            if tick.label1.get_text() and ax.get_ylim()[0] <= tick.get_loc() <= ax.get_ylim()[1]
        ]
        assert boxes
        assert all(upper.y0 >= lower.y1 for lower, upper in itertools.pairwise(boxes))


def test_what_changes_is_shown_as_large_as_it_is() -> None:
    (ax,) = full([1 + 0.05 * X]).axes
    low, high = ax.get_ylim()
    assert high - low < 0.25
