"""The requests to the server, by name: of REST, the Open Inference Protocol, and gRPC."""

from __future__ import annotations

import gzip
import json
import random
import struct
import zlib
from typing import NamedTuple

from tensorflow.core.framework.tensor_pb2 import TensorProto
from tensorflow_serving.apis import classification_pb2, inference_pb2, predict_pb2

from benchmarks.hostile.models import FLOATS, MANY, NAMES, SIXTEEN, TEXTS, WIDE
from serving.grpc_api.v2_messages import V2_SERVICE, v2_message

LARGEST = 100_000
V1, V2 = f"/v1/models/{FLOATS}:predict", f"/v2/models/{FLOATS}/infer"
V1_TEXTS, V2_TEXTS = f"/v1/models/{TEXTS}:predict", f"/v2/models/{TEXTS}/infer"
CLASSIFY_PATH, REGRESS_PATH = f"/v1/models/{FLOATS}:classify", f"/v1/models/{FLOATS}:regress"
PREDICT = "/tensorflow.serving.PredictionService/Predict"
CLASSIFY = "/tensorflow.serving.PredictionService/Classify"
MODEL_INFER = f"/{V2_SERVICE}/ModelInfer"
MULTI = "/tensorflow.serving.PredictionService/MultiInference"


class Rest(NamedTuple):
    """A whole HTTP request."""

    path: str
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    method: str = "POST"

    def wire(self) -> bytes:
        """Its bytes."""
        head = f"{self.method} {self.path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in self.headers)
        if self.method == "POST" and "Transfer-Encoding" not in dict(self.headers):
            head += f"Content-Length: {len(self.body)}\r\n"
        return head.encode("latin-1") + b"\r\n" + self.body


class Grpc(NamedTuple):
    """A gRPC call."""

    method: str
    message: bytes
    is_compressed: bool = False


def rows(text: bytes) -> bytes:
    """A predict request's body of these rows."""
    return b'{"instances": [' + text + b"]}"


def packed(body: bytes, path: str = V1, coding: str = "gzip") -> Rest:
    """A compressed request."""
    squeezed = gzip.compress(body) if coding == "gzip" else zlib.compress(body)
    return Rest(path, squeezed, (("Content-Encoding", coding),))


def mixed(text: bytes, count: int) -> bytes:
    """As many repetitions as fit, among bytes that do not compress, so that no ratio gives it away."""
    noise = random.Random(7).randbytes(60_000).hex().encode()  # noqa: S311 - not a secret
    return b'{"a": "' + noise + b'", "instances": [' + text * count + b"1]}"


def infer(data: object, shape: list[int], datatype: str = "FP32", **more: object) -> bytes:
    """An Open Inference request's body."""
    tensor = {"name": "x", "shape": shape, "datatype": datatype, "data": data}
    return json.dumps({"inputs": [tensor], **more}).encode()


def raw_strings(count: int) -> Rest:
    """Empty strings as raw bytes."""
    tensor = {
        "name": "image_bytes",
        "shape": [count],
        "datatype": "BYTES",
        "parameters": {"binary_data_size": 4 * count},
    }
    head = json.dumps({"inputs": [tensor]}).encode()
    content = struct.pack("<I", 0) * count
    return Rest(V2_TEXTS, head + content, (("Inference-Header-Content-Length", str(len(head))),))


def tensor(kind: int, shape: list[int], **values: object) -> TensorProto:
    """A tensor as a client may write it."""
    tensor_proto = TensorProto(dtype=kind, **values)
    tensor_proto.tensor_shape.SetInParent()
    for size in shape:
        tensor_proto.tensor_shape.dim.add(size=size)
    return tensor_proto


def predict(model: str, name: str, value: TensorProto, *, is_compressed: bool = False) -> Grpc:
    """A Predict call."""
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    request.inputs[name].CopyFrom(value)
    return Grpc(PREDICT, request.SerializeToString(), is_compressed)


