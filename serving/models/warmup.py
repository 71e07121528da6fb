"""Replays a bundle's recorded requests before its first real one, so that no client waits for the graph's first run.

The file is ``assets.extra/tf_serving_warmup_requests``: an uncompressed TFRecord of ``PredictionLog`` messages.
As in TensorFlow Serving, at most 1000 records, and one that fails makes the version fail to load.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from serving.models.runner import LoadError, Runner
from serving.models.signatures import DEFAULT_SIGNATURE, Signature
from serving.status import Code, Failure

Array = np.ndarray[Any, Any]

WARMUP_FILE = "assets.extra/tf_serving_warmup_requests"
MAX_RECORDS = 1000


def warm_up(runner: Runner, path: Path) -> int:
    """Replay the warmup records of a version. Returns the number of records; 0 if there is no file of them.

    Raises:
        LoadError: A record is damaged, of an unknown kind, or fails in the model; or there are more than 1000.
    """
    file = path / WARMUP_FILE
    if not file.is_file():
        return 0
    from google.protobuf.message import DecodeError  # noqa: PLC0415 - loaded with the messages
    from tensorflow_serving.apis import prediction_log_pb2  # noqa: PLC0415 - imports TF

    count = 0
    for record in read_records(file):
        count += 1
        if count > MAX_RECORDS:
            text = f"Number of warmup records exceeds the maximum ({MAX_RECORDS}) at {file}"
            raise LoadError(text, Code.INVALID_ARGUMENT)
        try:
            _replay(runner, prediction_log_pb2.PredictionLog.FromString(record))
        except DecodeError as error:
            text = f"Failed to parse warmup record: {count} from {file}: {error}"
            raise LoadError(text, Code.INVALID_ARGUMENT) from error
        except Failure as error:
            raise LoadError(f"Warmup record {count} of {file} failed: {error}", error.code) from error
    return count


def read_records(file: Path) -> Iterator[bytes]:
    """Read an uncompressed TFRecord file: length (u64), its checksum, the bytes, their checksum.

    Checksums are not verified.

    Yields:
        The bytes of each record.

    Raises:
        LoadError: The file ends within a record.
    """
    with file.open("rb") as stream:
        while header := stream.read(12):
            length = struct.unpack("<Q", header[:8])[0] if len(header) == 12 else -1
            is_whole = 0 <= length <= file.stat().st_size
            record = stream.read(length + 4) if is_whole else b""
            if not is_whole or len(record) != length + 4:
                text = f"Damaged record in {file}. Please verify your warmup data is in TFRecord format."
                raise LoadError(text, Code.DATA_LOSS)
            yield record[:-4]


def _replay(runner: Runner, log: Any) -> None:
    kind = log.WhichOneof("log_type")
    if kind == "predict_log":
        from tensorflow import make_ndarray  # noqa: PLC0415 - the runner loaded it

        request = log.predict_log.request
        inputs = {name: make_ndarray(value) for name, value in request.inputs.items()}
        _run(runner, request.model_spec, lambda _: inputs)
    elif kind in {"classify_log", "regress_log"}:
        request = getattr(log, kind).request
        _run(runner, request.model_spec, partial(_examples, request.input))
    elif kind == "multi_inference_log":
        request = log.multi_inference_log.request
        for task in request.tasks:
            _run(runner, task.model_spec, partial(_examples, request.input))
    else:
        raise LoadError(f"Unsupported log_type for warmup: {kind}", Code.UNIMPLEMENTED)


def _run(runner: Runner, spec: Any, inputs_for: Callable[[Signature], dict[str, Array]]) -> None:
    signature = runner.signatures.get(spec.signature_name or DEFAULT_SIGNATURE)
    if signature is None:
        raise LoadError(f"Serving signature key {spec.signature_name!r} not found.")
    inputs = inputs_for(signature)
    unknown = inputs.keys() - signature.inputs.keys()
    if unknown:
        raise LoadError(f"No such inputs in signature {signature.name}: {', '.join(sorted(unknown))}")
    runner.run(signature, inputs, list(signature.outputs))


def _examples(request_input: Any, signature: Signature) -> dict[str, Array]:
    """The examples of an ``Input`` as a signature's first input; each begins with their common context."""
    with_context = request_input.example_list_with_context
    context = with_context.context.SerializeToString()  # messages are merged by joining their bytes
    examples = (*request_input.example_list.examples, *with_context.examples)
    return {
        next(iter(signature.inputs)): np.array([context + example.SerializeToString() for example in examples], object)
    }
