"""Middleware that refuses what `Access` refuses, and adds the security headers to every answer."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from monitoring.dashboard.access.access import COOKIE, HEADERS, Access, bearer_of
from monitoring.dashboard.access.cookies import cookie_of

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
            scope.setdefault("state", {}).update(may_act=role == "act", may_see_rows=role != "read")
            return None if role == "act" or scope["method"] != "POST" else PlainTextResponse(_ONLY_READ, 403)
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
