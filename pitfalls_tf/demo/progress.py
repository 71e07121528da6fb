"""Progress of the demo on stderr: a bar on a terminal, otherwise a line per stage."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

#: Large libraries of each stage, imported before it so that their output does not break the bar.
FRAMEWORKS = {
    "train": ("tensorflow", "keras"),
    "export": ("tensorflow", "keras", "tensorflow_data_validation"),
    "monitor": ("tensorflow_data_validation",),
    "drill": ("tensorflow_data_validation",),
    "report": ("evidently",),
}


class StageBars:
    """Shows stages as bars (see `pitfalls_tf.demo.pipeline.StageListener`)."""

    def __init__(self, bar: Progress, load: Callable[..., None]) -> None:
        self._bar = bar
        self._load = load
        self._task = bar.add_task("", total=1, visible=False, note="")
        self._name = ""
        self._started = time.monotonic()

    def stage_started(self, name: str, note: str, *, skipped: bool) -> None:
        """End the previous stage's bar, and start the next one."""
        self.end()
        if skipped:
            self._bar.console.print(f"[dim]{name:8}[/dim] {note} [dim](already done)[/dim]")
            return
        self._name, self._started = name, time.monotonic()
        self._bar.reset(self._task, total=None, description=f"{name:8}", visible=True, note=note)
        self._note = note
        self._load(*FRAMEWORKS.get(name, ()))

    def stage_progressed(self, done: int, total: int, note: str) -> None:
        """Update the bar."""
        self._bar.update(self._task, completed=done, total=total, note=note)

    def end(self) -> None:
        """Print a line for the finished stage."""
        if self._name:
            seconds = time.monotonic() - self._started
            self._bar.console.print(f"[bold]{self._name:8}[/bold] {self._note} [dim]{seconds:.1f} s[/dim]")
        self._name = ""
        self._bar.update(self._task, visible=False)


@contextmanager
def show_progress(load: Callable[..., None]) -> Iterator[StageBars]:
    """Show progress while the context lasts."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    console = Console(stderr=True, soft_wrap=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        stages = StageBars(bar, load)
        yield stages
        stages.end()
