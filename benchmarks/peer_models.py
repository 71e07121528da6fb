"""The two models that every server serves, exported once, and one-row requests in each wire format."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import orjson

BODIES = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRequests:
    """Folder of a model, and lines of requests to it."""

    name: str
    saved_model: Path
    rows: bytes
    tensors: bytes
    messages: bytes


def export_models(root: Path) -> tuple[ModelRequests, ...]:
    """Export both models under ``root``, with untrained weights, on which speed does not depend. Cost: 20 s."""
    import keras  # noqa: PLC0415 - seconds, and only this benchmark needs it

    keras.utils.set_random_seed(1)
    layers = keras.layers
    dense = [
        layers.Dense(64, activation="relu"),
        layers.Dense(64, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ]
    convolutional = [
        layers.Conv2D(8, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(16, 3, activation="relu"),
        layers.GlobalAveragePooling2D(),
        layers.Dense(10, activation="softmax"),
    ]
    return (_export(root, "dense", (32,), dense), _export(root, "convnet", (16, 16, 1), convolutional))


def _export(root: Path, name: str, shape: tuple[int, ...], layers: list[Any]) -> ModelRequests:
    import keras  # noqa: PLC0415 - as above
    from tensorflow import make_tensor_proto  # noqa: PLC0415 - as above
    from tensorflow_serving.apis import predict_pb2  # noqa: PLC0415 - as above

    from serving.export.export import export_bundle  # noqa: PLC0415 - as above
    from serving.export.manifest import Provenance  # noqa: PLC0415 - as above

    model = keras.Sequential([keras.Input(shape, name="x"), *layers])
    path = export_bundle(
        model, folder=root / name, reference=None, provenance=Provenance(), clock=lambda: datetime.now(UTC)
    ).path
    rows = np.round(np.random.default_rng(1).random((BODIES, 1, *shape), np.float32), 4)
    messages = []
    for row in rows:
        request = predict_pb2.PredictRequest()
        request.model_spec.name = name
        request.inputs["x"].CopyFrom(make_tensor_proto(row))
        messages.append(base64.b64encode(request.SerializeToString()))
    options = orjson.OPT_SERIALIZE_NUMPY
    tensors = (
        {"inputs": [{"name": "x", "shape": row.shape, "datatype": "FP32", "data": row.reshape(-1)}]} for row in rows
    )
    return ModelRequests(
        name=name,
        saved_model=path,
        rows=b"\n".join(orjson.dumps({"instances": row}, option=options) for row in rows),
        tensors=b"\n".join(orjson.dumps(tensor, option=options) for tensor in tensors),
        messages=b"\n".join(messages),
    )
