"""Pages of other circuits than the one that ships: which circuit is meant, days of any classes, and
the network of two classes in a browser.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench import FORMULA, say
from circuit_files import ODD, TWO, VIP
from test_explore_browser import lacks

import plastogen
from plastogen.errors import InputError
from plastogen.model.circuit import Drive
from plastogen.model.circuit.wasm import Program
from plastogen.model.pharmacology import Drug
from plastogen.publish.explore import build as explore
from plastogen.publish.explore import days, numbers
from plastogen.simulation.probe import FormulaProbe

HERE = Path(__file__).parent
CIRCUITS = HERE / "models" / "circuits"


# which circuit is meant


def test_a_page_refuses_a_circuit_whose_ambient_glutamate_spills_over(tmp_path: Path) -> None:
    """It multiplies numbers of a drive, and what synapses spill is added."""
    mine = tmp_path / "mine.yaml"
    share = "{value: 0.5, source: assumed, evidence: assumed, note: mine}"
    mine.write_text(f"extends: small\nagonist: {{vesicular: {{share: {share}}}}}\n")
    with pytest.raises(
        InputError, match=r"mine.yaml at agonist.vesicular.share: found 0.5, wanted 0"
    ):
        explore.circuit(str(mine))


def test_a_circuit_is_a_name_or_a_file_that_may_extend_another(tmp_path: Path) -> None:
    assert explore.circuit(str(CIRCUITS / "vip.yaml")) == VIP
    assert explore.circuit("small") == explore.circuit()
    (tmp_path / "odd name.yaml").write_text("extends: small\ntitle: 'Mine: {data} <b>'\n")
    mine = explore.circuit(str(tmp_path / "odd name.yaml"))
    assert (mine.title, mine.classes) == ("Mine: {data} <b>", explore.circuit().classes)


def test_a_circuit_in_models_extends_its_neighbour(tmp_path: Path) -> None:
    shutil.copytree(CIRCUITS, tmp_path / "models" / "circuits")
    mine = tmp_path / "models" / "circuits" / "mine.yaml"
    mine.write_text("extends: vip\ntitle: mine\n")
    assert explore.circuit(str(mine)).classes == VIP.classes


def test_words_of_a_circuit_are_text_on_its_page() -> None:
    whole = explore.circuit().model_copy(update={"title": "<b>{data} & {script}"})
    made = explore.page(
        whole, {}, [], program=Program("", b"", {}), pair=Program("", b"", {}), guided=False
    )
    assert '<p class="sub">&lt;b&gt;{data} &amp; {script}. Computed here' in made
    assert '<section id="guide"' not in made
    assert '<section id="days"' not in made


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("smal", "nearest valid name: small"),
        ("nowhere/x.yaml", "nowhere/x.yaml"),
        ("broken.yaml", "populations.E.count"),
        ("other.yaml", "extends"),
    ],
)
def test_a_circuit_that_is_none_is_refused_before_anything_is_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("broken.yaml").write_text("extends: small\npopulations: {E: {count: -3}}\n")
    Path("other.yaml").write_text("extends: smal\n")
    shown = say("explore", "--circuit", given, "--no-open")
    assert shown.exit_code == 2
    assert words in shown.output.replace("\n", " ")
    assert not Path("explore.html").exists()


# what its network is given


@pytest.mark.parametrize("name", ODD)
def test_the_network_of_any_circuit_is_given_what_the_package_gives(name: str) -> None:
    circuit, rng = ODD[name], np.random.default_rng(3)
    drive = Drive(**{number: float(rng.random()) for number in circuit.drive_numbers})
    assert sorted(numbers.factors(circuit)) == sorted(circuit.drive_numbers)
    parts, seed = numbers.cells(circuit), numbers.SEEDS[2]
    for value, wanted in numbers.cell_values(circuit, drive, seed).items():
        seeds = parts[value]["seeds"]
        made = np.frombuffer(base64.b64decode(seeds[2 if len(seeds) > 1 else 0]), "<f8").copy()
        for cells, factors in zip(circuit.slices().values(), parts[value]["factors"], strict=True):
            for factor in factors:
                made[cells] *= drive[factor]
        assert made.tobytes() == wanted.tobytes(), value
    drug = numbers.block_table(circuit, ketamine(), FormulaProbe(circuit).measure(Drive(), 1))
    assert np.array(drug).shape[2] == len(numbers.left_numbers(circuit)) == 2 * len(circuit.classes)


def ketamine() -> Drug:
    return plastogen.load_model("drugs", "ketamine")  # type: ignore[return-value]


def test_a_number_that_is_nothing_has_no_dial_to_turn() -> None:
    still = numbers.with_number(TWO, "magnesium", "concentration", 0.0)
    assert {name: len(places) for name, places in numbers.dials(still).items()} == {
        "mg": 1,
        "background": len(numbers.DRIVE_PERCENT),
    }


# days


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Courses of three circuits with different classes, as the page is given them."""
    here = tmp_path_factory.mktemp("lab")
    shutil.copytree(HERE / "models", here / "models")
    text = FORMULA.replace("6 h", "3 h") + "sweep:\n  model.circuit: [two_classes, vip, small]\n"
    (here / "mine.yaml").write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(here)
        plastogen.run("mine", method="formula", seeds=1, jobs=1)
        yield days.study(here / "results" / "mine")


