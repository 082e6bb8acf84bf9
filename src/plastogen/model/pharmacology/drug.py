"""In: a file of models/drugs. Out: what a drug is: its species, kinetics, and what each species
acts on.

A drug with kinetics is given by dose; a tool drug has none and is held at an `occupancy`.
`check_treatment` says what is wrong with giving a drug to a subject; a course asks for `exposure`
and `held_occupancy`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Annotated, Protocol

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from plastogen._base.definition import Definition
from plastogen._base.quantity import Fault, In, Quantity, faulty
from plastogen._base.text import any_of, nearest
from plastogen.model.pharmacology.kinetics import Animal, Array, Exposure, Kinetics
from plastogen.model.pharmacology.nmda_block import NmdarBlock
from plastogen.model.pharmacology.regimen import DAY_H, Input, Treatment, holds, inputs, mass_mg
from plastogen.model.pharmacology.targets import Effects, by_species, target_faults

MOST_TIMES_USUAL = 100  # the largest usual dose: more is a slip of the unit
DEFAULT = "default"  # the kinetic set a subject asks for when it names none


class Species(Definition):
    """A substance: the drug itself or a metabolite."""

    molar_mass: Annotated[Quantity, In("g/mol", above=0)]


class Actions(Definition):
    """What species do at NMDA receptors. `occupancy_half`: unbound uM that displaces half of
    [3H]MK-801.
    """

    nmdar: dict[str, NmdarBlock] = Field(default_factory=dict)
    occupancy_half: Annotated[Quantity, In("uM", above=0)] | None = None


Dose = Annotated[Quantity, In("mg/kg", alternatives=("mg",), above=0)]


class Drug(Definition):
    """One file of models/drugs. The first of `species` is the drug itself. `usual_doses`: by
    species and route, what is usually given at a time, with the range of it.

    >>> ketamine = plastogen.load_model("drugs", "ketamine")
    >>> sorted(ketamine.kinetics)
    ['human', 'mouse', 'rat']
    """

    title: str
    note: str | None = None
    species: dict[str, Species] = Field(default_factory=dict)
    kinetics: dict[Animal, dict[str, Kinetics]] = Field(default_factory=dict)
    default_kinetics: dict[Animal, str] = Field(default_factory=dict)
    usual_doses: dict[Animal, dict[str, Dose]] = Field(default_factory=dict)
    actions: Actions = Actions()
    targets: dict[str, Effects] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _consistent(self) -> Drug:
        faults = [*self._kinetics_faults(), *self._dose_faults(), *self._action_faults()]
        if faults:
            raise faulty(faults)
        return self

    def _kinetics_faults(self) -> Iterator[Fault]:
        for animal, sets in self.kinetics.items():
            default = self.default_kinetics.get(animal)
            if default not in sets:
                found = "nothing" if default is None else f"'{default}'"
                near = nearest(default or "", sets)
                yield Fault(f"default_kinetics.{animal}", found, any_of(sets), near)
            for name, kinetics in sets.items():
                at = f"kinetics.{animal}.{name}"
                if self.parent is None:
                    wanted = "the drug under `species`, with its molar_mass"
                    yield Fault(at, "kinetics of no species", wanted)
                    continue
                for metabolite in set(kinetics.metabolites) - set(self.species):
                    known, near = (
                        any_of(self.species),
                        nearest(metabolite, self.species),
                    )
                    yield Fault(f"{at}.metabolites.{metabolite}", "an unknown name", known, near)
                for origin in kinetics.origins() - {self.parent}:
                    wanted = f"metabolites from {self.parent} or from one another"
                    yield Fault(
                        f"{at}.metabolites",
                        f"from: {origin}",
                        wanted,
                        nearest(origin, self.species),
                    )

    def _dose_faults(self) -> Iterator[Fault]:
        for animal, doses in self.usual_doses.items():
            known = {
                route for one in self.kinetics.get(animal, {}).values() for route in one.routes
            }
            for route in sorted(set(doses) - known):
                wanted = f"a route of its kinetics: {', '.join(sorted(known)) or 'there are none'}"
                at = f"usual_doses.{animal}.{route}"
                yield Fault(at, "an unknown name", wanted, nearest(route, known))

    def _action_faults(self) -> Iterator[Fault]:
        for name in self.actions.nmdar:
            if name not in self.species:
                known = any_of(self.species) if self.species else "a name under `species`"
                near = nearest(name, self.species)
                yield Fault(f"actions.nmdar.{name}", "an unknown name", known, near)
        yield from target_faults(self.targets, tuple(self.species), dosed=bool(self.kinetics))

    @property
    def parent(self) -> str | None:
        """The drug's own species; None for a tool drug that names none."""
        return next(iter(self.species), None)

    def molar_masses(self) -> dict[str, float]:
        """Molar mass of each species, g/mol."""
        return {name: float(species.molar_mass) for name, species in self.species.items()}

    def kinetics_for(self, animal: Animal, name: str = DEFAULT) -> Kinetics | None:
        """The named parameter set; None if there is none for this animal. Raises ValueError:
        unknown set.
        """
        sets = self.kinetics.get(animal)
        if sets is None:
            return None
        chosen = self.default_kinetics[animal] if name == DEFAULT else name
        if chosen not in sets:
            raise ValueError(f"found the kinetics '{chosen}', wanted {any_of(sets)}")
        return sets[chosen]


class Recipient(Protocol):
    """What has to be known of a subject to treat it (a `Subject`)."""

    @property
    def species(self) -> Animal: ...
    @property
    def weight(self) -> Quantity: ...
    @property
    def kinetics(self) -> str: ...


