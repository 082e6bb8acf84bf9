"""Twenty kills at random moments and twenty flipped bytes in every kind of file: what comes out is
what came out unharmed, or a clear word.

    python benchmarks/harm.py [--kills 20] [--flips 20]

A short experiment by the formula, with figures and report, in a folder of its own. Prints a line for
each kind: how many times results were equal, and how often plastogen said that something was damaged.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from damage import KINDS, flip, write_mine

LAST_S = 600


def command(lab: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "plastogen", "run", "mine"],
        cwd=lab,
        env=os.environ | {"TMPDIR": str(lab / "tmp"), "PLASTOGEN_CACHE": str(lab / "cache")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def run(lab: Path) -> tuple[int, str, str]:
    """Exit code, what was said, and the table."""
    child = command(lab)
    said, _ = child.communicate(timeout=LAST_S)
    table = lab / "results" / "mine" / "table.csv"
    return child.returncode, said, table.read_text() if table.is_file() else ""


def new_lab(place: Path) -> Path:
    (place / "tmp").mkdir(parents=True)
    write_mine(place, seeds=3)
    return place


def leftovers(lab: Path) -> list[str]:
    return sorted(
        str(path.relative_to(lab))
        for path in lab.rglob("*")
        if ".partial-" in path.name or path.parent == lab / "tmp" or path.name == ".working"
    )


def kills(place: Path, n: int, rng: random.Random) -> None:
    lab = new_lab(place / "whole")
    began = time.monotonic()
    _, _, wanted = run(lab)
    length = time.monotonic() - began
    equal, left = 0, list[str]()
    for k in range(n):
        lab = new_lab(place / f"kill{k}")
        child = command(lab)
        time.sleep(rng.uniform(0.2, 1.1) * length)
        os.killpg(child.pid, rng.choice((signal.SIGKILL, signal.SIGTERM, signal.SIGHUP)))
        child.communicate()
        code, said, table = run(lab)
        equal += code == 0 and table == wanted and "stumbled" not in said
        left += leftovers(lab)
        shutil.rmtree(lab)
    print(f"kills: {equal} of {n} equal, {len(left)} files left behind {left[:3]}", flush=True)


def flips(place: Path, n: int, rng: random.Random) -> None:
    lab = new_lab(place / "flips")
    _, _, wanted = run(lab)
    whole = place / "kept"
    shutil.copytree(lab / "results", whole)
    for kind in KINDS:
        equal = told = 0
        for _ in range(n):
            shutil.rmtree(lab / "results")
            shutil.copytree(whole, lab / "results")
            path = rng.choice(sorted((lab / "results" / "mine").glob(kind)))
            flip(path, rng)
            code, said, table = run(lab)
            equal += code == 0 and table == wanted and "stumbled" not in said
            told += any(word in said for word in ("altered", "damaged", "broken", "figure ", "new"))
        print(f"{kind}: {equal} of {n} equal, {told} made again and said", flush=True)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--kills", type=int, default=20)
    asked.add_argument("--flips", type=int, default=20)
    given = asked.parse_args()
    rng = random.Random(1)
    with tempfile.TemporaryDirectory() as place:
        kills(Path(place), given.kills, rng)
        flips(Path(place), given.flips, rng)


if __name__ == "__main__":
    main()
