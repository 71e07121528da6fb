"""A label file, CSV or Parquet, checked as a whole before any label is read from it."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from monitoring.errors import BadInput
from monitoring.tasks.label_objects import label_object
from monitoring.traffic.cells import as_doubles
from monitoring.traffic.file_limits import check_parquet
from monitoring.traffic.format.rows import FIRST_US, ID_CHARACTERS, LABEL_CHARACTERS, LAST_US, TIMESTAMP

COLUMNS = ("prediction_id", "label", "label_time")

#: Columns that a file may have besides: the model, its version and its output that a label is for.
OWNER_COLUMNS = ("model", "version", "output")
_PARQUET = b"PAR1"
_PROBLEMS_SHOWN, _NAMES_SHOWN = 5, 20
_VERSION_DIGITS = 18

#: Line numbers, the three columns of labels, and those of what labels are for.
_Columns: TypeAlias = tuple[
    Sequence[int], tuple[Sequence[object], Sequence[object], Sequence[object]], Mapping[str, Sequence[object]]
]
_TIMES = "an ISO 8601 time such as 2013-04-01T17:05:00Z (UTC where it has no offset)"
_FIX = "Correct the file and add it again; nothing was added."


def read_label_file(path: Path) -> pa.Table:
    """Read a label file.

    It has at least the columns prediction_id, label and label_time, and may have model, version and output, which say
    what a label is for; others are ignored. Times are ISO 8601 or, in
    Parquet, timestamps; one without an offset is UTC. Labels in Parquet may be strings, numbers or booleans, lists of
    names or of 0 and 1 where a row may have several classes, or records with a label for each of several outputs.

    Args:
        path: The file; its first bytes say whether it is Parquet.

    Returns:
        The labels in the file's order: prediction_id and label strings, label_time timestamps, model string and version
        int64, null where the file names none. A label of one output is an object with that part.
    """
    try:
        with path.open("rb") as file:
            magic = file.read(len(_PARQUET))
    except OSError as error:
        raise BadInput(
            "The labels cannot be read.",
            got=f"{path}: {error.strerror}",
            expected="a CSV or Parquet file",
            fix="Check the path.",
        ) from error
    if not magic:
        _fail(path, got="an empty file", expected=f"a header with {', '.join(COLUMNS)}")
    numbers, columns, owners = _parquet(path) if magic == _PARQUET else _csv(path)
    return _checked(path, numbers, columns, owners, unit="row" if magic == _PARQUET else "line")


def _csv(path: Path) -> _Columns:
    """Line numbers (each of a record's last line) and the columns as text."""
    lines: list[int] = []
    columns: tuple[list[str], list[str], list[str]] = ([], [], [])
    owners: dict[str, list[object]] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = next(reader, [])
            picked, places = _positions(path, header), _owner_positions(header)
            owners = {name: [] for name in places}
            for record in reader:
                if not record:
                    continue
                if len(record) != len(header):
                    got = f"line {reader.line_num} with {len(record)} fields"
                    _fail(path, got=got, expected=f"{len(header)}, as in the header")
                lines.append(reader.line_num)
                for column, index in zip(columns, picked, strict=True):
                    column.append(record[index])
                for name, index in places.items():
                    owners[name].append(record[index].strip() or None)
    except UnicodeDecodeError as error:
        _fail(path, got=f"bytes that are not UTF-8 ({error.reason})", expected="a CSV file in UTF-8, or Parquet")
    except csv.Error as error:
        _fail(path, got=f"a CSV file that is broken after line {len(lines) + 1}: {error}", expected="plain CSV")
    return lines, columns, owners


def _parquet(path: Path) -> _Columns:
    try:
        file = pq.ParquetFile(path, metadata=check_parquet(path))
        names = file.schema_arrow.names
        places = [*_positions(path, names), *_owner_positions(names).values()]
        table = file.read([names[place] for place in places])
        picked = _positions(path, table.column_names)
        ids, labels = (_as_text(path, table.column(index), table.column_names[index]) for index in picked[:2])
        times = _times(path, table.column(picked[2]))
        owners = {
            name: _owner_cells(table.column(place)) for name, place in _owner_positions(table.column_names).items()
        }
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        _fail(path, got=f"a Parquet file that cannot be read: {error}", expected="a whole one")
    return range(1, table.num_rows + 1), (ids.to_pylist(), labels.to_pylist(), times), owners


def _owner_positions(header: Sequence[str]) -> dict[str, int]:
    """The place of each column that says what labels are for, by its name."""
    names = [name.strip() for name in header]
    return {name: names.index(name) for name in OWNER_COLUMNS if names.count(name) == 1}


def _owner_cells(column: pa.ChunkedArray) -> list[object]:
    """Cells as text; null for those that are neither text nor whole numbers."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_integer(kind):
        return [None if cell is None else str(cell).strip() or None for cell in column.to_pylist()]
    return [None] * len(column)


def _times(path: Path, column: pa.ChunkedArray) -> list[object]:
    """Datetimes or text; the number, of a timestamp outside the years 1 to 9999."""
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        texts: list[object] = _as_text(path, column, "label_time").to_pylist()
        return texts
    if not pa.types.is_timestamp(kind):
        _fail(path, got=f"label_time of type {kind}", expected="timestamps, or text in ISO 8601")
    microseconds = pa.timestamp("us", tz=kind.tz)
    numbers = pc.cast(column, options=pc.CastOptions(microseconds, allow_time_truncate=True)).cast(pa.int64())
    valid = pc.and_(pc.greater_equal(numbers, FIRST_US), pc.less_equal(numbers, LAST_US))
    times = pc.if_else(valid, numbers, pa.scalar(None, pa.int64())).cast(TIMESTAMP).to_pylist()
    return [number if time is None else time for number, time in zip(numbers.to_pylist(), times, strict=True)]


def _as_text(path: Path, column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if name == "label" and _holds_lists(column):
        return pa.chunked_array([pa.array(map(_set_text, column.to_pylist()), pa.string())])
    if name == "label" and pa.types.is_struct(kind):
        return pa.chunked_array([pa.array([label_object(each or {}) for each in column.to_pylist()], pa.string())])
    texts = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    if name == "label" and (pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        return _number_texts(column)
    if not (texts or (name == "label" and (pa.types.is_integer(kind) or pa.types.is_boolean(kind)))):
        _fail(path, got=f"{name} of type {kind}", expected="text")
    try:
        column.validate(full=True)
    except pa.ArrowInvalid as error:
        _fail(path, got=f"{name} with bytes that are not UTF-8 ({error})", expected="text")
    return column.cast(pa.string())


def _holds_lists(column: pa.ChunkedArray) -> bool:
    """Whether cells are lists of text, or of numbers."""
    kind = column.type
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)):
        return False
    values = pc.list_flatten(column).drop_null()
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type) or not len(values):
        return True
    kinds = (pa.types.is_boolean, pa.types.is_integer, pa.types.is_floating)
    return any(is_kind(values.type) for is_kind in kinds)


def _set_text(values: list[object] | None) -> str | None:
    """A list as JSON, booleans and 1.0 as whole numbers; null where it, or some of it, is null."""
    if values is None or None in values:
        return None
    return json.dumps([int(value) if value in (0, 1) else value for value in values], default=str, ensure_ascii=False)


def _number_texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Numbers as text, 1.0 as "1"; null where there is no finite one."""
    values = as_doubles(column)
    finite = pc.fill_null(pc.is_finite(values), fill_value=False)
    return pc.if_else(finite, values, pa.scalar(None, pa.float64())).cast(pa.string())


def _positions(path: Path, header: Sequence[str]) -> list[int]:
    """The index of each of the three columns."""
    names = [name.strip() for name in header]
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        others = f" and {len(names) - _NAMES_SHOWN:,} others" if len(names) > _NAMES_SHOWN else ""
        got = f"columns {', '.join(names[:_NAMES_SHOWN])}{others}; no {', '.join(missing)}"
        _fail(path, got=got, expected=", ".join(COLUMNS))
    twice = [name for name in COLUMNS if names.count(name) > 1]
    if twice:
        _fail(path, got=f"the column {', '.join(twice)} twice", expected="it once")
    return [names.index(name) for name in COLUMNS]


def _checked(
    path: Path,
    numbers: Sequence[int],
    columns: tuple[Sequence[object], ...],
    owners: Mapping[str, Sequence[object]],
    *,
    unit: str,
) -> pa.Table:
    if not numbers:
        _fail(path, got="a header and no labels", expected="at least one label")
    ids, labels, time_cells = columns
    times: list[datetime | None] = [_time(cell) for cell in time_cells]
    label_owners = _Owners.of(owners, len(numbers))
    problems = [f"{unit} {each}" for each in _problems(numbers, ids, labels, time_cells, times)]
    problems += [
        f"{unit} {number}: {each}" for number, each in zip(numbers, label_owners.problems, strict=True) if each
    ]
    if problems:
        shown = "; ".join(problems[:_PROBLEMS_SHOWN])
        more = f"; and {len(problems) - _PROBLEMS_SHOWN} more" if len(problems) > _PROBLEMS_SHOWN else ""
        _fail(
            path,
            got=shown + more,
            expected=(
                f"an id of at most {ID_CHARACTERS} characters, a label of at most {LABEL_CHARACTERS} and {_TIMES} "
                f"in each {unit}"
            ),
        )
    named = [
        label if output is None else label_object({output: label})
        for output, label in zip(label_owners.outputs, labels, strict=True)
    ]
    arrays = [pa.array(ids, pa.string()), pa.array(named, pa.string()), pa.array(times, TIMESTAMP)]
    arrays += [pa.array(label_owners.models, pa.string()), pa.array(label_owners.versions, pa.int64())]
    return pa.Table.from_arrays(arrays, names=[*COLUMNS, "model", "version"])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Owners:
    """What each label of a file is for, [n], and what is wrong with it, empty where nothing is."""

    models: Sequence[str | None]
    versions: Sequence[int | None]
    outputs: Sequence[str | None]
    problems: Sequence[str]

    @classmethod
    def of(cls, cells: Mapping[str, Sequence[object]], count: int) -> _Owners:
        """Those of cells by column; a column `output` of numbers alone holds answers, and names nothing."""
        texts = {name: [None if cell is None else str(cell) for cell in column] for name, column in cells.items()}
        models = texts.get("model", [None] * count)
        versions = texts.get("version", [None] * count)
        outputs = texts.get("output", [None] * count)
        if all(output is None or _is_number(output) for output in outputs):
            outputs = [None] * count
        problems = [_owner_problem(*owner) for owner in zip(models, versions, outputs, strict=True)]
        numbers = [int(version) if version is not None and version.isdecimal() else None for version in versions]
        return cls(models=models, versions=numbers, outputs=outputs, problems=problems)


def _owner_problem(model: str | None, version: str | None, output: str | None) -> str:
    if any(len(name) > ID_CHARACTERS for name in (model, output) if name is not None):
        return f"a model or output of more than {ID_CHARACTERS} characters"
    if version is not None and not (version.isdecimal() and len(version) <= _VERSION_DIGITS):
        return f"version {version!r}, which is no whole number"
    return "a version without a model" if version is not None and model is None else ""


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _problems(
    numbers: Sequence[int],
    ids: Sequence[object],
    labels: Sequence[object],
    time_cells: Sequence[object],
    times: Sequence[datetime | None],
) -> Iterator[str]:
    for number, each, label, cell, time in zip(numbers, ids, labels, time_cells, times, strict=True):
        if each in (None, ""):
            yield f"{number}: no prediction_id"
        elif isinstance(each, str) and len(each) > ID_CHARACTERS:
            yield f"{number}: a prediction_id of {len(each):,} characters"
        if label in (None, ""):
            yield f"{number}: no label"
        elif isinstance(label, str) and len(label) > LABEL_CHARACTERS:
            yield f"{number}: a label of {len(label):,} characters"
        if time is None:
            yield f"{number}: label_time {cell!r}"


def _time(value: object) -> datetime | None:
    """The time in a cell, in UTC; None if there is no valid one."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    try:
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    except OverflowError:  # in UTC it lies outside the years 1 to 9999
        return None


def _fail(path: Path, *, got: str, expected: str) -> NoReturn:
    raise BadInput(f"The labels in {path} cannot be used.", got=got, expected=expected, fix=_FIX)
