"""Another list of models while serving: what it names answers, what it does not is gone, what is wrong is told."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from serving.models.loading import load_version
from serving.models.model_list import ConfigFile, ModelList, ModelsFolder, SingleModel
from serving.models.reloading import Reloader
from serving.models.version_status import VersionState
from serving.models.versions import Models
from serving.status import Code, Failure

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from serving.models.model_list import ModelListSource


@dataclass
class Station:
    """Models on a shelf, and who reloads them."""

    folder: Path
    models: Models
    reloader: Reloader
    said: list[str] = field(default_factory=list)

    def config(self, *entries: str) -> Any:
        base = f'base_path: "{self.folder}/m"'
        whole = [entry if "base_path" in entry else f"{base} {entry}" for entry in entries]
        text = "".join(f'config {{ model_platform: "tensorflow" {entry} }}' for entry in whole)
        return text_format.Parse(f"model_config_list {{ {text} }}", model_server_config_pb2.ModelServerConfig())

    def answering(self) -> dict[str, tuple[int, ...]]:
        return {name: self.models.available(name) for name in self.models.names}


@pytest.fixture
def repository(tmp_path: Path, models_folder: Path) -> Path:
    """A model m with two versions, whose biases tell them apart."""
    shutil.copytree(models_folder / "half_plus_two" / "00000123", tmp_path / "m" / "1")
    shutil.copytree(models_folder / "half_plus_three" / "1", tmp_path / "m" / "2")
    return tmp_path


@pytest.fixture
def opened(repository: Path) -> Iterator[Any]:
    stations: list[Station] = []

    def make(origin: ModelListSource, **settings: Any) -> Station:
        said: list[str] = []
        model_list = ModelList(origin)
        models = Models(model_list, load=load_version, report=said.append)
        models.poll()
        station = Station(repository, models, Reloader(models, model_list, report=said.append, **settings), said)
        stations.append(station)
        return station

    yield make
    for station in stations:
        station.models.close()


def failure_of(station: Station, *entries: str) -> tuple[Code, str]:
    with pytest.raises(Failure) as caught:
        station.reloader.apply(station.config(*entries))
    return caught.value.code, caught.value.message


def test_a_list_replaces_the_one_before(opened: Any, repository: Path) -> None:
    station = opened(ModelsFolder(folder=repository))
    assert station.answering() == {"m": (2,)}
    station.reloader.apply(
        station.config(
            'name: "n" model_version_policy { all {} } version_labels { key: "old" value: 1 }',
            'name: "p" model_version_policy { specific { versions: 1 } }',
        )
    )
    assert station.answering() == {"n": (2, 1), "p": (1,)}
    assert [one.state for one in station.models.statuses("m")] == [VersionState.END]
    with station.models.lease("n", label="old") as served:
        assert served.number == 1
    station.reloader.apply(station.config())
    assert station.answering() == {}
    station.reloader.reread()
    assert station.answering() == {"m": (2,)}, "asked to, the server reads what it was started with"


def test_a_list_that_is_wrong_changes_nothing(opened: Any, repository: Path) -> None:
    station = opened(SingleModel(name="m", base=repository / "m"))
    code, text = failure_of(station, 'name: "m"', 'name: "m"')
    assert (code, "occurs more than once" in text) == (Code.INVALID_ARGUMENT, True)
    assert station.answering() == {"m": (2,)}


def test_what_cannot_be_loaded_is_told_and_the_others_answer(opened: Any, repository: Path) -> None:
    station = opened(SingleModel(name="m", base=repository / "m"))
    (repository / "broken" / "3").mkdir(parents=True)
    code, text = failure_of(
        station, 'name: "n"', f'name: "b" base_path: "{repository}/broken"', 'name: "c" base_path: "/c"'
    )
    assert code is Code.UNKNOWN
    assert text.startswith("2 model(s) did not become available: {{name: b version: 3} due to error: ")
    assert "{name: c} has no version in /c" in text
    assert station.answering() == {"b": (), "c": (), "n": (2,)}


def test_a_label_moves_only_to_a_version_that_answers(opened: Any, repository: Path) -> None:
    station = opened(SingleModel(name="m", base=repository / "m"))
    both = 'name: "m" model_version_policy { all {} } '
    station.reloader.apply(station.config(both + 'version_labels { key: "a" value: 1 }'))
    code, text = failure_of(station, both + 'version_labels { key: "a" value: 9 } version_labels { key: "b" value: 9 }')
    assert code is Code.FAILED_PRECONDITION
    assert "to version 9 of model m, which is not currently available for inference" in text
    assert station.models.labels("m") == {"a": 1}
    station.reloader.apply(station.config(both + 'version_labels { key: "a" value: 2 }'))
    assert station.models.labels("m") == {"a": 2}


def test_a_new_label_may_be_allowed_to_wait_for_its_version(opened: Any, repository: Path, models_folder: Path) -> None:
    station = opened(SingleModel(name="m", base=repository / "m"), may_label_unavailable=True)
    station.reloader.apply(station.config('name: "m" version_labels { key: "next" value: 3 }'))
    with pytest.raises(Failure, match="Unrecognized servable version label: next"):
        station.models.acquire("m", label="next")
    shutil.copytree(models_folder / "half_plus_two" / "00000123", repository / "m" / "3")
    station.reloader.poll()
    with station.models.lease("m", label="next") as served:
        assert served.number == 3


def test_a_config_file_is_read_again_when_it_has_changed_or_when_asked(opened: Any, repository: Path) -> None:
    file = repository / "models.config"
    entry = f'config {{ name: "m" base_path: "{repository}/m" model_platform: "tensorflow" %s }}'
    file.write_text(f"model_config_list {{ {entry % ''} }}")
    forgotten: list[None] = []
    station = opened(ConfigFile(path=file), on_reread=lambda: forgotten.append(None))
    station.reloader.apply(station.config('name: "sent"'))
    station.reloader.reread_if_changed()
    assert station.answering() == {"sent": (2,)}, "what a client sent stays for as long as the file does not change"
    file.write_text(f"model_config_list {{ {entry % 'model_version_policy { specific { versions: 1 } }'} }}")
    station.reloader.reread_if_changed()
    assert station.answering() == {"m": (1,)}
    assert len(forgotten) == 1
    file.write_text("nonsense")
    before = len(station.said)
    station.reloader.reread_if_changed()
    station.reloader.reread_if_changed()
    assert station.answering() == {"m": (1,)}
    assert len(station.said) == before + 1, "what stays wrong is said once"
    assert "the loaded versions go on answering" in station.said[-1]


def test_the_same_version_from_another_folder_is_loaded_anew(opened: Any, repository: Path) -> None:
    station = opened(SingleModel(name="m", base=repository / "m"))
    shutil.copytree(repository / "m" / "1", repository / "moved" / "2")
    before = station.models.acquire("m")
    before.release()
    station.reloader.apply(station.config(f'name: "m" base_path: "{repository}/moved"'))
    with station.models.lease("m") as served:
        assert (served.number, served.path) == (2, repository / "moved" / "2")
    assert not before.acquire()
