"""Requests of a split by every dialect: one key gets one version, and the log has the unit of each row."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tensorflow_serving.apis import classification_pb2, regression_pb2

from monitoring.rollout.split.split_file import NO_KEY, UNIT_COLUMN, Split
from serving.models.loading import load_version
from serving.models.version_folders import ModelSource, VersionPolicy
from serving.models.versions import Models
from tests.serving.grpc_api.conftest import OpenSite, Site, open_site, predict_request
from tests.serving.grpc_api.test_examples import example, fill, several
from tests.serving.grpc_api.v2_client import infer_request, send, tensor
from tests.serving.memory_log import MemoryLog

__all__ = ["open_site"]

SPLIT = Split(
    model="half_plus_two", champion=1, candidate=2, share=0.5, salt="a", key="X-User", sticky="forever", timezone="UTC"
)
USERS = [f"user {number}" for number in range(24)]


@pytest.fixture(scope="module")
def two_versions(models_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Models]:
    folder = tmp_path_factory.mktemp("two")
    for name in ("half_plus_two", "named"):
        (version,) = (models_folder / name).iterdir()
        for number in (1, 2):
            shutil.copytree(version, folder / name / str(number))
    sources = [
        ModelSource(name=name, base=folder / name, policy=VersionPolicy(kind="all"), labels={"stable": 1})
        for name in ("half_plus_two", "named")
    ]
    loaded = Models(lambda: sources, load=load_version, report=lambda _: None)
    loaded.poll()
    yield loaded
    loaded.close()


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


@pytest.fixture
def site(open_site: OpenSite, two_versions: Models, log: MemoryLog) -> Iterator[Site]:
    two_versions.splits = {"half_plus_two": SPLIT}
    with open_site(writer=log, served=two_versions) as opened:
        yield opened
    two_versions.splits = {}


def logged(log: MemoryLog) -> list[tuple[int, str]]:
    """Of each append the version, and the unit of its rows."""
    found = []
    for rows in log.appends:
        units = {unit.decode() for unit in rows.inputs.get(UNIT_COLUMN, np.array([b""], object))}
        assert len(units) == 1
        found.append((rows.version, units.pop()))
    return found


def expected(user: str) -> int:
    version, _ = SPLIT.assign(user, "", 0)
    return version


def test_one_key_gets_one_version_by_every_dialect(site: Site, log: MemoryLog) -> None:
    headers = [{"X-User": user} for user in USERS]
    rest = [site.website.predict("half_plus_two", {"instances": [1.0]}, each).headers for each in headers]
    assert [int(one["x-model-version"]) for one in rest] == list(map(expected, USERS))
    assert set(map(expected, USERS)) == {1, 2}
    body = b'{"inputs": [{"name": "x", "datatype": "FP32", "shape": [1], "data": [1]}]}'
    v2 = [site.website.send("POST", "/v2/models/half_plus_two/infer", body, each).json for each in headers]
    assert [int(one["model_version"]) for one in v2] == list(map(expected, USERS))
    metadata = [(("x-user", user),) for user in USERS]
    request = predict_request("half_plus_two", {"x": [1.0]})
    by_grpc = [site.predictions.Predict(request, metadata=each).model_spec.version.value for each in metadata]
    assert by_grpc == list(map(expected, USERS))
    by_v2 = [send(site, "ModelInfer", infer_request(tensor(1.0)), metadata=each).model_version for each in metadata]
    assert list(map(int, by_v2)) == list(map(expected, USERS))
    assert all(SPLIT.version_of(unit) == version for version, unit in logged(log))
    assert len({unit for _, unit in logged(log)}) == len(USERS)


def test_a_missing_key_goes_to_the_champion_and_is_logged_as_that(site: Site, log: MemoryLog) -> None:
    for _ in range(4):
        reply = site.website.predict("half_plus_two", {"instances": [1.0, 2.0]})
        assert reply.headers["x-model-version"] == "1"
    site.website.predict("half_plus_two", {"instances": [1.0]}, {"X-User": "x" * 2000})
    assert logged(log) == [(1, NO_KEY)] * 5


@pytest.mark.parametrize("path", ["versions/2", "versions/1", "labels/stable"])
def test_requests_that_name_a_version_are_no_part_of_it(site: Site, log: MemoryLog, path: str) -> None:
    url = f"/v1/models/half_plus_two/{path}:predict"
    reply = site.website.send("POST", url, b'{"instances": [1]}', {"X-User": "ada"})
    assert "x-model-version" not in reply.headers
    assert logged(log) == [(2 if path == "versions/2" else 1, "")]


def test_without_a_split_the_newest_version_answers(site: Site, log: MemoryLog, two_versions: Models) -> None:
    two_versions.splits = {}
    site.website.predict("half_plus_two", {"instances": [1.0]}, {"X-User": "ada"})
    assert logged(log) == [(2, "")]
    assert UNIT_COLUMN not in log.appends[0].inputs


def test_after_a_split_the_version_in_use_answers_and_nothing_is_logged_of_it(
    site: Site, log: MemoryLog, two_versions: Models
) -> None:
    for stays in (1, 2):
        two_versions.splits = {"half_plus_two": replace(SPLIT, champion=stays, share=0.0)}
        site.website.predict("half_plus_two", {"instances": [1.0]}, {"X-User": "ada"})
        assert logged(log)[-1] == (stays, "")


NAMED: dict[str, Any] = {"ints": [1, 2], "name": "foo", "feat": [1.0, 0.5]}


def test_the_key_may_be_an_input(site: Site, log: MemoryLog, two_versions: Models) -> None:
    split = replace(SPLIT, model="named", key="name")
    two_versions.splits = {"named": split}
    for user in USERS[:8]:
        row = NAMED | {"name": user}
        site.website.predict("named", {"instances": [row, row]})
        site.website.predict("named", {"inputs": {key: [value] for key, value in row.items()}})
        inputs = {key: np.array([value]) for key, value in row.items()}
        inputs |= {"ints": np.array([row["ints"]], np.int32), "feat": np.array([row["feat"]], np.float32)}
        site.predictions.Predict(predict_request("named", inputs))
    found = logged(log)
    assert [version for version, _ in found] == [
        version for user in USERS[:8] for version in [split.assign(user, "", 0)[0]] * 3
    ]
    site.website.predict("named", {"instances": [NAMED, NAMED | {"name": "bar"}]})  # of two users
    assert logged(log)[-1] == (1, NO_KEY)


def example_requests(user: str) -> list[Any]:
    """Requests by example of Classify, Regress and MultiInference; the last one has the user in the context."""
    tasks = {"classify_x_to_y": "tensorflow/serving/classify", "regress_x_to_y": "tensorflow/serving/regress"}
    requests = [
        fill(classification_pb2.ClassificationRequest(), "classify_x_to_y", 2.0, 4.0),
        fill(regression_pb2.RegressionRequest(), "regress_x_to_y", 2.0, 4.0),
        several(*(("half_plus_two", *task) for task in tasks.items())),
    ]
    for request in requests:
        for one in request.input.example_list.examples:
            one.features.feature["user"].bytes_list.value.append(user.encode())
    shared = fill(regression_pb2.RegressionRequest(), "regress_x_to_y")
    shared.input.example_list_with_context.context.features.feature["user"].bytes_list.value.append(user.encode())
    shared.input.example_list_with_context.examples.append(example(2.0))
    return [*requests, shared]


def test_requests_by_example_are_split_by_a_feature(site: Site, log: MemoryLog, two_versions: Models) -> None:
    split = replace(SPLIT, key="user")
    two_versions.splits = {"half_plus_two": split}
    for user in USERS[:8]:
        classify, regress, multi, shared = example_requests(user)
        specs = [
            site.predictions.Classify(classify).model_spec,
            site.predictions.Regress(regress).model_spec,
            *(one.model_spec for one in site.predictions.MultiInference(multi).results),
            site.predictions.Regress(shared).model_spec,
        ]
        body = json.dumps({"signature_name": "regress_x_to_y", "examples": [{"x": 2.0, "user": user}]}).encode()
        rest = site.website.send("POST", "/v1/models/half_plus_two:regress", body)
        version, unit = split.assign(user, "", 0)
        assert {one.version.value for one in specs} == {version} == {int(rest.headers["x-model-version"])}
        assert set(logged(log)[-6:]) == {(version, unit)}
    assert {version for version, _ in logged(log)} == {1, 2}


def test_where_the_candidate_is_gone_the_newest_version_answers(
    site: Site, log: MemoryLog, two_versions: Models
) -> None:
    two_versions.splits = {"half_plus_two": replace(SPLIT, candidate=9)}
    replies = [site.website.predict("half_plus_two", {"instances": [1.0]}, {"X-User": user}) for user in USERS]
    assert {reply.status for reply in replies} == {200}
    assert {version for version, _ in logged(log)} == {1, 2}  # the candidate's rows are known by their units
