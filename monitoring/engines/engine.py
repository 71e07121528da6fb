"""Work for tasks, and what gathers it: the seam between judging and whatever reads the rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Protocol

from monitoring.engines.partial import Partial
from monitoring.engines.recipe import Recipe
from monitoring.timestamps import as_microseconds
from monitoring.traffic.tables.extents import EventTimeRange, Extent
from monitoring.traffic.tables.repeats import Repeats
from monitoring.traffic.tables.table import Table
from monitoring.traffic.windows import Window

#: Rows that a task reads at least, where windows have so many.
TASK_ROWS = 1 << 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Some pieces of one window: those with some numbers."""

    window: Window
    numbers: frozenset[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What one task reads: some pieces of a table, each for some windows. It reads nothing else.

    Attributes:
        number: its place among the tasks: partials of one window are added in this order.
    """

    number: int
    parts: tuple[Part, ...]
    extents: tuple[Extent, ...]
    repeats: Repeats
    inside: EventTimeRange
    has_ids: bool


class Engine(Protocol):
    """Runs tasks."""

    def gather(self, recipe: Recipe, work: Iterable[Work]) -> Iterator[Partial]:
        """Run tasks, and bring back what each has learned.

        Yields:
            A partial for each window of each task, in the order of the tasks; a window without rows in a task has none.
        """


def work_of(table: Table, windows: Sequence[Window], *, rows: int = TASK_ROWS) -> Iterator[Work]:
    """Cut the reading of some windows into tasks.

    A piece that lies in windows that follow each other is read by one task; a window of many pieces has several.

    Args:
        rows: How many rows a task reads at least, as far as there are so many.
    """
    number, pairs, pieces = 0, list[tuple[Window, int]](), dict[int, Extent]()
    for window in windows:
        start, end = as_microseconds(window.start), as_microseconds(window.end)
        for extent in table.extents:
            if extent.last < start or extent.first >= end:
                continue
            if extent.number not in pieces and sum(piece.rows for piece in pieces.values()) >= rows:
                yield _work(table, number, pairs, tuple(pieces.values()))
                number, pairs, pieces = number + 1, [], {}
            pieces[extent.number] = extent
            pairs.append((window, extent.number))
    if pairs:
        yield _work(table, number, pairs, tuple(pieces.values()))


def _work(table: Table, number: int, pairs: Sequence[tuple[Window, int]], extents: tuple[Extent, ...]) -> Work:
    repeats = table.repeats
    return Work(
        number=number,
        parts=tuple(
            Part(window=window, numbers=frozenset(piece for _, piece in group))
            for window, group in groupby(pairs, key=itemgetter(0))
        ),
        extents=extents,
        repeats=Repeats(
            shared={
                extent.number: repeats.shared[extent.number] for extent in extents if extent.number in repeats.shared
            },
            dropped={
                extent.number: repeats.dropped[extent.number] for extent in extents if extent.number in repeats.dropped
            },
        ),
        inside=table.inside,
        has_ids=table.has_ids,
    )
