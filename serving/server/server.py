"""Starts a server, and ends it well: what was accepted is answered, what was answered is in the log."""

from __future__ import annotations

import logging
import os
import signal
import sys
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING

import uvloop

from monitoring.errors import BadInput, CannotRun
from serving.capture.model_logging import logging_of
from serving.capture.redacted_names import RedactedNames
from serving.capture.traffic import open_traffic
from serving.inference.inference import Inference
from serving.metrics.metrics import Metrics
from serving.metrics.model_metrics import ModelCounts
from serving.models.loading import load_version
from serving.models.model_list import ModelList, ModelsFolder
from serving.models.reloading import Reloader
from serving.models.versions import Models
from serving.server.gc_tuning import settle
from serving.server.http_app import HttpApp, HttpDependencies
from serving.server.labels_endpoint import LabelsEndpoint
from serving.server.peers import SingleProcess
from serving.server.periodic import repeating
from serving.server.settings import ServerInfo
from serving.server.shutdown import DrainingServer
from serving.transport.limits import raise_open_files
from serving.transport.sockets import take_address, target_of, url_of

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from serving.grpc_api.server import GrpcServer
    from serving.models.reloading import Reload
    from serving.models.runner import Runner
    from serving.server.peers import PeerWorkers
    from serving.server.settings import GrpcListener, ModelRepositorySettings, ServeSettings
    from serving.transport.limits import ConnectionLimiter

    Report = Callable[[str], None]
    Doors = tuple[socket.socket | None, socket.socket | None]

# Python lets a thread keep the interpreter for 5 ms; the model's thread, back from the graph with an answer, would
# wait that long for the event loop.
SWITCH_S = 0.0005


