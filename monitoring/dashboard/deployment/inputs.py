"""Inputs by window, as small multiples: how far each is from the baseline, its evidence, and its alarms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from urllib.parse import urlencode

from monitoring.dashboard.stores.stores import StoredDeployment
from monitoring.dashboard.view.charts import window_cell
from monitoring.dashboard.view.history import DeploymentHistory, Drawn, HistoryRange, read_history, with_scores
from monitoring.dashboard.view.table import Cell, ChartView, TableView, cell
from monitoring.dashboard.view.words import name_of, zone_words
from monitoring.deployment.data_dictionary import column_notes
from monitoring.evidence.budget import finite_evidence
from monitoring.records import IncidentRecord
from monitoring.reports.charts.inputs import effects_drawing, effects_of, movement
from monitoring.reports.charts.series import NARROW, SMALL_TALL, WIDE, Size
from monitoring.reports.sections.formatting import format_evidence
from monitoring.reports.sections.inputs import Input, InputSeries, alarms_of, input_series, input_title, inputs_of
from monitoring.watches.descriptions import NOTHING, format_value, printable, watch_title

#: Inputs of one page, and those on the page of a deployment.
PAGE_INPUTS = 12
FIRST_INPUTS = 6

#: How many windows the table of a small chart of an input has.
INPUT_ROWS = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class InputsView:
    """Everything that the page of a deployment's inputs shows."""

    address: str
    parent: str
    name: str
    charts: tuple[ChartView, ...]
    overall: TableView
    text: str
    matches: int
    page: int
    pages: int
    shown: int
    judged: int
    timezone: str

    @property
    def tables(self) -> tuple[TableView, ...]:
        """Every table of the page."""
        return (self.overall, *(chart.table for chart in self.charts if chart.table is not None))


