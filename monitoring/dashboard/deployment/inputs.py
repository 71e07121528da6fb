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
from monitoring.jobs.data_dictionary import column_notes
from monitoring.records import IncidentRecord
from monitoring.reports.charts.inputs import effects_drawing, effects_of, movement
from monitoring.reports.charts.series import NARROW, SMALL_TALL, WIDE, Size
from monitoring.reports.sections.formatting import finite_evidence, format_evidence
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
    found: int
    page: int
    pages: int
    shown: int
    judged: int
    timezone: str

    @property
    def tables(self) -> tuple[TableView, ...]:
        """Every table of the page."""
        return (self.overall, *(one.table for one in self.charts if one.table is not None))


def read_inputs(
    deployment: StoredDeployment, latest: int, asked: tuple[str, int], *, whole: bool = False
) -> InputsView:
    """The view of a deployment's inputs, worst first.

    Args:
        asked: A text that the inputs' names have, and the page, from 1.
    """
    store, extent = deployment.store, HistoryRange.of(latest, whole=whole, rows=INPUT_ROWS)
    history = read_history(store, deployment.summary, extent)
    text = asked[0].casefold()
    every = inputs_of(history.last, history.baseline, column_notes(deployment.config))
    chosen = tuple(one for one in every if text in f"{input_title(one)} {one.note.description}".casefold())
    page = min(asked[1], max(1, -(-len(chosen) // PAGE_INPUTS)))
    shown = chosen[(page - 1) * PAGE_INPUTS : page * PAGE_INPUTS]
    history = with_scores(store, history, extent, Drawn(inputs=shown))
    return inputs_view(history, chosen, deployment.address, (asked[0], page))


def inputs_view(history: DeploymentHistory, found: Sequence[Input], parent: str, asked: tuple[str, int]) -> InputsView:
    """The page of a deployment's inputs.

    Args:
        history: The deployment, with the scores of the inputs of this page.
        found: All inputs that the reader asked for, worst first.
        asked: The text that their names have, and the page, from 1.
    """
    text, page = asked
    return InputsView(
        address=f"{parent}/inputs",
        parent=parent,
        name=printable(name_of(history.summary)),
        charts=input_charts(history, parent),
        overall=_overall(found, history.incidents, parent),
        text=text,
        found=len(found),
        page=page,
        pages=max(1, -(-len(found) // PAGE_INPUTS)),
        shown=len(history.windows),
        judged=history.judged,
        timezone=zone_words(history.summary),
    )


def input_charts(history: DeploymentHistory, parent: str) -> tuple[ChartView, ...]:
    """The inputs whose scores were read, worst first: one small chart each."""
    charts = (_chart(one, history, parent, (SMALL_TALL,)) for one in history.inputs)
    return tuple(one for one in charts if one is not None)


def _chart(one: Input, history: DeploymentHistory, parent: str, sizes: tuple[Size, ...]) -> ChartView | None:
    """An input by window; None where it was not scored in these windows."""
    series = input_series(one, history.scores)
    if not len(series.starts) or not history.windows:
        return None
    since, until = history.windows[0].start, history.windows[-1].end
    effects = effects_of(one, series, (since, until), history.incidents)
    return ChartView(
        name=f"effect:{one.key}",
        title=input_title(one),
        href=input_address(one, parent),
        note=movement(one, len(effects.alarms)),
        drawings=tuple(effects_drawing(effects, size, history.zone) for size in sizes),
        table=_points(one, series, history, parent),
    )


def input_address(one: Input, parent: str) -> str:
    """The path of an input's page."""
    return f"{parent}/input?{urlencode({'of': one.key})}"


def large_chart(one: Input, history: DeploymentHistory, parent: str) -> ChartView | None:
    """An input by window, for a page of its own."""
    one = replace(one, note=replace(one.note, description=""))  # which the page has above
    chart = _chart(one, history, parent, (WIDE, NARROW))
    return None if chart is None else replace(chart, title="Distance from the baseline by window", href="")


def _points(one: Input, series: InputSeries, history: DeploymentHistory, parent: str) -> TableView:
    points = series.rows(history.table_rows)[::-1]
    oldest = points[-1][0]
    known = {window.start: window for window in takewhile(lambda one: one.start >= oldest, reversed(history.windows))}
    rows = [
        (
            window_cell(known[start], parent, history.zone),
            cell(watch_title(watch), watch, style="text"),
            cell(format_value(watch, value), value),
            cell(f"{effect:,.1f}", effect),
            cell(format_evidence(log_evidence), finite_evidence(log_evidence)),
        )
        for start, watch, value, effect, log_evidence in points
        if start in known
    ]
    return TableView(
        name=f"effect:{one.key}",
        title=input_title(one),
        columns=("Window", "Watch", "Value", "Effect", "Evidence"),
        rows=tuple(rows),
        numeric=frozenset({2, 3, 4}),
        total=len(series.starts),
    )


def _overall(found: Sequence[Input], incidents: Sequence[IncidentRecord], parent: str) -> TableView:
    """Every input in a row, worst first; with what it is, where the data dictionary says that of one."""
    rows = tuple(_row(one, alarms_of(one, incidents), parent) for one in found)
    columns: tuple[str, ...] = ("Input", "Effect", "Moved most", "Mean of 7 windows", "Baseline", "Alarms", "Open")
    if any(one.note.description for one in found):
        columns = (*columns, "Description")
        words = (cell(printable(one.note.description), style="text") for one in found)
        rows = tuple((*row, said) for row, said in zip(rows, words, strict=True))
    return TableView(
        name="inputs",
        title="Inputs",
        columns=columns,
        rows=rows,
        numeric=frozenset({1, 3, 4, 5}),
        note="Effect: distance from the baseline in its standard deviations, of the watch that moved most.",
    )


def _row(one: Input, alarms: Sequence[IncidentRecord], parent: str) -> tuple[Cell, ...]:
    known = one.strongest
    unclosed = [incident for incident in alarms if incident.state != "closed"]
    worst = min(unclosed, key=lambda incident: (incident.level != "page", -incident.number), default=None)
    return (
        cell(input_title(one), one.key, href=input_address(one, parent), style="text"),
        Cell(text=NOTHING) if one.mean is None else cell(f"{one.effect:,.1f}", one.effect),
        cell(watch_title(known.watch), known.watch, style="text"),
        Cell(text=format_value(known.watch, one.mean), value=one.mean),
        cell(format_value(known.watch, known.mean), known.mean),
        cell(str(len(alarms)), len(alarms)),
        Cell(text=NOTHING)
        if worst is None
        else cell(f"#{worst.number}", worst.number, href=f"{parent}/incidents/{worst.number}", style=worst.level),
    )
