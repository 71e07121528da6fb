"""A range of windows judged, late or again: the job behind `pitfalls monitor backfill`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitoring.config import MonitorConfig
from monitoring.deployment.deployment import window_plan
from monitoring.documents.document import Document, Moment
from monitoring.errors import BadInput
from monitoring.judging.window.traffic_source import TrafficSource
from monitoring.notifications.outbox import NotificationOutbox
from monitoring.records import Backfill, Only, WindowRecord, WindowRevision
from monitoring.records.window import WindowStatus
from monitoring.reports.window_states import JudgingHistory, WindowState, window_states
from monitoring.runs.due_traffic import is_followed
from monitoring.runs.resume_point import ResumePoint
from monitoring.runs.run import NO_SERVICES, ExternalServices, RunResult, judge_windows
from monitoring.runs.run_request import NotificationPolicy, OneDigest, Progress, RunContext, WindowSelection
from monitoring.sources.read_scope import ReadScope
from monitoring.sources.traffic import keep_partials
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


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillRequest:
    """A backfill that somebody asks for: the windows of a range, told as one digest. A `RunRequest`."""

    windows: WindowRange
    stop: Callable[[], bool] = lambda: False
    progress: Callable[[Progress], None] = lambda _: None

    @property
    def sensitivity(self) -> bool:
        """Simulated where it is not known, as after any run."""
        return True

    @property
    def records_refusals(self) -> bool:
        """What is refused is told to who asks: the monitor itself is well."""
        return False

    def notifications(self, outbox: NotificationOutbox) -> NotificationPolicy:
        """All in one digest."""
        return OneDigest(outbox)

    def select(self, context: RunContext) -> WindowSelection:
        """Begin the backfill, or go on with the same one that was stopped: judged windows are put back."""
        asked, store, number = self.windows, context.store, context.number
        for latest in store.backfills.read(number)[:1]:
            same = (latest.start, latest.end, latest.only) == (asked.start, asked.end, asked.only)
            if latest.ended_at is None and same:
                return WindowSelection(until=latest.until, backfill=latest)
        point, plan = ResumePoint.of(store, number), context.deployment.plan
        after, checked_at = point.after, store.deployments.check(number).checked_at
        followed = is_followed(plan, after=after, checked_at=checked_at)
        since = None if after is None else min(after, asked.start) - context.deployment.horizon
        traffic = context.open(context.deployment, ReadScope(since=since))
        keep_partials(context.config, traffic, context.deployment, judges=False)
        due = plan.due_windows(traffic, after=after, now=context.begun, followed=followed)
        known = self._known_windows(context, traffic, due)
        again = asked.again_from(known)
        if again is None and not asked.has_new(known):
            return WindowSelection(until=min((window.start for window in due), default=asked.start))
        until = asked.end if point.last is None else max(asked.end, point.last.end)
        backfill = Backfill(
            start=asked.start, end=asked.end, by=asked.by, at=context.begun, only=asked.only, until=until
        )
        checked = again + plan.lateness if again is not None and followed else None
        begun = store.backfills.begin(number, backfill, again_from=again, checked_at=checked)
        return WindowSelection(until=until, backfill=begun)

    def _known_windows(self, context: RunContext, traffic: TrafficSource, due: tuple[Window, ...]) -> KnownWindows:
        """What is known of the windows. Cost: a pass over the rows' times and ids."""
        store, number, start = context.store, context.number, self.windows.start
        records = [record for record in store.windows.read(number, scores=False, since=start) if record.start >= start]
        windows = [Window(start=record.start, end=record.end) for record in records]
        return KnownWindows(
            judged=records,
            counts=traffic.row_counts(windows) if windows else np.zeros((0, 2), np.int64),
            due=due,
            failed=bool(due) and _failed(store, number, due[0]),
            rejudgeable=store.backfills.rejudgeable(number),
            **_kept(traffic, records),
        )


def _failed(store: Store, number: int, window: Window) -> bool:
    """Whether the last attempt at a window that is not judged failed: by itself, or with the run before it."""
    begun = any(
        attempt.start == window.start and attempt.unfinished for attempt in store.attempts.read(number, window.start)
    )
    runs = store.runs.latest(number, latest=1)
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
    request: BackfillRequest,
    *,
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
    run = judge_windows(config, store, request, clock=clock, services=services)
    if run.backfill is None:
        return BackfillResult(backfill=None, run=run)
    done = next(each for each in store.backfills.read(run.deployment) if each.number == run.backfill.number)
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
