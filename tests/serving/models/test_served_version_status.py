"""Failed loads are retried, at intervals, a limited number of times."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from tensorflow_serving.apis import get_model_status_pb2

from serving.models.loading import load_version
from serving.models.model_list import ModelList, SingleModel
from serving.models.served_version import RetryPolicy, VersionSettings, VersionState, VersionStatus
from serving.models.versions import Models
from serving.status import Code

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def repository(tmp_path: Path, models_folder: Path) -> Path:
    """A model m with two versions, whose biases tell them apart."""
    shutil.copytree(models_folder / "half_plus_two" / "00000123", tmp_path / "m" / "1")
    shutil.copytree(models_folder / "half_plus_three" / "1", tmp_path / "m" / "2")
    return tmp_path


def test_a_version_that_cannot_be_loaded_is_tried_again_so_often_and_so_late(repository: Path) -> None:
    (repository / "b" / "1").mkdir(parents=True)
    reports: list[str] = []
    now = [0.0]
    models = Models(
        ModelList(SingleModel(name="b", base=repository / "b")),
        load=load_version,
        report=reports.append,
        settings=VersionSettings(retries=RetryPolicy(count=2, interval_s=60)),
        clock=lambda: now[0],
    )
    tries = []
    for at_s in (0.0, 30.0, 60.0, 119.0, 120.0, 500.0):
        now[0] = at_s
        models.poll()
        tries.append(len(reports))
    assert tries == [1, 1, 2, 2, 3, 3]


def test_states_are_named_as_tensorflow_serving_names_them() -> None:
    kinds = get_model_status_pb2.ModelVersionStatus.State.keys()
    assert {str(state) for state in VersionState} == set(kinds) - {"UNKNOWN"}


def test_defaults_are_those_of_tensorflow_serving() -> None:
    assert VersionSettings().retries == RetryPolicy(count=5, interval_s=60.0)
    status = VersionStatus(number=1, state=VersionState.START)
    assert (status.code, status.message) == (Code.OK, "")
