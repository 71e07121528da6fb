"""The traffic of a run as it was when the run began: its labels, its late rows, and which of its windows are due."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa

from monitoring.baseline.predictions import microseconds
from monitoring.deployment.deployment import Deployment
from monitoring.judging.window.label_join import LATE_LABEL_HORIZONS, LabelJoin, RowLoader
from monitoring.judging.window.traffic_source import TrafficSource
from monitoring.judging.window.waiting_labels import WaitingLabels
from monitoring.judging.window.window_traffic import LateRows, TrafficEnd
from monitoring.records import Finding
from monitoring.runs.resume_point import ResumePoint
from monitoring.runs.run_request import RunContext
from monitoring.store.checks import LABELS_READ
from monitoring.timestamps import as_datetime, as_microseconds, duration_microseconds
from monitoring.traffic.labels.label_log import LABEL_LOG_DAMAGED, labels_ever, reject_lost_labels
from monitoring.traffic.windows import Window, WindowPlan


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunLabels:
    """The labels of a run.

    Attributes:
        join: Joins them to their rows, window by window.
        waiting: Those that wait for their row outside the label log.
        read: How many labels of the log, in order of arrival, the windows before the run have seen.
    """

    join: LabelJoin
    waiting: WaitingLabels
    read: int

    @classmethod
    def of(cls, traffic: TrafficSource, deployment: Deployment, point: ResumePoint, *, looks_back: bool) -> RunLabels:
        """Read the labels that the windows of a run may count.

        Args:
            looks_back: Whether ids of labels that no row has are looked for in all traffic.

        Raises:
            CannotRun: The log has fewer labels than windows have seen.
        """
        read = point.labels_read
        if point.last is None and point.since is not None:
            read = _arrived_before(traffic.label_parts(), point.since)
        waiting = WaitingLabels.of(traffic, point.cursor)
        join = LabelJoin(
            traffic.label_parts(),
            task=deployment.baseline.spec.task,
            read=read,
            horizon_us=duration_microseconds(deployment.horizon),
            outside=waiting,
            lookup=traffic,
        )
        join.looks_back = looks_back
        damaged = any(finding.kind == LABEL_LOG_DAMAGED for finding in traffic.source_findings)
        if join.read < read and not damaged:
            reject_lost_labels(join.read, read)
        return cls(join=join, waiting=waiting, read=read)

    @property
    def cursor(self) -> Mapping[str, int]:
        """What the next run needs to know of them."""
        return {LABELS_READ: max(self.join.read, self.read), **self.waiting.cursor}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DueTraffic:
    """The traffic of a run, and which of its windows are due.

    Attributes:
        due: The windows that are due, in order; of a log, those in which other versions answered alone included.
        coming: What the windows that are not due yet will tell, where none is.
        late: Rows that came into windows judged before, of those within the label horizon.
        is_followed: Whether the traffic is followed as it comes.
        last_row: The time of the last row that is not in the future; None where windows are of rows, or none is there.
    """

    source: TrafficSource
    labels: RunLabels
    due: tuple[Window, ...]
    coming: tuple[Finding, ...]
    late: LateRows
    is_followed: bool
    last_row: datetime | None

    @classmethod
    def of(cls, traffic: TrafficSource, context: RunContext, point: ResumePoint, *, looks_back: bool) -> DueTraffic:
        """Find out which windows are due; what reads ahead begins to.

        Args:
            looks_back: As `RunLabels.of` has it.
        """
        deployment, after = context.deployment, point.after
        plan, now = deployment.plan, deployment.plan.due_by(context.begun, context.clock())
        labels = RunLabels.of(traffic, deployment, point, looks_back=looks_back)
        followed = _is_followed(context, point)
        due = plan.due_windows(traffic, after=after, now=now, followed=followed)
        last_row = max((last for _, last in plan.spans(traffic) if last <= now), default=None)
        if last_row is not None and not followed:
            begin = due[-1].end if due else after
            latest = min(last_row + deployment.horizon, now)
            due = (*due, *_windows_of_labels(labels.join, deployment, begin, latest, now, first=not due))
        traffic.expect(due)
        late = LateRows()
        if after is not None and (due or traffic.has_counted_rows):
            late = _late_rows(traffic, context, point)
        if due and after is not None:
            labels.join.restore(_judged_before(traffic, context, point, due[0].start))
        pa.default_memory_pool().release_unused()  # what finding out the windows took is the system's again
        return cls(
            source=traffic,
            labels=labels,
            due=due,
            coming=() if due else traffic.findings_after(after),
            late=late,
            is_followed=followed,
            last_row=last_row,
        )

    def end_at(self, window: Window) -> TrafficEnd | None:
        """The end of the traffic, where it is in a window or before it."""
        if self.last_row is None or self.last_row >= window.end:
            return None
        return TrafficEnd(last_row=as_microseconds(self.last_row), is_followed=self.is_followed)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is wrong with rows and labels that belong to no window that is due."""
        return (*self.source.source_findings, *self.coming, *self.late.findings())


