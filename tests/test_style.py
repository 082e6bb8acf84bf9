"""How arms and classes look, and what stands beside an axis: without drawing anything."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from plastogen import figures
from plastogen.experiment import FIGURES
from plastogen.figures import labels, style


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
