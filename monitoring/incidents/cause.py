"""The first cause of an alarm: which watch, since when, how far, and what changed with it."""

from __future__ import annotations

from dataclasses import dataclass, field

from monitoring.incidents.alarm import Alarm, since_onset
from monitoring.incidents.decomposition import class_parts, slice_parts
from monitoring.incidents.input_drift import drifted_inputs
from monitoring.incidents.input_shift import Shifts, no_shifts
from monitoring.incidents.message import assessment, input_sentences, message, summary
from monitoring.incidents.metric_change import departure, loss_split
from monitoring.records import CauseDetail


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """What opened an incident.

    Attributes:
        slice: Its slice, empty for the whole traffic.
        rise: How far the watch has been from its baseline since the onset, in its own unit, to either side.
    """

    watch: str
    slice: str
    cause: str
    message: str
    rise: float = 0.0
    detail: CauseDetail = field(default_factory=CauseDetail)
    inputs: tuple[str, ...] = ()


def explain(alarm: Alarm, shifts: Shifts = no_shifts, *, reason: str = "") -> Cause:
    """Explain an alarm from its level's reading and the windows so far.

    Args:
        reason: Why the alarm is a notice; empty where it is none.
    """
    recent = since_onset(alarm)
    moved, detail = departure(recent), _detail(recent)
    return Cause(
        watch=alarm.key.watch,
        slice=alarm.key.slice,
        cause=summary(recent, moved, detail, shifts, reason=reason),
        message=message(recent, moved, detail, shifts, reason=reason),
        rise=abs(moved.change),
        detail=detail,
        inputs=input_sentences(recent, detail, shifts),
    )


def assess_again(alarm: Alarm, shifts: Shifts = no_shifts) -> tuple[str, CauseDetail]:
    """What is known of the cause of an open incident by now."""
    recent = since_onset(alarm)
    detail = _detail(recent)
    return assessment(recent, departure(recent), detail, shifts), detail


def _detail(recent: Alarm) -> CauseDetail:
    is_estimate = recent.watch.family == "estimates"  # labels that came since its onset are of earlier rows
    parts = () if is_estimate else (*class_parts(recent), *slice_parts(recent))
    return CauseDetail(split=loss_split(recent), parts=parts, inputs=drifted_inputs(recent))
