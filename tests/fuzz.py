"""Random harm to files that ship, and what `check` makes of it: it must say no in plain words, within
a second, or the file must be as good as any other.

`python tests/fuzz.py --seconds 60 --seed 1` prints each file that stumbles, hangs or warns, and how
many were tried; `--keep FOLDER` keeps those files. With `--run`, what was accepted is also followed
for some hours (by the formula) and must be finite all along.
"""

from __future__ import annotations

import argparse
import random
import signal
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from plastogen._base.library import Library, builtin
from plastogen.errors import InputError
from plastogen.experiment import check, open_experiment
from plastogen.experiment.models import FOLDERS
from plastogen.simulation import simulate

HANG_S = 5
KINDS = dict(FOLDERS.values())
VALUES = (
    "._", "~", "[]", "{}", "", "-1", "0", "1e308", "-1e308", "1e-320", ".nan", ".inf", "-.inf", "nan",
    "9" * 500, "0x" + "f" * 500, "1e999999999", "-0", "1_0", "0o17", "1:30", "true", "2024-01-01",
    "!!int x", "!foo {a: 1}", "&a [*a]", "*b", "<<", "'\\0'", '"\\0"', '"\\e[2J"', '"\\ud800"', "a" * 300,
    "1 mg/kg/h", "1 kg/kg", "1e400 mg/kg", "0.5 mg / kg", "-5 min", "1e-300 h", "1e12 d", "500 mcg/kg",
    "1 µM", "1 mM^99", "%", "50 %", "[1, [2, [3]]]", "{from: 0, to: 1}", "{a: {a: {a: {}}}}", "| x",
    "ketamine", "../../etc/passwd", "/dev/zero", ".", "-", "__class__", "${HOME}", "null", "yes",
    "[" * 200, "'", '"', "#", "1,234", "1,5 mg/kg", "٣", "\u202ex", "\ufeff", "\x7f",
)  # fmt: skip


def lines_of(text: str) -> list[str]:
    return text.split("\n")


def other_value(text: str, rng: random.Random) -> str:
    """One `name: value` with a hostile value; inside flow mappings too."""
    places = [i for i in range(len(text) - 1) if text[i : i + 2] == ": "]
    if not places:
        return text + rng.choice(VALUES)
    start = rng.choice(places) + 2
    end = min((e for c in ",}\n]" if (e := text.find(c, start)) >= 0), default=len(text))
    return text[:start] + rng.choice(VALUES) + text[end:]


def other_key(text: str, rng: random.Random) -> str:
    places = [i for i in range(len(text)) if text[i] == ":"]
    if not places:
        return text
    end = rng.choice(places)
    start = max(text.rfind(c, 0, end) for c in " {,\n") + 1
    return text[:start] + rng.choice((*VALUES, text[start:end][:-1], "extends")) + text[end:]


def without_line(text: str, rng: random.Random) -> str:
    lines = lines_of(text)
    del lines[rng.randrange(len(lines))]
    return "\n".join(lines)


def line_twice(text: str, rng: random.Random) -> str:
    lines = lines_of(text)
    i = rng.randrange(len(lines))
    return "\n".join([*lines[: i + 1], *lines[i:]])


def other_indent(text: str, rng: random.Random) -> str:
    lines = lines_of(text)
    i = rng.randrange(len(lines))
    lines[i] = (
        rng.choice((" ", "   ", "\t", "")) + lines[i].lstrip()
        if rng.random() < 0.5
        else " " + lines[i]
    )
    return "\n".join(lines)


def other_letter(text: str, rng: random.Random) -> str:
    i = rng.randrange(len(text) or 1)
    return (
        text[:i]
        + rng.choice("\0\t\x1b:{}[]&*!|>%@`'\"#,-?0a\u2028é")
        + text[i + rng.randrange(2) :]
    )


def cut(text: str, rng: random.Random) -> str:
    return text[: rng.randrange(len(text) or 1)]


