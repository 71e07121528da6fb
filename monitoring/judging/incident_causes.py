"""What the rows of an alarm's window add to its cause: which inputs explain the loss, and the rows to look at first."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from monitoring.baseline.predictions import Predictions
from monitoring.incidents.alarm import Alarm
from monitoring.incidents.cause import Cause
from monitoring.incidents.input_shift import Aspect, InputShift, category_shift, number_shift
from monitoring.incidents.loss_split import BRIER
from monitoring.incidents.onset import since_onset
from monitoring.judging.explained_losses import explained_losses
from monitoring.judging.fit.reference_fit import ReferenceFit
from monitoring.judging.renamed_values import renaming_of
from monitoring.judging.window_scorer import ScoredWindow
from monitoring.judging.worst_rows import worst_rows
from monitoring.records import WatchKey
from monitoring.tasks.label_codes import has_label
from monitoring.tasks.task import loss_of
from monitoring.timestamps import as_datetime
from monitoring.traffic.windows import Window
from monitoring.watches.catalogue import Catalogue
from monitoring.watches.estimates import PREFIX
from monitoring.watches.integrity import UNSEEN
from monitoring.watches.rank import is_rank

#: As many rows tell inputs apart: no more windows are read than have about so many.
EXPLAINING_ROWS = 5_000

Floats = NDArray[np.float64]


def window_shift(
    window: ScoredWindow, catalogue: Catalogue, reference_fit: ReferenceFit, name: str, aspect: Aspect
) -> InputShift | None:
    """How an input moved from the baseline to a window, in its own unit.

    Args:
        aspect: Of a number, whether its values lie elsewhere or more widely.

    Returns:
        The shift; None where there is none to be said.
    """
    place = next((at for at, bins in enumerate(catalogue.bins) if bins.feature == name), None)
    if place is None:
        return None
    bins = catalogue.bins[place]
    before, now = reference_fit.profile.features[place], window.traffic.answered.counts.features[place]
    if bins.edges is not None:
        return number_shift(bins, before, now, aspect)
    unseen = reference_fit.means.get(WatchKey(watch=f"{UNSEEN}{name}"))
    return category_shift(bins, before, now, None if unseen is None else float(unseen.mean()))


def with_explained_losses(
    alarm: Alarm, window: ScoredWindow, catalogue: Catalogue, reference_fit: ReferenceFit
) -> Alarm:
    """The alarm with the part of the rise of its loss that each input explains, by samples of the rows since the onset.

    Losses are the realised ones of labelled rows; where an estimate alarms, those to expect of answered rows.

    Returns:
        The alarm; as it was where it is about no loss of the whole traffic, or the loss is no larger than the
        baseline's.
    """
    metric = loss_of(alarm.key.watch)
    estimated = alarm.watch.family == "estimates"
    key = WatchKey(watch=alarm.key.watch if estimated else BRIER if is_rank(metric) else metric)
    if alarm.key.slice or not (estimated or alarm.watch.family in ("performance", "surprise")):
        return alarm
    before = _baseline_loss(key, reference_fit)
    samples = _samples_since_onset(alarm, window, labelled=not estimated)
    if before is None or not samples:
        return alarm
    scored = [_with_losses(rows, _losses(rows, key.watch, catalogue)) for rows in samples]
    if not any(losses.size for _, losses in scored):
        return alarm
    rise = float(np.concatenate([losses for _, losses in scored]).mean()) - before
    if rise <= 0.0:
        return alarm
    explained = explained_losses(scored, bins=catalogue.bins, baseline=reference_fit.profile, baseline_loss=before)
    parts = {name: float(np.clip(part / rise, 0.0, 1.0)) for name, part in explained.items()}
    return replace(alarm, explained=parts)


def _baseline_loss(key: WatchKey, reference_fit: ReferenceFit) -> float | None:
    """The mean score of a loss in the baseline; None where it has none."""
    if key in reference_fit.losses:
        return reference_fit.losses[key].mean
    means = reference_fit.means.get(key)
    return None if means is None or not means.size else float(means.mean())


def _with_losses(rows: Predictions, losses: Floats) -> tuple[Predictions, Floats]:
    """The rows that have the loss, and their losses."""
    known = ~np.isnan(losses)
    return rows.take(known), losses[known]


def _losses(rows: Predictions, watch: str, catalogue: Catalogue) -> Floats:
    """The scores of the watch on a loss or on its estimate, [n]."""
    expected = catalogue.residual_losses(rows.probabilities, rows.features)
    if not watch.startswith(PREFIX):
        return catalogue.loss_scores(rows, expected)[watch]
    metric = watch.removeprefix(PREFIX)
    calibration = catalogue.calibration
    return expected[metric] if calibration is None else calibration.expected_losses(rows.probabilities)[metric].losses


def _samples_since_onset(alarm: Alarm, window: ScoredWindow, *, labelled: bool) -> tuple[Predictions, ...]:
    """Rows with finite answers: the window's sample, and where it is small the rows of the windows before.

    No more windows than since the onset. Labels come later than answers: labelled rows are those answered before the
    window in which most of this window's labelled rows were answered.

    Returns:
        The samples, this window's first; none where it has no such rows.
    """
    traffic = window.traffic
    sums = window.labelled if labelled else traffic.answered
    found, count = [sums.usable], len(sums.usable)
    if not count:
        return ()
    end = start = traffic.window.start
    if labelled:
        tallies = window.labelled.tallies
        end = as_datetime(max(tallies, key=lambda answered: tallies[answered].number("rows")))
    enough = -(-EXPLAINING_ROWS // count) * (traffic.window.end - start)
    back = min(start - since_onset(alarm).windows[0].start, enough)
    if count >= EXPLAINING_ROWS or back <= timedelta(0):
        return tuple(found)
    for batch in traffic.batches.earlier(Window(start=end - back, end=end)):
        usable = np.isfinite(batch.probabilities).all(axis=1)
        found.append(batch.take(np.flatnonzero(usable & has_label(batch.labels) if labelled else usable)))
    return tuple(found)


def with_rows(cause: Cause, window: ScoredWindow, catalogue: Catalogue) -> Cause:
    """The cause with the window's rows to look at first, and with the renamed categories of the watch's input."""
    key, batches = WatchKey(watch=cause.watch, slice=cause.slice), window.traffic.batches
    rows = worst_rows(key, catalogue, labelled=batches.labelled, answered=batches.answered)
    renamed = renaming_of(catalogue.watches[cause.watch], window.findings)
    message = f"{cause.message} {renamed}" if renamed else cause.message
    return replace(cause, message=message, detail=replace(cause.detail, rows=rows))
