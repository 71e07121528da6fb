"""Middleware that refuses what `Access` refuses, and adds the security headers to every answer."""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from monitoring.dashboard.view.access import COOKIE, HEADERS, Access

#: Paths that everybody may ask for: the form for the token, what it looks like, and whether the process is well.
OPEN = ("/sign-in", "/static/", "/health/")

_TEXTS = {
    "host": (421, "This dashboard is not reached by that name. Start it with --allowed-host NAME.\n"),
    "method": (405, "Only GET, HEAD and POST are answered.\n"),
    "origin": (403, "A form of another site is not accepted.\n"),
}

_ONLY_READ = "This token may read, and not act. Sign in with the one that may act.\n"


class Guard:
    """An ASGI application around another one.

    Args:
        app: The application that answers what is not refused.
        access: Who may ask.
    """

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

        refused = self._refused(scope)
        await (self._app if refused is None else refused)(scope, receive, sending)

    def _refused(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        reason = self._access.refusal(scope["method"], headers)
        if reason in _TEXTS:
            code, text = _TEXTS[reason]
            return PlainTextResponse(text, code)
        if scope["path"].startswith(OPEN):
            return None
        role = self._access.role(headers, _cookie(headers))
        if role is not None:
            scope.setdefault("state", {}).update(may_act=role == "act", may_see_rows=role != "read")
            return None if role == "act" or scope["method"] != "POST" else PlainTextResponse(_ONLY_READ, 403)
        if scope["method"] == "GET" and "text/html" in headers.get("accept", ""):
            return RedirectResponse("/sign-in", 303)
        return PlainTextResponse("The token is missing.\n", 401, headers={"www-authenticate": "Bearer realm=pitfalls"})


def _cookie(headers: Headers) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return "" if found is None else found.value
