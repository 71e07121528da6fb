"""The REST interface as one bare ASGI application: reads the request, finds who answers it, writes the response."""

from __future__ import annotations

import logging
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, final

from serving.identity import RequestIds
from serving.inference import wall_clock_us
from serving.metrics import Metrics
from serving.rest.bodies import BODY_BYTES, BodyTooLarge, read_body
from serving.rest.calls import Call, Calls
from serving.rest.descriptions import write_index, write_metadata, write_status
from serving.rest.encoding import write_error
from serving.rest.late_labels import LabelDesk
from serving.rest.responses import TEXT, Response, error_response
from serving.rest.routes import Route, is_ours, malformed, read_route
from serving.status import Code, Failure

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping, Sequence

    from serving.capture import Capture
    from serving.inference import Inference
    from serving.rest.bodies import Receive
    from serving.versions import Models

    Scope = MutableMapping[str, Any]
    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
    Headers = Sequence[tuple[bytes, bytes]]

METRICS_PATH = "/monitoring/prometheus/metrics"
LABELS_PATH = "/monitor/labels"
LIVE_PATH = "/v2/health/live"
READY_PATH = "/v2/health/ready"
INDEX_PATH = "/v2/repository/index"
ORIGIN = re.compile(rb"https?://.*", re.IGNORECASE)
CORS = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"POST, GET"),
    (b"access-control-allow-headers", b"Content-Type"),
)
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestSettings:
    """What the REST interface allows."""

    body_bytes: int = BODY_BYTES
    """Larger bodies are refused with 413; TensorFlow Serving takes any."""
    cors: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rooms:
    """What the interface stands on."""

    models: Models
    inference: Inference
    capture: Capture
    desk: LabelDesk = field(default_factory=LabelDesk)
    metrics: Metrics = field(default_factory=Metrics)


@final
class RestApp:
    """ASGI application. ``drain`` makes it say that it is not ready any more; it goes on answering."""

    def __init__(
        self,
        rooms: Rooms,
        settings: RestSettings | None = None,
        *,
        clock_us: Callable[[], int] = wall_clock_us,
        ids: RequestIds | None = None,
    ) -> None:
        self._rooms = rooms
        self._settings = settings or RestSettings()
        self._clock_us = clock_us
        self._calls = Calls(models=rooms.models, inference=rooms.inference, ids=ids or RequestIds())
        self._draining = False

    def drain(self) -> None:
        """Answer what comes, but tell whoever asks for readiness to send no more."""
        self._draining = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        response = await self._respond(scope, receive)
        length = b"%d" % len(response.body)
        headers = [(b"content-type", response.content_type), (b"content-length", length), *response.headers]
        if self._settings.cors:
            headers.extend(CORS)
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": response.body})

    async def _respond(self, scope: Scope, receive: Receive) -> Response:
        query: bytes = scope["query_string"]
        path = (scope["raw_path"] + (b"?" + query if query else b"")).decode("latin-1")
        try:
            if is_ours(path):
                return await self._model(scope, path, receive)
            return await self._other(scope, path, receive)
        except Failure as failure:
            return error_response(failure)
        except BodyTooLarge:
            message = f"The body is larger than the {self._settings.body_bytes} bytes that this server takes."
            return Response(status=413, body=write_error(message), headers=((b"connection", b"close"),))

    async def _other(self, scope: Scope, path: str, receive: Receive) -> Response:
        """Health, metrics and labels: what TensorFlow Serving does not have, or has elsewhere."""
        method = scope["method"]
        if path == LABELS_PATH and method == "POST":
            headers = scope["headers"]
            return self._rooms.desk.take(headers, await read_body(receive, headers, self._settings.body_bytes))
        if path == INDEX_PATH and method == "POST":
            await read_body(receive, scope["headers"], self._settings.body_bytes)
            return Response(status=200, body=write_index(self._rooms.models))
        if method == "GET" and path == METRICS_PATH:
            return Response(status=200, body=self._rooms.metrics.page(self._rooms.capture).encode(), content_type=TEXT)
        if method == "GET" and path == LIVE_PATH:
            return Response(status=200, body=b'{"live": true}\n')
        if method == "GET" and path == READY_PATH:
            ready = self._rooms.models.is_ready and not self._draining
            return Response(status=200 if ready else 503, body=b'{"ready": %s}\n' % str(ready).lower().encode())
        if path in {LABELS_PATH, METRICS_PATH, LIVE_PATH, READY_PATH, INDEX_PATH}:
            raise malformed(method, path)
        return Response(status=404, body=b"Not found: the models are at /v1/models/NAME\n", content_type=TEXT)

    async def _model(self, scope: Scope, path: str, receive: Receive) -> Response:
        method, headers = scope["method"], scope["headers"]
        if method == "OPTIONS":
            origin = next((value for name, value in headers if name == b"origin"), b"")
            return Response(status=200 if ORIGIN.fullmatch(origin) else 400, body=b"")
        # The body is read first even where the path is wrong: the next request follows it on the same connection.
        body = await read_body(receive, headers, self._settings.body_bytes)
        route = read_route(method, path)
        if route.verb == "metadata":
            with self._rooms.models.lease(route.model, route.version, route.label) as served:
                return Response(status=200, body=write_metadata(served))
        if route.verb == "status":
            return Response(status=200, body=write_status(self._rooms.models.statuses(route.model, route.version)))
        return await self._call(route, headers, body)

    async def _call(self, route: Route, headers: Headers, body: bytes) -> Response:
        started = time.perf_counter()
        status = "OK"
        try:
            return await self._calls.answer(Call(route=route, headers=headers, body=body, arrived_us=self._clock_us()))
        except Failure as failure:
            status = failure.code.name
            raise
        except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
            # A defect of ours: the client gets TensorFlow Serving's code for it, the operator the traceback.
            status = Code.INTERNAL.name
            _logger.exception("A request to %s failed by a defect of the server.", route.model)
            raise Failure(Code.INTERNAL, f"Internal error: {type(error).__name__}") from error
        finally:
            known = route.model if self._rooms.models.knows(route.model) else ""
            elapsed_us = (time.perf_counter() - started) * 1e6
            self._rooms.metrics.count(model=known, verb=route.verb, status=status, latency_us=elapsed_us)
