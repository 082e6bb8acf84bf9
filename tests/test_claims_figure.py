"""The matrix of claims: every claim, in its cell, whatever it says; misses plain."""

from __future__ import annotations

from dataclasses import replace
from itertools import cycle, islice, pairwise

import fake_results as fake
import pytest
from matplotlib.colors import same_color
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from plastogen.errors import InputError
from plastogen.experiment.verdict import Verdict
from plastogen.figures._claims import LOOKS, MOST, fitted, plot_claims, told

DS = fake.results()
ARMS = [str(arm) for arm in DS["arm"].values]
LONG = (
    "whatever may come out of it in the end, in every seed, in mice and in people, by day and night"
)


def claims(n: int, words: str = "") -> list[Verdict]:
    """`n` claims of all outcomes, about all arms in turn, in no order of arms."""
    made = islice(cycle(fake.verdicts()), n)
    return [
        replace(one, claim=f"claim {k} {one.claim} {words}", about=ARMS[k % len(ARMS)])
        for k, one in enumerate(made)
    ]


def written(fig: Figure) -> list[Text]:
    return [text for text in fig.axes[0].texts if text.get_text()]


@pytest.mark.parametrize(
    ("n", "words"),
    [
        (1, ""),
        (3, ""),
        (3, LONG),
        (14, ""),
        (15, ""),
        (35, ""),
        (35, LONG),
        (48, LONG),
        (40, "W" * 90),
        (90, ""),
    ],
)
def test_no_cell_runs_into_another_and_every_claim_has_its_row(n: int, words: str) -> None:
    fig = plot_claims(DS, verdicts=claims(n, words))
    fig.draw_without_rendering()
    boxes = [(text.get_window_extent().padded(-1), text.get_text()) for text in written(fig)]
    for k, (box, text) in enumerate(boxes):
        assert not [other for far, other in boxes[k + 1 :] if box.overlaps(far)], text
        assert fig.bbox.contains(box.x0, box.y0), text
        assert fig.bbox.contains(box.x1, box.y1), text
    signs = tuple(look.sign for look in LOOKS.values())
    assert sum(text.startswith(signs) for _, text in boxes) == min(n, MOST)
    assert sum(text.startswith("Claim") for _, text in boxes) == min(n, MOST)
    assert min(text.get_fontsize() for text in written(fig)) > 5


def test_misses_stand_on_a_tile_of_their_own_colour_and_what_is_met_on_none() -> None:
    fig = plot_claims(DS, verdicts=claims(4))
    tiles = [patch for patch in fig.axes[0].patches if isinstance(patch, Rectangle)]
    wanted = [look.tile for look in LOOKS.values() if look.tile]
    assert len(tiles) == len(wanted) == 3
    assert all(any(same_color(t.get_facecolor(), c) for t in tiles) for c in wanted)
    assert len({(look.sign, look.tile) for look in LOOKS.values()}) == len(LOOKS)


def test_claims_about_one_arm_stand_together_and_it_is_named_once() -> None:
    fig = plot_claims(DS, verdicts=claims(12))
    rows = {text.get_text(): text.get_position()[1] for text in written(fig)}
    order = [
        int(word.split()[1]) % len(ARMS)
        for word in sorted(rows, key=rows.__getitem__)
        if word.startswith("Claim")
    ]
    assert order == sorted(order)
    named = [text.get_text() for text in written(fig)]
    assert (named.count("vehicle"), named.count("NBQX")) == (1, 1)


def test_where_there_are_too_many_what_is_not_met_is_never_left_out() -> None:
    met = replace(fake.verdicts()[0], about=ARMS[0])
    missed = replace(fake.verdicts()[1], about=ARMS[-1])
    whole = [replace(met, claim=f"met {k}") for k in range(MOST)]
    fig = plot_claims(DS, verdicts=[*whole, replace(missed, claim="the last of all")])
    said = [text.get_text() for text in written(fig)]
    assert "The last of all" in said
    assert f"Met {MOST - 1}" not in said
    assert any("1 more in the report" in t.get_text() for t in fig.findobj(Text))


def test_found_stands_beside_predicted_with_its_interval_and_its_source() -> None:
    one = replace(fake.verdicts()[0], about=ARMS[0], status="by construction")
    found = replace(one, claim="a", found=(-1.0, -1.28, -0.73), source="kishimoto2016")
    ranged = replace(one, claim="b", found=(0.7, 0.6, 0.85), found_range=True, source=None)
    said = [text.get_text() for text in written(plot_claims(DS, verdicts=[found, ranged]))]
    for text in ("0.0913", "[0.072, 0.11]", "−1 [−1.3, −0.73]", "Kishimoto 2016", "0.6 to 0.85"):
        assert text in said
    assert (said.count("our own"), said.count("by construction")) == (1, 2)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("above 0 more", "more"),
        ("at least 2 h before spine_onset", "at least 2 h before"),
        ("at most 0.2 of the whole effect", "at most 0.2"),
        ("above 0 above block_E", "above"),
    ],
)
def test_what_is_asked_for_is_said_in_few_words(wanted: str, said: str) -> None:
    one = replace(fake.verdicts()[0], wanted=wanted, value=111.4, low=108.2, high=113.1)
    texts = [text.get_text() for text in written(plot_claims(DS, verdicts=[one]))]
    assert {said, f"111{' more' * wanted.endswith('more')}", "[108, 113]"} <= set(texts)


@pytest.mark.parametrize(
    ("x", "digits", "text"),
    [
        (-4.42e-5, 3, "0.0000"),
        (-0.00018, 2, "-0.0002"),
        (0.00804, 3, "0.0080"),
        (0.0153, 3, "0.0153"),
        (-0.0036, 2, "-0.0036"),
        (1.234, 3, "1.23"),
    ],
)
def test_next_to_nothing_is_told_in_few_decimals(x: float, digits: int, text: str) -> None:
    """Else intervals around nothing do not fit their cell."""
    assert told(x, digits) == text


def test_a_text_keeps_to_its_room_and_says_when_it_is_cut() -> None:
    whole = fitted("one two three", 500, 10, 1)
    assert (whole.lines, whole.size) == (("one two three",), 10)
    smaller = fitted("one two three", 60, 10, 1)
    assert smaller.lines == whole.lines
    assert smaller.size < 10
    cut = fitted(LONG, 60, 10, 2)
    assert len(cut.lines) == 2
    assert cut.lines[-1].endswith("…")
    sizes = [fitted(LONG, room, 10, 2).size for room in (60, 120, 240, 480, 960)]
    assert all(a <= b for a, b in pairwise(sizes))
    assert fitted("", 60, 10, 2).lines == ()


def test_there_is_no_matrix_of_no_claims() -> None:
    with pytest.raises(InputError, match="no claims"):
        plot_claims(DS)
