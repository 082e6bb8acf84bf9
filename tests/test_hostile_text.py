"""Text that somebody wrote stays text in everything that comes out: page, report, lesson, figures,
tables, terminal. What is stored (NetCDF) is what was written.
"""

from __future__ import annotations

import csv
import re
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
import xarray as xr
from bench import FORMULA, say
from markdown_it import MarkdownIt
from test_explore_browser import lacks
from test_explore_circuits import opened
from test_results import TEXT, ran

import plastogen
from plastogen._base.csv_table import RUN_BY_SPREADSHEETS, inert
from plastogen.experiment import open_experiment
from plastogen.publish.explore import build as explore
from plastogen.publish.explore import days
from plastogen.publish.export import to_csv
from plastogen.publish.lesson import render, sheets
from plastogen.publish.nwb import to_nwb
from plastogen.runs.request import silent
from plastogen.runs.store import Store

sys.path.append(str(Path(__file__).parent / "page"))
from refresh import data, program_of

HARM = '<img src=x onerror=globalThis.ran=1>"&{data}</script><script>globalThis.ran=2</script>'
ESCAPE = "a\x1b[31mb"


class Tags(HTMLParser):
    """Elements and attributes of a page that somebody's text may have brought in."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.brought = list[str]()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if given.get("src") == "x" or any(name.startswith("on") for name in given):
            self.brought.append(tag)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Results of an experiment in which every text that may be anything is harmful."""
    here = tmp_path_factory.mktemp("lab")
    told = f"'{HARM}'"
    text = FORMULA.replace("question: What comes out?", f"title: '={HARM}'\nquestion: {told}")
    text = text.replace("6 h", "3 h").replace("title: weight at two hours", f"title: {told}")
    text = text.replace("claim: more", f"claim: {told}")
    text = text.replace("vehicle: {}", f"vehicle: {{title: {told}, note: {told}}}")
    (here / "mine.yaml").write_text(
        f"{text}sweep: {{circuit.title: ['=1+1', '@x {HARM}', '-1', plain]}}\nfigures: [courses]\n"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(here)
        plastogen.run("mine", method="formula", seeds=1, jobs=1, figures=True)
        yield here / "results" / "mine"


def test_report_and_figures_show_it_as_text(folder: Path) -> None:
    report = (folder / "report.html").read_text(encoding="utf-8")
    assert "&lt;img src=x" in report
    assert Tags(report).brought == []
    (picture,) = folder.glob("figures/*.svg")
    tags = {element.tag.rpartition("}")[2] for element in ET.parse(picture).iter()}
    assert not tags & {"img", "script", "foreignObject"}


def test_no_cell_of_a_table_is_a_formula(folder: Path, tmp_path: Path) -> None:
    with xr.open_dataset(folder / "results.nc", engine="h5netcdf") as ds:
        tables = [folder / "table.csv", *to_csv(ds, tmp_path)]
        assert ds.attrs["title"] == f"={HARM}"
        assert ds["title"].values.tolist()[0] == "=1+1"
    for path in tables:
        lines = path.read_text(encoding="utf-8").splitlines() if path.suffix == ".csv" else []
        rows = csv.reader(lines)
        for cell in {cell for row in rows for cell in row}:
            assert not cell.startswith(RUN_BY_SPREADSHEETS) or float(cell) <= 0, (path.name, cell)
    assert [inert(cell) for cell in ("-0.5", -0.5, "-x", "+1e3", "=1", "a=1", "", "\t=1")] == [
        "-0.5", -0.5, "'-x", "+1e3", "'=1", "a=1", "", "'\t=1",
    ]  # fmt: skip


def test_every_table_is_written_by_the_one_who_knows() -> None:
    source = Path(plastogen.__file__).parent
    writers = {
        path.relative_to(source).as_posix()
        for path in source.rglob("*.py")
        if re.search(r"csv\.(writer|DictWriter)\(|\.to_csv\(", path.read_text(encoding="utf-8"))
    }
    assert writers == {"_base/csv_table.py"}


def test_nwb_holds_it_as_it_was_written(tmp_path: Path) -> None:
    """HDF5 has no markup: what readers show of it is theirs to escape. It must come back whole."""
    pynwb = pytest.importorskip("pynwb", reason="the extra `test`")
    _, ds = ran(tmp_path, TEXT)
    names = ("title", "question", "subject", "circuit", "plasticity")
    ds.attrs |= {name: f"{HARM}={name}" for name in names}
    one = ds.isel(seed=[0], arm=[1]).assign_coords(arm_title=("arm", [HARM]))
    (path,) = to_nwb(one, Store(tmp_path / "results" / "x"), tmp_path / "nwb", say=silent)
    assert path.parent == tmp_path / "nwb"
    with pynwb.NWBHDF5IO(str(path), "r") as file:
        found = file.read()
        told = f"{found.session_description} {found.experiment_description} {found.notes}"
    assert HARM in told


def test_sheets_show_it_as_text() -> None:
    blocks: list[sheets.Block] = [
        sheets.Heading(HARM), sheets.Text(HARM), sheets.Text(HARM, "scope"), sheets.Points([HARM]),
        sheets.Table(["", ""], [[HARM, HARM]]), sheets.Table([HARM, HARM], [[HARM, HARM]]),
        sheets.Asked(1, HARM, answer=HARM),
    ]  # fmt: skip
    blocks.append(sheets.Slide(tuple(blocks)))
    made = str(render.page(HARM, blocks, {}, kind="student"))
    assert Tags(made).brought == []
    shown = MarkdownIt("commonmark", {"html": True}).enable("table")
    assert Tags(shown.render(render.markdown(blocks, {}))).brought == []


@pytest.mark.slow
def test_the_page_shows_it_as_text(folder: Path, tmp_path: Path) -> None:
    if why := lacks("chromium"):
        pytest.skip(why)
    shipped = explore.shipped_page().read_text(encoding="utf-8")
    study = {**days.study(folder), "classes": [{"name": HARM, "light": HARM, "dark": HARM}]}
    study["classes"] += days.study(folder)["classes"]
    study["axes"][0]["name"] = HARM
    whole = explore.circuit().model_copy(update={"title": HARM})
    model = {**data(shipped, "model"), "title": HARM}
    (tmp_path / "page.html").write_text(
        explore.page(
            whole,
            model,
            [study],
            program=program_of(shipped, "", "model"),
            pair=program_of(shipped, "pair-", "pair"),
        ),
        encoding="utf-8",
    )
    found = opened(tmp_path / "page.html", EVERYTHING)
    assert found["errors"] == found["requests"] == []
    ran, images, scripts, arms, circuit = found["found"]
    assert (ran, images, scripts) == (None, 0, shipped.count("<script"))
    assert HARM[:40] in arms  # names that are long are cut short there
    assert HARM in circuit


EVERYTHING = """
for (const input of document.querySelectorAll("#arms input, #axes input, #studies input")) input.click();
goTo(250); showShare(); runSweep(dialOf("seed"));
for (const button of document.querySelectorAll(".term")) button.click();
location.hash = "#arm=<img src=x onerror=globalThis.ran=3>&study=<img src=x onerror=globalThis.ran=3>&drive=<img src=x onerror=globalThis.ran=3>:1";
await new Promise((go) => setTimeout(go, 500));
return [globalThis.ran ?? null, document.images.length, document.scripts.length, $("arms").textContent, document.querySelector("#network > .sub").textContent];
"""


@pytest.mark.parametrize(
    "words",
    [
        ("check", ESCAPE), ("show", ESCAPE), ("list", ESCAPE), ("plot", "mine", ESCAPE),
        ("run", "mine", "--set", f"title={ESCAPE}"), ("run", "mine", "--set", f"{ESCAPE}=1"),
        ("explore", ESCAPE, "--no-open"), ("explore", "--circuit", f"{ESCAPE}.yaml"),
        ("new", "drug", ESCAPE), ("lesson", ESCAPE), ("compare", ESCAPE, ESCAPE),
    ],
)  # fmt: skip
def test_no_control_code_reaches_the_terminal(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").write_text(FORMULA)
    shown = say(*words)
    assert shown.exit_code == 2
    assert "\x1b" not in shown.output


def test_control_codes_of_a_file_are_refused(tmp_path: Path) -> None:
    text = FORMULA.replace("What comes out?", '"a\\e[31mb"')
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(plastogen.InputError, match=r"at question: found the character '\\x1b'"):
        open_experiment(str(tmp_path / "mine.yaml"))
