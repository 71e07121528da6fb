"""Re-arming a level after an alarm: from then on a change is measured from the level of the open incident."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from monitoring.evidence.conformal import ConformalTest
from monitoring.incidents.alarm import DeploymentBaseline, score_of
from monitoring.records import LOSS_FAMILIES, IncidentRecord, Watch, WatchKey, WindowRecord

#: Windows of history whose mean may lower an offset again, and by how many standard errors it must lie below.
LOWERING_WINDOWS = 10
LOWERING_ERRORS = 1.0

#: An offset lies this many standard errors beyond the mean that it is made of, so that chance is no "worse".
OFFSET_ERRORS = 1.0

#: An alarm of a page's watches that is worth a notice so far is assessed again in this many windows after it.
ASSESSED_WINDOWS = 5

#: Watches with at least this share of an alarm's evidence made it.
REARMED_SHARE = 0.1

#: The states of an incident's history that are told as news.
TOLD = ("open", "worse")

LOSS_GROUP = "loss"


def harm_group(watch: Watch) -> str:
    """The group of watches that move together with one harm: an incident speaks for all of its group.

    Returns:
        "loss" for losses and all that is about them (`LOSS_FAMILIES`); a watch of one input by family and input; else
        its family.
    """
    if watch.family in LOSS_FAMILIES:
        return LOSS_GROUP
    return f"{watch.family}:{watch.feature}" if watch.feature else watch.family


def is_suspected(incident: IncidentRecord, watches: Mapping[str, Watch]) -> bool:
    """Whether an open notice says that a loss has risen, which is no page so far.

    Returns:
        True for a notice of a watch about a loss that is neither closed nor recovering, and that does not say that all
        losses have fallen.
    """
    if (
        incident.level == "page"
        or incident.is_improvement
        or incident.state in ("closed", "recovering")
        or incident.watch not in watches
    ):
        return False
    return harm_group(watches[incident.watch]) == LOSS_GROUP


def have_fallen(part: str, windows: Sequence[WindowRecord], baseline: DeploymentBaseline) -> bool:
    """Whether labels say that every loss on a slice lies below the benchmark, on average over some windows.

    Returns:
        False without a labelled loss.
    """
    losses = [
        key for key in baseline.scores if key.slice == part and baseline.watches[key.watch].family == "performance"
    ]
    excesses = [excess for key in losses if (excess := score_excess(key, windows, baseline))]
    return bool(excesses) and all(math.fsum(excess) < 0.0 for excess in excesses)


def same_harm(incident: IncidentRecord, key: WatchKey, watches: Mapping[str, Watch]) -> bool:
    """Whether an alarm of a watch is about the harm of an incident that is open.

    Returns:
        True if both are of one group, and on the same slice or one of them on the whole traffic.
    """
    if incident.watch not in watches or harm_group(watches[incident.watch]) != harm_group(watches[key.watch]):
        return False
    return incident.slice in ("", key.slice) or not key.slice


def windows_since_news(incidents: Sequence[IncidentRecord], windows: Sequence[WindowRecord]) -> int:
    """How many of some windows come after the last news of some incidents.

    Returns:
        The number of windows after the one in which an incident was last opened or told as worse; all without any.
    """
    last = max((event.at for incident in incidents for event in incident.history if event.state in TOLD), default=None)
    return sum(1 for window in windows if last is None or window.end > last)


def is_told(related: Sequence[IncidentRecord], windows: Sequence[WindowRecord]) -> bool:
    """Whether an alarm that is worth a notice has been told: by a page, or by a notice while it is assessed again."""
    if any(incident.level == "page" for incident in related):
        return True
    return bool(related) and windows_since_news(related, windows) <= ASSESSED_WINDOWS


def incident_offsets(
    tests: Mapping[WatchKey, ConformalTest], windows: Sequence[WindowRecord], baseline: DeploymentBaseline
) -> dict[WatchKey, float]:
    """How far each watch stands from its baseline since the onset of an alarm.

    The mean over the windows that have a score of it, `OFFSET_ERRORS` standard errors farther, in the direction that
    the watch is about; a watch that has not left its baseline by more than that error keeps none. Windows chosen by an
    alarm lie higher than the harm itself, so a growth of the harm is told a little late, and a harm that stays is not
    told again.

    Returns:
        Offsets in score units, of all watches that have one.
    """
    offsets = {}
    for key, test in tests.items():
        excess = score_excess(key, windows, baseline)
        if not excess:
            continue
        mean, error = float(np.mean(excess)), OFFSET_ERRORS * _standard_error(test, len(excess))
        if mean > error:
            offsets[key] = mean + error
        elif test.direction == "both" and mean < -error:
            offsets[key] = mean - error
    return offsets


def lowered_offsets(
    offsets: Mapping[WatchKey, float],
    tests: Mapping[WatchKey, ConformalTest],
    windows: Sequence[WindowRecord],
    baseline: DeploymentBaseline,
) -> dict[WatchKey, float]:
    """Offsets that the last windows lie below, moved to their mean: part of the harm is gone, and its return counts.

    Args:
        offsets: The offsets in force, in score units.

    Returns:
        The new values of those that change; none before `LOWERING_WINDOWS` windows.
    """
    if len(windows) < LOWERING_WINDOWS:
        return {}
    new_offsets = {}
    for key, offset in offsets.items():
        excess = score_excess(key, windows[-LOWERING_WINDOWS:], baseline)
        if key not in tests or not excess:
            continue
        error = _standard_error(tests[key], len(excess))
        side = math.copysign(1.0, offset)
        level = max(side * float(np.mean(excess)), 0.0)
        if level + (OFFSET_ERRORS + LOWERING_ERRORS) * error < side * offset:
            new_offsets[key] = side * (level + OFFSET_ERRORS * error) if level > error else 0.0
    return new_offsets


def score_excess(key: WatchKey, windows: Sequence[WindowRecord], baseline: DeploymentBaseline) -> list[float]:
    """How far a watch lies above what the baseline expects, in score units, in each window that has a score of it."""
    scale = baseline.watches[key.watch].scale
    return [
        (value - baseline.expected(key, window.start)) / scale
        for window in windows
        if (value := score_of(window, key)) is not None
    ]


def _standard_error(test: ConformalTest, windows: int) -> float:
    return test.std * math.sqrt((1.0 + test.ar1) / (1.0 - test.ar1) / windows)
