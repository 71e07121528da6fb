"""One of several processes at the same addresses: what it tells its supervisor, and what the others ask of it.

Workers know each other by the sockets in a folder that only this user may enter. A question and its answer are one
line of JSON each. A list of models that a client has sent is kept there too, for workers that start later.
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

SENT = "sent"
SUFFIX = ".sock"
LINE_BYTES = 64 << 20
#: A worker that does not show its metrics within this time is left out of the page.
METRICS_S = 2.0
#: Loading takes as long as it takes, but not for ever.
RELOAD_S = 3600.0
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerContext:
    """Where a worker stands."""

    folder: Path
    number: int
    control: socket.socket
    """To the supervisor: closed when that is gone."""


@final
class Worker:
    """The company of one worker; see `serving.server.peers.PeerWorkers`."""

    is_shared = True

    def __init__(self, place: WorkerContext) -> None:
        self._place = place
        self._own = place.folder / f"{place.number}{SUFFIX}"

    def sent(self) -> Sequence[ModelSource] | None:
        """The list of models that a client has sent to any worker, if it is in force."""
        config = self._sent_config()
        return None if config is None else sources_of(config)

    def forget(self) -> None:
        """The list that a client has sent is no longer in force."""
        (self._place.folder / SENT).unlink(missing_ok=True)

    async def gather(self, page: str) -> str:
        """The sum of all workers' metrics."""
        answers = await self._ask_others({"ask": "metrics"}, METRICS_S)
        return add_pages([page, *(str(answer["page"]) for answer in answers)])

    @asynccontextmanager
    async def working(
        self, reloader: Reloader, *, page: Callable[[], str], leave: Callable[[], None]
    ) -> AsyncIterator[Reload]:
        """Answer the others while the block runs, and leave when the supervisor is gone."""
        loop = asyncio.get_running_loop()

        async def apply(config: Any) -> dict[str, Any]:
            try:
                await asyncio.to_thread(reloader.apply, config)
            except Failure as failure:
                return {"code": int(failure.code), "message": failure.message}
            return {"code": int(Code.OK), "message": ""}

        async def answer(asked: dict[str, Any]) -> dict[str, Any]:
            if asked["ask"] == "metrics":
                return {"page": page()}
            return await apply(_config(base64.b64decode(asked["config"])))

        async def reload(config: Any) -> None:
            self._keep(config.SerializeToString())
            question = {"ask": "reload", "config": base64.b64encode(config.SerializeToString()).decode()}
            mine, others = await asyncio.gather(apply(config), self._ask_others(question, RELOAD_S))
            for outcome in (mine, *others):
                if outcome["code"] == Code.INVALID_ARGUMENT:
                    self.forget()  # no worker has taken it
                if outcome["code"]:
                    raise Failure(Code(outcome["code"]), outcome["message"])

        self._own.unlink(missing_ok=True)
        server = await asyncio.start_unix_server(_answering(answer), path=self._own, limit=LINE_BYTES)
        loop.add_reader(self._place.control, self._look_for_supervisor, leave)
        try:
            yield reload
        finally:
            loop.remove_reader(self._place.control)
            server.close()
            self._own.unlink(missing_ok=True)

    def _look_for_supervisor(self, leave: Callable[[], None]) -> None:
        """The supervisor says nothing here; what can be read is its end."""
        asyncio.get_running_loop().remove_reader(self._place.control)
        leave()

    async def _ask_others(self, question: dict[str, Any], patience_s: float) -> list[dict[str, Any]]:
        others = [path for path in sorted(self._place.folder.glob(f"*{SUFFIX}")) if path != self._own]
        answers = await asyncio.gather(*(_ask(path, question, patience_s) for path in others))
        return [answer for answer in answers if answer is not None]

    def _keep(self, content: bytes) -> None:
        write_bytes(self._place.folder / SENT, content, durable=False)

    def _sent_config(self) -> Any:
        try:
            content = (self._place.folder / SENT).read_bytes()
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
            _logger.warning("Another worker has gone in the middle of its question: %s", error)
        finally:
            writer.close()

    return handle


async def _ask(path: Path, question: dict[str, Any], patience_s: float) -> dict[str, Any] | None:
    """Another worker's answer; None if it is not there, or takes too long."""
    try:
        async with asyncio.timeout(patience_s):
            reader, writer = await asyncio.open_unix_connection(path, limit=LINE_BYTES)
            try:
                writer.write(json.dumps(question).encode() + b"\n")
                answer: dict[str, Any] = json.loads(await reader.readline() or b"null")
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return None
    return answer