def classify(count: int) -> Grpc:
    """A Classify call of many empty examples."""
    request = classification_pb2.ClassificationRequest()
    request.model_spec.name = FLOATS
    for _ in range(count):
        request.input.example_list.examples.add()
    return Grpc(CLASSIFY, request.SerializeToString())


def multi(count: int) -> Grpc:
    """A MultiInference call of many tasks."""
    request = inference_pb2.MultiInferenceRequest()
    for number in range(count):
        task = request.tasks.add(method_name="tensorflow/serving/regress")
        task.model_spec.name = FLOATS
        task.model_spec.signature_name = f"s{number}"
    request.input.example_list.examples.add()
    return Grpc(MULTI, request.SerializeToString())


def model_infer(*inputs: dict[str, object], model: str = FLOATS, **fields: object) -> Grpc:
    """A ModelInfer call of the Open Inference Protocol."""
    message = v2_message("ModelInferRequest")(model_name=model, inputs=inputs, **fields)
    return Grpc(MODEL_INFER, message.SerializeToString())


def declared(shape: list[int], datatype: str = "FP32", **more: object) -> dict[str, object]:
    """An input of that protocol."""
    return {"name": "image_bytes" if datatype == "BYTES" else "x", "datatype": datatype, "shape": shape, **more}


def model_infer_requests() -> dict[str, Grpc]:
    """Of the Open Inference Protocol over gRPC."""
    lengths = struct.pack("<I", 0)
    texts = declared([45_000], "BYTES", contents={"bytes_contents": [b""] * 45_000})
    parameters = {str(number): {"int64_param": number} for number in range(6_000)}
    return {
        "an empty tensor of v2 over gRPC": model_infer(declared([2**31 - 1, 0])),
        "a negative size": model_infer(declared([-1]), raw_input_contents=[b"1234"]),
        "a huge shape": model_infer(declared([2**31 - 1] * 32), raw_input_contents=[b"1234"]),
        "many dimensions": model_infer(declared([1] * 90_000), raw_input_contents=[b"1234"]),
        "floats of v2 over gRPC": model_infer(declared([24_000], contents={"fp32_contents": [1.0] * 24_000})),
        "rows of one raw number": model_infer(declared([24_000, 1]), raw_input_contents=[bytes(96_000)]),
        "false 95,000 times": model_infer(declared([95_000], "BOOL", contents={"bool_contents": [False] * 95_000})),
        "inputs without a name": model_infer(*({} for _ in range(45_000))),
        "empty raw contents": model_infer(declared([1]), raw_input_contents=[b""] * 45_000),
        "many outputs over gRPC": model_infer(
            declared([1]), outputs=[{"name": str(number)} for number in range(9_000)]
        ),
        "many parameters": model_infer(declared([1], parameters=parameters)),
        "empty raw texts": model_infer(declared([24_000], "BYTES"), model=TEXTS, raw_input_contents=[lengths * 24_000]),
        "a text longer than its bytes": model_infer(
            declared([1], "BYTES"), model=TEXTS, raw_input_contents=[b"\xff\xff\xff\xff"]
        ),
        "empty texts of v2 over gRPC": model_infer(texts, model=TEXTS),
    }


