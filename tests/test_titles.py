"""What numbers of models are called: every one has a title of its own, and is called so everywhere."""

from __future__ import annotations

import re
from collections import Counter

import pytest
import xarray as xr
from typer.testing import CliRunner

from plastogen._base.definition import quantities
from plastogen._base.document import Document
from plastogen._base.library import Library
from plastogen.cli.main import app
from plastogen.experiment.definition import shipped
from plastogen.experiment.models import FOLDERS, path_fault
from plastogen.experiment.resolve import open_experiment
from plastogen.experiment.titles import TITLES, title_in, title_of
from plastogen.figures._sweep import axis_label
from plastogen.figures.labels import path_label
from plastogen.model.circuit import Circuit
from plastogen.publish.catalogue import describe
from plastogen.simulation.variables import VARIABLES

LIBRARY = Library()
MODELS = [(root, name) for root, (folder, _) in FOLDERS.items() for name in LIBRARY.names(folder)]


def paths(root: str, name: str) -> list[str]:
    folder, kind = FOLDERS[root]
    within = f"drugs.{name}" if root == "drugs" else root
    return [f"{within}.{path}" for path, _ in quantities(LIBRARY.load(folder, name, kind))]


@pytest.mark.parametrize(("root", "name"), MODELS)
def test_every_number_of_a_model_has_a_title_of_its_own(root: str, name: str) -> None:
    own = {path: title_of(path) for path in paths(root, name)}
    assert [path for path, title in own.items() if not title] == []
    assert not any("_" in str(title) for path, title in own.items() if "formula" not in path)
    sets = [path for path in own if ".kinetics." not in path]  # sets stand side by side
    twice = [t for t, n in Counter(own[path] for path in sets).items() if n > 1]
    assert twice == []


@pytest.mark.parametrize("root", FOLDERS)
def test_no_title_is_of_a_number_that_no_model_has(root: str) -> None:
    used = {title_of(path) for r, name in MODELS if r == root for path in paths(r, name)}
    whole = {row for row in TITLES[root].values() if "{" not in row}
    switched = {
        f"strength of the {name} pathway" for name in ("disinhibition", "spontaneous-release")
    }
    assert whole - used - switched == set()  # numbers without a source, which sweeps vary


def test_titles_are_what_axes_and_show_say() -> None:
    path = "circuit.magnesium.concentration"
    assert title_of(path) == "Mg2+ outside"
    assert path_label(path) == "Mg²⁺ outside"
    assert any("Mg2+ outside" in line for line in describe("small"))
    assert path_label("arms.ketamine.give.infusion.dose") == "dose"


def swept(name: str) -> list[str]:
    """What an experiment sweeps, and every other number of its file that a sweep could vary."""
    opened = open_experiment(name)
    experiment = opened.experiment
    numbers = [
        f"{root}.{path}"
        for root, part in (("induction", experiment.induction), ("ensembles", experiment.ensembles))
        if part is not None
        for path, _ in quantities(part)
    ]
    for arm in experiment.arms:
        numbers += [f"arms.{arm}.{path}" for path, _ in quantities(experiment.arm(arm))]
    numbers = [re.sub(r"\bheld$", "for", path) for path in numbers]  # as it is written
    return [*numbers, *(column.path for axis in opened.axes for column in axis.columns)]


@pytest.mark.parametrize("name", shipped())
def test_every_number_that_a_sweep_of_what_ships_may_vary_has_words(name: str) -> None:
    experiment = open_experiment(name).experiment
    own = {path: title_in(experiment, path) for path in swept(name)}
    assert [path for path, title in own.items() if not title] == []
    assert [t for path, t in own.items() if "_" in str(t) and ".formula." not in path] == []
    for arm in experiment.arms:
        mine = [own[path] for path in own if path.startswith(f"arms.{arm}.give.")]
        drugs = [treatment.drug for treatment in experiment.arm(arm).give.values()]
        if len(set(drugs)) == len(drugs):
            assert len(mine) == len(set(mine)), mine


