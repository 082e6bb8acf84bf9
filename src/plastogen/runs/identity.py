"""In: a `Plan`. Out: its run's name, a digest of what determines the course and of nothing else.

Equal arms so share a run, and a new readout, claim or text re-runs nothing. What computes a course
is in it as `MODEL_VERSION`, not as its source. A plan is made of
definitions that many plans share; each is digested once (`fingerprint`), so that a sweep's
thousands of names take seconds.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from plastogen._base.digest import digest, fingerprint, plain
from plastogen.model.circuit import signature
from plastogen.simulation import MODEL_VERSION, SPINES_VERSION, Plan

ID_LENGTH = 12


def run_id(plan: Plan) -> str:
    """The name of the run, 12 hex digits."""
    return digest(_parts(plan, fingerprint))[:ID_LENGTH]


def determines(plan: Plan) -> dict[str, Any]:
    """All that the course depends on, as plain data: no sources, no labels of treatments. Not to be
    changed.

    Floats count to 12 significant digits.
    """
    return _parts(plan, plain)


def _parts(plan: Plan, of: Callable[[Any], Any]) -> dict[str, Any]:
    labelled = ("treatments", "interventions")  # in any order
    values = {f.name: getattr(plan, f.name) for f in fields(plan) if f.name not in labelled}
    parts = {name: of(value) for name, value in values.items() if value is not None}
    parts["treatments"] = sorted(
        (of(treatment) for treatment in plan.treatments.values()), key=json.dumps
    )
    parts["model_version"] = MODEL_VERSION
    if plan.spines is not None:
        parts["spines_version"] = SPINES_VERSION
        done = sorted((of(one) for one in plan.interventions or ()), key=json.dumps)
        parts |= {"interventions": done} if done else {}
    if plan.asks_network:
        parts["engine"] = signature(str(plan.backend))
    if plan.method != "direct":  # what the network of an emulator was, its own key says
        parts["backend"] = plan.method
    return parts
