"""What a plan says before anything runs, and what runs cost when they were last made."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import course_fake
import pytest
from test_experiment import TEXT, question

from plastogen.experiment.resolve import OpenExperiment, open_experiment
from plastogen.experiment.validate import resolve_conditions
from plastogen.model.circuit import Circuit, Learner
from plastogen.runs.cost import Cost, expected_costs, record_cost, record_training_cost
from plastogen.runs.dry_run import describe_plan, in_time
from plastogen.runs.emulators import emulator_path, make_training_sets
from plastogen.runs.request import Request
from plastogen.runs.scheduler import list_runs, run_all
from plastogen.runs.store import Store
from plastogen.runs.worker import Run

DOSE = "arms.ketamine.give.infusion.dose"
FORMULA = TEXT.replace("seed: 5}", "seed: 5, method: formula}")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLASTOGEN_CACHE", str(tmp_path / "cache"))


def jobs(asked: OpenExperiment, backend: str = "numpy") -> list[Run]:
    return list_runs(asked, resolve_conditions(asked), backend)[0]


def lines(asked: OpenExperiment, folder: Path, backend: str = "numpy", workers: int = 2) -> str:
    cases = resolve_conditions(asked)
    training_sets = make_training_sets(asked, cases, backend)
    found, ids = list_runs(asked, cases, backend, training_sets)
    return "\n".join(
        describe_plan(
            Request(asked, cases, found, ids, training_sets, Store(folder)), workers=workers
        )
    )


def test_points_runs_and_what_is_shared_and_finished(tmp_path: Path) -> None:
    asked = question(FORMULA + f"sweep: {{{DOSE}: [1 mg/kg, 2 mg/kg, 3 mg/kg]}}")
    said = lines(asked, tmp_path)
    # vehicle is the same at every dose, `both` replaces the infusion: 4 arms x 3 points x 3 seeds,
    # less 2 x 2 x 3
    assert "test: 3 points, 36 runs, 24 different (12 shared), 24 still to do" in said
    assert "a grid (3 points)" in said
    assert f"{DOSE}: 1 mg/kg, 2 mg/kg, 3 mg/kg" in said
    first = [job for job in jobs(asked) if job.arm == "vehicle"]
    assert [
        done.state for done in run_all(first, Store(tmp_path), simulator=course_fake.simulate)
    ] == ["run"] * 3
    said = lines(asked, tmp_path)
    assert "21 still to do" in said
    assert "vehicle: 9 of 9 finished" in said
    assert "ketamine: 0 of 9 finished" in said


def test_virtual_subjects_are_points_too(tmp_path: Path) -> None:
    said = lines(
        question(
            FORMULA.replace("seeds: 3,", "seeds: 3, subjects: 5,").replace(
                "healthy_adult", "virtual_adult"
            )
        ),
        tmp_path,
    )
    assert "test: 5 points, 60 runs" in said
    assert "5 virtual subjects" in said


def test_a_broken_run_is_named(tmp_path: Path) -> None:
    asked = question(FORMULA)
    (job, *_) = jobs(asked)
    list(run_all([job], Store(tmp_path), simulator=course_fake.simulate))
    (tmp_path / "runs" / job.id / "course.npz").write_bytes(b"")
    assert (
        f"run {job.id} is broken (course.npz is cut short or altered) and would be run again"
        in lines(asked, tmp_path)
    )


def test_axes_that_need_another_program_or_other_answers_are_named(tmp_path: Path) -> None:
    swept = f"sweep: {{circuit.connections.0.probability: [0.2, 0.9], circuit.populations.E.leak: [12 nS, 13 nS], {DOSE}: [1 mg/kg, 2 mg/kg]}}"
    asked = question(TEXT.replace("set: {circuit.populations.E.leak: 13 nS, ", "set: {") + swept)
    said = lines(asked, tmp_path, "cpp")
    assert (
        "programs: 2, 0 of them compiled (they differ along circuit.connections.0.probability)"
        in said
    )
    both = "circuit.connections.0.probability, circuit.populations.E.leak"
    assert f"circuits for the network to answer for: 4 (they differ along {both})" in said
    assert "programs" not in lines(asked, tmp_path, "numpy")
    assert "circuits" not in lines(question(FORMULA + swept), tmp_path, "cpp")


def test_emulators_that_have_to_be_learned_are_counted_and_timed(tmp_path: Path) -> None:
    text = TEXT.replace("seed: 5}", "seed: 5, method: emulated}").replace(
        "set: {circuit.populations.E.leak: 13 nS, ", "set: {"
    )
    asked = question(
        text + f"sweep: {{circuit.populations.E.leak: [12 nS, 13 nS], {DOSE}: [1 mg/kg, 2 mg/kg]}}"
    )
    said = lines(asked, tmp_path)
    assert "emulators: 2, 0 of them learned (they differ along circuit.populations.E.leak)" in said
    training_sets = make_training_sets(asked, resolve_conditions(asked), "numpy")
    one, other = training_sets.values()
    kept = emulator_path(tmp_path, one.key)
    kept.parent.mkdir()
    kept.touch()
    assert "emulators: 2, 1 of them learned" in lines(asked, tmp_path)
    cases = resolve_conditions(asked)
    record_cost(list_runs(asked, cases, "numpy", training_sets)[0], 1, Store(tmp_path))
    assert "learning 1 emulator comes on top: not known how long" in lines(asked, tmp_path)
    record_training_cost(other.plans[0], 1200)
    assert "learning 1 emulator comes on top: about 10 min" in lines(asked, tmp_path)


def test_time_and_disk_are_unknown_until_such_runs_were_made_here(tmp_path: Path) -> None:
    asked = question(FORMULA.replace("question:", "takes: an hour\nquestion:"))
    assert (
        "time and disk: not known, for no such run has been made on this machine yet; its file says: an hour"
        in lines(asked, tmp_path)
    )
    store, (one, other, *_) = Store(tmp_path / "other"), jobs(asked)
    list(run_all([one, other], store, simulator=course_fake.simulate))
    record_cost([one, other], 100, store)
    bytes_each = (store.bytes(one.id) + store.bytes(other.id)) / 2
    assert expected_costs(jobs(asked)) == [
        (9, Cost(50, bytes_each, 2, 48)),
        (3, None),
    ]  # `both` has shorter probes
    assert bytes_each > 1000
    assert "about 4 min with 2 at once" in lines(asked, tmp_path)
    assert "and 3 runs of a kind that has not been made here yet" in lines(asked, tmp_path)
    assert "about 8 min with 1 at once" in lines(asked, tmp_path, workers=1)
    assert "going by 2 such runs on this machine" in lines(asked, tmp_path)
    longer = question(FORMULA.replace("duration: 2 d", "duration: 9 d"))
    assert "going by 2 such runs of 2 d on this machine" in lines(longer, tmp_path)


def test_the_pace_is_an_average_over_runs_that_are_alike(tmp_path: Path) -> None:
    store, asked = Store(tmp_path), question(FORMULA)
    one, other, *_ = jobs(asked)
    record_cost([one], 10, store)
    record_cost([one, other], 40, store)
    ((_, known),) = expected_costs([one])
    assert known is not None
    assert (known.runs, known.seconds) == (3, pytest.approx(50 / 3))
    assert expected_costs(jobs(question(TEXT)))[0][1] is None
    exact = jobs(question(FORMULA.replace("seed: 5,", "seed: 5, tolerance: 0.01,")))
    assert expected_costs(exact)[0][1] is None


def test_what_takes_long_in_one_kind_of_runs_says_nothing_of_another(tmp_path: Path) -> None:
    """A course of each spine, and one of the mean."""
    (each, *_) = jobs(open_experiment("new_spines_deleted"))
    assert each.plan.kind == "spines"
    mean = replace(each, plan=replace(each.plan, spines=None, preparation=None, interventions=None))
    assert mean.plan.kind == "course"
    record_cost([each], 10, Store(tmp_path))
    assert expected_costs([each])[0][1] is not None
    assert expected_costs([mean])[0][1] is None


def test_a_pace_file_that_is_damaged_is_as_none(tmp_path: Path) -> None:
    (one, *_) = jobs(question(FORMULA))
    record_cost([one], 10, Store(tmp_path))
    (file,) = (tmp_path / "cache" / "cost").iterdir()
    file.write_text("{")
    assert expected_costs([one]) == [(1, None)]


def test_of_several_lengths_the_nearest_is_taken(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for days, seconds in ((1, 10), (30, 300)):
        (one, *_) = jobs(
            question(
                FORMULA.replace("duration: 2 d", f"duration: {days} d").replace(
                    "3 h, for: 2 h", "3 h"
                )
            )
        )
        record_cost([one], seconds, store)
    ((_, near),) = expected_costs(jobs(question(FORMULA))[:1])
    assert near is not None
    assert near.seconds == 10


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(5, "5 s"), (90, "90 s"), (600, "10 min"), (7200, "2 h"), (200 * 3600, "8 d")],
)
def test_times_are_said_roughly(seconds: float, text: str) -> None:
    assert in_time(seconds) == text


def test_the_program_of_ensembles_beside_a_formula_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It alone is compiled: electrodes drive cells whose synapses learn as they go."""
    asked, looked = open_experiment("ensemble"), list[tuple[bool, bool]]()
    assert asked.experiment.course.method == "formula"

    def built(circuit: Circuit, learner: Learner, *, driven: bool = False) -> bool:
        looked.append((learner.live, driven))
        return True

    monkeypatch.setattr("plastogen.runs.dry_run.is_built", built)
    said = lines(asked, tmp_path, "cpp")
    assert "programs: 1, 1 of them compiled" in said
    assert "circuits for the network" not in said
    assert set(looked) == {(True, True)}
