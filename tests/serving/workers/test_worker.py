"""Requests between workers, over real sockets in one process."""

from __future__ import annotations

import asyncio
import socket
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf import text_format
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
