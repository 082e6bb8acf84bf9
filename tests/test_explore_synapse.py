"""The synapse of the page: in node it ends where the induction in Python ends; in a browser nothing
is shown that does not belong to the sliders.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_explore_browser import LOOSE, lacks

from plastogen._base.library import Library
from plastogen.experiment import open_experiment
from plastogen.model.plasticity.calcium_rule import CalciumRule, rule_in
from plastogen.model.plasticity.induction import Induction, induce
from plastogen.publish.explore import build as explore

SCRIPT = Path(__file__).parent / "page" / "synapse.js"
PAIRED = open_experiment("ltp_by_frequency").experiment.induction
RULE = rule_in(explore.circuit(), Library().load("rules", "visual_nonlinear", CalciumRule))
ASKED = [
    {"rate": rate, "interval": interval, "block": block, "looks": looks}
    for rate, interval, block, looks in [
        (20, 10, 0, True),
        (20, 10, 0.37, True),
        (20, 10, 0.37, False),
        (0.1, -50, 0.01, True),
        (50, 50, 0.99, False),
        (35, -7, 0.5, True),
        (15, 0, 0.25, True),
        (45, 3, 1, False),
    ]
]


@lru_cache(maxsize=1)
def answers() -> list[dict[str, Any]]:
    if shutil.which("node") is None:
        pytest.skip("needs node")
    done = subprocess.run(
        ["node", str(SCRIPT), str(explore.shipped_page())],
        input=json.dumps(ASKED),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def induced(ask: dict[str, Any], at_s: Any) -> Any:
    """The same by Python's own rule, at the times `at_s` from the first presynaptic spike."""
    assert PAIRED is not None
    asked = Induction(
        rate=f"{ask['rate']} Hz",
        interval=f"{ask['interval']} ms",
        block=ask["block"],
        spikes=PAIRED.spikes,
        trains=PAIRED.trains,
        every=PAIRED.every.text,
    )  # type: ignore[arg-type]
    (found,) = induce(asked, RULE, np.asarray(at_s), np.random.default_rng(0), lambda s: 1.0)
    return found


@pytest.mark.parametrize("k", range(len(ASKED)))
def test_the_page_ends_with_the_value_of_the_induction(k: int) -> None:
    found = answers()[k]
    wanted = induced(ASKED[k], [found["at"][-1]])
    assert found["weight"][-1] == pytest.approx(wanted.efficacy[0], abs=1e-6)
    assert found["change"] == pytest.approx(wanted.efficacy[0] / RULE.initial - 1, abs=1e-6)
    assert max(found["calcium"]) == pytest.approx(wanted.peak_calcium[0], abs=1e-6)


def test_what_is_drawn_on_the_way_is_the_weight_at_that_time() -> None:
    found = answers()[1]
    at_s, weights = np.array(found["at"]), np.array(found["weight"])
    wanted = induced(ASKED[1], at_s).efficacy
    np.testing.assert_allclose(weights, wanted, atol=1e-6)
    assert np.ptp(weights) > 0.01
    assert (np.diff(at_s) >= 0).all()


def test_looking_changes_nothing() -> None:
    assert answers()[1]["change"] == pytest.approx(answers()[2]["change"], abs=1e-9)


@lru_cache(maxsize=1)
def moved() -> dict[str, Any]:
    if why := lacks("chromium"):
        pytest.skip(why)
    command = ["node", str(SCRIPT), str(explore.shipped_page()), "browser"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.mark.slow
def test_what_is_said_belongs_to_the_sliders() -> None:
    found = moved()
    assert found["errors"] == found["requests"] == []
    first = found["shown"][0]["question"]
    assert first == {"rate": 20, "interval": 10, "block": 0, "looks": True}, "nonsense is the start"
    assert len(found["shown"]) == 6
    for shown in found["shown"]:
        ask, change = shown["question"], shown["change"]
        wanted = induced(ask, [1e5]).efficacy[0] / RULE.initial - 1
        assert change == pytest.approx(wanted, abs=1e-6)
        by = round(100 * wanted)
        for said in {shown["said"], shown.get("atOnce", "Computing …")} - {"Computing …"}:
            assert f"at {ask['rate']:g} Hz" in said
            assert f"{100 * ask['block']:.0f} % of the synapse" in said
            assert f"{'+' if by > 0 else '−' if by else ''}{abs(by)} %," in said
            assert ("LTP" in said, "LTD" in said) == (by > 0, by < 0)
    assert max(found["times"]) < 300 * LOOSE


@pytest.mark.slow
def test_a_link_leads_back_to_the_sliders() -> None:
    before, after = moved()["links"]
    assert after == before


@pytest.mark.slow
def test_sliders_and_weight_are_in_the_window_together() -> None:
    assert moved()["outside"] == [[], [], []]
