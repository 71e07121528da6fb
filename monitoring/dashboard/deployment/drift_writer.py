"""Writes Evidently's report of a window in a process of its own, one at a time: it takes many megabytes and seconds."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Lock, Thread
from typing import Final

from monitoring.config import load_config
from monitoring.errors import CannotRun, PitfallsError
from monitoring.jobs.report import write_drift
from monitoring.store.store import Store

#: Seconds after which a report that is not there is given up.
MOST_SECONDS: Final = 600.0

#: How much the process gives way to others.
NICENESS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftJob:
    """A report to write: of which config, into which folder, of which deployment, and when its window begins."""

    config: Path
    out: Path
    deployment: int
    start: datetime


def write(job: DriftJob) -> str:
    """Write a report. Cost: Evidently's import and 10 to 20 s.

    Returns:
        Empty, or why it cannot be written.
    """
    try:
        config = load_config(job.config)
        with Store.open(config.store.url, make=False) as store:
            write_drift(config, store, out=job.out, start=job.start, deployment=job.deployment)
    except PitfallsError as error:
        return str(error)
    return ""


class DriftWriter:
    """Writes reports one after the other, and keeps why the last ones could not be written.

    Args:
        write: Writes one, in the other process: returns empty, or why it cannot.
    """

    def __init__(self, write: Callable[[DriftJob], str] = write, seconds: float = MOST_SECONDS) -> None:
        self._write = write
        self._seconds = seconds
        self._lock = Lock()
        self._running: DriftJob | None = None
        self._problems: dict[DriftJob, str] = {}

    def is_writing(self, job: DriftJob) -> bool:
        """Whether that report is being written."""
        return self._running == job

    def problem(self, job: DriftJob) -> str:
        """Why that report could not be written when it was asked for last; empty if it could."""
        return self._problems.get(job, "")

    def begin(self, job: DriftJob) -> None:
        """Begin to write a report, unless it is being written."""
        with self._lock:
            if self._running == job:
                return
            if self._running is not None:
                raise CannotRun(
                    "Another drift report is being written.",
                    got="two at once",
                    expected="one after the other",
                    fix="Wait until it is done, and ask again.",
                )
            self._running = job
            self._problems.pop(job, None)
        Thread(target=self._watch, args=(job,), name="drift report", daemon=True).start()

    def _watch(self, job: DriftJob) -> None:
        """Wait for the process; it ends with the dashboard."""
        spawning = multiprocessing.get_context("spawn")
        receiving, sending = spawning.Pipe(duplex=False)
        process = spawning.Process(target=_report, args=(self._write, job, sending), daemon=True)
        process.start()
        sending.close()
        process.join(self._seconds)
        problem = f"It took more than {self._seconds:,.0f} seconds."
        if process.is_alive():
            process.kill()
        else:
            try:
                problem = receiving.recv()
            except EOFError:
                problem = f"Its process ended with exit code {process.exitcode}."
        with self._lock:
            self._running = None
            if problem:
                self._problems[job] = problem


def _report(write: Callable[[DriftJob], str], job: DriftJob, sending: Connection) -> None:
    os.nice(NICENESS)
    sending.send(write(job))
