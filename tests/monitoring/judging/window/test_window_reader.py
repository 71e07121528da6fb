from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

from monitoring.baseline.batch import in_batches
from monitoring.baseline.predictions import Predictions, no_predictions
from monitoring.judging.window.label_findings import UnknownClassLabels
from monitoring.judging.window.label_join import LabelJoin
from monitoring.judging.window.traffic_source import ReadSummary, WindowRows
from monitoring.judging.window.window_reader import read_window
from monitoring.judging.window.window_traffic import DueWindow, WindowTraffic
from monitoring.records import Finding
from monitoring.sentences.finding_text import finding_text
from monitoring.tasks.task import NO_LABEL
from monitoring.timestamps import as_microseconds, duration_microseconds
from monitoring.traffic.windows import Window
from tests.monitoring.judging.small_judge import BASELINE_DAYS, SPEC, day, rows_of_days, small_judge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitoring.baseline.batch import Batch
    from monitoring.judging.window.window_sums import WindowAggregator
    from monitoring.traffic.id_keys import IdSet

FIRST = BASELINE_DAYS
EMPTY = no_predictions(SPEC)
LATE_ROW = Finding(kind="late rows", feature="", message="")


class RowsInMemory:
    """A window's rows, whose labels are in the log."""

    inline_labels = False
    held = None

    def __init__(self, rows: Predictions, repeats: int = 0) -> None:
        self._rows = rows
        self._repeats = repeats

    def batches(self) -> Iterator[Batch]:
        """All rows."""
        return in_batches(self._rows)

    def gather(self, aggregator: WindowAggregator) -> None:
        """All rows."""
        for batch in self.batches():
            if self.inline_labels:
                first = int(batch.event_times.min())
                aggregator.add_with_labels(batch, first - first % 86_400_000_000)
            else:
                aggregator.add_answered(batch)

    def select(self, ids: IdSet) -> tuple[Predictions, int]:
        """The rows with those ids, and the last event time."""
        newest = int(self._rows.event_times.max()) if len(self._rows) else 0
        return self._rows.take(ids.contains(self._rows.ids)), newest

    def summary(self) -> ReadSummary:
        """The repeats, and nothing else."""
        return ReadSummary(repeats=self._repeats)


class InlineRows(RowsInMemory):
    """A window's rows with inline labels, three of which are of no class."""

    inline_labels = True

    def summary(self) -> ReadSummary:
        """Three labels of no class."""
        return replace(super().summary(), unknown_labels=UnknownClassLabels(labels=3, words=frozenset({"zebra"})))


class Source:
    """A source of days in memory."""

    def __init__(
        self, rows: Predictions, *, inline: bool, repeats: int = 0, findings: tuple[Finding, ...] = ()
    ) -> None:
        self._rows = rows
        self._inline = inline
        self._repeats = repeats
        self.source_findings = findings

    def rows(self, window: Window) -> WindowRows:
        """The rows of a window; without their labels where those are in the log."""
        first, last = as_microseconds(window.start), as_microseconds(window.end)
        mine = self._rows.take((self._rows.event_times >= first) & (self._rows.event_times < last))
        if self._inline:
            return InlineRows(mine, self._repeats)
        return RowsInMemory(replace(mine, labels=np.full(len(mine), NO_LABEL)), self._repeats)

    def missing_rows(self, window: Window) -> int:
        """As many as the window's day of the month."""
        return window.start.day


def label_log(rows: Predictions, *extra: tuple[str, str]) -> pa.Table:
    """The labels of rows in order of arrival, and some more at the end."""
    known = np.flatnonzero(rows.labels != NO_LABEL)
    known = known[np.argsort(rows.label_times[known], kind="stable")]
    ids = [*rows.ids.take(pa.array(known)).to_pylist(), *(id_ for id_, _ in extra)]
    labels = [*(SPEC.classes[code] for code in rows.labels[known]), *(label for _, label in extra)]
    last = int(rows.label_times[known].max()) if known.size else as_microseconds(day(FIRST).start)
    times = [*rows.label_times[known].tolist(), *(last for _ in extra)]
    return pa.table(
        {
            "prediction_id": pa.array(ids, pa.string()),
            "label": pa.array(labels, pa.string()),
            "label_time": pa.array(times, pa.int64()).cast(pa.timestamp("us", "UTC")),
            "sequence": pa.array(range(len(ids)), pa.int64()),
        }
    )


def read(source: Source, log: pa.Table, days: int, *, horizon: timedelta = timedelta(days=7)) -> list[WindowTraffic]:
    join = LabelJoin([log], task=SPEC.task, read=0, horizon_us=duration_microseconds(horizon))
    aggregators = (small_judge().judge.aggregator() for _ in range(days))
    return [
        read_window(source, join, DueWindow(window=day(FIRST + number), first=number == 0), aggregator, empty=EMPTY)  # type: ignore[arg-type]  # the part of a source that is read here
        for number, aggregator in enumerate(aggregators)
    ]


def ids_of(batches: Iterator[Batch]) -> list[str]:
    return sorted(id_ for batch in batches for id_ in batch.ids(np.arange(len(batch))).to_pylist())


