"""Tasks one after the other, in this process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from monitoring.jobs.engines.engine import Work
from monitoring.jobs.engines.partial import Partial
from monitoring.jobs.engines.recipe import Recipe
from monitoring.jobs.engines.task import gathered


class LocalEngine:
    """Runs tasks where it is called. An `Engine`."""

    def gather(self, recipe: Recipe, work: Iterable[Work]) -> Iterator[Partial]:
        """See `Engine`. Yields partials in the order of the tasks."""
        for task in work:
            yield from gathered(recipe, task)
