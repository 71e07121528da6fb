"""A rollout beside a real server: the champion does not notice a bad candidate, and nothing that is killed counts."""

from __future__ import annotations

import http.client
import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

import pytest

from monitoring.config import MonitorConfig, load_config
from monitoring.errors import CannotRun
from monitoring.records import RolloutRecord
from monitoring.rollout.actions import Author, begin
from monitoring.rollout.decision_rules import rules_of
from monitoring.rollout.log.evidence_job import CountedWindow
from monitoring.rollout.log.versions import find_versions
from monitoring.rollout.replay.log_replay import ReplayRequest, replay_log
from monitoring.rollout.shadow.worker import ShadowWorker
from monitoring.store.store import Store
from monitoring.timestamps import as_microseconds
from monitoring.traffic.format.rows import INPUT
from monitoring.traffic.labels.label_writer import LabelWriter
from monitoring.traffic.log.log import TrafficLog
from serving.shadow.bundle_scorer import BundleScorer
from serving.shadow.scorer_process import ProcessLimits, ScorerProcess
from tests.monitoring.rollout.two_bundles import OLD, two_bundles
from tests.serving.server_process import ServerProcess, serving

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

DAY = timedelta(days=1)
NOW = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
SECTION = """
[rollout]
[rollout.decide]
guards = ["errors"]
horizon = "1h"
"""
BAD = (sys.executable, str(Path(__file__).parent / "bad_candidate.py"))

#: What clients ask: rows of an earlier log.
ASKED = TrafficLog(OLD / "traffic").read(model="flights").slice(0, 80)


def deployment(folder: Path) -> MonitorConfig:
    """Two versions of which the first is in use and monitored, with an empty log."""
    two_bundles(folder, SECTION)
    shutil.rmtree(folder / "traffic")
    (folder / "pitfalls.db").unlink()
    file = folder / "monitor.toml"
    file.write_text(file.read_text().replace('"models/flights"', '"models/flights/1"'))
    return load_config(file)


def send(server: ServerProcess, place: int, at: datetime | None = None) -> list[float]:
    """Ask the champion for a row, under an id of its own; the probabilities."""
    row = {name.removeprefix(INPUT): ASKED[name][place].as_py()[0] for name in ASKED.column_names if INPUT in name}
    moment = as_microseconds(at or NOW - DAY * (2 + place % 5)) + place
    headers = {"X-Request-Id": f"r{place}", "X-Event-Time": (datetime.fromtimestamp(moment / 1e6, UTC)).isoformat()}
    with closing(http.client.HTTPConnection(server.http_target, timeout=60)) as connection:
        body = json.dumps({"instances": [row]}, default=bytes.decode)
        connection.request("POST", "/v1/models/flights:predict", body, headers)
        answer = connection.getresponse()
        text = answer.read()
        assert answer.status == 200, text
        found: list[float] = json.loads(text)["predictions"][0]
        return found


def begun(config: MonitorConfig, store: Store) -> RolloutRecord:
    author = Author(by="ada", release="1", clock=lambda: NOW - 7 * DAY)
    return begin(config, store, find_versions(config), rules_of(config), author)


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[MonitorConfig, ServerProcess]]:
    """A deployment with a server that has answered some rows."""
    folder = tmp_path_factory.mktemp("beside")
    config = deployment(folder)
    with serving(OLD / "models", "--traffic", str(folder / "traffic")) as server:
        for place in range(40):
            send(server, place)
        yield config, server


