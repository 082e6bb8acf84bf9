"""In: how cells are connected, the law of a spine, a seed. Out: a table of all places where a spine
may stand, a row each, and the same table a step later.

What chance decides in a step depends on seed, step and site alone: 64 bits a site. A site that is
vacant needs no noise of size, so that its two normal numbers make the size of a spine that is born
on it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from plastogen._base.streams import stream
from plastogen.model.circuit import Circuit
from plastogen.model.plasticity.signalling import Saturation
from plastogen.model.plasticity.site_noise import drawn_bits, even, normal
from plastogen.model.plasticity.spine import H_PER_DAY
from plastogen.model.plasticity.spine_law import SpineLaw

Array: TypeAlias = npt.NDArray[Any]
NEVER_H = -np.inf
STEP_H = H_PER_DAY / 4  # of a course
WIDER = np.nextafter(np.float32(1), np.float32(2)) ** 8  # of a bound, for rounding
AT_ONCE = 2**17  # sites that a step moves at once: what they need stays in the cache
TRANSIENT, LASTING = 0, 1  # kinds; a spine that came back is a lasting one
PAST_STEPS = (
    *(4 * H_PER_DAY,) * 20,
    *(H_PER_DAY,) * 10,
    *(H_PER_DAY / 4,) * 30,
)  # h; a table at rest


@dataclass(frozen=True, eq=False)
class Sites:
    """Where spines may stand, all (sites,): the cells `pre` and `post`, which of the `contact`s of
    this pair, the `branch` of the postsynaptic cell, `place` along it (0 to 1), and `restorable`:
    whether captured protein brings back a spine that was lost there.

    vulnerability: (cells, branches), how much of stress a branch takes, with mean 1.
    """

    pre: Array
    post: Array
    contact: Array
    branch: Array
    place: Array
    restorable: Array
    vulnerability: Array

    def __len__(self) -> int:
        return len(self.pre)

    def part(self, at: slice) -> Sites:
        """Some of the sites."""
        names = ("pre", "post", "contact", "branch", "place", "restorable")
        return replace(self, **{name: getattr(self, name)[at] for name in names})


@dataclass(frozen=True)
class Surroundings:
    """What a site meets in a step. protein: new protein that is free to be captured, nil at rest;
    commit: captured protein on its way to a spine; early: early potentiation, one number or
    (sites,); both 0 at rest; stress: its level; throughput: of AMPA receptors of cells, over the
    healthy. fixed_size, fixed_turnover: sites whose spine does
    not change its size, or where none is born or lost, (sites,).
    """

    protein: float = 0.0
    commit: float = 0.0
    early: npt.ArrayLike = 0.0
    stress: float = 0.0
    throughput: float = 1.0
    fixed_size: Array | None = None
    fixed_turnover: Array | None = None

    def part(self, at: slice) -> Surroundings:
        """What some of the sites meet."""
        own = ("early", "fixed_size", "fixed_turnover")
        each = {name: x for name in own if np.ndim(x := getattr(self, name))}
        return replace(self, **{name: x[at] for name, x in each.items()})


COLUMNS = (  # of a table, that a step writes into
    "stands", "kind", "returned", "fast", "slow", "captured", "born_h", "lost_h", "remembered_h"
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class SpineTable:
    """Every site at `now_h`, after `step` steps; all (sites,).

    kind: TRANSIENT or LASTING; returned: born where a lasting spine was lost and remembered.
    fast, slow, captured: parts of ln size. early: the potentiation it was last given. born_h,
    lost_h: of the spine that stands, or stood last; remembered_h: when a lasting spine was last
    lost. Where no spine stands, its numbers are those of the last one.
    """

    seed: int
    step: int
    now_h: float
    stands: Array
    kind: Array
    returned: Array
    fast: Array
    slow: Array
    captured: Array
    early: Array
    born_h: Array
    lost_h: Array
    remembered_h: Array

    def part(self, at: slice) -> SpineTable:
        """Some of the sites; what is written into it is written here."""
        return replace(self, **{name: getattr(self, name)[at] for name in (*COLUMNS, "early")})

    def ln_size(self, law: SpineLaw) -> Array:
        """(sites,), float32; of mean size 1 over lasting spines at rest."""
        found = self.fast + self.slow + self.captured - np.float32(law.variance / 2)
        return np.asarray(found, np.float32)

    def size(self, law: SpineLaw) -> Array:
        """Conductance relative to the mean of lasting spines, (sites,); 0 where none stands."""
        return np.where(self.stands, np.exp(self.ln_size(law)), np.float32(0))

    @property
    def just_born(self) -> Array:
        """Sites whose spine was born in the last step."""
        return np.flatnonzero(self.stands & (self.born_h == np.float32(self.now_h)))

    @property
    def just_lost(self) -> Array:
        """Sites that lost their spine in the last step."""
        return np.flatnonzero(~self.stands & (self.lost_h == np.float32(self.now_h)))


def sites_expected(circuit: Circuit, filling: float) -> float:
    """How many sites the principal cells have for each other."""
    cells = circuit.populations[circuit.principal].count
    return -math.log1p(-connection_probability(circuit)) / filling * cells * (cells - 1)


def connection_probability(circuit: Circuit) -> float:
    """Of any two principal cells; 0 where they are not connected at all."""
    connection = circuit.connection(circuit.principal, circuit.principal)
    return 0.0 if connection is None else float(connection.probability)


def potential_sites(cells: int, probability: float, law: SpineLaw, seed: int) -> Sites:
    """Sites of contact between `cells`, of which any two are connected with `probability`.

    Contacts of a pair are Poisson, and so are those of them that stand, of mean -ln(1 - p).
    """
    rng = np.random.default_rng(stream(seed, "spines/sites"))
    pairs = cells * (cells - 1)
    number = rng.poisson(-math.log1p(-probability) / law.filling * pairs)
    pair = np.sort(rng.integers(0, max(pairs, 1), number))
    post, other = np.divmod(pair, max(cells - 1, 1))
    first = np.searchsorted(pair, pair)
    shape = (cells, law.branches)
    spread = law.branch_spread**2
    return Sites(
        pre=(other + (other >= post)).astype(np.int32),
        post=post.astype(np.int32),
        contact=(np.arange(number) - first).astype(np.int16),
        branch=rng.integers(0, law.branches, number).astype(np.int16),
        place=rng.random(number, np.float32),
        vulnerability=rng.gamma(1 / spread, spread, shape) if spread else np.ones(shape),
        restorable=rng.random(number, np.float32) < law.restorable,
    )


def table_at_rest(
    sites: Sites, law: SpineLaw, seed: int, now_h: float, given: Surroundings = Surroundings()
) -> SpineTable:
    """Spines as they stand at `now_h` after a long time under what is `given`."""
    rng, n = np.random.default_rng(stream(seed, "spines/start")), len(sites)
    transients = law.transient_births / law.kind_loss[TRANSIENT] * law.filling
    chance = rng.random(n)
    kind = np.where(chance < law.filling, LASTING, TRANSIENT).astype(np.int8)
    begin_h = now_h - sum(PAST_STEPS)
    lifetime_h = 1 / np.maximum(np.take(law.kind_loss, kind), np.finfo(float).tiny)
    goal = np.where(kind == TRANSIENT, law.ln_birth, 0)
    table = SpineTable(
        seed=seed,
        step=-len(PAST_STEPS),
        now_h=begin_h,
        stands=chance < law.filling + transients,
        kind=kind,
        returned=np.zeros(n, bool),
        fast=(goal + law.fast_sd * rng.standard_normal(n)).astype(np.float32),
        slow=(law.slow_sd * rng.standard_normal(n)).astype(np.float32),
        captured=np.zeros(n, np.float32),
        early=np.zeros(n, np.float32),
        born_h=(begin_h - lifetime_h * rng.exponential(size=n)).astype(np.float32),
        lost_h=np.full(n, NEVER_H, np.float32),
        remembered_h=np.full(n, NEVER_H, np.float32),
    )
    for hours in PAST_STEPS:
        table = advance(table, sites, law, hours, given)
    return replace(table, now_h=now_h)


def advance(
    table: SpineTable, sites: Sites, law: SpineLaw, hours: float, given: Surroundings
) -> SpineTable:
    """The table `hours` later. `given.early` is one number or (sites,)."""
    bits = drawn_bits(table.seed, table.step + len(PAST_STEPS), len(sites))
    forgotten = _forgotten(table, sites, law, hours)
    moved = _copied(table, hours, given.early)
    for start in range(0, len(sites), AT_ONCE):
        at = slice(start, start + AT_ONCE)
        before, after, drawn = table.part(at), moved.part(at), bits[at]
        here, around = sites.part(at), given.part(at)
        chance = even(drawn)
        if around.fixed_turnover is not None:
            chance[around.fixed_turnover] = 1  # which brings nothing about
        stood = np.flatnonzero(before.stands)
        _grow(before, after, stood, law, drawn, around)
        _lose(before, after, stood, here, law, around, chance)
        born = _give_birth(before, after, here, law, around, chance, forgotten)
        first, second = normal(drawn[born])
        after.fast[born] = law.ln_birth + law.fast_sd * first
        after.slow[born] = law.slow_sd * second
        after.captured[born] = 0
    return moved


def delete(table: SpineTable, which: Array, at_h: float) -> SpineTable:
    """The table without spines that stood at some sites, (sites,): gone just after a time, and
    remembered as others that are lost.
    """
    gone = which & table.stands
    after_h = np.nextafter(np.float32(at_h), np.float32(np.inf))
    lasting = gone & (table.kind == LASTING)
    return replace(
        table,
        stands=table.stands & ~gone,
        lost_h=np.where(gone, after_h, table.lost_h),
        remembered_h=np.where(lasting, after_h, table.remembered_h),
    )


def _copied(table: SpineTable, hours: float, early: npt.ArrayLike) -> SpineTable:
    """A copy, `hours` on, under this early potentiation, in which nothing has moved."""
    columns = {name: getattr(table, name).copy() for name in COLUMNS}
    columns["early"] = np.broadcast_to(np.asarray(early, np.float32), len(table.stands))
    return replace(table, step=table.step + 1, now_h=table.now_h + hours, **columns)


def _grow(
    table: SpineTable,
    moved: SpineTable,
    at: Array,
    law: SpineLaw,
    bits: Array,
    given: Surroundings,
) -> None:
    """Move the sizes of spines that stand, those at sites `at`, in `moved`; none comes or goes."""
    hours = moved.now_h - table.now_h
    at = at if given.fixed_size is None else at[~given.fixed_size[at]]
    first, second = normal(bits[at])
    goal = np.where(table.kind[at] == TRANSIENT, np.float32(law.ln_birth), np.float32(0))
    early = moved.early[at] if np.ndim(given.early) else moved.early[:1]
    fast = _ou(table.fast[at] - goal, law.fast_sd, hours / law.fast_h, first)
    moved.fast[at] = goal + fast
    moved.slow[at] = _ou(table.slow[at], law.slow_sd, hours / law.slow_h, second)
    moved.captured[at] = _captured(table.captured[at], law, hours, given.protein, early)


def _captured(x: Array, law: SpineLaw, hours: float, protein: float, early: Array) -> Array:
    """What of ln size protein has brought, `hours` on; exact."""
    most = np.float32(law.growth * max(0.0, protein))
    capturing = Saturation(law.tag_half, law.steepness)
    taken: Array = most * capturing(early.astype(float)).astype(np.float32)
    rate = taken / np.float32(law.ceiling) + np.float32(1 / law.late_h)
    goal = taken / rate
    moved: Array = goal + (x - goal) * np.exp(-rate * np.float32(hours))
    return moved


def _ou(x: Array, sd: float, times: float, noise: Array) -> Array:
    """An Ornstein-Uhlenbeck process around 0 after so many of its time constants; exact."""
    kept = math.exp(-times)
    moved: Array = np.float32(kept) * x + np.float32(sd * math.sqrt(1 - kept**2)) * noise
    return moved


def _lose(
    table: SpineTable,
    moved: SpineTable,
    at: Array,
    sites: Sites,
    law: SpineLaw,
    given: Surroundings,
    chance: Array,
) -> None:
    """Take out of `moved` the spines, of those at sites `at`, that died in its step; the size that
    counts is the mean of that before and after.
    """
    lasting = table.kind[at] == LASTING
    x = (table.fast + table.slow + table.captured)[at] / 2
    x += (moved.fast + moved.slow + moved.captured)[at] / 2
    x -= np.where(lasting, np.float32(0), np.float32(law.ln_birth))
    loss = np.take(np.array(law.kind_loss, np.float32), table.kind[at])
    if given.stress > 0:
        branches = sites.vulnerability.shape[1]
        branch = sites.vulnerability.take(sites.post[at] * branches + sites.branch[at])
        loss += np.float32(given.stress * law.stress_loss) * branch.astype(np.float32) * lasting
    hazard = loss * np.exp(-law.slope * x - np.float32(law.slope**2 * law.variance / 2))
    balancing = law.balancing_at(given.throughput)
    hazard += np.float32(max(0.0, -balancing))
    hours = np.float32(moved.now_h - table.now_h)
    expected = hazard * hours
    dies = np.flatnonzero(chance[at] < expected)  # as the chance to die is no larger
    # of lasting ones some are back before the step ends, on the site that remembers them
    back = (law.rescue + law.regrowth * given.commit * sites.restorable[at[dies]]) * float(hours)
    expected = expected[dies] * np.where(lasting[dies], -np.expm1(-back) / back, 1)
    dies = dies[chance[at[dies]] < -np.expm1(-expected)]
    lost, now_h = at[dies], np.float32(moved.now_h)
    moved.stands[lost] = False
    moved.lost_h[lost] = now_h
    moved.remembered_h[lost[lasting[dies]]] = now_h


def _give_birth(
    table: SpineTable,
    moved: SpineTable,
    sites: Sites,
    law: SpineLaw,
    given: Surroundings,
    chance: Array,
    forgotten: float,
) -> Array:
    """Put spines on sites of `moved` that were vacant before its step; those that would come and
    go within it are left out. `forgotten`: see `_forgotten`. Returns the sites.
    """
    hours, commit = moved.now_h - table.now_h, given.commit
    transient_loss, lasting_loss = law.kind_loss
    losses = (transient_loss, lasting_loss + given.stress * law.stress_loss)
    stay, stay_lasting = (-math.expm1(-loss * hours) / (loss * hours) for loss in losses)
    transient = stay * law.transient_births * law.per_vacant
    transient *= 1 + law.formation_gain * commit
    sped, share = law.rescue + law.regrowth * commit, law.restorable
    made = -share * math.expm1(-sped * hours) - (1 - share) * math.expm1(-law.rescue * hours)
    fresh = stay_lasting * forgotten * made / hours
    fresh += stay_lasting * max(0.0, law.balancing_at(given.throughput)) * law.per_vacant
    anywhere, most = transient + fresh, stay_lasting * (law.rescue + law.regrowth * commit)
    bound = np.array([anywhere, anywhere + most]) * WIDER * hours  # others stay vacant
    known = (table.remembered_h > NEVER_H).view(np.int8)
    at = np.flatnonzero(~table.stands & (chance < bound.astype(np.float32).take(known)))
    remembered = _remembered(table.remembered_h[at], table.now_h + hours / 2, law)
    regrowth = np.float32(law.regrowth * commit) * sites.restorable[at]
    filled = -np.expm1(-(np.float32(law.rescue) + regrowth) * np.float32(hours))
    # a share of the sites that are filled, not a share of the rate: else many would be half filled
    back = np.float32(-stay_lasting / hours) * np.log1p(-remembered * filled)
    rate = transient + fresh + back
    comes = chance[at] < -np.expm1(-rate * np.float32(hours))
    born: Array = at[comes]
    rate = rate[comes]
    which = chance[born] / -np.expm1(-rate * np.float32(hours)) * rate  # even between 0 and rate
    stays = which >= transient
    moved.stands[born] = True
    moved.kind[born] = stays  # LASTING is 1
    moved.returned[born] = which >= transient + fresh
    moved.born_h[born] = np.float32(moved.now_h)
    moved.remembered_h[born[stays]] = NEVER_H
    return born


def _forgotten(table: SpineTable, sites: Sites, law: SpineLaw, hours: float) -> float:
    """Lasting spines that are missing of the capacity and remembered nowhere, for each vacant
    site.
    """
    vacant = len(sites) - int(np.count_nonzero(table.stands))
    lasting = int(np.count_nonzero(table.stands & (table.kind == LASTING)))
    lost_h = table.remembered_h[~table.stands & (table.remembered_h > NEVER_H)]
    known = _remembered(lost_h, table.now_h + hours / 2, law)
    missing = law.capacity * len(sites) - lasting - float(known.sum(dtype=float))
    return max(0.0, missing) / max(1, vacant)


def _remembered(lost_h: Array, now_h: float, law: SpineLaw) -> Array:
    """How much sites remember of a lasting spine that was lost then, 0 to 1."""
    since_h = np.float32(now_h) - lost_h
    share: Array = np.exp(-since_h / np.float32(law.memory_h))
    return share
