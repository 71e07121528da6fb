"""The dashboard as a web application: the addresses of every subject behind one guard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from threading import Event
from typing import Final

from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from monitoring.dashboard.access.access import COOKIE, HEADERS, SESSION_SECONDS, Access, bearer_of, cookie_of
from monitoring.dashboard.access.tokens import digest_of, role_of
from monitoring.dashboard.api.application import EVENTS, Api
from monitoring.dashboard.api.calls import ApiCalls
from monitoring.dashboard.api.changes import ApiChanges
from monitoring.dashboard.api.operations import PREFIX
from monitoring.dashboard.deployment.endpoints import deployment_routes
from monitoring.dashboard.drills import drill_routes
from monitoring.dashboard.incident.endpoints import IncidentEndpoints
from monitoring.dashboard.labels.door import LabelWriters
from monitoring.dashboard.labels.endpoints import label_routes
from monitoring.dashboard.labels.labelling import Labelling
from monitoring.dashboard.overview.endpoints import overview_routes
from monitoring.dashboard.rebaseline import Rebaselining, rebaseline_routes
from monitoring.dashboard.rollouts.endpoints import rollout_routes
from monitoring.dashboard.view.endpoint import GetStores
from monitoring.dashboard.view.requests import form_of
from monitoring.dashboard.view.responses import STATIC, came_encrypted, failed, page_answer, refused, static_text
from monitoring.errors import PitfallsError
from monitoring.onboarding.rebaseline import OneAtATime
from monitoring.watches.embedding import Embedder

#: Paths that everybody may ask for: the form for the token, what it looks like, and whether the process is well.
OPEN = ("/sign-in", "/sign-out", "/static/", "/health/")

_TEXTS = {
    "host": (421, "This dashboard is not reached by that name. Start it with --allowed-host NAME.\n"),
    "method": (405, "Only GET, HEAD and POST are answered.\n"),
    "origin": (403, "A form of another site is not accepted.\n"),
    "site": (403, "Other sites may link to the dashboard, and not show parts of it.\n"),
}

#: What is answered while many wrong tokens wait.
TOO_MANY = "Too many wrong tokens wait for their answer.\n"

_BEARER = {"www-authenticate": "Bearer realm=pitfalls"}

_EVENTS = f"{PREFIX}{EVENTS}".partition("{")[0]

_ONLY_EVENTS = "This token may send events of the traffic, and nothing else.\n"

_ONLY_READ = "This token may read, and not act. Sign in with the one that may act.\n"


class Guard:
    """An ASGI application around another one."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        refused = await self._refused(scope)
        await (self._app if refused is None else refused)(scope, receive, sending)

    async def _refused(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        reason = self._access.refusal(scope["method"], headers)
        if reason is not None:
            code, text = _TEXTS[reason]
            return PlainTextResponse(text, code)
        if scope["path"].startswith(OPEN):
            return None
        role = self._access.role(headers, cookie_of(headers, COOKIE))
        if role is not None:
            scope.setdefault("state", {}).update(may_act=role == "act", may_see_rows=role in {"rows", "act"})
            if role == "events":
                may, text = scope["method"] == "POST" and scope["path"].startswith(_EVENTS), _ONLY_EVENTS
            else:
                may, text = role == "act" or scope["method"] != "POST", _ONLY_READ
            return None if may else PlainTextResponse(text, 403)
        if bearer_of(headers):
            return await self._wrong(scope)
        if scope["method"] == "GET" and "text/html" in headers.get("accept", ""):
            return RedirectResponse("/sign-in", 303)
        return PlainTextResponse("The token is missing.\n", 401, headers=_BEARER)

    async def _wrong(self, scope: Scope) -> Response:
        if await self._access.wrong_tokens.answered(peer_of(scope), scope["path"]):
            return PlainTextResponse("That is not a token of this dashboard.\n", 401, headers=_BEARER)
        return PlainTextResponse(TOO_MANY, 429, headers={"retry-after": "60"})


def peer_of(scope: Scope) -> str:
    """The address that a request came from."""
    client = scope.get("client")
    return str(client[0]) if client else "an unknown address"


#: Beyond so many bytes an answer is compressed.
_COMPRESSED_FROM = 2048


def dashboard_app(stores: GetStores, access: Access, changes: Changes, embedder: Embedder | None = None) -> Starlette:
    """The dashboard as an ASGI application.

    Args:
        embedder: Makes the function that embeds tensors for a new baseline; None where there is no framework for it.
    """
    stopping, one_at_a_time, writers = Event(), OneAtATime(), LabelWriters()

    def api_changes() -> ApiChanges:
        return ApiChanges(
            calls=ApiCalls(stores=stores()),
            stop=stopping.is_set,
            one_at_a_time=one_at_a_time,
            embedder=embedder,
            writers=writers,
        )

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        stopping.set()
        writers.close()

    return Starlette(
        routes=[
            *overview_routes(stores),
            *deployment_routes(stores),
            *IncidentEndpoints(stores, access).routes(),
            *drill_routes(stores),
            *rollout_routes(stores),
            *label_routes(stores, Labelling(writers)),
            *rebaseline_routes(Rebaselining(stores, one_at_a_time, embedder)),
            *_service_routes(changes),
            *_sign_in_routes(access),
            Mount(PREFIX, app=Api(api_changes, changeable=access.tokens is not None).app()),
        ],
        middleware=[
            Middleware(Guard, access=access),
            Middleware(GZipMiddleware, minimum_size=_COMPRESSED_FROM, compresslevel=5),
        ],
        exception_handlers={PitfallsError: failed, HTTPException: refused},
        lifespan=lifespan,
    )


def _service_routes(changes: Changes) -> list[Route]:
    """The addresses that show no deployment: an event at every change, files, and health."""

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

    return [Route("/live", live), Route("/health/live", healthy), Route("/static/{name}", static)]


def _sign_in_routes(access: Access) -> list[Route]:
    """``/sign-in`` and ``/sign-out``: a browser's session begins with a token, and ends."""

    async def sign_in(request: Request) -> Response:
        cookie = cookie_of(request.headers, COOKIE)
        if request.method == "GET" or access.tokens is None:
            return page_answer("sign_in", wrong=False, role=access.role({}, cookie), open=access.tokens is None)
        digest = digest_of((await form_of(request)).get("token", "").strip())
        if role_of(digest, access.tokens()) is None:
            if not await access.wrong_tokens.answered(peer_of(request.scope), request.url.path):
                return PlainTextResponse(TOO_MANY, 429, headers={"retry-after": "60"})
            return page_answer("sign_in", 403, wrong=True, role=None, open=False)
        access.sessions.end(cookie)
        response = RedirectResponse("/", 303)
        response.set_cookie(
            COOKIE,
            access.sessions.begin(digest),
            max_age=SESSION_SECONDS,
            httponly=True,
            samesite="lax",
            secure=came_encrypted(request),
        )
        return response

    async def sign_out(request: Request) -> Response:
        access.sessions.end(cookie_of(request.headers, COOKIE))
        response = RedirectResponse("/sign-in", 303)
        response.delete_cookie(COOKIE, httponly=True, samesite="lax", secure=came_encrypted(request))
        return response

    return [Route("/sign-in", sign_in, methods=["GET", "POST"]), Route("/sign-out", sign_out, methods=["POST"])]


#: Seconds between two looks, and between two signs of life on a silent connection.
LOOK_SECONDS: Final = 5.0
ALIVE_SECONDS: Final = 25.0


class Changes:
    """Tells every open page when something in the stores has changed.

    Args:
        look: Returns a text that changes with the stores; called in a thread.
    """

    def __init__(self, look: Callable[[], str], seconds: float = LOOK_SECONDS) -> None:
        self._look = look
        self._seconds = seconds
        self._changed = asyncio.Condition()
        self._number = 0
        self._open = 0
        self._task: asyncio.Task[None] | None = None

    @property
    def watched(self) -> bool:
        """Whether a page is open, and the stores are looked at."""
        return self._task is not None

    async def events(self, alive: float = ALIVE_SECONDS) -> AsyncIterator[str]:
        """Events for one page, until it is closed. Yields server-sent events: ``changed``, or a comment.

        Args:
            alive: Seconds after which a silent connection gets a comment.
        """
        self._open += 1
        if self._task is None:
            self._task = asyncio.create_task(self._watch())
        number = self._number
        try:
            yield "retry: 5000\n\n"
            while True:
                if await self._next(number, alive):
                    number = self._number
                    yield f"event: changed\ndata: {number}\n\n"
                else:
                    yield ": alive\n\n"
        finally:
            self._open -= 1
            if not self._open and self._task is not None:
                self._task.cancel()
                self._task = None

    async def _next(self, number: int, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait_for(lambda: self._number != number)
        except TimeoutError:
            return False
        return True

    async def _watch(self) -> None:
        before = await asyncio.to_thread(self._look)
        while True:
            await asyncio.sleep(self._seconds)
            now = await asyncio.to_thread(self._look)
            if now != before:
                before = now
                async with self._changed:
                    self._number += 1
                    self._changed.notify_all()
