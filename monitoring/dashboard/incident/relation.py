"""The picture of how the relation of inputs and label changed: labels by an input, and what they would be as before."""

from __future__ import annotations

import math

from monitoring.dashboard.view.table import ChartView, TableView, cell
from monitoring.records import RelationChange, RelationPoint, RelationRates
from monitoring.reports.charts.comparison import Mean, interval_rows
from monitoring.reports.charts.series import NARROW, WIDE
from monitoring.reports.sections.benchmark import Interval
from monitoring.watches.descriptions import format_value, plain_number, printable


def relation_chart(relation: RelationChange | None) -> ChartView | None:
    """Labels by the values of the input that is named first; None where none is."""
    if relation is None or not relation.points:
        return None
    metric = "error" if relation.is_share else "absolute_error"  # whose values are written in the same way
    name = printable(relation.inputs[0])
    label = f"Labels that are {printable(relation.output)}" if relation.is_share else "Mean label"
    label = "Answers that are wrong" if relation.of_errors else label
    words = _words(relation)
    means = [
        Mean(value=_interval(relation, point.place.since), words=(word,), benchmark=_as_before(relation, point))
        for word, point in zip(words, relation.points, strict=True)
        if point.place.since.rows
    ]
    told = "; ".join(f"{mean.words[0]} {format_value(metric, mean.value.mean)}" for mean in means)
    summary = f"{label} by {name} since the onset: {told}."
    return ChartView(
        name="relation",
        title=f"{label} by {name}",
        note="◇ by the answers, as in the baseline   ● since the onset. Horizontal lines: 95 % intervals.",
        drawings=tuple(interval_rows(metric, means, summary, size) for size in (WIDE, NARROW)),
        table=_table(relation, metric, words, label),
    )


def _words(relation: RelationChange) -> tuple[str, ...]:
    """The groups of values: categories, or numbers from a bound to the next."""
    bounds = [point.value for point in relation.points if isinstance(point.value, float)]
    others = f"< {plain_number(bounds[0])}" if bounds else "all others"
    return tuple(
        others
        if point.value is None
        else printable(point.value)
        if isinstance(point.value, str)
        else f"≥ {plain_number(point.value)}"
        for point in relation.points
    )


def _interval(relation: RelationChange, rates: RelationRates) -> Interval:
    """The mean label, of a share with its 95 % interval."""
    share = min(max(rates.label, 0.0), 1.0)
    reach = 1.96 * math.sqrt(share * (1.0 - share) / max(rates.rows, 1)) if relation.is_share else 0.0
    return Interval(mean=rates.label, low=rates.label - reach, high=rates.label + reach)


def _as_before(relation: RelationChange, point: RelationPoint) -> Interval:
    """What the mean label would be by the answers, and by how far they were off in the baseline."""
    before = _interval(relation, point.place.before)
    moved = point.place.since.predicted - point.place.before.predicted
    return Interval(mean=before.mean + moved, low=before.low + moved, high=before.high + moved)


def _table(relation: RelationChange, metric: str, words: tuple[str, ...], label: str) -> TableView:
    rows = []
    for word, point in zip(words, relation.points, strict=True):
        before, since = point.place.before, point.place.since
        values = (before.label, before.predicted, since.label, since.predicted)
        rows.append(
            (
                cell(word, style="text"),
                cell(f"{since.rows:,}", since.rows),
                *(cell(format_value(metric, value), value) for value in values),
            )
        )
    return TableView(
        name="relation",
        title=f"{label} and answers",
        columns=(
            printable(relation.inputs[0]),
            "Labelled rows",
            "Labels, baseline",
            "Answers, baseline",
            "Labels, since",
            "Answers, since",
        ),
        rows=tuple(rows),
        numeric=frozenset(range(1, 6)),
    )
