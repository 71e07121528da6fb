"""Tables from files."""

from __future__ import annotations

import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitoring.errors import BadInput
from pitfalls_tf.replay.tables import read_table

TEXT = "event_time,x\n2013-04-01T05:15:00Z,1.5\n"


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.parquet"])
def test_the_suffix_decides_the_format(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(TEXT.encode()))
    elif name.endswith(".csv"):
        path.write_text(TEXT)
    else:
        (tmp_path / "b.csv").write_text(TEXT)
        pq.write_table(read_table(tmp_path / "b.csv"), path)
    table = read_table(path)
    assert pa.types.is_timestamp(table.schema.field("event_time").type)
    assert table.schema.field("event_time").type.tz == "UTC"
    assert table.column("x").to_pylist() == [1.5]


@pytest.mark.parametrize("name", ["b.parquet", "none.csv", "a.xlsx", "none"])
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "b.parquet").write_bytes(b"no parquet")
    (tmp_path / "a.xlsx").write_bytes(b"")
    with pytest.raises(BadInput, match="The table cannot be read"):
        read_table(tmp_path / name)
