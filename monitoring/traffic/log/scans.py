"""Scans: the rows that a query selects from one file of the log, an open segment or a Parquet part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from monitoring.errors import CannotRun
from monitoring.timestamps import as_microseconds
from monitoring.traffic.format.rows import CALLER, ModelKey, is_quarantined, prediction_ids, sampling_rate_of
from monitoring.traffic.format.segments import read_segment, read_segment_schema
from monitoring.traffic.id_keys import IdSet
from monitoring.traffic.log.conversion import POSITION, TORN_KEY
from monitoring.traffic.log.listing import PartFile, Selection, list_traffic, parts_of

#: Rows of a part that are in memory at once where it is read in batches, and bytes of a column that are read at once.
BATCH_ROWS, _READ_AHEAD = 1 << 14, 1 << 17

_DAY_US = 86_400_000_000
_POSITION_FIELD = pa.field(POSITION, pa.int64(), nullable=False)
_IDENTIFYING = ["request_id", "row", "event_time"]
_EVENT_TIME_LEAF = 2  # index of the column in a part, for its statistics


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which rows to read: of a model and version, with event time in [start, end), aware datetimes, and with some ids.

    None is all. Rows of `excluded` callers, by principal or peer, are left out. Those in quarantine come alone.
    """

    model: str | None = None
    version: int | None = None
    start: datetime | None = None
    end: datetime | None = None
    ids: IdSet | None = None
    excluded: frozenset[str] = frozenset()
    quarantined: bool = False

    @property
    def selection(self) -> Selection:
        """The parts that may hold such rows."""
        first = None if self.start is None else self.start.astimezone(UTC).date()
        last = None if self.end is None else (self.end - timedelta(microseconds=1)).astimezone(UTC).date()
        return Selection(model=self.model, version=self.version, first=first, last=last, quarantined=self.quarantined)

    def wants(self, key: ModelKey) -> bool:
        """Whether rows of this model and version are selected."""
        return self.model in (None, key.model) and self.version in (None, key.version)

    def reads(self, schema: pa.Schema) -> bool:
        """Whether rows of an open segment with this schema are selected."""
        return self.wants(ModelKey.of(schema)) and self.quarantined == is_quarantined(schema)

    def stored(self, columns: Sequence[str] | None) -> Sequence[str] | None:
        """The columns to read of a file for these columns; None for all."""
        return columns if columns is None or not self.excluded else (*columns, *CALLER)

    def cut(self, table: pa.Table) -> pa.Table:
        """The rows of a table with event time in [start, end), and with one of the ids."""
        keep = np.ones(table.num_rows, np.bool_)
        if self.start is not None or self.end is not None:
            times = table.column("event_time").cast(pa.int64()).to_numpy()
            if self.start is not None:
                keep &= times >= as_microseconds(self.start)
            if self.end is not None:
                keep &= times < as_microseconds(self.end)
        if self.ids is not None:
            keep &= self.ids.contains(prediction_ids(table))
        return table if keep.all() else table.filter(pa.array(keep))

    def without_excluded(self, table: pa.Table) -> pa.Table:
        """The rows of a table whose caller is not excluded."""
        out = excluded_rows(table, self.excluded)
        return table.filter(pa.array(~out)) if out.any() else table


def excluded_rows(table: pa.Table, excluded: frozenset[str]) -> NDArray[np.bool_]:
    """Which stored rows are of excluded callers, bool [n]; none of a log that has no callers."""
    names = pa.array(sorted(excluded), pa.string())
    mask = np.zeros(table.num_rows, np.bool_)
    for name in CALLER:
        if excluded and name in table.column_names:
            mask |= pc.is_in(table[name], value_set=names).to_numpy()
    return mask


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """The selected rows of one file, in the order in which they were written.

    `table` has the stored columns that were asked for, and `position`, a row's index in its segment.
    """

    key: ModelKey | None  # None: a torn segment of which not even the schema could be read
    segment: str
    table: pa.Table
    torn_bytes: int  # of the segment, the same for each of its scans
    sampling_rate: float = 1.0
    excluded: int = 0
    """Further rows that were selected but for their caller."""
    stored: pa.Schema = field(default_factory=lambda: pa.schema([]))
    """All columns of the file, and `position`."""


