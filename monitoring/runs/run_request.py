"""What a run is asked for: which windows it judges, and when notifications of them are sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from monitoring.config import MonitorConfig
from monitoring.deployment.deployment import Deployment
from monitoring.judging.window.traffic_source import TrafficSource
from monitoring.notifications.outbox import NotificationOutbox
from monitoring.records import Backfill, IncidentRecord, WindowRecord
from monitoring.runs.resume_point import ResumePoint
from monitoring.sources.read_scope import ReadScope
from monitoring.store.store import Store
from monitoring.traffic.windows import Window

#: Who has windows judged again that were the end of the traffic.
REOPENED_BY = "pitfalls monitor run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where a run stands after a window."""

    done: int
    due: int
    window: WindowRecord
    changed: tuple[IncidentRecord, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunContext:
    """A deployment whose lease a run has.

    Attributes:
        number: The deployment's number in the store.
        begun: When the run began.
        open: Opens its traffic, whose rows are read as a deployment's baseline declares them.
        renew: Renews the lease.
    """

    config: MonitorConfig
    deployment: Deployment
    store: Store
    number: int
    begun: datetime
    clock: Callable[[], datetime]
    open: Callable[[Deployment, ReadScope], TrafficSource]
    renew: Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowSelection:
    """Which of the due windows a run judges.

    Attributes:
        until: Those that begin before that time; None: all.
        again_from: When the first window begins that is judged again, as rows have come for it; None: none is.
        backfill: The backfill that is done; None for none.
    """

    until: datetime | None = None
    again_from: datetime | None = None
    backfill: Backfill | None = None

    def of(self, due: Sequence[Window]) -> tuple[Window, ...]:
        """The windows that are judged."""
        return tuple(window for window in due if self.until is None or window.start < self.until)


class NotificationPolicy(Protocol):
    """When notifications of what a run finds are sent."""

    def begin(self) -> None:
        """Before the first window."""

    def judged(self, changed: Sequence[IncidentRecord]) -> None:
        """After each window, with the incidents that it has changed."""

    def end(self) -> None:
        """Once all windows are judged."""


class EachEvent:
    """Each event once its window is stored, first those that earlier runs left pending. A `NotificationPolicy`."""

    def __init__(self, outbox: NotificationOutbox) -> None:
        """Sends nothing yet."""
        self._outbox = outbox

    def begin(self) -> None:
        """Send what earlier runs left pending."""
        self._outbox.send_pending()

    def judged(self, changed: Sequence[IncidentRecord]) -> None:
        """Send what the window changed."""
        if changed:
            self._outbox.send_pending()

    def end(self) -> None:
        """Send what is left."""
        self._outbox.send_pending(last=True)


class OneDigest:
    """All events as one digest, when all windows are judged. A `NotificationPolicy`."""

    def __init__(self, outbox: NotificationOutbox) -> None:
        """Sends nothing yet."""
        self._outbox = outbox

    def begin(self) -> None:
        """Nothing is sent."""

    def judged(self, changed: Sequence[IncidentRecord]) -> None:
        """Nothing is sent."""

    def end(self) -> None:
        """Send the digest."""
        self._outbox.send_pending(last=True, digest=True)


class RunRequest(Protocol):
    """What a run is asked for."""

    @property
    def stop(self) -> Callable[[], bool]:
        """Whether the run is to end after the window that is being judged."""

    @property
    def progress(self) -> Callable[[Progress], None]:
        """Is told of each window."""

    @property
    def sensitivity(self) -> bool:
        """Whether the smallest harms that are detected are simulated at the end, where they are not known."""

    @property
    def records_refusals(self) -> bool:
        """Whether an error is in the record of runs that comes before a window is judged."""

    def select(self, context: RunContext) -> WindowSelection:
        """Say which windows are judged, before the state is taken up: windows that were judged may be put back."""

    def notifications(self, outbox: NotificationOutbox) -> NotificationPolicy:
        """When notifications are sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DueRequest:
    """All windows that are due, with a notification of each event. A `RunRequest`."""

    stop: Callable[[], bool] = lambda: False
    progress: Callable[[Progress], None] = lambda _: None
    sensitivity: bool = True

    @property
    def records_refusals(self) -> bool:
        """A monitor that cannot judge is failing."""
        return True

    def select(self, context: RunContext) -> WindowSelection:
        """All; those are put back for which rows have come since they were the end of the traffic."""
        return WindowSelection(again_from=_put_back(context))

    def notifications(self, outbox: NotificationOutbox) -> NotificationPolicy:
        """Each event by itself."""
        return EachEvent(outbox)


def _put_back(context: RunContext) -> datetime | None:
    """Put windows back to be judged again for which rows have come since they were the end of the traffic.

    Returns:
        When the first of them begins; None: none has more rows now, or it cannot be judged again.
    """
    store, number = context.store, context.number
    since = ResumePoint.of(store, number).open_since
    if since is None:
        return None
    records = [record for record in store.windows.recent(number, since=since) if record.start >= since]
    traffic = context.open(context.deployment, ReadScope(since=since))
    windows = [Window(start=record.start, end=record.end) for record in records]
    if not traffic.may_have_more(windows, [record.rows + record.repeats for record in records]):
        return None
    counts = traffic.row_counts(windows)
    more = [record.start for record, (_, rows) in zip(records, counts.tolist(), strict=True) if rows > record.rows]
    if not more or more[0] not in store.backfills.rejudgeable(number):
        return None
    end, at = records[-1].end, context.begun
    again = Backfill(start=more[0], end=end, by=REOPENED_BY, at=at, until=end)
    store.backfills.begin(number, again, again_from=again.start, checked_at=None)
    return again.start
