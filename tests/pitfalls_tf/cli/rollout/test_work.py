"""`pitfalls serve --rollouts`: the server's worker goes on with a rollout after kill -9, and ends with the server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import Result

from monitoring.config import MonitorConfig
from monitoring.store.store import Store
from tests.monitoring.rollout.two_bundles import two_bundles

Run = Callable[..., Result]

SECTION = "\n[rollout]\n[rollout.decide]\nguards = []\n"


def children(pid: int) -> list[int]:
    """The processes that a process has started, by /proc."""
    listing = Path(f"/proc/{pid}/task")
    return [int(one) for task in listing.iterdir() for one in (task / "children").read_text("ascii").split()]


def below(pid: int, words: str) -> list[int]:
    """Those among all descendants whose command line has these words."""
    found, left = [], [pid]
    while left:
        one = left.pop()
        try:
            left += children(one)
            line = Path(f"/proc/{one}/cmdline").read_text("utf-8").replace("\0", " ")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if words in line:
            found.append(one)
    return found


def waited(condition: Callable[[], object]) -> None:
    """Return once something holds; the test's own timeout ends it otherwise."""
    pause = threading.Event()
    while not condition():
        pause.wait(0.1)


def test_begin_leaves_the_work_to_another_process_and_take_up_begins_none(pitfalls: Run, tmp_path: Path) -> None:
    config = two_bundles(tmp_path, SECTION)
    file = ("--config", str(tmp_path / "monitor.toml"))
    none = pitfalls("rollout", "start", *file, "--take-up")
    assert (none.exit_code, none.output) == (0, "No rollout goes on.\n")
    begun = pitfalls("rollout", "start", *file, "--begin", "--no-plan")
    assert begun.exit_code == 0, begun.output
    again = pitfalls("rollout", "start", *file, "--begin", "--no-plan")
    assert again.exit_code == 2
    assert "A rollout of this model goes on. Got rollout 1" in " ".join(again.output.split())
    with Store.open(config.store.url) as store:
        assert [record.state for record in store.rollouts.latest(config.name)] == ["running"]


def test_a_server_of_several_processes_names_the_verb(pitfalls: Run, tmp_path: Path) -> None:
    two_bundles(tmp_path)
    done = pitfalls("serve", "--models", str(tmp_path / "models"), "--rollouts", str(tmp_path), "--workers=2")
    assert done.exit_code == 2
    assert "pitfalls rollout work --configs" in done.output


@contextmanager
def serving_rollouts(folder: Path, *flags: str) -> Iterator[subprocess.Popen[bytes]]:
    """A server that works on the rollouts of a folder; killed with the block, if it has not ended."""
    line = [sys.executable, "-W", "ignore", "-m", "pitfalls_tf", "serve", "--models", str(folder / "models"), *flags]
    line += ["--rollouts", str(folder), "--rest-port=0", "--grpc-port=off", "--json"]
    said = (folder / "said").open("wb")
    with said, subprocess.Popen(line, stdout=subprocess.PIPE, stderr=said) as server:
        assert server.stdout is not None
        try:
            while server.stdout.readline() != b"}\n":  # the document of one that is ready
                assert server.poll() is None
            yield server
        finally:
            server.kill()


def has_ended(pid: int) -> bool:
    """Whether a process is gone, or waits to be reaped."""
    try:
        return not Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return True


def begin_rollout(pitfalls: Run, folder: Path) -> MonitorConfig:
    config = two_bundles(folder, SECTION)
    begun = pitfalls("rollout", "start", "--config", str(folder / "monitor.toml"), "--begin", "--no-plan")
    assert begun.exit_code == 0, begun.output
    return config


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_server_works_on_rollouts_whatever_is_killed(pitfalls: Run, tmp_path: Path) -> None:
    config = begin_rollout(pitfalls, tmp_path)
    with serving_rollouts(tmp_path, "--confine=off") as server:
        waited(lambda: below(server.pid, "rollout start"))
        (keeper,), (worker,) = below(server.pid, "rollout work"), below(server.pid, "rollout start")
        os.kill(keeper, signal.SIGKILL)
        waited(lambda: set(below(server.pid, "rollout start")) - {worker})
        waited(lambda: has_ended(worker))  # with its keeper
        mine = below(server.pid, "rollout ")
        assert len(mine) == 2
    waited(lambda: all(map(has_ended, mine)))
    with Store.open(config.store.url) as store:
        assert store.rollouts.latest(config.name)[0].goes_on


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_confined_server_says_that_it_cannot_start_the_process_again(pitfalls: Run, tmp_path: Path) -> None:
    begin_rollout(pitfalls, tmp_path)
    with serving_rollouts(tmp_path, "--confine=required") as server:
        (keeper,) = below(server.pid, "rollout work")
        os.kill(keeper, signal.SIGKILL)
        waited(lambda: "no promotion is watched" in (tmp_path / "said").read_text("utf-8"))


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_workers_of_a_server_that_confines_itself_end_with_it(pitfalls: Run, tmp_path: Path) -> None:
    begin_rollout(pitfalls, tmp_path)
    with serving_rollouts(tmp_path, "--confine=auto") as server:
        waited(lambda: below(server.pid, "rollout start"))
        mine = below(server.pid, "rollout ")
        server.terminate()
        assert server.wait(60) == 0
    waited(lambda: all(map(has_ended, mine)))
