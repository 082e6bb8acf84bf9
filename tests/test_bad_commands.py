"""A folder of bad commands, each named after its fault, with what it must answer beside it: an exit
code and a message, never a traceback, a hang or a bare number of the system.

`args:` is what is typed, `environment:` what is set, `files:` text that lies in the folder, `pipe:`
the name of a pipe there, `netcdf:` that of somebody else's NetCDF. `python tests/test_bad_commands.py`
writes the answers anew; read the difference before you commit it.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import chdir
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from fuzz import limited
from test_bad_files import JARGON
from typer.testing import CliRunner

from plastogen._base.document import read
from plastogen.cli.main import app

BAD = Path(__file__).parent / "bad" / "commands"
FILES = sorted(BAD.glob("*.yaml"))
NEVER = (*JARGON, "stumbled", "Errno", "Error:")
PATIENCE_S = 60


def answer(path: Path, folder: Path) -> str:
    """Exit code and message of a command in `folder`."""
    asked = read(path).tree
    for name, text in asked.get("files", {}).items():
        (folder / name).write_text(text)
    if "pipe" in asked:
        os.mkfifo(folder / asked["pipe"])
    if "netcdf" in asked:
        xr.Dataset({"x": ("a", np.arange(3.0))}).to_netcdf(
            folder / asked["netcdf"], engine="h5netcdf"
        )
    with chdir(folder), limited(PATIENCE_S):
        words = [str(word) for word in asked["args"]]
        done = CliRunner(env={"COLUMNS": "80"}).invoke(app, words, terminal_width=200)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return f"{done.exit_code}\n{done.output}".replace(str(folder), "{here}")


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_a_bad_command_gets_exactly_its_answer(path: Path, tmp_path: Path) -> None:
    said = answer(path, tmp_path)
    assert said == path.with_suffix(".expected").read_text(encoding="utf-8")
    assert said.startswith(("2\n", "3\n"))
    for word in NEVER:
        assert word not in said


def test_every_answer_has_its_command() -> None:
    assert sorted(BAD.glob("*.expected")) == [path.with_suffix(".expected") for path in FILES]


if __name__ == "__main__":
    for bad in FILES:
        with tempfile.TemporaryDirectory() as place:
            bad.with_suffix(".expected").write_text(answer(bad, Path(place)), encoding="utf-8")
