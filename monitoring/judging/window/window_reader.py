"""One window's rows and labels, from the traffic to what its judgement needs, in one pass."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from monitoring.baseline.batch import Batch
from monitoring.baseline.predictions import Predictions
from monitoring.judging.window.label_join import LabelArrivals, LabelJoin
from monitoring.judging.window.traffic_source import TrafficSource, WindowRows
from monitoring.judging.window.window_sums import WindowAggregator
from monitoring.judging.window.window_traffic import WindowTraffic
from monitoring.records import Finding
from monitoring.timestamps import as_microseconds
from monitoring.traffic.windows import Window


def read_window(
    traffic: TrafficSource,
    label_join: LabelJoin,
    window: Window,
    aggregator: WindowAggregator,
    *,
    first: bool,
    empty: Predictions,
) -> WindowTraffic:
    """Read a window once, batch by batch, and join the labels that arrived in it.

    `first` says that it is the first window judged since the label log was read. Cost: linear in the window's rows;
    memory for some batches of them, and for rows that a label of the log is for.
    """
    rows = traffic.rows(window)
    start = as_microseconds(window.start)
    for batch in rows.consume():
        if rows.inline_labels:
            aggregator.add_with_labels(batch, start)
        else:
            aggregator.add_answered(batch)
    found = rows.summary()
    arrivals = label_join.join(window, rows.select, first=first)
    for begun, batch in arrivals.batches():
        aggregator.add_labelled(batch, begun)
    answered, labelled = aggregator.result(empty)
    source_findings: tuple[Finding, ...] = traffic.source_findings if first else ()
    return WindowTraffic(
        window=window,
        answered=answered,
        labelled=labelled,
        batches=_Again(rows, arrivals),
        repeats=found.repeats,
        labels_unknown=found.unknown_labels.labels + arrivals.unknown,
        labels_conflicting=arrivals.conflicts,
        input_problems=found.problems,
        findings=(
            *(one for one in source_findings if one not in found.findings),
            *found.findings,
            *_repeated(found.repeats, answered.rows),
            *(found.unknown_labels + arrivals.strange).findings(label_join.classes),
            *arrivals.nameless.findings(labelled.rows),
            *label_join.overdue_findings(arrivals),
        ),
        missing_rows=traffic.missing_rows(window),
    )


def _repeated(repeats: int, rows: int) -> tuple[Finding, ...]:
    """What is said of a window most of whose rows have the id of another."""
    if repeats <= rows:
        return ()
    message = f"{repeats} of {repeats + rows} rows have the id of another row, and do not count: are these ids of rows?"
    return (Finding(kind="repeated ids", feature="", message=message),)


@dataclass(frozen=True, slots=True)
class _Again:
    """The rows of a window that was gathered, once more."""

    rows: WindowRows
    arrivals: LabelArrivals

    def answered(self) -> Iterator[Batch]:
        """Those answered in the window."""
        return self.rows.batches()

    def labelled(self) -> Iterator[Batch]:
        """Those whose labels arrived in it."""
        if self.rows.inline_labels:
            yield from self.rows.batches()
        for _, batch in self.arrivals.batches():
            yield batch
