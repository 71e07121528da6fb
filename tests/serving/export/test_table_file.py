"""A table is the same from every format, or its file is named."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitoring.errors import BadInput
from serving.export.table_file import read_table


def test_tables_of_every_format_are_the_same(tmp_path: Path) -> None:
    table = pa.table({"a": [1.5, 2.5], "b": ["x", "y"]})
    (tmp_path / "t.csv").write_text("a,b\n1.5,x\n2.5,y\n")
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress((tmp_path / "t.csv").read_bytes()))
    np.savez(tmp_path / "t.npz", a=[1.5, 2.5], b=["x", "y"])
    pq.write_table(table, tmp_path / "t.parquet")
    for suffix in ("csv", "csv.gz", "npz", "parquet"):
        assert read_table(tmp_path / f"t.{suffix}").to_pydict() == table.to_pydict()


def test_a_table_that_cannot_be_read_names_its_file(tmp_path: Path) -> None:
    np.savez(tmp_path / "lengths.npz", a=[1, 2], b=[1])
    np.save(tmp_path / "pickled.npy", np.array([{"a": 1}], object), allow_pickle=True)
    for name in ("text.parquet", "text.npz", "text.npy"):
        (tmp_path / name).write_text("no table")
    for path in sorted(tmp_path.iterdir()):
        with pytest.raises(BadInput, match=f"cannot be read.*{path.name}"):
            read_table(path)
    with pytest.raises(BadInput, match="No such reference table"):
        read_table(tmp_path / "gone.csv")


@pytest.mark.parametrize("unit", ["M", "W", "D", "h", "m", "s", "ms", "us", "ns"])
def test_times_of_any_unit_are_read(tmp_path: Path, unit: str) -> None:
    times = np.array(["2024-01-01", "2024-02-01"], f"datetime64[{unit}]")
    np.savez(tmp_path / "t.npz", time=times)
    column = read_table(tmp_path / "t.npz")["time"]
    np.testing.assert_array_equal(column.to_numpy().astype("datetime64[s]"), times.astype("datetime64[s]"))


def test_an_array_of_a_type_that_no_column_has_is_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "t.npz", good=[1.0], odd=np.zeros(1, np.complex64))
    with pytest.raises(BadInput, match=r"t\.npz: array odd of type complex64"):
        read_table(tmp_path / "t.npz")
