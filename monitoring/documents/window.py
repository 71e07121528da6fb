"""The schemas of a judged window, of an estimate without labels in it, and of a window that may not be judged yet."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from monitoring.documents.document import Document, Moment
from monitoring.evidence.budget import finite_evidence
from monitoring.records import RealisedLosses, WindowRecord
from monitoring.records.estimate import EstimateMethod
from monitoring.records.window import WindowStatus
from monitoring.reports.sections.estimates import realised


class EvidenceDocument(Document):
    """Evidence of each level, not its logarithm; 0 before the first score.

    `losses` is the evidence that a loss has risen, for whatever reason: at the threshold of pages harm is suspected.
    """

    page: float
    losses: float
    notice: float


class EstimateDocument(Document):
    """A loss of the window's predictions, estimated without labels (90 % interval), and the realised loss.

    `realised` is the loss of the window's own predictions that have a label by now, `labelled` how many have one; both
    are null where later windows were not read for it, as in the pages of the HTTP API. `trusted` is whether the
    estimate's intervals have held against labels so far. `effective_rows` is the effective sample size of a weighted
    estimate, `outside` the share of the window's rows that lie outside the reference. `confusion` is the estimated
    confusion matrix as shares of all rows, [predicted class][true class].
    """

    method: EstimateMethod
    metric: str
    estimate: float | None
    low: float | None
    high: float | None
    realised: float | None
    labelled: int | None
    trusted: bool
    confusion: list[list[float]] | None
    effective_rows: float | None
    outside: float | None


class MetricDocument(Document):
    """A metric that is shown and not tested, with its 95 % interval."""

    metric: str
    rows: int
    value: float
    low: float
    high: float


class WindowMetricDocument(MetricDocument):
    """A metric of the labels that arrived in a window, and its value over the baseline's windows, null if unknown."""

    benchmark: float | None


class WindowDocument(Document):
    """One judged window; `expected` is the name of the expected event that it touches, null for none.

    `labels` arrived in the window, of which `labels_due` were due; `repeats` are duplicate rows that were dropped, and
    `unseen` rows that were answered and not seen: lost by the log, or left out of its sample.
    """

    start: Moment
    end: Moment
    rows: int
    labels: int
    labels_due: int
    repeats: int
    unseen: int
    status: WindowStatus
    expected: str | None
    evidence: EvidenceDocument
    estimates: list[EstimateDocument]
    metrics: list[WindowMetricDocument]


class WindowsDocument(Document):
    """Windows; `next` is the `before` of the next page of a list that has pages, null on the last."""

    windows: list[WindowDocument]
    next: Moment | None = None


class WindowRevisionDocument(Document):
    """What a window was before a backfill, by its number, judged it again."""

    backfill: int
    status: WindowStatus
    rows: int
    labels: int


class WindowStateDocument(Document):
    """A window, judged or not; `skipped` stands for all windows of a long time without rows.

    `attempts` is how many attempts at it were begun, or how many runs in a row ended before it; `reason` is why it is
    not judged.
    """

    start: Moment
    end: Moment
    state: Literal["judged", "thin", "revised", "skipped", "due", "running", "failed"]
    status: WindowStatus | None
    rows: int
    labels: int
    attempts: int
    reason: str
    started_at: Moment | None
    judged_at: Moment | None
    batch: str | None
    before: list[WindowRevisionDocument]


class WindowStatesDocument(Document):
    """Windows with their states, judged and due, in order of time."""

    windows: list[WindowStateDocument]


def window_document(
    window: WindowRecord, benchmark: Mapping[str, float], settled: Mapping[datetime, RealisedLosses] | None = None
) -> WindowDocument:
    """A window as a document.

    Args:
        settled: The losses of each window's own predictions, by its start; None where they were not read.
    """
    losses = None if settled is None else settled.get(window.start)
    labelled = None if settled is None else 0 if losses is None else losses.rows
    return WindowDocument.of(
        window,
        evidence=EvidenceDocument(
            page=finite_evidence(window.page_log_evidence),
            losses=finite_evidence(window.loss_log_evidence),
            notice=finite_evidence(window.notice_log_evidence),
        ),
        estimates=[
            EstimateDocument.of(
                estimate,
                estimate=estimate.value,
                realised=realised(losses, estimate.metric),
                labelled=labelled,
                trusted=estimate.interval_checks.trusted,
                confusion=estimate.confusion or None,
                effective_rows=estimate.effective,
            )
            for estimate in window.estimates
        ],
        metrics=[WindowMetricDocument.of(metric, benchmark=benchmark.get(metric.metric)) for metric in window.measured],
    )
