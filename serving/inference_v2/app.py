"""Answers requests of the Open Inference Protocol."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, final

from serving.inference_v2.descriptions import (
    ModelStatistics,
    describe_config,
    describe_model,
    describe_server,
    list_models,
    list_versions,
)
from serving.inference_v2.infer import InferEndpoint, V2Call
from serving.inference_v2.model_control import ModelControl, check_load
from serving.inference_v2.routes import V2Route, read_route
from serving.models.versions import Models
from serving.status import Code, Failure, InvalidArgument
from serving.transport.http_request import HttpRequest
from serving.transport.http_response import HttpResponse, error_response, write_error
from serving.transport.json_parsing import parse_object
from serving.transport.request_tracing import RequestMetrics

Reply = Callable[[HttpResponse], None]


@final
class InferenceV2:
    """Answers requests in the event loop that `answer` is called in."""

    def __init__(
        self,
        *,
        models: Models,
        infer: InferEndpoint,
        request_metrics: RequestMetrics,
        statistics: ModelStatistics,
        control: ModelControl,
        clock_us: Callable[[], int],
    ) -> None:
        self._models = models
        self._request_metrics = request_metrics
        self._infer = infer
        self._statistics = statistics
        self._clock_us = clock_us
        self._control = control
        self._tasks: set[asyncio.Task[None]] = set()
        self._draining = False

    def drain(self) -> None:
        """Go on answering requests, and answer readiness probes with 503 from now on."""
        self._draining = True

    def answer(self, request: HttpRequest, reply: Reply) -> None:
        """Answer one request.

        Args:
            reply: Called once with the response, now or later.

        Raises:
            Failure: The request is invalid; ``reply`` is not called then.
        """
        route = read_route(request.target)
        if route is None:
            raise Failure(Code.NOT_FOUND, f"There is nothing at {request.target}")
        if request.method != route.method:
            text = f"{request.target} has only the method {route.method}, not {request.method}"
            reply(HttpResponse(405, write_error(text), headers=((b"allow", route.method.encode()),)))
        elif route.page == "infer":
            call = V2Call(route, request.headers, request.body, self._clock_us(), request.identity)
            start = partial(self._infer.start, call)
            self._request_metrics.measure(start, model=route.model, verb="infer", reply=reply)
        elif route.page in {"load", "unload"}:
            self._switch(route, request, reply)
        elif route.page == "stats":
            self._reply_later(self._show_statistics(route), reply)
        else:
            reply(self._page(route, request))

    def _page(self, route: V2Route, request: HttpRequest) -> HttpResponse:
        models = self._models
        match route.page:
            case "live":
                response = _respond({"live": True})
            case "server_ready":
                response = _ready({}, is_ready=models.is_ready and not self._draining)
            case "ready":
                response = _ready({"name": route.model}, is_ready=self._is_ready(route))
            case "metadata":
                with models.lease(route.model, route.version) as served:
                    response = _respond(describe_model(served, models))
            case "config":
                with models.lease(route.model, route.version) as served:
                    described = describe_config(served, models.source(route.model), self._infer.max_batch_rows)
                response = _respond(described)
            case "index":
                only_ready = _only_ready(request.body)
                response = _respond(list_versions(models, only_ready=only_ready))
            case "models":
                response = _respond(list_models(models))
            case _:
                response = _respond(describe_server())
        return response

    def _switch(self, route: V2Route, request: HttpRequest, reply: Reply) -> None:
        """Load or unload a model, which takes time. Raises `Failure` if the client may not."""
        who = self._control.authorize(request.header(b"authorization"))
        if route.page == "load":
            check_load(parse_object(request.body).get("parameters") if request.body else None)
        switch = self._control.load if route.page == "load" else self._control.unload

        async def answer() -> HttpResponse:
            await switch(route.model, who)
            return HttpResponse(200, b"")

        self._reply_later(answer(), reply)

    async def _show_statistics(self, route: V2Route) -> HttpResponse:
        return _respond(await self._statistics.describe(route.model, route.version))

    def _reply_later(self, answering: Awaitable[HttpResponse], reply: Reply) -> None:
        """Send what takes time when it is there, or the `Failure` that it ends with."""

        async def answer() -> None:
            try:
                response = await answering
            except Failure as failure:
                response = error_response(failure)
            reply(response)

        task = asyncio.get_running_loop().create_task(answer())
        self._tasks.add(task)  # the loop holds tasks weakly
        task.add_done_callback(self._tasks.discard)

    def _is_ready(self, route: V2Route) -> bool:
        """Whether a model (or one version of it) is available. Raises `Failure` NOT_FOUND if it is unknown."""
        try:
            with self._models.lease(route.model, route.version):
                return True
        except Failure:
            self._models.statuses(route.model, route.version)  # raises if it is unknown
            return False


def _respond(document: Any, status: int = 200) -> HttpResponse:
    return HttpResponse(status=status, body=json.dumps(document).encode() + b"\n")


def _ready(document: dict[str, Any], *, is_ready: bool) -> HttpResponse:
    return _respond(document | {"ready": is_ready}, 200 if is_ready else 503)


def _only_ready(body: bytes) -> bool:
    wanted = parse_object(body).get("ready", False) if body else False
    if not isinstance(wanted, bool):
        raise InvalidArgument('"ready" must be true or false')
    return wanted
