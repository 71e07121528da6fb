"""A task whose rows are given to it batch by batch: a partition of a frame."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.baseline.predictions import no_predictions
from monitoring.jobs.engines.labelled_rows import known_as, with_labels
from monitoring.jobs.engines.partial import CountedRows, Partial
from monitoring.jobs.engines.recipe import Recipe
from monitoring.judging.window.label_findings import UnknownClassLabels
from monitoring.judging.window.window_sums import WindowAggregator
from monitoring.tasks.label_codes import label_digests
from monitoring.traffic.id_keys import IdSet, id_keys, is_member
from monitoring.traffic.tables.files import RawRows, distinct_columns
from monitoring.traffic.tables.label_import import LabelRouting
from monitoring.traffic.tables.piece_reader import PieceReader
from monitoring.traffic.tables.read_sums import ReadSums
from monitoring.traffic.tables.row_batches import PieceRows, RowBatch

#: Rows that are scored at once.
_ROWS = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class FramePiece:
    """Stands for the piece of a file, where rows come from a frame: some of them; every row has an id of its own."""

    rows: RawRows
    name: str = "frame"
    first_row: int = 0

    def read(self, names: Collection[str] | None = None) -> RawRows:
        """See `TablePiece`."""
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

    Yields:
        A partial for each window with a row, in order.
    """
    starts, ends = (np.array([span[place] for span in spans], dtype=np.int64) for place in (0, 1))
    apart = None if recipe.labelled_apart is None else IdSet.of_keys(recipe.labelled_apart)
    routing = LabelRouting({}, None if apart is None else lambda: apart)
    reader = PieceReader(recipe.columns)
    windows: dict[int, _Window] = {}
    header: RawRows | None = None
    for batch in _of_a_size(batches):
        raw = distinct_columns(pa.Table.from_batches([batch]), None)
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