class Client:
    """Asks the champion until it is told to stop, in a thread of its own."""

    def __init__(self, server: ServerProcess) -> None:
        self.answers: list[list[float]] = []
        self.problems: list[BaseException] = []
        self._server, self._stop = server, threading.Event()
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _ask(self) -> None:
        try:
            while not self._stop.is_set():
                self.answers.append(send(self._server, 79))
        except BaseException as problem:  # noqa: BLE001 - the test raises it
            self.problems.append(problem)


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        ("crashes", "signal 6"),
        ("hangs", "did not answer in time"),
        ("eats memory", "GiB of memory"),
        ("answers NaN", "no usable answer"),
    ],
)
def test_the_champion_does_not_notice_a_candidate_that(
    beside: tuple[MonitorConfig, ServerProcess], tmp_path: Path, harm: str, message: str
) -> None:
    config, server = beside
    section = config.rollout.model_copy(update={"folder": tmp_path / "answers"})
    config = config.model_copy(update={"rollout": section})
    limits = ProcessLimits(load_s=60.0, answer_s=1.0 if harm == "hangs" else 60.0, memory_bytes=300 << 20)
    expected = send(server, 79)
    with ExitStack() as stack, Store.open(f"sqlite:///{tmp_path}/rollouts.db") as store, Client(server) as client:
        worker = ShadowWorker(
            config=config,
            store=store,
            record=begun(config, store),
            make_scorer=lambda bundle: ScorerProcess(bundle, limits=limits, command=(*BAD, harm)),
            clock=lambda: NOW,
        )
        stack.callback(worker.close)
        if harm == "answers NaN":
            result = worker.work().record.result
            assert result is not None
            assert (result.verdict, result.promotable) == ("can't tell yet", False)
            assert message in result.obstacles[0]
        else:
            with pytest.raises(CannotRun, match=rf"dies again and again(.|\n)*{message}"):
                worker.work()
            assert not list(store.rollouts.windows(worker.record.number))
    assert not client.problems
    assert client.answers
    assert all(answer == expected for answer in client.answers)
    assert server.popen.poll() is None


def command(*arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "pitfalls_tf", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def killed_once(process: subprocess.Popen[bytes], begins: Callable[[], bool]) -> None:
    """Kill a process by SIGKILL as soon as something has begun, which has to be before it ends."""
    pause = threading.Event()
    while not begins():
        assert process.poll() is None, "it ended before it was killed"
        pause.wait(0.01)
    process.kill()
    process.wait()


def test_nothing_counts_twice_whatever_is_killed_and_the_verdict_is_the_same_to_the_bit(tmp_path: Path) -> None:
    config = deployment(tmp_path)
    flags = ("--config", str(tmp_path / "monitor.toml"))
    with serving(OLD / "models", "--traffic", str(tmp_path / "traffic")) as server:
        for place in range(50):
            send(server, place)
        server.popen.kill()  # and its clients do not know which of their rows are in the log
        server.popen.wait()
    with serving(OLD / "models", "--traffic", str(tmp_path / "traffic")) as server:
        for place in range(80):
            send(server, place)
        server.popen.terminate()
        server.popen.wait()
    rows = TrafficLog(tmp_path / "traffic").read(model="flights")
    ids = rows["prediction_id"].to_pylist()
    labels = ["late" if place % 3 else "on_time" for place in range(len(ids))]
    times = [as_microseconds(at + timedelta(minutes=10)) for at in rows["event_time"].to_pylist()]
    LabelWriter(tmp_path / "traffic", clock=lambda: NOW).append(ids, labels, times)

    monitor = command("monitor", "run", *flags)
    killed_once(monitor, (tmp_path / "pitfalls.db").exists)
    with Store.open(config.store.url) as store:
        record = begun(config, store)
    answers = tmp_path / "rollouts"
    killed_once(command("rollout", "start", *flags, "--once"), answers.exists)
    killed_once(command("rollout", "start", *flags, "--once"), lambda: any(answers.rglob("*.arrow*")))
    assert command("monitor", "run", *flags).wait() in {0, 1}
    for _ in range(2):
        assert command("rollout", "start", *flags, "--once").wait() == 0

    with Store.open(config.store.url) as store:
        counted = [CountedWindow.of(*window) for window in store.rollouts.windows(record.number)]
        found = store.rollouts.read(record.number).result
    assert found is not None
    assert found.rows == len(set(ids)) == 80
    elsewhere = config.rollout.model_copy(update={"folder": tmp_path / "replayed"})
    versions = find_versions(config.model_copy(update={"rollout": elsewhere}))
    request = ReplayRequest(rules=rules_of(config), since=NOW - 7 * DAY)
    scorer = BundleScorer(versions.bundle)
    replayed = replay_log(
        replace(versions, trained_until=NOW - 7 * DAY), request, scorer, clock=lambda: datetime.now(UTC)
    )
    scorer.close()
    assert [window.text() for window in counted] == [window.text() for window in replayed.windows]
    assert found == replayed.result.result
