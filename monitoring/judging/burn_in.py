"""A burn-in: live windows that show how much good traffic varies, where the reference has no dates to tell it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from monitoring.evidence.conformal import MIN_WINDOWS, ConformalTest
from monitoring.evidence.level import LevelReading
from monitoring.judging.level_evidence import LevelEvidence
from monitoring.records import AFTER_BURN_IN, BURN_IN, Finding, Level, WatchKey
from monitoring.timestamps import as_datetime, as_microseconds
from monitoring.watches.descriptions import lower_first, watch_title

#: Watches that a sentence names.
NAMED = 3

#: A watch whose windows vary by this many times what the reference expects is named.
WIDER = 1.2


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreSpread:
    """How much the scores of a watch vary over windows, by Welford's sums.

    >>> spread = ScoreSpread()
    >>> for score in (0.0, 2.0, 0.0, 2.0, 1.0):
    ...     spread = spread.with_score(score, 0.25)
    >>> spread.width
    2.0
    """

    windows: int = 0
    mean: float = 0.0
    squares: float = 0.0
    expected: float = 0.0

    def with_score(self, score: float, variance: float) -> ScoreSpread:
        """With the score of one more window, of which the reference expects a variance."""
        windows = self.windows + 1
        mean = self.mean + (score - self.mean) / windows
        squares = self.squares + (score - self.mean) * (score - mean)
        return ScoreSpread(windows=windows, mean=mean, squares=squares, expected=self.expected + variance)

    @property
    def width(self) -> float:
        """The standard deviation of the scores over the expected one, at least 1; 1 for fewer than `MIN_WINDOWS`."""
        if self.windows < MIN_WINDOWS or self.expected <= 0.0:
            return 1.0
        return math.sqrt(max(self.squares / (self.windows - 1) / (self.expected / self.windows), 1.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnIn:
    """The burn-in of a deployment: until when it lasts, and what it has shown.

    >>> BurnIn.from_text(BurnIn().to_text()) == BurnIn()
    True
    """

    start: datetime | None = None
    until: datetime | None = None
    spreads: Mapping[WatchKey, ScoreSpread] = field(default_factory=dict)

    def begun(self, start: datetime, length: timedelta | None) -> BurnIn:
        """With its beginning, where one of a length is declared and has not begun."""
        if length is None or self.until is not None:
            return self
        return replace(self, start=start, until=start + length)

    def covers(self, start: datetime) -> bool:
        """Whether a window that begins at a time is part of it."""
        return self.until is not None and start < self.until

    def is_over(self, start: datetime) -> bool:
        """Whether a window that begins at a time comes after it."""
        return self.until is not None and start >= self.until

    def with_window(self, evidence: Mapping[Level, LevelEvidence]) -> BurnIn:
        """With what one more window shows."""
        spreads = dict(self.spreads)
        for key, (test, score, rows) in _scored(evidence).items():
            variance = test.std**2 + test.sampling_variance.excess(rows)
            spreads[key] = spreads.get(key, ScoreSpread()).with_score(score, variance)
        return replace(self, spreads=spreads)

    @property
    def widths(self) -> dict[WatchKey, float]:
        """By how much the standard deviation between windows exceeds the reference's, of each watch where it does."""
        return {key: spread.width for key, spread in self.spreads.items() if spread.width > 1.0}

    def findings(self, start: datetime, zone: ZoneInfo) -> tuple[Finding, ...]:
        """What a window's record says of the burn-in: that it lasts, or what it has shown and what to do with it.

        Returns:
            One finding; none without a burn-in.
        """
        if self.start is None or self.until is None:
            return ()
        first, last = self.start.astimezone(zone), self.until.astimezone(zone)
        if self.covers(start):
            message = (
                f"Burn-in until {last:%-d %B %Y}: how much good traffic varies is learned, and nothing pages but "
                "facts: gross failures, columns that are gone, labels that contradict answers."
            )
            return (Finding(kind=BURN_IN, feature="baseline", message=message),)
        message = (
            "The burn-in is over. If its traffic was good, make it the baseline: pitfalls monitor rebaseline "
            f"--from {first:%Y-%m-%d} --to {last:%Y-%m-%d} --reason 'good weeks'. {self._shown()}, and harm of that "
            "time has widened it too."
        )
        return (Finding(kind=AFTER_BURN_IN, feature="baseline", message=message),)

    def _shown(self) -> str:
        whole = {key: width for key, width in self.widths.items() if not key.slice and width >= WIDER}
        if not whole:
            return "Windows vary about as much as drawn from the reference"
        widest = sorted(whole, key=lambda key: (-whole[key], key.watch))[:NAMED]
        named = ", ".join(f"{lower_first(watch_title(key.watch))} {whole[key]:.1f}" for key in widest)
        return f"Windows vary more than drawn from the reference ({named} times as much): the benchmark is as wide"

    def to_text(self) -> str:
        """The burn-in as exact text."""
        times = [None if time is None else as_microseconds(time) for time in (self.start, self.until)]
        spreads = [
            [key.watch, key.slice, spread.windows, spread.mean.hex(), spread.squares.hex(), spread.expected.hex()]
            for key, spread in sorted(self.spreads.items(), key=lambda each: (each[0].watch, each[0].slice))
        ]
        return json.dumps([*times, spreads])

    @classmethod
    def from_text(cls, text: str) -> BurnIn:
        """The inverse of `to_text`; no burn-in of empty text."""
        if not text:
            return cls()
        start, until, spreads = json.loads(text)
        return cls(
            start=None if start is None else as_datetime(start),
            until=None if until is None else as_datetime(until),
            spreads={
                WatchKey(watch=watch, slice=part): ScoreSpread(
                    windows=windows,
                    mean=float.fromhex(mean),
                    squares=float.fromhex(squares),
                    expected=float.fromhex(expected),
                )
                for watch, part, windows, mean, squares, expected in spreads
            },
        )


def silenced(level: LevelEvidence) -> LevelEvidence:
    """A level after a window of the burn-in: its scores are shown, and none of them is evidence."""
    watches = tuple(replace(watch, log_evidence=-math.inf) for watch in level.reading.watches)
    reading: LevelReading = replace(level.reading, watches=watches, log_evidence=-math.inf, shares=(), alarm=False)
    return replace(level, state=level.test.restarted(level.state), reading=reading)


def _scored(evidence: Mapping[Level, LevelEvidence]) -> dict[WatchKey, tuple[ConformalTest, float, int]]:
    """The watches that had a score in a window: the test, the score as it was tested, and its rows."""
    return {
        watch.key: (level.test.tests[watch.key], score, watch.rows)
        for level in evidence.values()
        for watch in level.reading.watches
        if (score := level.score(watch.key)) is not None
    }
