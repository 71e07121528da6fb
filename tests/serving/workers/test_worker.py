"""Requests between workers, over real sockets in one process."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.protobuf import text_format
from tensorflow_serving.apis import model_management_pb2, model_service_pb2_grpc
from tensorflow_serving.config import model_server_config_pb2

from monitoring.errors import CannotRun
from serving.metrics.version_statistics import StepTimes, VersionStatistics
from serving.models.list_in_force import ListInForce
from serving.models.model_config import sources_of
from serving.models.model_list import ConfigFile, ModelList, first_list
from serving.models.reloading import Reloader
from serving.models.runner import LoadError
from serving.models.versions import Models
from serving.server.peers import PeerPages
from serving.status import Code, Failure
from serving.workers.list_file import ListFile
from serving.workers.worker import Worker, WorkerContext
from tests.serving.http_clients import workers_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence
    from pathlib import Path

    from serving.models.runner import Runner
    from serving.models.version_folders import ModelSource


def statistics(runs: int) -> dict[str, Any]:
    """Of one version after so many runs of two rows."""
    counts = VersionStatistics()
    for _ in range(runs):
        counts.ran([2], [1], StepTimes(1, 10, 100), ended_us=runs * 1000)
    return {"name": "m", "version": "1", **counts.document()}


class Loaded:
    """A version as far as a list of models is concerned."""

    def close(self) -> None:
        pass


def load(path: Path) -> Runner:
    if (path / "broken").exists():
        raise LoadError("broken")
    return Loaded()  # type: ignore[return-value] # nothing is run


@dataclass
class Started:
    """A worker from the moment at which it has loaded the list in force."""

    worker: Worker
    models: Models
    reloader: Reloader
    control: socket.socket
    reports: list[str] = field(default_factory=list)
    left: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        pages = PeerPages(metrics=lambda: "# TYPE n counter\nn{} 2\n", statistics=lambda: [statistics(5)])
        async with self.worker.joined(self.reloader, pages=pages, stop=self.left.set):
            yield

    async def reload(self, config: Any) -> None:
        await asyncio.to_thread(self.reloader.apply, config)

    @property
    def label(self) -> int | None:
        return self.models.labels("m").get("stable")


@dataclass
class Scene:
    """A folder of workers, a model with two versions, and a file that lists it."""

    folder: Path
    stack: ExitStack
    refused: set[int] = field(default_factory=set)
    """Numbers of workers that refuse every list."""

    def __post_init__(self) -> None:
        for number in ("1", "2"):
            (self.folder / "m" / number).mkdir(parents=True)
        self.write(1)
        self.private = self.folder / "private"
        self.private.mkdir()
        self.source = ConfigFile(path=self.folder / "models.config")
        self.list_file = ListFile(self.private)
        self.list_file.put(first_list(self.source))

    def write(self, stable: int) -> None:
        (self.folder / "models.config").write_text(self.text(stable))

    def text(self, stable: int) -> str:
        return (
            f'model_config_list {{ config {{ name: "m" base_path: "{self.folder}/m" model_platform: "tensorflow" '
            f'model_version_policy {{ all {{}} }} version_labels {{ key: "stable" value: {stable} }} }} }}'
        )

    def config(self, stable: int) -> Any:
        return text_format.Parse(self.text(stable), model_server_config_pb2.ModelServerConfig())

    def start(self, number: int) -> Started:
        """A worker that has loaded the list in force; nobody knows of it yet."""
        control, theirs = (self.stack.enter_context(one) for one in socket.socketpair())
        worker = Worker(WorkerContext(folder=self.private, number=number, control=theirs))
        model_list = ModelList(self.source, worker.store.newest())
        models = Models(model_list, load=load, report=lambda _: None)
        models.poll()
        self.stack.callback(models.close)

        def check(_: Sequence[ModelSource]) -> None:
            if number in self.refused:
                raise CannotRun("No log.", got="a", expected="b", fix="c")

        reports: list[str] = []
        reloader = Reloader(models, model_list, store=worker.store, report=reports.append, on_list=check)
        return Started(worker, models, reloader, control, reports)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with ExitStack() as stack:
        yield Scene(tmp_path, stack)


def test_workers_count_together_and_leave_without_their_supervisor(scene: Scene) -> None:
    async def work() -> None:
        async with AsyncExitStack() as stack:
            first, second = [scene.start(number) for number in range(2)]
            for one in (first, second):
                await stack.enter_async_context(one.serving())
            assert await first.worker.merge_metrics("# TYPE n counter\nn{} 3\n") == "# TYPE n counter\nn{} 5\n"
            assert await first.worker.merge_statistics([statistics(3)]) == [statistics(8) | {"last_inference": 5}]
            second.control.close()
            await second.left.wait()
        page = "# TYPE n counter\nn{} 3\n"
        assert await first.worker.merge_metrics(page) == page, "nobody else is there any more"

    asyncio.run(work())


def test_a_reload_reaches_every_worker_those_too_that_are_still_starting(scene: Scene) -> None:
    async def work() -> None:
        first, second, late = [scene.start(number) for number in range(3)]
        async with first.serving(), second.serving():
            await second.reload(scene.config(2))
            assert [one.label for one in (first, second, late)] == [2, 2, 1]
            async with late.serving():
                assert late.label == 2, "it answers only by the newest list"
                assert not (first.reports)
                assert not (late.reports)

    asyncio.run(work())


def test_a_model_is_unloaded_in_every_worker_those_too_that_start_later(scene: Scene) -> None:
    async def work() -> None:
        first, second = scene.start(0), scene.start(1)
        async with first.serving(), second.serving():
            for is_wanted, versions in ((False, ()), (True, (2, 1))):
                await asyncio.to_thread(first.reloader.switch, "m", is_wanted=is_wanted)
                late = scene.start(2)
                assert [one.models.available("m") for one in (first, second, late)] == [versions] * 3
                assert late.label == (1 if is_wanted else None)
            assert (first.label, second.label) == (1, 1)

    asyncio.run(work())


def test_a_worker_that_starts_during_a_reload_waits_for_its_end(scene: Scene) -> None:
    async def work() -> None:
        first, late = scene.start(0), scene.start(1)
        async with first.serving():
            with scene.list_file.exclusive():
                joining = asyncio.create_task(late.serving().__aenter__())
                await asyncio.sleep(0.05)
                assert not joining.done()
                scene.list_file.put(ListInForce(generation=5, sources=sources_of(scene.config(2))))
            await joining
            assert (late.label, first.label) == (2, 2), "the one that put it has died; the others follow"

    asyncio.run(work())


def test_a_hangup_during_a_start_is_answered_once(scene: Scene) -> None:
    async def work() -> None:
        first, late = scene.start(0), scene.start(1)
        async with first.serving():
            await first.reload(scene.config(2))
            scene.list_file.count_hangup()  # by the supervisor; no worker is asked
            async with late.serving():
                assert (first.label, late.label) == (1, 1), "the file is in force again"
                await first.reload(scene.config(2))
                for one in (first, late):  # each has the signal too
                    await asyncio.to_thread(one.reloader.reread)
                assert (first.label, late.label) == (2, 2), "a list that came after the signal stays"
                assert first.reports == late.reports == ["The list of models has been read again."]

    asyncio.run(work())


def test_a_refused_list_leaves_the_accepted_one(scene: Scene) -> None:
    async def work() -> None:
        first = scene.start(0)
        async with first.serving():
            await first.reload(scene.config(2))
            twice = scene.config(1)
            twice.model_config_list.config.append(twice.model_config_list.config[0])
            with pytest.raises(Failure) as caught:
                await first.reload(twice)
            assert caught.value.code is Code.INVALID_ARGUMENT
            scene.refused.add(0)
            with pytest.raises(Failure, match="No log"):
                await first.reload(scene.config(1))
            assert first.label == scene.start(1).label == 2

    asyncio.run(work())


def test_a_label_that_is_refused_is_not_in_the_list_of_a_worker_that_starts_later(scene: Scene) -> None:
    async def work() -> None:
        first = scene.start(0)
        async with first.serving():
            with pytest.raises(Failure) as caught:
                await first.reload(scene.config(9))
            assert caught.value.code is Code.FAILED_PRECONDITION
            assert first.label == scene.start(1).label == 1

    asyncio.run(work())


def test_a_worker_that_cannot_take_a_list_ends_and_a_starting_one_does_not_answer(scene: Scene) -> None:
    async def work() -> None:
        first, second = scene.start(0), scene.start(1)
        scene.refused.add(1)
        async with first.serving(), second.serving():
            with pytest.raises(Failure, match="No log"):
                await first.reload(scene.config(2))
            await second.left.wait()
            assert (first.label, first.left.is_set()) == (2, False)
        late = scene.start(1)
        scene.list_file.put(ListInForce(generation=9, sources=scene.list_file.newest().sources))
        with pytest.raises(CannotRun, match="A worker cannot serve the list of models that is in force"):
            async with late.serving():
                pass

    asyncio.run(work())


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
from serving.workers import supervisor
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
