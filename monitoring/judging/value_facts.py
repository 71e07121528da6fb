"""Facts about values of inputs, explained: two inputs are swapped, categories were renamed, or which values are new."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from monitoring.baseline.moments import Moments
from monitoring.baseline.profile import Bins, FeatureCounts, Profile
from monitoring.judging.facts.gross_failures import MORE_UNSEEN, OUT_OF_RANGE, UNSEEN
from monitoring.judging.renamed_values import LONGEST_NAME, RENAMED, Renaming, renamed_by_input
from monitoring.records import Finding
from monitoring.records.finding_parts import GrossRate, NewValue, SwappedInputs
from monitoring.watches.descriptions import printable

#: The kind of finding about two inputs that have each other's values.
SWAPPED = "inputs swapped"

#: Categories of another input: at most this share of the rows has another value than by that input's shares, and at
#: least so many times as many by the input's own.
OTHERWISE = 0.2
OWN_FACTOR = 2.0

#: Numbers of another input: a mean within so many of its standard deviations, and a standard deviation within this
#: factor of its own.
SWAPPED_MEAN = 0.5
SWAPPED_SPREAD = 2.0

#: A new value is named if it has this share of the new values' rows at least, and so many rows: ids have one each.
NEW_SHARE = 0.2
MIN_NEW = 10


def explained_facts(
    facts: Sequence[Finding], told: Collection[str], bins: Sequence[Bins], before: Profile, now: Profile
) -> tuple[Finding, ...]:
    """Facts of one window, with those about values of inputs as what explains them; and renamed categories without one.

    Args:
        told: Inputs about which a fact is known already: of those there is no other.
        before, now: Of the baseline and of the window, one entry for each of `bins`.
    """
    facts = [fact for fact in facts if fact.feature not in told]
    swapped = _swapped(facts, bins, before, now)
    renamings = renamed_by_input(bins, before, now)
    renamed = {name: renaming for name, renaming in renamings.items() if name not in swapped}
    told_so = {fact.feature for fact in facts if fact.feature in renamed and _is_of(renamed[fact.feature], fact)}
    counts = {each.feature: pair for each, *pair in zip(bins, before.features, now.features, strict=True)}

    def explained(fact: Finding) -> Finding:
        if fact.kind in (UNSEEN, OUT_OF_RANGE) and fact.feature in swapped:
            return Finding(kind=SWAPPED, feature=fact.feature, fact=True, parts=swapped[fact.feature])
        if fact.kind not in (UNSEEN, MORE_UNSEEN) or not isinstance(fact.parts, GrossRate):
            return fact
        if fact.feature in told_so:
            return replace(fact, kind=RENAMED, parts=replace(renamed[fact.feature].parts, unseen=fact.parts))
        return replace(fact, parts=replace(fact.parts, values=_new_values(*counts[fact.feature])))

    return (
        *map(explained, facts),
        *(renaming.finding(name, is_told=name in told) for name, renaming in renamed.items() if name not in told_so),
    )


def _is_of(renaming: Renaming, fact: Finding) -> bool:
    """Whether a fact about new values is that categories were renamed: of a notice they are most of the new values."""
    if not isinstance(fact.parts, GrossRate) or fact.kind not in (UNSEEN, MORE_UNSEEN):
        return False
    rows = sum(value.rows for value in renaming.parts.values)
    most = bool(renaming.parts.numbers) or 2.0 * rows >= fact.parts.rate * fact.parts.rows
    return fact.kind == UNSEEN or most


def _swapped(
    facts: Sequence[Finding], bins: Sequence[Bins], before: Profile, now: Profile
) -> Mapping[str, SwappedInputs]:
    """The inputs that have each other's values, of those about whose values a fact is; no input is in two pairs."""
    named = {fact.feature for fact in facts if fact.kind in (UNSEEN, OUT_OF_RANGE)}
    inputs = [each for each in zip(bins, before.features, now.features, strict=True) if each[0].feature in named]
    found: dict[str, SwappedInputs] = {}
    for one, other in combinations(inputs, 2):
        names = one[0].feature, other[0].feature
        if found.keys().isdisjoint(names) and _has_values_of(one, other) and _has_values_of(other, one):
            found |= {names[0]: SwappedInputs(other=names[1]), names[1]: SwappedInputs(other=names[0])}
    return found


def _has_values_of(
    one: tuple[Bins, FeatureCounts, FeatureCounts], other: tuple[Bins, FeatureCounts, FeatureCounts]
) -> bool:
    """Whether an input's values look like another input's of the baseline, and not like its own."""
    (own_bins, own, now), (bins, before, _) = one, other
    if own_bins.edges and bins.edges:
        return _is_like(now.moments, bins.edges, before) and not _is_like(now.moments, own_bins.edges, own)
    if own_bins.categories is None or bins.categories is None:
        return False
    shares = _shares(own_bins.categories, now)
    away = _variation(shares, _shares(bins.categories, before))
    return away <= OTHERWISE and _variation(shares, _shares(own_bins.categories, own)) >= OWN_FACTOR * OTHERWISE


def _shares(categories: Sequence[str], counts: FeatureCounts) -> dict[str, float]:
    """The share of the rows of each category, and of the commonest other values."""
    rows = [*zip(categories, counts.counts[:-1], strict=True), *counts.others.word_counts]
    return {word: count / max(counts.present, 1) for word, count in rows}


def _variation(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """The total variation distance of two distributions.

    >>> _variation({"a": 0.5, "b": 0.5}, {"b": 0.5, "c": 0.5})
    0.5
    """
    return sum(abs(one.get(word, 0.0) - other.get(word, 0.0)) for word in one.keys() | other.keys()) / 2.0


def _is_like(now: Moments, edges: Sequence[float], before: FeatureCounts) -> bool:
    """Whether numbers have about the mean and the standard deviation of those that bins count, each in its middle."""
    middles = np.convolve([edges[0], *edges, edges[-1]], [0.5, 0.5], mode="valid")
    shares = np.asarray(before.counts, dtype=np.float64) / max(before.present, 1)
    mean = float(shares @ middles)
    std = math.sqrt(float(shares @ (middles - mean) ** 2))
    near = abs(now.mean - mean) <= SWAPPED_MEAN * std
    return near and std <= SWAPPED_SPREAD * now.std <= SWAPPED_SPREAD**2 * std


def _new_values(before: FeatureCounts, now: FeatureCounts) -> tuple[NewValue, ...]:
    """The commonest values that the baseline does not have."""
    known = {word for word, _ in before.others.word_counts}
    least = max(MIN_NEW, NEW_SHARE * now.never_seen)
    new = ((word, count) for word, count in now.others.word_counts if word not in known and count >= least)
    return tuple(_named(new))


def _named(values: Iterator[tuple[str, int]]) -> Iterator[NewValue]:
    for word, count in sorted(values, key=lambda each: (-each[1], each[0])):
        yield NewValue(name=printable(word, LONGEST_NAME), rows=count)
