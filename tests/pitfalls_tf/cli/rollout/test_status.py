"""``pitfalls rollout status``, ``list`` and what people do with a rollout, on a store with one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result

from monitoring.records import RolloutRecord, RolloutVerdict
from monitoring.rollout.rollout_settings import iso, with_setting
from monitoring.store.store import Store
from tests.monitoring.actions.label_server import label_server, models_config
from tests.monitoring.rollout.records import promised, result_of
from tests.monitoring.rollout.shadow.worlds import World, world_of
from tests.monitoring.rollout.two_bundles import logged

Run = Callable[..., Result]

SECTION = """
[rollout]
model_config_file = "models.config"
server = "http://127.0.0.1:{port}"
[rollout.decide]
guards = []
labels = "asked"
"""


class Place:
    """A config with a store and a served model."""

    def __init__(self, folder: Path, world: World) -> None:
        self.config = ("--config", str(folder / "monitor.toml"))
        self.file = folder / "models.config"
        self.world = world

    def looked(self, verdict: RolloutVerdict, *, promotable: bool = False, at: datetime | None = None) -> RolloutRecord:
        """A rollout with a look at its evidence."""
        record = self.world.begun()
        worked = iso(datetime.now(UTC) if at is None else at)
        record = replace(
            record,
            result=result_of(verdict, promotable=promotable),
            settings=with_setting(record.settings, "worked_at", worked),
            plan=promised((-0.02, "better", 8.0)),
        )
        self.world.store.rollouts.save(record)
        return record


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    folder = tmp_path / "world"
    with label_server(folder / "models.config", (1, 2)) as port, Store.open(f"sqlite:///{folder}/pitfalls.db") as store:
        world = world_of(folder, store, {1: logged, 2: logged}, SECTION.format(port=port))
        (folder / "models.config").write_text(models_config((1, 2), stable=1))
        yield Place(folder, world)


@pytest.mark.parametrize(
    ("verdict", "promotable", "code"),
    [("better", True, 0), ("worse", False, 1), ("no difference that matters", False, 1), ("can't tell yet", False, 4)],
)
def test_a_pipeline_is_told_by_the_exit_code(
    pitfalls: Run, place: Place, verdict: RolloutVerdict, promotable: bool, code: int
) -> None:
    place.looked(verdict, promotable=promotable)
    done = pitfalls("rollout", "status", *place.config, "--require", "better", "--json")
    assert done.exit_code == code, done.output
    assert json.loads(done.stdout)["result"]["verdict"] == verdict
    assert pitfalls("rollout", "status", *place.config).exit_code == 0


def test_a_dead_shadow_is_no_green_light(pitfalls: Run, place: Place) -> None:
    place.looked("better", promotable=True, at=datetime.now(UTC) - timedelta(hours=2))
    done = pitfalls("rollout", "status", *place.config, "--require", "better")
    assert done.exit_code == 4
    assert "The worker has made no pass since" in done.stdout


def test_a_rollout_of_other_versions_than_the_config_compares_is_no_green_light(
    pitfalls: Run, place: Place, tmp_path: Path
) -> None:
    record = place.looked("better", promotable=True)
    config = tmp_path / "world" / "monitor.toml"
    text = config.read_text()
    assert "[rollout]\n" in text
    config.write_text(text.replace("[rollout]\n", "[rollout]\ncandidate = 9\n", 1))
    done = pitfalls("rollout", "status", *place.config, "--require", "better")
    assert done.exit_code == 2, done.output
    assert "The last rollout is not one of the versions that the config compares" in " ".join(done.stderr.split())
    named = ("--rollout", str(record.number))
    assert pitfalls("rollout", "status", *place.config, "--require", "better", *named).exit_code == 0


def test_no_look_yet_cannot_be_told_and_no_rollout_is_wrong_input(pitfalls: Run, place: Place) -> None:
    done = pitfalls("rollout", "status", *place.config, "--require", "better")
    assert done.exit_code == 2
    assert "There is no rollout yet" in done.stderr
    place.world.begun()
    done = pitfalls("rollout", "status", *place.config, "--require", "better")
    assert done.exit_code == 4
    assert "No look at the evidence yet" in done.stdout
    assert pitfalls("rollout", "status", *place.config, "--rollout", "99").exit_code == 2


def test_the_list_says_how_promises_were_kept(pitfalls: Run, place: Place) -> None:
    assert "No rollout yet" in pitfalls("rollout", "list", *place.config).stdout
    record = place.looked("better", promotable=True)
    assert pitfalls("rollout", "stop", *place.config, "--reason", "Enough.", "--by", "ada").exit_code == 0
    listed = pitfalls("rollout", "list", *place.config)
    assert f"{record.number:>4}  2013-04-03  flights 1 and 2  shadow, stopped: better" in listed.stdout
    assert "0 of 1 verdicts came in the promised time" in listed.stdout  # it began in 2013
    (document,) = json.loads(pitfalls("rollout", "list", *place.config, "--json").stdout)["rollouts"]
    assert [event["text"] for event in document["events"]][-1] == "Stopped; version 1 stays. Enough."
    assert pitfalls("rollout", "stop", *place.config).exit_code == 2


def test_a_candidate_is_promoted_and_taken_back(pitfalls: Run, place: Place) -> None:
    place.looked("can't tell yet")
    refused = pitfalls("rollout", "promote", *place.config)
    assert refused.exit_code == 2
    assert "The evidence does not allow a promotion" in refused.stderr
    done = pitfalls("rollout", "promote", *place.config, "--force", "--by", "ada", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["mode"] == "watch"
    assert "value: 2 }" in place.file.read_text()
    back = pitfalls("rollout", "rollback", *place.config, "--by", "ada")
    assert back.exit_code == 0, back.output
    assert "value: 1 }" in place.file.read_text()
    assert "rolled back: Version 2 was taken back." in back.stdout


def test_a_rollout_that_goes_on_is_not_taken_up_for_another_version(pitfalls: Run, place: Place) -> None:
    record = place.looked("can't tell yet")
    done = pitfalls("rollout", "start", *place.config, "--candidate", "9")
    assert done.exit_code == 2
    assert f"its candidate is version {record.candidate}. Got --candidate 9" in " ".join(done.output.split())
