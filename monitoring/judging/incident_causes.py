"""What the rows of an alarm's window add to its cause: which inputs explain the loss, and the rows to look at first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.baseline.batch import joined
from monitoring.baseline.predictions import Predictions
from monitoring.baseline.profile import Bins, FeatureCounts, Profile
from monitoring.incidents.alarm import Alarm, since_onset
from monitoring.incidents.cause import Cause
from monitoring.incidents.input_shift import Aspect, category_shift, number_shift
from monitoring.incidents.metric_change import BRIER
from monitoring.judging.fit.reference_fit import ReferenceFit
from monitoring.judging.renamed_values import renaming_of
from monitoring.judging.shifted_segment import shifted_segment
from monitoring.judging.window.bottom_k_sample import in_order
from monitoring.judging.window_scorer import ScoredWindow
from monitoring.judging.worst_rows import worst_rows
from monitoring.records import InputShift, WatchKey
from monitoring.tasks.label_codes import has_label
from monitoring.tasks.task import loss_of
from monitoring.timestamps import as_datetime, as_microseconds, duration_microseconds
from monitoring.traffic.windows import Window
from monitoring.watches.catalogue import Catalogue
from monitoring.watches.descriptions import is_rank
from monitoring.watches.estimates import PREFIX
from monitoring.watches.integrity import UNSEEN
from monitoring.watches.scoring import slice_codes

Whole = NDArray[np.int64]

#: Groups of about the same share into which the values of a number are put, besides the two outermost bins; or the
#: commonest categories that have a group of their own.
GROUPS = 8

#: Rows with the baseline's loss that each group is given, so that one without rows in the window has that loss.
PRIOR_ROWS = 1.0

#: Fewer labelled rows explain nothing.
LEAST_ROWS = 50

#: What is no more standard errors from 0 than this explains nothing.
ERRORS = 2.5


def explained_losses(
    samples: Sequence[tuple[Predictions, Floats]], *, bins: Sequence[Bins], baseline: Profile, baseline_loss: float
) -> dict[str, float]:
    """The part of a loss that is there because the values of an input have other shares than in the baseline.

    The loss of a sample is the sum of w l over groups of an input's values, with shares w and mean losses l. With the
    baseline's shares v it would be the sum of v l (post-stratification). The difference is what the input explains:
    all of the change where the loss is high among values that are new, nothing where the loss is as high among all
    others. Inputs that moved in the same rows explain the same; where all values of an input are new, it explains the
    whole change, whatever it is that did it. Of several samples it is the mean by their rows: an input that has another
    new value in each window explains what it does in each.

    Args:
        samples: Rows of a window with their losses, [n] each; those of consecutive small ones are taken together.

    Returns:
        By input, in the unit of the losses, 0 for what is no more than chance; none where there are fewer than
        `LEAST_ROWS` rows.
    """
    batches = _joined_samples(samples)
    if not batches:
        return {}
    columns = set.intersection(*({*rows.features.column_names} for rows, _ in batches))
    return {
        feature_bins.feature: _explained(
            [(_codes(rows.features[feature_bins.feature], feature_bins), losses) for rows, losses in batches],
            feature_bins,
            counts,
            baseline_loss,
        )
        for feature_bins, counts in zip(bins, baseline.features, strict=True)
        if feature_bins.feature in columns and sum(counts.counts) + counts.missing
    }


def _joined_samples(samples: Sequence[tuple[Predictions, Floats]]) -> list[tuple[Predictions, Floats]]:
    """Samples of at least `LEAST_ROWS` rows: smaller ones with those after them. What is left at the end is dropped."""
    batches, waiting = [], list[tuple[Predictions, Floats]]()
    for sample in samples:
        waiting.append(sample)
        if sum(losses.size for _, losses in waiting) >= LEAST_ROWS:
            batches.append((joined(rows for rows, _ in waiting), np.concatenate([losses for _, losses in waiting])))
            waiting = []
    return batches


def _explained(
    samples: Sequence[tuple[Whole, Floats]], bins: Bins, baseline: FeatureCounts, baseline_loss: float
) -> float:
    """The mean loss less that with the baseline's shares of groups, if beyond chance; codes [n] as of `_codes`."""
    counts = np.array([*baseline.counts, baseline.missing], dtype=np.float64)
    groups = _groups(counts, bins)
    size = int(groups.max()) + 1
    before = np.bincount(groups, weights=counts, minlength=size) / counts.sum()
    total = sum(losses.size for _, losses in samples)
    explained = variance = 0.0
    for codes, losses in samples:
        part = losses.size / total
        rows = np.bincount(groups[codes], minlength=size)
        sums = np.bincount(groups[codes], weights=losses, minlength=size)
        means = (sums + PRIOR_ROWS * baseline_loss) / (rows + PRIOR_ROWS)
        now = rows / losses.size
        # The error is that of the groups' means beside the mean of all rows, of which the alarm has shown that it rose.
        variances = losses.var() * rows * (1.0 - now) / (rows + PRIOR_ROWS) ** 2
        explained += part * float((now - before) @ means)
        variance += part**2 * float((now - before) ** 2 @ variances)
    return explained if explained > ERRORS * np.sqrt(variance) else 0.0


