"""The page of `plastogen explore`: what stands in it, what its courses are, what is refused. No
browser, no compiler.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from bench import FORMULA, say
from circuit_files import CLASSES, NUMBERS

import plastogen
from plastogen import SCOPE
from plastogen._base.library import Library
from plastogen.errors import InputError
from plastogen.figures.style import KNOWN_CLASSES
from plastogen.model.circuit import Drive, agonist, measures, voltages
from plastogen.model.circuit.activity import State, reduce
from plastogen.model.circuit.drive import cell_values, shared_values
from plastogen.model.circuit.wasm import Program, pair_signature, wasm_signature
from plastogen.model.pharmacology.block_kinetics import BlockKinetics, Pool
from plastogen.model.pharmacology.drug import Drug
from plastogen.publish.explore import build as explore
from plastogen.publish.explore import days, numbers
from plastogen.runs import Store
from plastogen.simulation.probe import FormulaProbe

MOST_BYTES = 3_500_000
NOTHING = Program("", b"", {})
SMALL = explore.circuit()
sys.path.append(str(Path(__file__).parent / "page"))
from refresh import data, refreshed  # noqa: E402

KETAMINE = Library().load("drugs", "ketamine", Drug)


@lru_cache(maxsize=1)
def page() -> str:
    return explore.shipped_page().read_text(encoding="utf-8")


# the page that ships


def test_the_page_that_ships_is_one_file_of_the_present_circuit() -> None:
    assert len(page().encode()) <= MOST_BYTES
    facts = {"scope": SCOPE, "signature": wasm_signature(SMALL), "pair": pair_signature()}
    assert data(page(), "page") == facts, (
        "the small circuit, the network or the flags have changed: build the page anew (docs/decisions/0010)"
    )


def test_a_changed_circuit_is_noticed() -> None:
    other = numbers.with_number(SMALL, "background", "rate", 990.0)
    assert wasm_signature(other) != wasm_signature(SMALL)
    assert wasm_signature(SMALL.model_copy(update={"title": "another"})) == wasm_signature(SMALL)


def test_the_page_holds_what_the_sources_now_say() -> None:
    model = data(page(), "model")
    assert refreshed(page()) == page(), (
        "words, style or scripts have changed: python tests/page/refresh.py (docs/decisions/0010)"
    )
    assert model["cells"] == json.loads(json.dumps(numbers.cells(SMALL)))
    assert model["shared"] == shared_values(SMALL)
    assert model["dials"] == json.loads(json.dumps(numbers.dials(SMALL)))


def test_scripts_put_text_into_the_page_and_never_markup() -> None:
    scripts = {path.name: path.read_text(encoding="utf-8") for path in explore.WEB.glob("*.js")}
    assert set(scripts) == {f"{name}.js" for name in (*explore.SCRIPTS, "worker")}
    for name, text in scripts.items():
        assert not re.search(r"innerHTML|outerHTML\s*=|insertAdjacent|document\.write", text), name


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_a_change_from_next_to_nothing_is_no_percentage() -> None:
    """Whatever stands before: no number of more than three digits is ever said of a change."""
    source = (explore.WEB / "network.js").read_text(encoding="utf-8")
    parts = re.findall(
        r"^const (?:GAMMA|MOST_FOLD)[^\n]*|^function change.*?^}", source, re.M | re.S
    )
    asked = [
        (now, was) for was in (0, 0.01, 0.05, 0.1, 0.5, 4.9) for now in (0, 0.1, 0.9, 4.87, 60)
    ]
    told = f"{json.dumps(asked)}.map((x) => change(x[0], x[1]))"
    script = "\n".join([*parts, f"console.log(JSON.stringify({told}))"])
    done = subprocess.run(["node", "-e", script], capture_output=True, text=True, check=True)
    said = dict(zip(asked, json.loads(done.stdout), strict=True))
    assert said[4.87, 0.1] == said[60, 4.9] == "over tenfold"
    assert (said[0.9, 0.1], said[0.1, 4.9], said[4.87, 0], said[0, 4.9]) == (
        "+800 %",
        "−98 %",
        "from none",
        "to none",
    )
    assert [words for words in said.values() if len(re.sub(r"\D", "", words)) > 3] == []


def test_nothing_is_fixed_over_what_is_read() -> None:
    style = (explore.WEB / "page.css").read_text(encoding="utf-8")
    assert not re.search(r"position:\s*(fixed|sticky)", style)


def test_scripts_and_style_name_no_class_of_cells() -> None:
    """Classes come with the circuit; only the guide, which is about the small one, names any."""
    for path in (*explore.WEB.glob("*.js"), *explore.WEB.glob("*.css"), explore.WEB / "days.html"):
        found = re.findall(r"\b(?:PV|SST|VIP)\b|\"E\"|'E'|\bE cells", path.read_text("utf-8"))
        assert found == [], path.name


def test_the_usual_dose_stands_on_every_slider_of_doses() -> None:
    axes = {s["name"]: {a["name"]: a["texts"] for a in s["axes"]} for s in data(page(), "study")}
    for name in ("dose_response", "routes"):
        assert "0.5 mg/kg" in axes[name]["dose"], name


def test_the_page_asks_nobody_else() -> None:
    assert not re.findall(
        r"""(?:src|href|action)\s*=\s*["'](?!#|data:)[^"']*["']""",
        page().split('<script type="text/plain" id="binary">')[0],
    )
    assert "default-src 'none'" in page()
    assert "connect-src" not in page()


def test_the_page_shows_courses_steps_and_always_the_scope() -> None:
    assert data(page(), "study")[0]["name"] == "dose_response"
    assert f"<footer>{SCOPE}</footer>" in page()
    for name in CLASSES:
        assert f"--class-{name}: {KNOWN_CLASSES[name].colour};".lower() in page().lower()
    assert len(re.findall(r'<article class="step"', page())) == 5


# what the network is given


@pytest.mark.parametrize("seed", [0, 7])
def test_the_network_of_the_page_is_given_what_the_package_gives(seed: int) -> None:
    rng = np.random.default_rng(seed)
    drive = Drive(**{name: float(rng.random()) for name in NUMBERS})
    wanted, parts = cell_values(SMALL, drive, numbers.SEEDS[seed]), numbers.cells(SMALL)
    for name, values in wanted.items():
        seeds = parts[name]["seeds"]
        made = np.frombuffer(base64.b64decode(seeds[seed if len(seeds) > 1 else 0]), "<f8").copy()
        for cells, factors in zip(SMALL.slices().values(), parts[name]["factors"], strict=True):
            for factor in factors:
                made[cells] *= drive[factor]
        assert made.tobytes() == values.tobytes(), name


def test_a_value_that_is_no_product_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def bent(*given: Any) -> dict[str, np.ndarray]:
        values = cell_values(*given)
        return values | {"w_ampa": values["w_ampa"] + given[1]["ampa"]}

    monkeypatch.setattr(numbers, "cell_values", bent)
    with pytest.raises(ValueError, match="w_ampa is no product in"):
        numbers.cells(SMALL)


def test_dials_change_one_number_and_know_the_usual_place() -> None:
    dials = numbers.dials(SMALL)
    of_mg = set(SMALL.magnesium_laws)
    for places, names in ((dials["mg"], of_mg), (dials["background"], {"n_ext"})):
        (usual,) = [place for place in places if place["usual"]]
        assert usual["changes"] == {}
        assert all(set(place["changes"]) == names for place in places if not place["usual"])
    assert [place["label"] for place in dials["mg"]][::2] == ["0 mM", "0.5 mM", "1 mM", "1.5 mM"]
    for name in of_mg:
        assert dials["mg"][2]["changes"][name] == pytest.approx(0.5 * shared_values(SMALL)[name])


def test_the_table_of_block_is_that_of_the_receptors() -> None:
    rest = FormulaProbe(SMALL).measure(Drive(), 1)
    table, at = numbers.block_table(SMALL, KETAMINE, rest), numbers.concentrations()
    shape = (len(numbers.MG_QUARTERS), len(at), 6)
    left = np.array(table)
    assert left.shape == shape
    assert (left[:, 0] == 1).all()
    assert (np.diff(left, axis=1) < 0).all(), "more drug, more block"
    assert (np.diff(left[:, 1:], axis=0) > 0).all(), "more magnesium, less block"
    pools = SMALL.pools()
    kinetics = BlockKinetics(
        [Pool(n, mix) for n, mix in pools.items()],
        {"ketamine": KETAMINE.actions.nmdar["ketamine"]},
        SMALL.magnesium,
    )
    one = int(np.argmin(np.abs(at - 1)))
    state = kinetics.start()
    v = voltages(SMALL, rest)
    a = [float(agonist(SMALL, rest, rest)[p]) for p in pools]
    weights = [v[p] for p in pools]
    gating = kinetics.gating(a, weights, measures.bin_centres_mV())
    held = kinetics.advance(state, gating, gating, brain_uM=np.full((97, 1), at[one]), dt_h=48)[-1]
    lost = kinetics.fraction(held, kinetics.carried(measures.unit_currents(SMALL).values()))
    drive = reduce(SMALL, State(nmdar=dict(zip(pools, 1 - lost, strict=True))))
    assert left[4, one] == pytest.approx(
        [drive[name] for name in numbers.left_numbers(SMALL)], rel=1e-3
    )


# courses


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A finished sweep of `mine`, with the formula."""
    here = tmp_path_factory.mktemp("lab")
    swept = FORMULA + "sweep:\n  arms.ketamine.give.x.dose: [0.5 mg/kg, 1 mg/kg]\n"
    (here / "mine.yaml").write_text(swept)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(here)
        plastogen.run("mine", method="formula", seeds=2, jobs=1)
        yield here / "results" / "mine"


