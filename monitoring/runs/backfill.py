"""A range of windows judged, late or again: the job behind `pitfalls monitor backfill`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitoring.config import MonitorConfig
from monitoring.deployment.deployment import Deployment, window_plan
from monitoring.documents.document import Document, Moment
from monitoring.errors import BadInput
from monitoring.judging.window.traffic_source import TrafficSource
from monitoring.records import Backfill, Only, WindowRecord, WindowRevision
from monitoring.records.window import WindowStatus
from monitoring.reports.window_states import JudgingHistory, WindowState, window_states
from monitoring.runs.due_windows import is_followed
from monitoring.runs.run import NO_SERVICES, ExternalServices, RunRequest, RunResult, judge_windows
from monitoring.sources.read_scope import ReadScope
from monitoring.sources.traffic import keep_partials, open_traffic
from monitoring.store.store import Store
from monitoring.traffic.windows import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisedWindow:
    """A window that was judged again.

    Attributes:
        after: Its record now; None where it has not been judged again yet, or is cut otherwise now.
    """

    before: WindowRevision
    after: WindowRecord | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillResult:
    """What a backfill did. `backfill`: what was asked for, and how far it came; None where there was nothing to do."""

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
        due = deployment.plan.due_windows(traffic, after=after, now=now, followed=followed)
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
            **_kept(traffic, records),
        )

    def _failed(self, number: int, window: Window) -> bool:
        """Whether the last attempt at a window that is not judged failed: by itself, or with the run before it."""
        begun = any(
            attempt.start == window.start and attempt.unfinished
            for attempt in self._store.attempts.read(number, window.start)
        )
        runs = self._store.runs.latest(number, latest=1)
        return begun or bool(runs and (runs[0].error or runs[0].ended_at is None))


def _kept(traffic: TrafficSource, records: Sequence[WindowRecord]) -> dict[str, Any]:
    """What is to be known of windows whose sums are kept, as `KnownWindows` has it."""
    windows = [(record, Window(start=record.start, end=record.end)) for record in records]
    unused = {record.start: why for record, window in windows if (why := traffic.why_not_kept(window))}
    labels = [(record, traffic.kept_labels(window)) for record, window in windows]
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


class JudgedWindowDocument(Document):
    """What a window was before a backfill, or is after it."""

    status: WindowStatus
    rows: int
    labels: int


class RevisedWindowDocument(Document):
    """A window that was judged before, as it was and as it is; null where it has not been judged again yet."""

    start: Moment
    end: Moment
    before: JudgedWindowDocument
    after: JudgedWindowDocument | None


class BackfillDocument(Document):
    """A backfill; `until` is null where there was nothing to judge, and `stopped` says that windows are left.

    `opened` are the numbers of the incidents that it opened.
    """

    deployment: int
    until: Moment | None
    judged: int
    stopped: bool
    opened: list[int]
    revised: list[RevisedWindowDocument]


def backfill_document(result: BackfillResult) -> BackfillDocument:
    """A backfill as a document."""
    return BackfillDocument(
        deployment=result.run.deployment,
        until=None if result.backfill is None else result.backfill.until,
        judged=result.run.judged,
        stopped=result.run.stopped,
        opened=[incident.number for incident in result.run.opened],
        revised=[
            RevisedWindowDocument(
                start=window.before.start,
                end=window.before.end,
                before=_judged(window.before),
                after=None if window.after is None else _judged(window.after),
            )
            for window in result.revised
        ],
    )


def _judged(window: WindowRecord | WindowRevision) -> JudgedWindowDocument:
    return JudgedWindowDocument(status=window.status, rows=window.rows, labels=window.labels)


def list_windows(
    config: MonitorConfig | None, store: Store, deployment: int, *, latest: int, now: datetime
) -> tuple[WindowState, ...]:
    """The last windows of a deployment, judged and due.

    Args:
        config: Says how traffic is cut into windows; None where it is not known: no window is due then.
    """
    judged = store.windows.read(deployment, scores=False, latest=latest)
    since = judged[0].start if judged else None
    used = config is not None and bool(judged) and deployment == store.deployments.latest(config.name)
    plan = None if config is None or not used else window_plan(config.model_copy(update={"expected": ()}))
    followed = plan is not None and is_followed(
        plan, after=judged[-1].end, checked_at=store.deployments.check(deployment).checked_at
    )
    return window_states(
        judged,
        plan if followed else None,
        JudgingHistory(
            runs=store.runs.latest(deployment, latest=latest),
            attempts=store.attempts.read(deployment, since),
            revisions=store.backfills.revisions(deployment, since),
        ),
        now=now,
        running=any(lease.deployment == deployment and lease.expires_at > now for lease in store.leases.read()),
    )


FORM = "%Y-%m-%dT%H:%M"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownWindows:
    """What is known of a deployment's windows before a backfill.

    Attributes:
        counts: The rows that each has by now, with repeats and without, int64 [n, 2].
        late_labels: By when it begins, the labels of a window without rows that came later than their rows.
    """

    judged: Sequence[WindowRecord]
    counts: NDArray[np.int64]
    due: Sequence[Window]
    failed: bool
    rejudgeable: Sequence[datetime]
    unused: Mapping[datetime, str] = field(default_factory=dict)
    late_labels: Mapping[datetime, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowRange:
    """A range of windows: those that begin in [start, end), and are asked for by `only`.

    Evidence is judged in order, each window once. So a window that was judged is judged again by going back to before
    it, and with it every later one. `by` is who asks.
    """

    start: datetime
    end: datetime
    only: Only | None = None
    by: str = ""

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise BadInput(
                "Not a range of windows.",
                got=f"{self.start:{FORM}} to {self.end:{FORM}}",
                expected="two times, the first before the second",
                fix="Name the day after the last one as the end: --from 2026-03-05 --to 2026-03-08 is three days.",
            )

    def again_from(self, windows: KnownWindows) -> datetime | None:
        """The first window that was judged and is to be judged again.

        Returns:
            When it begins; None where only windows are judged that were not judged before.
        """
        if self.only != "failed":
            for record, (_, rows) in zip(windows.judged, windows.counts.tolist(), strict=True):
                if record.start < self.end and (self.only is None or (record.rows == 0 and rows > 0)):
                    _check_kept(record, windows.rejudgeable)
                    _check_rows(record, windows)
                    return record.start
        self._check_order(windows)
        return None

    def has_new(self, windows: KnownWindows) -> bool:
        """Whether the range has a window that is due, was not judged, and is asked for."""
        within = [window for window in windows.due if self.start <= window.start < self.end]
        return bool(within) and (self.only != "failed" or (windows.failed and within[0] == windows.due[0]))

    def _check_order(self, windows: KnownWindows) -> None:
        """Raises BadInput where windows before the range are due and not judged."""
        if windows.due and windows.due[0].start < self.start and self.has_new(windows):
            first = windows.due[0].start
            raise BadInput(
                "Windows before the range are not judged yet, and evidence is judged in order.",
                got=f"a range from {self.start:{FORM}}",
                expected=f"one from {first:{FORM}} or before",
                fix=f"Begin there, or run `pitfalls monitor run`, which judges all that is due from {first:{FORM}} on.",
            )


def _check_kept(record: WindowRecord, rejudgeable: Sequence[datetime]) -> None:
    """Raises BadInput for a window that cannot be judged again."""
    if record.start in rejudgeable:
        return
    oldest = f"one from {rejudgeable[0]:{FORM}} UTC on" if rejudgeable else "none, as no evidence of before is kept"
    raise BadInput(
        "This window can no longer be judged again.",
        got=f"the window that begins at {record.start:{FORM}} UTC",
        expected=oldest,
        fix="A window can be judged again for as long as labels are waited for (label_horizon), or for as long as "
        "`checkpoints` in [retention] said when it was judged, and since the last re-baseline. To judge everything "
        "anew, give the deployment another `name`; what was judged is kept.",
    )


def _check_rows(first: WindowRecord, windows: KnownWindows) -> None:
    """Raises BadInput where a window that would be judged again has fewer rows now than it was judged with."""
    for record, (_, rows) in zip(windows.judged, windows.counts.tolist(), strict=True):
        if record.start < first.start:
            continue
        if rows < record.rows:
            why = windows.unused.get(record.start, "")
            raise BadInput(
                "Rows of a window that would be judged again are gone.",
                got=f"{rows:,} of {record.rows:,} rows of the window that begins at {record.start:{FORM}} UTC"
                + (f"; sums were kept of it, but {why}" if why else ""),
                expected="all rows of every window from the first of the range on, or what `keep` in [engine] kept",
                fix="Name traffic that has them with --traffic, or begin later.",
            )
        if labels := windows.late_labels.get(record.start, 0):
            raise BadInput(
                "Rows are gone that labels are for which came later.",
                got=f"{labels:,} labels in the window that begins at {record.start:{FORM}} UTC, and no rows",
                expected="the rows, or labels that are in their rows",
                fix="Name traffic that has the rows with --traffic, or begin later.",
            )