def read_inputs(
    deployment: StoredDeployment, latest: int, query: tuple[str, int], *, whole: bool = False
) -> InputsView:
    """The view of a deployment's inputs, worst first.

    Args:
        query: A text that the inputs' names have, and the page, from 1.
    """
    store, extent = deployment.store, HistoryRange.of(latest, whole=whole, rows=INPUT_ROWS)
    history = read_history(store, deployment.summary, extent)
    text = query[0].casefold()
    every = inputs_of(history.last, history.baseline, column_notes(deployment.config))
    chosen = tuple(
        model_input
        for model_input in every
        if text in f"{input_title(model_input)} {model_input.note.description}".casefold()
    )
    page = min(query[1], max(1, -(-len(chosen) // PAGE_INPUTS)))
    shown = chosen[(page - 1) * PAGE_INPUTS : page * PAGE_INPUTS]
    history = with_scores(store, history, extent, Drawn(inputs=shown))
    return inputs_view(history, chosen, deployment.address, (query[0], page))


def inputs_view(history: DeploymentHistory, inputs: Sequence[Input], parent: str, query: tuple[str, int]) -> InputsView:
    """The page of a deployment's inputs. `query`: the text that their names have, and the page, from 1."""
    text, page = query
    return InputsView(
        address=f"{parent}/inputs",
        parent=parent,
        name=printable(name_of(history.summary)),
        charts=input_charts(history, parent),
        overall=_overall(inputs, history.incidents, parent),
        text=text,
        matches=len(inputs),
        page=page,
        pages=max(1, -(-len(inputs) // PAGE_INPUTS)),
        shown=len(history.windows),
        judged=history.judged,
        timezone=zone_words(history.summary),
    )


def input_charts(history: DeploymentHistory, parent: str) -> tuple[ChartView, ...]:
    """The inputs whose scores were read, worst first: one small chart each."""
    charts = (_chart(model_input, history, parent, (SMALL_TALL,)) for model_input in history.inputs)
    return tuple(chart for chart in charts if chart is not None)


def _chart(model_input: Input, history: DeploymentHistory, parent: str, sizes: tuple[Size, ...]) -> ChartView | None:
    """An input by window; None where it was not scored in these windows."""
    series = input_series(model_input, history.scores)
    if not len(series.starts) or not history.windows:
        return None
    since, until = history.windows[0].start, history.windows[-1].end
    effects = effects_of(model_input, series, (since, until), history.incidents)
    return ChartView(
        name=f"effect:{model_input.key}",
        title=input_title(model_input),
        href=input_address(model_input, parent),
        note=movement(model_input, len(effects.alarms)),
        drawings=tuple(effects_drawing(effects, size, history.zone) for size in sizes),
        table=_points(model_input, series, history, parent),
    )


def input_address(model_input: Input, parent: str) -> str:
    """The path of an input's page."""
    return f"{parent}/input?{urlencode({'of': model_input.key})}"


def large_chart(model_input: Input, history: DeploymentHistory, parent: str) -> ChartView | None:
    """An input by window, for a page of its own."""
    model_input = replace(model_input, note=replace(model_input.note, description=""))  # which the page has above
    chart = _chart(model_input, history, parent, (WIDE, NARROW))
    return None if chart is None else replace(chart, title="Distance from the baseline by window", href="")


def _points(model_input: Input, series: InputSeries, history: DeploymentHistory, parent: str) -> TableView:
    points = series.rows(history.table_rows)[::-1]
    oldest = points[-1][0]
    windows = {
        window.start: window for window in takewhile(lambda window: window.start >= oldest, reversed(history.windows))
    }
    rows = [
        (
            window_cell(windows[start], parent, history.zone),
            cell(watch_title(watch), watch, style="text"),
            cell(format_value(watch, value), value),
            cell(f"{effect:,.1f}", effect),
            cell(format_evidence(log_evidence), finite_evidence(log_evidence)),
        )
        for start, watch, value, effect, log_evidence in points
        if start in windows
    ]
    return TableView(
        name=f"effect:{model_input.key}",
        title=input_title(model_input),
        columns=("Window", "Watch", "Value", "Effect", "Evidence"),
        rows=tuple(rows),
        numeric=frozenset({2, 3, 4}),
        total=len(series.starts),
    )


def _overall(inputs: Sequence[Input], incidents: Sequence[IncidentRecord], parent: str) -> TableView:
    """Every input in a row, worst first; with what it is, where the data dictionary says that of one."""
    rows = tuple(_row(model_input, alarms_of(model_input, incidents), parent) for model_input in inputs)
    columns: tuple[str, ...] = ("Input", "Effect", "Moved most", "Mean of 7 windows", "Baseline", "Alarms", "Open")
    if any(model_input.note.description for model_input in inputs):
        columns = (*columns, "Description")
        words = (cell(printable(model_input.note.description), style="text") for model_input in inputs)
        rows = tuple((*row, description) for row, description in zip(rows, words, strict=True))
    return TableView(
        name="inputs",
        title="Inputs",
        columns=columns,
        rows=rows,
        numeric=frozenset({1, 3, 4, 5}),
        note="Effect: distance from the baseline in its standard deviations, of the watch that moved most.",
    )


def _row(model_input: Input, alarms: Sequence[IncidentRecord], parent: str) -> tuple[Cell, ...]:
    strongest = model_input.strongest
    unclosed = [incident for incident in alarms if incident.state != "closed"]
    worst = min(unclosed, key=lambda incident: (incident.level != "page", -incident.number), default=None)
    return (
        cell(input_title(model_input), model_input.key, href=input_address(model_input, parent), style="text"),
        Cell(text=NOTHING) if model_input.mean is None else cell(f"{model_input.effect:,.1f}", model_input.effect),
        cell(watch_title(strongest.watch), strongest.watch, style="text"),
        Cell(text=format_value(strongest.watch, model_input.mean), value=model_input.mean),
        cell(format_value(strongest.watch, strongest.mean), strongest.mean),
        cell(str(len(alarms)), len(alarms)),
        Cell(text=NOTHING)
        if worst is None
        else cell(f"#{worst.number}", worst.number, href=f"{parent}/incidents/{worst.number}", style=worst.level),
    )
