"""Reads a table from a Parquet, CSV or NumPy file."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq

from monitoring.errors import BadInput

Array = np.ndarray[Any, Any]

#: The column of a file with one array, which has no name.
ONLY_COLUMN = "array"
#: Units of times that Arrow has; the others of NumPy are multiples of a second.
_ARROW_UNITS = {"D", "s", "ms", "us", "ns"}
FORMATS = "a Parquet (.parquet), CSV (.csv), or numpy (.npz, .npy) file"


def read_table(path: Path) -> pa.Table:
    """Read a table; the suffix says the format, without one it is Parquet.

    CSV has a header and may be gzipped. Arrays of a ``.npz`` become columns by their names, that of a ``.npy`` becomes
    the column ``array``; the first dimension counts rows, and further ones become lists of fixed sizes. Pickled objects
    are not read.
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
    """Convert arrays to columns.

    >>> table_of({"image": np.zeros((5, 2, 3))}).schema.field("image").type
    FixedSizeListType(fixed_size_list<item: fixed_size_list<item: double>[3]>[2])

    Args:
        arrays: Arrays [n, …] by name; times of units that Arrow lacks, such as minutes, are converted.

    Raises:
        ValueError: an array without rows, of a type that tables cannot hold, or of another length; with its name.
    """
    lengths = {name: array.shape[0] if array.ndim else -1 for name, array in arrays.items()}
    if len(set(lengths.values())) != 1 or -1 in lengths.values():
        raise ValueError(f"the arrays differ in length: {lengths}")
    return pa.table({name: _column(name, array) for name, array in arrays.items()})


def _column(name: str, array: Array) -> pa.Array:
    flat = np.ascontiguousarray(array).reshape(-1)
    if flat.dtype.kind == "M" and np.datetime_data(flat.dtype)[0] not in _ARROW_UNITS:
        flat = flat.astype("datetime64[s]")
    try:
        column = pa.array(flat.tolist() if flat.dtype.kind in "US" else flat)
    except pa.ArrowException as error:
        raise ValueError(f"array {name} of type {array.dtype}: {error}") from error
    if pa.types.is_binary(column.type):
        column = column.cast(pa.string())
    for size in reversed(array.shape[1:]):
        column = pa.FixedSizeListArray.from_arrays(column, int(size))
    return column