def other_number(text: str, rng: random.Random) -> str:
    """A number a million times as large, or with its sign turned, or with another power."""
    places = [i for i, c in enumerate(text) if c.isdigit() and not text[i - 1].isalnum()]
    if not places:
        return text
    i = rng.choice(places)
    return text[:i] + rng.choice(("-", "1e6", "9" * 12, "0.0000000", "1e", ".")) + text[i:]


HARM: tuple[Callable[[str, random.Random], str], ...] = (
    other_value, other_value, other_value, other_key, without_line, line_twice, other_indent, other_letter, cut,
    other_number, other_number,
)  # fmt: skip


class Hang(BaseException):
    """A file was looked at for too long."""


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise Hang after `seconds`."""

    def ring(*_: object) -> None:
        raise Hang

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def look(path: Path, *, run: bool = False) -> str:
    """What comes of a file: "refused", "accepted", or what is wrong with us."""
    began = time.monotonic()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            with limited(HANG_S):
                if path.parent.name in KINDS:
                    folder = path.parent
                    Library(beside=folder.parent.parent).load(
                        folder.name, path.stem, KINDS[folder.name]
                    )
                    return "accepted"
                cases = check(open_experiment(path))
        except InputError as error:
            slow = time.monotonic() - began
            return "refused" if str(error).strip() else f"says nothing ({slow:.1f} s)"
        except Hang:
            return "hangs"
        except BaseException as error:
            return f"stumbles: {type(error).__name__}: {str(error)[:100]}"
        return follow(cases) if run else "accepted"


def follow(cases: list) -> str:
    """Follow the first and the last condition by the formula."""
    import numpy as np

    for case in (cases[0], cases[-1]):
        plan = case.plan(1, "numpy")
        object.__setattr__(plan, "method", "formula")
        try:
            with limited(20 * HANG_S):
                course = simulate(plan)
        except Hang:
            return "hangs while it runs"
        except ValueError as error:
            return f"fails: {error}"[:90]
        except BaseException as error:
            return f"stumbles while it runs: {type(error).__name__}: {str(error)[:100]}"
        for name, array in course.arrays.items():
            if not np.isfinite(array).all():
                return f"is accepted and {name} is not finite"
    return "accepted"


def originals() -> list[Path]:
    """Files that ship: experiments, and models of every kind."""
    models = [
        path for folder in KINDS for path in sorted((builtin("models") / folder).glob("*.yaml"))
    ]
    return [*sorted(builtin("experiments").glob("*.yaml")), *models]


def fuzz(
    seed: int, seconds: float, work: Path, *, most: int | None = None, run: bool = False
) -> tuple[Counter[str], dict[str, Path]]:
    """Harm files for so long: how many came to what, and a file for each thing that is wrong."""
    rng, counts, wrong = random.Random(seed), Counter[str](), dict[str, Path]()
    files, end, number = originals(), time.monotonic() + seconds, 0
    while time.monotonic() < end and (most is None or number < most):
        number += 1
        original = rng.choice(files)
        text = original.read_text(encoding="utf-8")
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            text = rng.choice(HARM)(text, rng)
        kind = original.parent.name
        folder = work / "models" / kind if kind in KINDS else work
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"fuzz_{seed}_{number}.yaml"
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        came = look(path, run=run)
        word = came.partition(":")[0]
        counts[word] += 1
        if word not in ("refused", "accepted"):
            wrong.setdefault(came, path)
        else:
            path.unlink()
    return counts, wrong


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--seconds", type=float, default=60)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--keep", type=Path)
    asked.add_argument("--run", action="store_true")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as place:
        counts, wrong = fuzz(given.seed, given.seconds, given.keep or Path(place), run=given.run)
        for what, path in wrong.items():
            print(f"{path.name}: {what}")
        print(", ".join(f"{n} {word}" for word, n in counts.most_common()))


if __name__ == "__main__":
    main()
