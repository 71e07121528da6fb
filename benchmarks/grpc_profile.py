"""CPU time per gRPC response: this server by stage, and gRPC's own servers that return a constant."""

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

from benchmarks.grpc_load_generator import METHOD
from benchmarks.load_generator import Load
from benchmarks.peer_models import ModelRequests, export_models
from benchmarks.response_profile import LoggedCapture, Stage, timed
from benchmarks.results import Cell, Result, Settings, Table
from serving.capture.capture import Capture
from serving.grpc_api import predict
from serving.grpc_api.methods import GrpcDependencies
from serving.grpc_api.server import GrpcServer
from serving.http2.connection_state import ConnectionState
from serving.inference.callers import CallerReader
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
    (ConnectionState, "receive_data", "frames of the call, by h2"),
    (CallerReader, "read", "request id and time"),
    (predict, "read_inputs", "message into tensors"),
    (Runner, "run", RUNNING),
    (predict, "write_response", "tensors into bytes"),
    (Capture, "record", LOGGING),
    (ConnectionState, "send_answer", "frames of the answer"),
)
AIO, THREADED = "gRPC's own server in an event loop, a constant", "gRPC's own server with threads, a constant"


def measure(settings: Settings) -> Result:
    """Measure every server under every load. Cost: two minutes."""
    seconds = 0.5 if settings.quick else 3.0
    sys.setswitchinterval(SWITCH_S)  # as the server does
    with tempfile.TemporaryDirectory() as scratch:
        models = export_models(Path(scratch) / "models")
        tables = [_table(model, Path(scratch), seconds) for model in models]
    return Result(tables=tuple(tables))


def _table(model: ModelRequests, scratch: Path, seconds: float) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for connections in CONNECTIONS:
        with constant_in_event_loop() as port:
            bare = _measure_load(port, model, connections, seconds)
        with constant_with_threads() as port:
            rows.append((connections, THREADED, _measure_load(port, model, connections, seconds)))
        rows.append((connections, AIO, bare))
        log = LoggedCapture(scratch / f"{model.name}-grpc-{connections}")
        with log as capture, product_server(model, capture) as port, timed(STAGES, time.thread_time_ns) as times:
            whole = _measure_load(port, model, connections, seconds)
        responses = len(times[STAGES[-1][2]])
        stages = {stage: sum(times[stage]) / responses / 1e3 for _, _, stage in STAGES}
        rows += [(connections, stage, spent) for stage, spent in stages.items()]
        rows.append((connections, "the rest of this server", whole - sum(stages.values())))
        rows.append((connections, "pitfalls serve, logged", whole))
        rows.append((connections, "requests in a batch", responses / max(1, len(times[RUNNING]))))
    return Table(
        title=f"{model.name}: CPU time per gRPC response",
        columns=("connections", "stage", "µs per response"),
        rows=tuple(rows),
        note=(
            "CPU time per response of all threads of a server, warm-up included; of a stage, that of its thread. "
            "The rest is that of this server without the stages: sockets, calls, batches, counts."
        ),
    )


def _measure_load(port: int, model: ModelRequests, connections: int, seconds: float) -> float:
    """CPU microseconds of this process per response; the load comes from another process."""
    command = [sys.executable, "-m", "benchmarks.grpc_load_generator", str(port), str(connections), str(seconds)]
    before = _cpu_seconds()
    done = subprocess.run(command, input=model.messages, stdout=subprocess.PIPE, check=True)
    used = _cpu_seconds() - before
    load = Load(**json.loads(done.stdout))
    assert not load.failures
    return used / load.with_warm_up * 1e6


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _handler(answer: Any) -> grpc.GenericRpcHandler:
    _, service, name = METHOD.split("/")
    return grpc.method_handlers_generic_handler(service, {name: grpc.unary_unary_rpc_method_handler(answer)})


@contextmanager
def constant_with_threads() -> Iterator[int]:
    """Run gRPC's threaded server; yields its port."""
    server = grpc.server(ThreadPoolExecutor(THREADS))
    server.add_generic_rpc_handlers((_handler(lambda body, _: body[:64]),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port
    finally:
        server.stop(None).wait()


@contextmanager
def in_event_loop(start: Any) -> Iterator[int]:
    """Run ``start``, which returns a port and a function that stops it, in the event loop of a new thread."""
    ready = threading.Event()
    ports: list[int] = []
    ends: list[Any] = []

    async def run() -> None:
        over = asyncio.Event()
        loop = asyncio.get_running_loop()
        ends.append(lambda: loop.call_soon_threadsafe(over.set))
        port, stop = await start()
        ports.append(port)
        ready.set()
        await over.wait()
        await stop()

    thread = threading.Thread(target=lambda: uvloop.run(run()))
    thread.start()
    assert ready.wait(60)
    try:
        yield ports[0]
    finally:
        ends[0]()
        thread.join()


def constant_in_event_loop() -> AbstractContextManager[int]:
    """Run gRPC's server in an event loop; yields its port."""

    async def answer(body: bytes, _: Any) -> bytes:
        return body[:64]

    async def start() -> tuple[int, Any]:
        server = grpc.aio.server()
        server.add_generic_rpc_handlers((_handler(answer),))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        return port, lambda: server.stop(None)

    return in_event_loop(start)


@contextmanager
def product_server(model: ModelRequests, capture: Capture) -> Iterator[int]:
    """Run this project's gRPC server; yields its port."""
    models = Models(ModelList(ModelsFolder(folder=model.saved_model.parents[1])), load=Runner, report=lambda _: None)
    models.poll()
    inference = Inference(capture=capture)

    async def start() -> tuple[int, Any]:
        door = bind_address(Address(port=0))
        port = int(target_of(door).rpartition(":")[2])
        dependencies = GrpcDependencies(models=models, inference=inference, metrics=ServerMetrics())
        server = GrpcServer(door, dependencies)
        await server.start()
        return port, lambda: server.drain(5.0)

    with in_event_loop(start) as port:
        yield port
    inference.close()
    models.close()
