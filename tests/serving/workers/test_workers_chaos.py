"""Workers are killed, their list of models is replaced, and everybody asks meanwhile: no answer is wrong or lost."""

from __future__ import annotations

import http.client
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

import grpc
import numpy as np
import pytest
from google.protobuf import text_format
from tensorflow_serving.apis import model_management_pb2, model_service_pb2_grpc, prediction_service_pb2_grpc

from monitoring.traffic.format.rows import INPUT
from monitoring.traffic.log.log import TrafficLog
from tests.serving.grpc_api.conftest import predict_request
from tests.serving.http_clients import workers_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: How often each change to the list of models is made, in random order.
CHANGES = {"reload": 24, "hangup": 12, "refused": 4}
WORKERS = 3
#: The share of changes after which all workers are waited for.
ALL_READY = 0.15
TOKEN = "a-token-of-the-tests"
# TensorFlow is imported before the workers are forked, and the pauses before restarts are short.
SCRIPT = """
import sys
import tensorflow
import serving.server.server
from serving.workers import supervisor
supervisor.FIRST_PAUSE_S = supervisor.LONGEST_PAUSE_S = 0.1
from pitfalls_tf.cli import main
main()
"""
# The answers of versions 1 and 2 to the input 1.
ANSWERS = {2.5: 1, 3.5: 2}
LEFT = (ConnectionError, http.client.HTTPException, TimeoutError)
CUT_CODES = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}


def listing(model: Path, stable: int) -> str:
    return (
        f'model_config_list {{ config {{ name: "m" base_path: "{model}" model_platform: "tensorflow" '
        "model_version_policy { all {} } "
        f'version_labels {{ key: "stable" value: {stable} }} }} }}'
    )


@dataclass
class Asker:
    """Asks both versions in turn, each time another question, by one connection until that is cut."""

    name: str
    address: str
    answered: dict[str, tuple[int, float]] = field(default_factory=dict)
    """Version and input of each request that was answered."""
    wrong: list[str] = field(default_factory=list)
    cut: int = 0
    """Requests whose worker was killed before it answered."""

    def run(self, is_over: threading.Event) -> None:
        numbers = count()
        while not is_over.is_set():
            with suppress(*LEFT), closing(self._connect()):
                while not is_over.is_set():
                    self.cut += 1  # unless the answer comes
                    self._ask(next(numbers))
                    self.cut -= 1

    def _ask(self, number: int) -> None:
        request_id, version = f"{self.name}-{number}", number % 2 + 1
        answer = self._answer(request_id, version, float(number))
        if answer == number / 2 + 1 + version:
            self.answered[f"{request_id}:0"] = (version, float(number))
        else:
            self.wrong.append(f"{request_id}: {answer}")

    def _connect(self) -> Any:
        raise NotImplementedError

    def _answer(self, request_id: str, version: int, number: float) -> object:
        raise NotImplementedError


class RestAsker(Asker):
    """Asks over REST."""

    def _connect(self) -> http.client.HTTPConnection:
        self.connection = http.client.HTTPConnection(self.address, timeout=60)
        return self.connection

    def _answer(self, request_id: str, version: int, number: float) -> object:
        path, body = f"/v1/models/m/versions/{version}:predict", json.dumps({"instances": [number]})
        self.connection.request("POST", path, body, {"X-Request-Id": request_id})
        response = self.connection.getresponse()
        document = response.read()
        return json.loads(document)["predictions"][0] if response.status == 200 else document


class GrpcAsker(Asker):
    """Asks over gRPC."""

    def _connect(self) -> grpc.Channel:
        channel = grpc.insecure_channel(self.address, [("grpc.use_local_subchannel_pool", 1)])
        self.stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        return channel

    def _answer(self, request_id: str, version: int, number: float) -> object:
        request = predict_request("m", {"x": np.array([number], np.float32)})
        request.model_spec.version.value = version
        try:
            response = self.stub.Predict(request, metadata=(("x-request-id", request_id),), timeout=60)
        except grpc.RpcError as error:
            if error.code() in CUT_CODES:
                raise ConnectionError from error
            return f"{error.code()} {error.details()}"
        return response.outputs["y"].float_val[0] if response.model_spec.version.value == version else response


