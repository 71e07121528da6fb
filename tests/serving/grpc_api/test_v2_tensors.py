"""Tensors of ModelInfer: every datatype in both forms, and what is invalid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
import numpy as np
import pytest

from serving.grpc_api.v2_messages import v2_message
from serving.grpc_api.v2_tensors import read_parameters, write_infer_message
from serving.inference_v2.infer_requests import ModelInferRequest
from serving.inference_v2.tensors import MAX_STRINGS
from serving.status import InvalidArgument
from tests.serving.grpc_api.v2_client import declared, failure, infer_request, send, tensor, text_parameters

if TYPE_CHECKING:
    from tests.serving.grpc_api.conftest import Site

METHOD = "ModelInfer"
# Of each datatype: the signature of the model that gives its input back, the field of its values, and three of them.
TYPES: dict[str, tuple[str, str, list[Any]]] = {
    "BOOL": ("bool", "bool_contents", [True, False, True]),
    "INT8": ("int8", "int_contents", [-128, 0, 127]),
    "INT16": ("int16", "int_contents", [-(2**15), 0, 2**15 - 1]),
    "INT32": ("int32", "int_contents", [-(2**31), 0, 2**31 - 1]),
    "INT64": ("int64", "int64_contents", [-(2**63), 0, 2**63 - 1]),
    "UINT8": ("uint8", "uint_contents", [0, 1, 255]),
    "UINT32": ("uint32", "uint_contents", [0, 1, 2**32 - 1]),
    "UINT64": ("uint64", "uint64_contents", [0, 1, 2**64 - 1]),
    "FP32": ("float32", "fp32_contents", [0.5, float("inf"), -1.0]),
    "FP64": ("float64", "fp64_contents", [0.1, float("-inf"), 1e300]),
    "BYTES": ("string", "bytes_contents", [b"", b"\xff\x00", "é".encode()]),
}


@pytest.mark.parametrize("datatype", TYPES)
def test_every_datatype_comes_back_as_it_went(site: Site, datatype: str) -> None:
    signature, field, values = TYPES[datatype]
    options: dict[str, Any] = {"model": "typed", "parameters": text_parameters(signature_name=signature)}
    answer = send(site, METHOD, infer_request(tensor(*values, datatype=datatype, field=field), **options))
    (output,) = answer.outputs
    assert (output.datatype, list(getattr(output.contents, field))) == (datatype, values)
    raw = (
        b"".join(len(one).to_bytes(4, "little") + one for one in values)
        if datatype == "BYTES"
        else np.array(values, signature).tobytes()
    )
    answer = send(site, METHOD, infer_request(declared([3], datatype=datatype), raw_input_contents=[raw], **options))
    assert (list(answer.raw_output_contents), answer.outputs[0].HasField("contents")) == ([raw], False)


def test_halves_are_raw_bytes_only(site: Site) -> None:
    options: dict[str, Any] = {"model": "typed", "parameters": text_parameters(signature_name="float16")}
    raw = np.array([1.5, -2.0], np.float16).tobytes()
    answer = send(site, METHOD, infer_request(declared([2], datatype="FP16"), raw_input_contents=[raw], **options))
    assert list(answer.raw_output_contents) == [raw]
    code, text = failure(site, METHOD, infer_request(tensor(1.5, datatype="FP16"), **options))
    assert (code, "send it as raw_input_contents" in text) == (grpc.StatusCode.INVALID_ARGUMENT, True)


def test_an_output_that_has_no_field_makes_all_of_them_raw_bytes() -> None:
    request = ModelInferRequest(
        id="", signature="s", inputs={}, datatypes={}, outputs={"b": None, "a": None}, is_binary=False, timeout_s=None
    )
    outputs: dict[str, np.ndarray[Any, Any]] = {"a": np.array([1.0], np.float16), "b": np.array([2.0], np.float32)}
    answer = v2_message("ModelInferResponse").FromString(write_infer_message(request, "m", 1, outputs))
    assert [(one.name, one.datatype, one.HasField("contents")) for one in answer.outputs] == [
        ("b", "FP32", False),
        ("a", "FP16", False),
    ]
    assert list(answer.raw_output_contents) == [outputs["b"].tobytes(), outputs["a"].tobytes()]
    with pytest.raises(InvalidArgument, match="of type COMPLEX64, which this protocol does not have"):
        write_infer_message(request, "m", 1, outputs | {"a": np.zeros(1, np.complex64)})


def test_shapes_of_nothing_and_of_one(site: Site) -> None:
    for shape, values, found in (([0, 3], [], []), ([], [3.0], [3.5]), ([1, 2], [1.0, 2.0], [2.5, 3.0])):
        (output,) = send(site, METHOD, infer_request(tensor(*values, shape=shape))).outputs
        assert (list(output.shape), list(output.contents.fp32_contents)) == (shape, found)


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (infer_request(), "input size does not match signature: 0!=1 len({}) != len({x})"),
        (infer_request(tensor(1.0, name="z")), "Sent extra: {z}. Missing but required: {x}."),
        (infer_request(tensor(1.0, datatype="fp32")), '"datatype" must be one of BOOL, '),
        (infer_request(tensor(1, datatype="INT64", field="int64_contents")), "is INT64, the model takes FP32"),
        (infer_request(tensor(1.0, shape=[-1])), '"shape" must be a list of at most 32 integers from 0 to 2^31-1'),
        (infer_request(tensor(1.0, shape=[1] * 33)), '"shape" must be a list of at most 32 integers'),
        (infer_request(tensor(1.0, shape=[2**31])), '"shape" must be a list of at most 32 integers'),
        (infer_request(tensor(shape=[0, *[2**31 - 1] * 3])), "is too large"),
        (infer_request(tensor(1.0, shape=[2])), "its shape [2] has 2 elements, its contents 1"),
        (infer_request(declared([1])), "its shape [1] has 1 elements, its contents 0"),
        (infer_request(tensor(1.0, field="fp64_contents")), "FP32 belongs in fp32_contents, not in fp64_contents"),
        (infer_request(tensor(128, datatype="INT8", field="int_contents")), "beyond INT8"),
        (infer_request(tensor(256, datatype="UINT8", field="uint_contents")), "beyond UINT8"),
        (infer_request(tensor(1.0), tensor(1.0)), 'input "x" comes twice'),
        (infer_request(tensor(1.0), raw_input_contents=[b"1234"]), "its contents are empty where"),
        (infer_request(declared([1]), raw_input_contents=[b"1234"] * 2), "has 2 entries, inputs has 1"),
        (infer_request(declared([2]), raw_input_contents=[b"1234"]), "its shape [2] takes 8 bytes, it has 4"),
        (infer_request(declared([1], datatype="BYTES"), raw_input_contents=[b"\2\0\0\0a"]), "ends beyond its 5 bytes"),
        (infer_request(tensor(1.0), outputs=[{"name": "z"}]), 'output "z": the model has only: y'),
        (infer_request(tensor(1.0), outputs=[{"name": "y"}] * 2), 'output "y" comes twice'),
        (infer_request(tensor(1.0), parameters={"timeout": {"int64_param": -1}}), "number of microseconds"),
        (infer_request(tensor(1.0), parameters={"signature_name": {"bool_param": True}}), "must be a string"),
        (infer_request(tensor(1.0) | {"parameters": text_parameters(shared_memory_region="a")}), "not offered"),
    ],
)
def test_an_invalid_field_is_named(site: Site, request_: Any, error: str) -> None:
    code, text = failure(site, METHOD, request_)
    assert (code, error in text) == (grpc.StatusCode.INVALID_ARGUMENT, True), text


def test_the_number_of_strings_is_bounded(site: Site) -> None:
    raw = bytes(4 * (MAX_STRINGS + 1))
    options: dict[str, Any] = {"model": "strs", "raw_input_contents": [raw]}
    request = infer_request(declared([MAX_STRINGS + 1], name="image_bytes", datatype="BYTES"), **options)
    code, text = failure(site, METHOD, request)
    assert (code, "more than this server takes" in text) == (grpc.StatusCode.INVALID_ARGUMENT, True)


def test_a_parameter_without_a_value_is_none() -> None:
    message = v2_message("ModelInferRequest")(
        parameters={"a": {}, "b": {"uint64_param": 3}, "c": {"double_param": 0.5}}
    )
    assert read_parameters(message.parameters, "the request") == {"a": None, "b": 3, "c": 0.5}
