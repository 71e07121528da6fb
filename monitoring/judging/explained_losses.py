"""How much of the change of a loss each input explains: what the loss would be, had its values kept their shares."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.baseline.batch import joined
from monitoring.baseline.predictions import Predictions
from monitoring.baseline.profile import Bins, FeatureCounts, Profile
from monitoring.watches.scoring import slice_codes

Floats = NDArray[np.float64]
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
    taken = _taken_together(samples)
    if not taken:
        return {}
    known = set.intersection(*({*rows.features.column_names} for rows, _ in taken))
    return {
        one.feature: _explained(
            [(_codes(rows.features[one.feature], one), losses) for rows, losses in taken], one, counts, baseline_loss
        )
        for one, counts in zip(bins, baseline.features, strict=True)
        if one.feature in known and sum(counts.counts) + counts.missing
    }


def _taken_together(samples: Sequence[tuple[Predictions, Floats]]) -> list[tuple[Predictions, Floats]]:
    """Samples of at least `LEAST_ROWS` rows: smaller ones with those after them. What is left at the end is dropped."""
    found, waiting = [], list[tuple[Predictions, Floats]]()
    for sample in samples:
        waiting.append(sample)
        if sum(losses.size for _, losses in waiting) >= LEAST_ROWS:
            found.append((joined(rows for rows, _ in waiting), np.concatenate([losses for _, losses in waiting])))
            waiting = []
    return found


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
        known = np.minimum(np.arange(last), GROUPS)  # categories are in order of their counts
        known[last - 1] = GROUPS + 1  # values that are none of them
        return np.append(known, GROUPS + 2)
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
