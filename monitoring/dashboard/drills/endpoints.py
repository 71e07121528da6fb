"""The address of a deployment's drills."""

from __future__ import annotations

import shlex

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from monitoring.dashboard.drills.drills import DrillsView, drills_view
from monitoring.dashboard.stores.stores import Stores
from monitoring.dashboard.view.endpoint import GetStores, ViewEndpoint
from monitoring.dashboard.view.requests import DEPLOYMENT, place_of
from monitoring.dashboard.view.responses import page_answer
from monitoring.dashboard.view.table import TABLE_ROWS


def drill_routes(stores: GetStores) -> list[Route]:
    """The routes of a deployment's drills."""
    return ViewEndpoint(path=f"{DEPLOYMENT}/drills", stores=stores, read=_read, show=_show).routes()


def _read(stores: Stores, request: Request, _rows: int | None) -> DrillsView:
    deployment = stores.deployment(place_of(request))
    file = deployment.file
    command = "" if file is None else shlex.join(("pitfalls", "drill", "run", "--config", str(file.path)))
    results = deployment.store.drills.latest(deployment.summary.record.called, latest=TABLE_ROWS)
    return drills_view(results, deployment.summary, deployment.address, command)


def _show(_request: Request, view: DrillsView) -> Response:
    return page_answer("drills", view=view)
