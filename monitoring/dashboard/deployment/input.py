"""The page of one input: its distance from the baseline and its evidence by window, and each of its watches."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from monitoring.dashboard.deployment.deployment import incident_table
from monitoring.dashboard.deployment.inputs import input_address, large_chart
from monitoring.dashboard.stores.stores import StoredDeployment, existing
from monitoring.dashboard.view.charts import watch_chart
from monitoring.dashboard.view.history import DeploymentHistory, Drawn, HistoryRange, read_history, with_scores
from monitoring.dashboard.view.table import ChartView, TableView
from monitoring.dashboard.view.words import name_of, zone_words
from monitoring.jobs.data_dictionary import column_notes
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
