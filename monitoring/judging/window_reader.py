"""One window's rows and labels, from the traffic to what its judgement needs, in one pass."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from monitoring.baseline.batch import Batch
from monitoring.baseline.predictions import Predictions
from monitoring.judging.label_join import Arrivals, LabelFeed
from monitoring.judging.source import Traffic, WindowRows
from monitoring.judging.window_sums import Gatherer
from monitoring.judging.window_traffic import WindowTraffic
from monitoring.records import Finding
from monitoring.timestamps import as_microseconds
from monitoring.traffic.windows import Window


def bring(
    traffic: Traffic,
    feed: LabelFeed,
    window: Window,
    gatherer: Gatherer,
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
    for batch in rows.counted():
        gatherer.answer(batch, start if rows.labelled_beside else None)
    found = rows.found()
    arrivals = feed.next(window, rows.wanted, first=first)
    for begun, batch in arrivals.batches():
        gatherer.label(batch, begun)
    answered, labelled = gatherer.gathered(empty)
    unplaced: tuple[Finding, ...] = traffic.unplaced if first else ()
    return WindowTraffic(
        window=window,
        answered=answered,
        labelled=labelled,
        again=_Again(rows, arrivals),
        repeats=found.repeats,
        unknown=found.strange.labels + arrivals.unknown,
        conflicts=arrivals.conflicts,
        problems=found.problems,
        findings=(
            *(one for one in unplaced if one not in found.findings),
            *found.findings,
            *_repeated(found.repeats, answered.rows),
            *(found.strange + arrivals.strange).told(feed.classes),
            *arrivals.nameless.told(labelled.rows),
            *feed.about_overdue(arrivals),
        ),
        unseen=traffic.unseen(window),
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
    arrivals: Arrivals

    def answered(self) -> Iterator[Batch]:
        """Those answered in the window."""
        return self.rows.batches()

    def labelled(self) -> Iterator[Batch]:
        """Those whose labels arrived in it."""
        if self.rows.labelled_beside:
            yield from self.rows.batches()
        for _, batch in self.arrivals.batches():
            yield batch
