"""What is asked of an incident: its page, its tables, and what people do with it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from monitoring.dashboard.web.access import WITH_PICTURES, Access
from monitoring.dashboard.web.action_form import KINDS, NOBODY, SNOOZES, action_of, require_sure
from monitoring.dashboard.web.answers import NAME_COOKIE, file_answer, led_to, page_answer, said
from monitoring.dashboard.web.asked import MOST_ACTION_BYTES, form_of, place_of, shown_by, windows_of
from monitoring.dashboard.web.incident_pages import IncidentPages
from monitoring.dashboard.web.pages import WINDOW_CHOICES, Pages
from monitoring.records import ActionKind

#: What somebody is told whose token may not see single rows of the traffic.
NO_ROWS = (
    "This token may not see rows of the traffic.",
    "Sign in with the token that may act, or with one whose line in the token file ends with: read rows",
)


class IncidentEndpoints:
    """Answers what is asked of incidents, and of rows of the traffic.

    Args:
        pages: Gives what the dashboard shows, for each request.
        access: Who may ask.
    """

    def __init__(self, pages: Callable[[], Pages], access: Access) -> None:
        self._current = pages
        self._access = access

    def _incidents(self, request: Request) -> IncidentPages:
        return IncidentPages(pages=shown_by(self._current(), request))

    def routes(self, deployment: str) -> list[Route]:
        """The routes below the path of a deployment."""
        incident = deployment + "/incidents/{incident:int}"
        return [
            Route(incident, self.incident),
            Route(incident + "/tables/{file:path}", self.incident_table),
            Route(deployment + "/outcomes", self.outcomes),
            Route(deployment + "/outcomes/tables/{file:path}", self.outcomes_table),
            Route(incident + "/rows", self.rows),
            Route(incident + "/rows/tables/{file:path}", self.rows_table),
            *(Route(f"{incident}/{kind}", partial(self.act, kind), methods=["POST"]) for kind in KINDS),
            Route(incident + "/run", self.run, methods=["POST"]),
        ]

    async def incident(self, request: Request) -> Response:
        """``/d/SOURCE/NUMBER/incidents/N``: one incident."""
        number = int(request.path_params["incident"])
        view = await run_in_threadpool(self._incidents(request).incident, *place_of(request), number)
        name = unquote(request.cookies.get(NAME_COOKIE, ""))
        asking = request.state
        acting = {
            "may_act": asking.may_act,
            "may_see_rows": asking.may_see_rows,
            "may_run": self._access.token is not None,
        }
        return page_answer("incident", view=view, query="", name=name, snoozes=SNOOZES, **acting)

    async def incident_table(self, request: Request) -> Response:
        """A table of an incident's page."""
        number = int(request.path_params["incident"])
        view = await run_in_threadpool(self._incidents(request).incident, *place_of(request), number, whole=True)
        return file_answer(request, view.tables)

    async def rows(self, request: Request) -> Response:
        """``/d/SOURCE/NUMBER/incidents/N/rows``: the rows of an incident, which are read from the traffic."""
        number = int(request.path_params["incident"])
        if not request.state.may_see_rows:
            return said(NO_ROWS, 403)
        view = await run_in_threadpool(self._incidents(request).rows, *place_of(request), number)
        return page_answer("rows", view=view, headers=WITH_PICTURES)

    async def rows_table(self, request: Request) -> Response:
        """A table of that page."""
        number = int(request.path_params["incident"])
        if not request.state.may_see_rows:
            raise HTTPException(403)
        view = await run_in_threadpool(self._incidents(request).rows, *place_of(request), number, whole=True)
        return file_answer(request, view.tables)

    async def outcomes(self, request: Request) -> Response:
        """``/d/SOURCE/NUMBER/outcomes``: answers against labels in the last windows, read from the traffic."""
        latest = windows_of(request, WINDOW_CHOICES[0])
        view = await run_in_threadpool(self._incidents(request).outcomes, *place_of(request), latest)
        return page_answer("outcomes", view=view, latest=latest, choices=WINDOW_CHOICES, query=f"?windows={latest}")

    async def outcomes_table(self, request: Request) -> Response:
        """A table of that page."""
        latest = windows_of(request, WINDOW_CHOICES[0])
        view = await run_in_threadpool(self._incidents(request).outcomes, *place_of(request), latest)
        return file_answer(request, view.tables)

    async def act(self, kind: ActionKind, request: Request) -> Response:
        """Acts on an incident as a form says, and leads back to its page; the name is kept for the next time."""
        number = int(request.path_params["incident"])
        action = action_of(kind, await form_of(request, MOST_ACTION_BYTES), self._current().clock())
        await run_in_threadpool(self._incidents(request).act, *place_of(request), number, action)
        return led_to(request.url.path.removesuffix(f"/{kind}"), request, action.by)

    async def run(self, request: Request) -> Response:
        """Performs an action of the config, and leads back to the incident's page, whose log has the outcome."""
        form = await form_of(request, MOST_ACTION_BYTES)
        if self._access.token is None:
            raise HTTPException(403)
        require_sure(form)
        by = form.get("by", "").strip() or NOBODY
        number = int(request.path_params["incident"])
        await run_in_threadpool(self._incidents(request).run, *place_of(request), number, (form.get("name", ""), by))
        return led_to(request.url.path.removesuffix("/run"), request, by)
