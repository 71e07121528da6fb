"""The rows of one window of a table, as the monitor's job reads them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.baseline.batch import Batch, joined
from monitoring.baseline.predictions import Predictions, no_predictions
from monitoring.baseline.spec import BaselineSpec
from monitoring.judging.window.label_findings import UnknownClassLabels
from monitoring.judging.window.traffic_source import ReadSummary
from monitoring.tasks.label_codes import has_label, label_digests, only_where
from monitoring.tasks.task import NO_LABEL, Task
from monitoring.traffic.id_keys import IdSet, id_keys
from monitoring.traffic.tables.inline_labels import BY_ID, InlineLabels
from monitoring.traffic.tables.label_import import LabelRouting
from monitoring.traffic.tables.row_batches import RowBatch
from monitoring.traffic.tables.table import Table
from monitoring.traffic.windows import Window


class TableWindow:
    """One window of a table. A `WindowRows`."""

    inline_labels = True

    def __init__(
        self, table: Table, window: Window, *, spec: BaselineSpec, counted: InlineLabels, routing: LabelRouting
    ) -> None:
        """Reads nothing yet.

        Args:
            table: the table.
            window: the window.
            spec: the classes, and the inputs.
            counted: the labels that were counted with their rows.
            routing: which labels are counted with their rows.
        """
        self._table = table
        self._window = window
        self._spec = spec
        self._counted = counted
        self._routing = routing
        self._summary = ReadSummary()

    def batches(self) -> Iterator[Batch]:
        """See `WindowRows`.

        Yields:
            Batches of rows, in the order of files.
        """
        for each in self._pass():
            yield each.batch

    def consume(self) -> Iterator[Batch]:
        """See `WindowRows`.

        Yields:
            Batches of rows, in the order of files.
        """
        with self._counted.writer(self._window) as writer:
            for each in self._pass():
                labelled = np.flatnonzero(each.labelled)
                writer.add(*self._known_as(each.rows, labelled), label_digests(each.batch.labels[labelled]))
                yield each.batch

    def select(self, ids: IdSet) -> tuple[Predictions, int]:
        """See `WindowRows`."""
        counted = self._counted.read(self._window)
        found, newest = [no_predictions(self._spec)], 0
        for each in self._pass():
            newest = max(newest, int(each.batch.event_times.max()))
            mine = np.flatnonzero(ids.contains(each.rows.all_ids()))
            name, places = self._known_as(each.rows, mine)
            labels = np.full(mine.size, NO_LABEL, dtype=np.int64)
            if name in counted:
                labels = counted[name].of(places, NO_LABEL)
            found.append(replace(each.batch.take(mine), labels=labels))
        return replace(joined(found), problems=self._summary.problems), newest

    def summary(self) -> ReadSummary:
        """See `WindowRows`."""
        return self._summary

    def _known_as(self, rows: RowBatch, at: NDArray[np.int64]) -> tuple[str, NDArray[np.int64]]:
        """What some rows of a batch go by among those that were counted: a file and places, or their ids' keys."""
        if self._table.has_ids:
            return BY_ID, id_keys(rows.ids_at(at))
        return rows.piece.name, rows.piece.first_row + rows.places[at]

    def _pass(self) -> Iterator[_LabelledBatch]:
        """All rows that count, and then what was found out about them."""
        scan = self._table.window(self._window)
        unknown = UnknownClassLabels()
        for part in scan.parts():
            inline = self._routing.inline(part.number, part.batch)
            found = _with_labels(part.batch, inline, self._spec.task)
            unknown += found.unknown
            yield found
        self._summary = ReadSummary(
            repeats=scan.repeats,
            problems=tuple(scan.problems.items()),
            unknown_labels=unknown,
            findings=scan.findings(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _LabelledBatch:
    """Rows with their inline labels: which have one, bool [n], and those labels that name no class."""

    rows: RowBatch
    batch: Batch
    labelled: NDArray[np.bool_]
    unknown: UnknownClassLabels


def _with_labels(rows: RowBatch, inline: NDArray[np.bool_] | None, task: Task) -> _LabelledBatch:
    """The rows with the labels that are counted with them: those where `inline` (None: everywhere)."""
    names = rows.labels.dictionary
    code_of = task.label_codes(pa.chunked_array([names]))
    code_of = np.concatenate([code_of, np.full((1, *code_of.shape[1:]), NO_LABEL)])
    is_name = np.append(np.asarray(names.is_valid(), dtype=np.bool_), False)
    indices = rows.labels.indices
    codes = np.asarray(pc.fill_null(indices, len(names)) if indices.null_count else indices)
    all_labelled = not indices.null_count and is_name[:-1].all()
    labelled = np.ones(codes.size, dtype=np.bool_) if all_labelled else is_name[codes]
    labels = code_of[codes]
    if inline is not None:
        labelled &= inline
        labels = only_where(labelled, labels)
    unknown = labelled & (~has_label(labels) | task.unknown(labels))
    respelled = labelled & np.append(task.respelled(pa.chunked_array([names])), False)[codes]
    batch = Batch(
        event_times=rows.event_us,
        features=rows.inputs,
        probabilities=rows.probabilities,
        labels=labels,
        label_times=rows.event_us,
        ids=rows.ids_at,
    )
    words = names.take(pa.array(np.unique(codes[unknown]))).to_pylist()
    return _LabelledBatch(
        rows=rows,
        batch=batch,
        labelled=labelled,
        unknown=UnknownClassLabels(
            labels=int(unknown.sum()),
            words=frozenset(words),
            respelled=int(respelled.sum()),
            respelled_words=frozenset(names.take(pa.array(np.unique(codes[respelled]))).to_pylist()),
        ),
    )
