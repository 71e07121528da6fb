"""The windows of a run, gathered by an engine ahead of their judgement and handed over one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from operator import add

from monitoring.baseline.predictions import no_predictions
from monitoring.baseline.spec import BaselineSpec
from monitoring.engines.engine import Engine, work_of
from monitoring.engines.kept_partials import KeptPartials
from monitoring.engines.partial import Partial
from monitoring.engines.recipe import Recipe
from monitoring.errors import CannotRun
from monitoring.judging.window.label_findings import UnknownClassLabels
from monitoring.judging.window.window_sums import WindowAggregator
from monitoring.records import Finding
from monitoring.timestamps import as_microseconds
from monitoring.traffic.tables.kept_sums import KeptSums
from monitoring.traffic.tables.label_import import LabelRouting
from monitoring.traffic.tables.read_sums import ReadSums
from monitoring.traffic.tables.table import Table
from monitoring.traffic.windows import Window


class Gathering:
    """Has an engine read windows of a table. A `monitoring.sources.table_window.GatheredWindows`.

    One call of the engine reads all windows that are expected, so that a piece is read once for all that it lies in. A
    window whose partial is kept, and whose rows are as they were or gone, is not read.
    """

    def __init__(
        self,
        engine: Engine,
        table: Table,
        spec: BaselineSpec,
        routing: LabelRouting,
        *,
        kept_partials: KeptPartials | None = None,
        is_copy: bool = False,
    ) -> None:
        """Reads nothing yet.

        Args:
            kept_partials: Partials of earlier runs, and where those of this one go; None: none are kept.
        """
        self._engine, self._table, self._spec, self._routing, self._kept_partials = (
            engine,
            table,
            spec,
            routing,
            kept_partials,
        )
        self._is_copy = is_copy
        self._expected: tuple[Window, ...] = ()
        self._by: tuple[object, object] | None = None
        self._partials: Iterator[Partial] = iter(())
        self._next: Partial | None = None
        self._until = -1
        self._usable: dict[Window, tuple[tuple[KeptSums, ...], tuple[Window, ...]]] = {}

    def expect(self, windows: Sequence[Window]) -> None:
        """Windows that will be asked for, in this order."""
        self._expected = tuple(windows)

    def partial(self, window: Window, aggregator: WindowAggregator) -> Partial | None:
        """All of a window's partials, added up; None where the window has no row."""
        start = as_microseconds(window.start)
        by = (aggregator.scorer, aggregator.profiles)
        if self._by != by or start < self._until or window not in self._expected:
            self._begin(window, aggregator)
            self._by = by
        self._until = as_microseconds(window.end)
        if self._kept_partials is not None and window in self._usable:
            files, gaps = self._usable[window]
            read = (partial.within(start, self._until) for gap in gaps for partial in self._read(gap))
            return reduce(add, read, self._kept_partials.partial(window, files))
        partials = self._read(window)
        partial = reduce(add, partials) if partials else None
        if self._is_copy:
            self._check_rows(window, 0 if partial is None else partial.read.rows)
        if self._kept_partials is not None:
            self._kept_partials.keep(partial or self._without_rows(window, aggregator), window, self._table)
        return partial

    def _read(self, window: Window) -> list[Partial]:
        """The next partials, of a window or a part of one."""
        partials, start = [], as_microseconds(window.start)
        while self._next is not None and self._next.start <= start:
            if self._next.start == start:
                partials.append(self._next)
            self._next = next(self._partials, None)
        return partials

    def _check_rows(self, window: Window, rows: int) -> None:
        """Raises CannotRun where the engine has read other rows than were copied."""
        copied = int(self._table.counts([window])[0, 1])
        if rows != copied:
            raise CannotRun(
                "The rows have changed while they were read.",
                got=f"{copied:,} rows of the window from {window.start:%Y-%m-%d %H:%M} UTC on, then {rows:,}",
                expected="the same rows in every pass of a run",
                fix="Run again: nothing was judged of this window. Give late rows more time, `lateness`, or read a "
                "snapshot of the table.",
            )

    def findings(self, window: Window) -> tuple[Finding, ...]:
        """What is to be said of how a window was read: that its rows are gone."""
        files, _ = self._usable.get(window, ((), ()))
        if self._kept_partials is None or not files:
            return ()
        rows = sum(file.rows for file in self._kept_partials.gone(self._table, files))
        if not rows:
            return ()
        which = (
            f"Of the rows of this window, {rows:,}"
            if self._table.counts([window])[0, 0]
            else f"The {rows:,} rows of this window"
        )
        message = (
            f"{which} are gone: it is judged by the sums that were kept of them, without rows "
            "to look at, and without labels that came later than their rows."
        )
        if self._kept_partials.drawn_by_time(files):
            message += (
                " Their sample was drawn by event time, and not by event time and id: where many rows share a time, or "
                "other rows of the window were sampled since, joint drift and estimates are not of all rows alike."
            )
        return (Finding(kind="rows gone", feature="", message=message),)

    def _without_rows(self, window: Window, aggregator: WindowAggregator) -> Partial:
        none = WindowAggregator(aggregator.scorer, aggregator.profiles).result(no_predictions(self._spec))
        start, end = as_microseconds(window.start), as_microseconds(window.end)
        return Partial(start=start, end=end, sums=none, read=ReadSums(), unknown=UnknownClassLabels())

    def _begin(self, window: Window, aggregator: WindowAggregator) -> None:
        """Ask for the window, and for those that are expected after it."""
        place = self._expected.index(window) if window in self._expected else None
        windows = (window,) if place is None else self._expected[place:]
        apart = self._routing.labelled_apart
        recipe = Recipe.of(aggregator, self._spec, self._table.columns, None if apart is None else apart().keys)
        self._usable = {} if self._kept_partials is None else self._usable_files(self._kept_partials, recipe, windows)
        spans = [span for each in windows for span in (self._usable[each][1] if each in self._usable else (each,))]
        work = work_of(self._table, spans)
        self._partials = self._engine.gather(recipe, work)
        self._next = next(self._partials, None)

    def _usable_files(
        self, kept_partials: KeptPartials, recipe: Recipe, windows: Sequence[Window]
    ) -> dict[Window, tuple[tuple[KeptSums, ...], tuple[Window, ...]]]:
        """The files of the windows that need not be read, or only between these."""
        if not kept_partials.is_of(recipe):
            raise CannotRun(
                "Sums are kept by another baseline than the windows are judged by.",
                got="watches that have changed since the traffic was opened",
                expected="one baseline in a run",
                fix="Run again; if it comes back, remove `keep` from the [engine] section.",
            )
        usable = {window: kept_partials.usable(self._table, window) for window in windows}
        return {window: (files, gaps) for window, (files, gaps) in usable.items() if files}
