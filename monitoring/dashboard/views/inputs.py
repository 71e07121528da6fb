"""The inputs and outputs that moved most from the baseline, as small multiples."""

from __future__ import annotations

from monitoring.dashboard.drawings.series import SMALL, Band, Series, series_drawing
from monitoring.dashboard.history import DeploymentHistory
from monitoring.dashboard.moves import Move
from monitoring.dashboard.views.table import ChartView, TableView, cell
from monitoring.reports.sections.formatting import format_window
from monitoring.watches.descriptions import format_value, watch_title


def moved_inputs(history: DeploymentHistory) -> tuple[ChartView, ...]:
    """The inputs and outputs that moved most, one small chart each."""
    return tuple(chart for one in history.moves if (chart := _chart(one, history)) is not None)


def _chart(move: Move, history: DeploymentHistory) -> ChartView | None:
    known = move.baseline
    level = history.page if known.level == "page" else history.notice
    scored = next((found for key, found in level.scores.items() if (key.watch, key.slice) == (known.watch, "")), None)
    if scored is None or not history.windows:
        return None
    times = tuple(level.starts[place] for place in scored[0])
    series = Series(
        watch=known.watch,
        title=watch_title(known.watch),
        times=times,
        values=tuple(map(float, scored[1])),
        since=history.windows[0].start,
        until=history.windows[-1].end,
        band=Band(mean=known.mean, deviation=known.deviation),
    )
    ends = {one.start: one.end for one in history.windows}
    return ChartView(
        name=known.watch,
        title=series.title,
        note=(
            f"{format_value(known.watch, move.mean)}, baseline {format_value(known.watch, known.mean)}: "
            f"{move.deviations:.1f} standard deviations."
        ),
        drawings=(series_drawing(series, SMALL, history.zone),),
        table=TableView(
            name=known.watch,
            title=series.title,
            columns=("Window", series.title),
            rows=tuple(
                (
                    cell(format_window(at, ends.get(at, at), history.zone), at),
                    cell(format_value(known.watch, value), value),
                )
                for at, value in list(zip(times, series.values, strict=True))[::-1][: history.table_rows]
            ),
            total=len(times),
            numeric=frozenset({1}),
        ),
    )
