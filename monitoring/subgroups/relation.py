"""Where the relation of inputs and label changed, and of which inputs: from the residuals of two sides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from monitoring.records import Condition, RelationChange, RelationPlace, RelationPoint, RelationRates
from monitoring.subgroups.subgroups import Inputs, Mask, conditions_of, inputs_of, meeting, shortest
from monitoring.tasks.task import Floats, Whole

#: The chance that an input is named although nothing, or the same everywhere, has changed.
ERROR_RATE = 0.05

#: The part of that chance at which a second condition is said.
SECOND = 0.2

#: That all rows have changed alike is said where it is no more likely by chance.
ERROR_RATE_EVERYWHERE = 0.01

#: Rows on each side that a condition holds and does not hold for, at least.
FEWEST_ROWS = 30

#: The variance of so many labels of a class that the model expects of them, together, at least.
LEAST_SPREAD = 5.0

#: Conditions that are compared, about: of a number in wide tables fewer thresholds are tried.
MOST_CONDITIONS = 200

#: Groups of predictions by which rows of the baseline are weighted, and the largest weight of a row.
SCORE_GROUPS = 8
MOST_IMPORTANT = 4.0

#: Draws of the largest of all statistics where nothing has changed.
DRAWS = 2_000

#: Residuals of numbers farther from their median than so many scaled median deviations count as so far.
MOST_DEVIATIONS = 4.0

#: Windows of the baseline that show how much a difference varies between windows, at least.
FEWEST_WINDOWS = 10

#: Standard errors beyond which the other rows are said to have changed, too.
CHANGED_ERRORS = 2.5

#: What smaller probabilities count as where odds are taken.
LEAST_PROBABILITY = 1e-3

#: Relative differences of numbers that are of rounding, at most.
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelledSide:
    """Labelled rows of the baseline, or those since an onset.

    Attributes:
        predicted: What the model says: a class's probability, or a number, [n].
        label: Whether the row has the class, or the number that came, [n].
        window: The window of each row, [n].
    """

    inputs: Inputs
    predicted: Floats
    label: Floats
    window: Whole

    def part(self, rows: Mask) -> LabelledSide:
        """Those of the rows."""
        return LabelledSide(
            inputs=inputs_of(self.inputs, rows),
            predicted=self.predicted[rows],
            label=self.label[rows],
            window=self.window[rows],
        )

    def rates(self, rows: Mask) -> RelationRates:
        """The mean label and prediction of some rows; 0 without any."""
        count = int(rows.sum())
        means = (float(values[rows].mean()) if count else 0.0 for values in (self.label, self.predicted))
        return RelationRates(rows=count, label=next(means), predicted=next(means))


def relation_change(
    baseline: LabelledSide,
    live: LabelledSide,
    *,
    output: str = "",
    is_share: bool = True,
    error_rate: float = ERROR_RATE,
    seed: int = 0,
) -> RelationChange | None:
    """How the relation of inputs and label changed from the baseline to live rows.

    Of residuals, label minus prediction, a linear model is fitted to both sides: an effect of each condition on an
    input, and live a change by the prediction alone, as noisier labels or another base rate make it. A condition's
    statistic is its further live change over the error that is robust to unequal variances. Conditions are thresholds
    and values of one input. Where the largest statistic exceeds, at `error_rate`, the largest of all when nothing has
    changed, by their joint normal law (Westfall and Young 1993), the input is named whose conditions explain the change
    best, by themselves or beside the prediction. Within the rows of its surest condition the same looks for a second
    one. Rows of a window are not independent: errors are larger by what differences vary between the windows of the
    baseline.

    Rows whose inputs moved, or have become harder, change no residual given the inputs, and are no such change.

    Args:
        output: The class or number that labels and predictions are of.
        is_share: Whether they are of a class: then the labels are 0 and 1.
        error_rate: The chance to name an input although nothing has changed but by the prediction alone.
        seed: Of the draws from the joint law.

    Returns:
        The change; None where nothing is beyond chance, or rows are too few. Cost: 0.1 s for 1,500 live rows and 6,000
        of the baseline with 20 inputs; the third power of `MOST_CONDITIONS` at most.
    """
    sides = (baseline, live)
    found = _search(sides, is_share=is_share, error_rate=error_rate, seed=seed)
    if found is None:
        return None
    if found.pair is None:
        return _everywhere(sides, found, output=output, is_share=is_share)
    conditions = shortest(_region(sides, found.pair, is_share=is_share, error_rate=error_rate, seed=seed))
    inside = [meeting(conditions, side.inputs) for side in sides]
    others = [~rows for rows in inside]
    elsewhere = _place(sides, others)
    return RelationChange(
        output=output,
        is_share=is_share,
        inputs=tuple(dict.fromkeys((found.pair[0].input, *(condition.input for condition in conditions)))),
        conditions=conditions,
        inside=_place(sides, inside),
        elsewhere=elsewhere,
        error=_error(sides, inside),
        is_elsewhere=abs(elsewhere.change) > CHANGED_ERRORS * _error(sides, others),
        p_value=found.p_value,
        points=tuple(_points(sides, found.pair[0].input)),
    )


def _everywhere(sides: Sides, found: _Found, *, output: str, is_share: bool) -> RelationChange | None:
    """A change of all rows alike; None where it is not beyond chance."""
    if min(found.level, found.slope) > ERROR_RATE_EVERYWHERE / 2.0:
        return None
    everyone = [np.ones(side.label.size, dtype=np.bool_) for side in sides]
    before, since = sides
    return RelationChange(
        output=output,
        is_share=is_share,
        inside=_place(sides, everyone),
        slopes=(_slope(before), _slope(since)) if found.slope <= ERROR_RATE_EVERYWHERE / 2.0 else None,
        error=_error(sides, everyone),
        p_value=min(1.0, 2.0 * min(found.level, found.slope)),
    )


def _slope(side: LabelledSide) -> float:
    return float(np.polyfit(side.predicted, side.label, 1)[0])


Sides = tuple[LabelledSide, LabelledSide]
Pair = tuple[Condition, Condition]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What is surest, and how likely by chance.

    Attributes:
        pair: The condition with its contrary that splits the rows by the input that is named; None where none is.
        p_value: Of the surest condition, corrected for all.
        level, slope: Of changes of all rows alike: of their level, and by the prediction.
    """

    pair: Pair | None
    p_value: float
    level: float
    slope: float


