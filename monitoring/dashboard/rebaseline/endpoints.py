"""The address of the form by which a deployment gets a new baseline, or the former one again."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from monitoring.dashboard.access.cookies import cookie_of
from monitoring.dashboard.rebaseline.form import Rebaselining, rebaseline_form
from monitoring.dashboard.rebaseline.rebaseline import RebaselineForm
from monitoring.dashboard.view.requests import DEPLOYMENT, MOST_ACTION_BYTES, form_of, incident_of, place_of
from monitoring.dashboard.view.responses import NAME_COOKIE, led_to, page_answer
from monitoring.errors import PitfallsError


def rebaseline_routes(rebaselining: Rebaselining) -> list[Route]:
    """``/d/STORE/NUMBER/rebaseline?incident=N``: makes windows the new normal, or the former baseline again."""

    async def form(request: Request) -> Response:
        place, incident = place_of(request), incident_of(request)
        if request.method == "GET":
            empty = RebaselineForm(by=unquote(cookie_of(request.headers, NAME_COOKIE)))
            view = await run_in_threadpool(rebaselining.view, place, incident, empty)
            return page_answer("rebaseline", view=view, may_act=request.state.may_act)
        fields = await form_of(request, MOST_ACTION_BYTES)
        filled, undo = rebaseline_form(fields), fields.get("undo") == "yes"
        change = rebaselining.undo if undo else rebaselining.make
        try:
            await run_in_threadpool(change, place, filled)
        except PitfallsError as error:
            view = await run_in_threadpool(rebaselining.view, place, incident, filled)
            view = replace(view, problem=tuple(str(error).splitlines()))
            return page_answer("rebaseline", 400, view=view, may_act=True)
        return led_to(f"{request.url.path}?{request.url.query}", request, filled.by.strip())

    return [Route(f"{DEPLOYMENT}/rebaseline", form, methods=["GET", "POST"])]
