"""The addresses of an incident: its view, its rows, what people do with it, and a deployment's outcomes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from monitoring.actions.perform import perform
from monitoring.dashboard.access.access import WITH_PICTURES, Access, cookie_of
from monitoring.dashboard.incident.incident import IncidentView, read_incident
from monitoring.dashboard.incident.labelled import LabelledView, read_outcomes_since, read_subgroups_since
from monitoring.dashboard.incident.outcomes import KeptReadings, OutcomesPage, read_outcomes_page
from monitoring.dashboard.incident.rows import RowsView, read_rows
from monitoring.dashboard.stores.stores import StoredDeployment, Stores, existing
from monitoring.dashboard.stores.telling import tell
from monitoring.dashboard.view.endpoint import GetStores, Turns, ViewEndpoint, shown_to
from monitoring.dashboard.view.requests import (
    DEPLOYMENT,
    MOST_ACTION_BYTES,
    WINDOW_CHOICES,
    form_of,
    place_of,
    windows_of,
)
from monitoring.dashboard.view.responses import (
    KINDS,
    NAME_COOKIE,
    NOBODY,
    SNOOZES,
    action_of,
    led_to,
    page_answer,
    require_sure,
)
from monitoring.records import ActionKind

INCIDENT = f"{DEPLOYMENT}/incidents/{{incident:count}}"

#: What somebody is told whose token may not see single rows of the traffic.
NO_ROWS = (
    "This token may not see rows of the traffic.\n"
    "Sign in with the token that may act, or with one whose line in the token file ends with: read rows"
)


class IncidentEndpoints:
    """Answers what is asked of incidents, and of rows of the traffic."""

    def __init__(self, stores: GetStores, access: Access) -> None:
        self._stores = stores
        self._access = access
        self._readings = KeptReadings()

    def routes(self) -> list[Route]:
        """The routes of incidents and of outcomes."""
        turns = Turns()
        views: list[ViewEndpoint[Any]] = [
            ViewEndpoint(path=INCIDENT, stores=self._stores, read=_read_incident, show=self._show_incident),
            ViewEndpoint(
                path=f"{INCIDENT}/rows", stores=self._stores, read=self._read_rows, show=_show_rows, turns=turns
            ),
            *(
                ViewEndpoint(
                    path=f"{INCIDENT}/{page}",
                    stores=self._stores,
                    read=partial(self._read_labelled, read),
                    show=_show_labelled,
                    turns=turns,
                )
                for page, read in (("outcomes", read_outcomes_since), ("subgroups", read_subgroups_since))
            ),
            ViewEndpoint(
                path=f"{DEPLOYMENT}/outcomes",
                stores=self._stores,
                read=self._read_outcomes,
                show=_show_outcomes,
                turns=turns,
            ),
        ]
        return [
            *(route for view in views for route in view.routes()),
            *(Route(f"{INCIDENT}/{kind}", partial(self.act, kind), methods=["POST"]) for kind in KINDS),
            Route(f"{INCIDENT}/run", self.run, methods=["POST"]),
        ]

    def _read_rows(self, stores: Stores, request: Request, rows: int | None) -> RowsView:
        if not request.state.may_see_rows:
            raise HTTPException(403, NO_ROWS)
        return read_rows(_deployment(stores, request), _number(request), whole=rows is None)

    def _read_labelled(
        self,
        read: Callable[[StoredDeployment, int, KeptReadings], LabelledView],
        stores: Stores,
        request: Request,
        _rows: int | None,
    ) -> LabelledView:
        return read(_deployment(stores, request), _number(request), self._readings)

    def _read_outcomes(self, stores: Stores, request: Request, _rows: int | None) -> OutcomesPage:
        return read_outcomes_page(_deployment(stores, request), windows_of(request, WINDOW_CHOICES[0]), self._readings)

    def _show_incident(self, request: Request, view: IncidentView) -> Response:
        name = unquote(cookie_of(request.headers, NAME_COOKIE))
        acting = {
            "may_act": request.state.may_act,
            "may_see_rows": request.state.may_see_rows,
            "may_run": self._access.tokens is not None,
        }
        return page_answer("incident", view=view, query="", name=name, snoozes=SNOOZES, **acting)

    async def act(self, kind: ActionKind, request: Request) -> Response:
        """Acts on an incident as a form says, and leads back to its view; the name is kept for the next time."""
        stores = shown_to(request, self._stores())
        action = action_of(kind, await form_of(request, MOST_ACTION_BYTES), stores.clock())

        def change() -> None:
            deployment = _deployment(stores, request)
            deployment.store.incidents.act(deployment.number, _number(request), action)
            tell(deployment.config, deployment.store, deployment.number, stores.clock)

        await run_in_threadpool(change)
        return led_to(request.url.path.removesuffix(f"/{kind}"), request, action.by)

    async def run(self, request: Request) -> Response:
        """Performs an action of the config, and leads back to the incident's view, whose log has the outcome."""
        form = await form_of(request, MOST_ACTION_BYTES)
        if self._access.tokens is None:
            raise HTTPException(403)
        require_sure(form)
        name, by = form.get("name", ""), form.get("by", "").strip() or NOBODY
        stores = shown_to(request, self._stores())

        def change() -> None:
            deployment = _deployment(stores, request)
            config = deployment.config
            config = existing("action", config if config is not None and config.action else None, name)
            incident = (deployment.number, _number(request))
            perform(config, deployment.store, incident, name, by=by, clock=stores.clock)

        await run_in_threadpool(change)
        return led_to(request.url.path.removesuffix("/run"), request, by)


def _deployment(stores: Stores, request: Request) -> StoredDeployment:
    return stores.deployment(place_of(request))


def _number(request: Request) -> int:
    return int(request.path_params["incident"])


def _read_incident(stores: Stores, request: Request, rows: int | None) -> IncidentView:
    view = read_incident(_deployment(stores, request), _number(request), whole=rows is None)
    return view if request.state.may_see_rows else replace(view, rows=None)


def _show_rows(_request: Request, view: RowsView) -> Response:
    return page_answer("rows", view=view, headers=WITH_PICTURES)


def _show_labelled(_request: Request, view: LabelledView) -> Response:
    return page_answer("labelled", view=view)


def _show_outcomes(request: Request, view: OutcomesPage) -> Response:
    latest = windows_of(request, WINDOW_CHOICES[0])
    return page_answer("outcomes", view=view, latest=latest, choices=WINDOW_CHOICES, query=f"?windows={latest}")
