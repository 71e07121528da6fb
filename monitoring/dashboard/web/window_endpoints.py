"""What is asked of a window: its page, its tables, and Evidently's report of it in a frame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Route

from monitoring.dashboard.web.answers import file_answer, page_answer
from monitoring.dashboard.web.asked import place_of, shown_by, start_of
from monitoring.dashboard.web.drift_pages import FRAMED, FRAMING, drift_view
from monitoring.dashboard.web.drift_writer import DriftWriter
from monitoring.dashboard.web.pages import Pages


class WindowEndpoints:
    """Answers what is asked of windows.

    Args:
        pages: Gives what the dashboard shows, for each request.
    """

    def __init__(self, pages: Callable[[], Pages]) -> None:
        self._current = pages
        self._writer = DriftWriter()

    def routes(self, deployment: str) -> list[Route]:
        """The routes below the path of a deployment."""
        window = deployment + "/windows/{start}"
        return [
            Route(window, self.window),
            Route(window + "/tables/{file:path}", self.window_table),
            Route(window + "/drift", self.drift),
            Route(window + "/drift", self.write_drift, methods=["POST"]),
            Route(window + "/drift/report.html", self.drift_report),
        ]

    def _pages(self, request: Request) -> Pages:
        return shown_by(self._current(), request)

    async def window(self, request: Request) -> Response:
        """``/d/SOURCE/NUMBER/windows/START``: one window."""
        view = await run_in_threadpool(self._pages(request).window, *place_of(request), start_of(request))
        return page_answer("window", view=view, query="")

    async def window_table(self, request: Request) -> Response:
        """A table of a window's page."""
        view = await run_in_threadpool(self._pages(request).window, *place_of(request), start_of(request))
        return file_answer(request, view.tables)

    async def drift(self, request: Request) -> Response:
        """``/d/SOURCE/NUMBER/windows/START/drift``: Evidently's report of the window, or how to have it written."""
        view = await run_in_threadpool(drift_view, self._pages(request), *place_of(request), start_of(request))
        if view.job is not None:
            problem = tuple(self._writer.problem(view.job).splitlines())
            view = replace(view, writing=self._writer.is_writing(view.job), problem=problem)
        return page_answer("drift", view=view, headers=FRAMING, may_act=request.state.may_act)

    async def write_drift(self, request: Request) -> Response:
        """Has the report written, and leads back to its page, which shows it as soon as it is there."""
        view = await run_in_threadpool(drift_view, self._current(), *place_of(request), start_of(request))
        if view.job is None:
            raise HTTPException(404)
        self._writer.begin(view.job)
        return RedirectResponse(view.address, 303)

    async def drift_report(self, request: Request) -> Response:
        """The report itself, which a browser runs without the rights of the dashboard's pages."""
        view = await run_in_threadpool(drift_view, self._pages(request), *place_of(request), start_of(request))
        if view.report is None:
            raise HTTPException(404)
        return FileResponse(view.report, media_type="text/html", headers=FRAMED)
