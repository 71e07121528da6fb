"""A new list of models while serving: its models are loaded, others unloaded, and errors reported."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf import any_pb2, text_format
from tensorflow_serving.config import model_server_config_pb2

from monitoring.errors import CannotRun
from serving.models.list_in_force import OwnListStore
from serving.models.loading import load_version
from serving.models.model_list import ConfigFile, ModelList, ModelsFolder, SingleModel
from serving.models.reloading import Reloader
from serving.models.served_version import VersionState
from serving.models.versions import Models
from serving.status import Code, Failure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from serving.models.model_list import ModelListSource
    from serving.models.version_folders import ModelSource


@dataclass
class ReloadedModels:
    """The models of a server, what reloads them, and its reports."""

    folder: Path
    models: Models
    reloader: Reloader
    reports: list[str] = field(default_factory=list)

    def config(self, *entries: str) -> Any:
        base = f'base_path: "{self.folder}/m"'
        whole = [entry if "base_path" in entry else f"{base} {entry}" for entry in entries]
        text = "".join(f'config {{ model_platform: "tensorflow" {entry} }}' for entry in whole)
        return text_format.Parse(f"model_config_list {{ {text} }}", model_server_config_pb2.ModelServerConfig())

    def available(self) -> dict[str, tuple[int, ...]]:
        return {name: self.models.available(name) for name in self.models.names}


@pytest.fixture
def repository(tmp_path: Path, models_folder: Path) -> Path:
    """A model m with two versions, whose biases tell them apart."""
    shutil.copytree(models_folder / "half_plus_two" / "00000123", tmp_path / "m" / "1")
    shutil.copytree(models_folder / "half_plus_three" / "1", tmp_path / "m" / "2")
    return tmp_path


@pytest.fixture
def opened(repository: Path) -> Iterator[Any]:
    servers: list[ReloadedModels] = []

    def make(origin: ModelListSource, **settings: Any) -> ReloadedModels:
        reports: list[str] = []
        model_list = ModelList(origin)
        models = Models(model_list, load=load_version, report=reports.append)
        models.poll()
        server = ReloadedModels(
            repository,
            models,
            Reloader(models, model_list, store=OwnListStore(model_list.in_force), report=reports.append, **settings),
            reports,
        )
        servers.append(server)
        return server

    yield make
    for server in servers:
        server.models.close()


def failure_of(server: ReloadedModels, *entries: str) -> tuple[Code, str]:
    with pytest.raises(Failure) as caught:
        server.reloader.apply(server.config(*entries))
    return caught.value.code, caught.value.message


def test_a_list_replaces_the_one_before(opened: Any, repository: Path) -> None:
    server = opened(ModelsFolder(folder=repository))
    assert server.available() == {"m": (2,)}
    server.reloader.apply(
        server.config(
            'name: "n" model_version_policy { all {} } version_labels { key: "old" value: 1 }',
            'name: "p" model_version_policy { specific { versions: 1 } }',
        )
    )
    assert server.available() == {"n": (2, 1), "p": (1,)}
    assert [one.state for one in server.models.statuses("m")] == [VersionState.END]
    with server.models.lease("n", label="old") as served:
        assert served.number == 1
    server.reloader.apply(server.config())
    assert server.available() == {}
    server.reloader.reread()
    assert server.available() == {"m": (2,)}, "on demand the first list is read again"


def test_a_list_that_is_wrong_changes_nothing(opened: Any, repository: Path) -> None:
    server = opened(SingleModel(name="m", base=repository / "m"))
    code, text = failure_of(server, 'name: "m"', 'name: "m"')
    assert (code, "Illegal to list model m multiple times in config list" in text) == (Code.INVALID_ARGUMENT, True)
    assert server.available() == {"m": (2,)}
    platform = server.config('name: "m"')
    platform.model_config_list.config[0].model_platform = "other"
    empty, custom = type(platform)(), type(platform)(custom_model_config=any_pb2.Any())
    for config, wanted, reason in (
        (platform, Code.INVALID_ARGUMENT, "Illegal to change a model's platform. For model m platform was tensorflow"),
        (empty, Code.FAILED_PRECONDITION, "Cannot transition to requested config. It is only legal to transition"),
        (custom, Code.FAILED_PRECONDITION, "Cannot transition to requested config. It is only legal to transition"),
    ):
        with pytest.raises(Failure, match=reason) as caught:
            server.reloader.apply(config)
        assert caught.value.code is wanted
        assert server.available() == {"m": (2,)}


def test_a_reload_names_models_that_cannot_be_loaded_and_serves_the_others(opened: Any, repository: Path) -> None:
    server = opened(SingleModel(name="m", base=repository / "m"))
    (repository / "broken" / "3").mkdir(parents=True)
    code, text = failure_of(
        server, 'name: "n"', f'name: "b" base_path: "{repository}/broken"', 'name: "c" base_path: "/c"'
    )
    assert code is Code.UNKNOWN
    assert text.startswith("2 model(s) did not become available: {{name: b version: 3} due to error: ")
    assert "{name: c} has no version in /c" in text
    assert server.available() == {"b": (), "c": (), "n": (2,)}


def test_a_label_moves_only_to_a_version_that_answers(opened: Any, repository: Path) -> None:
    server = opened(SingleModel(name="m", base=repository / "m"))
    both = 'name: "m" model_version_policy { all {} } '
    server.reloader.apply(server.config(both + 'version_labels { key: "a" value: 1 }'))
    code, text = failure_of(server, both + 'version_labels { key: "a" value: 9 } version_labels { key: "b" value: 9 }')
    assert code is Code.FAILED_PRECONDITION
    assert "to version 9 of model m, which is not currently available for inference" in text
    assert server.models.labels("m") == {"a": 1}
    server.reloader.apply(server.config(both + 'version_labels { key: "a" value: 2 }'))
    assert server.models.labels("m") == {"a": 2}


def test_a_new_label_may_wait_for_its_version_if_the_settings_allow_it(
    opened: Any, repository: Path, models_folder: Path
) -> None:
    server = opened(SingleModel(name="m", base=repository / "m"), may_label_unavailable=True)
    server.reloader.apply(server.config('name: "m" version_labels { key: "next" value: 3 }'))
    with pytest.raises(Failure, match="Unrecognized servable version label: next"):
        server.models.acquire("m", label="next")
    shutil.copytree(models_folder / "half_plus_two" / "00000123", repository / "m" / "3")
    server.reloader.poll()
    with server.models.lease("m", label="next") as served:
        assert served.number == 3


def test_a_config_file_is_read_again_when_it_has_changed_or_on_demand(opened: Any, repository: Path) -> None:
    file = repository / "models.config"
    entry = f'config {{ name: "m" base_path: "{repository}/m" model_platform: "tensorflow" %s }}'
    file.write_text(f"model_config_list {{ {entry % ''} }}")
    server = opened(ConfigFile(path=file))
    server.reloader.apply(server.config('name: "sent"'))
    server.reloader.reread_if_changed()
    assert server.available() == {"sent": (2,)}, "a list that a client has sent stays until the file changes"
    file.write_text(f"model_config_list {{ {entry % 'model_version_policy { specific { versions: 1 } }'} }}")
    server.reloader.reread_if_changed()
    assert server.available() == {"m": (1,)}
    file.write_text("nonsense")
    before = len(server.reports)
    server.reloader.reread_if_changed()
    server.reloader.reread_if_changed()
    assert server.available() == {"m": (1,)}
    assert len(server.reports) == before + 1, "an error that stays the same is reported once"
    assert "the loaded versions go on answering" in server.reports[-1]


def test_a_refused_list_of_a_file_is_reported_once_and_the_one_in_force_stays(opened: Any, repository: Path) -> None:
    file = repository / "models.config"
    entry = f'config {{ name: "%s" base_path: "{repository}/m" model_platform: "tensorflow" }}'
    file.write_text(f"model_config_list {{ {entry % 'm'} }}")

    def refuse(sources: Sequence[ModelSource]) -> None:
        if sources[0].name == "refused":
            raise CannotRun("No log.", got="a", expected="b", fix="c")

    server = opened(ConfigFile(path=file), on_list=refuse)
    code, text = failure_of(server, 'name: "refused"')
    assert (code, text) == (Code.FAILED_PRECONDITION, "No log. Got a; expected b. c")
    server.reloader.apply(server.config('name: "sent"'))
    file.write_text(f"model_config_list {{ {entry % 'refused'} }}")
    server.reloader.reread_if_changed()
    server.reloader.reread_if_changed()
    assert server.available() == {"sent": (2,)}
    again = "The list of models has been read again, with an error: No log. Got a; expected b. c"
    assert server.reports.count(again) == 1


def test_the_same_version_from_another_folder_is_loaded_anew(opened: Any, repository: Path) -> None:
    server = opened(SingleModel(name="m", base=repository / "m"))
    shutil.copytree(repository / "m" / "1", repository / "moved" / "2")
    before = server.models.acquire("m")
    before.release()
    server.reloader.apply(server.config(f'name: "m" base_path: "{repository}/moved"'))
    with server.models.lease("m") as served:
        assert (served.number, served.path) == (2, repository / "moved" / "2")
    assert not before.acquire()


def test_a_model_is_unloaded_and_loaded_while_the_folder_stays_live(
    opened: Any, repository: Path, models_folder: Path
) -> None:
    server = opened(ModelsFolder(folder=repository, labels={"m": {"stable": 2}}))
    server.reloader.switch("m", is_wanted=False)
    server.reloader.poll()
    assert (server.available(), server.models.is_ready) == ({"m": ()}, True), "what a client unloaded is not missing"
    assert [one.state for one in server.models.statuses("m")] == [VersionState.END]
    shutil.copytree(models_folder / "half_plus_two" / "00000123", repository / "n" / "1")
    server.reloader.poll()
    assert server.available() == {"m": (), "n": (1,)}, "models still come with their folders"
    server.reloader.switch("m", is_wanted=True)
    assert server.available() == {"m": (2,), "n": (1,)}
    assert server.models.labels("m") == {"stable": 2}
    shutil.copytree(repository / "m" / "1", repository / "m" / "3")
    server.reloader.switch("m", is_wanted=True)
    assert server.available()["m"] == (3,), "one that is loaded is looked for again"


def test_models_that_are_not_in_the_list_are_not_loaded(opened: Any, repository: Path) -> None:
    server = opened(SingleModel(name="m", base=repository / "m"))
    for is_wanted in (True, False):
        with pytest.raises(Failure, match="The list of models has no model n") as caught:
            server.reloader.switch("n", is_wanted=is_wanted)
        assert caught.value.code is Code.NOT_FOUND


def test_only_the_model_that_is_loaded_must_become_available(opened: Any, repository: Path) -> None:
    server = opened(SingleModel(name="m", base=repository / "m"))
    with pytest.raises(Failure, match="c"):
        server.reloader.apply(
            server.config('name: "m" version_labels { key: "a" value: 2 }', 'name: "c" base_path: "/c"')
        )
    server.reloader.switch("m", is_wanted=False)
    server.reloader.switch("m", is_wanted=True)
    assert (server.available(), server.models.labels("m")) == ({"c": (), "m": (2,)}, {"a": 2})
    with pytest.raises(Failure, match=r"\{name: c\} has no version in /c") as caught:
        server.reloader.switch("c", is_wanted=True)
    assert caught.value.code is Code.UNKNOWN


def test_another_list_forgets_what_was_unloaded(opened: Any, repository: Path) -> None:
    server = opened(SingleModel(name="m", base=repository / "m"))
    for replaced in (lambda: server.reloader.apply(server.config('name: "m"')), server.reloader.reread):
        server.reloader.switch("m", is_wanted=False)
        assert server.available() == {"m": ()}
        replaced()
        assert server.available() == {"m": (2,)}
