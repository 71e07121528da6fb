"""A server whose models come later starts, unless it is not to wait; one that cannot load what is there ends."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from monitoring.errors import BadInput, CannotRun
from serving.models.list_in_force import ListInForce
from serving.models.model_cache import ModelCacheSettings
from serving.models.model_list import ModelList, ModelsFolder, ModelsUrl, SingleModel
from serving.server.server import load_models, read_first_list
from serving.server.settings import ModelRepositorySettings

if TYPE_CHECKING:
    from pathlib import Path


def test_a_base_path_that_comes_later_is_waited_for(tmp_path: Path, models_folder: Path) -> None:
    repository = ModelRepositorySettings(source=SingleModel(name="m", base=tmp_path / "late"))
    reports: list[str] = []
    models = load_models(repository, ModelList(repository.source), reports.append)
    assert (models.available("m"), models.is_ready) == ((), False)
    assert reports == [f"Waiting for m: no version in {tmp_path}/late."]
    shutil.copytree(models_folder / "half_plus_two" / "00000123", tmp_path / "late" / "1")
    models.poll()
    assert (models.available("m"), models.is_ready) == ((1,), True)
    models.close()


def test_models_come_and_go_at_a_url(tmp_path: Path, models_folder: Path) -> None:
    bucket = tmp_path / "bucket"
    shutil.copytree(models_folder / "half_plus_two" / "00000123", bucket / "m" / "1")
    source = ModelsUrl(f"local://{bucket}", poll_s=0)
    cache = ModelCacheSettings(folder=tmp_path / "cache", poll_s=0)
    repository = ModelRepositorySettings(source=source, cache=cache)
    models = load_models(repository, ModelList(source), lambda _: None)
    assert (models.names, models.available("m")) == (("m",), (1,))
    shutil.copytree(models_folder / "half_plus_three" / "1", bucket / "m" / "2")
    shutil.copytree(models_folder / "half_plus_three" / "1", bucket / "n" / "1")
    models.poll()
    assert (models.available("m"), models.available("n")) == ((2,), (1,))
    shutil.rmtree(bucket / "m" / "2")
    models.poll()
    assert models.available("m") == (1,)
    shutil.rmtree(bucket / "m")
    models.poll()
    assert models.names == ("n",)
    models.close()


def test_an_empty_url_is_an_error_without_waiting(tmp_path: Path) -> None:
    (tmp_path / "bucket").mkdir()
    empty = ModelRepositorySettings(source=ModelsUrl(f"local://{tmp_path}/bucket"), waits_for_models=False)
    with pytest.raises(BadInput, match="There is no model to serve"):
        read_first_list(empty)


def test_a_folder_of_models_may_be_empty(tmp_path: Path) -> None:
    repository = ModelRepositorySettings(source=ModelsFolder(folder=tmp_path))
    reports: list[str] = []
    assert read_first_list(repository) == ListInForce()
    assert load_models(repository, ModelList(repository.source), reports.append).names == ()
    assert reports == [f"Waiting for models in {tmp_path}: there is none yet."]


def test_without_waiting_nothing_to_serve_is_an_error(tmp_path: Path) -> None:
    empty = ModelRepositorySettings(source=ModelsFolder(folder=tmp_path), waits_for_models=False)
    with pytest.raises(BadInput, match="There is no model to serve"):
        read_first_list(empty)
    late = ModelRepositorySettings(source=SingleModel(name="m", base=tmp_path / "late"), waits_for_models=False)
    with pytest.raises(CannotRun, match="No model can be loaded"):
        load_models(late, ModelList(late.source), lambda _: None)


def test_versions_that_cannot_be_loaded_are_an_error_although_others_are_waited_for(tmp_path: Path) -> None:
    (tmp_path / "broken" / "1").mkdir(parents=True)
    repository = ModelRepositorySettings(source=SingleModel(name="m", base=tmp_path / "broken"))
    with pytest.raises(CannotRun, match="No model can be loaded"):
        load_models(repository, ModelList(repository.source), lambda _: None)
