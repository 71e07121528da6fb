"""The segment that alone has what a fact tells of an input's values, and numbers that changed their unit in one."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.baseline.moments import Moments
from monitoring.baseline.profile import Bins, FeatureCounts, Profile
from monitoring.judging.facts.constant_values import CONSTANT_ANSWERS, VarietyLimit
from monitoring.judging.facts.gross_failures import (
    ANSWERS_SUBJECT,
    MISSING,
    MORE_MISSING,
    MORE_UNSEEN,
    OUT_OF_RANGE,
    UNSEEN,
    range_finding,
)
from monitoring.judging.facts.input_values import CONSTANT_INPUT, ValueLimits
from monitoring.judging.facts.log_facts import binomial_tail
from monitoring.judging.shifted_segment import LEAST_ROWS, MAX_VALUES, MOVED_ERRORS, STILL_ERRORS, STILL_PART
from monitoring.records import Finding
from monitoring.records.finding_parts import ConstantInput, ConstantValues, GrossRate, OutsideRange
from monitoring.tasks.task import Whole
from monitoring.traffic.cells import nan_as_null
from monitoring.watches.scoring import slice_codes
from monitoring.watches.variety import Variety, tally_of

Floats = NDArray[np.float64]

#: A segment alone has a number in another unit where so many more of all rows are in the outermost bins than in the
#: baseline: of fewer none is looked for.
MORE_OUTERMOST = 0.05

#: A segment has what is told in so many more of its rows than the baseline.
MORE_INSIDE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class SampledWindow:
    """A window's values, and a sample of its rows.

    Attributes:
        sample: The inputs of the sampled rows, [n].
    """

    bins: Sequence[Bins]
    before: Profile
    now: Profile
    sample: pa.Table

    def segments(self, name: str) -> Iterator[tuple[str, NDArray[np.bool_]]]:
        """Each value of each other input that is a category of few, as `column=value`, with its rows, [n]."""
        for bins in self.bins:
            categories = bins.categories or ()
            if bins.feature == name or not 1 < len(categories) <= MAX_VALUES or bins.feature not in self._columns:
                continue
            codes = slice_codes(self.sample[bins.feature], categories)
            for code, value in enumerate(categories):
                inside = codes == code
                if LEAST_ROWS <= np.count_nonzero(inside) <= inside.size - LEAST_ROWS:
                    yield f"{bins.feature}={value}", inside

    def input(self, name: str) -> tuple[Bins, FeatureCounts] | None:
        """An input's bins, and its counts in the baseline; None where the sample lacks it."""
        inputs = zip(self.bins, self.before.features, strict=True)
        return next((each for each in inputs if each[0].feature == name and name in self._columns), None)

    def numbers(self, name: str) -> Floats:
        """The values of a number, [n], NaN where missing."""
        return np.asarray(self.sample[name].cast(pa.float64(), safe=False).to_numpy(), dtype=np.float64)

    def segment_before(self, name: str) -> float:
        """The share of a segment's rows in the baseline."""
        column, _, value = name.partition("=")
        found = self.input(column)
        return 0.0 if found is None else self.share_before(found[0], value)

    def share_before(self, bins: Bins, value: float | str) -> float:
        """The share of the baseline's values that are in the bin of one."""
        counts = next(
            each for of, each in zip(self.bins, self.before.features, strict=True) if of.feature == bins.feature
        )
        if bins.edges is not None:
            place = int(np.searchsorted(np.asarray(bins.edges), float(value), side="right"))
        else:
            categories = bins.categories or ()
            place = categories.index(str(value)) if str(value) in categories else len(categories)
        return counts.counts[place] / counts.present if counts.present else 1.0

    @property
    def _columns(self) -> Collection[str]:
        return frozenset(self.sample.column_names)


def with_segments(facts: Sequence[Finding], window: SampledWindow) -> tuple[Finding, ...]:
    """Facts about missing values, new ones and ranges, with the segment whose rows alone have them.

    Cost: a pass over the sample for each such fact.
    """
    return tuple(_with_segment(fact, window) for fact in facts)


