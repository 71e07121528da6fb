"""JSON Lines and Excel files as tables: converted to Parquet once, for as long as they stay as they are."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, NoReturn

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj
import pyarrow.parquet as pq

from monitoring.config.table_section import TableFormat
from monitoring.errors import BadInput
from monitoring.traffic.file_limits import (
    LONGEST_LINE,
    MOST_COLUMNS,
    check_nesting,
    check_workbook,
    look_at_text,
    refuse_columns,
)
from monitoring.traffic.remote.local_cache import LOCAL_CACHE

JSON_LINES = (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz")
EXCEL = (".xlsx", ".xlsm")
CONVERTED = (*JSON_LINES, *EXCEL)

#: Bytes of JSON Lines whose first records give the columns and their types.
_BLOCK = 1 << 24

#: Objects in objects are columns of their own, OUTER.INNER, to this depth.
_DEPTH = 3

#: Rows of a sheet that become one row group.
_GROUP = 50_000


def converted(path: Path, form: TableFormat) -> tuple[Path, tuple[str, ...]]:
    """A JSON Lines or Excel file as a Parquet file, made once in this process for as long as the file stays as it is.

    Objects in objects are columns named OUTER.INNER. Cells of a sheet's column that are of several kinds are text; the
    first row has the names. Cost: JSON is read twice, and held in memory; a sheet takes some 10 µs a cell.
    """
    stat = path.stat()
    stamp = f"{stat.st_size} {stat.st_mtime_ns} {form.sheet}"
    if path.name.endswith(EXCEL):
        target = LOCAL_CACHE.get(
            f"{path.absolute()}#{form.sheet}", stamp, ".parquet", lambda to: _sheet(path, form, to)
        )
    else:
        target = LOCAL_CACHE.get(str(path.absolute()), stamp, ".parquet", lambda to: _json_lines(path, to))
    remark = (pq.read_schema(target).metadata or {}).get(b"pitfalls.remark", b"").decode()
    return target, (remark,) if remark else ()


def _json_lines(path: Path, target: Path) -> None:
    if not _look_at_json(path):
        pq.ParquetWriter(target, pa.schema([])).close()
        return
    try:
        with pa.input_stream(path) as file:
            table = pj.read_json(file, read_options=pj.ReadOptions(block_size=max(_BLOCK, 2 * LONGEST_LINE)))
    except pa.ArrowInvalid as error:
        raise BadInput(
            "A file is not JSON Lines.",
            got=f"{path}: {str(error).splitlines()[0]}",
            expected="one JSON object a line, whose values of one name are of one kind",
            fix="Correct that line, or convert the values to one kind.",
        ) from error
    for _ in range(_DEPTH):
        if not any(pa.types.is_struct(kind) for kind in table.schema.types):
            break
        table = table.flatten()
    if table.num_columns > MOST_COLUMNS:
        refuse_columns(path, table.num_columns)
    pq.write_table(_with_plain_types(table), target)


def _with_plain_types(table: pa.Table) -> pa.Table:
    """The table with times in microseconds, which Parquet keeps as they are, and with dates as the text that they are.

    JSON has neither: Arrow takes text for times where all of a column may be some, categories and ids too.
    """
    for place, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type) and field.type.unit == "s":
            times = table.column(place)
            is_date = field.type.tz is None and pc.all(pc.equal(times, pc.floor_temporal(times, unit="day"))).as_py()
            plain = pc.strftime(times, "%Y-%m-%d") if is_date else times.cast(pa.timestamp("us", field.type.tz))
            table = table.set_column(place, field.name, plain)
    return table


def _look_at_json(path: Path) -> bool:
    """Whether a file holds anything. Raises BadInput for one that is not to be read, or holds one array."""
    with pa.input_stream(path) as file:
        if file.read(1 << 10).lstrip()[:1] == b"[":
            raise BadInput(
                "A file is not JSON Lines.",
                got=f"{path}, which begins with [: one array",
                expected="one JSON object a line",
                fix="Convert it: jq -c '.[]' FILE.json > FILE.jsonl, or pandas' to_json(orient='records', lines=True).",
            )
    start = look_at_text(path).start
    check_nesting(path)
    names: set[str] = set()
    for text in start.splitlines():
        names |= _names(text)
    columns = max(len(names), start.count(b'":') if len(start.splitlines()) == 1 else 0)  # one line may be cut off
    if columns > MOST_COLUMNS:
        refuse_columns(path, columns)
    return bool(start.strip())


def _names(text: bytes) -> set[str]:
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        return set()  # the parser says what is wrong with it
    return set(record) if isinstance(record, dict) else set()


def _sheet(path: Path, form: TableFormat, target: Path) -> None:
    try:
        import openpyxl  # noqa: PLC0415 - an extra
    except ImportError:
        raise BadInput(
            "Excel files take a library that is not installed.",
            got=str(path),
            expected="openpyxl",
            fix="pip install 'pitfalls-tf-monitor[excel]', or save the sheet as CSV.",
        ) from None
    try:
        check_workbook(path)
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, ValueError, openpyxl.utils.exceptions.InvalidFileException) as error:
        raise BadInput(
            "A file is not an Excel workbook.",
            got=f"{path}: {error}",
            expected="a whole .xlsx file",
            fix="Save it again.",
        ) from error
    try:
        _write_sheet(path, _chosen(book, path, form), book.sheetnames, form, target)
    finally:
        book.close()


def _chosen(book: Any, path: Path, form: TableFormat) -> Any:
    names = book.sheetnames
    if form.sheet is not None and form.sheet not in names:
        raise BadInput(
            "There is no such sheet.",
            got=f"{form.sheet!r} of {path}",
            expected=", ".join(names),
            fix="Check the spelling of the sheet's name.",
        )
    return book[names[0] if form.sheet is None else form.sheet]


def _write_sheet(path: Path, sheet: Any, sheets: Sequence[str], form: TableFormat, target: Path) -> None:
    rows = (row for row in sheet.iter_rows(values_only=True) if any(cell is not None for cell in row))
    header = next(rows, None)
    if header is None:
        _reject_header(path, sheet.title, "no row")
    width = max((place + 1 for place, cell in enumerate(header) if cell is not None), default=0)
    names = ["" if cell is None else str(cell).strip() for cell in header[:width]]
    if len(names) > MOST_COLUMNS:
        refuse_columns(path, len(names))
    if "" in names:
        _reject_header(path, sheet.title, f"no name in column {names.index('') + 1}")
    remark = ""
    if len(sheets) > 1 and form.sheet is None:
        remark = f"The first of {len(sheets)} sheets is read: {sheet.title}."
    parts = [[_column(cells) for cells in group] for group in _grouped(rows, width)]
    columns = [_joined([part[place] for part in parts]) for place in range(width)]
    table = pa.Table.from_arrays(columns, names=names)
    pq.write_table(table.replace_schema_metadata({"pitfalls.remark": remark}), target, row_group_size=_GROUP)


def _reject_header(path: Path, sheet: str, got: str) -> NoReturn:
    raise BadInput(
        "The first row of a sheet has the names of its columns.",
        got=f"{got}: sheet {sheet} of {path}",
        expected="a name in each column",
        fix="Delete what stands above the names, or name the sheet of the table.",
    )


def _grouped(rows: Iterator[Sequence[Any]], width: int) -> Iterator[list[tuple[Any, ...]]]:
    """Rows as columns of at most `_GROUP` cells each."""
    group: list[tuple[Any, ...]] = []
    for row in rows:
        cells = tuple(row[:width])
        group.append(cells + (None,) * (width - len(cells)))
        if len(group) == _GROUP:
            yield list(zip(*group, strict=True))
            group = []
    if group:
        yield list(zip(*group, strict=True))


def _column(cells: Sequence[Any]) -> pa.Array:
    """Cells of a sheet: numbers, booleans, times, or text where they are of several kinds."""
    present = [cell for cell in cells if cell is not None]
    if not present:
        return pa.nulls(len(cells))
    if all(isinstance(cell, bool) for cell in present):
        return pa.array(cells, pa.bool_())
    if all(isinstance(cell, int | float) for cell in present):
        whole = all(isinstance(cell, int) and abs(cell) < 1 << 53 for cell in present)
        return pa.array(cells, pa.int64() if whole else pa.float64())
    if all(isinstance(cell, date) for cell in present):
        moments = [_moment(cell) for cell in cells]
        return pa.array(moments, pa.timestamp("us"))
    return pa.array([None if cell is None else _text(cell) for cell in cells], pa.string())


def _moment(cell: date | None) -> datetime | None:
    return cell if cell is None or isinstance(cell, datetime) else datetime.combine(cell, time())


def _text(cell: Any) -> str:
    return cell.isoformat() if isinstance(cell, date | time) else str(cell)


def _joined(parts: Sequence[pa.Array]) -> pa.ChunkedArray:
    """The parts of a column in one type: that of all, a fraction for whole numbers and fractions, else text."""
    kinds = {part.type for part in parts if part.null_count < len(part)}
    if not kinds:
        return pa.chunked_array(parts, parts[0].type) if parts else pa.chunked_array([], pa.null())
    kind = kinds.pop() if len(kinds) == 1 else pa.float64() if kinds <= {pa.int64(), pa.float64()} else pa.string()
    return pa.chunked_array([pc.cast(part, kind) for part in parts], kind)
