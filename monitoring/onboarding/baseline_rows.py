"""The rows of a reference table that make a baseline, and what was left out of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.baseline.undated import in_drawn_order, rows_per_window
from monitoring.config.table_section import TableFormat
from monitoring.errors import BadInput
from monitoring.evidence.conformal import MIN_WINDOWS
from monitoring.judging.window.windowing import split_by_window
from monitoring.onboarding.reference_notes import FEW_WINDOWS, min_rows
from monitoring.onboarding.table_description import TableDescription, check_slices, columns_described, columns_to_come
from monitoring.sentences.finding_text import finding_text
from monitoring.timestamps import as_datetime
from monitoring.traffic.cells import as_strings
from monitoring.traffic.column_roles import ColumnRole
from monitoring.traffic.tables.batches import names_of, with_batch_times
from monitoring.traffic.tables.columns import TableColumns, named_columns
from monitoring.traffic.tables.extents import EventTimeRange
from monitoring.traffic.tables.files import pieces_of
from monitoring.traffic.tables.reference import LoadedPiece, dates_of, read_all, types_of, with_written_types
from monitoring.traffic.tables.table import Table
from monitoring.traffic.tables.table_format import AS_FILES_SHOW, has_dates
from monitoring.traffic.tables.times import conversion_of
from monitoring.traffic.windows import CalendarPlan, RowPlan, Window, WindowPlan

_NO_ZONE = "Event times have no zone, and were taken as {}."


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineRows:
    """A reference table as a baseline is made of it.

    Attributes:
        table: rows with a usable answer, each once, in order of event time: columns as `RowBatch.table` has them.
        rows_per_window: how rows without dates are cut into windows, in their drawn order; None for rows with dates.
    """

    table: pa.Table
    columns: TableColumns
    types: Mapping[str, str]
    lost: Mapping[str, int]
    notes: tuple[str, ...]
    left_out: Mapping[str, str]
    rows_per_window: int | None = None
    batches: int = 0
    format: TableFormat = AS_FILES_SHOW

    @property
    def span(self) -> timedelta | None:
        """From the first row to the last; None for rows without dates."""
        if self.rows_per_window is not None or self.batches:
            return None
        ends = pc.min_max(self.table["event_time"])
        return ends["max"].as_py() - ends["min"].as_py() if self.table.num_rows else timedelta(0)

    @property
    def roles(self) -> tuple[ColumnRole, ...]:
        """What each column of the reference was taken for, in its order."""
        columns = self.columns
        mapped = columns.roles
        of_output = {
            name: f"of output {output}"
            for output, output_columns in columns.outputs.items()
            for name in (*output_columns.answer, output_columns.label)
        }
        roles = []
        sources = {each.source: each for each in columns.described}
        for name in self.types:
            if name in sources:
                watched = f"watched as {', '.join(sources[name].kinds)}"
                roles.append(ColumnRole(name=name, role="input", kind=sources[name].kind, why=watched))
                continue
            kind = columns.inputs.get(name, "")
            role = mapped.get(name, "input" if kind else "left out")
            why = of_output.get(name, "") if name in mapped else self.left_out.get(name, "" if kind else "not named")
            roles.append(ColumnRole(name=name, role=role, kind=kind, why=why))
        return tuple(roles)

    @property
    def label_delays(self) -> NDArray[np.int64]:
        """How long after its row each label became known, int64 [labels], in microseconds."""
        labelled = self.table.filter(self.table["label"].is_valid())
        times = labelled["label_time"].cast(pa.int64()), labelled["event_time"].cast(pa.int64())
        return np.asarray(pc.subtract(*times).drop_null(), dtype=np.int64)


def read_reference(place: Path | str, description: TableDescription, *, clock: Callable[[], datetime]) -> BaselineRows:
    """Read a reference table."""
    pieces = read_all(pieces_of(place, named_columns(description.config).format))
    types = types_of(pieces)
    description, form_notes = _with_date_order(pieces, description)
    columns, left_out = columns_described(pieces, description)
    check_slices(pieces, description)
    categories = [name for name, kind in columns.plain_inputs.items() if kind == "category"]
    pieces, types = with_written_types(pieces, types, categories)
    batches = () if columns.batches is None else names_of(pieces, columns.batches)
    batched = len(batches) >= MIN_WINDOWS
    dated = columns.event_time in types or batched
    if not dated or batched:
        pieces = _with_batches(pieces, columns, batches) if batched else _with_places(pieces, columns)
    rows = Table.of(pieces, columns, inside=EventTimeRange.of(now=clock()))
    times = rows.event_times()
    if not times.size and not batched:
        _refuse_times(types[columns.event_time], columns.event_time, pieces)
    repeats = rows.repeated_rows()
    if repeats > times.size:
        _refuse_ids(times.size, repeats, columns.prediction_id)
    scan = rows.window(Window(start=as_datetime(int(times[0])), end=as_datetime(int(times[-1]) + 1)))
    table, unanswered = _with_answers(scan.read(), columns, types)
    mixed = _input_notes(table, scan.sums.found_in_files(), columns)
    if not dated:
        table = in_drawn_order(table, _groups(pieces, table, description.group_column))
    notes = (
        *dict.fromkeys(finding_text(finding) for finding in (*rows.times.findings, *scan.findings())),
        *([f"{repeats} rows repeat another's id, and were left out."] if repeats else []),
        *([f"{unanswered} rows without a usable answer were left out."] if unanswered else []),
        *mixed,
        *([f"No inputs: {', '.join(_named(name, why) for name, why in left_out.items())}."] if left_out else []),
        *(
            f"The reference has no column {name} ({option}): it is looked for in the traffic."
            for option, name in columns_to_come(types, description).items()
        ),
        *([_NO_ZONE.format(columns.naive_timezone)] if rows.times.naive and dated else []),
        *rows.times.remarks,
        *form_notes,
        *([_few_batches_note(batches)] if columns.batches is not None and not batched else []),
    )
    lost = {"without a usable answer": unanswered, "of an id of another": repeats}
    return BaselineRows(
        table=table,
        columns=columns,
        types=types,
        lost=lost,
        notes=notes,
        left_out=left_out,
        rows_per_window=None if dated else rows_per_window(table.num_rows, description.windows.rows),
        batches=len(batches) if batched else 0,
        format=_guessed(pieces, columns.format),
    )


def window_sizes(rows: BaselineRows, description: TableDescription) -> NDArray[np.int64]:
    """How many rows each window of a reference has."""
    times = np.asarray(rows.table["event_time"].cast(pa.int64()), dtype=np.int64)
    plan: WindowPlan = CalendarPlan(every=description.windows.every, timezone=description.windows.timezone)
    by_rows = rows.rows_per_window or description.windows.rows
    if by_rows is not None or rows.batches:
        plan = RowPlan(rows=by_rows or 1)
    return np.array([places.size for _, places in split_by_window(times, plan)], dtype=np.int64)


def count_windows(rows: BaselineRows, description: TableDescription, sizes: NDArray[np.int64]) -> int:
    """How many windows a reference makes, small ones joined."""
    by_rows = rows.rows_per_window or description.windows.rows
    least = description.min_rows or min_rows(sizes, by_rows)
    windows = size = 0
    for rows_of_window in sizes.tolist():
        size += rows_of_window
        if size >= least:
            windows, size = windows + 1, 0
    if windows < MIN_WINDOWS:
        length = f"{by_rows} rows" if by_rows is not None else "a batch" if rows.batches else description.windows.every
        reasons = ", ".join(f"{lost:,} {why}" for why, lost in rows.lost.items() if lost)
        left_out = f" ({reasons} left out)" if reasons else ""
        raise BadInput(
            "The reference is too short.",
            got=f"{rows.table.num_rows:,} rows that count{left_out} in {windows} windows of {length}, small ones "
            f"joined to {least} rows",
            expected=f"at least {MIN_WINDOWS} windows, better {FEW_WINDOWS} or more",
            fix="Give a longer reference, or cut shorter windows: --every 6h, or --rows 500."
            if rows.rows_per_window is None
            else "Give a longer reference: a few hundred rows at least.",
        )
    return windows


def _with_date_order(
    pieces: tuple[LoadedPiece, ...], description: TableDescription
) -> tuple[TableDescription, tuple[str, ...]]:
    """The description with what dates have first, where that is not said but shows; and a note of it."""
    if description.traffic.day_first is not None:
        return description, ()
    columns = named_columns(description.config)
    order = dates_of(pieces, (columns.event_time, columns.label_time))
    if order is None:
        return description, ()
    first, example = ("day", "31/12/2025") if order else ("month", "12/31/2025")
    note = f"Dates are read with the {first} first, as in {example}: the config says so, day_first."
    return description.changed("traffic", day_first=order), (note,)


def _few_batches_note(batches: Sequence[str]) -> str:
    """What a reference of one batch, or of few, means."""
    count = f"{len(batches)} batches" if len(batches) != 1 else "one batch"
    return (
        f"The reference has {count}: how much good batches differ is not known of it. A reference of 20 batches or "
        "more shows it."
    )


def _guessed(pieces: tuple[LoadedPiece, ...], form: TableFormat) -> TableFormat:
    """How files are written: as is said, else as the first file shows that does."""
    for guess in (piece.raw.guessed for piece in pieces):
        form = form.replaced(separator=form.separator or guess.separator, decimal=form.decimal or guess.decimal)
    return form


def _with_batches(
    pieces: tuple[LoadedPiece, ...], columns: TableColumns, batches: Sequence[str]
) -> tuple[LoadedPiece, ...]:
    """Pieces with the place of each row's batch in place of an event time, and labels as of their row."""
    key, new_pieces = columns.batches, []
    assert key is not None  # noqa: S101 - for the type checker: there are batches
    times = {name: place for place, name in enumerate(batches)}
    for piece in pieces:
        raw = with_batch_times(piece.raw, piece.name, key, times)
        if columns.label_time in raw.table.column_names:
            raw = replace(raw, table=raw.table.drop_columns([columns.label_time]))
        new_pieces.append(replace(piece, raw=raw))
    return tuple(new_pieces)


