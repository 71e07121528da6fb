"""A traffic log as runs read it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from typing_extensions import override

from monitoring.baseline.batch import Batch, in_batches, joined
from monitoring.baseline.output_numbers import made_answers, output_columns
from monitoring.baseline.predictions import (
    Predictions,
    microseconds,
    no_predictions,
    predictions_from,
    with_usable_answers,
)
from monitoring.baseline.spec import BaselineSpec
from monitoring.config.sections import ModelSection
from monitoring.errors import BadInput
from monitoring.judging.window.traffic_source import ReadSummary, TrafficSource
from monitoring.records import Finding
from monitoring.records.finding_parts import RepeatedIds
from monitoring.sources.log_window import LogWindow
from monitoring.sources.read_scope import EVERYTHING, ReadScope
from monitoring.timestamps import as_microseconds
from monitoring.traffic.cells import decoded, without_blanks
from monitoring.traffic.descriptors.encoded_image import EncodedImageDescriptors, images_by_id
from monitoring.traffic.descriptors.registry import described_inputs, undescribed
from monitoring.traffic.erased_ids import read_erased_ids
from monitoring.traffic.format.rows import INPUT, OUTPUT, SAMPLING_RATE
from monitoring.traffic.format.tensors import flatten_scalars
from monitoring.traffic.id_keys import IdSet
from monitoring.traffic.labels.label_log import LABEL_LOG_DAMAGED, LabelLog
from monitoring.traffic.log.answer_ids import with_prediction_ids
from monitoring.traffic.log.assembly import CONFLICTS_KEY, EXCLUDED_KEY, REPEATS_KEY
from monitoring.traffic.log.gaps import LostRows
from monitoring.traffic.log.log import TrafficLog
from monitoring.traffic.log.prediction_index import PredictionIndex
from monitoring.traffic.log.remote_log import log_folder
from monitoring.traffic.log.scans import Query, stored_bytes
from monitoring.traffic.log.stream import LogStream
from monitoring.traffic.ranked_ids import ids_by_code
from monitoring.traffic.tables.answers import as_list_column
from monitoring.traffic.tables.column_findings import unreadable_cells
from monitoring.traffic.windows import Window

_ROW = ("prediction_id", "event_time")

#: The column of answers that are made of outputs, and are none as they are; no output has such a name.
WATCHED_OUTPUTS = "output::watched"

#: A window whose files take more bytes is read some rows at a time, whenever it is wanted; a smaller one is held.
STREAM_BYTES = 32 << 20

#: Rows with another's id that page: so many, and this share of the window's rows.
FEW_REPEATED = 10
REPEATED_SHARE = 0.01

#: Models that a message names.
_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class _WindowNotes:
    """What a pass over a window's rows found.

    Attributes:
        unsampled: About how many rows were answered and left out by the sample that the others are of.
        conflicts: Rows with the id of another and other inputs.
        unreadable: How many cells of which column cannot be described.
        excluded: Rows of excluded callers.
    """

    repeats: int = 0
    problems: tuple[tuple[str, str], ...] = ()
    unsampled: int = 0
    conflicts: int = 0
    unreadable: Mapping[str, int] = field(default_factory=dict)
    excluded: int = 0


class LogSource(TrafficSource):
    """Reads the predictions of one model version, window by window. A `TrafficSource`.

    The rows of the window read last are kept, unless they are many (`STREAM_BYTES`): its job wants them more than once.
    Of any other window only the rows are read that a label may be for. Rows before `since` are not known when labels
    come for them.
    """

    waiting_ids = pa.nulls(0, pa.string())

    def __init__(
        self,
        path: Path | str,
        model: ModelSection,
        spec: BaselineSpec,
        *,
        version: int | None,
        excluded: frozenset[str] = frozenset(),
        scope: ReadScope = EVERYTHING,
    ) -> None:
        """Opens the log.

        Args:
            version: the model version; None: all, of the log's only model if the config names a table's baseline.
            scope: what is of interest: labels of rows before its `since` are not. `lean` is heeded where answers and
                inputs are plain columns.
        """
        self._root = log_folder(path)
        self._excluded = excluded
        self.log = TrafficLog(self._root, excluded=excluded)
        self.model = model.name
        self.version = version
        if model.bundle is None:  # a table's baseline goes by its folder's name, and the log by the model's
            models = {key.model for key in self.log.models()}
            self.model = models.pop() if len(models) == 1 else self.model
        self._labels = LabelLog(
            self._root,
            resolve=partial(with_prediction_ids, self._root, since=scope.since),
            model=self.model,
            version=version,
        )
        self._gaps = self.log.gaps(model=self.model, version=version)
        self._notes: dict[Window, _WindowNotes] = {}
        self._latest: tuple[Window, Predictions, int] | None = None
        self._latest_stream: tuple[Window, LogStream] | None = None
        self._since, self._meanwhile = scope.since, scope.reading.meanwhile
        is_made = spec.task.is_made_of_outputs
        self._output = WATCHED_OUTPUTS if is_made else f"{OUTPUT}{spec.output or model.probabilities}"
        self._spec = spec
        described = {name for each in spec.described for name in each.kinds}
        self._words = tuple(
            feature.name
            for feature in spec.features
            if feature.kind == "category" and not feature.is_code and feature.name not in scope.blanks | described
        )
        plain = not is_made and not spec.described and not spec.other_outputs
        inputs = (f"{INPUT}{feature.name}" for feature in spec.features)
        self._columns = (*_ROW, *inputs, self._output) if scope.lean and plain else None

    @override
    def read(self, window: Window) -> tuple[Predictions, int]:
        if self._latest is None or self._latest[0] != window:
            self._latest = None  # a window of rows in memory, and not two
            table = self._table(window)
            totals = {name: int(total) for name, total in (table.schema.metadata or {}).items()}
            rows, unreadable = self._predictions(table)
            notes = self._notes[window] = _WindowNotes(
                repeats=totals.get(REPEATS_KEY, 0),
                problems=rows.problems,
                unsampled=round(_unsampled(table)),
                conflicts=totals.get(CONFLICTS_KEY, 0),
                unreadable=unreadable,
                excluded=totals.get(EXCLUDED_KEY, 0),
            )
            self._latest = (window, rows, notes.repeats)
        return self._latest[1:]

    def batches(self, window: Window) -> Iterator[Batch]:
        """The rows of a window, each once, in any order."""
        stream = self._stream(window)
        if stream is None:
            yield from in_batches(self.read(window)[0])
            return
        unsampled, problems, unreadable = 0.0, dict[str, str](), Counter[str]()
        for table in stream.tables():
            unsampled += _unsampled(table)
            rows, cells = self._predictions(table)
            problems |= rows.problems
            unreadable.update(cells)
            del table
            yield from in_batches(rows)
        self._notes[window] = _WindowNotes(
            repeats=stream.repeats,
            problems=tuple(problems.items()),
            unsampled=round(unsampled),
            conflicts=stream.conflicts,
            unreadable=unreadable,
            excluded=stream.excluded,
        )

    def _stream(self, window: Window) -> LogStream | None:
        """Where a window's rows are too many to be held: what reads some at a time."""
        if self._latest is not None and self._latest[0] == window:
            return None
        query = replace(self._query, start=window.start, end=window.end)
        size = stored_bytes(self._root, query)
        if size is not None and size <= STREAM_BYTES:
            return None
        if self._latest_stream is not None and self._latest_stream[0] == window:
            return self._latest_stream[1]
        self._latest = self._latest_stream = None
        stream = LogStream(self._root, query, self._columns)
        if self._columns is not None and not {*self._columns} <= {"prediction_id", *(f.name for f in stream.fields)}:
            stream = LogStream(self._root, query, None)  # the window has no such column: what is read of it says so
        if not stream.is_uniform:
            return None
        self._latest_stream = (window, stream)
        return stream

    def _noted(self, window: Window) -> _WindowNotes:
        """What a pass over a window's rows found; there is one now if there was none."""
        if window not in self._notes:
            for _ in self.batches(window):
                pass
        return self._notes[window]

    def summary(self, window: Window) -> ReadSummary:
        """What a pass over a window's rows found."""
        notes = self._noted(window)
        return ReadSummary(repeats=notes.repeats, problems=notes.problems, findings=self.findings(window))

    def _table(self, window: Window) -> pa.Table:
        """The rows of a window, of whose columns some may be left out."""
        read = partial(self.log.read, model=self.model, version=self.version, start=window.start, end=window.end)
        if self._columns is None:
            return read()
        try:
            return read(columns=self._columns)
        except BadInput:  # no row of the window has such a column: what is read of it says so
            return read()

    def select(self, window: Window, ids: IdSet) -> tuple[Predictions, int]:
        """The rows of a window that have one of some ids.

        Unless the window was read last, only ids and times of its other rows are read.

        Returns:
            The rows, and the newest event time of all rows of the window, in microseconds; 0 where it has none.
        """
        if self._latest is not None and self._latest[0] == window:
            rows = self._latest[1]
            return rows.take(ids.contains(rows.ids)), int(rows.event_times.max()) if len(rows) else 0
        if (stream := self._stream(window)) is not None:
            parts = [self._predictions(table)[0] for table in stream.tables(ids)]
            return joined(parts or [no_predictions(self._spec)]), stream.newest
        start, end = window.start, window.end
        log_rows = self.log.read(model=self.model, version=self.version, start=start, end=end, columns=_ROW)
        if not log_rows.num_rows:
            return no_predictions(self._spec), 0
        newest = int(microseconds(log_rows["event_time"]).max())
        if not ids.contains(log_rows["prediction_id"].combine_chunks()).any():
            return no_predictions(self._spec), newest
        table = self.log.read(model=self.model, version=self.version, start=start, end=end, ids=ids)
        return self._predictions(table)[0], newest

    @override
    def images(self, name: str, window: Window, ids: IdSet) -> dict[str, bytes]:
        rows = self.log.read(model=self.model, version=self.version, start=window.start, end=window.end, ids=ids)
        if f"{INPUT}{name}" not in rows.column_names:
            return {}
        cells = pc.list_element(rows[f"{INPUT}{name}"], 0)
        return images_by_id(dict(zip(rows["prediction_id"].to_pylist(), cells.to_pylist(), strict=True)))

    def answered_ids(self, window: Window, ids: IdSet) -> dict[int, str]:
        """See `TrafficSource`: the output of a ranking has them."""
        rows = self.log.read(model=self.model, version=self.version, start=window.start, end=window.end, ids=ids)
        name = f"{OUTPUT}{self._spec.output}"
        return ids_by_code(decoded(rows[name])) if name in rows.column_names else {}

    def _predictions(self, table: pa.Table) -> tuple[Predictions, dict[str, int]]:
        """The rows, and how many cells of which column cannot be described."""
        flat = self._with_answers(flatten_scalars(table))
        # An input goes by its own name; outputs keep their prefix, so that neither can stand for the other.
        plain = {name.removeprefix("input:"): flat[name] for name in flat.column_names if name in _ROW or ":" in name}
        if self._spec.other_outputs:
            outputs = {name.removeprefix(OUTPUT): flat[name] for name in flat.column_names if name.startswith(OUTPUT)}
            plain |= output_columns(outputs, self._spec)
        for each in self._spec.described:
            if isinstance(each, EncodedImageDescriptors) and f"{INPUT}{each.source}" in table.column_names:
                plain[each.source] = pc.list_element(table[f"{INPUT}{each.source}"], 0)  # bytes, not escapes of them
        described, problems = described_inputs(self._spec.described, plain, microseconds(plain["event_time"]))
        damaged = undescribed(self._spec.described, plain, described)
        unreadable = {name: int(mask.sum()) for name, mask in damaged.items()}
        plain |= {name: column for name, column in described.items() if name not in problems}
        plain |= {name: without_blanks(plain[name]) for name in self._words if name in plain}
        predictions = predictions_from(pa.table(plain), self._spec, probabilities=self._output)
        return with_usable_answers(predictions, self._spec.task), unreadable

    def _with_answers(self, flat: pa.Table) -> pa.Table:
        """The rows with the column of the answers, which is made where several outputs are watched, or ids."""
        if self._output == WATCHED_OUTPUTS:
            outputs = {name.removeprefix(OUTPUT): flat[name] for name in flat.column_names if name.startswith(OUTPUT)}
            numbers = made_answers(outputs, self._spec) if flat.num_rows else np.zeros((0, self._spec.task.width))
            return flat.append_column(self._output, as_list_column(numbers))
        if flat.num_rows == 0 and self._output not in flat.column_names:
            return flat.append_column(self._output, pa.array([], pa.list_(pa.float64())))
        return flat

    @property
    def source_findings(self) -> tuple[Finding, ...]:
        """See `TrafficSource`: labels that are not read as their log is damaged, and that no row is of the model."""
        held = () if self.log.extent(self.model, self.version) is not None else self.log.models()
        others = ", ".join(sorted({f"{key.model} version {key.version}" for key in held})[:_SHOWN])
        name = self.model if self.version is None else f"{self.model} version {self.version}"
        foreign = f"The traffic log has no row of {name}; it has rows of {others}."
        damaged = tuple(
            Finding(
                kind=LABEL_LOG_DAMAGED,
                feature="",
                message=f"The label log is damaged: {each.unread_bytes:,} bytes of {each.path.name} are not read.",
            )
            for each in self._labels.damage()
        )
        return (
            *damaged,
            *((Finding(kind="no such model", feature="", message=foreign),) if others else ()),
            *self._labels_of_nobody(),
        )

    def _labels_of_nobody(self) -> tuple[Finding, ...]:
        """The finding about labels that name a model or version of which the log has no row."""
        model_names = {name for key in self.log.models() for name in ((key.model, None), (key.model, key.version))}
        strange = {
            name: count for name, count in self._labels.models_named(self._since).items() if name not in model_names
        }
        if not strange:
            return ()
        model, version = min(strange, key=str)
        shown = f"{model!r}" if version is None else f"{model!r} version {version}"
        names = ", ".join(sorted({f"{key.model} version {key.version}" for key in self.log.models()})[:_SHOWN])
        message = (
            f"{sum(strange.values()):,} labels name a model of which the log has no row, such as {shown}, and are "
            f"ignored; it has rows of {names or 'no model'}."
        )
        return (Finding(kind="labels of no model", feature="", message=message),)

    @cached_property
    def _index(self) -> PredictionIndex:
        return PredictionIndex(self._root, replace(self._query, start=self._since))

    @property
    def _query(self) -> Query:
        """All rows of the model."""
        return Query(model=self.model, version=self.version, excluded=self._excluded)

    @cached_property
    def _quarantined_at(self) -> NDArray[np.int64]:
        """When rows in quarantine were answered."""
        return self.log.quarantined_at(self.model, self.version)

    @override
    def was_answered(self, ids: pa.Array, before: int) -> NDArray[np.bool_]:
        return self._index.was_answered(ids, before)

    def of_other_models(self, ids: pa.Array) -> NDArray[np.bool_]:
        """See `TrafficSource`. Rows may be erased while this reads: their labels are nobody's either."""
        return self._index.of_other_models(ids) | read_erased_ids(self._root).contains(ids)

    @override
    def older(self, ids: pa.Array) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        if self._since is None:
            none = np.zeros(len(ids), dtype=np.bool_)
            return none, none
        index = PredictionIndex(self._root, replace(self._query, end=self._since, ids=IdSet(ids)))
        return index.was_answered(ids, as_microseconds(self._since)), index.of_other_models(ids)

    def expect(self, windows: Sequence[Window]) -> None:
        """See `TrafficSource`: windows are read one by one."""

    @override
    def forget(self) -> None:
        self._latest = self._latest_stream = None

    @override
    def rows(self, window: Window) -> LogWindow:
        return LogWindow(self, window, meanwhile=self._meanwhile)

    def missing_rows(self, window: Window) -> int:
        """See `TrafficSource`. Unsampled rows are estimated: a sampled row stands for 1 / rate answered rows."""
        return self._noted(window).unsampled + self._lost(window)

    def findings(self, window: Window) -> tuple[Finding, ...]:
        """A log's columns are those of the model's signature; but rows may be missing, or of somebody else's id."""
        notes = self._noted(window)
        findings = [*unreadable_cells(notes.unreadable, self._spec.described)]
        if lost := self._lost(window):
            message = f"{lost} rows were answered and are not in the traffic log."
            findings.append(Finding(kind="capture gap", feature="", message=message))
        if notes.conflicts:
            findings.append(_repeated_ids(notes.conflicts, int(self.row_counts((window,))[0, 0])))
        ends = [as_microseconds(window.start), as_microseconds(window.end)]
        first, last = np.searchsorted(self._quarantined_at, ends).tolist()
        return (*findings, *_out_of_range(last - first, "rows answered in this window claim"))

    @override
    def findings_after(self, moment: datetime | None) -> tuple[Finding, ...]:
        first = 0 if moment is None else int(np.searchsorted(self._quarantined_at, as_microseconds(moment)))
        return _out_of_range(
            len(self._quarantined_at) - first, "rows claim", " To replay old rows: `pitfalls serve --any-event-time`."
        )

    @property
    @override
    def excluded_rows(self) -> int:
        return sum(notes.excluded for notes in self._notes.values())

    def _lost(self, window: Window) -> int:
        return sum(lost_within(lost, window) for gap in self._gaps for lost in gap.lost)

    def spans(self, longest_gap: timedelta) -> tuple[tuple[datetime, datetime], ...]:
        """See `TrafficSource`: a row of another century is a stretch of its own."""
        return self.log.spans(self.model, self.version, longest_gap=longest_gap)

    @override
    def without_handed_over(self, windows: Sequence[Window]) -> tuple[Window, ...]:
        if self.version is None or not windows:
            return tuple(windows)
        empty = self._index.row_counts(windows)[:, 0] == 0
        if not empty.any():
            return tuple(windows)
        every = PredictionIndex(self._root, replace(self._query, version=None, start=self._since))
        answered = every.row_counts(windows)[:, 0] > 0
        return tuple(window for window, gone in zip(windows, empty & answered, strict=True) if not gone)

    @override
    def row_counts(self, windows: Sequence[Window]) -> NDArray[np.int64]:
        return self._index.row_counts(windows)

    @override
    def event_times(self) -> NDArray[np.int64]:
        table = self.log.read(model=self.model, version=self.version, columns=("event_time",))
        return np.sort(microseconds(table["event_time"])) if table.num_columns else np.zeros(0, np.int64)

    @override
    def labels(self) -> pa.Table:
        return self._labels.read()

    @override
    def label_parts(self) -> Iterator[pa.Table]:
        return self._labels.parts()

    @override
    def latest_labels(self, ids: pa.Array | None = None) -> pa.Table:
        return self._labels.latest(ids)


