"""Bodies of inference responses: JSON, raw bytes, both at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import orjson

from tests.serving.inference_v2.client import PATH, infer, infer_binary, tensor

if TYPE_CHECKING:
    from tests.serving.conftest import Website


def test_raw_bytes_and_json_side_by_side(website: Website) -> None:
    ints = np.array([[1, 2], [3, 4]], "<i4").tobytes()
    feat = np.array([[1, 2], [3, 4]], "<f4").tobytes()
    document = {
        "inputs": [
            {"name": "ints", "datatype": "INT32", "shape": [2, 2], "parameters": {"binary_data_size": len(ints)}},
            tensor(["a", "b"], name="name", datatype="BYTES"),
            {"name": "feat", "datatype": "FP32", "shape": [2, 2], "parameters": {"binary_data_size": len(feat)}},
        ],
        "outputs": [{"name": "name_out", "parameters": {"binary_data": True}}, {"name": "isum"}, {"name": "fx2"}],
    }
    reply = infer_binary(website, document, ints, feat, path="/v2/models/named/infer")
    size = int(reply.headers["inference-header-content-length"])
    name_out, isum, fx2 = orjson.loads(reply.body[:size])["outputs"]
    assert reply.body[size:] == b"\x01\0\0\0a\x01\0\0\0b"
    assert name_out["parameters"] == {"binary_data_size": 10}
    assert (isum["name"], isum["data"], fx2["data"]) == ("isum", [3, 7], [2.0, 4.0, 6.0, 8.0])


def test_an_output_may_be_json_where_the_others_are_raw(website: Website) -> None:
    document = {
        "inputs": [tensor([1.0])],
        "outputs": [{"name": "y", "parameters": {"binary_data": False}}],
        "parameters": {"binary_data_output": True},
    }
    reply = infer(website, document)
    assert "inference-header-content-length" not in reply.headers
    assert reply.json["outputs"][0]["data"] == [2.5]


def test_numbers_that_are_not_finite(website: Website) -> None:
    body = b'{"inputs": [{"name": "x", "datatype": "FP32", "shape": [4], "data": [NaN, Infinity, -Infinity, 1]}]}'
    reply = website.send("POST", PATH, body)
    assert b'"data":[NaN,Infinity,-Infinity,2.5]' in reply.body


def test_bytes_that_are_not_utf_8_are_sent_raw_only(website: Website) -> None:
    content = b"\x02\0\0\0\xff\xfe"
    path = "/v2/models/strs/infer"
    sent = {"name": "image_bytes", "datatype": "BYTES", "shape": [1], "parameters": {"binary_data_size": len(content)}}
    refused = infer_binary(website, {"inputs": [sent]}, content, path=path)
    assert (refused.status, "request it with binary_data" in refused.error) == (400, True)
    document = {"inputs": [sent], "parameters": {"binary_data_output": True}}
    assert infer_binary(website, document, content, path=path).body.endswith(content)