def _with_places(pieces: tuple[LoadedPiece, ...], columns: TableColumns) -> tuple[LoadedPiece, ...]:
    """Pieces without event times, with the place of each row in place of one, and labels as of their row."""
    new_pieces, first = [], 0
    for piece in pieces:
        table, rows = piece.raw.table, piece.raw.table.num_rows
        if columns.label_time in table.column_names:
            table = table.drop_columns([columns.label_time])
        places = pa.array(first + np.arange(rows), pa.int64()).cast(pa.timestamp("us", tz="UTC"))
        new_pieces.append(replace(piece, raw=replace(piece.raw, table=table.append_column(columns.event_time, places))))
        first += rows
    return tuple(new_pieces)


def _named(name: str, why: str) -> str:
    return str(ColumnRole(name=name, role="left out", why=why))


def _groups(pieces: tuple[LoadedPiece, ...], table: pa.Table, name: str | None) -> pa.Array | None:
    """The group of each row, whose event time is its place in the pieces; None where there are no groups."""
    if name is None:
        return None
    cells = [
        as_strings(piece.raw.cells(name)).cast(pa.large_string())
        if name in piece.raw.table.column_names
        else pa.nulls(piece.raw.table.num_rows, pa.large_string())
        for piece in pieces
    ]
    return pa.concat_arrays(cells).take(table["event_time"].combine_chunks().cast(pa.int64()))


