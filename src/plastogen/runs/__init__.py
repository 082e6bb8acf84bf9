"""Many courses: scheduled, kept on disk, collected into results.nc."""

from typing import TYPE_CHECKING

from plastogen._base.facade import lookup

if TYPE_CHECKING:
    from plastogen.runs.capped import describe_beyond, describe_cap
    from plastogen.runs.dosing import dosing_rows, dosing_text
    from plastogen.runs.dry_run import describe_plan
    from plastogen.runs.emulators import describe_emulators
    from plastogen.runs.missing import run_missing
    from plastogen.runs.netcdf import blocks, open_netcdf
    from plastogen.runs.pool import KINDS
    from plastogen.runs.request import (
        RESULTS,
        SMALL_CIRCUIT,
        Request,
        RunOptions,
        Say,
        made_by_0_1,
        make_request,
        read_record,
        repeat_request,
        silent,
        without_result,
        write_record,
    )
    from plastogen.runs.results import RUNS_AT_ONCE, assemble, load, results_of, states
    from plastogen.runs.scheduler import RERUNS, Rerun, Watcher, list_runs, run_all
    from plastogen.runs.shard import Shard, gather
    from plastogen.runs.spine_file import open_spines, standing, turnover
    from plastogen.runs.status import Status, describe_status, read_status
    from plastogen.runs.store import Store, Stored
    from plastogen.runs.tables import head, labels, table
    from plastogen.runs.worker import RunResult
else:
    __getattr__, __dir__ = lookup(__name__, __file__)
