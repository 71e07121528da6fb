"""Every window that is due, once: the job behind `pitfalls monitor run`, and behind each tick of the schedule."""

from __future__ import annotations

import platform
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import takewhile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from monitoring.config import MonitorConfig
from monitoring.deployment.deployment import Deployment, deploy, window_plan
from monitoring.deployment.places import published_versions, traffic_place
from monitoring.distribution import installed_version
from monitoring.errors import AnotherRun, CannotRun, PitfallsError
from monitoring.judging.window.traffic_source import TrafficSource
from monitoring.notifications.outbox import NotificationOutbox, Notify
from monitoring.records import Backfill, Finding, IncidentRecord, RunRecord, WindowAttempt, WindowRecord
from monitoring.runs.deployment_run import DeploymentRun, open_run
from monitoring.runs.idle import check_begun, label_logs_of
from monitoring.runs.retention import forget_old
from monitoring.runs.run_request import DueRequest, NotificationPolicy, Progress, RunContext, RunRequest
from monitoring.runs.versions import (
    follows_versions,
    hand_over,
    judge_versions,
    recorded,
    reject_unpublished,
    replace_others,
    serving_versions,
)
from monitoring.sources.read_scope import ReadScope
from monitoring.sources.traffic import keep_partials, open_live, open_traffic, require_traffic
from monitoring.store.leases import LEASE_SECONDS, Lease
from monitoring.store.store import Store
from monitoring.tracing import span
from monitoring.traffic.remote.snapshot import Snapshot
from monitoring.traffic.windows import Window
from monitoring.watches.embedding import Embedder


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """What one run did.

    Attributes:
        unreported: findings about rows that belong to no window, or to one judged before, where none was judged.
        excluded_rows: rows of the judged windows that were left out, as their callers are excluded.
        waiting_labels: labels that wait for the next window, where none was judged.
        next_due_at: the time before which that window is not due; None where it is not known.
        again_from: when the first window begins that was judged again, as rows have come for it; None: none was.
        backfill: the backfill that was done, as it began; None for none.
    """

    deployment: int
    judged: int
    opened: tuple[IncidentRecord, ...]
    stopped: bool
    unreported: tuple[Finding, ...] = ()
    follows: int | None = None
    excluded_rows: int = 0
    again_from: datetime | None = None
    waiting_labels: int = 0
    has_rows: bool = True
    next_due_at: datetime | None = None
    deployments: tuple[int, ...] = ()
    backfill: Backfill | None = None

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of all deployments that were judged, one for each version that answers."""
        return self.deployments or (self.deployment,)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalServices:
    """What a run has done by others.

    Attributes:
        notify: notifies the config's routes of an event; None: nobody is notified.
        embedder: runs a bundle's model on tensors; None: the joint watch does not see them, and findings say so.
        live: a frame of Spark or a relation of DuckDB, in place of the config's traffic; None: the config's.
        open_traffic: opens other traffic than the config's, such as a drill's; the files of neither the traffic nor
            its labels are looked at then. None: the config's.
    """

    notify: Notify | None = None
    embedder: Embedder | None = None
    moved: bool = False
    labels_anew: bool = False
    deploy: Callable[[MonitorConfig, Embedder | None], Deployment] = deploy
    open_traffic: Callable[[], TrafficSource] | None = None
    holds_pages: bool = False
    live: Any = None


NO_SERVICES = ExternalServices()


#: A monitor that has judged nothing is failing after so many windows, or after so long where windows are of rows.
SILENT_WINDOWS = 2
SILENCE = timedelta(days=2)


class RunLog:
    """Records one run in the store from its first due window on, or with the error that ends it before.

    A run with nothing to judge leaves no record. One that is killed leaves a record without an end.
    """

    def __init__(
        self, store: Store, name: str, clock: Callable[[], datetime], *, version: int | None = None, early: bool = True
    ) -> None:
        """Records nothing yet."""
        self._store, self._name, self._version = store, name, version
        self.clock, self._early = clock, early
        self._record = RunRecord(started_at=clock(), host=platform.node(), version=installed_version())
        self._number: int | None = None

    def begin(self, deployment: int) -> None:
        """The run has something to judge."""
        self._number = self._store.runs.begin(deployment, self._record)

    def judged(self, window: WindowRecord) -> None:
        """The run has judged a window."""
        record = self._record
        self._record = replace(record, windows=record.windows + 1, rows=record.rows + window.rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Record the end, and the error, under the deployment of the name that was used last if none is known yet.

        That another run is judging is no error of this one, which leaves no record if it had none.
        """
        if error is None:
            self._end("")
            return
        if self._number is None and isinstance(error, AnotherRun):
            return
        if self._number is None and not self._early:
            return
        with suppress(PitfallsError):  # where the store is away too, the first error is the one to tell
            if self._number is None and (deployment := self._last()) is not None:
                self.begin(deployment)
            self._end(str(error) or type(error).__name__)

    def _last(self) -> int | None:
        """The deployment of the version, or else of the name, that was used last."""
        of_version = None if self._version is None else self._store.deployments.latest(self._name, self._version)
        return self._store.deployments.latest(self._name) if of_version is None else of_version

    def _end(self, error: str) -> None:
        if self._number is not None:
            self._store.runs.save(self._number, replace(self._record, ended_at=self.clock(), error=error))


