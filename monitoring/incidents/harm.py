"""Whether an alarm of the page level is harm beyond what the benchmark promised, or a change worth a notice only."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from monitoring.incidents.alarm import Alarm
from monitoring.incidents.loss_split import PREFIX
from monitoring.records import Level, Watch, WatchKey
from monitoring.tasks.metrics import part_of
from monitoring.watches.trust import MAX_OUTSIDE

#: What precedes the loss in the name of its estimate.
ESTIMATED = "estimated_"

#: By how many standard errors of its mean since the onset surprise must have risen.
SURPRISE_ERRORS = 1.5

#: And by what part of the tolerance of its loss.
SURPRISE_SHARE = 0.5

#: Where most of the rise was expected, by as many errors, and by all of the tolerance: surprise that small beside it is
#: hardly told from a calibration that is a little off on harder traffic.
EXPECTED_SURPRISE_ERRORS = 3.0

#: An estimate alone, where no labels come, pages from this multiple of the tolerance on: it cannot tell a model that
#: is wrong, and its own error counts.
ESTIMATE_TOLERANCES = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HarmAssessment:
    """The level that an alarm deserves, and why in a few words; the words are empty where it is harm.

    >>> HarmAssessment(level="notice", reason="miscalibrated, not worse").pages
    False
    """

    level: Level
    reason: str = ""

    @property
    def pages(self) -> bool:
        """Whether somebody should act at once."""
        return self.level == "page"


PAGE = HarmAssessment(level="page")


def assess(alarm: Alarm) -> HarmAssessment:
    """Assess an alarm of the page level by the losses since its onset.

    A loss, its surprise and its estimate page only if a realised loss, this one or another of the same rows, exceeds
    the benchmark by more than its tolerance, and if its surprise (realised minus expected loss) rose too: harder
    traffic on which the model is as right as before is no regression of the model, and a calibration gap at a loss no
    worse than promised harms nobody yet. The watches that harder traffic does not raise must alarm by themselves as
    well, so that a harder season has no more pages by chance than promised. Where no label has arrived since the onset,
    an estimate pages only in deployments without labels, from `ESTIMATE_TOLERANCES` tolerances on, and only within the
    support of the reference (`MAX_OUTSIDE`).

    Args:
        alarm: An alarm of the page level and its windows since the onset.

    Returns:
        "page" for harm and for every watch that is not about a loss; otherwise "notice", with the reason.
    """
    if alarm.watch.family not in ("performance", "surprise", "estimates"):
        return PAGE
    own = alarm.key.watch.removeprefix(PREFIX).removeprefix(ESTIMATED)
    if not excesses(alarm, WatchKey(watch=own, slice=alarm.key.slice)):
        return _assess_estimate(alarm, own)
    here = (key.watch for key in alarm.baseline.scores if key.slice == alarm.key.slice)
    related = {None, part_of(own)}
    others = (
        name for name in here if alarm.baseline.watches[name].family == "performance" and part_of(name) in related
    )
    first, *rest = (_assess_loss(alarm, metric) for metric in dict.fromkeys((own, *others)))
    return next((one for one in rest if one.pages), first)


def adjusted_watches(keys: Collection[WatchKey], watches: Mapping[str, Watch]) -> tuple[WatchKey, ...]:
    """The watches that do not rise with the difficulty of the traffic while the model is as right as before.

    Args:
        keys: The watches of a level.
        watches: Every watch by its name.

    Returns:
        All but estimates of losses, and losses whose surprise is among the level's watches as well.
    """
    explained = {
        WatchKey(watch=key.watch.removeprefix(PREFIX), slice=key.slice)
        for key in keys
        if watches[key.watch].family == "surprise"
    }
    return tuple(key for key in keys if watches[key.watch].family != "estimates" and key not in explained)


def _assess_loss(alarm: Alarm, metric: str) -> HarmAssessment:
    """What one loss has to say since the onset: nothing worse, harder traffic, or harm."""
    loss, surprise = (WatchKey(watch=f"{prefix}{metric}", slice=alarm.key.slice) for prefix in ("", PREFIX))
    realised = excesses(alarm, loss)
    rise, tolerance = float(np.mean(realised)) if realised else 0.0, alarm.baseline.scores[loss].tolerance
    if rise <= tolerance:
        return HarmAssessment(level="notice", reason="miscalibrated, not worse than the benchmark")
    gaps = excesses(alarm, surprise)
    if surprise in alarm.baseline.scores and gaps:
        if not _surprised(alarm, surprise, rise, gaps, tolerance):
            return HarmAssessment(level="notice", reason="harder traffic, model as right as before")
        if not alarm.reading.adjusted_alarm:
            return HarmAssessment(level="notice", reason="more than harder traffic explains, not certain yet")
    return PAGE


def excesses(alarm: Alarm, key: WatchKey) -> list[float]:
    """How far a watch lies above its baseline, in its own unit, in each window that has a score of it."""
    if key not in alarm.baseline.scores:
        return []
    return [excess for window in alarm.windows if (excess := alarm.excess(window, key)) is not None]


def _surprised(alarm: Alarm, surprise: WatchKey, rise: float, gaps: list[float], tolerance: float) -> bool:
    """Whether surprise rose beyond chance, and by enough; `rise` is that of the loss."""
    error = alarm.baseline.scores[surprise].deviation / math.sqrt(len(gaps))
    gap = float(np.mean(gaps))
    errors, share = (SURPRISE_ERRORS, SURPRISE_SHARE) if gap >= rise / 2.0 else (EXPECTED_SURPRISE_ERRORS, 1.0)
    return gap > max(_of_all_slices(errors, alarm, surprise) * error, share * tolerance)


def _of_all_slices(errors: float, alarm: Alarm, surprise: WatchKey) -> float:
    """Standard errors; on a slice those that any of all slices exceeds by chance as rarely (Bonferroni)."""
    if not surprise.slice:
        return errors
    slices = sum(1 for key in alarm.baseline.scores if key.watch == surprise.watch and key.slice)
    return -float(ndtri(ndtr(-errors) / max(slices, 1)))


def _assess_estimate(alarm: Alarm, metric: str) -> HarmAssessment:
    """An alarm since whose onset no label has arrived."""
    estimate, loss = (WatchKey(watch=f"{prefix}{metric}", slice=alarm.key.slice) for prefix in (ESTIMATED, ""))
    if alarm.labels_expected:
        return HarmAssessment(level="notice", reason="expected by the model, no labels yet")
    outside = _outside(alarm)
    if outside > MAX_OUTSIDE:
        unlike = f"{100 * outside:.0f} % of rows are unlike any of it"
        return HarmAssessment(level="notice", reason=f"estimated outside the reference ({unlike})")
    risen = excesses(alarm, estimate)
    least = ESTIMATE_TOLERANCES * alarm.baseline.scores.get(loss, alarm.baseline.scores[alarm.key]).tolerance
    if risen and float(np.mean(risen)) <= least:
        return HarmAssessment(level="notice", reason="estimated to be no worse than twice the tolerance")
    return PAGE


def _outside(alarm: Alarm) -> float:
    """The mean share of rows outside the reference since the onset; 0 where it is not known."""
    shares = [window.estimates[0].outside for window in alarm.windows if window.estimates]
    known = [share for share in shares if share is not None]
    return float(np.mean(known)) if known else 0.0