def serve(
    settings: ServeSettings,
    *,
    on_ready: Callable[[ServerInfo], None],
    report: Report,
    prepare: Callable[[], None] = lambda: None,
    company: PeerWorkers | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, then drain and return. A second signal ends the process at once.

    ``on_ready`` is called when the first request can be answered; ``report`` is told, in one sentence each, what an
    operator should know. ``prepare`` is called just before TensorFlow is imported (4 to 10 s), when address and log
    are had. SIGHUP reads the list of models again. ``company`` is given where this process is one of several that
    share the addresses. Must be called in the main thread.

    Raises:
        BadInput: no models where they should be, or a list of them that cannot be used.
        CannotRun: the address or the traffic log cannot be had, or no model can be loaded.
    """
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until there is somebody to answer it
    check_models(settings.shelf)
    others = company or SingleProcess()
    taken, door = take_doors(settings, report, is_shared=others.is_shared)
    log = open_traffic(settings.traffic, report=report)
    with taken or nullcontext(), door or nullcontext(), log as (capture, labels):
        prepare()
        raise_open_files()
        catalogue = ModelList(settings.shelf.origin)
        if (sent := others.sent()) is not None:
            catalogue.replace(sent)
        capture.log_models(logging_of(catalogue()))
        counts = ModelCounts()
        redacted = RedactedNames(None if settings.traffic is None else settings.traffic.redaction, report=report)
        models = load_models(settings.shelf, catalogue, report, on_load=redacted.note, counts=counts)
        redacted.check(is_everything=models.is_ready)
        limits = settings.limits
        inference = Inference(capture=capture, batches=limits.batches, timeout_s=limits.timeout_s, counts=counts)
        rooms = HttpDependencies(
            models=models,
            inference=inference,
            capture=capture,
            desk=LabelsEndpoint(writer=labels, token=settings.token),
            metrics=Metrics(counts),
            gather=others.gather,
        )
        reloader = Reloader(
            models,
            catalogue,
            report=report,
            may_label_unavailable=settings.shelf.may_label_unavailable,
            on_reread=others.forget,
            on_list=lambda sources: capture.log_models(logging_of(sources)),
        )
        sys.setswitchinterval(SWITCH_S)
        answering = {name: models.available(name) for name in models.names}
        tell = partial(on_ready, ready_of((taken, door), answering))
        _run(settings, (taken, door), rooms, reloader, others, tell)
        inference.close()
    models.close()
    report("Stopped: everything accepted was answered.")


def check_models(shelf: ModelRepositorySettings) -> None:
    """Look whether there is something to serve, before anything slow. Raises `BadInput`."""
    if shelf.origin.read() or not isinstance(shelf.origin, ModelsFolder):
        return
    raise BadInput(
        "There is no model to serve.",
        got=f"{shelf.origin.folder} without a NAME/VERSION folder",
        expected="NAME/1/saved_model.pb, for example",
        fix="Export a model first: pitfalls export … --models DIR",
    )


def take_doors(settings: ServeSettings, report: Report, *, is_shared: bool) -> Doors:
    """The sockets of REST and of gRPC, bound and not listening. Raises `CannotRun`."""
    taken = None if settings.address is None else take_address(settings.address, is_shared=is_shared)
    try:
        return taken, _take_grpc(settings.grpc, report, is_shared=is_shared)
    except CannotRun:
        if taken is not None:
            taken.close()
        raise


def load_models(
    shelf: ModelRepositorySettings,
    catalogue: ModelList,
    report: Report,
    *,
    on_load: Callable[[Path, Runner], None] = lambda *_: None,
    counts: ModelCounts | None = None,
) -> Models:
    """Every model's first version, loaded. Raises `CannotRun` if there are models and none of them can be.

    ``on_load`` is told of every version that is loaded, then and later, before it answers.
    """
    settle()
    # TensorFlow's Python side calls the session road deprecated, once, on every start.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)

    def load(path: Path) -> Runner:
        runner = load_version(path, shelf.loading, counts=counts)
        on_load(path, runner)
        return runner

    models = Models(
        catalogue,
        load=load,
        report=report,
        rules=shelf.rules,
    )
    models.poll()
    if models.names and not any(models.available(name) for name in models.names):
        reasons = [reason for name in models.names for reason in _reasons(models, name)]
        raise CannotRun(
            "No model can be loaded.",
            got="; ".join(reasons),
            expected="a SavedModel in at least one version folder of a model",
            fix="Export the model again, or mend the path.",
        )
    return models


def _run(
    settings: ServeSettings,
    doors: Doors,
    rooms: HttpDependencies,
    reloader: Reloader,
    company: PeerWorkers,
    on_started: Callable[[], None],
) -> None:
    """Answer until a signal comes, and until what was accepted then is answered."""
    shelf, limits = settings.shelf, settings.limits
    taken, door = doors

    async def run(on_hangup: Callable[[], None]) -> None:
        app = HttpApp(rooms, limits.rest)
        server = DrainingServer(app, limits.drain_s, on_started, on_hangup=on_hangup)
        async with company.working(reloader, page=rooms.metrics_page, leave=server.leave) as reload:
            beside = None
            if door is not None and settings.grpc is not None:
                beside = _grpc_server(door, settings.grpc, rooms, reload, crowd=app.crowd, is_shared=company.is_shared)
            await server.run_until_told(taken, beside)

    with (
        repeating("versions", reloader.look, every_s=shelf.poll_s),
        repeating("model-list", reloader.reread_if_changed, every_s=shelf.config_poll_s),
        repeating("hangup", reloader.reread, every_s=0) as reread,
    ):
        uvloop.run(run(reread))


def ready_of(doors: Doors, models: Mapping[str, tuple[int, ...]]) -> ServerInfo:
    """What is said of a server at these doors when it answers."""
    taken, door = doors
    return ServerInfo(
        url=None if taken is None else url_of(taken),
        grpc=None if door is None else target_of(door),
        models=models,
        pid=os.getpid(),
    )


def _reasons(models: Models, name: str) -> list[str]:
    source = models.source(name)
    if source is not None and not models.knows_versions(name):
        return [f"{name}: no version in {source.base}"]
    return [f"{name}/{one.number}: {one.message}" for one in models.statuses(name)]


def _take_grpc(door: GrpcListener | None, report: Report, *, is_shared: bool) -> socket.socket | None:
    if door is None:
        return None
    try:
        return take_address(door.address, is_shared=is_shared)
    except CannotRun:
        if door.needed:
            raise
        report(f"No gRPC: port {door.address.port} cannot be had. To have it elsewhere, pass {door.address.flag}.")
        return None


def _grpc_server(
    taken: socket.socket,
    door: GrpcListener,
    rooms: HttpDependencies,
    reload: Reload,
    *,
    crowd: ConnectionLimiter,
    is_shared: bool,
) -> GrpcServer:
    from serving.grpc_api.methods import GrpcDependencies  # noqa: PLC0415 - whoever wants no gRPC need not load it
    from serving.grpc_api.server import GrpcServer  # noqa: PLC0415 - as above

    stands_on = GrpcDependencies(
        models=rooms.models, inference=rooms.inference, metrics=rooms.metrics, reload=reload, crowd=crowd
    )
    return GrpcServer(taken, stands_on, door.settings, is_shared=is_shared)
