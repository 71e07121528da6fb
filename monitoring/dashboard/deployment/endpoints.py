"""The addresses of one deployment: its views, their tables, and Evidently's report of a window in a frame."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Route

from monitoring.dashboard.deployment.compare import BASELINE, CompareView, read_compare
from monitoring.dashboard.deployment.deployment import DeploymentView, incident_table, read_deployment
from monitoring.dashboard.deployment.drift import FRAMED, FRAMING, DriftView, DriftWriter, read_drift
from monitoring.dashboard.deployment.inputs import InputsView, input_address, large_chart, read_inputs
from monitoring.dashboard.deployment.jobs import AllJobsView, JobsView, read_all_jobs, read_jobs
from monitoring.dashboard.deployment.window import WindowView, read_window
from monitoring.dashboard.stores.stores import StoredDeployment, Stores, existing
from monitoring.dashboard.view.charts import watch_chart, windows_table
from monitoring.dashboard.view.endpoint import GetStores, ViewEndpoint, shown_to
from monitoring.dashboard.view.history import DeploymentHistory, Drawn, HistoryRange, read_history, with_scores
from monitoring.dashboard.view.requests import (
    DEPLOYMENT,
    WINDOW_CHOICES,
    moment_of,
    page_number_of,
    place_of,
    start_of,
    text_of,
    windows_of,
)
from monitoring.dashboard.view.responses import page_answer
from monitoring.dashboard.view.table import ChartView, TableView
from monitoring.dashboard.view.words import name_of, zone_words
from monitoring.deployment.data_dictionary import column_notes
from monitoring.records import WatchKey
from monitoring.reports.charts.series import SMALL
from monitoring.reports.sections.inputs import Input, alarms_of, input_title, inputs_of
from monitoring.watches.descriptions import printable


@dataclass(frozen=True, slots=True, kw_only=True)
class InputView:
    """Everything that the page of an input shows."""

    address: str
    link: str
    parent: str
    name: str
    key: str
    title: str
    description: str
    chart: ChartView | None
    watches: tuple[ChartView, ...]
    incidents: TableView
    shown: int
    judged: int
    timezone: str

    @property
    def tables(self) -> tuple[TableView, ...]:
        """Every table of the page."""
        charts = (*self.watches, *(() if self.chart is None else (self.chart,)))
        return (self.incidents, *(chart.table for chart in charts if chart.table is not None))


def read_input(deployment: StoredDeployment, key: str, latest: int, *, whole: bool = False) -> InputView:
    """The view of one input."""
    store, extent = deployment.store, HistoryRange.of(latest, whole=whole)
    history = read_history(store, deployment.summary, extent)
    inputs = {
        model_input.key: model_input
        for model_input in inputs_of(history.last, history.baseline, column_notes(deployment.config))
    }
    shown = existing("input", inputs.get(key), key)
    history = with_scores(store, history, extent, Drawn(inputs=(shown,)))
    return input_view(shown, history, deployment.address, deployment.clock())


def input_view(model_input: Input, history: DeploymentHistory, parent: str, now: datetime) -> InputView:
    """The page of an input."""
    charts = (watch_chart(history, WatchKey(watch=score.watch), parent, (SMALL,)) for score in model_input.watches)
    return InputView(
        address=f"{parent}/input",
        link=input_address(model_input, parent),
        parent=parent,
        name=printable(name_of(history.summary)),
        key=model_input.key,
        title=input_title(model_input),
        description=printable(model_input.note.description),
        chart=large_chart(model_input, history, parent),
        watches=tuple(chart for chart in charts if chart is not None),
        incidents=incident_table(alarms_of(model_input, history.incidents), parent, now, history.zone),
        shown=len(history.windows),
        judged=history.judged,
        timezone=zone_words(history.summary),
    )


def deployment_routes(stores: GetStores) -> list[Route]:
    """The routes of one deployment, and of the jobs of all."""
    views: list[ViewEndpoint[Any]] = [
        ViewEndpoint(
            path=DEPLOYMENT,
            stores=stores,
            read=_read_deployment,
            show=_show_deployment,
            alone={"windows": _read_windows_table},
        ),
        ViewEndpoint(path=f"{DEPLOYMENT}/inputs", stores=stores, read=_read_inputs, show=_show_inputs),
        ViewEndpoint(path=f"{DEPLOYMENT}/input", stores=stores, read=_read_input, show=_show_input),
        ViewEndpoint(path=f"{DEPLOYMENT}/compare", stores=stores, read=_read_compare, show=_show_compare),
        ViewEndpoint(path=f"{DEPLOYMENT}/runs", stores=stores, read=_read_jobs, show=_show_jobs),
        ViewEndpoint(path=f"{DEPLOYMENT}/windows/{{start}}", stores=stores, read=_read_window, show=_show_window),
        ViewEndpoint(path="/jobs", stores=stores, read=_read_all_jobs, show=_show_all_jobs),
    ]
    return [*(route for view in views for route in view.routes()), *DriftEndpoints(stores).routes()]


def windows_query(request: Request) -> str:
    """The part of an address that keeps how many windows are shown."""
    return f"?windows={windows_of(request)}"


def _deployment(stores: Stores, request: Request) -> StoredDeployment:
    return stores.deployment(place_of(request))


def _read_deployment(stores: Stores, request: Request, rows: int | None) -> DeploymentView:
    return read_deployment(_deployment(stores, request), windows_of(request), whole=rows is None)


def _show_deployment(request: Request, view: DeploymentView) -> Response:
    latest = windows_of(request)
    query, may_act = windows_query(request), request.state.may_act
    return page_answer("deployment", view=view, latest=latest, choices=WINDOW_CHOICES, query=query, may_act=may_act)


def _read_windows_table(stores: Stores, request: Request) -> TableView:
    """The table of the last windows alone."""
    deployment = _deployment(stores, request)
    windows = deployment.store.windows.recent(deployment.number, latest=windows_of(request))
    return windows_table(windows, deployment.address, deployment.summary.zone)


def _read_inputs(stores: Stores, request: Request, rows: int | None) -> InputsView:
    query = (text_of(request), page_number_of(request))
    return read_inputs(_deployment(stores, request), windows_of(request), query, whole=rows is None)


def _show_inputs(request: Request, view: InputsView) -> Response:
    latest = windows_of(request)
    link = partial(inputs_link, view, latest)
    query = link().removeprefix(view.address)
    return page_answer("inputs", view=view, latest=latest, choices=WINDOW_CHOICES, link=link, query=query)


def inputs_link(view: InputsView, latest: int, **changed: Any) -> str:
    """The address of a deployment's inputs with a changed question."""
    values = {"windows": latest, "q": view.text, "page": view.page if view.page > 1 else "", **changed}
    return f"{view.address}?{urlencode({name: value for name, value in values.items() if value})}"


