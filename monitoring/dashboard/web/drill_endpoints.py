"""What is asked of a deployment's drills: their page and its tables."""

from __future__ import annotations

import shlex
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from monitoring.dashboard.views.drill_page.drills import DrillsView, drills_view
from monitoring.dashboard.web.answers import file_answer, page_answer
from monitoring.dashboard.web.asked import place_of, shown_by
from monitoring.dashboard.web.pages import TABLE_ROWS, Pages


class DrillEndpoints:
    """Answers what is asked of drills.

    Args:
        pages: Gives what the dashboard shows, for each request.
    """

    def __init__(self, pages: Callable[[], Pages]) -> None:
        self._current = pages

    def routes(self, deployment: str) -> list[Route]:
        """The routes below the path of a deployment."""
        return [
            Route(deployment + "/drills", self.drills),
            Route(deployment + "/drills/tables/{file:path}", self.drills_table),
        ]

    async def drills(self, request: Request) -> Response:
        """``/d/SOURCE/NUMBER/drills``: the drills of one deployment."""
        return page_answer("drills", view=await self._view(request))

    async def drills_table(self, request: Request) -> Response:
        """A table of that page."""
        return file_answer(request, (await self._view(request)).tables)

    async def _view(self, request: Request) -> DrillsView:
        return await run_in_threadpool(_view, shown_by(self._current(), request), *place_of(request))


def _view(pages: Pages, source: str, number: int) -> DrillsView:
    store, summary = pages.find(source, number)
    name = summary.record.called
    file = pages.source(source).file_of(name)
    command = "" if file is None else shlex.join(("pitfalls", "drill", "run", "--config", str(file.path)))
    return drills_view(store.drills(name, latest=TABLE_ROWS), summary, f"/d/{source}/{number}", command)
