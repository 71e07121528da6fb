"""Serves in several processes at the same addresses; the kernel spreads connections over them (``SO_REUSEPORT``)."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from monitoring.errors import BadInput
from serving.capture.model_logging import logging_by_model
from serving.capture.traffic_log import convert_leftovers
from serving.models.model_list import ModelList
from serving.server.listeners import Listeners, bind_first_listeners
from serving.server.server import read_first_list
from serving.server.settings import ServerInfo, ServeSettings
from serving.transport.sockets import port_of
from serving.workers.list_file import ListFile
from serving.workers.supervisor import Supervisor


def serve_workers(
    settings: ServeSettings,
    count: int,
    *,
    on_ready: Callable[[ServerInfo], None],
    report: Callable[[str], None],
    prepare: Callable[[], None] = lambda: None,
) -> None:
    """As `serving.server.server.serve`, in several processes. Call it before the process has any thread.

    A worker that dies is replaced (see `WorkerHandle.schedule_restart`). The open segments of its traffic log are
    converted by its successor, or here when all have ended.
    """
    first = read_first_list(settings.repository)
    with ExitStack() as stack:
        listeners = stack.enter_context(bind_first_listeners(settings, report))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pitfalls-")))
        ListFile(folder).put(first)
        settings = _with_ports(settings, listeners)
        stack.callback(_close_log, settings, folder, report)
        Supervisor(settings, folder, prepare, report).run(count, lambda models: on_ready(listeners.info(models)))


def _with_ports(settings: ServeSettings, listeners: Listeners) -> ServeSettings:
    """The settings with the ports that are bound, which may have been left to the system."""
    address, grpc = settings.address, settings.grpc
    return replace(
        settings,
        address=None if listeners.http is None or address is None else replace(address, port=port_of(listeners.http)),
        grpc=None
        if listeners.grpc is None or grpc is None
        else replace(grpc, address=replace(grpc.address, port=port_of(listeners.grpc))),
    )


def _close_log(settings: ServeSettings, folder: Path, report: Callable[[str], None]) -> None:
    if settings.traffic is None:
        return
    try:
        models = logging_by_model(ModelList(settings.repository.source, ListFile(folder).newest())())
    except BadInput:  # the folder of models is gone
        models = {}
    folders = [model_logging.folder for model_logging in models.values() if model_logging.folder is not None]
    convert_leftovers(settings.traffic, folders, report)