@pytest.fixture(scope="module")
def study(folder: Path) -> dict[str, Any]:
    """Its courses as the page is given them."""
    return days.study(folder)


def unpacked(study: dict[str, Any]) -> dict[str, np.ndarray]:
    names, n = [c["name"] for c in study["curves"]], len(study["time_h"])
    raw = np.frombuffer(base64.b64decode(study["data"]), "<u2").reshape(-1, len(names), n)
    low, high = np.array(study["low"])[:, None], np.array(study["high"])[:, None]
    values = low + (high - low) * raw / days.LEVELS
    return {name: values[:, k] for k, name in enumerate(names)}


def test_courses_are_means_over_seeds(folder: Path, study: dict[str, Any]) -> None:
    found = unpacked(study)
    with xr.open_dataset(folder / "results.nc", engine="h5netcdf") as ds:
        for k in range(2):
            one = (
                ds.sel(arm="ketamine")
                .isel(dose=k)[["weight", "spine_density", "glutamate", "block"]]
                .mean("seed")
            )
            at = study["index"][f"ketamine/{k}"]
            for name in ("weight", "spine_density", "glutamate"):
                span = np.ptp(found[name]) + 1e-12
                assert found[name][at] == pytest.approx(one[name].values, abs=span * 2e-5)
            block = 100 * one["block"].sel(pool="SST.synaptic").values
            assert found["block_SST"][at] == pytest.approx(block, abs=2e-3)
    assert study["index"]["vehicle/0"] == study["index"]["vehicle/1"], (
        "an arm that no dose reaches is kept once"
    )
    assert [axis["texts"] for axis in study["axes"]] == [["0.5 mg/kg", "1 mg/kg"]]
    assert study["given"][study["index"]["ketamine/1"]][0][2].startswith("ketamine 1 mg/kg iv")


