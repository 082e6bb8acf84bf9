"""In: plastogen itself. Out: the pages that say what it holds, as Markdown: commands, vocabulary,
models, experiments, sources, Python. Nothing in them is written by hand, so nothing in them can go
stale.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, get_args

import typer.main

import lessons
import plastogen
from plastogen._base.definition import Definition, build, quantities
from plastogen._base.document import place_in, read
from plastogen._base.library import Library, builtin
from plastogen._base.quantity import Quantity
from plastogen.analysis.provenance import WORDS
from plastogen.cli.main import PANELS, app
from plastogen.experiment.claim import Claim
from plastogen.experiment.definition import Experiment, shipped
from plastogen.experiment.design import DIMENSIONS
from plastogen.experiment.figure_table import FIGURES
from plastogen.experiment.models import FOLDERS
from plastogen.experiment.readout import Readout, Take
from plastogen.experiment.resolve import open_experiment
from plastogen.experiment.validate import check
from plastogen.model.plasticity.system import STATES
from plastogen.publish.catalogue import MODEL_KINDS, listing, span
from plastogen.runs.dosing import dosing_rows
from plastogen.simulation.switches import Switches, block_sites
from plastogen.simulation.variables import VARIABLES, bounds_of

KINDS = {
    "subjects": "Subjects",
    "circuits": "Circuits",
    "plasticity": "Plasticity",
    "drugs": "Drugs",
}
DEPTH = {
    "kinetics": 3,
    "actions": 3,
    "populations": 2,
    "connections": 2,
}  # how many names of a path head a table
ROOTS = {
    folder: root for root, (folder, _) in FOLDERS.items()
}  # what a path to a model of a folder begins with
OPENING = {
    "Commands": (
        "`plastogen COMMAND --help` says the same. Exit codes: 0 all good, 2 bad input and nothing"
        " was run, 3 a run failed or is missing, 4 a claim was missed."
    ),
    "Variables, dimensions, switches": (
        "Made from the code. A readout names a variable; results hold all of them, "
        "by arm and seed first. Unit 1: a ratio, mostly to healthy, or a share."
    ),
    "Sources": (
        "Every entry of `models/references.yaml`: what was read of it, and which models (by number)"
        " and experiments (by claim) rest on it. `plastogen sources EXPERIMENT --bibtex` gives them"
        " for a paper."
    ),
    "Python": (
        "All there is to import from `plastogen`. What `run` and `load` give is an"
        " `xarray.Dataset`; [its variables](vocabulary.md)."
    ),
}
TAKES = {
    "peak": "its highest value", "trough": "its lowest value",
    "mean": "its mean over time", "area": "its area over time",
    "onset": "when it first passes the threshold, or half of its largest change; none where it"
    " never does (`never`), or is past it as the stretch begins (`already`)",
    "duration": "how long it stays beyond the threshold",
    "time_of_peak": "when it is highest; none where it does not move (`never`)",
    "time_of_trough": "when it is lowest, likewise",
}  # fmt: skip
DIMS = {
    "arm": "what one group gets", "seed": "one master seed: another network, other noise",
    "time": "hours; 0 is the first planned dose", "class": "classes of the circuit, such as E",
    "pool": "its pools, such as E.synaptic", "species": "a drug or one of its metabolites",
    "snapshot": "20 s of spikes at a named moment", "frequency": "Hz",
    "subject": "one virtual subject", "point": "one point of a sweep that is no grid",
}  # fmt: skip


def write(folder: Path) -> list[Path]:
    """All generated pages below `folder`; a page that has not changed is not touched."""
    pages = {
        "commands.md": commands(),
        "vocabulary.md": vocabulary(),
        "python.md": python(),
        "sources.md": sources(),
        "lessons.md": lessons.page("../lessons"),
    }
    for kind, title in KINDS.items():
        names = _own(kind)
        pages[f"{kind}/index.md"] = _index(
            title, [(name, _title(Library(), kind, name)) for name in names]
        )
        pages |= {f"{kind}/{name}.md": model(kind, name) for name in names}
    pages["experiments/index.md"] = _index("Experiments", listing("experiments"))
    pages |= {f"experiments/{name}.md": experiment(name) for name in shipped()}
    for name, lines in pages.items():
        path, text = folder / name, "\n".join(lines) + "\n"
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    known = {folder / name for name in pages}
    for path in set(folder.rglob("*.md")) - known:
        path.unlink()
    return sorted(known)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A Markdown table."""
    lines = [" | ".join(head), " | ".join("---" for _ in head)]
    lines += [
        " | ".join(cell.replace("|", r"\|").replace("\n", " ") or " " for cell in row)
        for row in rows
    ]
    return ["", *(f"| {line} |" for line in lines), ""]


