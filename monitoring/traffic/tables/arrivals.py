"""Labels of tables in order of arrival: written to a label log, each when it is first seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring.errors import BadInput
from monitoring.traffic.labels import LabelLog, LabelWriter
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.files import Piece
from monitoring.traffic.tables.rows import truths
from monitoring.traffic.tables.table import TableTraffic, by_arrival
from monitoring.traffic.tables.values import Moments, is_text, plain, words


def gather_labels(
    traffic: TableTraffic,
    apart: Sequence[Piece],
    columns: TableColumns,
    *,
    root: Path,
    clock: Callable[[], datetime],
) -> int:
    """Append to the label log in `root` each label that it does not have yet, and say how many those were.

    Labels come from the table's own rows and from the tables `apart`. One without a time became known when its row
    happened; in a table apart it waits until its row is there. A prediction that is given another label later gets
    both, as the log's readers expect: the first consumed counts, the other is a conflict. Run again, nothing is added.
    Raises CannotRun if the folder cannot be written, BadInput for a table apart without ids or labels.
    """
    found = by_arrival([traffic.labels(), *(_apart(piece, traffic, columns) for piece in apart)])
    writer = LabelWriter(root, clock=clock)
    try:
        known = LabelLog(root).read()
        # The first time, and where no two rows can have one id, there is nothing that could be there already.
        added = _unknown(found, known) if known.num_rows or apart or traffic.named else found
        times = added["label_time"].cast(pa.int64()).to_numpy()
        writer.append(added["prediction_id"].combine_chunks(), added["label"].combine_chunks(), times)
    finally:
        writer.close()
    return int(added.num_rows)


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


def _apart(piece: Piece, traffic: TableTraffic, columns: TableColumns) -> pa.Table:
    raw = piece.read([columns.prediction_id, columns.label, columns.label_time])
    absent = [name for name in (columns.prediction_id, columns.label) if name not in raw.table.column_names]
    if absent and raw.table.num_rows:
        raise BadInput(
            f"The table of labels {piece.name} cannot be joined.",
            got=f"no column {', '.join(absent)}",
            expected=f"{columns.prediction_id} and {columns.label}, and {columns.label_time} where it is known",
            fix="Name the columns as in the [traffic] section.",
        )
    if absent:
        return by_arrival([])
    given = plain(raw.table[columns.prediction_id])
    ids = words(given) if is_text(given.type) or pa.types.is_integer(given.type) else pa.nulls(len(given), pa.string())
    us, known = traffic.happened(ids)
    truth = truths(raw, columns, Moments(us=us, valid=known))
    there = ids.is_valid()
    return truth.add_column(0, "prediction_id", ids).filter(there)
