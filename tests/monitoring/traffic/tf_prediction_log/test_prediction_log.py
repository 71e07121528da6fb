"""PredictionLog records: out of one log and into another, nothing is lost; TensorFlow reads what we write, and back."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from tensorflow_serving.apis import prediction_log_pb2

from monitoring.errors import BadInput
from monitoring.traffic.format.rows import AnsweredRows
from monitoring.traffic.log.scans import Query, scan_segments
from monitoring.traffic.log.writer import TrafficWriter
from monitoring.traffic.tf_prediction_log.prediction_log import export_log, import_log, read_rows
from monitoring.traffic.tf_prediction_log.tfrecord import RecordReader, write_record

Answer = Callable[..., AnsweredRows]
BFLOAT16 = np.dtype(tf.bfloat16.as_numpy_dtype)
DTYPES = [
    np.dtype(name) for name in ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?", "c8", "c16"]
]
MICROSECONDS = st.integers(-(10**15), 10**15)


def now() -> datetime:
    return datetime(2013, 4, 1, tzinfo=UTC)


@st.composite
def tensors(draw: st.DrawFn, rows: int) -> np.ndarray:
    shape = (rows, *draw(st.lists(st.integers(0, 3), max_size=2)))
    kind = draw(st.sampled_from([*DTYPES, BFLOAT16, np.dtype(object)]))
    if kind == np.dtype(object):
        values = draw(arrays.arrays(object, shape, elements=st.binary(max_size=5), fill=st.nothing()))
        return np.asarray(values)
    raw = draw(st.binary(min_size=kind.itemsize * int(np.prod(shape)), max_size=kind.itemsize * int(np.prod(shape))))
    if kind == np.dtype(bool):
        truths: np.ndarray = np.frombuffer(raw, np.uint8) % 2 == 1
        return truths.reshape(shape)
    array: np.ndarray = np.frombuffer(raw, kind)
    return array.reshape(shape)  # every bit pattern, NaNs with their payloads too


def repeated(texts: list[str], counts: list[int]) -> list[str]:
    return [text for text, count in zip(texts, counts, strict=True) for _ in range(count)]


@st.composite
def batches(draw: st.DrawFn) -> AnsweredRows:
    """A batch of one to three requests, of one to three rows each."""
    counts = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    rows = sum(counts)
    names = draw(st.lists(st.text(min_size=1, max_size=4), min_size=1, max_size=2, unique=True))
    ids, answers, principals, peers = (
        draw(st.lists(st.text(max_size=6), min_size=len(counts), max_size=len(counts))) for _ in range(4)
    )
    return AnsweredRows(
        model=draw(st.sampled_from(["flights", "rødents"])),
        version=draw(st.integers(0, 2)),
        signature=draw(st.sampled_from(["serving_default", "explain"])),
        request_ids=repeated(ids, counts),
        rows=np.concatenate([np.arange(count) for count in counts]),
        event_times_us=np.repeat([draw(MICROSECONDS) for _ in counts], counts),
        answered_at_us=draw(MICROSECONDS),
        latencies_us=np.repeat([draw(st.integers(0, 10**12)) for _ in counts], counts),
        inputs={name: draw(tensors(rows)) for name in names},
        outputs={name: draw(tensors(rows)) for name in names},
        sampling_rate=draw(st.sampled_from([1.0, 0.25, 0.1])),
        answer_ids=repeated(answers, counts),
        principals=repeated(principals, counts),
        peers=repeated(peers, counts),
    )


def written(root: Path, each: list[AnsweredRows]) -> list[AnsweredRows]:
    writer = TrafficWriter(root, clock=now, segment_bytes=1 << 30)
    for batch in each:
        writer.append(batch)
    writer.close()
    return each


def contents(root: Path) -> list[tuple[object, float, pa.Table]]:
    """Everything that is stored, without how it is spread over segments."""
    by_key: dict[tuple[str, float], list[pa.Table]] = {}
    for piece in scan_segments(root, Query()):
        names = sorted(set(piece.table.column_names) - {"position"})
        schema = pa.schema([piece.table.schema.field(name) for name in names])
        shapeless = [(field.name, field.type, (field.metadata or {}).get(b"dtype")) for field in schema]
        table = piece.table.select(names).replace_schema_metadata(None)
        by_key.setdefault((f"{piece.key} {shapeless}", piece.sampling_rate), []).append(table)
    return [
        (key, rate, pa.concat_tables(tables, promote_options="permissive")) for (key, rate), tables in by_key.items()
    ]


def bits(table: pa.Table) -> list[object]:
    """The values, NaNs as bits."""
    return [[repr(value) for value in column.combine_chunks().to_pylist()] for column in table.columns]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(each=st.lists(batches(), min_size=1, max_size=4))
def test_there_and_back_nothing_is_lost(tmp_path_factory: pytest.TempPathFactory, each: list[AnsweredRows]) -> None:
    folder = tmp_path_factory.mktemp("log")
    written(folder / "there", each)
    file = io.BytesIO()
    told = export_log(folder / "there", file)
    (folder / "log.tfrecord").write_bytes(file.getvalue())
    writer = TrafficWriter(folder / "back", clock=now, segment_bytes=1 << 30)
    assert import_log(folder / "log.tfrecord", writer.append) == told
    writer.close()
    assert told.rows == sum(batch.count for batch in each)
    again = io.BytesIO()
    assert export_log(folder / "back", again) == told
    assert sorted(RecordReader(io.BytesIO(again.getvalue()), "x")) == sorted(
        RecordReader(io.BytesIO(file.getvalue()), "x")
    )
    there, back = contents(folder / "there"), contents(folder / "back")
    assert sorted((key, rate, bits(table)) for key, rate, table in there) == sorted(
        (key, rate, bits(table)) for key, rate, table in back
    )


def test_tensorflow_reads_the_file_and_the_tensors(tmp_path: Path, answer: Answer) -> None:
    written(tmp_path / "log", [replace(answer("a", 3), event_times_us=np.full(3, 5)), answer("b", 1)])
    path = tmp_path / "log.tfrecord"
    with path.open("wb") as file:
        assert export_log(tmp_path / "log", file).records == 2
    first, second = (
        prediction_log_pb2.PredictionLog.FromString(record.numpy()) for record in tf.data.TFRecordDataset(str(path))
    )
    request = first.predict_log.request
    assert (request.model_spec.name, request.model_spec.version.value) == ("flights", 1)
    assert tf.make_ndarray(request.inputs["temp"]).tolist() == [0.0, 1.0, 2.0]
    assert tf.make_ndarray(first.predict_log.response.outputs["probabilities"]).shape == (3, 2)
    assert tf.make_ndarray(second.predict_log.request.inputs["carrier"]).tolist() == [b"UA"]


def foreign(**metadata: object) -> prediction_log_pb2.PredictionLog:
    log = prediction_log_pb2.PredictionLog()
    log.predict_log.request.model_spec.name = "half"
    log.predict_log.request.inputs["x"].CopyFrom(tf.make_tensor_proto([1.0, 2.0]))
    log.predict_log.response.outputs["y"].CopyFrom(tf.make_tensor_proto([2.5, 3.0]))
    log.log_metadata.timestamp_secs = 7
    return log


def read_one(*records: bytes) -> list[AnsweredRows]:
    file = io.BytesIO()
    for record in records:
        write_record(file, record)
    file.seek(0)
    return list(read_rows(RecordReader(file, "logs/theirs.tfrecord")))


def test_records_of_other_servers_get_ids_by_their_place() -> None:
    one, other = read_one(foreign().SerializeToString(), foreign().SerializeToString())
    assert (one.model, one.version, one.signature) == ("half", 0, "serving_default")
    assert (one.request_ids, other.request_ids) == (["theirs-0"] * 2, ["theirs-1"] * 2)
    assert (list(one.event_times_us), one.sampling_rate) == ([7_000_000] * 2, 1.0)


def test_a_torn_tail_is_cut_and_counted_and_damage_is_named(tmp_path: Path, answer: Answer) -> None:
    written(tmp_path / "log", [answer("a", 1), answer("b", 1)])
    file = io.BytesIO()
    export_log(tmp_path / "log", file)
    whole = file.getvalue()
    path = tmp_path / "log.tfrecord"
    taken: list[AnsweredRows] = []
    for cut in (1, 5, 100):
        path.write_bytes(whole[:-cut])
        told = import_log(path, taken.append)
        assert (told.rows, told.torn_bytes) == (1, len(whole) // 2 - cut)
    taken.clear()
    for place in (3, 9, len(whole) - 20):
        damaged = bytearray(whole)
        damaged[place] ^= 1
        path.write_bytes(damaged)
        with pytest.raises(BadInput, match="damaged"):
            import_log(path, taken.append)
    assert taken == []
    with pytest.raises(BadInput, match="No such file"):
        import_log(tmp_path / "nowhere", taken.append)


def test_what_is_no_prediction_is_named_by_its_place() -> None:
    several = prediction_log_pb2.PredictionLog(multi_inference_log={})
    for record, said in [
        (several.SerializeToString(), "multi_inference_log, record 1"),
        (b"\xff\xff", "not a PredictionLog, record 1"),
        (prediction_log_pb2.PredictionLog(predict_log={}).SerializeToString(), "different first dimensions, record 1"),
    ]:
        with pytest.raises(BadInput, match=said):
            read_one(foreign().SerializeToString(), record)