def rest_requests() -> dict[str, Rest]:
    """Of both REST dialects, and HTTP itself."""
    deep = 33_000
    return {
        "broken numbers": Rest(V1, rows(b"0," * 49_000 + b"x")),
        "broken numbers, gzip": packed(rows(b"0," * 2_000_000 + b"x")),
        "broken numbers, gzip, within the ratio": packed(mixed(b"0,", 60_000).replace(b"1]}", b"x]}")),
        "brackets": Rest(V1, b"[" * 99_000),
        "brackets, gzip": packed(b"[" * 4_000_000),
        "objects in objects": Rest(V1, b'{"a":' * 19_000),
        "lists in instances": Rest(V1, rows(b"[" * deep + b"]" * deep)),
        "a list of lists": Rest(V1, rows(b"[[[[[[[[1]]]]]]]]," * 5_000 + b"[[[[[[[[1]]]]]]]]")),
        "numbers": Rest(V1, rows(b"0," * 49_000 + b"1")),
        "numbers, gzip": packed(rows(b"0," * 4_000_000 + b"1")),
        "numbers, gzip, within the ratio": packed(mixed(b"0,", 60_000)),
        "a text after many numbers": Rest(V1, rows(b"0," * 49_000 + b'"x"')),
        "a text after many numbers, gzip": packed(mixed(b"0,", 60_000).replace(b"1]}", b'"x"]}')),
        "empty lists": Rest(V1, rows(b"[]," * 33_000 + b"[]")),
        "empty objects": Rest(V1, rows(b"{}," * 33_000 + b"{}")),
        "empty objects, gzip": packed(mixed(b"{},", 16_000)),
        "objects": Rest(V1, rows(b'{"x":1},' * 12_000 + b'{"x":"x"}')),
        "base64": Rest(V1_TEXTS, rows(b'{"b64":"AA=="},' * 6_600 + b'{"b64":"AA=="}')),
        "base64, gzip": packed(mixed(b'{"b64":"AA=="},', 16_000), V1_TEXTS),
        "a long text, gzip": packed(rows(b'"' + b"a" * 3_000_000 + b'"'), V1_TEXTS),
        "a long text of four bytes a character": Rest(V1_TEXTS, rows(b'"' + "\U0001f600".encode() * 24_000 + b'"')),
        "an unknown model, gzip": packed(mixed(b"0,", 60_000), "/v1/models/none:predict"),
        "NaN": Rest(V1, rows(b"NaN," * 24_000 + b"1")),
        "NaN and an error": Rest(V1, rows(b"NaN," * 24_000 + b"x")),
        "a number of many digits": Rest(V1, rows(b"1" * 99_000)),
        "numbers beyond a double": Rest(V1, rows(b"1e999," * 16_000 + b"1")),
        "escapes": Rest(V1_TEXTS, rows(b'"' + b"\\u0001" * 16_000 + b'"')),
        "keys": Rest(V1, b"{" + b",".join(b'"%d":0' % number for number in range(10_000)) + b"}"),
        "equal keys": Rest(V1, b"{" + b'"a":0,' * 16_000 + b'"a":0}'),
        "examples": Rest(CLASSIFY_PATH, b'{"examples": [' + b"{}," * 32_000 + b'{"x": 1}]}'),
        "examples, gzip": packed(mixed(b'{"x":1},', 15_000).replace(b"instances", b"examples"), CLASSIFY_PATH),
        "values of an example": Rest(
            f"/v1/models/{FLOATS}:regress", b'{"examples": [{"x": [' + b"1," * 45_000 + b"1]}]}"
        ),
        "an empty tensor": Rest(V2, infer([], [2**31 - 1, 0])),
        "a shape of ones": Rest(V2, infer([1.0], [1] * 32)),
        "numbers of v2": Rest(V2, infer([0] * 30_000, [30_000])),
        "nested numbers of v2": Rest(V2, infer([[[0]]] * 14_000, [14_000, 1, 1])),
        "many inputs": Rest(V2, json.dumps({"inputs": [{"name": "x"}] * 6_000}).encode()),
        "many outputs": Rest(V2, infer([1.0], [1], outputs=[{"name": str(number)} for number in range(5_000)])),
        "empty strings of v2": raw_strings(24_000),
        "deflate": packed(b"[" * 4_000_000, V2, "deflate"),
        "models to load, without a token": packed(
            b'{"parameters": {' + b'"a":1,' * 400_000 + b'"a":1}}', "/v2/repository/models/half_plus_two/load"
        ),
        "the index of models, gzip": packed(rows(b"0," * 2_000_000 + b"x"), "/v2/repository/index"),
        "labels without a token, gzip": packed(b'{"labels": [' + b"{}," * 1_000_000 + b"{}]}", "/monitor/labels"),
        "many headers": Rest(V1, b"", tuple((f"h{number}", "v") for number in range(5_000))),
        "a long path": Rest("/v1/models/" + "%41" * 20_000 + ":predict", rows(b"1")),
        "chunks of a byte": Rest(V1, b"1\r\n0\r\n" * 16_000 + b"0\r\n\r\n", (("Transfer-Encoding", "chunked"),)),
    }


