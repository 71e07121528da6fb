"""The addresses of the overview, its metrics and its readiness."""

from __future__ import annotations

from functools import cache
from typing import Any, Final
from urllib.parse import urlencode

from anyio import CapacityLimiter, to_thread
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from monitoring.dashboard.overview.metrics import read_metrics
from monitoring.dashboard.overview.overview import Overview, read_overview
from monitoring.dashboard.overview.readiness import readiness
from monitoring.dashboard.stores.candidates import Group, Question
from monitoring.dashboard.stores.standing import STATES
from monitoring.dashboard.stores.stores import Stores
from monitoring.dashboard.view.endpoint import GetStores, ViewEndpoint
from monitoring.dashboard.view.requests import page_number_of, text_of
from monitoring.dashboard.view.responses import page_answer

#: By what the overview may be grouped.
GROUPS: Final[dict[str, Group]] = {"model": "model", "team": "team"}


def question_of(request: Request) -> Question:
    """What a request asks of the overview; what makes no sense is left out."""
    query = request.query_params
    state = query.get("state", "")
    return Question(
        text=text_of(request),
        state=state if state in STATES else "",
        page=page_number_of(request),
        group=GROUPS.get(query.get("group", ""), ""),
        team=query.get("team", "")[:200],
        tag=query.get("tag", "")[:200],
        wall="wall" in query,
    )


def overview_routes(stores: GetStores) -> list[Route]:
    """``/``: every deployment, worst first; ``/metrics`` for Prometheus; ``/health/ready``: is there something.

    The last two have threads of their own: pages that wait for a database keep no scrape waiting.
    """

    @cache
    def own_threads() -> CapacityLimiter:
        return CapacityLimiter(2)

    async def metrics(_request: Request) -> Response:
        text = await to_thread.run_sync(read_metrics, stores(), limiter=own_threads())
        return Response(text, media_type=CONTENT_TYPE_LATEST)

    async def ready(_request: Request) -> Response:
        ready, text = await to_thread.run_sync(readiness, stores(), limiter=own_threads())
        return PlainTextResponse(text, 200 if ready else 503)

    return [
        *ViewEndpoint(path="/", stores=stores, read=_read, show=_show).routes(),
        Route("/metrics", metrics),
        Route("/health/ready", ready),
    ]


def _read(stores: Stores, request: Request, _rows: int | None) -> Overview:
    return read_overview(stores, question_of(request))


def _show(_request: Request, view: Overview) -> Response:
    return page_answer("wall" if view.question.wall else "overview", view=view, states=STATES, link=overview_link)


def overview_link(question: Question, **changed: Any) -> str:
    """The address of the overview with a changed question."""
    filters = {"q": question.text, "state": question.state, "group": question.group}
    values = {**filters, "team": question.team, "tag": question.tag, "page": "", **changed}
    query = urlencode({name: value for name, value in values.items() if value})
    return f"/?{query}" if query else "/"
