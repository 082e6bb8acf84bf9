"""In: doses and held levels. Out: drug and metabolites in plasma and unbound in the brain, at any
time.

Linear compartments solved exactly by the matrix exponential: depots of the routes, a central and
peripheral compartments of the parent, one of each metabolite, the brain as an effect site of each
species, veins that follow the parent's arteries, and what has been eliminated. Amounts are kept in
umol, so formation of metabolites conserves them.

The central compartment is arterial blood, which the brain sees. Venous blood, which most studies
sampled, is a sum of delayed copies of it (Kamp 2020 has two delays), so both have the area F dose /
clearance. Where a set has no delays they are one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from plastogen._base.definition import Definition
from plastogen._base.quantity import Fault, In, Quantity, faulty
from plastogen._base.text import any_of, nearest
from plastogen.model.pharmacology.regimen import UMOL_PER_MMOL, Hold, Input

Array: TypeAlias = npt.NDArray[np.float64]
Animal: TypeAlias = Literal["human", "rat", "mouse"]

MIN_PER_H = 60.0
EIGEN_TOLERANCE = 1e-12  # of the largest rate: how well eigenvectors must rebuild a rate matrix
SHARE_TOLERANCE = 1e-9  # how far shares of a dose or of a clearance may add up to more than 1

Share = Annotated[Quantity, In("1", minimum=0, maximum=1)]
Volume = Annotated[Quantity, In("L", above=0)]
Flow = Annotated[Quantity, In("L/min", above=0)]
Positive = Annotated[Quantity, In("1", above=0)]


class Peripheral(Definition):
    """A compartment that exchanges drug with the central one."""

    volume: Volume
    flow: Flow


class VenousDelay(Definition):
    """A part of venous blood and the mean time by which it follows arterial blood."""

    share: Share
    time: Annotated[Quantity, In("min", above=0)]


class Route(Definition):
    """How a dose reaches the central compartment: at once, or from a depot emptied at rate
    `absorption`.

    `first_pass`: share of the dose that arrives as each metabolite; `swallowed`: share that takes
    the oral route instead (a nasal spray). What neither `bioavailability` nor `first_pass` accounts
    for is lost.
    """

    bioavailability: Share
    absorption: Annotated[Quantity, In("1/min", above=0)] | None = None
    first_pass: dict[str, Share] = Field(default_factory=dict)
    swallowed: Share | None = None


class Metabolite(Definition):
    """A species formed from another; `fraction` is the share of that one's clearance which forms
    it.
    """

    origin: str = Field(alias="from")
    fraction: Share
    volume: Volume
    clearance: Flow
    unbound_fraction: Share
    brain_partition: Positive


class Kinetics(Definition):
    """One parameter set of one drug in one animal species. Volumes go with body weight, clearances
    and flows with its power `clearance_exponent` (in proportion where there is none): between
    subjects of one species, never from one set to another.
    """

    reference_weight: Annotated[Quantity, In("kg", above=0)]
    central_volume: Volume
    clearance: Flow
    clearance_exponent: Annotated[Quantity, In("1", above=0)] | None = None
    peripheral: tuple[Peripheral, ...] = ()
    venous: tuple[VenousDelay, ...] = ()  # none: one concentration stands for all blood
    effect_site_half_life: Annotated[Quantity, In("min", above=0)]
    unbound_fraction: Share
    brain_partition: Positive
    routes: dict[str, Route]
    metabolites: dict[str, Metabolite] = Field(default_factory=dict)
    note: str | None = None

    @model_validator(mode="after")
    def _adds_up(self) -> Kinetics:
        faults = [*self._venous_faults(), *self._route_faults(), *self._metabolite_faults()]
        if faults:
            raise faulty(faults)
        return self

    def _venous_faults(self) -> Iterable[Fault]:
        total = sum(float(delay.share) for delay in self.venous)
        if self.venous and abs(total - 1) > SHARE_TOLERANCE:
            yield Fault("venous", f"shares adding to {total:g}", "shares adding to 1")

    def _route_faults(self) -> Iterable[Fault]:
        for name, route in self.routes.items():
            for metabolite in route.first_pass:
                if metabolite not in self.metabolites:
                    near = nearest(metabolite, self.metabolites)
                    at = f"routes.{name}.first_pass.{metabolite}"
                    yield Fault(at, f"'{metabolite}'", "a name under metabolites", near)
            total = float(route.bioavailability) + sum(map(float, route.first_pass.values()))
            if total > 1 + SHARE_TOLERANCE:
                wanted = "bioavailability and first_pass adding to at most 1"
                yield Fault(f"routes.{name}", f"shares adding to {total:g}", wanted)
            if route.swallowed is not None and (name == "oral" or "oral" not in self.routes):
                wanted = "another route, called oral, for it"
                yield Fault(f"routes.{name}.swallowed", "a swallowed share", wanted)

    def _metabolite_faults(self) -> Iterable[Fault]:
        formed: dict[str, float] = {}
        for name, metabolite in self.metabolites.items():
            formed[metabolite.origin] = formed.get(metabolite.origin, 0.0) + float(
                metabolite.fraction
            )
            if formed[metabolite.origin] > 1 + SHARE_TOLERANCE:
                found = f"fractions of {metabolite.origin} adding to {formed[metabolite.origin]:g}"
                yield Fault(f"metabolites.{name}.fraction", found, "at most 1")

    def origins(self) -> set[str]:
        """What metabolites come from and is none itself: the drug alone, if the file is right."""
        return {m.origin for m in self.metabolites.values()} - set(self.metabolites)


@dataclass(frozen=True)
class Concentrations:
    """Concentrations at times `t_h`, species -> array of the shape of `t_h`: `plasma_ng_ml` in
    venous blood, `arterial_ng_ml` in arterial blood (both total), `brain_uM` unbound.
    """

    t_h: Array
    plasma_ng_ml: dict[str, Array]
    arterial_ng_ml: dict[str, Array]
    brain_uM: dict[str, Array]


class _Body:
    """Compartments and rate matrix (1/h) of one drug in one body; columns are sources, rows
    destinations.
    """

    def __init__(
        self, kinetics: Kinetics, parent: str, weight_kg: float, routes: Iterable[str]
    ) -> None:
        scale = weight_kg / float(kinetics.reference_weight)
        exponent = kinetics.clearance_exponent
        flow_scale = scale ** float(exponent) if exponent is not None else scale
        self.kinetics, self.species = kinetics, (parent, *kinetics.metabolites)
        self.depots = [r for r in routes if kinetics.routes[r].absorption is not None]
        peripheral = [f"{parent}.peripheral.{i}" for i in range(len(kinetics.peripheral))]
        masses = [*(f"{r}.depot" for r in self.depots), *self.species, *peripheral, "eliminated"]
        self.masses = tuple(masses)
        self.veins = [f"{parent}.venous.{i}" for i in range(len(kinetics.venous))]
        sites = [*(f"{s}.brain" for s in self.species), *self.veins]
        self.index = {name: i for i, name in enumerate([*masses, *sites])}
        self.volume_L = {parent: float(kinetics.central_volume) * scale}
        clearance = {parent: float(kinetics.clearance) * flow_scale}
        unbound = {parent: float(kinetics.unbound_fraction) * float(kinetics.brain_partition)}
        for name, m in kinetics.metabolites.items():
            self.volume_L[name] = float(m.volume) * scale
            clearance[name] = float(m.clearance) * flow_scale
            unbound[name] = float(m.unbound_fraction) * float(m.brain_partition)
        self.unbound_in_brain = unbound
        self.matrix = np.zeros((len(self.index), len(self.index)))
        for name in self.species:
            self._leaves(name, clearance[name] / self.volume_L[name], self._products(name))
        for name, p in zip(peripheral, kinetics.peripheral, strict=True):
            flow = float(p.flow) * flow_scale
            self._leaves(parent, flow / self.volume_L[parent], {name: 1.0})
            self._leaves(name, flow / (float(p.volume) * scale), {parent: 1.0})
        for route in self.depots:
            rate = kinetics.routes[route].absorption
            assert rate is not None
            self._leaves(f"{route}.depot", float(rate), self._arrivals(route))
        ke0 = np.log(2) / float(kinetics.effect_site_half_life)
        for name in self.species:
            self._follows(f"{name}.brain", name, ke0)
        for name, delay in zip(self.veins, kinetics.venous, strict=True):
            self._follows(name, parent, 1 / float(delay.time))

    def _follows(self, site: str, source: str, rate_per_min: float) -> None:
        """`site` comes to what is in `source` and holds no mass."""
        self.matrix[self.index[site], self.index[source]] += rate_per_min * MIN_PER_H
        self.matrix[self.index[site], self.index[site]] -= rate_per_min * MIN_PER_H

    def venous(self, amounts: Array, name: str) -> Array:
        """What is in venous blood as if all of `name` were as thin as there, umol: (times,)."""
        if not self.veins or name != self.species[0]:
            return np.asarray(amounts[:, self.index[name]])
        parts = zip(self.veins, self.kinetics.venous, strict=True)
        return np.asarray(sum(float(d.share) * amounts[:, self.index[v]] for v, d in parts))

    def _leaves(self, source: str, rate_per_min: float, shares: Mapping[str, float]) -> None:
        column = self.index[source]
        self.matrix[column, column] -= rate_per_min * MIN_PER_H
        for name, share in shares.items():
            self.matrix[self.index[name], column] += rate_per_min * MIN_PER_H * share

    def _products(self, source: str) -> dict[str, float]:
        formed = {
            n: float(m.fraction) for n, m in self.kinetics.metabolites.items() if m.origin == source
        }
        return {**formed, "eliminated": 1 - sum(formed.values())}

    def _arrivals(self, route: str) -> dict[str, float]:
        """Where a dose by `route` ends up once absorbed: destination -> share."""
        r = self.kinetics.routes[route]
        arriving = {name: float(share) for name, share in r.first_pass.items()}
        arriving[self.species[0]] = float(r.bioavailability)
        return {**arriving, "eliminated": 1 - sum(arriving.values())}

    def entry(self, route: str) -> Array:
        """Share of a dose by `route` that enters each compartment."""
        swallowed = self.kinetics.routes[route].swallowed
        down = float(swallowed) if swallowed is not None else 0.0
        into = np.zeros(len(self.index))
        for way, share in ((route, 1 - down), ("oral", down)):
            if share:
                arrivals = {f"{way}.depot": 1.0} if way in self.depots else self._arrivals(way)
                for name, part in arrivals.items():
                    into[self.index[name]] += share * part
        return into


class _Flow:
    """Exact solutions of dx/dt = A x + r: by eigenvectors, or by matrix exponentials where those
    are too close.
    """

    def __init__(self, matrix: Array) -> None:
        self.matrix = matrix
        self._values, self._vectors = np.linalg.eig(matrix)
        size = np.abs(matrix).max()
        try:
            self._inverse = np.linalg.inv(self._vectors)
            rebuilt = (self._vectors * self._values) @ self._inverse
            self._simple = bool(np.abs(rebuilt - matrix).max() <= EIGEN_TOLERANCE * size)
        except np.linalg.LinAlgError:
            self._simple = False

    def after(self, x: Array, r: Array, t_h: Array) -> Array:
        """The states that `x` under constant input `r` become after `t_h`: x, r (times, n), t_h
        (times,).
        """
        if self._simple:
            # sums, not matrix products: many small calls from several threads would make BLAS fight
            # for cores
            z = self._values * t_h[:, None]
            grown = np.where(z == 0, 1, np.expm1(z) / np.where(z == 0, 1, z)) * t_h[:, None]
            modes = [np.einsum("ij,tj->ti", self._inverse, part) for part in (x, r)]
            return np.asarray(
                np.einsum("ij,tj->ti", self._vectors, np.exp(z) * modes[0] + grown * modes[1]).real
            )
        n = len(self.matrix)
        generator = np.zeros((len(t_h), n + 1, n + 1))
        generator[:, :n, :n] = self.matrix
        generator[:, :n, n] = r
        from scipy.linalg import expm  # rarely needed, and slow to import

        steps = expm(generator * t_h[:, None, None])
        return np.asarray(np.einsum("tij,tj->ti", steps[:, :n, :n], x) + steps[:, :n, n])


class Exposure:
    """Concentrations of one drug and its metabolites in one subject; built once, asked at any
    times.
    """

    def __init__(
        self,
        kinetics: Kinetics | None,
        *,
        parent: str,
        inputs: Iterable[Input] = (),
        holds: Iterable[Hold] = (),
        molar_masses: Mapping[str, float],
        weight_kg: float,
    ) -> None:
        """`molar_masses`: species -> g/mol. `holds`: unbound brain uM of the parent, added to the
        rest.

        Raises ValueError for doses without kinetics, an unknown route, or a species without a molar
        mass.
        """
        given = tuple(inputs)
        self.holds = tuple(holds)
        self.parent, self._molar_masses = parent, {k: float(v) for k, v in molar_masses.items()}
        self.species: tuple[str, ...] = (
            parent,
            *(kinetics.metabolites if kinetics is not None else ()),
        )
        for name in self.species:
            if name not in self._molar_masses:
                raise ValueError(f"found no molar mass of {name}, wanted one for each species")
        self._body: _Body | None = None
        self._starts = np.zeros(0)
        if given:
            if kinetics is None:
                raise ValueError(f"found a dose of {parent}, wanted kinetics for it")
            for name in {i.route for i in given} - set(kinetics.routes):
                raise ValueError(f"found the route {name}, wanted {any_of(kinetics.routes)}")
            used = {i.route for i in given}
            if any(kinetics.routes[name].swallowed is not None for name in used):
                used |= {"oral"}
            self._body = _Body(kinetics, parent, weight_kg, sorted(used))
            self._solve(self._body, given)

    def _solve(self, body: _Body, given: tuple[Input, ...]) -> None:
        """The state just after each event, and the constant input from there on."""
        n = len(body.index)
        starts = np.unique([e for i in given for e in (i.start_h, i.start_h + i.duration_h)])
        jumps, rates = np.zeros((len(starts), n)), np.zeros((len(starts), n))
        for dose in given:
            entry = (
                body.entry(dose.route)
                * dose.amount_mg
                / self._molar_masses[self.parent]
                * UMOL_PER_MMOL
            )
            if dose.duration_h:
                running = (starts >= dose.start_h) & (starts < dose.start_h + dose.duration_h)
                rates[running] += entry / dose.duration_h
            else:
                jumps[starts == dose.start_h] += entry
        self._starts, self._rates = starts, rates
        self._flow = _Flow(body.matrix)
        self._states = jumps
        for i, length in enumerate(np.diff(starts)):
            self._states[i + 1] += self._flow.after(
                self._states[i : i + 1], rates[i : i + 1], np.array([length])
            )[0]

    def _umol(self, t_h: Array) -> Array:
        """Contents of every compartment, umol, shape (times, compartments)."""
        assert self._body is not None
        amounts = np.zeros((len(t_h), len(self._body.index)))
        at = np.searchsorted(self._starts, t_h, side="right") - 1
        dosed = at >= 0
        if dosed.any():
            at, since = at[dosed], t_h[dosed] - self._starts[at[dosed]]
            amounts[dosed] = self._flow.after(self._states[at], self._rates[at], since)
        return np.maximum(amounts, 0)  # of rounding errors

    def at(self, t_h: npt.ArrayLike) -> Concentrations:
        """At times `t_h`, in any order; 0 before the first dose; a bolus is in at its own time."""
        times = np.asarray(t_h, float)
        zero = {name: np.zeros(times.shape) for name in self.species}
        plasma, arterial, brain = dict(zero), dict(zero), dict(zero)
        if self._body is not None:
            body, amounts = self._body, self._umol(times.ravel())
            for name in self.species:
                per_L = 1 / body.volume_L[name]
                ng_ml_per_umol = per_L * self._molar_masses[name]
                plasma[name] = (body.venous(amounts, name) * ng_ml_per_umol).reshape(times.shape)
                in_arteries = amounts[:, body.index[name]] * ng_ml_per_umol
                arterial[name] = in_arteries.reshape(times.shape)
                site_uM = amounts[:, body.index[f"{name}.brain"]] * per_L
                brain[name] = (site_uM * body.unbound_in_brain[name]).reshape(times.shape)
        for hold in self.holds:
            held = (times >= hold.start_h) & (times < hold.end_h)
            brain[self.parent] = brain[self.parent] + hold.level * held
        return Concentrations(times, plasma, arterial, brain)

    def amounts_mg(self, t_h: npt.ArrayLike) -> dict[str, Array]:
        """Contents of each compartment, "eliminated" too, as mg of parent; they add to the dose
        given.
        """
        times = np.asarray(t_h, float)
        if self._body is None:
            return {"eliminated": np.zeros(times.shape)}
        amounts = self._umol(times.ravel()) * self._molar_masses[self.parent] / UMOL_PER_MMOL
        return {
            name: amounts[:, i].reshape(times.shape)
            for name, i in self._body.index.items()
            if name in self._body.masses
        }
