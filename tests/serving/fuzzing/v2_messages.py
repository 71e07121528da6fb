"""Messages of the Open Inference Protocol that are nearly right, built field by field, some of them strange."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

import numpy as np

from serving.grpc_api.v2_messages import v2_message

if TYPE_CHECKING:
    from random import Random

MODELS = [
    ("half_plus_two", "", ["x"], "FP32"),
    ("dense4", "", ["feat"], "FP32"),
    ("strs", "", ["image_bytes"], "BYTES"),
    ("named", "two_float", ["a", "b"], "FP32"),
    ("typed", "int8", ["x"], "INT8"),
    ("typed", "uint64", ["x"], "UINT64"),
    ("typed", "bool", ["x"], "BOOL"),
    ("typed", "float16", ["x"], "FP16"),
    ("typed", "string", ["x"], "BYTES"),
]
CONTENTS: dict[str, list[Any]] = {
    "bool_contents": [True, False],
    "int_contents": [0, -1, 127, 128, -(2**31)],
    "int64_contents": [0, 2**63 - 1],
    "uint_contents": [0, 255, 2**32 - 1],
    "uint64_contents": [0, 2**64 - 1],
    "fp32_contents": [0.0, 1.5, float("nan"), 1e38],
    "fp64_contents": [0.0, 1e308, float("-inf")],
    "bytes_contents": [b"", b"a", b"\xff" * 10],
}
FIELDS = {"FP32": "fp32_contents", "BYTES": "bytes_contents", "INT8": "int_contents", "UINT64": "uint64_contents"}
DATATYPES = [*FIELDS, "BOOL", "FP16", "BF16", "FP64", "INT64", "", "fp32"]
SIZES = [0, 1, 1, 2, 2, 3, 4, -1, 100, 2**31 - 1, 2**31, 2**62]
PARAMETERS: list[tuple[str, dict[str, Any]]] = [
    ("timeout", {"int64_param": 30_000_000}),
    ("timeout", {"int64_param": -1}),
    ("timeout", {"double_param": 1.5}),
    ("signature_name", {"bool_param": True}),
    ("signature_name", {}),
    ("shared_memory_region", {"string_param": "a"}),
    ("priority", {"uint64_param": 2**64 - 1}),
    ("", {}),
]
PAGES = ["ModelReady", "ModelMetadata", "ModelConfig", "ModelStatistics"]


@final
class V2Messages:
    """Makes requests."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def infer(self) -> Any:
        """A ``ModelInferRequest``."""
        random = self._random
        model, signature, names, datatype = random.choice(MODELS)
        is_raw = datatype == "FP16" or self._chance(0.4)
        request = v2_message("ModelInferRequest")(
            model_name="nobody" if self._chance(0.03) else model,
            model_version=self._version(),
            id=random.choice(["mine", "two words", "é"]) if self._chance(0.05) else "",
        )
        if signature or self._chance(0.03):
            request.parameters["signature_name"].string_param = signature
        if self._chance(0.1):
            self._parameter(request.parameters)
        for name in names:
            self._input(request, "z" if self._chance(0.03) else name, datatype, is_raw=is_raw)
        if self._chance(0.05):
            request.raw_input_contents.append(random.randbytes(4))
        if self._chance(0.1):
            for name in random.choices(["y", "x", "", "output_0"], k=random.randrange(3)):
                request.outputs.add(name=name)
        return request

    def page(self) -> tuple[str, Any]:
        """The name of a method about models, and its request."""
        name = self._random.choice(PAGES)
        model = self._random.choice(["half_plus_two", "dense4", "nobody", ""])
        return name, v2_message(f"{name}Request")(name=model, version=self._version())

    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    def _version(self) -> str:
        return self._random.choice(["1", "123", "-1", "x", "9" * 30, "²"]) if self._chance(0.1) else ""

    def _parameter(self, parameters: Any) -> None:
        name, value = self._random.choice(PARAMETERS)
        parameters[name].CopyFrom(v2_message("InferParameter")(**value))

    def _input(self, request: Any, name: str, datatype: str, *, is_raw: bool) -> None:
        random = self._random
        shape = random.choices(SIZES[:7] if self._chance(0.8) else SIZES, k=random.choice([0, 1, 1, 2, 2, 3, 40]))
        if self._chance(0.1):
            datatype = random.choice(DATATYPES)
        one = request.inputs.add(name=name, datatype=datatype, shape=shape)
        count = int(np.prod(shape, dtype=object)) if self._chance(0.8) else random.randrange(5)
        count = count if 0 <= count <= 1000 else 1
        if self._chance(0.05):
            self._parameter(one.parameters)
        if is_raw:
            sizes = {"BYTES": 4, "FP32": 4, "FP16": 2, "UINT64": 8}
            request.raw_input_contents.append(bytes(count * sizes.get(datatype, 1)))
        else:
            field = random.choice([*CONTENTS]) if self._chance(0.1) else FIELDS.get(datatype, "bool_contents")
            getattr(one.contents, field).extend(random.choices(CONTENTS[field], k=count))
