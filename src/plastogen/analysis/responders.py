"""In: results of virtual subjects, and a readout that says yes or no. Out: who responds, and which
numbers separate those who do from those who do not.

A number separates by its AUC: the chance that it is higher in a responder than in a non-responder
drawn at random (Mann and Whitney 1947), 0.5 when it says nothing; 2 AUC - 1 is the rank-biserial
correlation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from plastogen._base.text import percent
from plastogen.analysis.contrast import by_unit, require_name, results_error
from plastogen.experiment import FEWEST, SUBJECT, Array, Estimate, auc, share_interval

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class Separation:
    """How well one number tells responders: AUC with its 95 % interval, and the median of either
    group, in `unit`.
    """

    name: str
    path: str
    unit: str
    auc: float
    low: float
    high: float
    responders: float
    others: float


@dataclass(frozen=True)
class Response:
    """Who responds in one arm. yes: by subject, in the order of `subjects`, of those all of whose
    seeds are complete.

    rate: share of `n` subjects, with its 95 % interval (Wilson 1927); `expected`: how many there
    should be.
    """

    readout: str
    arm: str
    subjects: NDArray[np.int64]
    yes: NDArray[np.bool_]
    expected: int
    rate: Estimate
    separations: tuple[Separation, ...]

    @property
    def n(self) -> int:
        """How many subjects the rate rests on."""
        return self.yes.size


def find_responders(ds: xr.Dataset, readout: str | None = None, arm: str | None = None) -> Response:
    """Who responds, by `readout` (the first that says yes or no) in `arm` (where most respond).

    What separates them comes best first. Raises InputError.

    A subject is judged by the mean over seeds of the number behind the answer, where another
    readout holds it; else by whether more than half of the seeds say yes.
    """
    if SUBJECT not in ds.sizes:
        raise results_error(
            ds, found="no virtual subjects", wanted="some: `subjects: 200` under course:"
        )
    asking = [str(name) for name in ds.data_vars if "yes_no" in ds[name].attrs]
    if not asking:
        wanted = (
            "a readout that says yes or no, such as {of: clinical_effect, at: 24 h, below: -0.5}"
        )
        raise results_error(ds, found="none among the readouts", wanted=wanted)
    name = require_name(readout, asking, "readout") if readout is not None else asking[0]
    values = ds[name].astype(float)
    others = [dim for dim in values.dims if dim not in ("arm", SUBJECT, "seed")]
    if others:
        wanted = "one point of the sweep; choose with .sel"
        raise results_error(
            ds, path=str(others[0]), found=f"{ds.sizes[others[0]]} values", wanted=wanted
        )
    arms = [str(a) for a in ds["arm"].values]
    most = arms[int(np.nan_to_num(by_unit(values).mean(SUBJECT).values).argmax())]
    mine = require_name(arm, arms, "arm") if arm is not None else most
    share = by_unit(values.sel(arm=mine)).values
    there = np.isfinite(share)
    number = number_behind(ds, name)
    yes = share[there] > 1 / 2
    if number is not None:
        yes = _beyond(ds[name], by_unit(ds[number].sel(arm=mine).astype(float)).values[there])
    rate = share_interval(int(yes.sum()), yes.size)
    # fewer responders, or non-responders, and nothing separates them
    each = tuple(_separations(ds, there, yes)) if min(yes.sum(), (~yes).sum()) >= FEWEST else ()
    return Response(name, mine, ds[SUBJECT].values[there], yes, there.size, rate, each)


def number_behind(ds: xr.Dataset, readout: str) -> str | None:
    """The readout that holds the number which a yes or no is about: it tells the same of every
    run.
    """
    answer = ds[readout]
    said = answer.values.astype(float)
    for name in ds.data_vars:
        if (
            ds[name].attrs.get("of") == answer.attrs.get("of") is not None
            and "yes_no" not in ds[name].attrs
        ):
            numbers = ds[name].values.astype(float)
            there = np.isfinite(numbers)
            if (
                np.array_equal(there, np.isfinite(said))
                and (_beyond(answer, numbers) == (said == 1))[there].all()
            ):
                return str(name)
    return None


def _beyond(answer: xr.DataArray, numbers: Array) -> NDArray[np.bool_]:
    """Which numbers are beyond the threshold of a readout that says yes or no."""
    threshold = float(answer.attrs["threshold"])
    return np.asarray(
        numbers > threshold if answer.attrs["beyond"] == "above" else numbers < threshold
    )


def _separations(
    ds: xr.Dataset, there: NDArray[np.bool_], yes: NDArray[np.bool_]
) -> Iterator[Separation]:
    """Of every number that varies between subjects, the one that separates best first."""
    found = []
    for name, coord in ds.coords.items():
        if coord.dims == (SUBJECT,) and "path" in coord.attrs:
            values = coord.values[there].astype(float)
            one, other = values[yes], values[~yes]
            unit = str(coord.attrs.get("units", "1"))
            medians = float(np.median(one)), float(np.median(other))
            found.append(
                Separation(str(name), str(coord.attrs["path"]), unit, *auc(one, other), *medians)
            )
    yield from sorted(found, key=lambda s: -abs(s.auc - 1 / 2))


HEAD = ("", "AUC [95 % interval]", "median of responders", "of the others")


def describe_response(found: Response) -> str:
    """`responds: 41 % [34 %, 48 %] of ketamine, n = 200 of 200`."""
    rate = (
        " ".join([percent(found.rate[0]), f"[{percent(found.rate[1])}, {percent(found.rate[2])}]"])
        if found.n
        else "nobody"
    )
    return (
        f"{found.readout}: {rate} of {found.arm}, n = {found.n} of {found.expected} virtual"
        " subjects"
    )


def text_rows(found: Sequence[Separation]) -> Iterator[tuple[str, ...]]:
    """`found` as rows of text under `HEAD`."""
    for s in found:
        unit = "" if s.unit == "1" else f" {s.unit}"
        span = f" [{s.low:.2f}, {s.high:.2f}]" if np.isfinite(s.low) else ""
        yield s.name, f"{s.auc:.2f}{span}", f"{s.responders:.3g}{unit}", f"{s.others:.3g}{unit}"
