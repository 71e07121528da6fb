"""Metadata of the server and its models."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from serving.inference_v2.descriptions import ModelStatistics, describe_config, list_versions
from serving.models.version_folders import ModelSource, VersionPolicy
from serving.models.versions import Models
from serving.status import Failure
from tests.serving.inference_v2.client import infer, tensor

if TYPE_CHECKING:
    from pathlib import Path

    from tests.serving.conftest import OpenWebsite, Website


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


def test_a_model_without_a_version_is_not_in_the_index(tmp_path: Path) -> None:
    models = Models(lambda: (ModelSource(name="m", base=tmp_path / "m"),), load=lambda _: None, report=print)  # type: ignore[arg-type,return-value]  # loads none
    models.poll()
    assert models.names == ("m",)
    assert list_versions(models, only_ready=False) == []


def test_a_config_tells_the_dimensions_of_a_row_where_there_are_rows(website: Website) -> None:
    assert website.send("GET", "/v2/models/dense4/config").json == {
        "name": "dense4",
        "platform": "tensorflow_savedmodel",
        "backend": "tensorflow",
        "version_policy": {"latest": {"num_versions": 1}},
        "max_batch_size": 1024,
        "input": [{"name": "feat", "data_type": "TYPE_FP32", "dims": [4]}],
        "output": [{"name": "output_0", "data_type": "TYPE_FP32", "dims": [2]}],
        "dynamic_batching": {},
    }
    named = website.send("GET", "/v2/models/named/versions/1/config").json
    assert (named["max_batch_size"], "dynamic_batching" in named) == (0, False), "some tensors have no other dimension"
    assert named["input"][2] == {"name": "name", "data_type": "TYPE_STRING", "dims": [-1]}
    assert website.send("GET", "/v2/models/nobody/config").status == 404


def test_a_config_tells_the_version_policy(models: Models, tmp_path: Path) -> None:
    policies = {
        "latest": (VersionPolicy(count=2), {"latest": {"num_versions": 2}}),
        "all": (VersionPolicy(kind="all"), {"all": {}}),
        "specific": (VersionPolicy(kind="specific", numbers=(7, 9)), {"specific": {"versions": [7, 9]}}),
    }
    with models.lease("dense4") as served:
        for policy, described in policies.values():
            source = ModelSource(name="dense4", base=tmp_path, policy=policy)
            assert describe_config(served, source, 8)["version_policy"] == described


def test_statistics_count_requests_rows_and_runs(open_website: OpenWebsite, models: Models) -> None:
    def statistics(path: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = website.send("GET", path).json["model_stats"]
        return found

    with open_website() as website:
        (before,) = statistics("/v2/models/half_plus_two/stats")
        assert infer(website, {"inputs": [tensor([1.0, 2.0])]}).status == 200
        texts = tensor(["a"], name="inputs", datatype="BYTES")
        text = {"inputs": [texts], "parameters": {"signature_name": "regress_x_to_y"}}
        assert infer(website, text).status == 400, "no serialised example: the graph fails"
        (after,) = statistics("/v2/models/half_plus_two/versions/123/stats")
        everywhere = statistics("/v2/models/stats")
        assert website.send("GET", "/v2/models/nobody/stats").status == 404
        assert website.send("GET", "/v2/models/half_plus_two/versions/5/stats").status == 404
    assert (after["name"], after["version"]) == ("half_plus_two", "123")
    assert after["inference_count"] - before["inference_count"] == 2
    assert after["execution_count"] - before["execution_count"] == 1
    counts = {
        name: one["count"] - before["inference_stats"][name]["count"] for name, one in after["inference_stats"].items()
    }
    assert counts == {"fail": 1} | dict.fromkeys(
        ("success", "queue", "compute_input", "compute_infer", "compute_output"), 1
    )
    assert after["inference_stats"]["success"]["ns"] > after["inference_stats"]["compute_infer"]["ns"] > 0
    assert after["last_inference"] > 1_700_000_000_000
    assert [one["name"] for one in everywhere] == list(models.names)


def test_what_others_have_is_added_to_what_is_asked_for(models: Models) -> None:
    asked: list[list[str]] = []

    async def merge(own: list[dict[str, Any]]) -> list[dict[str, Any]]:
        asked.append([one["name"] for one in own])
        return [one | {"inference_count": 7} for one in own]

    described = asyncio.run(ModelStatistics(models, merge).describe("half_plus_two", 123))
    assert [one["inference_count"] for one in described["model_stats"]] == [7]
    assert asked == [["half_plus_two"]]
    alone = asyncio.run(ModelStatistics(models).describe("", None))
    assert {one["name"] for one in alone["model_stats"]} == set(models.names)
    with pytest.raises(Failure):
        asyncio.run(ModelStatistics(models, merge).describe("nobody", None))
