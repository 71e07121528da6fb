"""Rollouts are begun, promoted by a move of the server's label, taken back and stopped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from monitoring.actions.server_label import ServerLabel
from monitoring.errors import BadInput, CannotRun
from monitoring.records import RolloutRecord
from monitoring.rollout.actions import promote, stop, take_back
from monitoring.rollout.in_use import check_policy, server_label
from monitoring.rollout.log.versions import find_versions
from monitoring.store.store import Store
from tests.monitoring.actions.label_server import label_server, models_config
from tests.monitoring.rollout.records import result_of
from tests.monitoring.rollout.shadow.worlds import World, world_of
from tests.monitoring.rollout.two_bundles import logged

SECTION = """
[rollout]
model_config_file = "models.config"
server = "http://127.0.0.1:{port}"
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path}/rollouts.db") as opened:
        yield opened


@contextmanager
def served(folder: Path, store: Store) -> Iterator[World]:
    """A world with a server of the versions 1 and 2."""
    file = folder / "world/models.config"
    with label_server(file, (1, 2)) as port:
        world = world_of(folder / "world", store, {1: logged, 2: logged}, SECTION.format(port=port))
        file.write_text(models_config((1, 2), stable=1))
        yield world


def label_of(world: World) -> int:
    place = server_label(world.config)
    assert isinstance(place, ServerLabel)
    return place.version()


def models_file(world: World) -> Path:
    file = world.config.rollout.model_config_file
    assert file is not None
    return file


def kinds(world: World, record: RolloutRecord) -> list[str]:
    return [event.kind for event in world.store.rollouts.events(record.number)]


def test_a_promotion_moves_the_label_and_the_former_version_goes_on_in_the_dark(tmp_path: Path, store: Store) -> None:
    with served(tmp_path, store) as world:
        record = replace(world.begun(), result=result_of("better", promotable=True), state="decided")
        watch = promote(world.config, store, record, world.author)
        assert label_of(world) == 2
        assert (watch.mode, watch.state, watch.follows, watch.share) == ("watch", "running", record.number, 1.0)
        assert (watch.logging, watch.dark, watch.result, watch.salt != record.salt) == (2, 1, None, True)
        former = store.rollouts.read(record.number)
        assert (former.state, former.ended_at) == ("promoted", world.now)
        assert kinds(world, former) == ["started", "promoted"]
        back = take_back(world.config, store, watch, world.author)
        assert (label_of(world), back.state) == (1, "rolled back")
        with pytest.raises(BadInput, match="The rollout has ended"):
            take_back(world.config, store, back, world.author)


def test_what_the_evidence_does_not_allow_takes_force_and_is_recorded(tmp_path: Path, store: Store) -> None:
    with served(tmp_path, store) as world:
        record = world.begun()
        with pytest.raises(BadInput, match=r"does not allow a promotion. Got no look at the evidence yet.*--force"):
            promote(world.config, store, record, world.author)
        doubtful = replace(record, result=result_of("can't tell yet", reasons=("It can't be told yet.",)))
        with pytest.raises(BadInput, match=r"Got It can't be told yet."):
            promote(world.config, store, doubtful, world.author)
        assert label_of(world) == 1
        promote(world.config, store, record, world.author, force=True)
        assert "by force, against the evidence" in store.rollouts.events(record.number)[-1].text


def test_a_promotion_whose_process_died_is_done_again(tmp_path: Path, store: Store) -> None:
    with served(tmp_path, store) as world:
        record = replace(world.begun(), result=result_of("better", promotable=True))
        place = server_label(world.config)
        assert place is not None
        place.move(2)  # and then it died
        assert promote(world.config, store, record, world.author).mode == "watch"


def test_a_label_that_somebody_has_moved_is_left_alone(tmp_path: Path, store: Store) -> None:
    with served(tmp_path, store) as world:
        record = replace(world.begun(), result=result_of("better", promotable=True))
        models_file(world).write_text(models_config((1, 2), stable=9))
        with pytest.raises(CannotRun, match="Got version 9 at the label stable; expected version 1"):
            promote(world.config, store, record, world.author)
        assert store.rollouts.read(record.number).goes_on


def test_a_version_that_is_not_loaded_is_not_promoted(tmp_path: Path, store: Store) -> None:
    with served(tmp_path, store) as world:
        record = replace(world.begun(), candidate=3, result=result_of("better", promotable=True))
        with pytest.raises(CannotRun, match="version 3 is unknown; expected AVAILABLE"):
            promote(world.config, store, record, world.author)
        assert label_of(world) == 1


@pytest.mark.parametrize("policy", ["latest { num_versions: 2 }", "specific { versions: 1 }"])
def test_a_server_that_would_drop_a_version_is_refused_before_it_begins(
    tmp_path: Path, store: Store, policy: str
) -> None:
    with served(tmp_path, store) as world:
        models_file(world).write_text(models_config((), stable=1, policy=policy))
        with pytest.raises(BadInput, match=r"would not keep both versions.*specific \{ versions: 1 versions: 2 \}"):
            world.begun()
        models_file(world).write_text(models_config((), stable=1, policy="all {}"))
        check_policy(world.config, find_versions(world.config))


def test_a_second_rollout_waits_for_the_first(tmp_path: Path, store: Store) -> None:
    with served(tmp_path, store) as world:
        first = world.begun()
        with pytest.raises(BadInput, match=f"Another rollout of this model goes on. Got rollout {first.number}"):
            world.begun()
        assert stop(world.config, store, first, world.author, "Enough.").state == "stopped"
        assert store.rollouts.events(first.number)[-1].text == "Stopped; version 1 stays. Enough."
        assert world.begun().number == first.number + 1
        with pytest.raises(BadInput, match="The rollout has ended"):
            stop(world.config, store, first, world.author)


def test_without_a_server_nothing_is_promoted(tmp_path: Path, store: Store) -> None:
    world = world_of(tmp_path / "world", store, {1: logged, 2: logged})
    with pytest.raises(BadInput, match="does not say which label a promotion moves"):
        promote(world.config, store, world.begun(), world.author, force=True)


def test_only_a_promotion_is_taken_back_and_only_a_candidate_promoted(tmp_path: Path, store: Store) -> None:
    with served(tmp_path, store) as world:
        record = world.begun()
        with pytest.raises(BadInput, match="Nothing was promoted that could be taken back"):
            take_back(world.config, store, record, world.author)
        watch = promote(world.config, store, record, world.author, force=True)
        with pytest.raises(BadInput, match="A promotion is watched, and not promoted"):
            promote(world.config, store, watch, world.author, force=True)
