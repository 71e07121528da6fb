"""The first cause of an alarm: which watch, since when, how far, and what changed with it."""

from __future__ import annotations

from dataclasses import dataclass, field

from monitoring.incidents.alarm import Alarm, since_onset
from monitoring.incidents.decomposition import class_parts, slice_parts
from monitoring.incidents.diagnosis import alarm_cause
from monitoring.incidents.input_drift import drifted_inputs
from monitoring.incidents.input_shift import Shifts, no_shifts
from monitoring.incidents.metric_change import departure, loss_split
from monitoring.records import AlarmCause, CauseDetail, NoticeReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """What opened an incident.

    Attributes:
        rise: How far the watch has been from its baseline since the onset, in its own unit, to either side.
    """

    alarm: AlarmCause
    rise: float = 0.0
    detail: CauseDetail = field(default_factory=CauseDetail)


def explain(alarm: Alarm, shifts: Shifts = no_shifts, *, reason: NoticeReason | None = None) -> Cause:
    """Explain an alarm from its level's reading and the windows so far.

    Args:
        reason: Why the alarm is a notice; None where it is none.
    """
    recent = since_onset(alarm)
    is_estimate = recent.watch.family == "estimates"  # labels that came since its onset are of earlier rows
    parts = () if is_estimate else (*class_parts(recent), *slice_parts(recent))
    detail = CauseDetail(split=loss_split(recent), parts=parts, inputs=drifted_inputs(recent))
    return Cause(
        alarm=alarm_cause(recent, detail, shifts, reason=reason), rise=abs(departure(recent).change), detail=detail
    )
