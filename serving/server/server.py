"""Starts a server and ends it: what was accepted is answered, and what was answered is in the traffic log."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
import threading
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import uvloop

from monitoring.errors import BadInput, CannotRun
from monitoring.tracing import exporting
from monitoring.traffic.remote.urls import shown_url
from serving.access.audit_log import AuditLog
from serving.access.guard import Guard
from serving.capture.model_logging import logging_by_model
from serving.capture.redacted_names import RedactedNames
from serving.capture.traffic_log import open_traffic_log
from serving.grpc_api.methods import GrpcDependencies
from serving.inference.inference import Inference
from serving.inference_v2.model_control import ModelControl
from serving.metrics.metrics import ServerMetrics
from serving.metrics.model_metrics import ModelCounts
from serving.models.foreign_formats import advice_for
from serving.models.gpus import check_gpus
from serving.models.lean_import import lean_imports
from serving.models.loading import load_version
from serving.models.model_cache import ModelCache
from serving.models.model_list import ModelList, ModelsFolder, ModelsUrl, first_list
from serving.models.op_libraries import load_op_libraries
from serving.models.reloading import Reloader
from serving.models.runner import ANY_OPERATION
from serving.models.versions import Models
from serving.server.body_reading import reading_bodies
from serving.server.confined import confining
from serving.server.http_app import HttpApp, HttpDependencies
from serving.server.labels_endpoint import LabelsEndpoint
from serving.server.listeners import bind_listeners
from serving.server.peers import PeerPages, SingleProcess
from serving.server.shutdown import DrainingServer, hangups_held
from serving.split.file_watch import SplitFile
from serving.transport.limits import raise_open_file_limit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from serving.capture.capture import Capture
    from serving.grpc_api.server import GrpcServer
    from serving.models.list_in_force import ListInForce
    from serving.models.reloading import Reload
    from serving.models.runner import Runner
    from serving.models.version_folders import ModelSource
    from serving.server.listeners import Listeners
    from serving.server.peers import PeerWorkers
    from serving.server.settings import AccessSettings, ModelRepositorySettings, ServerInfo, ServeSettings

    Report = Callable[[str], None]


@contextmanager
def repeating(name: str, work: Callable[[], None], *, every_s: float) -> Iterator[Callable[[], None]]:
    """Run ``work`` every ``every_s`` seconds until the block ends.

    Args:
        every_s: The interval in seconds; 0 runs ``work`` on demand only.

    Yields:
        A function that runs ``work`` at once, in the thread. Calls during a run cause one further run together.
    """
    wanted = threading.Event()
    is_over = False

    def repeat() -> None:
        while True:
            wanted.wait(every_s if every_s > 0 else None)
            if is_over:
                return
            wanted.clear()
            work()

    thread = threading.Thread(target=repeat, name=name, daemon=True)
    thread.start()
    try:
        yield wanted.set
    finally:
        is_over = True
        wanted.set()
        thread.join()


#: Allocations less deallocations before the youngest generation is collected. Python's default of 700 is two requests.
YOUNG_OBJECTS = 50_000


# A request of a few hundred numbers is as many new lists, and Python visits all tracked objects once enough of them
# were allocated. With TensorFlow imported that is a million objects and a pause of half a second.
def tune_gc() -> None:
    """Freeze the objects that are alive, and collect less often.

    To be called before the first model is loaded, so that an unloaded model gives its memory back. Imports TensorFlow,
    whose objects are most of the frozen ones: 3 to 10 s if it is not imported yet.
    """
    with lean_imports():
        import tensorflow as tf  # noqa: PLC0415 - seconds

    del tf
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, *gc.get_threshold()[1:])


# Python lets a thread keep the interpreter for 5 ms; the model's thread, back from the graph with its outputs, would
# wait that long for the event loop.
SWITCH_S = 0.0005

#: Seconds between two looks at the file that says how requests are split.
SPLIT_POLL_S = 1.0
UNCHECKED = (
    "WARNING: --allow-any-op: no graph is checked. Every model, and whoever may place one where this server finds it, "
    "can read and write files, reach the network and run code, as this user."
)


def serve(
    settings: ServeSettings,
    *,
    on_ready: Callable[[ServerInfo], None],
    report: Report,
    prepare: Callable[[], None] = lambda: None,
    peers: PeerWorkers | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, then drain and return. A second signal ends the process at once.

    SIGHUP reads the list of models again. Must be called in the main thread.

    Args:
        prepare: Called just before TensorFlow is imported (4 to 10 s), when sockets and log are open.
        peers: The other processes at these addresses; None if there are none.

    Raises:
        BadInput: There is no model, or the list of models cannot be used.
        CannotRun: An address cannot be bound, the traffic log cannot be written, or no model can be loaded.
    """
    with hangups_held(), confining(settings, report) as confined, reading_bodies(confined.support) as bodies:
        settings = confined.settings
        others = peers or SingleProcess(read_first_list(settings.repository))
        listeners = bind_listeners(settings, report, is_shared=others.is_shared)
        confined.begin(others)
        log = open_traffic_log(settings.traffic, report=report)
        with listeners, exporting("pitfalls-serve", report), log as (capture, label_writer):
            settings.repository.loading.gpus.claim(others.number)
            with lean_imports():
                prepare()
            confined.complete()
            raise_open_file_limit()
            guard = make_guard(settings.access, report)
            labels_endpoint = LabelsEndpoint(writer=label_writer, guard=guard)
            dependencies, reloader = _load(settings, capture, labels_endpoint, others, report)
            dependencies = replace(dependencies, bodies=bodies)
            models = dependencies.models
            sys.setswitchinterval(SWITCH_S)
            info = listeners.info({})  # gRPC closes its socket when it starts

            def started() -> None:
                on_ready(replace(info, models={name: models.available(name) for name in models.names}))

            with _split_by(settings.repository.split_file, models, report):
                _run(settings, listeners, dependencies, reloader, others, started)
            dependencies.inference.close()
        models.close()
        report("Stopped: everything accepted was answered.")