def _opening(title: str) -> list[str]:
    return [f"# {title}", "", OPENING[title], ""]


def _index(title: str, entries: Sequence[tuple[str, str]]) -> list[str]:
    rows = [(f"[{name}]({name}.md)", words) for name, words in entries]
    names = [name for name, _ in entries]
    return [f"# {title}", *table(("name", ""), rows), "```{toctree}", ":hidden:", *names, "```"]


def _own(kind: str) -> list[str]:
    return sorted(path.stem for path in (builtin("models") / kind).glob("*.yaml"))


def _title(library: Library, kind: str, name: str) -> str:
    return str(library.document(kind, name).tree.get("title", ""))


# --- commands ---


def commands() -> list[str]:
    """Every command with its arguments and options, as the command line itself knows them."""
    known: dict[str, Any] = vars(typer.main.get_command(app))["commands"]
    lines = _opening("Commands")
    for panel, functions in PANELS.items():
        lines += ["", f"## {panel}"]
        for name in (function.__name__.rstrip("_") for function in functions):
            command = known[name]
            params = [p for p in command.params if p.name != "help"]
            words = [_argument(p) for p in params if p.param_type_name == "argument"]
            lines += [
                "",
                f"### {name}",
                "",
                f"`plastogen {' '.join([name, *words])}`",
                "",
                _prose(command.help),
            ]
            lines += table(("", ""), [_option(p) for p in params]) if params else []
    return lines


def _argument(param: Any) -> str:
    word = param.name.upper() + ("..." if param.nargs == -1 else "")
    return word if param.required else f"[{word}]"


def _option(param: Any) -> tuple[str, str]:
    if param.param_type_name == "argument":
        return f"`{param.name.upper()}`", param.help or ""
    names = [*param.opts, *param.secondary_opts]
    return ", ".join(f"`{name}`" for name in names), param.help or ""


def _prose(text: str | None) -> str:
    return " ".join((text or "").split())


# --- vocabulary ---


def vocabulary() -> list[str]:
    """Variables, dimensions, summaries, states, switches, figures, forms of claims."""
    rows = [
        (
            f"`{name}`",
            v.long_name,
            _unit(v.unit),
            "; ".join(filter(None, [v.scale, bounds_of(name)])),
            ", ".join(d for d in v.dims if d not in ("time", "snapshot")),
            "snapshot" if v.of_snapshot else "course",
        )
        for name, v in VARIABLES.items()
    ]
    lines = _opening("Variables, dimensions, switches")
    lines += [
        "## Variables",
        *table(("name", "what", "unit", "scale; bounds", "also by", "of"), rows),
    ]
    lines += ["## Dimensions", *table(("name", "what"), [(f"`{d}`", DIMS[d]) for d in DIMENSIONS])]
    lines += [
        "A swept number is a dimension too, named after the last part of its path.",
        "",
        "## What a readout takes",
    ]
    takes = [(f"`{take}`", TAKES[take]) for take in get_args(Take)]
    lines += [*table(("take", "of a course"), [("`at: 24 h`", "its value then"), *takes])]
    lines += [
        f"Keys of a readout: {_fields(Readout)}.",
        "",
        "## Claims",
        "",
        *_docstring(Claim),
        "",
    ]
    lines += ["## Switches", "", *_docstring(Switches), "", *_docstring(block_sites)]
    lines += table(("path", "takes"), [(f"`{path}`", words) for path, words in listing("switches")])
    lines += [
        "## Figures",
        *table(("name", "shows"), [(f"`{name}`", row.caption) for name, row in FIGURES.items()]),
    ]
    lines += [
        "## States",
        "",
        "What the slow equations follow, and what `course: {start: ...}` can multiply where it is"
        " not nil at rest:",
        "",
    ]
    lines += [", ".join(f"`{state}`" for state in STATES) + "."]
    levels = [(f"[{level}]{{.level .{level}}}", words) for level, words in WORDS.items()]
    return [*lines, "", "## Levels of evidence", *table(("level", "the number was"), levels)]


def _unit(unit: str) -> str:
    return {"uM": "µM", "Hz^2": "Hz²", "Hz^2/Hz": "Hz²/Hz"}.get(unit, unit)