def _arrived_before(parts: Iterable[pa.Table], moment: datetime) -> int:
    """How many labels of the log, in order of arrival, came before the first whose time is that moment or later."""
    ever = 0
    for labels in parts:
        later = np.flatnonzero(microseconds(labels["label_time"]) >= as_microseconds(moment))
        if later.size:
            return int(labels["sequence"][int(later[0])].as_py())
        ever = max(ever, labels_ever(labels))
    return ever


def _is_followed(context: RunContext, point: ResumePoint) -> bool:
    """Whether the traffic is followed as it comes; a deployment's first run goes by the one whose place it takes.

    So traffic that had stopped when a setting was changed is still an outage.
    """
    store, number, after, length = context.store, context.number, point.after, None
    if point.follows is not None:
        number, last = point.follows, store.windows.last(point.follows)
        if last is None:
            return False
        after, length = last.record.end, last.record.end - last.record.start
    checked_at = store.deployments.check(number).checked_at
    return is_followed(context.deployment.plan, after=after, checked_at=checked_at, length=length)


def _windows_of_labels(
    labels: LabelJoin, deployment: Deployment, after: datetime | None, latest: datetime, now: datetime, *, first: bool
) -> tuple[Window, ...]:
    """The windows after the last row of traffic that is not followed, in which labels arrive that may count."""
    if after is None:
        return ()
    last = labels.last_unjoined(as_microseconds(after), as_microseconds(latest), first=first)
    if last is None or as_datetime(last) < after:
        return ()
    plan, until = deployment.plan, as_datetime(last)
    return tuple(window for window in plan.windows(after, until) if window.start >= after and plan.due(window, now))


def _late_rows(traffic: TrafficSource, context: RunContext, point: ResumePoint) -> LateRows:
    """Rows that came into windows judged before, of those within the label horizon."""
    since = point.scope(context.deployment).new_since
    windows = context.store.windows.recent(context.number, since=since)
    records = [window for window in windows if since is None or window.start >= since]
    counts = traffic.row_counts([Window(start=record.start, end=record.end) for record in records])
    return LateRows.of(records, counts, point.cursor)


def _judged_before(
    traffic: TrafficSource, context: RunContext, point: ResumePoint, start: datetime
) -> Iterator[tuple[Window, RowLoader]]:
    """The windows before a run whose predictions may still get their label."""
    oldest = start - LATE_LABEL_HORIZONS * context.deployment.horizon
    windows = [
        Window(start=record.start, end=record.end)
        for record in context.store.windows.recent(context.number, since=oldest)
        if oldest < record.end <= start
    ]
    if point.since is not None:
        begin = max((window.end for window in windows if window.end <= point.since), default=oldest)
        if begin < point.since:  # rows from before it that are in no judged window
            windows.append(Window(start=begin, end=point.since))
    for window in sorted(windows):
        yield window, traffic.rows(window).select


#: A window counts as judged in time within so many windows after it was due, and a day.
IN_TIME_WINDOWS = 3


def is_followed(
    plan: WindowPlan, *, after: datetime | None, checked_at: datetime | None, length: timedelta | None = None
) -> bool:
    """Whether the traffic is followed as it comes: the last window was judged soon after it was due.

    Args:
        checked_at: when the last run was that judged all that was due; None where there was none.
        length: how long its windows are; None: as the plan's.

    Returns:
        False for windows of rows, which are due by rows alone, and for a table of the past that is read once.
    """
    length_now = None if after is None else plan.length_at(after)
    if length_now is None or after is None or checked_at is None:
        return False
    length = length_now if length is None else length
    return checked_at <= after + plan.lateness + IN_TIME_WINDOWS * length + timedelta(days=1)


def next_due_at(plan: WindowPlan, after: datetime | None, last_row: datetime | None = None) -> datetime | None:
    """The time before which no window is due, whatever traffic comes.

    Args:
        last_row: The time of the last row, where windows after it were judged for labels alone: they put nothing off.
    """
    if after is None:
        return None
    for window in () if last_row is None else plan.windows(last_row, last_row):
        after = min(after, window.end)
    ends = (window.end for window in plan.windows(after, after))
    return next((end + plan.lateness for end in ends), None)
