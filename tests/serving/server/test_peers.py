"""A single process has no peers: it reloads itself, and its metrics are its own."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest
from tensorflow_serving.config import model_server_config_pb2

from serving.models.model_list import ModelList, SingleModel
from serving.models.reloading import Reloader
from serving.models.versions import Models
from serving.server.peers import SingleProcess
from serving.status import Code, Failure

if TYPE_CHECKING:
    from pathlib import Path

    from serving.models.runner import Runner


def unused(*_: object) -> Any:
    raise AssertionError


def test_nothing_is_shared_or_kept() -> None:
    alone = SingleProcess()
    assert (alone.is_shared, alone.merge_metrics, alone.client_model_list()) == (False, None, None)
    alone.discard_client_model_list()


def test_a_reload_is_applied_in_another_thread_and_its_failure_is_raised(tmp_path: Path) -> None:
    threads: list[threading.Thread] = []

    def load(_: Path) -> Runner:
        raise AssertionError

    model_list = ModelList(SingleModel(name="m", base=tmp_path / "m"))
    models = Models(model_list, load=load, report=unused)
    models.poll()
    reloader = Reloader(models, model_list, report=unused, on_list=lambda _: threads.append(threading.current_thread()))

    async def scene() -> None:
        async with SingleProcess().joined(reloader, page=unused, stop=unused) as reload:
            await reload(model_server_config_pb2.ModelServerConfig())
            assert models.names == ()
            broken = model_server_config_pb2.ModelServerConfig()
            broken.model_config_list.config.add(name="z", base_path="relative")
            with pytest.raises(Failure) as caught:
                await reload(broken)
            assert caught.value.code is Code.INVALID_ARGUMENT

    asyncio.run(scene())
    (thread,) = threads
    assert thread is not threading.main_thread()