def _groups(counts: Floats, bins: Bins) -> Whole:
    """The group of each bin: of a number by rank, the outermost bins apart; of a category by how common it is."""
    last = counts.size - 1  # of rows without a value
    if bins.edges is None:
        codes = np.minimum(np.arange(last), GROUPS)  # categories are in order of their counts
        codes[last - 1] = GROUPS + 1  # values that are none of them
        return np.append(codes, GROUPS + 2)
    inner = counts[:last]
    ranks = (np.cumsum(inner) - inner / 2.0) / max(float(inner.sum()), 1.0)
    groups = 1 + np.minimum((ranks * GROUPS).astype(np.int64), GROUPS - 1)
    groups[0], groups[-1] = 0, GROUPS + 1
    return np.append(groups, GROUPS + 2)


def _codes(column: pa.ChunkedArray, bins: Bins) -> Whole:
    """The bin of each row, [n]; the number of bins for rows without a value."""
    if bins.edges is None:
        missing = np.asarray(column.combine_chunks().is_null(), dtype=np.bool_)
        return np.where(missing, bins.places, slice_codes(column, bins.categories or ()))
    values = np.asarray(column.to_numpy(), dtype=np.float64)
    places = np.searchsorted(np.asarray(bins.edges), values, side="right")
    return np.where(np.isnan(values), bins.places, places).astype(np.int64)


#: As many rows tell inputs apart: no more windows are read than have about so many.
EXPLAINING_ROWS = 5_000

Floats = NDArray[np.float64]


def window_shift(
    window: ScoredWindow, catalogue: Catalogue, reference_fit: ReferenceFit, name: str, aspect: Aspect
) -> InputShift | None:
    """How an input moved from the baseline to a window, in its own unit."""
    place = next((at for at, bins in enumerate(catalogue.bins) if bins.feature == name), None)
    if place is None:
        return None
    bins = catalogue.bins[place]
    before, now = reference_fit.profile.features[place], window.traffic.answered.counts.features[place]
    if bins.edges is not None:
        return number_shift(bins, before, now, aspect, _all_values(window, name))
    unseen = reference_fit.means.get(WatchKey(watch=f"{UNSEEN}{name}"))
    return category_shift(bins, before, now, None if unseen is None else float(unseen.mean()))


def _all_values(window: ScoredWindow, name: str) -> Floats | None:
    """The values of a number in all rows of a window, [n], without missing ones; None where the sample is not all."""
    answered = window.traffic.answered
    if len(answered.sample) < answered.rows or name not in answered.sample.features.column_names:
        return None
    values = np.asarray(answered.sample.features[name].cast(pa.float64(), safe=False).to_numpy(), dtype=np.float64)
    return values[np.isfinite(values)]


def with_explained_losses(
    alarm: Alarm, window: ScoredWindow, catalogue: Catalogue, reference_fit: ReferenceFit
) -> Alarm:
    """The alarm with the part of the rise of its loss that each input explains, by samples of the rows since the onset.

    Losses are the realised ones of labelled rows; where an estimate alarms, those to expect of answered rows. Where a
    ranking or the calibration alarms, which no row has by itself, it is the Brier score.

    Returns:
        The alarm; as it was where it is about no loss of the whole traffic, or the loss is no larger than the
        baseline's.
    """
    metric = loss_of(alarm.key.watch)
    estimated = alarm.watch.family == "estimates"
    of_many = is_rank(metric) or alarm.watch.family == "calibration"
    key = WatchKey(watch=alarm.key.watch if estimated else BRIER if of_many else metric)
    if alarm.key.slice or not (estimated or alarm.watch.family in ("performance", "surprise", "calibration")):
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
    has_loss = ~np.isnan(losses)
    return rows.take(has_loss), losses[has_loss]


