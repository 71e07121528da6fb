"""Several server processes at the same addresses. The kernel spreads connections over them (``SO_REUSEPORT``)."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from monitoring.errors import BadInput
from serving.capture.model_logging import logging_of
from serving.capture.traffic import close_after
from serving.models.model_list import ModelList
from serving.server.server import check_models, ready_of, take_doors
from serving.transport.sockets import port_of
from serving.workers.supervisor import Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable

    from serving.server.settings import ServerInfo, ServeSettings


def serve_workers(
    settings: ServeSettings,
    count: int,
    *,
    on_ready: Callable[[ServerInfo], None],
    report: Callable[[str], None],
    prepare: Callable[[], None] = lambda: None,
) -> None:
    """As `serving.server.server.serve`, in ``count`` processes. ``prepare`` is called in each of them.

    ``on_ready`` is called when all of them answer. A worker that dies is replaced (see `WorkerHandle.plan`). The open
    segments of its traffic log are converted by its successor, or here when all have ended. Call it before the process
    has any thread.

    Raises:
        BadInput, CannotRun: as a single server; or a worker dies before all are ready.
    """
    check_models(settings.shelf)
    with ExitStack() as stack:
        doors = take_doors(settings, report, is_shared=True)
        for door in doors:
            if door is not None:
                stack.enter_context(door)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pitfalls-")))
        taken, grpc_taken = doors
        address, grpc = settings.address, settings.grpc
        settings = replace(
            settings,
            address=None if taken is None or address is None else replace(address, port=port_of(taken)),
            grpc=None
            if grpc_taken is None or grpc is None
            else replace(grpc, address=replace(grpc.address, port=port_of(grpc_taken))),
        )
        stack.callback(_close_log, settings, report)
        Supervisor(settings, folder, prepare, report).run(count, lambda models: on_ready(ready_of(doors, models)))


def _close_log(settings: ServeSettings, report: Callable[[str], None]) -> None:
    if settings.traffic is None:
        return
    try:
        elsewhere = [one.folder for one in logging_of(ModelList(settings.shelf.origin)()).values()]
    except BadInput:  # the list of models went wrong meanwhile, which was reported
        elsewhere = []
    close_after(settings.traffic, [folder for folder in elsewhere if folder is not None], report)
