"""Bodies of inference requests: JSON, raw bytes after it, and what is invalid in them."""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pytest

from serving.inference_v2.infer_requests import (
    check_id,
    check_parameters,
    read_flag,
    read_signature_name,
    read_text,
    read_timeout_s,
)
from serving.status import InvalidArgument
from tests.serving.inference_v2.client import PATH, infer, infer_binary, tensor

if TYPE_CHECKING:
    from tests.serving.conftest import Website


@pytest.mark.parametrize("data", [[[1, 2], [3, 4]], [1, 2, 3, 4]], ids=["nested", "flat"])
def test_data_may_be_nested_or_flat(website: Website, data: list[Any]) -> None:
    (output,) = infer(website, {"inputs": [tensor(data, shape=[2, 2])]}).json["outputs"]
    assert (output["shape"], output["data"]) == ([2, 2], [2.5, 3.0, 3.5, 4.0])


@pytest.mark.parametrize(
    ("document", "error"),
    [
        ([], "Is not object"),
        ({}, "input size does not match signature: 0!=1 len({}) != len({x})"),
        ({"inputs": {}}, '"inputs" must be a list of objects'),
        ({"inputs": [1]}, '"inputs" must be a list of objects, each with a "name"'),
        ({"inputs": [{"name": "x"}]}, '"datatype" must be one of BOOL, UINT8, '),
        ({"inputs": [tensor([1], datatype="fp32")]}, '"datatype" must be one of '),
        ({"inputs": [tensor([1], datatype="INT64")]}, "its datatype is INT64, the model takes FP32"),
        ({"inputs": [tensor([1], shape=[-1])]}, '"shape" must be a list'),
        ({"inputs": [tensor([1], shape=[2])]}, "its shape [2] has 2 elements, its data 1"),
        ({"inputs": [tensor([], shape=[0, 2**31 - 1, 2**31 - 1, 2**31 - 1])]}, "is too large"),
        ({"inputs": [tensor([[1, 2]], shape=[2])]}, "its data is nested as [1, 2], its shape is [2]"),
        ({"inputs": [tensor([[1, 2], [3]], shape=[3])]}, "not all of one length"),
        ({"inputs": [tensor([[1], 2], shape=[2])]}, "not all of one length"),
        ({"inputs": [tensor([1, [2]], shape=[2])]}, "not every element of its data is a number"),
        ({"inputs": [tensor(["1"])]}, "not every element of its data is a number"),
        ({"inputs": [tensor([True])]}, "not every element of its data is a number"),
        ({"inputs": [tensor([None])]}, "not every element of its data is a number"),
        ({"inputs": [tensor([1.0], datatype="INT8")]}, "not every element of its data is an integer"),
        ({"inputs": [tensor([128], datatype="INT8")]}, "an element of its data is beyond INT8"),
        ({"inputs": [tensor([1], datatype="BOOL")]}, "not every element of its data is true or false"),
        ({"inputs": [tensor([1], datatype="BYTES")]}, "not every element of its data is a string"),
        ({"inputs": [tensor([1])] * 2}, 'input "x" comes twice'),
        ({"inputs": [tensor([1]) | {"data": 1}]}, '"data" must be a list'),
        ({"inputs": [tensor([1]) | {"parameters": {"binary_data_size": 0}}]}, '"binary_data_size" must be'),
        ({"inputs": [tensor([1]) | {"parameters": {"shared_memory_region": "a"}}]}, "not offered by this server"),
        ({"inputs": [tensor([1], name="z")]}, "Sent extra: {z}. Missing but required: {x}."),
        ({"inputs": [tensor([1])], "outputs": [{"name": "z"}]}, 'output "z": the model has only: y'),
        ({"inputs": [tensor([1])], "outputs": [{"name": "y"}] * 2}, 'output "y" comes twice'),
        ({"inputs": [tensor([1])], "outputs": 1}, '"outputs" must be a list of objects'),
        ({"inputs": [tensor([1])], "parameters": []}, '"parameters" must be an object'),
        ({"inputs": [tensor([1])], "parameters": {"binary_data_output": 1}}, "must be true or false"),
        ({"inputs": [tensor([1])], "parameters": {"timeout": -1}}, "number of microseconds"),
        ({"inputs": [tensor([1])], "parameters": {"signature_name": "s"}}, "has no signature s, only: "),
        ({"inputs": [tensor([1])], "id": "two words"}, '"id" must be 1 to 128 visible ASCII characters'),
        ({"inputs": [tensor([1])], "id": 1}, '"id" must be a string'),
    ],
)
def test_an_invalid_member_is_named(website: Website, document: Any, error: str) -> None:
    reply = infer(website, document)
    assert (reply.status, error in reply.error) == (400, True), reply.body


