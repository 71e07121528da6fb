"""The address at which a person labels the rows that were drawn."""

from __future__ import annotations

from dataclasses import replace
from typing import Final
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from monitoring.dashboard.access.access import WITH_PICTURES, cookie_of
from monitoring.dashboard.incident.endpoints import NO_ROWS
from monitoring.dashboard.labels.labelling import Labelling
from monitoring.dashboard.labels.row_view import LabelView
from monitoring.dashboard.stores.stores import Stores
from monitoring.dashboard.view.endpoint import GetStores, Turns, ViewEndpoint, shown_to
from monitoring.dashboard.view.requests import DEPLOYMENT, MOST_ACTION_BYTES, form_of, place_of
from monitoring.dashboard.view.responses import NAME_COOKIE, NOBODY, led_to, page_answer
from monitoring.errors import PitfallsError
from monitoring.watches.descriptions import printable

PATH: Final = f"{DEPLOYMENT}/label"

#: Characters of the name of who labels: the rest is cut off.
LONGEST_NAME: Final = 200


def label_routes(stores: GetStores, labelling: Labelling) -> list[Route]:
    """``/d/STORE/NUMBER/label?row=N&last=N``: a row without a label, and the form that takes its label."""

    def read(found: Stores, request: Request, _rows: int | None) -> LabelView:
        if not request.state.may_see_rows:
            raise HTTPException(403, NO_ROWS)
        return labelling.view(found.deployment(place_of(request)), *_rows_of(request))

    def show(request: Request, view: LabelView, code: int = 200) -> Response:
        name = unquote(cookie_of(request.headers, NAME_COOKIE))
        may_act = request.state.may_act
        return page_answer("label", code, headers=WITH_PICTURES, view=view, name=name, may_act=may_act)

    async def add(request: Request) -> Response:
        fields = await form_of(request, MOST_ACTION_BYTES)
        fields = {**fields, "by": printable(fields.get("by", "").strip(), LONGEST_NAME) or NOBODY}
        deployment = shown_to(request, stores()).deployment(place_of(request))
        try:
            query = await run_in_threadpool(labelling.add, deployment, fields)
        except PitfallsError as error:
            lines = tuple(str(error).splitlines())
            view = await run_in_threadpool(labelling.view, deployment, *_rows_of(request), lines)
            return show(request, replace(view, written=fields.get("label", "")), 400)
        return led_to(f"{request.url.path}?{query}", request, fields["by"])

    page = ViewEndpoint(path=PATH, stores=stores, read=read, show=show, turns=Turns())
    return [Route(PATH, add, methods=["POST"]), *page.routes()]


def _rows_of(request: Request) -> tuple[int | None, int | None]:
    """Which row an address shows, and which was labelled last."""
    return number_of(request, "row"), number_of(request, "last")


def number_of(request: Request, name: str) -> int | None:
    """The number of a row that an address has, from 1; None for none."""
    text = request.query_params.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else None
