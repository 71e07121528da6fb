"""Sums over rows, plainly: of one family by its tallies, and of given scores without any."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.records import ScoreSum, WatchKey
from monitoring.watches.family import ScoredRows, WatchFamily
from monitoring.watches.scoring import fixed_point
from monitoring.watches.tally import Tally


def label_sums(
    family: WatchFamily, answers: NDArray[np.float64], labels: NDArray[np.int64], *, power: int = 1
) -> dict[WatchKey, ScoreSum]:
    """The sums of a family over labelled rows of a model without a calibration."""
    rows = ScoredRows(
        probabilities=answers,
        outputs={},
        calibrated=None,
        expected={},
        features=pa.table({}),
        counts={"rows": np.array(len(answers))},
    )
    return family.label_sums(Tally({**rows.counts, **family.tally_labels(rows, labels, power)}))


def sums(
    scores: Mapping[str, NDArray[np.float64]], masks: Mapping[str, NDArray[np.bool_]], *, power: int = 1
) -> dict[WatchKey, ScoreSum]:
    """Each watch's sum over all rows that have a score, and over those of each slice.

    Args:
        scores: Scores in [0, 1], [n], by the name of their watch; NaN in rows that have none.
        masks: Which rows belong to each slice, [n], by its name.
    """
    found: dict[WatchKey, ScoreSum] = {}
    for watch, values in scores.items():
        for name, inside in {"": np.ones(len(values), dtype=np.bool_), **masks}.items():
            units = fixed_point(values[inside & ~np.isnan(values)] ** power)
            found[WatchKey(watch=watch, slice=name)] = ScoreSum(int(units.size), int(units.sum()))
    return found


def merged(parts: list[dict[WatchKey, ScoreSum]]) -> dict[WatchKey, ScoreSum]:
    """The sums of several parts of the rows together, watch by watch."""
    total: dict[WatchKey, ScoreSum] = {}
    for part in parts:
        for key, value in part.items():
            total[key] = total.get(key, ScoreSum()) + value
    return total
