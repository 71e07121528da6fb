"""Inference over the wire: JSON, raw bytes, both at once, what is wrong, and what reaches the traffic log."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pytest

from tests.serving.inference_v2.client import PATH, infer, infer_binary, tensor
from tests.serving.memory_log import MemoryLog

if TYPE_CHECKING:
    from tests.serving.conftest import OpenWebsite, Website

NUMBERS = ["UINT8", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP32", "FP64"]
SIGNATURES = {"FP32": "float32", "FP64": "float64", "FP16": "float16", "BOOL": "bool", "BYTES": "string"}


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


def test_empty_tensors(website: Website) -> None:
    cases: list[tuple[list[int], list[Any]]] = [([0], []), ([2, 0], [[], []]), ([0, 3], [])]
    for shape, data in cases:
        (output,) = infer(website, {"inputs": [tensor(data, shape=shape)]}).json["outputs"]
        assert (output["shape"], output["data"]) == (shape, [])


def test_a_scalar_has_an_empty_shape(website: Website) -> None:
    (output,) = infer(website, {"inputs": [tensor([3.0], shape=[])]}).json["outputs"]
    assert (output["shape"], output["data"]) == ([], [3.5])


def test_unknown_models_and_versions(website: Website) -> None:
    for path in ("/v2/models/nobody/infer", "/v2/models/half_plus_two/versions/9/infer"):
        reply = infer(website, {"inputs": [tensor([1])]}, path)
        assert (reply.status, reply.error[:30]) == (404, "Servable not found for request")
    assert infer(website, {"inputs": [tensor([1])]}, "/v2/models/half_plus_two/versions/123/infer").status == 200
    assert infer(website, {"inputs": [tensor([1])]}, "/v2/models/half_plus_two/versions/x/infer").status == 400


def test_the_timeout_parameter_is_the_deadline(open_website: OpenWebsite) -> None:
    with open_website(timeout_s=0.0) as website:
        late = infer(website, {"inputs": [tensor([1])]})
        in_time = infer(website, {"inputs": [tensor([1])], "parameters": {"timeout": 30_000_000}})
    assert (late.status, in_time.status) == (504, 200)


def test_answers_are_logged_under_the_id_of_header_or_body(open_website: OpenWebsite) -> None:
    log = MemoryLog()
    with open_website(writer=log) as website:
        infer(website, {"id": "mine", "inputs": [tensor([1.0, math.pi])]})
        infer(website, {"id": "mine", "inputs": [tensor([1.0])]}, headers={"X-Request-Id": "proxy"})
        own = infer(website, {"inputs": [tensor([1.0])]}).headers["x-request-id"]
        infer(website, {"id": "wrong", "inputs": [tensor(["a"])]})
        page = website.send("GET", "/monitoring/prometheus/metrics").body.decode()
    assert [list(rows.request_ids) for rows in log.appends] == [["mine", "mine"], ["proxy"], [own]]
    assert [len(rows.answer_ids) for rows in log.appends] == [2, 1, 0]
    assert {*log.appends[0].peers, *log.appends[1].peers} == {"127.0.0.1"}
    assert log.appends[0].inputs["x"].tolist() == [1.0, np.float32(math.pi)]
    assert log.appends[0].outputs["y"].tolist() == [2.5, np.float32(math.pi) / 2 + 2]
    assert ':tensorflow:serving:request_count{model_name="half_plus_two",status="OK"} 3\n' in page
    assert 'request_latency_count{model_name="half_plus_two",API="infer",entrypoint="REST"} 3\n' in page


def test_an_answer_that_cannot_be_written_is_not_logged(open_website: OpenWebsite) -> None:
    log = MemoryLog()
    content = b"\x01\0\0\0\xff"
    sent = {"name": "image_bytes", "datatype": "BYTES", "shape": [1], "parameters": {"binary_data_size": len(content)}}
    with open_website(writer=log) as website:
        assert infer_binary(website, {"inputs": [sent]}, content, path="/v2/models/strs/infer").status == 400
    assert log.appends == []


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
