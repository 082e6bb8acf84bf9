"""The report: all sections, nothing from outside, nothing of a text becomes markup, what is missing
is said.
"""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser
from pathlib import Path

import fake_results as fake
import pytest
import xarray as xr

from plastogen import SCOPE
from plastogen.analysis.provenance import list_cited, numbers_in_use
from plastogen.experiment.figure_table import FIGURES
from plastogen.experiment.resolve import Condition, OpenExperiment, open_experiment
from plastogen.experiment.verdict import Verdict
from plastogen.figures import style
from plastogen.publish.report.html import Html, el, join, table
from plastogen.publish.report.methods import given_text, methods
from plastogen.publish.report.page import NOTHING_FROM_OUTSIDE, SECTIONS, page, write_report

QUESTION = open_experiment("one_infusion")
CASES = QUESTION.conditions()
DS = fake.results()
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
LOADING = {("link", "href"), ("script", "src"), ("img", "src"), ("img", "srcset"), ("iframe", "src"), ("object", "data"),
           ("source", "src"), ("embed", "src"), ("use", "href"), ("image", "href"), ("video", "src"), ("audio", "src")}  # fmt: skip


class Reader(HTMLParser):
    """Collects elements, their attributes and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.crossed = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "br", "hr"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self.crossed |= not self.open or self.open.pop() != tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


def read(
    ds: xr.Dataset = DS,
    verdicts: list[Verdict] | None = None,
    question: OpenExperiment = QUESTION,
    cases: list[Condition] = CASES,
    figures: tuple[Path, ...] = (),
) -> Reader:
    """The page about `ds`, parsed."""
    made = fake.verdicts() if verdicts is None else verdicts
    return Reader(page(question, cases, ds, made, figures, ["C++ (g++ 12)"]))


READ = read()


def test_every_section_is_there_and_linked() -> None:
    ids = {attrs.get("id") for tag, attrs in READ.found if tag == "section"}
    links = [
        attrs["href"]
        for tag, attrs in READ.found
        if tag == "a" and str(attrs.get("href")).startswith("#")
    ]
    assert ids == {name.lower() for name in SECTIONS}
    every = {attrs["id"] for _, attrs in READ.found if attrs.get("id")}
    assert {str(link)[1:] for link in links} <= every
    assert {f"#{name.lower()}" for name in SECTIONS} <= set(links)


def test_the_markup_is_well_formed_and_ids_are_unique() -> None:
    assert not READ.crossed
    assert READ.open == []
    ids = [attrs["id"] for _, attrs in READ.found if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_question_scope_and_facts_come_first() -> None:
    said = READ.text
    assert DS.attrs["question"] in said
    assert SCOPE in said
    assert "24 of 24 complete" in said
    assert "1 met, 1 missed, 1 known miss, 1 undecided" in said
    assert "INCOMPLETE" not in said
    assert (
        said.index(DS.attrs["question"])
        < said.index("Given")
        < said.index("Found, with 95 % interval")
    )


def test_nothing_is_asked_of_another_host(tmp_path: Path) -> None:
    (tmp_path / "arms.png").write_bytes(PIXEL)
    text = page(QUESTION, CASES, DS, fake.verdicts(), [tmp_path / "arms.png"])
    found = Reader(text).found
    loads = [
        (tag, key, value)
        for tag, attrs in found
        for key, value in attrs.items()
        if (tag, key) in LOADING
    ]
    assert loads
    assert [value for _, _, value in loads if not str(value).startswith("data:image/")] == []
    assert not {tag for tag, _ in found} & {"script", "link", "iframe", "object"}
    css = re.search(r"<style>(.*?)</style>", text, re.S)
    assert css
    assert "url(" not in css[1]
    assert "@import" not in css[1]
    assert (
        "meta",
        {"http-equiv": "Content-Security-Policy", "content": NOTHING_FROM_OUTSIDE},
    ) in found
    outside = {
        str(attrs["href"])
        for tag, attrs in found
        if tag == "a" and not str(attrs["href"]).startswith("#")
    }
    assert outside
    assert all(link.startswith("https://doi.org/") for link in outside)


def test_it_has_a_dark_side_and_can_be_printed() -> None:
    text = page(QUESTION, CASES, DS, [])
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text


def test_text_never_becomes_markup() -> None:
    ds = fake.results(("vehicle", "ketamine"), seeds=2, end_h=3)
    ds.attrs |= {
        "question": "<script>alert(1)</script>",
        "title": 'a "b" <i>c</i>',
        "circuit": "x & y",
    }
    text = page(QUESTION, CASES, fake.results().assign_attrs(ds.attrs), fake.verdicts())
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "NBQX before &lt;ketamine&gt; blocks the gain &amp; more" in text
    assert "x &amp; y" in text


def test_elements_escape_all_but_markup() -> None:
    assert (
        el("p", "a < b", el("b", "c & d"), title='"q"')
        == '<p title="&quot;q&quot;">a &lt; b<b>c &amp; d</b></p>'
    )
    assert el("img", alt="x", hidden=True, id=None) == '<img alt="x" hidden>'
    assert el("meta", http_equiv="x", name="y") == '<meta http-equiv="x" name="y">'
    assert join(["<", Html("<br>")], "") == "&lt;<br>"
    assert "<td>&lt;</td>" in table(["h"], [["<"]])


def test_arms_say_what_was_given_in_words_and_in_the_colours_of_the_figures() -> None:
    said = READ.text
    assert "0.5 mg/kg intravenously over 40 min at 0 h" in said
    assert re.search(r"NBQX held at an occupancy of 90 % for \d+ h from −30 min", said)
    swatches = [str(attrs["style"]) for tag, attrs in READ.found if attrs.get("class") == "swatch"]
    looks = style.arm_styles(DS)
    assert [re.findall(r"#\w+", swatch)[0] for swatch in swatches] == [
        looks[arm].colour for arm in fake.ARMS
    ]
    assert "dashed" in swatches[2]
    assert "solid" in swatches[1]


def test_claims_are_told_with_interval_and_seeds() -> None:
    said = READ.text
    for words in (
        "✓ met",
        "0.0913 [0.0721, 0.111]",
        "at least 0.02",
        "4 of 4",
        "✗ missed",
        "42.1 [38, 46.2] %",
        "✗ known miss",
        "known miss: E follows PV too closely in this regime",
        "? undecided",
        "no value",
        "1 of 4",
        "3 of 4 runs are missing",
        "−0.4 [−1.1, 0.3] Hz",
    ):
        assert words in said
    assert "This experiment makes no claims." in read(verdicts=[]).text


def test_every_number_in_use_stands_with_source_and_evidence() -> None:
    used = numbers_in_use(CASES)
    models = [attrs for tag, attrs in READ.found if tag == "details"]
    assert len(models) == len({number.model for number in used})
    rows = sum(tag == "tr" for tag, _ in READ.found)
    others = (
        len(fake.ARMS) + 1 + len(fake.verdicts()) + 1 + len(models) + 5
    )  # other tables, heads, versions
    assert rows == len(used) + others
    assert f"In use are {len(used)} numbers" in READ.text
    assert "read in the source" in READ.text
    assert "assumed" in READ.text


def test_references_in_use_are_listed_once() -> None:
    known = list_cited(
        numbers_in_use(CASES),
        [verdict.source for verdict in fake.verdicts()],
        QUESTION.models.library,
    )
    ids = [str(attrs["id"]) for tag, attrs in READ.found if tag == "li" and "id" in attrs]
    assert ids == [f"ref-{one.key}" for one in known]
    assert "ref-li2010" in ids


def test_methods_can_be_pasted() -> None:
    told = " ".join(methods(QUESTION, CASES, DS, numbers_in_use(CASES), ["C++ (g++ 12)"]))
    for words in (
        "plastogen 0.1.0 (Brian2 2.9.0, C++ (g++ 12))",
        "800 E, 120 PV, 80 SST",
        "'stressed_adult' (human, 70 kg",
        "pathways: disinhibition, spontaneous",
        "vehicle (nothing given)",
        "followed for 14 d in 4 networks",
        "seeds 1 to 4, the same for all arms",
        "tolerance 0.02",
        "41 times a course",
        "95 % intervals (Student's t; Wilson's of shares)",
        "24 of 24 runs are complete",
        "numbers:",
    ):
        assert words in told
    assert "stand-in" not in told
    assert "analytic stand-in" in " ".join(
        methods(QUESTION, CASES, DS.assign_attrs(method="formula"), [])
    )


def test_methods_say_that_a_cap_was_met() -> None:
    ds = DS.assign(
        cap_hit=DS["cap_hit"].copy(data=DS["cap_hit"].values | True),
        probes=DS["probes"] + DS["seed"],
    )
    told = " ".join(methods(QUESTION, CASES, ds, []))
    assert "42 to 45 times a course, and 24 courses met that limit" in told


@pytest.mark.parametrize(
    ("experiment", "arm", "words"),
    [("repeated_use", "supervised", "every 3 d, 6 times"), ("block_by_concentration", "ketamine_1uM", "held at 1 µM unbound"),
     ("disinhibition", "only_SST", "no block on E, PV, tonic receptors or receptors of E at rest"),
     ("rescue", "coming_under_stress", "stress of level 1 (0 to 1) from 0 h to 21 d"), ("glutamate_surge", "mg_10", "10 mg/kg intraperitoneally at 0 h")],
)  # fmt: skip
def test_every_way_of_giving_has_words(experiment: str, arm: str, words: str) -> None:
    assert words in "; ".join(given_text(open_experiment(experiment).condition(arm)))


def test_missing_runs_are_said_with_their_reason() -> None:
    said = read(fake.results(failed=[("ketamine_nbqx", 2), ("ketamine_nbqx", 3)])).text
    assert "INCOMPLETE: 22 of 24 runs." in said
    assert "ketamine_nbqx: failed: the binary stopped (2)" in said
    assert "22 of 24 complete" in said
    assert "2 of 4" in said


def test_figures_are_inside_the_page_drawings_before_pictures(tmp_path: Path) -> None:
    for name in ("arms", "raster"):
        (tmp_path / f"{name}.png").write_bytes(PIXEL)
    (tmp_path / "arms.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (tmp_path / "raster.svg").write_text(
        f"<svg xmlns='http://www.w3.org/2000/svg'>{' ' * 2_000_000}</svg>"
    )
    paths = tuple(
        tmp_path / f"{name}.{kind}" for name in ("arms", "raster") for kind in ("png", "svg")
    )
    page_ = read(figures=paths)
    sources = [str(attrs["src"]) for tag, attrs in page_.found if tag == "img"]
    assert [source.partition(";")[0] for source in sources] == [
        "data:image/svg+xml",
        "data:image/png",
    ]
    assert base64.b64decode(sources[1].partition(",")[2]) == PIXEL
    alts = [attrs["alt"] for tag, attrs in page_.found if tag == "img"]
    assert alts == [FIGURES["arms"].caption, FIGURES["raster"].caption]
    assert FIGURES["arms"].caption in page_.text
    assert "None were drawn." in READ.text


def test_settings_of_this_run_stand_in_the_line_that_repeats_it() -> None:
    question = open_experiment("one_infusion", {"course.seeds": 2})
    said = read(question=question, cases=question.conditions()).text
    assert "plastogen run one_infusion --set course.seeds='2'" in said
    assert "brian2 2.9.0" in said
    assert "circuit run by C++ (g++ 12)" in said


def test_a_sweep_says_what_was_swept() -> None:
    axis = {"arms.ketamine.give.infusion.dose": ["0.1 mg/kg", "0.5 mg/kg"]}
    question = open_experiment("one_infusion", {"sweep": axis})
    said = read(question=question, cases=question.conditions()).text
    assert (
        "Every arm was run over a grid (2 points): arms.ketamine.give.infusion.dose: 0.1 mg/kg, 0.5 mg/kg."
        in said
    )
    assert "0.1 mg/kg iv" not in said  # the arms are described as the file has them
    assert (
        "Each was run over a grid (2 points): arms.ketamine.give.infusion.dose: 0.1 mg/kg, 0.5 mg/kg."
        in said
    )


def test_the_same_answer_makes_the_same_page(tmp_path: Path) -> None:
    kinds = {"opened": QUESTION, "conditions": CASES, "ds": DS, "verdicts": fake.verdicts()}
    first = write_report(tmp_path, **kinds).read_bytes()  # type: ignore[arg-type]
    assert write_report(tmp_path, **kinds).read_bytes() == first  # type: ignore[arg-type]
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