@contextmanager
def _split_by(file: Path | None, models: Models, report: Report) -> Iterator[None]:
    """Split requests between versions as a file says, which is followed until the block ends."""
    if file is None:
        yield
        return
    followed = SplitFile(file, models, report)
    followed.poll()
    with repeating("split", followed.poll, every_s=SPLIT_POLL_S):
        yield


def _load(
    settings: ServeSettings, capture: Capture, labels_endpoint: LabelsEndpoint, peers: PeerWorkers, report: Report
) -> tuple[HttpDependencies, Reloader]:
    """Load the models, and make what answers requests and what reloads."""
    repository, limits = settings.repository, settings.limits
    model_list = ModelList(repository.source, peers.store.newest())
    capture.log_models(logging_by_model(model_list()))
    counts = ModelCounts()
    redacted = RedactedNames(None if settings.traffic is None else settings.traffic.redaction, report=report)
    models = load_models(repository, model_list, report, on_load=redacted.note, counts=counts)
    redacted.check(is_everything=models.is_ready)
    reloader = Reloader(
        models,
        model_list,
        store=peers.store,
        report=report,
        may_label_unavailable=repository.may_label_unavailable,
        on_list=lambda sources: capture.log_models(logging_by_model(sources)),
    )

    async def switch(name: str, *, is_wanted: bool) -> None:
        await asyncio.to_thread(reloader.switch, name, is_wanted=is_wanted)

    may_reload = settings.access.reload is not None
    dependencies = HttpDependencies(
        models=models,
        inference=Inference(
            capture=capture,
            batches=limits.batches,
            timeout_s=limits.timeout_s,
            counts=counts,
            limiter=limits.http.limiter(),
        ),
        capture=capture,
        labels_endpoint=replace(labels_endpoint, outputs=models.labelled_outputs),
        metrics=ServerMetrics(counts),
        control=ModelControl(switch=switch, is_allowed=may_reload, guard=labels_endpoint.guard),
        event_times=limits.event_times,
        merge_metrics=peers.merge_metrics,
        merge_statistics=peers.merge_statistics,
    )
    return dependencies, reloader


def make_guard(access: AccessSettings, report: Report) -> Guard:
    """Make what checks the tokens of a server's clients."""
    guard = Guard(access.tokens, file=access.token_file, required=access.required, report=report)
    if access.audit_log is not None:
        guard.audit = AuditLog(access.audit_log, report=report)
    return guard


def read_first_list(repository: ModelRepositorySettings) -> ListInForce:
    """Read the list of models with which the server starts, before anything slow is loaded."""
    source = repository.source
    if source.read() or repository.waits_for_models or not isinstance(source, ModelsFolder | ModelsUrl):
        return first_list(source)
    place = shown_url(source.url) if isinstance(source, ModelsUrl) else source.folder
    advice = "" if isinstance(source, ModelsUrl) else advice_for(source.folder)
    raise BadInput(
        "There is no model to serve.",
        got=f"{place} without a NAME/VERSION folder",
        expected="NAME/1/saved_model.pb, for example",
        fix=advice or "Export a model first: pitfalls export … --models DIR",
    )