def test_of_several_drugs_an_axis_says_which_and_check_says_it_in_words() -> None:
    experiment = open_experiment("surge_and_block").experiment
    path = "arms.held.give.more.occupancy"
    assert title_in(experiment, path) == "occupancy of glutamate releaser"
    assert title_in(experiment, "arms.held.give.block.brain") == (
        "concentration in the brain of ketamine"
    )
    assert title_in(experiment, "arms.ketamine_02.give.infusion.dose") == "dose"
    assert title_in(experiment, "arms.nobody.give.more.occupancy") == "occupancy"
    coord = xr.DataArray([0.1, 0.2], dims="x", attrs={"path": path, "units": "1"})
    assert axis_label(coord) == "occupancy"
    named = coord.assign_attrs(title=title_in(experiment, path))
    assert axis_label(named) == "occupancy of glutamate releaser"
    said = CliRunner().invoke(app, ["check", "surge_and_block"]).stdout
    assert "x 6 values of occupancy of glutamate releaser x 7 values of concentration" in said
    assert (
        " x 31 values of dose x 4 seeds"
        in CliRunner().invoke(app, ["check", "dose_response"]).stdout
    )


BLOOD = {"plasma_ng_ml": "venous", "arterial_ng_ml": "arterial"}


@pytest.mark.parametrize("name", shipped())
def test_what_is_read_of_blood_says_which_blood(name: str) -> None:
    experiment = open_experiment(name).experiment
    for key, readout in experiment.readouts.items():
        if blood := BLOOD.get(readout.of):
            assert blood in (readout.title or VARIABLES[readout.of].long_name), key
    assert all(blood in VARIABLES[of].long_name for of, blood in BLOOD.items())
    for claim in experiment.expect:
        if "plasma" in claim.claim:
            assert BLOOD[experiment.readouts[claim.readout].of] in claim.claim


def test_an_effect_by_species_says_of_which() -> None:
    path = "drugs.ketamine.targets.ampa.hnk"
    assert title_of(f"{path}.emax") == "largest effect of HNK on ampa"
    assert title_of(f"{path}.half") == "concentration of half the effect of HNK on ampa"


def test_a_connection_is_addressed_by_what_it_joins() -> None:
    document = LIBRARY.document("circuits", "small")
    circuit = LIBRARY.load("circuits", "small", Circuit)
    found = dict(quantities(circuit))
    assert "connections.SST-E.gaba" in found
    assert not any(
        path.split(".")[1].isdigit() for path in found if path.startswith("connections.")
    )
    at = document.steps("connections.SST-E.gaba")
    assert document.tree["connections"][at[1]]["source"] == "SST"
    assert document.steps(f"connections.{at[1]}.gaba") == at
    assert document.line("connections.SST-E.gaba") == document.line(at)
    assert path_fault("connections.SST-E.gaba", document.tree, Circuit) is None
    fault = path_fault("connections.SST-F.gaba", document.tree, Circuit)
    assert fault is not None
    assert "SST-E" in fault.wanted
    assert document.problem(at, "x", "y").path == "connections.SST-E.gaba"
    cut = LIBRARY.load("circuits", "small", Circuit, overrides={"connections.SST-E.gaba": "0 nS"})
    (wire,) = [c for c in cut.connections if (c.source, c.target) == ("SST", "E")]
    assert wire.gaba is not None
    assert float(wire.gaba) == 0


def test_items_without_ends_keep_their_numbers() -> None:
    document = Document("x", {"list": [{"source": "A"}, {"source": "A", "target": "B"}]})
    assert document.steps("list.0.source") == ("list", 0, "source")
    assert document.steps("list.A-B.source") == ("list", 1, "source")
    assert document.problem(("list", 1, "source"), "x", "y").path == "list.1.source"
