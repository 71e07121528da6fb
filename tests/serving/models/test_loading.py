"""A version is loaded and warmed up, and both are counted."""

from __future__ import annotations

import shutil
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from serving.metrics.model_metrics import LOAD_ATTEMPTS, LOAD_LATENCY, WARMUP_LATENCY, WARMUP_RECORDS, ModelCounts
from serving.models.loading import LoadSettings, load_version
from serving.models.runner import LoadError
from serving.models.warmup import WARMUP_FILE, warm_up
from serving.status import Code

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


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


def counted(counts: ModelCounts) -> list[str]:
    families = (LOAD_ATTEMPTS, LOAD_LATENCY, WARMUP_RECORDS, f"{WARMUP_LATENCY}_sum", f"{WARMUP_LATENCY}_count")
    return [line for line in counts.lines() if line.startswith(families)]


def test_loads_are_counted(version: Path, write: Callable[[list[bytes]], Path], tmp_path: Path) -> None:
    write([predict_log("", {"x": [1.0]})] * 3)
    counts = ModelCounts()
    load_version(version, LoadSettings(warm_ups=2), counts=counts, clock=count(0.0, 0.25).__next__).close()
    write([predict_log("", {"x": [1.0]}), predict_log("", {"x": ["text"]})])
    with pytest.raises(LoadError) as caught:
        load_version(version, counts=counts, clock=count(0.0, 0.25).__next__)
    assert caught.value.code is Code.INVALID_ARGUMENT
    with pytest.raises(LoadError):
        load_version(tmp_path / "none", counts=counts)
    place = f'model_path="{version}"'
    assert counted(counts) == [
        f'{WARMUP_LATENCY}_sum{{{place},status="OK"}} 250000',
        f'{WARMUP_LATENCY}_count{{{place},status="OK"}} 1',
        f'{WARMUP_LATENCY}_sum{{{place},status="INVALID_ARGUMENT"}} 250000',
        f'{WARMUP_LATENCY}_count{{{place},status="INVALID_ARGUMENT"}} 1',
        f'{WARMUP_RECORDS}{{{place},status="OK"}} 3',
        f'{LOAD_ATTEMPTS}{{{place},status="success"}} 2',
        f'{LOAD_ATTEMPTS}{{model_path="{tmp_path / "none"}",status="fail"}} 1',
        f"{LOAD_LATENCY}{{{place}}} 500000",
    ]


def test_a_version_without_records_is_ready_at_once(version: Path) -> None:
    counts = ModelCounts()
    runner = load_version(version, counts=counts)
    assert warm_up(runner, version) == 0
    runner.close()
    assert not [line for line in counted(counts) if line.startswith((WARMUP_RECORDS, WARMUP_LATENCY))]
