"""Every window of a deployment with its state: judged, or due and why it is not judged yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import pairwise, takewhile
from typing import Literal, TypeAlias

from monitoring.records import RunRecord, WindowAttempt, WindowRecord, WindowRevision
from monitoring.records.window import WindowStatus
from monitoring.traffic.windows import WindowPlan

State: TypeAlias = Literal["judged", "thin", "revised", "skipped", "due", "running", "failed"]

#: Why a window whose judging has neither ended nor failed is not judged.
KILLED = "The run was killed."


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgingHistory:
    """How the windows of a deployment were judged. `runs`: the last runs, the newest first."""

    runs: Sequence[RunRecord] = ()
    attempts: Sequence[WindowAttempt] = ()
    revisions: Mapping[datetime, Sequence[WindowRevision]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowState:
    """A window and its state.

    Attributes:
        state: `judged`; `thin`, judged with too few rows for a verdict; `revised`, judged again by a backfill;
            `skipped`, windows in a long time without rows; `due`, not judged yet; `running`, the next that a run in
            progress judges; `failed`, the last attempt at it, or the last run before it, failed or was killed.
        status: How it was judged; None where it was not.
        attempts: How many attempts at it were begun, or how many runs in a row ended before it; 0 where none is known.
        reason: Why it is not judged; empty where it is, or nothing went wrong.
        started_at: When the last attempt was begun; None where that is not known.
        judged_at: When it was judged; None where it was not, or that is not known.
        batch: The name of the batch that it is; None where rows have event times.
        before: Of `revised`, what it was before each backfill that judged it again, in order.
    """

    start: datetime
    end: datetime
    state: State
    status: WindowStatus | None = None
    rows: int = 0
    labels: int = 0
    attempts: int = 0
    reason: str = ""
    started_at: datetime | None = None
    judged_at: datetime | None = None
    batch: str | None = None
    before: tuple[WindowRevision, ...] = ()


def window_states(
    judged: Sequence[WindowRecord],
    plan: WindowPlan | None,
    history: JudgingHistory,
    *,
    now: datetime,
    running: bool = False,
) -> tuple[WindowState, ...]:
    """The windows of a deployment in order of time.

    Windows of rows, and those before the first that was judged, are due by the rows that there are, and are listed only
    once they are judged.

    Args:
        plan: How traffic is cut into windows, if it is followed as it comes; None where no window is due without rows.
    """
    attempts = {attempt.start: attempt for attempt in history.attempts}
    states: list[WindowState] = []
    for before, window in pairwise((None, *judged)):
        assert window is not None  # noqa: S101 - for the type checker: only the first is None
        if before is not None and window.start > before.end:
            reason = "No rows for a long time."
            states.append(WindowState(start=before.end, end=window.start, state="skipped", reason=reason))
        states.append(_judged(window, attempts.get(window.start), tuple(history.revisions.get(window.start, ()))))
    due = _due(judged, plan, attempts, now)
    if due:
        due[0] = _next(due[0], history.runs, attempts.get(due[0].start), running=running)
    return (*states, *due)


def _judged(window: WindowRecord, attempt: WindowAttempt | None, revisions: tuple[WindowRevision, ...]) -> WindowState:
    thin: State = "thin" if window.status == "thin" else "judged"
    return WindowState(
        start=window.start,
        end=window.end,
        state="revised" if revisions else thin,
        status=window.status,
        rows=window.rows,
        labels=window.labels,
        attempts=0 if attempt is None else attempt.attempts,
        started_at=None if attempt is None else attempt.started_at,
        judged_at=None if attempt is None else attempt.judged_at,
        batch=window.batch,
        before=revisions,
    )


def _due(
    judged: Sequence[WindowRecord], plan: WindowPlan | None, attempts: Mapping[datetime, WindowAttempt], now: datetime
) -> list[WindowState]:
    """The windows that are due; without a plan, those that a run has begun to judge or that are put back."""
    if not judged:
        return []
    after = judged[-1].end
    begun = [attempt for start, attempt in sorted(attempts.items()) if start >= after]
    if plan is None:
        return [WindowState(start=attempt.start, end=attempt.end, state="due") for attempt in begun]
    windows = [window for window in plan.windows(after, now) if window.start >= after and plan.due(window, now)]
    return [WindowState(start=window.start, end=window.end, state="due") for window in windows]


def _next(
    window: WindowState, runs: Sequence[RunRecord], attempt: WindowAttempt | None, *, running: bool
) -> WindowState:
    """The first window that is due, with why it is not judged."""
    failed = list(takewhile(lambda run: run.error or run.ended_at is None, runs))
    started_at = None if attempt is None else attempt.started_at
    tried = 0 if attempt is None else attempt.attempts
    if running:
        return replace(window, state="running", attempts=tried, started_at=started_at)
    if attempt is not None and not attempt.unfinished:  # judged before, and put back by a backfill
        attempt = None
    if attempt is None and not failed:
        return replace(window, attempts=tried, started_at=started_at)
    last = failed[0].error if failed else ""
    reason = last or (attempt.error if attempt is not None else "") or KILLED
    return replace(window, state="failed", attempts=max(tried, len(failed)), started_at=started_at, reason=reason)
