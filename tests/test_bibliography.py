"""What an experiment rests on: which numbers are in use, how they came about, the bibliography."""

from __future__ import annotations

import re

import pytest
from test_experiment import question

from plastogen._base.library import Library, Reference
from plastogen.analysis.provenance import (
    Cited,
    bibtex,
    count_evidence,
    describe_evidence,
    list_cited,
    numbers_in_use,
)

USED = numbers_in_use(question().conditions())


def test_only_what_is_used_is_counted_and_once() -> None:
    places = [(n.model, n.path, n.quantity.text) for n in USED]
    assert len(places) == len(set(places))
    models = {n.model for n in USED}
    assert {
        "subjects/healthy_adult",
        "circuits/small",
        "plasticity/all",
        "plasticity/spontaneous",
    } <= models
    assert {"drugs/ketamine", "drugs/nbqx"} <= models
    assert "drugs/memantine" not in models


def test_kinetics_of_other_animals_and_other_sets_are_not_in_use() -> None:
    paths = [n.path for n in USED if n.model == "drugs/ketamine"]
    assert any(path.startswith("kinetics.human.H2.") for path in paths)
    assert not any(
        path.startswith(("kinetics.mouse", "kinetics.rat", "kinetics.human.H1")) for path in paths
    )
    chosen = numbers_in_use([question(**{"subject__kinetics": "H1"}).condition("ketamine")])
    assert any(n.path.startswith("kinetics.human.H1.") for n in chosen)


def test_counts_add_up_and_nothing_remembered_is_called_measured() -> None:
    assert sum(count_evidence(USED).values()) == len(USED)
    assert describe_evidence(USED).startswith(f"{len(USED)} numbers: ")
    assert "measured" not in describe_evidence(USED)
    assert "assumed" in describe_evidence(USED)


def test_what_a_person_sets_counts_as_assumed() -> None:
    before = count_evidence(numbers_in_use([question().condition("ketamine")]))
    after = count_evidence(
        numbers_in_use(
            [
                question(
                    **{"drugs__ketamine__kinetics__human__H2__clearance": "1.4 L/min"}
                ).condition("ketamine")
            ]
        )
    )
    assert after["assumed"] == before["assumed"] + 1
    assert after["read in the source"] == before["read in the source"] - 1


def test_references_of_numbers_and_claims_are_cited() -> None:
    found = {one.key: one for one in list_cited(USED, ["li2010", "li2010", None], Library())}
    assert found["li2010"].claims == 2
    assert found["kotermanski2009"].numbers >= 4
    assert "assumed" not in found
    assert list(found) == sorted(found)


@pytest.mark.parametrize(
    ("authors", "wanted"),
    [
        (
            "Zuo, Y., Lin, A., Chang, P. and Gan, W.-B.",
            "Zuo, Y. and Lin, A. and Chang, P. and Gan, W.-B.",
        ),
        ("Li, N., Lee, B. et al.", "Li, N. and Lee, B. and others"),
        ("Pinault, D.", "Pinault, D."),
        ("Janssen Pharmaceuticals", "Janssen Pharmaceuticals"),
    ],
)
def test_bibtex_names_every_author(authors: str, wanted: str) -> None:
    reference = Reference(
        authors=authors, year=2005, title="Spines & more", journal="Neuron 46:181", doi="10.1/x_y"
    )
    text = bibtex([Cited("zuo2005", reference, 1, 0)])
    assert f"author = {{{wanted}}}" in text
    assert r"title = {{Spines \& more}}" in text
    assert "journal = {Neuron}" in text
    assert "volume = {46}" in text
    assert "pages = {181}" in text


def test_every_reference_makes_an_entry_that_closes() -> None:
    references = Library().references()
    text = bibtex(Cited(key, reference, 1, 0) for key, reference in references.items())
    assert len(re.findall(r"^@article\{", text, re.M)) == len(references)
    assert text.count("{") == text.count("}")
    for entry in text.split("\n\n"):
        assert re.search(r"year = \{\d{4}\}", entry)
