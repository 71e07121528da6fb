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
from monitoring.dashboard.stores.stores import StoredDeployment, Stores
from monitoring.dashboard.view.charts import window_address
from monitoring.dashboard.view.table import TABLE_ROWS, Cell, TableView, cell
from monitoring.dashboard.view.words import ago, name_of, zone_words
from monitoring.errors import PitfallsError
from monitoring.records import Backfill, RunRecord
from monitoring.reports.window_states import WindowState
from monitoring.runs.backfill import list_windows
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
    """The view of all jobs."""
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


_COLUMNS = ("Began", "Ended", "Windows", "Rows", "Took", "Error", "Machine", "Version")


def run_table(runs: Sequence[RunRecord], zone: ZoneInfo) -> TableView:
    """The runs of one deployment."""
    return TableView(
        name="runs",
        title="Runs",
        columns=_COLUMNS,
        rows=tuple(_cells(run, zone) for run in runs),
        numeric=frozenset({2, 3, 4}),
        note="The last runs that had something to judge, or failed; one that was killed has no end.",
    )


def all_runs_table(runs: Sequence[tuple[str, StoredRun]], zone: ZoneInfo, *, failed: bool) -> TableView:
    """The runs of all deployments. `runs`: the address of the deployment's page, and the run; the newest first."""
    return TableView(
        name="runs",
        title="Failed runs" if failed else "Runs",
        columns=("Deployment", *_COLUMNS),
        rows=tuple(
            (
                cell(
                    f"{printable(named_run.name)} v{named_run.version}",
                    named_run.name,
                    href=f"{address}/runs",
                    style="text",
                ),
                *_cells(named_run.run, zone),
            )
            for address, named_run in runs
        ),
        numeric=frozenset({3, 4, 5}),
        note="The last runs that had something to judge, or failed; one that was killed has no end.",
    )


def _cells(run: RunRecord, zone: ZoneInfo) -> tuple[Cell, ...]:
    return (
        cell(_to_the_second(run.started_at, zone), run.started_at, style="when"),
        _ended(run, zone),
        cell(f"{run.windows:,}", run.windows),
        cell(f"{run.rows:,}", run.rows),
        Cell(text=NOTHING if run.seconds is None else f"{run.seconds:,.1f} s", value=run.seconds),
        _error(run.error),
        cell(printable(run.host), style="text"),
        cell(printable(run.version)),
    )


def _ended(run: RunRecord, zone: ZoneInfo) -> Cell:
    if run.ended_at is None:
        return Cell(text="not ended")
    return cell(_to_the_second(run.ended_at, zone), run.ended_at, style="when")


def _error(error: str) -> Cell:
    return cell(printable(error, LONGEST_MESSAGE), error, style="page text") if error else Cell(text=NOTHING, value="")


def _to_the_second(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}"


def window_table(windows: Sequence[WindowState], most: int | None, parent: str, zone: ZoneInfo) -> TableView:
    """The windows of a deployment with their states."""
    shown = windows[::-1][:most]
    return TableView(
        name="windows",
        title="Windows",
        columns=("Begins", "State", "Judged as", "Rows", "Labels", "Attempts", "Judged at", "Before", "Reason"),
        rows=tuple(_window_cells(window, parent, zone) for window in shown),
        numeric=frozenset({3, 4, 5}),
        note="Before: what a window was before it was judged again by a backfill.",
        total=len(windows),
    )


def backfill_table(backfills: Sequence[Backfill], zone: ZoneInfo) -> TableView:
    """The backfills of a deployment."""
    return TableView(
        name="backfills",
        title="Backfills",
        columns=("Began", "Ended", "From", "To", "Only", "Judged again", "By"),
        rows=tuple(_backfill_cells(backfill, zone) for backfill in backfills),
        numeric=frozenset({5}),
        note="Ranges of windows that were judged late or again; one that has not ended goes on with the next run.",
    )


def added_labels_table(added: Sequence[AddedLabels], zone: ZoneInfo) -> TableView:
    """The requests that added labels to a deployment's traffic log."""
    return TableView(
        name="added-labels",
        title="Labels added",
        columns=("At", "Labels", "By"),
        rows=tuple(
            (
                _time_cell(request.at, zone),
                cell(f"{request.labels:,}", request.labels),
                cell(printable(request.by) or NOTHING, request.by, style="text"),
            )
            for request in added
        ),
        numeric=frozenset({1}),
        note="Requests over the HTTP API; labels that a server took or the command line added are not among them.",
    )


def _window_cells(window: WindowState, parent: str, zone: ZoneInfo) -> tuple[Cell, ...]:
    judged = window.status is not None
    last = window.before[-1] if window.before else None
    was = NOTHING if last is None else f"{last.status}, {last.rows:,} rows, {last.labels:,} labels"
    style = "page text" if window.state == "failed" else "text"
    return (
        cell(
            _moment(window.start, zone),
            window.start,
            href=window_address(window.start, parent) if judged else "",
            style="when",
        ),
        cell(window.state, style=style),
        cell(window.status or NOTHING, window.status or "", style="text"),
        Cell(text=f"{window.rows:,}" if judged else NOTHING, value=window.rows if judged else None),
        Cell(text=f"{window.labels:,}" if judged else NOTHING, value=window.labels if judged else None),
        Cell(text=f"{window.attempts:,}" if window.attempts else NOTHING, value=window.attempts or None),
        Cell(text=NOTHING) if window.judged_at is None else _time_cell(window.judged_at, zone),
        cell(was, "" if last is None else was, style="text"),
        cell(printable(window.reason, LONGEST_MESSAGE) or NOTHING, window.reason, style=style),
    )


def _backfill_cells(backfill: Backfill, zone: ZoneInfo) -> tuple[Cell, ...]:
    return (
        _time_cell(backfill.at, zone),
        Cell(text="not ended") if backfill.ended_at is None else _time_cell(backfill.ended_at, zone),
        _time_cell(backfill.start, zone),
        _time_cell(backfill.end, zone),
        cell(backfill.only or "all"),
        cell(f"{backfill.revised:,}", backfill.revised),
        cell(printable(backfill.by), backfill.by, style="text"),
    )


def _time_cell(at: datetime, zone: ZoneInfo) -> Cell:
    return cell(_moment(at, zone), at, style="when")


def _moment(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"
