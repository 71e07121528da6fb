"""The HTTP interface: finds who answers a request, and hands the answer on."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, final

from serving.inference.inference import wall_clock_us
from serving.inference.request_ids import RequestIds
from serving.inference_v2.app import InferenceV2
from serving.inference_v2.routes import is_v2
from serving.metrics.metrics import Metrics
from serving.rest.calls import PredictionEndpoint, RestCall
from serving.rest.descriptions import write_metadata, write_status
from serving.rest.routes import is_ours, malformed, read_route
from serving.server.labels_endpoint import LabelsEndpoint
from serving.status import Failure
from serving.transport.bodies import BodyTooLarge, read_body
from serving.transport.http_response import TEXT, HttpResponse, error_response, too_large
from serving.transport.http_settings import HttpSettings
from serving.transport.limits import ConnectionLimiter, room_for_connections
from serving.transport.request_metrics import RequestMetrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from serving.capture.capture import Capture
    from serving.inference.inference import Inference
    from serving.models.versions import Models
    from serving.server.peers import Gather
    from serving.transport.http_request import HttpRequest

    Reply = Callable[[HttpResponse], None]

LABELS_PATH = "/monitor/labels"
NOT_FOUND = b"Not found: the models are at /v1/models/NAME and /v2/models/NAME\n"
ORIGIN = re.compile(rb"https?://.*", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpDependencies:
    """What the interface stands on."""

    models: Models
    inference: Inference
    capture: Capture
    desk: LabelsEndpoint = field(default_factory=LabelsEndpoint)
    metrics: Metrics = field(default_factory=Metrics)
    gather: Gather | None = None
    """Adds up the metrics of several processes; None where there is one."""

    def metrics_page(self) -> str:
        """This process's metrics as Prometheus text."""
        return self.metrics.page(self.capture.counts())


@final
class HttpApp:
    """Answers requests, one at a time or many, in the event loop that `answer` is called in.

    ``drain`` makes it say that it is not ready any more; it goes on answering.
    """

    def __init__(
        self,
        rooms: HttpDependencies,
        settings: HttpSettings | None = None,
        *,
        clock_us: Callable[[], int] = wall_clock_us,
        ids: RequestIds | None = None,
    ) -> None:
        self._rooms = rooms
        self._settings = settings or HttpSettings()
        self.crowd = ConnectionLimiter(
            most=self._settings.connections or room_for_connections(), most_held=self._settings.held_bytes
        )
        self._clock_us = clock_us
        ids = ids or RequestIds()
        self._counting = RequestMetrics(models=rooms.models, metrics=rooms.metrics)
        self._calls = PredictionEndpoint(models=rooms.models, inference=rooms.inference, ids=ids)
        self._v2 = InferenceV2(
            models=rooms.models,
            inference=rooms.inference,
            counting=self._counting,
            ids=ids,
            clock_us=clock_us,
            body_bytes=self._settings.body_bytes,
        )
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def settings(self) -> HttpSettings:
        """What it allows."""
        return self._settings

    def drain(self) -> None:
        """Answer what comes, but tell whoever asks for readiness to send no more."""
        self._v2.drain()

    def answer(self, request: HttpRequest, reply: Reply) -> None:
        """Answer one request: ``reply`` is called with the response, now or later.

        No task waits for the model: a task needs a future and further turns of the loop, for every request.
        """
        try:
            if is_ours(request.target):
                self._model(request, reply)
            elif is_v2(request.target):
                self._v2.answer(request, reply)
            elif request.method == "GET" and request.target == self._settings.metrics_path:
                self._show_metrics(reply)
            else:
                reply(self._other(request))
        except Failure as failure:
            reply(error_response(failure))
        except BodyTooLarge:
            reply(too_large(self._settings.body_bytes))

    def _other(self, request: HttpRequest) -> HttpResponse:
        """Metrics and labels: what TensorFlow Serving does not have, or has elsewhere."""
        method, path = request.method, request.target
        if path == LABELS_PATH and method == "POST":
            return self._rooms.desk.take(request.headers, read_body(request, self._settings.body_bytes))
        if path in {LABELS_PATH, self._settings.metrics_path}:
            raise malformed(method, path)
        return HttpResponse(status=404, body=NOT_FOUND, content_type=TEXT)

    def _show_metrics(self, reply: Reply) -> None:
        page = self._rooms.metrics_page()
        gather = self._rooms.gather
        if gather is None:
            reply(HttpResponse(status=200, body=page.encode(), content_type=TEXT))
            return

        async def answer() -> None:
            reply(HttpResponse(status=200, body=(await gather(page)).encode(), content_type=TEXT))

        task = asyncio.get_running_loop().create_task(answer())
        self._tasks.add(task)  # a task that nobody holds may be thrown away before it ends
        task.add_done_callback(self._tasks.discard)

    def _model(self, request: HttpRequest, reply: Reply) -> None:
        if request.method == "OPTIONS":
            is_web = ORIGIN.fullmatch(request.header(b"origin")) is not None
            reply(HttpResponse(status=200 if is_web else 400, body=b""))
            return
        body = read_body(request, self._settings.body_bytes)
        route = read_route(request.method, request.target)
        if route.verb == "metadata":
            with self._rooms.models.lease(route.model, route.version, route.label) as served:
                reply(HttpResponse(status=200, body=write_metadata(served)))
        elif route.verb == "status":
            reply(HttpResponse(status=200, body=write_status(self._rooms.models.statuses(route.model, route.version))))
        else:
            call = RestCall(route, request.headers, body, self._clock_us())
            self._counting.run(partial(self._calls.start, call), model=route.model, verb=route.verb, reply=reply)