def lost_within(lost: LostRows, window: Window) -> int:
    """Lost rows of a window. A gap that spans several windows is divided in proportion to the time it overlaps each.

    Returns:
        The number of rows; over windows that follow each other the numbers add up to all of them.
    """
    length = lost.last_event_us - lost.first_event_us + 1

    def before(us: int) -> int:
        return lost.rows * min(max(us - lost.first_event_us, 0), length) // length

    return before(as_microseconds(window.end)) - before(as_microseconds(window.start))


def _unsampled(rows: pa.Table) -> float:
    """About how many rows were answered and left out by the sample that these are of."""
    if SAMPLING_RATE not in rows.column_names:
        return 0.0
    return float(np.sum(1.0 / rows[SAMPLING_RATE].to_numpy() - 1.0))


def _out_of_range(rows: int, claim: str, advice: str = "") -> tuple[Finding, ...]:
    """The finding about rows in quarantine, if there are any."""
    message = (
        f"{rows:,} {claim} event times out of the server's range (--event-time-range) and are in no window: "
        f"`pitfalls traffic DIR --quarantine --to FILE` writes them.{advice}"
    )
    return (Finding(kind="event times out of range", feature="", message=message),) if rows else ()


def _repeated_ids(conflicts: int, rows: int) -> Finding:
    """The finding about rows with another's id and other inputs; many page, as labels may be of the rows left out.

    >>> _repeated_ids(40, 1_000).fact, _repeated_ids(9, 20).fact
    (True, False)
    """
    many = conflicts >= max(FEW_REPEATED, REPEATED_SHARE * rows)
    parts = RepeatedIds(rows=conflicts)
    return Finding(kind="ids repeated", feature="prediction ids" if many else "", fact=many, parts=parts)