def _with_segment(fact: Finding, window: SampledWindow) -> Finding:
    parts = fact.parts
    if not isinstance(parts, GrossRate | OutsideRange) or (found := window.input(fact.feature)) is None:
        return fact
    bins, before = found
    affected = _affected(fact.kind, bins, window)
    if affected is None or not before.present:
        return fact
    if fact.kind in (MISSING, MORE_MISSING):
        base = before.missing / (before.present + before.missing)
    else:
        base = (before.counts[-1] + (before.counts[0] if bins.edges else 0)) / before.present
    return replace(fact, parts=replace(parts, segment=_only_segment(affected, base, window.segments(fact.feature))))


def _affected(kind: str, bins: Bins, window: SampledWindow) -> Floats | None:
    """Whether each row has what is told, [n]; NaN where it has no value. None of other kinds."""
    column = window.sample[bins.feature].combine_chunks()
    missing = np.asarray(column.is_null(nan_is_null=True), dtype=np.bool_)
    if kind in (MISSING, MORE_MISSING):
        return missing.astype(np.float64)
    if kind in (UNSEEN, MORE_UNSEEN) and bins.categories is not None:
        outside = slice_codes(column, bins.categories) == len(bins.categories)
    elif kind == OUT_OF_RANGE and bins.edges:
        numbers = window.numbers(bins.feature)
        outside = (numbers < bins.edges[0]) | (numbers >= bins.edges[-1])
    else:
        return None
    return np.where(missing, np.nan, outside.astype(np.float64))


def _only_segment(affected: Floats, base: float, segments: Iterator[tuple[str, NDArray[np.bool_]]]) -> str:
    """The segment with the most of it, of those without which the rate is the baseline's; empty without one."""
    known, found = ~np.isnan(affected), (0.0, "")
    for name, inside in segments:
        rows, others = affected[inside & known], affected[~inside & known]
        if min(rows.size, others.size) < LEAST_ROWS:
            continue
        more, rest = float(rows.mean()) - base, float(others.mean()) - base
        error, other_error = (math.sqrt(max(base * (1.0 - base), 1.0 / of.size) / of.size) for of in (rows, others))
        is_still = rest <= max(STILL_ERRORS * other_error, STILL_PART * more)
        if more > max(MOVED_ERRORS * error, MORE_INSIDE) and is_still:
            found = max(found, (more * rows.size, name))
    return found[1]


def ranges_of_segments(
    window: SampledWindow, *, told: Collection[str], alpha: float, sources: Mapping[str, str]
) -> Iterator[Finding]:
    """Numbers that lie far outside their range in one segment, and are as before in all others.

    Cost: nothing where no number has `MORE_OUTERMOST` of its rows more in the outermost bins than the baseline.

    Args:
        told: Inputs that are told already.
        alpha: The largest probability of each input's finding, as of `range_finding`.
    """
    for bins, before, now in zip(window.bins, window.before.features, window.now.features, strict=True):
        edges = bins.edges or ()
        if len(edges) < 2 or bins.feature in told or not before.present or not now.present:
            continue
        base, outer = (before.counts[0] + before.counts[-1]) / before.present, now.counts[0] + now.counts[-1]
        is_more = (
            outer >= (base + MORE_OUTERMOST) * now.present and binomial_tail(outer, now.present, base + 0.01) <= alpha
        )
        if is_more and window.input(bins.feature) is not None:
            found = _range_of_segment(bins, base, window, alpha, sources.get(bins.feature))
            yield from () if found is None else (found,)


def constant_inputs_of_segments(
    window: SampledWindow, limits: ValueLimits, *, told: Collection[str], alpha: float
) -> Iterator[Finding]:
    """Inputs that have one value in one segment, and as many in all others as ever.

    Cost: nothing where no value is in `MORE_OUTERMOST` of the rows more than in the baseline's windows.

    Args:
        told: Inputs about which a fact is known already.
        alpha: The largest probability of any, of rows that are independent.
    """
    for bins, now in zip(window.bins, window.now.features, strict=True):
        usual = limits.alike.get(bins.feature)
        if usual is None or bins.feature in told or window.input(bins.feature) is None:
            continue
        if window.now.rows < limits.rows or max(now.counts, default=0) < (usual + MORE_OUTERMOST) * now.present:
            continue
        parts = _constant_in(bins, usual, window, alpha / len(limits.alike))
        if parts is not None:
            yield Finding(kind=CONSTANT_INPUT, feature=bins.feature, fact=True, parts=parts)


