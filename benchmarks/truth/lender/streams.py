"""The lender's streams: a reference, quiet days, and days under a change, the same for every monitor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.truth.lender.law import Change, Day, Floats, Shift, calm_day

SEED = 20_130_410

#: Days of the reference, quiet days before a harm, and days of harm.
REFERENCE, QUIET, HARMED = 90, 30, 90
YEAR = 365


def calm_days(stream: int, first: int, count: int, *, shift: Shift | None = None, rows: int = 400) -> list[Day]:
    """Calm days of one stream, each drawn by its own seed, so that every monitor sees the same."""
    return [
        calm_day(number, np.random.default_rng([SEED, stream, number]), shift=shift, rows=rows)
        for number in range(first, first + count)
    ]


def harmed_days(stream: int, change: Change, growing: int, *, first: int = REFERENCE + QUIET) -> list[Day]:
    """The days of harm of one stream: the same calm days for every harm, changed.

    Args:
        growing: days until the whole of it is in force.

    Returns:
        `HARMED` days.
    """
    days = calm_days(stream, first, HARMED)
    return [
        change(day, min((at + 1) / growing, 1.0), np.random.default_rng([SEED, stream, first + at, 1]))
        for at, day in enumerate(days)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """Daily losses, what rivals see: float64 [streams, days].

    Attributes:
        errors: share of wrong answers.
        brier: mean Brier score.
    """

    errors: Floats
    brier: Floats

    @classmethod
    def of(cls, streams: Sequence[Sequence[Day]]) -> Losses:
        """The losses of some streams of equally many days."""
        return cls(
            errors=np.array([[float(day.errors.mean()) for day in days] for days in streams]),
            brier=np.array([[day.brier for day in days] for days in streams]),
        )

    def __add__(self, later: Losses) -> Losses:
        """These days and later ones of the same streams."""
        return Losses(
            errors=np.concatenate([self.errors, later.errors], axis=1),
            brier=np.concatenate([self.brier, later.brier], axis=1),
        )
