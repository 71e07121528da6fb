"""A table in a Parquet, CSV or numpy file."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq

from monitoring.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    Array = np.ndarray[Any, Any]

#: The column of a file with one array and no name for it.
ONLY_COLUMN = "array"
FORMATS = "a Parquet (.parquet), CSV (.csv), or numpy (.npz, .npy) file"


def read_table(path: Path) -> pa.Table:
    """Rows of a file, by its suffix (Parquet where there is none).

    CSV has a line of names and may be gzipped. Arrays of a ``.npz`` become columns by their names, the one of a
    ``.npy`` the column ``array``; their first dimension counts rows, and further ones become lists of fixed sizes.
    Pickled objects are not read.

    Raises:
        BadInput: no such file, one that cannot be read, or arrays of different lengths.
    """
    if not path.is_file():
        raise BadInput("No such reference table.", got=str(path), expected=FORMATS, fix="Check the path.")
    try:
        if path.name.endswith((".csv", ".csv.gz")):
            return pcsv.read_csv(path)
        if path.suffix == ".npy":
            return table_of({ONLY_COLUMN: np.load(path, allow_pickle=False)})
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as arrays:
                return table_of({name: arrays[name] for name in arrays.files})
        return pq.ParquetFile(path).read()
    except (pa.ArrowException, ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise BadInput(
            "The reference table cannot be read.",
            got=f"{path}: {error}",
            expected=FORMATS,
            fix="Write it again, for example with pyarrow.parquet.write_table(table, 'reference.parquet').",
        ) from error


def table_of(arrays: Mapping[str, Array]) -> pa.Table:
    """Arrays [n, …] as columns.

    >>> table_of({"image": np.zeros((5, 2, 3))}).schema.field("image").type
    FixedSizeListType(fixed_size_list<item: fixed_size_list<item: double>[3]>[2])

    Raises:
        ValueError: an array without rows to count, of a type that tables lack, or of another length.
    """
    lengths = {name: array.shape[0] if array.ndim else -1 for name, array in arrays.items()}
    if len(set(lengths.values())) != 1 or -1 in lengths.values():
        raise ValueError(f"arrays of one length are needed, these have {lengths}")
    return pa.table({name: _column(array) for name, array in arrays.items()})


def _column(array: Array) -> pa.Array:
    flat = np.ascontiguousarray(array).reshape(-1)
    column = pa.array(flat.tolist() if flat.dtype.kind in "US" else flat)
    if pa.types.is_binary(column.type):
        column = column.cast(pa.string())
    for size in reversed(array.shape[1:]):
        column = pa.FixedSizeListArray.from_arrays(column, int(size))
    return column
