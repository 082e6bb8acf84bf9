"""The Python door: every public function is typed, explained, and has an example that runs."""

from __future__ import annotations

import doctest
import importlib
import inspect
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import plastogen
from plastogen.model.circuit import Drive, Engine, Spikes
from plastogen.publish import Outcome
from plastogen.simulation import FormulaProbe

# The experiment `mine` of the examples.
MINE = """
question: Does ketamine strengthen synapses within two hours?
model: {subject: stressed_adult, circuit: small}
course: {duration: 2 h, seeds: 2}
arms:
  vehicle: {}
  ketamine: {give: {x: {drug: ketamine, dose: 0.5 mg/kg, route: iv, over: 40 min, at: 0 h}}}
readouts:
  weight_2h: {of: weight, at: 2 h, title: weight at two hours}
  stronger: {of: weight, at: 2 h, above: 1}
figures: [arms]
expect:
  - {claim: it does, readout: weight_2h, more: ketamine, than: vehicle}
"""
PUBLIC = ("plastogen", "plastogen.model", "plastogen.simulation", "plastogen.experiment")
OFFERED = {
    f"{package}.{name}": getattr(importlib.import_module(package), name)
    for package in PUBLIC
    for name in importlib.import_module(package).__all__
}
WITHOUT = {"plastogen.WorkersLost"}  # only a cluster loses its workers
DOOR = {
    name: value
    for name, value in OFFERED.items()
    if (inspect.isfunction(value) or inspect.isclass(value)) and name not in WITHOUT
} | {
    f"plastogen.Outcome.{name}": value
    for name, value in vars(Outcome).items()
    if inspect.isfunction(value) and not name.startswith("_")
}


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("door")
    (folder / "mine.yaml").write_text(MINE)
    return folder


ASK_THE_NETWORK = {"plastogen.simulation.NetworkProbe", "plastogen.Outcome.network"}
SLOW = [pytest.mark.slow, pytest.mark.network]


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=SLOW if n in ASK_THE_NETWORK else []) for n in DOOR]
)
def test_every_function_and_class_of_the_door_has_an_example_that_runs(
    name: str, mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(mine)
    value = DOOR[name]
    (example,) = doctest.DocTestFinder(recurse=False).find(
        value, name, globs={"plastogen": plastogen}
    )
    assert example.examples
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    said: list[str] = []
    doctest.DocTestRunner(verbose=False, optionflags=flags).run(example, out=said.append)
    assert said == []


def test_the_network_is_asked_with_what_drove_it_then(
    mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between 20 and 30 minutes, in the steepest part: the formula, asked with the same drive,
    gives the rates that results hold.
    """
    monkeypatch.chdir(mine)
    ds = plastogen.run("mine", seeds=2, method="formula")
    asked: list[Any] = []

    class Watched(Engine):
        def run(self, drive: Drive, seed: int, **options: Any) -> Spikes:
            asked.append((self.circuit, drive, seed, options))
            ends = np.array([[0], [self.circuit.size - 1]], np.int32)
            return Spikes(
                np.zeros(0), np.zeros(0, np.int32), 1.0, np.zeros((0, 1)), np.zeros(1, int),
                self.circuit.slices(), ends,
            )  # fmt: skip

    monkeypatch.setattr("plastogen.publish.network.Engine", Watched)
    times = ds["time"].values
    (place,) = np.flatnonzero((times > 1 / 3) & (times < 0.5))[:1]
    found = plastogen.open_outcome("mine").network("ketamine", 2, float(times[place]))
    ((circuit, drive, seed, options),) = asked
    assert (seed, options["synapses"], found.drive) == (2, True, drive)
    wanted = ds["rate_hz"].sel(arm="ketamine", seed=2).isel(time=place).values
    vehicle = ds["rate_hz"].sel(arm="vehicle", seed=2).isel(time=place).values
    rates = FormulaProbe(circuit).measure(drive, seed).rate_hz
    assert rates == pytest.approx(wanted, rel=0.02)
    assert rates != pytest.approx(vehicle, rel=0.02)
    one, other = circuit.principal, circuit.classes[-1]
    between = {pair: cells.T.tolist() for pair, cells in found.connections.items() if cells.size}
    assert between == {(one, other): [[0, circuit.size - 1 - circuit.slices()[other].start]]}


REFUSED = (
    ("ketamin", 1, "1 h", "nearest valid name: ketamine"),
    ("ketamine", 9, "1 h", "one of 1, 2"),
    ("ketamine", 1, "3 h", "a moment of the course, -1 to 2 h"),
    ("ketamine", 1, "soon", "a time such as '40 min', or a snapshot"),
    ("ketamine", 1, math.nan, "a moment of the course"),
)


def test_the_network_of_no_run_is_refused(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(mine)
    plastogen.run("mine", seeds=2, method="formula")
    outcome = plastogen.open_outcome("mine")
    for arm, seed, at, said in REFUSED:
        with pytest.raises(plastogen.InputError, match=said):
            outcome.network(arm, seed, at)


def test_everything_public_is_explained_and_every_function_typed() -> None:
    for name, value in OFFERED.items():
        if callable(value):
            assert inspect.getdoc(value), name
        if inspect.isfunction(value):
            parameters = inspect.signature(value).parameters.values()
            assert all(p.annotation is not inspect.Parameter.empty for p in parameters), name
            assert value.__annotations__["return"], name


def test_no_public_function_bears_the_name_of_a_module() -> None:
    root = Path(plastogen.__file__).parent
    for name, value in OFFERED.items():
        if callable(value):
            package, _, own = name.rpartition(".")
            folder = root.joinpath(*package.split(".")[1:])
            assert not (folder / own).is_dir(), name
            assert not (folder / f"{own}.py").is_file(), name


def test_every_figure_has_its_function() -> None:
    from plastogen import experiment, figures

    for name in experiment.FIGURES:
        assert callable(getattr(figures, f"plot_{name}"))


@pytest.mark.parametrize(
    ("call", "nearest"),
    [
        (lambda: plastogen.catalogue("drug"), "drugs"),
        (lambda: plastogen.load_model("circuit", "small"), "circuits"),
        (lambda: plastogen.load_model("drugs", "ketamin"), "ketamine"),
        (lambda: plastogen.show("ketamin"), "ketamine"),
        (lambda: plastogen.plot(None, "timelime"), "timeline"),  # type: ignore[arg-type]
        (lambda: plastogen.check("one_infusio"), "one_infusion"),
    ],
)
def test_the_door_names_what_was_meant(call: Any, nearest: str) -> None:
    with pytest.raises(plastogen.InputError, match=rf"nearest valid name: {nearest}\b"):
        call()