@pytest.mark.parametrize("inline", [False, True])
def test_labels_of_the_log_and_inline_labels_of_the_same_rows_have_the_same_sums(inline: bool) -> None:
    rows = rows_of_days(FIRST, 2, seed=1)
    rows = replace(rows, label_times=rows.event_times)
    empty_log = label_log(rows.take(np.zeros(0, dtype=np.int64)))
    traffic = read(Source(rows, inline=inline), empty_log if inline else label_log(rows), 2)
    for number, window in enumerate(traffic):
        expected = small_judge().traffic(rows, FIRST + number)
        assert window.answered.rows == expected.answered.rows
        assert window.labelled.rows == expected.labelled.rows
        assert window.labelled.whole.numbers("losses") == expected.labelled.whole.numbers("losses")
        assert window.labelled.tallies.keys() == {as_microseconds(day(FIRST + number).start)}


def test_labels_that_arrive_a_day_later_count_in_the_window_of_their_arrival() -> None:
    rows = rows_of_days(FIRST, 1, seed=2)
    rows = replace(rows, label_times=rows.event_times + 86_400_000_000)
    first, second = read(Source(rows, inline=False), label_log(rows), 2)
    assert (first.labelled.rows, first.answered.rows) == (0, len(rows))
    assert (second.labelled.rows, second.answered.rows) == (int((rows.labels != NO_LABEL).sum()), 0)
    assert second.labelled.tallies.keys() == {as_microseconds(day(FIRST).start)}


def test_ignored_labels_are_counted_and_reported() -> None:
    rows = rows_of_days(FIRST, 1, seed=3)
    rows = replace(rows, label_times=rows.event_times)
    extra = [("9-9", "late"), (rows.ids[0].as_py(), "zebra")]
    [window] = read(Source(rows, inline=False), label_log(rows, *extra), 1)
    assert window.labels_unknown == 1
    assert [(f.kind, "zebra" in finding_text(f)) for f in window.findings] == [("unknown labels", True)]


def test_inline_labels_of_no_class_and_those_of_the_log_are_reported_together() -> None:
    rows = rows_of_days(FIRST, 1, seed=3)
    log = label_log(rows.take(np.zeros(0, dtype=np.int64)), (rows.ids[0].as_py(), "ant"))
    [window] = read(Source(rows, inline=True), log, 1)
    assert window.labels_unknown == 0
    assert [finding_text(finding) for finding in window.findings] == [
        "4 labels are none of the classes on_time, late, so the model was wrong there; one is 'ant'."
    ]


def test_what_is_wrong_with_the_source_is_reported_with_the_first_window_alone() -> None:
    rows = rows_of_days(FIRST, 2, seed=4)
    windows = read(Source(rows, inline=True, findings=(LATE_ROW,)), label_log(rows.take(np.zeros(0, np.int64))), 2)
    assert [LATE_ROW in window.findings for window in windows] == [True, False]


@pytest.mark.parametrize(("repeats", "reported"), [(60, False), (61, True)])
def test_repeats_are_reported_where_they_are_most_of_the_rows(repeats: int, reported: bool) -> None:
    rows = rows_of_days(FIRST, 1, seed=5)
    [window] = read(Source(rows, inline=False, repeats=repeats), label_log(rows), 1)
    assert window.repeats == repeats
    assert [finding.kind for finding in window.findings] == (["repeated ids"] if reported else [])


def test_rows_that_the_source_misses_are_counted() -> None:
    rows = rows_of_days(FIRST, 1, seed=5)
    [window] = read(Source(rows, inline=False), label_log(rows), 1)
    assert window.missing_rows == day(FIRST).start.day


def test_a_row_is_held_only_while_a_label_may_be_for_it() -> None:
    rows = rows_of_days(FIRST, 1, seed=6)
    asked: list[IdSet] = []

    class Watching(RowsInMemory):
        def select(self, ids: IdSet) -> tuple[Predictions, int]:
            asked.append(ids)
            return super().select(ids)

    source = Source(rows, inline=False)
    source.rows = lambda _: Watching(rows)  # type: ignore[assignment, method-assign]  # counts what is selected
    read(source, label_log(rows.take(np.zeros(0, dtype=np.int64))), 1)
    assert asked == []
    read(source, label_log(rows), 1)
    assert len(asked) == 1


@pytest.mark.parametrize("inline", [False, True])
def test_rows_of_before_the_window_are_read_again_with_the_labels_that_are_known(inline: bool) -> None:
    rows = rows_of_days(FIRST, 3, seed=7)
    rows = replace(rows, label_times=rows.event_times)
    empty_log = label_log(rows.take(np.zeros(0, dtype=np.int64)))
    *_, last = read(Source(rows, inline=inline), empty_log if inline else label_log(rows), 3)
    found = list(last.batches.earlier(Window(start=day(FIRST).start, end=day(FIRST + 1).end)))
    before = rows.take(rows.event_times < as_microseconds(day(FIRST + 2).start))
    assert ids_of(iter(found)) == sorted(before.ids.to_pylist())
    assert np.concatenate([batch.labels for batch in found]).tolist() == before.labels.tolist()
