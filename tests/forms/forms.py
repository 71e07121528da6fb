"""The ordinary forms of rows: cells of other types, and files of other kinds."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import uuid
from collections.abc import Callable
from decimal import Decimal
from functools import reduce
from pathlib import Path

import duckdb
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


def composed(first: Cells, then: Cells) -> Cells:
    """One change after the other."""
    return lambda rows: then(first(rows))


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
    "labels in text": Form(cells=cast("y", pa.string()), refused=("number",)),
    "labels as decimals": Form(cells=column("y", _decimals)),
    "missing codes as empty text": Form(
        cells=column("code", lambda cells: cells.fill_null("")), other="empty text in Parquet is a category"
    ),
    "booleans as True and False in text": Form(
        cells=column("flag", lambda cells: pa.array([str(cell) for cell in cells.to_pylist()])),
        words={"flag=true": "flag=True", "flag=false": "flag=False"},
    ),
    "booleans as 0 and 1": Form(cells=cast("flag", pa.int8()), words={"flag=true": "flag=1", "flag=false": "flag=0"}),
    "scores as decimals": Form(
        cells=lambda rows: reduce(
            lambda some, name: column(name, _decimals)(some),
            (name for name in rows.column_names if name[0] == "p"),
            rows,
        )
    ),
}


#: Forms of rows with dates alone, by what differs from midnight in UTC.
DATES: dict[str, Form] = {
    "dates as times at midnight": Form(dates=True),
    "dates as dates": Form(dates=True, cells=cast("ts", pa.date32())),
    "dates in text": Form(dates=True, cells=column("ts", lambda cells: pc.strftime(cells, "%Y-%m-%d"))),
    "dates in CSV": Form(
        dates=True, cells=cast("ts", pa.date32()), write=lambda rows, folder: as_csv(_shown(rows), folder)
    ),
    "dates, ids with a country in front": Form(
        dates=True,
        ids=lambda word: f"{('EU', 'US', 'APAC')[int(word[1:]) % 3]}-{word}",
        other="rows of one time are added up in the order of ids: the last digits of estimates",
    ),
}

#: Forms of ids.
IDS: dict[str, Form] = {
    "ids as integers": Form(ids=lambda word: int(word[1:])),
    "ids as UUIDs": Form(ids=lambda word: str(uuid.UUID(int=int(word[1:]) * 0x9E3779B97F4A7C15))),
    "ids hashed": Form(ids=lambda word: hashlib.sha256(word.encode()).hexdigest()),
    "ids with a country in front": Form(ids=lambda word: f"{('EU', 'US', 'APAC')[int(word[1:]) % 3]}-{word}"),
    "ids as a dictionary": Form(cells=column("id", lambda cells: cells.dictionary_encode())),
    "ids as large text": Form(cells=cast("id", pa.large_string())),
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
    lines += [";".join(_german(cell) for cell in row.values()) for row in _shown(rows).to_pylist()]
    (folder / "rows.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def _german(cell: object) -> str:
    if isinstance(cell, float):
        return str(cell).replace(".", ",")
    return "" if cell is None else str(cell).lower() if isinstance(cell, bool) else str(cell)


def as_json_lines(rows: pa.Table, folder: Path) -> Path:
    """An object a line; a missing cell is null."""
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


def as_hive_by_day(rows: pa.Table, folder: Path) -> Path:
    """A folder for each day, which is no input, as a lake is written every day."""
    days = pc.strftime(rows["ts"].cast(pa.timestamp("us", "UTC")), "%Y-%m-%d")
    for day in pc.unique(days).to_pylist():
        below = folder / f"day={day}"
        below.mkdir()
        pq.write_table(rows.filter(pc.equal(days, day)), below / "part-0.parquet")
    return folder


def as_duckdb(rows: pa.Table, folder: Path) -> str:
    """A table of a DuckDB file."""
    rows = column("ts", lambda cells: cells.cast(pa.timestamp("us")))(rows)
    with duckdb.connect(str(folder / "rows.duckdb")) as connection:
        connection.register("rows", rows)
        connection.execute("CREATE TABLE live AS SELECT * FROM rows")
    return f"duckdb:///{folder / 'rows.duckdb'}"


def as_sqlite(rows: pa.Table, folder: Path) -> str:
    """A table of a SQLite file, which has neither times nor booleans."""
    rows = cast("flag", pa.string())(rows)
    rows = column("ts", lambda cells: pc.strftime(cells.cast(pa.timestamp("s")), "%Y-%m-%d %H:%M:%S"))(rows)
    connection = sqlite3.connect(folder / "rows.sqlite")
    with connection:
        connection.execute(f"CREATE TABLE live ({', '.join(rows.column_names)})")
        places = ", ".join("?" for _ in rows.column_names)
        connection.executemany(
            f"INSERT INTO live VALUES ({places})",  # noqa: S608 - question marks alone
            [tuple(row.values()) for row in rows.to_pylist()],
        )
    connection.close()
    return f"sqlite:///{folder / 'rows.sqlite'}"


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
    "Hive folders by day": Form(write=as_hive_by_day),
    "Delta Lake": Form(write=as_delta),
    "Iceberg": Form(write=as_iceberg),
    "DuckDB": Form(write=as_duckdb, is_live=True),
    "SQLite": Form(write=as_sqlite, is_live=True),
}

#: All forms.
FORMS: dict[str, Form] = CELLS | DATES | IDS | FILES

#: Files that hold any cells, besides one of Parquet.
WITH_ANY_CELLS = ("one file", "many files, small row groups", "rows in another order", "columns in another order")

#: Forms of cells, by the column that they change: those that combine.
BY_COLUMN = {
    start: [
        name
        for name, form in CELLS.items()
        if name.split()[0] in start.split() and not (form.other or form.words or form.refused)
    ]
    for start in ("times", "amounts", "counts", "codes", "words", "labels", "scores")
}