def _constant_in(bins: Bins, usual: float, window: SampledWindow, alpha: float) -> ConstantInput | None:
    """The largest segment whose rows have all one value of an input, which others have as seldom as ever.

    None of one that may always have had it: of so few rows of the baseline that they may all be of that value.
    """
    values = nan_as_null(window.sample[bins.feature]).combine_chunks().dictionary_encode()
    codes = np.asarray(values.indices.fill_null(-1), dtype=np.int64)
    found = None
    segments = list(window.segments(bins.feature))
    for name, inside in segments:
        rows, others = codes[inside & (codes >= 0)], codes[~inside & (codes >= 0)]
        if min(rows.size, others.size) < LEAST_ROWS or np.any(rows != rows[0]):
            continue
        chance = ((1.0 + 3.0 * usual) / 4.0) ** rows.size * len(segments)
        value = values.dictionary[int(rows[0])].as_py()
        is_new = 2.0 * window.share_before(bins, value) < window.segment_before(name)
        is_still = float((others == rows[0]).mean()) <= usual + MORE_OUTERMOST
        if chance <= alpha and is_new and is_still and (found is None or rows.size > found.rows):
            number, category = (None, str(value)) if bins.edges is None else (float(value), None)
            found = ConstantInput(rows=int(rows.size), usual=usual, number=number, category=category, segment=name)
    return found


def constant_of_segment(
    limits: Sequence[VarietyLimit | None],
    tallies: Whole | None,
    window: SampledWindow,
    answers: tuple[Floats, Mapping[str, Floats]],
    alpha: float,
) -> tuple[Finding, ...]:
    """The fact that answers are constant in one segment, and not in all rows.

    Cost: nothing where no answer is given in `MORE_OUTERMOST` of the rows more than in the baseline's windows.

    Args:
        limits, tallies: As of `constant_values.constant_findings`.
        window: Of rows with a usable answer.
        answers: Their answers, [n, width], and their scores, [n], as of `Task.outputs`.
        alpha: The largest probability of each part of the answers.
    """
    for limit, sums in zip(limits, () if tallies is None else tallies, strict=False):
        if limit is None:
            continue
        whole, segments = Variety.of(limit.part, sums), list(window.segments(""))
        if whole.commonest < (limit.commonest + MORE_OUTERMOST) * whole.rows:
            continue
        for name, inside in segments:
            scores = {score: answers[1][score][inside] for score in limit.part.scores}
            variety = Variety.of(limit.part, tally_of(limit.part, answers[0][inside], scores))
            alike = limit.alike(variety, alpha / len(segments))
            if alike is not None and alike.same == alike.rows:
                parts = ConstantValues(of="answers", parts=(replace(alike, segment=name),))
                return (Finding(kind=CONSTANT_ANSWERS, feature=ANSWERS_SUBJECT, fact=True, parts=parts),)
    return ()


def _range_of_segment(
    bins: Bins, base: float, window: SampledWindow, alpha: float, source: str | None
) -> Finding | None:
    affected = _affected(OUT_OF_RANGE, bins, window)
    segments = list(window.segments(bins.feature))
    name = "" if affected is None else _only_segment(affected, base, iter(segments))
    inside = next((rows for segment, rows in segments if segment == name), None)
    if inside is None:
        return None
    values = window.numbers(bins.feature)[inside]
    values = values[~np.isnan(values)]
    places = np.searchsorted(np.asarray(bins.edges), values, side="right")
    counts = np.bincount(places, minlength=bins.places)
    now = FeatureCounts(tuple(counts.tolist()), 0, Moments.of(values))
    found = range_finding(bins, now, alpha / max(len(segments), 1), source)
    if found is None or not isinstance(found.parts, OutsideRange):
        return None
    sampled = window.sample.num_rows < window.now.rows
    return replace(found, parts=replace(found.parts, segment=name, in_segment=True, sampled=sampled))
