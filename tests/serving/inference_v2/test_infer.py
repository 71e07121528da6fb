"""Inference over the wire: JSON, raw bytes, both at once, what is wrong, and what reaches the traffic log."""

from __future__ import annotations

import gzip
import math
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pytest

if TYPE_CHECKING:
    from monitoring.traffic.format.rows import AnsweredRows
    from tests.serving.conftest import OpenWebsite, Reply, Website

PATH = "/v2/models/half_plus_two/infer"
NUMBERS = ["UINT8", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP32", "FP64"]
SIGNATURES = {"FP32": "float32", "FP64": "float64", "FP16": "float16", "BOOL": "bool", "BYTES": "string"}


def tensor(data: Any, *, name: str = "x", datatype: str = "FP32", shape: list[int] | None = None) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": [len(data)] if shape is None else shape, "data": data}


def infer(website: Website, document: Any, path: str = PATH, headers: dict[str, str] | None = None) -> Reply:
    return website.send("POST", path, orjson.dumps(document), headers)


def infer_binary(website: Website, document: Any, *contents: bytes, path: str = PATH) -> Reply:
    head = orjson.dumps(document)
    headers = {"Inference-Header-Content-Length": str(len(head))}
    return website.send("POST", path, b"".join((head, *contents)), headers)


def test_json_in_and_out(website: Website) -> None:
    reply = infer(website, {"id": "42", "inputs": [tensor([2, 3.5])]})
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    assert reply.json == {
        "model_name": "half_plus_two",
        "model_version": "123",
        "id": "42",
        "outputs": [{"name": "y", "datatype": "FP32", "shape": [2], "data": [3.0, 3.75]}],
    }
    assert reply.headers["x-request-id"] == "42"


@pytest.mark.parametrize("data", [[[1, 2], [3, 4]], [1, 2, 3, 4]], ids=["nested", "flat"])
def test_data_may_be_nested_or_flat(website: Website, data: list[Any]) -> None:
    (output,) = infer(website, {"inputs": [tensor(data, shape=[2, 2])]}).json["outputs"]
    assert (output["shape"], output["data"]) == ([2, 2], [2.5, 3.0, 3.5, 4.0])


@pytest.mark.parametrize("datatype", [*NUMBERS, "FP16", "BOOL", "BYTES"])
@pytest.mark.parametrize("is_binary", [False, True], ids=["json", "binary"])
def test_every_datatype_comes_back_as_it_went(website: Website, datatype: str, is_binary: bool) -> None:
    known: dict[str, list[Any]] = {"BOOL": [True, False], "BYTES": ["a", "é\U0001f600"]}
    data = known.get(datatype, [0, 1, 100])
    parameters = {"signature_name": SIGNATURES.get(datatype, datatype.lower()), "binary_data_output": is_binary}
    reply = infer(
        website, {"inputs": [tensor(data, datatype=datatype)], "parameters": parameters}, "/v2/models/typed/infer"
    )
    if not is_binary:
        assert reply.json["outputs"] == [tensor(data, name="y", datatype=datatype)]
        return
    size = int(reply.headers["inference-header-content-length"])
    assert reply.headers["content-type"] == "application/octet-stream"
    (output,) = orjson.loads(reply.body[:size])["outputs"]
    content = reply.body[size:]
    assert output == {
        "name": "y",
        "datatype": datatype,
        "shape": [len(data)],
        "parameters": {"binary_data_size": len(content)},
    }
    sent = {"name": "x", "datatype": datatype, "shape": [len(data)], "parameters": {"binary_data_size": len(content)}}
    again = infer_binary(website, {"inputs": [sent], "parameters": parameters}, content, path="/v2/models/typed/infer")
    assert again.body == reply.body


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


def test_empty_tensors(website: Website) -> None:
    cases: list[tuple[list[int], list[Any]]] = [([0], []), ([2, 0], [[], []]), ([0, 3], [])]
    for shape, data in cases:
        (output,) = infer(website, {"inputs": [tensor(data, shape=shape)]}).json["outputs"]
        assert (output["shape"], output["data"]) == (shape, [])


def test_a_scalar_has_an_empty_shape(website: Website) -> None:
    (output,) = infer(website, {"inputs": [tensor([3.0], shape=[])]}).json["outputs"]
    assert (output["shape"], output["data"]) == ([], [3.5])


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
def test_what_is_wrong_is_said(website: Website, document: Any, error: str) -> None:
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


def test_bytes_that_are_no_text_go_out_raw_only(website: Website) -> None:
    content = b"\x02\0\0\0\xff\xfe"
    path = "/v2/models/strs/infer"
    sent = {"name": "image_bytes", "datatype": "BYTES", "shape": [1], "parameters": {"binary_data_size": len(content)}}
    refused = infer_binary(website, {"inputs": [sent]}, content, path=path)
    assert (refused.status, "request it with binary_data" in refused.error) == (400, True)
    document = {"inputs": [sent], "parameters": {"binary_data_output": True}}
    assert infer_binary(website, document, content, path=path).body.endswith(content)


def test_unknown_models_and_versions(website: Website) -> None:
    for path in ("/v2/models/nobody/infer", "/v2/models/half_plus_two/versions/9/infer"):
        reply = infer(website, {"inputs": [tensor([1])]}, path)
        assert (reply.status, reply.error[:30]) == (404, "Servable not found for request")
    assert infer(website, {"inputs": [tensor([1])]}, "/v2/models/half_plus_two/versions/123/infer").status == 200
    assert infer(website, {"inputs": [tensor([1])]}, "/v2/models/half_plus_two/versions/x/infer").status == 400


def test_the_client_waits_no_longer_than_it_said(open_website: OpenWebsite) -> None:
    with open_website(timeout_s=0.0) as website:
        late = infer(website, {"inputs": [tensor([1])]})
        in_time = infer(website, {"inputs": [tensor([1])], "parameters": {"timeout": 30_000_000}})
    assert (late.status, in_time.status) == (504, 200)


def test_an_id_that_is_no_text_is_refused(website: Website) -> None:
    reply = website.send("POST", PATH, b'{"id": "\xab", "inputs": []}')
    assert (reply.status, '"id" must be' in reply.error) == (400, True)


def test_compressed_bodies(website: Website) -> None:
    content = np.array([2.0], "<f4").tobytes()
    sent = {"name": "x", "datatype": "FP32", "shape": [1], "parameters": {"binary_data_size": 4}}
    head = orjson.dumps({"inputs": [sent]})
    for name, body in (("gzip", gzip.compress(head + content)), ("deflate", zlib.compress(head + content))):
        headers = {"Content-Encoding": name, "Inference-Header-Content-Length": str(len(head))}
        assert website.send("POST", PATH, body, headers).json["outputs"][0]["data"] == [3.0]


class Ledger:
    def __init__(self) -> None:
        self.appends: list[AnsweredRows] = []

    def append(self, rows: AnsweredRows) -> None:
        self.appends.append(rows)


def test_answers_are_logged_under_the_id_of_header_or_body(open_website: OpenWebsite) -> None:
    ledger = Ledger()
    with open_website(writer=ledger) as website:
        infer(website, {"id": "mine", "inputs": [tensor([1.0, math.pi])]})
        infer(website, {"id": "mine", "inputs": [tensor([1.0])]}, headers={"X-Request-Id": "proxy"})
        own = infer(website, {"inputs": [tensor([1.0])]}).headers["x-request-id"]
        infer(website, {"id": "wrong", "inputs": [tensor(["a"])]})
        page = website.send("GET", "/monitoring/prometheus/metrics").body.decode()
    assert [list(rows.request_ids) for rows in ledger.appends] == [["mine", "mine"], ["proxy"], [own]]
    assert ledger.appends[0].inputs["x"].tolist() == [1.0, np.float32(math.pi)]
    assert ledger.appends[0].outputs["y"].tolist() == [2.5, np.float32(math.pi) / 2 + 2]
    assert ':tensorflow:serving:request_count{model_name="half_plus_two",status="OK"} 3\n' in page
    assert 'request_latency_count{model_name="half_plus_two",API="infer",entrypoint="REST"} 3\n' in page


def test_an_answer_that_cannot_be_written_is_not_logged(open_website: OpenWebsite) -> None:
    ledger = Ledger()
    content = b"\x01\0\0\0\xff"
    sent = {"name": "image_bytes", "datatype": "BYTES", "shape": [1], "parameters": {"binary_data_size": len(content)}}
    with open_website(writer=ledger) as website:
        assert infer_binary(website, {"inputs": [sent]}, content, path="/v2/models/strs/infer").status == 400
    assert ledger.appends == []
