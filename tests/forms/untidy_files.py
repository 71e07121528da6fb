"""The files that untidy rows are written into, each drawn at random among the ordinary ways to write them."""

from __future__ import annotations

import csv
import gzip
import io
import json
import math
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq


class Draw(Protocol):
    """Draws one of some values."""

    def __call__(self, among: Sequence[Any], label: str) -> Any: ...


Write = Callable[[pa.Table, Path, Draw], Path]

_ZONE = timezone(timedelta(hours=-3, minutes=-30))

#: Times in text: all of them are one instant.
_TIMES: dict[str, Callable[[datetime], str]] = {
    "T and Z": lambda moment: moment.isoformat().replace("+00:00", "Z"),
    "offset": lambda moment: moment.isoformat(),
    "another offset": lambda moment: moment.astimezone(_ZONE).isoformat(),
    "blank, no zone": lambda moment: moment.replace(tzinfo=None).isoformat(sep=" "),
    "blank, microseconds": lambda moment: moment.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds"),
    "nanoseconds": lambda moment: moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "000Z",
    "short offset": lambda moment: moment.isoformat(sep=" ").replace("+00:00", "+00"),
}
_NUMBERS: dict[str, Callable[[float], str]] = {
    "shortest": repr,
    "17 digits": lambda cell: f"{cell:.17g}",
    "exponents": lambda cell: f"{cell:.17E}",
    "whole without a point": lambda cell: repr(int(cell)) if _is_whole(cell) else repr(cell),
    "blanks around": lambda cell: f" {cell!r} ",
}
_MISSING = ["", "NaN", "nan", "NA", "null", "None", "N/A"]


def _is_whole(cell: float) -> bool:
    return math.isfinite(cell) and repr(float(int(cell))) == repr(cell)


def parquet(rows: pa.Table, folder: Path, draw: Draw) -> Path:
    """Parquet files as any writer may write them."""
    folder.mkdir()
    options: dict[str, Any] = {
        "compression": draw(["none", "snappy", "gzip", "zstd", "lz4", "brotli"], "compression"),
        "version": draw(["1.0", "2.4", "2.6"], "version"),
        "data_page_version": draw(["1.0", "2.0"], "page version"),
        "use_dictionary": draw([True, False], "dictionary"),
        "write_statistics": draw([True, False], "statistics"),
        "row_group_size": draw([1, 3, 100], "row group"),
        "store_schema": draw([True, False], "schema"),
    }
    for number, part in enumerate(_parts(rows, draw)):
        pq.write_table(part, folder / f"{number}.parquet", **options)
    return folder


