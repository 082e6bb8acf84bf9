"""In: the page that ships, a browser. Out: how fast it draws and answers, in ms (needs node,
puppeteer-core, axe-core).

NODE_PATH=... python benchmarks/page_speed.py [chromium|firefox]
"""

from __future__ import annotations

import argparse
import json
import subprocess
from pathlib import Path

from plastogen.publish import shipped_page

WALK = Path(__file__).parents[1] / "tests" / "page" / "walk.js"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("browser", nargs="?", choices=["chromium", "firefox"], default="chromium")
    browser = parser.parse_args().browser
    command = ["node", str(WALK), str(shipped_page()), browser]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr.strip())
    times = json.loads(done.stdout)["times"]
    print(f"{browser}: first raster {times['first_raster']} ms after opening")
    print(f"  a block slider, the network run anew: {', '.join(map(str, times['slider']))} ms")
    print(f"  a dose slider, on the grid: {', '.join(map(str, times['grid']))} ms")


if __name__ == "__main__":
    main()
