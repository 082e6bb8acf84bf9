"""Every model that ships loads, fast, and knows itself by the names that others use."""

from __future__ import annotations

import time

from plastogen._base.definition import Definition, quantities
from plastogen._base.library import Library
from plastogen.model.circuit.definition import Circuit
from plastogen.model.pharmacology.drug import Drug
from plastogen.model.pharmacology.subject import Subject
from plastogen.model.plasticity.calcium_rule import CalciumRule
from plastogen.model.plasticity.definition import Plasticity
from plastogen.model.plasticity.spine_law import SpineModel

KINDS: dict[str, type[Definition]] = {
    "circuits": Circuit,
    "drugs": Drug,
    "plasticity": Plasticity,
    "rules": CalciumRule,
    "spines": SpineModel,
    "subjects": Subject,
}
SHIPPED = [(folder, name) for folder in KINDS for name in Library().names(folder)]


def test_every_model_that_ships_loads() -> None:
    assert len(SHIPPED) >= len(KINDS)
    unsure = []
    for folder, name in SHIPPED:
        model = Library().load(folder, name, KINDS[folder])
        unsure += [
            f"{folder}/{name}: {path}"
            for path, q in quantities(model)
            if not (q.source and q.evidence)
        ]
    assert unsure == []


def test_what_an_experiment_names_is_there() -> None:
    names = {folder: set(Library().names(folder)) for folder in KINDS}
    assert {
        "ketamine",
        "memantine",
        "mk801",
        "nbqx",
        "rapamycin",
        "anti_bdnf",
        "gaba_antagonist",
        "release_reducer",
        "spike_silencer",
        "ssri",
    } <= names["drugs"]
    assert {
        "healthy_adult",
        "stressed_adult",
        "healthy_rat",
        "stressed_rat",
        "healthy_mouse",
        "stressed_mouse",
    } <= names["subjects"]
    assert {"all", "disinhibition", "spontaneous"} <= names["plasticity"]
    assert {"prefrontal", "prefrontal_afferent", "small"} <= names["circuits"]


def test_the_models_of_an_experiment_are_read_in_well_under_a_second() -> None:
    wanted = [
        ("circuits", "prefrontal"),
        ("drugs", "ketamine"),
        ("drugs", "nbqx"),
        ("drugs", "rapamycin"),
        ("plasticity", "all"),
        ("subjects", "stressed_adult"),
    ]
    Library().load("subjects", "healthy_adult", Subject)
    began = time.process_time()
    for folder, name in wanted:
        Library().load(folder, name, KINDS[folder])
    assert time.process_time() - began < 0.8


def test_no_folder_of_models_goes_unread() -> None:
    folders = {path.name for path in Library().folders[0].iterdir() if path.is_dir()}
    assert folders == set(KINDS)
