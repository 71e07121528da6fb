"""One of several processes at the same addresses, and its requests to the others.

Workers find each other by sockets in a folder that only this user may enter. A request and its response are one line of
JSON each. A list of models that a client has sent is kept there, too, for workers that start later.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from monitoring.atomic import write_bytes
from serving.metrics.merge import add_pages
from serving.models.model_config import sources_of
from serving.status import Code, Failure

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
    from pathlib import Path

    from serving.models.reloading import Reload, Reloader
    from serving.models.version_folders import ModelSource

CLIENT_LIST = "sent"
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
        self._own = context.folder / f"{context.number}{SUFFIX}"

    def client_model_list(self) -> Sequence[ModelSource] | None:
        """The list of models that a client has sent to any worker; None if none is in force."""
        config = self._client_config()
        return None if config is None else sources_of(config)

    def discard_client_model_list(self) -> None:
        """The list that a client has sent is no longer in force."""
        (self._context.folder / CLIENT_LIST).unlink(missing_ok=True)

    async def merge_metrics(self, page: str) -> str:
        """The sum of all workers' metrics, ``page`` being this worker's own."""
        responses = await self._request_others({"ask": "metrics"}, METRICS_S)
        return add_pages([page, *(str(response["page"]) for response in responses)])

    @asynccontextmanager
    async def joined(
        self, reloader: Reloader, *, page: Callable[[], str], stop: Callable[[], None]
    ) -> AsyncIterator[Reload]:
        """Answer the other workers while the block runs, and stop when the supervisor is gone.

        Yields:
            A function that reloads all workers; it raises the first `Failure` of any.
        """
        loop = asyncio.get_running_loop()

        async def apply(config: Any) -> dict[str, Any]:
            try:
                await asyncio.to_thread(reloader.apply, config)
            except Failure as failure:
                return {"code": int(failure.code), "message": failure.message}
            return {"code": int(Code.OK), "message": ""}

        async def answer(request: dict[str, Any]) -> dict[str, Any]:
            if request["ask"] == "metrics":
                return {"page": page()}
            return await apply(_config(base64.b64decode(request["config"])))

        async def reload(config: Any) -> None:
            self._keep(config.SerializeToString())
            request = {"ask": "reload", "config": base64.b64encode(config.SerializeToString()).decode()}
            own, others = await asyncio.gather(apply(config), self._request_others(request, RELOAD_S))
            for outcome in (own, *others):
                if outcome["code"] == Code.INVALID_ARGUMENT:
                    self.discard_client_model_list()  # no worker has accepted it
                if outcome["code"]:
                    raise Failure(Code(outcome["code"]), outcome["message"])

        self._own.unlink(missing_ok=True)
        server = await asyncio.start_unix_server(_answering(answer), path=self._own, limit=LINE_BYTES)
        loop.add_reader(self._context.control, self._on_supervisor_end, stop)
        try:
            yield reload
        finally:
            loop.remove_reader(self._context.control)
            server.close()
            self._own.unlink(missing_ok=True)

    def _on_supervisor_end(self, stop: Callable[[], None]) -> None:
        """The supervisor sends nothing; its socket becomes readable when it is closed."""
        asyncio.get_running_loop().remove_reader(self._context.control)
        stop()

    async def _request_others(self, request: dict[str, Any], timeout_s: float) -> list[dict[str, Any]]:
        others = [path for path in sorted(self._context.folder.glob(f"*{SUFFIX}")) if path != self._own]
        responses = await asyncio.gather(*(_request(path, request, timeout_s) for path in others))
        return [response for response in responses if response is not None]

    def _keep(self, content: bytes) -> None:
        write_bytes(self._context.folder / CLIENT_LIST, content, durable=False)

    def _client_config(self) -> Any:
        try:
            content = (self._context.folder / CLIENT_LIST).read_bytes()
        except FileNotFoundError:
            return None
        return _config(content)


def _config(content: bytes) -> Any:
    from tensorflow_serving.config import model_server_config_pb2  # noqa: PLC0415 - only when a list was sent

    return model_server_config_pb2.ModelServerConfig.FromString(content)


def _answering(
    answer: Callable[[dict[str, Any]], Awaitable[dict[str, Any]]],
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


async def _request(path: Path, request: dict[str, Any], timeout_s: float) -> dict[str, Any] | None:
    """Another worker's response; None if it is not there, or takes too long."""
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_unix_connection(path, limit=LINE_BYTES)
            try:
                writer.write(json.dumps(request).encode() + b"\n")
                response: dict[str, Any] = json.loads(await reader.readline() or b"null")
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return None
    return response