def read_scans(root: Path, query: Query, columns: Sequence[str] | None) -> list[Scan]:
    """Read the selected rows of all files.

    Args:
        columns: Stored columns to read, of which each scan has those that its file has; None for all. They must have
            `event_time` if the query has times, `request_id` and `row` if it has ids.
    """
    return sorted(scan_files(root, query, columns), key=lambda scan: scan.segment)


def scan_files(root: Path, query: Query, columns: Sequence[str] | None) -> Iterator[Scan]:
    """Read the selected rows file by file, in no particular order, one file in memory at a time."""
    listing = list_traffic(root, query.selection)
    for part in listing.parts:
        yield _read_part(part, query, columns)
    for path in listing.open:
        yield from _read_open(root, path, query, columns)


def scan_batches(root: Path, query: Query, columns: Sequence[str] | None) -> Iterator[Scan]:
    """What `scan_files` reads, in order of segments. Memory: `BATCH_ROWS` rows of a part, or an open segment."""
    listing = list_traffic(root, query.selection)
    for part in listing.parts:
        yield from _part_batches(part, query, columns)
    for path in listing.open:
        yield from _read_open(root, path, query, columns)


def stored_bytes(root: Path, query: Query) -> int | None:
    """How many bytes the files take that may hold the selected rows; None if some are in the log's archive."""
    listing = list_traffic(root, query.selection)
    try:
        return sum(path.stat().st_size for path in (*listing.open, *(part.path for part in listing.parts)))
    except FileNotFoundError:
        return None


def scan_segments(root: Path, query: Query) -> Iterator[Scan]:
    """Read the rows as they were written, repeats included, one segment in memory at a time."""
    listing = list_traffic(root, query.selection)
    parts: dict[str, list[PartFile]] = {}
    for part in listing.parts:
        parts.setdefault(part.segment, []).append(part)
    unconverted = {path.stem: path for path in listing.open}
    for segment in sorted({*parts, *unconverted}):
        if segment in unconverted:
            scans = _read_open(root, unconverted[segment], query, None)
        else:
            scans = [_read_part(part, query, None) for part in parts[segment]]
        if scans:
            table = pa.concat_tables([scan.table for scan in scans])
            yield replace(scans[0], table=table.sort_by(POSITION) if len(scans) > 1 else table)


def list_keys(root: Path) -> set[ModelKey]:
    """The models, versions and signatures that have segments. Cost: one file of each segment is opened."""
    listing = list_traffic(root, Selection())
    keys: set[ModelKey] = set()
    parts = {part.segment: part for part in listing.parts}
    for path in listing.open:
        try:
            schema = read_segment_schema(path)
        except FileNotFoundError:
            parts.update((part.segment, part) for part in parts_of(root, Selection(), path.stem))
        else:
            keys |= set() if schema is None or is_quarantined(schema) else {ModelKey.of(schema)}
    return keys | {_key_of(part) for part in parts.values()}


def extent_us(root: Path, query: Query) -> tuple[int, int] | None:
    """First and last event time in microseconds, from the footers of two dates and the open segments; None if empty."""
    if query.excluded:
        ordered = _all_times(root, query)
        return (int(ordered[0]), int(ordered[-1])) if ordered.size else None
    listing = list_traffic(root, query.selection)
    parts: dict[str, list[PartFile]] = {}
    for part in listing.parts:
        parts.setdefault(part.day, []).append(part)
    spans = [*_first_spans(parts, sorted(parts)), *_first_spans(parts, sorted(parts, reverse=True))]
    for path in listing.open:
        for scan in _read_open(root, path, query, ["event_time"]):
            if scan.table.num_rows:
                times = scan.table.column("event_time").cast(pa.int64()).to_numpy()
                spans.append((int(times.min()), int(times.max())))
    return (min(first for first, _ in spans), max(last for _, last in spans)) if spans else None


