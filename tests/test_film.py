"""Films: when frames are, what a frame shows, what the three kinds of file hold, and what is
refused before a run.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import fake_results as fake
import numpy as np
import pytest
from matplotlib.text import Text
from PIL import Image
from typer.testing import CliRunner

from plastogen import SCOPE
from plastogen.cli.main import app
from plastogen.errors import InputError
from plastogen.figures import _frame as frames
from plastogen.figures.branch_at import one_branch, sizes_at
from plastogen.publish.film import _gif, _html, _mp4, _said, ffmpeg, make_film, moments

DS = fake.results()
PICTURES = [Image.new("RGB", (64, 36), colour) for colour in ("white", "navy", "teal")]
SAID = ["20 min before", "after 40 min", "after 14 d"]


def drawn(at_h: float = 24.0) -> object:
    spikes = fake.snapshot_spikes()["during"]
    return frames.plot_frame(
        DS, spikes, fake.BOUNDARIES, arm="ketamine", seed=1, at_h=at_h, said="after a day"
    )


def heads(figure: object) -> int:
    """Spines in the drawing, whole ones and the one that grows."""
    tree = figure.axes[-1]  # type: ignore[attr-defined]
    return sum(len(part.get_offsets()) for part in tree.collections[:2])


def test_a_frame_shows_as_many_spines_as_the_run_has_and_the_scope() -> None:
    for at_h in (0.0, 24.0, 300.0):
        figure = drawn(at_h)
        density = float(DS["spine_density"].sel(arm="ketamine", seed=1).interp(time=at_h))
        assert heads(figure) == pytest.approx(density * frames.SITES, abs=1)
        texts = [text.get_text() for text in figure.findobj(Text)]  # type: ignore[attr-defined]
        assert SCOPE in texts
        assert f"density {density:.3f}" in figure.axes[-1].get_title(loc="left")  # type: ignore[attr-defined]


def test_where_spines_are_followed_a_branch_of_the_run_is_drawn() -> None:
    whole = fake.spines()["ketamine"]
    part = one_branch(whole)
    assert (
        len({*zip(part["post"].values.tolist(), part["branch"].values.tolist(), strict=True)}) == 1
    )
    counts = []
    for at_h in (0.0, 24.0, 300.0):
        spikes = fake.snapshot_spikes()["during"]
        figure = frames.plot_frame(
            DS, spikes, fake.BOUNDARIES, arm="ketamine", seed=1, at_h=at_h, said="then", branch=part
        )
        tree = figure.axes[-1]
        stands = (part["born_h"].values <= at_h) & (at_h < part["lost_h"].values)
        new = stands & (part["born_h"].values > 0)
        title = f"Cell {part.attrs['cell']}: {stands.sum()} spines, {new.sum()} new"
        assert tree.get_title(loc="left") == title
        assert len(tree.collections) == stands.sum() + 1
        counts.append(int(new.sum()))
    assert counts[0] == 0 < counts[-1]
    sizes, ln_size = sizes_at(part, 100.0), part["ln_size"].values
    for size, row in zip(sizes, ln_size, strict=True):
        past = row[:5][np.isfinite(row[:5])]  # looks until 96 h
        if len(past):
            assert size == pytest.approx(np.exp(past[-1]))


def test_a_line_stands_at_the_moment() -> None:
    figure = drawn(24.0)
    for ax in figure.axes[2:4]:  # type: ignore[attr-defined]
        assert any(np.allclose(line.get_xdata(), 24.0) for line in ax.lines)


@pytest.mark.parametrize("end_min", [60, 180, 14 * 24 * 60])
@pytest.mark.parametrize("count", [2, 8, 40])
def test_frames_go_from_before_to_the_end_and_never_stand_still(end_min: int, count: int) -> None:
    found = moments(end_min, count)
    assert found[0] == -20
    assert found[-1] == end_min or count == 2
    assert found == sorted(set(found))
    assert len(found) <= count


def test_a_moment_is_said_in_words() -> None:
    assert [_said(m) for m in (-20, 0, 40, 300, 1440, 2 * 1440 + 300)] == [
        "20 min before",
        "now it begins",
        "after 40 min",
        "after 5 h",
        "after 1 d",
        "after 2 d 5 h",
    ]


def test_a_gif_holds_every_frame_and_the_scope(tmp_path: Path) -> None:
    _gif(tmp_path / "a.gif", PICTURES, SAID, "t")
    with Image.open(tmp_path / "a.gif") as found:
        assert found.n_frames == len(PICTURES)
        assert SCOPE.encode() in found.info["comment"]


def test_a_page_holds_every_frame_and_asks_for_nothing(tmp_path: Path) -> None:
    _html(tmp_path / "a.html", PICTURES, SAID, "One infusion: ketamine")
    text = (tmp_path / "a.html").read_text()
    assert text.count("data:image/png;base64,") == len(PICTURES)
    assert SCOPE in text
    assert 'aria-label="moment"' in text
    assert not re.search(r'(?:src|href)="(?!data:)', text)
    assert "default-src" in text
    for said in SAID:
        assert f"ketamine, {said}: spikes" in text
        assert f'data-said="{said}"' in text


def test_an_mp4_is_made_where_there_is_ffmpeg(tmp_path: Path) -> None:
    try:
        program = ffmpeg()
    except InputError:
        pytest.skip("no ffmpeg here; .ci/run installs it")
    _mp4(tmp_path / "a.mp4", PICTURES, program)
    assert (tmp_path / "a.mp4").read_bytes()[4:8] == b"ftyp"
    assert list(tmp_path.iterdir()) == [tmp_path / "a.mp4"]
    told = subprocess.run(
        [program, "-i", str(tmp_path / "a.mp4")], capture_output=True, text=True, check=False
    ).stderr
    assert "64x36" in told


def test_without_ffmpeg_there_is_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(
        InputError, match=r"pip install 'plastogen\[film\]'; .gif and .html need neither"
    ):
        ffmpeg()


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (["--out", "film.avi"], "found 'film.avi', wanted a name that ends in .html, .gif, .mp4"),
        (["--frames", "1"], "wanted a number from 2 to 200"),
        (["--arm", "ketamin"], "nearest valid name: ketamine"),
        (["--set", "course.method=formula"], "for a film shows spikes"),
    ],
)
def test_what_cannot_be_filmed_is_refused_before_anything_runs(
    given: list[str], wanted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told = CliRunner().invoke(app, ["animate", "disinhibition", *given])
    assert told.exit_code == 2
    assert wanted in told.output
    assert not (tmp_path / "results").exists()


def test_a_sweep_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="one without a sweep"):
        make_film("magnesium_and_voltage", say=lambda line: None)


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.usefixtures("shared_results")
def test_a_film_of_a_real_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    told = CliRunner().invoke(
        app, ["animate", "disinhibition", "--frames", "4", "--out", "film.gif"]
    )
    assert told.exit_code == 0, told.output
    with Image.open(tmp_path / "film.gif") as found:
        assert found.n_frames == 4
    again = CliRunner().invoke(
        app, ["animate", "disinhibition", "--frames", "4", "--out", "film.html"]
    )
    assert again.exit_code == 0
    assert (tmp_path / "film.html").read_text().count("data:image/png") == 4
