"""In: what a drug's species do at their targets. Out: the value of each target, over time.

`TARGETS` is the one table of what a drug may act on beside block of NMDA receptors. Each target is
a number that the circuit or the slow layer reads by its name:

    a factor     1 when nothing acts; factors multiply: 1 + emax C / (C + half) a species (the Emax
                 model), emax from -1 (all of it lost) to what makes it `most` times its own
    an addition  a share that is 0 when nothing acts; shares add independently: 1 - (1 - a)(1 - b)

A tool drug has an occupancy in place of C / (C + half). To add a target: a row here, and the
equation that reads it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Discriminator, Tag, model_validator

from plastogen._base.definition import Definition
from plastogen._base.quantity import Fault, In, Quantity, faulty
from plastogen._base.text import any_of, nearest
from plastogen.model.pharmacology.magnesium import SUBUNITS

Array = npt.NDArray[np.float64]
Kind = Literal["factor", "addition"]


@dataclass(frozen=True)
class Target:
    """One number that drugs move: what it is, its kind, the most it can come to, who reads it, and
    the variable of results.nc it moves first.
    """

    title: str
    kind: Kind
    most: int
    read_by: Literal["circuit", "signalling"]
    moves: str

    @property
    def base(self) -> float:
        """Its value when nothing acts."""
        return 1 if self.kind == "factor" else 0

    def combined(self, changes: Iterable[Array]) -> Any:
        """Its value under changes that act independently, each emax x occupancy."""
        left: Any = 1.0
        for change in changes:
            left = left * (1 + change if self.kind == "factor" else 1 - change)
        return left if self.kind == "factor" else 1 - left

    def fault(self, emax: float) -> tuple[str, str] | None:
        """What is found and wanted where a largest change is out of bounds."""
        least, most = (-1, self.most - 1) if self.kind == "factor" else (0, self.most)
        if emax != 0 and least <= emax <= most:
            return None
        if self.kind == "factor":
            return f"{emax:g}", f"a number from -1 (all of it lost) to {most}, but not 0"
        return f"{emax:g}", f"a number above 0, up to {most} (all of it)"


TARGETS: dict[str, Target] = {
    "ampa": Target("conductance of AMPA receptors", "factor", 3, "circuit", "ampa_throughput"),
    "gaba": Target("conductance of GABA-A receptors", "factor", 3, "circuit", "rate_hz"),
    "release": Target("glutamate release of principal cells", "factor", 3, "circuit", "glutamate"),
    "silence": Target("silencing conductance that is open", "addition", 1, "circuit", "rate_hz"),
    "perisomatic": Target("output of perisomatic cells", "factor", 3, "circuit", "rate_hz"),
    "nmdar": Target("conductance of all NMDA receptors", "factor", 3, "circuit", "calcium"),
    "eef2k": Target("activity of eEF2 kinase", "factor", 5, "signalling", "eef2k"),
    "bdnf": Target("released BDNF that reaches TrkB", "factor", 5, "signalling", "mtorc1"),
    "mtorc1": Target("mTORC1 that drives translation", "factor", 5, "signalling", "free_protein"),
    "protein": Target("translation of new protein", "factor", 5, "signalling", "free_protein"),
    "serotonin": Target("occupied serotonin transporters", "addition", 1, "signalling", "tone"),
}  # fmt: skip
POOL = re.compile(r"nmdar\.([A-Za-z]\w*\.(synaptic|tonic|rest))")
SUBUNIT = re.compile(rf"nmdar\.({'|'.join(SUBUNITS)})")
OF_SUBUNITS = tuple(f"nmdar.{subunit}" for subunit in SUBUNITS)
EXAMPLE_OF_POOL = "nmdar.PV.synaptic"


@cache
def target(name: str) -> Target:
    """The target of this name: a row of the table, nmdar.POOL for one pool of NMDA receptors, or
    nmdar.SUBUNIT for those with one subunit in every pool.

    Raises KeyError: no such target.
    """
    if found := SUBUNIT.fullmatch(name):
        return replace(TARGETS["nmdar"], title=f"conductance of receptors with {found[1]}")
    if found := POOL.fullmatch(name):
        moves = "eef2k" if found[2] == "rest" else "rate_hz"
        return replace(TARGETS["nmdar"], title=f"conductance of the pool {found[1]}", moves=moves)
    return TARGETS[name]


def value(values: Mapping[str, Any], name: str) -> Any:
    """The value of a target among those that something acts on, else its base."""
    found = values.get(name)
    return target(name).base if found is None else found


def receptors(values: Mapping[str, Any], pool: str) -> Any:
    """The factor on the conductance of a pool of NMDA receptors: that on all, times its own."""
    return value(values, "nmdar") * value(values, f"nmdar.{pool}")


def by_pool(values: Mapping[str, Any], pools: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    """`values` of targets, those of subunits as what they come to in each of `pools` (pool ->
    subunit -> share of its current).
    """
    found = {name: x for name, x in values.items() if name not in OF_SUBUNITS}
    for pool, mix in pools.items():
        if any(f"nmdar.{subunit}" in values for subunit in mix):
            left = sum(part * value(values, f"nmdar.{subunit}") for subunit, part in mix.items())
            found[f"nmdar.{pool}"] = value(values, f"nmdar.{pool}") * left
    return found


class TargetEffect(Definition):
    """The largest change of a target, and the unbound concentration of half of it, if known."""

    emax: Annotated[Quantity, In("1", minimum=-1)]
    half: Annotated[Quantity, In("uM", above=0)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _not_as_before(cls, given: Any) -> Any:
        if isinstance(given, Mapping) and "maximum" in given:
            wanted = (
                "`emax`, the largest change: -0.8 for a blocker with the maximum 0.8, 0.5 for what"
                " adds a half"
            )
            raise faulty([Fault("maximum", "a share taken away, as written until 0.1", wanted)])
        return given


def _shape(given: Any) -> str:
    fields = {*TargetEffect.model_fields, "maximum"}
    if isinstance(given, TargetEffect):
        return "drug"
    return "drug" if not isinstance(given, Mapping) or fields & set(given) else "species"


Effects = Annotated[
    Annotated[TargetEffect, Tag("drug")] | Annotated[dict[str, TargetEffect], Tag("species")],
    Discriminator(_shape),
]
"""What a drug does at one target: its own effect, or species -> effect."""


def by_species(effects: Effects, parent: str | None) -> dict[str | None, TargetEffect]:
    """Species -> effect at one target; `parent` (None: a tool drug's) where none is named."""
    if isinstance(effects, TargetEffect):
        return {parent: effects}
    return {**dict[str | None, TargetEffect](), **dict(effects.items())}


def effect_paths(name: str, effects: Effects, parent: str | None) -> dict[str | None, str]:
    """Species -> where its effect at the target `name` stands in the drug's file."""
    at = f"targets.{name}"
    if isinstance(effects, TargetEffect):
        return {parent: at}
    return {who: f"{at}.{who}" for who in effects}


def target_faults(
    targets: Mapping[str, Effects], species: Sequence[str], *, dosed: bool
) -> Iterator[Fault]:
    """What is wrong with the `targets:` of a drug with these species, the drug itself first."""
    parent = species[0] if species else None
    for name, effects in targets.items():
        at = f"targets.{name}"
        if name not in TARGETS and not POOL.fullmatch(name) and not SUBUNIT.fullmatch(name):
            known = (
                f"one of {', '.join(TARGETS)}, one pool such as {EXAMPLE_OF_POOL}, or one of"
                f" {', '.join(OF_SUBUNITS)}"
            )
            yield Fault(at, f"'{name}'", known, nearest(name, (*TARGETS, *OF_SUBUNITS)))
            continue
        paths = effect_paths(name, effects, parent)
        for who, effect in by_species(effects, parent).items():
            here = paths[who]
            if who is not None and who not in species:
                known = any_of(species) if species else "a name under `species`"
                yield Fault(here, "an unknown name", known, nearest(who, species))
            if (wrong := target(name).fault(float(effect.emax))) is not None:
                yield Fault(f"{here}.emax", *wrong)
            if effect.half is None and (dosed or who != parent):
                found = "a concentration, as the drug is given by dose"
                wanted = found if who == parent else "a concentration: nobody holds a metabolite"
                yield Fault(f"{here}.half", "nothing", wanted)
            if effect.half is not None and not species:
                yield Fault(
                    f"{here}.half", "a concentration of no species", "the drug under `species`"
                )


def changes(
    targets: Mapping[str, Effects],
    parent: str | None,
    brain_uM: Mapping[str, npt.ArrayLike],
    held: npt.ArrayLike,
    acting: Iterable[str | None],
) -> dict[str, list[Array]]:
    """Target -> the changes that one drug's `acting` species make, emax x occupancy each.

    brain_uM: species -> unbound concentrations (times,). held: occupancy at which the drug itself
    is held besides, (times,).
    """
    may_act, found = set(acting), dict[str, list[Array]]()
    for name, effects in targets.items():
        for who, effect in by_species(effects, parent).items():
            if who not in may_act:
                continue
            free = 1 - np.asarray(held, float) if who == parent else np.ones(np.shape(held))
            if effect.half is not None and who is not None and who in brain_uM:
                half_uM = float(effect.half)
                free = free * half_uM / (half_uM + np.asarray(brain_uM[who], float))
            found.setdefault(name, []).append(float(effect.emax) * (1 - free))
    return found


def combined(parts: Iterable[Mapping[str, list[Array]]]) -> dict[str, Array]:
    """Target -> its value under the `changes` of all drugs. Targets nobody touches are absent."""
    every: dict[str, list[Array]] = {}
    for part in parts:
        for name, some in part.items():
            every.setdefault(name, []).extend(some)
    return {name: np.asarray(target(name).combined(some)) for name, some in every.items()}
