"""Labels of tables in order of arrival: written to a label log, each when it is first seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.errors import BadInput
from monitoring.records import Finding
from monitoring.timestamps import as_microseconds
from monitoring.traffic.id_keys import member
from monitoring.traffic.labels.label_log import LabelLog
from monitoring.traffic.labels.label_writer import LabelWriter
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.files import Piece
from monitoring.traffic.tables.indexed import TableTraffic, by_arrival
from monitoring.traffic.tables.inline_labels import NEVER, Counted, Settled, labels_of
from monitoring.traffic.tables.piece_stream import raw_batches
from monitoring.traffic.tables.quotes import Swallowed, about_quotes
from monitoring.traffic.tables.rows import (
    about_label_times,
    event_times,
    given_ids,
    identities,
    label_words,
    own_ids,
    own_times,
    truths,
    undated,
)
from monitoring.traffic.tables.streamed import StreamedTable
from monitoring.traffic.tables.values import Moments


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Where labels are brought: the label log in `root`, and those `settled` with their rows, which need not go there.

    `indices` reads labels as classes.
    """

    root: Path
    settled: Settled
    indices: Callable[[pa.ChunkedArray], NDArray[np.int64]]
    clock: Callable[[], datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What was found about labels in tables apart.

    `waiting` of them name no row of the table and do not say when they became known, as `one` id does.
    """

    findings: tuple[Finding, ...] = ()
    waiting: int = 0
    one: str = ""


def gather_labels(
    traffic: TableTraffic,
    apart: Sequence[Piece],
    columns: TableColumns,
    ledger: Ledger,
) -> Gathered:
    """Append to the label log each label that it does not have yet, and say what was wrong with those apart.

    Labels come from the table's own rows and from the tables `apart`. One without a time became known when its row
    happened; in a table apart it waits until its row is there. A prediction that is given another label later gets
    both, as the log's readers expect: the first consumed counts, the other is a conflict. Run again, nothing is added.
    Labels that were settled with their rows are left out.
    Raises CannotRun if the folder cannot be written, BadInput for a table apart without ids or labels.
    """
    beside = [_apart(piece, traffic, columns) for piece in apart]
    found = by_arrival([traffic.labels(), *(each.labels for each in beside)])
    writer = LabelWriter(ledger.root, clock=ledger.clock)
    try:
        known = LabelLog(ledger.root).read()
        # The first time, and where no two rows can have one id, there is nothing that could be there already.
        added = _unknown(found, known) if known.num_rows or apart or traffic.named else found
        settled = ledger.settled.read()
        before = labels_of(added["prediction_id"].combine_chunks(), settled, NEVER)
        added = added.filter(pa.array(before != ledger.indices(added["label"])))
        _append(writer, added)
    finally:
        writer.close()
    waiting = pa.chunked_array([_never_seen(each.timeless, known, settled) for each in beside], pa.string())
    about = about_label_times(columns.label_time, sum(each.undated for each in beside))
    lost = [each.swallowed for each in beside if each.swallowed is not None]
    return Gathered(
        findings=(*about, *about_quotes(lost)),
        waiting=len(waiting),
        one=pc.min(waiting).as_py() or "",
    )


def _never_seen(ids: pa.Array, known: pa.Table, settled: Mapping[str, Counted]) -> pa.Array:
    """Those of the ids for which no label is in the log or was counted with its row."""
    fresh = ids.filter(pc.invert(pc.is_in(ids, known["prediction_id"].combine_chunks())))
    return fresh.filter(pa.array(labels_of(fresh, settled, NEVER) == NEVER))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """A table of labels: those of which it is known when they became so, and ids of those of which it is not.

    `undated` of them say by what is no time when that was; `swallowed` are lines that a quote has swallowed.
    """

    labels: pa.Table
    timeless: pa.Array
    undated: int
    swallowed: tuple[str, int, Swallowed] | None = None


def gather_beside(
    table: StreamedTable,
    columns: TableColumns,
    ledger: Ledger,
    *,
    since: datetime | None,
    judged: datetime | None,
) -> pa.Array:
    """As `gather_labels`, of a streamed table: those labels alone that are not counted with their rows.

    They are labels with a time of their own, those of rows that share their id with others, and those that are seen for
    the first time, or are another than before, after their row's window was judged: of rows from `since` on (None: from
    the first), in windows that end by `judged` (None: none was judged). Nothing is read of a file in which there can be
    none. The ids of their rows.
    """
    found, counted = [], ledger.settled.read() if judged is not None else {}
    for extent in (*table.older, *table.extents):
        piece, shared = extent.piece, table.repeats.shared.get(extent.piece, _NO_ROWS)
        before = judged is not None and extent.first < as_microseconds(judged)
        if not (before or extent.own_times or shared.size):
            continue
        for first, raw in raw_batches(piece, columns.mapped):
            times = event_times(raw, columns)
            truth = truths(raw, columns, times)
            places = first + np.arange(len(times.us))
            when = np.asarray(pc.fill_null(truth["label_time"].cast(pa.int64()), 0), dtype=np.int64)
            wanted = (when != times.us) | member(places, shared)
            ids = identities(piece, raw, columns, first) if table.named else None
            if judged is not None and before:
                known = np.full(len(when), NEVER)
                if ids is not None:
                    known = labels_of(ids, counted, NEVER)
                elif piece.name in counted:
                    known = counted[piece.name].of(piece.first_row + places, NEVER)
                late = (known != ledger.indices(truth["label"])) & (times.us < as_microseconds(judged))
                wanted |= late if since is None else late & (times.us >= as_microseconds(since))
            mine = np.flatnonzero(wanted & np.asarray(truth["label"].is_valid(), dtype=np.bool_))
            names = own_ids(piece, places[mine]) if ids is None else ids.take(pa.array(mine))
            found.append(truth.take(pa.array(mine)).add_column(0, "prediction_id", names))
    writer = LabelWriter(ledger.root, clock=ledger.clock)
    labels = by_arrival(found)
    try:
        if labels.num_rows:
            _append(writer, _unknown(labels, LabelLog(ledger.root).read()))
    finally:
        writer.close()
    return labels["prediction_id"].combine_chunks()


_NO_ROWS = np.zeros(0, dtype=np.int64)


def _append(writer: LabelWriter, labels: pa.Table) -> None:
    times = labels["label_time"].cast(pa.int64()).to_numpy()
    writer.append(labels["prediction_id"].combine_chunks(), labels["label"].combine_chunks(), times)


def _unknown(found: pa.Table, known: pa.Table) -> pa.Table:
    """The labels that are not among the known ones, each once."""
    pairs = _pairs(found)
    fresh = np.asarray(pc.invert(pc.is_in(pairs, _pairs(known))), dtype=np.bool_)
    _, firsts = np.unique(np.asarray(pairs.dictionary_encode().indices), return_index=True)
    first = np.zeros(len(pairs), dtype=np.bool_)
    first[firsts] = True
    return found.filter(pa.array(fresh & first))


def _pairs(labels: pa.Table) -> pa.Array:
    """Each label with the prediction that it is about, as one text."""
    joined = pc.binary_join_element_wise(labels["label"], labels["prediction_id"], "\0")
    return joined.combine_chunks().cast(pa.large_string())


def _apart(piece: Piece, traffic: TableTraffic, columns: TableColumns) -> _Given:
    """The labels of a table of labels."""
    raw = piece.read([columns.prediction_id, columns.label, columns.label_time])
    absent = [name for name in (columns.prediction_id, columns.label) if name not in raw.table.column_names]
    if absent and raw.table.num_rows:
        raise BadInput(
            f"The table of labels {piece.name} cannot be joined.",
            got=f"no column {', '.join(absent)}",
            expected=f"{columns.prediction_id} and {columns.label}, and {columns.label_time} where it is known",
            fix="Name the columns as in the [traffic] section.",
        )
    lost = None if raw.swallowed is None else (piece.name, raw.table.num_rows, raw.swallowed)
    if absent:
        return _Given(labels=by_arrival([]), timeless=pa.array([], pa.string()), undated=0, swallowed=lost)
    named = given_ids(raw, columns)
    ids = pa.nulls(raw.table.num_rows, pa.string()) if named is None else named
    us, known = traffic.happened(ids)
    truth = truths(raw, columns, Moments(us=us, valid=known))
    labels = label_words(raw, columns)
    there = labels.dictionary_decode().is_valid()
    return _Given(
        labels=truth.add_column(0, "prediction_id", ids).filter(ids.is_valid()),
        timeless=ids.filter(pc.and_(there, truth["label"].combine_chunks().is_null())).drop_null(),
        undated=int(undated(raw, columns, labels, own_times(raw, columns)).sum()),
        swallowed=lost,
    )
