"""What the site begins with, and what is made beside its pages."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "docs"))
import lessons  # noqa: E402
from plastogen.publish.lesson.definition import shipped  # noqa: E402


def test_the_site_begins_with_three_doors() -> None:
    index = (ROOT / "docs" / "index.md").read_text("utf-8")
    assert re.findall(r"^\*\*(\w+)\.\*\*", index, re.MULTILINE) == ["Play", "Teach", "Research"]
    assert index.index("## Three doors") < index.index("{toctree}")


def test_every_lesson_stands_ready_made_under_its_three_doors() -> None:
    page = "\n".join(lessons.page("../lessons"))
    linked = {
        tuple(place.split("/")) for place in re.findall(r'href="../lessons/([^"]+)\.html"', page)
    }
    assert linked == {(name, sheet) for name in shipped() for sheet in lessons.SHEETS}


def test_a_sheet_of_three_pages_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lessons, "browser", lambda: "chromium")
    monkeypatch.setattr(lessons, "print_page", lambda page, pdf: pdf.write_bytes(b"%PDF"))
    monkeypatch.setattr(lessons, "pages_of", lambda pdf: 3)
    page = tmp_path / "student.html"
    page.write_text("long")
    with pytest.raises(RuntimeError, match="prints on 3 pages, not 2"):
        lessons._put(page, tmp_path / "site" / "student.html")


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.py")), ids=lambda p: p.stem)
def test_a_notebook_says_what_to_press_and_stands_on_the_page(path: Path) -> None:
    assert "press Ctrl+Enter" in path.read_text("utf-8")
    assert f"notebooks/{path.stem}.html" in (ROOT / "docs" / "notebooks.md").read_text("utf-8")
