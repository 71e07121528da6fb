"""Paths: verbs, percent-encoding, versions and labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.serving.conftest import Website

PREDICT = "/v1/models/half_plus_two:predict"


ROW = b'{"instances": [1]}'


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "GET"])
def test_routing_a_wrong_verb_is_malformed(website: Website, method: str) -> None:
    reply = website.send(method, PREDICT)
    assert (reply.status, reply.headers["content-type"]) == (400, "application/json")
    assert reply.body == b'{\n    "error": "Malformed request: %s %s"\n}' % (method.encode(), PREDICT.encode())


@pytest.mark.parametrize(
    ("path", "status", "error"),
    [
        ("/v1/models/a%2Fb:predict", 404, "Servable not found for request: Latest(a/b)"),
        ("/v1/models/a%3Ab:predict", 404, "Servable not found for request: Latest(a:b)"),
        ("/v1/models/a%zz:predict", 404, "Servable not found for request: Latest(a%zz)"),
        ("/v1/models/half_plus_two/versions/-1:predict", 400, "Malformed request: "),
        ("/v1/models/half_plus_two/versions/0123:predict", 200, ""),
        ("/v1/models/half_plus_two/labels/st%61ble:predict", 200, ""),
        ("/v1/models/half_plus_two:classify?x", 400, "Malformed request: "),
        ("/v1/models/half_plus_two/metadata:predict", 400, "Malformed request: "),
    ],
)
def test_routing_names_are_decoded_after_matching(website: Website, path: str, status: int, error: str) -> None:
    reply = website.send("POST", path, ROW)
    assert reply.status == status, reply.body
    assert error == "" or reply.error.startswith(error)


@pytest.mark.parametrize(
    ("path", "status", "error"),
    [
        ("/v1", 404, ""),
        ("/v3/models", 404, ""),
        ("/v1/", 400, "Malformed request: GET /v1/"),
        ("/V1/x", 400, "Malformed request: GET /V1/x"),
        ("/v1/models/half_plus_two/versions/9223372036854775807", 404, "Could not find version 9223372036854775807 of"),
        (
            "/v1/models/half_plus_two/versions/9223372036854775808",
            400,
            "Failed to convert version: 9223372036854775808",
        ),
        ("/v1/models/half_plus_two/labels/no/metadata", 400, "Unrecognized servable version label: no"),
        (
            "/v1/models/half_plus_two/versions/9/metadata",
            404,
            "Servable not found for request: Specific(half_plus_two, 9)",
        ),
        ("/v1/models/foo/labels/stable", 404, "Could not find any versions of model foo"),
    ],
)
def test_routing_pages_about_models(website: Website, path: str, status: int, error: str) -> None:
    reply = website.send("GET", path)
    assert reply.status == status, reply.body
    assert error == "" or reply.error.startswith(error)


@pytest.mark.parametrize(
    ("method", "path", "status", "error"),
    [
        ("GET", "/v1/models", 400, "Missing model name in request."),
        ("POST", "/v1/models/half_plus_two:PREDICT", 400, "Malformed request: POST /v1/models/half_plus_two:PREDICT"),
        ("POST", "/v1/models/half_plus_two:predict?a=1", 400, "Malformed request: POST "),
        ("GET", "/v1/models/half_plus_two?a=1", 404, "Could not find any versions of model half_plus_two?a=1"),
        ("DELETE", "/v1/models/half_plus_two", 400, "Malformed request: DELETE /v1/models/half_plus_two"),
        (
            "GET",
            "/v1/models/m/versions/99999999999999999999",
            400,
            "Failed to convert version: 99999999999999999999 to numeric.",
        ),
        ("GET", "/v1/models/m/metadata", 404, "Servable not found for request: Latest(m)"),
        ("GET", "/v1/other", 400, "Malformed request: GET /v1/other"),
        ("GET", "/monitor/labels", 400, "Malformed request: GET /monitor/labels"),
    ],
)
def test_paths(website: Website, method: str, path: str, status: int, error: str) -> None:
    reply = website.send(method, path)
    assert (reply.status, reply.error.startswith(error)) == (status, True), reply.body


def test_paths_ignore_case_but_not_in_the_verb(website: Website) -> None:
    body = b'{"instances": [2.0]}'
    assert website.send("POST", "/V1/Models/half_plus_two/Versions/123:predict", body).json == {"predictions": [3.0]}
    assert "model_version_status" in website.send("GET", "/v1/models/half_plus_two/METADATA").json


def test_metadata_prints_what_is_empty_too(website: Website) -> None:
    document = website.send("GET", "/v1/models/dense4/metadata").json
    assert document["model_spec"] == {"name": "dense4", "signature_name": "", "version": "1"}
    signatures = document["metadata"]["signature_def"]["signature_def"]
    assert set(signatures) == {"serving_default", "serve", "__saved_model_init_op"}
    assert signatures["serving_default"]["defaults"] == {}
    assert signatures["serving_default"]["inputs"]["feat"] == {
        "name": "serving_default_feat:0",
        "dtype": "DT_FLOAT",
        "tensor_shape": {"dim": [{"size": "-1", "name": ""}, {"size": "4", "name": ""}], "unknown_rank": False},
    }
