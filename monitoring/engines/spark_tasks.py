"""What an executor of Spark runs: rows of numbers in, partials out; what a task cannot do comes back as data."""

from __future__ import annotations

import json
import pickle
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from typing_extensions import override

from monitoring.baseline.predictions import no_predictions
from monitoring.engines.codec import decoded, encoded
from monitoring.engines.labelled_rows import known_as, with_labels
from monitoring.engines.partial import CountedRows, Partial
from monitoring.engines.recipe import Recipe, unpacked
from monitoring.engines.spark_jobs import TASK_ERROR
from monitoring.engines.task import gathered
from monitoring.errors import PitfallsError
from monitoring.judging.window.label_findings import UnknownClassLabels
from monitoring.judging.window.window_sums import WindowAggregator
from monitoring.tasks.label_codes import label_digests
from monitoring.traffic.id_keys import IdSet, id_keys, is_member
from monitoring.traffic.tables.label_import import LabelRouting
from monitoring.traffic.tables.piece_reader import PieceReader
from monitoring.traffic.tables.pieces import WholePiece
from monitoring.traffic.tables.raw_rows import RawRows
from monitoring.traffic.tables.read_sums import ReadSums
from monitoring.traffic.tables.repeats import identified_rows, with_keys
from monitoring.traffic.tables.row_batches import PieceRows, RowBatch

#: Bytes of partials that are added up to one, at most: 8 of each row with its label are among them.
MERGED_BYTES = 1 << 26

#: Rows that are scored at once.
_ROWS = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class FramePiece(WholePiece):
    """Stands for the piece of a file, where rows come from a frame: some of them; every row has an id of its own."""

    rows: RawRows
    name: str = "frame"
    first_row: int = 0

    @override
    def read(self, names: Collection[str] | None = None) -> RawRows:
        wanted = [name for name in self.rows.table.column_names if names is None or name in names]
        return replace(self.rows, table=self.rows.table.select(wanted))


@dataclass(slots=True, eq=False)
class _Window:
    """What is known of one window's rows so far."""

    aggregator: WindowAggregator
    read: ReadSums = field(default_factory=ReadSums)
    unknown: UnknownClassLabels = field(default_factory=UnknownClassLabels)
    counted: list[CountedRows] = field(default_factory=list)


def gathered_of_frame(
    recipe: Recipe, spans: Sequence[tuple[int, int]], batches: Iterable[pa.RecordBatch], left_out: NDArray[np.int64]
) -> Iterator[Partial]:
    """Sum up the rows of a partition.

    Args:
        spans: Start and end of each window in microseconds, in order, none of which overlaps another.
        batches: The rows, in any order; rows of no window are ignored.
        left_out: Keys of the ids of rows that are counted elsewhere, as several rows share them, sorted.
    """
    starts, ends = (np.array([span[place] for span in spans], dtype=np.int64) for place in (0, 1))
    apart = None if recipe.labelled_apart is None else IdSet.of_keys(recipe.labelled_apart)
    routing = LabelRouting({}, None if apart is None else lambda: apart)
    reader = PieceReader(recipe.columns)
    windows: dict[int, _Window] = {}
    header: RawRows | None = None
    for batch in _of_a_size(batches):
        raw = RawRows.of(pa.Table.from_batches([batch]))
        header = header or raw
        rows = PieceRows(piece=FramePiece(rows=raw), columns=recipe.columns, reader=reader)
        whole = rows.batch_of(raw, 0, header)
        place = np.searchsorted(starts, whole.event_us, side="right") - 1
        inside = whole.timed & (place >= 0) & (whole.event_us < ends[np.maximum(place, 0)])
        if left_out.size and len(whole):
            inside &= ~is_member(id_keys(whole.all_ids()), left_out)
        for number in np.unique(place[inside]).tolist():
            if number not in windows:
                windows[number] = _Window(WindowAggregator(recipe.scorer, recipe.profiles))
            in_window = inside & (place == number)
            part = whole if in_window.all() else whole.take(np.flatnonzero(in_window))
            _add(windows[number], part, recipe, routing, spans[number][0])
    for number in sorted(windows):
        window = windows[number]
        yield Partial(
            start=spans[number][0],
            end=spans[number][1],
            sums=window.aggregator.result(no_predictions(recipe.spec)),
            read=window.read,
            unknown=window.unknown,
            counted=tuple(window.counted),
        )


def _add(window: _Window, part: RowBatch, recipe: Recipe, routing: LabelRouting, start: int) -> None:
    each = with_labels(part, routing.inline(0, part), recipe.spec.task)
    window.aggregator.add_with_labels(each.batch, start)
    window.read += ReadSums.of(part, 0)
    window.unknown += each.unknown
    labelled = np.flatnonzero(each.labelled)
    if labelled.size:
        file, rows = known_as(part, labelled, has_ids=True)
        window.counted.append(CountedRows(file=file, rows=rows, labels=label_digests(each.batch.labels[labelled])))


