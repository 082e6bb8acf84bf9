"""A cache is one's own, or meant to be shared; what everybody may write is refused, since programs in
it are run.
"""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from plastogen._base.files import atomic_write, cache_dir, make_folder
from plastogen._base.sealed import made_once
from plastogen.errors import StoreError

NOBODY = 65534
as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def program(work: Path) -> None:
    (work / "main").write_text("it")


def test_a_cache_that_everybody_may_write_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLASTOGEN_CACHE", str(tmp_path / "cache"))
    assert cache_dir() == tmp_path / "cache"
    (tmp_path / "cache").chmod(0o777)
    with pytest.raises(StoreError, match=r"written by everybody.*chmod o-w.*PLASTOGEN_CACHE"):
        cache_dir()


def test_where_a_group_may_write_it_may_in_all_that_comes(tmp_path: Path) -> None:
    shared, own = tmp_path / "shared", tmp_path / "own"
    for folder, bits in ((shared, 0o2775), (own, 0o755)):
        folder.mkdir()
        folder.chmod(bits)
        make_folder(folder / "a" / "b")
        atomic_write(folder / "a" / "b" / "c.json", "{}")
        made_once(folder / "a" / "program", program)
    for name, bits in (("a/b", 0o2775), ("a/b/c.json", 0o664), ("a/program", 0o2775)):
        assert mode(shared / name) == bits
        assert mode(own / name) == bits & 0o755


def test_a_program_of_another_user_is_made_again(tmp_path: Path) -> None:
    folder, said = tmp_path / "program", list[str]()
    made_once(folder, program, said.append)
    folder.chmod(0o777)
    made_once(folder, program, said.append)
    assert said == [f"{folder} is damaged (can be written by everybody); it is made again"]
    assert mode(folder) == 0o755


@as_root
def test_a_second_user_of_a_shared_cache_uses_what_the_first_made(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    make_folder(cache)
    os.chown(cache, 0, NOBODY)
    cache.chmod(0o2775)
    system = Path(tempfile.gettempdir())
    for above in (at for at in [tmp_path, *tmp_path.parents] if system in at.parents):
        above.chmod(above.stat().st_mode | 0o055)
    made_once(cache / "program", program)
    code = f"""
import os, tempfile, filelock, platformdirs
from plastogen._base.files import atomic_write, cache_dir
from plastogen._base.sealed import made_once
os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})
cache = cache_dir()
made_once(cache / "program", None)
atomic_write(cache / "probes" / "a.npz", "found")
print((cache / "program" / "main").read_text())
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PLASTOGEN_CACHE": str(cache), "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("it\n", "")
    atomic_write(cache / "probes" / "b.npz", "and the first goes on")


@as_root
def test_a_cache_of_somebody_else_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLASTOGEN_CACHE", str(tmp_path))
    os.chown(tmp_path, NOBODY, NOBODY)
    tmp_path.chmod(0o755)
    with pytest.raises(StoreError, match="belongs to somebody else"):
        cache_dir()
