"""In: a treatment as an experiment writes it. Out: what enters the body and when, or the level that
is held.

A treatment is one of three things: a `dose` by a `route` (an amount, or with `over` an amount a
time, such as `0.5 mg/kg/h`); an `occupancy` of a tool drug's target,
held for a time; an unbound `brain` concentration, held for a time (a slice bath). Times are hours.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, model_validator

from plastogen._base.definition import Definition
from plastogen._base.quantity import LARGEST, SMALLEST, Fault, Given, Quantity, faulty

DAY_H = 24
LONGEST_H = 24 * 3660  # ten years: of anything that an experiment times
MOST_REPEATS = 10_000
MOST_UM = 100_000  # a tenth molar: more is a slip of units
UMOL_PER_MMOL = 1000.0
RATES = ("mg/kg/h", "mg/h", "umol/kg/h", "umol/h")
NOW = Quantity(0.0, "h", "0 h")
SHORTEST_H = 1 / 10_000  # a third of a second: what is shorter falls between the times of a course
Duration = Annotated[Quantity, Given("h", minimum=SHORTEST_H, maximum=LONGEST_H)]
Moment = Annotated[Quantity, Given("h", minimum=-LONGEST_H, maximum=LONGEST_H)]


@dataclass(frozen=True)
class Input:
    """One administration of `amount_mg`: at once (duration 0) or at a constant rate over
    `duration_h`.
    """

    route: str
    start_h: float
    duration_h: float
    amount_mg: float


@dataclass(frozen=True)
class Hold:
    """A level held from `start_h` up to, not including, `end_h`: an occupancy or a concentration,
    uM.
    """

    start_h: float
    end_h: float
    level: float


class Treatment(Definition):
    """One entry of `give:` in an experiment."""

    drug: str
    dose: (
        Annotated[
            Quantity,
            Given("mg/kg", alternatives=("mg",), also=("umol/kg", "umol", *RATES), minimum=0),
        ]
        | None
    ) = None
    occupancy: Annotated[Quantity, Given("1", minimum=0, maximum=1)] | None = None
    brain: Annotated[Quantity, Given("uM", minimum=0, maximum=MOST_UM)] | None = None
    route: str | None = None
    over: Duration | None = None
    at: Moment = NOW
    held: Duration | None = Field(default=None, alias="for")
    every: Duration | None = None
    times: int = Field(default=1, ge=1, le=MOST_REPEATS)
    escalate: Annotated[Quantity, Given("1", above=0)] | None = None
    confirm: bool = False  # a dose far above the usual ones is meant

    @model_validator(mode="after")
    def _one_thing(self) -> Treatment:
        faults = list(self._faults())
        if faults:
            raise faulty(faults)
        return self

    def _faults(self) -> Iterator[Fault]:
        ways = [name for name in ("dose", "occupancy", "brain") if getattr(self, name) is not None]
        if len(ways) != 1:
            found = " and ".join(ways) or "none of dose, occupancy, brain"
            yield Fault("", found, "exactly one of dose, occupancy or brain")
            return
        (way,) = ways
        if way == "dose":
            if self.route is None:
                yield Fault("route", "nothing", "the route of the dose, such as iv")
            if self.dose is not None and self.dose.unit in RATES and self.over is None:
                yield Fault(
                    "over", "nothing", f"how long {self.dose.text} goes in, such as '40 min'"
                )
            if self.held is not None:
                wanted = (
                    "`over` for the time a dose takes; `for` goes with an occupancy or brain level"
                )
                yield Fault("for", f"'{self.held.text}' beside a dose", wanted)
        else:
            if self.held is None:
                yield Fault("for", "nothing", f"how long the {way} is held, such as '4 h'")
            for name in ("route", "over", "escalate", "confirm"):
                if getattr(self, name) not in (None, False):
                    yield Fault(name, f"`{name}` beside {way}", f"`{name}` only beside a dose")
        yield from self._impossible_times()

    def _impossible_times(self) -> Iterator[Fault]:
        if self.every is not None and self.times == 1:
            found = "1" if "times" in self.model_fields_set else "nothing"
            yield Fault("times", found, "2 or more, beside `every`")
        if self.times > 1 and self.every is None:
            yield Fault("every", "nothing", f"the time between {self.times} times, such as '1 d'")
        if self.times == 1 and self.escalate is not None:
            yield Fault(
                "escalate", "a factor per repeat without repeats", "`every` and `times` beside it"
            )
        if self.escalate is not None and self.dose is not None and self.times > 1:
            steps = math.log(LARGEST / max(float(self.dose), SMALLEST))
            if (self.times - 1) * math.log(float(self.escalate)) > steps:
                found = f"{self.escalate.text}, {self.times - 1} times over"
                yield Fault("escalate", found, f"doses of at most {LARGEST:g} {self.dose.unit}")
        for name, length in (("over", self.over), ("for", self.held)):
            if self.every is not None and length is not None and float(self.every) < float(length):
                wanted = f"a time no shorter than `{name}`, {length.text}: repeats must not overlap"
                yield Fault("every", f"'{self.every.text}'", wanted)

    @property
    def leaps(self) -> bool:
        """Whether the drug is in the blood at once."""
        return self.dose is not None and self.route == "iv" and self.over is None

    @property
    def length_h(self) -> float:
        """How long each repeat lasts, h; 0 for what is given at once."""
        length = self.over or self.held
        return float(length) if length is not None else 0.0

    def starts_h(self) -> tuple[float, ...]:
        """When each repeat begins, h."""
        step = float(self.every) if self.every is not None else 0.0
        return tuple(float(self.at) + i * step for i in range(self.times))


def inputs(treatment: Treatment, weight_kg: float, molar_mass: float) -> tuple[Input, ...]:
    """What a treatment by dose gives of a drug of `molar_mass`, g/mol, to a body of `weight_kg`;
    nothing for an occupancy or a brain level.
    """
    if treatment.dose is None or treatment.route is None:
        return ()
    over_h = float(treatment.over) if treatment.over is not None else 0.0
    first_mg = mass_mg(treatment.dose, weight_kg, molar_mass, over_h)
    factor = float(treatment.escalate) if treatment.escalate is not None else 1.0
    return tuple(
        Input(treatment.route, start_h, over_h, first_mg * factor**i)
        for i, start_h in enumerate(treatment.starts_h())
    )


def mass_mg(dose: Quantity, weight_kg: float, molar_mass: float, over_h: float = 0.0) -> float:
    """What a dose in any of its units is for a body of `weight_kg`; a rate lasts `over_h`."""
    amount, *per = dose.unit.split("/")
    mass = float(dose) * (molar_mass / UMOL_PER_MMOL if amount == "umol" else 1)
    return mass * (weight_kg if "kg" in per else 1) * (over_h if "h" in per else 1)


def holds(treatment: Treatment) -> tuple[Hold, ...]:
    """The levels a treatment by occupancy or brain concentration holds; nothing for a dose."""
    level = treatment.occupancy if treatment.occupancy is not None else treatment.brain
    if level is None or treatment.held is None:
        return ()
    return tuple(
        Hold(start, start + float(treatment.held), float(level)) for start in treatment.starts_h()
    )


def event_times(
    treatments: Iterable[Treatment], stress: Iterable[tuple[float, float, float]] = ()
) -> tuple[float, ...]:
    """When anything that is given, or stress of (start, end, level), starts or stops: h, sorted."""
    times = {t for start, end, _ in stress for t in (start, end)}
    for treatment in treatments:
        for start in treatment.starts_h():
            times |= {start, start + treatment.length_h}
    return tuple(sorted(times))
