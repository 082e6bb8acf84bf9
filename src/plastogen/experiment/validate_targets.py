"""In: the conditions of an experiment. Out: what is wrong with the targets of its drugs.

No target is accepted that does nothing in any arm, and no arm may drive one past its bounds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

from plastogen._base.quantity import Fault
from plastogen._base.text import nearest
from plastogen.errors import Problem
from plastogen.experiment.resolve import Condition, OpenExperiment
from plastogen.model.pharmacology import Drug, by_species, effect_paths, target
from plastogen.simulation import reaches, targets_of


def validate_targets(opened: OpenExperiment, conditions: Sequence[Condition]) -> Iterator[Problem]:
    """Targets that do nothing in any of the conditions, at the drug's file; and arms whose drugs
    together take one past its bounds.
    """
    idle: dict[tuple[str, str], Fault] = {}
    moving, reached = set[tuple[str, str]](), dict[tuple[int, int, str], bool]()
    for condition in conditions:
        for name in {treatment.drug for treatment in condition.treatments.values()}:
            for path, fault in _idle(condition, name, reached):
                if fault is None:
                    moving.add((name, path))
                else:
                    idle.setdefault((name, path), fault)
    for (name, path), fault in idle.items():
        if (name, path) not in moving:
            document = opened.models.document("drugs", name)
            yield document.problem(path, fault.found, fault.wanted, fault.nearest)
    highest: dict[tuple[str, str], float] = {}
    for condition in conditions:
        for name, most in _highest(condition).items():
            key = condition.arm, name
            highest[key] = max(most, highest.get(key, most))
    for (arm, name), most in highest.items():
        if most > target(name).most:
            found = f"drugs that together can take {name} to {most:g} times its own"
            wanted = f"at most {target(name).most} times"
            yield opened.document.problem(f"arms.{arm}", found, wanted)


def _idle(
    condition: Condition, name: str, reached: dict[tuple[int, int, str], bool]
) -> Iterator[tuple[str, Fault | None]]:
    """Path within the drug's file of each effect, and why it does nothing in a condition, or None.

    `reached`: what was found so far of circuits and plasticities, which conditions share.
    """
    drug, circuit, plasticity = condition.drugs[name], condition.circuit, condition.plasticity
    for moved, effects in drug.targets.items():
        key = id(circuit), id(plasticity), moved
        if key not in reached:
            reached[key] = reaches(circuit, plasticity, moved)
        for who, path in effect_paths(moved, effects, drug.parent).items():
            if not reached[key]:
                known = targets_of(circuit)
                wanted = f"a target it has: {', '.join(known)}"
                found = f"a target that does nothing in the circuit of {condition.arm}"
                yield path, Fault("", found, wanted, nearest(moved, known))
            else:
                yield path, _never_there(condition, name, drug, who)


def _never_there(condition: Condition, name: str, drug: Drug, who: str | None) -> Fault | None:
    """Why a species of a drug acts on nothing in a condition."""
    if who == drug.parent:
        return None
    if condition.setting.switches.metabolites == "off":
        return Fault("", f"an effect of {who}", "switches.metabolites: on, in some arm")
    if not any(t.dose is not None for t in condition.treatments.values() if t.drug == name):
        return Fault("", f"an effect of {who}", f"an arm with a dose, from which {who} is made")
    kinetics = drug.kinetics_for(condition.subject.species, condition.subject.kinetics)
    if kinetics is None or who not in kinetics.metabolites:
        return Fault(
            "", f"an effect of {who}", f"kinetics that make it in a {condition.subject.species}"
        )
    return None


def _highest(condition: Condition) -> dict[str, float]:
    """Factor -> the most that all drugs of a condition can make of it, if all act in full."""
    ups: dict[str, list[float]] = {}
    for name in {treatment.drug for treatment in condition.treatments.values()}:
        drug = condition.drugs[name]
        for moved, effects in drug.targets.items():
            if target(moved).kind == "factor":
                found = by_species(effects, drug.parent).values()
                ups.setdefault(moved, []).extend(max(1, 1 + float(e.emax)) for e in found)
    on_all = ups.get("nmdar", [])
    return {
        name: prod(own) * (prod(on_all) if name.startswith("nmdar.") else 1)
        for name, own in ups.items()
    }
