"""The life of an incident: open, acknowledged, recovering, closed."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime

from monitoring.evidence.betting import RecoveryTest
from monitoring.evidence.detector import DetectorState
from monitoring.records import IncidentRecord, IncidentState

#: Evidence of recovery at which an incident counts as recovering, and at which it is closed: closing one while the harm
#: lasts happens at most once in 20 windows of harm, on average.
RECOVERING = 4.0
RECOVERED = 20.0

#: A fact (a column gone) is over after so many windows in a row without it.
QUIET_WINDOWS = 3


def followed(incident: IncidentRecord, test: RecoveryTest, score: float, now: datetime) -> IncidentRecord:
    """One more window of the watch that opened the incident: its mean score moves the recovery test.

    >>> from datetime import UTC
    >>> moment = datetime(2013, 4, 22, tzinfo=UTC)
    >>> incident = IncidentRecord(
    ...     number=1,
    ...     level="page",
    ...     state="open",
    ...     opened_at=moment,
    ...     window_start=moment,
    ...     window_end=moment,
    ...     watch="brier",
    ...     slice="",
    ...     cause="",
    ...     message="",
    ... )
    >>> test = RecoveryTest(mean=0.16, deviation=0.05, tolerance=0.01)
    >>> for _ in range(60):
    ...     incident = followed(incident, test, 0.14, moment)
    >>> incident.state
    'closed'
    """
    if incident.state == "closed":
        return incident
    state = DetectorState.from_text(incident.recovery) if incident.recovery else DetectorState.fresh(test.grid)
    state = state.after(test.log_e_values(score))
    return _moved(replace(incident, recovery=state.to_text()), state.log_evidence, now)


def followed_fact(incident: IncidentRecord, *, seen: bool, now: datetime) -> IncidentRecord:
    """One more window after a fact: seen again, or one window nearer to its end."""
    if incident.state == "closed":
        return incident
    quiet = 0 if seen else int(incident.recovery or "0") + 1
    if quiet >= QUIET_WINDOWS:
        return replace(incident, recovery=str(quiet), state="closed", closed_at=now)
    state: IncidentState = "recovering" if quiet else ("acknowledged" if incident.acknowledged_at else "open")
    return replace(incident, recovery=str(quiet), state=state)


def _moved(incident: IncidentRecord, log_evidence: float, now: datetime) -> IncidentRecord:
    if log_evidence >= math.log(RECOVERED):
        return replace(incident, state="closed", closed_at=now)
    if log_evidence >= math.log(RECOVERING):
        return replace(incident, state="recovering")
    return replace(incident, state="acknowledged" if incident.acknowledged_at else "open")
