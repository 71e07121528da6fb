"""What is deleted after a run, as it is older than the config keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from monitoring.evidence.autocorrelation import MAX_UPDATE_WINDOWS
from monitoring.incidents.alarm import HISTORY
from monitoring.judging.window.label_join import LATE_LABEL_HORIZONS
from monitoring.runs.run_request import RunContext
from monitoring.store.checks import LABELS_READ
from monitoring.store.store import Store
from monitoring.timestamps import as_microseconds
from monitoring.traffic.labels.label_log import has_labels
from monitoring.traffic.labels.label_retention import forget_labels
from monitoring.traffic.tables.kept_sums import KeptSumsFolder


def forget_old(context: RunContext, label_logs: Sequence[Path]) -> None:
    """Delete what is older than it is to be kept, but not what judging still looks at.

    Args:
        label_logs: Where the label log of a traffic log may be; that of a table stays, as it says which of the table's
            labels are known.
    """
    store, number, now, retention = context.store, context.number, context.begun, context.config.retention
    latest = store.windows.recent(number, latest=max(MAX_UPDATE_WINDOWS, HISTORY))
    if latest and retention.details is not None:
        store.windows.forget_details(number, min(now - retention.details, latest[0].start), around=HISTORY)
    if retention.notifications is not None:
        store.outbox.forget(number, now - retention.notifications)
    if latest and retention.labels is not None:
        deployment = context.deployment
        needed = latest[-1].end - deployment.checkpoint_age - LATE_LABEL_HORIZONS * deployment.horizon
        read = _read_by_all(store, number, since=now - retention.labels)
        for root in filter(has_labels, label_logs):
            forget_labels(root, min(now - retention.labels, needed), read=read)
    if retention.partials is not None:
        KeptSumsFolder(context.config.traffic.label_log).forget(as_microseconds(now - retention.partials))


def _read_by_all(store: Store, number: int, since: datetime) -> int:
    """How many labels every deployment of the same traffic has read that was used after a time."""
    traffic = store.deployments.read(number).traffic
    used = (
        summary.record.number
        for summary in store.overview.summaries()
        if summary.record.traffic == traffic and summary.used_at >= since and summary.record.number is not None
    )
    last = map(store.windows.last, used)
    return min(0 if window is None else int(window.label_cursor.get(LABELS_READ, 0)) for window in last)
