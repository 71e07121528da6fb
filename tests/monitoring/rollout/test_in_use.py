"""A candidate's folder, the server's policy and its label are moved together, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from monitoring.errors import BadInput, CannotRun
from monitoring.rollout import in_use
from monitoring.rollout.actions import promote, take_back
from monitoring.rollout.log.versions import find_versions
from monitoring.store.store import Store
from tests.monitoring.actions.label_server import label_server, models_config
from tests.monitoring.rollout.shadow.worlds import World, world_of
from tests.monitoring.rollout.two_bundles import logged

FILE = '\n[rollout]\nmodel_config_file = "models.config"\nserver = "http://127.0.0.1:{port}"\n'


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path}/rollouts.db") as opened:
        yield opened


def with_candidate(folder: Path, store: Store, section: str = "") -> World:
    """A world of version 1 and the candidate 2."""
    world = world_of(folder / "world", store, {1: logged, 2: logged}, section)
    (folder / "world/models/flights/2").rename(folder / "world/models/flights/2.candidate")
    return world


@contextmanager
def served(folder: Path, store: Store, text: str) -> Iterator[World]:
    """The same with a server of a model config file."""
    file = folder / "world/models.config"
    with label_server(file, (1, 2)) as port:
        world = with_candidate(folder, store, FILE.format(port=port))
        file.write_text(text)
        yield world


def folders(world: World) -> list[str]:
    return sorted(path.name for path in world.config.model.folder.iterdir())


def test_a_candidate_is_the_default_whatever_version_is_newer(tmp_path: Path, store: Store) -> None:
    world = with_candidate(tmp_path, store)
    found = find_versions(world.config)
    assert (found.champion, found.candidate, found.bundle.name, found.is_unserved) == (1, 2, "2.candidate", True)
    (world.config.model.folder / "2.candidate").rename(world.config.model.folder / "0.candidate")
    found = find_versions(world.config)
    assert (found.champion, found.candidate) == (1, 0)


def test_without_a_server_the_folder_is_moved_and_back(tmp_path: Path, store: Store) -> None:
    world = with_candidate(tmp_path, store)
    watch = promote(world.config, store, world.begun(), world.author, force=True)
    assert folders(world) == ["1", "2"]
    text = store.rollouts.events(watch.follows or 0)[-1].text
    assert "Version 2 is the newest in" in text
    take_back(world.config, store, watch, world.author)
    assert folders(world) == ["1", "2.candidate"]


def test_a_promotion_whose_process_died_goes_on(tmp_path: Path, store: Store) -> None:
    world = with_candidate(tmp_path, store)
    record = world.begun()
    (world.config.model.folder / "2.candidate").rename(world.config.model.folder / "2")  # and then it died
    assert promote(world.config, store, record, world.author, force=True).mode == "watch"


def test_policy_and_label_are_written_at_once_and_restored(tmp_path: Path, store: Store) -> None:
    before = models_config((1,), stable=1)
    with served(tmp_path, store, before) as world:
        file = world.config.rollout.model_config_file
        assert file is not None
        watch = promote(world.config, store, world.begun(), world.author, force=True)
        assert (file.read_text(), folders(world)) == (models_config((1, 2), stable=2), ["1", "2"])
        take_back(world.config, store, watch, world.author)
        assert (file.read_text(), folders(world)) == (before, ["1", "2.candidate"])


def test_what_the_server_does_not_take_is_put_back(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_use, "TAKES", timedelta(seconds=0))
    before = models_config((1,), stable=1)
    with served(tmp_path, store, before) as world:
        record = world.begun()
        with pytest.raises(CannotRun, match="the server has not taken it"):
            promote(world.config, store, record, world.author, force=True)
        file = world.config.rollout.model_config_file
        assert file is not None
        assert (file.read_text(), folders(world)) == (before, ["1", "2.candidate"])
        assert store.rollouts.read(record.number).goes_on


@pytest.mark.parametrize("policy", ["all {}", "latest {}", "specific { versions: 7 }"])
def test_a_policy_by_which_the_folder_would_be_served_at_once_is_refused(
    tmp_path: Path, store: Store, policy: str
) -> None:
    with (
        served(tmp_path, store, models_config((), stable=1, policy=policy)) as world,
        pytest.raises(BadInput, match=r"would not wait for the label.*specific \{ versions: 1 \}"),
    ):
        world.begun()


def test_a_label_of_a_newer_version_is_told(tmp_path: Path, store: Store) -> None:
    text = models_config((1, 3), stable=1)
    text = text.replace("version_labels", 'version_labels { key: "next" value: 3 } version_labels', 1)
    with served(tmp_path, store, text) as world, pytest.raises(CannotRun, match=r"next names 3.*above version 2"):
        promote(world.config, store, world.begun(), world.author, force=True)


def test_a_newer_version_is_told_before_anything_is_moved(tmp_path: Path, store: Store) -> None:
    world = with_candidate(tmp_path, store)
    record = world.begun()
    (world.config.model.folder / "3").mkdir()
    with pytest.raises(CannotRun, match=r"A newer version is there.*version 3"):
        promote(world.config, store, record, world.author, force=True)
    assert folders(world) == ["1", "2.candidate", "3"]


def test_a_split_needs_a_candidate_that_is_served(tmp_path: Path, store: Store) -> None:
    section = '[rollout]\nmode = "split"\nkey = "origin"\nshare = 0.5\nsplit_file = "split.json"\n'
    world = with_candidate(tmp_path, store, section)
    with pytest.raises(BadInput, match="A split needs a candidate that servers answer with"):
        world.begun()
