"""Facts about the traffic log: labels whose predictions are not in it, and predictions that were sent again and again.

What is usual is learned from the deployment's own windows: labels of predictions that another log has, or a client that
sends some rows twice, are no news.
"""

from __future__ import annotations

from collections.abc import Sequence

from scipy.special import betainc

from monitoring.records import Finding, WindowRecord
from monitoring.records.finding_parts import UnusualShare


def binomial_tail(rows: int, of: int, share: float) -> float:
    """The probability of so many rows or more, of independent ones with a probability of `share` each.

    Args:
        of: Of how many, at least as many.
        share: In (0, 1).

    >>> round(binomial_tail(2, 2, 0.1), 4), binomial_tail(0, 2, 0.1)
    (0.01, 1.0)
    """
    return float(betainc(rows, of - rows + 1, share)) if rows > 0 else 1.0


#: A share is a fact from this on, or from so many times the largest before, whichever is more, and if it is of so many.
LEAST_SHARE = 0.2
FACTOR = 5.0
FEWEST = 20

#: Windows with labels, or with rows, before there is anything usual.
MIN_WINDOWS = 7

#: The kinds of findings, and what they are about.
WITHOUT_PREDICTIONS = "labels without predictions"
REPEATED = "predictions repeated"
IDS_SUBJECT = "prediction ids"
REPEATS_SUBJECT = "repeated ids"


def unmatched_findings(
    unknown: int, matched: int, history: Sequence[WindowRecord], *, alpha: float
) -> tuple[Finding, ...]:
    """The finding that labels are of predictions which the traffic does not have. Returns one fact, or nothing."""
    before = [
        window.labels_unknown / (window.labels_unknown + window.labels) for window in _sound(history) if window.labels
    ]
    worst = max(before, default=0.0)
    if len(before) < MIN_WINDOWS or not _is_unusual(unknown, unknown + matched, worst, alpha):
        return ()
    parts = UnusualShare(of="labels without predictions", count=unknown, rows=unknown + matched, worst=worst)
    return (Finding(kind=WITHOUT_PREDICTIONS, feature=IDS_SUBJECT, fact=True, parts=parts),)


def repeat_findings(repeats: int, rows: int, history: Sequence[WindowRecord], *, alpha: float) -> tuple[Finding, ...]:
    """The finding that predictions were sent again with the same id, as by clients that retry."""
    before = [window.repeats / (window.repeats + window.rows) for window in _sound(history) if window.rows]
    worst = max(before, default=0.0)
    if len(before) < MIN_WINDOWS or not _is_unusual(repeats, repeats + rows, worst, alpha):
        return ()
    parts = UnusualShare(of="repeated predictions", count=repeats, rows=repeats + rows, worst=worst)
    return (Finding(kind=REPEATED, feature=REPEATS_SUBJECT, fact=True, parts=parts),)


def _sound(history: Sequence[WindowRecord]) -> tuple[WindowRecord, ...]:
    """The windows in which no page was open."""
    return tuple(window for window in history if window.status != "page")


def _is_unusual(count: int, of: int, worst: float, alpha: float) -> bool:
    """Whether a share is far above the largest before, and no chance of few."""
    rate = min(max(LEAST_SHARE, FACTOR * worst), (1.0 + worst) / 2.0)
    if count < FEWEST or count < rate * of:
        return False
    null = min(max(2.0 * worst, 0.02), (worst + rate) / 2.0)
    return binomial_tail(count, of, null) <= alpha
