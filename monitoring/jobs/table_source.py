"""Anyone's table, as the jobs read it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.baseline.batch import Batch, joined
from monitoring.baseline.predictions import NO_LABEL, Predictions, label_indices, no_predictions, predictions_from
from monitoring.baseline.spec import BaselineSpec
from monitoring.errors import BadInput
from monitoring.judging.window.label_findings import UnknownClassLabels, UnmatchedLabels
from monitoring.judging.window.traffic_source import InMemoryRows, ReadSummary, WindowRows
from monitoring.judging.window.windowing import contiguous_spans
from monitoring.records import Finding
from monitoring.traffic.id_keys import Wanted, keys, member
from monitoring.traffic.labels.label_log import LabelLog
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.delimited import parting
from monitoring.traffic.tables.files import pieces_of
from monitoring.traffic.tables.indexed import TableTraffic, WindowOfTable
from monitoring.traffic.tables.inline_labels import NAMED, Settled, labels_of
from monitoring.traffic.tables.label_import import Gathered, Ledger, gather_beside, gather_labels
from monitoring.traffic.tables.piece_stream import Stream
from monitoring.traffic.tables.rows import about_label_times, own_ids
from monitoring.traffic.tables.streamed import Part, StreamedTable
from monitoring.traffic.windows import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What of the traffic is of interest: rows from `since` on, all of them where it is None.

    Labels that come for rows from `overdue` on are told, though for those before `since` they come too late.
    `job` says that the monitor's job reads, which has judged the windows that end by `judged`, None if there are none.
    """

    since: datetime | None = None
    overdue: datetime | None = None
    judged: datetime | None = None
    job: bool = False


#: All of the traffic, read by somebody else than the job.
EVERYTHING = Reach()


class TableReader:
    """Reads a table of predictions, window by window, as the baseline declares its inputs. A `TrafficSource`.

    Parquet files are streamed, and labels that became known with their rows are counted with them (see
    `StreamedTable`, `Settled`); of all other tables an index is kept, and all labels go through the label log. Labels
    are brought there when the reader is made: make it while no other run is at work. Raises BadInput if
    there are rows and none has an event time.
    """

    def __init__(
        self,
        path: Path | str,
        columns: TableColumns,
        spec: BaselineSpec,
        *,
        labels: tuple[Path, Path | str | None],
        clock: Callable[[], datetime],
        reach: Reach = EVERYTHING,
    ) -> None:
        label_log, apart = labels
        self._spec = spec
        self._columns = columns
        self._latest: tuple[Window, WindowOfTable] | None = None
        self._labels = label_log
        self._pieces = pieces_of(path)
        self._now, self._since = clock(), reach.since
        self._settled = Settled(label_log)
        self._gathered = Gathered()
        self._late = Wanted(pa.array([], pa.string()))
        if reach.job:
            self._settled.begin(reach.overdue, reach.judged)
        overdue = _remembered(reach, self._settled, streamed=True)
        streamed = None
        if apart is None:  # rows ahead of the clock are told by the job; to others they are rows like others
            now = self._now if reach.job else None
            streamed = StreamedTable.of(self._pieces, columns, now=now, since=reach.since, overdue=overdue)
        self._streamed = streamed
        self._overdue = _remembered(reach, self._settled, streamed=streamed is not None)
        ledger = Ledger(root=label_log, settled=self._settled, indices=self._indices, clock=clock)
        if streamed is None:
            if self._table.left_out.untimed:
                raise _untimed(self._table.left_out.findings, self._pieces[0].read().table.column_names)
            self._gathered = gather_labels(self._table, () if apart is None else pieces_of(apart), columns, ledger)
        elif reach.job:
            self._late = Wanted(gather_beside(streamed, columns, ledger, since=overdue, judged=reach.judged))

    def _indices(self, labels: pa.ChunkedArray) -> NDArray[np.int64]:
        return label_indices(labels, self._spec.classes)

    @cached_property
    def _table(self) -> TableTraffic:
        """The table with an index of its rows."""
        return TableTraffic(self._pieces, self._columns, now=self._now, since=self._since, overdue=self._overdue)

    @property
    def source_findings(self) -> tuple[Finding, ...]:
        """See `TrafficSource`."""
        return () if self._streamed is not None else (*self._table.left_out.findings, *self._gathered.findings)

    @property
    def unmatched_labels(self) -> UnmatchedLabels:
        """See `TrafficSource`."""
        return UnmatchedLabels(labels=self._gathered.waiting, one=self._gathered.one)

    def of_other_models(self, ids: pa.Array) -> NDArray[np.bool_]:
        """See `TrafficSource`: a table is of one model."""
        return np.zeros(len(ids), dtype=np.bool_)

    def was_answered(self, ids: pa.Array, before: int) -> NDArray[np.bool_]:
        """See `TrafficSource`."""
        return self._late.among(ids) if self._streamed is not None else self._table.happened(ids)[1]

    def read(self, window: Window) -> tuple[Predictions, int]:
        """The window's rows at once, without labels, and how many repeats were dropped from them."""
        found = self._window(window)
        rows = found.table.drop_columns(["label", "label_time"])
        return replace(predictions_from(rows, self._spec), problems=found.problems), found.repeats

    def rows(self, window: Window) -> WindowRows:
        """See `TrafficSource`."""
        if self._streamed is not None:
            return _StreamedWindow(self._streamed, window, self._spec, self._settled)
        predictions, repeats = self.read(window)
        labels = labels_of(predictions.ids, self._settled.read(window), NO_LABEL)
        predictions = replace(predictions, labels=labels)
        return InMemoryRows(predictions, repeats, lambda: self._window(window).findings)

    def _window(self, window: Window) -> WindowOfTable:
        """The window's rows, kept until another is asked for: they are wanted more than once."""
        if self._latest is None or self._latest[0] != window:
            self._latest = (window, self._table.read(window))
        return self._latest[1]

    def missing_rows(self, window: Window) -> int:
        """A table does not say what is missing in it."""
        return 0

    def spans(self, longest_gap: timedelta) -> tuple[tuple[datetime, datetime], ...]:
        """See `TrafficSource`."""
        ends = None if self._streamed is None else self._streamed.ends(longest_gap)
        return contiguous_spans(self._table.all_times() if ends is None else ends, longest_gap)

    def row_counts(self, windows: Sequence[Window]) -> NDArray[np.int64]:
        """See `TrafficSource`."""
        return self._table.counts(windows) if self._streamed is None else self._streamed.counts(windows)

    def event_times(self) -> NDArray[np.int64]:
        """See `TrafficSource`."""
        return self._table.times()

    def labels(self) -> pa.Table:
        """See `TrafficSource`."""
        return LabelLog(self._labels).read()

    def latest_labels(self) -> pa.Table:
        """See `TrafficSource`."""
        latest = LabelLog(self._labels).latest().select(["prediction_id", "label", "label_time"])
        beside = self._table.labels().cast(latest.schema)
        new = pc.invert(pc.is_in(beside["prediction_id"], latest["prediction_id"].combine_chunks()))
        return pa.concat_tables([latest, beside.filter(new)])


