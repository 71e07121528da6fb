"""The REST interface: finds who answers a request, and hands the answer on. HTTP itself is `serving.rest.protocol`."""

from __future__ import annotations

import logging
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

from serving.identity import RequestIds
from serving.inference import wall_clock_us
from serving.metrics import Metrics
from serving.rest.bodies import BODY_BYTES, BodyTooLarge, read_body
from serving.rest.calls import Call, Calls
from serving.rest.descriptions import write_index, write_metadata, write_status
from serving.rest.encoding import write_error
from serving.rest.late_labels import LabelDesk
from serving.rest.responses import TEXT, Response, error_response
from serving.rest.routes import is_ours, malformed, read_route
from serving.status import Code, Failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from serving.capture import Capture
    from serving.inference import Inference
    from serving.rest.requests import Request
    from serving.versions import Models

    Reply = Callable[[Response], None]

METRICS_PATH = "/monitoring/prometheus/metrics"
LABELS_PATH = "/monitor/labels"
LIVE_PATH = "/v2/health/live"
READY_PATH = "/v2/health/ready"
INDEX_PATH = "/v2/repository/index"
ORIGIN = re.compile(rb"https?://.*", re.IGNORECASE)
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
    """Answers requests, one at a time or many, in the event loop that `answer` is called in.

    ``drain`` makes it say that it is not ready any more; it goes on answering.
    """

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

    @property
    def settings(self) -> RestSettings:
        """What it allows."""
        return self._settings

    def drain(self) -> None:
        """Answer what comes, but tell whoever asks for readiness to send no more."""
        self._draining = True

    def answer(self, request: Request, reply: Reply) -> None:
        """Answer one request: ``reply`` is called with the response, now or later.

        No task waits for the model: a task needs a future and further turns of the loop, for every request.
        """
        try:
            if is_ours(request.target):
                self._model(request, reply)
            else:
                reply(self._other(request))
        except Failure as failure:
            reply(error_response(failure))
        except BodyTooLarge:
            reply(too_large(self._settings.body_bytes))

    def _other(self, request: Request) -> Response:
        """Health, metrics and labels: what TensorFlow Serving does not have, or has elsewhere."""
        method, path = request.method, request.target
        if path == LABELS_PATH and method == "POST":
            return self._rooms.desk.take(request.headers, read_body(request, self._settings.body_bytes))
        if path == INDEX_PATH and method == "POST":
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

    def _model(self, request: Request, reply: Reply) -> None:
        if request.method == "OPTIONS":
            is_web = ORIGIN.fullmatch(request.header(b"origin")) is not None
            reply(Response(status=200 if is_web else 400, body=b""))
            return
        body = read_body(request, self._settings.body_bytes)
        route = read_route(request.method, request.target)
        if route.verb == "metadata":
            with self._rooms.models.lease(route.model, route.version, route.label) as served:
                reply(Response(status=200, body=write_metadata(served)))
        elif route.verb == "status":
            reply(Response(status=200, body=write_status(self._rooms.models.statuses(route.model, route.version))))
        else:
            self._call(Call(route, request.headers, body, self._clock_us()), reply)

    def _call(self, call: Call, reply: Reply) -> None:
        started = time.perf_counter()
        route = call.route

        def done(outcome: Response | BaseException) -> None:
            if isinstance(outcome, Response):
                status, response = "OK", outcome
            else:
                failure = outcome if isinstance(outcome, Failure) else _defect(route.model, outcome)
                status, response = failure.code.name, error_response(failure)
            known = route.model if self._rooms.models.knows(route.model) else ""
            elapsed_us = (time.perf_counter() - started) * 1e6
            self._rooms.metrics.count(model=known, verb=route.verb, status=status, latency_us=elapsed_us)
            reply(response)

        try:
            self._calls.start(call, done)
        except (Failure, ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
            done(error)


def too_large(limit: int) -> Response:
    """The answer to a body beyond the limit; the connection ends with it."""
    message = f"The body is larger than the {limit} bytes that this server takes."
    return Response(status=413, body=write_error(message), headers=((b"connection", b"close"),))


def _defect(model: str, error: BaseException) -> Failure:
    """A defect of ours: the client gets TensorFlow Serving's code for it, the operator the traceback."""
    _logger.error("A request to %s failed by a defect of the server.", model, exc_info=error)
    return Failure(Code.INTERNAL, f"Internal error: {type(error).__name__}")
