"""A worker for each rollout that goes on; one that was killed is started again, and none where none goes on."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

import pytest

from monitoring.records import RolloutRecord
from monitoring.rollout.workers import SOUND_SECONDS, RolloutWorkers
from monitoring.service.config_watch import ConfigWatch
from monitoring.store.checks import rollouts_going_on
from monitoring.store.store import Store
from tests.monitoring.rollout.records import rollout
from tests.monitoring.rollout.two_bundles import two_bundles


class Process:
    """A worker that ends when it is told to, or when a test says so."""

    def __init__(self, *, hangs: bool = False) -> None:
        self.status: int | None = None
        self.hangs, self.signals = hangs, list[str]()

    def poll(self) -> int | None:
        return self.status

    def terminate(self) -> None:
        self.signals.append("TERM")
        if not self.hangs:
            self.status = 0

    def kill(self) -> None:
        self.signals.append("KILL")
        self.status = -9

    def wait(self, timeout: float | None = None) -> int:
        if self.status is None:
            assert timeout is not None
            raise subprocess.TimeoutExpired("worker", timeout)
        return self.status


class Rig:
    """Workers with a clock and processes of their own."""

    def __init__(self, folder: Path) -> None:
        self.now, self.said, self.started = 1000.0, list[str](), list[tuple[Path, Process]]()
        self.goes_on: tuple[int, ...] | None = ()
        self.workers = RolloutWorkers(
            ConfigWatch(lambda: sorted(folder.glob("*/monitor.toml"))),
            self.start,
            clock=lambda: self.now,
            report=lambda name, text, _level: self.said.append(f"{name}: {text}"),
            going_on=lambda _url, _name: self.goes_on,
        )

    def start(self, path: Path) -> Process:
        process = Process()
        self.started.append((path, process))
        return process

    def look(self, *, after: float = 0.0) -> int:
        """How many workers were started so far."""
        self.now += after
        self.workers.look()
        return len(self.started)


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    two_bundles(tmp_path / "a")
    return Rig(tmp_path)


def test_a_worker_begins_once_a_rollout_goes_on_and_ends_with_it(rig: Rig) -> None:
    assert rig.look() == 0
    rig.goes_on = (7,)
    assert rig.look() == 1
    assert rig.said == ["a/monitor.toml: A worker goes on with rollout 7."]
    assert rig.look() == 1
    rig.started[0][1].status, rig.goes_on = 0, ()
    assert rig.look() == 1


def test_one_that_was_killed_is_followed_at_once_and_one_that_fails_again_and_again_later(rig: Rig) -> None:
    rig.goes_on = (7,)
    rig.look()
    rig.started[0][1].status = -9
    assert rig.look(after=SOUND_SECONDS) == 2
    assert "was ended by signal 9: the next one begins in 0 s" in rig.said[-2]
    rig.started[1][1].status = 3
    assert rig.look(after=1.0) == 2
    assert rig.look(after=59.0) == 2
    assert rig.look(after=1.0) == 3
    rig.started[2][1].status = 3
    assert rig.look() == 3
    assert "begins in 120 s" in rig.said[-1]


def test_a_config_that_is_wrong_or_gone_leaves_its_worker(rig: Rig, tmp_path: Path) -> None:
    rig.goes_on = (7,)
    rig.look()
    file = tmp_path / "a/monitor.toml"
    file.write_text("nonsense")
    rig.look()
    rig.look()
    assert "The config is wrong" in rig.said[-1]
    file.unlink()
    rig.look()
    assert rig.said[-1].endswith("Its config is gone: a worker that runs goes on.")
    assert rig.started[0][1].signals == []


def test_a_store_that_cannot_be_reached_is_said_once_and_so_is_its_return(rig: Rig) -> None:
    rig.goes_on = None
    for _ in range(3):
        assert rig.look(after=5.0) == 0
    assert rig.said == [
        "a/monitor.toml: Its store cannot be reached: no worker can begin. It is tried again every 5 s."
    ]
    rig.goes_on = (7,)
    assert rig.look() == 1
    assert rig.said[1:] == [
        "a/monitor.toml: Its store can be reached again.",
        "a/monitor.toml: A worker goes on with rollout 7.",
    ]


def test_workers_end_with_their_keeper_also_one_that_hangs(rig: Rig) -> None:
    rig.goes_on = (7,)
    rig.look()
    rig.started[0][1].hangs = True
    rig.workers.close()
    assert rig.started[0][1].signals == ["TERM", "KILL"]


def test_rollouts_that_go_on_are_known_from_the_store_alone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 's.db'}"
    assert rollouts_going_on(url, "flights") == ()
    assert not (tmp_path / "s.db").exists()
    record: RolloutRecord = rollout()
    with Store.open(url) as store:
        number = store.rollouts.begin(record)
    assert rollouts_going_on(url, record.name) == (number,)
    assert rollouts_going_on(url, "another") == ()


def test_a_store_that_is_not_there_yet_is_not_one_that_cannot_be_reached(tmp_path: Path) -> None:
    assert rollouts_going_on(f"sqlite:///{tmp_path}", "flights") is None  # a folder in the place of the file
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    assert rollouts_going_on(f"postgresql+psycopg://a:b@127.0.0.1:{port}/c", "flights") is None
