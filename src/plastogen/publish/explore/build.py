"""In: a circuit, finished results. Out: one HTML file with the network running and the days after.

The page needs nothing but itself. What it computes is the program of `circuit.wasm`; what it
shows of days was computed before. A page built from the small circuit and dose_response ships with
the package; its guide is about that circuit, so pages of other circuits go without.
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from plastogen._base.files import atomic_write
from plastogen._base.library import Library
from plastogen._base.scope import SCOPE
from plastogen.errors import InputError
from plastogen.figures import class_styles, tint
from plastogen.model.circuit import Circuit, wasm
from plastogen.model.pharmacology import Drug
from plastogen.publish.explore import synapse
from plastogen.publish.explore.days import DARK_TINT, as_json, study
from plastogen.publish.explore.numbers import inputs

WEB = Path(__file__).parent / "web"
CIRCUIT, DRUG = "small", "ketamine"
NIGHT = (
    "--page: #12171d; --panel: #1b222b; --card: #232c37; --ink: #eef2f6; --muted: #aab6c3; --line:"
    " #45525f; --grid: #2b3540; --shade: #2b3540; --past: #7d8a98; --accent: #6db9ea; --on-accent:"
    " #0c1116; --dendrite: #5d5148; --spine: #c9b8a8; --new: #f2b632; --transient: #e3a0c5;"
    " --stronger: #6db9ea; --weaker: #f0a54a; --ok: #4fd1a5; --bad: #ffa06b; color-scheme: dark;"
)
SCRIPTS = (
    "read", "dom", "spikes", "chart", "terms", "runner", "controls", "network", "sweep", "days",
    "branch", "dendrite", "synapse", "guide", "address", "boot",
)  # fmt: skip
ABOUT = (
    "Ketamine closes NMDA receptors, which excite. Here it meets a spiking network, simulated in"
    " your browser{days}."
)
ABOUT_DAYS = ", and the synapses it leaves behind days later"


def circuit(given: str | None = None) -> Circuit:
    """The circuit of a page: a name, or a file; the one that ships when nothing is given.

    A file may extend a circuit of its own `models/circuits`, or of those that ship. Raises
    InputError.
    """
    if given is None:
        return Library().load("circuits", CIRCUIT, Circuit)
    found = _own(given)
    if share := found.agonist.vesicular_share:
        wanted = "0: a page multiplies conductances, and cannot add what spills over to them"
        at = "agonist.vesicular.share"
        raise InputError.one(file=given, path=at, found=f"{share:g}", wanted=wanted)
    return found


def _own(given: str) -> Circuit:
    path = Path(given)
    if path.suffix not in (".yaml", ".yml") and len(path.parts) == 1:
        return Library(Path()).load("circuits", given, Circuit)
    folder = path.resolve().parent
    kept = folder.name == "circuits" and folder.parent.name == "models"
    beside = folder.parents[1] if kept else folder
    return Library(beside).load_file("circuits", path, Circuit)


def shipped_page() -> Path:
    """The page that ships with the package."""
    return WEB / "explore.html"


def build_page(
    folders: Sequence[Path],
    to: Path,
    *,
    circuit_given: str | None = None,
    announce: Callable[[str], None] | None = None,
) -> Path:
    """Build the page of a circuit and of the results in `folders`, and write it.

    `circuit_given`: name or file of another circuit than the one that ships; its page has no guide.
    Raises InputError, EngineError, StoreError.
    """
    whole = circuit(circuit_given)
    studies = [study(folder) for folder in folders]
    program, pair = wasm.compiled(whole, announce=announce), wasm.compiled_pair(announce=announce)
    drug = Library(Path()).load("drugs", DRUG, Drug)
    model = inputs(whole, drug) | {"files": program.files}
    text = page(
        whole,
        model,
        studies,
        program=program,
        pair=pair,
        guided=circuit_given is None,
    )
    atomic_write(to, text)
    return to


def page(
    whole: Circuit,
    model: Mapping[str, object],
    studies: Sequence[object],
    *,
    program: wasm.Program,
    pair: wasm.Program,
    guided: bool = True,
) -> str:
    """The page as text. `program`, `pair`: of the network, and of two cells and a synapse; `model`:
    what the network is given (`inputs`); `guided`: with the five steps, which are about the circuit
    that ships.
    """
    facts = {"scope": SCOPE, "signature": wasm.wasm_signature(whole), "pair": wasm.pair_signature()}
    data = [
        *(
            _data(name, as_json(value))
            for name, value in (
                ("page", facts),
                ("model", model),
                ("pair", synapse.inputs(whole) | {"files": pair.files}),
                ("study", list(studies)),
            )
        ),
        _plain("binary", base64.b64encode(program.binary).decode("ascii")),
        _plain("glue", program.script),
        _plain("pair-binary", base64.b64encode(pair.binary).decode("ascii")),
        _plain("pair-glue", pair.script),
        _plain("worker", _text("worker.js")),
    ]
    about = ABOUT.format(days=ABOUT_DAYS if studies else "")
    return _filled(
        "page.html",
        {
            "style": _style(whole),
            "about": html.escape(about),
            "circuit": html.escape(whole.title),
            "scope": html.escape(SCOPE),
            "layout": "guided" if guided else "",
            "guide": _guide(whole) if guided else "",
            "days": _text("days.html") if studies else "",
            "synapse": _text("synapse.html"),
            "data": "\n".join(data),
            "script": "\n".join(_text(f"{name}.js") for name in SCRIPTS),
        },
    )


def _style(whole: Circuit) -> str:
    """The style sheet, with the colours of the circuit's classes by day and by night."""
    light, dark = (
        " ".join(
            f"--class-{name}: {tint(look.colour, lifted)};"
            for name, look in class_styles(whole.classes).items()
        )
        for lifted in (0, DARK_TINT)
    )
    return _filled("page.css", {"light": light, "dark": dark, "night": NIGHT})


def _guide(whole: Circuit) -> str:
    """The five steps, which name the classes of the circuit that ships and count their cells."""
    counts = {f"cells_{name}": str(p.count) for name, p in whole.populations.items()}
    return _filled("guide.html", counts)


def _filled(name: str, words: Mapping[str, str]) -> str:
    """A file of the page with each `{word}` in its place, all at once: what is put in is not looked
    through again.
    """
    return re.sub(
        r"\{(\w+)\}|/\*\{(\w+)\}\*/",
        lambda found: words.get(found[1] or found[2], found[0]),
        _text(name),
    )


def _data(name: str, text: str) -> str:
    return f'<script type="application/json" id="{name}-data">{text}</script>'


def _plain(name: str, text: str) -> str:
    """Text the page reads but does not run."""
    if re.search(r"</script|<!--", text, re.IGNORECASE):
        raise ValueError(f"{name} would end the element it stands in")
    return f'<script type="text/plain" id="{name}">{text}</script>'


def _text(name: str) -> str:
    return (WEB / name).read_text(encoding="utf-8")
