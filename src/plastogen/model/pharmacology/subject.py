"""In: a file of models/subjects. Out: who is treated: species, weight, kinetics, stress,
inhibition, receptors.

A file may say how numbers vary between people (`varies:`): virtual subjects are drawn from it,
around the numbers as they stand in the models. Subject n is the same however many there are, in
every arm and whatever else varies.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from plastogen._base.definition import Definition
from plastogen._base.quantity import Fault, Given, In, Quantity, faulty
from plastogen._base.streams import stream
from plastogen.errors import QuantityError
from plastogen.model.pharmacology.kinetics import Animal

Array: TypeAlias = npt.NDArray[np.float64]
Factor = Annotated[Quantity, Given("1", above=0)]
NR2B = "GluN2B"
STREAM = "subject"


def _as_healthy() -> Quantity:
    return Quantity(
        1.0,
        "1",
        "1",
        source="assumed",
        evidence="assumed",
        note="by definition: as in the healthy adult",
    )


class Varied(Definition):
    """How one number differs between people, around the number as it stands in the models.

    lognormal: that number is the median; normal, beta (between 0 and 1): it is the mean; `cv` is
    the standard deviation over the mean. uniform, loguniform: anywhere in the number's `range:`.
    """

    distribution: Literal["lognormal", "normal", "beta", "uniform", "loguniform"]
    cv: Annotated[Quantity, In("1", above=0)] | None = None

    @model_validator(mode="after")
    def _spread_is_said_once(self) -> Varied:
        ranged = self.distribution in ("uniform", "loguniform")
        if ranged and self.cv is not None:
            raise faulty(
                [
                    Fault(
                        "cv",
                        self.cv.text,
                        f"none: {self.distribution} goes over the number's range",
                    )
                ]
            )
        if not ranged and self.cv is None:
            raise faulty(
                [Fault("cv", "nothing", "the standard deviation over the mean, with its source")]
            )
        return self

    def at(self, shares: Array, number: Quantity) -> Array:
        """The quantiles at `shares` (0..1), in the unit of `number`. Raises QuantityError where it
        allows none.
        """
        from scipy.special import betaincinv, ndtri

        centre = float(number)
        if self.cv is None:
            if number.range is None:
                raise QuantityError(
                    f"{number.text} without a range",
                    f"a range:, for {self.distribution} to go over",
                )
            low, high = number.range
            if self.distribution == "uniform":
                return np.asarray(low + shares * (high - low))
            if low <= 0:
                raise QuantityError(f"a range from {low:g}", "a range above 0, for loguniform")
            return np.asarray(low * (high / low) ** shares)
        cv = float(self.cv)
        if self.distribution == "normal":
            return np.asarray(centre * (1 + cv * ndtri(shares)))
        if self.distribution == "lognormal":
            return np.asarray(centre * np.exp(np.sqrt(np.log1p(cv**2)) * ndtri(shares)))
        total = (1 - centre) / (centre * cv**2) - 1 if 0 < centre < 1 else 0.0
        if total <= 0:
            most = (
                ""
                if not 0 < centre < 1
                else f", with a cv below {np.sqrt((1 - centre) / centre):.3g}"
            )
            raise QuantityError(
                f"{number.text} with a cv of {cv:g}", f"a mean between 0 and 1 for beta{most}"
            )
        return np.asarray(betaincinv(centre * total, (1 - centre) * total, shares))


def shares(path: str, count: int, seed: int) -> Array:
    """Where virtual subjects 1 to `count` stand in the distribution of the number at `path`, each
    0..1: (count,).

    From the stream `subject` of master seed `seed`, one of its own for every path: more subjects or
    more paths change nobody.
    """
    return np.random.default_rng(stream(seed, f"{STREAM}/{path}")).random(count)


class Subject(Definition):
    """Who is treated. `stress` 0..1 is ongoing: a stressed subject starts in the steady state of
    it.

    `inhibition`: factor on every GABA-A conductance. `glun2b`: factor on the share of GluN2B in
    every pool of NMDA receptors, the other subunits making room in proportion. Both are 1 in the
    healthy adult, whose set points hold.

    >>> subject = plastogen.load_model("subjects", "stressed_adult", set={"weight": "60 kg"})
    >>> float(subject.weight)
    60.0
    """

    title: str
    species: Animal
    weight: Annotated[Quantity, In("kg", above=0)]
    kinetics: str = "default"  # the name of a set in the drug's file
    stress: Annotated[Quantity, In("1", minimum=0, maximum=1)]
    inhibition: Factor = Field(default_factory=_as_healthy)
    glun2b: Factor = Field(default_factory=_as_healthy)
    varies: dict[
        str, Varied
    ] = {}  # dotted path of a number in any model -> how it differs between people
    note: str | None = None

    @property
    def at_set_points(self) -> bool:
        """Whether the healthy state is at rest in this subject; else a course begins in another
        resting state.
        """
        return float(self.stress) == 0 and float(self.inhibition) == 1

    def mix(self, shares: Mapping[str, float]) -> dict[str, float]:
        """The subunits of a pool in this subject: subunit -> share, adding up to 1 if `shares` (the
        circuit's) do.
        """
        old = shares.get(NR2B, 0.0)
        new = min(1.0, old * float(self.glun2b))
        if old in (0, 1) or new == old:
            return dict(shares)
        return {
            name: new if name == NR2B else share * (1 - new) / (1 - old)
            for name, share in shares.items()
        }