def _remembered(reach: Reach, settled: Settled, *, streamed: bool) -> datetime | None:
    """From when on new labels are told: where it is remembered which of them are new, as far as the reach goes.

    The label log remembers all that are not counted with their rows.
    """
    earliest = settled.earliest()
    if reach.since is None or reach.overdue is None or (streamed and earliest is None):
        return reach.since
    if earliest is None:
        return reach.overdue
    return min(reach.since, max(reach.overdue, earliest))


def _untimed(findings: tuple[Finding, ...], header: Sequence[str]) -> BadInput:
    return BadInput(
        "No row of the table has an event time.",
        got=findings[0].message.rstrip("."),
        expected="timestamps, dates, or text in ISO 8601",
        fix=parting(header) or "Name the right column, `event_time` in the [traffic] section, or convert it.",
    )


class _StreamedWindow:
    """One window of a streamed table. A `WindowRows`."""

    inline_labels = True

    def __init__(self, table: StreamedTable, window: Window, spec: BaselineSpec, settled: Settled) -> None:
        self._table = table
        self._window = window
        self._spec = spec
        self._settled = settled
        self._found = ReadSummary()

    def batches(self) -> Iterator[Batch]:
        """See `WindowRows`."""
        for _, batch, _ in self._all():
            yield batch

    def consume(self) -> Iterator[Batch]:
        """See `WindowRows`."""
        with self._settled.writer(self._window) as writer:
            for part, batch, given in self._all():
                known = np.flatnonzero(given)
                writer.add(*self._known_by(part, known), batch.labels[known])
                yield batch

    def select(self, ids: Wanted) -> tuple[Predictions, int]:
        """See `WindowRows`."""
        counted = self._settled.read(self._window)
        found, newest = [no_predictions(self._spec)], 0
        for part, batch, _ in self._all():
            newest = max(newest, int(batch.event_times.max()))
            mine = np.flatnonzero(ids.among(batch.ids(np.arange(len(batch)))))
            name, rows = self._known_by(part, mine)
            labels = np.full(mine.size, NO_LABEL, dtype=np.int64)
            if name in counted:
                labels = counted[name].of(rows, NO_LABEL)
            found.append(replace(batch.take(mine), labels=labels))
        return replace(joined(found), problems=self._found.problems), newest

    def _known_by(self, part: Part, some: NDArray[np.int64]) -> tuple[str, NDArray[np.int64]]:
        """What some of a part's rows go by among those that were counted: a file and places, or their ids' keys."""
        at = _places(part)[some]
        if self._table.named:
            return NAMED, keys(_ids(part, at))
        return part.piece.name, part.piece.first_row + at

    def summary(self) -> ReadSummary:
        """See `WindowRows`."""
        return self._found

    def _all(self) -> Iterator[tuple[Part, Batch, NDArray[np.bool_]]]:
        """Each part as a batch, and which of its rows have a label that became known with them."""
        streams: list[Stream] = []
        rows = lost = repeats = 0
        strange = UnknownClassLabels()
        for part in self._table.parts(self._window, streams):
            repeats += part.repeats
            if part.places is not None and not part.places.size:
                continue
            shared = self._table.repeats.shared.get(part.piece)
            batch, given, nameless = _batch(part, self._spec.classes, shared)
            rows += len(batch)
            lost += int(np.isnan(batch.probabilities).any(axis=1).sum()) if np.isnan(batch.probabilities.sum()) else 0
            strange += nameless
            yield part, batch, given
        problems: dict[str, str] = {}
        findings: dict[tuple[str, str], Finding] = {}
        for stream in streams:
            problems |= stream.problems
            findings |= {(one.kind, one.feature): one for one in stream.findings}
        about = [*findings.values()]
        if streams:
            about += about_label_times(streams[0].columns.label_time, sum(stream.undated for stream in streams))
        if lost:
            message = f"{lost} of {rows} rows have no answer that is a probability or a known class."
            about.append(Finding(kind="unusable answers", feature="", message=message))
        self._found = ReadSummary(
            repeats=repeats, problems=tuple(problems.items()), unknown_labels=strange, findings=tuple(about)
        )


