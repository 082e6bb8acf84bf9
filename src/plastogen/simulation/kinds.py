"""The kinds of runs there are, and which of them have what."""

from __future__ import annotations

from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["course", "spines", "induction", "ensembles", "spine_ensembles"]
OF_SPINES: tuple[Kind, ...] = ("spines", "spine_ensembles")  # in which each spine is followed
OF_ENSEMBLES: tuple[Kind, ...] = ("ensembles", "spine_ensembles")  # beside which some are taught
COURSES: tuple[Kind, ...] = ("course", "spines", "ensembles", "spine_ensembles")


def kind_of(*, induction: bool, ensembles: bool, each: bool) -> Kind:
    """What a run is: whether it is an induction, has ensembles beside it, follows each spine."""
    if induction:
        return "induction"
    if ensembles:
        return "spine_ensembles" if each else "ensembles"
    return "spines" if each else "course"
