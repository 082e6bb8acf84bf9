"""How arms and classes look, and what stands beside an axis: without drawing anything."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from matplotlib import colormaps
from matplotlib.colors import to_rgb

from plastogen import figures
from plastogen._base.units import is_unit
from plastogen.experiment import FIGURES, open_experiment
from plastogen.figures import labels, style
from plastogen.figures._responders import _edges

SHIPPED = Path(__file__).parents[1] / "experiments"


@pytest.mark.parametrize(
    "classes",
    [("E", "PV"), ("E", "PV", "SST", "VIP"), ("NDNF", "E", "CCK", "PV", "VIP"), "abcdefg"],
)
def test_every_class_of_a_circuit_has_a_colour_of_its_own_and_known_ones_keep_theirs(
    classes: Sequence[str],
) -> None:
    styles = style.class_styles(classes)
    assert set(styles) == set(classes)
    assert len({look.colour for look in styles.values()}) == len(classes)
    assert all(styles[c] == style.KNOWN_CLASSES[c] for c in classes if c in style.KNOWN_CLASSES)


def test_every_figure_of_an_experiment_can_be_plotted_from_python() -> None:
    assert [name for name in FIGURES if f"plot_{name}" not in dir(figures)] == []
    assert all(callable(getattr(figures, f"plot_{name}")) for name in FIGURES)


@pytest.mark.parametrize("blocker", style.BLOCKERS)
def test_a_blocker_is_split_from_the_arm_it_is_added_to(blocker: str) -> None:
    assert style.split_arm(f"ketamine_{blocker}") == ("ketamine", [blocker])
    assert style.split_arm(blocker) == ("", [blocker])
    assert style.arm_label(f"ketamine_{blocker}") == f"ketamine + {style.BLOCKERS[blocker][0]}"


def test_no_number_is_parted_from_its_unit() -> None:
    """In every title of a readout that ships, whatever the width of a line."""
    titles = {
        readout.title
        for path in sorted(SHIPPED.glob("*.yaml"))
        for readout in open_experiment(path).experiment.readouts.values()
        if readout.title
    }
    assert any("40 min" in title for title in titles)
    for title, chars in itertools.product((*titles, "up from 1 to 2 mg/kg in 7 d"), range(8, 30)):
        lines = labels.wrapped(title, chars).split("\n")
        assert "".join("".join(lines).split()) == "".join(title.split())
        for line, following in itertools.pairwise(lines):
            assert not (line[-1].isdigit() and is_unit(following.split()[0])), lines


@pytest.mark.parametrize("scale", ["PuOr_r", "Blues"])
def test_what_stands_on_a_colour_can_be_read(scale: str) -> None:
    def luminance(colour: Sequence[float]) -> float:  # WCAG 2.2
        parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour[:3]]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    for at in np.linspace(0, 1, 101):
        ground = colormaps[scale](at)
        pair = sorted((luminance(ground), luminance(to_rgb(style.ink_on(ground)))))
        assert (pair[1] + 0.05) / (pair[0] + 0.05) > 3, at  # WCAG 2.2, large words


@pytest.mark.parametrize("threshold", [-0.77, -1.0, 0.3, 5.0, None])
def test_a_bar_of_those_who_respond_holds_nobody_else(threshold: float | None) -> None:
    values = np.random.default_rng(3).normal(-1, 0.3, 80)
    edges = _edges(values, threshold)
    assert edges[0] <= values.min() < values.max() <= edges[-1]
    assert np.diff(edges) == pytest.approx(np.diff(edges)[0])
    if threshold is not None and values.min() < threshold < values.max():
        assert np.abs(edges - threshold).min() == 0


def test_shades_run_from_light_to_dark() -> None:
    sums = [
        sum(int(shade[i : i + 2], 16) for i in (1, 3, 5)) for shade in style.shades(style.BLUE, 5)
    ]
    assert sums == sorted(sums, reverse=True)
    assert len(set(sums)) == 5
    assert style.shades(style.BLUE, 1) == [style.BLUE]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("drugs.ketamine.actions.nmdar.ketamine.ic50.GluN2B", "IC50 GluN2B of ketamine"),
        ("arms.ketamine.give.infusion.dose", "dose"),
        ("subject.glun2b", "share of GluN2B"),
    ],
)
def test_a_path_is_called_by_the_title_of_its_number_or_its_last_words(
    path: str, words: str
) -> None:
    assert labels.path_label(path) == words


@pytest.mark.parametrize(
    ("text", "begun"),
    [("spine density", "Spine density"), ("mTORC1 activity", "mTORC1 activity")],
)
def test_a_sentence_keeps_the_capitals_of_its_words(text: str, begun: str) -> None:
    assert labels.sentence(text) == begun
