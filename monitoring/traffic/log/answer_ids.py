"""Labels that name the server's own ids of answers: they are for the predictions that these answers are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.traffic.format.rows import ANSWER_ID, INPUT, OWN_IDS, answer_ids, prediction_ids
from monitoring.traffic.id_keys import IdSet, id_keys, is_member
from monitoring.traffic.log.assembly import IDENTITY
from monitoring.traffic.log.conversion import POSITION
from monitoring.traffic.log.scans import Query, Scan, read_scans, scan_files


def conflicting_rows(scans: Sequence[Scan]) -> list[tuple[Scan, NDArray[np.int64]]]:
    """Find the rows whose id an earlier row has, with other inputs. Versions may have inputs of other names and types.

    Cost: some microseconds a row and input; meant for the rows of repeated ids alone.
    """
    scans = [scan for scan in scans if scan.key is not None]
    written = sorted(
        (scan.segment, position, number, index)
        for number, scan in enumerate(scans)
        for index, position in enumerate(scan.table[POSITION].to_pylist())
    )
    ids = [prediction_ids(scan.table).to_pylist() for scan in scans]
    contents = [_contents(scan.table) for scan in scans]
    first: dict[str, str] = {}
    rows_by_scan: list[list[int]] = [[] for _ in scans]
    for _, _, number, index in written:
        content = contents[number][index]
        if first.setdefault(ids[number][index], content) != content:
            rows_by_scan[number].append(index)
    return [(scan, np.array(sorted(rows), np.int64)) for scan, rows in zip(scans, rows_by_scan, strict=True)]


def _contents(table: pa.Table) -> list[str]:
    """The inputs of each row, as a text; equal NaNs are equal."""
    names = sorted(name for name in table.column_names if name.startswith(INPUT))
    columns = [table[name].to_pylist() for name in names]
    return [repr((names, values)) for values in zip(*columns, strict=True)] or [""] * table.num_rows


def with_prediction_ids(root: Path, labels: pa.Table, *, since: datetime | None = None) -> pa.Table:
    """Replace the answer ids among the ids of labels by prediction ids.

    An answer to a request whose id was sent before is the same prediction if its inputs are the same; if not, it is no
    prediction, and its label keeps its id. Cost: nothing without such labels; else four columns of every file are read
    once, and all columns of repeated rows.

    Args:
        since: The first event time of predictions; None for all.
    """
    ids = labels["prediction_id"].combine_chunks()
    is_answer_id = pc.starts_with(ids, OWN_IDS)
    if not pc.any(is_answer_id).as_py():
        return labels
    predictions = _predictions(root, IdSet(ids.filter(is_answer_id)), since)
    named = (
        predictions["prediction"]
        .combine_chunks()
        .take(pc.index_in(ids, value_set=predictions["answer"].combine_chunks()))
    )
    place = labels.column_names.index("prediction_id")
    return labels.set_column(place, labels.schema.field(place), pc.coalesce(named, ids))


def _predictions(root: Path, wanted: IdSet, since: datetime | None) -> pa.Table:
    """The prediction id of each wanted answer id."""
    table = pa.table({"answer": pa.nulls(0, pa.string()), "prediction": pa.array([], pa.string())})
    keys: dict[str, list[NDArray[np.int64]]] = {}
    by_model: dict[str, pa.Table] = {}
    for scan in scan_files(root, Query(start=since), (*IDENTITY, ANSWER_ID)):
        if scan.key is None:
            continue
        model = scan.key.model
        predictions = prediction_ids(scan.table)
        keys.setdefault(model, []).append(id_keys(predictions))
        rows = _wanted(scan, wanted, predictions)
        by_model[model] = pa.concat_tables([by_model.get(model, table), rows])
    for model, rows in by_model.items():
        distinct, counts = np.unique(np.concatenate(keys[model]), return_counts=True)
        model_rows = rows
        repeated = is_member(id_keys(rows["prediction"].combine_chunks()), distinct[counts > 1])
        if repeated.any():
            again = IdSet(rows["prediction"].combine_chunks().filter(pa.array(repeated)))
            scans = read_scans(root, Query(model=model, start=since, ids=again), None)
            others = pa.concat_arrays(
                [
                    answer_ids(scan.table).take(pa.array(places))
                    for scan, places in conflicting_rows(scans)
                    if ANSWER_ID in scan.table.column_names
                ]
            )
            model_rows = model_rows.filter(pc.invert(pc.is_in(rows["answer"], value_set=others)))
        table = pa.concat_tables([table, model_rows])
    return table


def _wanted(scan: Scan, wanted: IdSet, predictions: pa.Array) -> pa.Table:
    """The wanted answers of one file, each with its prediction."""
    if ANSWER_ID not in scan.table.column_names:  # of an earlier version
        return pa.table({"answer": pa.nulls(0, pa.string()), "prediction": pa.array([], pa.string())})
    answers = answer_ids(scan.table)
    rows = pa.table({"answer": answers, "prediction": predictions})
    return rows.filter(pa.array(wanted.contains(answers)))
