"""A server as a process: refusals before anything slow, killed in the middle of traffic, drained under load."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

from monitoring.traffic.labels.label_log import LabelLog
from monitoring.traffic.log.log import TrafficLog
from pitfalls_tf.replay import ReplayOptions, ReplayPlan, ReplayProgress, replay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from click.testing import Result

    Pitfalls = Callable[..., Result]

BODY = b'{"instances": [1.0, 2.0]}'
PATH = "/v1/models/half_plus_two:predict"


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """``pitfalls serve``, ready."""

    popen: subprocess.Popen[str]
    url: str

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])


@contextmanager
def serving(models: Path, traffic: Path, port: int = 0, *more: str) -> Iterator[Process]:
    """Run the verb in a process of its own; killed at the end if it still runs."""
    token = traffic.with_suffix(".token")
    command = [sys.executable, "-m", "pitfalls_tf", "serve", "--models", str(models), "--traffic", str(traffic)]
    flags = ["--rest-port", str(port), "--token-file", str(token), "--json", *more]
    token.write_text("secret\n")
    with subprocess.Popen([*command, *flags], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as popen:
        # Its words must go somewhere, or the pipe fills up and it stops.
        said: list[str] = []
        assert popen.stderr is not None
        assert popen.stdout is not None
        listener = threading.Thread(target=said.extend, args=(popen.stderr,))
        listener.start()
        try:
            document = ""
            while not document.endswith("}\n"):
                line = popen.stdout.readline()
                assert line, "".join(said)
                document += line
                with suppress(json.JSONDecodeError):
                    json.loads(document)
                    break
            yield Process(popen=popen, url=json.loads(document)["url"])
        finally:
            popen.kill()
            listener.join()


@dataclass(slots=True)
class Client:
    """Sends requests on one connection until the server is gone; remembers which were answered."""

    name: str
    port: int
    on_answer: Callable[[], None]
    answered: list[str] = field(default_factory=list)
    statuses: set[int] = field(default_factory=set)
    limit: int | None = None

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        number = 0
        with suppress(ConnectionError, http.client.HTTPException):
            while self.limit is None or number < self.limit:
                request_id = f"{self.name}-{number}"
                number += 1
                connection.request("POST", PATH, body=BODY, headers={"X-Request-Id": request_id})
                answer = connection.getresponse()
                answer.read()
                self.statuses.add(answer.status)
                if answer.status == 200:
                    self.answered.append(request_id)
                self.on_answer()
        connection.close()


def drive(process: Process, *, clients: int, until: int, then: Callable[[], None]) -> list[Client]:
    """Several clients at once; after ``until`` answers ``then`` is called, and they go on until the server is gone."""
    enough = threading.Event()
    left = iter(range(until, -1, -1))
    counting = threading.Lock()

    def count() -> None:
        with counting:
            if next(left, None) == 0:
                enough.set()

    fleet = [Client(f"{process.popen.pid}-{index}", process.port, count) for index in range(clients)]
    threads = [threading.Thread(target=client.run) for client in fleet]
    for thread in threads:
        thread.start()
    assert enough.wait(60)
    then()
    for thread in threads:
        thread.join()
    return fleet


def drive_for(process: Process, *, clients: int, answers: int) -> list[Client]:
    """Several clients at once, each until it has had so many answers."""
    fleet = [
        Client(f"{process.popen.pid}-first-{index}", process.port, lambda: None, limit=answers)
        for index in range(clients)
    ]
    threads = [threading.Thread(target=client.run) for client in fleet]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return fleet


def workers_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def get(port: int, path: str) -> str:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request("GET", path)
        return connection.getresponse().read().decode()


def logged_ids(traffic: Path) -> list[str]:
    ids: list[str] = TrafficLog(traffic).read(model="half_plus_two").column("prediction_id").to_pylist()
    return ids


def prediction_ids(fleet: list[Client]) -> list[str]:
    return [f"{request_id}:{row}" for client in fleet for request_id in client.answered for row in (0, 1)]


@pytest.mark.slow
def test_what_was_answered_is_in_the_log_once_after_a_kill_and_after_a_drain(
    models_folder: Path, tmp_path: Path
) -> None:
    traffic = tmp_path / "traffic"
    with serving(models_folder, traffic) as process:
        killed = drive(process, clients=4, until=300, then=process.popen.kill)
    logged = logged_ids(traffic)
    assert len(logged) == len(set(logged))
    assert set(prediction_ids(killed)) <= set(logged)
    # At most what each client was waiting for is in the log without having been answered.
    assert len(logged) - len(prediction_ids(killed)) <= 2 * len(killed)

    with serving(models_folder, traffic) as process:
        drained = drive(process, clients=4, until=300, then=lambda: process.popen.send_signal(signal.SIGTERM))
        assert process.popen.wait(60) == 0
    assert {status for client in drained for status in client.statuses} == {200}
    assert sorted(logged_ids(traffic)) == sorted(logged + prediction_ids(drained))
    assert list((traffic / "open").glob("*.arrows")) == [], "everything is Parquet, what was killed included"


def test_told_to_stop_under_load_it_answers_what_it_accepted_and_nothing_more(
    models_folder: Path, tmp_path: Path
) -> None:
    traffic = tmp_path / "traffic"
    with serving(models_folder, traffic) as process:
        fleet = drive(process, clients=16, until=200, then=lambda: process.popen.send_signal(signal.SIGTERM))
        assert process.popen.wait(60) == 0
        assert not is_listening(process.port)
    assert {status for client in fleet for status in client.statuses} == {200}
    assert sorted(logged_ids(traffic)) == sorted(prediction_ids(fleet)), "what was computed was answered"


@pytest.mark.slow
def test_workers_answer_together_outlive_each_other_and_end_together(models_folder: Path, tmp_path: Path) -> None:
    traffic = tmp_path / "traffic"
    with serving(models_folder, traffic, 0, "--workers", "2") as process:
        first, second = workers_of(process.popen.pid)
        before = drive_for(process, clients=16, answers=300)
        assert {status for client in before for status in client.statuses} == {200}
        page = get(process.port, "/monitoring/prometheus/metrics")
        answered = sum(len(client.answered) for client in before)
        assert f'request_count{{model_name="half_plus_two",status="OK"}} {answered}\n' in page
        os.kill(first, signal.SIGKILL)
        while set(workers_of(process.popen.pid)) <= {first, second}:
            assert process.popen.poll() is None
        fleet = drive(process, clients=16, until=300, then=lambda: process.popen.send_signal(signal.SIGTERM))
        assert process.popen.wait(120) == 0
        assert not is_listening(process.port)
    # What a worker left that was still loading when the end came is converted by the supervisor.
    assert list((traffic / "open").glob("*.arrows")) == []
    assert sorted(logged_ids(traffic)) == sorted(prediction_ids([*before, *fleet]))


@pytest.mark.slow
def test_a_replay_survives_the_death_of_its_server_and_a_second_signal_ends_one_at_once(
    models_folder: Path, tmp_path: Path
) -> None:
    traffic = tmp_path / "traffic"
    rows = 2_000
    moments = [datetime(2013, 4, 1, tzinfo=UTC) + timedelta(minutes=row) for row in range(rows)]
    table = pa.table(
        {
            "event_time": pa.array(moments, pa.timestamp("us", "UTC")),
            "known": pa.array([moment + timedelta(hours=3) for moment in moments], pa.timestamp("us", "UTC")),
            "late": pa.array(["late", "on_time"] * (rows // 2)),
            "x": pa.array(np.arange(rows, dtype=np.float32)),
        }
    )
    plan = ReplayPlan(rows_per_request=30, label="late", label_time="known")
    with ExitStack() as stack:
        servers = [stack.enter_context(serving(models_folder, traffic))]

        def restart() -> str:
            servers[0].popen.wait(60)
            servers.append(stack.enter_context(serving(models_folder, traffic, servers[0].port)))
            return servers[-1].url

        def strike(progress: ReplayProgress) -> None:
            if progress.rows > rows // 2:
                servers[0].popen.kill()

        options = ReplayOptions(token="secret", on_disconnect=restart)
        done = replay(table, url=servers[0].url, model="half_plus_two", plan=plan, progress=strike, options=options)
        assert (done.reconnects, len(servers)) == (1, 2)
        log = TrafficLog(traffic).table(model="half_plus_two")
        assert sorted(log.column("x").to_pylist()) == list(range(rows))
        assert LabelLog(traffic).summary().distinct == rows
        check_second_signal(servers[1])


def check_second_signal(process: Process) -> None:
    """With half a request on its way the server drains and waits; told again, it ends at once."""
    head = f"POST {PATH} HTTP/1.1\r\nHost: here\r\nContent-Length: {len(BODY)}\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", process.port)) as half:
        half.sendall(head + BODY[:5])
        with closing(http.client.HTTPConnection("127.0.0.1", process.port, timeout=60)) as whole:
            whole.request("POST", PATH, body=BODY)
            assert whole.getresponse().status == 200
        process.popen.send_signal(signal.SIGTERM)
        while is_listening(process.port):
            assert process.popen.poll() is None
        half.sendall(BODY[5:-1])
        assert process.popen.poll() is None, "it waits for the rest of what it has begun to read"
        process.popen.send_signal(signal.SIGTERM)
        assert process.popen.wait(60) == 128 + signal.SIGTERM


def is_listening(port: int) -> bool:
    with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


@pytest.mark.parametrize("flag", ["--models", "--label", "--token-file", "--traffic"])
def test_wrong_flags_are_told_before_anything_is_loaded(
    pitfalls: Pitfalls, models_folder: Path, tmp_path: Path, flag: str
) -> None:
    (tmp_path / "file").write_text("")
    flags: dict[str, tuple[str | Path, int, str]] = {
        "--models": (tmp_path, 2, "There is no model to serve"),
        "--label": ("stable", 2, "This is no version label"),
        "--token-file": (tmp_path / "file", 2, "it is empty"),
        "--traffic": (tmp_path / "file" / "traffic", 3, "The traffic log cannot be written"),
    }
    value, code, message = flags[flag]
    models = [] if flag == "--models" else ["--models", models_folder]
    result = pitfalls("serve", *models, flag, value, "--rest-port", "0")
    assert (result.exit_code, message in result.stderr, result.stdout) == (code, True, "")


def test_a_port_in_use_is_told_before_anything_is_loaded(pitfalls: Pitfalls, models_folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = pitfalls("serve", "--models", models_folder, "--rest-port", str(port))
    assert result.exit_code == 3
    assert f"Error: port {port} is in use." in result.stderr


def test_a_host_of_another_machine_is_told(pitfalls: Pitfalls, models_folder: Path) -> None:
    result = pitfalls("serve", "--models", models_folder, "--host", "192.0.2.1", "--rest-port", "0")
    assert result.exit_code == 3
    assert "The server cannot listen on this address. Got 192.0.2.1:0" in result.stderr
