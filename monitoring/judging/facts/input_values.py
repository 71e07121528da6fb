"""Inputs whose values no sound window has: all the same, those of the window before, or each row several times."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from monitoring.baseline.moments import Moments
from monitoring.baseline.profile import Bins, FeatureCounts, Profile
from monitoring.records import Finding
from monitoring.records.finding_parts import ConstantInput, CopiedRows, SameValues

#: The kinds of findings, and what copied rows are about.
CONSTANT_INPUT = "input constant"
SAME_VALUES = "values of the window before"
COPIED = "rows copied"
ROWS_SUBJECT = "rows"

#: An input that has more of its values in one bin in any window of the baseline may be constant by season.
MOST_ALIKE = 0.75

#: A window says something of this from this part of the rows of the baseline's median window on.
ROWS_SHARE = 0.5

#: Windows of a baseline, each with the next, that show that values do not come again by themselves.
MIN_WINDOWS = 7


@dataclass(frozen=True, slots=True)
class WindowValues:
    """What is kept of a window's values: its rows, of each input a hash of its counts, and how often all counts divide.

    Attributes:
        shares: The largest share of each input's values in one bin, 0 without values.
        times: The largest number that divides all counts: each row may be there so many times.
    """

    rows: int = 0
    shares: tuple[float, ...] = ()
    hashes: tuple[int, ...] = ()
    times: int = 1

    @classmethod
    def of(cls, profile: Profile) -> WindowValues:
        """Of a window's profile. Cost: a microsecond for each input."""
        return cls(
            rows=profile.rows,
            shares=tuple(
                max(each.counts, default=0) / each.present if each.present else 0.0 for each in profile.features
            ),
            hashes=tuple(map(_hash, profile.features)),
            times=math.gcd(*(math.gcd(*each.counts, each.missing) for each in profile.features)),
        )

    def to_text(self) -> str:
        """What the next window needs of it: rows and hashes, separated by spaces."""
        return " ".join(map(str, (self.rows, *self.hashes))) if self.rows else ""

    @classmethod
    def from_text(cls, text: str) -> WindowValues:
        """Read what `to_text` wrote; nothing is no window.

        >>> WindowValues.from_text(WindowValues(rows=3, hashes=(-7, 12)).to_text()).hashes
        (-7, 12)
        """
        rows, *hashes = map(int, text.split()) if text else (0,)
        return cls(rows=rows, hashes=tuple(hashes))


