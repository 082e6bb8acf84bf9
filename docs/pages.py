"""In: a page of these docs (Markdown). Out: the files, commands and Python that its reader makes
and runs, in order.

One reading serves two masters: the site follows the tutorial to make its figures (`figures.py`),
the tests follow every page so that no command can rot (`tests/test_pages.py`).
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
# ```yaml models/drugs/mine.yaml: a block that names a file is that file
FENCE = re.compile(r"^```(?P<language>[a-z]+)(?: (?P<path>\S+))?\n(?P<text>.*?)^```$", re.M | re.S)

INLINE = re.compile(r"`(plastogen \w[^`\n]*)`")  # a command in running text


@dataclass(frozen=True)
class Step:
    """One thing a page asks for. `kind`: "file" (written to `path`), "command" or "python"."""

    kind: str
    text: str
    page: str
    line: int
    path: str = ""

    @property
    def words(self) -> list[str]:
        """A command as a shell splits it."""
        return shlex.split(self.text)

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"


def steps(page: Path) -> list[Step]:
    """What the page asks for, in the order it stands there."""
    return list(_steps(page.read_text(encoding="utf-8"), str(page.relative_to(ROOT))))


def mentions(page: Path) -> list[Step]:
    """The commands its running text names."""
    text = page.read_text(encoding="utf-8")
    named = FENCE.sub(lambda block: "\n" * block.group().count("\n"), text)
    where = str(page.relative_to(ROOT))
    return [
        Step("command", found[1], where, named.count("\n", 0, found.start()) + 1)
        for found in INLINE.finditer(named)
    ]


def _steps(text: str, page: str) -> Iterator[Step]:
    for block in FENCE.finditer(text):
        line, inside = text.count("\n", 0, block.start()) + 2, block["text"]
        if block["path"]:
            yield Step("file", inside, page, line, block["path"])
        elif block["language"] == "python":
            yield Step("python", inside, page, line)
        elif block["language"] == "sh":
            yield from _commands(inside, page, line)


def _commands(text: str, page: str, line: int) -> Iterator[Step]:
    """The lines of a shell block: comments left out, a line that ends in a backslash joined with
    the next.
    """
    whole, began = "", line
    for number, one in enumerate(text.splitlines(), line):
        began = began if whole else number
        whole += one.removesuffix("\\")
        if one.endswith("\\"):
            continue
        words = shlex.split(whole, comments=True)
        if words:
            yield Step("command", shlex.join(words), page, began)
        whole = ""
