"""An engine: the tasks of a window in threads of this process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

from monitoring.engines.codec import decoded
from monitoring.engines.engine import Work
from monitoring.engines.partial import Partial
from monitoring.engines.processes import run_task
from monitoring.engines.recipe import Recipe


class ThreadEngine:
    """Runs tasks in threads; the option `threads` says how many.

    Nothing but bytes goes out and comes back, so `run_task` could as well run on another machine that has the files.
    """

    def __init__(self, options: Mapping[str, Any], meanwhile: Callable[[], None]) -> None:
        self._threads = int(options.get("threads", 2))
        self._meanwhile = meanwhile

    def gather(self, recipe: Recipe, work: Iterable[Work]) -> Iterator[Partial]:
        """Run tasks, and give what each has learned in their order; the run's lease is renewed between them."""
        with ThreadPoolExecutor(self._threads) as pool:
            waiting = iter(work)
            while tasks := tuple(islice(waiting, 2 * self._threads)):
                for partials in pool.map(lambda task: run_task(recipe.packed, task), tasks):
                    self._meanwhile()
                    yield from (decoded(data, recipe) for data in partials)
