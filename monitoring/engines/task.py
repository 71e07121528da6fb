"""A task: the one piece of code that sees rows, whatever engine runs it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from monitoring.baseline.predictions import no_predictions
from monitoring.engines.engine import Part, Work
from monitoring.engines.labelled_rows import known_as, labelled_batches
from monitoring.engines.partial import CountedRows, Partial
from monitoring.engines.recipe import Recipe
from monitoring.judging.window.label_findings import UnknownClassLabels
from monitoring.judging.window.window_sums import WindowAggregator
from monitoring.tasks.label_codes import label_digests
from monitoring.timestamps import as_microseconds
from monitoring.traffic.id_keys import IdSet
from monitoring.traffic.tables.label_import import LabelRouting
from monitoring.traffic.tables.table import Table


def gathered(recipe: Recipe, work: Work) -> Iterator[Partial]:
    """Read what one task reads.

    Cost: as a window's rows cost, about 400 ns a row of 32 numbers. Memory: a few batches, and one partial.

    Yields:
        A partial for each window with a row that counts, or that is dropped as a repeat, in order.
    """
    table = Table.of_extents(
        work.extents, recipe.columns, inside=work.inside, has_ids=work.has_ids, repeats=work.repeats
    )
    apart = recipe.labelled_apart
    keys = None if apart is None else IdSet.of_keys(apart)
    routing = LabelRouting(work.repeats.shared, None if keys is None else lambda: keys)
    for part in work.parts:
        partial = _partial(recipe, table, routing, part)
        if partial.read.rows or partial.read.repeats:
            yield partial


def _partial(recipe: Recipe, table: Table, routing: LabelRouting, part: Part) -> Partial:
    start = as_microseconds(part.window.start)
    aggregator = WindowAggregator(recipe.scorer, recipe.profiles)
    scan = table.window(part.window, part.numbers)
    unknown, counted = UnknownClassLabels(), list[CountedRows]()
    for each in labelled_batches(scan, routing, recipe.spec.task):
        aggregator.add_with_labels(each.batch, start)
        unknown += each.unknown
        labelled = np.flatnonzero(each.labelled)
        if labelled.size:
            file, rows = known_as(each.rows, labelled, has_ids=table.has_ids)
            counted.append(CountedRows(file=file, rows=rows, labels=label_digests(each.batch.labels[labelled])))
    return Partial(
        start=start,
        end=as_microseconds(part.window.end),
        sums=aggregator.result(no_predictions(recipe.spec)),
        read=scan.sums,
        unknown=unknown,
        counted=tuple(counted),
    )


class LocalEngine:
    """Runs tasks where it is called. An `Engine`."""

    def __init__(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Reads nothing yet. `meanwhile` is called after each partial."""
        self._meanwhile = meanwhile

    def gather(self, recipe: Recipe, work: Iterable[Work]) -> Iterator[Partial]:
        """See `Engine`. Yields partials in the order of the tasks."""
        for task in work:
            for partial in gathered(recipe, task):
                yield partial
                self._meanwhile()
