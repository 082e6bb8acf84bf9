"""In: a results folder. Out: how its sweep stands: what is finished, failed and why, under way,
missing.
"""

from __future__ import annotations

import os
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from plastogen._base.files import size
from plastogen._base.machine import in_bytes
from plastogen._base.text import counted, show
from plastogen._base.textfile import is_dir
from plastogen.errors import InputError
from plastogen.runs.heartbeat import ActiveWorker, active_workers
from plastogen.runs.request import Record, read_record
from plastogen.runs.store import Store

NAMED = 3  # places that are named for each reason
AGES = {"d": 86400, "h": 3600, "min": 60}  # s


@dataclass(frozen=True)
class Status:
    """How a folder stands. `failed`: run -> why; `record` is None when it is not known what was
    asked of it.
    """

    folder: Path
    record: Record | None
    finished: frozenset[str]
    failed: dict[str, str]
    under_way: list[ActiveWorker]
    last_s: float | None
    n_bytes: int

    @property
    def missing(self) -> set[str]:
        """Runs that were asked for and are neither finished, nor failed, nor under way."""
        wanted = set(self.record.runs) if self.record is not None else set()
        return (
            wanted
            - self.finished
            - self.failed.keys()
            - {run for one in self.under_way for run in one.runs}
        )


def read_status(folder: Path | str) -> Status:
    """The state of a results folder. Raises InputError when it is none."""
    store = Store(Path(folder))
    if not is_dir(store.runs):
        raise InputError.one(
            file="status", found=show(str(folder)), wanted="a results folder, which holds runs/"
        )
    record, finished, failed = read_record(store.folder), store.finished(), store.failures()
    if record is not None:  # runs of earlier settings may be there too
        finished, failed = (
            finished & record.runs.keys(),
            {run: failed[run] for run in failed.keys() & record.runs.keys()},
        )
    failed = {run: why for run, why in failed.items() if run not in finished}
    under_way = [one for one in active_workers(store.folder) if not finished.issuperset(one.runs)]
    return Status(
        store.folder,
        record,
        frozenset(finished),
        failed,
        under_way,
        _last(store.runs),
        size(store.folder),
    )


def _last(runs: Path) -> float | None:
    """When something was last written among the runs, s since 1970."""
    times = []
    with suppress(OSError), os.scandir(runs) as entries:
        for entry in entries:
            with suppress(OSError):
                times.append(entry.stat().st_mtime)
    return max(times, default=None)


def describe_status(status: Status) -> Iterator[str]:
    """What a person reads of it."""
    record = status.record
    if record is None:
        yield (
            f"{status.folder}: {counted(len(status.finished), 'run')}; what was asked of it is"
            " not written down there"
        )
    else:
        settings = "".join(f" {path}={value}" for path, value in record.set.items())
        yield f"{record.experiment}{settings} in {status.folder}"
        last = (
            f", the last {age(time.time() - status.last_s)} ago"
            if status.finished and status.last_s
            else ""
        )
        yield f"finished   {len(status.finished)} of {len(record.runs)} runs{last}"
    yield f"failed     {len(status.failed)}"
    yield from _reasons(status)
    runs = {run for one in status.under_way for run in one.runs}
    yield f"under way  {len(runs)}"
    for host, workers in Counter(one.host for one in status.under_way).items():
        since = min(one.since for one in status.under_way if one.host == host)
        at_work = f"{counted(workers, 'worker')} on {host}"
        yield f"    {at_work}, the longest for {age(time.time() - since)}"
    if record is not None:
        yield f"missing    {len(status.missing)}"
    yield f"disk       {in_bytes(status.n_bytes)}"
    if status.failed:
        yield "what failed is run again by: plastogen run ... --rerun failed"


def _reasons(status: Status) -> Iterator[str]:
    """Each reason once, with where it struck."""
    where = defaultdict[str, list[str]](list)
    for run, why in status.failed.items():
        where[why].append(status.record.runs[run] if status.record is not None else run)
    for why, places in sorted(where.items(), key=lambda pair: -len(pair[1])):
        more = f" and {len(places) - NAMED} more" if len(places) > NAMED else ""
        yield f"    {why} ({len(places)}: {'; '.join(sorted(places)[:NAMED])}{more})"


def age(seconds: float) -> str:
    """90000 -> "25 h"."""
    for unit, length in AGES.items():
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"