def _of_a_size(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        for first in range(0, batch.num_rows, _ROWS):
            yield batch.slice(first, _ROWS)


_SCHEMA = pa.schema(
    [
        pa.field("number", pa.int64()),
        pa.field("start", pa.int64()),
        pa.field("data", pa.binary()),
        pa.field("error", pa.string()),
    ]
)


def run_works(batches: Iterator[pa.RecordBatch], packed: bytes, pickles: Sequence[bytes]) -> Iterator[pa.RecordBatch]:
    """Run the tasks of some numbers."""
    for batch in batches:
        for number in batch.column(0).to_pylist():
            yield from _sent(packed, number, lambda plan, number=number: gathered(plan, pickle.loads(pickles[number])))  # noqa: S301 - the driver's own, of the same job


def run_frame(
    batches: Iterator[pa.RecordBatch], packed: bytes, spans: Sequence[tuple[int, int]], left_out: NDArray[np.int64]
) -> Iterator[pa.RecordBatch]:
    """Sum up the rows of a partition."""
    from pyspark import TaskContext  # noqa: PLC0415 - there on executors alone

    context = TaskContext.get()
    number = 0 if context is None else context.partitionId()
    yield from _sent(packed, number, lambda plan: gathered_of_frame(plan, spans, batches, left_out))


def run_ids(
    batches: Iterator[pa.RecordBatch],
    plan: bytes,
    groups: Sequence[bytes],
    keys: NDArray[np.int64] | None,
    *,
    keys_alone: bool,
) -> Iterator[pa.RecordBatch]:
    """Go through the ids of the pieces of some groups.

    Args:
        keys: Keys of the ids of rows that are wanted, sorted; None for all.
        keys_alone: Whether nothing but the key of each row is wanted.

    Yields:
        Rows: their keys; and unless these alone are wanted the piece, the place, the event time, and the id.

    Raises:
        RuntimeError: A file cannot be read; in its text is the error, for the driver.
    """
    columns, inside = pickle.loads(plan)  # noqa: S301 - the driver's own, of the same job
    reader = PieceReader(columns)
    try:
        for number in (number for batch in batches for number in batch.column(0).to_pylist()):
            for extent in pickle.loads(groups[number]):  # noqa: S301 - as above
                for rows in identified_rows(extent, columns, reader, inside):
                    some = rows if keys is None else with_keys(rows, keys)
                    found = {"key": id_keys(some.ids)}
                    if not keys_alone:
                        found |= {"number": np.full(some.us.size, extent.number), "place": some.places, "us": some.us}
                        found["id"] = some.ids.cast(pa.string())
                    yield pa.RecordBatch.from_pydict(found)
    except PitfallsError as error:
        raise RuntimeError(TASK_ERROR + json.dumps(_words(error))) from error


def merged_rows(rows: pa.Table, packed: bytes) -> pa.Table:
    """Add up what tasks have sent of one window, in the order of their numbers; what a task could not do is left alone.

    Args:
        rows: Of the columns number, start, data and error.

    Returns:
        One row; several where they would be beyond `MERGED_BYTES`.
    """
    rows = rows.select(_SCHEMA.names).sort_by("number").cast(_SCHEMA)
    if rows.num_rows == 1 or any(rows["error"].to_pylist()):
        return rows
    plan, merged = unpacked(packed), list[pa.RecordBatch]()
    numbers, sizes = rows["number"].to_pylist(), pc.binary_length(rows["data"]).to_pylist()
    first, partial, size = 0, decoded(rows["data"][0].as_buffer(), plan), sizes[0]
    for place in range(1, rows.num_rows):
        other = decoded(rows["data"][place].as_buffer(), plan)
        if size + sizes[place] > MERGED_BYTES:
            merged.append(_row(numbers[first], partial, plan))
            first, partial, size = place, other, sizes[place]
        else:
            partial, size = partial + other, size + sizes[place]
    return pa.Table.from_batches([*merged, _row(numbers[first], partial, plan)])


def _words(error: PitfallsError) -> list[str]:
    return [type(error).__name__, error.what, error.got, error.expected, error.fix]


def _sent(packed: bytes, number: int, run: Any) -> Iterator[pa.RecordBatch]:
    try:
        plan = unpacked(packed)
        partials: Iterator[Partial] = run(plan)
        for partial in partials:
            yield _row(number, partial, plan)
    except PitfallsError as error:
        text = json.dumps(_words(error))
        yield pa.RecordBatch.from_pylist([{"number": number, "start": -1, "data": b"", "error": text}], schema=_SCHEMA)


def _row(number: int, partial: Partial, plan: Recipe) -> pa.RecordBatch:
    row = {"number": number, "start": partial.start, "data": encoded(partial, plan), "error": ""}
    return pa.RecordBatch.from_pylist([row], schema=_SCHEMA)
