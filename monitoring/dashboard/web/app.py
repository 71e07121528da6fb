"""The dashboard as a web application: the addresses of every subject behind one guard."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from threading import Event

from starlette.applications import Starlette
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
from monitoring.dashboard.deployment.endpoints import deployment_routes
from monitoring.dashboard.drills.endpoints import drill_routes
from monitoring.dashboard.incident.endpoints import IncidentEndpoints
from monitoring.dashboard.overview.endpoints import overview_routes
from monitoring.dashboard.rebaseline.endpoints import rebaseline_routes
from monitoring.dashboard.rebaseline.form import Rebaselining
from monitoring.dashboard.view.access import COOKIE, Access, cookie_of
from monitoring.dashboard.view.endpoint import GetStores
from monitoring.dashboard.view.rendering import STATIC, render, static_text
from monitoring.dashboard.view.requests import form_of
from monitoring.dashboard.view.responses import failed, refused
from monitoring.dashboard.web.guard import Guard
from monitoring.dashboard.web.live import Changes
from monitoring.errors import PitfallsError
from monitoring.jobs.rebaseline.one_at_a_time import OneAtATime
from monitoring.watches.embedding import Embedder

#: Beyond so many bytes an answer is compressed.
_COMPRESSED_FROM = 2048


def dashboard_app(stores: GetStores, access: Access, changes: Changes, embedder: Embedder | None = None) -> Starlette:
    """The dashboard as an ASGI application.

    Args:
        stores: Gives the stores that it shows, for each request.
        access: Who may ask.
        changes: When open pages are out of date.
        embedder: Makes the function that embeds tensors for a new baseline; None where there is no framework for it.

    Returns:
        The application. When its server ends, a backfill that somebody asked for stops between two windows.
    """
    stopping, one_at_a_time = Event(), OneAtATime()

    def api_changes() -> ApiChanges:
        return ApiChanges(
            calls=ApiCalls(stores=stores()), stop=stopping.is_set, one_at_a_time=one_at_a_time, embedder=embedder
        )

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        stopping.set()

    return Starlette(
        routes=[
            *overview_routes(stores),
            *deployment_routes(stores),
            *IncidentEndpoints(stores, access).routes(),
            *drill_routes(stores),
            *rebaseline_routes(Rebaselining(stores, one_at_a_time, embedder)),
            *_service_routes(access, changes),
            Mount(PREFIX, app=Api(api_changes, changeable=access.token is not None).app()),
        ],
        middleware=[
            Middleware(Guard, access=access),
            Middleware(GZipMiddleware, minimum_size=_COMPRESSED_FROM, compresslevel=5),
        ],
        exception_handlers={PitfallsError: failed, HTTPException: refused},
        lifespan=lifespan,
    )


def _service_routes(access: Access, changes: Changes) -> list[Route]:
    """The addresses that show no deployment: an event at every change, files, health, and the form for the token."""

    async def live(_request: Request) -> Response:
        return StreamingResponse(changes.events(), media_type="text/event-stream")

    async def healthy(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def static(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in STATIC:
            raise HTTPException(404)
        headers = {"cache-control": "max-age=300", "content-type": STATIC[name]}
        return Response(static_text(name), headers=headers)

    async def sign_in(request: Request) -> Response:
        if request.method == "GET":
            return HTMLResponse(render("sign_in", wrong=False))
        token = (await form_of(request)).get("token", "").strip()
        if access.role_of(token) is None:
            return HTMLResponse(render("sign_in", wrong=True), 403)
        response = RedirectResponse("/", 303)
        secure = request.url.scheme == "https"
        response.set_cookie(COOKIE, cookie_of(token), httponly=True, samesite="lax", secure=secure)
        return response

    return [
        Route("/live", live),
        Route("/health/live", healthy),
        Route("/static/{name}", static),
        Route("/sign-in", sign_in, methods=["GET", "POST"]),
    ]
