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

from monitoring.dashboard.api.calls import NotFound
from monitoring.dashboard.api.change_documents import (
    ActionRequest,
    LabelsRequest,
    NewNormalRequest,
    RangeRequest,
    RunActionRequest,
    UndoRequest,
    error_document,
)
from monitoring.dashboard.api.changes import ApiChanges
from monitoring.dashboard.api.operations import MOST, OPERATIONS, PAGE, Operation, openapi_document
from monitoring.dashboard.view.requests import body_of, place_of
from monitoring.documents.document import Document
from monitoring.documents.incident import IncidentDocument, IncidentsDocument
from monitoring.errors import AnotherRun, BadInput, PitfallsError
from monitoring.records import IncidentAction
from monitoring.traffic.foreign_logs.cloud_events import events_of
from monitoring.watches.descriptions import printable

#: Far more than an action needs.
MOST_BODY_BYTES = 65_536

#: Where CloudEvents are sent to, which are no documents of this API.
EVENTS = "/events/{name}"

#: Some hundred thousand labels.
MOST_LABELS_BYTES = 16 << 20


class Api:
    """The API's answers. `changeable`: whether it takes changes: a dashboard without a token takes none."""

    def __init__(self, changes: Callable[[], ApiChanges], *, changeable: bool) -> None:
        self._changes = changes
        self._changeable = changeable

    def app(self) -> Starlette:
        """The ASGI application; its paths are those of `OPERATIONS`, and `/openapi.json`."""
        routes = [
            Route(
                _typed(operation.path), partial(self.answer, operation), methods=[operation.method], name=operation.name
            )
            for operation in OPERATIONS
        ]
        return Starlette(
            routes=[*routes, Route(EVENTS, self.events, methods=["POST"]), Route("/openapi.json", _description)],
            exception_handlers={PitfallsError: _failed, HTTPException: _refused},
        )

    async def answer(self, operation: Operation, request: Request) -> Response:
        """Answers one request."""
        if operation.body is not None:
            return await self._change(operation, request)
        document = await run_in_threadpool(self._read, operation.name, request)
        if isinstance(document, IncidentDocument | IncidentsDocument) and not request.state.may_see_rows:
            document = document.without_rows()
        return JSONResponse(document.plain())

    async def events(self, request: Request) -> Response:
        """Keeps CloudEvents: 202, as their senders expect it."""
        if not self._changeable:
            raise HTTPException(403)
        events = events_of(dict(request.headers), await body_of(request, MOST_LABELS_BYTES))
        await run_in_threadpool(self._changes().keep_events, request.path_params["name"], events)
        return Response(status_code=202)

    def _read(self, name: str, request: Request) -> Document:
        calls, query = self._changes().calls, request.query_params
        before = query.get("before", "")
        match name:
            case "deployments":
                document: Document = calls.deployments(_limit(request), query.get("after", ""))
            case "deployment":
                document = calls.deployment(*place_of(request))
            case "windows":
                document = calls.windows(*place_of(request), _limit(request), before)
            case "window-states":
                document = calls.window_states(*place_of(request), _limit(request))
            case "incidents":
                document = calls.incidents(*place_of(request), _limit(request), before, closed=_closed(request))
            case "incident":
                document = calls.incident(*place_of(request), _count(request, "incident"))
            case "rollouts":
                document = calls.rollouts(*place_of(request), _limit(request))
            case "rollout":
                document = calls.rollout(*place_of(request), _count(request, "rollout"))
            case "label-requests":
                document = calls.label_requests(*place_of(request), _limit(request))
            case _:
                document = calls.runs(*place_of(request), _limit(request))
        return document

    async def _change(self, operation: Operation, request: Request) -> Response:
        """Act on an incident, or change a deployment, as the document says."""
        if not self._changeable:
            raise HTTPException(403)
        assert operation.body is not None  # noqa: S101 - for the type checker: only changes are answered here
        body, place = await _body(request, operation.body), place_of(request)
        document = await run_in_threadpool(_changed, self._changes(), operation, body, place, request)
        return JSONResponse(document.plain())


def _changed(
    changes: ApiChanges, operation: Operation, body: Document, place: tuple[str, int], request: Request
) -> Document:
    match body:
        case RangeRequest():
            return changes.backfill(*place, body)
        case NewNormalRequest():
            return changes.rebaseline(*place, body)
        case UndoRequest():
            return changes.undo_rebaseline(*place, body)
        case LabelsRequest():
            return changes.add_labels(*place, body)
        case RunActionRequest():
            return changes.run_action(*place, _count(request, "incident"), body)
        case ActionRequest() if operation.action is not None:
            action = IncidentAction(
                at=changes.calls.stores.clock(),
                by=body.by,
                kind=operation.action,
                text=body.text.strip(),
                until=body.until,
                until_worse=body.until_worse,
            )
            return changes.calls.act(*place, _count(request, "incident"), action)
    raise AssertionError(operation.name)


def _typed(path: str) -> str:
    """A path with its numbers typed, as Starlette writes them.

    >>> _typed("/deployments/{store}/{number}/incidents/{incident}")
    '/deployments/{store}/{number:count}/incidents/{incident:count}'
    """
    for name in ("number", "incident", "rollout"):
        path = path.replace(f"{{{name}}}", f"{{{name}:count}}")
    return path


def _count(request: Request, name: str) -> int:
    return int(request.path_params[name])


def _limit(request: Request) -> int:
    limit = request.query_params.get("limit", str(PAGE))
    if limit.isascii() and limit.isdigit() and len(limit) < 7 and 1 <= int(limit) <= MOST:
        return int(limit)
    raise BadInput("limit is out of range.", got=printable(limit), expected=f"1 to {MOST:,}", fix="Ask for pages.")


def _closed(request: Request) -> bool:
    state = request.query_params.get("state", "open")
    if state in ("open", "all"):
        return state == "all"
    raise BadInput("There is no such state.", got=printable(state), expected="open or all", fix="Choose one of these.")


async def _body(request: Request, kind: type[Document]) -> Document:
    """The document that a change takes, as JSON: a form of another site cannot send that type."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(415)
    body = await body_of(request, MOST_LABELS_BYTES if kind is LabelsRequest else MOST_BODY_BYTES)
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the body"
        raise BadInput(
            "The document does not fit.",
            got=f"{printable(where)}: {first['msg']}",
            expected=", ".join(kind.model_fields),
            fix="/api/v1/openapi.json describes it.",
        ) from None


async def _description(_request: Request) -> Response:
    return JSONResponse(openapi_document())


async def _failed(_request: Request, error: Exception) -> Response:
    """What is wrong: 404, nothing there; 400, it does not fit; 409, a run is at work; 503, the store fails."""
    assert isinstance(error, PitfallsError)  # noqa: S101 - for the type checker: registered for these alone
    codes = ((NotFound, 404), (BadInput, 400), (AnotherRun, 409))
    code = next((code for kind, code in codes if isinstance(error, kind)), 503)
    return JSONResponse(error_document(error).plain(), code)


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
