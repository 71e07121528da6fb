"""The addresses of a deployment's rollouts."""

from __future__ import annotations

import shlex
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from monitoring.dashboard.access.access import WITH_PICTURES
from monitoring.dashboard.incident.endpoints import NO_ROWS
from monitoring.dashboard.rollouts.rollout import RolloutView, read_rollout
from monitoring.dashboard.rollouts.rows import DisagreementsView, read_disagreements_page
from monitoring.dashboard.stores.stores import Stores
from monitoring.dashboard.view.endpoint import GetStores, ViewEndpoint
from monitoring.dashboard.view.requests import DEPLOYMENT, place_of
from monitoring.dashboard.view.responses import page_answer
from monitoring.dashboard.view.turns import Turns


def rollout_routes(stores: GetStores) -> list[Route]:
    """The routes of a deployment's rollouts: the last one, each by its number, and its rows."""
    one = f"{DEPLOYMENT}/versions/{{rollout:count}}"
    views: list[ViewEndpoint[Any]] = [
        ViewEndpoint(path=f"{one}/rows", stores=stores, read=_read_rows, show=_show_rows, turns=Turns()),
        ViewEndpoint(path=one, stores=stores, read=_read, show=_show),
        ViewEndpoint(path=f"{DEPLOYMENT}/versions", stores=stores, read=_read, show=_show),
    ]
    return [route for view in views for route in view.routes()]


def _read(stores: Stores, request: Request, rows: int | None) -> RolloutView:
    deployment = stores.deployment(place_of(request))
    file = deployment.file
    command = "" if file is None else shlex.join(("pitfalls", "rollout", "plan", "--config", str(file.path)))
    return read_rollout(deployment, request.path_params.get("rollout"), whole=rows is None, command=command)


def _show(request: Request, view: RolloutView) -> Response:
    return page_answer("versions", view=view, may_see_rows=request.state.may_see_rows)


def _read_rows(stores: Stores, request: Request, rows: int | None) -> DisagreementsView:
    if not request.state.may_see_rows:
        raise HTTPException(403, NO_ROWS)
    return read_disagreements_page(
        stores.deployment(place_of(request)), request.path_params["rollout"], whole=rows is None
    )


def _show_rows(_request: Request, view: DisagreementsView) -> Response:
    return page_answer("disagreements", view=view, headers=WITH_PICTURES)
