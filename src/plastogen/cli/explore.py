"""In: the wish to show it. Out: the page on which a network runs live and the days after can be
looked through.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from plastogen.cli.exit_codes import guarded
from plastogen.cli.options import PLACE, place


@guarded
def explore(
    results: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Results folders a new page shows; none: the page that ships.", parser=place
        ),
    ] = None,
    circuit: Annotated[
        str | None,
        typer.Option(
            help="Name or file of a circuit: a new page on which it runs, without the five steps."
        ),
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="Where the page goes; explore.html for a new one.",
            parser=place,
            metavar=PLACE,
        ),
    ] = None,
    open_: Annotated[bool, typer.Option("--open/--no-open", help="Open it in the browser.")] = True,
) -> None:
    """A live network and the days after, one page for a lecture: opened, copied with -o, or built
    from a circuit of your own or from results.
    """
    from plastogen._base.files import atomic_write
    from plastogen.publish import build_page, shipped_page

    if results or circuit is not None:
        path = build_page(
            results or [], to or Path("explore.html"), circuit_given=circuit, announce=typer.echo
        )
    else:
        path = shipped_page()
        if to is not None:
            atomic_write(to, path.read_text(encoding="utf-8"))
            path = to
    typer.echo(f"page {path}")
    if open_ and not _opened(path):
        typer.echo(f"No browser opened here. The page is one file: {_elsewhere(path.resolve())}")


def _opened(path: Path) -> bool:
    """Whether a browser of the desktop was asked to show it; a browser inside the terminal cannot
    run a network.
    """
    import webbrowser

    screen = (
        sys.platform != "linux" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
    if os.environ.get("SSH_CONNECTION") or not screen:
        return False
    return bool(webbrowser.open(path.resolve().as_uri()))


def _elsewhere(path: Path) -> str:
    """How to get the page onto a screen from here."""
    ssh = bool(os.environ.get("SSH_CONNECTION"))
    if os.environ.get("WSL_DISTRO_NAME") and not ssh:
        return (
            'double-click it in Windows, in the folder that `explorer.exe "$(wslpath -w'
            f' "{path.parent}")"` opens.'
        )
    if ssh:
        import getpass
        import socket

        name = f"{getpass.getuser()}@{socket.gethostname()}"
        return f"fetch it (on your own computer: scp '{name}:{path}' .) and double-click it."
    return "copy it to the computer at the projector and double-click it."
