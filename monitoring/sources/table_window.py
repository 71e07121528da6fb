"""The rows of one window of a table, as the monitor's job reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from typing_extensions import override

from monitoring.baseline.batch import Batch, HeldRows, joined
from monitoring.baseline.predictions import Predictions, no_predictions
from monitoring.baseline.spec import BaselineSpec
from monitoring.engines.labelled_rows import LabelledBatch, known_as, labelled_batches
from monitoring.engines.partial import Partial
from monitoring.judging.window.label_findings import UnknownClassLabels
from monitoring.judging.window.traffic_source import ReadSummary, WindowRows
from monitoring.judging.window.window_sums import WindowAggregator
from monitoring.records import Finding
from monitoring.tasks.label_codes import label_digests
from monitoring.tasks.task import NO_LABEL
from monitoring.timestamps import as_microseconds
from monitoring.traffic.id_keys import IdSet
from monitoring.traffic.tables.inline_labels import InlineLabels
from monitoring.traffic.tables.label_import import LabelRouting
from monitoring.traffic.tables.read_sums import ReadSums
from monitoring.traffic.tables.table import Table
from monitoring.traffic.windows import Window


class GatheredWindows(Protocol):
    """Windows whose rows are read by tasks."""

    def partial(self, window: Window, aggregator: WindowAggregator) -> Partial | None:
        """All of a window's partials, added up; None without rows. The aggregator does what tasks have to do."""

    def findings(self, window: Window) -> tuple[Finding, ...]:
        """What is to be said of how the window was read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherReaders:
    """Who else reads the rows of a table's windows.

    Attributes:
        gathered: Reads by tasks what is judged; None: it is read here.
        whole: Gives the rows of a window with all columns, where the table has only some; None: it has all.
        meanwhile: Called after each batch that is read here.
    """

    gathered: GatheredWindows | None = None
    whole: Callable[[Window], Table] | None = None
    meanwhile: Callable[[], None] = lambda: None


#: All rows are read here.
NO_OTHERS = OtherReaders()


class TableWindow(WindowRows):
    """One window of a table. A `WindowRows`."""

    inline_labels = True

    def __init__(
        self,
        table: Table,
        window: Window,
        *,
        spec: BaselineSpec,
        counted: InlineLabels,
        routing: LabelRouting,
        others: OtherReaders = NO_OTHERS,
    ) -> None:
        """Reads nothing yet."""
        self._table = table
        self._window = window
        self._spec = spec
        self._counted = counted
        self._routing = routing
        self._gathered = others.gathered
        self._whole, self._meanwhile = others.whole, others.meanwhile
        self._summary = ReadSummary()
        self._held: Sequence[Batch] | None = None

    @property
    @override
    def held(self) -> Sequence[Batch] | None:
        return self._held

    @override
    def batches(self) -> Iterator[Batch]:
        if self._held is not None:
            yield from self._held
            return
        for each in self._pass():
            yield each.batch

    @override
    def gather(self, aggregator: WindowAggregator) -> None:
        start = as_microseconds(self._window.start)
        with self._counted.writer(self._window) as writer:
            if self._gathered is not None:
                partial = self._gathered.partial(self._window, aggregator)
                if partial is None:
                    self._summary = self._summary_of(ReadSums(), UnknownClassLabels())
                    return
                aggregator.merge(partial.sums)
                for part in partial.counted:
                    writer.add(part.file, part.rows, part.labels)
                summary = self._summary_of(partial.read, partial.unknown)
                findings = self._gathered.findings(self._window)
                self._summary = replace(summary, findings=(*summary.findings, *findings))
                return
            held = HeldRows()
            for each in self._pass():
                held.add(each.batch)
                labelled = np.flatnonzero(each.labelled)
                file, rows = known_as(each.rows, labelled, has_ids=self._table.has_ids)
                writer.add(file, rows, label_digests(each.batch.labels[labelled]))
                aggregator.add_with_labels(each.batch, start)
            self._held = held.batches

    @override
    def select(self, ids: IdSet) -> tuple[Predictions, int]:
        counted = self._counted.read(self._window)
        batches, newest = [no_predictions(self._spec)], 0
        for each in self._pass():
            newest = max(newest, int(each.batch.event_times.max()))
            selection = np.flatnonzero(ids.contains(each.rows.all_ids()))
            name, places = known_as(each.rows, selection, has_ids=self._table.has_ids)
            labels = np.full(selection.size, NO_LABEL, dtype=np.int64)
            if name in counted:
                labels = counted[name].of(places, NO_LABEL)
            batches.append(replace(each.batch.take(selection), labels=labels))
        return replace(joined(batches), problems=self._summary.problems), newest

    @override
    def summary(self) -> ReadSummary:
        return self._summary

    def _pass(self) -> Iterator[LabelledBatch]:
        """All rows that count, and then what was found out about them."""
        table, routing = self._table, self._routing
        if self._whole is not None:
            table = self._whole(self._window)
            routing = LabelRouting(table.repeats.shared, routing.labelled_apart)
        scan = table.window(self._window)
        unknown = UnknownClassLabels()
        for each in labelled_batches(scan, routing, self._spec.task):
            unknown += each.unknown
            yield each
            self._meanwhile()
        self._summary = self._summary_of(scan.sums, unknown)

    def _summary_of(self, read: ReadSums, unknown: UnknownClassLabels) -> ReadSummary:
        return ReadSummary(
            repeats=read.repeats,
            problems=read.input_problems(),
            unknown_labels=unknown,
            findings=read.findings(self._table.columns, self._table.time_findings(self._window)),
        )
