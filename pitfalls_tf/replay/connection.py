"""A replay's connection to its server: repeats requests that a lost server may not have answered, and backs off."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NoReturn, Self, final

import httpx
import orjson

from monitoring.errors import BadInput, CannotRun

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from pitfalls_tf.replay.plan import PlannedRequest

TRIES = 6
PAUSE_S = 0.05
BUSY = {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}
LOST = (httpx.NetworkError, httpx.RemoteProtocolError, httpx.ConnectTimeout)
TIMEOUT = httpx.Timeout(60.0, connect=10.0)


@final
class ServerConnection:
    """Keep-alive connections to one server.

    Args:
        on_disconnect: called once when the server is gone; may restart it, and returns its URL. None: give up.
    """

    def __init__(self, url: str, *, token: str | None, on_disconnect: Callable[[], str] | None) -> None:
        self._url = url.rstrip("/")
        self._token = token
        self._on_disconnect = on_disconnect
        self._client = httpx.AsyncClient(timeout=TIMEOUT, trust_env=False)
        self._reconnecting = asyncio.Lock()
        self.reconnects = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def only_model(self) -> str:
        """Name of the only served model."""
        answer = await self._send("POST", "/v2/repository/index", b"{}", {})
        names = sorted({model["name"] for model in orjson.loads(answer.content)}) if answer.is_success else []
        if len(names) != 1:
            raise BadInput(
                "The server has no single model.",
                got=f"{', '.join(names) or 'no list of models'}",
                expected="one model, or its name",
                fix="Pass --model NAME.",
            )
        return str(names[0])

    async def metadata(self, model: str) -> Mapping[str, Any]:
        """Read the model's metadata."""
        answer = await self._send("GET", f"/v1/models/{model}/metadata", b"", {})
        if not answer.is_success:
            _raise_refusal(f"The server has no metadata of model {model!r}.", answer, "Pass another --model or --to.")
        metadata: Mapping[str, Any] = orjson.loads(answer.content)
        return metadata

    async def predict(self, path: str, body: bytes, request: PlannedRequest) -> None:
        """Send a request."""
        headers = {"X-Request-Id": request.request_id, "X-Event-Time": request.event_time.isoformat()}
        answer = await self._send("POST", path, body, headers)
        if not answer.is_success:
            _raise_refusal(
                f"The server refused request {request.request_id}.",
                answer,
                "Compare the table's columns with the model's inputs.",
            )

    async def label(self, body: bytes) -> None:
        """Post labels."""
        headers = {} if self._token is None else {"Authorization": f"Bearer {self._token}"}
        answer = await self._send("POST", "/monitor/labels", body, headers)
        if not answer.is_success:
            _raise_refusal("The server refused the labels.", answer, "Use the same token for server and replay.")

    async def _send(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> httpx.Response:
        for attempt in range(TRIES):
            epoch = self.reconnects
            try:
                answer = await self._client.request(method, self._url + path, content=body, headers=dict(headers))
            except LOST as error:
                await self._reconnect(epoch, error)
                continue
            except httpx.TimeoutException as error:
                raise self._gone(f"no answer within {TIMEOUT.read:.0f} s") from error
            except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
                raise BadInput(
                    "Invalid server URL.",
                    got=self._url,
                    expected="http://HOST:PORT",
                    fix="Pass --to as printed by pitfalls serve.",
                ) from error
            if answer.status_code not in BUSY or attempt == TRIES - 1:
                return answer
            await asyncio.sleep(PAUSE_S * 2**attempt)
        raise self._gone("it disconnects on every request")

    async def _reconnect(self, epoch: int, error: httpx.RequestError) -> None:
        """Restart the server, unless another request already did."""
        async with self._reconnecting:
            if epoch != self.reconnects:
                return
            if self._on_disconnect is None:
                raise self._gone(str(error) or type(error).__name__) from error
            self._url = (await asyncio.to_thread(self._on_disconnect)).rstrip("/")
            self.reconnects += 1

    def _gone(self, reason: str) -> CannotRun:
        return CannotRun(
            "The server does not respond.",
            got=f"{self._url}: {reason}",
            expected="a server started by: pitfalls serve --models DIR",
            fix="Start it, or pass another --to; with --traffic, the replay resumes.",
        )


def _raise_refusal(what: str, answer: httpx.Response, fix: str) -> NoReturn:
    text = answer.text
    with suppress(orjson.JSONDecodeError, KeyError, TypeError):  # not a model server's error: keep the text
        text = str(orjson.loads(answer.content)["error"])
    raise BadInput(what, got=f"HTTP {answer.status_code}: {text[:500]}", expected="a success", fix=fix)
