"""In: what stands under `readouts:` in an experiment. Out: a `Readout`: a variable, a place in it
(class, pool, species or snapshot), and a moment, or a summary of a stretch of time.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import numpy as np
import pydantic
from numpy.typing import NDArray

from plastogen._base.definition import Definition
from plastogen._base.quantity import LARGEST, Fault, Given, Quantity, faulty
from plastogen._base.text import nearest, show
from plastogen._base.units import kind, parse
from plastogen.errors import QuantityError
from plastogen.simulation import READABLE, VARIABLES, Variable

Array: TypeAlias = NDArray[np.float64]
Take = Literal[
    "peak", "trough", "mean", "area", "onset", "duration", "time_of_peak", "time_of_trough"
]
START, END, PEAK = REFERENCES = "start", "end", "peak"
TIMES = ("onset", "duration", "time_of_peak", "time_of_trough")
_THRESHOLDED = ("onset", "duration")
REASON = "_reason"  # ends the name of why a readout that is a time has none
ERROR = "_se"  # ends the name of the emulator's standard error of a readout


class Readout(Definition):
    """One number from a course. Exactly one of `at`, `take` (both for courses) and `snapshot`.

    `above` or `below`: the threshold of an onset or a duration; of any other readout, whether its
    number is beyond: 1 or 0, so that its mean over virtual subjects is the share of those who
    respond.

    >>> readout = plastogen.check("mine").experiment.readouts["weight_2h"]
    >>> (readout.of, float(readout.at))
    ('weight', 2.0)
    """

    of: str
    class_: str | None = pydantic.Field(None, alias="class")
    pool: str | None = None
    species: str | None = None
    snapshot: str | None = None
    at: Annotated[Quantity, Given("h")] | None = None
    take: Take | None = None
    from_: Annotated[Quantity, Given("h")] | None = pydantic.Field(None, alias="from")
    until: Annotated[Quantity, Given("h")] | None = None
    relative_to: str | None = None
    as_: Literal["ratio", "difference"] = pydantic.Field("ratio", alias="as")
    above: float | str | None = None
    below: float | str | None = None
    title: str | None = None
    note: str | None = None

    @property
    def variable(self) -> Variable:
        return VARIABLES[self.of]

    @property
    def level_unit(self) -> str:
        """Unit of the level itself, after `relative_to`, before `take`."""
        return "1" if self.relative_to is not None and self.as_ == "ratio" else self.variable.unit

    @property
    def yes_no(self) -> bool:
        """Whether it says only if its number is beyond a threshold."""
        return self.take not in _THRESHOLDED and (self.above is not None or self.below is not None)

    @property
    def unit(self) -> str:
        """Unit of the number this readout gives."""
        return "1" if self.yes_no else self.number_unit

    @property
    def number_unit(self) -> str:
        """Unit of its number, before that is held against a threshold."""
        if self.take in TIMES:
            return "h"
        if self.take == "area":
            return "h" if self.level_unit == "1" else f"{self.level_unit} h"
        return self.level_unit

    @property
    def scale(self) -> float:
        """What is much of it, in `unit`: values apart by less than a millionth of it are equal."""
        return self.variable.size if self.unit.startswith(self.variable.unit) else 1.0

    @property
    def threshold_unit(self) -> str:
        """Unit of `above` and `below`."""
        return self.number_unit if self.yes_no else self.level_unit

    @property
    def threshold(self) -> float | None:
        """`above` or `below`, in `threshold_unit`; None without one."""
        written = self.above if self.above is not None else self.below
        return None if written is None else level(written, self.threshold_unit)

    @property
    def place(self) -> str | None:
        """The class, pool or species it reads, if its variable has one."""
        return self.class_ or self.pool or self.species

    @pydantic.model_validator(mode="after")
    def _consistent(self) -> Readout:
        if self.of not in READABLE:
            wanted = f"a variable: {', '.join(READABLE)}"
            raise faulty([Fault("of", show(self.of), wanted, nearest(self.of, READABLE))])
        faults = [*self._faults_of_place(), *self._faults_of_moment(), *self._faults_of_threshold()]
        if faults:
            raise faulty(faults)
        return self

    def _faults_of_place(self) -> list[Fault]:
        faults = []
        given = {"class": self.class_, "pool": self.pool, "species": self.species}
        wanted = {"class": "a class of cells", "pool": "a pool", "species": "a drug or metabolite"}
        for dim, word in given.items():
            if dim == self.variable.place:
                if word is None:
                    why = f"because {self.of} has one value for each"
                    faults.append(Fault(dim, "nothing", f"{wanted[dim]}, {why}"))
            elif word is not None:
                faults.append(Fault(dim, show(word), f"no {dim}: {self.of} has only one value"))
        return faults

    def _faults_of_moment(self) -> list[Fault]:
        if self.variable.of_snapshot:
            timed = {"at": self.at, "take": self.take, "from": self.from_, "until": self.until}
            faults = [
                Fault(
                    name,
                    show(getattr(value, "text", value)),
                    f"a snapshot instead: {self.of} is known only there",
                )
                for name, value in timed.items()
                if value is not None
            ]
            if self.snapshot is None:
                faults.append(
                    Fault("snapshot", "nothing", "the name of one of the experiment's snapshots")
                )
            return faults
        if self.snapshot is not None:
            return [
                Fault(
                    "snapshot",
                    show(self.snapshot),
                    f"at or take: {self.of} is a course, not a snapshot",
                )
            ]
        if (self.at is None) == (self.take is None):
            found = "neither at nor take" if self.at is None else "both at and take"
            return [Fault("", found, "one of them: `at: 24 h`, or `take: peak`")]
        if self.at is not None and (self.from_ is not None or self.until is not None):
            return [Fault("", "at together with from or until", "a moment, or a stretch with take")]
        if (
            self.from_ is not None
            and self.until is not None
            and float(self.until) <= float(self.from_)
        ):
            return [Fault("until", show(self.until.text), f"a time after {self.from_.text}")]
        if self.relative_to not in (None, *REFERENCES):
            near = nearest(str(self.relative_to), REFERENCES)
            return [
                Fault(
                    "relative_to",
                    show(self.relative_to),
                    "start, end or peak (of the course)",
                    near,
                )
            ]
        return []

    def _faults_of_threshold(self) -> list[Fault]:
        faults = []
        for name, value in (("above", self.above), ("below", self.below)):
            if value is None:
                continue
            try:
                level(value, self.threshold_unit)
            except QuantityError as error:
                faults.append(Fault(name, error.found, error.wanted, error.nearest))
        if self.above is not None and self.below is not None:
            faults.append(Fault("below", "above and below together", "one threshold"))
        return faults


def level(text: float | str, unit: str) -> float:
    """A level that a file gives, in `unit`: text with its unit; a bare number if `unit` is 1 or an
    area's.

    Raises QuantityError.
    """
    value = parse(text, "1" if " " in unit else unit)
    if abs(value) > LARGEST:
        wanted = f"{kind(unit)}, of a size of at most {LARGEST:g}"
        raise QuantityError(show(text), wanted + ("" if unit == "1" else f" {unit}"))
    return value
