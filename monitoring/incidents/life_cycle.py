"""The life cycle of an incident: open, acknowledged, worse, recovering, closed."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime

from monitoring.evidence.betting import RecoveryState, RecoveryTest
from monitoring.evidence.conformal import ConformalTest
from monitoring.incidents.cause import Cause
from monitoring.incidents.harm import HarmAssessment
from monitoring.records import (
    AlarmCause,
    CauseDetail,
    Diagnosis,
    IncidentEvent,
    IncidentRecord,
    IncidentState,
    Reassessment,
)
from monitoring.traffic.windows import Window

#: An incident is closed when the evidence of its recovery reaches the threshold of its level, so that a wrong all-clear
#: is no more frequent than a false alarm. It counts as recovering from this part of the threshold on.
RECOVERING = 0.1

#: Half of the harm that opened the incident must be gone. A test against all of it would take as long as finding it
#: did.
HARM_LEFT = 0.5

#: An incident is closed too when the mean of this many last windows lies at the baseline, within `CALM_ERRORS` standard
#: errors or the tolerance: what the betting test cannot tell of a small harm, four weeks of days can.
CALM_WINDOWS = 28
CALM_ERRORS = 2.0

#: An incident does not begin to recover while so many last windows lie beyond the boundary on average: an innovation of
#: strongly autocorrelated scores may lie at the baseline while they do not.
LAST_WINDOWS = 7

#: A fact (a missing column) is over after so many windows in a row without it.
QUIET_WINDOWS = 3


def begin_recovery(test: ConformalTest, rise: float, tolerance: float | None = None) -> str:
    """The state of the recovery test of a new incident.

    Args:
        tolerance: The largest harmless rise, as a score; None for that of the test.
    """
    return RecoveryState.initial(
        test.mean + max(test.tolerance if tolerance is None else tolerance, HARM_LEFT * rise)
    ).to_text()


def new_incident(
    cause: Cause, deserved: HarmAssessment, window: Window, *, recovery: str, number: int
) -> IncidentRecord:
    """A new incident."""
    return IncidentRecord(
        number=number,
        level=deserved.level,
        state="open",
        opened_at=window.end,
        window_start=window.start,
        window_end=window.end,
        watch=cause.alarm.key.watch,
        slice=cause.alarm.key.slice,
        diagnoses=(Diagnosis(at=window.end, cause=cause.alarm),),
        recovery=recovery,
        detail=cause.detail,
        history=(IncidentEvent(at=window.end, state="open"),),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentScores:
    """The last mean scores of the watch of an incident, in order of time, and the largest harmless rise.

    >>> test = ConformalTest.fit([0.11, 0.13, 0.16, 0.19, 0.21], tolerance=0.01)
    >>> [RecentScores(scores=(score,) * 28, tolerance=0.01).calm(test) for score in (0.16, 0.20)]
    [True, False]
    >>> RecentScores(scores=(0.16,) * 27, tolerance=0.01).calm(test)
    False
    """

    scores: tuple[float, ...]
    tolerance: float

    def calm(self, test: ConformalTest) -> bool:
        """Whether the last windows lie at the baseline as a whole.

        Returns:
            True if there are `CALM_WINDOWS` of them whose mean is no farther from the baseline's than the larger of the
            tolerance and `CALM_ERRORS` standard errors, in the direction that the watch is about.
        """
        if len(self.scores) < CALM_WINDOWS:
            return False
        off = math.fsum(self.scores[-CALM_WINDOWS:]) / CALM_WINDOWS - test.mean
        error = test.std * math.sqrt((1.0 + test.ar1) / (1.0 - test.ar1) / CALM_WINDOWS)
        return (abs(off) if test.direction == "both" else off) <= max(self.tolerance, CALM_ERRORS * error)

    def beyond(self, test: ConformalTest, boundary: float) -> bool:
        """Whether the last windows lie beyond a boundary on average, in the direction that the watch is about.

        Args:
            boundary: The score at which half of the harm is left, above the baseline's mean.

        Returns:
            True if the mean of the last `LAST_WINDOWS` is farther from the baseline's than the boundary is.
        """
        if not self.scores:
            return False
        last = self.scores[-LAST_WINDOWS:]
        off = math.fsum(last) / len(last) - test.mean
        return (abs(off) if test.direction == "both" else off) > boundary - test.mean


def worsened(incident: IncidentRecord, *, recovery: str, cause: AlarmCause, now: datetime) -> IncidentRecord:
    """The incident after its harm grew beyond the level it was opened or last worsened at."""
    diagnoses = (*incident.diagnoses, Diagnosis(at=now, cause=cause))
    return replace(incident, recovery=recovery, diagnoses=diagnoses, acknowledged_at=None).entered("worse", now)


def assessed_again(incident: IncidentRecord, again: Reassessment, detail: CauseDetail) -> IncidentRecord:
    """An open incident with what is known of its cause by now, in place of what was known the last time."""
    *earlier, last = incident.diagnoses
    kept = incident.detail
    numbers = replace(detail, rows=kept.rows, subgroup=kept.subgroup, relation=kept.relation)
    return replace(incident, diagnoses=(*earlier, replace(last, again=again)), detail=numbers)


def step_recovery(
    incident: IncidentRecord,
    test: ConformalTest,
    score: float,
    *,
    threshold: float,
    now: datetime,
    recent: RecentScores | None = None,
) -> IncidentRecord:
    """Advance the recovery test by one window of the watch that opened the incident.

    Args:
        recent: The scores since the incident was opened or became worse, this window's among them.

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
    ...     recovery=begin_recovery(test, 0.08, 0.01),
    ... )
    >>> for _ in range(60):
    ...     incident = step_recovery(incident, test, 0.16, threshold=365.0, now=moment)
    >>> incident.state
    'closed'
    """
    if incident.state == "closed":
        return incident
    state = RecoveryState.from_text(incident.recovery)
    innovation_share = 1.0 - test.ar1
    recovery = RecoveryTest(
        mean=test.mean, std=max(test.std, test.innovation_std / innovation_share), boundary=state.boundary
    )
    innovation = (score - test.ar1 * state.last_score) / innovation_share
    # A two-sided watch recovers from either side.
    off = test.mean + abs(innovation - test.mean) if min(test.etas) < 0 else innovation
    state = state.updated(recovery.log_e_values(off), float(score))
    again = replace(incident, recovery=state.to_text())
    if recent is not None and recent.calm(test):
        return replace(again, closed_at=now).entered("closed", now)
    lasts = incident.state != "recovering" and recent is not None and recent.beyond(test, state.boundary)
    return _with_state(again, state.log_evidence - math.log(threshold), now, lasts=lasts)


def step_fact_recovery(incident: IncidentRecord, *, is_present: bool, now: datetime) -> IncidentRecord:
    """Advance an incident that a fact opened by one window.

    Returns:
        The incident, closed after `QUIET_WINDOWS` windows in a row without the fact.
    """
    if incident.state == "closed":
        return incident
    quiet = 0 if is_present else int(incident.recovery or "0") + 1
    again = replace(incident, recovery=str(quiet))
    if quiet >= QUIET_WINDOWS:
        return replace(again, closed_at=now).entered("closed", now)
    return again.entered("recovering", now) if quiet else _going_on(again, now)


def _with_state(incident: IncidentRecord, log_share: float, now: datetime, *, lasts: bool) -> IncidentRecord:
    if log_share >= 0.0:
        return replace(incident, closed_at=now).entered("closed", now)
    if log_share >= math.log(RECOVERING) and not lasts:
        return incident.entered("recovering", now)
    return _going_on(incident, now)


def _going_on(incident: IncidentRecord, now: datetime) -> IncidentRecord:
    state = _waiting(incident)
    return incident if state == incident.state else incident.entered(state, now)


def _waiting(incident: IncidentRecord) -> IncidentState:
    """The state of an incident whose harm goes on: "worse" until somebody acknowledges it again."""
    if incident.acknowledged_at is not None:
        return "acknowledged"
    return "worse" if any(event.state == "worse" for event in incident.history) else "open"
