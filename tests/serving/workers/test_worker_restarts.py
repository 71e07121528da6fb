"""Workers that are killed at random moments never answer by an old list of models."""

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
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.protobuf import text_format
from tensorflow_serving.apis import model_management_pb2, model_service_pb2_grpc

from tests.serving.http_clients import workers_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RELOADS = 200
WORKERS = 3
#: The share of reloads after which all workers are waited for.
ALL_READY = 0.15
TOKEN = "a-token-of-the-tests"
# TensorFlow is imported before the workers are forked, and the pauses before restarts are short.
SCRIPT = """
import sys
import tensorflow
import serving.server.server
from serving.workers import worker_handle
worker_handle.FIRST_PAUSE_S = worker_handle.LONGEST_PAUSE_S = 0.1
from pitfalls_tf.cli import main
main()
"""
# The answers of versions 1 and 2 to the input 1.
ANSWERS = {2.5: 1, 3.5: 2}
LEFT = (ConnectionError, http.client.HTTPException, TimeoutError)


def listing(model: Path, stable: int) -> str:
    return (
        f'model_config_list {{ config {{ name: "m" base_path: "{model}" model_platform: "tensorflow" '
        "model_version_policy { all {} } "
        f'version_labels {{ key: "stable" value: {stable} }} }} }}'
    )


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
                    if error.code() not in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}:
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
    with (
        (folder / "stderr").open("w") as stderr,
        subprocess.Popen(
            [*command, *flags, f"--token-file={token}"], stdout=subprocess.PIPE, stderr=stderr, text=True
        ) as popen,
    ):
        try:
            assert popen.stdout is not None
            document = ""
            while not document.endswith("}\n"):
                line = popen.stdout.readline()
                assert line, (folder / "stderr").read_text()
                document += line
            ready = json.loads(document)
            port = int(ready["url"].rpartition(":")[2])
            chance = random.Random(19)  # noqa: S311 - moments, not secrets
            yield Server(
                popen=popen,
                port=port,
                target=ready["grpc"],
                file=file,
                model=model,
                stderr=folder / "stderr",
                chance=chance,
                first=set(workers_of(popen.pid)),
            )
        finally:
            popen.send_signal(signal.SIGTERM)
            popen.wait(60)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_no_answer_is_by_an_old_list_however_workers_restart(tmp_path: Path, models_folder: Path) -> None:
    wrong: list[tuple[str, int, int]] = []
    done: Counter[str] = Counter()
    expected = 1
    with served(tmp_path, models_folder) as server:
        is_over = threading.Event()
        killer = threading.Thread(target=server.kill_now_and_then, args=(is_over,))
        killer.start()
        try:
            for _ in range(RELOADS):
                stable = server.chance.choice([1, 2])
                kind = server.chance.choices(["reload", "refused", "hangup"], [8, 1, 1])[0]
                expected = expect(server, kind, stable, expected)
                done[kind] += 1
                wrong += [(kind, expected, one) for one in server.answers() if one != expected]
        finally:
            is_over.set()
            killer.join()
    assert wrong == [], f"{len(wrong)} of {server.counts['answers']}; {done}, {server.counts}"
    assert server.counts["kills"] > RELOADS / 100


def expect(server: Server, kind: str, stable: int, before: int) -> int:
    """Do one thing to the list in force.

    Returns:
        The version that the label names from now on.
    """
    if kind == "reload":
        server.reload(listing(server.model, stable))
        return stable
    if kind == "refused":
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