def run_due_windows(
    config: MonitorConfig,
    store: Store,
    *,
    clock: Callable[[], datetime],
    stop: Callable[[], bool] = lambda: False,
    progress: Callable[[Progress], None] = lambda _: None,
    services: ExternalServices = NO_SERVICES,
) -> RunResult:
    """Judge every window that is due and was not judged before, oldest first, each in one transaction.

    Where the config leaves the version open and the traffic is a log, every version that has rows there is judged, as a
    deployment of its own; one that is published and has none is not. A version is closed once others have answered for
    two windows after its last row. What fails with one version stops no other.

    Receivers are notified of each event once its window is in the store, and first of the notifications that earlier
    runs left pending (see `NotificationOutbox`). Stopped or killed at any moment, the next run goes on after the last
    window in the store and comes to the same results.
    """
    request = DueRequest(stop=stop, progress=progress)
    with recorded(config, store, clock):
        if services.open_traffic is not None or not follows_versions(config):
            result = judge_windows(config, store, request, clock=clock, services=services)
            replace_others(config, store, result.deployment, clock())
            return result
        with _logged_errors(config, store, clock):
            require_traffic(config)
            versions = serving_versions(config)
        if not versions.serving or not published_versions(config.model.folder):
            return judge_windows(config, store, request, clock=clock, services=services)
        judge = partial(judge_windows, store=store, request=request, clock=clock, services=services)
        results, errors = judge_versions(config, store, versions, judge, stop=stop)
        if not stop():
            done = {version for version, result in results.items() if not result.stopped}
            for record in store.deployments.in_use(config.name):
                if record.version not in versions.serving and (record.version in done or not errors):
                    hand_over(config, store, record, versions, notify=services.notify, clock=clock)
        if errors:
            raise errors[0]
        with _logged_errors(config, store, clock):
            reject_unpublished(config, versions)
        return combined(list(results.values()))


@contextmanager
def _logged_errors(config: MonitorConfig, store: Store, clock: Callable[[], datetime]) -> Iterator[None]:
    """Record an error that is of no one version."""
    try:
        yield
    except PitfallsError:
        with RunLog(store, config.name, clock):
            raise


def judge_windows(
    config: MonitorConfig,
    store: Store,
    request: RunRequest,
    *,
    clock: Callable[[], datetime],
    services: ExternalServices = NO_SERVICES,
) -> RunResult:
    """Judge windows of one version as `run_due_windows` does: those that a request selects, told as it says."""
    version, early = config.model.version, request.records_refusals
    log_of_run = RunLog(store, config.name, clock, version=version, early=early)
    with span("monitor run", config=config.name), log_of_run as log:
        return _run(config, store, log, request, services)


def _run(
    config: MonitorConfig, store: Store, log: RunLog, request: RunRequest, services: ExternalServices
) -> RunResult:
    label_logs = _label_logs(config, services)
    deployment = services.deploy(config, services.embedder)
    now = log.clock()
    check = check_begun(config, now)
    number = store.find_or_create(deployment.record(config, now), moved=services.moved)
    with store.leases.take(number, uuid.uuid4().hex, now, LEASE_SECONDS) as lease, Snapshot() as snapshot:
        opened_by = partial(_opened, config, services, log.clock, lease)
        context = RunContext(
            config=config,
            deployment=deployment,
            store=store,
            number=number,
            begun=now,
            clock=log.clock,
            open=lambda deployment, scope: opened_by(deployment, replace(scope, snapshot=snapshot)),
            renew=lambda: lease.renew(log.clock()),
        )
        selection = request.select(context)
        run = open_run(context, label_logs, labels_anew=services.labels_anew)
        due = selection.of(run.due)
        if due:
            log.begin(number)
        outbox = NotificationOutbox(store, number, config.notify, services.notify, clock=log.clock, renew=lease.renew)
        outbox.holds_pages = services.holds_pages and deployment.team is not None
        policy = request.notifications(outbox)
        policy.begin()
        opened = _judge_all(run, due, context, log, request, policy)
        if run.judged == len(due):
            store.backfills.end(number, log.clock())
            policy.end()
            if len(due) == len(run.due):
                reject_silence(config, store, number, now)
                run.finish(check, sensitivity=request.sensitivity)
            if due:
                forget_old(context, label_logs[1:])
        return RunResult(
            deployment=number,
            judged=run.judged,
            opened=opened,
            stopped=run.judged < len(due),
            unreported=run.unreported,
            follows=run.follows,
            excluded_rows=run.excluded_rows,
            again_from=selection.again_from,
            waiting_labels=run.waiting_labels,
            has_rows=run.has_rows,
            next_due_at=run.next_due_at,
            backfill=selection.backfill,
        )


