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
from monitoring.dashboard.stores.candidates import Group, Question
from monitoring.dashboard.stores.roster import failures, read_roster
from monitoring.dashboard.stores.standing import STATES
from monitoring.dashboard.stores.stores import Stores
from monitoring.dashboard.view.endpoint import GetStores, ViewEndpoint
from monitoring.dashboard.view.requests import page_number_of, text_of
from monitoring.dashboard.view.responses import page_answer
from monitoring.rollout.status import dead_text

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


#: Names in an answer.
_SHOWN = 5


def readiness(stores: Stores) -> tuple[bool, str]:
    """Whether something can be read, and what is missing.

    Returns:
        False where every config is missing, or nothing can be read; and a line that says how many are not as they are
        to be.
    """
    roster, configs = read_roster(stores.stores, stores.clock(), stores.files), stores.configs
    problems = failures(stores.files, roster)
    unreadable = [problem.config for problem in problems if problem.unreadable]
    readable = len(roster.candidates) > 0 and len(roster.unreadable) < max(len(stores.stores), 1)
    all_missing = bool(configs.expected) and configs.missing >= configs.expected
    ready = not all_missing and (readable or not unreadable)
    lines = ["ok" if ready else "no config or store can be read"]
    if configs.missing:
        names = [file.name for file in stores.files if file.is_missing]
        lines.append(f"missing: {configs.missing} of {configs.expected} configs{_named(names)}")
    others = [name for name in unreadable if name not in {file.name for file in stores.files if file.is_missing}]
    if others:
        lines.append(f"unreadable: {len(others)}{_named(others)}")
    return ready, "\n".join(lines) + "\n"


def service_problem(stores: Stores) -> str:
    """What a service's heartbeat says that is wrong: missing or failing configs, and notifications that did not arrive.

    Returns:
        A line; empty where all is well.
    """
    roster, configs = read_roster(stores.stores, stores.clock(), stores.files), stores.configs
    counts = {
        "configs are missing": configs.missing,
        "configs or stores fail": len(failures(stores.files, roster)) - configs.missing,
        "deployments have not been judged in time": sum("late" in candidate.facts for candidate in roster.candidates),
        "notifications did not reach everybody": sum(
            candidate.outline.undelivered.total for candidate in roster.candidates
        ),
        "workers of rollouts are dead": sum(bool(dead_text(record, stores.clock())) for _, record in roster.rollouts),
        "runs have stalled": 0 if stores.queue is None else stores.queue().stalled,
    }
    return "; ".join(f"{count} {words}" for words, count in counts.items() if count > 0)


def _named(names: list[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    more = f" and {len(names) - _SHOWN} others" if len(names) > _SHOWN else ""
    return f" ({shown}{more})" if names else ""
