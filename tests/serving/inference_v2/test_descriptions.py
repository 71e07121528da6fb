"""What is there beside inference: health, the server, its models, and what is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.serving.conftest import Website


def test_the_server_says_what_it_is(website: Website) -> None:
    said = website.send("GET", "/v2").json
    assert said["name"] == "pitfalls"
    assert said["version"]
    assert "binary_tensor_data" in said["extensions"]
    assert website.send("GET", "/v2/").json == said


def test_models_are_listed(website: Website) -> None:
    assert website.send("GET", "/v2/models").json == {
        "models": ["dense4", "half_plus_three", "half_plus_two", "named", "strs", "typed"]
    }
    for body in (b"", b"{}", b'{"ready": true}'):
        listed = website.send("POST", "/v2/repository/index", body).json
        assert {"name": "half_plus_two", "version": "123", "state": "READY", "reason": ""} in listed
    assert website.send("POST", "/v2/repository/index", b'{"ready": 1}').status == 400


def test_a_model_says_what_it_takes_and_gives(website: Website) -> None:
    said = website.send("GET", "/v2/models/named").json
    assert said == {
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
    assert website.send("GET", "/v2/models/named/versions/1").json == said
    assert website.send("GET", "/v2/models/half_plus_two").json["inputs"][0]["shape"] == [-1], "even its rank is open"
