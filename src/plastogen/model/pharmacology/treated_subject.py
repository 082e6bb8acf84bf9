"""In: drugs, treatments, subject, stress. Out: what a course needs of them at any time, as arrays
over time.

Concentrations, occupancy, effects on targets and stress are known beforehand, whatever the circuit
does; only block of NMDA receptors depends on activity, so here stand its blockers and their
concentrations.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

from plastogen.model.pharmacology.drug import Drug, exposure, held_occupancy
from plastogen.model.pharmacology.kinetics import Concentrations
from plastogen.model.pharmacology.magnesium import by_current
from plastogen.model.pharmacology.nmda_block import NmdarBlock, occupancy_readout
from plastogen.model.pharmacology.regimen import Treatment
from plastogen.model.pharmacology.subject import Subject
from plastogen.model.pharmacology.targets import by_pool, by_species, changes, combined

Array = npt.NDArray[np.float64]
Span = tuple[float, float, float]  # start h, end h, level


class TreatedSubject:
    """A subject and all that is given to it."""

    def __init__(
        self,
        subject: Subject,
        drugs: Mapping[str, Drug],
        treatments: Mapping[str, Treatment],
        stress: Iterable[Span] = (),
        *,
        metabolites: bool = True,
        pools: Mapping[str, Mapping[str, float]] | None = None,
        currents: Mapping[str, npt.ArrayLike] | None = None,
    ) -> None:
        """`metabolites` False: only parent drugs act (metabolites are still made and shown).
        `pools`: those of the subject's circuit, subunit -> share, for what acts on subunits;
        `currents`: pool -> current of a unit of conductance of each of SUBUNITS.
        """
        self.subject, self.stress_events = subject, tuple(stress)
        self.metabolites = metabolites
        self._pools = {name: subject.mix(shares) for name, shares in (pools or {}).items()}
        if currents is not None:
            self._pools = {n: by_current(mix, currents[n]) for n, mix in self._pools.items()}
        self._given = {
            name: (drug, [t for t in treatments.values() if t.drug == name])
            for name, drug in drugs.items()
        }
        self._exposure = {
            name: exposure(drug, subject, given) for name, (drug, given) in self._given.items()
        }
        self.blockers: dict[str, NmdarBlock] = {
            species: block
            for drug in drugs.values()
            for species, block in drug.actions.nmdar.items()
            if metabolites or species == drug.parent
        }
        moved = {
            name: 1.0
            for drug in drugs.values()
            for name, effects in drug.targets.items()
            if any(who in self._acting(drug) for who in by_species(effects, drug.parent))
        }
        self.target_names = tuple(by_pool(moved, self._pools))  # those of `targets`, at any time

    def _acting(self, drug: Drug) -> tuple[str | None, ...]:
        """The species of a drug that act on targets."""
        return (drug.parent, *drug.species) if self.metabolites else (drug.parent,)

    @property
    def species(self) -> tuple[str, ...]:
        """Every species with a concentration."""
        return tuple(name for found in self._exposure.values() if found for name in found.species)

    def concentrations(self, t_h: npt.ArrayLike) -> Concentrations:
        """Venous and arterial plasma (ng/mL) and unbound brain (uM) of every species at `t_h`."""
        times = np.asarray(t_h, float)
        plasma: dict[str, Array] = {}
        arterial: dict[str, Array] = {}
        brain: dict[str, Array] = {}
        for found in self._exposure.values():
            if found:
                at = found.at(times)
                plasma |= at.plasma_ng_ml
                arterial |= at.arterial_ng_ml
                brain |= at.brain_uM
        return Concentrations(times, plasma, arterial, brain)

    def blocker_uM(self, t_h: npt.ArrayLike) -> Array:
        """Unbound brain concentrations of the blockers, (times, blockers), in the order of
        `blockers`.
        """
        brain = self.concentrations(t_h).brain_uM
        times = np.asarray(t_h, float)
        columns = [brain.get(name, np.zeros(times.shape)) for name in self.blockers]
        return np.stack(columns, -1) if columns else np.zeros((*times.shape, 0))

    def written(self, t_h: npt.ArrayLike) -> dict[str, Array]:
        """What is written down of it at `t_h`: concentrations (times, species), occupancy and
        stress (times).
        """
        at, none = self.concentrations(t_h), np.zeros((*np.shape(t_h), 0))

        def of_species(levels: Mapping[str, Array]) -> Array:
            return np.stack([levels[s] for s in self.species], -1) if self.species else none

        return {
            "plasma_ng_ml": of_species(at.plasma_ng_ml),
            "arterial_ng_ml": of_species(at.arterial_ng_ml),
            "brain_uM": of_species(at.brain_uM),
            "occupancy": self.occupancy(t_h),
            "stress": self.stress(t_h),
        }

    def occupancy(self, t_h: npt.ArrayLike) -> Array:
        """The [3H]MK-801 readout at `t_h`, all drugs at one site: shown beside block, never fed to
        the circuit.
        """
        times = np.asarray(t_h, float)
        halves = np.zeros(times.shape)  # concentrations, in units of their halves
        for name, (drug, _) in self._given.items():
            found, half = self._exposure[name], drug.actions.occupancy_half
            if found and half is not None:
                halves = halves + found.at(times).brain_uM[found.parent] / float(half)
        return occupancy_readout(halves, 1.0)

    def targets(self, t_h: npt.ArrayLike) -> dict[str, Array]:
        """Target -> its value at `t_h` (`targets.TARGETS`); effects on subunits stand as those on
        pools. Targets nobody touches are absent.
        """
        times = np.asarray(t_h, float)

        def by(name: str) -> dict[str, list[Array]]:
            drug, given = self._given[name]
            found = self._exposure[name]
            brain = found.at(times).brain_uM if found and drug.targets else {}
            held = held_occupancy(given, times)
            return changes(drug.targets, drug.parent, brain, held, self._acting(drug))

        return by_pool(combined(by(name) for name in self._given), self._pools)

    def stress(self, t_h: npt.ArrayLike) -> Array:
        """Stress at `t_h`: the subject's own, or what an event sets it to meanwhile."""
        times = np.asarray(t_h, float)
        level = np.full(times.shape, float(self.subject.stress))
        for start, end, value in self.stress_events:
            level[(times >= start) & (times < end)] = value
        return level
