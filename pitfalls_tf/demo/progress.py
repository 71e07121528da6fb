"""How far the demo is, on stderr: a bar on a terminal, a line per stage elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

#: The big libraries of each stage, loaded before it so that their words do not tear the bar.
FRAMEWORKS = {
    "train": ("tensorflow", "keras"),
    "export": ("tensorflow", "keras", "tensorflow_data_validation"),
    "monitor": ("tensorflow_data_validation",),
    "report": ("evidently",),
}


class Teller:
    """Shows stages as bars (see `pitfalls_tf.demo.pipeline.Told`)."""

    def __init__(self, bar: Progress, load: Callable[..., None]) -> None:
        self._bar = bar
        self._load = load
        self._task = bar.add_task("", total=1, visible=False, note="")
        self._name = ""
        self._began = time.monotonic()

    def stage(self, name: str, note: str, *, skipped: bool) -> None:
        """End the bar of the stage before, and begin the next."""
        self.end()
        if skipped:
            self._bar.console.print(f"[dim]{name:8}[/dim] {note} [dim](finished before)[/dim]")
            return
        self._name, self._began = name, time.monotonic()
        self._bar.reset(self._task, total=None, description=f"{name:8}", visible=True, note=note)
        self._note = note
        self._load(*FRAMEWORKS.get(name, ()))

    def moved(self, done: int, total: int, note: str) -> None:
        """Move the bar."""
        self._bar.update(self._task, completed=done, total=total, note=note)

    def end(self) -> None:
        """Leave a line for the stage that has just ended."""
        if self._name:
            seconds = time.monotonic() - self._began
            self._bar.console.print(f"[bold]{self._name:8}[/bold] {self._note} [dim]{seconds:.1f} s[/dim]")
        self._name = ""
        self._bar.update(self._task, visible=False)


@contextmanager
def telling(load: Callable[..., None]) -> Iterator[Teller]:
    """Shows progress for as long as the context lasts; `load` imports libraries by name."""
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
        teller = Teller(bar, load)
        yield teller
        teller.end()
