"""The HTTP application: routes a request to the endpoint that answers it."""

from __future__ import annotations

import asyncio
import logging
import re
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, final

from serving.access.tokens import Scope
from serving.inference.callers import CallerReader
from serving.inference.timestamps import wall_clock_us
from serving.inference_v2.app import InferenceV2
from serving.inference_v2.descriptions import ModelStatistics, describe_statistics
from serving.inference_v2.infer import InferEndpoint, json_bytes
from serving.inference_v2.model_control import ModelControl
from serving.inference_v2.routes import is_control, is_health, is_v2
from serving.metrics.metrics import ServerMetrics
from serving.rest.calls import PredictionEndpoint
from serving.rest.routes import is_v1, malformed, read_route, write_metadata, write_status
from serving.server.labels_endpoint import LabelsEndpoint
from serving.status import Code, Failure, InvalidArgument
from serving.transport.bodies import BodyTooLarge, parsed_bytes, read_body
from serving.transport.body_process import LARGE_BYTES
from serving.transport.http_response import FULL_TEXT, TEXT, HttpResponse, error_response, too_large
from serving.transport.http_settings import HttpSettings
from serving.transport.request_tracing import RequestMetrics, traced

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from serving.capture.capture import Capture
    from serving.inference.inference import Inference
    from serving.inference.timestamps import EventTimeRange
    from serving.inference_v2.descriptions import MergeStatistics
    from serving.metrics.merge import Statistics
    from serving.models.versions import Models
    from serving.server.peers import MergeMetrics
    from serving.transport.body_process import BodyProcess
    from serving.transport.http_request import HttpRequest
    from serving.transport.limits import ConnectionLimiter

    Reply = Callable[[HttpResponse], None]

_logger = logging.getLogger(__name__)

