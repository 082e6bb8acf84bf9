"""In: the wish to show it. Out: the page on which a network runs live and the days after can be looked through."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from plastogen.guard import guarded


@guarded
def explore(
    results: Annotated[
        list[Path] | None, typer.Argument(help="Results folders a new page shows; none: the page that ships.")
    ] = None,
    to: Annotated[Path, typer.Option("--out", "-o", help="Where a new page goes.")] = Path("explore.html"),
    open_: Annotated[bool, typer.Option("--open/--no-open", help="Open it in the browser.")] = True,
) -> None:  # fmt: skip
    """A live network and the days after, on one page for a lecture: opened, or built anew from results."""
    import webbrowser

    from plastogen import explore as pages

    path = pages.build(results, to, announce=typer.echo) if results else pages.shipped()
    typer.echo(f"page {path}")
    if open_:
        webbrowser.open(path.resolve().as_uri())
