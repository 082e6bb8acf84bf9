"""In: models/circuits/*.yaml. Out: a `Circuit`: its classes of cells, how they are wired, what
drives them.

Every number is a belief about one network and stands in the file; nothing here is a physiological
value. The file also says which classes and receptor pools there are: all else asks the circuit.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import cached_property
from typing import Annotated, Any, Literal, get_args

import pydantic

from plastogen._base.definition import Definition
from plastogen._base.quantity import Fault, In, Quantity, faulty
from plastogen._base.text import any_of, nearest, show
from plastogen.model.circuit.glutamate import Agonist, Fraction
from plastogen.model.pharmacology import SUBUNITS, Magnesium

Role = Literal["principal", "perisomatic", "dendritic", "other"]
ROLES: tuple[Role, ...] = get_args(Role)
POOL_KINDS = ("synaptic", "tonic", "rest")
UNHEARD = ("title", "regime", "note", "formula")  # parts of a circuit that no network hears of
PRINCIPAL = 0  # row of the principal class in every array by class
INHIBITORY_WEIGHT = "inhibitory_weight"  # number of a drive: of synapses onto principal cells
MOST_CELLS, MOST_SYNAPSES = 10**6, 10**8  # that a machine can hold
FINEST_STEP_MS = 0.001
CLASS_NAME = re.compile("[A-Za-z][A-Za-z0-9]{0,31}")  # a part of names in the network's equations
OTHERS = ("ampa", "nmda", "ext", "adapt", "pre", "post", "tonic", "rest")
LAWS = tuple(f"mg{k}" for k in range(len(SUBUNITS)))  # of Mg2+, as the network's equations say them
TAKEN = (*OTHERS, *SUBUNITS, *LAWS)  # mean other things

Share = Annotated[Quantity, In("1", minimum=0)]
Conductance = Annotated[Quantity, In("nS", minimum=0)]
Voltage = Annotated[Quantity, In("mV")]
Milliseconds = Annotated[Quantity, In("ms", above=0)]


class SubunitMix(Definition):
    """Share of each GluN2 subunit in a pool of NMDA receptors; the shares add up to 1."""

    GluN2A: Fraction | None = None
    GluN2B: Fraction | None = None
    GluN2C: Fraction | None = None
    GluN2D: Fraction | None = None

    @pydantic.model_validator(mode="after")
    def _whole(self) -> SubunitMix:
        total = sum(self.shares().values())
        if abs(total - 1) > SHARE_TOLERANCE:
            raise ValueError(f"shares that add up to {total:g}; they must add up to 1")
        return self

    def shares(self) -> dict[str, float]:
        """Subunit -> share of the pool, the absent left out."""
        return {
            name: float(q)
            for name in type(self).model_fields
            if (q := getattr(self, name)) is not None
        }


SHARE_TOLERANCE = 1e-9
STEP_TOLERANCE = 1e-6


class Pools(Definition):
    """NMDA receptors of a class: at synapses, outside them (tonic), and at synapses that only rest
    (minis).
    """

    synaptic: SubunitMix
    tonic: SubunitMix
    rest: SubunitMix | None = None


class Population(Definition):
    """One class of leaky integrate-and-fire cells.

    `role` is what the class does to the principal cells: it is one (principal), inhibits their cell
    bodies (perisomatic) or their dendrites (dendritic), or neither (other).
    """

    role: Role
    count: Annotated[int, pydantic.Field(gt=0, le=MOST_CELLS)]
    capacitance: Annotated[Quantity, In("pF", above=0)]
    leak: Annotated[Quantity, In("nS", above=0)]
    rest: Voltage
    threshold: Voltage
    reset: Voltage
    refractory: Annotated[Quantity, In("ms", minimum=0)]
    adaptation: Conductance
    background: Conductance
    tonic_nmda: Conductance
    nmdar: Pools

    @pydantic.model_validator(mode="after")
    def _ordered(self) -> Population:
        if not float(self.reset) < float(self.threshold):
            wanted = f"a voltage below the threshold of {self.threshold.text}"
            raise faulty([Fault("reset", self.reset.text, wanted)])
        return self


class Connection(Definition):
    """Synapses from one class to another: peak conductances of one event at one synapse."""

    source: str
    target: str
    probability: Annotated[Quantity, In("1", minimum=0, maximum=1)]
    ampa: Conductance | None = None
    nmda: Conductance | None = None
    gaba: Conductance | None = None


class Decays(Definition):
    """Time constants of the synaptic and adaptation conductances; `gaba` of each class that
    inhibits.
    """

    ampa: Milliseconds
    nmda: Milliseconds
    gaba: dict[str, Milliseconds]
    adaptation: Milliseconds


class Reversals(Definition):
    """Reversal potentials."""

    excitatory: Voltage
    inhibitory: Voltage
    potassium: Voltage


class Background(Definition):
    """Excitatory (AMPA) Poisson input from outside, one stream a cell, its strength spread between
    cells.
    """

    rate: Annotated[Quantity, In("Hz", minimum=0)]
    spread: Annotated[Quantity, In("1", minimum=0)]


class Formula(Definition):
    """The analytic stand-in for the network: log-sensitivity of each class's rate to each number of
    `Drive`. Where a file does not say that to `inhibitory_weight`, that to all GABA stands for it.
    """

    baseline_hz: dict[str, Annotated[Quantity, In("Hz", above=0)]]
    gain: dict[str, dict[str, Annotated[Quantity, In("1")]]]
    voltage: dict[str, Voltage]
    voltage_spread: Annotated[Quantity, In("mV", above=0)]

    def slope(self, cls: str, number: str) -> float:
        """Of the log rate of a class, by a number of `Drive`."""
        given = self.gain[cls]
        unsaid = number == INHIBITORY_WEIGHT and number not in given
        return float(given["gaba" if unsaid else number])


class Circuit(Definition):
    """A microcircuit, as written in models/circuits/*.yaml: principal cells and those that inhibit.

    `delay` is from threshold to effect: half a step of it, on average, a spike waits for the step
    it falls in to end.

    >>> circuit = plastogen.load_model("circuits", "small")
    >>> circuit.classes
    ('E', 'PV', 'SST')
    >>> list(circuit.pools())[0]
    'E.synaptic'
    """

    title: str
    regime: str
    note: str | None = None
    step: Annotated[Quantity, In("ms", minimum=FINEST_STEP_MS, maximum=1)]
    delay: Milliseconds
    silencing: Conductance
    decays: Decays
    reversals: Reversals
    magnesium: Magnesium
    agonist: Agonist
    background: Background
    populations: dict[str, Population]
    connections: list[Connection]
    formula: Formula

    @pydantic.model_validator(mode="after")
    def _consistent(self) -> Circuit:
        faults = [*self._faults_of_classes()]
        if not faults:  # all else is said in terms of the classes
            faults += [
                *_faults_of_keys(
                    "decays.gaba", self.decays.gaba, self.inhibitory, "a time constant"
                ),
                *self._faults_of_connections(),
                *self._faults_of_ambient(),
                *self._faults_of_size(),
                *self._faults_of_formula(),
            ]
        faults += self._faults_of_delay()
        if faults:
            raise faulty(faults)
        return self

    def _faults_of_classes(self) -> Iterator[Fault]:
        for name in self.populations:
            if not CLASS_NAME.fullmatch(name) or name in TAKEN:
                wanted = f"letters and digits, a letter first, and none of {', '.join(TAKEN)}"
                yield Fault(f"populations.{name}", show(name), wanted)
        named = self.of_role("principal")
        if len(named) != 1:
            found = f"{' and '.join(named) or 'no class'} with the role principal"
            yield Fault("populations", found, "exactly one class with the role principal")

    def _faults_of_connections(self) -> Iterator[Fault]:
        seen = set()
        for i, connection in enumerate(self.connections):
            at, pair = f"connections.{i}", (connection.source, connection.target)
            for end, name in zip(("source", "target"), pair, strict=True):
                if name not in self.populations:
                    wanted = any_of(self.classes)
                    yield Fault(f"{at}.{end}", repr(name), wanted, nearest(name, self.classes))
            yield from self._faults_of_transmitters(connection, at)
            if pair in seen:
                yield Fault(at, f"{pair[0]} to {pair[1]} again", "each pair once")
            seen.add(pair)

    def _faults_of_size(self) -> Iterator[Fault]:
        """More synapses than a machine can hold."""
        count = {name: population.count for name, population in self.populations.items()}
        synapses = sum(
            count.get(c.source, 0) * count.get(c.target, 0) * float(c.probability)
            for c in self.connections
        )
        if synapses > MOST_SYNAPSES:
            found, wanted = f"about {synapses:.2g} synapses", f"at most {MOST_SYNAPSES:.0e}"
            yield Fault("populations", found, f"{wanted}: fewer cells or connections")

    def _faults_of_transmitters(self, connection: Connection, at: str) -> Iterator[Fault]:
        """Principal cells excite, all others inhibit."""
        kinds = ("ampa", "nmda") if connection.source == self.principal else ("gaba",)
        for kind in ("ampa", "nmda", "gaba"):
            given = getattr(connection, kind) is not None
            if given and kind not in kinds:
                yield Fault(f"{at}.{kind}", "a conductance", f"only {' and '.join(kinds)} here")
            if not given and kind in kinds:
                yield Fault(f"{at}.{kind}", "nothing", "a conductance such as 0.25 nS")

    def _faults_of_ambient(self) -> Iterator[Fault]:
        """Cells whose tonic receptors are to follow a release that does not reach them."""
        if not self.agonist.vesicular_share:
            return
        for name, population in self.populations.items():
            wired = self.connection(self.principal, name)
            if float(population.tonic_nmda) and not (wired and float(wired.probability)):
                found = f"{population.tonic_nmda.text}, and no synapse from {self.principal}"
                wanted = "0 nS, or synapses: agonist.vesicular has tonic receptors follow them"
                yield Fault(f"populations.{name}.tonic_nmda", found, wanted)

    def _faults_of_formula(self) -> Iterator[Fault]:
        f = self.formula
        yield from _faults_of_keys("formula.baseline_hz", f.baseline_hz, self.classes, "a rate")
        yield from _faults_of_keys("formula.voltage", f.voltage, self.classes, "a voltage")
        yield from _faults_of_keys("formula.gain", f.gain, self.classes, "slopes")
        for name in (name for name in self.classes if name in f.gain):
            at = f"formula.gain.{name}"
            given = f.gain[name]
            wanted = [n for n in self.drive_numbers if n != INHIBITORY_WEIGHT or n in given]
            yield from _faults_of_keys(at, given, wanted, "a slope")

    def _faults_of_delay(self) -> Iterator[Fault]:
        steps = float(self.delay) / float(self.step) - 0.5
        if round(steps) < 1 or abs(steps - round(steps)) > STEP_TOLERANCE:
            possible = f"{float(self.step) * (max(round(steps), 1) + 0.5):g} ms"
            wanted = (
                "half a step (a spike waits for its step to end) and whole steps of"
                f" {self.step.text}: {possible}"
            )
            yield Fault("delay", self.delay.text, wanted)

    @property
    def wait_ms(self) -> float:
        """From the end of the step a spike falls in to its effect: whole steps, half a step less
        than `delay`.
        """
        return float(self.step) * round(float(self.delay) / float(self.step) - 0.5)

    @property
    def size(self) -> int:
        """Number of cells."""
        return sum(p.count for p in self.populations.values())

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, by role (as in ROLES) and then by name: the order of all arrays.

        It does not hang on the order in the file, as neither does the digest of a circuit.
        """
        return tuple(name for role in ROLES for name in self.of_role(role))

    @cached_property
    def principal(self) -> str:
        """The class of principal cells, the only one that excites."""
        return self.of_role("principal")[0]

    @cached_property
    def inhibitory(self) -> tuple[str, ...]:
        """The other classes, which inhibit, each with a conductance of its own."""
        return self.classes[PRINCIPAL + 1 :]

    @cached_property
    def drive_numbers(self) -> tuple[str, ...]:
        """Names of the numbers of a `Drive` this circuit has, in order."""
        by_class = [f"{kind}_{name}" for kind in ("nmda", "tonic") for name in self.classes]
        perisomatic = ("pv_output",) if self.of_role("perisomatic") else ()
        inhibited = (INHIBITORY_WEIGHT,) if self.inhibitory else ()
        factors = ("ampa", "gaba", "release", "recurrent", *inhibited, *perisomatic)
        return (*by_class, *factors, "silence")

    def of_role(self, role: Role) -> tuple[str, ...]:
        """Names of the classes with this role, sorted."""
        return tuple(sorted(name for name, p in self.populations.items() if p.role == role))

    def slices(self) -> dict[str, slice]:
        """Class -> its cells' places in every array over cells, in the order of `classes`."""
        found, start = {}, 0
        for name in self.classes:
            found[name] = slice(start, start + self.populations[name].count)
            start = found[name].stop
        return found

    def connection(self, source: str, target: str) -> Connection | None:
        """The connection from `source` to `target`, if there is one."""
        return next((c for c in self.connections if (c.source, c.target) == (source, target)), None)

    def heard(self) -> dict[str, Any]:
        """Name -> part of it, of all that a network hears of: neither words nor the formula."""
        return {
            name: getattr(self, name) for name in type(self).model_fields if name not in UNHEARD
        }

    def pools(self) -> dict[str, dict[str, float]]:
        """Pool name ("E.synaptic", ...) -> subunit -> share, in a fixed order."""
        return dict(self._pools)

    def subunit_shares(self, pool: str) -> list[float]:
        """Share of each of SUBUNITS in the conductance of a pool."""
        return [self._pools[pool].get(subunit, 0.0) for subunit in SUBUNITS]

    @property
    def magnesium_laws(self) -> dict[str, tuple[str, ...]]:
        """Law of Mg2+ -> the subunits that obey it; those that no pool of the network has are left
        out. Their number is compiled into the network, their values are not.
        """
        carrying = [mix for pool, mix in self._pools.items() if not pool.endswith(".rest")]
        there = {subunit for mix in carrying for subunit, share in mix.items() if share > 0}
        return dict(zip(LAWS, self.magnesium.alike(there), strict=False))

    @cached_property
    def _pools(self) -> dict[str, dict[str, float]]:
        return {
            f"{name}.{kind}": mix.shares()
            for name in self.classes
            for kind in POOL_KINDS
            if (mix := getattr(self.populations[name].nmdar, kind)) is not None
        }


def _faults_of_keys(
    at: str, given: Collection[str], names: Collection[str], what: str
) -> Iterator[Fault]:
    """What a mapping that has one value for each of `names` lacks, or has too much."""
    for name in given:
        if name not in names:
            listed = any_of(names) if names else "nothing here"
            yield Fault(f"{at}.{name}", show(name), listed, nearest(name, names))
    for name in names:
        if name not in given:
            yield Fault(f"{at}.{name}", "nothing", f"{what} for each of {', '.join(names)}")
