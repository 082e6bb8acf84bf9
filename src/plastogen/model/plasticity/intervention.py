"""In: the `intervene:` of an arm. Out: what is done to single spines, to which of them, and when.

An intervention either will `delete` spines at a time, as light does to those that carry a marker
(Hayashi-Takagi 2015, Moda-Sava 2019), or will `freeze` them from a time, which only a model can:
their sizes do not move, or none is born or lost. Which spines: a share of all, of those born since
a time, of those from or onto a group of cells, of those within an ensemble.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from plastogen._base.definition import Definition
from plastogen._base.quantity import Fault, Given, Quantity, faulty
from plastogen._base.streams import stream
from plastogen.model.pharmacology import Duration, Moment
from plastogen.model.plasticity.spine_table import STEP_H, Sites, SpineTable

Mask = npt.NDArray[np.bool_]
Members: TypeAlias = npt.NDArray[np.int64] | None
NOW, ALL = Quantity(0.0, "h", "0 h"), Quantity(1.0, "1", "100 %")
Share = Annotated[Quantity, Given("1", above=0, maximum=1)]
FROZEN = {"sizes": "sizes of", "turnover": "birth and loss of", "both": "sizes, birth and loss of"}


class Cells(Definition):
    """A group of principal cells: a `share` of all, drawn at random. The same name of a `draw` is
    the same cells in every arm of a seed, and a smaller share is a part of a larger one.
    """

    share: Share
    draw: str = Field("group", min_length=1, max_length=64)

    def members(self, cells: int, seed: int) -> Mask:
        """Which of `cells` are in it, (cells,); at least one."""
        order = np.random.default_rng(stream(seed, f"cells/{self.draw}")).permutation(cells)
        inside = np.zeros(cells, bool)
        inside[order[: max(1, round(float(self.share) * cells))]] = True
        return inside

    @property
    def words(self) -> str:
        return f"{self.share.text} of cells ('{self.draw}')"


class Intervention(Definition):
    """One entry of `intervene:` in an arm: exactly one of `delete` and `freeze`.

    `born_since`: only spines born after this time. `from`, `onto`: only those of which these are
    the presynaptic, or the postsynaptic, cells. `ensemble`: only those between cells of the
    ensemble with this number, the first is 1. `for`: how long it is frozen; to the end otherwise.
    Frozen are the sizes of spines that stand: those born later grow up.
    """

    delete: Literal["spines"] | None = None
    freeze: Literal["sizes", "turnover", "both"] | None = None
    share: Share = ALL
    born_since: Moment | None = None
    source: Cells | None = Field(None, alias="from")
    onto: Cells | None = None
    ensemble: int | None = Field(None, ge=1)
    at: Moment = NOW
    held: Duration | None = Field(None, alias="for")

    @model_validator(mode="after")
    def _one_thing(self) -> Intervention:
        faults = list(self._faults())
        if faults:
            raise faulty(faults)
        return self

    def _faults(self) -> Iterator[Fault]:
        if (self.delete is None) == (self.freeze is None):
            found = "neither delete nor freeze" if self.delete is None else "delete and freeze"
            yield Fault("", found, "exactly one of delete: spines or freeze")
        elif self.freeze is not None:
            if self.born_since is not None:
                wanted = "`born_since` only beside delete"
                yield Fault("born_since", f"'{self.born_since.text}' beside freeze", wanted)
            if self.held is not None and float(self.held) < STEP_H:
                wanted = f"at least '{STEP_H:g} h', in which single spines take a step"
                yield Fault("for", f"'{self.held.text}'", wanted)
        else:
            if self.held is not None:
                wanted = "no time that it takes: spines are deleted at once"
                yield Fault("for", f"'{self.held.text}' beside delete", wanted)
            if self.born_since is not None and float(self.born_since) >= float(self.at):
                wanted = f"a time before they are deleted, '{self.at.text}'"
                yield Fault("born_since", f"'{self.born_since.text}'", wanted)
            narrowed = (self.born_since, self.source, self.onto, self.ensemble)
            if float(self.share) == 1 and not any(one is not None for one in narrowed):
                ways = "`born_since`, `from`, `onto` or `ensemble`"
                wanted = f"less than all: a share below 100 %, {ways}"
                yield Fault("delete", "all spines there are", wanted)

    @property
    def times_h(self) -> tuple[float, ...]:
        """When it begins, and ends if it does."""
        start = float(self.at)
        return (start,) if self.held is None else (start, start + float(self.held))

    @property
    def what(self) -> str:
        """In few words: `new spines deleted`, as on a figure."""
        share = "" if float(self.share) == 1 else f"{self.share.text} of "
        done = "deleted" if self.freeze is None else "frozen"
        return f"{share}{self._which} {done}"

    @property
    def words(self) -> str:
        """In a sentence: `spines born since 0 h deleted at 24 h`."""
        if self.freeze is None:
            return f"{self.what} at {self.at.text}"
        held = "" if self.held is None else f" for {self.held.text}"
        return f"{self.what} from {self.at.text}{held}"

    @property
    def _which(self) -> str:
        found = "spines" if self.freeze is None else f"{FROZEN[self.freeze]} spines"
        found += f" born since {self.born_since.text}" if self.born_since is not None else ""
        found += f" from {self.source.words}" if self.source is not None else ""
        found += f" onto {self.onto.words}" if self.onto is not None else ""
        return found + (f" within ensemble {self.ensemble}" if self.ensemble is not None else "")

    def covers(self, at_h: float) -> bool:
        """Whether something is frozen at a time."""
        start, *end = self.times_h
        return self.freeze is not None and start <= at_h and (not end or at_h < end[0])

    def sites(self, sites: Sites, seed: int, members: Members = None) -> Mask:
        """Sites that it is about, whatever stands there, (sites,). A smaller share of the same
        sites is a part of a larger one. `members`: of ensembles, (groups, cells), where some are.
        """
        rng = np.random.default_rng(stream(seed, f"spines/{self.delete or self.freeze}"))
        found: Mask = rng.random(len(sites), np.float32) < float(self.share)
        cells = len(sites.vulnerability)
        for group, end in ((self.source, sites.pre), (self.onto, sites.post)):
            if group is not None:
                found &= group.members(cells, seed)[end]
        if self.ensemble is not None:
            assert members is not None
            mine = members[self.ensemble - 1]
            found &= np.isin(sites.pre, mine) & np.isin(sites.post, mine)
        return found

    def spines(self, table: SpineTable, sites: Sites, members: Members = None) -> Mask:
        """Spines that it is about, (sites,)."""
        found: Mask = self.sites(sites, table.seed, members) & table.stands
        if self.born_since is not None:
            found &= table.born_h > np.float32(float(self.born_since))
        return found


def frozen_sites(
    interventions: Iterable[Intervention],
    what: Literal["sizes", "turnover"],
    table: SpineTable,
    sites: Sites,
    at_h: float,
    members: Members = None,
) -> Mask | None:
    """Sites of which `what` is frozen at a time, (sites,); None: none. Spines that were born since
    sizes were frozen grow up like any.
    """
    found: list[Mask] = []
    for one in interventions:
        if one.freeze in (what, "both") and one.covers(at_h):
            mask = one.sites(sites, table.seed, members)
            since = table.born_h > np.float32(float(one.at))
            found.append(mask & ~since if what == "sizes" else mask)
    return np.logical_or.reduce(found) if found else None