def check_treatment(drug: Drug, subject: Recipient, treatment: Treatment) -> tuple[Fault, ...]:
    """What is wrong with giving `drug` to `subject` in this way; `at` is the place within the
    treatment.
    """
    return tuple(_treatment_faults(drug, subject, treatment))


def _treatment_faults(drug: Drug, subject: Recipient, treatment: Treatment) -> Iterator[Fault]:
    if treatment.occupancy is not None:
        own = [e for e in drug.targets.values() if drug.parent in by_species(e, drug.parent)]
        if not own:
            found = f"an occupancy of {drug.title}"
            yield Fault(
                "occupancy", found, "a dose or a brain concentration, from which its block follows"
            )
        return
    if treatment.brain is not None:
        if drug.parent is None:
            found = f"a concentration of {drug.title}, a tool drug"
            yield Fault("brain", found, "`occupancy` with `for`, such as occupancy: 0.9, for: 4 h")
        return
    if not drug.kinetics:
        found = f"a dose of {drug.title}, a tool drug without kinetics"
        yield Fault("dose", found, "`occupancy` with `for`, such as occupancy: 0.9, for: 4 h")
        return
    sets = drug.kinetics.get(subject.species)
    if sets is None:
        found = f"a dose of {drug.title} for a {subject.species}"
        yield Fault("dose", found, f"a subject it has kinetics for: {', '.join(drug.kinetics)}")
        return
    if subject.kinetics not in (DEFAULT, *sets):
        found = f"{drug.title} for a subject with the kinetics '{subject.kinetics}'"
        wanted = f"a subject with one of {', '.join((DEFAULT, *sets))}"
        yield Fault("drug", found, wanted, nearest(subject.kinetics, (DEFAULT, *sets)))
        return
    kinetics = drug.kinetics_for(subject.species, subject.kinetics)
    if kinetics is not None and treatment.route not in kinetics.routes:
        known = kinetics.routes
        wanted = any_of(known)
        yield Fault("route", f"'{treatment.route}'", wanted, nearest(str(treatment.route), known))
        return
    if not treatment.confirm:
        yield from _unusual_dose(drug, subject, treatment)


def _unusual_dose(drug: Drug, subject: Recipient, treatment: Treatment) -> Iterator[Fault]:
    """A dose far above the largest usual one by its route, or by any where its own has none."""
    doses = drug.usual_doses.get(subject.species, {})
    route = str(treatment.route)
    weight_kg, molar_mass = float(subject.weight), _molar_mass(drug)

    def largest_mg(dose: Quantity) -> float:
        top = dose.range[1] if dose.range is not None else float(dose)
        return mass_mg(replace(dose, value=top), weight_kg, molar_mass)

    compared = [doses[route]] if route in doses else list(doses.values())
    if not compared or treatment.dose is None:
        return
    usual = max(compared, key=largest_mg)
    given = inputs(treatment, weight_kg, molar_mass)
    most_mg, day_mg = max(one.amount_mg for one in given), _most_in_a_day(given)
    if day_mg > MOST_TIMES_USUAL * largest_mg(usual):
        found = f"'{treatment.dose.text}'"
        if most_mg <= MOST_TIMES_USUAL * largest_mg(usual):
            found += f", which adds up to {day_mg:.3g} mg within a day"
        elif treatment.escalate is not None:
            found += f", escalating to {most_mg:.3g} mg"
        top = usual.range[1] if usual.range is not None else float(usual)
        yield Fault(
            "dose",
            found,
            f"at most {MOST_TIMES_USUAL} times the largest usual dose, {top:g} {usual.unit} {route}"
            f" in the {subject.species} ({usual.source}), or `confirm: true` beside it",
        )


def _most_in_a_day(given: Sequence[Input]) -> float:
    """The most that begins to go in within any 24 hours, mg; `given` in the order of time."""
    starts = np.array([one.start_h for one in given])
    before = np.concatenate([[0.0], np.cumsum([one.amount_mg for one in given])])
    ends = np.searchsorted(starts, starts + DAY_H, side="left")
    return float((before[ends] - before[:-1]).max())


def _molar_mass(drug: Drug) -> float:
    """That of the drug itself, g/mol; only a drug that has one is given by dose."""
    assert drug.parent is not None
    return float(drug.species[drug.parent].molar_mass)


def exposure(drug: Drug, subject: Recipient, treatments: Iterable[Treatment]) -> Exposure | None:
    """Concentrations that all `treatments` with this drug make; None for a tool drug, which has
    none.
    """
    if drug.parent is None:
        return None
    given = tuple(treatments)
    weight_kg, molar_mass = float(subject.weight), _molar_mass(drug)
    return Exposure(
        drug.kinetics_for(subject.species, subject.kinetics),
        parent=drug.parent,
        inputs=[i for treatment in given for i in inputs(treatment, weight_kg, molar_mass)],
        holds=[
            hold for treatment in given if treatment.brain is not None for hold in holds(treatment)
        ],
        molar_masses=drug.molar_masses(),
        weight_kg=weight_kg,
    )


def held_occupancy(treatments: Iterable[Treatment], t_h: npt.ArrayLike) -> Array:
    """Occupancy 0..1 at which a drug is held at `t_h`; those held at once act independently."""
    times = np.asarray(t_h, float)
    free = np.ones(times.shape)
    for treatment in treatments:
        if treatment.occupancy is not None:
            for hold in holds(treatment):
                free = free * (1 - hold.level * ((times >= hold.start_h) & (times < hold.end_h)))
    return 1 - free
