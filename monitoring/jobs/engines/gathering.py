"""The windows of a run, gathered by an engine ahead of their judgement and handed over one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from operator import add

from monitoring.baseline.spec import BaselineSpec
from monitoring.jobs.engines.engine import Engine, work_of
from monitoring.jobs.engines.partial import Partial
from monitoring.jobs.engines.recipe import Recipe
from monitoring.judging.window.window_sums import WindowAggregator
from monitoring.timestamps import as_microseconds
from monitoring.traffic.tables.label_import import LabelRouting
from monitoring.traffic.tables.table import Table
from monitoring.traffic.windows import Window


class Gathering:
    """Has an engine read windows of a table. A `monitoring.jobs.sources.table_window.GatheredWindows`.

    One call of the engine reads all windows that are expected, so that a piece is read once for all that it lies in.
    """

    def __init__(self, engine: Engine, table: Table, spec: BaselineSpec, routing: LabelRouting) -> None:
        """Reads nothing yet."""
        self._engine, self._table, self._spec, self._routing = engine, table, spec, routing
        self._expected: tuple[Window, ...] = ()
        self._by: tuple[object, object] | None = None
        self._partials: Iterator[Partial] = iter(())
        self._next: Partial | None = None
        self._until = -1

    def expect(self, windows: Sequence[Window]) -> None:
        """Windows that will be asked for, in this order."""
        self._expected = tuple(windows)

    def partial(self, window: Window, aggregator: WindowAggregator) -> Partial | None:
        """All of a window's partials, added up; None where the window has no row.

        Raises:
            CannotRun: A file cannot be read, or a task could not be run.
            BadInput: The deployment's rows cannot be read by tasks.
        """
        start = as_microseconds(window.start)
        by = (aggregator.scorer, aggregator.profiles)
        if self._by != by or start < self._until or window not in self._expected:
            self._begin(window, aggregator)
            self._by = by
        partials = []
        while self._next is not None and self._next.start <= start:
            if self._next.start == start:
                partials.append(self._next)
            self._next = next(self._partials, None)
        self._until = as_microseconds(window.end)
        return reduce(add, partials) if partials else None

    def _begin(self, window: Window, aggregator: WindowAggregator) -> None:
        """Ask for the window, and for those that are expected after it."""
        place = self._expected.index(window) if window in self._expected else None
        windows = (window,) if place is None else self._expected[place:]
        apart = self._routing.labelled_apart
        recipe = Recipe.of(aggregator, self._spec, self._table.columns, None if apart is None else apart().keys)
        self._partials = self._engine.gather(recipe, work_of(self._table, windows))
        self._next = next(self._partials, None)
