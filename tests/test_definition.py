"""Definitions: files in; typed objects or every fault at once out, each with file, line, path,
found, wanted, nearest.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, ValidationError, field_validator, model_validator

from plastogen._base.definition import Definition, build, override, quantities
from plastogen._base.document import Document, read
from plastogen._base.library import Library, builtin
from plastogen._base.quantity import Fault, Given, In, Quantity, faulty
from plastogen.errors import InputError
from plastogen.model.circuit.definition import Circuit
from plastogen.model.pharmacology.drug import Drug
from plastogen.model.pharmacology.subject import Subject
from plastogen.model.plasticity.definition import Plasticity


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Cell(Definition):
    leak: Annotated[Quantity, In("nS", above=0)]
    count: int = Field(default=1, ge=1)


class Bolus(Definition):
    kind: Literal["bolus"]
    dose: Annotated[Quantity, Given("mg")]


class Bath(Definition):
    kind: Literal["bath"]
    level: Annotated[Quantity, Given("uM")]


class Thing(Definition):
    """One field of every shape a file may hold."""

    title: str
    populations: dict[str, Cell] = {}
    cells: tuple[Cell, ...] = ()
    words: list[str] = []
    pair: tuple[int, str] | None = None
    species: Literal["human", "rat", "mouse"] = "human"
    colour: Colour = Colour.RED
    on: bool = False
    share: float = 0.5
    shares: Mapping[str, float] = {}
    give: Annotated[Bolus | Bath, Field(discriminator="kind")] | None = None
    either: Cell | str | None = None
    when: Annotated[Quantity, Given("h")] | None = None
    short: Annotated[str, Field(pattern=r"^\w+$")] = "a"
    few: Annotated[list[int], Field(max_length=2)] = []

    @field_validator("title")
    @classmethod
    def _no_shouting(cls, title: str) -> str:
        if title.isupper():
            raise ValueError("a title in lower case, such as 'one infusion'")
        return title

    @model_validator(mode="after")
    def _no_contradiction(self) -> Thing:
        if self.on and self.colour is Colour.BLUE:
            raise faulty([Fault("colour", "blue while on", "red, or on: false")])
        if self.share > 1 and self.words:
            raise ValueError("either share or words, not both")
        return self


def write(folder: Path, text: str, name: str = "thing.yaml") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def thing(folder: Path, text: str, **overrides: object) -> Thing:
    return build(read(write(folder, text)), Thing, overrides=overrides)


def complaints(folder: Path, text: str, overrides: Mapping[str, object] | None = None) -> list[str]:
    with pytest.raises(InputError) as caught:
        build(read(write(folder, text)), Thing, overrides=overrides or {})
    assert str(caught.value) == "\n".join(str(p) for p in caught.value.problems)
    return [str(problem).replace(str(folder) + os.sep, "") for problem in caught.value.problems]


LEAK = "leak: {value: 10 nS, source: a, evidence: verified}"


def test_a_whole_file_becomes_a_frozen_typed_object(tmp_path: Path) -> None:
    built = thing(
        tmp_path,
        f"""
        title: a thing
        populations: {{E.tonic: {{{LEAK}, count: 3}}}}
        cells: [{{{LEAK}}}]
        words: [no, "on", 0x, 2020-01-01, 12:30]
        pair: [1, one]
        species: rat
        colour: blue
        share: 1e-3
        shares: {{a: 1, b: 2.5}}
        give: {{kind: bath, level: 1 mM}}
        either: {{{LEAK}}}
        when: -30 min
        """,
    )
    assert built.populations["E.tonic"].count == 3
    assert float(built.cells[0].leak) == 10
    assert built.words == ["no", "on", "0x", "2020-01-01", "12:30"]
    assert (built.pair, built.species, built.colour, built.share) == (
        (1, "one"),
        "rat",
        Colour.BLUE,
        0.001,
    )
    assert isinstance(built.give, Bath)
    assert float(built.give.level) == 1000
    assert isinstance(built.either, Cell)
    with pytest.raises(ValidationError):
        built.title = "other"  # type: ignore[misc]


def test_every_fault_is_reported_at_once_in_file_order(tmp_path: Path) -> None:
    assert complaints(
        tmp_path,
        """# a comment
