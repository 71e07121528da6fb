"""Labels that lost a class, or whose shares jumped: faults of the label feed that no loss shows.

Where a join fails and fills zeros, most models look better than before. How often a class was the label in the
baseline's windows says how long a time without it may be, and what the answers say of the same rows how far a share may
jump because of other traffic.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from monitoring.judging.facts.gross_failures import LABELS_SUBJECT
from monitoring.judging.facts.window_limit import Floats, WindowLimit, live_values
from monitoring.records import SCORE_ONE, Finding, ScoreSum, WatchKey, WindowRecord
from monitoring.records.finding_parts import JumpedShare, JumpedShares, LostClass, LostClasses
from monitoring.tasks.output_names import is_of_numbers
from monitoring.watches.label_shares import ANSWERED

#: A class is gone by chance only if labels are drawn with this part of its share in the baseline, or more.
SHARE_LEFT = 0.5

#: And if there are more labels without it than so many times the most in the baseline.
RUN_FACTOR = 2.0

#: The kinds of findings.
LOST_CLASS = "labels lost a class"
JUMPED = "label shares jumped"

#: Classes that a finding names.
_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRuns:
    """How many labels have come since the last one of each class.

    >>> runs = LabelRuns().updated({"label:yes": ScoreSum(200, 0)}).updated({"label:yes": ScoreSum(100, 0)})
    >>> LabelRuns.from_text(runs.to_text()).labels
    {'label:yes': 300}
    >>> runs.updated({"label:yes": ScoreSum(100, SCORE_ONE)}).labels
    {'label:yes': 0}
    """

    labels: Mapping[str, int] = field(default_factory=dict)

    def updated(self, sums: Mapping[str, ScoreSum]) -> LabelRuns:
        """After a window with these sums of label shares, by the watch's name."""
        return LabelRuns(
            labels={
                name: 0 if score_sum.total else self.labels.get(name, 0) + score_sum.rows
                for name, score_sum in sums.items()
            }
        )

    def to_text(self) -> str:
        """The runs as JSON."""
        return json.dumps({name: count for name, count in self.labels.items() if count})

    @classmethod
    def from_text(cls, text: str) -> LabelRuns:
        """The inverse of `to_text`; none of empty text."""
        return cls(labels=json.loads(text)) if text else cls()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassRun:
    """How many labels without a class there may be."""

    share: float
    longest: int

    @classmethod
    def fit(cls, windows: Sequence[ScoreSum]) -> ClassRun | None:
        """From the sums of the baseline's windows in order of time; None for a class that it does not have."""
        rows, labels = sum(window.rows for window in windows), sum(window.total for window in windows) // SCORE_ONE
        if not labels:
            return None
        run = longest = 0
        for window in windows:
            run = 0 if window.total else run + window.rows
            longest = max(longest, run)
        return cls(share=labels / rows, longest=longest)

    def is_lost(self, run: int, alpha: float) -> bool:
        """Whether so many labels without the class are no chance.

        >>> [ClassRun(share=0.14, longest=0).is_lost(labels, 1e-6) for labels in (150, 200)]
        [False, True]

        Args:
            alpha: The probability of as many if the class has `SHARE_LEFT` of its share.

        Returns:
            True if there are more than that, and more than `RUN_FACTOR` times the most in the baseline.
        """
        if run <= RUN_FACTOR * self.longest:
            return False
        return run * math.log1p(-SHARE_LEFT * min(self.share, 1.0)) <= math.log(alpha)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareLimit:
    """How far a share of labels may jump in one window: itself, and beyond what the answers to its rows say."""

    up: WindowLimit
    down: WindowLimit
    gap_up: WindowLimit
    gap_down: WindowLimit

    @classmethod
    def fit(cls, limit: WindowLimit, shares: Floats, gaps: Floats) -> ShareLimit:
        """From the baseline's windows.

        Args:
            shares: The share in each window without its seasonality, [R].
            gaps: (1 + share - what the answers say)/2 in each window, [R].
        """
        sampling, seasonality = limit.sampling, limit.seasonality
        mirrored = type(seasonality)(
            period=seasonality.period, offsets=tuple(-offset for offset in seasonality.offsets), gain=seasonality.gain
        )
        quarter = type(sampling)(row_variance=sampling.row_variance / 4.0, reference_rows=sampling.reference_rows)
        return cls(
            up=limit,
            down=WindowLimit.fit(1.0 - shares, sampling, mirrored),
            gap_up=WindowLimit.fit(gaps, quarter),
            gap_down=WindowLimit.fit(1.0 - gaps, quarter),
        )

    def widened(self, width: float) -> ShareLimit:
        """The limits of windows that vary so many times as much."""
        return ShareLimit(
            up=self.up.widened(width),
            down=self.down.widened(width),
            gap_up=self.gap_up.widened(width),
            gap_down=self.gap_down.widened(width),
        )

    def jumped(
        self,
        share: ScoreSum,
        answered: ScoreSum,
        earlier_values: Sequence[float],
        alpha: float,
        phases: Mapping[str, int],
    ) -> bool:
        """Whether a window's share lies far outside, to the same side as what the answers do not say of it.

        Args:
            alpha: The probability of each side of a sound window.

        Returns:
            True if both do.
        """
        gap = ScoreSum(share.rows, (share.rows * SCORE_ONE + share.total - answered.total) // 2)
        if self.up.exceeded(share, max([self.up.highest, *earlier_values]), alpha, phases):
            return self.gap_up.exceeded(gap, self.gap_up.highest, alpha, {})
        mirrored = [max([self.down.highest, *(1.0 - value for value in earlier_values)]), self.gap_down.highest]
        return self.down.exceeded(_mirrored(share), mirrored[0], alpha, phases) and self.gap_down.exceeded(
            _mirrored(gap), mirrored[1], alpha, {}
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelLimits:
    """The limits of labels, by the names of their watches."""

    runs: Mapping[str, ClassRun] = field(default_factory=dict)
    shares: Mapping[str, ShareLimit] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many limits there are: a share has two sides."""
        return len(self.runs) + 2 * len(self.shares)

    def widened(self, widths: Mapping[WatchKey, float]) -> LabelLimits:
        """The limits of windows that vary so many times as much, by watch; the answers to their rows say as much."""
        shares = {name: limit.widened(widths.get(WatchKey(watch=name), 1.0)) for name, limit in self.shares.items()}
        return replace(self, shares=shares)

    def lost_classes(self, runs: LabelRuns, sums: Mapping[WatchKey, ScoreSum], alpha: float) -> tuple[Finding, ...]:
        """The finding that labels lost a class.

        Returns:
            One fact, which names the classes; none where every class still comes, or no label came.
        """
        lost = [
            name
            for name, run in self.runs.items()
            if sums.get(WatchKey(watch=name), ScoreSum()).rows and run.is_lost(runs.labels.get(name, 0), alpha)
        ]
        if not lost:
            return ()
        named = tuple(
            LostClass(watch=name, labels=runs.labels[name], share=self.runs[name].share) for name in lost[:_NAMED]
        )
        parts = LostClasses(classes=named, more=max(len(lost) - _NAMED, 0))
        return (Finding(kind=LOST_CLASS, feature=LABELS_SUBJECT, fact=True, parts=parts),)

    def jumps(
        self,
        sums: Mapping[WatchKey, ScoreSum],
        history: Sequence[WindowRecord],
        *,
        alpha: float,
        phases: Mapping[str, int],
    ) -> tuple[Finding, ...]:
        """The finding that shares jumped. Returns one fact, which names the shares; none where none did.

        Args:
            alpha: The probability of each side of each share of a sound window.
        """
        outside = [
            name
            for name, limit in self.shares.items()
            if (total := sums.get(WatchKey(watch=name), ScoreSum())).rows
            and not limit.up.lowest <= total.mean <= limit.up.highest
        ]
        if not outside:
            return ()
        earlier_values = live_values([WatchKey(watch=name) for name in outside], history)
        jumped = [
            name for name in outside if self._jumped(name, sums, earlier_values[WatchKey(watch=name)], alpha, phases)
        ]
        if not jumped:
            return ()
        parts = JumpedShares(shares=tuple(self._departure(name, sums) for name in jumped[:_NAMED]))
        return (Finding(kind=JUMPED, feature=LABELS_SUBJECT, fact=True, parts=parts),)

    def _jumped(
        self,
        name: str,
        sums: Mapping[WatchKey, ScoreSum],
        earlier_values: Sequence[float],
        alpha: float,
        phases: Mapping[str, int],
    ) -> bool:
        share, answered = (sums[WatchKey(watch=f"{before}{name}")] for before in ("", ANSWERED))
        return self.shares[name].jumped(share, answered, earlier_values, alpha, phases)

    def _departure(self, name: str, sums: Mapping[WatchKey, ScoreSum]) -> JumpedShare:
        share, answered = (sums[WatchKey(watch=f"{before}{name}")] for before in ("", ANSWERED))
        limit = self.shares[name].up
        return JumpedShare(
            watch=name,
            share=share.mean,
            labels=share.rows,
            answered=answered.mean,
            windows=limit.windows,
            low=limit.lowest,
            high=limit.highest,
            of_numbers=name not in self.runs and is_of_numbers(name),
        )


def gap_scores(shares: Sequence[ScoreSum], answered: Sequence[ScoreSum]) -> Floats:
    """(1 + share - what the answers say)/2 of each window, [R]."""
    return np.array([(1.0 + share.mean - answer.mean) / 2.0 for share, answer in zip(shares, answered, strict=True)])


def _mirrored(total: ScoreSum) -> ScoreSum:
    return ScoreSum(total.rows, total.rows * SCORE_ONE - total.total)
