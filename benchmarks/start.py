"""How long a person waits for the command line: CPU seconds of what they type first, least of several.

    python benchmarks/start.py

Aims: `--help` 0.25 s, `check one_infusion` 1.2 s. Which library takes what: `python -X importtime -m plastogen --help`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

COMMANDS = ("--help", "--version", "list drugs", "check one_infusion")


def cpu_s(words: list[str]) -> float:
    """CPU seconds of one call of the command line."""
    before = os.times()
    subprocess.run([sys.executable, "-m", "plastogen", *words], check=True, capture_output=True)
    after = os.times()
    return sum(after[2:4]) - sum(before[2:4])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--times", type=int, default=5)
    times = parser.parse_args().times
    for command in COMMANDS:
        least = min(cpu_s(command.split()) for _ in range(times))
        print(f"plastogen {command:<20} {least:.2f} CPU s")


if __name__ == "__main__":
    main()