def _parts(rows: pa.Table, draw: Draw) -> list[pa.Table]:
    """Rows in another order, in one file or several, one of which may be empty."""
    order = list(range(rows.num_rows))
    order = draw([order, order[::-1], order[1::2] + order[::2]], "order")
    cut = draw([0, rows.num_rows // 2, rows.num_rows], "cut")
    names = draw([rows.column_names, rows.column_names[::-1]], "columns")
    rows = rows.take(pa.array(order, pa.int64())).select(names)
    return [rows.slice(0, cut), rows.slice(cut)] if draw([True, False], "files") else [rows]


def delimited(rows: pa.Table, folder: Path, draw: Draw) -> Path:
    """CSV as spreadsheets, databases and libraries write it."""
    folder.mkdir()
    mark = draw([",", ";", "\t", "|"], "separator")
    comma = mark != "," and draw([False, True], "decimal comma")
    show = _texts(draw, comma=comma)
    suffix = ".tsv" if mark == "\t" else ".csv"
    ends, encoding = draw(["\n", "\r\n"], "line ends"), draw(["utf-8", "utf-8-sig", "utf-16"], "encoding")
    quoting = draw([csv.QUOTE_MINIMAL, csv.QUOTE_ALL], "quoting")
    packed = suffix == ".csv" and draw([False, True], "gzip")
    for number, part in enumerate(_parts(rows, draw)):
        text = io.StringIO()
        writer = csv.writer(text, delimiter=mark, lineterminator=ends, quoting=quoting)
        writer.writerow(part.column_names)
        writer.writerows([show(name, cell) for name, cell in row.items()] for row in part.to_pylist())
        data = text.getvalue().encode(encoding)
        place = folder / f"{number}{suffix}{'.gz' if packed else ''}"
        place.write_bytes(gzip.compress(data) if packed else data)
    return folder


def _texts(draw: Draw, *, comma: bool) -> Callable[[str, Any], str]:
    time = _TIMES[draw(sorted(_TIMES), "times")]
    number = _NUMBERS[draw(sorted(_NUMBERS), "numbers")]
    missing = draw(_MISSING, "missing numbers")
    flag = draw([str, lambda cell: str(cell).lower(), lambda cell: str(cell).upper()], "flags")
    label = draw([str, lambda cell: f"{cell}.0", lambda cell: str(bool(cell))], "labels")
    code = draw([str, lambda cell: f"{cell}.0"], "codes")

    def show(name: str, cell: Any) -> str:
        if name in ("amount", "count", "p"):
            text = missing if cell is None else number(float(cell))
            return text.replace(".", ",") if comma and cell is not None else text
        if cell is None:
            return ""
        return str({"ts": time, "flag": flag, "y": label, "code": code}.get(name, str)(cell))

    return show


def json_lines(rows: pa.Table, folder: Path, draw: Draw) -> Path:
    """An object a line."""
    folder.mkdir()
    time = _TIMES[draw(sorted(_TIMES), "times")]
    whole = draw([False, True], "whole numbers without a point")
    absent = draw([False, True], "missing cells are left out")
    packed = draw([False, True], "gzip")

    def cell_of(cell: Any) -> Any:
        if isinstance(cell, datetime):
            return time(cell)
        return int(cell) if whole and isinstance(cell, float) and _is_whole(cell) else cell

    for number, part in enumerate(_parts(rows, draw)):
        kept = {name for name in part.column_names if not absent or part[name].null_count == part.num_rows}
        lines = (
            json.dumps({name: cell_of(cell) for name, cell in row.items() if cell is not None or name in kept})
            for row in part.to_pylist()
        )
        data = "".join(line + "\n" for line in lines).encode()
        place = folder / f"{number}.jsonl{'.gz' if packed else ''}"
        place.write_bytes(gzip.compress(data) if packed else data)
    return folder


def excel(rows: pa.Table, folder: Path, draw: Draw) -> Path:
    """A sheet."""
    folder.mkdir()
    time = draw([lambda moment: moment.replace(tzinfo=None), *_TIMES.values()], "times")
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("rows")
    sheet.append(rows.column_names)
    for row in rows.to_pylist():
        sheet.append([*({**row, "ts": time(row["ts"])}).values()])
    book.save(folder / "rows.xlsx")
    return folder


def pandas_frame(rows: pa.Table, draw: Draw) -> pd.DataFrame:
    """A frame as its owner has it: codes and yes or no with gaps, times with a zone or without one."""
    frame: pd.DataFrame = rows.to_pandas()
    frame["ts"] = frame["ts"].astype(draw(["datetime64[ns, UTC]", "datetime64[us, UTC]"], "times"))
    if draw([False, True], "no zone"):
        frame["ts"] = frame["ts"].dt.tz_localize(None)
    for name, kinds in {
        "channel": ["object", "category", "string"],
        "code": ["object", "category", "Int64"],
        "flag": ["object", "category", "boolean"],
        "y": ["object", "Int64", "Float64"],
        "count": ["object", "Int64"],
    }.items():
        kind = draw(kinds, name)
        frame[name] = frame[name] if kind == "object" else frame[name].astype(kind)
    return frame.set_index(pd.Index(range(5, 5 + len(frame)))) if draw([False, True], "index") else frame


def by_pandas(rows: pa.Table, folder: Path, draw: Draw) -> Path:
    """What pandas writes of a frame."""
    folder.mkdir()
    frame = pandas_frame(rows, draw)
    kind = draw(["parquet", "csv", "jsonl"], "file")
    if kind == "parquet":
        frame.to_parquet(folder / "rows.parquet")
    elif kind == "csv":
        frame.to_csv(folder / "rows.csv", index=draw([False, True], "index column"))
    else:
        frame.to_json(
            folder / "rows.jsonl", orient="records", lines=True, date_format="iso", date_unit="us", double_precision=15
        )
    return folder


def mixed(rows: pa.Table, folder: Path, draw: Draw) -> Path:
    """Files with types and text files in one folder."""
    folder.mkdir()
    cut = draw(range(rows.num_rows + 1), "kinds cut")
    writers = draw([(delimited, parquet), (parquet, delimited), (delimited, delimited)], "kinds")
    for number, (part, write) in enumerate(zip((rows.slice(0, cut), rows.slice(cut)), writers, strict=True)):
        write(part, folder / f"{number}", draw)
    return folder


def hive(rows: pa.Table, folder: Path, draw: Draw) -> Path:
    """A folder for each value of a column, whose files have not that column."""
    folder.mkdir()
    by = draw(["channel", "code", "flag", "y", "count"], "folders of")
    for value in pc.unique(rows[by]).to_pylist():
        is_here = pc.is_null(rows[by]) if value is None else pc.fill_null(pc.equal(rows[by], value), fill_value=False)
        text = str(value).lower() if isinstance(value, bool) else str(value)
        word = "__HIVE_DEFAULT_PARTITION__" if value is None else quote(text, safe="")
        write = draw([parquet, delimited], f"kind of {word}")
        write(rows.filter(is_here).drop_columns([by]), folder / f"{by}={word}", draw)
    return folder


#: Those that round numbers and times.
ROUNDING = ("Excel", "pandas")

FILES: dict[str, Write] = {
    "Parquet": parquet,
    "CSV": delimited,
    "JSON Lines": json_lines,
    "Excel": excel,
    "pandas": by_pandas,
    "Parquet and CSV": mixed,
    "NAME=VALUE": hive,
}
