"""Evidently's report of a window: the page that frames it, and the report as it was written beside the config."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from monitoring.dashboard.access.access import HEADERS
from monitoring.dashboard.deployment.drift_writer import DriftJob
from monitoring.dashboard.stores.stores import StoredDeployment, existing
from monitoring.dashboard.view.charts import window_address
from monitoring.dashboard.view.words import name_of, zone_words
from monitoring.jobs.report import drift_files, drift_title
from monitoring.reports.drift import POLICY
from monitoring.reports.drift_sample import plain
from monitoring.reports.sections.formatting import window_name
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
        writing: Whether it is being written.
        problem: Why it could not be written, in lines.
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
