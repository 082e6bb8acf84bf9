"""Every switch cuts what it says: each changes a readout, and with no block at all ketamine changes
none.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from courses import KETAMINE, plan, simulate_all

from plastogen.simulation.course import Course
from plastogen.simulation.switches import Switches, block_sites
from plastogen.simulation.variables import VARIABLES

SITES = tuple(block_sites(plan({}).circuit))
NO_BLOCK = {"block": dict.fromkeys(SITES, 0)}
OF_THE_DRUG = {name for name, one in VARIABLES.items() if "species" in one.dims}
SHOWN = OF_THE_DRUG | {"occupancy"}  # what is there without any block
HOURS = 30


# what is switched -> a value for it, and the readouts it must change (name, least relative change
# of its course)
CASES: dict[str, tuple[dict[str, Any], dict[str, float]]] = {
    "block.E": ({"block": {"E": 0}}, {"rate_hz": 0.02, "calcium": 0.02}),
    "block.PV": ({"block": {"PV": 0}}, {"rate_hz": 0.005}),
    "block.SST": ({"block": {"SST": 0}}, {"rate_hz": 0.02}),
    "block.tonic": ({"block": {"tonic": 0}}, {"rate_hz": 0.05, "bdnf": 0.01}),
    "block.tonic_E": ({"block": {"tonic_E": 0}}, {"rate_hz": 0.01}),
    "block.tonic_PV": ({"block": {"tonic_PV": 0}}, {"rate_hz": 0.005}),
    "block.tonic_SST": ({"block": {"tonic_SST": 0}}, {"rate_hz": 0.02}),
    "block.rest": ({"block": {"rest": 0}}, {"eef2k": 0.003, "bdnf": 0.002}),
    "probe": ({"probe": "frozen"}, {"rate_hz": 0.05, "ampa_throughput": 0.05, "balance": 0.005}),
    "feedback": ({"feedback": "off"}, {"rate_hz": 1e-4, "ampa_throughput": 1e-4}),
    "homeostasis": ({"homeostasis": "off"}, {"scaling": 1e-4}),
    "calcium_rule": ({"calcium_rule": "off"}, {"tag": 0.5, "weight": 1e-4, "spine_density": 1e-6}),
    "metabolites": ({"metabolites": "off"}, {"block": 0.001}),
}


def test_every_switch_has_a_case() -> None:
    fields = [name for name in Switches.model_fields if name != "block"]
    assert set(CASES) == {*fields, *(f"block.{site}" for site in SITES)}


@cache
def courses(drugged: bool) -> dict[str, Course]:
    """With everything on (""), with each switch as in its case, without any block, and with some at
    one site.
    """
    asked = {"": {}, "no block": NO_BLOCK, "some": {"block": {"SST": 0.3}}}
    asked |= {switch: case[0] for switch, case in CASES.items()}
    give = KETAMINE if drugged else {}
    plans = [plan(give, hours=HOURS, switches=switches) for switches in asked.values()]
    return dict(zip(asked, simulate_all(plans), strict=True))


def ketamine() -> Course:
    return courses(True)[""]


def vehicle() -> Course:
    return courses(False)[""]


def switched(switch: str) -> Course:
    return courses(True)[switch]


def test_every_switch_changes_a_readout() -> None:
    silent = []
    for switch, (_, changed) in CASES.items():
        for name, least in changed.items():
            a, b = ketamine().arrays[name], switched(switch).arrays[name]
            span = np.abs(a).max(axis=0)
            if not (np.abs(b - a).max(axis=0) / span).max() > least:
                silent.append((switch, name))
    assert silent == []


def test_no_switch_moves_the_healthy_undrugged_rest() -> None:
    for switch in CASES.keys() - {"probe"}:
        for name, values in courses(False)[switch].arrays.items():
            np.testing.assert_allclose(
                values,
                vehicle().arrays[name],
                rtol=1e-9,
                atol=1e-12,
                err_msg=f"{switch}, {name}",
            )


def test_without_block_ketamine_changes_nothing_but_its_own_concentration() -> None:
    cut = switched("no block")
    assert cut.arrays["occupancy"].max() > 0.1
    for name, values in cut.arrays.items():
        if name not in SHOWN:
            np.testing.assert_allclose(
                values,
                np.broadcast_to(values[0], values.shape),
                rtol=1e-9,
                atol=1e-12,
                err_msg=name,
            )
            np.testing.assert_allclose(
                values[0], vehicle().arrays[name][0], rtol=1e-12, err_msg=name
            )


def test_a_site_s_factor_scales_the_block_of_its_pools_alone() -> None:
    plain = ketamine()
    for site in SITES:
        cut = switched(f"block.{site}")
        silent = {pool for n, pool in enumerate(cut.pools) if not cut.arrays["block"][:, n].any()}
        kind, _, cls = site.partition("_")
        own = {f"{site}.synaptic", f"{cls}.{kind}"}
        assert silent == {pool for pool in plain.pools if pool.endswith(f".{site}") or pool in own}


def test_a_frozen_probe_is_asked_once_and_never_moves() -> None:
    cut = switched("probe")
    assert cut.log["emulated"] == 2  # the healthy circuit, and the one the course begins with
    assert np.ptp(cut.arrays["rate_hz"], axis=0).max() == 0
    assert np.ptp(cut.arrays["glutamate"]) == 0
    assert cut.arrays["block"].max() > 0.03  # the drug is there all the same
    assert cut.arrays["eef2k"].min() < 0.995  # and what needs no circuit still happens


def test_without_feedback_the_synapse_changes_but_the_circuit_does_not_hear_of_it() -> None:
    cut = switched("feedback")
    late = cut.t_h > 24
    raised = cut.arrays["structure"][late] - 1
    assert (raised > 0).all()
    np.testing.assert_allclose(
        cut.arrays["rate_hz"][late],
        np.broadcast_to(cut.arrays["rate_hz"][0], (late.sum(), 3)),
        rtol=0.01,
    )
    base = ketamine().arrays
    np.testing.assert_allclose(base["recurrent"][late] - 1, 0, atol=2 * raised.max())
    assert np.abs(base["rate_hz"] - cut.arrays["rate_hz"])[late].max() > 0


@pytest.mark.parametrize("name", ["scaling", "inhibitory_weight"])
def test_without_homeostasis_neither_excitation_nor_inhibition_follows_the_rate(name: str) -> None:
    cut = switched("homeostasis")
    assert np.ptp(cut.arrays[name]) == 0
    assert np.ptp(ketamine().arrays[name]) > 1e-4


def test_without_the_rule_nothing_is_tagged_though_new_protein_is_made() -> None:
    cut = switched("calcium_rule").arrays
    assert np.ptp(cut["balance"]) > 0.005  # the circuit's own, written down all the same
    assert cut["free_protein"].max() > 0
    for name in ("tag", "weight", "commit_1", "commit_2", "spine_density", "structure"):
        assert np.abs(cut[name] - cut[name][0]).max() < 1e-12, name


def test_without_metabolites_less_is_blocked_but_all_are_shown() -> None:
    cut = switched("metabolites")
    t = np.argmin(np.abs(cut.t_h - 6))
    plain = ketamine()
    assert (cut.arrays["block"][t] < plain.arrays["block"][t]).all()
    np.testing.assert_array_equal(cut.arrays["brain_uM"], plain.arrays["brain_uM"])
    assert cut.arrays["brain_uM"][t, cut.species.index("norketamine")] > 0


def test_a_share_leaves_that_much_of_block() -> None:
    less = switched("some")
    pool = less.pools.index("SST.synaptic")
    ratio = less.arrays["block"][:, pool].max() / ketamine().arrays["block"][:, pool].max()
    assert ratio == pytest.approx(0.3, rel=0.05)


def test_all_is_on_unless_said_otherwise() -> None:
    plain = Switches()
    links = {name: getattr(plain, name) for name in Switches.model_fields if name != "block"}
    assert links.pop("probe") == "live"
    assert set(links.values()) == {"on"}
    assert all(plain.block_factor(pool) == 1 for pool in ketamine().pools)
