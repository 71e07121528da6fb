"""Several workers answer together, are replaced when they die, and stop together."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from monitoring.errors import BadInput, CannotRun
from serving.models.model_list import ModelsFolder, SingleModel
from serving.server.settings import GrpcListener, ModelRepositorySettings, ServeSettings
from serving.transport.sockets import Address, bind_address, port_of
from serving.workers.workers import serve_workers
from tests.serving.http_clients import (
    drive,
    drive_for,
    get,
    is_listening,
    logged_ids,
    prediction_ids,
    serving,
    workers_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result

    Pitfalls = Callable[..., Result]


@pytest.mark.slow
def test_workers_answer_together_survive_each_other_and_stop_together(models_folder: Path, tmp_path: Path) -> None:
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


def unused(*_: object) -> None:
    raise AssertionError("nothing has started")


def serve(settings: ServeSettings) -> None:
    serve_workers(settings, 2, on_ready=unused, report=unused, prepare=unused)


def test_without_a_model_no_worker_is_started(tmp_path: Path) -> None:
    repository = ModelRepositorySettings(source=ModelsFolder(folder=tmp_path), waits_for_models=False)
    with pytest.raises(BadInput, match="There is no model to serve"):
        serve(ServeSettings(repository=repository))


def test_with_a_port_in_use_no_worker_is_started(tmp_path: Path) -> None:
    repository = ModelRepositorySettings(source=SingleModel(name="m", base=tmp_path))
    with bind_address(Address(port=0)) as taken:
        taken.listen()
        address = Address(port=port_of(taken))
        with pytest.raises(CannotRun, match="is in use"):
            serve(ServeSettings(repository=repository, address=address))
        grpc = GrpcListener(address=address)
        with pytest.raises(CannotRun, match="is in use"):
            serve(ServeSettings(repository=repository, address=Address(port=0), grpc=grpc))
