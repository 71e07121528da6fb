"""Metadata of the server and its models."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.serving.conftest import Website


def test_the_server_has_a_name_version_and_extensions(website: Website) -> None:
    document = website.send("GET", "/v2").json
    assert document["name"] == "pitfalls"
    assert document["version"]
    assert "binary_tensor_data" in document["extensions"]
    assert website.send("GET", "/v2/").json == document


def test_models_are_listed(website: Website) -> None:
    assert website.send("GET", "/v2/models").json == {
        "models": ["dense4", "half_plus_three", "half_plus_two", "named", "strs", "typed"]
    }
    for body in (b"", b"{}", b'{"ready": true}'):
        listed = website.send("POST", "/v2/repository/index", body).json
        assert {"name": "half_plus_two", "version": "123", "state": "READY", "reason": ""} in listed
    assert website.send("POST", "/v2/repository/index", b'{"ready": 1}').status == 400


def test_a_model_has_its_inputs_and_outputs_in_its_metadata(website: Website) -> None:
    document = website.send("GET", "/v2/models/named").json
    assert document == {
        "name": "named",
        "versions": ["1"],
        "platform": "tensorflow_savedmodel",
        "inputs": [
            {"name": "feat", "datatype": "FP32", "shape": [-1, 2]},
            {"name": "ints", "datatype": "INT32", "shape": [-1, 2]},
            {"name": "name", "datatype": "BYTES", "shape": [-1]},
        ],
        "outputs": [
            {"name": "fx2", "datatype": "FP32", "shape": [-1, 2]},
            {"name": "isum", "datatype": "INT32", "shape": [-1]},
            {"name": "name_bytes", "datatype": "BYTES", "shape": [-1]},
            {"name": "name_out", "datatype": "BYTES", "shape": [-1]},
        ],
    }
    assert website.send("GET", "/v2/models/named/versions/1").json == document
    assert website.send("GET", "/v2/models/half_plus_two").json["inputs"][0]["shape"] == [-1], "even its rank is open"
