"""Starts a server, and ends it well: what was accepted is answered, what was answered is in the log."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast, final

import uvicorn
import uvloop

from monitoring.errors import BadInput, CannotRun
from serving.address import Address, take_address, target_of, url_of
from serving.batching import BatchSettings
from serving.inference import Inference
from serving.rest.app import RestApp, RestSettings, Rooms
from serving.rest.protocol import RestProtocol
from serving.runner import Runner
from serving.traffic import TrafficSettings, open_traffic
from serving.versions import Models, discover
from serving.warmup import warm_up

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator, Mapping

    from serving.grpc_api.server import GrpcServer

# Python lets a thread keep the interpreter for 5 ms; the model's thread, back from the graph with an answer, would
# wait that long for the event loop.
SWITCH_S = 0.0005
SIGNALS = (signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """Where the models are and how often the shelf is looked at."""

    folder: Path
    """Holds NAME/VERSION folders."""
    labels: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """By model: what else its versions are called."""
    poll_s: float = 1.0
    """Seconds between two looks; 0 looks only at the start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long and how much."""

    timeout_s: float | None = 30.0
    """A request's deadline; None for none."""
    drain_s: float = 30.0
    """How long a server that was told to stop goes on answering what it accepted."""
    batches: BatchSettings = field(default_factory=BatchSettings)
    rest: RestSettings = field(default_factory=RestSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class GrpcDoor:
    """Where gRPC clients come in."""

    address: Address
    needed: bool = True
    """Whether the server refuses to start without it. If not, a port in use is reported, and REST serves alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeSettings:
    """Everything a server needs to know."""

    shelf: Shelf
    address: Address = field(default_factory=Address)
    grpc: GrpcDoor | None = None
    """None serves REST alone."""
    traffic: TrafficSettings | None = None
    """None logs nothing."""
    token: str | None = field(default=None, repr=False)
    """Opens ``POST /monitor/labels``; None keeps it shut."""
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A server that answers now."""

    url: str
    grpc: str | None
    """HOST:PORT for gRPC clients; None if there is no such door."""
    models: Mapping[str, tuple[int, ...]]
    """Every model, and its versions that answer, newest first."""
    pid: int


def serve(
    settings: ServeSettings,
    *,
    on_ready: Callable[[Ready], None],
    report: Callable[[str], None],
    prepare: Callable[[], None] = lambda: None,
) -> None:
    """Serve until SIGTERM or SIGINT, then drain and return. A second signal ends the process at once.

    ``on_ready`` is called when the first request can be answered; ``report`` is told, in one sentence each, what an
    operator should know. ``prepare`` is called just before TensorFlow is imported (4 to 10 s), when address and log
    are had. Must be called in the main thread.

    Raises:
        BadInput: no models where they should be.
        CannotRun: the address or the traffic log cannot be had, or no model can be loaded.
    """
    if not discover(settings.shelf.folder):
        raise BadInput(
            "There is no model to serve.",
            got=f"{settings.shelf.folder} without a NAME/VERSION folder",
            expected="NAME/1/saved_model.pb, for example",
            fix="Export a model first: pitfalls export … --models DIR",
        )
    taken, door = take_address(settings.address), _take_grpc(settings.grpc, report)
    with (
        taken,
        door or nullcontext(),
        open_traffic(settings.traffic, token=settings.token, report=report) as (capture, desk),
    ):
        prepare()
        models = _models(settings.shelf, report)
        limits = settings.limits
        inference = Inference(capture=capture, batches=limits.batches, timeout_s=limits.timeout_s)
        rooms = Rooms(models=models, inference=inference, capture=capture, desk=desk)
        ready = _ready(taken, door, models)
        server = DrainingServer(RestApp(rooms, limits.rest), limits.drain_s, lambda: on_ready(ready))
        sys.setswitchinterval(SWITCH_S)
        with _polling(models, settings.shelf.poll_s, report):
            uvloop.run(server.run_until_told(taken, None if door is None else _grpc_server(door, rooms)))
        inference.close()
    models.close()
    report("Stopped: everything accepted was answered.")


@final
class DrainingServer(uvicorn.Server):
    """uvicorn, with signals of our own: its own would raise them again when it has stopped, and so never exit 0."""

    def __init__(self, app: RestApp, drain_s: float, on_started: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app.answer,
                # uvicorn calls whatever it is given with what a protocol needs, though it asks for a class.
                http=cast("type[asyncio.Protocol]", partial(RestProtocol, app)),
                interface="asgi3",
                ws="none",
                lifespan="off",
                proxy_headers=False,
                log_config=None,
                access_log=False,
                server_header=False,
                date_header=False,
                timeout_graceful_shutdown=max(1, round(drain_s)),
            )
        )
        self._app = app
        self._drain_s = drain_s
        self._on_started = on_started
        self._leaving = asyncio.Event()

    async def run_until_told(self, taken: socket.socket, beside: GrpcServer | None = None) -> None:
        """Serve on the socket until a signal comes, then until the accepted requests are answered."""
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self._told, number)
        await self.serve_both(taken, beside)

    async def serve_both(self, taken: socket.socket, beside: GrpcServer | None) -> None:
        """Serve on the socket, and gRPC beside it if there is a server for it; both begin and end together."""
        if beside is None:
            await self.serve(sockets=[taken])
            return
        await beside.start()
        draining = asyncio.create_task(self._drain(beside))
        try:
            await self.serve(sockets=[taken])
        finally:
            self._leaving.set()
            await draining

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to `run_until_told`."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say so."""
        await super().startup(sockets=sockets)
        self._on_started()

    async def _drain(self, beside: GrpcServer) -> None:
        await self._leaving.wait()
        await beside.drain(self._drain_s)

    def _told(self, number: int) -> None:
        if self.should_exit:
            os._exit(128 + number)
        self._app.drain()
        self.should_exit = True
        self._leaving.set()
        # Draining is bounded by uvicorn; what comes after it (the last batch, the log's conversion) is bounded here.
        watchdog = threading.Timer(self._drain_s + 60.0, os._exit, (CannotRun.exit_code,))
        watchdog.daemon = True
        watchdog.start()


