"""In: a command line. Out: what it asked for, and an exit code.

The commands stand in the other files of this folder; errors become messages and exit codes in
`exit_codes`. Nothing heavy is imported before a command needs it.
"""

from __future__ import annotations

import logging
import os
from typing import Annotated, Any

import typer

from plastogen import __version__
from plastogen._base.machine import set_one_thread
from plastogen._base.scope import SCOPE
from plastogen.cli import explore, late_rich, look, results, run, study, teach
from plastogen.cli.exit_codes import ExitCode, heed_signals

PANELS: dict[str, tuple[Any, ...]] = {
    "Look": (look.list_, look.show, look.new, look.check, look.sources, look.reliance, look.doctor),
    "Run": (run.run, run.merge, results.status),
    "See what came out": (
        results.plot,
        results.report,
        results.compare,
        results.export,
        results.evidence,
    ),
    "Teach": (explore.explore, teach.demo, teach.lesson, teach.animate),
    "Ask how surely, and why": (study.trial, study.responders, study.sensitivity),
}

app = typer.Typer(
    name="plastogen",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help=(
        "From a dose of ketamine to synapses and spines, weeks later, through a real spiking"
        f" network. {SCOPE}"
    ),
    epilog="Exit codes: " + "; ".join(f"{code:d} {code.meaning}" for code in ExitCode) + ".",
)
for panel, commands in PANELS.items():
    for command in commands:
        app.command(command.__name__.rstrip("_"), rich_help_panel=panel)(command)

# what a helper process of Python says of semaphores when a command is stopped: the system has them
TRACKER = "ignore:resource_tracker"


@app.callback(invoke_without_command=True)
def about(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Say which version this is."""
    if version:
        typer.echo(f"plastogen {__version__}")
        raise typer.Exit


def main() -> Any:
    """Run the command line."""
    late_rich.defer()
    set_one_thread()
    heed_signals()
    os.environ.setdefault("PYTHONWARNINGS", TRACKER)
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # on folders that it would rather have
    os.environ["MPLBACKEND"] = "agg"  # what a notebook had set is not there for a process it starts
    return app()


if __name__ == "__main__":
    main()
