"""A range of windows judged, late or again: the job behind `pitfalls monitor backfill`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np

from monitoring.config import MonitorConfig
from monitoring.jobs.backfill.window_range import KnownWindows, WindowRange
from monitoring.jobs.deployment import Deployment
from monitoring.jobs.due_windows import due_windows, is_followed
from monitoring.jobs.run import NO_SERVICES, ExternalServices, RunRequest, RunResult, judge_windows
from monitoring.jobs.sources.read_scope import ReadScope
from monitoring.jobs.sources.table_source import TableSource
from monitoring.jobs.sources.traffic import keep_partials, open_traffic
from monitoring.judging.window.traffic_source import TrafficSource
from monitoring.records import Backfill, WindowRecord, WindowRevision
from monitoring.store.store import Store
from monitoring.traffic.windows import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisedWindow:
    """A window that was judged again.

    Attributes:
        before: What it was.
        after: Its record now; None where it has not been judged again yet, or is cut otherwise now.
    """

    before: WindowRevision
    after: WindowRecord | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillResult:
    """What a backfill did.

    Attributes:
        backfill: What was asked for, and how far it came; None where there was nothing to do.
        revised: The windows that were judged before, in order.
    """

    backfill: Backfill | None
    run: RunResult
    revised: tuple[RevisedWindow, ...] = ()


class BackfillRequest:
    """Begins a backfill that somebody asks for."""

    def __init__(self, config: MonitorConfig, store: Store, span: WindowRange) -> None:
        """Reads nothing yet."""
        self._config, self._store, self._range = config, store, span
        self.begun: Backfill | None = None

    def bound(self, deployment: Deployment, number: int, now: datetime, renew: Callable[[], None]) -> datetime:
        """Begin the backfill, or go on with the same one that was stopped: judged windows are put back.

        Returns:
            Windows that begin before that time are to be judged.
        """
        span = self._range
        for latest in self._store.backfills.read(number)[:1]:
            if latest.ended_at is None and (latest.start, latest.end, latest.only) == (span.start, span.end, span.only):
                self.begun = latest
                return latest.until
        last = self._store.windows.last(number)
        judged_until = None if last is None else last.record.end
        since = self._store.deployments.read(number).since
        after = max((time for time in (judged_until, since) if time is not None), default=None)
        checked_at = self._store.deployments.check(number).checked_at
        followed = is_followed(deployment.plan, after=after, checked_at=checked_at)
        start = min((time for time in (after, span.start) if time is not None), default=None)
        scope = ReadScope(since=None if after is None or start is None else start - deployment.horizon)
        traffic = open_traffic(
            self._config, deployment.baseline, deployment.version, clock=lambda: now, scope=scope, meanwhile=renew
        )
        keep_partials(self._config, traffic, deployment, judges=False)
        due = due_windows(traffic, deployment.plan, after=after, now=now, followed=followed)
        windows = self._known_windows(number, traffic, due)
        again = span.again_from(windows)
        if again is None and not span.has_new(windows):
            return min((window.start for window in windows.due), default=span.start)
        until = max(time for time in (span.end, judged_until) if time is not None)
        backfill = Backfill(start=span.start, end=span.end, by=span.by, at=now, only=span.only, until=until)
        checked = again + deployment.plan.lateness if again is not None and followed else None
        self.begun = self._store.backfills.begin(number, backfill, again_from=again, checked_at=checked)
        return until

    def _known_windows(self, number: int, traffic: TrafficSource, due: tuple[Window, ...]) -> KnownWindows:
        """What is known of the windows. Cost: a pass over the rows' times and ids."""
        start = self._range.start
        records = [
            record for record in self._store.windows.read(number, scores=False, since=start) if record.start >= start
        ]
        windows = [Window(start=record.start, end=record.end) for record in records]
        return KnownWindows(
            judged=records,
            counts=traffic.row_counts(windows) if windows else np.zeros((0, 2), np.int64),
            due=due,
            failed=bool(due) and self._failed(number, due[0]),
            rejudgeable=self._store.backfills.rejudgeable(number),
            **(_kept(traffic, records) if isinstance(traffic, TableSource) else {}),
        )

    def _failed(self, number: int, window: Window) -> bool:
        """Whether the last attempt at a window that is not judged failed: by itself, or with the run before it."""
        begun = any(
            attempt.start == window.start and attempt.unfinished
            for attempt in self._store.attempts.read(number, window.start)
        )
        runs = self._store.runs.latest(number, latest=1)
        return begun or bool(runs and (runs[0].error or runs[0].ended_at is None))


def _kept(table: TableSource, records: Sequence[WindowRecord]) -> dict[str, Any]:
    """What is to be known of windows whose sums are kept, as `KnownWindows` has it."""
    windows = [(record, Window(start=record.start, end=record.end)) for record in records]
    unused = {record.start: why for record, window in windows if (why := table.why_not_kept(window))}
    labels = [(record, table.kept_labels(window)) for record, window in windows]
    late = {record.start: record.labels - count for record, count in labels if count is not None}
    return {"unused": unused, "late_labels": {start: count for start, count in late.items() if count > 0}}


def backfill(
    config: MonitorConfig,
    store: Store,
    span: WindowRange,
    *,
    request: RunRequest,
    services: ExternalServices = NO_SERVICES,
    clock: Callable[[], datetime],
) -> BackfillResult:
    """Judge the windows of a range, late or again, oldest first, each in one transaction.

    Windows of the range that are due and were not judged are judged. Where one was judged before, the deployment goes
    back to before the first such window: this and every later window is judged again, in order, with the rows and
    labels that there are now, so that the evidence is fed each window once. What the windows were stays in the store.
    Incidents that later windows had opened go on if the rows show them again, and are closed if not. People are told of
    what has changed, once, by a digest, when it is done. Stopped or killed, the same call goes on, and so does the next
    run.

    Raises:
        BadInput: The range cannot be judged: see `WindowRange.again_from`.
    """
    backfill_request = BackfillRequest(config, store, span)
    run = judge_windows(config, store, replace(request, bound=backfill_request.bound), clock=clock, services=services)
    if backfill_request.begun is None:
        return BackfillResult(backfill=None, run=run)
    done = next(each for each in store.backfills.read(run.deployment) if each.number == backfill_request.begun.number)
    return BackfillResult(backfill=done, run=run, revised=_revised(store, run.deployment, done.number))


def _revised(store: Store, deployment: int, number: int) -> tuple[RevisedWindow, ...]:
    """The windows that a backfill judged again, as they were and as they are."""
    revisions = [
        revision
        for each in store.backfills.revisions(deployment).values()
        for revision in each
        if revision.backfill == number
    ]
    if not revisions:
        return ()
    now = {window.start: window for window in store.windows.read(deployment, scores=False, since=revisions[0].start)}
    return tuple(RevisedWindow(before=revision, after=now.get(revision.start)) for revision in revisions)
