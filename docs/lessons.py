"""In: the lessons that ship. Out: each ready-made, as HTML, and as PDF where Chromium is.

    python docs/lessons.py FOLDER

Runs, figures and sheets are kept beside the shared runs (`make runs`, `tests/shared_runs.py`), and
printed again only where a sheet has changed. A sheet that does not fit one leaf is an error.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
sys.path[:0] = [str(DOCS), str(DOCS.parent / "src"), str(DOCS.parent / "tests")]

import shared_runs  # noqa: E402
from printing import browser, pages_of, print_page  # noqa: E402

from plastogen.publish.lesson.definition import open_lesson, shipped  # noqa: E402
from plastogen.publish.lesson.make import make_lesson  # noqa: E402

SHEETS = ("student", "teacher", "slides")
LEAF = 2  # pages of a sheet


def publish(folder: Path) -> None:
    """Three pages a lesson below `folder`. Raises RuntimeError for a sheet of too many pages."""
    for name in shipped():
        made = make_lesson(name, out=shared_runs.results() / f"lesson_{name}")
        for path in made.files:
            if path.suffix == ".html":
                _put(path, folder / name / path.name)


def _put(page: Path, to: Path) -> None:
    """Copy a page that has changed, and print it."""
    to.parent.mkdir(parents=True, exist_ok=True)
    pdf = to.with_suffix(".pdf")
    same = to.is_file() and to.read_bytes() == page.read_bytes()
    if not same:
        shutil.copy(page, to)
    if browser() is not None and not (same and pdf.is_file()):
        print_page(to, pdf)
        if page.stem != "slides" and pages_of(pdf) > LEAF:
            raise RuntimeError(f"{to} prints on {pages_of(pdf)} pages, not {LEAF}")


def page(folder: str) -> list[str]:
    """The docs' page of lessons: what each is for, and its sheets, which stand in `folder`."""
    lines = [
        "# Ready-made lessons",
        "",
        "Made with these docs by `plastogen lesson NAME`, each from its run: nothing is to be",
        "installed. A sheet is one leaf of paper. How to make and change them:",
        "[How do I teach with it?](../howto/teach.md)",
    ]
    for name in shipped():
        lesson, _ = open_lesson(name)
        sheets = [
            f'{sheet} (<a href="{folder}/{name}/{sheet}.html">HTML</a>'
            + (f', <a href="{folder}/{name}/{sheet}.pdf">PDF</a>)' if browser() else ")")
            for sheet in SHEETS
        ]
        lines += [
            "",
            f"## {lesson.title}",
            "",
            f"{lesson.aim} ({lesson.time})",
            "",
            " · ".join(sheets),
        ]
    return lines


if __name__ == "__main__":
    os.environ["PLASTOGEN_CACHE"] = str(shared_runs.folder() / "cache")
    to = Path(sys.argv[1]).absolute()
    os.chdir(shared_runs.folder())  # no lesson is made from results that somebody left where we are
    publish(to)
