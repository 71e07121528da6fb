"""The dashboard as a web application: addresses, answers, and forms that work without a script."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from threading import Event
from typing import Any
from urllib.parse import unquote, urlencode

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route

from monitoring.dashboard.api.application import Api
from monitoring.dashboard.api.calls import ApiCalls
from monitoring.dashboard.api.changes import ApiChanges
from monitoring.dashboard.api.openapi import PREFIX
from monitoring.dashboard.views.candidates import Question
from monitoring.dashboard.views.inputs import InputsView
from monitoring.dashboard.views.overview import overview_table
from monitoring.dashboard.views.rebaseline import RebaselineForm
from monitoring.dashboard.views.standing import STATES
from monitoring.dashboard.web.access import COOKIE, Access, cookie_of
from monitoring.dashboard.web.answers import (
    NAME_COOKIE,
    failed,
    file_answer,
    led_to,
    page_answer,
    refused,
    table_answer,
)
from monitoring.dashboard.web.asked import (
    MOST_ACTION_BYTES,
    form_of,
    incident_of,
    place_of,
    question_of,
    shown_by,
    sides_of,
    windows_of,
)
from monitoring.dashboard.web.drill_endpoints import DrillEndpoints
from monitoring.dashboard.web.guard import Guard
from monitoring.dashboard.web.incident_endpoints import IncidentEndpoints
from monitoring.dashboard.web.live import Changes
from monitoring.dashboard.web.pages import WINDOW_CHOICES, Pages
from monitoring.dashboard.web.rebaselining import Rebaselining, rebaseline_form
from monitoring.dashboard.web.rendering import STATIC, render, static_text
from monitoring.dashboard.web.window_endpoints import WindowEndpoints
from monitoring.errors import PitfallsError
from monitoring.jobs.rebaseline.one_at_a_time import OneAtATime
from monitoring.watches.embedding import Embedder

#: Beyond so many bytes an answer is compressed.
_COMPRESSED_FROM = 2048


class Dashboard:
    """The dashboard's answers.

    Args:
        pages: Gives what it shows, for each request.
        access: Who may ask.
        changes: When open pages are out of date.
        embedder: Makes the function that embeds tensors for a new baseline; None where there is no framework for it.
    """

    def __init__(
        self, pages: Callable[[], Pages], access: Access, changes: Changes, embedder: Embedder | None = None
    ) -> None:
        self._current = pages
        self._one_at_a_time = OneAtATime()
        self._rebaselining = Rebaselining(pages, self._one_at_a_time, embedder)
        self._embedder = embedder
        self._stopping = Event()
        self._incidents = IncidentEndpoints(pages, access)
        self._access = access
        self._changes = changes

    def _pages(self, request: Request) -> Pages:
        return shown_by(self._current(), request)

    def _api_changes(self) -> ApiChanges:
        pages = self._current()
        calls = ApiCalls(sources=pages.sources, clock=pages.clock)
        return ApiChanges(
            calls=calls, stop=self._stopping.is_set, one_at_a_time=self._one_at_a_time, embedder=self._embedder
        )

    def app(self) -> Starlette:
        """The ASGI application."""
        deployment = "/d/{source}/{number:int}"
        routes = [
            Route("/", self.overview),
            Route("/overview.{kind}", self.overview_table),
            Route("/jobs", self.jobs),
            Route("/jobs/tables/{file:path}", self.jobs_table),
            Route("/live", self.live),
            Route("/metrics", self.metrics),
            Route("/health/live", self.healthy),
            Route("/health/ready", self.ready),
            Mount(PREFIX, app=Api(self._api_changes, changeable=self._access.token is not None).app()),
            Route("/sign-in", self.sign_in, methods=["GET", "POST"]),
            Route("/static/{name}", self.static),
            Route(deployment, self.deployment),
            Route(deployment + "/tables/{file:path}", self.deployment_table),
            Route(deployment + "/inputs", self.inputs),
            Route(deployment + "/inputs/tables/{file:path}", self.inputs_table),
            Route(deployment + "/input", self.input),
            Route(deployment + "/input/tables/{file:path}", self.input_table),
            Route(deployment + "/compare", self.compare),
            Route(deployment + "/compare/tables/{file:path}", self.compare_table),
            Route(deployment + "/runs", self.runs),
            Route(deployment + "/runs/tables/{file:path}", self.runs_table),
            *self._incidents.routes(deployment),
            Route(deployment + "/rebaseline", self.rebaseline, methods=["GET", "POST"]),
            *WindowEndpoints(self._current).routes(deployment),
            *DrillEndpoints(self._current).routes(deployment),
        ]
        return Starlette(
            routes=routes,
            middleware=[
                Middleware(Guard, access=self._access),
                Middleware(GZipMiddleware, minimum_size=_COMPRESSED_FROM, compresslevel=5),
            ],
            exception_handlers={PitfallsError: failed, HTTPException: refused},
            lifespan=self._lifespan,
        )

    @asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        """While the server runs; at its end a backfill that somebody asked for stops between two windows."""
        yield
        self._stopping.set()

    async def overview(self, request: Request) -> Response:
        """``/``: every deployment, worst first."""
        view = await run_in_threadpool(self._pages(request).overview, question_of(request))
        return page_answer("wall" if view.question.wall else "overview", view=view, states=STATES, link=_link)

    async def overview_table(self, request: Request) -> Response:
        """``/overview.csv`` and ``/overview.parquet``: the rows of the overview's page."""
        view = await run_in_threadpool(self._pages(request).overview, question_of(request))
        return table_answer(overview_table(view.rows), request.path_params["kind"])

    async def metrics(self, request: Request) -> Response:
        """``/metrics``: every deployment for Prometheus, which sends the token as a bearer token."""
        return Response(await run_in_threadpool(self._current().metrics), media_type=CONTENT_TYPE_LATEST)

    async def healthy(self, request: Request) -> Response:
        """``/health/live``: the process answers."""
        return PlainTextResponse("ok\n")

    async def ready(self, request: Request) -> Response:
        """``/health/ready``: there is something to show; 503 where no config or store can be read."""
        ready = await run_in_threadpool(self._current().ready)
        return PlainTextResponse("ok\n" if ready else "no config or store can be read\n", 200 if ready else 503)

    async def deployment(self, request: Request) -> Response:
        """``/d/SOURCE/NUMBER``: one deployment."""
        latest = windows_of(request)
        view = await run_in_threadpool(self._pages(request).deployment, *place_of(request), latest)
        return page_answer("deployment", view=view, latest=latest, choices=WINDOW_CHOICES, query=f"?windows={latest}")

    async def deployment_table(self, request: Request) -> Response:
        """A table of a deployment's page; that of the windows is read without the others."""
        if request.path_params["file"].rpartition(".")[0] == "windows":
            table = await run_in_threadpool(self._pages(request).windows_table, *place_of(request), windows_of(request))
            return file_answer(request, (table,))
        view = await run_in_threadpool(
            self._pages(request).deployment, *place_of(request), windows_of(request), whole=True
        )
        return file_answer(request, view.tables)

    async def inputs(self, request: Request) -> Response:
        """``/d/SOURCE/NUMBER/inputs``: the inputs of one deployment, worst first."""
        latest, asked = windows_of(request), question_of(request)
        view = await run_in_threadpool(
            self._pages(request).inputs, *place_of(request), latest, (asked.text, asked.page)
        )
        link = partial(inputs_link, view, latest)
        query = link().removeprefix(view.address)
        return page_answer("inputs", view=view, latest=latest, choices=WINDOW_CHOICES, link=link, query=query)

    async def inputs_table(self, request: Request) -> Response:
        """A table of that page, with all windows that are shown."""
        asked, place = question_of(request), place_of(request)
        extent = (windows_of(request), (asked.text, asked.page))
        view = await run_in_threadpool(self._pages(request).inputs, *place, *extent, whole=True)
        return file_answer(request, view.tables)

    async def input(self, request: Request) -> Response:
        """``/d/SOURCE/NUMBER/input?of=KEY``: one input."""
        latest, key = windows_of(request), request.query_params.get("of", "")
        view = await run_in_threadpool(self._pages(request).input, *place_of(request), key, latest)
        query = f"?{urlencode({'of': key, 'windows': latest})}"
        return page_answer("input", view=view, latest=latest, choices=WINDOW_CHOICES, query=query)

    async def input_table(self, request: Request) -> Response:
        """A table of that page, with all windows that are shown."""
        latest, key = windows_of(request), request.query_params.get("of", "")
        view = await run_in_threadpool(self._pages(request).input, *place_of(request), key, latest, whole=True)
        return file_answer(request, view.tables)

    async def compare(self, request: Request) -> Response:
        """``/d/SOURCE/NUMBER/compare?a=START&b=START``: two windows, or a window and the baseline."""
        view = await run_in_threadpool(self._pages(request).compare, *place_of(request), *sides_of(request))
        query = f"?{urlencode({'a': view.a.key, 'b': view.b.key})}"
        return page_answer("compare", view=view, query=query)

    async def compare_table(self, request: Request) -> Response:
        """A table of that page."""
        view = await run_in_threadpool(self._pages(request).compare, *place_of(request), *sides_of(request))
        return file_answer(request, view.tables)

    async def runs(self, request: Request) -> Response:
        """``/d/SOURCE/NUMBER/runs``: the runs and notifications of one deployment."""
        view = await run_in_threadpool(self._pages(request).runs, *place_of(request))
        return page_answer("runs", view=view)

    async def runs_table(self, request: Request) -> Response:
        """A table of that page, with all runs or notifications that are kept."""
        view = await run_in_threadpool(self._pages(request).runs, *place_of(request), whole=True)
        return file_answer(request, view.tables)

    async def jobs(self, request: Request) -> Response:
        """``/jobs``: runs, notifications and configs of all deployments."""
        failed = request.query_params.get("failed") == "1"
        view = await run_in_threadpool(self._pages(request).jobs, failed=failed)
        return page_answer("jobs", view=view, query="?failed=1" if failed else "")

    async def jobs_table(self, request: Request) -> Response:
        """A table of that page, with more rows."""
        failed = request.query_params.get("failed") == "1"
        return file_answer(
            request, (await run_in_threadpool(self._pages(request).jobs, failed=failed, whole=True)).tables
        )

    async def rebaseline(self, request: Request) -> Response:
        """``/d/SOURCE/NUMBER/rebaseline?incident=N``: makes windows the new normal, or the former baseline again."""
        place, incident = place_of(request), incident_of(request)
        if request.method == "GET":
            asked = RebaselineForm(by=unquote(request.cookies.get(NAME_COOKIE, "")))
            view = await run_in_threadpool(self._rebaselining.view, place, incident, asked)
            return page_answer("rebaseline", view=view, may_act=request.state.may_act)
        fields = await form_of(request, MOST_ACTION_BYTES)
        form, undo = rebaseline_form(fields), fields.get("undo") == "yes"
        change = self._rebaselining.undo if undo else self._rebaselining.make
        try:
            await run_in_threadpool(change, place, form)
        except PitfallsError as error:
            view = await run_in_threadpool(self._rebaselining.view, place, incident, form)
            view = replace(view, problem=tuple(str(error).splitlines()))
            return page_answer("rebaseline", 400, view=view, may_act=True)
        return led_to(f"{request.url.path}?{request.url.query}", request, form.by.strip())

    async def live(self, request: Request) -> Response:
        """``/live``: an event whenever something has changed."""
        events: AsyncIterator[str] = self._changes.events()
        return StreamingResponse(events, media_type="text/event-stream")

    async def static(self, request: Request) -> Response:
        """``/static/NAME``: the style sheet, the script, the icon."""
        name = request.path_params["name"]
        if name not in STATIC:
            raise HTTPException(404)
        headers = {"cache-control": "max-age=300", "content-type": STATIC[name]}
        return Response(static_text(name), headers=headers)

    async def sign_in(self, request: Request) -> Response:
        """``/sign-in``: a form for the token, which becomes a cookie."""
        wrong = False
        if request.method == "POST":
            given = (await form_of(request)).get("token", "")
            if self._access.role_of(given.strip()) is not None:
                answer = RedirectResponse("/", 303)
                secure = request.url.scheme == "https"
                answer.set_cookie(COOKIE, cookie_of(given.strip()), httponly=True, samesite="lax", secure=secure)
                return answer
            wrong = True
        return HTMLResponse(render("sign_in", wrong=wrong), 403 if wrong else 200)


def _link(question: Question, **changed: Any) -> str:
    """The address of the overview with a changed question."""
    kept = {"q": question.text, "state": question.state, "group": question.group}
    asked = {**kept, "team": question.team, "tag": question.tag, "page": "", **changed}
    query = urlencode({name: value for name, value in asked.items() if value})
    return f"/?{query}" if query else "/"


def inputs_link(view: InputsView, latest: int, **changed: Any) -> str:
    """The address of a deployment's inputs with a changed question."""
    asked = {"windows": latest, "q": view.text, "page": view.page if view.page > 1 else "", **changed}
    return f"{view.address}?{urlencode({name: value for name, value in asked.items() if value})}"
