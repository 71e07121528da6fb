"""A table of predictions as runs read it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from typing_extensions import override

from monitoring.baseline.predictions import Predictions, predictions_from
from monitoring.baseline.spec import BaselineSpec
from monitoring.engines.engine import Engine
from monitoring.engines.gathering import Gathering
from monitoring.engines.kept_partials import KeptPartials
from monitoring.engines.recipe import Recipe
from monitoring.engines.task import LocalEngine
from monitoring.errors import BadInput
from monitoring.judging.window.traffic_source import TrafficSource
from monitoring.judging.window.window_sums import WindowAggregator
from monitoring.records import Finding
from monitoring.records.finding_parts import NoTimes
from monitoring.sources.read_scope import EVERYTHING, Reading, ReadScope
from monitoring.sources.table_window import OtherReaders, TableWindow
from monitoring.tasks.label_codes import label_digests
from monitoring.timestamps import as_datetime, as_microseconds, duration_microseconds
from monitoring.traffic.descriptors.encoded_image import images_by_id
from monitoring.traffic.id_keys import IdSet, id_keys
from monitoring.traffic.labels.label_log import LabelLog
from monitoring.traffic.ranked_ids import ids_by_code
from monitoring.traffic.tables.batches import BatchPiece, SeenBatches, repeated_batches
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.delimited import other_delimiter_fix
from monitoring.traffic.tables.extents import EventTimeRange
from monitoring.traffic.tables.files import pieces_of
from monitoring.traffic.tables.inline_labels import InlineLabels
from monitoring.traffic.tables.kept_sums import KeptSumsFolder
from monitoring.traffic.tables.label_import import (
    NO_IMPORTED_LABELS,
    LabelDestination,
    LabelRouting,
    import_labels,
    label_keys,
    once_each,
    row_labels,
)
from monitoring.traffic.tables.label_tables import LABEL_SCHEMA, LabelTables
from monitoring.traffic.tables.pieces import TablePiece
from monitoring.traffic.tables.table import Table
from monitoring.traffic.tables.times import ORDER_UNKNOWN
from monitoring.traffic.windows import Window, contiguous_spans


class TableSource(TrafficSource):
    """Reads a table of predictions, window by window, as the baseline declares its inputs. A `TrafficSource`.

    Labels that became known with their rows are counted with them; all others go through the label log (see
    `LabelRouting`), into which the job brings them when the source is made: make it while no other run is at work.
    """

    def __init__(
        self,
        path: Path | str,
        columns: TableColumns,
        spec: BaselineSpec,
        *,
        labels: tuple[Path, Path | str | None],
        clock: Callable[[], datetime],
        scope: ReadScope = EVERYTHING,
    ) -> None:
        """Finds out what the table's files hold, and brings labels into the label log if the job reads.

        Args:
            labels: the folder of the label log, and the tables of labels, None where there are none.
        """
        label_log, label_tables = labels
        self._spec = spec
        self._unjudged_from = 0 if scope.judged_until is None else as_microseconds(scope.judged_until)
        self._label_log = label_log
        self._counted = InlineLabels(label_log)
        if scope.job:
            self._counted.begin(scope.counted_since or scope.since, scope.judged_until)
        new_since = _new_since(scope, self._counted.earliest())
        pieces: Sequence[TablePiece] = pieces_of(path, columns.format, in_parts=True, in_place=scope.reading.in_place)
        batches: Mapping[str, int] = {}
        if columns.batches is not None:
            if columns.batches.column is None and Path(path).is_file():
                _refuse_one_file(Path(path))
            seen_batches = SeenBatches(label_log)
            batches = seen_batches.see(pieces, columns.batches, clock()) if scope.job else seen_batches.read()
            pieces = [BatchPiece(piece=piece, key=columns.batches, moments=batches) for piece in pieces]
        now = clock() if scope.job else None  # the job reports rows ahead of the clock; others need not know of them
        inside = EventTimeRange.of(since=scope.since, now=now)
        self._table = Table.of(pieces, columns, inside=inside, batches=batches, ids=scope.reading.ids)
        if self._table.times.no_valid_time:
            header = self._table.reader.header(pieces[0]).table.column_names
            _refuse_table(self._table.times.findings, header)
        self._label_tables = LabelTables.at(label_tables, columns)
        self._imported = NO_IMPORTED_LABELS
        if scope.job:
            destination = LabelDestination(root=label_log, inline=self._counted, digests=self._digests, clock=clock)
            self._imported = import_labels(
                self._table, self._label_tables, destination, since=new_since, judged_until=scope.judged_until
            )
        self._table.forget()
        pa.default_memory_pool().release_unused()
        self._gathering: Gathering | None = None
        self._kept_partials: KeptPartials | None = None
        self.read_by(scope.reading)

    @cached_property
    def _routing(self) -> LabelRouting:
        return LabelRouting.of(self._table, self._label_tables)

    def _digests(self, words: pa.ChunkedArray) -> NDArray[np.int64]:
        """What labels, as text [n], are kept as, [n]."""
        return label_digests(self._spec.task.label_codes(words))

    @property
    def excluded_rows(self) -> int:
        """See `TrafficSource`: a table does not know its callers."""
        return 0

    @property
    @override
    def source_findings(self) -> tuple[Finding, ...]:
        remarks = (Finding(kind="file format", feature="", message=text) for text in self._table.times.remarks)
        return (*self._table.times.findings, *remarks, *self._imported.findings, *self._repeated_batches)

    @cached_property
    def _repeated_batches(self) -> tuple[Finding, ...]:
        """What is to be said of the batches after the last window judged that make none."""
        new = {name: us for name, us in self._table.batches.items() if us >= self._unjudged_from}
        starts = map(as_datetime, new.values())
        counts = self._table.counts([Window(start=start, end=start + timedelta(microseconds=1)) for start in starts])
        return repeated_batches(dict(zip(new, map(tuple, counts.tolist()), strict=True)))

    @property
    @override
    def waiting_ids(self) -> pa.Array:
        return self._imported.unmatched

    def of_other_models(self, ids: pa.Array) -> NDArray[np.bool_]:
        """See `TrafficSource`: a table is of one model."""
        return np.zeros(len(ids), dtype=np.bool_)

    @override
    def was_answered(self, ids: pa.Array, before: int) -> NDArray[np.bool_]:
        is_matched = self._imported.matched.contains(ids)
        return is_matched if is_matched.all() else is_matched | self._logged_with_a_row.contains(ids)

    @override
    def older(self, ids: pa.Array) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        return IdSet(self._table.occurring_before(ids)).contains(ids), np.zeros(len(ids), dtype=np.bool_)

    @cached_property
    def _logged_with_a_row(self) -> IdSet:
        """Ids of labels in the log that a row has, whoever wrote them there. Cost: a pass over the table's ids."""
        keys = [id_keys(labels["prediction_id"].combine_chunks()) for labels in self.label_parts()]
        return self._table.occurring(IdSet.of_keys(np.unique(np.concatenate([np.zeros(0, np.int64), *keys]))))

    @override
    def read(self, window: Window) -> tuple[Predictions, int]:
        scan = self._at(window).window(window)
        rows = scan.read().drop_columns(["label", "label_time"])
        return replace(predictions_from(rows, self._spec), problems=scan.sums.input_problems()), scan.sums.repeats

    @override
    def rows(self, window: Window) -> TableWindow:
        return TableWindow(
            self._table,
            window,
            spec=self._spec,
            counted=self._counted,
            routing=self._routing,
            others=OtherReaders(gathered=self._gathering, whole=self._whole, meanwhile=self._meanwhile),
        )

    @property
    def table(self) -> Table:
        """The table, with the columns that are here."""
        return self._table

    def _at(self, window: Window) -> Table:
        """A table that has the rows of a window with all columns."""
        return self._table if self._whole is None else self._whole(window)

    def read_by(self, reading: Reading) -> None:
        """Have others read the rows."""
        self._whole, self._engine, self._meanwhile = reading.whole, reading.engine, reading.meanwhile
        if reading.engine is not None:
            self._gathering = self._gathered_by(reading.engine, None)

    def _gathered_by(self, engine: Engine, kept_partials: KeptPartials | None) -> Gathering:
        is_copy = self._whole is not None
        return Gathering(engine, self._table, self._spec, self._routing, kept_partials=kept_partials, is_copy=is_copy)

    @override
    def expect(self, windows: Sequence[Window]) -> None:
        if self._gathering is not None:
            self._gathering.expect(windows)

    @override
    def forget(self) -> None:
        self._table.forget()

    @override
    def images(self, name: str, window: Window, ids: IdSet) -> dict[str, bytes]:
        return images_by_id(self._at(window).cells(name, window, ids))

    @override
    def answered_ids(self, window: Window, ids: IdSet) -> dict[int, str]:
        cells = self._at(window).cells(self._table.columns.answer[0], window, ids)
        return ids_by_code(pa.array([*cells.values()]))

    @property
    def has_counted_rows(self) -> bool:
        """See `TrafficSource`: the ids of all rows are gone through when the table is opened."""
        return True

    @property
    @override
    def labels_by_id(self) -> bool:
        return True

    @override
    def keep(self, folder: Path, aggregator: WindowAggregator, *, judges: bool) -> None:
        recipe = Recipe.of(aggregator, self._spec, self._table.columns)
        self._kept_partials = KeptPartials(KeptSumsFolder(folder), recipe)
        if judges:
            engine = LocalEngine(self._meanwhile) if self._engine is None else self._engine
            self._gathering = self._gathered_by(engine, self._kept_partials)

    @override
    def why_not_kept(self, window: Window) -> str:
        return "" if self._kept_partials is None else self._kept_partials.why_not(window)

    @override
    def kept_labels(self, window: Window) -> int | None:
        if self._kept_partials is None or not self._kept_partials.of(window) or self._table.counts([window])[0, 0]:
            return None
        return self._kept_partials.labels(window)

    def missing_rows(self, window: Window) -> int:
        """See `TrafficSource`: a table does not say what is missing in it."""
        return 0

    @override
    def spans(self, longest_gap: timedelta) -> tuple[tuple[datetime, datetime], ...]:
        ends = self._table.ends(longest_gap)
        if self._kept_partials is not None:
            ends = np.sort(np.append(ends, self._kept_partials.times(self._table, duration_microseconds(longest_gap))))
        return contiguous_spans(ends, longest_gap)

    @override
    def row_counts(self, windows: Sequence[Window]) -> NDArray[np.int64]:
        if self._kept_partials is not None:
            return self._kept_partials.counts(self._table, windows)
        return self._table.counts(windows)

    def may_have_more(self, windows: Sequence[Window], rows: Sequence[int]) -> bool:
        """See `TrafficSource`: rows that do not count are counted too."""
        return self._table.has_more(windows, rows)

    @override
    def event_times(self) -> NDArray[np.int64]:
        return self._table.event_times()

    @override
    def labels(self) -> pa.Table:
        return LabelLog(self._label_log).read()

    @override
    def label_parts(self) -> Iterator[pa.Table]:
        return LabelLog(self._label_log).parts()

    @override
    def latest_labels(self, ids: pa.Array | None = None) -> pa.Table:
        log = LabelLog(self._label_log) if self._label_log.is_dir() else None  # there is none before the first run
        latest = LABEL_SCHEMA.empty_table()
        if log is not None:
            latest = log.latest().select(LABEL_SCHEMA.names).cast(LABEL_SCHEMA)
        if self._label_tables is not None:
            labels = self._label_tables.labels(self._table)
            if log is not None:
                new = once_each([labels], label_keys(log.parts()))
                labels = pa.concat_tables([LABEL_SCHEMA.empty_table(), *new])
            latest = _with_others(_last_of_each(labels), latest)
        return _with_others(latest, row_labels(self._table))


