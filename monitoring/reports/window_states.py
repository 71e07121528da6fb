"""Every window of a deployment with its state: judged, or due and why it is not judged yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise, takewhile
from typing import Literal, TypeAlias

from monitoring.records import RunRecord, WindowRecord
from monitoring.records.window import WindowStatus
from monitoring.traffic.windows import RowPlan, WindowPlan

State: TypeAlias = Literal["judged", "thin", "skipped", "due", "running", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowState:
    """A window and its state.

    Attributes:
        start: When it begins.
        end: When it ends; of `skipped`, when the last of them ends.
        state: `judged`; `thin`, judged with too few rows for a verdict; `skipped`, windows in a long time without rows;
            `due`, not judged yet; `running`, the next that a run in progress judges; `failed`, the last run ended
            before it.
        status: How it was judged; None where it was not.
        rows: Its rows.
        labels: Labels that arrived in it.
        attempts: Of `failed`, how many runs in a row ended before it.
        reason: Why it is not judged; empty where it is, or nothing went wrong.
    """

    start: datetime
    end: datetime
    state: State
    status: WindowStatus | None = None
    rows: int = 0
    labels: int = 0
    attempts: int = 0
    reason: str = ""


def window_states(
    judged: Sequence[WindowRecord],
    plan: WindowPlan | RowPlan | None,
    runs: Sequence[RunRecord],
    *,
    now: datetime,
    running: bool = False,
) -> tuple[WindowState, ...]:
    """The windows of a deployment in order of time.

    Windows of rows, and those before the first that was judged, are due by the rows that there are, and are listed only
    once they are judged.

    Args:
        judged: The last windows that were judged, in order.
        plan: How traffic is cut into windows, if it is followed as it comes; None where no window is due without rows.
        runs: The last runs, the newest first.
        now: The time, aware.
        running: Whether a run is judging now.

    Returns:
        The judged windows, then those that are due.
    """
    found: list[WindowState] = []
    for before, window in pairwise((None, *judged)):
        assert window is not None  # noqa: S101 - for the type checker: only the first is None
        if before is not None and window.start > before.end:
            reason = "No rows for a long time."
            found.append(WindowState(start=before.end, end=window.start, state="skipped", reason=reason))
        found.append(_judged(window))
    return (*found, *_due(judged, plan, runs, now=now, running=running))


def _judged(window: WindowRecord) -> WindowState:
    return WindowState(
        start=window.start,
        end=window.end,
        state="thin" if window.status == "thin" else "judged",
        status=window.status,
        rows=window.rows,
        labels=window.labels,
    )


def _due(
    judged: Sequence[WindowRecord],
    plan: WindowPlan | RowPlan | None,
    runs: Sequence[RunRecord],
    *,
    now: datetime,
    running: bool,
) -> list[WindowState]:
    """The windows that are due; of the first one, why it is not judged."""
    if not judged or not isinstance(plan, WindowPlan):
        return []
    after = judged[-1].end
    windows = [one for one in plan.windows(after, now) if one.start >= after and plan.due(one, now)]
    found = [WindowState(start=one.start, end=one.end, state="due") for one in windows]
    failed = list(takewhile(lambda run: run.error or run.ended_at is None, runs))
    if found and running:
        found[0] = WindowState(start=found[0].start, end=found[0].end, state="running")
    elif found and failed:
        reason = failed[0].error or "The run was killed."
        found[0] = WindowState(
            start=found[0].start, end=found[0].end, state="failed", attempts=len(failed), reason=reason
        )
    return found
