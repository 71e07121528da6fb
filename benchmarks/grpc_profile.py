"""Where the processor time of one gRPC answer goes: ours in stages, beside gRPC's own servers with a constant."""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import grpc
import uvloop

from benchmarks.answer_profile import Stage, TrafficLogged, timed
from benchmarks.grpc_load_generator import METHOD
from benchmarks.load_generator import Load
from benchmarks.peer_models import Asked, exported
from benchmarks.results import Cell, Result, Settings, Table
from serving.capture.capture import Capture
from serving.grpc_api import call_handler, predict
from serving.grpc_api.methods import GrpcDependencies
from serving.grpc_api.server import GrpcServer
from serving.inference.inference import Inference
from serving.metrics.metrics import ServerMetrics
from serving.models.model_list import ModelList, ModelsFolder
from serving.models.runner import Runner
from serving.models.versions import Models
from serving.server.server import SWITCH_S
from serving.transport.sockets import Address, bind_address, target_of

CONNECTIONS = (1, 16, 64)
THREADS = 64
RUNNING, LOGGING = "the model, by a session callable", "log: record and write"
STAGES: tuple[Stage, ...] = (
    (call_handler, "read_message", "bytes into a message"),
    (call_handler, "read_caller", "who calls: id, time"),
    (predict, "read_inputs", "message into tensors"),
    (Runner, "run", RUNNING),
    (predict, "write_response", "tensors into bytes"),
    (Capture, "record", LOGGING),
)
AIO, THREADED = "gRPC's own server in an event loop, a constant", "gRPC's own server with threads, a constant"


def measure(settings: Settings) -> Result:
    """Every server under every load. Cost: two minutes."""
    seconds = 0.5 if settings.quick else 3.0
    sys.setswitchinterval(SWITCH_S)  # as the server does
    with tempfile.TemporaryDirectory() as scratch:
        models = exported(Path(scratch) / "models")
        tables = [_table(model, Path(scratch), seconds) for model in models]
    return Result(tables=tuple(tables))


def _table(model: Asked, scratch: Path, seconds: float) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for connections in CONNECTIONS:
        with constant_in_a_loop() as port:
            bare = _loaded(port, model, connections, seconds)
        with constant_with_threads() as port:
            rows.append((connections, THREADED, _loaded(port, model, connections, seconds)))
        rows.append((connections, AIO, bare))
        log = TrafficLogged(scratch / f"{model.name}-grpc-{connections}")
        with log as capture, ours(model, capture) as port, timed(STAGES, time.thread_time_ns) as times:
            whole = _loaded(port, model, connections, seconds)
        answers = len(times[STAGES[0][2]])
        stages = {stage: sum(times[stage]) / answers / 1e3 for _, _, stage in STAGES}
        rows += [(connections, stage, spent) for stage, spent in stages.items()]
        rows.append((connections, "the rest of ours: tasks, batching, counting", whole - bare - sum(stages.values())))
        rows.append((connections, "pitfalls serve, logged", whole))
        rows.append((connections, "requests in a batch", answers / max(1, len(times[RUNNING]))))
    return Table(
        title=f"{model.name}: where a gRPC answer's processor time goes",
        columns=("connections", "stage", "µs an answer"),
        rows=tuple(rows),
        note=(
            "Processor time of all of a server's threads, warm-up included, an answer; of a stage, that of its thread. "
            "The rest is what remains of ours without the stages and the server in an event loop."
        ),
    )


def _loaded(port: int, model: Asked, connections: int, seconds: float) -> float:
    """Microseconds of this process's processor time an answer; the load comes from another."""
    command = [sys.executable, "-m", "benchmarks.grpc_load_generator", str(port), str(connections), str(seconds)]
    before = _used()
    done = subprocess.run(command, input=model.messages, stdout=subprocess.PIPE, check=True)
    used = _used() - before
    load = Load(**json.loads(done.stdout))
    assert not load.failures
    return used / load.with_warm_up * 1e6


def _used() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _answering(answer: Any) -> grpc.GenericRpcHandler:
    _, service, name = METHOD.split("/")
    return grpc.method_handlers_generic_handler(service, {name: grpc.unary_unary_rpc_method_handler(answer)})


@contextmanager
def constant_with_threads() -> Iterator[int]:
    """The threaded server of gRPC; gives its port."""
    server = grpc.server(ThreadPoolExecutor(THREADS))
    server.add_generic_rpc_handlers((_answering(lambda body, _: body[:64]),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port
    finally:
        server.stop(None).wait()


@contextmanager
def in_a_loop(start: Any) -> Iterator[int]:
    """Runs ``start``, which gives a port and what ends it, in an event loop of its own thread."""
    ready = threading.Event()
    found: list[int] = []
    ends: list[Any] = []

    async def run() -> None:
        over = asyncio.Event()
        loop = asyncio.get_running_loop()
        ends.append(lambda: loop.call_soon_threadsafe(over.set))
        port, stop = await start()
        found.append(port)
        ready.set()
        await over.wait()
        await stop()

    thread = threading.Thread(target=lambda: uvloop.run(run()))
    thread.start()
    assert ready.wait(60)
    try:
        yield found[0]
    finally:
        ends[0]()
        thread.join()


def constant_in_a_loop() -> AbstractContextManager[int]:
    """The server of gRPC in an event loop; gives its port."""

    async def answer(body: bytes, _: Any) -> bytes:
        return body[:64]

    async def start() -> tuple[int, Any]:
        server = grpc.aio.server()
        server.add_generic_rpc_handlers((_answering(answer),))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        return port, lambda: server.stop(None)

    return in_a_loop(start)


@contextmanager
def ours(model: Asked, capture: Capture) -> Iterator[int]:
    """This server's gRPC; gives its port."""
    models = Models(ModelList(ModelsFolder(folder=model.saved_model.parents[1])), load=Runner, report=lambda _: None)
    models.poll()
    inference = Inference(capture=capture)

    async def start() -> tuple[int, Any]:
        door = bind_address(Address(port=0))
        port = int(target_of(door).rpartition(":")[2])
        server = GrpcServer(door, GrpcDependencies(models=models, inference=inference, metrics=ServerMetrics()))
        await server.start()
        return port, lambda: server.drain(5.0)

    with in_a_loop(start) as port:
        yield port
    inference.close()
    models.close()
