"""Evidently's report of a window: the page that frames it, and the report as it was written beside the config."""

from __future__ import annotations

import json
import multiprocessing
import os
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Lock, Thread
from typing import Final
from zoneinfo import ZoneInfo

from monitoring.config import load_config
from monitoring.dashboard.access.access import HEADERS
from monitoring.dashboard.stores.stores import StoredDeployment, existing
from monitoring.dashboard.view.charts import window_address
from monitoring.dashboard.view.words import name_of, zone_words
from monitoring.errors import CannotRun, PitfallsError
from monitoring.inspection.report import drift_files, drift_title, write_drift
from monitoring.reports.drift import POLICY
from monitoring.reports.drift_sample import plain
from monitoring.reports.sections.formatting import window_name
from monitoring.store.store import Store
from monitoring.watches.descriptions import printable

#: Where `pitfalls monitor report` writes, beside the config.
FOLDER: Final = "report"

#: What the page that frames a report has instead of the policy of other pages.
FRAMING: Final = {"content-security-policy": f"{HEADERS['content-security-policy']}; frame-src 'self'"}

#: What the report itself has: its scripts run in an origin of their own, without cookies, and ask for nothing.
FRAMED: Final = {"content-security-policy": f"sandbox allow-scripts; {POLICY}; frame-ancestors 'self'"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftView:
    """The page that frames a window's report.

    Attributes:
        command: The command that writes the report; empty where the config is not known.
        job: The report to write; None where the config is not known.
    """

    address: str
    parent: str
    window_href: str
    name: str
    title: str
    command: str
    report: Path | None
    timezone: str
    job: DriftJob | None = None
    writing: bool = False
    problem: tuple[str, ...] = ()


def read_drift(deployment: StoredDeployment, start: datetime) -> DriftView:
    """The view that frames the report of the window that begins at a time. Raises BadInput if there is no window."""
    summary, parent = deployment.summary, deployment.address
    window = existing("window", deployment.store.windows.at(deployment.number, start), start.isoformat())
    record = summary.record
    zone, file = ZoneInfo(record.timezone), deployment.file
    command, report, job = "", None, None
    if file is not None:
        folder = file.path.parent / FOLDER
        title = drift_title(record.model, record.version, window, zone)
        report = _written(*drift_files(folder, window.start, zone), title)
        begun = window.start.astimezone(zone)
        arguments = ("--config", str(file.path), "--out", str(folder), "--window", f"{begun:%Y-%m-%dT%H:%M}")
        command = shlex.join(("pitfalls", "monitor", "report", *arguments, "--deployment", str(deployment.number)))
        job = DriftJob(config=file.path, out=folder, deployment=deployment.number, start=window.start)
    href = window_address(window.start, parent)
    return DriftView(
        address=f"{href}/drift",
        parent=parent,
        window_href=href,
        name=printable(name_of(summary)),
        title=window_name(window, summary.zone),
        command=command,
        report=report,
        timezone=zone_words(summary),
        job=job,
    )


def _written(page: Path, document: Path, title: str) -> Path | None:
    """The page of a report that is about this window of this deployment; None where it is not there, or of another."""
    try:
        subject = json.loads(document.read_text("utf-8"))["subject"]
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return page if subject == plain(title) and page.is_file() else None


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
    """Write a report. Cost: Evidently's import and 10 to 20 s. Returns empty, or why it cannot be written."""
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
