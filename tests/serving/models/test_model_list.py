"""The list of models in force: of a folder, of one model, of a file, or one that a client has sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from monitoring.errors import BadInput
from serving.models.list_in_force import ListInForce
from serving.models.model_list import ConfigFile, ModelList, ModelsFolder, SingleModel, first_list
from serving.models.version_folders import ModelSource

if TYPE_CHECKING:
    from pathlib import Path


def make(folder: Path, *versions: str) -> None:
    for version in versions:
        (folder / version).mkdir(parents=True)


def names(sources: tuple[ModelSource, ...]) -> list[str]:
    return [one.name for one in sources]


def test_models_of_a_folder_come_with_their_folders(tmp_path: Path) -> None:
    make(tmp_path, "b/1")
    model_list = ModelList(ModelsFolder(folder=tmp_path, labels={"a": {"stable": 2}}))
    assert names(model_list()) == ["b"]
    make(tmp_path, "a/2")
    assert names(model_list()) == ["a", "b"]
    assert model_list()[0].labels == {"stable": 2}
    assert model_list.is_live


def test_a_model_without_versions_stays_until_its_own_folder_is_gone(tmp_path: Path) -> None:
    make(tmp_path, "a/1", "b/1")
    model_list = ModelList(ModelsFolder(folder=tmp_path))
    assert names(model_list()) == ["a", "b"]
    (tmp_path / "a" / "1").rmdir()
    assert names(model_list()) == ["a", "b"]
    (tmp_path / "a").rmdir()
    assert names(model_list()) == ["b"]


def test_a_single_model_is_listed_before_it_has_versions(tmp_path: Path) -> None:
    model_list = ModelList(SingleModel(name="m", base=tmp_path / "none", labels={"m": {"a": 1}, "n": {"b": 2}}))
    assert model_list() == (ModelSource(name="m", base=tmp_path / "none", labels={"a": 1}),)
    assert not model_list.is_live


def test_unloaded_models_stay_in_the_list_without_versions_and_labels(tmp_path: Path) -> None:
    make(tmp_path, "a/1", "b/1")
    sources = (ModelSource(name="b", base=tmp_path / "b", labels={"x": 1}),)
    for listed in (None, sources):
        in_force = ListInForce(sources=listed, unloaded=("b",), switched="b")
        last = ModelList(ModelsFolder(folder=tmp_path, labels={"b": {"x": 1}}), in_force)()[-1]
        assert (last.name, last.is_unloaded, last.labels) == ("b", True, {})


def write(file: Path, *lines: str) -> None:
    entries = "".join(
        f'config {{ name: "{name}" base_path: "/m" model_platform: "tensorflow" '
        'version_labels { key: "own" value: 1 } }'
        for name in lines
    )
    file.write_text(f"model_config_list {{ {entries} }}")


def test_a_file_is_read_once_and_again_on_demand(tmp_path: Path) -> None:
    file = tmp_path / "models.config"
    write(file, "a")
    model_list = ModelList(ConfigFile(path=file, labels={"a": {"more": 2}}))
    assert [(one.name, one.labels) for one in model_list()] == [("a", {"own": 1, "more": 2})]
    write(file, "b")
    assert names(model_list()) == ["a"]
    assert names(model_list.read()) == ["b"]
    assert names(model_list()) == ["a"], "read, and not in force"


def test_a_list_that_was_sent_is_in_force_until_the_first_one_is_again(tmp_path: Path) -> None:
    make(tmp_path, "a/1")
    model_list = ModelList(ModelsFolder(folder=tmp_path))
    first, sent = model_list.in_force, (ModelSource(name="z", base=tmp_path),)
    model_list.put(ListInForce(generation=2, sources=sent))
    assert model_list() == sent
    assert names(model_list.read()) == ["a"]
    model_list.put(first)
    assert names(model_list()) == ["a"]


def test_an_invalid_source_is_an_error_at_every_call(tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        ModelList(ConfigFile(path=tmp_path / "none"))
    model_list = ModelList(ModelsFolder(folder=tmp_path / "none"))
    for read in (model_list, model_list.read, model_list):
        with pytest.raises(BadInput):
            read()


def test_the_first_list_of_a_file_is_what_it_says_now_and_a_folder_is_live(tmp_path: Path) -> None:
    file = tmp_path / "models.config"
    write(file, "a")
    first = first_list(ConfigFile(path=file))
    assert (names(first.sources or ()), first.last_read) == (["a"], first.sources)
    assert first_list(ModelsFolder(folder=tmp_path)) == ListInForce()
