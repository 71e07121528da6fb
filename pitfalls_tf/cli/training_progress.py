"""Progress of a training: a bar on a terminal, otherwise a line per run, with an estimate of the remaining time."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pitfalls_tf.cli.output import Output


class StepCallback(Protocol):
    """Called after every step."""

    def __call__(self, done: int, total: int, stage: str, *, shown: bool) -> None:
        """Report a step.

        Args:
            shown: whether to print a line where there is no bar.
        """


@contextmanager
def training_progress(output: Output, clock: Callable[[], float]) -> Iterator[StepCallback]:
    """Show progress while the context lasts.

    Args:
        clock: seconds, for the estimate of the remaining time.
    """
    from rich.console import Console  # noqa: PLC0415 - only when something is shown
    from rich.progress import (  # noqa: PLC0415 - as above
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(file=sys.stderr)
    if not console.is_terminal:
        yield _line_printer(output, clock)
        return
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("reading data", total=None)

        def update(done: int, total: int, stage: str, *, shown: bool) -> None:
            del shown
            bar.update(task, completed=done, total=total, description=stage)

        yield update


def _line_printer(output: Output, clock: Callable[[], float]) -> StepCallback:
    first: list[tuple[float, int]] = []

    def line(done: int, total: int, stage: str, *, shown: bool) -> None:
        if not first:
            first.append((clock(), done))
        if not shown:
            return
        started, done_before = first[0]
        left = ""
        if done_before < done < total:
            left = f", about {_duration((clock() - started) * (total - done) / (done - done_before))} left"
        output.progress(f"{done} of {total}: {stage}{left}")

    return line


def _duration(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds > 90 else f"{seconds:.0f} s"
