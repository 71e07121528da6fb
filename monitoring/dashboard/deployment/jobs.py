"""The pages of jobs, of one deployment and of all: runs, notifications, heartbeat, schedule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from monitoring.config import MonitorConfig
from monitoring.config.addresses import redacted
from monitoring.dashboard.deployment.notifications import Receivers, outbox_table, receivers_of, undelivered_table
from monitoring.dashboard.deployment.runs import all_runs_table, run_table
from monitoring.dashboard.deployment.window_table import added_labels_table, backfill_table, window_table
from monitoring.dashboard.stores.stores import StoredDeployment, Stores
from monitoring.dashboard.view.table import TABLE_ROWS, Cell, TableView, cell
from monitoring.dashboard.view.words import ago, name_of, zone_words
from monitoring.errors import PitfallsError
from monitoring.jobs.backfill.window_list import list_windows
from monitoring.records import Backfill, RunRecord
from monitoring.reports.window_states import WindowState
from monitoring.store.added_labels import AddedLabels
from monitoring.store.checks import Check
from monitoring.store.leases import LeaseRecord
from monitoring.store.notifications import OutboxEvent
from monitoring.store.overview import DeploymentSummary
from monitoring.store.runs import StoredRun
from monitoring.watches.descriptions import LONGEST_MESSAGE, NOTHING, printable

#: How many runs and notifications the CSV files of all jobs have.
CSV_ROWS: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Jobs:
    """What the store has of the jobs of one deployment.

    Attributes:
        config: The config; None where the dashboard does not have it.
    """

    runs: Sequence[RunRecord]
    outbox: Sequence[OutboxEvent]
    check: Check
    lease: LeaseRecord | None = None
    config: MonitorConfig | None = None
    table_rows: int | None = None
    windows: Sequence[WindowState] = ()
    backfills: Sequence[Backfill] = ()
    added_labels: Sequence[AddedLabels] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class JobsView:
    """Everything that the page of a deployment's jobs shows."""

    address: str
    parent: str
    name: str
    facts: tuple[tuple[str, str], ...]
    windows: TableView
    backfills: TableView
    added_labels: TableView
    runs: TableView
    notifications: TableView
    timezone: str

    @property
    def tables(self) -> tuple[TableView, ...]:
        """Every table of the page."""
        return (self.windows, self.backfills, self.added_labels, self.runs, self.notifications)


@dataclass(frozen=True, slots=True, kw_only=True)
class AllJobsView:
    """Everything that the page of all jobs shows."""

    runs: TableView
    notifications: TableView
    configs: TableView
    failed: bool
    timezone: str

    @property
    def tables(self) -> tuple[TableView, ...]:
        """Every table of the page."""
        return (self.runs, self.notifications, self.configs)


def read_jobs(deployment: StoredDeployment, *, whole: bool = False) -> JobsView:
    """The view of a deployment's jobs, or all that are kept."""
    store, number, config, now = deployment.store, deployment.number, deployment.config, deployment.clock()
    jobs = Jobs(
        runs=store.runs.latest(number) if whole else store.runs.latest(number, latest=TABLE_ROWS),
        outbox=store.outbox.read(number)[::-1],
        check=store.deployments.check(number),
        lease=next((lease for lease in store.leases.read() if lease.deployment == number), None),
        config=config,
        table_rows=None if whole else TABLE_ROWS,
        windows=list_windows(config, store, number, latest=CSV_ROWS if whole else TABLE_ROWS, now=now),
        backfills=store.backfills.read(number),
        added_labels=store.added_labels.latest(number, latest=None if whole else TABLE_ROWS),
    )
    return jobs_view(jobs, deployment.summary, deployment.address, now)


