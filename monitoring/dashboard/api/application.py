"""The HTTP API as a web application, to be mounted below `/api/v1`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from monitoring.dashboard.api.calls import ApiCalls, NotFound
from monitoring.dashboard.api.openapi import openapi_document
from monitoring.dashboard.api.operations import MOST, OPERATIONS, PAGE, Operation
from monitoring.dashboard.api.resources import ActionRequest, Resource, error_resource
from monitoring.errors import BadInput, PitfallsError
from monitoring.records import IncidentAction
from monitoring.watches.descriptions import printable

#: Far more than an action needs.
MOST_BODY_BYTES = 65_536

_LARGEST = 2**31 - 1


class Api:
    """The API's answers.

    Args:
        calls: Gives what it reads and does, for each request.
        changes: Whether it takes changes: a dashboard without a token takes none.
    """

    def __init__(self, calls: Callable[[], ApiCalls], *, changes: bool) -> None:
        self._calls = calls
        self._changes = changes

    def app(self) -> Starlette:
        """The ASGI application; its paths are those of `OPERATIONS`, and `/openapi.json`."""
        routes = [
            Route(_typed(one.path), partial(self.answer, one), methods=[one.method], name=one.name)
            for one in OPERATIONS
        ]
        return Starlette(
            routes=[*routes, Route("/openapi.json", _description)],
            exception_handlers={PitfallsError: _failed, HTTPException: _refused},
        )

    async def answer(self, operation: Operation, request: Request) -> Response:
        """Answers one request."""
        if operation.action is not None:
            return await self._act(operation, request)
        found = await run_in_threadpool(self._read, operation.name, request)
        return JSONResponse(found.model_dump())

    def _read(self, name: str, request: Request) -> Resource:
        calls, asked = self._calls(), request.query_params
        if name == "deployments":
            return calls.deployments(_limit(request), asked.get("after", ""))
        store, number = _place(request)
        if name == "deployment":
            return calls.deployment(store, number)
        if name == "windows":
            return calls.windows(store, number, _limit(request), asked.get("before", ""))
        if name == "incidents":
            return calls.incidents(store, number, _limit(request), asked.get("before", ""), closed=_closed(request))
        if name == "incident":
            return calls.incident(store, number, _number(request, "incident"))
        return calls.runs(store, number, _limit(request))

    async def _act(self, operation: Operation, request: Request) -> Response:
        if not self._changes:
            raise HTTPException(403)
        asked, calls = await _body(request), self._calls()
        assert operation.action is not None  # noqa: S101 - for the type checker: only actions are answered here
        action = IncidentAction(
            at=calls.clock(),
            by=asked.by,
            kind=operation.action,
            text=asked.text.strip(),
            until=asked.until,
            until_worse=asked.until_worse,
        )
        place = (*_place(request), _number(request, "incident"))
        found = await run_in_threadpool(calls.act, *place, action)
        return JSONResponse(found.model_dump())


def _typed(path: str) -> str:
    """A path with its numbers typed, as Starlette writes them.

    Returns:
        The path.

    >>> _typed("/deployments/{store}/{number}/incidents/{incident}")
    '/deployments/{store}/{number:int}/incidents/{incident:int}'
    """
    return path.replace("{number}", "{number:int}").replace("{incident}", "{incident:int}")


def _place(request: Request) -> tuple[str, int]:
    return request.path_params["store"], _number(request, "number")


def _number(request: Request, name: str) -> int:
    return min(int(request.path_params[name]), _LARGEST)


def _limit(request: Request) -> int:
    asked = request.query_params.get("limit", str(PAGE))
    if asked.isascii() and asked.isdigit() and len(asked) < 7 and 1 <= int(asked) <= MOST:
        return int(asked)
    raise BadInput("limit is out of range.", got=printable(asked), expected=f"1 to {MOST:,}", fix="Ask for pages.")


def _closed(request: Request) -> bool:
    asked = request.query_params.get("state", "open")
    if asked in ("open", "all"):
        return asked == "all"
    raise BadInput("There is no such state.", got=printable(asked), expected="open or all", fix="Choose one of these.")


async def _body(request: Request) -> ActionRequest:
    """The document that an action takes, as JSON: a form of another site cannot send that type."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(415)
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_BODY_BYTES:
            raise HTTPException(413)
    try:
        return ActionRequest.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the body"
        raise BadInput(
            "The document does not fit.",
            got=f"{printable(where)}: {first['msg']}",
            expected="by, and perhaps text, until, until_worse",
            fix="/api/v1/openapi.json describes it.",
        ) from None


async def _description(_request: Request) -> Response:
    return JSONResponse(openapi_document())


async def _failed(_request: Request, error: Exception) -> Response:
    """What is wrong with a request: 404 for what is not there, 400 for what does not fit, 503 where the store fails."""
    assert isinstance(error, PitfallsError)  # noqa: S101 - for the type checker: registered for these alone
    code = 404 if isinstance(error, NotFound) else 400 if isinstance(error, BadInput) else 503
    return JSONResponse(error_resource(error).model_dump(), code)


_REFUSED: dict[int, tuple[str, str]] = {
    403: ("A dashboard without a token takes no changes.", "Start it with --token-file, and send the token."),
    404: ("There is no such path.", "/api/v1/openapi.json lists them."),
    405: ("The path has another method.", "/api/v1/openapi.json lists them."),
    413: ("The document is too large.", "Shorten it, or link to where the rest is."),
    415: ("The body is not JSON.", "Send content-type: application/json."),
}


async def _refused(request: Request, error: Exception) -> Response:
    code = error.status_code if isinstance(error, HTTPException) else 500
    what, fix = _REFUSED.get(code, ("The request was refused.", "Correct it."))
    got = f"{request.method} {request.url.path[:200]}"
    return JSONResponse({"what": what, "got": got, "expected": "another request", "fix": fix}, code)