def test_the_network_of_a_moment_hears_block_and_synapses(study: dict[str, Any]) -> None:
    found, at = unpacked(study), study["index"]["ketamine/1"]
    k = int(np.argmin(np.abs(np.array(study["time_h"]) - 40 / 60)))
    assert found["drive.nmda_E"][at, 0] == pytest.approx(1, abs=1e-3)
    left = 1 - found["block_E"][at, k] / 100
    assert found["drive.nmda_E"][at, k] == pytest.approx(
        left * (1 + found["tolerance"][at, k]), abs=1e-3
    )
    assert found["drive.recurrent"][at] == pytest.approx(found["recurrent"][at], abs=1e-3)
    assert found["persistent"][at] + found["transient"][at] == pytest.approx(
        found["spine_density"][at], abs=1e-4
    )
    assert (found["sites"][at] >= found["persistent"][at]).all()


def test_a_blocker_of_another_receptor_is_heard_too(study: dict[str, Any]) -> None:
    ampa = unpacked(study)["drive.ampa"][study["index"]["early/0"]]
    at = [float(np.interp(h, study["time_h"], ampa)) for h in (-1, 1, 5)]
    assert at == pytest.approx([0.5, 0.5, 1], abs=1e-3)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("nothing", "a results folder"),
        ("other", "another question"),
        ("lacking", "all of them: plastogen run mine"),
    ],
)
def test_what_cannot_be_shown_is_refused(
    folder: Path, tmp_path: Path, fault: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parents[1])
    there = tmp_path / "mine"
    if fault != "nothing":
        there.mkdir()
        (there / "asked.json").write_text((folder / "asked.json").read_text())
        with xr.open_dataset(folder / "results.nc", engine="h5netcdf") as ds:
            whole = ds.load()
        if fault == "lacking":
            status = whole["status"].values.copy()
            status[0, 0, 0] = "missing"
            whole["status"] = (whole["status"].dims, status)
        else:
            whole = whole.isel(dose=[0])
        whole.to_netcdf(there / "results.nc", engine="h5netcdf")
    with pytest.raises(InputError, match=words):
        days.study(there)


