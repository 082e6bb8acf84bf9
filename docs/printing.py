"""In: a page of HTML. Out: it as a PDF, printed by headless Chromium."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
LONGEST_S = 120
PAGE = re.compile(rb"/Type\s*/Page\b")


def browser() -> str | None:
    """The first of `BROWSERS` that is there."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def print_page(page: Path, pdf: Path) -> Path:
    """`pdf`, printed from `page`. Raises RuntimeError where there is no browser or no PDF."""
    program = browser()
    if program is None:
        raise RuntimeError(f"no PDF of {page.name}: none of {', '.join(BROWSERS)} is installed")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer"]
    command = [program, *flags, f"--print-to-pdf={pdf.absolute()}", page.absolute().as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_S, check=False)
    if done.returncode or not pdf.is_file():
        raise RuntimeError(f"no PDF of {page.name}: {done.stderr.strip()[-300:]}")
    return pdf


def pages_of(pdf: Path) -> int:
    """How many pages a PDF has."""
    return len(PAGE.findall(pdf.read_bytes()))
