"""Concentrations: against numerical integration, laws of linear kinetics, and rows 1 to 3 of the
evidence table.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from plastogen._base.definition import build
from plastogen._base.document import Document
from plastogen._base.library import Library
from plastogen.errors import InputError
from plastogen.model.pharmacology.drug import Drug
from plastogen.model.pharmacology.kinetics import Exposure, Kinetics
from plastogen.model.pharmacology.regimen import Hold, Input

KETAMINE = Library().load("drugs", "ketamine", Drug)
MASSES = KETAMINE.molar_masses()
H2, H1 = KETAMINE.kinetics["human"]["H2"], KETAMINE.kinetics["human"]["H1"]
INFUSION = Input("iv", 0.0, 40 / 60, 35.0)


def exposure(
    kinetics: Kinetics | None, *doses: Input, weight_kg: float = 70, holds: tuple[Hold, ...] = ()
) -> Exposure:
    return Exposure(
        kinetics,
        parent="ketamine",
        inputs=doses,
        holds=holds,
        molar_masses=MASSES,
        weight_kg=weight_kg,
    )


def ketamine(
    kinetics: Kinetics, t_h: np.ndarray, *doses: Input, weight_kg: float = 70
) -> np.ndarray:
    return exposure(kinetics, *doses, weight_kg=weight_kg).at(t_h).plasma_ng_ml["ketamine"]


def area(kinetics: Kinetics, species: str, *doses: Input) -> float:
    t = np.concatenate([[0.0], np.geomspace(1e-3, 240, 300)])
    return float(np.trapezoid(exposure(kinetics, *doses).at(t).plasma_ng_ml[species], t))


def test_equals_numerical_integration() -> None:
    """An infusion, a swallowed dose and a nasal one, with both metabolites, veins and the brain,
    written out afresh.
    """
    k, nk, hnk = H2, H2.metabolites["norketamine"], H2.metabolites["hnk"]
    v1, cl = float(k.central_volume), float(k.clearance)
    (v2, q2), (v3, q3) = ((float(p.volume), float(p.flow)) for p in k.peripheral)
    oral, nasal = k.routes["oral"], k.routes["intranasal"]
    assert oral.absorption is not None
    assert nasal.absorption is not None
    assert nasal.swallowed is not None
    down = float(nasal.swallowed)
    ke0 = np.log(2) / float(k.effect_site_half_life)
    mg = {"iv": 35.0, "oral": 100.0, "intranasal": 50.0}
    umol = {route: amount / MASSES["ketamine"] * 1000 for route, amount in mg.items()}

    def rate(t_min: float, y: np.ndarray) -> np.ndarray:
        gut, nose, c, p2, p3, m, h, bk, bm, bh, fast, slow = y
        swallowed, sniffed = gut * float(oral.absorption), nose * float(nasal.absorption)
        infused = umol["iv"] / 40 if 10 <= t_min < 50 else 0.0
        cleared, cleared_m = c / v1 * cl, m / float(nk.volume) * float(nk.clearance)
        return np.array(
            [
                -swallowed,
                -sniffed,
                infused
                + swallowed * float(oral.bioavailability)
                + sniffed * float(nasal.bioavailability)
                - cleared
                - q2 * (c / v1 - p2 / v2)
                - q3 * (c / v1 - p3 / v3),
                q2 * (c / v1 - p2 / v2),
                q3 * (c / v1 - p3 / v3),
                cleared * float(nk.fraction)
                + swallowed * float(oral.first_pass["norketamine"])
                - cleared_m,
                cleared_m * float(hnk.fraction) - h / float(hnk.volume) * float(hnk.clearance),
                ke0 * (c / v1 - bk),
                ke0 * (m / float(nk.volume) - bm),
                ke0 * (h / float(hnk.volume) - bh),
                (c / v1 - fast) / float(k.venous[0].time),
                (c / v1 - slow) / float(k.venous[1].time),
            ]
        )

    y, found = np.zeros(12), {}
    for start, end, jump in (
        (10, 50, (0, 0)),
        (50, 90, (umol["oral"], 0)),
        (90, 600, (down, 1 - down)),
    ):
        y = y.copy()
        if start == 90:
            y[0] += umol["intranasal"] * jump[0]
            y[1] += umol["intranasal"] * jump[1]
        else:
            y[0] += jump[0]
        times = np.linspace(start, end, 6)
        solved = solve_ivp(
            rate, (start, end), y, method="Radau", t_eval=times, rtol=1e-10, atol=1e-12
        )
        found.update(dict(zip(times[1:-1], solved.y.T[1:-1], strict=True)))
        y = solved.y[:, -1]
    wanted = np.array(list(found.values()))
    at = exposure(
        H2,
        Input("iv", 10 / 60, 40 / 60, mg["iv"]),
        Input("oral", 50 / 60, 0, mg["oral"]),
        Input("intranasal", 1.5, 0, mg["intranasal"]),
    ).at(np.array(list(found)) / 60)
    unbound = {
        "ketamine": float(k.unbound_fraction) * float(k.brain_partition),
        **{
            n: float(m.unbound_fraction) * float(m.brain_partition)
            for n, m in k.metabolites.items()
        },
    }
    for column, site, name, volume in (
        (2, 7, "ketamine", v1),
        (5, 8, "norketamine", float(nk.volume)),
        (6, 9, "hnk", float(hnk.volume)),
    ):
        np.testing.assert_allclose(
            at.arterial_ng_ml[name], wanted[:, column] / volume * MASSES[name], rtol=1e-6
        )
        np.testing.assert_allclose(at.brain_uM[name], wanted[:, site] * unbound[name], rtol=1e-6)


ROUTES = st.sampled_from(sorted(H2.routes))
DOSES = st.lists(
    st.builds(
        Input, ROUTES, st.floats(-5, 50), st.sampled_from([0.0, 0.1, 2.0]), st.floats(0, 200)
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=20, deadline=None)
@given(doses=DOSES)
def test_mass_is_conserved_and_never_negative(doses: list[Input]) -> None:
    t = np.linspace(-6, 300, 30)
    amounts = exposure(H2, *doses).amounts_mg(t)
    shares = [
        np.clip((t - d.start_h) / d.duration_h, 0, 1) if d.duration_h else t >= d.start_h
        for d in doses
    ]
    infused = np.sum([d.amount_mg * share for d, share in zip(doses, shares, strict=True)], axis=0)
    np.testing.assert_allclose(
        np.sum(list(amounts.values()), axis=0), infused, rtol=1e-9, atol=1e-9
    )
    assert min(a.min() for a in amounts.values()) >= 0
    assert not any(name.endswith("brain") for name in amounts)  # the effect site holds no mass


@settings(max_examples=15, deadline=None)
@given(doses=DOSES, factor=st.floats(0.1, 10))
def test_superposition(doses: list[Input], factor: float) -> None:
    t = np.linspace(-6, 100, 40)
    together = exposure(H2, *doses).at(t)
    alone = [exposure(H2, dose).at(t) for dose in doses]
    more = exposure(
        H2, *(Input(d.route, d.start_h, d.duration_h, d.amount_mg * factor) for d in doses)
    ).at(t)
    for name in together.brain_uM:
        total = np.sum([a.brain_uM[name] for a in alone], axis=0)
        np.testing.assert_allclose(together.brain_uM[name], total, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(
            more.plasma_ng_ml[name], factor * together.plasma_ng_ml[name], rtol=1e-9, atol=1e-9
        )


def test_times_in_any_order_and_shape() -> None:
    e = exposure(H2, INFUSION)
    t = np.array([[5.0, -1.0, 0.2], [0.0, 40 / 60, 24.0]])
    brain = e.at(t).brain_uM["ketamine"]
    assert brain.shape == (2, 3)
    assert brain[0, 1] == 0
    assert brain[1, 0] == 0
    np.testing.assert_array_equal(
        brain.ravel(), [float(e.at(x).brain_uM["ketamine"]) for x in t.ravel()]
    )
    assert e.at(0.5).brain_uM["norketamine"].shape == ()


def test_a_bolus_is_in_at_its_own_time() -> None:
    found = exposure(H2, Input("iv", 0, 0, 35.0)).at([-1e-9, 0.0])
    volume_L = float(H2.central_volume)
    np.testing.assert_allclose(found.arterial_ng_ml["ketamine"], [0, 35e3 / volume_L], rtol=1e-9)
    np.testing.assert_allclose(found.plasma_ng_ml["ketamine"], 0, atol=1e-9)  # not yet in veins


def test_without_an_exponent_equal_doses_per_weight_give_equal_concentrations() -> None:
    t, plain = np.linspace(0, 10, 20), H2.model_copy(update={"clearance_exponent": None})
    light = ketamine(plain, t, Input("oral", 0, 0, 25.0), weight_kg=50)
    np.testing.assert_allclose(
        light, ketamine(plain, t, Input("oral", 0, 0, 50.0), weight_kg=100), rtol=1e-9
    )


def test_the_brain_lags_and_settles_at_the_unbound_share() -> None:
    e = exposure(H2, Input("iv", 0, 2000, 2000 * 35.0))
    late = e.at(1999.0)
    share = float(H2.unbound_fraction) * float(H2.brain_partition)
    assert late.brain_uM["ketamine"] == pytest.approx(
        late.plasma_ng_ml["ketamine"] / MASSES["ketamine"] * share
    )
    t = np.linspace(0.66, 0.72, 2161)  # s by tenths, around the end of the infusion
    brief = exposure(H2, INFUSION).at(t)
    lag = t[brief.brain_uM["ketamine"].argmax()] - t[brief.arterial_ng_ml["ketamine"].argmax()]
    assert 0 < lag < 10 / 60


def test_the_brain_follows_arteries_and_not_veins() -> None:
    arteries = H2.model_copy(update={"venous": ()})
    t = np.linspace(0, 6, 61)
    both, one = (exposure(k, INFUSION).at(t) for k in (H2, arteries))
    np.testing.assert_allclose(both.brain_uM["ketamine"], one.brain_uM["ketamine"], rtol=1e-9)
    np.testing.assert_array_equal(one.plasma_ng_ml["ketamine"], one.arterial_ng_ml["ketamine"])


def test_veins_have_less_than_arteries_during_an_infusion_and_more_after_it() -> None:
    """Henthorn 2018: forearm veins and arteries sampled at once."""
    found = exposure(H2, INFUSION).at(np.array([5, 20, 39, 50, 80, 240]) / 60)
    more = found.plasma_ng_ml["ketamine"] > found.arterial_ng_ml["ketamine"]
    assert more.tolist() == [False, False, False, True, True, True]


def test_a_bolus_in_venous_blood() -> None:
    """10 mg i.v.: 296 ng/mL at its peak, at about 2 min (Pharmacotherapy 2022, table 6)."""
    t = np.linspace(0, 0.5, 181)
    plasma = ketamine(H2, t, Input("iv", 0, 0, 10.0))
    assert plasma.max() == pytest.approx(296, rel=0.1)
    assert 1 / 60 < t[plasma.argmax()] < 3 / 60


def test_row_1_peak_of_an_infusion() -> None:
    t = np.linspace(0, 4, 241)
    plasma = ketamine(H2, t, INFUSION)
    assert 150 < plasma.max() < 275
    assert t[plasma.argmax()] == pytest.approx(40 / 60, abs=1 / 60)
    at = np.array([40, 80, 110, 230]) / 60  # Zhao 2012, as remembered
    np.testing.assert_allclose(ketamine(H2, at, INFUSION), [200, 88, 66, 32], rtol=0.12)


def test_h2_follows_a_study_over_hours() -> None:
    """Hasan 2021: both enantiomers after 5 mg over 30 min, from the first hour to the eighth."""
    found = ketamine(H2, np.array([1.0, 2, 4, 6, 8]), Input("iv", 0, 0.5, 5.0))
    np.testing.assert_allclose(found, [13.04, 6.84, 3.48, 1.84, 1.08], rtol=0.35)


def test_row_2_clearance_and_volume() -> None:
    """From the curve, not the file: dose over area, and mean residence time times clearance. Kamp
    2020 intervals.
    """
    bolus = Input("iv", 0, 0, 35.0)
    t = np.concatenate([[0.0], np.geomspace(1e-3, 120, 300)])
    plasma = ketamine(H2, t, bolus)
    clearance_l_h = 35e3 / np.trapezoid(plasma, t)
    volume_l = clearance_l_h * np.trapezoid(plasma * t, t) / np.trapezoid(plasma, t)
    assert 69 < clearance_l_h < 90
    assert 200 < volume_l < 304


def test_h1_follows_its_own_published_curve() -> None:
    at = np.array([10, 20, 40, 60, 80, 120, 240]) / 60
    np.testing.assert_allclose(
        ketamine(H1, at, INFUSION), [182, 210, 240, 55, 46, 36, 17], atol=0.6
    )


def test_row_3_half_life_in_the_mouse() -> None:
    r1 = KETAMINE.kinetics["mouse"]["R1"]
    late = ketamine(r1, np.array([2.0, 3.0]), Input("ip", 0, 0, 0.25), weight_kg=0.025)
    assert 10 < 60 * np.log(2) / np.log(late[0] / late[1]) < 20


@pytest.mark.parametrize(("animal", "weight_kg"), [("mouse", 0.025), ("rat", 0.3)])
def test_the_rodent_scale(animal: str, weight_kg: float) -> None:
    r1 = KETAMINE.kinetics[animal]["R1"]  # type: ignore[index]
    t = np.linspace(0, 2, 241)
    brain = exposure(r1, Input("ip", 0, 0, 10 * weight_kg), weight_kg=weight_kg).at(t).brain_uM
    assert brain["ketamine"].max() == pytest.approx(1.5, rel=0.01)
    assert brain["hnk"][60] > brain["ketamine"][60]  # by 30 min (Zanos 2016, from memory)
    hnk = Exposure(
        r1.model_copy(update=_as_parent(r1)),
        parent="hnk",
        weight_kg=weight_kg,
        inputs=[Input("ip", 0, 0, 10 * weight_kg)],
        molar_masses={"hnk": MASSES["hnk"]},
    ).at(t)
    assert hnk.brain_uM["hnk"].max() == pytest.approx(8, rel=0.2)  # Lumsden 2019


def _as_parent(kinetics: Kinetics) -> dict[str, object]:
    """HNK given as a drug of its own."""
    hnk = kinetics.metabolites["hnk"]
    names = ("clearance", "unbound_fraction", "brain_partition")
    return {"central_volume": hnk.volume, **{n: getattr(hnk, n) for n in names}, "metabolites": {}}


def test_metabolites_in_humans() -> None:
    t = np.linspace(0, 24, 241)
    plasma = exposure(H2, INFUSION).at(t).plasma_ng_ml
    assert plasma["norketamine"].max() == pytest.approx(71, rel=0.02)
    assert t[plasma["norketamine"].argmax()] == pytest.approx(1.6, abs=0.2)
    assert plasma["hnk"].max() == pytest.approx(34, rel=0.02)
    assert 5 < t[plasma["hnk"].argmax()] < 7
    assert plasma["hnk"][-1] > 1


def test_bioavailability_is_the_ratio_of_areas() -> None:
    whole = area(H2, "ketamine", Input("iv", 0, 0, 35.0))
    for route, share in (
        ("im", 0.93),
        ("oral", 0.18),
        ("intranasal", 0.7 * 0.55 + 0.3 * 0.18),
        ("sublingual", 0.29),
    ):
        assert area(H2, "ketamine", Input(route, 0, 0, 35.0)) / whole == pytest.approx(
            share, rel=2e-3
        )


def test_norketamine_dominates_after_an_oral_dose() -> None:
    def ratio(route: str) -> float:
        return area(H2, "norketamine", Input(route, 0, 0, 35.0)) / area(
            H2, "ketamine", Input(route, 0, 0, 35.0)
        )

    assert ratio("oral") > 4 * ratio("iv")


def test_times_of_peaks_by_route() -> None:
    t = np.linspace(0, 2, 241)
    for route, low, high in (
        ("im", 5, 15),
        ("oral", 15, 45),
        ("intranasal", 14, 40),
        ("sublingual", 15, 60),
    ):
        peak_min = 60 * t[ketamine(H2, t, Input(route, 0, 0, 35.0)).argmax()]
        assert low <= peak_min <= high, route


def test_a_held_brain_concentration_adds_to_the_dose() -> None:
    t = np.array([-0.1, 0.0, 0.5, 0.999, 1.0])
    dosed = exposure(H2, INFUSION).at(t)
    both = exposure(H2, INFUSION, holds=(Hold(0.0, 1.0, 2.0),)).at(t)
    np.testing.assert_allclose(
        both.brain_uM["ketamine"] - dosed.brain_uM["ketamine"], [0, 2, 2, 2, 0], atol=1e-12
    )
    np.testing.assert_array_equal(both.plasma_ng_ml["ketamine"], dosed.plasma_ng_ml["ketamine"])
    np.testing.assert_array_equal(both.brain_uM["norketamine"], dosed.brain_uM["norketamine"])
    bath = exposure(None, holds=(Hold(0.0, 1.0, 2.0), Hold(0.5, 1.0, 1.0)))
    np.testing.assert_allclose(bath.at(t).brain_uM["ketamine"], [0, 2, 3, 3, 0])
    assert bath.at(t).plasma_ng_ml["ketamine"].max() == 0
    assert bath.amounts_mg(t)["eliminated"].max() == 0


def test_what_an_exposure_refuses() -> None:
    with pytest.raises(ValueError, match="wanted kinetics"):
        exposure(None, INFUSION)
    with pytest.raises(ValueError, match="the route ivy, wanted one of iv"):
        exposure(H2, Input("ivy", 0, 0, 1.0))
    with pytest.raises(ValueError, match="molar mass of norketamine"):
        Exposure(H2, parent="ketamine", molar_masses={"ketamine": 1.0}, weight_kg=70)


LITTLE = {"value": "0.1", "source": "assumed", "evidence": "assumed", "note": "a test"}


def _tree() -> dict[str, object]:
    def number(value: str) -> dict[str, str]:
        return {"value": value, "source": "assumed", "evidence": "assumed", "note": "a test"}

    return {
        "reference_weight": number("70 kg"),
        "central_volume": number("10 L"),
        "clearance": number("1 L/min"),
        "effect_site_half_life": number("3 min"),
        "unbound_fraction": number("0.5"),
        "brain_partition": number("1"),
        "routes": {
            "oral": {"bioavailability": number("0.5"), "absorption": number("0.1 1/min")},
            "nasal": {"bioavailability": number("0.5"), "absorption": number("0.1 1/min")},
        },
        "metabolites": {
            "m": {
                "from": "k",
                "fraction": number("0.7"),
                "volume": number("1 L"),
                "clearance": number("1 L/min"),
                "unbound_fraction": number("1"),
                "brain_partition": number("1"),
            }
        },
    }


@pytest.mark.parametrize(
    ("change", "path", "said"),
    [
        (lambda t, n: t["routes"]["oral"].update(first_pass={"n": LITTLE}), "routes.oral.first_pass.n",
         "under metabolites"),
        (lambda t, n: t["routes"]["oral"].update(first_pass={"m": n}), "routes.oral", "adding to 1.1"),
        (lambda t, n: t["routes"]["oral"].update(swallowed=n), "routes.oral.swallowed", "another route"),
        (lambda t, n: t["metabolites"].update(n={**t["metabolites"]["m"], "fraction": n}), "metabolites.n.fraction",
         "adding to 1.3"),
        (lambda t, n: t["metabolites"]["m"].pop("from"), "metabolites.m.from", "found nothing"),
    ],
)  # fmt: skip
def test_kinetics_that_do_not_add_up(change: object, path: str, said: str) -> None:
    tree = _tree()
    build(Document("k.yaml", tree), Kinetics)
    number = {"value": "0.6", "source": "assumed", "evidence": "assumed", "note": "a test"}
    change(tree, number)  # type: ignore[operator]
    with pytest.raises(InputError) as caught:
        build(Document("k.yaml", tree), Kinetics)
    assert [problem.path for problem in caught.value.problems] == [path]
    assert said in str(caught.value)