@dataclass
class Server:
    """A server with workers, of which one is killed now and then."""

    popen: subprocess.Popen[str]
    port: int
    target: str
    file: Path
    model: Path
    stderr: Path
    chance: random.Random
    first: set[int]
    killing: threading.Lock = field(default_factory=threading.Lock)
    counts: Counter[str] = field(default_factory=Counter)

    def reload(self, text: str) -> None:
        """Reload by one of the workers; again by another if that one has died."""
        request = model_management_pb2.ReloadConfigRequest()
        text_format.Parse(text, request.config)
        while True:
            options = [("grpc.use_local_subchannel_pool", 1)]
            with grpc.insecure_channel(self.target, options=options) as channel:
                call = model_service_pb2_grpc.ModelServiceStub(channel).HandleReloadConfigRequest
                try:
                    call(request, metadata=[("authorization", f"Bearer {TOKEN}")], timeout=60)
                except grpc.RpcError as error:
                    if error.code() not in CUT_CODES:
                        raise
                    self.counts["reload retries"] += 1
                else:
                    return

    def answer(self) -> int:
        """The version that a new connection finds at the label."""
        while True:
            try:
                with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
                    path = "/v1/models/m/labels/stable:predict"
                    connection.request("POST", path, body=b'{"instances": [1.0]}')
                    document = json.loads(connection.getresponse().read())
            except LEFT:
                self.counts["retries"] += 1
                continue
            self.counts["answers"] += 1
            return ANSWERS[document["predictions"][0]]

    def ready(self) -> set[int]:
        """The workers that answer."""
        said = re.findall(r"\(process (\d+)\) is ready", self.stderr.read_text())
        return (self.first | set(map(int, said))) & set(workers_of(self.popen.pid))

    def kill_now_and_then(self, is_over: threading.Event) -> None:
        while not is_over.wait(self.chance.uniform(0.0, 2.0)):
            with self.killing:
                chosen = self.chance.choice(workers_of(self.popen.pid))
                if self.ready() - {chosen}:  # one that answers goes on
                    os.kill(chosen, signal.SIGKILL)
                    self.counts["kills"] += 1

    def answers(self) -> list[int]:
        """Some answers; now and then those of all workers, once all have started."""
        if self.chance.random() > ALL_READY:
            return [self.answer() for _ in range(3)]
        with self.killing:
            while len(self.ready()) < WORKERS:
                assert self.popen.poll() is None
                time.sleep(0.05)
            return [self.answer() for _ in range(8 * WORKERS)]


@contextmanager
def served(folder: Path, models_folder: Path) -> Iterator[Server]:
    model = folder / "m"
    shutil.copytree(models_folder / "half_plus_two" / "00000123", model / "1")
    shutil.copytree(models_folder / "half_plus_three" / "1", model / "2")
    file, token = folder / "models.config", folder / "token"
    file.write_text(listing(model, 1))
    token.write_text(f"{TOKEN} reload deploy\n")
    token.chmod(0o600)
    command = [sys.executable, "-W", "ignore", "-c", SCRIPT, "serve", f"--model_config_file={file}", "--json"]
    flags = [f"--workers={WORKERS}", "--rest-port=0", "--grpc-port=0", "--allow-reload", f"--model-root={model}"]
    log = ["--traffic", str(folder / "traffic"), f"--token-file={token}"]
    with (
        (folder / "stderr").open("w") as stderr,
        subprocess.Popen([*command, *flags, *log], stdout=subprocess.PIPE, stderr=stderr, text=True) as popen,
    ):
        try:
            assert popen.stdout is not None
            document = ""
            while not document.endswith("}\n"):
                line = popen.stdout.readline()
                assert line, (folder / "stderr").read_text()
                document += line
            ready = json.loads(document)
            yield Server(
                popen=popen,
                port=int(ready["url"].rpartition(":")[2]),
                target=ready["grpc"],
                file=file,
                model=model,
                stderr=folder / "stderr",
                chance=random.Random(19),  # noqa: S311 - moments, not secrets
                first=set(workers_of(popen.pid)),
            )
        finally:
            popen.send_signal(signal.SIGTERM)
            popen.wait(60)


