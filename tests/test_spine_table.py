"""Single spines: places, sizes, birth and death; each law on other spines than it was written on."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from plastogen._base.definition import build
from plastogen._base.document import read
from plastogen.model.plasticity import (
    LASTING,
    TRANSIENT,
    Plasticity,
    Sites,
    SpineLaw,
    SpineModel,
    SpineTable,
    Surroundings,
    advance,
    law_of,
    potential_sites,
    spine_table,
    table_at_rest,
)
from plastogen.model.plasticity.site_noise import drawn_bits, even, normal

CELLS, PROBABILITY, STEP_H, DAY_H = 200, 0.2, 6, 24
MODELS = Path(__file__).parents[1] / "models"
MODEL = build(read(MODELS / "spines" / "cortex.yaml"), SpineModel)
MEAN = build(read(MODELS / "plasticity" / "all.yaml"), Plasticity)
PREPARATIONS = tuple(MODEL.preparations)
REST = Surroundings()


def law_in(preparation: str) -> SpineLaw:
    return law_of(MODEL, MEAN, preparation)


@pytest.mark.parametrize(
    ("path", "value", "name", "wanted"),
    [
        ("synapse.capture", "0.7 1/h", "growth", 0.7),
        ("synapse.tag_half", "0.05", "tag_half", 0.05),
        ("signalling.steepness", "1.5", "steepness", 1.5),
        ("synapse.slots", "0.2", "ceiling", 0.2),
        ("synapse.late_time", "3 d", "late_h", 72),
        ("spine.rescue", "0.24 1/d", "rescue", 0.01),
        ("spine.growth", "5 1/h", "regrowth", 5),
        ("spine.restorable", "0.3", "restorable", 0.3),
        ("spine.formation_gain", "2", "formation_gain", 2),
        ("spine.stress_loss", "0.048 1/d", "stress_loss", 0.002),
    ],
)
def test_what_single_spines_share_with_the_mean_one_stands_in_its_file(
    path: str, value: str, name: str, wanted: float
) -> None:
    changed = build(read(MODELS / "plasticity" / "all.yaml"), Plasticity, overrides={path: value})
    law = law_of(MODEL, changed, "thinned_skull")
    assert getattr(law, name) == pytest.approx(wanted, rel=1e-12)
    assert dataclasses.replace(law, **{name: 0.0}) == dataclasses.replace(
        law_in("thinned_skull"), **{name: 0.0}
    )


def at_rest(law: SpineLaw, seed: int = 1, cells: int = CELLS) -> tuple[Sites, SpineTable]:
    sites = potential_sites(cells, PROBABILITY, law, seed)
    return sites, table_at_rest(sites, law, seed, 0)


def followed(
    table: SpineTable, sites: Sites, law: SpineLaw, days: float, given: Surroundings = REST
) -> SpineTable:
    for _ in range(round(days * DAY_H / STEP_H)):
        table = advance(table, sites, law, STEP_H, given)
    return table


@cache
def month(preparation: str, seed: int) -> dict[float, SpineTable]:
    """Tables on some days of a month without drug or stress."""
    law = law_in(preparation)
    sites, table = at_rest(law, seed)
    found = {0.0: table}
    for before, day in ((0, 2), (2, 14), (14, 27), (27, 30)):
        found[day] = table = followed(table, sites, law, day - before)
    return found


def changed(preparation: str, day: float) -> tuple[float, float]:
    """Shares of the spines of day 0 formed and lost by a day, over seeds."""
    pairs = [(month(preparation, seed)[0], month(preparation, seed)[day]) for seed in (1, 2)]
    first = sum(a.stands.sum() for a, _ in pairs)
    formed = sum((b.stands & ~a.stands).sum() for a, b in pairs) / first
    return formed, sum((a.stands & ~b.stands).sum() for a, b in pairs) / first


def same(one: SpineTable, other: SpineTable, where: Any = slice(None)) -> bool:
    names = [f.name for f in dataclasses.fields(one) if f.name not in ("seed", "step", "now_h")]
    return all(np.array_equal(getattr(one, n)[where], getattr(other, n)[where]) for n in names)


@pytest.mark.parametrize(("cells", "probability"), [(240, 0.2), (400, 0.05), (90, 0.6)])
def test_sites_are_those_of_the_circuits_connections(cells: int, probability: float) -> None:
    law = law_in("thinned_skull")
    sites = potential_sites(cells, probability, law, 7)
    stands = np.random.default_rng(0).random(len(sites)) < law.filling
    pair = sites.post.astype(int) * cells + sites.pre
    connected = np.unique(pair[stands])
    pairs = cells * (cells - 1)
    error = np.sqrt(probability * (1 - probability) / pairs)
    assert abs(len(connected) / pairs - probability) < 4 * error
    assert (sites.pre != sites.post).all()
    assert sites.pre.max() == sites.post.max() == cells - 1
    assert len(np.unique(pair * 1000 + sites.contact)) == len(sites)
    contacts = stands.sum() / len(connected)
    assert contacts == pytest.approx(-np.log1p(-probability) / probability, rel=0.03)


@pytest.mark.parametrize(
    ("preparation", "day", "formed", "lost"),
    [
        ("cranial_window", 2, (0.07, 0.11), (0.07, 0.12)),
        ("cranial_window", 27, (0.20, 0.24), (0.20, 0.24)),
        ("thinned_skull", 14, (0.03, 0.05), (0.03, 0.05)),
    ],
)
def test_one_law_turns_over_as_measured_in_two_preparations(
    preparation: str, day: float, formed: tuple[float, float], lost: tuple[float, float]
) -> None:
    came, went = changed(preparation, day)
    assert formed[0] < came < formed[1]
    assert lost[0] < went < lost[1]


@pytest.mark.parametrize("preparation", PREPARATIONS)
def test_sizes_stay_as_they_are_distributed_for_a_month(preparation: str) -> None:
    law = law_in(preparation)
    for seed in (1, 2):
        tables = month(preparation, seed)
        sizes = [table.ln_size(law)[table.stands] for table in tables.values()]
        for later in sizes[1:]:
            assert stats.ks_2samp(sizes[0], later).statistic < 0.05
        assert 0.8 < sizes[0].std() < 1.1
        assert abs(stats.skew(sizes[0])) < 0.15
        numbers = [table.stands.sum() for table in tables.values()]
        assert max(numbers) / min(numbers) < 1.04
    moved = stats.pearsonr(*(tables[day].ln_size(law)[both(tables)] for day in (0, 30)))
    assert 0.2 < moved.statistic < 0.8  # the distribution rests, its spines do not


def both(tables: dict[float, SpineTable]) -> Any:
    kept = tables[0].stands & tables[30].stands
    return kept & (tables[0].born_h == tables[30].born_h)


def test_a_table_goes_on_as_if_it_had_never_been_put_down() -> None:
    law = law_in("cranial_window")
    given = Surroundings(protein=0.5, commit=0.02, early=0.03, stress=0.5)
    sites, start = at_rest(law, 3, 60)
    whole = followed(start, sites, law, 4, given)
    half = followed(start, sites, law, 2, given)
    kept = dataclasses.replace(
        half, **{n: x.copy() for n, x in vars(half).items() if isinstance(x, np.ndarray)}
    )
    followed(half, sites, law, 3, REST)  # another course from the same table
    assert same(followed(kept, sites, law, 2, given), whole)
    assert same(at_rest(law, 3, 60)[1], start)
    assert not same(table_at_rest(sites, law, 4, 0), start)


def test_a_spine_does_not_hear_what_others_meet() -> None:
    law = law_in("cranial_window")
    sites, start = at_rest(law, 5, 100)
    others = np.arange(len(sites)) % 2 == 1
    quiet = followed(start, sites, law, 5, Surroundings(protein=1))
    tagged = Surroundings(protein=1, early=np.where(others, 0.05, 0))
    loud = followed(start, sites, law, 5, tagged)
    assert same(quiet, loud, ~others)
    assert not same(quiet, loud, others)


def test_protein_is_captured_by_potentiated_spines_alone() -> None:
    law = law_in("thinned_skull")
    sites, start = at_rest(law, 5, 100)
    tag = np.arange(len(sites)) % 2 * 0.05
    for protein, early in ((0.0, 0.05), (1.0, 0.0), (1.0, -0.05)):
        idle = followed(start, sites, law, 1, Surroundings(protein=protein, early=early))
        assert not idle.captured.any()
    moved = followed(start, sites, law, 2, Surroundings(protein=1, early=tag))
    kept = moved.stands & start.stands & (moved.born_h == start.born_h)
    assert (moved.captured[kept & (tag > 0)] > law.ceiling / 2).all()
    assert not moved.captured[kept & (tag == 0)].any()
    gone = followed(moved, sites, law, 3 * law.late_h / DAY_H)
    left = gone.stands & kept & (gone.born_h == moved.born_h)
    assert gone.captured[left].max() < law.ceiling / 10


@cache
def linear(seed: int, memory_h: float) -> tuple[SpineLaw, Sites, SpineTable]:
    """A law whose mean is a law of means: death does not ask for size."""
    law = dataclasses.replace(
        law_in("cranial_window"),
        slope=0.0,
        memory_h=memory_h,
        branch_spread=0.0,
        restorable=1.0,
    )
    return law, *at_rest(law, seed)


@pytest.mark.parametrize("memory_h", [24, 1e9])
@pytest.mark.parametrize("given", [REST, Surroundings(commit=0.02), Surroundings(1, 0.3, 0.05, 1)])
def test_the_mean_of_all_spines_follows_the_law_of_means(
    given: Surroundings, memory_h: float
) -> None:
    beyond, errors = [], []
    for seed in range(4):
        law, sites, table = linear(seed, memory_h)
        state = _counts(table)
        for _ in range(20):
            table = advance(table, sites, law, STEP_H, given)
            state = _mean_step(state, law, given, len(sites))
        beyond.append(_counts(table) - state)
        errors.append(np.sqrt(state))
    assert (np.abs(np.mean(beyond, axis=0)) < np.mean(errors, axis=0)).all()  # 2 SE of 4 seeds


def _counts(table: SpineTable) -> np.ndarray:
    """Transient and lasting spines."""
    return np.array(
        [(table.stands & (table.kind == kind)).sum() for kind in (TRANSIENT, LASTING)], float
    )


def _mean_step(state: np.ndarray, law: SpineLaw, given: Surroundings, n: int) -> np.ndarray:
    """The law of means, that of `model.plasticity.spine`, in many small steps."""
    transient, lasting = state
    births = law.transient_births * law.per_vacant * (1 + law.formation_gain * given.commit)
    back, small = law.rescue + law.regrowth * given.commit, STEP_H / 20
    lose = law.kind_loss[LASTING] + given.stress * law.stress_loss
    for _ in range(20):
        d_transient = births * (n - transient - lasting) - law.kind_loss[TRANSIENT] * transient
        lasting += small * (back * max(0, n * law.capacity - lasting) - lose * lasting)
        transient += small * d_transient
    return np.array([transient, lasting])


@pytest.mark.parametrize(("throughput", "sign"), [(0.7, 1), (0.02, -1), (1.0, 0), (0.3, 0)])
def test_a_little_less_activity_adds_spines_and_much_less_takes_them(
    throughput: float, sign: int
) -> None:
    off = law_in("thinned_skull")
    on = dataclasses.replace(off, balancing=0.03 / DAY_H)
    sites, start = at_rest(off, 3, 100)
    given = Surroundings(throughput=throughput)
    plain, moved = (followed(start, sites, law, 3, given).stands.sum() for law in (off, on))
    assert same(followed(start, sites, off, 1, given), followed(start, sites, off, 1))
    assert abs(moved / plain - 1 - sign * 0.07) < (0.045 if sign else 1e-9)


def test_large_spines_live_longer() -> None:
    law = law_in("cranial_window")
    sites, start = at_rest(law, 2)
    later = followed(start, sites, law, 8)
    for kind in (TRANSIENT, LASTING):
        mine = np.flatnonzero(start.stands & (start.kind == kind))
        large = start.ln_size(law)[mine] > np.median(start.ln_size(law)[mine])
        stayed = later.stands[mine] & (later.born_h[mine] == start.born_h[mine])
        assert stayed[large].mean() > stayed[~large].mean()


def test_stress_takes_spines_branch_by_branch_and_protein_gives_back_the_same() -> None:
    law = law_in("thinned_skull")
    sites, start = at_rest(law, 2)
    before = start.stands & (start.kind == LASTING)
    stressed = followed(start, sites, law, 21, Surroundings(stress=1))
    assert 0.15 < 1 - stressed.stands.sum() / start.stands.sum() < 0.25
    branch = sites.post.astype(int) * law.branches + sites.branch
    there = np.bincount(branch[before], minlength=sites.vulnerability.size)
    gone = np.bincount(branch[before & ~stressed.stands], minlength=there.size)
    vulnerable = sites.vulnerability.ravel() > np.median(sites.vulnerability)
    share = [gone[part].sum() / there[part].sum() for part in (vulnerable, ~vulnerable)]
    assert share[0] > 1.5 * share[1]
    back = [followed(stressed, sites, law, 2, Surroundings(commit=commit)) for commit in (0, 0.03)]
    returned = [(table.stands & table.returned & (table.born_h > stressed.now_h)) for table in back]
    assert returned[1].sum() > 1.5 * returned[0].sum()
    assert (before & ~stressed.stands)[returned[1]].mean() > 0.8  # the same, not new ones
    late = [mask[~sites.restorable].sum() for mask in returned]
    assert late[0] == pytest.approx(late[1], rel=0.1)  # what cannot be restored is not


def test_a_remembered_site_is_forgotten_in_time() -> None:
    law = law_in("thinned_skull")
    sites, start = at_rest(law, 2)
    empty = ~start.stands
    counts = []
    for since_h in (0.0, 4 * law.memory_h):
        lost = np.where(empty, np.float32(-since_h), np.float32(-np.inf))
        table = dataclasses.replace(start, remembered_h=lost)
        later = followed(table, sites, law, 2)
        counts.append((later.stands & later.returned & empty).sum())
    assert counts[0] > 10 * counts[1] > 0


def test_what_chance_brings_is_even_and_normal_and_apart() -> None:
    bits = drawn_bits(1, 5, 400_000)
    numbers = (even(bits), *normal(bits), even(drawn_bits(1, 6, 400_000)))
    flat, first, second, later = (x.astype(float) for x in numbers)
    assert stats.kstest(flat, "uniform").statistic < 0.004
    assert (flat < 0.001).mean() == pytest.approx(0.001, rel=0.2)
    for one in (first, second):
        assert stats.kstest(one, "norm").statistic < 0.004
        assert one.std() == pytest.approx(1, abs=0.005)
        assert (abs(one) > 3).mean() == pytest.approx(0.0027, rel=0.15)
    apart = np.corrcoef([flat, first, second, later]) - np.eye(4)
    assert abs(apart).max() < 4 / np.sqrt(len(bits))


def test_a_step_is_the_same_in_any_blocks_of_sites(monkeypatch: pytest.MonkeyPatch) -> None:
    law = law_in("cranial_window")
    sites = potential_sites(150, 0.3, law, 3)
    given = Surroundings(protein=0.5, commit=0.02, early=np.linspace(0, 0.1, len(sites)), stress=1)
    fixed = replace(given, fixed_size=sites.pre < 20, fixed_turnover=sites.post < 20)
    start = table_at_rest(sites, law, 3, 0.0)
    for meets in (given, fixed):
        whole = advance(start, sites, law, 6, meets)
        monkeypatch.setattr(spine_table, "AT_ONCE", 999)
        assert same(whole, advance(start, sites, law, 6, meets))
        monkeypatch.undo()
