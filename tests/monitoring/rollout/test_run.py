"""A rollout runs by itself: promotes what is better, and takes back what does harm."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from monitoring.records import MissingLabels
from monitoring.rollout import life
from monitoring.rollout.actions import stop
from monitoring.rollout.evidence import verdict
from monitoring.rollout.evidence.confidence_sequence import DifferenceInterval, interval
from monitoring.rollout.evidence.paired_sums import PairedSums
from monitoring.rollout.run import Surroundings, run_rollout
from monitoring.store.store import Store
from tests.monitoring.actions.label_server import label_server, models_config
from tests.monitoring.rollout.shadow.worlds import World, add_rows, world_of
from tests.monitoring.rollout.two_bundles import truth, two_bundles

SECTION = """
[rollout]
model_config_file = "models.config"
server = "http://127.0.0.1:{port}"
[rollout.decide]
guards = []
horizon = "2d"
promote = "{promote}"
rollback = "auto"
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path}/rollouts.db") as opened:
        yield opened


@pytest.fixture
def by_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Verdicts by rows alone: the world's log is of a few days, too few for a verdict on days to come."""

    def of_rows(days: Sequence[PairedSums], *, alpha: float, missing: MissingLabels) -> DifferenceInterval:
        return interval(PairedSums.merged(days), alpha=alpha, missing=missing)

    monkeypatch.setattr(verdict, "days_interval", of_rows)


def around(world: World, said: list[str], wait: Callable[[], bool]) -> Surroundings:
    return Surroundings(
        make_scorer=world.make_scorer, author=world.author, send=lambda *_: (), wait=wait, say=said.append
    )


@pytest.mark.usefixtures("by_rows")
def test_a_better_version_is_promoted_watched_and_taken_back_once_it_is_worse(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(life, "WEEK", timedelta())  # the world's log is of a few days
    folder = tmp_path / "world"
    right = truth(two_bundles(tmp_path / "labels", ""))
    with label_server(folder / "models.config", (1, 2)) as port:
        world = world_of(folder, store, {1: right, 2: right}, SECTION.format(port=port, promote="auto"))
        file = folder / "models.config"
        file.write_text(models_config((1, 2), stable=1))
        record, said = world.begun(), list[str]()

        def wait() -> bool:
            world.now += timedelta(days=1)
            if "value: 2 }" in file.read_text():  # from then on version 2 answers, and wrong
                world.formulas = {1: lambda rows: np.zeros(rows.num_rows), 2: right}
                add_rows(world, version=2, at=world.now - timedelta(hours=12), rows=40, late=0.9, label="on_time")
            return len(said) < 20

        last = run_rollout(world.config, store, record, around(world, said, wait))
        assert "value: 1 }" in file.read_text()
    assert store.rollouts.read(record.number).state == "promoted"
    assert (last.mode, last.state, last.follows) == ("watch", "rolled back", record.number)
    assert [event.kind for event in store.rollouts.events(last.number)] == ["started", "rolled back"]
    kinds = [event.kind for event in store.rollouts.events(record.number)]
    assert kinds == ["started", "decided", "promoted"]
    assert all(scorer.closed for scorer in world.scorers)


@pytest.mark.usefixtures("by_rows")
def test_a_promotion_that_fails_is_told_once_and_tried_again(tmp_path: Path, store: Store) -> None:
    folder = tmp_path / "world"
    right = truth(two_bundles(tmp_path / "labels", ""))
    world = world_of(folder, store, {1: right, 2: right}, SECTION.format(port=9, promote="ask"))
    (folder / "models.config").write_text(models_config((1, 2), stable=1))
    record, said = world.begun(), list[str]()
    auto = world.config.rollout.deciding.model_copy(update={"promote": "auto"})
    world.config = world.config.model_copy(update={"rollout": world.config.rollout.model_copy(update={"decide": auto})})

    def wait() -> bool:
        world.now += timedelta(days=1)
        return world.now < record.started_at + timedelta(days=20)

    last = run_rollout(world.config, store, record, around(world, said, wait))
    assert last.state == "decided"
    failures = [event.text for event in store.rollouts.events(record.number) if event.kind == "failed"]
    assert len(failures) == 1
    assert failures[0].startswith("Could not promote.")
    assert "does not say which versions it has" in failures[0]


def test_one_that_somebody_stops_ends(tmp_path: Path, store: Store) -> None:
    right = truth(two_bundles(tmp_path / "labels", ""))
    world = world_of(tmp_path / "world", store, {1: right, 2: right})
    record = world.begun()

    def wait() -> bool:
        stop(world.config, store, store.rollouts.read(record.number), world.author)
        return True

    last = run_rollout(world.config, store, record, around(world, [], wait))
    assert last.state == "stopped"
