"""What the store has of a deployment before a run: where its last window left it, and what it is held against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from monitoring.deployment.deployment import Deployment
from monitoring.judging.fit.reference_fit import ReferenceFit
from monitoring.judging.window.label_join import LATE_LABEL_HORIZONS
from monitoring.records import Sensitivity, WindowClaims, WindowRecord
from monitoring.reports.sections.health import window_claims
from monitoring.reports.sections.sensitivity import RECENT_WINDOWS
from monitoring.sources.read_scope import ReadScope
from monitoring.store.checks import LABELS_READ
from monitoring.store.store import Store
from monitoring.timestamps import as_datetime

#: The entry of the label cursor for the first of the last windows, microseconds, that no row followed when judged.
OPEN_SINCE = "open since"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumePoint:
    """Where a deployment's last window left it.

    Attributes:
        since: When the windows begin that are held against its baseline; None: all are.
        last: Its last window; None before the first.
        judged: How many windows were judged since `since`.
        cursor: What its windows know of labels and late rows, by name.
        open_since: When the first of the last windows begins that no row followed when they were judged; None: one
            followed.
        follows: Of a deployment without a window, the number of the deployment whose place it takes.
    """

    since: datetime | None
    last: WindowRecord | None
    judged: int
    cursor: Mapping[str, int]
    open_since: datetime | None
    follows: int | None

    @classmethod
    def of(cls, store: Store, number: int) -> ResumePoint:
        """Read it."""
        record, last = store.deployments.read(number), store.windows.last(number)
        cursor = {} if last is None else last.label_cursor
        open_since = cursor.get(OPEN_SINCE)
        return cls(
            since=record.since,
            last=None if last is None else last.record,
            judged=store.windows.count(number, record.since),
            cursor=cursor,
            open_since=None if open_since is None else as_datetime(open_since),
            follows=record.follows if last is None else None,
        )

    @property
    def after(self) -> datetime | None:
        """The next window begins then or later; None: at any time."""
        ends = (self.since, None if self.last is None else self.last.end)
        return max((end for end in ends if end is not None), default=None)

    @property
    def labels_read(self) -> int:
        """How many labels of the log, in order of arrival, the windows so far have seen."""
        return int(self.cursor.get(LABELS_READ, 0))

    def with_labels_anew(self) -> ResumePoint:
        """The same, but that no label was seen."""
        return replace(self, cursor={})

    def scope(self, deployment: Deployment) -> ReadScope:
        """What part of the traffic is of interest to a run: rows that may get a label still."""
        after, horizon = self.after, deployment.horizon
        if after is None:
            return ReadScope(job=True)
        return ReadScope(
            since=after - LATE_LABEL_HORIZONS * horizon,
            new_since=after - horizon,
            counted_since=after - deployment.checkpoint_age - LATE_LABEL_HORIZONS * horizon,
            judged_until=after,
            job=True,
        )


class StoredReference:
    """The baseline scores and the smallest detectable harms of a deployment, which are stored with it."""

    def __init__(self, store: Store, number: int, since: datetime | None) -> None:
        """Reads both. `since`: when the windows begin that are held against the baseline; None: all are."""
        self._store, self._number, self._since = store, number, since
        self._baseline = store.deployments.baseline(number)
        self.sensitivity = store.deployments.sensitivity(number)

    def begin(self, fit: ReferenceFit) -> None:
        """Store the baseline, unless that is stored already."""
        if not self._baseline or (fit.measured and not self._store.deployments.measured(self._number)):
            self.save_baseline(fit)

    def save_baseline(self, fit: ReferenceFit) -> None:
        """Replace the baseline."""
        self._baseline = fit.baseline_scores()
        self._store.deployments.save_baseline(self._number, self._baseline, fit.measured)

    def save_sensitivity(self, sensitivity: tuple[Sensitivity, ...]) -> None:
        """Replace the smallest detectable harms; by none, to be computed at the end of this run, or of the next one."""
        self.sensitivity = sensitivity
        self._store.deployments.save_sensitivity(self._number, sensitivity)

    def claims(self, history: tuple[WindowRecord, ...]) -> WindowClaims:
        """What the windows say against the deployment."""
        windows = history if len(history) > RECENT_WINDOWS else (*self._earlier, *history)
        return window_claims(windows, self._baseline, self.sensitivity)

    @cached_property
    def _earlier(self) -> tuple[WindowRecord, ...]:
        if self._since is None:
            return ()
        return self._store.windows.read(self._number, before=self._since, latest=RECENT_WINDOWS)
