"""The page in browsers, from a file, with the network cut: it draws, answers, can be walked with
keys and read aloud.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from plastogen import SCOPE
from plastogen.publish.explore import build as explore

WALK = Path(__file__).parent / "page" / "walk.js"
BROWSERS = {"chromium": "CHROMIUM", "firefox": "FIREFOX"}
LOOSE = (
    10  # times what a quiet machine is asked for (docs/performance.md); machines that test are busy
)


def lacks(browser: str) -> str:
    """What is missing to try a browser; "" when nothing is."""
    names = {"chromium": "chromium", "firefox": "firefox-esr"}
    path = os.environ.get(BROWSERS[browser]) or shutil.which(names[browser])
    if path is None or shutil.which("node") is None:
        return f"needs node and {names[browser]}"
    for module in ("puppeteer-core", "axe-core"):
        command = ["node", "-e", f"require.resolve('{module}')"]
        if subprocess.run(command, capture_output=True, cwd=WALK.parent, check=False).returncode:
            return f"needs npm's {module} on NODE_PATH"
    return ""


@lru_cache(maxsize=2)
def walked(browser: str) -> dict[str, Any]:
    if why := lacks(browser):
        pytest.skip(why)
    command = ["node", str(WALK), str(explore.shipped_page()), browser]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.mark.slow
@pytest.mark.parametrize("browser", BROWSERS)
def test_it_opens_from_a_file_and_asks_nobody(browser: str) -> None:
    found = walked(browser)
    assert found["errors"] == []
    assert found["requests"] == []
    assert found["scope"] == SCOPE
    assert found["site"] == ["0 %", "0 %", "70 %"]
    assert found["before"].startswith("Blocked: E 0 %, PV 0 %, SST 0 %. E cells 3.9 Hz")


@pytest.mark.slow
def test_it_answers_while_one_looks() -> None:
    times = walked("chromium")["times"]
    assert times["first_raster"] < 2000 * LOOSE
    assert max(times["slider"]) < 700 * LOOSE
    assert max(times["grid"]) < 50 * LOOSE


@pytest.mark.slow
def test_keys_alone_lead_through_all_five_steps() -> None:
    found = walked("chromium")
    assert [step["answered"] for step in found["steps"]] == [True] * 5
    for step in found["steps"]:
        assert step["asked"] == "First say what you expect; then it runs."
        expected, came_out = step["verdict"].split("“")[1], step["verdict"].split("“")[2]
        assert expected.split("”")[0] == came_out.split("”")[0], "the answer that is right"
    assert "SST 60 %" in found["steps"][2]["network"]
    for label in ("E alone", "PV alone", "SST alone"):
        assert f"{label}: E cells " in found["steps"][2]["verdict"]
    step, day, dendrite = found["end"]
    assert step == "5"
    assert day.startswith("ketamine, dose 0.5 mg/kg, at 1 d: blocked E 0 %")
    assert "lasting more than before" in dendrite


@pytest.mark.slow
def test_a_spine_that_is_clicked_tells_its_history() -> None:
    found = walked("chromium")["branch"]
    assert found["drawn"] >= found["wanted"] > 5
    assert found["dendrite"].split(": ")[1].startswith(f"{found['wanted']} spines on")
    places = [float(re.match(r"At ([\d.]+) µm: a ", told)[1]) for told in found["told"]]  # type: ignore[index]
    assert len(set(places)) > found["drawn"] - 3
    assert found["key"] in found["told"]
    assert float(found["key"].split(" ")[1]) == min(places)
    assert found["others"][0]
    assert "where a healthy subject has" in found["others"][1]


@pytest.mark.slow
def test_after_every_button_of_the_guide_the_answer_is_in_the_window() -> None:
    assert walked("chromium")["outside"] == []


@pytest.mark.slow
def test_bar_and_mark_stand_together_where_the_table_says_same() -> None:
    steps = walked("chromium")["steps"]
    same = [far for step in steps for change, far in step["bars"] if change == "same"]
    other = [far for step in steps for change, far in step["bars"] if re.match(r"−7\d", change)]
    assert len(same) >= 3
    assert max(same) < 0.5
    assert min(other) > 10


@pytest.mark.slow
def test_a_and_b_are_drawn_side_by_side_or_over_each_other_and_every_spike_of_both() -> None:
    found = walked("chromium")["laid"]
    apart, over, wide = found["apart"], found["over"], found["wide"]
    assert found["wanted"]["before"] != found["wanted"]["now"]
    for drawn in (apart, over):
        assert {slot: drawn[slot][0] for slot in ("before", "now")} == found["wanted"]
    a, b = apart["titles"]
    assert a.startswith("A, before: ")
    assert b == "B, now"
    assert over["titles"] == [f"{a} (grey); {b} (coloured)"]
    assert apart["before"][2] < wide / 2 < apart["now"][1], "A left, B right"
    for end in (1, 2):  # on one axis of time, over the whole width
        assert over["before"][end] == pytest.approx(over["now"][end], abs=wide / 20)
    assert over["now"][2] - over["now"][1] > 0.8 * wide
    assert found["again"] == apart


@pytest.mark.slow
def test_no_two_arms_have_the_same_key() -> None:
    keys = walked("chromium")["keys"]
    assert len(set(keys)) == len(keys) == 4


@pytest.mark.slow
def test_every_word_that_can_be_pressed_is_explained() -> None:
    terms = walked("chromium")["terms"]
    assert [word for word, note in terms if len(note) < 20] == []
    assert {"tonic", "gamma (Hz²)", "raster", "E"} <= {word for word, _ in terms}
    assert any(note.startswith("J is how strongly") for _, note in terms)


@pytest.mark.slow
def test_a_link_leads_back_to_what_was_shown_and_nonsense_to_the_start() -> None:
    found = walked("chromium")
    for before, after in found["links"]:
        assert after == before
    assert found["links"][1][0][-2].endswith("The dashed line is where the slider stands.")
    assert found["nonsense"] == found["before"]
    assert found["embed"].startswith('<iframe src="file:///')


@pytest.mark.slow
def test_it_can_be_read_aloud_in_any_light_and_width() -> None:
    found = walked("chromium")
    assert found["serious"] == []
    assert len(found["overflow"]) == 6
    assert set(found["overflow"].values()) == {0}


@pytest.mark.slow
def test_every_chart_can_be_saved() -> None:
    charts = (
        "raster", "response", "rhythm", "spectrum", "course", "dendrite", "calcium", "weight", "by-rate",
    )  # fmt: skip
    carried = walked("chromium")["carried"]
    assert len(carried) == len(charts)
    assert all(
        any(part in line for part in ("blocked E ", "dose ", "receptors blocked"))
        for line in carried
    ), "what it is of"
    assert [name for name, _ in walked("chromium")["saved"]] == [
        f"plastogen-{c}.{kind}" for c in charts for kind in ("png", "csv")
    ]
