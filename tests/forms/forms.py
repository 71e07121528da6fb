"""The ordinary forms of rows: cells of other types, and files of other kinds."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import numpy as np
import openpyxl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from tests.forms.streams import Form
from tests.lake_writers import delta_with_deletes, iceberg_table

Cells = Callable[[pa.Table], pa.Table]


def column(name: str, change: Callable[[pa.Array], pa.Array]) -> Cells:
    """Changes the cells of one column."""
    return lambda rows: rows.set_column(rows.column_names.index(name), name, change(rows[name].combine_chunks()))


def cast(name: str, kind: pa.DataType) -> Cells:
    """Gives one column another type."""
    return column(name, lambda cells: cells.cast(kind))


def composed(*changes: Cells) -> Cells:
    """One change after the other."""

    def change(rows: pa.Table) -> pa.Table:
        for each in changes:
            rows = each(rows)
        return rows

    return change


def _decimals(cells: pa.Array) -> pa.Array:
    values = [None if value is None else Decimal(str(value)) for value in cells.to_pylist()]
    return pa.array(values, pa.decimal128(12, 3))


def _with_nan(cells: pa.Array) -> pa.Array:
    return pa.array(np.asarray(cells.cast(pa.float64()).fill_null(float("nan"))))


def _codes(kind: pa.DataType) -> Callable[[pa.Array], pa.Array]:
    return lambda cells: cells.cast(pa.int64()).cast(kind)


def _iso(cells: pa.Array) -> pa.Array:
    return pc.strftime(cells.cast(pa.timestamp("s", "UTC")), "%Y-%m-%dT%H:%M:%SZ")


#: Forms of cells, by what differs from whole microseconds in UTC, float64, int64, plain text and booleans.
CELLS: dict[str, Form] = {
    "times in seconds": Form(cells=cast("ts", pa.timestamp("s", "UTC"))),
    "times in milliseconds": Form(cells=cast("ts", pa.timestamp("ms", "UTC"))),
    "times in nanoseconds": Form(cells=cast("ts", pa.timestamp("ns", "UTC"))),
    "times of another zone": Form(cells=cast("ts", pa.timestamp("us", "America/New_York"))),
    "times without a zone": Form(cells=cast("ts", pa.timestamp("us"))),
    "times in text": Form(cells=column("ts", _iso)),
    "amounts as decimals": Form(cells=column("amount", _decimals)),
    "missing amounts as NaN": Form(cells=column("amount", _with_nan)),
    "counts as floats with NaN": Form(cells=column("count", _with_nan)),
    "counts as small integers": Form(cells=cast("count", pa.int16())),
    "counts as decimals": Form(cells=cast("count", pa.decimal128(19, 0))),
    "codes as integers with gaps": Form(cells=column("code", _codes(pa.int32()))),
    "codes as floats with NaN": Form(cells=column("code", lambda cells: _with_nan(cells.cast(pa.int64())))),
    "codes as decimals": Form(cells=column("code", _codes(pa.decimal128(25, 2)))),
    "codes as a dictionary": Form(cells=column("code", lambda cells: cells.dictionary_encode())),
    "words as a dictionary": Form(cells=column("channel", lambda cells: cells.dictionary_encode())),
    "words as large text": Form(cells=cast("channel", pa.large_string())),
    "words as bytes": Form(cells=cast("channel", pa.binary())),
    "booleans in text": Form(cells=cast("flag", pa.string())),
    "labels as floats": Form(cells=cast("y", pa.float64())),
    "labels in text": Form(cells=cast("y", pa.string())),
    "labels as decimals": Form(cells=column("y", _decimals)),
    "scores as decimals": Form(
        cells=lambda rows: composed(*(column(name, _decimals) for name in rows.column_names if name[0] == "p"))(rows)
    ),
}


def files(count: int) -> Callable[[pa.Table, Path], Path]:
    """Rows in several files with small row groups."""

    def write(rows: pa.Table, folder: Path) -> Path:
        for number, places in enumerate(np.array_split(np.arange(rows.num_rows), count)):
            pq.write_table(rows.take(pa.array(places)), folder / f"{number:02d}.parquet", row_group_size=17)
        return folder

    return write


def shuffled(rows: pa.Table, folder: Path) -> Path:
    """Rows in another order, in several files."""
    order = np.random.default_rng(3).permutation(rows.num_rows)
    return files(3)(rows.take(pa.array(order)), folder)


def reversed_columns(rows: pa.Table, folder: Path) -> Path:
    """Columns in another order."""
    pq.write_table(rows.select(rows.column_names[::-1]), folder / "rows.parquet")
    return folder


def _shown(rows: pa.Table) -> pa.Table:
    """Times as text in ISO 8601, as libraries write them into text files."""
    return column("ts", _iso)(rows) if pa.types.is_timestamp(rows["ts"].type) else rows


def as_csv(rows: pa.Table, folder: Path) -> Path:
    """CSV with commas and points; a missing cell is empty."""
    pyarrow.csv.write_csv(_shown(rows), folder / "rows.csv")
    return folder


def as_german_csv(rows: pa.Table, folder: Path) -> Path:
    """CSV with semicolons and decimal commas."""
    lines = [";".join(rows.column_names)]
    for row in _shown(rows).to_pylist():
        cells = ("" if cell is None else str(cell) for cell in row.values())
        lines.append(";".join(cell.replace(".", ",") if "T" not in cell else cell for cell in cells))
    (folder / "rows.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def as_json_lines(rows: pa.Table, folder: Path) -> Path:
    """An object a line; a missing cell is null."""
    import json

    lines = (json.dumps(row) for row in _shown(rows).to_pylist())
    (folder / "rows.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def as_excel(rows: pa.Table, folder: Path) -> Path:
    """A sheet; a missing cell is empty."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("rows")
    sheet.append(rows.column_names)
    for row in rows.to_pylist():
        row["ts"] = row["ts"].replace(tzinfo=None)
        sheet.append([*row.values()])
    book.save(folder / "rows.xlsx")
    return folder


