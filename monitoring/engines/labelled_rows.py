"""Rows of a table with their inline labels, as they are judged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.baseline.batch import Batch
from monitoring.judging.window.label_findings import UnknownClassLabels
from monitoring.tasks.label_codes import has_label, only_where
from monitoring.tasks.task import NO_LABEL, Task
from monitoring.traffic.id_keys import id_keys
from monitoring.traffic.tables.inline_labels import BY_ID
from monitoring.traffic.tables.label_import import LabelRouting
from monitoring.traffic.tables.row_batches import RowBatch
from monitoring.traffic.tables.table import WindowScan


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledBatch:
    """Rows with their inline labels: which have one, bool [n], and those labels that name no class."""

    rows: RowBatch
    batch: Batch
    labelled: NDArray[np.bool_]
    unknown: UnknownClassLabels


def with_labels(rows: RowBatch, inline: NDArray[np.bool_] | None, task: Task) -> LabelledBatch:
    """The rows with the labels that are counted with them: those where `inline` (None: everywhere)."""
    names = rows.labels.dictionary
    code_of = task.label_codes(pa.chunked_array([names]))
    code_of = np.concatenate([code_of, np.full((1, *code_of.shape[1:]), NO_LABEL)])
    is_name = np.append(np.asarray(names.is_valid(), dtype=np.bool_), False)
    indices = rows.labels.indices
    codes = np.asarray(pc.fill_null(indices, len(names)) if indices.null_count else indices)
    all_labelled = not indices.null_count and is_name[:-1].all()
    labelled = np.ones(codes.size, dtype=np.bool_) if all_labelled else is_name[codes]
    labels = code_of.take(codes, axis=0)
    if inline is not None:
        labelled &= inline
        labels = only_where(labelled, labels)
    unknown = _codes_of(np.append((~has_label(code_of) | task.unknown(code_of))[:-1], False), codes, labelled)
    respelled = _codes_of(np.append(task.respelled(pa.chunked_array([names])), False), codes, labelled)
    batch = Batch(
        event_times=rows.event_us,
        features=rows.inputs,
        probabilities=rows.probabilities,
        labels=labels,
        label_times=rows.event_us,
        ids=rows.ids_at,
        row_keys=rows.row_keys(),
    )
    return LabelledBatch(
        rows=rows,
        batch=batch,
        labelled=labelled,
        unknown=UnknownClassLabels(
            labels=unknown.size,
            words=frozenset(names.take(pa.array(np.unique(unknown))).to_pylist()),
            respelled=respelled.size,
            respelled_words=frozenset(names.take(pa.array(np.unique(respelled))).to_pylist()),
        ),
    )


def _codes_of(chosen: NDArray[np.bool_], codes: NDArray[np.int64], labelled: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The codes of the labelled rows whose name is chosen, of a choice for each code; looked for where one is."""
    return codes[labelled & chosen[codes]] if chosen.any() else codes[:0]


def labelled_batches(scan: WindowScan, routing: LabelRouting, task: Task) -> Iterator[LabelledBatch]:
    """The rows of a pass, with their inline labels. Yields batches of rows, in the order of files."""
    for part in scan.parts():
        yield with_labels(part.batch, routing.inline(part.number, part.batch), task)


def known_as(rows: RowBatch, at: NDArray[np.int64], *, has_ids: bool) -> tuple[str, NDArray[np.int64]]:
    """What some rows of a batch go by among those that were counted."""
    if has_ids:
        return BY_ID, id_keys(rows.ids_at(at))
    return rows.piece.name, rows.piece.first_row + rows.places[at]
