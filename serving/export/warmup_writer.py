"""Writes the requests that a server replays before a version answers: `serving.models.warmup` reads them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from monitoring.errors import CannotRun
from serving.export.keras_model import Columns, ModelInput, tensors_of
from serving.export.reference_table import row_bytes
from serving.export.saved_model import EXPLAIN
from serving.models.runner import ANY_OPERATION, LoadError, Runner
from serving.models.signatures import DEFAULT_SIGNATURE
from serving.models.warmup import WARMUP_FILE, warm_up

# The file is read at every load, so that records of large images must stay small.
MOST_BYTES = 1 << 23
# The batch sizes of traffic: single rows, and those of batching or a bulk client.
REQUESTS = (
    (DEFAULT_SIGNATURE, 1),
    (DEFAULT_SIGNATURE, 8),
    (DEFAULT_SIGNATURE, 64),
    (DEFAULT_SIGNATURE, 256),
    (EXPLAIN, 1),
)


def write_warmup(folder: Path, name: str, inputs: tuple[ModelInput, ...], rows: Columns) -> int:
    """Write the warmup requests of a bundle, and replay them as a server does."""
    import tensorflow as tf  # noqa: PLC0415 - the export has loaded it

    file = folder / WARMUP_FILE
    file.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(file)) as writer:
        for record in _records(name, inputs, rows):
            writer.write(record)
    try:
        return _replay(folder)
    except LoadError as failed:
        raise CannotRun(
            "The exported model fails on its warmup requests, so it was not published.",
            got=str(failed),
            expected="an answer to each",
            fix="Call the Keras model with rows of the reference table to see why.",
        ) from failed


def _replay(folder: Path) -> int:
    runner = Runner(folder, allowed_operations=(ANY_OPERATION,))  # the model is its author's own
    try:
        return warm_up(runner, folder)
    finally:
        runner.close()


def _records(name: str, inputs: tuple[ModelInput, ...], rows: Columns) -> Iterator[bytes]:
    from tensorflow import make_tensor_proto  # noqa: PLC0415 - as above
    from tensorflow_serving.apis import prediction_log_pb2  # noqa: PLC0415 - imports TF

    available = len(next(iter(rows.values())))
    for signature, count in REQUESTS:
        if count > 1 and count * row_bytes(inputs) > MOST_BYTES:
            continue
        log = prediction_log_pb2.PredictionLog()
        request = log.predict_log.request
        request.model_spec.name = name
        request.model_spec.signature_name = signature
        places = np.arange(count) % available
        chosen: dict[str, Any] = tensors_of(inputs, {key: column[places] for key, column in rows.items()})
        for key, tensor in chosen.items():
            request.inputs[key].CopyFrom(make_tensor_proto(tensor))
        record: bytes = log.SerializeToString()
        yield record
