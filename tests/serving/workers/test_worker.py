"""Requests between workers, over real sockets in one process."""

from __future__ import annotations

import asyncio
import shutil
import socket
from contextlib import AsyncExitStack, ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from serving.models.loading import load_version
from serving.models.model_list import ModelList, SingleModel
from serving.models.reloading import Reloader
from serving.models.versions import Models
from serving.status import Code, Failure
from serving.workers.worker import Worker, WorkerContext

if TYPE_CHECKING:
    from pathlib import Path

    from serving.models.reloading import Reload


class TwoWorkers:
    """Two workers over one model, and the supervisor's ends of their sockets."""

    def __init__(self, folder: Path, repository: Path, stack: ExitStack) -> None:
        self.left = asyncio.Event()
        self.models: list[Models] = []
        self.workers: list[Worker] = []
        self.reloaders: list[Reloader] = []
        self.controls: list[socket.socket] = []
        for number in range(2):
            model_list = ModelList(SingleModel(name="m", base=repository / "m"))
            models = Models(model_list, load=load_version, report=lambda _: None)
            models.poll()
            stack.callback(models.close)
            ours, theirs = (stack.enter_context(one) for one in socket.socketpair())
            worker = Worker(WorkerContext(folder=folder, number=number, control=theirs))
            self.models.append(models)
            self.workers.append(worker)
            self.controls.append(ours)
            self.reloaders.append(
                Reloader(models, model_list, report=lambda _: None, on_reread=worker.discard_client_model_list)
            )

    async def joined(self, stack: AsyncExitStack) -> list[Reload]:
        return [
            await stack.enter_async_context(
                worker.joined(self.reloaders[number], page=lambda: "# TYPE n counter\nn{} 2\n", stop=self.left.set)
            )
            for number, worker in enumerate(self.workers)
        ]


def config(text: str) -> Any:
    return text_format.Parse(f"model_config_list {{ {text} }}", model_server_config_pb2.ModelServerConfig())


def test_workers_reload_and_count_together(tmp_path: Path, models_folder: Path) -> None:
    shutil.copytree(models_folder / "half_plus_two" / "00000123", tmp_path / "m" / "1")
    good = config(f'config {{ name: "n" base_path: "{tmp_path}/m" model_platform: "tensorflow" }}')
    bad = config(f'config {{ name: "b" base_path: "{tmp_path}/none" model_platform: "tensorflow" }}')

    async def work(workers: TwoWorkers) -> None:
        async with AsyncExitStack() as stack:
            reloads = await workers.joined(stack)
            assert await workers.workers[0].merge_metrics("# TYPE n counter\nn{} 3\n") == "# TYPE n counter\nn{} 5\n"
            await reloads[1](good)
            assert [models.names for models in workers.models] == [("n",), ("n",)]
            client_model_list = workers.workers[0].client_model_list()
            assert client_model_list is not None
            assert [one.name for one in client_model_list] == ["n"], "kept for a worker that starts later"
            with pytest.raises(Failure, match=r"1 model\(s\) did not become available") as caught:
                await reloads[0](bad)
            assert caught.value.code is Code.UNKNOWN
            await asyncio.to_thread(workers.reloaders[0].reread)
            assert workers.workers[1].client_model_list() is None, "the list in force is the first again"
            workers.controls[1].close()
            await workers.left.wait()  # without a supervisor a worker leaves
        page = "# TYPE n counter\nn{} 3\n"
        assert await workers.workers[0].merge_metrics(page) == page, "nobody else is there any more"

    with ExitStack() as stack:
        folder = tmp_path / "private"
        folder.mkdir()
        asyncio.run(work(TwoWorkers(folder, tmp_path, stack)))
