"""The cache: same content same name, whole files or none, damage noticed, locks that die with their
owner.
"""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plastogen._base import files as cache
from plastogen._base.digest import digest
from plastogen._base.files import atomic_write, cache_dir, clean, locked, read_npz, size, write_npz
from plastogen._base.quantity import Evidence, Quantity
from plastogen._base.units import parse
from plastogen.errors import CacheDamaged, StoreError


def test_the_folder_is_where_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.delenv("PLASTOGEN_CACHE", raising=False)
    assert cache_dir() == tmp_path / "xdg/plastogen"
    monkeypatch.setenv("PLASTOGEN_CACHE", str(tmp_path / "own"))
    assert cache_dir() == tmp_path / "own"
    assert cache_dir().is_dir()
    monkeypatch.delenv("PLASTOGEN_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_dir() == tmp_path / "home/.cache/plastogen"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PLASTOGEN_CACHE", "here")
    assert cache_dir() == tmp_path / "here"


def test_a_cache_folder_that_cannot_be_made_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    for place in ("file", "file/below"):
        monkeypatch.setenv("PLASTOGEN_CACHE", str(tmp_path / place))
        with pytest.raises(StoreError, match="cannot create .*file.*: .*choose another folder"):
            cache_dir()


@dataclass(frozen=True)
class Point:
    x: float
    y: object


def test_a_digest_does_not_depend_on_what_does_not_matter() -> None:
    assert digest({"a": 1, "b": [1.0, 2]}) == digest({"b": (1, 2.0), "a": 1})
    assert digest(0.1 + 0.2) == digest(0.3)
    assert digest(-0.0) == digest(0)
    assert digest(parse("1 mM", "uM")) == digest(parse("1000 uM", "uM"))
    assert digest(np.float64(0.5)) == digest(0.5)
    assert digest(np.arange(3)) == digest([0, 1, 2])
    assert digest({3, 1, 2}) == digest({2, 3, 1})
    assert digest(Evidence.ASSUMED) == digest("assumed")
    assert digest(Point(1, "a")) == digest({"x": 1, "y": "a"})
    one, other = (
        Quantity(1, "h", text, source) for text, source in (("1 h", "a"), ("60 min", "b"))
    )
    assert digest(one) == digest(other)


def test_a_digest_depends_on_what_matters() -> None:
    different = [0, 1, True, None, "", "1", 1.5, [1], [[1]], {"a": 1}, {"a": 2}, {"b": 1}, [1, 2], [2, 1], float("inf"),
                 float("nan"), Quantity(1, "h", "1 h"), Quantity(1, "d", "1 d"), 1 + 1e-11]  # fmt: skip
    assert len({digest(value) for value in different}) == len(different)
    assert len(digest(1)) == 64


def test_a_digest_is_the_same_in_every_process() -> None:
    code = (
        "from plastogen._base.digest import digest; print(digest({'a': {'x', 'y', 'z'}, 'b': 0.1}))"
    )
    found = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        )
        .stdout.strip()
        .decode()
        for seed in ("1", "2")
    ]
    assert found == [digest({"a": {"x", "y", "z"}, "b": 0.1})] * 2


def test_what_is_not_data_has_no_digest() -> None:
    with pytest.raises(TypeError, match="cannot digest a object"):
        digest([object()])


@given(
    st.dictionaries(
        st.sampled_from("abc"), st.lists(st.floats(allow_nan=False), max_size=4), max_size=3
    )
)
def test_arrays_come_back_as_they_went(content: dict[str, list[float]]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.npz"
        write_npz(path, **{name: np.array(values) for name, values in content.items()})
        back = read_npz(path)
    assert back.keys() == content.keys()
    for name, values in content.items():
        np.testing.assert_array_equal(back[name], values)


def test_types_and_shapes_survive_and_equal_content_is_equal_bytes(tmp_path: Path) -> None:
    arrays = {
        "f": np.zeros((2, 0, 3), np.float32),
        "i": np.arange(3, dtype=np.int32),
        "s": np.array(["E", "PV"]),
        "x": np.float64(3),
    }
    for name in ("one", "two"):
        write_npz(tmp_path / f"{name}.npz", **arrays)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    back = read_npz(tmp_path / "one.npz")
    assert {k: (v.dtype, v.shape) for k, v in back.items()} == {
        k: (v.dtype, v.shape) for k, v in arrays.items()
    }


def test_objects_are_refused_because_they_would_need_pickle(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="x holds Python objects"):
        write_npz(tmp_path / "a.npz", x=[object()])
    assert list(tmp_path.iterdir()) == []


def test_a_truncated_file_is_damaged_wherever_it_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    write_npz(path, a=np.arange(50.0), b=np.arange(5))
    whole = path.read_bytes()
    for cut in range(0, len(whole), 7):
        path.write_bytes(whole[:cut])
        with pytest.raises(CacheDamaged, match=r"a.npz is damaged .* discarded and computed again"):
            read_npz(path)


def test_an_altered_byte_is_damage_or_harmless_but_never_another_number(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    array = np.arange(50.0)
    write_npz(path, a=array)
    whole = path.read_bytes()
    noticed = 0
    for position in range(0, len(whole), 3):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 0x41]) + whole[position + 1 :])
        try:
            back = read_npz(path)
        except CacheDamaged:
            noticed += 1
        else:
            for found in back.values():
                np.testing.assert_array_equal(found, array)
    assert noticed > len(whole) / 3 * 0.7