def spans_us(root: Path, query: Query, longest_gap_us: int) -> list[tuple[int, int]]:
    """Find the stretches of time with rows. A gap within a stretch is at most two days longer than the longest gap.

    Cost: the footers of the first and last date of each stretch, and the times of open segments; where callers are
    excluded, times and callers of all rows.
    """
    if query.excluded:
        return _runs(_all_times(root, query), longest_gap_us)
    listing = list_traffic(root, query.selection)
    parts: dict[int, list[PartFile]] = {}
    for part in listing.parts:
        parts.setdefault(int(np.datetime64(part.day, "D").astype(np.int64)), []).append(part)
    spans: list[tuple[int, int]] = []
    for first_day, last_day in _runs(np.array(sorted(parts), np.int64), longest_gap_us // _DAY_US + 1):
        days = [day for day in sorted(parts) if first_day <= day <= last_day]
        edges = [*_first_spans(parts, days), *_first_spans(parts, days[::-1])]
        if edges:
            spans.append((min(first for first, _ in edges), max(last for _, last in edges)))
    for path in listing.open:
        for scan in _read_open(root, path, query, ["event_time"]):
            if scan.table.num_rows:
                spans += _runs(np.sort(scan.table.column("event_time").cast(pa.int64()).to_numpy()), longest_gap_us)
    merged: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if merged and first - merged[-1][1] <= longest_gap_us:
            merged[-1] = merged[-1][0], max(last, merged[-1][1])
        else:
            merged.append((first, last))
    return merged


def _all_times(root: Path, query: Query) -> np.ndarray:
    """The event times of all rows in order, in microseconds."""
    scans = scan_files(root, query, ["event_time"])
    times = [scan.table["event_time"].cast(pa.int64()).to_numpy() for scan in scans if scan.table.num_rows]
    return np.sort(np.concatenate([np.zeros(0, np.int64), *times]))


def _runs(ordered: np.ndarray, longest_gap: int) -> list[tuple[int, int]]:
    """The first and last of each group of numbers between which no gap is longer."""
    cuts = np.flatnonzero(np.diff(ordered) > longest_gap) + 1
    groups = np.split(ordered, cuts) if ordered.size else []
    return [(int(group[0]), int(group[-1])) for group in groups]


@contextmanager
def opened(part: PartFile, **options: Any) -> Iterator[pq.ParquetFile]:
    """A part's file, open. `options`: of `pyarrow.parquet.ParquetFile`.

    Raises:
        CannotRun: it cannot be read, or was removed since it was listed.
    """
    try:
        with part.open(**options) as file:
            yield file
    except FileNotFoundError as error:
        raise CannotRun(
            "A part of the traffic log was removed while the log was read.",
            got=f"{part.path} no longer exists",
            expected="the files that were there when the log was listed",
            fix="Run it again: it lists the log anew. Where retention removes such days, keep them for longer.",
        ) from error
    except (pa.ArrowException, OSError) as error:
        raise CannotRun(
            "A part of the traffic log cannot be read.",
            got=f"{part.path}: {str(error).splitlines()[0] if str(error) else type(error).__name__}",
            expected="a Parquet file of the log's writer",
            fix="Restore it from a backup; or move it out of the folder: its rows are not counted then.",
        ) from error


def _key_of(part: PartFile) -> ModelKey:
    with opened(part) as file:
        return ModelKey.of(file.schema_arrow, part.path.name)


def _first_spans(parts: Mapping[Any, Sequence[PartFile]], days: Sequence[Any]) -> list[tuple[int, int]]:
    """The first and last event times of the parts of the first of some days that has rows; none if none has."""
    for day in days:
        spans = [span for span in map(_part_span, parts[day]) if span is not None]
        if spans:
            return spans
    return []


def _part_span(part: PartFile) -> tuple[int, int] | None:
    """First and last event time; None for a part all of whose rows were erased."""
    with opened(part) as file:
        metadata = file.metadata
    if not metadata.num_rows:
        return None
    groups = [metadata.row_group(i).column(_EVENT_TIME_LEAF).statistics for i in range(metadata.num_row_groups)]
    return min(as_microseconds(group.min) for group in groups), max(as_microseconds(group.max) for group in groups)


def _read_part(part: PartFile, query: Query, columns: Sequence[str] | None) -> Scan:
    with opened(part) as file:
        schema, wanted = file.schema_arrow, _stored_columns(file, query, columns)
        if query.ids is not None and not query.cut(file.read(columns=_IDENTIFYING, use_threads=False)).num_rows:
            table = schema.empty_table().select(wanted)
        else:
            table = file.read(columns=wanted, use_threads=False).select(wanted)
    return _part_scan(part, schema, query, table)


def _part_batches(part: PartFile, query: Query, columns: Sequence[str] | None) -> Iterator[Scan]:
    with opened(part, pre_buffer=False, buffer_size=_READ_AHEAD) as file:
        schema, wanted = file.schema_arrow, _stored_columns(file, query, columns)
        if query.ids is not None:
            identifying = file.iter_batches(BATCH_ROWS, columns=_IDENTIFYING)
            if not any(query.cut(pa.Table.from_batches([batch])).num_rows for batch in identifying):
                return
        for batch in file.iter_batches(BATCH_ROWS, columns=wanted):
            yield _part_scan(part, schema, query, pa.Table.from_batches([batch]).select(wanted))


def _stored_columns(file: pq.ParquetFile, query: Query, columns: Sequence[str] | None) -> list[str]:
    """The columns to read of a part for these columns."""
    names, stored = file.schema_arrow.names, query.stored(columns)
    return [name for name in names if stored is None or name in {*stored, POSITION}]


def _part_scan(part: PartFile, schema: pa.Schema, query: Query, table: pa.Table) -> Scan:
    """What a query selects of some rows of a part."""
    selected = query.cut(table)
    rows = query.without_excluded(selected)
    return Scan(
        key=ModelKey.of(schema, part.path.name),
        segment=part.segment,
        table=rows,
        excluded=selected.num_rows - rows.num_rows,
        torn_bytes=int((schema.metadata or {}).get(TORN_KEY, b"0")),
        sampling_rate=sampling_rate_of(schema),
        stored=schema,
    )


def _read_open(root: Path, path: Path, query: Query, columns: Sequence[str] | None) -> list[Scan]:
    try:
        stored = read_segment_schema(path)
        if stored is not None and not query.reads(stored):
            return []
        contents = read_segment(path, query.stored(columns))
    except FileNotFoundError:  # converted since it was listed: its parts are complete
        return [_read_part(part, query, columns) for part in parts_of(root, query.selection, path.stem)]
    if contents.table is None or stored is None:
        return [Scan(key=None, segment=path.stem, table=pa.table({}), torn_bytes=contents.torn_bytes)]
    position = pa.array(np.arange(contents.table.num_rows, dtype=np.int64))
    schema = contents.table.schema
    if not query.reads(schema):
        return []
    selected = query.cut(contents.table.append_column(_POSITION_FIELD, position))
    rows = query.without_excluded(selected)
    return [
        Scan(
            key=ModelKey.of(schema),
            segment=path.stem,
            table=rows,
            torn_bytes=contents.torn_bytes,
            sampling_rate=sampling_rate_of(schema),
            excluded=selected.num_rows - rows.num_rows,
            stored=stored.append(_POSITION_FIELD),
        )
    ]
