"""Answers of Classify and Regress are records of their own kind, and come back as the tensors of the log."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from monitoring.errors import BadInput
from monitoring.traffic.format.rows import AnsweredRows
from monitoring.traffic.log.writer import TrafficWriter
from monitoring.traffic.tf_prediction_log.prediction_log import export_log, read_rows
from monitoring.traffic.tf_prediction_log.tfrecord import RecordReader, write_record

if TYPE_CHECKING:
    from pathlib import Path

    Array = np.ndarray[Any, Any]


def example(**features: float) -> tf.train.Example:
    each = {name: tf.train.Feature(float_list=tf.train.FloatList(value=[one])) for name, one in features.items()}
    return tf.train.Example(features=tf.train.Features(feature=each))


EXAMPLES = [example(x=1.0, y=2.0, z=3.0).SerializeToString(), example(x=4.0).SerializeToString()]
SCORES = np.array([[0.25, np.nan], [-1.0, 0.0]], np.float32)
CLASSES = np.array([[b"late", b""], ["früh".encode(), b"x"]], object)


def strings(values: list[bytes]) -> Array:
    return np.array(values, object)


def exported(folder: Path, inputs: dict[str, Array], outputs: dict[str, Array]) -> tuple[str | None, AnsweredRows]:
    """The kind of the record of one request, and the rows that are read back from it."""
    writer = TrafficWriter(folder, clock=lambda: datetime(2026, 1, 1, tzinfo=UTC))
    writer.append(
        AnsweredRows(
            model="m",
            version=3,
            signature="s",
            request_ids=["a", "a"],
            rows=[0, 1],
            event_times_us=[5, 5],
            answered_at_us=9,
            latencies_us=[1, 1],
            inputs=inputs,
            outputs=outputs,
        )
    )
    writer.close()
    file = io.BytesIO()
    assert export_log(folder, file).rows == 2
    [record] = RecordReader(io.BytesIO(file.getvalue()), "x")
    [rows] = read_rows(RecordReader(io.BytesIO(file.getvalue()), "x"))
    assert (rows.model, rows.version, rows.signature, rows.request_ids) == ("m", 3, "s", ["a", "a"])
    return prediction_log_pb2.PredictionLog.FromString(record).WhichOneof("log_type"), rows


@pytest.mark.parametrize(
    ("outputs", "kind"),
    [
        ({"classes": CLASSES, "scores": SCORES}, "classify_log"),
        ({"scores": SCORES}, "classify_log"),
        ({"classes": CLASSES}, "classify_log"),
        ({"outputs": SCORES[:, 0]}, "regress_log"),
        ({"outputs": SCORES[:, 1:]}, "regress_log"),
        ({"outputs": SCORES}, "predict_log"),
        ({"outputs": SCORES[:, 0].astype(np.float64)}, "predict_log"),
        ({"scores": SCORES, "more": SCORES}, "predict_log"),
        ({"classes": CLASSES[:, :1], "scores": SCORES}, "predict_log"),
        ({"classes": np.array([[b"\xff"], [b"x"]], object)}, "predict_log"),
    ],
)
def test_the_tensors_say_which_kind_a_record_is_and_come_back(
    tmp_path: Path, outputs: dict[str, Array], kind: str
) -> None:
    found, rows = exported(tmp_path, {"inputs": strings(EXAMPLES)}, outputs)
    assert found == kind
    read = [tf.train.Example.FromString(one) for one in rows.inputs["inputs"]]
    assert read == [tf.train.Example.FromString(one) for one in EXAMPLES]
    assert rows.outputs.keys() == outputs.keys()
    for name, value in outputs.items():
        assert (rows.outputs[name].shape, repr(rows.outputs[name].tolist())) == (value.shape, repr(value.tolist()))


@pytest.mark.parametrize(
    "inputs",
    [
        {"inputs": strings([b"\xff\xff", b""])},
        {"inputs": np.array([1.0, 2.0])},
        {"inputs": strings(EXAMPLES), "more": np.array([1, 2])},
        {"x": strings(EXAMPLES)},
    ],
    ids=["no-examples", "numbers", "two-inputs", "another-name"],
)
def test_other_inputs_stay_a_predict_log(tmp_path: Path, inputs: dict[str, Array]) -> None:
    found, rows = exported(tmp_path, inputs, {"scores": SCORES})
    assert (found, rows.inputs.keys()) == ("predict_log", inputs.keys())


def foreign() -> prediction_log_pb2.PredictionLog:
    log = prediction_log_pb2.PredictionLog()
    given = log.classify_log.request.input.example_list_with_context
    given.context.CopyFrom(example(c=7.0))
    given.examples.extend([example(x=1.0), example(x=2.0)])
    for score in (0.5, 0.75):
        log.classify_log.response.result.classifications.add().classes.add(score=score)
    return log


def read(log: prediction_log_pb2.PredictionLog) -> AnsweredRows:
    file = io.BytesIO()
    write_record(file, log.SerializeToString())
    file.seek(0)
    [rows] = read_rows(RecordReader(file, "logs/theirs.tfrecord"))
    return rows


def test_examples_of_another_server_have_their_context() -> None:
    rows = read(foreign())
    merged = [tf.train.Example.FromString(one) for one in rows.inputs["inputs"]]
    assert merged == [example(c=7.0, x=1.0), example(c=7.0, x=2.0)]
    assert {name: one.tolist() for name, one in rows.outputs.items()} == {"scores": [[0.5], [0.75]]}


def test_rows_with_different_numbers_of_classes_are_refused() -> None:
    log = foreign()
    log.classify_log.response.result.classifications[0].classes.add()
    with pytest.raises(BadInput, match="holds records other than predictions"):
        read(log)
