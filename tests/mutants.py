"""Break the package on purpose, one line at a time, and see whether its tests notice.

    python tests/mutants.py                    every entry of mutants.yaml; exit code 1 if any
        survives
    python tests/mutants.py --only NAME ...    some of them; patterns such as 'receptor-*' will do
    python tests/mutants.py --room ROOM ...    those of some rooms, such as simulation, model/circuit
    python tests/mutants.py --list             what there is

The package and its tests are copied to a temporary folder first: the working tree is never touched.
An entry:

    name: what to call it        file: below src/plastogen
    line: the line to replace, without indentation and comment; it stands exactly once in the file
    mutant: what stands there instead        breaks: what that breaks, in words
    tests: files of tests, or single tests in them, that must notice; slow ones are left out
"""

from __future__ import annotations

import argparse
import ast
import io
import itertools
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tokenize
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import lru_cache
from pathlib import Path
from queue import SimpleQueue

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]
LIST = Path(__file__).with_suffix(".yaml")
COPIED = (
    "src",
    "tests",
    "models",
    "experiments",
    "lessons",
    "docs",
    "pyproject.toml",
)  # a checkout is known by its pyproject.toml
PATIENCE_S = 240
PASSED, FAILED = 0, 1  # of pytest; any other exit code says that nothing was tested
HUNG = -1  # ours: no answer in time, from tests that answer without the mutant
QUICK = """
from hypothesis import Phase, settings

def pytest_configure(config):  # the same examples each time; a failure need not be made small
    found = [Phase.explicit, Phase.generate]
    settings.register_profile("mutants", derandomize=True, database=None, deadline=None, phases=found)
    settings.load_profile("mutants")
"""


@dataclass(frozen=True)
class Mutant:
    """One line that is replaced, and the tests that must notice."""

    name: str
    file: str
    line: str
    mutant: str
    breaks: str
    tests: list[str]

    def applied(self, source: str) -> str:
        """`source` with the line replaced. Raises ValueError when the entry no longer applies."""
        line, mutant = self.line, self.mutant
        places = found(line, source)
        if not places and line.endswith(","):  # which the formatter takes from the last of many
            line, mutant = line[:-1], mutant.removesuffix(",")
            places = found(line, source)
        if len(places) != 1:
            raise ValueError(
                f"{self.name}: {self.file} holds its line {len(places)} times, not once: {self.line}"
            )
        ((start, end),) = places
        changed = source[:start] + mutant + source[end:]
        if ast.dump(ast.parse(changed)) == ast.dump(ast.parse(source)):
            raise ValueError(f"{self.name}: its mutant says the same as its line")
        return changed


Token = tuple[str, int, int]  # what it is, where it starts and ends
LAYOUT = {
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.COMMENT,
    tokenize.ENDMARKER,
}


def tokens(source: str) -> list[Token]:
    """The tokens of a piece of code that mean something: no layout, and no comma before a bracket that closes."""
    starts = list(
        itertools.accumulate((len(line) for line in source.splitlines(keepends=True)), initial=0)
    )
    read: list[Token] = []
    with suppress(tokenize.TokenError):  # a piece may open brackets that it does not close
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type in LAYOUT:
                continue
            (row, column), (last_row, last_column) = token.start, token.end
            read.append(
                (token.string, starts[row - 1] + column, starts[last_row - 1] + last_column)
            )
    closed = [following[0] in (")", "]", "}") for following in read[1:]] + [False]
    return [
        token for token, last in zip(read, closed, strict=True) if not (token[0] == "," and last)
    ]


@lru_cache(maxsize=8)
def _lines_of(source: str) -> tuple[list[Token], set[int], set[int]]:
    """All tokens, and where the first and the last of each physical line stand."""
    whole = tokens(source)
    rows = [source.count("\n", 0, start) for _, start, _ in whole]
    return (
        whole,
        {i for i, row in enumerate(rows) if i == 0 or rows[i - 1] != row},
        {i for i, row in enumerate(rows) if i + 1 == len(rows) or rows[i + 1] != row},
    )