def _judge_all(
    run: DeploymentRun,
    due: Sequence[Window],
    context: RunContext,
    log: RunLog,
    request: RunRequest,
    policy: NotificationPolicy,
) -> tuple[IncidentRecord, ...]:
    """Judge windows one after the other, until all are judged or the request says stop.

    Returns:
        The incidents that were opened or became worse, each as it was last.
    """
    news: dict[int, IncidentRecord] = {}
    for window in takewhile(lambda _: not request.stop(), due):
        context.renew()
        checkpoint = window.start >= due[-1].end - context.deployment.checkpoint_age
        attempt = _attempt(context.store, context.number, window, log.clock, checkpoint=checkpoint)
        with span("window", start=window.start.isoformat()), attempt:
            record, changed = run.judge(window)
        log.judged(record)
        policy.judged(changed)
        news |= {incident.number: incident for incident in changed if is_news(incident, record.end)}
        request.progress(Progress(done=run.judged, due=len(due), window=record, changed=changed))
    return tuple(news.values())


def reject_silence(config: MonitorConfig, store: Store, number: int, now: datetime) -> None:
    """Refuse to call a monitor well that has never had a row to judge, two windows after it began."""
    if store.windows.last(number) is not None:
        return
    plan, began = window_plan(config), store.deployments.read(number).created_at
    length = plan.length_at(began)
    patience = SILENCE if length is None else SILENT_WINDOWS * length + plan.lateness
    if now - began <= patience:
        return
    where = traffic_place(config)
    raise CannotRun(
        "No window has ever been judged: no row has come that belongs to a window.",
        got=f"no row of {config.name} in {where} since {began:%Y-%m-%d %H:%M} UTC",
        expected=f"rows of a window within {patience}",
        fix="Check `path` in the [traffic] section, that the server writes there, and its event times.",
    )


def combined(results: Sequence[RunResult]) -> RunResult:
    """What was done for several versions, as one result: that of the newest, with what all of them opened."""
    newest = results[-1]
    if len(results) == 1:
        return newest
    return replace(
        newest,
        judged=sum(result.judged for result in results),
        opened=tuple(incident for result in results for incident in result.opened),
        stopped=any(result.stopped for result in results),
        unreported=tuple(dict.fromkeys(finding for result in results for finding in result.unreported)),
        excluded_rows=sum(result.excluded_rows for result in results),
        deployments=tuple(result.deployment for result in results),
    )


def _label_logs(config: MonitorConfig, services: ExternalServices) -> tuple[Path, ...]:
    """Where the config's label log may be, once its traffic is there; nowhere if other traffic is judged."""
    if services.open_traffic is not None:
        return ()
    if services.live is None:
        require_traffic(config)
    return label_logs_of(config)


def _opened(
    config: MonitorConfig,
    services: ExternalServices,
    clock: Callable[[], datetime],
    lease: Lease,
    deployment: Deployment,
    scope: ReadScope,
) -> TrafficSource:
    if services.open_traffic is not None:
        return services.open_traffic()

    def meanwhile() -> None:
        lease.keep(clock())

    baseline = deployment.baseline
    traffic: TrafficSource
    if services.live is not None:
        traffic = open_live(config, baseline, services.live, clock=clock, scope=scope, meanwhile=meanwhile)
    else:
        traffic = open_traffic(config, baseline, deployment.version, clock=clock, scope=scope, meanwhile=meanwhile)
    if scope.job:
        keep_partials(config, traffic, deployment, judges=True)
    return traffic


@contextmanager
def _attempt(
    store: Store, number: int, window: Window, clock: Callable[[], datetime], *, checkpoint: bool
) -> Iterator[None]:
    """Record an attempt at a window: that it began, and the error that ended it; one that is killed has no end."""
    begun = WindowAttempt(start=window.start, end=window.end, attempts=1, started_at=clock())
    store.attempts.begin(number, begun, checkpoint=checkpoint)
    try:
        yield
    except BaseException as error:
        with suppress(PitfallsError):  # where the store is away too, the first error is the one to tell
            store.attempts.end(number, window.start, at=clock(), error=str(error) or type(error).__name__)
        raise


def is_news(incident: IncidentRecord, at: datetime) -> bool:
    """Whether an incident was opened, or became worse, at that time."""
    return incident.opened_at == at or any(event.state == "worse" and event.at == at for event in incident.history)