@pytest.mark.parametrize(
    ("shape", "size", "content", "error"),
    [
        ([2], 4, b"1234", "its shape [2] takes 8 bytes, it has 4"),
        ([1], 5, b"1234", "the body has left (4)"),
        ([1], 4, b"12345", "the body has 1 bytes that belong to no input"),
        ([1], -1, b"1234", '"binary_data_size" must be'),
        ([1], True, b"1234", '"binary_data_size" must be'),
        ([0, 2**31 - 1, 2**31 - 1, 2**31 - 1], 0, b"", "is too large"),
    ],
)
def test_raw_bytes_that_do_not_add_up(
    website: Website, shape: list[int], size: int, content: bytes, error: str
) -> None:
    sent = {"name": "x", "datatype": "FP32", "shape": shape, "parameters": {"binary_data_size": size}}
    reply = infer_binary(website, {"inputs": [sent]}, content)
    assert (reply.status, error in reply.error) == (400, True), reply.body


@pytest.mark.parametrize(
    ("count", "content", "error"),
    [
        (2, b"\1\0\0\0a", "has 2 elements, more than 5 bytes can hold"),
        (1, b"\2\0\0\0a", "element 0 ends beyond its 5 bytes"),
        (1, b"\xff\xff\xff\xff", "element 0 ends beyond its 4 bytes"),
        (1, b"\1\0\0\0ab", "its 1 elements take 5 bytes, it has 6"),
        (2**31 - 1, b"", "elements, more than 0 bytes can hold"),
    ],
)
def test_strings_that_do_not_add_up(website: Website, count: int, content: bytes, error: str) -> None:
    sent = {"name": "s", "datatype": "BYTES", "shape": [count], "parameters": {"binary_data_size": len(content)}}
    document = {"inputs": [sent], "parameters": {"signature_name": "length"}}
    reply = infer_binary(website, document, content, path="/v2/models/strs/infer")
    assert (reply.status, error in reply.error) == (400, True), reply.body


@pytest.mark.parametrize("length", ["x", "-1", "9999", "1" * 30, "\u00b2"])
def test_a_json_length_that_cannot_be(website: Website, length: str) -> None:
    reply = website.send("POST", PATH, b"{}", {"Inference-Header-Content-Length": length})
    assert (reply.status, "Inference-Header-Content-Length" in reply.error) == (400, True), reply.body


def test_an_id_that_is_not_utf_8_is_refused(website: Website) -> None:
    reply = website.send("POST", PATH, b'{"id": "\xab", "inputs": []}')
    assert reply.status == 400
    assert "UTF-8" in reply.error


def test_compressed_bodies(website: Website) -> None:
    content = np.array([2.0], "<f4").tobytes()
    sent = {"name": "x", "datatype": "FP32", "shape": [1], "parameters": {"binary_data_size": 4}}
    head = orjson.dumps({"inputs": [sent]})
    for name, body in (("gzip", gzip.compress(head + content)), ("deflate", zlib.compress(head + content))):
        headers = {"Content-Encoding": name, "Inference-Header-Content-Length": str(len(head))}
        assert website.send("POST", PATH, body, headers).json["outputs"][0]["data"] == [3.0]


def test_unknown_parameters_are_ignored_and_extensions_refused() -> None:
    check_parameters({"priority": 3}, "the request")
    with pytest.raises(InvalidArgument, match=r'output "y": The classification extension \(classification\)'):
        check_parameters({"classification": 2}, 'output "y"')


def test_what_is_not_there_has_a_default() -> None:
    assert (read_signature_name({}), read_timeout_s({}), read_flag({}, "a"), read_text({}, "a")) == (
        "serving_default",
        None,
        None,
        "",
    )


@pytest.mark.parametrize("value", [True, 1.5, -1, 2**63, "1"])
def test_a_timeout_is_a_number_of_microseconds(value: object) -> None:
    with pytest.raises(InvalidArgument, match="microseconds"):
        read_timeout_s({"timeout": value})


def test_an_id_can_be_logged() -> None:
    assert check_id("a:1") == "a:1"
    for text in ("two words", "é", "a" * 129):
        with pytest.raises(InvalidArgument, match="visible ASCII"):
            check_id(text)
