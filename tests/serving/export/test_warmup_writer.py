"""The warmup requests of a bundle are replayed by a server."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from tensorflow_serving.apis import prediction_log_pb2

from monitoring.errors import CannotRun
from serving.export.export import Bundle
from serving.export.keras_model import KerasModel
from serving.export.saved_model import write_saved_model
from serving.export.warmup_writer import write_warmup
from serving.models.runner import Runner
from serving.models.signatures import DEFAULT_SIGNATURE
from serving.models.warmup import MAX_RECORDS, WARMUP_FILE, read_records, warm_up


def test_the_servers_reader_replays_the_warmup_requests(runner: Runner, bundle: Bundle) -> None:
    assert warm_up(runner, bundle.path) == 5 <= MAX_RECORDS
    requests = [
        prediction_log_pb2.PredictionLog.FromString(record).predict_log.request
        for record in read_records(bundle.path / WARMUP_FILE)
    ]
    assert [(one.model_spec.signature_name, one.inputs["temp"].tensor_shape.dim[0].size) for one in requests] == [
        (DEFAULT_SIGNATURE, 1),
        (DEFAULT_SIGNATURE, 8),
        (DEFAULT_SIGNATURE, 64),
        (DEFAULT_SIGNATURE, 256),
        ("explain", 1),
    ]


def test_few_rows_are_repeated_and_large_ones_are_sent_alone(tmp_path: Path) -> None:
    images = keras.Sequential([keras.Input((256, 256, 3), name="image", dtype="uint8"), keras.layers.Flatten()])
    model = KerasModel(images)
    write_saved_model(model, tmp_path)
    rows = {"image": np.zeros((2, 256, 256, 3), np.uint8)}
    assert write_warmup(tmp_path, "m", model.inputs, rows) == 2
    sizes = []
    for record in read_records(tmp_path / WARMUP_FILE):
        request = prediction_log_pb2.PredictionLog.FromString(record).predict_log.request
        assert request.model_spec.name == "m"
        sizes.append(request.inputs["image"].tensor_shape.dim[0].size)
    assert sizes == [1, 1]


def test_a_model_that_fails_on_its_requests_is_not_published(tmp_path: Path) -> None:
    x = keras.Input((1,), name="x", dtype="string")
    strict = keras.Model(x, keras.layers.StringLookup(vocabulary=["a"], num_oov_indices=0)(x))
    model = KerasModel(strict)
    write_saved_model(model, tmp_path)
    with pytest.raises(CannotRun, match="fails on its warmup requests, so it was not published"):
        write_warmup(tmp_path, "m", model.inputs, {"x": np.array([b"b"], object)})
