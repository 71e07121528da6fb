"""The life cycle of an incident: open, acknowledged, recovering, closed."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime

from monitoring.evidence.betting import RecoveryState, RecoveryTest
from monitoring.evidence.conformal import ConformalTest
from monitoring.records import IncidentRecord, IncidentState

#: An incident is closed when the evidence of its recovery reaches the threshold of its level, so that a wrong all-clear
#: is no more frequent than a false alarm. It counts as recovering from this part of the threshold on.
RECOVERING = 0.1

#: Half of the harm that opened the incident must be gone. A test against all of it would take as long as finding it
#: did.
HARM_LEFT = 0.5

#: A fact (a missing column) is over after so many windows in a row without it.
QUIET_WINDOWS = 3


def begin_recovery(test: ConformalTest, rise: float) -> str:
    """The state of the recovery test of a new incident.

    Args:
        test: The test whose watch opened the incident.
        rise: How far the mean score had left its baseline, as a score.

    Returns:
        The state as text, for `IncidentRecord.recovery`.
    """
    return RecoveryState.initial(test.mean + max(test.tolerance, HARM_LEFT * rise)).to_text()


def step_recovery(
    incident: IncidentRecord, test: ConformalTest, score: float, *, threshold: float, now: datetime
) -> IncidentRecord:
    """Advance the recovery test by one window of the watch that opened the incident.

    Args:
        incident: The incident; a closed one stays as it is.
        test: The watch's test against its baseline.
        score: The window's mean score.
        threshold: The evidence at which the incident's level alarms.
        now: The end of the window, for `closed_at`.

    Returns:
        The incident with its new recovery state and life-cycle state.

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
    ...     recovery=begin_recovery(test, 0.08),
    ... )
    >>> for _ in range(60):
    ...     incident = step_recovery(incident, test, 0.16, threshold=365.0, now=moment)
    >>> incident.state
    'closed'
    """
    if incident.state == "closed":
        return incident
    state = RecoveryState.from_text(incident.recovery)
    kept = 1.0 - test.ar1
    recovery = RecoveryTest(mean=test.mean, std=max(test.std, test.innovation_std / kept), boundary=state.boundary)
    innovation = (score - test.ar1 * state.last_score) / kept
    # A two-sided watch recovers from either side.
    off = test.mean + abs(innovation - test.mean) if min(test.etas) < 0 else innovation
    state = state.updated(recovery.log_e_values(off), float(score))
    return _with_state(replace(incident, recovery=state.to_text()), state.log_evidence - math.log(threshold), now)


def step_fact_recovery(incident: IncidentRecord, *, seen: bool, now: datetime) -> IncidentRecord:
    """Advance an incident that a fact opened by one window.

    Args:
        incident: The incident; a closed one stays as it is.
        seen: Whether the window has the fact.
        now: The end of the window, for `closed_at`.

    Returns:
        The incident, closed after `QUIET_WINDOWS` windows in a row without the fact.
    """
    if incident.state == "closed":
        return incident
    quiet = 0 if seen else int(incident.recovery or "0") + 1
    if quiet >= QUIET_WINDOWS:
        return replace(incident, recovery=str(quiet), state="closed", closed_at=now)
    state: IncidentState = "recovering" if quiet else ("acknowledged" if incident.acknowledged_at else "open")
    return replace(incident, recovery=str(quiet), state=state)


def _with_state(incident: IncidentRecord, log_share: float, now: datetime) -> IncidentRecord:
    if log_share >= 0.0:
        return replace(incident, state="closed", closed_at=now)
    if log_share >= math.log(RECOVERING):
        return replace(incident, state="recovering")
    return replace(incident, state="acknowledged" if incident.acknowledged_at else "open")
