"""The traffic log as TensorFlow Serving's `PredictionLog` records, and back, losing nothing.

A record is a PredictLog of one request, or of those of its rows that lie together; its inputs and outputs are the
tensors, so that a file can be replayed as warmup requests as it is. What a PredictLog has no field for is in field
50001 of its LogMetadata, UTF-8 JSON, which other readers skip:

    {"request_id", "first_row", "event_time_us", "answered_at_us", "latency_us"}

and `sampling_config.sampling_rate` is the rate. Read without that field, a record is a request of an id made from the
file's name and its place in it, at `timestamp_secs`.

Source: tensorflow_serving/apis/prediction_log.proto, tensorflow_serving/core/logging.proto.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa

from monitoring.errors import BadInput
from monitoring.traffic.format.layout import check_root
from monitoring.traffic.format.rows import INPUT, OUTPUT, AnsweredRows, ModelKey
from monitoring.traffic.log.scans import Query, scan_segments
from monitoring.traffic.tf_prediction_log.tensor_protos import read_tensor, write_tensor
from monitoring.traffic.tf_prediction_log.tfrecord import RecordReader, write_record

OWN_FIELD = 50001
_LENGTH_DELIMITED = 2
Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFacts:
    """What the log knows of a request, and a PredictLog has no field for. Times are microseconds."""

    request_id: str
    first_row: int
    event_time_us: int
    answered_at_us: int
    latency_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """What went from a log to a file, or back."""

    records: int
    rows: int
    torn_bytes: int = 0


def export_log(root: Path, file: BinaryIO) -> Transfer:
    """Writes the whole log, in the order in which it was written, repeats and all. Labels and gaps are not part of it.

    One segment is in memory at a time. Raises BadInput if `root` is no traffic log, OSError if the disk fails.
    """
    check_root(root)
    records = rows = 0
    for scan in scan_segments(root, Query()):
        if scan.key is not None and scan.table.num_rows:
            records += write_rows(file, scan.key, scan.table, scan.sampling_rate)
            rows += scan.table.num_rows
    return Transfer(records=records, rows=rows)


def import_log(path: Path, append: Callable[[AnsweredRows], None]) -> Transfer:
    """Hands the rows of a file to `append`, which must take them in their order, after reading it once to the end.

    Raises BadInput, before anything is appended, for a file that is damaged or holds something else; and what `append`
    raises. A torn record at the end, of a writer that was interrupted, is left out and counted.
    """
    try:
        with path.open("rb") as file:
            for _ in read_rows(RecordReader(file, str(path))):
                pass
            file.seek(0)
            reader = RecordReader(file, str(path))
            records = rows = 0
            for answered in read_rows(reader):
                append(answered)
                records += 1
                rows += answered.count
    except FileNotFoundError:
        raise BadInput("No such file.", got=str(path), expected="a TFRecord file", fix="Check the path.") from None
    return Transfer(records=records, rows=rows, torn_bytes=reader.torn_bytes)


def write_rows(file: BinaryIO, key: ModelKey, rows: pa.Table, sampling_rate: float) -> int:
    """Writes rows of one segment, in their order; returns how many records it took. Raises OSError.

    `rows` has the stored columns: request_id, row, event_time, answered_at, latency_us and the tensors'.
    """
    from tensorflow_serving.apis import prediction_log_pb2  # noqa: PLC0415 - imports TensorFlow

    ids = rows.column("request_id").to_pylist()
    numbers = {
        name: rows.column(name).cast(pa.int64()).to_numpy()
        for name in ("row", "event_time", "answered_at", "latency_us")
    }
    tensors = {
        name: (rows.schema.field(name), rows.column(name).combine_chunks())
        for name in rows.column_names
        if name.startswith((INPUT, OUTPUT))
    }
    starts = _starts(ids, numbers, {name: column for name, (_, column) in tensors.items()})
    for start, end in zip(starts, [*starts[1:], len(ids)], strict=True):
        log = prediction_log_pb2.PredictionLog()
        log.log_metadata.sampling_config.sampling_rate = sampling_rate
        log.log_metadata.timestamp_secs = int(numbers["event_time"][start]) // 1_000_000
        facts = RequestFacts(
            request_id=ids[start],
            first_row=int(numbers["row"][start]),
            event_time_us=int(numbers["event_time"][start]),
            answered_at_us=int(numbers["answered_at"][start]),
            latency_us=int(numbers["latency_us"][start]),
        )
        log.log_metadata.MergeFromString(_own_field(facts))
        spec = log.log_metadata.model_spec
        spec.name, spec.version.value, spec.signature_name = key.model, key.version, key.signature
        for one in (log.predict_log.request.model_spec, log.predict_log.response.model_spec):
            one.CopyFrom(spec)
        for name, (field, column) in tensors.items():
            side = log.predict_log.request.inputs if name.startswith(INPUT) else log.predict_log.response.outputs
            write_tensor(side[name.partition(":")[2]], field, column.slice(start, end - start))
        write_record(file, log.SerializeToString(deterministic=True))
    return len(starts)


def read_rows(reader: RecordReader) -> Iterator[AnsweredRows]:
    """The rows of each record, in their order. One record is in memory at a time.

    Raises BadInput for a damaged file, and for records that are no PredictLog of a version with tensors of rows.
    """
    from google.protobuf.message import DecodeError  # noqa: PLC0415 - beside the next
    from tensorflow_serving.apis import prediction_log_pb2  # noqa: PLC0415 - imports TensorFlow

    for number, record in enumerate(reader):
        try:
            log = prediction_log_pb2.PredictionLog.FromString(record)
        except DecodeError:
            raise _not_ours(reader, number, "a record that is no PredictionLog") from None
        kind = log.WhichOneof("log_type")
        if kind != "predict_log":
            raise _not_ours(reader, number, f"a {kind or 'record without a log'}")
        yield _rows(
            log, f"{Path(reader.name).stem}-{number}", _not_ours(reader, number, "tensors without rows in common")
        )


def _rows(log: Any, made_up_id: str, no_rows: BadInput) -> AnsweredRows:
    request, response = log.predict_log.request, log.predict_log.response
    inputs = {name: read_tensor(tensor) for name, tensor in request.inputs.items()}
    outputs = {name: read_tensor(tensor) for name, tensor in response.outputs.items()}
    facts = _facts(log.log_metadata, made_up_id)
    counts = {value.shape[:1] for value in (*inputs.values(), *outputs.values())}
    if len(counts) != 1 or () in counts:
        if not counts or facts is not None:
            raise no_rows
        inputs, outputs = _as_one_row(inputs), _as_one_row(outputs)
        counts = {(1,)}
    [(count,)] = counts
    if facts is None:
        at_us = log.log_metadata.timestamp_secs * 1_000_000
        facts = RequestFacts(
            request_id=made_up_id, first_row=0, event_time_us=at_us, answered_at_us=at_us, latency_us=0
        )
    spec = response.model_spec if response.HasField("model_spec") else request.model_spec
    rate = log.log_metadata.sampling_config.sampling_rate
    return AnsweredRows(
        model=spec.name or request.model_spec.name,
        version=spec.version.value,
        signature=spec.signature_name or request.model_spec.signature_name or "serving_default",
        request_ids=[facts.request_id] * count,
        rows=np.arange(facts.first_row, facts.first_row + count, dtype=np.int32),
        event_times_us=np.full(count, facts.event_time_us, np.int64),
        answered_at_us=facts.answered_at_us,
        latencies_us=np.full(count, facts.latency_us, np.int64),
        inputs=inputs,
        outputs=outputs,
        sampling_rate=rate if 0.0 < rate <= 1.0 else 1.0,
    )


def _as_one_row(tensors: Mapping[str, Array]) -> dict[str, Array]:
    return {name: value[np.newaxis] for name, value in tensors.items()}


def _starts(ids: list[str], numbers: Mapping[str, Array], columns: Mapping[str, pa.Array]) -> list[int]:
    """Where a record begins: rows go together that follow each other in one request, with equal times and lengths."""
    count = len(ids)
    if not count:
        return []
    begins = np.ones(count, np.bool_)
    same = np.array([one == other for one, other in pairwise(ids)], np.bool_)
    for name, values in numbers.items():
        same &= (values[1:] - values[:-1]) == (1 if name == "row" else 0)
    for column in columns.values():
        offsets = np.asarray(column.offsets)
        sizes = offsets[1:] - offsets[:-1]
        same &= sizes[1:] == sizes[:-1]
    begins[1:] = ~same
    starts: list[int] = np.flatnonzero(begins).tolist()
    return starts


def _own_field(facts: RequestFacts) -> bytes:
    text = json.dumps(asdict(facts)).encode()
    return _varint(OWN_FIELD << 3 | _LENGTH_DELIMITED) + _varint(len(text)) + text


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def _facts(metadata: Any, name: str) -> RequestFacts | None:
    from google.protobuf.unknown_fields import UnknownFieldSet  # noqa: PLC0415 - beside TensorFlow's

    unknown: Any = UnknownFieldSet(metadata)  # its stubs do not know that it is a sequence
    for field in unknown:
        if field.field_number == OWN_FIELD and isinstance(field.data, bytes):
            try:
                return RequestFacts(**json.loads(field.data))
            except (ValueError, TypeError):
                raise BadInput(
                    f"Record {name} has metadata that cannot be read.",
                    got=repr(field.data[:60]),
                    expected=f"field {OWN_FIELD} of LogMetadata as `pitfalls traffic` writes it",
                    fix="Export the log again.",
                ) from None
    return None


def _not_ours(reader: RecordReader, number: int, got: str) -> BadInput:
    return BadInput(
        f"{reader.name} holds something else than predictions.",
        got=f"{got}, record {number}",
        expected="PredictionLog records with a predict_log: request, response, and a first dimension that counts rows",
        fix="Give a file of such records.",
    )
