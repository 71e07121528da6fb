"""Versions come, take over, and go, and a broken one changes nothing."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from monitoring.rollout.split.split_file import Split
from serving.models.loading import load_version
from serving.models.served_version import VersionState
from serving.models.version_folders import discover
from serving.models.versions import Models
from serving.status import Code, Failure

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from serving.models.served_version import ServedVersion


SPLIT = Split(model="m", champion=1, candidate=2, share=0.5, salt="s", key=None, sticky="request")


def value(served: ServedVersion) -> float:
    """What the model makes of 0: its bias, which tells the two models apart."""
    signature = served.runner.signatures["serving_default"]
    return float(served.runner.run(signature, {"x": np.zeros(1, np.float32)}, ["y"])["y"][0])


@pytest.fixture
def repository(tmp_path: Path, models_folder: Path) -> Path:
    shutil.copytree(models_folder / "half_plus_two" / "00000123", tmp_path / "m" / "1")
    return tmp_path


@pytest.fixture
def models(repository: Path) -> Iterator[Models]:
    reports: list[str] = []
    loaded = Models(lambda: discover(repository, {"m": {"stable": 1}}), load=load_version, report=reports.append)
    loaded.poll()
    yield loaded
    loaded.close()


def put(models_folder: Path, target: Path) -> None:
    """As an exporter does: written aside, then renamed into place."""
    aside = target.parent / ".aside"
    shutil.copytree(models_folder / "half_plus_three" / "1", aside)
    aside.rename(target)


def states(models: Models) -> dict[int, VersionState]:
    return {one.number: one.state for one in models.statuses("m")}


def test_a_new_version_takes_over_and_the_old_one_is_unloaded(
    repository: Path, models: Models, models_folder: Path
) -> None:
    with models.lease("m") as served:
        assert (served.number, value(served)) == (1, 2.0)
    put(models_folder, repository / "m" / "2")
    models.poll()
    with models.lease("m") as served:
        assert (served.number, value(served)) == (2, 3.0)
    assert states(models) == {2: VersionState.AVAILABLE, 1: VersionState.END}
    with pytest.raises(Failure, match=r"Servable not found for request: Specific\(m, 1\)"), models.lease("m", 1):
        pass


def test_what_requests_get_that_name_no_version_is_said_once_and_at_each_change(
    repository: Path, models_folder: Path
) -> None:
    reports: list[str] = []
    models = Models(lambda: discover(repository), load=load_version, report=reports.append)
    models.poll()
    put(models_folder, repository / "m" / "2")
    models.poll()
    models.splits = {"m": replace(SPLIT, share=0.5)}
    models.poll()
    models.splits = {"m": replace(SPLIT, share=0.0)}
    models.poll()
    models.poll()
    assert [
        report.removeprefix("Requests of m that name no version ") for report in reports if "name no" in report
    ] == ["get version 1.", "get version 2.", "are split between the versions 1 and 2.", "get version 1."]
    models.close()


def test_a_broken_version_is_reported_and_the_old_one_goes_on(repository: Path, models: Models) -> None:
    (repository / "m" / "2").mkdir()
    (repository / "m" / "2" / "saved_model.pb").write_bytes(b"no graph")
    models.poll()
    broken, old = models.statuses("m")
    assert (broken.number, broken.state, broken.code) == (2, VersionState.END, Code.UNKNOWN)
    assert broken.message
    assert (old.number, old.state) == (1, VersionState.AVAILABLE)
    with models.lease("m") as served:
        assert served.number == 1


def test_a_broken_version_is_tried_again_when_its_files_change(
    repository: Path, models: Models, models_folder: Path
) -> None:
    (repository / "m" / "2").mkdir()
    models.poll()
    assert states(models)[2] is VersionState.END
    shutil.rmtree(repository / "m" / "2")
    put(models_folder, repository / "m" / "2")
    models.poll()
    assert states(models) == {2: VersionState.AVAILABLE, 1: VersionState.END}


def test_when_the_newest_is_broken_at_the_start_an_older_one_answers(repository: Path) -> None:
    (repository / "m" / "2").mkdir()
    loaded = Models(lambda: discover(repository), load=load_version, report=lambda _: None)
    loaded.poll()
    assert loaded.available("m") == (1,)
    assert loaded.is_ready
    loaded.close()


def test_a_deleted_model_is_unloaded(repository: Path, models: Models) -> None:
    shutil.rmtree(repository / "m" / "1")
    models.poll()
    assert states(models) == {1: VersionState.END}
    with pytest.raises(Failure, match=r"Servable not found for request: Latest\(m\)"), models.lease("m"):
        pass


def test_versions_are_found_by_number_name_and_label(models: Models) -> None:
    for number, label in ((1, None), (None, "stable"), (0, None)):
        with models.lease("m", number, label) as served:
            assert served.number == 1
    with pytest.raises(Failure) as caught, models.lease("m", None, "canary"):
        pass
    assert (caught.value.code, caught.value.message) == (
        Code.INVALID_ARGUMENT,
        "Unrecognized servable version label: canary",
    )
    with pytest.raises(Failure, match="Could not find any versions of model n"):
        models.statuses("n")
    with pytest.raises(Failure, match="Could not find version 7 of model m"):
        models.statuses("m", 7)
