"""A file of PredictionLog records without some of its rows; every other record stays byte for byte."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from io import BytesIO
from itertools import groupby
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from monitoring.errors import BadInput
from monitoring.traffic.format.rows import AnsweredRows
from monitoring.traffic.tf_prediction_log.example_records import KINDS, REGRESS
from monitoring.traffic.tf_prediction_log.prediction_log import RequestMetadata, own_field, own_metadata, record_rows
from monitoring.traffic.tf_prediction_log.tfrecord import RecordReader, write_record


def without_rows(path: Path, gone: Callable[[AnsweredRows], NDArray[np.bool_]]) -> tuple[bytes, int, int]:
    """The bytes of a file whose records have lost some rows.

    A record that loses some of its rows becomes one for each stretch of those that stay, each with its own first row.

    Args:
        gone: Which of a record's rows go, bool [n].

    Returns:
        The bytes, how many rows the file has, and how many of them go.

    Raises:
        BadInput: the file is damaged, cut short or holds something else; or rows of another server's records would
            go, whose ids are made of the places of all records.
        OSError: the file cannot be read.
    """
    from google.protobuf.message import DecodeError  # noqa: PLC0415 - with the next
    from tensorflow_serving.apis import prediction_log_pb2  # noqa: PLC0415 - imports TensorFlow

    out, rows, removed = BytesIO(), 0, 0
    with path.open("rb") as file:
        reader = RecordReader(file, str(path))
        for number, record in enumerate(reader):
            try:
                log = prediction_log_pb2.PredictionLog.FromString(record)
            except DecodeError:
                _refuse(path, f"record {number}, which is no PredictionLog")
            if log.WhichOneof("log_type") not in {"predict_log", *KINDS}:
                _refuse(path, f"record {number}, which is no prediction")
            default_id = f"{path.stem}-{number}"
            answered = record_rows(log, default_id, partial(_refuse, path, f"record {number}, which has no rows"))
            mask = gone(answered)
            rows, removed = rows + answered.count, removed + int(mask.sum())
            metadata = own_metadata(log.log_metadata, default_id)
            if not mask.any():
                write_record(out, record)
            elif metadata is None:
                _refuse(path, f"record {number} of another server: without it the ids of later records would change")
            else:
                for part in _stretches(log, metadata, ~mask):
                    write_record(out, part)
    if reader.torn_bytes:
        _refuse(path, "a last record that is not whole: it is still being written, or its writer was interrupted")
    return out.getvalue(), rows, removed


def _stretches(log: Any, metadata: RequestMetadata, mask: NDArray[np.bool_]) -> Iterator[bytes]:
    """A record for each stretch of rows that stay."""
    for stays, group in groupby(range(mask.size), key=lambda row: bool(mask[row])):
        if not stays:
            continue
        places = list(group)
        first, last = places[0], places[-1] + 1
        part = type(log)()
        part.CopyFrom(log)
        kind = part.WhichOneof("log_type")
        _keep(getattr(part, kind), kind, first, last)
        part.log_metadata.DiscardUnknownFields()
        part.log_metadata.MergeFromString(own_field(replace(metadata, first_row=metadata.first_row + first)))
        yield part.SerializeToString(deterministic=True)


def _keep(record: Any, kind: str, first: int, last: int) -> None:
    """Keep some rows of a record, from `first` to before `last`."""
    if kind in KINDS:
        result = record.response.result
        answers = result.regressions if kind == REGRESS else result.classifications
        for items in (record.request.input.example_list.examples, answers):
            del items[last:]
            del items[:first]
        return
    for tensor in (*record.request.inputs.values(), *record.response.outputs.values()):
        count = tensor.tensor_shape.dim[0].size
        if tensor.tensor_content:
            width = len(tensor.tensor_content) // count
            tensor.tensor_content = tensor.tensor_content[first * width : last * width]
        width = len(tensor.string_val) // count
        del tensor.string_val[last * width :]
        del tensor.string_val[: first * width]
        tensor.tensor_shape.dim[0].size = last - first


def _refuse(path: Path, got: str) -> NoReturn:
    raise BadInput(
        "Rows of these records cannot be erased.",
        got=f"{path}: {got}",
        expected="whole records of `pitfalls traffic DIR --to FILE.tfrecord`",
        fix="Delete the file, and write it anew from the log once the rows are gone there.",
    )