def load_models(
    repository: ModelRepositorySettings,
    model_list: ModelList,
    report: Report,
    *,
    on_load: Callable[[Path, Runner], None] = lambda *_: None,
    counts: ModelCounts | None = None,
) -> Models:
    """Load the first version of every model."""
    if ANY_OPERATION in repository.loading.allowed_operations:
        report(UNCHECKED)
    load_op_libraries(repository.loading.op_libraries)
    check_gpus(repository.loading.gpus)
    tune_gc()
    # TensorFlow's Python side warns once, on every start, that sessions are deprecated.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)

    def load(path: Path) -> Runner:
        runner = load_version(path, repository.loading, counts=counts)
        on_load(path, runner)
        return runner

    models = Models(_on_disk(repository, model_list, report), load=load, report=report, settings=repository.versions)
    models.poll()
    missing = [name for name in models.names if not models.available(name)]
    is_broken = any(models.has_versions(name) for name in missing)
    if missing and len(missing) == len(models.names) and (is_broken or not repository.waits_for_models):
        raise CannotRun(
            "No model can be loaded.",
            got="; ".join(reason for name in missing for reason in _reasons(models, name)),
            expected="a SavedModel in at least one version folder of a model",
            fix="Export the model again, or correct the path.",
        )
    for name in missing:
        if not models.has_versions(name):
            report(f"Waiting for {_reasons(models, name)[0]}.")
    if not models.names and model_list.is_live:
        report(f"Waiting for models in {model_list.place}: there is none yet.")
    return models


def _on_disk(
    repository: ModelRepositorySettings, model_list: ModelList, report: Report
) -> Callable[[], Sequence[ModelSource]]:
    """What gives the models to serve, with those at URLs copied to this machine."""
    if repository.cache is None:
        return model_list
    local = repository.local or ModelCache(repository.cache, report=report).local
    return lambda: [local(source) for source in model_list()]


def _run(
    settings: ServeSettings,
    listeners: Listeners,
    dependencies: HttpDependencies,
    reloader: Reloader,
    peers: PeerWorkers,
    on_started: Callable[[], None],
) -> None:
    """Answer requests until a signal comes and the requests that were accepted before it are answered."""
    repository, limits = settings.repository, settings.limits

    async def reload(config: Any) -> None:
        await asyncio.to_thread(reloader.apply, config)

    async def run(on_hangup: Callable[[], None]) -> None:
        app = HttpApp(dependencies, limits.http)
        server = DrainingServer(app, limits.drain_s, on_started, on_hangup=on_hangup, tls=settings.tls)
        pages = PeerPages(metrics=dependencies.metrics_page, statistics=dependencies.statistics)
        async with peers.joined(reloader, pages=pages, stop=server.stop):
            grpc_server = _grpc_server(settings, listeners, dependencies, reload)
            await server.run_until_signal(listeners.http, grpc_server)

    with (
        repeating("versions", reloader.poll, every_s=repository.poll_s),
        repeating("model-list", reloader.reread_if_changed, every_s=repository.config_poll_s),
        repeating("hangup", reloader.reread, every_s=0) as reread,
    ):
        uvloop.run(run(reread))


def _reasons(models: Models, name: str) -> list[str]:
    source = models.source(name)
    if source is not None and not models.has_versions(name):
        return [f"{name}: no version in {source.place}. {'' if source.url else advice_for(source.base)}".rstrip(". ")]
    return [f"{name}/{status.number}: {status.message}" for status in models.statuses(name)]


def _grpc_server(
    settings: ServeSettings, listeners: Listeners, dependencies: HttpDependencies, reload: Reload
) -> GrpcServer | None:
    """The gRPC server, not started yet; None if gRPC has no socket."""
    if listeners.grpc is None or settings.grpc is None:
        return None
    from serving.grpc_api.server import GrpcServer  # noqa: PLC0415 - as above

    grpc_dependencies = GrpcDependencies(
        models=dependencies.models,
        inference=dependencies.inference,
        metrics=dependencies.metrics,
        reload=reload,
        reload_policy=settings.access.reload,
        control=dependencies.control,
        guard=dependencies.labels_endpoint.guard,
        event_times=dependencies.event_times,
        merge_statistics=dependencies.merge_statistics,
    )
    return GrpcServer(listeners.grpc, grpc_dependencies, settings.grpc.settings, unix=listeners.grpc_unix)
