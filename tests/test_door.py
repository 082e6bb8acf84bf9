"""The Python door: every public function is typed, explained, and has an example that runs."""

from __future__ import annotations

import doctest
import importlib
import inspect
from pathlib import Path
from typing import Any

import pytest

import plastogen

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
DOOR = {
    name: value
    for name, value in OFFERED.items()
    if inspect.isfunction(value) and name.count(".") == 1
}


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("door")
    (folder / "mine.yaml").write_text(MINE)
    return folder


@pytest.mark.parametrize("name", DOOR)
def test_every_function_of_the_door_has_an_example_that_runs(
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
    doctest.DocTestRunner(optionflags=flags).run(example, out=said.append)
    assert said == []


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
