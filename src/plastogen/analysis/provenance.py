"""In: the conditions of an experiment. Out: every number they use, where it comes from, and the
bibliography.

Honesty as output: how many numbers were read in their source, remembered, computed, constructed or
assumed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from plastogen._base.definition import Definition, quantities
from plastogen._base.library import Library, Reference
from plastogen._base.quantity import Evidence, Quantity
from plastogen._base.text import counted
from plastogen.experiment import Condition
from plastogen.simulation import OF_SPINES

# evidence -> the word people read; what is remembered is never called measured
WORDS = {
    Evidence.VERIFIED.value: "read in the source",
    Evidence.MEMORY_HIGH.value: "remembered (sure)",
    Evidence.MEMORY_MEDIUM.value: "remembered (fairly sure)",
    Evidence.MEMORY_LOW.value: "remembered (unsure: sweep it)",
    Evidence.COMPUTED.value: "computed from others",
    Evidence.CONSTRUCTED.value: "constructed to fit",
    Evidence.ASSUMED.value: "assumed",
}

MET_BY_RECEPTORS = ("agonist.", "formula.", "magnesium.")  # parts of a circuit


@dataclass(frozen=True)
class Number:
    """A number in use: the model and path where it stands, and the number."""

    model: str
    path: str
    quantity: Quantity


@dataclass(frozen=True)
class Cited:
    """A reference in use: its key, its entry, how many numbers rest on it and how many claims."""

    key: str
    reference: Reference
    numbers: int
    claims: int

    @property
    def line(self) -> str:
        """Authors, year, title, journal, doi."""
        r = self.reference
        doi = f" doi:{r.doi}" if r.doi else ""
        return f"{r.authors} ({r.year}). {r.title}. {r.journal}.{doi}"


def numbers_in_use(conditions: Iterable[Condition]) -> list[Number]:
    """Every number the conditions use, once, in the order subject, circuit, rule, plasticity,
    spines, drugs.

    Of a drug, usual doses, kinetics of other animals and other parameter sets are not in use; of
    the circuit of an induction, only what its receptors meet; of a rule, what stands in for a
    network only where no network is asked.
    """
    found: dict[tuple[str, str, str], Number] = {}
    for condition in conditions:
        names = condition.setting.model
        models: list[tuple[str, Definition]] = [
            (f"subjects/{names.subject}", condition.subject),
            (f"circuits/{names.circuit}", condition.circuit),
            (f"rules/{names.rule}", condition.rule),
        ]
        if condition.kind != "induction":
            models.append((f"plasticity/{names.plasticity}", condition.plasticity))
        if condition.kind in OF_SPINES:
            models.append((f"spines/{names.spines}", condition.spines))
        models += [(f"drugs/{name}", drug) for name, drug in condition.drugs.items()]
        for model, definition in models:
            for path, quantity in quantities(definition):
                if quantity.evidence is not None and _in_use(condition, model, path):
                    found.setdefault((model, path, quantity.text), Number(model, path, quantity))
    return list(found.values())


def _in_use(condition: Condition, model: str, path: str) -> bool:
    if path.startswith("usual_doses."):
        return False  # what doses are held against, no part of a course
    if model.startswith("rules/") and path.startswith("formula."):
        return condition.kind != "induction" and condition.setting.course.method == "formula"
    if condition.kind == "induction" and model.startswith("circuits/"):
        return path.startswith(MET_BY_RECEPTORS) or ".nmdar." in path
    if not (model.startswith("drugs/") and path.startswith("kinetics.")):
        return True
    _, animal, chosen, *_ = path.split(".")
    drug = condition.drugs[model.removeprefix("drugs/")]
    wanted = condition.subject.kinetics
    wanted = (
        drug.default_kinetics.get(condition.subject.species, "") if wanted == "default" else wanted
    )
    return animal == condition.subject.species and chosen == wanted


def count_evidence(used: Sequence[Number]) -> dict[str, int]:
    """How many numbers there are of each kind of evidence, best first, zeros left out."""
    tally = Counter(str(number.quantity.evidence) for number in used)
    return {word: tally[level] for level, word in WORDS.items() if tally[level]}


def describe_evidence(used: Sequence[Number]) -> str:
    """One sentence: how many numbers, and how each kind came about."""
    return f"{counted(len(used), 'number')}: " + ", ".join(
        f"{n} {word}" for word, n in count_evidence(used).items()
    )


def list_cited(
    used: Sequence[Number], claimed: Iterable[str | None], library: Library
) -> list[Cited]:
    """References of the numbers and claims, by key. Raises InputError when references.yaml cannot
    be read.
    """
    by_number = Counter(str(number.quantity.source) for number in used)
    by_claim = Counter(key for key in claimed if key is not None)
    known = library.references()
    keys = sorted(({*by_number} | {*by_claim}) & {*known})
    return [Cited(key, known[key], by_number[key], by_claim[key]) for key in keys]


def bibtex(references: Iterable[Cited]) -> str:
    """The references as BibTeX."""
    entries = []
    for one in references:
        r = one.reference
        names = r.authors.replace(" et al.", " and others")
        where = re.fullmatch(r"(.+) (\d+):(\S+)", r.journal)
        fields = {
            "author": " and ".join(_people(names)), "year": str(r.year), "title": f"{{{r.title}}}",
            "journal": where[1] if where else r.journal, "volume": where[2] if where else None,
            "pages": where[3] if where else None, "doi": r.doi, "note": r.note,
        }  # fmt: skip
        lines = ",\n".join(
            f"  {key} = {{{_escaped(value)}}}" for key, value in fields.items() if value
        )
        entries.append(f"@article{{{one.key},\n{lines}\n}}")
    return "\n\n".join(entries) + "\n"


def _people(names: str) -> list[str]:
    """'Li, N., Lee, B. and others' as ['Li, N.', 'Lee, B.', 'others']."""
    parts = [part for chunk in names.split(" and ") for part in chunk.split(", ")]
    people: list[str] = []
    for part in parts:
        initials = all(re.fullmatch(r"-?(\w\.-?)+", word) for word in part.split())
        if people and initials and part:
            people[-1] += f", {part}"
        else:
            people.append(part)
    return people


def _escaped(text: str) -> str:
    return text.replace("&", r"\&").replace("%", r"\%").replace("_", r"\_")
