"""The script that draws the map of rooms sees what stands in the source."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from test_architecture import ROOMS

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "docs"))
import rooms  # noqa: E402

ORDER = ("low", "mid", "high")


def house(**sources: str) -> rooms.House:
    """A package of rooms; `low__a` is plastogen.low.a."""
    named = {f"plastogen.{name.replace('__', '.', 1)}": text for name, text in sources.items()}
    return rooms.House({"plastogen.__init__": "", **named}, ORDER)


def test_an_arrow_against_the_order_is_told_with_its_line() -> None:
    built = house(low__a="\nfrom plastogen.high.c import f", mid__b="", high__c="f = 1")
    assert built.against == ["plastogen.low.a:2 imports plastogen.high.c"]


def test_an_import_inside_a_function_is_an_arrow_too() -> None:
    built = house(low__a="", high__c="def f():\n    from plastogen.low import a")
    assert built.arrows == {("plastogen.high.c", "plastogen.low.a"): 2}
    assert built.between == {("high", "low"): 1}


def test_a_name_that_a_room_passes_on_counts_where_it_is_defined() -> None:
    built = house(
        low__a="f = 1",
        low____init__="from plastogen.low.a import f",
        mid__b="from plastogen.low import f",
    )
    assert list(built.arrows) == [("plastogen.mid.b", "plastogen.low.a")]


def test_a_room_may_pass_on_a_module_of_its_own() -> None:
    built = house(
        low__a="", low____init__="from plastogen.low import a", mid__b="from plastogen.low import a"
    )
    assert list(built.arrows) == [("plastogen.mid.b", "plastogen.low.a")]


def test_floors_are_the_longest_chain_and_a_circle_is_one() -> None:
    chain = {"low__a": "", "mid__b": "import plastogen.low.a", "high__c": "import plastogen.mid.b"}
    assert house(**chain).floors == 3
    assert house(**chain).circles == []
    circle = house(**chain | {"low__a": "import plastogen.mid.b"})
    assert circle.floors == 2
    assert circle.circles == [{"plastogen.low.a", "plastogen.mid.b"}]


def test_a_folder_of_folders_is_as_many_rooms() -> None:
    built = rooms.House({"plastogen.model.circuit.engine": "", "plastogen.errors": ""})
    assert built.room("plastogen.model.circuit.engine") == "model.circuit"
    assert built.room("plastogen.errors") == "errors"


def test_this_package_has_the_rooms_of_its_table_and_no_circle() -> None:
    built = rooms.of_checkout()
    assert built.rooms == list(ROOMS)
    assert built.against == []
    assert built.circles == []


def test_the_script_prints_its_table_and_draws_the_map(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "rooms.py"), "--picture", str(tmp_path / "rooms.svg")],
        capture_output=True,
        check=True,
        text=True,
    )
    assert "arrows against the order" in done.stdout
    drawn = (tmp_path / "rooms.svg").read_text()
    assert all(f">{room}<" in drawn for room in ROOMS)
