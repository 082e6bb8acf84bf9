"""In: an experiment and its results. Out: the verdicts that models without a mechanism would get on
the same claims, from the same numbers.

Two of them: *nothing changes*, where every treated arm is as the untreated one of the same subject;
and *everything acts as ketamine*, where every treated arm is as the ketamine arm. What an effect is
measured by (`full`, in claims of what is left of it) stays as it came out, for both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias

from plastogen.experiment import Claim, Experiment, OpenExperiment, Verdict, judge_claims

if TYPE_CHECKING:
    import xarray as xr

NOTHING, AS_KETAMINE = "nothing changes", "everything acts as ketamine"
KETAMINE = "ketamine"
# treated arm -> the arm that stands in for it; those that none can stand in for are absent
Stand: TypeAlias = Mapping[str, str]


def naive_verdicts(opened: OpenExperiment, ds: xr.Dataset) -> dict[str, dict[str, Verdict]]:
    """Model -> claim -> its verdict, of the claims it says anything else about than plastogen."""
    experiment = opened.experiment
    found = {}
    for name, stand in stand_ins(experiment).items():
        asked = {claim.claim for claim in experiment.expect if is_asked(experiment, claim, stand)}
        judged = judge_claims(opened, ds, _keeping_the_measure(stand))
        found[name] = {one.claim: one for one in judged if one.claim in asked}
    return found


def stand_ins(experiment: Experiment) -> dict[str, Stand]:
    """Of either model, which arm stands in for which."""
    treated = {arm for arm in experiment.arms if is_treated(experiment, arm)}
    full = [claim.full for claim in experiment.expect if claim.full is not None]
    only_ketamine = [
        arm
        for arm in dict.fromkeys([*full, *experiment.arms])
        if {one.drug for one in experiment.arm(arm).give.values()} == {KETAMINE}
    ]
    references = {
        NOTHING: [arm for arm in experiment.arms if arm not in treated],
        AS_KETAMINE: only_ketamine,
    }
    return {name: _first_alike(experiment, treated, arms) for name, arms in references.items()}


def is_treated(experiment: Experiment, arm: str) -> bool:
    """Whether anything is given to an arm or done to it."""
    settings = experiment.arm(arm)
    return bool(settings.give or settings.intervene)


def is_asked(experiment: Experiment, claim: Claim, stand: Stand) -> bool:
    """Whether a model has an answer of its own: an arm to stand in for each treated one, and not
    itself for all of them.
    """
    arms = {arm for key, arm in claim.arms.items() if key != "full"}
    treated = {arm for arm in arms if is_treated(experiment, arm)}
    return treated <= stand.keys() and any(stand[arm] != arm for arm in treated)


def _keeping_the_measure(stand: Stand) -> Callable[[Claim], Stand]:
    def of(claim: Claim) -> Stand:
        return {arm: other for arm, other in stand.items() if arm != claim.full}

    return of


def _first_alike(experiment: Experiment, treated: set[str], references: list[str]) -> Stand:
    """Treated arm -> the first of the references with the same subject."""
    found = {}
    for arm in experiment.arms:
        alike = [
            one for one in references if _subject(experiment, one) == _subject(experiment, arm)
        ]
        if arm in treated and alike:
            found[arm] = alike[0]
    return found


def _subject(experiment: Experiment, arm: str) -> tuple[object, dict[str, object]]:
    """Who an arm is: the stress it is under, and what it changes about the subject."""
    settings = experiment.arm(arm)
    changes = {
        path: value
        for path, value in settings.set.items()
        if path == "model.subject" or path.startswith("subject.")
    }
    return settings.stress, changes