def _fields(kind: type[Definition]) -> str:
    return ", ".join(f"`{info.alias or name}`" for name, info in kind.model_fields.items())


def _docstring(kind: object) -> list[str]:
    """Its paragraphs but for examples; where several lines open with code, each is an item of a
    list.
    """
    lines: list[str] = []
    paragraphs = re.split(r"\n\s*\n", (kind.__doc__ or "").strip())
    for paragraph in (text for text in paragraphs if not text.lstrip().startswith(">>>")):
        own = [line.strip() for line in paragraph.splitlines()]
        listed = sum(line.startswith("`") for line in own) > 1
        for line in own:
            if listed and line.startswith("`"):
                lines.append(f"- {line}")
            elif lines and lines[-1] and (not listed or line[0].islower()):
                lines[-1] += f" {line}"
            else:
                lines.append(line)
        lines.append("")
    return lines


# --- models ---


def model(kind: str, name: str) -> list[str]:
    """A model card: what the file says, every number with its range, level of evidence, source and
    note.
    """
    library = Library()
    whole = build(library.document(kind, name), MODEL_KINDS[kind])
    written = _written(kind, name)
    base = written.get("extends")
    numbers = dict(quantities(whole))
    if base:
        before = dict(quantities(build(library.document(kind, str(base)), MODEL_KINDS[kind])))
        numbers = {path: q for path, q in numbers.items() if before.get(path) != q}
    lines = [f"# {whole.title}", "", f"`{name}` in `models/{kind}/{name}.yaml`"]  # type: ignore[attr-defined]
    for key in ("regime", "note"):
        if written.get(key):
            lines += ["", str(written[key]).strip()]
    if base:
        lines += ["", f"Is [{base}]({base}.md) with what stands below changed."]
    if numbers:
        levels = Counter(str(q.evidence) for q in numbers.values() if q.evidence)
        parts = [f"{levels[level]} {words}" for level, words in WORDS.items() if levels[level]]
        lines += [
            "",
            f"{len(numbers)} number{'s' if len(numbers) > 1 else ''}: {', '.join(parts)}.",
        ]
    if numbers:
        root = f"drugs.{name}" if kind == "drugs" else ROOTS[kind]
        lines += [
            "",
            (
                f"`--set {root}.PATH=VALUE` changes one for a run; PATH is the heading, a dot, the"
                " name."
            ),
        ]
    sections: dict[str, list[tuple[str, Quantity]]] = {}
    for path, q in numbers.items():
        parts = path.split(".")
        depth = min(DEPTH.get(parts[0], 1), len(parts) - 1)
        sections.setdefault(".".join(parts[:depth]), []).append((path, q))
    for section, rows in sections.items():
        lines += ["", f"## {_heading(section, written)}"]
        cells = [_number(path.removeprefix(section).lstrip("."), q) for path, q in rows]
        lines += table(("number", "value", "range", "evidence", "source"), cells)
    settings = dict(_settings(written))
    if settings:
        lines += [
            "",
            "## Settings",
            *table(("what", "is"), [(f"`{path}`", words) for path, words in settings.items()]),
        ]
    return lines


def _heading(section: str, written: dict[str, Any]) -> str:
    """What a group of numbers is called: its path, or which cells a connection joins."""
    first, _, which = section.partition(".")
    if first == "connections":
        at = place_in(written["connections"], which)
        assert at is not None
        joined = written["connections"][at]
        return f"`{section}`: {joined['source']} → {joined['target']}"
    return f"`{section}`" if section else "Numbers"


def _written(kind: str, name: str) -> dict[str, Any]:
    return read(builtin("models") / kind / f"{name}.yaml").tree