titel: a thing
populations:
  E: {leek: 3, count: 0}
cells:
  - {leak: 10 nS}
words: [1, a]
species: humn
colour: rod
on: yes
share: "0.5"
when: 5 mV
shape: round
few: [1, 2, 3]
short: a b
""",
    ) == [
        "thing.yaml:2 at titel: found an unknown name, wanted one of title, populations, cells, words, pair, species, "
        "colour, on, share, shares, give, either, when, short, few; nearest valid name: title",
        "thing.yaml:4 at populations.E.count: found 0, wanted a number at least 1",
        "thing.yaml:4 at populations.E.leek: found an unknown name, wanted one of leak, count; nearest valid name: leak",
        "thing.yaml:6 at cells.0.leak: found '10 nS', wanted a mapping such as "
        "{value: '10 nS', source: zanos2016, evidence: memory-high}",
        "thing.yaml:7 at words.0: found 1, wanted text",
        "thing.yaml:8 at species: found 'humn', wanted one of human, rat, mouse; nearest valid name: human",
        "thing.yaml:9 at colour: found 'rod', wanted one of red, blue; nearest valid name: red",
        "thing.yaml:10 at on: found 'yes', wanted true or false",
        "thing.yaml:11 at share: found '0.5', wanted a number such as 0.5",
        "thing.yaml:12 at when: found '5 mV', wanted a time such as '40 min'",
        "thing.yaml:13 at shape: found an unknown name, wanted one of title, populations, cells, words, pair, species, "
        "colour, on, share, shares, give, either, when, short, few; nearest valid name: share",
        "thing.yaml:14 at few: found a list of 3, wanted at most 2 entries",
        "thing.yaml:15 at short: found 'a b', wanted a name of letters, digits, - and _, such as ketamine_low",
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "at title: found nothing, wanted text"),
        ("title: 3", "at title: found 3, wanted text"),
        ("title: LOUD", "at title: found 'LOUD', wanted a title in lower case, such as 'one infusion'"),
        ("title: a\npopulations: [1]", "at populations: found a list of 1, wanted a mapping such as {name: value}, each value a mapping with leak"),
        ("title: a\npopulations: {E: 3}", "at populations.E: found 3, wanted a mapping with leak"),
        ("title: a\ncells: none", "at cells: found 'none', wanted a list, each a mapping with leak"),
        ("title: a\npair: [a, b]", "at pair.0: found 'a', wanted a whole number such as 4"),
        ("title: a\nshares: {a: b}", "at shares.a: found 'b', wanted a number such as 0.5"),
        ("title: a\nshares: {a: .inf}", "at shares.a: found .inf, wanted a finite number such as 0.5"),
        ("title: a\npopulations: {E: {count: 1.5, " + LEAK + "}}",
         "at populations.E.count: found 1.5, wanted a whole number such as 4"),
        ("title: a\ngive: {kind: bolis}", "at give: found a mapping with kind, wanted one of 'bolus', 'bath'"),
        ("title: a\ngive: {kind: bolus}", "at give.dose: found nothing, wanted a mass such as '56 mg'"),
        ("title: a\ngive: {kind: bath, level: 3 mg}",
         "at give.level: found '3 mg', wanted a concentration such as '1 uM'"),
        ("title: a\ngive: {dose: 3 mg}", "at give.kind: found nothing, wanted bolus or bath"),
        ("title: a\neither: [1]", "at either: found a list of 1, wanted a mapping with leak or text"),
        ("title: a\non: true\ncolour: blue", "at colour: found blue while on, wanted red, or on: false"),
        ("title: a\nshare: 2\nwords: [b]", "either share or words, not both"),
    ],
)  # fmt: skip
def test_each_kind_of_fault_is_said_in_plain_words(tmp_path: Path, line: str, said: str) -> None:
    (found,) = complaints(tmp_path, line or "words: []")
    assert found.endswith(said)
    for jargon in (
        "pydantic",
        "validator",
        "Input should",
        "value_error",
        "NoneType",
        "dict",
        "instance",
    ):
        assert jargon not in found


def test_numbers_of_a_union_are_explained_once(tmp_path: Path) -> None:
    (said,) = complaints(tmp_path, "title: a\nwhen: 3")
    assert said == "thing.yaml:2 at when: found 3 without a unit, wanted a time such as '40 min'"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "thing.yaml:1: found an empty file, wanted a mapping, `name: value` on each line"),
        ("# only a comment\n", "thing.yaml:1: found an empty file, wanted a mapping, `name: value` on each line"),
        ("- a\n- b\n", "thing.yaml:1: found a list of 2, wanted a mapping, `name: value` on each line"),
        ("just words", "thing.yaml:1: found 'just words', wanted a mapping, `name: value` on each line"),
        ("a: 1\nb: 2\na: 3\n", "thing.yaml:3 at a: found 'a' a second time (first on line 1), wanted each name once"),
        ("x:\n  a: 1\n  a: 3\n", "thing.yaml:3 at x.a: found 'a' a second time (first on line 2), wanted each name once"),
        ("a: {b: 1,\n  c: 2\n", "thing.yaml:2: found the end of the file, wanted the rest of what begins on line 1 "
         "(a closing bracket or quote); was the file cut short?"),
        ("a: 1\nb: 'some text\n\n", "thing.yaml:3: found the end of the file, wanted the rest of what begins on line 2 "
         "(a closing bracket or quote); was the file cut short?"),
        ("a: b: c\n", "thing.yaml:1: found 'a: b: c', wanted one `name: value` a line "
         "(quote a value that itself contains a colon and a space)"),
        ("a:\n\tb: 1\n", "thing.yaml:2: found a tab, wanted spaces before a name"),
        ("a: [1 2, 3}\n", "thing.yaml:1: found 'a: [1 2, 3}', wanted a comma or a closing bracket"),
        ("a: [1 2, {]\n", "thing.yaml:1: found 'a: [1 2, {]', wanted YAML, such as `name: value` or "
         "`name: {key: value, key: value}`"),
        ("a: *b\n", "thing.yaml:1: found 'a: *b', wanted text; put quotes around a value that begins with *"),
        ("a: 1\n  b: 2\n", "thing.yaml:2: found 'b: 2', wanted one `name: value` a line "
         "(quote a value that itself contains a colon and a space)"),
        ("a: 1\nb\nc: 2\n", "thing.yaml:3: found 'c: 2', wanted a line of the form `name: value`, indented like its neighbours"),
        ("a: !!python/object:os.system x\n", "thing.yaml:1 at a: found the tag !!python/object:os.system, wanted a plain value"),
        ("a: !new x\n", "thing.yaml:1 at a: found the tag !new, wanted a plain value"),
        ("a: \x00\n", "thing.yaml:1: found the character '\\x00', wanted text that can be printed"),
        ("[a, b]: 1\n", "thing.yaml:1: found a key that is not a name, wanted `name: value`"),
        ("a: 1\n---\nb: 2\n", "thing.yaml:2: found '---', wanted one document a file"),
    ],
)  # fmt: skip
def test_a_broken_file_is_explained_without_parser_words(
    tmp_path: Path, text: str, said: str
) -> None:
    assert complaints(tmp_path, text) == [said]


def test_a_file_of_aliases_that_explode_is_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    (said,) = complaints(tmp_path, "\n".join(lines))
    assert "found a file that unfolds without end" in said


def test_a_file_that_cannot_be_read_is_one_message(tmp_path: Path) -> None:
    write(tmp_path, "title: a", "thing.yaml")
    for name, said in {
        "thign.yaml": "thign.yaml: found no such file, wanted a YAML file; nearest valid name: thing.yaml",
        "nowhere/thing.yaml": "nowhere/thing.yaml: found no such file, wanted a YAML file",
        ".": ": found a folder, wanted a YAML file",
        "thing.yaml/x": "thing.yaml/x: found a file that cannot be read (not a directory), wanted a YAML file",
    }.items():
        with pytest.raises(InputError) as caught:
            read(tmp_path / name)
        assert str(caught.value).endswith(said)
    (tmp_path / "bytes.yaml").write_bytes(b"title: \xff\xfe")
    with pytest.raises(
        InputError, match=r"bytes that are not text \(byte 8\), wanted a YAML file in UTF-8"
    ):
        read(tmp_path / "bytes.yaml")


def test_lines_are_known_for_every_path_and_for_what_is_not_there(tmp_path: Path) -> None:
    document = read(
        write(tmp_path, "arms:\n  ketamine:\n    give:\n      - {dose: 1}\n  E.tonic:\n    x: 1\n")
    )
    lines = {"arms": 1, "arms.ketamine": 2, "arms.ketamine.give": 3, "arms.ketamine.give.0.dose": 4,
             "arms.ketamine.take": 2, "arms.E.tonic.x": 6, "nothing": 1}  # fmt: skip
    assert {path: document.line(path) for path in lines} == lines


def test_yaml_is_version_1_2(tmp_path: Path) -> None:
    tree = read(
        write(
            tmp_path,
            "a: no\nb: 1e-3\nc: 0o17\nd: ~\ne: .nan\nf: 1_0\ng: 017\nh: -.inf\ni: True\nj: 0x1F",
        )
    ).tree
    assert tree.pop("e") != tree.get("e")
    assert tree == {
        "a": "no",
        "b": 0.001,
        "c": 15,
        "d": None,
        "f": 10,
        "g": 17,
        "h": -float("inf"),
        "i": True,
        "j": 31,
    }


def test_an_override_replaces_the_value_and_says_who_set_it(tmp_path: Path) -> None:
    text = f"title: a\npopulations: {{E.tonic: {{{LEAK}}}}}\n"
    built = build(
        read(write(tmp_path, text)),
        Thing,
        overrides={
            "populations.E.tonic.leak": "12 nS",
            "populations.E.tonic.count": 4,
            "share": 0.25,
            "words": ["x"],
        },
    )
    leak = built.populations["E.tonic"].leak
    assert (float(leak), leak.source, leak.evidence) == (12, "set by the user", "assumed")
    assert (built.populations["E.tonic"].count, built.share, built.words) == (4, 0.25, ["x"])


def test_a_bad_override_is_blamed_on_the_override_and_not_on_the_file(tmp_path: Path) -> None:
    text = f"title: a\npopulations: {{E: {{{LEAK}}}}}\ncells: [{{{LEAK}}}]\n"
    assert complaints(
        tmp_path,
        text,
        {
            "populations.E.leak": "12 mV",
            "titel": "b",
            "cells.3.count": 2,
            "title.deep": 1,
            "cells.0.leak.value": "0 nS",
        },
    ) == [
        "--set at cells.3.count: found a place that does not exist, wanted a name in the file",
        "--set at title.deep: found a place that does not exist, wanted a name in the file",
        "--set at populations.E.leak.value: found '12 mV', wanted a conductance such as '10 nS'",
        "--set at cells.0.leak.value: found '0 nS', wanted a conductance such as '10 nS', above 0 nS",
        "--set at titel: found an unknown name, wanted one of title, populations, cells, words, pair, species, "
        "colour, on, share, shares, give, either, when, short, few; nearest valid name: title",
    ]


def test_an_override_leaves_the_document_as_it_was(tmp_path: Path) -> None:
    document = read(write(tmp_path, "title: a\nshares: {a: 1}"))
    build(document, Thing, overrides={"shares.a": 2})
    assert document.tree == {"title": "a", "shares": {"a": 1}}


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ("a.b=12 nS", "a.b", "12 nS"),
        ("a=3", "a", 3),
        ("a = [1, 2]", "a", [1, 2]),
        ("a=b=c", "a", "b=c"),
        ("a=", "a", None),
    ],
)
def test_what_follows_set_is_read_as_yaml(text: str, path: str, value: object) -> None:
    assert override(text) == (path, value)


@pytest.mark.parametrize("text", ["a", "=3", "a..b=1", "a=[1", "a b=1"])
def test_a_malformed_set_is_an_input_error(text: str) -> None:
    with pytest.raises(InputError, match="--set"):
        override(text)


def library(folder: Path) -> Library:
    return Library(beside=write(folder, "", "mine.yaml"))


def test_models_beside_the_file_come_before_those_that_ship(tmp_path: Path) -> None:
    write(tmp_path, "title: mine", "models/things/ours.yaml")
    shelf = library(tmp_path)
    assert shelf.names("things") == ["ours"]
    assert shelf.load("things", "ours", Thing).title == "mine"
    assert shelf.find("things", "ours") == tmp_path / "models/things/ours.yaml"
    assert Library().folders == (builtin("models"),)
    assert shelf.folders == (tmp_path / "models", builtin("models"))


def test_an_unknown_model_names_the_nearest(tmp_path: Path) -> None:
    write(tmp_path, "title: mine", "models/things/ketamine.yaml")
    shelf = library(tmp_path)
    with pytest.raises(
        InputError, match="found 'ketamin', wanted one of ketamine; nearest valid name: ketamine"
    ):
        shelf.find("things", "ketamin")
    with pytest.raises(InputError, match="found 'x', wanted a file in models/others"):
        shelf.find("others", "x")
    for outside in ("../things/ketamine", "/etc/passwd", ""):
        with pytest.raises(InputError):
            shelf.find("things", outside)


def test_extends_lays_a_file_over_another_and_lines_follow(tmp_path: Path) -> None:
    write(
        tmp_path,
        f"title: base\nshares: {{a: 1, b: 2}}\npopulations: {{E: {{{LEAK}, count: 2}}}}\nwords: [a, b]",
        "models/things/base.yaml",
    )
    write(
        tmp_path,
        "extends: base\nshares: {b: 3}\nwords: [c]\npopulations:\n  E:\n    leak: {value: 1 nS, source: b, evidence: verified}",
        "models/things/top.yaml",
    )
    built = library(tmp_path).load("things", "top", Thing)
    assert (built.title, built.shares, built.words) == ("base", {"a": 1, "b": 3}, ["c"])
    assert (float(built.populations["E"].leak), built.populations["E"].count) == (1, 2)
    document = library(tmp_path).document("things", "top")
    assert document.where("shares.a") == (str(tmp_path / "models/things/base.yaml"), 2)
    assert document.where("shares.b") == (str(tmp_path / "models/things/top.yaml"), 2)
    assert "extends" not in document.tree


def test_a_number_laid_over_a_number_replaces_it_whole(tmp_path: Path) -> None:
    write(
        tmp_path,
        "title: base\npopulations: {E: {leak: {value: 1 nS, source: a, evidence: assumed, note: old, range: [0.5 nS, 2 nS]}}}",
        "models/things/base.yaml",
    )
    write(
        tmp_path,
        "extends: base\npopulations: {E: {leak: {value: 9 nS, source: b, evidence: verified}}}",
        "models/things/top.yaml",
    )
    leak = library(tmp_path).load("things", "top", Thing).populations["E"].leak
    assert (leak.value, leak.source, leak.note, leak.range) == (9, "b", None, None)


def test_faults_in_the_extended_file_name_that_file(tmp_path: Path) -> None:
    write(tmp_path, "title: base\nshare: wide", "models/things/base.yaml")
    write(tmp_path, "extends: base\non: 3", "models/things/top.yaml")
    with pytest.raises(InputError) as caught:
        library(tmp_path).load("things", "top", Thing)
    assert [(Path(p.file).name, p.line, p.path) for p in caught.value.problems] == [
        ("base.yaml", 2, "share"),
        ("top.yaml", 2, "on"),
    ]


@pytest.mark.parametrize("first", ["b", "a", "absent", "3"])
def test_a_circle_or_a_gap_in_extends_is_an_input_error(tmp_path: Path, first: str) -> None:
    write(tmp_path, f"extends: {first}", "models/things/a.yaml")
    write(tmp_path, "extends: a", "models/things/b.yaml")
    with pytest.raises(InputError, match=r":1 at extends: found "):
        library(tmp_path).load("things", "a", Thing)


def test_references_are_read_by_key_and_the_users_own_win(tmp_path: Path) -> None:
    entry = "{authors: A and B, year: 2020, title: T, journal: J}"
    write(tmp_path, f"mine2020: {entry}", "models/references.yaml")
    assert library(tmp_path).references()["mine2020"].year == 2020
    write(
        tmp_path,
        "mine2020: {authors: A, year: soon, title: T, journal: J}",
        "models/references.yaml",
    )
    with pytest.raises(InputError, match="year: found 'soon', wanted a whole number such as 4"):
        library(tmp_path).references()


def test_the_built_in_folders_exist() -> None:
    assert builtin("models").is_dir()
    assert builtin("experiments").is_dir()


def test_quantities_are_found_at_any_depth(tmp_path: Path) -> None:
    built: Any = thing(
        tmp_path, f"title: a\npopulations: {{E: {{{LEAK}}}}}\ncells: [{{{LEAK}}}]\nwhen: 1 h\n"
    )
    assert [path for path, _ in quantities(built)] == ["populations.E.leak", "cells.0.leak", "when"]


def test_a_document_makes_problems_that_know_their_place(tmp_path: Path) -> None:
    document = read(write(tmp_path, "a:\n  b: 3\n"))
    assert str(document.problem("a.b", "3", "4")).endswith("thing.yaml:2 at a.b: found 3, wanted 4")
    assert str(Document("f", {}).problem("", "", "say something")) == "f: say something"


def test_a_union_points_at_the_deepest_fault_only(tmp_path: Path) -> None:
    class Either(Definition):
        x: Cell | list[Cell] | None = None

    for leak in ("3", "{value: 3 mV, source: a, evidence: verified}"):
        text = f"x: [{{{LEAK}}}, {{leak: {leak}}}]" if leak == "3" else f"x: {{leak: {leak}}}"
        with pytest.raises(InputError) as caught:
            build(read(write(tmp_path, text)), Either)
        (problem,) = caught.value.problems
        assert problem.path.endswith("leak" if leak == "3" else "leak.value")


def test_a_fault_may_stand_at_a_key_with_a_dot_or_in_a_list(tmp_path: Path) -> None:
    class Holder(Definition):
        pools: dict[str, list[int]]

        @model_validator(mode="after")
        def _no_threes(self) -> Holder:
            raise faulty([Fault("pools.E.tonic.1", "3", "another number")])

    with pytest.raises(InputError) as caught:
        build(read(write(tmp_path, "pools:\n  E.tonic:\n    - 1\n    - 3\n")), Holder)
    (problem,) = caught.value.problems
    assert (problem.line, problem.path) == (4, "pools.E.tonic.1")


MODELS: list[tuple[str, str, type[Definition]]] = [
    ("drugs", "ketamine", Drug),
    ("circuits", "prefrontal", Circuit),
    ("plasticity", "disinhibition", Plasticity),
    ("subjects", "stressed_adult", Subject),
]


@pytest.mark.parametrize(("folder", "name", "kind"), MODELS, ids=[name for _, name, _ in MODELS])
def test_changing_what_is_built_gives_what_building_anew_gives(
    folder: str, name: str, kind: type[Definition]
) -> None:
    document = Library().document(folder, name)
    base = build(document, kind)
    paths = [path for path, _ in quantities(base)]
    for path, quantity in list(quantities(base))[:: max(1, len(paths) // 12)]:
        end = f" {quantity.unit}" if quantity.unit != "1" else ""
        for value in (f"{quantity.value / 2}{end}", "1 nonsense"):
            anew, changed = (
                outcome(document, kind, {path: value}, given) for given in (None, base)
            )
            assert changed == anew, path
    assert build(document, kind, base=base) is not None


def outcome(
    document: Document,
    kind: type[Definition],
    overrides: dict[str, object],
    base: Definition | None,
) -> object:
    try:
        return build(document, kind, overrides=overrides, base=base)
    except InputError as error:
        return str(error)


def test_what_a_change_leaves_alone_is_shared_and_what_it_touches_is_checked() -> None:
    document = Library().document("drugs", "ketamine")
    base = build(document, Drug)
    path = "actions.nmdar.ketamine.ic50.GluN2B"
    other = build(document, Drug, overrides={path: "4 uM", f"{path[:-1]}A": "4.5 uM"}, base=base)
    assert other.kinetics["human"]["H2"] is base.kinetics["human"]["H2"]
    assert other.actions.nmdar["norketamine"] is base.actions.nmdar["norketamine"]
    ic50 = other.actions.nmdar["ketamine"].ic50
    assert [float(of) for of in (ic50.GluN2A, ic50.GluN2B, ic50.GluN2C)] == [4.5, 4, 1.18]
    assert ic50.GluN2B.source == "set by the user"
    with pytest.raises(InputError, match="--set at actions.nmdar.ketamine"):
        build(document, Drug, overrides={path: "0 uM"}, base=base)


@pytest.mark.parametrize(
    "overrides",
    [
        {"populations.E": {"leak": {"value": "1 nS", "source": "x", "evidence": "verified"}}, "populations.E.count": 3},
        {"populations.E.leak.value": "2 nS"}, {"populations.new.count": 3}, {"pair": [1, "a"]}, {"on": True},
        {"populations.E.count": 0}, {"cells.0.count": 5}, {"give.dose": "3 mg"}, {"give.dose": "3"}, {"give.kind": "bath"}, {"title": "T"}, {"title": 3}, {"colour": "blue"},
    ],
    ids=str,
)  # fmt: skip
def test_changes_of_every_shape_are_as_if_written_in_the_file(
    tmp_path: Path, overrides: dict[str, object]
) -> None:
    leak = "leak: {value: 10 nS, source: x, evidence: verified, range: [5 nS, 20 nS]}"
    text = f"title: t\npopulations: {{E: {{{leak}}}}}\ncells: [{{{leak}}}]\ngive: {{kind: bolus, dose: 1 mg}}\n"
    (tmp_path / "thing.yaml").write_text(text)
    document = read(tmp_path / "thing.yaml")
    base = build(document, Thing)
    assert outcome(document, Thing, overrides, base) == outcome(document, Thing, overrides, None)


def test_what_one_reader_changes_no_other_sees(tmp_path: Path) -> None:
    """Parsed once, read many times: every model that ships, taken apart and read again."""
    for shipped in sorted(builtin("models").rglob("*.yaml")):
        first = read(shipped)
        written = repr((first.tree, first.places))
        _emptied(first.tree)
        first.places.clear()  # type: ignore[attr-defined]
        again = read(shipped)
        assert repr((again.tree, again.places)) == written
    path = tmp_path / "thing.yaml"
    for text in ("a: 1\n", "a: 2\n"):
        path.write_text(text)
        assert read(path).tree == {"a": int(text[3])}


def _emptied(node: object) -> None:
    """Take everything out of every mapping and list, from the inside."""
    if isinstance(node, dict | list):
        for child in list(node.values() if isinstance(node, dict) else node):
            _emptied(child)
        node.clear()
