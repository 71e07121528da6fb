"""The traffic log as TensorFlow Serving's `PredictionLog` records, and back, without loss.

A record is a PredictLog of one request, or of consecutive rows of it; its inputs and outputs are the tensors, so that
a file can be replayed as warmup requests without change. Answers of Classify and Regress are ClassifyLog and RegressLog
(`example_records`). What these have no field for is in field 50001 of LogMetadata: UTF-8 JSON that other readers skip.

    {"request_id", "first_row", "event_time_us", "answered_at_us", "latency_us", "output_shapes",
     "answer_id", "caller_principal", "caller_peer"}

and `sampling_config.sampling_rate` is the rate. A record without that field is read as a request at `timestamp_secs`,
with an id made of the file's name and the record's number.

Source: tensorflow_serving/apis/prediction_log.proto, tensorflow_serving/core/logging.proto.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import numpy as np
import pyarrow as pa

from monitoring.errors import BadInput
from monitoring.traffic.format.layout import check_root
from monitoring.traffic.format.rows import ANSWER_ID, CALLER, INPUT, OUTPUT, AnsweredRows, ModelKey
from monitoring.traffic.log.scans import Query, scan_segments
from monitoring.traffic.tf_prediction_log.example_records import KINDS, Shapes, become_examples, read_examples
from monitoring.traffic.tf_prediction_log.tensor_protos import read_tensor, write_tensor
from monitoring.traffic.tf_prediction_log.tfrecord import RecordReader, write_record

EVERYTHING = Query()
OWN_FIELD = 50001
#: Columns that the rows of a record have in common.
TEXTS = ("request_id", ANSWER_ID, *CALLER)
_LENGTH_DELIMITED = 2
Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestMetadata:
    """What the log stores of a request, and a PredictLog has no field for. Times are microseconds."""

    request_id: str
    first_row: int
    event_time_us: int
    answered_at_us: int
    latency_us: int
    output_shapes: Shapes | None = None
    """The inner shape of each output of a ClassifyLog or RegressLog."""
    answer_id: str | None = None
    caller_principal: str | None = None
    caller_peer: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """How much was exported or imported. `torn_bytes` are those of a record at the end that was cut short."""

    records: int
    rows: int
    torn_bytes: int = 0


def export_log(root: Path, file: BinaryIO, query: Query = EVERYTHING) -> Transfer:
    """Write the rows of a log, in the order in which they were written, repeats included; no labels and gaps.

    One segment is in memory at a time.
    """
    check_root(root)
    records = rows = 0
    for scan in scan_segments(root, query):
        if scan.key is not None and scan.table.num_rows:
            records += write_rows(file, scan.key, scan.table, scan.sampling_rate)
            rows += scan.table.num_rows
    return Transfer(records=records, rows=rows)


def import_log(path: Path, append: Callable[[AnsweredRows], None]) -> Transfer:
    """Read the records of a file and append their rows, after checking all of them.

    A torn record at the end, of a writer that was interrupted, is left out and counted.

    Args:
        append: Called with the rows of each record in their order; what it raises is passed on.
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
    """Write rows of one segment, in their order.

    Args:
        rows: The stored columns: those of `ROW_FIELDS` that the log has, and the tensors.
    """
    from tensorflow_serving.apis import prediction_log_pb2  # noqa: PLC0415 - imports TensorFlow

    texts = {name: rows.column(name).to_pylist() for name in TEXTS if name in rows.column_names}
    numbers = {
        name: rows.column(name).cast(pa.int64()).to_numpy()
        for name in ("row", "event_time", "answered_at", "latency_us")
    }
    tensors = {
        name: (rows.schema.field(name), rows.column(name).combine_chunks())
        for name in rows.column_names
        if name.startswith((INPUT, OUTPUT))
    }
    requests = list(zip(*texts.values(), strict=True))
    starts = _starts(requests, numbers, {name: column for name, (_, column) in tensors.items()})
    for start, end in zip(starts, [*starts[1:], len(requests)], strict=True):
        log = prediction_log_pb2.PredictionLog()
        log.log_metadata.sampling_config.sampling_rate = sampling_rate
        log.log_metadata.timestamp_secs = int(numbers["event_time"][start]) // 1_000_000
        metadata = RequestMetadata(
            **{name: column[start] or None for name, column in texts.items() if name != "request_id"},
            request_id=texts["request_id"][start],
            first_row=int(numbers["row"][start]),
            event_time_us=int(numbers["event_time"][start]),
            answered_at_us=int(numbers["answered_at"][start]),
            latency_us=int(numbers["latency_us"][start]),
        )
        spec = log.log_metadata.model_spec
        spec.name, spec.version.value, spec.signature_name = key.model, key.version, key.signature
        for model_spec in (log.predict_log.request.model_spec, log.predict_log.response.model_spec):
            model_spec.CopyFrom(spec)
        for name, (field, column) in tensors.items():
            side = log.predict_log.request.inputs if name.startswith(INPUT) else log.predict_log.response.outputs
            write_tensor(side[name.partition(":")[2]], field, column.slice(start, end - start))
        metadata = replace(metadata, output_shapes=become_examples(log))
        log.log_metadata.MergeFromString(own_field(metadata))
        write_record(file, log.SerializeToString(deterministic=True))
    return len(starts)


