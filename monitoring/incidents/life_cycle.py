"""The life of an incident: open, acknowledged, recovering, closed."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime

from monitoring.evidence.betting import RecoveryState, RecoveryTest
from monitoring.evidence.conformal import ConformalTest
from monitoring.records import IncidentRecord, IncidentState

#: An incident is closed when the evidence of its recovery reaches the threshold of its level, so that a wrong all-clear
#: costs no more often than a wrong alarm, and it counts as recovering from this part of it on.
RECOVERING = 0.1

#: Half of the harm that opened the incident must be gone. A test against all of it would take as long as finding it
#: did.
HARM_LEFT = 0.5

#: A fact (a column gone) is over after so many windows in a row without it.
QUIET_WINDOWS = 3


def beginning(test: ConformalTest, rise: float) -> str:
    """The recovery test of an incident opened by `test`, as text; `rise` is how far the score had left its baseline."""
    return RecoveryState.initial(test.mean + max(test.tolerance, HARM_LEFT * rise)).to_text()


def followed(
    incident: IncidentRecord, test: ConformalTest, score: float, *, threshold: float, now: datetime
) -> IncidentRecord:
    """One more window of the watch that opened the incident: its mean score moves the recovery test.

    `threshold` is that of the incident's level.

    >>> from datetime import UTC
    >>> moment = datetime(2013, 4, 22, tzinfo=UTC)
    >>> test = ConformalTest.fit([0.11, 0.13, 0.16, 0.19, 0.21], tolerance=0.01)
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
    ...     recovery=beginning(test, 0.08),
    ... )
    >>> for _ in range(60):
    ...     incident = followed(incident, test, 0.16, threshold=365.0, now=moment)
    >>> incident.state
    'closed'
    """
    if incident.state == "closed":
        return incident
    state = RecoveryState.from_text(incident.recovery)
    kept = 1.0 - test.ar1
    recovery = RecoveryTest(mean=test.mean, std=max(test.std, test.innovation_std / kept), boundary=state.boundary)
    unforetold = (score - test.ar1 * state.last_score) / kept
    # A watch that may leave its baseline on either side recovers from either.
    off = test.mean + abs(unforetold - test.mean) if min(test.etas) < 0 else unforetold
    state = state.updated(recovery.log_e_values(off), float(score))
    return _moved(replace(incident, recovery=state.to_text()), state.log_evidence - math.log(threshold), now)


def followed_fact(incident: IncidentRecord, *, seen: bool, now: datetime) -> IncidentRecord:
    """One more window after a fact: seen again, or one window nearer to its end."""
    if incident.state == "closed":
        return incident
    quiet = 0 if seen else int(incident.recovery or "0") + 1
    if quiet >= QUIET_WINDOWS:
        return replace(incident, recovery=str(quiet), state="closed", closed_at=now)
    state: IncidentState = "recovering" if quiet else ("acknowledged" if incident.acknowledged_at else "open")
    return replace(incident, recovery=str(quiet), state=state)


def _moved(incident: IncidentRecord, log_part: float, now: datetime) -> IncidentRecord:
    if log_part >= 0.0:
        return replace(incident, state="closed", closed_at=now)
    if log_part >= math.log(RECOVERING):
        return replace(incident, state="recovering")
    return replace(incident, state="acknowledged" if incident.acknowledged_at else "open")