def as_hive(rows: pa.Table, folder: Path) -> Path:
    """A folder for each channel, whose name has it, and whose files have not."""
    for word in pc.unique(rows["channel"]).to_pylist():
        below = folder / f"channel={word}"
        below.mkdir()
        some = rows.filter(pc.equal(rows["channel"], word)).drop_columns(["channel"])
        pq.write_table(some, below / "part-0.parquet", row_group_size=50)
    return folder


def as_hive_of_csv(rows: pa.Table, folder: Path) -> Path:
    """The same with text files."""
    for word in pc.unique(rows["channel"]).to_pylist():
        below = folder / f"channel={word}"
        below.mkdir()
        pyarrow.csv.write_csv(
            _shown(rows.filter(pc.equal(rows["channel"], word)).drop_columns(["channel"])), below / "part-0.csv"
        )
    return folder


def as_delta(rows: pa.Table, folder: Path) -> Path:
    """A Delta Lake table, some rows of which were deleted."""
    delta_with_deletes(pa.concat_tables([rows.slice(0, 3), rows]), folder, range(3), mode="overwrite")
    return folder


def as_iceberg(rows: pa.Table, folder: Path) -> Path:
    """An Apache Iceberg table."""
    iceberg_table(rows, folder)
    return folder


#: Forms of files.
FILES: dict[str, Form] = {
    "one file": Form(),
    "many files, small row groups": Form(write=files(5)),
    "rows in another order": Form(write=shuffled),
    "columns in another order": Form(write=reversed_columns),
    "CSV": Form(write=as_csv),
    "CSV, German": Form(write=as_german_csv),
    "JSON Lines": Form(write=as_json_lines),
    "Excel": Form(write=as_excel),
    "Hive folders of Parquet": Form(write=as_hive),
    "Hive folders of CSV": Form(write=as_hive_of_csv),
    "Delta Lake": Form(write=as_delta),
    "Iceberg": Form(write=as_iceberg),
}
