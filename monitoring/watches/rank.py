"""Ranking loss: the share of the reference's rows of other classes that outrank a row of a class, 1 - AUC on average.

Error and Brier score hardly change where a model stops finding a rare class, since no probability of it was large. The
places of that class's rows among all others show it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from monitoring.baseline.binning import Binner
from monitoring.records import ScoreSum, Watch, WatchKey
from monitoring.tasks.classification import MAX_CLASSES
from monitoring.watches.family import Counts, ScoredRows, Sums, WatchFamily
from monitoring.watches.scoring import fixed_point_sum
from monitoring.watches.tally import Tally

#: What precedes the class in the names of the watches on its ranking loss, and on the surprise in it.
LOSS, SURPRISE = "rank:", "surprise_rank:"

#: The places among the reference's probabilities are known at this many of them.
MAX_VALUES = 256


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClassRanks:
    """The places of one class's probabilities among the reference's rows of all other classes.

    Attributes:
        share: Its share of the reference's labelled rows, in (0, 1).
        values: Probabilities of this class in rows of other classes, ascending, [m].
        above: The share of those rows with a larger probability, ties by half: at odd places for the values, at even
            ones between them, [2m + 1].
        centre: The mean loss in the reference with the variance of a label, q (1 - q), as weight, in [0, 1].
    """

    name: str
    index: int
    share: float
    values: NDArray[np.float64]
    above: NDArray[np.float64]
    centre: float = 0.0
    places: Binner = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "places", Binner(self.values))

    @classmethod
    def fit(
        cls,
        name: str,
        index: int,
        probabilities: NDArray[np.float64],
        labels: NDArray[np.int64],
        calibrated: NDArray[np.float64] | None = None,
    ) -> ClassRanks:
        """From the reference's labelled rows, some of this class and some of others."""
        others = np.sort(probabilities[labels != index, index])
        places = np.linspace(0, others.size - 1, min(others.size, MAX_VALUES)).astype(np.int64)
        values = np.unique(others[places])
        bounds = np.zeros(2 * values.size + 2)
        bounds[1:-1:2], bounds[2::2] = (np.searchsorted(others, values, side) for side in ("left", "right"))
        bounds[-1] = others.size
        above = 1.0 - (bounds[:-1] + bounds[1:]) / 2.0 / others.size
        ranks = cls(name=name, index=index, share=float(np.mean(labels == index)), values=values, above=above)
        chance = (probabilities if calibrated is None else calibrated)[:, index]
        weights = chance * (1.0 - chance)
        total = float(weights.sum())
        return replace(ranks, centre=float(weights @ ranks.losses(probabilities)) / total if total > 0.0 else 0.0)

    def losses(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """The ranking loss of rows if they are of this class.

        Returns:
            The share of the reference's other rows with a larger probability of this class, in [0, 1], [n].
        """
        scores = probabilities[:, self.index]
        not_above = self.places.places(scores)
        equal = self.values[np.maximum(not_above, 1) - 1] == scores
        losses: NDArray[np.float64] = self.above[2 * not_above - equal]
        return losses

    @property
    def watches(self) -> tuple[Watch, Watch]:
        """The watch on the class's ranking loss, and that on the surprise in it, in the same unit."""
        loss = Watch(name=f"{LOSS}{self.name}", family="performance", level="page", needs_label=True)
        surprise = Watch(
            name=f"{SURPRISE}{self.name}",
            family="surprise",
            level="page",
            needs_label=True,
            scale=2.0 / self.share,
            offset=-1.0 / self.share,
        )
        return loss, surprise

    def scores(
        self,
        probabilities: NDArray[np.float64],
        labels: NDArray[np.int64],
        calibrated: NDArray[np.float64] | None = None,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Realised losses of the rows of this class, and the surprise of all rows.

        The surprise of a row is (1 if it is of this class, else 0, less its calibrated probability) times its loss less
        `centre`, from [-1, 1] to [0, 1]. Rows that are drawn by these probabilities have none on average, whatever
        their inputs; and by its centre it is orthogonal to a shift of all log odds, so that a day on which the class is
        more frequent does not move it.

        Returns:
            Scores in [0, 1]: [rows of this class] and [n].
        """
        losses, inside = self.losses(probabilities), labels == self.index
        expected = probabilities if calibrated is None else calibrated
        surprises = (inside - expected[:, self.index]) * (losses - self.centre)
        return losses[inside], (surprises + 1.0) / 2.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RankWatches(WatchFamily):
    """The watches on ranking losses: of two classes the rarer one's, of more those of the commonest.

    >>> probabilities = np.array([[0.9, 0.1], [0.7, 0.3], [0.6, 0.4], [0.5, 0.5]])
    >>> ranks = RankWatches.fit(("no", "yes"), probabilities, np.array([0, 1, 0, 0]))
    >>> [watch.name for watch in ranks.watches]
    ['rank:yes', 'surprise_rank:yes']
    >>> inside, losses, _ = ranks.tally(probabilities, np.array([0, 1, 0, 0]))[0].tolist()
    >>> round(losses / inside / 2**32, 3)
    0.667
    """

    classes: tuple[ClassRanks, ...] = ()

    @classmethod
    def fit(
        cls,
        names: tuple[str, ...],
        probabilities: NDArray[np.float64],
        labels: NDArray[np.int64],
        calibrated: NDArray[np.float64] | None = None,
    ) -> RankWatches:
        """From the reference's labelled rows. Returns the watches; none where all rows are of one class."""
        counts = np.bincount(labels, minlength=len(names))
        order = np.argsort(-counts, kind="stable")
        chosen = order[1:2] if len(names) == 2 else np.sort(order[:MAX_CLASSES])
        indices = [int(index) for index in chosen if 0 < counts[index] < labels.size]
        return cls(
            classes=tuple(ClassRanks.fit(names[index], index, probabilities, labels, calibrated) for index in indices)
        )

    @property
    def watches(self) -> tuple[Watch, ...]:
        """Both watches of each class."""
        return tuple(watch for class_ranks in self.classes for watch in class_ranks.watches)

    def group(self, watch: Watch) -> str:
        """One for all."""
        return "rank"

    def tally(
        self,
        probabilities: NDArray[np.float64],
        labels: NDArray[np.int64],
        calibrated: NDArray[np.float64] | None = None,
        *,
        power: int = 1,
    ) -> NDArray[np.int64]:
        """Sums of the scores in fixed point, with the rows that they are over.

        Returns:
            For each class the rows of it, their losses, and the surprise of all n rows, int64 [classes, 3].
        """
        sums = np.zeros((len(self.classes), 3), dtype=np.int64)
        for place, class_ranks in enumerate(self.classes):
            losses, surprises = class_ranks.scores(probabilities, labels, calibrated)
            if power != 1:
                losses, surprises = losses**power, surprises**power
            sums[place] = losses.size, fixed_point_sum(losses), fixed_point_sum(surprises)
        return sums

    @override
    def tally_labels(self, rows: ScoredRows, labels: NDArray[np.int64], power: int) -> Counts:
        return {"ranks": self.tally(rows.probabilities, labels, rows.label_chances, power=power)}

    @override
    def label_sums(self, labelled: Tally) -> Sums:
        rows, sums = labelled.number("rows"), Sums()
        tally = labelled.counts["ranks"] if labelled.counts else np.zeros((len(self.classes), 3), dtype=np.int64)
        for class_ranks, (inside, losses, surprises) in zip(self.classes, tally.tolist(), strict=True):
            loss, surprise = class_ranks.watches
            sums[WatchKey(watch=loss.name)] = ScoreSum(inside, losses)
            sums[WatchKey(watch=surprise.name)] = ScoreSum(rows, surprises)
        return sums

    def row_losses(
        self, watch: str, probabilities: NDArray[np.float64], labels: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The rows that a watch of this family is about, and the ranking loss of each."""
        class_ranks = next(ranks for ranks in self.classes if watch in {entry.name for entry in ranks.watches})
        inside = np.flatnonzero(labels == class_ranks.index)
        return inside, class_ranks.losses(probabilities[inside])