def floats(shape: list[int]) -> Grpc:
    """A Predict call of one number that stands for all."""
    return predict(FLOATS, "x", tensor(1, shape, float_val=[1.0]))


def texts(shape: list[int], *, is_compressed: bool = False, **values: object) -> Grpc:
    """A Predict call of texts."""
    return predict(TEXTS, "image_bytes", tensor(7, shape, **values), is_compressed=is_compressed)


def grpc_requests() -> dict[str, Grpc]:
    """Of both gRPC dialects."""
    return model_infer_requests() | {
        "a text of 5 kB, 65,536 times": texts([65_536], string_val=[b"a" * 5_000]),
        "a text of 99 kB, 65,536 times": texts([65_536], string_val=[b"a" * 99_000]),
        "a text of 99 kB, 80 times": texts([80], string_val=[b"a" * 99_000]),
        "an empty text, 65,536 times": texts([65_536]),
        "a number, 16 million times": floats([65_536, 256]),
        "a number, 2 million times": floats([1, 2_000_000]),
        "a number in 65,536 rows": floats([65_536]),
        "a shape without values": floats([0, 2**40]),
        "254 dimensions": floats([1] * 254),
        "empty texts": texts([90_000], tensor_content=bytes(90_000)),
        "8 million empty texts, compressed": texts([8_000_000], tensor_content=bytes(8_000_000), is_compressed=True),
        "examples of gRPC": classify(45_000),
        "tasks": multi(1_500),
        "no message": Grpc(PREDICT, b"\xff" * 99_000),
    }


def columns(model: str, values: str) -> Rest:
    """A column of the same text for each input of a model."""
    inputs = ", ".join(f'"{name}": {values}' for name in NAMES[model])
    return Rest(f"/v1/models/{model}:predict", f'{{"inputs": {{{inputs}}}}}'.encode())


def objects(model: str, count: int) -> Rest:
    """Rows as objects."""
    row = json.dumps(dict.fromkeys(NAMES[model], 0), separators=(",", ":")).encode()
    return Rest(f"/v1/models/{model}:predict", rows(b",".join([row] * count)))


def v2_columns(model: str, count: int) -> Rest:
    """The same as columns of the Open Inference Protocol."""
    inputs = [{"name": name, "shape": [count], "datatype": "FP32", "data": [0] * count} for name in NAMES[model]]
    body = json.dumps({"inputs": inputs}, separators=(",", ":")).encode()
    return Rest(f"/v2/models/{model}/infer", body)


def predict_all(model: str, shape: list[int], **values: object) -> Grpc:
    """A Predict call with the same tensor for each input of a model."""
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    for name in NAMES[model]:
        request.inputs[name].CopyFrom(tensor(1, shape, **values))
    return Grpc(PREDICT, request.SerializeToString())


def unknown_inputs(count: int) -> Grpc:
    """A Predict call whose inputs no model has."""
    request = predict_pb2.PredictRequest()
    request.model_spec.name = MANY
    for number in range(count):
        request.inputs[f"{number:x}"].CopyFrom(tensor(1, [1]))
    return Grpc(PREDICT, request.SerializeToString())


def v2_call(model: str, count: int) -> Grpc:
    """A ModelInfer call with raw bytes for each input of a model."""
    inputs: list[dict[str, object]] = [{"name": name, "datatype": "FP32", "shape": [count]} for name in NAMES[model]]
    return model_infer(*inputs, model=model, raw_input_contents=[bytes(4 * count)] * len(inputs))