def test_a_branch_holds_every_spine_that_ever_stood_on_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    each = FORMULA.replace("course: {", "course: {synapses: each, ")
    (tmp_path / "mine.yaml").write_text(each)
    fewer = {"circuit.populations.E.count": 60, "course.duration": "1 d"}
    plastogen.run("mine", method="formula", seeds=1, jobs=1, set=fewer)
    found = days.study(tmp_path / "results" / "mine")
    one = found["branch"]
    ds = plastogen.load(tmp_path / "results" / "mine")
    assert len(one["courses"]) == len(found["given"])
    for arm in map(str, ds["arm"].values):
        spines = Store(tmp_path / "results" / "mine").spines(str(ds["run"].sel(arm=arm).values[0]))
        told = one["courses"][found["index"][arm]]
        here = spines["site"].isin([site for site, *_ in told]).values
        assert here.sum() == len(told) > 1
        assert set(spines["post"].values[here].tolist()) == {one["cell"]}
        assert len(set(spines["branch"].values[here].tolist())) == 1
        sizes = np.exp(spines["ln_size"].values[here])
        written = np.array([spine[-1] for spine in told], float)
        np.testing.assert_allclose(written, sizes, atol=6e-4)
        assert [spine[5] is None for spine in told] == np.isinf(
            spines["lost_h"].values[here]
        ).tolist()
        spines.close()


def test_a_page_is_made_of_its_parts_and_nothing_ends_early(study: dict[str, Any]) -> None:
    text = explore.page(
        SMALL,
        {},
        [study, {"trap": "</script>"}],
        program=Program("var Network;", b"\0asm", {}),
        pair=NOTHING,
    )
    assert data(text, "study")[1] == {"trap": "</script>"}
    assert "{data}" not in text
    assert "{script}" not in text
    with pytest.raises(ValueError, match="glue would end"):
        explore.page(SMALL, {}, [], program=Program("'</script>'", b"", {}), pair=NOTHING)


# the command


def desktop(monkeypatch: pytest.MonkeyPatch, opened: list[str], *, works: bool = True) -> None:
    """A machine with a screen; what its browser is asked for goes into `opened`."""
    monkeypatch.setattr("webbrowser.open", lambda uri: opened.append(uri) or works)
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.delenv("SSH_CONNECTION", raising=False)
    monkeypatch.delenv("WSL_DISTRO_NAME", raising=False)


def test_with_nothing_to_show_the_page_that_ships_is_opened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened = list[str]()
    desktop(monkeypatch, opened)
    assert say("explore", "--no-open").output == f"page {explore.shipped_page()}\n"
    assert opened == []
    assert say("explore").exit_code == 0
    assert opened == [explore.shipped_page().resolve().as_uri()]


def test_where_no_browser_opens_it_says_how_to_show_the_page(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened = list[str]()
    desktop(monkeypatch, opened, works=False)
    assert "copy it to the computer at the projector and double-click it" in say("explore").output
    assert len(opened) == 1
    monkeypatch.setenv("WSL_DISTRO_NAME", "Ubuntu")
    assert "explorer.exe" in say("explore").output
    monkeypatch.setenv("SSH_CONNECTION", "1 2 3 4")
    opened.clear()
    shown = say("explore")
    assert shown.exit_code == 0
    assert f":{explore.shipped_page()}' .) and double-click it" in shown.output
    assert opened == [], "a browser inside the terminal would take it over"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is always a screen")
def test_without_a_screen_no_browser_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = list[str]()
    desktop(monkeypatch, opened)
    monkeypatch.delenv("DISPLAY")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert "No browser opened here" in say("explore").output
    assert opened == []


def test_a_copy_of_the_page_goes_where_it_is_wanted(tmp_path: Path) -> None:
    shown = say("explore", "--no-open", "-o", str(tmp_path / "stick" / "lecture.html"))
    assert shown.exit_code == 0
    assert (tmp_path / "stick" / "lecture.html").read_bytes() == explore.shipped_page().read_bytes()


def test_without_emscripten_the_fix_is_said(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parents[1])
    monkeypatch.setenv("PATH", str(tmp_path))
    shown = say("explore", str(folder), "--no-open", "-o", str(tmp_path / "page.html"))
    assert shown.exit_code == 3
    assert "apt-get install emscripten" in shown.output
    assert not (tmp_path / "page.html").exists()
    assert say("explore", str(tmp_path), "--no-open").exit_code == 2


def test_make_show_names_the_page_that_ships() -> None:
    said = subprocess.run(
        ["make", "-s", "show"],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"SSH_CONNECTION": "away"},
    ).stdout
    assert str(explore.shipped_page()) in said.split()
