"""A file written block by block: the same as one written whole, lazy where it is large, never half
there.
"""

from __future__ import annotations

import errno
import itertools
import math
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from plastogen.runs import netcdf
from plastogen.runs.netcdf import blocks, finish, open_netcdf, writing

SIZES = {"arm": 2, "point": 10, "time": 5}
LARGE = {
    "weight": (("arm", "point", "time"), {"units": "1", "long_name": "weight"}),
    "dose": (("arm", "point"), {}),
}
VALUES = {
    "weight": np.random.default_rng(1).random((2, 10, 5)).astype(np.float32),
    "dose": np.arange(20, dtype=np.float32).reshape(2, 10),
}


@given(st.lists(st.integers(1, 6), max_size=4), st.integers(1, 40))
def test_blocks_hold_every_cell_once_and_none_is_too_large(sizes: list[int], most: int) -> None:
    seen = np.zeros(sizes, int)
    for block in blocks(sizes, most):
        seen[block] += 1
        assert math.prod(part.stop - part.start for part in block) <= most
    assert (seen == 1).all()


def test_blocks_are_as_large_as_they_may_be() -> None:
    assert len(list(blocks((10, 4), 8))) == 5
    assert len(list(blocks((10, 4), 1000))) == 1
    assert list(blocks((), 3)) == [()]


@given(st.lists(st.integers(1, 9), min_size=1, max_size=3), st.integers(1, 40), st.integers(1, 20))
def test_blocks_end_where_smaller_parts_end(sizes: list[int], most: int, packed: int) -> None:
    part = [one.stop for one in next(blocks(sizes, min(packed, most)))]
    for block in blocks(sizes, most, min(packed, most)):
        for one, size, whole in zip(block, part, sizes, strict=True):
            assert one.start % size == 0
            assert one.stop % size == 0 or one.stop == whole


def written(path: Path) -> Path:
    with writing(path, SIZES, LARGE, {"arm": 1, "point": 4}) as put:
        for arm, start in itertools.product(range(2), range(0, 10, 4)):
            block = (slice(arm, arm + 1), slice(start, min(start + 4, 10)))
            put(block, {name: values[block] for name, values in VALUES.items()})
    small = xr.Dataset({"status": ("arm", np.array(["complete", "failed: no"], object))})
    finish(path, small.assign_coords(arm=["a", "b"], time=np.arange(5.0)).assign_attrs(title="x"))
    return path


def test_what_is_put_in_block_by_block_comes_out_whole(tmp_path: Path) -> None:
    ds = open_netcdf(written(tmp_path / "x.nc"))
    for name, values in VALUES.items():
        assert ds[name].dtype == np.float32
        assert np.array_equal(ds[name].values, values)
    assert ds["weight"].attrs == {"units": "1", "long_name": "weight"}
    assert ds["status"].values.tolist() == ["complete", "failed: no"]
    assert ds.attrs == {"title": "x"}


def test_what_is_large_stays_in_the_file_and_the_rest_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = open_netcdf(written(tmp_path / "x.nc"))
    monkeypatch.setattr(netcdf, "MOST_IN_MEMORY", 0)
    with open_netcdf(tmp_path / "x.nc") as lazy:
        loaded = {str(name) for name in lazy.variables if lazy[name].variable._in_memory}
        assert loaded == {"status", "arm", "time"}
        assert np.array_equal(lazy["weight"].sel(arm="b")[3].values, VALUES["weight"][1, 3])
        assert not lazy["weight"].variable._in_memory
        xr.testing.assert_identical(lazy.load(), whole)


def test_cells_nobody_fills_are_nan(tmp_path: Path) -> None:
    with writing(tmp_path / "x.nc", SIZES, LARGE, {}) as put:
        put((slice(0, 1), slice(0, 2)), {name: values[:1, :2] for name, values in VALUES.items()})
    finish(tmp_path / "x.nc", xr.Dataset())
    with open_netcdf(tmp_path / "x.nc") as ds:
        assert int(ds["dose"].notnull().sum()) == 2


@pytest.mark.parametrize("content", [b"", b"no HDF5 at all"])
def test_what_is_no_such_file_is_an_error_that_can_be_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.nc").write_bytes(content)
    with pytest.raises((OSError, ValueError)):
        open_netcdf(tmp_path / "x.nc")


def test_a_disk_without_room_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int, start: int, n_bytes: int) -> None:
        asked.append(n_bytes)
        raise OSError(errno.ENOSPC, "No space left on device")

    asked: list[int] = []
    with writing(tmp_path / "x.nc", SIZES, LARGE, {}) as put:
        monkeypatch.setattr("os.posix_fallocate", full)
        with pytest.raises(OSError, match="No space left"):
            put((slice(0, 2), slice(0, 10)), VALUES)
    assert asked == [sum(array.nbytes for array in VALUES.values()) + netcdf.MARGIN]
    with pytest.raises(OSError, match="No space left"):
        finish(tmp_path / "x.nc", xr.Dataset({"a": ("b", np.zeros(4))}))