def found(line: str, source: str) -> list[tuple[int, int]]:
    """Where `line` stands in `source`, whole lines only, however the formatter has laid it out."""
    as_written = [
        match.span(1)
        for match in re.finditer(rf"^[ \t]*({re.escape(line)})(?:  # .*)?$", source, re.M)
    ]
    if as_written:
        return as_written
    whole, first, last = _lines_of(source)
    wanted = [text for text, _, _ in tokens(line)]
    bare = [text for text in wanted if text not in "()"]
    if not bare:
        return []
    places = []
    for begin in sorted(first):
        i, k = begin, 0
        while i < len(whole) and k < len(bare):
            if whole[i][0] == bare[k]:
                k += 1
            elif whole[i][0] not in ("(", ")"):  # brackets that only hold lines together
                break
            i += 1
        if k < len(bare):
            continue
        depth = _depth(wanted) - _depth(text for text, _, _ in whole[begin:i])
        while (
            i < len(whole)
            and whole[i][0] in ("(", ")")
            and (depth < 0 or _depth(wanted) > 0 or i - 1 not in last)
        ):
            depth += -1 if whole[i][0] == "(" else 1
            i += 1
        ends = i - 1 in last or (i in last and whole[i][0] == ",")
        if ends and whole[begin][0] in (wanted[0], bare[0]):
            places.append((whole[begin][1], whole[i - 1][2]))
    return places


def _depth(texts: Iterable[str]) -> int:
    """How many brackets stay open."""
    return sum({"(": 1, ")": -1}.get(text, 0) for text in texts)


def read(path: Path = LIST) -> list[Mutant]:
    """Every entry of a list."""
    return [
        Mutant(**entry)
        for entry in YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    ]


def faults(mutants: Iterable[Mutant], root: Path = ROOT) -> list[str]:
    """What is wrong with each entry that no longer applies to the checkout `root`."""
    found, names = [], set[str]()
    for m in mutants:
        if m.name in names:
            found.append(f"{m.name}: two mutants have this name")
        names.add(m.name)
        try:
            m.applied((root / "src" / "plastogen" / m.file).read_text(encoding="utf-8"))
        except (OSError, SyntaxError) as error:
            found.append(f"{m.name}: {m.file}: {error}")
        except ValueError as error:
            found.append(str(error))
        for test in m.tests:
            file, *inside = test.split("::")
            path = root / "tests" / file
            text = path.read_text(encoding="utf-8") if path.is_file() else ""
            if not text or any(
                not re.search(rf"^ *(def|class) {name}\b", text, re.M) for name in inside
            ):
                found.append(f"{m.name}: there is no test {test}")
    return found


def copied(root: Path, folder: Path) -> Path:
    """A copy of what the tests of the checkout `root` need, in the new `folder`."""
    folder.mkdir()
    for name in COPIED:
        if (root / name).is_dir():
            shutil.copytree(
                root / name,
                folder / name,
                ignore=shutil.ignore_patterns("__pycache__", "_build", "_made"),
            )
        else:
            shutil.copy2(root / name, folder / name)
    (folder / "quick.py").write_text(QUICK)
    return folder


def tested(folder: Path, tests: Iterable[str], *, until_first: bool) -> tuple[int, str]:
    """Run tests of a copy: exit code of pytest, and the end of what it said."""
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(folder / "src"), str(folder)]),
        # compiled files are told apart by size and second: a mutant may have both
        "PYTHONDONTWRITEBYTECODE": "1",
        "PLASTOGEN_TEST_RUNS": str(folder.parent / "runs"),  # compiled networks, for all copies
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    command = [sys.executable, "-m", "pytest", "-q", "--tb=line", "-p", "quick", "-m", "not slow"]
    command += ["-p", "no:cacheprovider"]
    command += [*(["-x"] if until_first else []), *(f"tests/{test}" for test in tests)]
    patience = PATIENCE_S if until_first else None
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=patience,
        )
    except subprocess.TimeoutExpired:
        return HUNG, f"no answer in {PATIENCE_S} s"
    return done.returncode, (done.stdout + done.stderr).strip()[-2000:]


def killed(mutant: Mutant, changed: str, folder: Path) -> str | None:
    """Put `changed`, what `mutant` makes of its file, into the copy, test, and take it back: None
    when a test noticed, else what happened.
    """
    path = folder / "src" / "plastogen" / mutant.file
    source = path.read_text(encoding="utf-8")
    path.write_text(changed, encoding="utf-8")
    try:
        code, said = tested(folder, mutant.tests, until_first=True)
    finally:
        path.write_text(source, encoding="utf-8")
    if code in (FAILED, HUNG):
        return None
    return (
        "survived" if code == PASSED else f"not tested ({said.splitlines()[-1] if said else code})"
    )


