"""The network of the page in node: its spikes are those of a native build, and what its guide says
is what comes out.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench import FORMULA
from scipy.signal import welch

import plastogen
from plastogen._base.streams import stream
from plastogen.model.circuit import Drive
from plastogen.model.circuit.drive import cell_values, shared_values
from plastogen.model.circuit.precision import CELLS
from plastogen.model.circuit.wasm import FLAGS, write_sources
from plastogen.publish.explore import build as explore
from plastogen.publish.explore import numbers

SMALL, PAGE = explore.circuit(), Path(__file__).parent / "page"
SETTLE, SECONDS = numbers.SETTLE_S, 2.0
GUIDED_S = 5  # of each of 12 networks; the page shows ten of one
pytestmark = [
    pytest.mark.network,
    pytest.mark.skipif(shutil.which("node") is None, reason="needs node"),
    pytest.mark.skipif(shutil.which("g++") is None, reason="needs g++"),
]


def asked(drive: Drive | None = None, **given: Any) -> dict[str, Any]:
    """A question as the page asks it; `mg`, `background`, `seed` are places."""
    told = [float((drive or Drive())[name]) for name in numbers.factors(SMALL)]
    usual = {
        name: next(k for k, p in enumerate(places) if p["usual"])
        for name, places in numbers.dials(SMALL).items()
    }
    return {"drive": told, "seed": 0, "seconds": SECONDS, **usual, **given}


def answers(*questions: dict[str, Any], page: Path | None = None) -> list[dict[str, Any]]:
    command = ["node", str(PAGE / "page.js"), str(page or explore.shipped_page())]
    done = subprocess.run(
        command, input=json.dumps(questions), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


ANYTHING = (
    0.7,
    0.9,
    0.8,
    0.75,
    0.95,
    0.6,
    0.97,
    0.93,
    1.05,
    1.1,
    0.94,
    0.9,
    0.01,
)  # a drive's numbers


def on(**share: float) -> Drive:
    """Block of classes."""
    return Drive(
        **{f"{kind}_{cls}": 1 - by for cls, by in share.items() for kind in ("nmda", "tonic")}
    )


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same sources, compiled by g++ with the page's flags."""
    folder = tmp_path_factory.mktemp("native")
    sources = write_sources(SMALL, folder)
    objects = [f"{Path(source).stem}.o" for source in sources]
    for source, made in zip(sources, objects, strict=True):
        subprocess.run(["g++", "-I.", *FLAGS, "-c", source, "-o", made], cwd=folder, check=True)
    subprocess.run(["g++", *objects, "-o", "main"], cwd=folder, check=True)
    return folder


def natively(
    folder: Path, place: Path, drive: Drive, seed: int, shared: dict[str, float]
) -> tuple[Any, Any]:
    words = [f"G.{name}={value!r}" for name, value in shared.items()]
    for name, values in cell_values(SMALL, drive, seed).items():
        values.astype(CELLS).tofile(place / name)
        words.append(f"G.{name}={place / name}")
    environment = os.environ | {
        "PLASTOGEN_SECONDS": str(SETTLE + SECONDS),
        "PLASTOGEN_STRUCTURE": str(stream(seed, "structure")),
        "PLASTOGEN_NOISE": str(stream(seed, "noise")),
    }
    subprocess.run(
        ["./main", "--results_dir", f"{place}/", *words], cwd=folder, env=environment, check=True
    )
    files = json.loads((folder / "arrays.json").read_text())
    t, i = (
        np.fromfile(place / files[name][0], files[name][1]) for name in ("spikes.t", "spikes.i")
    )
    return t[t >= SETTLE] - SETTLE, i[t >= SETTLE]


@pytest.mark.parametrize("case", ["plain", "blocked", "anything"])
def test_spikes_are_those_of_a_native_build(native: Path, tmp_path: Path, case: str) -> None:
    anything = Drive.from_array(SMALL, ANYTHING)
    drive = {"plain": Drive(), "blocked": on(SST=0.55), "anything": anything}[case]
    question = {
        "plain": {},
        "blocked": {"seed": 3},
        "anything": {"seed": 11, "mg": 3, "background": 5},
    }[case]
    circuit = SMALL
    if case == "anything":
        circuit = numbers.with_number(
            numbers.with_number(SMALL, "magnesium", "concentration", 0.75),
            "background",
            "rate",
            1050,
        )
    (found,) = answers(asked(drive, **question))
    t, i = natively(
        native, tmp_path, drive, numbers.SEEDS[question.get("seed", 0)], shared_values(circuit)
    )
    assert len(t) > 1000
    assert found["t"] == t.tolist()
    assert found["i"] == i.tolist()


