"""Keeps a worker at each rollout that goes on, of any number of configs: one that ended is started again."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from monitoring.config import MonitorConfig
from monitoring.config.files import ConfigFile
from monitoring.service.config_watch import ConfigWatch
from monitoring.service.service import retry_seconds
from monitoring.store.checks import rollouts_going_on

#: Seconds between two looks for rollouts that go on.
LOOK_SECONDS = 5.0

#: A worker that ran for so many seconds was in order: the next one begins at once.
SOUND_SECONDS = 60.0

#: Seconds that a worker has between the signal to stop and the one that ends it.
STOP_SECONDS = 20.0


class WorkerProcess(Protocol):
    """A process that works on one rollout; `subprocess.Popen` is one."""

    def poll(self) -> int | None:
        """Its exit status; None while it runs."""

    def terminate(self) -> None:
        """Have it end between two passes."""

    def kill(self) -> None:
        """End it."""

    def wait(self, timeout: float | None = None) -> int:
        """Its exit status, once it has ended; subprocess.TimeoutExpired if that takes longer."""


@dataclass(slots=True, kw_only=True)
class _Kept:
    """A config, and the worker at its rollout."""

    file: ConfigFile
    process: WorkerProcess | None = None
    began_at: float = 0.0
    failures: int = 0
    not_before: float = 0.0
    is_cut_off: bool = False


class RolloutWorkers:
    """A process for each config of which a rollout goes on.

    It begins no rollout: `pitfalls rollout start --begin` does. A worker that ends while its rollout goes on is started
    again, at once if it ran for a minute, else after a minute, two, four, up to a quarter of an hour. A config that
    vanishes or becomes wrong leaves the worker that runs as it is.
    """

    def __init__(
        self,
        watch: ConfigWatch,
        start: Callable[[Path], WorkerProcess],
        *,
        clock: Callable[[], float],
        report: Callable[[str, str, str], None],
        going_on: Callable[[str, str], tuple[int, ...] | None] = rollouts_going_on,
    ) -> None:
        """Starts nothing yet.

        Args:
            start: Starts the worker of a config's rollout.
            clock: Seconds, from any moment on.
            report: Takes a config's name, a sentence and its level.
            going_on: The rollouts of a store and a name that go on; None where the store cannot be reached.
        """
        self._watch, self._start, self._clock = watch, start, clock
        self._report, self._going_on = report, going_on
        self._kept: dict[Path, _Kept] = {}

    def look(self) -> None:
        """Take up what has changed of the configs, and start the workers that are missing."""
        changes = self._watch.look()
        for file in changes.read:
            self._take_up(file)
        for path in changes.removed:
            self._report(self._kept[path].file.name, "Its config is gone: a worker that runs goes on.", "error")
        for path, kept in self._kept.items():
            if kept.process is not None and (status := kept.process.poll()) is not None:
                self._ended(kept, status)
            if kept.process is None and self._clock() >= kept.not_before:
                self._begin(path, kept)

    def close(self) -> None:
        """End the workers, and not their rollouts."""
        processes = [kept.process for kept in self._kept.values() if kept.process is not None]
        for process in processes:
            with suppress(ProcessLookupError):
                process.terminate()
        for process in processes:
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _take_up(self, file: ConfigFile) -> None:
        kept = self._kept.setdefault(file.path, _Kept(file=file))
        if file.config is None:
            self._report(file.name, f"The config is wrong, and is read again once it changes. {file.problem}", "error")
            return
        kept.file, kept.failures, kept.not_before = file, 0, 0.0

    def _ended(self, kept: _Kept, status: int) -> None:
        kept.process = None
        if status == 0:
            self._report(kept.file.name, "The worker of its rollout has ended.", "info")
            return
        sound = self._clock() - kept.began_at >= SOUND_SECONDS
        kept.failures = 0 if sound else kept.failures + 1
        wait = 0.0 if sound else retry_seconds(kept.failures)
        kept.not_before = self._clock() + wait
        ended = f"was ended by signal {-status}" if status < 0 else f"ended with {status}"
        self._report(
            kept.file.name, f"The worker of its rollout {ended}: the next one begins in {wait:.0f} s.", "error"
        )

    def _begin(self, path: Path, kept: _Kept) -> None:
        config: MonitorConfig | None = kept.file.config
        if config is None:
            return
        numbers = self._going_on(config.store.url, config.name)
        self._tell_of_store(kept, is_cut_off=numbers is None)
        if not numbers:
            return
        kept.process, kept.began_at = self._start(path), self._clock()
        self._report(kept.file.name, f"A worker goes on with rollout {numbers[-1]}.", "info")

    def _tell_of_store(self, kept: _Kept, *, is_cut_off: bool) -> None:
        """Say once that a store cannot be reached, and once that it can be again."""
        if is_cut_off == kept.is_cut_off:
            return
        kept.is_cut_off = is_cut_off
        if is_cut_off:
            text = f"Its store cannot be reached: no worker can begin. It is tried again every {LOOK_SECONDS:.0f} s."
            self._report(kept.file.name, text, "error")
        else:
            self._report(kept.file.name, "Its store can be reached again.", "info")
