"""How windows of evidence are compared: rows that both versions answered, or units of which each answered its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from typing_extensions import override

from monitoring.records import SCORE_ONE
from monitoring.rollout.evidence.arms import compare_arms
from monitoring.rollout.evidence.paired_sums import PairedSums
from monitoring.rollout.evidence.terms import Rules
from monitoring.rollout.evidence.verdict import Comparison, compare
from monitoring.rollout.pairs import CANDIDATE, CHAMPION, LOSS, WindowEvidence, arm_name


class Comparing(Protocol):
    """Compares the windows of one kind of rollout."""

    def has(self, windows: Sequence[WindowEvidence], name: str) -> bool:
        """Whether a measure was taken in any window."""

    def compare(self, windows: Sequence[WindowEvidence], name: str, rules: Rules) -> Comparison:
        """A measure by all windows."""

    def looks(self, windows: Sequence[WindowEvidence], rules: Rules) -> Iterator[Comparison]:
        """The loss that decides after each window."""

    def means(self, windows: Sequence[WindowEvidence]) -> tuple[float | None, float | None]:
        """The mean loss of the champion and of the candidate, in [0, 1]; None without a label."""


class PairedRowsCompared(Comparing):
    """Rows that both versions have answered."""

    @override
    def has(self, windows: Sequence[WindowEvidence], name: str) -> bool:
        return any(name in window.measures for window in windows)

    @override
    def compare(self, windows: Sequence[WindowEvidence], name: str, rules: Rules) -> Comparison:
        return compare(_by_day(windows, lambda window: window.measures.get(name, PairedSums())), rules)

    @override
    def looks(self, windows: Sequence[WindowEvidence], rules: Rules) -> Iterator[Comparison]:
        for days in _days(windows, lambda window: window.measures[LOSS]):
            yield compare(days, rules)

    def means(self, windows: Sequence[WindowEvidence]) -> tuple[float | None, float | None]:
        """See `Comparing`; where labels were asked for, of no window: a sample's are of disagreements alone."""
        whole = [window for window in windows if window.probability == 1.0]
        labelled = SCORE_ONE * sum(window.labelled for window in whole)
        sums = (sum(getattr(window, name) for window in whole) for name in (CHAMPION, CANDIDATE))
        champion, candidate = (total / labelled if labelled else None for total in sums)
        return champion, candidate


class ArmsCompared(Comparing):
    """Units of which each was answered by one version."""

    @override
    def has(self, windows: Sequence[WindowEvidence], name: str) -> bool:
        return any(arm_name(name, CHAMPION) in window.measures for window in windows)

    @override
    def compare(self, windows: Sequence[WindowEvidence], name: str, rules: Rules) -> Comparison:
        champion, candidate = (_by_day(windows, partial(_sums, name=name, arm=arm)) for arm in (CHAMPION, CANDIDATE))
        return compare_arms(champion, candidate, rules)

    @override
    def looks(self, windows: Sequence[WindowEvidence], rules: Rules) -> Iterator[Comparison]:
        arms = (_days(windows, partial(_sums, name=LOSS, arm=arm)) for arm in (CHAMPION, CANDIDATE))
        for champion, candidate in zip(*arms, strict=True):
            yield compare_arms(champion, candidate, rules)

    def means(self, windows: Sequence[WindowEvidence]) -> tuple[float | None, float | None]:
        """See `Comparing`; of units whose labels came."""
        averages = []
        for arm in (CHAMPION, CANDIDATE):
            sums = PairedSums.merged(_sums(window, LOSS, arm) for window in windows)
            known_weight = sums.weight - sums.unknown
            averages.append(sums.total / known_weight if known_weight > 0 else None)
        return averages[0], averages[1]


def of_candidate(windows: Sequence[WindowEvidence], name: str, rules: Rules) -> Comparison | None:
    """A measure of the candidate by itself; None where a window, as of an earlier release, lacks it."""
    if not all(arm_name(name, CANDIDATE) in window.measures for window in windows):
        return None
    return compare(_by_day(windows, partial(_sums, name=name, arm=CANDIDATE)), rules)


def _sums(window: WindowEvidence, name: str, arm: str) -> PairedSums:
    return window.measures.get(arm_name(name, arm), PairedSums())


def _by_day(windows: Sequence[WindowEvidence], sums: Callable[[WindowEvidence], PairedSums]) -> list[PairedSums]:
    last: list[PairedSums] = []
    for days in _days(windows, sums):
        last = days
    return last


def _days(
    windows: Sequence[WindowEvidence], sums: Callable[[WindowEvidence], PairedSums]
) -> Iterator[list[PairedSums]]:
    """The sums of each day after each window, in one list: hours within 24 of each other have the day in common."""
    days: list[PairedSums] = []
    begin: datetime | None = None
    for window in windows:
        if begin is not None and window.end <= begin + timedelta(days=1):
            days[-1] += sums(window)
        else:
            begin = window.start
            days.append(sums(window))
        yield days


PAIRED: Comparing = PairedRowsCompared()
ARMS: Comparing = ArmsCompared()