def untouched(copies: Sequence[Path], mutants: Iterable[Mutant]) -> str:
    """What is said when tests fail without any mutant; nothing when all pass."""
    tests = list(dict.fromkeys(test for m in mutants for test in m.tests))
    tests = [test for test in tests if "::" not in test or test.partition("::")[0] not in tests]
    shares = [
        tests[n :: len(copies)] for n in range(min(len(copies), len(tests)))
    ]  # none empty: that means all tests
    with ThreadPoolExecutor(len(copies)) as pool:
        found = pool.map(lambda copy, share: tested(copy, share, until_first=False), copies, shares)
        return "\n".join(said for code, said in found if code != PASSED)


def hunted(
    copies: Sequence[Path], mutants: Sequence[Mutant]
) -> Iterator[tuple[Mutant, str | None]]:
    """Each mutant and what became of it, in order; as many at a time as there are copies."""
    # here and not in the threads: `ast.parse` of two threads at once can fail (CPython 3.11)
    source = copies[0] / "src" / "plastogen"
    changed = [m.applied((source / m.file).read_text(encoding="utf-8")) for m in mutants]
    free = SimpleQueue[Path]()
    for copy in copies:
        free.put(copy)

    def one(mutant: Mutant, changed: str) -> str | None:
        copy = free.get()
        try:
            return killed(mutant, changed, copy)
        finally:
            free.put(copy)

    with ThreadPoolExecutor(len(copies)) as pool:
        yield from zip(mutants, pool.map(one, mutants, changed), strict=True)


def selected(
    every: Iterable[Mutant], *, only: Sequence[str] | None, rooms: Sequence[str] | None
) -> list[Mutant]:
    """Those whose name fits one of the patterns `only` and whose file lies in one of `rooms`."""
    return [
        m
        for m in every
        if (not only or any(fnmatch(m.name, pattern) for pattern in only))
        and (not rooms or any(m.file.startswith(f"{room.strip('/')}/") for room in rooms))
    ]


def summary(chosen: Iterable[Mutant], alive: Sequence[Mutant]) -> list[str]:
    """A line for each room: how many of its mutants were killed."""
    rooms: dict[str, list[bool]] = {}
    for m in chosen:
        rooms.setdefault(m.file.rpartition("/")[0], []).append(m not in alive)
    return [f"{room:22} {sum(k)} of {len(k)} killed" for room, k in sorted(rooms.items())]


def main(arguments: Sequence[str] | None = None, *, listed: Path = LIST) -> int:
    """The command: 0 when every mutant was killed, else 1."""
    parser = argparse.ArgumentParser(
        description="Break the package line by line and see whether its tests notice."
    )
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these alone; patterns will do")
    parser.add_argument("--room", nargs="+", metavar="ROOM", help="those of these rooms alone")
    parser.add_argument("--list", action="store_true", help="say what there is and stop")
    parser.add_argument(
        "--jobs", type=int, default=2, metavar="N", help="mutants tested at a time (2)"
    )
    asked = parser.parse_args(arguments)
    chosen = selected(read(listed), only=asked.only, rooms=asked.room)
    if asked.list:
        for m in chosen:
            print(f"{m.name:45} {m.file:24} {m.breaks}")
        return 0
    wrong = (
        faults(chosen)
        if chosen
        else [f"no mutant is called {' or '.join(asked.only or asked.room or ['anything'])}"]
    )
    if wrong:
        print("\n".join(wrong))
        return 1
    begun = time.monotonic()
    alive: list[Mutant] = []
    with tempfile.TemporaryDirectory(prefix="plastogen-mutants-") as place:
        copies = [copied(ROOT, Path(place).resolve() / str(n)) for n in range(asked.jobs)]
        if said := untouched(copies, chosen):
            print(f"without any mutant, these tests do not pass:\n{said}")
            return 1
        print(f"without any mutant all tests pass ({time.monotonic() - begun:.0f} s)", flush=True)
        for m, found in hunted(copies, chosen):
            if found is not None:
                alive.append(m)
                print(f"{found}: {m.name}: {m.breaks}", flush=True)
    print("\n".join(summary(chosen, alive)))
    print(
        f"{len(chosen) - len(alive)} of {len(chosen)} mutants killed in"
        f" {time.monotonic() - begun:.0f} s"
    )
    return 1 if alive else 0


if __name__ == "__main__":
    sys.exit(main())