def read_rows(reader: RecordReader) -> Iterator[AnsweredRows]:
    """Read records one at a time."""
    from google.protobuf.message import DecodeError  # noqa: PLC0415 - with the next
    from tensorflow_serving.apis import prediction_log_pb2  # noqa: PLC0415 - imports TensorFlow

    for number, record in enumerate(reader):
        try:
            log = prediction_log_pb2.PredictionLog.FromString(record)
        except DecodeError:
            _refuse(reader, number, "a record that is not a PredictionLog")
        kind = log.WhichOneof("log_type")
        if kind not in {"predict_log", *KINDS}:
            _refuse(reader, number, f"a {kind or 'record without a log'}")
        default_id = f"{Path(reader.name).stem}-{number}"
        yield record_rows(log, default_id, partial(_refuse, reader, number, "tensors of different first dimensions"))


def record_rows(log: Any, default_id: str, refuse: Callable[[], NoReturn]) -> AnsweredRows:
    """The rows of a record. `default_id`: the request id of a record without metadata of its own."""
    kind = log.WhichOneof("log_type")
    record = getattr(log, kind)
    request, response = record.request, record.response
    metadata = own_metadata(log.log_metadata, default_id)
    if kind in KINDS:
        shapes = None if metadata is None else metadata.output_shapes
        inputs, outputs = read_examples(record, kind, shapes) or refuse()
    else:
        inputs = {name: read_tensor(tensor) for name, tensor in request.inputs.items()}
        outputs = {name: read_tensor(tensor) for name, tensor in response.outputs.items()}
    counts = {value.shape[:1] for value in (*inputs.values(), *outputs.values())}
    if len(counts) != 1 or () in counts:
        if not counts or metadata is not None:
            refuse()
        inputs, outputs = _as_one_row(inputs), _as_one_row(outputs)
        counts = {(1,)}
    [(count,)] = counts
    if metadata is None:
        at_us = log.log_metadata.timestamp_secs * 1_000_000
        metadata = RequestMetadata(
            request_id=default_id, first_row=0, event_time_us=at_us, answered_at_us=at_us, latency_us=0
        )
    spec = response.model_spec if response.HasField("model_spec") else request.model_spec
    rate = log.log_metadata.sampling_config.sampling_rate
    return AnsweredRows(
        model=spec.name or request.model_spec.name,
        version=spec.version.value,
        signature=spec.signature_name or request.model_spec.signature_name or "serving_default",
        request_ids=[metadata.request_id] * count,
        rows=np.arange(metadata.first_row, metadata.first_row + count, dtype=np.int32),
        event_times_us=np.full(count, metadata.event_time_us, np.int64),
        answered_at_us=metadata.answered_at_us,
        latencies_us=np.full(count, metadata.latency_us, np.int64),
        inputs=inputs,
        outputs=outputs,
        sampling_rate=rate if 0.0 < rate <= 1.0 else 1.0,
        answer_ids=[metadata.answer_id or ""] * count,
        principals=[metadata.caller_principal or ""] * count,
        peers=[metadata.caller_peer or ""] * count,
    )


def _as_one_row(tensors: Mapping[str, Array]) -> dict[str, Array]:
    return {name: value[np.newaxis] for name, value in tensors.items()}


def _starts(ids: list[tuple[str, ...]], numbers: Mapping[str, Array], columns: Mapping[str, pa.Array]) -> list[int]:
    """The first row of each record: consecutive rows of one request with equal times and list lengths share one."""
    count = len(ids)
    if not count:
        return []
    begins = np.ones(count, np.bool_)
    same = np.array([earlier == other for earlier, other in pairwise(ids)], np.bool_)
    for name, values in numbers.items():
        same &= (values[1:] - values[:-1]) == (1 if name == "row" else 0)
    for column in columns.values():
        offsets = np.asarray(column.offsets)
        sizes = offsets[1:] - offsets[:-1]
        same &= sizes[1:] == sizes[:-1]
    begins[1:] = ~same
    starts: list[int] = np.flatnonzero(begins).tolist()
    return starts


def own_field(metadata: RequestMetadata) -> bytes:
    """Metadata as the bytes of field 50001, to be merged into a LogMetadata."""
    text = json.dumps({name: value for name, value in asdict(metadata).items() if value is not None}).encode()
    return _varint(OWN_FIELD << 3 | _LENGTH_DELIMITED) + _varint(len(text)) + text


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def own_metadata(log_metadata: Any, name: str) -> RequestMetadata | None:
    """What field 50001 of a LogMetadata says; None in records of others. Raises BadInput if it cannot be read."""
    from google.protobuf.unknown_fields import UnknownFieldSet  # noqa: PLC0415 - with TensorFlow's

    unknown: Any = UnknownFieldSet(log_metadata)  # a sequence, which its stubs do not say
    for field in unknown:
        if field.field_number == OWN_FIELD and isinstance(field.data, bytes):
            try:
                return RequestMetadata(**json.loads(field.data))
            except (ValueError, TypeError):
                raise BadInput(
                    f"Record {name} has metadata that cannot be read.",
                    got=repr(field.data[:60]),
                    expected=f"field {OWN_FIELD} of LogMetadata as `pitfalls traffic --to` writes it",
                    fix="Export the log again.",
                ) from None
    return None


def _refuse(reader: RecordReader, number: int, got: str) -> NoReturn:
    raise BadInput(
        f"{reader.name} holds records other than predictions.",
        got=f"{got}, record {number}",
        expected="a predict_log, classify_log or regress_log: request and response, and a first dimension of rows",
        fix="Give a file of TensorFlow Serving, or of `pitfalls traffic DIR --to FILE.tfrecord`.",
    ) from None