def expect(server: Server, change: str, stable: int, before: int) -> int:
    """Make one change to the list in force.

    Returns:
        The version that the label names from now on.
    """
    if change == "reload":
        server.reload(listing(server.model, stable))
        return stable
    if change == "refused":
        twice: Any = listing(server.model, stable).replace("model_config_list {", "model_config_list { config {} ", 1)
        with pytest.raises(grpc.RpcError) as caught:
            server.reload(twice)
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        return before
    server.file.write_text(listing(server.model, stable))
    server.popen.send_signal(signal.SIGHUP)
    patience = time.monotonic() + 20
    while {server.answer() for _ in range(8)} != {stable} and time.monotonic() < patience:
        pass  # nobody answers a signal, so that this is how it is seen to have come
    return stable


@contextmanager
def in_threads(*works: Any) -> Iterator[None]:
    """Functions that run while the block does, and are given an event that says when it is over."""
    is_over = threading.Event()
    threads = [threading.Thread(target=work, args=(is_over,)) for work in works]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        is_over.set()
        for thread in threads:
            thread.join()


def check_log(traffic: Path, askers: list[Asker]) -> None:
    """Each answered request is in the log once, with what was asked and answered; others only as many as were cut."""
    table = TrafficLog(traffic).read(model="m")
    rows = {row["prediction_id"]: row for row in table.to_pylist()}
    mine = {name: row for name, row in rows.items() if name.startswith(("rest", "grpc"))}
    assert len(rows) == table.num_rows, "an id is there twice"
    expected = {name: each for asker in askers for name, each in asker.answered.items()}
    missing = expected.keys() - mine.keys()
    assert not missing, f"{len(missing)} of {len(expected)} answers are not in the log: {sorted(missing)[:5]}"
    logged = {name: (mine[name]["version"], *mine[name][f"{INPUT}x"]) for name in expected}
    assert logged == expected
    assert len(mine) - len(expected) <= sum(asker.cut for asker in askers)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_no_answer_is_wrong_old_or_lost_however_workers_restart(tmp_path: Path, models_folder: Path) -> None:
    old: list[tuple[str, int, int]] = []
    expected = 1
    with served(tmp_path, models_folder) as server:
        askers: list[Asker] = [RestAsker(f"rest{number}", f"127.0.0.1:{server.port}") for number in range(2)]
        askers += [GrpcAsker(f"grpc{number}", server.target) for number in range(2)]
        changes = [change for change, times in CHANGES.items() for _ in range(times)]
        server.chance.shuffle(changes)
        with in_threads(server.kill_now_and_then, *(asker.run for asker in askers)):
            for change in changes:
                expected = expect(server, change, server.chance.choice([1, 2]), expected)
                old += [(change, expected, version) for version in server.answers() if version != expected]
    counts = {asker.name: (len(asker.answered), asker.cut) for asker in askers}
    sys.stdout.write(f"answered and cut: {counts}; {server.counts}\n")
    assert old == [], f"{len(old)} of {server.counts['answers']}; {server.counts}"
    assert [wrong for asker in askers for wrong in asker.wrong] == []
    assert server.counts["kills"] > len(changes) / 10
    assert all(len(asker.answered) > 100 for asker in askers)
    check_log(tmp_path / "traffic", askers)
