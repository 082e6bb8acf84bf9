"""In: labelled arrays, small ones whole and large ones block by block. Out: a netCDF4 file, opened
again as a Dataset.

Large variables are float32, compressed, and never in memory as a whole, neither while they are
written nor once the file is opened, unless all of them together are small. Everything else is.
"""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import xarray as xr

Block: TypeAlias = tuple[slice, ...]
Dims: TypeAlias = tuple[str, ...]
Curve: TypeAlias = NDArray[np.float32]
MOST_IN_MEMORY = 2**26  # bytes of large variables that are loaded when a file is opened
LARGE = "large"  # marks them in the file
MARGIN = 2**22  # bytes beside the data that HDF5 may need before a file is closed
TEXT = 4  # times the pointers to them that texts take
PACKED = {"compression": "gzip", "compression_opts": 1, "shuffle": True}


def blocks(sizes: Sequence[int], most: int, packed: int = 1) -> Iterator[Block]:
    """Parts of an array of `sizes`, in order, each of at most `most` cells and at least one.

    They end where parts of at most `packed` cells end too.
    """
    if math.prod(sizes) <= most or not sizes:
        yield tuple(slice(0, size) for size in sizes)
        return
    inner = math.prod(sizes[1:])
    step, small = max(1, most // inner), max(1, packed // inner)
    step -= step % small if step > small else 0
    for start in range(0, sizes[0], step):
        for rest in blocks(sizes[1:], most // step, packed):
            yield (slice(start, min(start + step, sizes[0])), *rest)


@contextmanager
def writing(
    path: Path,
    sizes: Mapping[str, int],
    large: Mapping[str, tuple[Dims, Mapping[str, Any]]],
    chunk: Mapping[str, int],
) -> Iterator[Callable[[Block, Mapping[str, Curve]], None]]:
    """Begin a file at `path` and give back what writes a block of every large variable: `large`,
    name -> dims, attrs.

    `sizes` of all dimensions, none of them 0; `chunk`: the extent of what is packed together, where
    it is not whole.
    """
    import h5netcdf

    _room(path, 0)
    with h5netcdf.File(path, "w") as file:
        file.dimensions = {
            dim: sizes[dim] for dim in dict.fromkeys(d for dims, _ in large.values() for d in dims)
        }
        for name, (dims, attrs) in large.items():
            chunks = tuple(chunk.get(dim, sizes[dim]) for dim in dims)
            made = file.create_variable(
                name, dims, "f4", chunks=chunks, fillvalue=np.float32(np.nan), **PACKED
            )
            made.attrs.update({**attrs, LARGE: 1})

        def put(block: Block, values: Mapping[str, Curve]) -> None:
            _room(path, sum(array.nbytes for array in values.values()))
            for name, array in values.items():
                file[name][block] = array

        yield put


def finish(path: Path, small: xr.Dataset) -> None:
    """Add everything else to a file that was begun."""
    _room(path, TEXT * small.nbytes)
    small.to_netcdf(path, mode="a", engine="h5netcdf")


def _room(path: Path, n_bytes: int) -> None:
    """Raise OSError now if the disk has no room for so much more: HDF5 crashes on a file it cannot
    write.
    """
    if hasattr(os, "posix_fallocate"):
        with tempfile.TemporaryFile(dir=path.parent) as ballast:
            os.posix_fallocate(ballast.fileno(), 0, n_bytes + MARGIN)


def open_netcdf(path: Path) -> xr.Dataset:
    """The file as a Dataset; its large variables wait in the file until they are asked for, where
    they are large.

    Raises OSError or ValueError when it is no such file.
    """
    import xarray as xr

    ds = xr.open_dataset(path, engine="h5netcdf", cache=False)
    large = [name for name in ds.data_vars if ds[name].attrs.pop(LARGE, 0)]
    if sum(ds[name].nbytes for name in large) <= MOST_IN_MEMORY:
        with ds:
            return ds.load()
    for name in set(ds.variables) - set(large):
        ds[name].load()
    return ds
