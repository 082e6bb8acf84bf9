"""In: the page that ships, a browser. Out: how fast it draws and answers, in ms (needs node, puppeteer-core, axe-core).

NODE_PATH=... python benchmarks/page_speed.py [chromium|firefox]
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from plastogen import explore

WALK = Path(__file__).parents[1] / "tests" / "page" / "walk.js"


def main() -> None:
    browser = sys.argv[1] if len(sys.argv) > 1 else "chromium"
    command = ["node", str(WALK), str(explore.shipped()), browser]
    times = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)["times"]
    print(f"{browser}: first raster {times['first_raster']} ms after opening")
    print(f"  a block slider, the network run anew: {', '.join(map(str, times['slider']))} ms")
    print(f"  a dose slider, on the grid: {', '.join(map(str, times['grid']))} ms")


if __name__ == "__main__":
    main()
