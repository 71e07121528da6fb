"""gRPC messages that are nearly right: built field by field, some of them strange, then damaged as bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from tensorflow.core.example.example_pb2 import Example
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    predict_pb2,
    regression_pb2,
)

from tests.serving.fuzzing.mutations import damage_bytes
from tests.serving.fuzzing.v2_messages import V2Messages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

PREDICTS = [
    ("half_plus_two", "", ["x"]),
    ("named", "", ["ints", "name", "feat"]),
    ("named", "two_float", ["a", "b"]),
    ("named", "scalar_out", ["x"]),
    ("strs", "length", ["s"]),
    ("dense4", "", ["feat"]),
    *[
        ("typed", name, ["x"])
        for name in ("float32", "float64", "float16", "int8", "uint8", "int64", "uint64", "bool", "string")
    ],
]
SIZES = [0, 1, 1, 2, 2, 3, 4, -1, 100, 2**31, 2**40, 2**62]
FIELDS: dict[str, list[Any]] = {
    "float_val": [0.0, 1.5, float("nan"), 1e38],
    "double_val": [0.0, 1e308, float("inf")],
    "int_val": [0, 1, -1, 300, 2**31 - 1],
    "int64_val": [0, -(2**63)],
    "uint32_val": [2**32 - 1],
    "uint64_val": [2**64 - 1],
    "bool_val": [True, False],
    "half_val": [0, 15360, 65536, -1],
    "string_val": [b"", b"a", b"\xff" * 10],
    "scomplex_val": [1.0],
    "dcomplex_val": [1.0],
}
DTYPES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 14, 17, 19, 22, 23, 0, 11, 20, 101]
RIGHT = {"x": 1, "ints": 3, "name": 7, "feat": 1, "a": 1, "b": 1, "s": 7}


@final
class Messages:
    """Pairs of a method's name and a request's bytes."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._v2 = v2 = V2Messages(random)
        self._kinds: list[tuple[str, Callable[[], Any]]] = [
            ("Predict", self._predict),
            ("Predict", self._predict),
            ("Predict", self._predict),
            ("Classify", lambda: self._examples(classification_pb2.ClassificationRequest(), "classify_x_to_y")),
            ("Regress", lambda: self._examples(regression_pb2.RegressionRequest(), "regress_x_to_y")),
            ("MultiInference", self._several),
            ("GetModelMetadata", self._metadata),
            ("GetModelStatus", self._status),
            ("ModelInfer", v2.infer),
            ("ModelInfer", v2.infer),
            ("ModelInfer", v2.infer),
        ]

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        while True:
            name, build = self._random.choice(self._kinds)
            name, request = self._v2.page() if self._chance(0.05) else (name, build())
            body = request.SerializeToString()
            yield name, damage_bytes(self._random, body) if self._random.random() < 0.4 else body

    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    def _spec(self, spec: Any, model: str, signature: str) -> None:
        spec.name = self._random.choice(["", "nobody", "named\0"]) if self._chance(0.05) else model
        spec.signature_name = self._random.choice(["s", "", "\x00"]) if self._chance(0.05) else signature
        if self._chance(0.1):
            spec.version.value = self._random.choice([0, 1, -1, 2**63 - 1])
        elif self._chance(0.05):
            spec.version_label = self._random.choice(["stable", "x", ""])

    def _tensor(self, name: str, tensor: Any) -> None:
        random = self._random
        tensor.dtype = random.choice(DTYPES) if self._chance(0.4) else RIGHT[name]
        for _ in range(random.choice([0, 1, 1, 2, 2, 3, 40])):
            tensor.tensor_shape.dim.add(size=random.choice(SIZES[:6] if self._chance(0.8) else SIZES))
        if self._chance(0.02):
            tensor.tensor_shape.unknown_rank = True
        if self._chance(0.4):
            tensor.tensor_content = random.randbytes(random.choice([0, 1, 2, 4, 8, 16, 32]))
        for _ in range(random.choice([0, 1, 2])):
            field = random.choice(list(FIELDS))
            getattr(tensor, field).extend(random.choices(FIELDS[field], k=random.randrange(5)))

    def _predict(self) -> Any:
        model, signature, names = self._random.choice(PREDICTS)
        request = predict_pb2.PredictRequest()
        self._spec(request.model_spec, model, signature)
        for name in names:
            if not self._chance(0.03):
                self._tensor(name, request.inputs["z" if self._chance(0.03) else name])
        if self._chance(0.1):
            request.output_filter.extend(
                self._random.choices(["y", "total", "x", "", "fx2"], k=self._random.randrange(3))
            )
        return request

    def _given(self, given: Any) -> None:
        random = self._random
        examples = given.example_list if self._chance(0.6) else given.example_list_with_context
        if examples is not given.example_list and self._chance(0.5):
            given.example_list_with_context.context.CopyFrom(self._example())
        examples.examples.extend(self._example() for _ in range(random.randrange(3)))

    def _example(self) -> Any:
        example = Example()
        feature = example.features.feature["x" if self._chance(0.9) else "q"]
        kind = self._random.randrange(4)
        if kind == 0:
            feature.int64_list.value.append(1)
        elif kind == 1:
            feature.bytes_list.value.append(b"a")
        else:
            feature.float_list.value.extend([1.0] * self._random.choice([0, 1, 1, 1, 2]))
        return example

    def _examples(self, request: Any, signature: str) -> Any:
        self._spec(request.model_spec, "half_plus_two", signature)
        self._given(request.input)
        return request

    def _several(self) -> Any:
        request = inference_pb2.MultiInferenceRequest()
        for signature, method in (("classify_x_to_y", "classify"), ("regress_x_to_y", "regress")):
            if self._chance(0.9):
                task = request.tasks.add(method_name=f"tensorflow/serving/{method}")
                self._spec(task.model_spec, "half_plus_two", signature)
        self._given(request.input)
        return request

    def _metadata(self) -> Any:
        request = get_model_metadata_pb2.GetModelMetadataRequest()
        self._spec(request.model_spec, "named", "")
        request.metadata_field.extend(self._random.choices(["signature_def", "x"], k=self._random.randrange(3)))
        return request

    def _status(self) -> Any:
        request = get_model_status_pb2.GetModelStatusRequest()
        self._spec(request.model_spec, "named", "")
        return request
