"""Recorded requests are replayed before a version answers; a bad record keeps it from answering."""

from __future__ import annotations

import shutil
import struct
from typing import TYPE_CHECKING, Any

import pytest

from serving.models.loading import load_version
from serving.models.runner import LoadError, Runner
from serving.models.warmup import WARMUP_FILE, read_records, warm_up
from serving.status import Code

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from serving.models.signatures import Signature


@pytest.fixture
def version(tmp_path: Path, models_folder: Path) -> Path:
    return shutil.copytree(models_folder / "half_plus_two" / "00000123", tmp_path / "1")


@pytest.fixture
def write(version: Path) -> Callable[[list[bytes]], Path]:
    """Write records with TensorFlow's own writer."""

    def written(records: list[bytes]) -> Path:
        import tensorflow as tf

        file = version / WARMUP_FILE
        file.parent.mkdir(exist_ok=True)
        with tf.io.TFRecordWriter(str(file)) as writer:
            for record in records:
                writer.write(record)
        return file

    return written


def predict_log(signature: str, inputs: dict[str, Any]) -> bytes:
    import tensorflow as tf
    from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

    log = PredictionLog()
    request = log.predict_log.request
    request.model_spec.signature_name = signature
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    return bytes(log.SerializeToString())


def regress_log() -> bytes:
    from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

    log = PredictionLog()
    log.regress_log.request.model_spec.signature_name = "regress_x_to_y"
    example = log.regress_log.request.input.example_list.examples.add()
    example.features.feature["x"].float_list.value.append(80.0)
    return bytes(log.SerializeToString())


def multi_inference_log(*signatures: str) -> bytes:
    """Two examples of which the context has the feature."""
    from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

    log = PredictionLog()
    request = log.multi_inference_log.request
    for signature in signatures:
        request.tasks.add().model_spec.signature_name = signature
    given = request.input.example_list_with_context
    given.context.features.feature["x"].float_list.value.append(4.0)
    given.examples.add()
    given.examples.add()
    return bytes(log.SerializeToString())


def test_every_kind_of_record_is_replayed(
    version: Path, write: Callable[[list[bytes]], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [
        predict_log("", {"x": [1.0]}),
        predict_log("serving_default", {"x": [[2.0]]}),
        regress_log(),
        multi_inference_log("regress_x_to_y", "classify_x_to_y"),
    ]
    assert list(read_records(write(records))) == records
    runner = Runner(version)
    ran: list[tuple[str, list[float]]] = []
    run = Runner.run

    def recorded(one: Runner, signature: Signature, *arguments: Any) -> Any:
        outputs = run(one, signature, *arguments)
        ran.append((signature.name, next(iter(outputs.values())).ravel().tolist()))
        return outputs

    monkeypatch.setattr(Runner, "run", recorded)
    assert warm_up(runner, version) == 4
    runner.close()
    assert ran == [
        ("serving_default", [2.5]),
        ("serving_default", [3.0]),
        ("regress_x_to_y", [42.0]),
        ("regress_x_to_y", [4.0, 4.0]),
        ("classify_x_to_y", [4.0, 4.0]),
    ]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (lambda: predict_log("no_such", {"x": [1.0]}), "Serving signature key 'no_such' not found"),
        (lambda: predict_log("", {"z": [1.0]}), "No such inputs in signature serving_default: z"),
        (lambda: predict_log("", {"x": ["text"]}), "Warmup record 1 of .* failed"),
        (lambda: multi_inference_log("regress_x_to_y", "no_such"), "Serving signature key 'no_such' not found"),
        (lambda: b"", "Unsupported log_type for warmup"),
        (lambda: b"\xff\xff", "Failed to parse warmup record: 1 from "),
    ],
    ids=["signature", "input", "type", "task", "kind", "damaged"],
)
def test_a_bad_record_fails_the_load(
    version: Path, write: Callable[[list[bytes]], Path], record: Callable[[], bytes], reason: str
) -> None:
    write([record()])
    with pytest.raises(LoadError, match=reason):
        load_version(version)


def test_a_file_of_other_bytes_fails_the_load(version: Path, write: Callable[[list[bytes]], Path]) -> None:
    record = predict_log("", {"x": [1.0]})
    file = write([record])
    for content in (file.read_bytes()[:-1], record, struct.pack("<QI", 1 << 62, 0)):
        file.write_bytes(content)
        with pytest.raises(LoadError, match="Please verify your warmup data is in TFRecord format") as caught:
            load_version(version)
        assert caught.value.code is Code.DATA_LOSS


def test_too_many_records_fail_the_load(version: Path, write: Callable[[list[bytes]], Path]) -> None:
    write([predict_log("", {"x": [1.0]})] * 1001)
    with pytest.raises(LoadError, match=r"Number of warmup records exceeds the maximum \(1000\)"):
        load_version(version)
