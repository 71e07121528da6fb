"""Everything that is stored of a deployment, as one record for reports and `--json`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from monitoring.errors import BadInput, CannotRun
from monitoring.records import Coverage, DeploymentRecord, IncidentRecord, MonitorStatus, VersionInUse, WindowRecord
from monitoring.store.store import Store


def status(store: Store, name: str, deployment: int | None = None, *, now: datetime | None = None) -> MonitorStatus:
    """Everything judged so far of one deployment. Cost: the whole history is read, about 20 ms per 100 windows.

    Args:
        deployment: the deployment's number; None: the deployment of that name used last.
        now: the time, aware: whether windows are overdue is said for it; None: it is not.
    """
    number = store.deployments.latest(name) if deployment is None else deployment
    if number is None:
        _reject_failing(store, name)
        raise BadInput(
            "Nothing was judged yet.",
            got=f"no deployment of {name} in the store",
            expected="at least one run",
            fix="Run `pitfalls monitor run` first.",
        )
    record = store.deployments.read(number)
    summary = store.overview.summary(number)
    windows = store.windows.read(number)
    check = store.deployments.check(number)
    return MonitorStatus(
        number=number,
        name=record.called,
        created_at=record.created_at,
        model=record.model,
        version=record.version,
        page_budget=record.page_budget,
        page_threshold=record.page_threshold,
        notice_budget=record.notice_budget,
        notice_threshold=record.notice_threshold,
        timezone=record.timezone,
        windows=windows,
        incidents=store.incidents.read(number),
        sensitivity=store.deployments.sensitivity(number),
        coverage=_coverage(windows),
        baseline=store.deployments.baseline(number),
        measured=store.deployments.measured(number),
        asked_at=now,
        checked_at=check.checked_at,
        next_due_at=check.next_due_at,
        rebaselines=tuple(rebaseline for rebaseline in store.rebaselines.read(number) if rebaseline.undone_at is None),
        drill=next(iter(store.drills.latest(record.called, latest=1)), None),
        failure="" if summary is None else summary.failure,
        undelivered=0 if summary is None else summary.undelivered.total,
        versions=_other_versions(store, record),
    )


def _coverage(windows: Sequence[WindowRecord]) -> Coverage:
    return Coverage(
        rows=sum(w.rows for w in windows),
        repeats=sum(w.repeats for w in windows),
        labels=sum(w.labels for w in windows),
        labels_due=sum(w.labels_due for w in windows),
        labels_unknown=sum(w.labels_unknown for w in windows),
        labels_conflicting=sum(w.labels_conflicting for w in windows),
        windows=len(windows),
        thin_windows=sum(w.status == "thin" for w in windows),
        answered=sum(w.rows + w.unseen for w in windows),
    )


def _other_versions(store: Store, record: DeploymentRecord) -> tuple[VersionInUse, ...]:
    """The other versions of a deployment's name that are in use."""
    return tuple(
        VersionInUse(
            number=outline.number,
            version=outline.version,
            open_pages=sum(each.level == "page" for each in outline.incidents),
        )
        for outline in store.overview.outlines()
        if outline.name == record.called and outline.number != record.number
    )


def _reject_failing(store: Store, name: str) -> None:
    """Raises CannotRun for a monitor that has never worked."""
    monitor = store.monitors.get(name)
    if monitor is not None and monitor.error:
        raise CannotRun(
            "No run has ever worked, and nothing is monitored.",
            got=f"{monitor.failures} failed runs since {monitor.first_run_at:%Y-%m-%d %H:%M} UTC, the last of them: "
            f"{monitor.error}",
            expected="a run that judges what is due",
            fix="Repair what the last run says, and run `pitfalls monitor run`.",
        )


def first_page(status: MonitorStatus) -> tuple[datetime, IncidentRecord] | None:
    """The first page and when it was raised; None if there was none."""
    pages = [incident for incident in status.incidents if incident.level == "page"]
    return (pages[0].opened_at, pages[0]) if pages else None