def wide(shape: list[int], *values: float) -> Grpc:
    """A Predict call of the model whose answers are larger than requests."""
    return predict(WIDE, "x", tensor(1, shape, float_val=values))


def many_inputs_requests() -> dict[str, Rest | Grpc]:
    """To models of 16 and 200 inputs."""
    return {
        "16 inputs, rows": objects(SIXTEEN, 760),
        "16 inputs, columns": columns(SIXTEEN, "[" + "0," * 3_000 + "0]"),
        "16 inputs, columns of empty lists": columns(SIXTEEN, "[" + "[]," * 2_000 + "[]]"),
        "16 inputs of v2": v2_columns(SIXTEEN, 2_900),
        "16 inputs of gRPC": predict_all(SIXTEEN, [1_500], float_val=[1.0] * 1_500),
        "16 inputs, a number in 65,536 rows": predict_all(SIXTEEN, [65_536], float_val=[1.0]),
        "16 inputs, a number in 4,096 rows": predict_all(SIXTEEN, [4_096], float_val=[1.0]),
        "16 inputs, no number in 4,096 rows": predict_all(SIXTEEN, [4_096]),
        "16 inputs without values": predict_all(SIXTEEN, [4_096, 0]),
        "200 inputs, rows": objects(MANY, 33),
        "200 inputs, columns": columns(MANY, "[" + "0," * 230 + "0]"),
        "200 inputs of v2": v2_columns(MANY, 200),
        "200 inputs, one a number of digits": columns(MANY, "1" * 480),
        "200 inputs of gRPC": predict_all(MANY, [110], float_val=[1.0] * 110),
        "200 inputs, a number in 4,096 rows": predict_all(MANY, [4_096], float_val=[1.0]),
        "200 inputs, a number in 1,300 rows": predict_all(MANY, [1_300], float_val=[1.0]),
        "200 inputs without values": predict_all(MANY, [4_096, 0]),
        "200 inputs of v2 over gRPC": v2_call(MANY, 100),
        "inputs of no model": unknown_inputs(4_500),
    }


def large_answers_requests() -> dict[str, Rest | Grpc]:
    """To a model whose answers are eleven times as large as its requests."""
    path, v2 = f"/v1/models/{WIDE}:predict", f"/v2/models/{WIDE}/infer"
    numbers = {"name": "x", "shape": [1, 30_000], "datatype": "FP32", "data": [0] * 30_000}
    return {
        "a wide row": Rest(path, rows(b"[" + b"0," * 49_000 + b"0]")),
        "many rows of one": Rest(path, rows(b"[0]," * 24_000 + b"[0]")),
        "a wide column": Rest(path, b'{"inputs": [[' + b"0," * 49_000 + b"0]]}"),
        "a wide row of long numbers": Rest(path, rows(b"[" + b"0.1234567," * 9_900 + b"0]")),
        "a wide row of v2": Rest(v2, json.dumps({"inputs": [numbers]}, separators=(",", ":")).encode()),
        "a wide row of gRPC": wide([1, 24_000], *[0.1] * 24_000),
        "a number, a million times": wide([1, 1_000_000], 1.0),
        "a number, 260,000 times": wide([1, 260_000], 1.0),
        "a number, 95,000 times": wide([1, 95_000], 1.0),
        "a number in 4,096 rows of 60": wide([4_096, 60], 1.0),
        "rows without columns": wide([4_096, 0]),
        "a wide row of v2 over gRPC": model_infer(
            declared([1, 24_000]), model=WIDE, raw_input_contents=[bytes(96_000)]
        ),
    }


def all_requests() -> dict[str, Rest | Grpc]:
    """All of them."""
    return {**rest_requests(), **grpc_requests(), **many_inputs_requests(), **large_answers_requests()}
