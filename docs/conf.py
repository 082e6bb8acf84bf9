"""Sphinx: how the site is built. `make docs`; warnings are errors, and no page may ask another
host.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "src")]

import plastogen  # noqa: E402

project = "plastogen"
author = copyright = "The plastogen authors"
version = release = plastogen.__version__
language = "en-GB"
extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["_build", "_made"]
myst_enable_extensions = ["attrs_inline", "colon_fence"]
myst_heading_anchors = 3
default_role = "code"
smartquotes_action = "qe"  # `--set` in running text keeps its two hyphens
autodoc_typehints = "signature"
python_maximum_signature_line_length = 80
html_theme = "furo"
html_title = "plastogen"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_copy_source = False
html_theme_options = {"footer_icons": []}
pygments_style, pygments_dark_style = "friendly", "monokai"

# What a page would load by itself: scripts, styles, pictures, frames; a link that a reader clicks
# is none of them.
LOADED = re.compile(
    r"""<(?:script|img|iframe|source|video|audio|embed)\b[^>]*?\bsrc(?:set)?\s*=\s*["']?(?:https?:)?//[^"'\s>]+"""
    r"""|<link\b(?=[^>]*\brel\s*=\s*["']?(?:stylesheet|preload|icon|preconnect|dns-prefetch|modulepreload))"""
    r"""[^>]*?\bhref\s*=\s*["']?(?:https?:)?//[^"'\s>]+"""
    r"""|url\(\s*["']?(?:https?:)?//[^)]+\)|@import\s+["'](?:https?:)?//[^"']+""",
    re.I,
)


def asks_others(text: str) -> list[str]:
    """What a page or a style sheet would load from another host."""
    return [found.group() for found in LOADED.finditer(text)]


# What is made beside the pages, each by a script of its own: script -> folder of the site.
BESIDE = {"lessons.py": "lessons", "computed.py": "notebooks"}
MAKING: dict[str, subprocess.Popen[str]] = {}


def _make(app: Any) -> None:
    """Generated pages, the map of rooms, and the tutorial's figures; lessons and notebooks are
    begun.
    """
    import figures
    import generate
    import rooms
    from sphinx.util import logging

    if app.builder.format == "html":
        for script, name in BESIDE.items():
            MAKING[name] = subprocess.Popen(
                [sys.executable, HERE / script, HERE / "_made" / name],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
    generate.write(HERE / "reference")
    rooms.picture(rooms.of_checkout(), HERE / "_made" / "rooms.svg")
    figures.simulate(
        HERE / "tutorial.md", HERE / "_made" / "tutorial", logging.getLogger("plastogen").info
    )


def named(text: str) -> str:
    """A page's blocks that are files (`pages.py`), each under its file's name."""
    from pages import FENCE

    def caption(block: re.Match[str]) -> str:
        language, path, inside = block.group("language", "path", "text")
        return (
            f"```{{code-block}} {language}\n:caption: {path}\n\n{inside}```" if path else block[0]
        )

    return FENCE.sub(caption, text)


def _name(app: Any, page: str, source: list[str]) -> None:
    source[0] = named(source[0])


def _finish(app: Any, exception: Exception | None) -> None:
    """Lessons and notebooks go into the site. A build that failed waits for neither."""
    from sphinx.errors import ExtensionError

    for name, making in MAKING.items():
        if exception is not None:
            making.terminate()
            continue
        said, _ = making.communicate()
        if making.returncode:
            raise ExtensionError(f"{name} could not be made:\n{said[-2000:]}")
        shutil.copytree(HERE / "_made" / name, Path(app.outdir) / name, dirs_exist_ok=True)


def _closed(app: Any, exception: Exception | None) -> None:
    """No page may ask another host."""
    from sphinx.errors import ExtensionError

    if exception is None:
        pages = [path for kind in ("*.html", "*.css") for path in Path(app.outdir).rglob(kind)]
        asked = [
            f"{path}: {what}"
            for path in pages
            for what in asks_others(path.read_text(encoding="utf-8"))
        ]
        if asked:
            raise ExtensionError("pages that ask another host:\n" + "\n".join(asked))


def setup(app: Any) -> dict[str, bool]:
    app.connect("builder-inited", _make)
    app.connect("source-read", _name)
    app.connect("build-finished", _finish)
    app.connect("build-finished", _closed)
    return {"parallel_read_safe": True}
