"""The labels of a traffic log, read in order of arrival."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring.errors import CannotRun
from monitoring.traffic.format.layout import LABELS, check_root
from monitoring.traffic.format.rows import OWN_IDS, TIMESTAMP
from monitoring.traffic.format.segments import SegmentContents, read_segment, segments_in
from monitoring.traffic.labels.label_retention import kept_segments, read_forgotten
from monitoring.traffic.labels.label_writer import LABEL_SCHEMA, with_owners

#: The kind of the finding that labels behind a damaged spot are not read.
LABEL_LOG_DAMAGED = "label log damaged"

#: Bytes of decoded segments that are kept for the next reader, at most.
MOST_KEPT_BYTES = 16 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSummary:
    """Counts of the labels that have arrived and were not erased. `rows` = `distinct` + `repeats`."""

    rows: int
    distinct: int  # predictions that have a label
    repeats: int  # labels for a prediction that had one already
    conflicts: int  # predictions that were given two different labels
    torn_bytes: int
    damaged_bytes: int = 0
    """Bytes behind damaged ones, which hold whole labels that are not read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadSegment:
    """A segment whose last bytes could not be read: a torn append, or whatever follows `damaged` bytes."""

    path: Path
    unread_bytes: int
    damaged: bool


class KeptSegments:
    """Segments as they were read last: one whose file has not changed is not decoded again. For threads."""

    def __init__(self, most_bytes: int = MOST_KEPT_BYTES) -> None:
        self._most_bytes = most_bytes
        self._lock = Lock()
        self._segments: OrderedDict[Path, tuple[tuple[int, int, int], int, SegmentContents]] = OrderedDict()

    def read(self, path: Path) -> SegmentContents:
        """The contents of a segment. Raises as `read_segment`."""
        about = path.stat()
        state = (about.st_ino, about.st_size, about.st_mtime_ns)
        with self._lock:
            entry = self._segments.pop(path, None)
            if entry is not None and entry[0] == state:
                self._segments[path] = entry
                return entry[2]
        contents = read_segment(path)
        with self._lock:
            self._segments[path] = (state, 0 if contents.table is None else contents.table.nbytes, contents)
            while sum(size for _, size, _ in self._segments.values()) > self._most_bytes:
                self._segments.popitem(last=False)
        return contents


_SEGMENTS = KeptSegments()