def read_all_jobs(stores: Stores, *, failed: bool = False, whole: bool = False) -> AllJobsView:
    """The view of all jobs.

    Args:
        failed: Only the runs that ended with an error.
        whole: Whether its tables have more than fits on a page.

    Returns:
        The view; a store that cannot be read is left out, as the overview says that it cannot.
    """
    most = CSV_ROWS if whole else TABLE_ROWS
    runs: list[tuple[str, StoredRun]] = []
    events: list[tuple[str, Receivers, OutboxEvent]] = []
    for named in stores.stores:
        try:
            store = named.store()
            runs += [(f"/d/{named.name}/{run.deployment}", run) for run in store.runs.recent(most, failed=failed)]
            receivers = {name: words for file in named.files for name, words in receivers_of(file.config).items()}
            events += [
                (f"/d/{named.name}/{number}", receivers, event) for number, event in store.outbox.undelivered(most)
            ]
        except PitfallsError:
            continue
    runs.sort(key=lambda item: item[1].run.started_at, reverse=True)
    events.sort(key=lambda item: item[2].at, reverse=True)
    files = sorted(stores.files, key=lambda file: (not file.problem, file.path))
    zone = ZoneInfo(stores.shown_in or "UTC")
    return AllJobsView(
        runs=all_runs_table(runs[:most], zone, failed=failed),
        notifications=undelivered_table(events[:most], zone),
        configs=config_table([(file.name, file.config, file.problem) for file in files[:most]], len(files)),
        failed=failed,
        timezone=zone.key,
    )


def jobs_view(jobs: Jobs, summary: DeploymentSummary, parent: str, now: datetime) -> JobsView:
    """The page of a deployment's jobs."""
    zone = summary.zone
    return JobsView(
        address=f"{parent}/runs",
        parent=parent,
        name=printable(name_of(summary)),
        facts=_facts(jobs, summary, now, zone),
        windows=window_table(jobs.windows, jobs.table_rows, parent, zone),
        backfills=backfill_table(jobs.backfills, zone),
        added_labels=added_labels_table(jobs.added_labels, zone),
        runs=run_table(jobs.runs, zone),
        notifications=outbox_table(
            jobs.outbox[: jobs.table_rows], receivers_of(jobs.config), parent, zone, len(jobs.outbox)
        ),
        timezone=zone_words(summary),
    )


def config_table(configs: Sequence[tuple[str, MonitorConfig | None, str]], total: int) -> TableView:
    """The configs with what they run, notify and ping, without secrets.

    Args:
        configs: The name of the file, the config, and why there is none or what is wrong with its last run.
    """
    return TableView(
        name="configs",
        title="Configs",
        columns=("Config", "Deployment", "Schedule", "Notified", "Heartbeat", "Problem"),
        rows=tuple(_config_cells(*item) for item in configs),
        total=total,
    )


def _config_cells(path: str, config: MonitorConfig | None, problem: str) -> tuple[Cell, ...]:
    wrong = cell(printable(problem, LONGEST_MESSAGE), problem, style="page text") if problem else cell(NOTHING, "")
    if config is None:
        return (cell(printable(path), style="text"), *[cell("")] * 4, wrong)
    return (
        cell(printable(path), style="text"),
        cell(printable(config.name), style="text"),
        cell(config.schedule.cron),
        cell(", ".join(receivers_of(config).values()) or "nobody", style="text"),
        cell(heartbeat_of(config), style="text"),
        wrong,
    )


def heartbeat_of(config: MonitorConfig) -> str:
    """Where the heartbeat's pings go, without secrets."""
    heartbeat = config.heartbeat
    if heartbeat.url is not None:
        return redacted(heartbeat.url)
    if heartbeat.url_file is not None:
        return f"URL in the file {printable(str(heartbeat.url_file))}"
    return f"URL in the variable {printable(heartbeat.url_env)}" if heartbeat.url_env is not None else "none"


def _facts(jobs: Jobs, summary: DeploymentSummary, now: datetime, zone: ZoneInfo) -> tuple[tuple[str, str], ...]:
    check = jobs.check
    judging = jobs.lease is not None and jobs.lease.expires_at > now
    states = [event.outcome for event in jobs.outbox]
    facts = [
        ("Last run", f"{_moment(summary.used_at, zone)}, {ago(now - summary.used_at)}"),
        ("Last complete run", NOTHING if check.checked_at is None else _moment(check.checked_at, zone)),
        ("Next window due from", NOTHING if check.next_due_at is None else _moment(check.next_due_at, zone)),
        ("Judging now", f"yes, by {printable(jobs.lease.owner)}" if judging and jobs.lease is not None else "no"),
        ("Notifications pending", f"{states.count('pending'):,}"),
        ("Notifications given up", f"{states.count('given up'):,}"),
    ]
    if jobs.config is not None:
        facts += [
            ("Notified", ", ".join(receivers_of(jobs.config).values()) or "nobody"),
            ("Heartbeat", heartbeat_of(jobs.config)),
            ("Schedule", jobs.config.schedule.cron),
        ]
    return tuple(facts)


def _moment(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"
