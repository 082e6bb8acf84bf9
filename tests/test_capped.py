"""What is said of runs that asked the circuit as often as they may."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
from fake_results import results

from plastogen.runs.capped import describe_cap


class Logs:
    """A store that knows the log of each run."""

    def load(self, run: str) -> Any:
        log = {"furthest": 0.01 * int(run), "resolution": 0.004}
        return SimpleNamespace(manifest={"log": log})


def test_it_is_said_which_runs_of_how_many_and_by_how_much() -> None:
    ds = results(("vehicle", "ketamine"), seeds=3)
    ds["run"] = (("arm", "seed"), np.array([["0", "1", "2"], ["3", "4", "5"]], dtype=object))
    store: Any = Logs()
    assert describe_cap(ds, store) == ""
    ds["cap_hit"][1, 1:] = True
    ds["cap_hit"][0, 2] = True
    said = describe_cap(ds, store)
    assert "3 of 6 runs (1 of vehicle, 2 of ketamine)" in said
    assert "up to 0.05 off where 0.004 is allowed" in said
