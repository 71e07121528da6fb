"""TensorFlow Serving's request log as calls: a PredictionLog record has both sides of one."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, cast

import numpy as np

from monitoring.traffic.foreign_logs.bodies import Unreadable
from monitoring.traffic.foreign_logs.records import LoggedSide, whole_file
from monitoring.traffic.format.rows import AnsweredRows
from monitoring.traffic.tf_prediction_log.example_records import KINDS
from monitoring.traffic.tf_prediction_log.prediction_log import record_rows
from monitoring.traffic.tf_prediction_log.tfrecord import RecordReader


def read_tensorflow_serving(path: Path) -> Iterator[LoggedSide | None]:
    """Calls of Predict, Classify and Regress in a TFRecord file, gzip by its name; features of Examples are columns.

    A record of another server has no id: its number and a digest are one. One that is cut short at the end is read when
    it is whole. TensorFlow is imported for its messages.
    """
    from google.protobuf.message import DecodeError  # noqa: PLC0415 - with the next
    from tensorflow_serving.apis import prediction_log_pb2  # noqa: PLC0415 - imports TensorFlow

    with whole_file(path), gzip.open(path) if path.suffix == ".gz" else path.open("rb") as opened:
        file = cast("BinaryIO", opened)
        for number, record in enumerate(RecordReader(file, str(path))):
            try:
                log = prediction_log_pb2.PredictionLog.FromString(record)
                kind = log.WhichOneof("log_type")
                if kind not in {"predict_log", *KINDS}:
                    _refuse()
                rows = record_rows(log, f"{number}-{hashlib.sha256(record).hexdigest()[:16]}", _refuse)
                sides = _request(rows, examples=kind in KINDS), json.dumps({"outputs": _tensors(rows.outputs)})
            except (DecodeError, Unreadable):
                yield None
                continue
            at = int(rows.event_times_us[0]) or None
            first = int(rows.rows[0])
            call_id = f"{rows.request_ids[0]}-{first}" if first else rows.request_ids[0]
            yield LoggedSide(id=call_id, side="request", body=sides[0], at_us=at)
            yield LoggedSide(id=call_id, side="response", body=sides[1], at_us=at)


def _refuse() -> NoReturn:
    raise Unreadable("no call with as many answers as rows")


def _request(rows: AnsweredRows, *, examples: bool) -> str:
    if not examples:
        return json.dumps({"inputs": _tensors(rows.inputs)})
    (serialized,) = rows.inputs.values()
    return json.dumps({"instances": [_features(example) for example in serialized.tolist()]})


def _features(example: bytes) -> dict[str, Any]:
    """The features of an Example; those of several values as a list."""
    from tensorflow.core.example.example_pb2 import Example  # noqa: PLC0415 - imports TensorFlow

    found = {}
    for name, feature in sorted(Example.FromString(example).features.feature.items()):
        kind = feature.WhichOneof("kind")
        values = [] if kind is None else [_plain(value) for value in getattr(feature, kind).value]
        found[name] = values[0] if len(values) == 1 else values or None
    return found


def _tensors(columns: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"name": name, "shape": list(value.shape), "data": [_plain(cell) for cell in np.ravel(value).tolist()]}
        for name, value in columns.items()
    ]


def _plain(value: Any) -> Any:
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else value
