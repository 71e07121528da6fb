"""REST and gRPC at once, and the stop of a server that has both."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

import grpc
import numpy as np
import pytest
from tensorflow_serving.apis import prediction_service_pb2_grpc

from monitoring.traffic.log.log import TrafficLog
from serving.models.batch_settings import BatchSettings
from tests.serving.grpc_api.conftest import predict_request
from tests.serving.memory_log import BlockedLog

if TYPE_CHECKING:
    from pathlib import Path

    from tests.serving.grpc_api.conftest import OpenSite


def test_both_dialects_share_batches_and_log(open_site: OpenSite) -> None:
    """Held up by a first request, column-form REST and gRPC requests join one batch, and each gets its own rows."""
    log = BlockedLog()
    with open_site(writer=log, batches=BatchSettings(quick_s=0)) as site, ThreadPoolExecutor(4) as pool:
        first = pool.submit(site.website.predict, "half_plus_two", {"inputs": [0.0]})
        assert log.is_blocked.wait(30)
        request = predict_request("half_plus_two", {"x": np.array([2.0], np.float32)})
        calls = [site.predictions.Predict.future(request, metadata=(("x-request-id", f"g{n}"),)) for n in range(3)]
        columns = pool.submit(site.website.predict, "half_plus_two", {"inputs": [4.0]}, {"X-Request-Id": "columns"})
        log.unblock.set()
        assert first.result().status == 200
        assert [list(call.result(30).outputs["y"].float_val) for call in calls] == [[3.0]] * 3
        assert columns.result().json == {"outputs": [4.0]}
    assert sorted(log.request_ids[1:]) == ["columns", "g0", "g1", "g2"]


def test_a_unix_socket_answers_next_to_the_port(open_site: OpenSite, tmp_path: Path) -> None:
    path = tmp_path / "grpc.sock"
    request = predict_request("half_plus_two", {"x": np.array([2.0], np.float32)})
    with open_site(socket_path=path) as site, grpc.insecure_channel(f"unix:{path}") as channel:
        local = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        for stub in (local, site.predictions):
            assert list(stub.Predict(request, timeout=30).outputs["y"].float_val) == [3.0]


@pytest.mark.slow
def test_on_sigterm_every_accepted_call_is_answered_and_logged(models_folder: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pitfalls_tf", "serve", "--models", str(models_folder)]
    flags = ["--rest-port", "0", "--grpc-port", "0", "--traffic", str(tmp_path / "traffic"), "--json"]
    with subprocess.Popen([*command, *flags], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        document = ""
        while "pid" not in document or not document.rstrip().endswith("}"):
            document += process.stdout.readline()
        target = json.loads(document)["grpc"]
        answered: list[str] = []
        enough = threading.Event()

        def client(name: str) -> None:
            with grpc.insecure_channel(target) as channel, suppress(grpc.RpcError):
                stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
                request = predict_request("half_plus_two", {"x": np.array([1.0], np.float32)})
                for number in range(1_000_000):
                    request_id = f"{name}-{number}"
                    stub.Predict(request, metadata=(("x-request-id", request_id),))
                    answered.append(request_id)
                    if len(answered) > 200:
                        enough.set()

        clients = [threading.Thread(target=client, args=(str(name),)) for name in range(4)]
        for one in clients:
            one.start()
        assert enough.wait(60)
        process.send_signal(signal.SIGTERM)
        for one in clients:
            one.join()
        assert process.wait(60) == 0
    logged = TrafficLog(tmp_path / "traffic").read(model="half_plus_two").column("request_id").to_pylist()
    assert sorted(logged) == sorted(answered)
