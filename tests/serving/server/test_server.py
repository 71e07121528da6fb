"""The garbage collector is tuned before the first model is loaded."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import grpc
import pytest
from tensorflow_serving.apis import predict_pb2

from monitoring.errors import BadInput, CannotRun
from monitoring.traffic.log.log import TrafficLog
from serving.grpc_api.v2_messages import V2_SERVICE, v2_message
from serving.models.list_in_force import ListInForce
from serving.models.model_cache import ModelCacheSettings
from serving.models.model_list import ModelList, ModelsFolder, ModelsUrl, SingleModel
from serving.server.server import load_models, read_first_list, repeating
from serving.server.settings import ModelRepositorySettings
from tests.serving.nursery import nursery

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = """
import gc, sys, weakref
from pathlib import Path
from serving.models.loading import load_version
from serving.server.server import tune_gc

tune_gc()
frozen = gc.get_freeze_count()
runner = load_version(Path(sys.argv[1]))
graph = weakref.ref(runner._session.graph)
runner.close()
del runner
gc.collect()
print(frozen, gc.get_threshold()[0], graph() is None)
"""


def test_later_collections_skip_tensorflow_and_free_an_unloaded_model(
    models_folder: Path, pytestconfig: pytest.Config
) -> None:
    version = next(path.parent for path in sorted(models_folder.rglob("saved_model.pb")))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT, str(version)],
        check=True,
        capture_output=True,
        text=True,
        cwd=pytestconfig.rootpath,
    )
    frozen, threshold, is_gone = done.stdout.split()
    assert int(frozen) > 100_000
    assert (threshold, is_gone) == ("50000", "True")


def test_it_is_repeated_at_its_interval_until_the_end() -> None:
    done = threading.Semaphore(0)
    with repeating("work", done.release, every_s=0.001):
        for _ in range(3):
            assert done.acquire(timeout=30)
    assert not any(thread.name == "work" for thread in threading.enumerate())


def test_without_an_interval_it_runs_on_demand_only() -> None:
    threads: list[str] = []
    done = threading.Semaphore(0)

    def work() -> None:
        threads.append(threading.current_thread().name)
        done.release()

    with repeating("work", work, every_s=0) as run:
        assert threads == []
        for _ in range(2):
            run()
            assert done.acquire(timeout=30)
    assert threads == ["work", "work"]


def test_calls_during_a_run_cause_one_more_run_together() -> None:
    runs: list[int] = []
    is_running, go_on, done = threading.Event(), threading.Event(), threading.Semaphore(0)

    def work() -> None:
        runs.append(len(runs))
        is_running.set()
        assert go_on.wait(30)
        done.release()

    with repeating("work", work, every_s=0) as run:
        run()
        assert is_running.wait(30)
        for _ in range(5):
            run()
        go_on.set()
        for _ in range(2):
            assert done.acquire(timeout=30)
    assert runs == [0, 1]


def test_the_end_waits_for_a_run_and_starts_none() -> None:
    finished: list[bool] = []
    is_running, go_on = threading.Event(), threading.Event()

    def work() -> None:
        is_running.set()
        assert go_on.wait(30)
        finished.append(True)

    with repeating("work", work, every_s=0) as run:
        run()
        assert is_running.wait(30)
        run()
        go_on.set()
    assert len(finished) in {1, 2}, "a run that was wanted before the end may still come"
    assert not any(thread.name == "work" for thread in threading.enumerate())


def test_a_base_path_that_comes_later_is_waited_for(tmp_path: Path, models_folder: Path) -> None:
    repository = ModelRepositorySettings(source=SingleModel(name="m", base=tmp_path / "late"))
    reports: list[str] = []
    models = load_models(repository, ModelList(repository.source), reports.append)
    assert (models.available("m"), models.is_ready) == ((), False)
    assert reports == [f"Waiting for m: no version in {tmp_path}/late."]
    shutil.copytree(models_folder / "half_plus_two" / "00000123", tmp_path / "late" / "1")
    models.poll()
    assert (models.available("m"), models.is_ready) == ((1,), True)
    models.close()


def test_models_come_and_go_at_a_url(tmp_path: Path, models_folder: Path) -> None:
    bucket = tmp_path / "bucket"
    shutil.copytree(models_folder / "half_plus_two" / "00000123", bucket / "m" / "1")
    source = ModelsUrl(f"local://{bucket}", poll_s=0)
    cache = ModelCacheSettings(folder=tmp_path / "cache", poll_s=0)
    repository = ModelRepositorySettings(source=source, cache=cache)
    models = load_models(repository, ModelList(source), lambda _: None)
    assert (models.names, models.available("m")) == (("m",), (1,))
    shutil.copytree(models_folder / "half_plus_three" / "1", bucket / "m" / "2")
    shutil.copytree(models_folder / "half_plus_three" / "1", bucket / "n" / "1")
    models.poll()
    assert (models.available("m"), models.available("n")) == ((2,), (1,))
    shutil.rmtree(bucket / "m" / "2")
    models.poll()
    assert models.available("m") == (1,)
    shutil.rmtree(bucket / "m")
    models.poll()
    assert models.names == ("n",)
    models.close()


def test_an_empty_url_is_an_error_without_waiting(tmp_path: Path) -> None:
    (tmp_path / "bucket").mkdir()
    empty = ModelRepositorySettings(source=ModelsUrl(f"local://{tmp_path}/bucket"), waits_for_models=False)
    with pytest.raises(BadInput, match="There is no model to serve"):
        read_first_list(empty)


def test_a_folder_of_models_may_be_empty(tmp_path: Path) -> None:
    repository = ModelRepositorySettings(source=ModelsFolder(folder=tmp_path))
    reports: list[str] = []
    assert read_first_list(repository) == ListInForce()
    assert load_models(repository, ModelList(repository.source), reports.append).names == ()
    assert reports == [f"Waiting for models in {tmp_path}: there is none yet."]


def test_without_waiting_nothing_to_serve_is_an_error(tmp_path: Path) -> None:
    empty = ModelRepositorySettings(source=ModelsFolder(folder=tmp_path), waits_for_models=False)
    with pytest.raises(BadInput, match="There is no model to serve"):
        read_first_list(empty)
    late = ModelRepositorySettings(source=SingleModel(name="m", base=tmp_path / "late"), waits_for_models=False)
    with pytest.raises(CannotRun, match="No model can be loaded"):
        load_models(late, ModelList(late.source), lambda _: None)


def test_versions_that_cannot_be_loaded_are_an_error_although_others_are_waited_for(tmp_path: Path) -> None:
    (tmp_path / "broken" / "1").mkdir(parents=True)
    repository = ModelRepositorySettings(source=SingleModel(name="m", base=tmp_path / "broken"))
    with pytest.raises(CannotRun, match="No model can be loaded"):
        load_models(repository, ModelList(repository.source), lambda _: None)


CONNECTIONS = 16
V1, V2 = "/v1/models/half_plus_two:predict", "/v2/models/half_plus_two/infer"
#: Path and body of each request over HTTP.
OVER_HTTP = {
    "rows": (V1, b'{"instances": [1.0, 2.0]}'),
    "columns": (V1, b'{"inputs": {"x": [1.0, 2.0]}}'),
    "v2": (V2, b'{"inputs": [{"name": "x", "shape": [2], "datatype": "FP32", "data": [1.0, 2.0]}]}'),
}
PREDICT, MODEL_INFER = "/tensorflow.serving.PredictionService/Predict", f"/{V2_SERVICE}/ModelInfer"
PROTOCOLS = (*OVER_HTTP, PREDICT, MODEL_INFER)
# Small enough that servers die in the middle of conversions, too: a server of this test logs about so much.
SEGMENT_BYTES = 60_000


@dataclass(slots=True)
class Load:
    """Sixteen connections that ask until the server is gone."""

    name: str
    protocol: str
    patience: int
    """After so many answers the server is killed; the others are on their way."""
    pid: int
    answered: list[str] = field(default_factory=list)
    sent: int = 0

    async def run(self, port: int, target: str) -> None:
        over_http = self.protocol in OVER_HTTP
        asked = (self._ask(port, each) if over_http else self._call(target, each) for each in range(CONNECTIONS))
        await asyncio.gather(*asked)

    async def _call(self, target: str, connection: int) -> None:
        """Ask over gRPC, by a connection of its own."""
        with suppress(grpc.RpcError):
            async with grpc.aio.insecure_channel(target, [("grpc.use_local_subchannel_pool", 1)]) as channel:
                call = channel.unary_unary(self.protocol)
                for number in range(1_000_000):
                    request_id = f"{self.name}-{connection}-{number}"
                    self.sent += 1
                    await call(message(self.protocol, request_id), metadata=(("x-request-id", request_id),))
                    self._count(request_id)

    async def _ask(self, port: int, connection: int) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                for number in range(1_000_000):
                    await self._once(reader, writer, f"{self.name}-{connection}-{number}")
            finally:
                writer.close()

    async def _once(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request_id: str) -> None:
        path, body = OVER_HTTP[self.protocol]
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: {request_id}\r\n"
        self.sent += 1
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200"), answer
        length = next(int(line[15:]) for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(length)
        self._count(request_id)

    def _count(self, request_id: str) -> None:
        self.answered.append(request_id)
        if len(self.answered) == self.patience:
            os.kill(self.pid, signal.SIGKILL)


def message(protocol: str, request_id: str) -> bytes:
    """A request of two rows."""
    if protocol == PREDICT:
        request = predict_pb2.PredictRequest()
        request.model_spec.name = "half_plus_two"
        request.inputs["x"].dtype = 1
        request.inputs["x"].tensor_shape.dim.add(size=2)
        request.inputs["x"].float_val.extend([1.0, 2.0])
        return bytes(request.SerializeToString())
    infer = v2_message("ModelInferRequest")()
    infer.model_name, infer.id = "half_plus_two", request_id
    infer.inputs.add(name="x", datatype="FP32", shape=[2]).contents.fp32_contents.extend([1.0, 2.0])
    return bytes(infer.SerializeToString())


def check(traffic: Path, loads: list[Load]) -> None:
    log = TrafficLog(traffic)
    logged = Counter(log.read(model="half_plus_two").column("prediction_id").to_pylist())
    answered = {f"{request_id}:{row}" for load in loads for request_id in load.answered for row in (0, 1)}
    missing, twice = sorted(answered - logged.keys()), [row for row, count in logged.items() if count != 1]
    assert (len(missing), missing[:5]) == (0, []), "answers are missing from the log"
    assert (len(twice), twice[:5]) == (0, []), "rows are in the log twice"
    summary = log.summary()
    assert (summary.rows, summary.repeats, summary.lost_rows) == (len(logged), 0, 0)
    # Other rows belong to requests whose answer was on its way when the server died.
    assert len(logged) - len(answered) <= 2 * CONNECTIONS * len(loads)


@pytest.mark.parametrize("rounds", [3, pytest.param(100, marks=[pytest.mark.slow, pytest.mark.timeout(3600)])])
def test_every_answer_is_logged_once_after_kill_9(models_folder: Path, tmp_path: Path, rounds: int) -> None:
    chance = random.Random(rounds)  # noqa: S311 - where a server dies need not be a secret
    traffic = tmp_path / "traffic"
    loads: list[Load] = []
    with nursery(tmp_path) as made:
        for number in range(rounds):
            argv = ["--models", models_folder, "--traffic", traffic, "--rest-port", 0, "--grpc-port", 0]
            server = made.start(*argv, "--log-segment-bytes", SEGMENT_BYTES)
            protocol = PROTOCOLS[number % len(PROTOCOLS)]
            loads.append(Load(f"k{number}", protocol, chance.randint(1, 2000), server.pid))
            asyncio.run(loads[-1].run(server.port, server.grpc or ""))
            assert len(loads[-1].answered) >= loads[-1].patience
            if number % 5 == 2:  # the dead leave segments behind, which the next server converts
                check(traffic, loads)
    check(traffic, loads)