def _read_input(stores: Stores, request: Request, rows: int | None) -> InputView:
    key = request.query_params.get("of", "")
    return read_input(_deployment(stores, request), key, windows_of(request), whole=rows is None)


def _show_input(request: Request, view: InputView) -> Response:
    latest = windows_of(request)
    query = f"?{urlencode({'of': request.query_params.get('of', ''), 'windows': latest})}"
    return page_answer("input", view=view, latest=latest, choices=WINDOW_CHOICES, query=query)


def _read_compare(stores: Stores, request: Request, _rows: int | None) -> CompareView:
    return read_compare(_deployment(stores, request), *sides_of(request))


def _show_compare(_request: Request, view: CompareView) -> Response:
    return page_answer("compare", view=view, query=f"?{urlencode({'a': view.a.key, 'b': view.b.key})}")


def sides_of(request: Request) -> tuple[datetime | str, datetime | str]:
    """What a request compares: when a window begins, the baseline, or nothing."""
    sides = (request.query_params.get(name, "") for name in ("a", "b"))
    a, b = (side if side in ("", BASELINE) else moment_of(side) for side in sides)
    return a, b


def _read_jobs(stores: Stores, request: Request, rows: int | None) -> JobsView:
    return read_jobs(_deployment(stores, request), whole=rows is None)


def _show_jobs(_request: Request, view: JobsView) -> Response:
    return page_answer("runs", view=view)


def _read_all_jobs(stores: Stores, request: Request, rows: int | None) -> AllJobsView:
    return read_all_jobs(stores, failed=request.query_params.get("failed") == "1", whole=rows is None)


def _show_all_jobs(_request: Request, view: AllJobsView) -> Response:
    return page_answer("jobs", view=view, query="?failed=1" if view.failed else "")


def _read_window(stores: Stores, request: Request, _rows: int | None) -> WindowView:
    return read_window(_deployment(stores, request), start_of(request))


def _show_window(_request: Request, view: WindowView) -> Response:
    return page_answer("window", view=view, query="")


class DriftEndpoints:
    """Evidently's report of a window: the view that frames it, the report, and the writing of it."""

    def __init__(self, stores: GetStores) -> None:
        self._stores = stores
        self._writer = DriftWriter()

    def routes(self) -> list[Route]:
        """The routes below the path of a window."""
        drift = f"{DEPLOYMENT}/windows/{{start}}/drift"
        return [
            Route(drift, self.show),
            Route(drift, self.write, methods=["POST"]),
            Route(f"{drift}/report.html", self.report),
        ]

    async def show(self, request: Request) -> Response:
        """Evidently's report of the window, or how to have it written."""
        view = await self._view(request)
        if view.job is not None:
            problem = tuple(self._writer.problem(view.job).splitlines())
            view = replace(view, writing=self._writer.is_writing(view.job), problem=problem)
        return page_answer("drift", view=view, headers=FRAMING, may_act=request.state.may_act)

    async def write(self, request: Request) -> Response:
        """Has the report written, and leads back to its view, which shows it as soon as it is there."""
        view = await self._view(request)
        if view.job is None:
            raise HTTPException(404)
        self._writer.begin(view.job)
        return RedirectResponse(view.address, 303)

    async def report(self, request: Request) -> Response:
        """The report itself, which a browser runs without the rights of the dashboard's views."""
        view = await self._view(request)
        if view.report is None:
            raise HTTPException(404)
        return FileResponse(view.report, media_type="text/html", headers=FRAMED)

    async def _view(self, request: Request) -> DriftView:
        stores = shown_to(request, self._stores())
        return await run_in_threadpool(lambda: read_drift(_deployment(stores, request), start_of(request)))