def _hash(counts: FeatureCounts) -> int:
    return hash((counts.counts, counts.missing, counts.moments.minimum, counts.moments.maximum))


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueLimits:
    """What of inputs' values no window of the baseline has.

    Attributes:
        rows: The rows from which on a window says something.
        alike: The largest share of values in one bin in a window of the baseline, of inputs that vary in each.
        renewed: Inputs that have other values in each window than in the one before.
        copied: Whether rows are there several times in a window of the baseline.
    """

    rows: int = 0
    alike: Mapping[str, float] = field(default_factory=dict)
    renewed: tuple[str, ...] = ()
    copied: bool = True

    @classmethod
    def fit(cls, bins: Sequence[Bins], windows: Sequence[WindowValues], *, dated: bool) -> ValueLimits:
        """From the baseline's windows in their order.

        Args:
            dated: Whether windows are those of time: only then one follows another.
        """
        counted = sorted(window.rows for window in windows)
        if not counted or not counted[len(counted) // 2]:
            return cls()
        rows = max(round(ROWS_SHARE * counted[len(counted) // 2]), 1)
        whole = [window for window in windows if window.rows >= rows]
        alike = (max(shares) for shares in zip(*(window.shares for window in whole), strict=True))
        pairs = list(pairwise(whole)) if dated and len(whole) >= MIN_WINDOWS else []
        same = [any(one.hashes[at] == next_.hashes[at] for one, next_ in pairs) for at in range(len(bins))]
        return cls(
            rows=rows,
            alike={each.feature: most for each, most in zip(bins, alike, strict=True) if 0.0 < most <= MOST_ALIKE},
            renewed=tuple(each.feature for each, again in zip(bins, same, strict=True) if pairs and not again),
            copied=any(window.times > 1 for window in whole),
        )

    def findings(
        self, bins: Sequence[Bins], window: Profile, before: WindowValues, *, alpha: float, sources: Mapping[str, str]
    ) -> tuple[Finding, ...]:
        """What is so of a window. Returns facts, of each input one at most.

        Args:
            before: The window before, of the same inputs.
            alpha: The largest probability of any, of rows that are independent.
            sources: The column that an input describes: it is named where all that describes it is so.
        """
        if window.rows < self.rows or not self.rows:
            return ()
        inputs = list(zip(bins, window.features, strict=True))
        if len(before.hashes) != len(inputs):  # as of a state of other inputs
            before = WindowValues()
        alpha /= len(self.alike) + len(self.renewed) + 1.0
        constant = {
            each.feature: parts for each, now in inputs if (parts := self._constant(each, now, alpha)) is not None
        }
        same = {
            each.feature: SameValues(rows=now.present)
            for (each, now), hashed in zip(inputs, before.hashes, strict=False)  # none before the first window
            if each.feature in self.renewed and _hash(now) == hashed and _chance_of_same(now) <= alpha
        }
        return (
            *_facts(CONSTANT_INPUT, constant, sources),
            *_facts(SAME_VALUES, {name: parts for name, parts in same.items() if name not in constant}, sources),
            *self._copied(window, alpha),
        )

    def _constant(self, bins: Bins, now: FeatureCounts, alpha: float) -> ConstantInput | None:
        """That all values of an input are the same; None where they are not, or chance may bring it."""
        usual = self.alike.get(bins.feature)
        if usual is None or ((1.0 + 3.0 * usual) / 4.0) ** now.present > alpha:
            return None
        if bins.edges is not None:
            value = now.moments.minimum
            return ConstantInput(rows=now.present, usual=usual, number=value) if _is_constant(now.moments) else None
        word = next(
            (word for word, rows in zip(bins.categories or (), now.counts, strict=False) if rows == now.present), None
        )
        return None if word is None else ConstantInput(rows=now.present, usual=usual, category=word)

    def _copied(self, window: Profile, alpha: float) -> Iterator[Finding]:
        """That all counts are multiples of one number, as where each row is there so many times."""
        times = 1 if self.copied else WindowValues.of(window).times
        if times < 2:
            return
        different = {each.counts for each in window.features}
        counts = sum(sum(rows > 0 for rows in each) - 1 for each in different)
        if times ** -float(counts) <= alpha:
            parts = CopiedRows(rows=window.rows, times=times)
            yield Finding(kind=COPIED, feature=ROWS_SUBJECT, fact=True, parts=parts)


def _is_constant(values: Moments) -> bool:
    return values.finite > 1 and not values.infinite and values.minimum == values.maximum


def _chance_of_same(now: FeatureCounts) -> float:
    """About the probability that as many independent values have the same counts again, by Stirling's formula.

    >>> _chance_of_same(FeatureCounts((150, 150))) > 0.02
    True
    >>> _chance_of_same(FeatureCounts((5,) * 60)) < 1e-20
    True
    """
    counts = [rows for rows in now.counts if rows]
    log = (len(counts) - 1) * math.log(4.0 * math.pi * max(now.present, 1))
    return math.exp(min(-0.5 * (log + sum(math.log(rows / now.present) for rows in counts)), 0.0))


def _facts(kind: str, found: Mapping[str, ConstantInput | SameValues], sources: Mapping[str, str]) -> Iterator[Finding]:
    """A fact for each input; one for a column in place of those of all that describes it, none where some varies."""
    for name, parts in found.items():
        column = sources.get(name)
        if column is None:
            yield Finding(kind=kind, feature=name, fact=True, parts=parts)
    for column in sorted({sources[name] for name in found if name in sources}):
        describing = [name for name, source in sources.items() if source == column]
        if all(name in found for name in describing):
            first = found[describing[0]]
            parts = replace(first, number=None, category=None) if isinstance(first, ConstantInput) else first
            yield Finding(kind=kind, feature=column, fact=True, parts=parts)