def test_a_pickle_is_not_loaded(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.array([{}], dtype=object))
    with pytest.raises(CacheDamaged):
        read_npz(tmp_path / "a.npz")


def test_a_missing_file_is_told_apart_from_a_damaged_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_npz(tmp_path / "none.npz")
    with pytest.raises(StoreError, match="cannot read"):
        read_npz(tmp_path)


def test_a_write_is_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "deep/er/a.txt"
    atomic_write(path, "first")

    def fails(file: object) -> None:
        file.write(b"half")  # type: ignore[attr-defined]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        atomic_write(path, fails)
    assert path.read_text() == "first"
    assert [p.name for p in path.parent.iterdir()] == ["a.txt"]
    atomic_write(path, b"second")
    assert path.read_bytes() == b"second"


def test_other_users_may_read_what_the_umask_allows(tmp_path: Path) -> None:
    old = os.umask(0o022)
    try:
        atomic_write(tmp_path / "a", "x")
    finally:
        os.umask(old)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "the disk is full; free some space"),
        (errno.EROFS, "the disk is read-only; choose another folder"),
        (errno.EACCES, "this user may not write there"),
        (errno.EIO, "choose another folder"),
    ],
)
def test_a_disk_that_refuses_is_a_sentence_and_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, said: str
) -> None:
    path = tmp_path / "a"
    atomic_write(path, "old")

    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(cache.os, "fsync", refuse)
    with pytest.raises(StoreError, match=f"cannot write {path}: .*{said}"):
        atomic_write(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_for_real(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")

    def fill(_: object) -> None:
        with open("/dev/full", "wb", buffering=0) as full:
            full.write(b"x")

    with pytest.raises(StoreError, match="the disk is full"):
        atomic_write(tmp_path / "a", fill)


def test_size_counts_bytes_and_clean_frees_them(tmp_path: Path) -> None:
    atomic_write(tmp_path / "c/a", "12345")
    atomic_write(tmp_path / "c/b/c", "123")
    assert size(tmp_path / "c") == 8
    assert clean(tmp_path / "c") == 8
    assert list((tmp_path / "c").iterdir()) == []
    assert clean(tmp_path / "none") == size(tmp_path / "none") == 0


def test_clean_does_not_follow_links_out_of_the_folder(tmp_path: Path) -> None:
    atomic_write(tmp_path / "precious/a", "x")
    (tmp_path / "c").mkdir()
    (tmp_path / "c/link").symlink_to(tmp_path / "precious")
    clean(tmp_path / "c")
    assert (tmp_path / "precious/a").exists()


def test_only_one_thread_holds_a_lock(tmp_path: Path) -> None:
    inside, most = 0, 0

    def work() -> None:
        nonlocal inside, most
        with locked(tmp_path / "x/lock"):
            inside += 1
            most = max(most, inside)
            time.sleep(0.01)
            inside -= 1

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_a_lock_is_let_go_after_an_exception(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(RuntimeError), locked(tmp_path / "lock"):
            raise RuntimeError


def test_a_killed_owner_leaves_no_lock_behind_and_a_living_one_is_waited_for(
    tmp_path: Path,
) -> None:
    code = (
        "import sys, time; from pathlib import Path; from plastogen._base.files import locked\n"
        "with locked(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "lock")], stdout=subprocess.PIPE
    ) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"held\n"
        entered: list[float] = []

        def wait() -> None:
            with locked(tmp_path / "lock"):
                entered.append(time.monotonic())

        waiter = threading.Thread(target=wait)
        waiter.start()
        time.sleep(0.3)
        assert entered == []
        owner.send_signal(signal.SIGKILL)
        waiter.join(timeout=10)
    assert len(entered) == 1


def test_a_lock_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot lock"), locked(tmp_path / "file/lock"):
        pass