class LabelLog:
    """Reads the labels of the traffic log in `root`, also while they arrive.

    Args:
        resolve: Replaces other ids of predictions among those of labels; the labels stay in their order.
        model: Labels that name another model are empty, as erased ones are; None: none is.
        version: Those that name another version, likewise; None: none is.
    """

    def __init__(
        self,
        root: Path,
        *,
        resolve: Callable[[pa.Table], pa.Table] | None = None,
        model: str | None = None,
        version: int | None = None,
    ) -> None:
        check_root(root)
        self._resolve = resolve
        self._model = model
        self._version = version
        self._folder = root / LABELS
        self._unread: tuple[UnreadSegment, ...] | None = None

    def read(self, *, start: datetime | None = None, end: datetime | None = None) -> pa.Table:
        """The labels whose `label_time` is in [start, end), repeats included.

        Args:
            start: Aware; None is the beginning.
            end: Aware; None is the end.

        Returns:
            A table in order of arrival: prediction_id string, label string, label_time and arrived_at timestamps, model
            string and version int64 (null where the label names none), sequence int64, the position among all labels
            that there ever were, from 0, which never changes. One that was erased has an empty id and is empty itself;
            `without_erased` leaves those out.
        """
        table, _ = self._load()
        times = table.column("label_time")
        if start is not None:
            table = table.filter(pc.greater_equal(times, pa.scalar(start, TIMESTAMP)))
        if end is not None:
            table = table.filter(pc.less(table.column("label_time"), pa.scalar(end, TIMESTAMP)))
        return table

    def parts(self) -> Iterator[pa.Table]:
        """What `read` reads, segment by segment. Labels that are deleted meanwhile are left out.

        Memory: one segment; all labels where ids are replaced.
        """
        if self._resolve is not None and any(map(_has_answer_ids, self._parts())):
            yield self._load()[0]
        else:
            yield from self._parts()

    def _parts(self) -> Iterator[pa.Table]:
        last, sequence, unread = "", 0, []
        while True:
            gone = read_forgotten(self._folder)
            path = next((path for path in kept_segments(self._folder, gone) if path.stem > last), None)
            if path is None:
                break
            with suppress(FileNotFoundError):  # it was deleted meanwhile
                contents = _SEGMENTS.read(path)
                if read_forgotten(self._folder) != gone:
                    continue
                last, sequence = path.stem, max(sequence, gone.labels)
                if contents.torn_bytes:
                    unread.append(UnreadSegment(path=path, unread_bytes=contents.torn_bytes, damaged=contents.damaged))
                if contents.table is not None:
                    labels = with_owners(contents.table).replace_schema_metadata(None)
                    yield self._without_others(_numbered(labels, sequence))
                    sequence += labels.num_rows
        self._unread = tuple(unread)

    def latest(self, ids: pa.Array | None = None) -> pa.Table:
        """The last label of each prediction to arrive. Columns and order as in `read`.

        Labels that name different models, or versions where the log was opened for none, are of different predictions.

        Args:
            ids: Only those of these predictions; None: of all.
        """
        table = self._load()[0]
        if ids is not None:
            table = table.filter(pc.is_in(table["prediction_id"], value_set=ids.cast(pa.string())))
        table = without_erased(table)
        codes = _codes(table.column("prediction_id") if self._version is not None else _named_ids(table))
        last = np.zeros(int(codes.max(initial=-1)) + 1, np.int64)
        last[codes] = np.arange(len(codes))
        return table.take(pa.array(np.sort(last)))

    def summary(self) -> LabelSummary:
        """Counts over all labels that have arrived."""
        loaded, damage = self._load()
        table = without_erased(loaded)
        codes = _codes(_named_ids(table))
        distinct = int(codes.max(initial=-1)) + 1
        pairs = np.unique(np.stack([codes, _codes(table.column("label"))]), axis=1)
        versions = np.bincount(pairs[0], minlength=distinct)
        return LabelSummary(
            rows=len(codes),
            distinct=distinct,
            repeats=len(codes) - distinct,
            conflicts=int(np.count_nonzero(versions > 1)),
            torn_bytes=sum(each.unread_bytes for each in damage if not each.damaged),
            damaged_bytes=sum(each.unread_bytes for each in damage if each.damaged),
        )

    def damage(self) -> tuple[UnreadSegment, ...]:
        """The segments with damaged bytes, behind which whole labels are not read.

        As the log was when it was read last; it is read now if it was not.
        """
        unread = self._load()[1] if self._unread is None else self._unread
        return tuple(each for each in unread if each.damaged)

    def _load(self) -> tuple[pa.Table, tuple[UnreadSegment, ...]]:
        while True:
            gone = read_forgotten(self._folder)
            with suppress(FileNotFoundError):  # a segment was deleted meanwhile
                contents = {path: _SEGMENTS.read(path) for path in kept_segments(self._folder, gone)}
                if read_forgotten(self._folder) == gone:
                    break
        tables = [with_owners(each.table) for each in contents.values() if each.table is not None]
        table = pa.concat_tables([LABEL_SCHEMA.empty_table(), *tables]).replace_schema_metadata(None)
        table = _numbered(table, gone.labels)
        unread = tuple(
            UnreadSegment(path=path, unread_bytes=each.torn_bytes, damaged=each.damaged)
            for path, each in contents.items()
            if each.torn_bytes
        )
        self._unread = unread
        table = self._without_others(table)
        return table if self._resolve is None else self._resolve(table), unread

    def _without_others(self, table: pa.Table) -> pa.Table:
        """The labels, those empty that name another model or version."""
        others = pa.scalar(value=False)
        for name, owner in (("model", self._model), ("version", self._version)):
            if owner is not None and table[name].null_count < table.num_rows:
                others = pc.or_(others, pc.fill_null(pc.not_equal(table[name], owner), fill_value=False))
        if isinstance(others, pa.Scalar) or not pc.any(others).as_py():
            return table
        for name in ("prediction_id", "label"):
            place = table.column_names.index(name)
            table = table.set_column(place, table.schema.field(place), pc.if_else(others, "", table[name]))
        return table

    def models_named(self, since: datetime | None = None) -> dict[tuple[str, int | None], int]:
        """How many labels that became known since a time name each model and version, for those that name one."""
        counts = Counter[tuple[str, int | None]]()
        for part in self._parts():
            rows = part.filter(part["model"].is_valid())
            if since is not None:
                rows = rows.filter(pc.greater_equal(rows["label_time"], pa.scalar(since, TIMESTAMP)))
            named = rows.group_by(["model", "version"]).aggregate([("label", "count")])
            counts.update({(row["model"], row["version"]): row["label_count"] for row in named.to_pylist()})
        return dict(counts)


def labels_ever(labels: pa.Table) -> int:
    """How many labels a log has had by its last one, with those that were deleted; `labels` is from `LabelLog.read`."""
    return int(labels["sequence"][-1].as_py()) + 1 if labels.num_rows else 0


def without_erased(labels: pa.Table) -> pa.Table:
    """Labels without those that were erased, in whose places there are empty ones."""
    erased = pc.and_(pc.equal(labels["prediction_id"], ""), pc.equal(labels["label"], ""))
    return labels.filter(pc.invert(erased)) if pc.any(erased).as_py() else labels


def has_labels(root: Path) -> bool:
    """Whether there is a label log with at least one segment."""
    return bool(segments_in(root / LABELS))


def reject_lost_labels(label_count: int, earlier_count: int) -> NoReturn:
    """Refuse a label log that has lost labels: if they come back, they would be counted twice."""
    raise CannotRun(
        "The label log is not whole.",
        got=f"{label_count:,} labels",
        expected=f"the {earlier_count:,} labels that were read from it before, or more",
        fix="Mount it, or put it back; nothing was judged. If it is lost for good and a new one has begun, run "
        "`pitfalls monitor run --new-label-log` once.",
    )


def _has_answer_ids(labels: pa.Table) -> bool:
    return bool(pc.any(pc.starts_with(labels["prediction_id"], OWN_IDS)).as_py())


def _numbered(table: pa.Table, first: int) -> pa.Table:
    sequence = pa.array(first + np.arange(table.num_rows, dtype=np.int64))
    return table.append_column(pa.field("sequence", pa.int64(), nullable=False), sequence)


def _named_ids(table: pa.Table) -> pa.ChunkedArray:
    """The ids of predictions with the model and version that their labels name."""
    if table["model"].null_count == table.num_rows:
        return table["prediction_id"]
    version = pc.fill_null(table["version"].cast(pa.string()), "")
    return pc.binary_join_element_wise(table["prediction_id"], pc.fill_null(table["model"], ""), version, "\0")


def _codes(column: pa.ChunkedArray) -> np.ndarray:
    """An integer per distinct string, in order of first appearance."""
    codes: np.ndarray = column.combine_chunks().dictionary_encode().indices.to_numpy()
    return codes
