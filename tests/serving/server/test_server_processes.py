"""A server as a process: refusals before anything slow, killed in the middle of traffic, drained under load."""

from __future__ import annotations

import http.client
import signal
import socket
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

from monitoring.traffic.labels.label_log import LabelLog
from monitoring.traffic.log.log import TrafficLog
from pitfalls_tf.replay import ReplayOptions, ReplayPlan, ReplayProgress, replay
from tests.serving.http_clients import (
    BODY,
    PATH,
    TOKEN,
    Process,
    drive,
    is_listening,
    logged_ids,
    prediction_ids,
    serving,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result

    Pitfalls = Callable[..., Result]


@pytest.mark.slow
def test_every_answer_is_logged_once_after_a_kill_and_after_a_drain(models_folder: Path, tmp_path: Path) -> None:
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


def test_on_sigterm_under_load_accepted_requests_are_answered_and_no_others(
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
def test_a_replay_survives_the_death_of_its_server_and_a_second_signal_ends_a_server_at_once(
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

        options = ReplayOptions(token=TOKEN, on_disconnect=restart)
        done = replay(table, url=servers[0].url, model="half_plus_two", plan=plan, progress=strike, options=options)
        assert (done.reconnects, len(servers)) == (1, 2)
        log = TrafficLog(traffic).table(model="half_plus_two")
        assert sorted(log.column("x").to_pylist()) == list(range(rows))
        assert LabelLog(traffic).summary().distinct == rows
        check_second_signal(servers[1])


def check_second_signal(process: Process) -> None:
    """With half a request on its way the server drains and waits; a second signal ends it at once."""
    head = f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(BODY)}\r\n\r\n".encode()
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


@pytest.mark.parametrize("flag", ["--models", "--label", "--token-file", "--traffic"])
def test_wrong_flags_are_refused_before_anything_is_loaded(
    pitfalls: Pitfalls, models_folder: Path, tmp_path: Path, flag: str
) -> None:
    (tmp_path / "file").touch(mode=0o600)
    flags: dict[str, tuple[str | Path, int, str]] = {
        "--models": (tmp_path, 2, "There is no model to serve"),
        "--label": ("stable", 2, "Invalid version label"),
        "--token-file": (tmp_path / "file", 2, "it is empty"),
        "--traffic": (tmp_path / "file" / "traffic", 3, "The traffic log cannot be written"),
    }
    value, code, message = flags[flag]
    models = ["--no-wait-for-models"] if flag == "--models" else ["--models", models_folder]
    result = pitfalls("serve", *models, flag, value, "--rest-port", "0", "--confine", "off")  # this process goes on
    assert (result.exit_code, message in result.stderr, result.stdout) == (code, True, "")


def test_a_port_in_use_is_refused_before_anything_is_loaded(pitfalls: Pitfalls, models_folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = pitfalls("serve", "--models", models_folder, "--rest-port", str(port))
    assert result.exit_code == 3
    assert f"Error: port {port} is in use." in result.stderr


def test_a_host_of_another_machine_is_refused(pitfalls: Pitfalls, models_folder: Path) -> None:
    result = pitfalls("serve", "--models", models_folder, "--host", "192.0.2.1", "--rest-port", "0")
    assert result.exit_code == 3
    assert "The server cannot listen on this address. Got 192.0.2.1:0" in result.stderr
