"""Every sentence the page speaks while somebody presses forty things: none belongs to other controls
than those that stand beside it, and none says what the network or the course does not.
"""

from __future__ import annotations

import base64
import json
import re
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_explore_browser import lacks
from test_explore_network import answers

from plastogen.publish.explore import build as explore
from plastogen.publish.explore import days

HERE = Path(__file__).parent
COMPUTING = "Computing …"
ASKED_AGAIN = 6  # settings whose rates the network is asked for once more, apart from the page
SPOKEN = re.compile(r"(\w+) cells ([\d.]+) Hz, ([\d.]+) before")
pytestmark = [pytest.mark.slow, pytest.mark.network]


@lru_cache(maxsize=1)
def recorded() -> dict[str, Any]:
    if why := lacks("chromium"):
        pytest.skip(why)
    command = ["node", str(HERE / "page" / "spoken.js"), str(explore.shipped_page())]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def frames() -> list[dict[str, Any]]:
    found = list(recorded()["frames"])
    assert len(found) > 60
    return found


def test_forty_presses_are_recorded_without_a_fault() -> None:
    found = recorded()
    assert found["presses"] >= 40
    assert found["errors"] == found["requests"] == []
    assert len({frame["says"]["network"] for frame in frames()}) > 12
    assert any(frame["says"]["network"] == COMPUTING for frame in frames())
    assert any(frame["day"]["playing"] for frame in frames())


def test_what_is_said_of_the_network_is_of_the_controls_beside_it() -> None:
    for frame in frames():
        said = frame["says"]["network"]
        if said == COMPUTING:
            continue
        blocked = re.findall(r"(\w+) (\d+ %)", said.split(". ")[0])
        assert blocked == [(c, frame["out"][f"block-{c}-out"]) for c in ("E", "PV", "SST")]
        table = [(row[1], row[0]) for row in frame["table"]]
        assert [(now, before) for _, now, before in SPOKEN.findall(said)] == table[:3]
        assert frame["caption"].startswith("Mean rates over ten seconds")


def test_what_is_said_of_the_network_is_what_it_does() -> None:
    said = {
        json.dumps(frame["asked"]): frame["says"]["network"]
        for frame in frames()
        if frame["says"]["network"] != COMPUTING
    }
    chosen = list(said.items())[:: max(1, len(said) // ASKED_AGAIN)]
    asked = [json.loads(key) for key, _ in chosen]
    slots = ("now", "before")
    runs = answers(*({**one[slot], "seconds": 10} for one in asked for slot in slots))
    for k, (_, words) in enumerate(chosen):
        now, before = (run["rates"] for run in runs[2 * k : 2 * k + 2])
        for (_, *heard), wanted in zip(
            SPOKEN.findall(words), zip(now, before, strict=True), strict=True
        ):
            assert [float(x) for x in heard] == pytest.approx(wanted, abs=0.051)


def hours(text: str) -> float:
    """`40 min`, `−1 h`, `3 d` or `0` in hours."""
    number, _, unit = text.replace("−", "-").partition(" ")
    return float(number) * {"min": 1 / 60, "h": 1, "d": 24, "": 1}[unit]


def test_what_is_said_of_the_days_is_of_the_course_and_the_moment_beside_it() -> None:
    for frame in frames():
        day, said = frame["day"], frame["says"]["days"]
        study = studies()[day["study"]]
        axes = [
            f"{a['name']} {a['texts'][k]}" for a, k in zip(study["axes"], day["place"], strict=True)
        ]
        course, _, rest = said.partition(", at ")
        assert course == ", ".join([day["label"], *axes])
        moment = rest.partition(":")[0]
        if day["chosen"]:
            assert moment == frame["out"]["time-out"]
        assert hours(moment) == pytest.approx(day["hour"], rel=0.01, abs=0.02)
        assert frame["says"]["dendrite"].startswith(f"{course}, at {moment}: ")
        heard = [float(x) for x in re.findall(r"[A-Z]+ (\d+) %", rest.split(". ")[0])]
        heard += [float(x) for x in re.findall(r"(?:Spines|synapses|\() ?([\d.]+) %", rest)]
        key = "/".join(map(str, (day["arm"], *day["place"])))
        names = ("block_E", "block_PV", "block_SST", "spine_density", "recurrent")
        t, course_at = study["time_h"], study["index"][key]
        at = [float(np.interp(day["hour"], t, study["values"][n][course_at])) for n in names]
        first = study["values"]["recurrent"][course_at][0]
        assert heard[:3] == pytest.approx(at[:3], abs=0.51)
        assert heard[3] == pytest.approx(100 * at[3], abs=0.051)
        assert heard[4:] == pytest.approx([100 * at[4], 100 * first], abs=0.51)


def test_a_verdict_rests_on_what_was_said_of_the_network() -> None:
    heard, verdicts = set[tuple[str, str]](), set[str]()
    for frame in frames():
        heard |= {(before, now) for _, now, before in SPOKEN.findall(frame["says"]["network"])}
        for verdict in frame["verdicts"]:
            verdicts.add(verdict)
            for pair in re.findall(r"E cells ([\d.]+) to ([\d.]+) Hz", verdict):
                assert pair in heard, verdict
    for verdict in frames()[-1]["verdicts"]:
        assert verdict != COMPUTING, "nothing is left unsaid"
    assert "First say what you expect; then it runs." in verdicts
    assert any("Still to try: PV alone, SST alone." in verdict for verdict in verdicts)
    assert any("SST alone: E cells" in v and v.startswith("You expected “E”") for v in verdicts)


@lru_cache(maxsize=1)
def studies() -> list[dict[str, Any]]:
    """The courses of the page, unpacked."""
    page = explore.shipped_page().read_text(encoding="utf-8")
    found = re.search(r'id="study-data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    listed = list(json.loads(found[1]))
    for study in listed:
        names, n = [c["name"] for c in study["curves"]], len(study["time_h"])
        raw = np.frombuffer(base64.b64decode(study["data"]), "<u2").reshape(-1, len(names), n)
        low, high = np.array(study["low"])[:, None], np.array(study["high"])[:, None]
        values = low + (high - low) * raw / days.LEVELS
        study["values"] = {name: values[:, k] for k, name in enumerate(names)}
    return listed
