"""In: a run folder. Out: the same as an RO-Crate: a ZIP with what went in, what came out, versions,
licence and citation, described in JSON-LD.

RO-Crate 1.1 (Soiland-Reyes et al. 2022): `ro-crate-metadata.json` describes itself, the root data
set, every file with its size and checksum, the program, and the action that made the results.
"""

from __future__ import annotations

import hashlib
import json
import mimetypes
import zipfile
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from plastogen import __version__
from plastogen._base.files import explained
from plastogen._base.scope import SCOPE
from plastogen._base.sealed import checksum
from plastogen.analysis import provenance
from plastogen.publish.workflow import Outcome

METADATA, PROFILE = "ro-crate-metadata.json", "https://w3id.org/ro/crate/1.1"
LICENCE = "https://spdx.org/licenses/MIT"
LEFT_OUT = (".partial", ".lock", ".tmp", ".zip")
KINDS = {".nc": "application/netcdf", ".yaml": "application/yaml", ".npz": "application/zip"}
Entity = dict[str, Any]


def to_crate(outcome: Outcome, path: Path, *, say: Callable[[str], None] = print) -> Path:
    """Pack the results of `outcome`, the files they were made from and their sources into the ZIP
    `path`. Raises StoreError.
    """
    folder = outcome.request.folder
    inputs = {f"inputs/{name}": text.encode() for name, text in _inputs(outcome).items()}
    files = [file for file in sorted(folder.rglob("*")) if file.is_file() and _kept(file, folder)]
    with explained(path, "write"):
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as packed:
            entities = [*_packed_inputs(packed, inputs), *_packed_files(packed, folder, files, say)]
            packed.writestr(METADATA, json.dumps(_described(outcome, entities), indent=1))
        partial.replace(path)
    return path


def _kept(file: Path, folder: Path) -> bool:
    parts = file.relative_to(folder).parts
    return not any(part.startswith(".") or part.endswith(LEFT_OUT) for part in parts)


def _inputs(outcome: Outcome) -> Mapping[str, str]:
    """The experiment, every model it names, with what extends what, and the sources, as text."""
    opened = outcome.request.opened
    files = {"experiment.yaml": Path(opened.document.file).read_text(encoding="utf-8")}
    library = opened.models.library
    for file in opened.models.files():
        files[f"models/{file.parent.name}/{file.name}"] = file.read_text(encoding="utf-8")
    used = provenance.numbers_in_use(opened.typical_conditions())
    sources = provenance.list_cited(
        used, [claim.source for claim in opened.experiment.expect], library
    )
    return {
        **files,
        "settings.json": json.dumps(dict(opened.set), indent=1, default=str),
        "sources.bib": provenance.bibtex(sources),
    }


def _packed_inputs(packed: zipfile.ZipFile, inputs: Mapping[str, bytes]) -> Iterator[Entity]:
    for name, content in inputs.items():
        packed.writestr(name, content)
        yield _file(name, len(content), hashlib.sha256(content).hexdigest())


def _packed_files(
    packed: zipfile.ZipFile, folder: Path, files: list[Path], say: Callable[[str], None]
) -> Iterator[Entity]:
    step = max(1, len(files) // 10)
    for i, file in enumerate(files, start=1):
        name = file.relative_to(folder).as_posix()
        packed.write(file, name)
        if i % step == 0 or i == len(files):
            say(f"packed {i} of {len(files)} files")
        yield _file(name, file.stat().st_size, checksum(file))


def _file(name: str, size: int, sha256: str) -> Entity:
    suffix = Path(name).suffix
    kind = KINDS.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    return {
        "@id": name,
        "@type": "File",
        "name": Path(name).name,
        "encodingFormat": kind,
        "contentSize": str(size),
        "sha256": sha256,
    }


def _described(outcome: Outcome, files: list[Entity]) -> Entity:
    """The metadata of the whole crate."""
    attrs, now = outcome.ds.attrs, datetime.now(UTC).isoformat(timespec="seconds")
    names = [file["@id"] for file in files]
    made = [name for name in names if not name.startswith("inputs/")]
    versions: dict[str, str] = json.loads(str(attrs.get("versions", "{}")))
    versions.pop("plastogen", None)
    name = outcome.request.opened.name
    graph: list[Entity] = [
        {
            "@id": METADATA,
            "@type": "CreativeWork",
            "conformsTo": {"@id": PROFILE},
            "about": {"@id": "./"},
        },
        {
            "@id": "./",
            "@type": "Dataset",
            "name": str(attrs["title"]),
            "description": f"{attrs.get('question', '')} {SCOPE}".strip(),
            "datePublished": now,
            "license": {"@id": LICENCE},
            "creditText": f"plastogen {__version__}; cite it and the sources in inputs/sources.bib",
            "citation": {"@id": "inputs/sources.bib"},
            "hasPart": [{"@id": one} for one in names],
            "mentions": {"@id": "#run"},
        },
        {
            "@id": "#run",
            "@type": "CreateAction",
            "name": f"plastogen run {name}",
            "endTime": now,
            "instrument": {"@id": "#plastogen"},
            "object": [{"@id": one} for one in names if one not in made],
            "result": [{"@id": one} for one in made],
        },
        {
            "@id": "#plastogen",
            "@type": "SoftwareApplication",
            "name": "plastogen",
            "softwareVersion": __version__,
            "license": {"@id": LICENCE},
            "softwareRequirements": [{"@id": f"#{one}"} for one in versions],
        },
        {"@id": LICENCE, "@type": "CreativeWork", "name": "MIT License"},
        *(
            {
                "@id": f"#{one}",
                "@type": "SoftwareApplication",
                "name": one,
                "softwareVersion": str(version),
            }
            for one, version in versions.items()
        ),
        *files,
    ]
    return {"@context": f"{PROFILE}/context", "@graph": graph}