def _search(sides: Sides, *, is_share: bool, error_rate: float, seed: int) -> _Found | None:
    """The input whose effect surely changed; None where no condition leaves enough rows."""
    pairs, indicators = _candidates(sides, is_share=is_share)
    if not pairs:
        return None
    model = _Model.fit(sides, indicators, is_share=is_share)
    p_value = model.p_value(np.random.default_rng(seed))
    pair = None
    if p_value <= error_rate:
        pair = pairs[model.likeliest(np.array([each[0].input for each in pairs]))]
    level, slope = model.everywhere()
    return _Found(pair=pair, p_value=p_value, level=level, slope=slope)


def _candidates(sides: Sides, *, is_share: bool) -> tuple[list[Pair], tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """Pairs of a condition and its contrary, and which rows of each side meet the first, [n, pairs]."""
    live = sides[1]
    thresholds = max(1, min(9, MOST_CONDITIONS // max(len(live.inputs), 1)))
    pairs, columns = [], []
    for name, column in live.inputs.items():
        for pair in conditions_of(name, column, thresholds=thresholds):
            met = [meeting(pair[:1], side.inputs) for side in sides]
            if all(_are_enough(rows, side, is_share=is_share) for rows, side in zip(met, sides, strict=True)):
                pairs.append(pair)
                columns.append(met)
    if not pairs:
        return [], (np.zeros((0, 0), dtype=np.bool_), np.zeros((0, 0), dtype=np.bool_))
    first, second = (np.column_stack([met[place] for met in columns]) for place in (0, 1))
    return pairs, (first, second)


def _are_enough(met: Mask, side: LabelledSide, *, is_share: bool) -> bool:
    """Whether a condition leaves rows, and of a class rows that may have it and may not, for a normal law."""
    spread = side.predicted * (1.0 - side.predicted) if is_share else np.ones(met.size)
    return all(rows.sum() >= FEWEST_ROWS and spread[rows].sum() >= LEAST_SPREAD for rows in (met, ~met))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Model:
    """Sums over rows of the linear model of residuals, from which each contrast is solved.

    Columns are those of the prediction, then one for each condition, over all rows; then the same over live rows.

    Attributes:
        products: Of columns, [2 q, 2 q].
        weighted: The same, weighted by squared residuals of the model without changes by inputs.
        sums: Of columns with residuals, [2 q].
        dispersion: By what factor the variance of each condition's difference is larger, as rows of a window are not
            independent, [q].
        scores: Columns of the prediction.
    """

    products: Floats
    weighted: Floats
    sums: Floats
    dispersion: Floats
    scores: int

    @classmethod
    def fit(cls, sides: Sides, indicators: Sequence[NDArray[np.bool_]], *, is_share: bool) -> _Model:
        """Sum over the rows of both sides."""
        baseline, live = sides
        residuals = [side.label - side.predicted for side in sides]
        if not is_share:
            residuals = _clipped(residuals)
        bases = _score_columns(sides, is_share=is_share)
        scores = bases[0].shape[1]
        designs = [np.hstack([basis, each]) for basis, each in zip(bases, indicators, strict=True)]
        size = designs[0].shape[1]
        importance = (_importance(*(side.predicted for side in sides)), np.ones(live.label.size))
        weighed = [design * weight[:, None] for design, weight in zip(designs, importance, strict=True)]
        parts = [each.T @ design for each, design in zip(weighed, designs, strict=True)]
        sums = [each.T @ residual for each, residual in zip(weighed, residuals, strict=True)]
        products, total = _blocks(*parts), np.concatenate([sums[0] + sums[1], sums[1]])
        null = np.r_[0:size, size : size + scores]
        effects = np.linalg.pinv(products[np.ix_(null, null)], hermitian=True, rcond=1e-10) @ total[null]
        fitted = [designs[0] @ effects[:size], designs[1] @ effects[:size] + bases[1] @ effects[size:]]
        left = [residual - fit for residual, fit in zip(residuals, fitted, strict=True)]
        squares = [np.square(weight * each) for weight, each in zip(importance, left, strict=True)]
        weighted = [(design * each[:, None]).T @ design for design, each in zip(designs, squares, strict=True)]
        centred = designs[0] - np.r_[np.zeros(scores), designs[0][:, scores:].mean(axis=0)]
        return cls(
            products=products,
            weighted=_blocks(*weighted),
            sums=total,
            dispersion=_dispersion(centred * left[0][:, None], baseline.window, live.window),
            scores=scores,
        )

    def _solved(self, wanted: Whole, known: Whole) -> tuple[Floats, Floats]:
        """Standard normal statistics of some columns given others, [wanted], and their correlations.

        Returns:
            0 of a column that the others determine.
        """
        size = self.dispersion.size
        inverse = np.linalg.pinv(self.products[np.ix_(known, known)], hermitian=True, rcond=1e-10)
        slopes = inverse @ self.products[np.ix_(known, wanted)]
        sums = self.sums[wanted] - slopes.T @ self.sums[known]
        across = slopes.T @ self.weighted[np.ix_(known, wanted)]
        own = self.weighted[np.ix_(wanted, wanted)]
        covariance = own - across - across.T + slopes.T @ self.weighted[np.ix_(known, known)] @ slopes
        variance = covariance.diagonal()
        is_free = variance > 1e-6 * np.maximum(own.diagonal(), 1e-300)
        errors = np.sqrt(np.where(is_free, variance, 1.0))
        statistics = np.where(is_free, sums / errors / np.sqrt(self.dispersion[wanted - size]), 0.0)
        correlations = np.where(np.outer(is_free, is_free), covariance / np.outer(errors, errors), 0.0)
        return statistics, correlations

    def p_value(self, rng: np.random.Generator) -> float:
        """How likely by chance a live change by any condition, beside those by the prediction, is as sure."""
        live = self.dispersion.size + self.scores
        statistics, correlations = self._solved(np.arange(live, 2 * self.dispersion.size), np.arange(live))
        largest = float(np.abs(statistics).max())
        values, vectors = np.linalg.eigh(correlations)
        root = vectors * np.sqrt(np.maximum(values, 0.0))
        draws = np.abs(rng.standard_normal((DRAWS, values.size)) @ root.T).max(axis=1)
        chance = (1.0 + float((draws >= largest).sum())) / (DRAWS + 1.0)
        return min(chance, 2.0 * statistics.size * float(ndtr(-largest)))

    def likeliest(self, names: NDArray[np.str_]) -> int:
        """The condition, of the input by which the change is best explained: by it alone, or with the prediction."""
        size, live = self.dispersion.size, self.dispersion.size + self.scores
        conditions = np.arange(live, 2 * size)
        alone = self._solved(conditions, np.arange(size + 1))
        beside = self._solved(conditions, np.arange(live))
        scores = _explained(*self._solved(np.arange(size + 1, live), np.arange(size + 1)))
        options = []
        for name in np.unique(names):
            own = np.flatnonzero(names == name)
            for (statistics, correlations), gain in ((alone, 0.0), (beside, scores)):
                best = int(own[np.argmax(np.abs(statistics[own]))])
                one = float(statistics[best]) ** 2 - 2.0 * (1.0 + np.log(own.size))
                explained = max(one, _explained(statistics[own], correlations[np.ix_(own, own)]))
                options.append((gain + explained, best))
        return max(options)[1]

    def everywhere(self) -> tuple[float, float]:
        """How likely the live changes of all rows together are by chance: of their level, and by the prediction."""
        size = self.dispersion.size
        (level,), _ = self._solved(np.array([size]), np.arange(size))
        (slope,), _ = self._solved(np.array([size + 1]), np.arange(size + 1))
        return 2.0 * float(ndtr(-abs(level))), 2.0 * float(ndtr(-abs(slope)))


def _explained(statistics: Floats, correlations: Floats) -> float:
    """How much better a model with some changes fits, less two for each of them (Akaike 1974)."""
    inverse = np.linalg.pinv(correlations, hermitian=True, rcond=1e-8)
    return float(statistics @ inverse @ statistics) - 2.0 * float(np.trace(inverse @ correlations))


def _blocks(before: Floats, live: Floats) -> Floats:
    return np.block([[before + live, live], [live, live]])


def _clipped(residuals: Sequence[Floats]) -> list[Floats]:
    """Residuals of numbers, without the reach of outliers."""
    middle = float(np.median(residuals[0])) if residuals[0].size else 0.0
    reach = MOST_DEVIATIONS * 1.4826 * float(np.median(np.abs(residuals[0] - middle))) if residuals[0].size else 0.0
    return [
        np.clip(each, middle - reach, middle + reach) if reach > ROUNDING * abs(middle) else each for each in residuals
    ]


def _score_columns(sides: Sides, *, is_share: bool) -> tuple[Floats, ...]:
    """Functions of the prediction alone by which all rows may change, 1 first, [n, columns]."""
    before, live = (side.predicted for side in sides)
    if is_share:
        clipped = [np.clip(each, LEAST_PROBABILITY, 1.0 - LEAST_PROBABILITY) for each in (before, live)]
        columns = [np.column_stack([np.ones(p.size), p, np.log(p / (1.0 - p))]) for p in clipped]
    else:
        middle, spread = float(np.median(before)), float(before.std())
        spread = spread if spread > ROUNDING * abs(middle) else 1.0
        units = [(each - middle) / spread for each in (before, live)]
        columns = [np.column_stack([np.ones(u.size), u, np.abs(u)]) for u in units]
    return tuple(columns)


def _importance(before: Floats, live: Floats) -> Floats:
    """By how much predictions like each of the baseline's are more frequent live, [n]; at most `MOST_IMPORTANT`.

    Where the linear model is not right everywhere, it is to be so where live rows are.
    """
    edges = np.unique(np.quantile(live, np.linspace(0, 1, SCORE_GROUPS + 1)[1:-1]))
    groups = [np.searchsorted(edges, each, side="right") for each in (before, live)]
    counts = [np.bincount(each, minlength=edges.size + 1) for each in groups]
    ratio = counts[1] / np.maximum(counts[0], 1) * before.size / max(live.size, 1)
    return np.minimum(ratio, MOST_IMPORTANT)[groups[0]]


def _dispersion(terms: Floats, window: Whole, live_window: Whole) -> Floats:
    """By what factor variances of sums of terms, [n, q], are larger than those of independent rows, live, [q].

    1 where the baseline's windows show no more than chance.
    """
    _, place = np.unique(window, return_inverse=True)
    windows = int(place.max(initial=-1)) + 1
    if windows < FEWEST_WINDOWS:
        return np.ones(terms.shape[1])
    order = np.argsort(place, kind="stable")
    starts = np.searchsorted(place[order], np.arange(windows))
    sums = np.add.reduceat(terms[order], starts, axis=0)
    ratio = np.square(sums).sum(axis=0) / np.maximum(np.square(terms).sum(axis=0), 1e-300)
    beyond = np.where(ratio > 1.0 + 2.0 * np.sqrt(2.0 / windows), ratio - 1.0, 0.0)
    rows = [each.size / max(np.unique(each).size, 1) for each in (window, live_window)]
    return 1.0 + beyond * max(rows[1] - 1.0, 0.0) / max(rows[0] - 1.0, 1.0)


def _region(sides: Sides, pair: Pair, *, is_share: bool, error_rate: float, seed: int) -> tuple[Condition, ...]:
    """The rows in which the relation changed most: of one condition, or of a second one within it."""
    first = max(pair, key=lambda condition: abs(_change_where(sides, (condition,))))
    within = tuple(side.part(meeting((first,), side.inputs)) for side in sides)
    found = _search((within[0], within[1]), is_share=is_share, error_rate=SECOND * error_rate, seed=seed)
    if found is None or found.pair is None:
        return (first,)
    sign = np.sign(_change_where(sides, (first,)))
    return max(
        ((first, second) for second in found.pair), key=lambda conditions: sign * _change_where(sides, conditions)
    )


def _change_where(sides: Sides, conditions: Sequence[Condition]) -> float:
    return _place(sides, [meeting(conditions, side.inputs) for side in sides]).change


def _place(sides: Sides, rows: Sequence[Mask]) -> RelationPlace:
    return RelationPlace(before=sides[0].rates(rows[0]), since=sides[1].rates(rows[1]))


def _error(sides: Sides, rows: Sequence[Mask]) -> float:
    """The standard error of the change of the residual of some rows."""
    parts = [(side.label - side.predicted)[each] for side, each in zip(sides, rows, strict=True)]
    return float(np.sqrt(sum(part.var() / max(part.size, 1) for part in parts if part.size)))


def _points(sides: Sides, name: str) -> Iterator[RelationPoint]:
    """The rows by the values of an input: from each threshold to the next, or of each of the commonest categories."""
    pairs = list(conditions_of(name, sides[1].inputs[name]))
    firsts = [pair[0] for pair in pairs]
    met = [[meeting((first,), side.inputs) for first in firsts] for side in sides]
    is_number = isinstance(sides[1].inputs[name], np.ndarray)
    rest = [np.ones(side.label.size, dtype=np.bool_) for side in sides]
    groups: list[tuple[float | str | None, list[Mask]]] = []
    for place, first in enumerate(firsts):
        later = [
            each[place + 1] if is_number and place + 1 < len(firsts) else np.zeros_like(each[place]) for each in met
        ]
        groups.append((first.value, [each[place] & ~after for each, after in zip(met, later, strict=True)]))
        rest = [left & ~each[place] for left, each in zip(rest, met, strict=True)]
    groups.insert(0 if is_number else len(groups), (None, rest))
    for value, rows in groups:
        if any(each.any() for each in rows):
            yield RelationPoint(value=value, place=_place(sides, rows))
