"""Reads one window in one pass: its rows, and the labels that arrived in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow.compute as pc

from monitoring.baseline.batch import Batch
from monitoring.baseline.predictions import Predictions
from monitoring.judging.window.label_join import LabelArrivals, LabelJoin
from monitoring.judging.window.traffic_source import TrafficSource, WindowRows
from monitoring.judging.window.window_sums import WindowAggregator
from monitoring.judging.window.window_traffic import DueWindow, WindowTraffic
from monitoring.records import Finding
from monitoring.timestamps import as_microseconds
from monitoring.traffic.windows import Window


def read_window(
    traffic: TrafficSource, label_join: LabelJoin, due: DueWindow, aggregator: WindowAggregator, *, empty: Predictions
) -> WindowTraffic:
    """Read a window, batch by batch, and join the labels that arrived in it. Cost: linear in the window's rows.

    Memory: some batches of them, and the rows that a label of the log is for.
    """
    window, first, end = due.window, due.first, due.end
    rows = traffic.rows(window)
    rows.gather(aggregator)
    summary = rows.summary()
    arrivals = label_join.join(window, rows.select, first=first)
    for is_first in (True, False):
        for answered_from, batch in arrivals.batches(first=is_first):
            aggregator.add_labelled(batch, answered_from, first=is_first)
    sums = aggregator.result(empty)
    answered, labelled = sums.answered, sums.labelled
    task, of_no_class = label_join.task, summary.unknown_labels + arrivals.unknown_class
    findings = (
        *of_no_class.findings(task.classes, labelled.rows, outputs=task.classes_of_outputs),
        *arrivals.unmatched.findings(labelled.rows, lambda: _an_id(rows)),
    )
    if end is not None:
        end = replace(end, labels=int((arrivals.labelled.label_times >= as_microseconds(window.start)).sum()))
    is_alone = end is not None and not end.is_followed and not answered.rows
    return WindowTraffic(
        window=window,
        answered=answered,
        labelled=labelled,
        batches=_Batches(rows, arrivals, traffic, label_join, window),
        repeats=summary.repeats,
        labels_unknown=arrivals.unknown,
        labels_conflicting=arrivals.conflicts,
        labels_of_no_class=of_no_class.labels,
        input_problems=summary.problems,
        findings=(
            *(finding for finding in (traffic.source_findings if first else ()) if finding not in summary.findings),
            *summary.findings,
            *_repeated_ids(summary.repeats, answered.rows),
            *findings,
            *arrivals.overdue.findings(labelled.rows, page=not is_alone),
            *(_labels_alone(labelled.rows) if is_alone else ()),
        ),
        end=end,
        missing_rows=traffic.missing_rows(window),
    )


def _an_id(rows: WindowRows) -> str:
    """The alphabetically first id of the window's first batch; empty without rows."""
    batch = next(iter(rows.batches()), None)
    return "" if batch is None else str(pc.min(batch.ids(np.arange(len(batch)))).as_py() or "")


def _labels_alone(labels: int) -> tuple[Finding, ...]:
    """The finding of a window without rows that is judged for labels of earlier rows, after the end of the traffic."""
    if not labels:
        return ()
    message = f"{labels:,} labels of earlier rows arrived after the last row of the traffic, and are counted."
    if labels == 1:
        message = "1 label of an earlier row arrived after the last row of the traffic, and is counted."
    return (Finding(kind="labels alone", feature="", message=message),)


def _repeated_ids(repeats: int, rows: int) -> tuple[Finding, ...]:
    """The finding of a window in which more rows were dropped as repeats than were kept."""
    if repeats <= rows:
        return ()
    message = f"{repeats} of {repeats + rows} rows have the id of another row, and are ignored: are ids unique per row?"
    return (Finding(kind="repeated ids", feature="", message=message),)


@dataclass(frozen=True, slots=True)
class _Batches:
    """A window's rows again. A `monitoring.judging.window.window_traffic.WindowBatches`."""

    rows: WindowRows
    arrivals: LabelArrivals
    traffic: TrafficSource
    label_join: LabelJoin
    window: Window

    @property
    def held(self) -> Sequence[Batch] | None:
        """The rows answered in the window, if they are in memory still."""
        return self.rows.held

    def answered(self) -> Iterator[Batch]:
        """The rows answered in the window."""
        return self.rows.batches()

    def labelled(self) -> Iterator[Batch]:
        """The rows whose labels arrived in the window."""
        if self.rows.inline_labels:
            yield from self.rows.batches()
        for first in (True, False):
            for _, batch in self.arrivals.batches(first=first):
                yield batch

    def earlier(self, span: Window) -> Iterator[Batch]:
        """The rows answered in a span before the window, with the labels that are known by the window's end."""
        for batch in self.traffic.rows(span).batches():
            yield self.label_join.labelled(batch, before=self.window.end)
