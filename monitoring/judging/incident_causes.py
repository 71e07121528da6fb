"""What the rows of an alarm's window add to its cause: which inputs explain the loss, and the rows to look at first."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from monitoring.incidents.alarm import Alarm
from monitoring.incidents.cause import Cause
from monitoring.incidents.loss_split import BRIER, metric_of
from monitoring.judging.explained_losses import explained_losses
from monitoring.judging.fit.reference_fit import ReferenceFit
from monitoring.judging.renamed_values import renaming_of
from monitoring.judging.window_scorer import ScoredWindow
from monitoring.judging.worst_rows import worst_rows
from monitoring.records import WatchKey
from monitoring.watches.catalogue import Catalogue
from monitoring.watches.rank import is_rank


def with_explained_losses(
    alarm: Alarm, window: ScoredWindow, catalogue: Catalogue, reference_fit: ReferenceFit
) -> Alarm:
    """The alarm with the part of the rise of its loss that each input explains, by a sample of the window's labels.

    Args:
        alarm: An alarm of either level.
        window: The window that alarmed.
        catalogue: The deployment's watches.
        reference_fit: The fitted baseline.

    Returns:
        The alarm; as it was where it is about no loss of the whole traffic, or the window's loss is no larger than the
        baseline's.
    """
    metric, rows = metric_of(alarm.key.watch), window.labelled.usable
    metric = BRIER if is_rank(metric) else metric
    before = reference_fit.losses.get(WatchKey(watch=metric))
    if alarm.watch.family not in ("performance", "surprise") or alarm.key.slice or before is None or not len(rows):
        return alarm
    expected = catalogue.residual_losses(rows.probabilities, rows.features)
    losses = catalogue.loss_scores(rows, expected)[metric]
    rise = float(losses.mean()) - before.mean
    if rise <= 0.0:
        return alarm
    explained = explained_losses(
        rows, losses, bins=catalogue.bins, baseline=reference_fit.profile, baseline_loss=before.mean
    )
    parts = {name: float(np.clip(part / rise, 0.0, 1.0)) for name, part in explained.items()}
    return replace(alarm, explained=parts)


def with_rows(cause: Cause, window: ScoredWindow, catalogue: Catalogue) -> Cause:
    """The cause with the window's rows to look at first, and with the renamed categories of the watch's input.

    Args:
        cause: The cause of an alarm.
        window: The window that alarmed.
        catalogue: The deployment's watches.

    Returns:
        The cause.
    """
    key, batches = WatchKey(watch=cause.watch, slice=cause.slice), window.traffic.batches
    rows = worst_rows(key, catalogue, labelled=batches.labelled, answered=batches.answered)
    renamed = renaming_of(catalogue.watches[cause.watch], window.findings)
    message = f"{cause.message} {renamed}" if renamed else cause.message
    return replace(cause, message=message, detail=replace(cause.detail, rows=rows))
