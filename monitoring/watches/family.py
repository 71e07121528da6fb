"""A family of watches: how its scores are summed over rows, and how its watches share a weight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.baseline.profile import Profile
from monitoring.records import ScoreSum, Watch, WatchKey
from monitoring.watches.estimates import ExpectedLoss
from monitoring.watches.tally import Tally

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

#: Sums over rows, by the name of the tally that they go into; and what comes of them.
Counts: TypeAlias = dict[str, Whole]
Sums: TypeAlias = dict[WatchKey, ScoreSum]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScoredRows:
    """n rows with finite answers, scored as far as that needs no label.

    Attributes:
        probabilities: Their answers, [n, width].
        outputs: The scores of outputs, [n], watched or not.
        calibrated: The calibrated probabilities, [n, classes]; None where there is no calibration.
        expected: The losses to expect by the calibration or by the residual model, [n], where there is one.
        features: The inputs that metrics of the user's own read, [n].
        codes: For each sliced column, the index of each row's value, [n].
        bins: Their bins in a calibration of two classes, [n]; None without one.
        counts: What is summed of them whatever is watched.
        confusion: The expected confusion matrix in fixed point, [predicted class, true class], where it is wanted.
    """

    probabilities: Floats
    outputs: Mapping[str, Floats]
    calibrated: Floats | None
    expected: Mapping[str, ExpectedLoss]
    features: pa.Table
    codes: tuple[Whole, ...] = ()
    bins: Whole | None = None
    counts: Mapping[str, Whole] = field(default_factory=dict)
    confusion: Whole | None = None

    @property
    def label_chances(self) -> Floats:
        """The probabilities that labels are expected to be drawn by, [n, width]: the model's where nothing is known."""
        return self.probabilities if self.calibrated is None else self.calibrated


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AnsweredCounts:
    """The rows answered in a window: how many, the counts of their inputs, and sums over those with a finite answer."""

    rows: int
    inputs: Profile
    tally: Tally


class WatchFamily(Protocol):
    """Watches whose scores are made alike. Each is in one family.

    A score of a row is in [0, 1]. It is summed in whole numbers: first over batches of rows, in tallies that add up in
    any order; then each watch takes its sum of them. What a family does not have, it leaves out.
    """

    @property
    def watches(self) -> tuple[Watch, ...]:
        """The watches, in the order in which they are tested."""

    @property
    def sliced(self) -> tuple[Watch, ...]:
        """Those that are tested on each slice too."""
        return ()

    def group(self, watch: Watch) -> str:
        """The watches with which one shares a weight; its own name, where it has one for itself."""
        return watch.name

    def tally_answers(self, rows: ScoredRows, power: int) -> Counts:
        """What is summed of answered rows.

        Args:
            power: The power of the scores to sum; squares give the sampling variance of a window's mean.
        """
        return {}

    def tally_labels(self, rows: ScoredRows, labels: Whole, power: int) -> Counts:
        """What is summed of labelled rows, at most `monitoring.watches.scoring.EXACT_ROWS`.

        Args:
            labels: Their labels' codes, [n] or [n, parts].
            power: As of `tally_answers`.
        """
        return {}

    def answer_sums(self, answered: AnsweredCounts, power: int) -> Sums:
        """The sums of the watches that need no label. `power`: that of the tally."""
        return {}

    def label_sums(self, labelled: Tally) -> Sums:
        """The sums of the watches that need one, from a tally of labelled rows, perhaps of none."""
        return {}
