"""In: a circuit, finished results. Out: one HTML file with the network running and the days after.

The page needs nothing but itself. What it computes is the program of `circuit.browser`; what it
shows of days was computed before. A page built from the small circuit and dose_response ships with
the package.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Sequence
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from plastogen._base.files import atomic_write
from plastogen._base.library import Library
from plastogen._base.scope import SCOPE
from plastogen.figures import class_styles, tint
from plastogen.model.circuit import Circuit, compiled, wasm_signature
from plastogen.model.pharmacology import Drug
from plastogen.publish.explore.days import DARK_TINT, as_json, study
from plastogen.publish.explore.numbers import inputs

CIRCUIT, DRUG = "small", "ketamine"
NIGHT = (
    "--page: #12171d; --panel: #1b222b; --card: #232c37; --ink: #eef2f6; --muted: #aab6c3; --line:"
    " #45525f; --grid: #2b3540; --shade: #2b3540; --past: #7d8a98; --accent: #6db9ea; --on-accent:"
    " #0c1116; --dendrite: #5d5148; --spine: #c9b8a8; --new: #f2b632; --transient: #e3a0c5; --ok:"
    " #4fd1a5; --bad: #ffa06b; color-scheme: dark;"
)
SCRIPTS = ("read", "spikes", "chart", "network", "days", "dendrite", "guide", "boot")


def circuit() -> Circuit:
    """The circuit that pages run."""
    return Library(Path()).load("circuits", CIRCUIT, Circuit)


def shipped_page() -> Path:
    """The page that ships with the package."""
    return Path(str(_web() / "explore.html"))


def build_page(
    folders: Sequence[Path], to: Path, *, announce: Callable[[str], None] | None = None
) -> Path:
    """Build the page of the results in `folders` and write it. Raises InputError, EngineError,
    StoreError.
    """
    studies = [study(folder) for folder in folders]
    whole = circuit()
    program = compiled(whole, announce=announce)
    drug = Library(Path()).load("drugs", DRUG, Drug)
    model = inputs(whole, drug) | {"files": program.files}
    text = page(whole, model, studies, script=program.script, binary=program.binary)
    atomic_write(to, text)
    return to


def page(
    whole: Circuit,
    model: dict[str, object],
    studies: Sequence[object],
    *,
    script: str,
    binary: bytes,
) -> str:
    """The page as text. `script`, `binary`: the network's program; `model`: what it is given
    (`inputs`).
    """
    colours = {
        dark: " ".join(
            f"--{c}: {tint(look.colour, dark)};" for c, look in class_styles(whole.classes).items()
        )
        for dark in (0, DARK_TINT)
    }
    style = _text("page.css").replace("/*{night}*/", NIGHT)
    style = style.replace("{light}", colours[0]).replace("{dark}", colours[DARK_TINT])
    facts = {"scope": SCOPE, "signature": wasm_signature(whole)}
    parts = [
        *(
            _data(name, as_json(value))
            for name, value in (("page", facts), ("model", model), ("study", list(studies)))
        ),
        _plain("binary", base64.b64encode(binary).decode("ascii")),
        _plain("glue", script),
        _plain("worker", _text("worker.js")),
    ]
    dials: dict[str, int] = {name: len(places) - 1 for name, places in model["dials"].items()}  # type: ignore[attr-defined]
    counts = {
        **dials,
        "levels": len(model["concentrations_uM"]) - 1,  # type: ignore[arg-type]
        "seeds": len(model["seeds"]) - 1,  # type: ignore[arg-type]
    }
    words = {"circuit": whole.title, "scope": SCOPE, **{name: str(n) for name, n in counts.items()}}
    made = re.sub(r"\{(\w+)\}", lambda found: words.get(found[1], found[0]), _text("page.html"))
    made = made.replace("/*{style}*/", style).replace("{data}", "\n".join(parts))
    return made.replace("{script}", "\n".join(_text(f"{name}.js") for name in SCRIPTS))


def _data(name: str, text: str) -> str:
    return f'<script type="application/json" id="{name}-data">{text}</script>'


def _plain(name: str, text: str) -> str:
    """Text the page reads but does not run."""
    if re.search(r"</script|<!--", text, re.IGNORECASE):
        raise ValueError(f"{name} would end the element it stands in")
    return f'<script type="text/plain" id="{name}">{text}</script>'


def _web() -> Traversable:
    return resources.files("plastogen.publish.explore") / "web"


def _text(name: str) -> str:
    return (_web() / name).read_text(encoding="utf-8")
