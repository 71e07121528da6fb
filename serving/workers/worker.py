"""One of several processes at the same addresses, and its requests to the others.

Workers find each other by sockets in a folder that only this user may enter. A request and its response are one line of
JSON each. A worker has its socket there, and answers clients, only when it has the newest list of models
(`serving.workers.list_file`).
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from monitoring.errors import CannotRun
from serving.metrics.merge import add_pages, add_statistics
from serving.status import Code, Failure
from serving.workers.list_file import ListFile

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
    from pathlib import Path

    from serving.metrics.merge import Statistics
    from serving.models.list_in_force import WaitForOthers
    from serving.models.reloading import Reloader
    from serving.server.peers import PeerPages

SUFFIX = ".sock"
LINE_BYTES = 64 << 20
#: A worker that does not send its metrics within this time is left out of the page.
METRICS_S = 2.0
#: Bound on the time that a reload takes.
RELOAD_S = 3600.0
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerContext:
    """The number of a worker, and where it finds its supervisor and its peers."""

    folder: Path
    number: int
    control: socket.socket
    """To the supervisor; closed by its end."""


@final
class Worker:
    """A worker's view of its peers; implements `serving.server.peers.PeerWorkers`."""

    is_shared = True

    def __init__(self, context: WorkerContext) -> None:
        self._context = context
        self.number = context.number
        self.folder: Path | None = context.folder
        self._socket_path = context.folder / f"{context.number}{SUFFIX}"
        self.store = ListFile(context.folder, self._update_others)

    async def merge_metrics(self, page: str) -> str:
        """The sum of all workers' metrics, ``page`` being this worker's own."""
        responses = await self._request_others("metrics", METRICS_S)
        return add_pages([page, *(str(response["page"]) for response in responses if response)])

    async def merge_statistics(self, statistics: Statistics) -> Statistics:
        """The sum of all workers' statistics of versions, ``statistics`` being this worker's."""
        responses = await self._request_others("statistics", METRICS_S)
        return add_statistics(statistics, [response["statistics"] for response in responses if response])

    @asynccontextmanager
    async def joined(self, reloader: Reloader, *, pages: PeerPages, stop: Callable[[], None]) -> AsyncIterator[None]:
        """Answer the other workers while the block runs, by the newest list; stop when the supervisor is gone."""
        loop = asyncio.get_running_loop()
        # Not the loop's own threads: reloads of this worker may wait in all of those for a reload that waits for this.
        following = ThreadPoolExecutor(1, "follow")

        async def answer(request: str) -> dict[str, Any]:
            if request == "metrics":
                return {"page": pages.metrics()}
            if request == "statistics":
                return {"statistics": pages.statistics()}
            outcome = await loop.run_in_executor(following, _outcome, reloader)
            if not reloader.is_current:
                stop()  # refused what others serve: the supervisor starts another worker
            return outcome

        bound = await asyncio.to_thread(self._enter, reloader)
        server = await asyncio.start_unix_server(_answering(answer), sock=bound)
        loop.add_reader(self._context.control, self._on_supervisor_end, stop)
        try:
            yield
        finally:
            loop.remove_reader(self._context.control)
            server.close()
            self._socket_path.unlink(missing_ok=True)

    def _enter(self, reloader: Reloader) -> socket.socket:
        """Take the newest list and be there for the others from then on; no list comes in between."""
        with self.store.exclusive():
            try:
                reloader.catch_up()
            except Failure as failure:
                if not reloader.is_current:
                    raise _cannot_follow(failure) from failure
            self._socket_path.unlink(missing_ok=True)
            bound = socket.socket(socket.AF_UNIX)
            bound.bind(str(self._socket_path))
            bound.listen()
            return bound

    def _on_supervisor_end(self, stop: Callable[[], None]) -> None:
        """The supervisor sends nothing; its socket becomes readable when it is closed."""
        asyncio.get_running_loop().remove_reader(self._context.control)
        stop()

    def _update_others(self) -> WaitForOthers:
        """Ask the other workers to follow; implements `serving.models.list_in_force.ListStore.update_others`."""
        asking = ThreadPoolExecutor(1, "update")
        responses = asking.submit(lambda: asyncio.run(self._request_others("follow", RELOAD_S)))
        asking.shutdown(wait=False)
        return lambda: tuple(_failures(responses.result()))

    async def _request_others(self, request: str, timeout_s: float) -> list[dict[str, Any] | None]:
        """The responses of those that are there; None of one that takes too long."""
        others = [path for path in sorted(self._context.folder.glob(f"*{SUFFIX}")) if path != self._socket_path]
        responses = await asyncio.gather(*(_request(path, request, timeout_s) for path in others))
        return [response for response in responses if response != {}]


def _outcome(reloader: Reloader) -> dict[str, Any]:
    try:
        reloader.follow()
    except Failure as failure:
        return {"code": int(failure.code), "message": failure.message}
    return {"code": int(Code.OK), "message": ""}


def _failures(outcomes: Sequence[dict[str, Any] | None]) -> Iterator[Failure]:
    for outcome in outcomes:
        if outcome is None:
            yield Failure(Code.DEADLINE_EXCEEDED, f"A worker has not taken the list of models within {RELOAD_S:g} s.")
        elif outcome["code"]:
            yield Failure(Code(outcome["code"]), outcome["message"])


def _cannot_follow(failure: Failure) -> CannotRun:
    return CannotRun(
        "A worker cannot serve the list of models that is in force.",
        got=failure.message,
        expected="the list that the other workers serve",
        fix="Correct what the message names; the worker is started again.",
    )


def _answering(
    answer: Callable[[str], Awaitable[dict[str, Any]]],
) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            line = await reader.readline()
            if line:
                writer.write(json.dumps(await answer(json.loads(line))).encode() + b"\n")
                await writer.drain()
        except OSError as error:
            _logger.warning("Another worker ended during its request: %s", error)
        finally:
            writer.close()

    return handle


async def _request(path: Path, request: str, timeout_s: float) -> dict[str, Any] | None:
    """Another worker's response; empty if it is not there or dies meanwhile, None if it takes too long."""
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_unix_connection(path, limit=LINE_BYTES)
            try:
                writer.write(json.dumps(request).encode() + b"\n")
                response: dict[str, Any] = json.loads(await reader.readline() or b"{}")
            finally:
                writer.close()
    except TimeoutError:
        return None
    except OSError:
        return {}
    return response
