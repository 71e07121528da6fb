"""Classify, Regress and MultiInference: ``tf.Example`` messages in, labelled scores or values out.

Checks and texts are TensorFlow Serving's (``classifier.cc``, ``regressor.cc``, ``multi_inference.cc``), but the tasks
of a MultiInference need not share an input tensor: the signatures of a TensorFlow 2 export never do.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, final

import numpy as np

from serving.grpc_api.call import read_model_spec, read_spec, write_spec
from serving.grpc_api.tensors import OBJECT_BYTES
from serving.inference.requests import InferenceRequest
from serving.models.heads import read_head
from serving.models.signatures import DEFAULT_SIGNATURE, element_type_of
from serving.status import Code, Failure, InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from serving.grpc_api.call import GrpcCall
    from serving.inference.inference import Inference
    from serving.inference.requests import InferenceResult
    from serving.models.heads import Head
    from serving.models.served_version import ServedVersion
    from serving.models.signatures import Signature
    from serving.models.versions import Models

    Array = np.ndarray[Any, Any]

VERBS = {"tensorflow/serving/classify": "classify", "tensorflow/serving/regress": "regress"}


@final
class ClassifyHandler:
    """Translates Classify: an `serving.grpc_api.starts.InferenceHandler`."""

    def __init__(self, models: Models) -> None:
        from tensorflow_serving.apis import classification_pb2  # noqa: PLC0415 - imports TensorFlow

        self._models = models
        self._response = classification_pb2.ClassificationResponse

    def acquire(self, request: Any, call: GrpcCall) -> tuple[ServedVersion, GrpcCall]:
        """The version that answers a ``ClassificationRequest``, leased. Raises `Failure`."""
        return read_model_spec(request).acquire(self._models, call, values_in_examples(request.input))

    def prepare(self, request: Any, served: ServedVersion, call: GrpcCall) -> InferenceRequest:
        """What is asked, with what writes a ``ClassificationResponse``. Raises `Failure`."""
        return _prepared(request, served, call, "classify", self._response)


@final
class RegressHandler:
    """Translates Regress: an `serving.grpc_api.starts.InferenceHandler`."""

    def __init__(self, models: Models) -> None:
        from tensorflow_serving.apis import regression_pb2  # noqa: PLC0415 - imports TensorFlow

        self._models = models
        self._response = regression_pb2.RegressionResponse

    def acquire(self, request: Any, call: GrpcCall) -> tuple[ServedVersion, GrpcCall]:
        """The version that answers a ``RegressionRequest``, leased. Raises `Failure`."""
        return read_model_spec(request).acquire(self._models, call, values_in_examples(request.input))

    def prepare(self, request: Any, served: ServedVersion, call: GrpcCall) -> InferenceRequest:
        """What is asked, with what writes a ``RegressionResponse``. Raises `Failure`."""
        return _prepared(request, served, call, "regress", self._response)


@final
class MultiInferenceHandler:
    """Handles MultiInference: several runs for one answer."""

    def __init__(self, *, models: Models, inference: Inference) -> None:
        from tensorflow_serving.apis import inference_pb2  # noqa: PLC0415 - imports TensorFlow

        self._models = models
        self._inference = inference
        self._response = inference_pb2.MultiInferenceResponse

    async def answer(self, request: Any, call: GrpcCall) -> bytes:
        """Answer the tasks of a MultiInference request.

        Each task is a prediction of its own in the traffic log, under ``<request id>/<signature>``: all of them are
        logged, or, if one fails, none.

        Returns:
            The bytes of a ``MultiInferenceResponse``, with a result for each task.

        Raises:
            InvalidArgument: The request is invalid, or a task fails.
        """
        first = read_spec(request.tasks[0].model_spec) if request.tasks else None
        if first is None or not first.model:
            raise InvalidArgument("ModelSpec has no name specified.")
        served, call = first.acquire(self._models, call, values_in_examples(request.input))
        try:
            tasks = read_tasks(request.tasks, served)
            examples = read_examples(request.input, call)
            requests = []
            for verb, signature in tasks:
                call_part = call.part(signature.name)
                requests.append(_inference_request(served, signature, read_head(signature, verb), examples, call_part))

            def write(answers: Sequence[InferenceResult]) -> bytes:
                response = self._response()
                for (verb, signature), answer in zip(tasks, answers, strict=True):
                    result = response.results.add()
                    write_spec(result.model_spec, served.model, served.number, signature.name)
                    filled = result.classification_result if verb == "classify" else result.regression_result
                    FILLERS[verb](filled, answer.outputs, len(examples))
                return bytes(response.SerializeToString())

            return await self._inference.infer_all(requests, write)
        finally:
            served.release()


def _prepared(request: Any, served: ServedVersion, call: GrpcCall, verb: str, kind: Any) -> InferenceRequest:
    name = request.model_spec.signature_name or DEFAULT_SIGNATURE
    signature = served.runner.signatures.get(name)
    if signature is None:
        raise InvalidArgument(f"No signature was found with the name: {name}")
    head = read_head(signature, verb)
    examples = read_examples(request.input, call)

    def write(outputs: Mapping[str, Array]) -> bytes:
        response = kind()
        FILLERS[verb](response.result, outputs, len(examples))
        write_spec(response.model_spec, served.model, served.number, signature.name)
        return bytes(response.SerializeToString())

    return replace(_inference_request(served, signature, head, examples, call), write=write)


def _inference_request(
    served: ServedVersion, signature: Signature, head: Head, examples: Array, call: GrpcCall
) -> InferenceRequest:
    return InferenceRequest(
        served=served,
        signature=signature,
        inputs={head.input: examples},
        caller=call.caller,
        outputs=head.outputs,
        timeout_s=call.timeout_s,
    )


def read_tasks(tasks: Any, served: ServedVersion) -> list[tuple[str, Signature]]:
    """Read the tasks of a MultiInference request."""
    by_signature: dict[str, tuple[str, Signature]] = {}
    for task in tasks:
        wanted = read_spec(task.model_spec)
        if not wanted.model:
            raise InvalidArgument("Found ModelSpec with an empty model name.")
        if wanted.model != served.model:
            raise InvalidArgument("All ModelSpecs in a MultiInferenceRequest must access the same model name.")
        if wanted.signature in by_signature:
            raise InvalidArgument(f"Duplicate evaluation of signature: {wanted.signature}")
        signature = served.runner.signatures.get(wanted.signature)
        if signature is None:
            raise InvalidArgument(f"Requested signature not found in model graph: {wanted.signature}")
        if task.method_name not in VERBS:
            raise Failure(Code.UNIMPLEMENTED, f"Unsupported signature method_name: {task.method_name}")
        verb = VERBS[task.method_name]
        read_head(signature, verb)  # all tasks are checked before the first one runs
        by_signature[wanted.signature] = (verb, signature)
    return list(by_signature.values())


def read_examples(request_input: Any, call: GrpcCall) -> Array:
    """Serialise the examples of a ``tensorflow.serving.Input``, with the shared context before each.

    Args:
        call: Counts their bytes.

    Returns:
        An object array of bytes, one message for each example.
    """
    examples = getattr(request_input, request_input.WhichOneof("kind") or "example_list")
    # When a message is parsed, later fields replace earlier ones: an example's own features those of the context.
    context = examples.context.SerializeToString() if request_input.HasField("example_list_with_context") else b""
    if not examples.examples:
        raise InvalidArgument("Input is empty.")
    count = len(examples.examples)
    call.hold(count * (len(context) + OBJECT_BYTES) + examples.ByteSize())
    serialised = np.empty(count, object)
    serialised[:] = [context + example.SerializeToString() for example in examples.examples]
    return serialised


def values_in_examples(request_input: Any) -> Callable[[str], Any]:
    """What finds the values of a feature in a ``tensorflow.serving.Input``: of each example, or of their context."""

    def values_of(name: str) -> list[Any]:
        kind = request_input.WhichOneof("kind")
        if kind is None:
            return []
        examples = getattr(request_input, kind)
        shared = _feature_values(examples.context, name) if kind == "example_list_with_context" else None
        return [_feature_values(example, name) or shared for example in examples.examples]

    return values_of


def _feature_values(example: Any, name: str) -> list[Any] | None:
    """The values of a feature of a ``tf.Example``; None where it has none."""
    if name not in example.features.feature:
        return None
    feature = example.features.feature[name]
    kind = feature.WhichOneof("kind")
    return None if kind is None else list(getattr(feature, kind).value) or None


def fill_classification(result: Any, outputs: Mapping[str, Array], count: int) -> None:
    """Fill a ``ClassificationResult`` with labels and scores, either of which may be missing."""
    for name, value in outputs.items():
        kind = "string" if name == "classes" else "float"
        if value.ndim != 2:
            raise InvalidArgument(f"Expected Tensor shape: [batch_size num_classes] but got {_shape(value)}")
        _check(name, value, kind, count)
    classes, scores = outputs.get("classes"), outputs.get("scores")
    if classes is not None and scores is not None and classes.shape != scores.shape:
        raise InvalidArgument(
            f"Tensors class and score should match in dim_size(1). Got {classes.shape[1]} vs. {scores.shape[1]}"
        )
    width = next(iter(outputs.values())).shape[1]
    for row in range(count):
        added = result.classifications.add().classes
        for column in range(width):
            entry = added.add()
            if classes is not None:
                entry.label = classes[row, column].decode("utf-8", "replace")
            if scores is not None:
                entry.score = scores[row, column]


def fill_regression(result: Any, outputs: Mapping[str, Array], count: int) -> None:
    """Fill a ``RegressionResult``."""
    value = outputs["outputs"]
    if value.ndim != 1 and value.shape[1:] != (1,):
        raise InvalidArgument(f"Expected Tensor shape: [batch_size] or [batch_size, 1] but got {_shape(value)}")
    _check("outputs", value, "float", count)
    for number in value.reshape(-1).tolist():
        result.regressions.add(value=number)


FILLERS: dict[str, Callable[[Any, Mapping[str, Array], int], None]] = {
    "classify": fill_classification,
    "regress": fill_regression,
}


def _check(name: str, value: Array, kind: str, count: int) -> None:
    element_kind = element_type_of(value).name
    if element_kind != kind:
        raise InvalidArgument(f"Expected {name} Tensor of DT_{kind.upper()}. Got: DT_{element_kind.upper()}")
    if len(value) != count:
        raise InvalidArgument(f"Expected {name} output batch size of {count}. Got: {len(value)}")


def _shape(value: Array) -> str:
    return f"[{','.join(map(str, value.shape))}]"
