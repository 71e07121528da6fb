"""Answers that do not depend on an input any more: what a column of other rows, or answers of other rows, look like.

No column by itself moves where its values are exchanged between rows: in the log, while the model was given others; or
of the answers. How the answers go with each input does, and a sample of one window shows it without a label.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.special import ndtri

from monitoring.baseline.folder import Baseline
from monitoring.baseline.predictions import Predictions
from monitoring.baseline.profile import Bins
from monitoring.judging.facts.constant_values import SPREAD_LEFT
from monitoring.judging.facts.gross_failures import ANSWERS_SUBJECT
from monitoring.judging.window.windowing import split_by_window
from monitoring.records import Finding
from monitoring.records.finding_parts import IndependentAnswers
from monitoring.tasks.output_names import class_watch
from monitoring.tasks.task import Task
from monitoring.traffic.windows import WindowPlan
from monitoring.watches.feature_space import places_of
from monitoring.watches.sampling import sample_indices

Floats = NDArray[np.float64]

#: Rows of the baseline used at most, and at least.
FIT_ROWS = 32_768
LEAST_ROWS = 2_048

#: An input is judged if it explains this share of the variance of an answer's score in the baseline; at most so many.
LEAST_EXPLAINED = 0.15
MOST_INPUTS = 12

#: Models with more classes than this: the first of them are looked at.
MOST_CLASSES = 12

#: The relation is lost below this part of that in the baseline's weakest window, whose slope is taken so many standard
#: errors higher than it was found.
LEFT = 0.5
WEAKEST_ERRORS = 2.0

#: Where it is lost of this share of the inputs that are judged, of two at least, it is the answers that are others.
OF_ANSWERS = 2.0 / 3.0

#: The kinds of findings: about an input; and about the answers, which go with no input, or fall where they rose.
INDEPENDENT_OF_INPUT = "answers independent of input"
INDEPENDENT = "answers independent of inputs"
REVERSED = "answers reversed"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AnswerRelation:
    """How a score of the answers goes with an input.

    Attributes:
        output: The score's name, as of `Task.outputs`.
        means: Its mean in each of the input's bins less that of all rows, and 0 for rows without a value, [bins + 1].
        low, high: Its means where these are below and above 0.
        deviation: Its standard deviation.
        explained: The share of its variance that the bins explain.
        weakest: The smallest slope of it on `means` in a window of the baseline; over all it is 1.
        of_classes: Such means of the probability of each class, by the score's name; none of other models.
    """

    bins: Bins
    output: str
    means: Floats
    low: float
    high: float
    deviation: float
    explained: float
    weakest: float
    of_classes: Mapping[str, Floats] = field(default_factory=dict)

    @classmethod
    def fit(
        cls, bins: Bins, places: NDArray[np.int64], output: str, scores: Floats, windows: Sequence[NDArray[np.int64]]
    ) -> AnswerRelation | None:
        """From rows of the baseline: their bins, [n], scores, [n], and which are in each window. None of a weak one."""
        means = _means(bins, places, scores)
        along, variance = means[places], float(scores.var())
        if variance == 0.0 or float(along.var()) < LEAST_EXPLAINED * variance:
            return None
        slopes = (_slope(along[inside], scores[inside]) for inside in windows)
        low, high = (float(scores[inside].mean()) for inside in (along < 0.0, along > 0.0))
        return cls(
            bins=bins,
            output=output,
            means=means,
            low=low,
            high=high,
            deviation=math.sqrt(variance),
            explained=float(along.var()) / variance,
            weakest=min(1.0, *(slope + WEAKEST_ERRORS * error for slope, error in slopes)),
        )

    def lost(self, features: pa.Table, scores: Floats, alpha: float) -> LostRelation | None:
        """What is left of it in a window; None where answers go with the input still, or hardly differ.

        Args:
            scores: Of the window's rows, or of a sample of them, [n].
            alpha: The probability of so small a slope, if `LEFT` of the weakest of the baseline is the window's.
        """
        places = places_of(self.bins, features)
        along = self.means[places]
        low, high = along < 0.0, along > 0.0
        slope, error = _slope(along, scores)
        reach = -error * float(ndtri(alpha))
        is_flat = float(scores.std()) < SPREAD_LEFT * self.deviation  # constant, or ranks of another unit
        if is_flat or not low.any() or not high.any() or slope + reach >= LEFT * self.weakest:
            return None
        return LostRelation(
            relation=self,
            places=places,
            low=float(scores[low].mean()),
            high=float(scores[high].mean()),
            is_reversed=slope + reach < 0.0,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LostRelation:
    """A relation that is lost in a window: the score's means where the baseline's are low and high.

    Attributes:
        places: The rows' bins, [n].
        is_reversed: Whether the score falls where it rose, beyond chance.
    """

    relation: AnswerRelation
    places: NDArray[np.int64]
    low: float
    high: float
    is_reversed: bool

    def exchanged(self, scores: Mapping[str, Floats]) -> tuple[str, str] | None:
        """Two classes, each of whose probabilities goes with the input as the other's did; None where no two do."""
        profiles = self.relation.of_classes
        names = [name for name in profiles if float(np.ptp(profiles[name])) > 0.0]
        slopes = {
            (one, other): _slope(profiles[other][self.places], scores[one])[0] for one in names for other in names
        }
        least = {
            (one, other): min(slopes[one, other], slopes[other, one])
            for one, other in combinations(names, 2)
            if max(slopes[one, one], slopes[other, other]) < LEFT
        }
        best = max(least, key=lambda pair: least[pair], default=None)
        return best if best is not None and least[best] > LEFT else None

    def parts(self, rows: int, exchanged: tuple[str, str] | None = None) -> IndependentAnswers:
        """What a finding about a window, or a sample of it, of so many rows is made of."""
        return IndependentAnswers(
            input=self.relation.bins.feature,
            watch=self.relation.output,
            rows=rows,
            low=self.low,
            high=self.high,
            usual_low=self.relation.low,
            usual_high=self.relation.high,
            is_reversed=self.is_reversed,
            exchanged=exchanged or (),
        )