LABELS_PATH = "/monitor/labels"
NOT_FOUND = b"Not found: the models are at /v1/models/NAME and /v2/models/NAME\n"
#: Bodies up to this size are small next to what the server needs for any request, and are not counted once parsed.
SMALL_BODY = 4 << 10
#: Compressed bodies up to this size inflate to little enough (2 MiB, unless --max-inflation is another) to be inflated
#: in the event loop.
QUICK_BYTES = 64 << 10
ORIGIN = re.compile(rb"https?://.*", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpDependencies:
    """The services that the application calls."""

    models: Models
    inference: Inference
    capture: Capture
    labels_endpoint: LabelsEndpoint = field(default_factory=LabelsEndpoint)
    metrics: ServerMetrics = field(default_factory=ServerMetrics)
    control: ModelControl = field(default_factory=ModelControl)
    """Loads and unloads models for clients."""
    bodies: BodyProcess | None = None
    """Reads large bodies; None: the event loop does."""
    event_times: EventTimeRange | None = None
    """Which event times clients may give; None for any."""
    merge_metrics: MergeMetrics | None = None
    """Adds up the metrics of several processes; None for a single one."""
    merge_statistics: MergeStatistics | None = None
    """Adds up their statistics of versions, as well."""

    def metrics_page(self) -> str:
        """This process's Prometheus page."""
        ended = 0 if self.bodies is None else self.bodies.ended
        return self.metrics.page(self.capture.counts(), self.models.mlmd_uuids(), readers_ended=ended)

    def statistics(self) -> Statistics:
        """This process's statistics of all versions."""
        statistics: Statistics = describe_statistics(self.models, "", None)["model_stats"]
        return statistics


@final
class HttpApp:
    """Answers requests, one at a time or many, in the event loop that `answer` is called in."""

    def __init__(
        self,
        dependencies: HttpDependencies,
        settings: HttpSettings | None = None,
        *,
        clock_us: Callable[[], int] = wall_clock_us,
    ) -> None:
        self._models = dependencies.models
        self._metrics_page = dependencies.metrics_page
        self._labels_endpoint = dependencies.labels_endpoint
        self._guard = guard = dependencies.labels_endpoint.guard
        self._needs_token = any(guard.needs_token(scope) for scope in (Scope.PREDICT, Scope.METRICS))
        self._merge_metrics = dependencies.merge_metrics
        self._settings = settings or HttpSettings()
        self._bodies = self._settings.bodies
        self._limiter = dependencies.inference.limiter
        self._clock_us = clock_us
        callers = CallerReader(event_times=dependencies.event_times, principal_of=guard.name_of)
        self._request_metrics = RequestMetrics(models=self._models, metrics=dependencies.metrics)
        inference, bodies = dependencies.inference, dependencies.bodies
        self._predictions = PredictionEndpoint(models=self._models, inference=inference, callers=callers, bodies=bodies)
        self._v2 = InferenceV2(
            models=self._models,
            infer=InferEndpoint(models=self._models, inference=inference, callers=callers, bodies=bodies),
            request_metrics=self._request_metrics,
            statistics=ModelStatistics(self._models, dependencies.merge_statistics),
            control=dependencies.control,
            clock_us=clock_us,
        )
        self._reading = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def settings(self) -> HttpSettings:
        """Options and limits of the interface."""
        return self._settings

    @property
    def limiter(self) -> ConnectionLimiter:
        """Admits connections, and counts the bytes of all requests that are being read or answered."""
        return self._limiter

    def drain(self) -> None:
        """Go on answering requests, and answer readiness probes with 503 from now on."""
        self._v2.drain()

    def answer(self, request: HttpRequest, reply: Reply) -> None:
        """Answer one request.

        No asyncio task waits for the model: it would cost a future and further turns of the loop for each request.
        """
        reply = traced(request, reply)
        size = len(request.body)
        if size > LARGE_BYTES or (size > QUICK_BYTES and request.header(b"content-encoding")):
            self._in_task(self._answer_large(request, reply))
        else:
            self._answer(request, reply, partial(self._read, request))

    async def _answer_large(self, request: HttpRequest, reply: Reply) -> None:
        """As `answer`, with a body that a thread inflates and counts, one at a time."""
        async with self._reading:
            read = asyncio.ensure_future(asyncio.to_thread(self._read, request))
            await asyncio.wait((read,))
            self._answer(request, reply, read.result)

    def _read(self, request: HttpRequest) -> tuple[bytes, int]:
        """Inflate a body. Returns it, and the bytes it takes once it is parsed. Raises `BodyTooLarge` or `Failure`."""
        is_other = is_v2(request.target)
        body = read_body(request, self._bodies, zlib_too=is_other)
        return body, parsed_bytes(body[: json_bytes(request.headers)] if is_other else body)

    def _answer(self, request: HttpRequest, reply: Reply, read: Callable[[], tuple[bytes, int]]) -> None:
        try:
            if request.body and (len(request.body) > SMALL_BODY or request.header(b"content-encoding")):
                request, reply = self._opened(request, reply, *read())
            if self._needs_token:
                self._check_token(request)
            if is_v1(request.target):
                self._v1(request, reply)
            elif is_v2(request.target):
                self._v2.answer(request, reply)
            elif request.method == "GET" and request.target == self._settings.metrics_path:
                self._show_metrics(reply)
            else:
                reply(self._other(request))
        except Failure as failure:
            if failure.code is Code.UNAUTHENTICATED:
                asyncio.get_running_loop().call_later(self._guard.delay_s, reply, error_response(failure))
            else:
                reply(error_response(failure))
        except BodyTooLarge as error:
            reply(too_large(self._settings.body_bytes, str(error)))
        except (ArithmeticError, LookupError, OSError, RuntimeError, TypeError, ValueError) as error:
            # A defect: without an answer the connection would be busy for ever, and the server could not drain.
            _logger.exception("A request to %.200r failed by a defect of the server.", request.target)
            reply(error_response(Failure(Code.INTERNAL, f"Internal error: {type(error).__name__}")))

    def _opened(self, request: HttpRequest, reply: Reply, body: bytes, parsed: int) -> tuple[HttpRequest, Reply]:
        """Count what a body takes until it is answered: inflated and parsed, beside the bytes on the wire.

        Raises:
            Failure: UNAVAILABLE: the server holds as much as it can.
        """
        held = self._limiter.hold_parsed((0 if body is request.body else len(body)) + parsed)
        if held is None:
            raise Failure(Code.UNAVAILABLE, FULL_TEXT)

        def release(response: HttpResponse) -> None:
            self._limiter.release_bytes(held)
            reply(response)

        return request._replace(body=body), release

    def _check_token(self, request: HttpRequest) -> None:
        """Check the token of a request that may need one; health probes never do, and model control does by itself."""
        if is_health(request.target) or is_control(request.target):
            return
        if is_v1(request.target) or is_v2(request.target):
            self._guard.check(Scope.PREDICT, request.header(b"authorization"))
        elif request.target == self._settings.metrics_path:
            self._guard.check(Scope.METRICS, request.header(b"authorization"))

    def _other(self, request: HttpRequest) -> HttpResponse:
        """Labels, and paths that do not exist."""
        method, path = request.method, request.target
        if path == LABELS_PATH and method == "POST":
            return self._labels_endpoint.post(request.headers, request.body)
        if path in {LABELS_PATH, self._settings.metrics_path}:
            raise InvalidArgument(malformed(method, path))
        return HttpResponse(status=404, body=NOT_FOUND, content_type=TEXT)

    def _show_metrics(self, reply: Reply) -> None:
        page = self._metrics_page()
        merge = self._merge_metrics
        if merge is None:
            reply(HttpResponse(status=200, body=page.encode(), content_type=TEXT))
            return

        async def answer() -> None:
            reply(HttpResponse(status=200, body=(await merge(page)).encode(), content_type=TEXT))

        self._in_task(answer())

    def _in_task(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)  # the loop holds tasks weakly: without a reference it could be collected before it ends
        task.add_done_callback(self._tasks.discard)

    def _v1(self, request: HttpRequest, reply: Reply) -> None:
        """TensorFlow Serving's dialect."""
        if request.method == "OPTIONS":
            is_web = ORIGIN.fullmatch(request.header(b"origin")) is not None
            reply(HttpResponse(status=200 if is_web else 400, body=b""))
            return
        route = read_route(request.method, request.target)
        if route.verb == "metadata":
            with self._models.lease(route.model, route.version, route.label) as served:
                reply(HttpResponse(status=200, body=write_metadata(served)))
        elif route.verb == "status":
            reply(HttpResponse(status=200, body=write_status(self._models.statuses(route.model, route.version))))
        else:
            start = partial(self._predictions.start, route, request, self._clock_us())
            self._request_metrics.measure(start, model=route.model, verb=route.verb, reply=reply)