def _settings(node: Any, at: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """What a file says that is no number with a source: counts, names, choices."""
    if isinstance(node, dict) and "value" in node:
        return
    if isinstance(node, dict | list):
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            if not at and key in ("title", "note", "regime", "extends"):
                continue
            if at[:1] != ("connections",):  # which cells they join heads their table
                yield from _settings(value, (*at, str(key)))
    elif at and at[-1] != "note":
        yield ".".join(at), str(node)


def _number(path: str, q: Quantity) -> tuple[str, str, str, str, str]:
    level = f"[{q.evidence}]{{.level .{q.evidence}}}" if q.evidence else ""
    source = _cite(q.source) if q.source and q.source not in WORDS else ""
    said = ": ".join(part for part in (source, _escaped(q.note or "")) if part)
    return f"`{path}`", q.text, span(q), level, said


def _cite(key: str | None) -> str:
    return f"[{key}](#ref-{key})" if key in Library().references() else key or ""


def _escaped(text: str) -> str:
    return re.sub(r"([*_<>\[\]$~])", r"\\\1", text.strip())


# --- experiments ---


def experiment(name: str) -> list[str]:
    """An experiment: its question, arms, readouts and claims, then the file itself."""
    asked = open_experiment(name)
    one: Experiment = asked.experiment
    first = {case.arm: case for case in reversed(check(asked))}
    lines = [f"# {one.title or name}", "", f"**{one.question}**"]
    lines += ["", _escaped(one.note)] if one.note else []
    takes = f" Takes {one.takes}." if one.takes else ""
    lines += [
        "",
        (
            f"`plastogen run {name}`: {one.course.duration.text}, {one.course.seeds} seeds, subject"
            f" [{one.model.subject}](../subjects/{one.model.subject}.md), circuit"
            f" [{one.model.circuit}](../circuits/{one.model.circuit}.md), plasticity"
            f" [{one.model.plasticity}](../plasticity/{one.model.plasticity}.md).{takes}"
        ),
    ]
    gets = {
        arm: dict.fromkeys(str(row["what"]) for row in dosing_rows(case))
        for arm, case in first.items()
    }
    arms = [
        (f"`{arm}`", "; ".join(gets[arm]) or "nothing", own.title or "")
        for arm, own in one.arms.items()
    ]
    titled = 3 if any(title for *_, title in arms) else 2
    lines += ["", "## Arms", *table(("arm", "gets", "")[:titled], [row[:titled] for row in arms])]
    if asked.sweep_in_words:
        lines += ["## Swept", ""]
        lines += [
            f"- {whole}: {', '.join(f'`{path}`' for path in paths)}"
            for whole, *paths in asked.sweep_in_words
        ]
        lines += [""]
    readouts = [(f"`{key}`", r.title or "", _unit(r.unit)) for key, r in one.readouts.items()]
    lines += ["## Readouts", *table(("name", "what", "unit"), readouts)]
    if one.expect:
        lines += [
            "## Claims",
            *table(
                ("claim", "found by", "known miss, what was reported, note"),
                [_claim(c) for c in one.expect],
            ),
        ]
    return [
        *lines,
        "## The file",
        "",
        "```yaml",
        (builtin("experiments") / f"{name}.yaml").read_text("utf-8").rstrip(),
        "```",
    ]


def _claim(claim: Claim) -> tuple[str, str, str]:
    miss = claim.miss_at("what comes out")
    said = "; ".join(
        part for part in (miss and f"known miss: {miss}", claim.reported, claim.note) if part
    )
    return _escaped(claim.claim), _cite(claim.source), _escaped(said)


# --- sources, Python ---


def sources() -> list[str]:
    """The bibliography, and who rests on each entry."""
    library = Library()
    used: dict[str, Counter[str]] = {}
    for kind in KINDS:
        for name in _own(kind):
            own = build(library.document(kind, name), MODEL_KINDS[kind])
            if not _written(kind, name).get("extends"):
                for _, q in quantities(own):
                    used.setdefault(str(q.source), Counter())[f"[{name}]({kind}/{name}.md)"] += 1
    for name in shipped():
        for claim in open_experiment(name).experiment.expect:
            used.setdefault(str(claim.source), Counter())[f"[{name}](experiments/{name}.md)"] += 1
    lines = _opening("Sources")
    for key, r in library.references().items():
        doi = f" [doi:{r.doi}](https://doi.org/{r.doi})" if r.doi else ""
        note = f" *{_escaped(r.note)}*" if r.note else ""
        rests = ", ".join(f"{where} ({n})" for where, n in used.get(key, Counter()).items())
        lines += [
            "",
            f"(ref-{key})=",
            "",
            f"**{key}**: {_escaped(r.authors)} ({r.year}). {_escaped(r.title)}. "
            f"{_escaped(r.journal)}.{doi}{note}" + (f" Used by {rests}." if rests else ""),
        ]
    return lines


def python() -> list[str]:
    """The public Python door."""
    lines = _opening("Python")
    for name in plastogen.__all__:
        thing = getattr(plastogen, name)
        if isinstance(thing, type):
            lines += ["```{eval-rst}", f".. autoexception:: plastogen.{name}", "```", ""]
        elif callable(thing):
            lines += ["```{eval-rst}", f".. autofunction:: plastogen.{name}", "```", ""]
    return lines