def fit_relations(baseline: Baseline, task: Task, plan: WindowPlan) -> tuple[AnswerRelation, ...]:
    """The relations of a baseline that are strong enough to be judged, the strongest first, one for each input.

    Returns:
        None of a baseline with fewer than `LEAST_ROWS` answers. Cost: the inputs of at most `FIT_ROWS` rows.
    """
    answers, bins = baseline.rows.answers, baseline.input_bins[0]
    usable = np.flatnonzero(np.isfinite(answers.probabilities).all(axis=1))
    usable = usable[sample_indices(answers.take(usable), FIT_ROWS)]
    if usable.size < LEAST_ROWS or not bins:
        return ()
    rows = baseline.rows.take(usable, [each.feature for each in bins])
    windows = [inside for _, inside in split_by_window(rows.event_times, plan) if inside.size]
    outputs = task.outputs(rows.probabilities)
    classes = [
        class_watch("output:", name) for name in task.classes[:MOST_CLASSES] if class_watch("output:", name) in outputs
    ]
    found = []
    for each in bins:
        places = places_of(each, rows.features)
        fits = (AnswerRelation.fit(each, places, name, scores, windows) for name, scores in outputs.items())
        best = max((fit for fit in fits if fit is not None), key=lambda fit: fit.explained, default=None)
        if best is not None and best.weakest > LEFT:
            of_classes = {name: _means(each, places, outputs[name]) for name in classes}
            found.append(replace(best, of_classes=of_classes))
    return tuple(sorted(found, key=lambda fit: -fit.explained)[:MOST_INPUTS])


def relation_findings(
    relations: Sequence[AnswerRelation],
    rows: Predictions,
    scores: Mapping[str, Floats],
    *,
    told: Collection[str],
    alpha: float,
) -> tuple[Finding, ...]:
    """The facts that the answers to a window's rows do not depend on inputs as they did in the baseline.

    Args:
        rows: The window's rows with a usable answer, or a sample of them; some.
        scores: Their scores, [n], as of `Task.outputs`.
        told: Inputs about which a fact is known already: of those there is no other.
        alpha: The probability of all of them together, of a window with half of the baseline's weakest relation.
    """
    there = frozenset(rows.features.column_names).difference(told)
    lost = [
        found
        for relation in relations
        if relation.bins.feature in there
        and (found := relation.lost(rows.features, scores[relation.output], alpha / len(relations))) is not None
    ]
    beside = [relation for relation in relations if relation.bins.feature in there]
    lost = [found for found in lost if not _is_there_beside(found, beside, rows, scores, alpha / len(relations))]
    exchanged = lost[0].exchanged(scores) if lost and lost[0].is_reversed else None
    if exchanged is not None or (len(lost) > 1 and len(lost) >= OF_ANSWERS * len(relations)):
        kind = REVERSED if lost[0].is_reversed else INDEPENDENT
        parts = lost[0].parts(len(rows), exchanged)
        return (Finding(kind=kind, feature=ANSWERS_SUBJECT, fact=True, parts=parts),)
    return tuple(
        Finding(kind=INDEPENDENT_OF_INPUT, feature=one.relation.bins.feature, fact=True, parts=one.parts(len(rows)))
        for one in lost
    )


def _is_there_beside(
    lost: LostRelation,
    relations: Sequence[AnswerRelation],
    rows: Predictions,
    scores: Mapping[str, Floats],
    alpha: float,
) -> bool:
    """Whether answers go with an input beside the others still: inputs that go together hide what each does.

    Its slope is that of a linear model of the score on all inputs of which a relation is known.
    """
    others = (each for each in relations if each is not lost.relation)
    alongs = [each.means[places_of(each.bins, rows.features)] for each in others]
    design = np.column_stack([lost.relation.means[lost.places], np.ones(len(rows)), *alongs])
    score = scores[lost.relation.output]
    inverse = np.linalg.pinv(design.T @ design, hermitian=True, rcond=1e-10)
    slopes = inverse @ (design.T @ score)
    rest = score - design @ slopes
    error = math.sqrt(float(rest @ rest) / max(len(rows) - design.shape[1], 1) * max(float(inverse[0, 0]), 0.0))
    return float(slopes[0]) - error * float(ndtri(alpha)) >= LEFT * lost.relation.weakest


def _means(bins: Bins, places: NDArray[np.int64], scores: Floats) -> Floats:
    """The mean of scores in each bin less that of all rows with a value, and 0 for rows without, [bins + 1]."""
    known = places < bins.places
    counts = np.bincount(places[known], minlength=bins.places)
    sums = np.bincount(places[known], weights=scores[known], minlength=bins.places)
    centre = float(scores[known].mean()) if known.any() else 0.0
    return np.append(np.where(counts > 0, sums / np.maximum(counts, 1) - centre, 0.0), 0.0)


def _slope(along: Floats, scores: Floats) -> tuple[float, float]:
    """The least-squares slope of scores, with its standard error; infinite error where `along` does not vary."""
    off = along - along.mean()
    squares = float(off @ off)
    if squares <= 1e-12 * max(along.size, 1):
        return 0.0, math.inf
    slope = float(off @ scores) / squares
    rest = scores - scores.mean() - slope * off
    return slope, math.sqrt(float(rest @ rest) / max(along.size - 2, 1) / squares)
