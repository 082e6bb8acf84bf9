"""The circuit as it is written, what a `Drive` makes of each number in it, and the streams chance
is drawn from.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from circuit_files import CLASSES, NUMBERS, TWO, VIP, changed, spilled
from hypothesis import given, settings
from hypothesis import strategies as st

from plastogen._base.definition import build
from plastogen._base.digest import digest
from plastogen._base.library import Library
from plastogen._base.quantity import Quantity
from plastogen._base.streams import stream
from plastogen.errors import InputError
from plastogen.model.circuit import Circuit, Drive, Spikes
from plastogen.model.circuit.definition import ROLES, SubunitMix
from plastogen.model.circuit.drive import cell_values, conductance, per_cell, shared_values
from plastogen.model.circuit.network import cell_units, shared_units
from plastogen.model.pharmacology.magnesium import SUBUNITS

SMALL = Library().load("circuits", "small", Circuit)
SHIPPED = [Library().load("circuits", name, Circuit) for name in Library().names("circuits")]
PLACES = SMALL.slices()


def problems(change: Any) -> list[tuple[str, str, str, str | None]]:
    """(path, found, wanted, nearest) of each problem with the small circuit once `change` has
    altered its tree.
    """
    document = Library().document("circuits", "small")
    tree = copy.deepcopy(document.tree)
    change(tree)
    with pytest.raises(InputError) as caught:
        build(replace(document, tree=tree), Circuit)
    return [(p.path, p.found, p.wanted, p.nearest) for p in caught.value.problems]


def test_another_name_of_a_class_is_missed_wherever_it_is_named() -> None:
    def misspell(tree: Any) -> None:
        tree["populations"]["SSt"] = tree["populations"].pop("SST")

    found = {path: (wrong, near) for path, wrong, _, near in problems(misspell)}
    for path in ("decays.gaba.SST", "formula.gain.SST", "formula.gain.E.nmda_SST"):
        assert found[path][1] in ("SSt", "nmda_SSt")
    assert found["connections.2.target"] == ("'SST'", "SSt")
    assert found["formula.voltage.SSt"] == ("nothing", None)


@pytest.mark.parametrize("name", ["2nd", "a_b", "ampa", "rest", "E.x", "post"])
def test_a_class_has_a_name_that_equations_can_hold(name: str) -> None:
    def rename(tree: Any) -> None:
        tree["populations"][name] = tree["populations"].pop("SST")

    (fault,) = problems(rename)
    assert fault[0].startswith("populations.")
    assert fault[1] == f"'{name}'"
    assert fault[2].startswith("letters and digits, a letter first")


def test_a_connection_of_no_class() -> None:
    def misspell(tree: Any) -> None:
        tree["connections"][1]["target"] = "pv"

    (fault,) = problems(misspell)
    assert fault[0] == "connections.1.target"
    assert fault[2:] == ("one of E, PV, SST", "PV")


def test_a_pair_may_be_connected_once() -> None:
    (fault,) = problems(
        lambda tree: tree["connections"].append(copy.deepcopy(tree["connections"][0]))
    )
    assert fault[:3] == (f"connections.{len(SMALL.connections)}", "E to E again", "each pair once")


JOINED = {0: "E-E", 3: "PV-E"}


@pytest.mark.parametrize(
    ("index", "kind", "wanted"),
    [
        (3, "nmda", "only gaba here"),
        (3, "ampa", "only gaba here"),
        (0, "gaba", "only ampa and nmda here"),
    ],
)
def test_no_class_has_the_transmitter_of_another(index: int, kind: str, wanted: str) -> None:
    def add(tree: Any) -> None:
        tree["connections"][index][kind] = tree["populations"]["E"]["leak"]

    (fault,) = problems(add)
    assert fault[:3] == (f"connections.{JOINED[index]}.{kind}", "a conductance", wanted)


@pytest.mark.parametrize(("index", "kind"), [(0, "ampa"), (0, "nmda"), (3, "gaba")])
def test_no_transmitter_is_left_out(index: int, kind: str) -> None:
    (fault,) = problems(lambda tree: tree["connections"][index].pop(kind))
    assert fault[:2] == (f"connections.{JOINED[index]}.{kind}", "nothing")
    assert "a conductance such as" in fault[2]


def test_subunit_shares_add_up_to_one() -> None:
    def lower(tree: Any) -> None:
        tree["populations"]["PV"]["nmdar"]["tonic"]["GluN2A"]["value"] = 0.3

    (fault,) = problems(lower)
    assert fault[0] == "populations.PV.nmdar.tonic"
    assert "add up to 0.85; they must add up to 1" in fault[1] + fault[2]


@pytest.mark.parametrize(
    ("delay", "possible"),
    [("0.25 ms", "0.75 ms"), ("1 ms", "1.25 ms"), ("1.6 ms", "1.75 ms"), ("1.3 ms", "1.25 ms")],
)
def test_a_delay_that_would_be_rounded_is_refused(delay: str, possible: str) -> None:
    """Spikes act after whole steps, and wait half a step on average for the one they fall in to
    end.
    """

    def change(tree: Any) -> None:
        tree["delay"]["value"] = delay

    (fault,) = problems(change)
    wanted = (
        f"half a step (a spike waits for its step to end) and whole steps of 0.5 ms: {possible}"
    )
    assert fault[:3] == ("delay", delay, wanted)


@pytest.mark.parametrize(
    ("step", "delay", "wait_ms"), [("0.5 ms", "1.25 ms", 1), ("0.02 ms", "1.25 ms", 1.24)]
)
def test_the_wait_and_half_a_step_make_the_delay(step: str, delay: str, wait_ms: float) -> None:
    circuit = Library().load("circuits", "small", Circuit, overrides={"step": step, "delay": delay})
    assert circuit.wait_ms == pytest.approx(wait_ms, rel=1e-12)


def test_a_cell_is_reset_below_its_threshold() -> None:
    def raise_(tree: Any) -> None:
        tree["populations"]["E"]["reset"]["value"] = "-50 mV"

    (fault,) = problems(raise_)
    assert fault[:3] == ("populations.E.reset", "-50 mV", "a voltage below the threshold of -50 mV")


def test_all_faults_are_reported_at_once() -> None:
    def spoil(tree: Any) -> None:
        tree["connections"][3]["source"] = "VP"
        tree["connections"][0].pop("nmda")
        tree["delay"] = tree["step"] | {"value": "0.1 ms"}

    paths = {fault[0] for fault in problems(spoil)}
    assert paths >= {"connections.3.source", "connections.E-E.nmda", "delay"}


@pytest.mark.parametrize("circuit", SHIPPED, ids=Library().names("circuits"))
def test_slices_cover_all_cells_once_in_order(circuit: Circuit) -> None:
    cells = np.concatenate([np.arange(circuit.size)[part] for part in circuit.slices().values()])
    np.testing.assert_array_equal(cells, np.arange(circuit.size))
    assert tuple(circuit.slices()) == CLASSES
    for name, part in circuit.slices().items():
        assert part.stop - part.start == circuit.populations[name].count


@pytest.mark.parametrize("circuit", SHIPPED, ids=Library().names("circuits"))
def test_shipped_circuits_name_their_classes_by_role(circuit: Circuit) -> None:
    assert circuit.classes == ("E", "PV", "SST")
    assert circuit.principal == "E"
    found = {role: circuit.of_role(role) for role in ROLES}
    assert found == {
        "principal": ("E",), "perisomatic": ("PV",), "dendritic": ("SST",), "other": (),
    }  # fmt: skip


def test_the_order_of_classes_does_not_hang_on_the_order_in_the_file() -> None:
    """It orders arrays that are kept under the digest, which does not hang on it either."""
    document = Library().document("circuits", "small")
    tree = copy.deepcopy(document.tree)
    tree["populations"] = dict(reversed(tree["populations"].items()))
    turned = build(replace(document, tree=tree), Circuit)
    assert list(turned.populations) == ["SST", "PV", "E"]
    assert turned.classes == SMALL.classes
    assert list(turned.pools()) == list(SMALL.pools())
    assert digest(turned) == digest(SMALL)


def test_a_copy_with_other_cells_derives_its_own_classes() -> None:
    """What a circuit derives once (classes, pools, numbers of a drive) does not stay with a copy."""
    whole = SMALL.classes, SMALL.principal, SMALL.inhibitory, SMALL.drive_numbers, SMALL.pools()
    left = {name: cells for name, cells in SMALL.populations.items() if name != "PV"}
    copied = SMALL.model_copy(update={"populations": left})
    assert (copied.classes, copied.inhibitory) == (("E", "SST"), ("SST",))
    assert not {"nmda_PV", "pv_output"} & set(copied.drive_numbers)
    assert not [pool for pool in copied.pools() if pool.startswith("PV")]
    assert whole == (SMALL.classes, "E", ("PV", "SST"), SMALL.drive_numbers, SMALL.pools())


@pytest.mark.parametrize(
    ("cls", "role", "found"),
    [
        ("PV", "principal", "E and PV with the role principal"),
        ("E", "other", "no class with the role principal"),
    ],
)
def test_exactly_one_class_is_principal(cls: str, role: str, found: str) -> None:
    (fault,) = problems(lambda tree: tree["populations"][cls].update(role=role))
    assert fault[:3] == ("populations", found, "exactly one class with the role principal")


def test_an_unknown_role_is_named_with_the_nearest() -> None:
    (fault,) = problems(lambda tree: tree["populations"]["PV"].update(role="perisomatik"))
    assert fault[0] == "populations.PV.role"
    assert "perisomatik" in fault[1]
    assert all(role in fault[2] for role in ROLES)
    assert fault[3] == "perisomatic"


@pytest.mark.parametrize("circuit", SHIPPED, ids=Library().names("circuits"))
def test_pools_are_those_of_the_file(circuit: Circuit) -> None:
    pools = circuit.pools()
    assert tuple(pools) == (
        "E.synaptic",
        "E.tonic",
        "E.rest",
        "PV.synaptic",
        "PV.tonic",
        "SST.synaptic",
        "SST.tonic",
    )
    for pool, shares in pools.items():
        name, _, kind = pool.partition(".")
        assert shares == getattr(circuit.populations[name].nmdar, kind).shares()
        assert sum(shares.values()) == pytest.approx(1)


def test_subunits_that_are_not_written_have_no_share() -> None:
    mix = SubunitMix(GluN2B=Quantity(1.0, "1", "1"))
    assert mix.shares() == {"GluN2B": 1.0}


# what a drive does to the numbers each cell is given

LAW_OF = {s: law for law, subunits in SMALL.magnesium_laws.items() for s in subunits}
SCALED: dict[str, dict[str, tuple[str, ...]]] = {
    # number of the drive -> array -> classes in which it is multiplied
    **{
        f"{number}_{name}": {
            f"{part}_{LAW_OF[s]}": (name,) for s in SMALL.pools()[f"{name}.{kind}"]
        }
        for number, part, kind in (("nmda", "w", "synaptic"), ("tonic", "g", "tonic"))
        for name in CLASSES
    },
    "ampa": {"w_ampa": CLASSES, "w_ext": CLASSES},
    "gaba": {"w_PV": CLASSES, "w_SST": CLASSES},
    "release": {**{f"w_{law}": CLASSES for law in SMALL.magnesium_laws}, "out_ampa": ("E",)},
    "recurrent": {"w_ampa": ("E",), f"w_{LAW_OF['GluN2A']}": ("E",)},
    "inhibitory_weight": {"w_PV": ("E",), "w_SST": ("E",)},
    "pv_output": {"w_PV": CLASSES},
}


def test_every_number_of_a_drive_is_in_the_table() -> None:
    assert {*SCALED, "silence"} == set(NUMBERS)
    laws = tuple(SMALL.magnesium_laws)
    assert set(cell_units(CLASSES, laws)) == set(cell_values(SMALL, Drive(), 1))
    assert set(shared_units(CLASSES, laws)) == set(shared_values(SMALL))


@pytest.mark.parametrize("name", SCALED)
def test_a_drive_multiplies_exactly_what_it_should(name: str) -> None:
    plain, changed = (
        cell_values(SMALL, Drive(), 1),
        cell_values(SMALL, Drive(**{name: 0.7}), 1),
    )
    for array, before in plain.items():
        expected = before.copy()
        for cls in SCALED[name].get(array, ()):
            expected[PLACES[cls]] = 0.7 * before[PLACES[cls]]
        np.testing.assert_allclose(changed[array], expected, rtol=1e-14, err_msg=array)
    for array in SCALED[name]:
        assert not np.array_equal(changed[array], plain[array]), f"{array} is zero everywhere"


def test_silence_opens_its_conductance_in_e_cells_alone() -> None:
    plain, silent = cell_values(SMALL, Drive(), 1), cell_values(SMALL, Drive(silence=0.25), 1)
    assert not plain["g_silence"].any()
    assert silent["g_silence"][PLACES["E"]] == pytest.approx(0.25e-9 * float(SMALL.silencing))
    assert not silent["g_silence"][PLACES["E"].stop :].any()
    assert all(np.array_equal(silent[k], plain[k]) for k in plain if k != "g_silence")


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(st.sampled_from(list(SCALED)), st.floats(0, 3), max_size=6))
def test_scales_of_a_drive_combine_by_multiplication(scales: dict[str, float]) -> None:
    plain, changed = cell_values(SMALL, Drive(), 1), cell_values(SMALL, Drive(**scales), 1)
    for array in ("w_ampa", "w_mg0", "w_PV", "w_SST", "w_ext", "g_mg0", "out_ampa"):
        factor = np.ones(SMALL.size)
        for name, scale in scales.items():
            for cls in SCALED[name].get(array, ()):
                factor[PLACES[cls]] *= scale
        np.testing.assert_allclose(changed[array], factor * plain[array], rtol=1e-12, atol=1e-300)


# where ambient glutamate comes from


def at_baseline(circuit: Circuit, drive: Drive) -> dict[str, Any]:
    """NMDA conductance (S) of each cell by law of Mg2+, when as many receptors are bound at
    synapses as there usually are.
    """
    vesicular = circuit.agonist.vesicular
    assert vesicular is not None
    values = cell_values(circuit, drive, 1)
    reached = sum(values[f"is_{target}"] * chance for target, chance in REACHED.items())
    bound = reached * circuit.populations["E"].count * float(vesicular.bound)
    return {law: values[f"w_{law}"] * bound + values[f"g_{law}"] for law in circuit.magnesium_laws}


REACHED = {
    name: float(wired.probability)
    for name in CLASSES
    if (wired := SMALL.connection("E", name)) is not None
}


@pytest.mark.parametrize("share", [0.3, 1])
@pytest.mark.parametrize("tonic", [1, 0.6])
def test_wherever_it_comes_from_ambient_glutamate_opens_as_much_at_baseline(
    share: float, tonic: float
) -> None:
    drive = Drive(**{f"tonic_{name}": tonic for name in CLASSES})
    glial, both = at_baseline(SMALL, drive), at_baseline(spilled(share), drive)
    for law in glial:
        np.testing.assert_allclose(both[law], glial[law], rtol=1e-12)


@pytest.mark.parametrize("share", [0, 0.3, 1])
def test_less_release_takes_vesicular_glutamate_away_and_leaves_that_of_glia(share: float) -> None:
    circuit, plain = spilled(share), cell_values(SMALL, Drive(), 1)
    silent = at_baseline(circuit, Drive(release=0))
    for law in circuit.magnesium_laws:
        np.testing.assert_allclose(silent[law], (1 - share) * plain[f"g_{law}"], rtol=1e-12)


def test_stronger_synapses_spill_no_more() -> None:
    circuit = spilled(0.5)
    plain, stronger = (at_baseline(circuit, Drive(recurrent=x)) for x in (1, 2))
    synaptic = at_baseline(SMALL, Drive(**{f"tonic_{name}": 0 for name in CLASSES}))
    for law in circuit.magnesium_laws:
        grown = np.where(cell_values(circuit, Drive(), 1)["is_E"] > 0, synaptic[law], 0)
        np.testing.assert_allclose(stronger[law] - plain[law], grown, rtol=1e-9, atol=1e-24)


def test_tonic_receptors_that_no_synapse_reaches_cannot_follow_release() -> None:
    told = {"agonist.vesicular.share": 0.5, "connections.2.probability": 0}
    with pytest.raises(
        InputError, match="populations.SST.tonic_nmda: found 3.4 nS, and no synapse"
    ):
        Library().load("circuits", "small", Circuit, overrides=told)
    told["agonist.vesicular.share"] = 0
    assert Library().load("circuits", "small", Circuit, overrides=told)


def test_numbers_of_the_file_reach_every_cell_in_si_units() -> None:
    values = cell_values(SMALL, Drive(), 1)
    for name in CLASSES:
        population, part = SMALL.populations[name], PLACES[name]
        for array, field, unit in (
            ("C", "capacitance", 1e-12),
            ("g_L", "leak", 1e-9),
            ("v_L", "rest", 1e-3),
            ("v_th", "threshold", 1e-3),
            ("v_reset", "reset", 1e-3),
            ("t_ref", "refractory", 1e-3),
            ("w_adapt", "adaptation", 1e-9),
        ):
            np.testing.assert_allclose(
                values[array][part], unit * float(getattr(population, field)), rtol=1e-14
            )
        for law, subunits in SMALL.magnesium_laws.items():
            wanted = 1e-9 * float(population.tonic_nmda)
            wanted *= sum(SMALL.pools()[f"{name}.tonic"].get(s, 0) for s in subunits)
            np.testing.assert_allclose(values[f"g_{law}"][part], wanted, rtol=1e-14)
        low, high = sorted((float(population.reset), float(population.rest)))
        assert low * 1e-3 <= values["v"][part].min() < values["v"][part].max() <= high * 1e-3


def test_conductances_and_chances_of_every_pair() -> None:
    chances: dict[str, object] = {
        f"connections.{i}.probability": 0.1 + 0.05 * i for i in range(len(SMALL.connections))
    }
    circuit = Library().load("circuits", "small", Circuit, overrides=chances)  # no two pairs alike
    values = cell_values(circuit, Drive(), 1)
    values["nmda"] = np.sum([values[f"w_{law}"] for law in circuit.magnesium_laws], axis=0)
    arrays = {
        "E": (("w_ampa", "ampa"), ("nmda", "nmda")),
        "PV": (("w_PV", "gaba"),),
        "SST": (("w_SST", "gaba"),),
    }
    for source in CLASSES:
        for target in CLASSES:
            wired = circuit.connection(source, target)
            chance = float(wired.probability) if wired else 0.0
            assert values[f"p_{target}"][PLACES[source]] == pytest.approx(chance)
            for array, kind in arrays[source]:
                peak = float(getattr(wired, kind)) if wired else 0.0
                np.testing.assert_allclose(values[array][PLACES[target]], 1e-9 * peak, rtol=1e-14)
    assert not values["p_SST"][PLACES["SST"]].any()  # the one pair that the file leaves out
    assert not conductance(circuit, "gaba", "SST")[PLACES["SST"]].any()


def test_each_class_sends_what_it_releases() -> None:
    values = cell_values(SMALL, Drive(), 1)
    sent = {
        "out_ampa": ("E", 1),
        "out_nmda": ("E", float(SMALL.agonist.saturation)),
        "out_PV": ("PV", 1),
        "out_SST": ("SST", 1),
    }
    for array, (source, amount) in sent.items():
        for cls in CLASSES:
            assert (values[array][PLACES[cls]] == (amount if cls == source else 0)).all()


def test_background_is_spread_lognormally_around_the_value_of_the_file() -> None:
    circuit = Library().load("circuits", "prefrontal", Circuit)
    spread = float(circuit.background.spread)
    logs, means = [], []
    for seed in range(30):
        own = cell_values(circuit, Drive(), seed)["w_ext"] / (
            1e-9 * per_cell(circuit, "background")
        )
        logs.append(np.log(own))
        means.append(own.mean())
    n = 30 * circuit.size
    assert np.mean(means) == pytest.approx(1, abs=4 * spread / np.sqrt(n))
    assert np.std(logs) == pytest.approx(spread, rel=4 / np.sqrt(2 * n))


def test_streams_differ_by_name_and_by_seed_and_are_fixed_for_good() -> None:
    numbers = {stream(seed, name) for seed in range(50) for name in ("structure", "input", "noise")}
    assert len(numbers) == 150
    assert all(0 <= number < 2**32 for number in numbers)
    assert stream(1, "noise") == 4134180478  # another value would change every result there is


def test_seeds_change_what_is_drawn_and_nothing_else() -> None:
    one, again, other = (cell_values(SMALL, Drive(), seed) for seed in (1, 1, 2))
    drawn = {name for name in one if not np.array_equal(one[name], other[name])}
    assert drawn == {"v", "w_ext"}
    assert all(np.array_equal(one[name], again[name]) for name in one)


def test_what_is_left_of_a_conductance_after_a_step_and_its_mean() -> None:
    shared, step = shared_values(SMALL), float(SMALL.step)
    decays = {
        "ampa": SMALL.decays.ampa,
        "ext": SMALL.decays.ampa,
        "nmda": SMALL.decays.nmda,
        "PV": SMALL.decays.gaba["PV"],
        "SST": SMALL.decays.gaba["SST"],
        "adapt": SMALL.decays.adaptation,
    }
    fine = (np.arange(10_000) + 0.5) * step / 10_000
    for name, tau in decays.items():
        assert shared[f"left_{name}"] == pytest.approx(np.exp(-step / float(tau)), rel=1e-14)
        assert shared[f"mean_{name}"] == pytest.approx(np.exp(-fine / float(tau)).mean(), rel=1e-8)
    assert shared["n_ext"] == pytest.approx(float(SMALL.background.rate) * step / 1000)
    ratios = [shared[law] for law in SMALL.magnesium_laws]
    assert ratios == pytest.approx([1 / 3.57, 1 / 36, 1 / 24])
    assert shared["mg_efold"] == pytest.approx(16.13e-3)
    assert [shared[k] for k in ("v_exc", "v_inh", "v_K")] == pytest.approx([0, -75e-3, -85e-3])


# laws of magnesium


def with_halves(**mM: float) -> Circuit:
    at: dict[str, object] = {f"magnesium.half.{s}": f"{half:g} mM" for s, half in mM.items()}
    return Library().load("circuits", "small", Circuit, overrides=at)


def without_2c(*, at_rest: bool) -> Circuit:
    """No cell of the network has GluN2C; synapses that rest may."""

    def change(tree: Any) -> None:
        pools = [pool for p in tree["populations"].values() for pool in p["nmdar"].values()]
        for mix in (mix for mix in pools if "GluN2C" in mix):
            mix["GluN2B"]["value"] += mix["GluN2C"]["value"]
            mix["GluN2C"]["value"] = 0
        if at_rest:
            whole = tree["populations"]["SST"]["nmdar"]["synaptic"]["GluN2C"] | {"value": 1}
            tree["populations"]["E"]["nmdar"]["rest"] = {"GluN2C": whole}

    return changed(change)


A, B, C, D = SUBUNITS
LAWS_OF = {
    "shipped": (SMALL, [(A, B), (C,), (D,)]),
    "all differ": (with_halves(GluN2B=5), [(A,), (B,), (C,), (D,)]),
    "all alike": (with_halves(GluN2C=3.57, GluN2D=3.57), [SUBUNITS]),
    "others alike": (with_halves(GluN2B=24), [(A,), (B, D), (C,)]),
    "no GluN2C": (without_2c(at_rest=False), [(A, B), (D,)]),
    "GluN2C at rest alone": (without_2c(at_rest=True), [(A, B), (D,)]),
    "VIP": (VIP, [(A, B), (C,), (D,)]),
    "two classes": (TWO, [(A, B), (D,)]),
}
EACH_LAW = pytest.mark.parametrize(("circuit", "laws"), LAWS_OF.values(), ids=LAWS_OF)


@EACH_LAW
def test_subunits_that_mg_holds_alike_share_a_law_and_absent_ones_have_none(
    circuit: Circuit, laws: list[tuple[str, ...]]
) -> None:
    assert list(circuit.magnesium_laws.values()) == laws
    names = tuple(circuit.magnesium_laws)
    assert names == tuple(f"mg{k}" for k in range(len(laws)))
    assert set(cell_units(circuit.classes, names)) == set(cell_values(circuit, Drive(), 1))
    assert set(shared_units(circuit.classes, names)) == set(shared_values(circuit))


@pytest.mark.parametrize("circuit", SHIPPED, ids=lambda circuit: circuit.title)
def test_no_circuit_that_ships_pays_for_two_laws_where_one_will_do(circuit: Circuit) -> None:
    assert circuit.magnesium_laws["mg0"] == (A, B)


def test_a_law_follows_the_circuit_at_hand() -> None:
    """A changed copy does not keep the laws of what it was copied from."""
    assert len(SMALL.magnesium_laws) == 3
    other = SMALL.model_copy(update={"magnesium": with_halves(GluN2B=5).magnesium})
    assert len(other.magnesium_laws) == 4


@pytest.mark.parametrize("drive", [Drive(), Drive(nmda_E=0.6, tonic_PV=0.7, release=0.9)])
@EACH_LAW
def test_laws_together_conduct_what_each_subunit_would(
    circuit: Circuit, laws: list[tuple[str, ...]], drive: Drive
) -> None:
    values, shared = cell_values(circuit, drive, 1), shared_values(circuit)
    efold, concentration = float(circuit.magnesium.efold), float(circuit.magnesium.concentration)
    for v in (-90.0, -70.0, -55.0, -40.0, 0.0, 20.0):
        held = np.exp(-v / efold)
        assert held == pytest.approx(np.exp(-1e-3 * v / shared["mg_efold"]))
        for name in circuit.classes:
            part, population = circuit.slices()[name], circuit.populations[name]
            wired = circuit.connection(circuit.principal, name)
            peaks = {
                "w": float(wired.nmda) * drive[f"nmda_{name}"] * drive["release"]
                if wired is not None and wired.nmda is not None
                else 0.0,
                "g": float(population.tonic_nmda) * drive[f"tonic_{name}"],
            }
            for array, kind in (("w", "synaptic"), ("g", "tonic")):
                wanted = sum(
                    1e-9
                    * peaks[array]
                    * share
                    / (1 + concentration / float(getattr(circuit.magnesium.half, s)) * held)
                    for s, share in circuit.pools()[f"{name}.{kind}"].items()
                )
                found = sum(
                    values[f"{array}_{law}"][part] / (1 + shared[law] * held)
                    for law in circuit.magnesium_laws
                )
                np.testing.assert_allclose(found, wanted, rtol=1e-13)


def test_spikes_of_a_class_are_counted_from_its_first_cell() -> None:
    spikes = Spikes(
        t_s=np.array([0.1, 0.2, 0.3, 0.4]),
        i=np.array([0, 200, 229, 230], dtype=np.int32),
        seconds=1,
        v_mV=np.zeros((1, 1)),
        recorded=np.array([0]),
        slices=PLACES,
    )
    t, i = spikes.of("PV")
    assert (t.tolist(), i.tolist()) == ([0.2, 0.3], [0, 29])
    assert [spikes.of(name)[1].tolist() for name in ("E", "SST")] == [[0], [0]]
    assert [spikes.count(name) for name in CLASSES] == [200, 30, 20]