def _ready(taken: socket.socket, door: socket.socket | None, models: Models) -> Ready:
    return Ready(
        url=url_of(taken),
        grpc=None if door is None else target_of(door),
        models={name: models.available(name) for name in models.names},
        pid=os.getpid(),
    )


def _take_grpc(door: GrpcDoor | None, report: Callable[[str], None]) -> socket.socket | None:
    if door is None:
        return None
    try:
        return take_address(door.address)
    except CannotRun:
        if door.needed:
            raise
        report(f"No gRPC: port {door.address.port} cannot be had. To have it elsewhere, pass {door.address.flag}.")
        return None


def _grpc_server(door: socket.socket, rooms: Rooms) -> GrpcServer:
    from serving.grpc_api.methods import GrpcRooms  # noqa: PLC0415 - whoever wants no gRPC need not load it
    from serving.grpc_api.server import GrpcServer  # noqa: PLC0415 - as above

    return GrpcServer(door, GrpcRooms(models=rooms.models, inference=rooms.inference, metrics=rooms.metrics))


def _models(shelf: Shelf, report: Callable[[str], None]) -> Models:
    """Every model's first version, loaded."""
    # TensorFlow's Python side calls the session road deprecated, once, on every start.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    models = Models(lambda: discover(shelf.folder, shelf.labels), load=load_version, report=report)
    models.poll()
    if not any(models.available(name) for name in models.names):
        reasons = [f"{name}/{one.number}: {one.message}" for name in models.names for one in models.statuses(name)]
        raise CannotRun(
            "No model can be loaded.",
            got="; ".join(reasons),
            expected="a SavedModel in at least one NAME/VERSION folder",
            fix="Export the model again.",
        )
    return models


def load_version(path: Path) -> Runner:
    """A version's runner, warmed up. Raises `LoadFailed`."""
    runner = Runner(path)
    warm = False
    try:
        warm_up(runner, path)
        warm = True
    finally:
        if not warm:
            runner.close()
    return runner


@contextmanager
def _polling(models: Models, every_s: float, report: Callable[[str], None]) -> Iterator[None]:
    """Look at the shelf in a thread, until the block ends."""
    stop = threading.Event()

    def keep_looking() -> None:
        while not stop.wait(every_s):
            try:
                models.poll()
            except (OSError, BadInput) as error:
                report(f"The models folder cannot be read; what is loaded goes on answering: {error}")

    looking = threading.Thread(target=keep_looking, name="versions", daemon=True)
    if every_s > 0:
        looking.start()
    try:
        yield
    finally:
        stop.set()
        if looking.is_alive():
            looking.join()
