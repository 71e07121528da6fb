"""What an alarm of the page level deserves: a page for harm beyond what the benchmark promised, otherwise a notice."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr, ndtri

from monitoring.incidents.alarm import Alarm
from monitoring.incidents.input_drift import drifted_inputs
from monitoring.records import LOSS_FAMILIES, Level, NoticeReason, Watch, WatchKey
from monitoring.tasks.metrics import part_of
from monitoring.tasks.task import ESTIMATED, MATERIAL, SURPRISE, loss_of
from monitoring.watches.trust import MAX_OUTSIDE

#: By how many standard errors of its mean since the onset surprise must have moved.
SURPRISE_ERRORS = 1.5

#: And by what part of the tolerance of its loss.
SURPRISE_SHARE = 0.5

#: Where most of the rise was expected, by as many errors, and by all of the tolerance: surprise that small beside it is
#: hardly told from a calibration that is a little off on harder traffic.
EXPECTED_SURPRISE_ERRORS = 3.0

#: An estimate alone, where no labels come, pages from this multiple of the tolerance on: it cannot tell a model that
#: is wrong, and its own error counts.
ESTIMATE_TOLERANCES = 2.0

#: A rise of a loss that inputs cannot explain, since none moved, pages from this multiple of the threshold on: such
#: pages add at most a quarter to what is promised.
UNEXPLAINED_THRESHOLDS = 4.0

#: The false discovery rate at which an input has moved, where that is a reason; of the joint watch, by how many
#: standard errors.
MOVED_RATE = 0.01
JOINT_ERRORS = 3.0

#: Reasons for which an alarm is a notice that need no numbers.
NOT_WORSE = NoticeReason(kind="not worse")
BETTER = NoticeReason(kind="better")
HARDER_TRAFFIC = NoticeReason(kind="harder traffic")
NOT_CERTAIN = NoticeReason(kind="not certain")


@dataclass(frozen=True, slots=True, kw_only=True)
class HarmAssessment:
    """The level that an alarm deserves, and why it is a notice; None where it is harm.

    >>> HarmAssessment(level="notice", reason=NOT_WORSE).pages
    False
    """

    level: Level
    reason: NoticeReason | None = None

    @property
    def pages(self) -> bool:
        """Whether somebody should act at once."""
        return self.level == "page"


PAGE = HarmAssessment(level="page")


@dataclass(frozen=True, slots=True, kw_only=True)
class LossChange:
    """One loss since the onset of an alarm, in its own unit.

    Attributes:
        rise: How far its mean lies above the benchmark.
        limit: What is no harm: the tolerance, and what the worst month of the reference had beyond chance.
        material: The rise from which on it is harm, whatever explains it; infinite where there is no such watch.
        surprise: How far realised minus expected loss lies above the benchmark's; None where it is not known.
        surprise_error: The standard error of that mean, times the number of errors that count.
    """

    metric: str
    rise: float
    limit: float
    material: float = math.inf
    surprise: float | None = None
    surprise_error: float = 0.0

    @property
    def is_worse(self) -> bool:
        """Whether the loss is worse than the benchmark by more than is harmless."""
        return self.rise > self.limit

    @property
    def is_better(self) -> bool:
        """Whether the loss is better than the benchmark by more than what is harmless the other way."""
        return -self.rise > self.limit

    @property
    def is_material(self) -> bool:
        """Whether the rise is harm whatever explains it."""
        return self.rise > self.material

    @property
    def is_expected(self) -> bool:
        """Whether surprise lies within its error: neither risen nor fallen."""
        return self.surprise is not None and abs(self.surprise) <= self.surprise_error


def assess(alarm: Alarm) -> HarmAssessment:
    """Assess an alarm of the page level by the losses since its onset.

    Three things page. *The model is worse than it says*: watches that harder traffic does not raise alarm (surprise,
    calibration, a ranking beyond what probabilities expect), and a loss of the same rows exceeds the benchmark by more
    than its tolerance and the worst month of the reference. *A loss rose materially*: beyond the tolerance for any
    cause, also if the model expected it. *A loss rose and no input moved*: traffic that is as before is not harder, so
    what the model's own probabilities expect excuses nothing. All else is a notice with what is known; *model as
    right as before* is said only where it was tested (`is_harder_traffic`). While a notice is open that labels come
    for other rows than the baseline's (`Alarm.labels_of_others`), only the first of the three pages: losses of
    another part of the rows may be as high as its answers let expect, whatever the inputs of all rows do. Where no
    label has arrived since the onset, an estimate pages only in deployments without labels, from
    `ESTIMATE_TOLERANCES` tolerances on, and only within the support of the reference (`MAX_OUTSIDE`).

    Returns:
        "page" for harm and for every watch that is not about a loss; otherwise "notice", with the reason.
    """
    if alarm.watch.family not in LOSS_FAMILIES:
        return PAGE
    losses = loss_changes(alarm)
    if not losses:
        return _assess_estimate(alarm)
    of_others = alarm.labels_of_others > 0
    material = alarm.is_material and any(loss.is_material for loss in losses) and not of_others
    unexpected = any(loss.is_worse and not _is_explained(loss, alarm) for loss in losses)
    if alarm.reading.alarm and (material or unexpected):
        return PAGE
    if any(loss.is_worse for loss in losses) and is_unexplained(alarm) and not of_others:
        return PAGE
    return HarmAssessment(level="notice", reason=_reason(alarm, losses))


def paging_watches(keys: Collection[WatchKey], watches: Mapping[str, Watch]) -> tuple[WatchKey, ...]:
    """The watches whose evidence opens pages."""
    surprised = set(loss_watches(keys, watches))
    return tuple(key for key in keys if key not in surprised or watches[key.watch].family == "estimates")


def loss_watches(keys: Collection[WatchKey], watches: Mapping[str, Watch]) -> tuple[WatchKey, ...]:
    """The watches that rise with the difficulty of the traffic while the model is as right as before."""
    surprised = {replace(key, watch=loss_of(key.watch)) for key in keys if watches[key.watch].family == "surprise"}
    return tuple(key for key in keys if key in surprised or watches[key.watch].family == "estimates")


def loss_changes(alarm: Alarm) -> tuple[LossChange, ...]:
    """Every loss of the alarm's rows since its onset, that of its own watch first.

    Returns:
        The losses with a score since the onset: of all rows, or of the alarm's slice; where the alarm is about one
        class or number, its own and those of all.
    """
    alarm_loss = loss_of(alarm.key.watch)
    here = [key.watch for key in alarm.baseline.scores if key.slice == alarm.key.slice]
    related = {None, part_of(alarm_loss)}
    metrics = [
        name for name in here if alarm.baseline.watches[name].family == "performance" and part_of(name) in related
    ]
    changes = (_loss_change(alarm, metric) for metric in dict.fromkeys((alarm_loss, *metrics)) if metric in metrics)
    return tuple(loss for loss in changes if loss is not None)


def _loss_change(alarm: Alarm, metric: str) -> LossChange | None:
    """One loss since the onset; None where it has no score."""
    key = WatchKey(watch=metric, slice=alarm.key.slice)
    realised = excesses(alarm, key)
    if not realised:
        return None
    rise, scores = float(np.mean(realised)), alarm.baseline.scores
    material = scores.get(replace(key, watch=f"{MATERIAL}{metric}"))
    surprise = replace(key, watch=f"{SURPRISE}{metric}")
    gaps = excesses(alarm, surprise)
    gap = float(np.mean(gaps)) if gaps else None
    bound = 0.0
    if gap is not None:
        mostly_expected = gap < rise / 2.0
        errors = EXPECTED_SURPRISE_ERRORS if mostly_expected and gap > 0.0 else SURPRISE_ERRORS
        share = 1.0 if mostly_expected and gap > 0.0 else SURPRISE_SHARE
        error = _of_all_slices(errors, alarm, surprise) * scores[surprise].deviation / math.sqrt(len(gaps))
        bound = max(error, share * scores[key].tolerance)
    return LossChange(
        metric=metric,
        rise=rise,
        limit=scores[key].tolerance + alarm.baseline.worst_months.get(key, 0.0),
        material=math.inf if material is None else material.tolerance,
        surprise=gap,
        surprise_error=bound,
    )


def _is_explained(loss: LossChange, alarm: Alarm) -> bool:
    """Whether the model expected the rise of a loss; a calibration watch that alarms says that it did not."""
    return loss.surprise is not None and loss.is_expected and alarm.watch.family != "calibration"


def is_unexplained(alarm: Alarm) -> bool:
    """Whether a loss has risen beyond doubt while no input has moved.

    Returns:
        True if the evidence of losses is at `UNEXPLAINED_THRESHOLDS` thresholds, and inputs are watched of which none
        has drifted; false where none is watched.
    """
    certain = alarm.reading.loss_log_evidence >= math.log(UNEXPLAINED_THRESHOLDS * alarm.threshold)
    return certain and inputs_moved(alarm) is False


def inputs_moved(alarm: Alarm) -> bool | None:
    """Whether any input has drifted since the onset of an alarm, by itself or jointly with others.

    Returns:
        None where no input is watched.
    """
    scores, watches = alarm.baseline.scores, alarm.baseline.watches
    joint = [key for key in scores if watches[key.watch].family == "joint" and not key.slice]
    if not joint and not any(watches[key.watch].family == "inputs" for key in scores):
        return None
    for key in joint:
        moved = excesses(alarm, key)
        if moved and float(np.mean(moved)) > JOINT_ERRORS * scores[key].deviation / math.sqrt(len(moved)):
            return True
    return bool(drifted_inputs(alarm, MOVED_RATE))


def is_harder_traffic(alarm: Alarm, losses: Sequence[LossChange]) -> bool:
    """Whether harder traffic on which the model is as right as before was tested, and explains the rise.

    Returns:
        True if the surprise of every loss is known and lies within its error, no calibration watch has moved beyond its
        error, and inputs have drifted.
    """
    if any(not loss.is_expected for loss in losses):
        return False
    calibration = (
        key
        for key in alarm.baseline.scores
        if alarm.baseline.watches[key.watch].family == "calibration" and not key.slice
    )
    for key in calibration:
        moved = excesses(alarm, key)
        error = 2.0 * alarm.baseline.scores[key].deviation / math.sqrt(max(len(moved), 1))
        if moved and abs(float(np.mean(moved))) > error:
            return False
    return bool(inputs_moved(alarm))


def _reason(alarm: Alarm, losses: Sequence[LossChange]) -> NoticeReason:
    """Why an alarm is a notice so far."""
    if all(loss.is_better for loss in losses):
        return BETTER
    if not any(loss.is_worse for loss in losses):
        return NOT_WORSE
    if alarm.labels_of_others:
        return NoticeReason(kind="labels of other rows", incident=alarm.labels_of_others)
    if is_harder_traffic(alarm, losses):
        return HARDER_TRAFFIC
    if any(loss.is_worse and loss.surprise is not None and loss.surprise > loss.surprise_error for loss in losses):
        return NOT_CERTAIN
    return _what_is_known(alarm, losses)


def _what_is_known(alarm: Alarm, losses: Sequence[LossChange]) -> NoticeReason:
    """The rise of the loss that rose most beyond its limit, how much of it was expected, and whether inputs moved."""
    worst = max(losses, key=lambda loss: loss.rise / max(loss.limit, 1e-9))
    return NoticeReason(
        kind="what is known",
        metric=worst.metric,
        rise=worst.rise,
        expected=None if worst.surprise is None else worst.rise - worst.surprise,
        inputs_moved=inputs_moved(alarm),
    )


def excesses(alarm: Alarm, key: WatchKey) -> list[float]:
    """How far a watch lies above its baseline, in its own unit, in each window that has a score of it."""
    if key not in alarm.baseline.scores:
        return []
    return [excess for window in alarm.windows if (excess := alarm.excess(window, key)) is not None]


def _of_all_slices(errors: float, alarm: Alarm, surprise: WatchKey) -> float:
    """Standard errors; on a slice those that any of all slices exceeds by chance as rarely (Bonferroni)."""
    if not surprise.slice:
        return errors
    slices = sum(1 for key in alarm.baseline.scores if key.watch == surprise.watch and key.slice)
    return -float(ndtri(ndtr(-errors) / max(slices, 1)))


def _assess_estimate(alarm: Alarm) -> HarmAssessment:
    """An alarm since whose onset no label has arrived."""
    metric = loss_of(alarm.key.watch)
    estimate, loss = (WatchKey(watch=f"{prefix}{metric}", slice=alarm.key.slice) for prefix in (ESTIMATED, ""))
    if alarm.labels_expected or not alarm.reading.alarm:
        return HarmAssessment(level="notice", reason=NoticeReason(kind="no labels yet"))
    outside = _outside(alarm)
    if outside > MAX_OUTSIDE:
        return HarmAssessment(level="notice", reason=NoticeReason(kind="outside the reference", outside=outside))
    risen = excesses(alarm, estimate)
    least = ESTIMATE_TOLERANCES * alarm.baseline.scores.get(loss, alarm.baseline.scores[alarm.key]).tolerance
    if risen and float(np.mean(risen)) <= least:
        return HarmAssessment(level="notice", reason=NoticeReason(kind="within twice the tolerance"))
    return PAGE


def _outside(alarm: Alarm) -> float:
    """The mean share of rows outside the reference since the onset; 0 where it is not known."""
    shares = [window.estimates[0].outside for window in alarm.windows if window.estimates]
    values = [share for share in shares if share is not None]
    return float(np.mean(values)) if values else 0.0
