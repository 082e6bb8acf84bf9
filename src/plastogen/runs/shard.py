"""In: k/N, as a job array gives it. Out: the k-th of N parts of a sweep's runs; and all parts
together again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from plastogen._base.text import show
from plastogen._base.textfile import is_dir
from plastogen.errors import InputError
from plastogen.runs.store import Store
from plastogen.runs.worker import Run, RunResult


@dataclass(frozen=True)
class Shard:
    """Part `k` of `n`, from 1."""

    k: int
    n: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read "3/10". Raises InputError."""
        found = re.fullmatch(r"\s*(\d{1,9})\s*/\s*(\d{1,9})\s*", text)
        if found is None or not 1 <= int(found[1]) <= int(found[2]):
            wanted = (
                "k/N with k from 1 to N, such as 3/10 (in SLURM: --array=1-10 and"
                " ${SLURM_ARRAY_TASK_ID}/10)"
            )
            raise InputError.one(file="--shard", found=show(text), wanted=wanted)
        return cls(int(found[1]), int(found[2]))

    def part(self, runs: Sequence[Run]) -> list[Run]:
        """Every n-th of `runs` by their ids, which are as good as shuffled: parts differ by one run
        at most.

        Finished ones count too, so that parts that start at different times do not overlap.
        """
        return sorted(runs, key=lambda run: run.id)[self.k - 1 :: self.n]

    def __str__(self) -> str:
        return f"part {self.k} of {self.n}"


def gather(runs: Sequence[Run], store: Store, folders: Sequence[Path]) -> list[RunResult]:
    """Bring together what is finished, here or in other results `folders`; nothing is run.

    A run that is nowhere is "missing", or "failed before" with its reason. Raises InputError (a
    folder without runs) or StoreError.
    """
    others = [Store(folder) for folder in folders]
    for other in others:
        if not is_dir(other.runs):
            raise InputError.one(
                file="--from",
                found=show(str(other.folder)),
                wanted="a results folder, which holds runs/",
            )
    store.prepare()
    return [_collect_one(run, store, others) for run in runs]


def _collect_one(run: Run, store: Store, others: Sequence[Store]) -> RunResult:
    if store.fault(run.id) is None:
        return RunResult(run, "stored")
    if any(store.take(run.id, other) for other in others):
        return RunResult(run, "borrowed")
    reasons = (one.failure(run.id) for one in (store, *others))
    reason = next((reason for reason in reasons if reason is not None), None)
    if reason is None:
        return RunResult(run, "missing")
    store.fail(run.id, reason)
    return RunResult(run, "failed before", reason)