def _refuse_times(kind: str, column: str, pieces: tuple[LoadedPiece, ...]) -> NoReturn:
    present = [piece.raw.cells(column).drop_null() for piece in pieces if column in piece.raw.table.column_names]
    cells = [as_strings(column)[0].as_py() for column in present if len(column)]
    shown = f" such as {str(cells[0])[:40]!r}" if cells else ""
    raise BadInput(
        "No row of the reference has an event time.",
        got=f"{column}, of type {kind}{shown}",
        expected="timestamps, dates, or text in ISO 8601, at most a day ahead of the clock",
        fix="Say which of day and month comes first: --day-first or --month-first."
        if has_dates(pa.array([str(cell) for cell in cells[:1]], pa.string()))
        else f"Convert the column first, for example with {conversion_of(cells[0] if cells else None)}.",
    )


def _refuse_ids(rows: int, repeats: int, column: str) -> NoReturn:
    raise BadInput(
        "Most rows of the reference have the id of another row.",
        got=f"{rows + repeats} rows with {rows} ids in the column {column}",
        expected="ids of rows: of rows that share an id one counts",
        fix="Name another column with --prediction-id, or none and drop this one; drop rows that are copies.",
    )


def _with_answers(table: pa.Table, columns: TableColumns, types: Mapping[str, str]) -> tuple[pa.Table, int]:
    """The rows with a usable answer, and how many have none."""
    values = np.asarray(table["probabilities"].combine_chunks().flatten()).reshape(table.num_rows, -1)
    usable = np.isfinite(values).all(axis=1)
    if not usable.any():
        what = "a known class" if columns.predicted else "probabilities: from 0 to 1"
        what += ", and 1 in sum over the classes" if columns.exclusive and not columns.predicted else ""
        what = "lists of ids, best first" if columns.ranking is not None else what
        raise BadInput(
            "No row of the reference has a usable answer.",
            got=f"{table.num_rows} rows of {', '.join(f'{name} ({types[name]})' for name in columns.answer)}",
            expected=what,
            fix="Name the column of probabilities; scores of another scale have to be calibrated first.",
        )
    return table.filter(pa.array(usable)), int((~usable).sum())


def _input_notes(table: pa.Table, problems: Mapping[str, str], columns: TableColumns) -> list[str]:
    """What is said of inputs that differ from file to file. Raises BadInput for one without a usable cell."""
    wrong = {name: problem for name, problem in problems.items() if problem != "absent"}
    lost = [name for name in wrong if not np.isfinite(_usable_cells(table[name])).any()]
    if lost:
        raise BadInput(
            "An input is of another kind than it was declared.",
            got=f"{lost[0]}, a {columns.inputs[lost[0]]}: {wrong[lost[0]].removeprefix('type changed to ')}",
            expected="numbers for a number; text, whole numbers or booleans for a category",
            fix="Declare the other kind, --features NAME:number or NAME:category, or convert the column.",
        )
    return [f"{name} is {problem} in a part of the reference: missing there." for name, problem in problems.items()]


def _usable_cells(column: pa.ChunkedArray) -> NDArray[np.float64]:
    """A number for each cell that holds something, NaN for the others."""
    if pa.types.is_floating(column.type):
        return np.asarray(column, dtype=np.float64)
    return np.where(np.asarray(column.is_valid()), 0.0, np.nan)