def _places(part: Part) -> NDArray[np.int64]:
    """Places of the part's rows in its piece."""
    places = np.arange(len(part.rows)) if part.places is None else part.places
    return part.rows.first + places


def _ids(part: Part, at: NDArray[np.int64]) -> pa.Array:
    """Ids of rows by their places in the piece."""
    given = part.rows.ids
    return own_ids(part.piece, at) if given is None else given.take(pa.array(at - part.rows.first))


def _batch(
    part: Part, classes: tuple[str, ...], shared: NDArray[np.int64] | None
) -> tuple[Batch, NDArray[np.bool_], UnknownClassLabels]:
    """The rows, which of them have a label beside them, and those labels that name no class.

    Beside them are those that became known with them, of rows that do not share their id with others.
    """
    rows, places = part.rows, part.places
    words = rows.labels.dictionary
    meanings = np.append(label_indices(pa.chunked_array([words]), classes), NO_LABEL)
    there = np.append(np.asarray(words.is_valid(), dtype=np.bool_), False)
    indices = rows.labels.indices
    codes = np.asarray(pc.fill_null(indices, len(words)) if indices.null_count else indices)
    given = there[codes] if indices.null_count or not there[:-1].all() else np.ones(codes.size, dtype=np.bool_)
    labels = meanings[codes]
    if rows.own is not None or shared is not None:
        given &= ~rows.own if rows.own is not None else True
        given &= ~member(rows.first + np.arange(len(rows)), shared) if shared is not None else True
        labels = np.where(given, labels, NO_LABEL)
    times, features, answers = rows.times.us, rows.inputs, rows.probabilities
    strange = given & (labels == NO_LABEL)
    if places is not None:
        chosen = pa.array(places)
        times, features, answers = times[places], features.take(chosen), answers[places]
        labels, given, strange, codes = labels[places], given[places], strange[places], codes[places]
    at = _places(part)
    batch = Batch(
        event_times=times,
        features=features,
        probabilities=answers,
        labels=labels,
        label_times=times,
        ids=lambda wanted: _ids(part, at[wanted]),
    )
    named = words.take(pa.array(np.unique(codes[strange]))).to_pylist()
    return batch, given, UnknownClassLabels(labels=int(strange.sum()), words=frozenset(named))