def _with_others(labels: pa.Table, others: pa.Table) -> pa.Table:
    """Some labels, and those of the others that are for other predictions."""
    rest = pc.invert(pc.is_in(others["prediction_id"], labels["prediction_id"].combine_chunks()))
    return pa.concat_tables([labels, others.filter(rest)])


def _last_of_each(labels: pa.Table) -> pa.Table:
    """One label for each prediction, the last."""
    codes = labels["prediction_id"].combine_chunks().dictionary_encode().indices.to_numpy()
    last = np.zeros(int(codes.max(initial=-1)) + 1, np.int64)
    last[codes] = np.arange(len(codes))
    return labels.take(pa.array(np.sort(last)))


def _new_since(scope: ReadScope, earliest: datetime | None) -> datetime | None:
    """From which event time on it is known which labels are new, as far as the scope goes.

    Args:
        earliest: the beginning of the first window whose counted labels are known; None if there is none.

    Returns:
        The event time; None for all rows.
    """
    if scope.since is None or scope.new_since is None or earliest is None:
        return scope.new_since or scope.since
    return min(scope.new_since, max(scope.since, earliest))


def _refuse_one_file(path: Path) -> NoReturn:
    raise BadInput(
        "One file is one window, which is judged once.",
        got=f"{path} and by_file: what is written over it later would never be judged",
        expected="a folder, or a pattern of files, to which each batch adds a file with a name of its own",
        fix="Name the folder in the [traffic] section, or use `batch_column`.",
    )


def _refuse_table(findings: tuple[Finding, ...], header: Sequence[str]) -> NoReturn:
    found, problem = findings[0], ""
    got = found.message.rstrip(".") or found.kind
    if isinstance(found.parts, NoTimes):
        problem = found.parts.problem
        state = f"holds no times ({problem})" if problem else "is absent"
        got = f"the column {found.feature} of {found.parts.file} {state}"
    raise BadInput(
        "No row of the table has an event time.",
        got=got,
        expected="timestamps, dates, or text in ISO 8601",
        fix="Write day_first = true or false in the [traffic] section."
        if problem == ORDER_UNKNOWN
        else other_delimiter_fix(header)
        or "Name the right column, `event_time` in the [traffic] section, or convert it. If rows have no times, "
        "cut them by file or batch: `by_file` or `batch_column` in the [windows] section.",
    )
