"""Broken data: missing values, categories that the baseline never saw, and answers that are none."""

from __future__ import annotations

from monitoring.baseline.profile import Bins, FeatureCounts, Profile
from monitoring.records import SCORE_ONE, Level, ScoreSum, Watch, WatchKey

#: An input missing more often than this in the baseline is optional: its absence is worth a notice, not a page.
OPTIONAL_SHARE = 0.001


#: Rows whose answer is no number, or no class: no loss is made of them, so nothing else would see them.
ANSWERS = Watch(name="unusable_answers", family="integrity", level="page", needs_label=False)


def watches(bins: Bins, reference: FeatureCounts) -> tuple[Watch, ...]:
    """How often an input is missing and, for a category, how often it is a value not seen in the baseline."""
    rows = max(reference.present + reference.missing, 1)
    level: Level = "notice" if reference.missing / rows > OPTIONAL_SHARE else "page"
    missing = Watch(
        name=f"missing:{bins.feature}", family="integrity", level=level, needs_label=False, feature=bins.feature
    )
    if bins.categories is None:
        return (missing,)
    unseen = Watch(
        name=f"unseen:{bins.feature}", family="integrity", level="page", needs_label=False, feature=bins.feature
    )
    return (missing, unseen)


def answer_sums(rows: int, usable: int) -> dict[WatchKey, ScoreSum]:
    """Of so many rows, those without a usable answer.

    >>> answer_sums(4, 3)[WatchKey(watch="unusable_answers")].mean
    0.25
    """
    return {WatchKey(watch=ANSWERS.name): ScoreSum(rows, (rows - usable) * SCORE_ONE)}


def sums(bins: tuple[Bins, ...], window: Profile) -> dict[WatchKey, ScoreSum]:
    """Rows in which each input was missing, or was a category not seen in the baseline."""
    result = {}
    for b, counts in zip(bins, window.features, strict=True):
        result[WatchKey(watch=f"missing:{b.feature}")] = ScoreSum(window.rows, counts.missing * SCORE_ONE)
        if b.categories is not None:
            result[WatchKey(watch=f"unseen:{b.feature}")] = ScoreSum(window.rows, counts.counts[-1] * SCORE_ONE)
    return result