def test_the_page_hands_over_what_the_package_would() -> None:
    drive = Drive.from_array(SMALL, ANYTHING)
    (found,) = answers(asked(drive, seed=4, mg=1, background=7, seconds=0.1, values=True))
    wanted = cell_values(SMALL, drive, numbers.SEEDS[4])
    assert found["values"] == {name: v.tolist() for name, v in wanted.items()}
    other = numbers.with_number(
        numbers.with_number(SMALL, "magnesium", "concentration", 0.25), "background", "rate", 1150
    )
    assert found["shared"] == shared_values(other)


def test_the_page_sums_spikes_up_as_scipy_does() -> None:
    (found,) = answers(asked(seconds=6))
    hz, density = welch(np.array(found["rate"]), fs=1000, nperseg=1024, detrend="constant")
    assert found["hz"] == pytest.approx(hz.tolist())
    assert found["density"] == pytest.approx(density.tolist(), rel=1e-9, abs=1e-12)
    e = np.array(found["i"]) < SMALL.slices()["E"].stop
    assert found["rates"][0] == pytest.approx(e.sum() / (6 * SMALL.populations["E"].count))


@lru_cache(maxsize=1)
def guided() -> dict[str, np.ndarray]:
    """What the guide has a student try, in every network of the page: rates (networks, classes)
    over GUIDED_S.
    """
    model = json.loads(
        (explore.shipped_page().read_text(encoding="utf-8").split('id="model-data">')[1]).split(
            "</script>"
        )[0]
    )
    at = {c: k for k, c in enumerate(np.round(model["concentrations_uM"], 6))}
    level = {c: min(at, key=lambda known: abs(known - c)) for c in (1, 3)}

    def held(uM: int, mg: int) -> Drive:
        return Drive(
            **dict(zip(numbers.left_numbers(SMALL), model["left"][mg][at[level[uM]]], strict=True))
        )

    tried = {
        "rest": asked(), "drug": asked(held(3, 4)), "E": asked(on(E=0.6)), "PV": asked(on(PV=0.6)),
        "SST": asked(on(SST=0.6)), "all": asked(on(E=0.6, PV=0.6, SST=0.6)), "low_mg": asked(held(1, 2), mg=2), "no_mg": asked(held(1, 0), mg=0),
    }  # fmt: skip
    questions = [
        {**question, "seed": seed, "seconds": GUIDED_S}
        for question in tried.values()
        for seed in range(len(numbers.SEEDS))
    ]
    rates = np.array([found["rates"] for found in answers(*questions)]).reshape(len(tried), -1, 3)
    return dict(zip(tried, rates, strict=True)) | {
        "left": np.array([model["left"][mg][at[level[1]]] for mg in (4, 2, 0)])
    }


@pytest.mark.slow
def test_the_guide_says_what_comes_out() -> None:
    rates = guided()
    rest, (e, pv, sst) = rates["rest"], (0, 1, 2)
    change = {name: (found / rest).mean(axis=0) for name, found in rates.items() if name != "left"}
    assert ((rest[:, e] < rest[:, sst]) & (rest[:, sst] < rest[:, pv])).mean() > 0.8, (
        "in nearly every network"
    )
    assert (np.ptp(rest, axis=0) / rest.mean(axis=0) > 0.1).all(), (
        "from network to network a rate moves by a tenth or more"
    )
    assert 1.03 < change["drug"][e] < 1.4, "E cells fire a little more"
    assert (rates["drug"][:, e] > rest[:, e]).mean() >= 0.8
    assert change["drug"][sst] < 0.4, "SST cells almost stop"
    assert 1.3 < change["SST"][e] < 1.8, "SST alone: about half as much again"
    assert (rates["SST"][:, e] > np.maximum(rates["PV"], rates["E"])[:, e]).mean() > 0.8, (
        "in most of these networks"
    )
    assert change["SST"][e] > change["PV"][e] + 0.1 > change["E"][e]
    assert change["E"][e] < 0.8, "E alone: less"
    assert change["PV"][sst] > 1.3, "PV alone: SST cells take over"
    assert change["all"][e] < change["SST"][e], "block everywhere excites less than on SST alone"
    block_E = 1 - rates["left"][:, 0]
    assert block_E[1] > 1.5 * block_E[0], "with half the Mg2+ more than half as much again"
    assert 0.6 < block_E[2] < 0.75, "without any about two thirds"
    assert change["no_mg"][sst] > 2, "without Mg2+ all cells fire far more ..."
    assert change["no_mg"][e] > 4, "... E cells many times as much"


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("em++") is None, reason="needs emscripten")
def test_a_page_built_anew_runs_the_same_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text(FORMULA)
    plastogen.run("mine", method="formula", seeds=1)
    built = explore.build_page([tmp_path / "results" / "mine"], tmp_path / "page.html")
    questions = [asked(on(SST=0.4), seed=2), asked(seed=5, mg=6)]
    assert answers(*questions, page=built) == answers(*questions)