def test_days_of_any_circuit_have_its_own_classes(swept: dict[str, Any]) -> None:
    assert [c["name"] for c in swept["classes"]] == ["E", "PV", "SST", "VIP"]
    assert len({c["light"] for c in swept["classes"]}) == 4
    levels = np.frombuffer(base64.b64decode(swept["data"]), "<u2")
    levels = levels.reshape(-1, len(swept["curves"]), len(swept["time_h"]))
    place = {c["name"]: k for k, c in enumerate(swept["curves"])}
    for k, classes in enumerate(("E PV", "E PV SST VIP", "E PV SST")):
        course = levels[swept["index"][f"ketamine/{k}"]]
        there = {
            name
            for name in ("E", "PV", "SST", "VIP")
            if (course[place[f"block_{name}"]] != days.ABSENT).all()
        }
        assert there == set(classes.split())
        for name in {"E", "PV", "SST", "VIP"} - there:
            assert (course[place[f"drive.tonic_{name}"]] == days.ABSENT).all()
    assert "circuit" not in swept["who"], "what the sweep varies is said by its own choice"


def test_a_course_without_values_is_kept_as_such() -> None:
    values = np.array([[[1.0, 2.0], [np.nan, np.nan]], [[3.0, 2.0], [5.0, 5.0]]])
    kept = days.packed(values)
    levels = np.frombuffer(base64.b64decode(kept["data"]), "<u2").reshape(values.shape)
    assert (kept["low"], kept["high"]) == ([1.0, 5.0], [3.0, 5.0])
    assert (levels == days.ABSENT).tolist() == np.isnan(values).tolist()
    assert levels[:, 0].tolist() == [[0, days.LEVELS // 2], [days.LEVELS, days.LEVELS // 2]]


# the page


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.skipif(shutil.which("em++") is None, reason="needs emscripten")
def test_a_page_of_two_classes_runs_its_own_network(
    tmp_path: Path, swept: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    if why := lacks("chromium"):
        pytest.skip(why)
    monkeypatch.setattr(explore, "study", lambda _: swept)
    monkeypatch.setattr(numbers, "NetworkProbe", lambda circuit, **_: FormulaProbe(circuit))
    page = explore.build_page(
        [tmp_path], tmp_path / "two.html", circuit_given=str(CIRCUITS / "two_classes.yaml")
    )
    found = opened(page, TURNS)
    assert found["errors"] == found["requests"] == []
    dials, rates, said, days_say = found["found"]
    assert dials == ["level", "block-E", "block-PV", "mg", "background", "seed"]
    assert rates == ["rate-E", "rate-PV", "rhythm-power"]
    assert said.startswith("Blocked: E 0 %, PV 60 %. E cells ")
    assert [words.split("blocked ")[1].split(". ")[0].count("%") for words in days_say] == [2, 4, 3]


TURNS = """
const turn = (id, value) => { $(id).value = value; $(id).oninput(); };
turn("block-PV", 60);
while (/Computing/.test($("network-says").textContent)) await new Promise((go) => setTimeout(go, 50));
const network = $("network-says").textContent, said = [];
for (const k of [0, 1, 2]) { document.querySelectorAll("[name=axis-0]")[k].click(); goTo(250); said.push($("days-say").textContent); }
return [[...document.querySelectorAll("#controls input")].map((e) => e.id), [...document.querySelectorAll("#rates tr")].map((e) => e.id),
  network, said];
"""


def opened(page: Path, script: str) -> dict[str, Any]:
    """What a script finds in a page, and all that went wrong there."""
    command = ["node", str(HERE / "page" / "browser.js"), str(page)]
    done = subprocess.run(command, input=script, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_an_unreadable_results_folder_is_refused_with_a_circuit_too(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a results folder"):
        explore.build_page([tmp_path], tmp_path / "page.html", circuit_given="small")