def _losses(rows: Predictions, watch: str, catalogue: Catalogue) -> Floats:
    """The scores of the watch on a loss or on its estimate, [n]."""
    if not watch.startswith(PREFIX):
        return catalogue.loss_scores(rows, is_live=True)[watch]
    return catalogue.scored(rows.probabilities, rows.features).expected[watch.removeprefix(PREFIX)].losses


def _samples_since_onset(alarm: Alarm, window: ScoredWindow, *, labelled: bool) -> tuple[Predictions, ...]:
    """Rows with finite answers: the window's sample, and where it is small the rows of the windows before.

    No more windows than since the onset. Labels come later than answers: labelled rows are those answered before the
    window in which most of this window's labelled rows were answered.

    Returns:
        The samples, this window's first; none where it has no such rows.
    """
    traffic = window.traffic
    sums = window.labelled if labelled else traffic.answered
    samples, count = [sums.usable], len(sums.usable)
    if not count:
        return ()
    end = start = traffic.window.start
    if labelled:
        tallies = window.labelled.tallies
        end = as_datetime(max(tallies, key=lambda answered: tallies[answered].number("rows")))
    enough = -(-EXPLAINING_ROWS // count) * (traffic.window.end - start)
    back = min(start - since_onset(alarm).windows[0].start, enough)
    if count >= EXPLAINING_ROWS or back <= timedelta(0):
        return tuple(samples)
    earlier = []
    for batch in traffic.batches.earlier(Window(start=end - back, end=end)):
        usable = np.isfinite(batch.probabilities).all(axis=1)
        earlier.append(batch.take(np.flatnonzero(usable & has_label(batch.labels) if labelled else usable)))
    if not earlier:
        return tuple(samples)
    return (
        *samples,
        *_by_window(joined(earlier), as_microseconds(end), duration_microseconds(traffic.window.end - start)),
    )


def _by_window(rows: Predictions, end: int, length: int) -> Iterator[Predictions]:
    """Rows before a time by windows of a length, the latest first, each in order: however they lie in files."""
    windows = (end - 1 - rows.event_times) // length
    return (in_order(rows.take(np.flatnonzero(windows == window))) for window in np.unique(windows))


def with_rows(cause: Cause, alarm: Alarm, window: ScoredWindow, catalogue: Catalogue) -> Cause:
    """The cause of an alarm with the window's rows to look at first, and what is renamed or moved in a segment."""
    key, batches = cause.alarm.key, window.traffic.batches
    rows = worst_rows(key, catalogue, labelled=batches.labelled, answered=batches.answered)
    renaming = renaming_of(catalogue.watches[key.watch], window.findings)
    segment = cause.alarm.segment or _segment(cause, window, catalogue, since_onset(alarm).windows[0].start)
    told = replace(cause.alarm, renaming=renaming, segment=segment)
    return replace(cause, alarm=told, detail=replace(cause.detail, rows=rows))


def _segment(cause: Cause, window: ScoredWindow, catalogue: Catalogue, since: datetime) -> str:
    """The segment in which alone the alarm's input moved, by live rows since the onset and before it; empty without.

    Cost: a pass over some inputs of the window, and of as many windows before the onset as have `EXPLAINING_ROWS`.
    """
    alarm, traffic = cause.alarm, window.traffic
    rows = traffic.answered.rows
    if alarm.feature is None or alarm.key.slice or not rows or (alarm.shift is None and alarm.family != "integrity"):
        return ""
    length = traffic.window.end - traffic.window.start
    span = Window(start=since - -(-EXPLAINING_ROWS // rows) * length, end=since)
    before = (batch.features for batch in traffic.batches.earlier(span))
    now = (batch.features for batch in traffic.batches.answered())
    return shifted_segment(alarm.shift, alarm.feature, catalogue.bins, before, now)
