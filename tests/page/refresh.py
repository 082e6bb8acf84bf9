"""The page that ships, its programs and data kept and all else as the sources now say.

`python tests/page/refresh.py` writes it: enough after a change of words, style, scripts or of the
rule (its program is then compiled, for which it needs emscripten). With `--network` the network is
compiled anew, too, and given its numbers: after a change of the small circuit or of the network's
C++. After a change of the courses it must be built (docs/decisions/0010).
"""

from __future__ import annotations

import base64
import json
import re
import sys
from typing import Any

from plastogen._base.library import Library
from plastogen.model.circuit.wasm import Program, compiled, compiled_pair, pair_signature
from plastogen.model.pharmacology import Drug
from plastogen.publish.explore import build as explore
from plastogen.publish.explore.numbers import inputs


def part(text: str, name: str) -> str:
    """What stands in a script element of a page."""
    found = re.search(rf'<script type="[^"]*" id="{name}">(.*?)</script>', text, re.DOTALL)
    if found is None:
        raise ValueError(f"the page has no {name}")
    return found[1]


def data(text: str, name: str) -> Any:
    """Data of a page."""
    return json.loads(part(text, f"{name}-data"))


def refreshed(text: str, *, network: bool = False) -> str:
    """A page of the small circuit, made anew of its own program and data; with `network` of the
    program and numbers that the sources make.
    """
    same = data(text, "page").get("pair") == pair_signature()
    program, model = program_of(text, "", "model"), data(text, "model")
    if network:
        program = compiled(explore.circuit(), announce=print)
        drug = Library().load("drugs", explore.DRUG, Drug)
        model = inputs(explore.circuit(), drug) | {"files": program.files}
    return explore.page(
        explore.circuit(),
        model,
        data(text, "study"),
        program=program,
        pair=program_of(text, "pair-", "pair") if same else compiled_pair(announce=print),
    )


def program_of(text: str, prefix: str, numbers: str) -> Program:
    """A program as it stands in a page."""
    binary = base64.b64decode(part(text, f"{prefix}binary"))
    return Program(part(text, f"{prefix}glue"), binary, data(text, numbers)["files"])


if __name__ == "__main__":
    page = explore.shipped_page()
    anew = refreshed(page.read_text(encoding="utf-8"), network="--network" in sys.argv[1:])
    page.write_text(anew, encoding="utf-8")
