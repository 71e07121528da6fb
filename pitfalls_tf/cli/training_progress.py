"""How far a training is: a bar on a terminal; elsewhere a line for each run, with the time that is left."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pitfalls_tf.cli.output import Output


class Tell(Protocol):
    """Told of every step; those that are not `shown` move a bar and print nothing."""

    def __call__(self, done: int, total: int, stage: str, *, shown: bool) -> None:
        """So many done of all, and what the last was."""


@contextmanager
def told(output: Output, clock: Callable[[], float]) -> Iterator[Tell]:
    """What to call after every step; `clock` gives seconds, of which the remaining time is made."""
    from rich.console import Console  # noqa: PLC0415 - only when something is shown
    from rich.progress import (  # noqa: PLC0415 - as above
        BarColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bar  # noqa: PLC0415 - as above

    console = Console(file=sys.stderr)
    if not console.is_terminal:
        yield _lines(output, clock)
        return
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task("reading", total=None)

        def advance(done: int, total: int, stage: str, *, shown: bool) -> None:
            del shown
            bar.update(task, completed=done, total=total, description=stage)

        yield advance


def _lines(output: Output, clock: Callable[[], float]) -> Tell:
    first: list[tuple[float, int]] = []

    def line(done: int, total: int, stage: str, *, shown: bool) -> None:
        if not first:
            first.append((clock(), done))
        if not shown:
            return
        began, before = first[0]
        left = ""
        if done > before and done < total:
            left = f", about {_rounded((clock() - began) * (total - done) / (done - before))} left"
        output.progress(f"{done} of {total}: {stage}{left}")

    return line


def _rounded(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds > 90 else f"{seconds:.0f} s"
