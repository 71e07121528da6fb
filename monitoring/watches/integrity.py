"""Integrity: missing values, categories that the baseline does not have, and unusable answers."""

from __future__ import annotations

from dataclasses import dataclass

from monitoring.baseline.profile import Bins, FeatureCounts, Profile
from monitoring.records import SCORE_ONE, Level, ScoreSum, Watch, WatchKey
from monitoring.tasks.task import Task
from monitoring.watches.family import AnsweredCounts, Sums, WatchFamily

#: An input missing more often than this in the baseline is optional: missing values are worth a notice and no page.
OPTIONAL_SHARE = 0.001


#: What precedes the input in the name of the watch on its unseen values.
UNSEEN = "unseen:"

#: Rows whose answer is not finite, or is no class: they have no loss, so no other watch sees them.
ANSWERS = Watch(name="unusable_answers", family="integrity", level="page", needs_label=False)


def watches(bins: Bins, reference: FeatureCounts) -> tuple[Watch, ...]:
    """The watches on one input: how often it is missing and, for a category, how often its value is unseen.

    Returns:
        One watch for a number, two for a category. New values of a category that has more than are listed are a notice.
    """
    rows = max(reference.present + reference.missing, 1)
    level: Level = "notice" if reference.missing / rows > OPTIONAL_SHARE else "page"
    missing = Watch(
        name=f"missing:{bins.feature}", family="integrity", level=level, needs_label=False, feature=bins.feature
    )
    if bins.categories is None:
        return (missing,)
    long_tailed: Level = "notice" if reference.counts[-1] else "page"
    unseen = Watch(
        name=f"{UNSEEN}{bins.feature}", family="integrity", level=long_tailed, needs_label=False, feature=bins.feature
    )
    return (missing, unseen)


def is_long_tailed(watch: Watch) -> bool:
    """Whether a watch is on the values that a category with a long tail never had: drift of an input, as any other."""
    return watch.name.startswith(UNSEEN) and watch.level == "notice"


def answer_sums(rows: int, usable: int) -> dict[WatchKey, ScoreSum]:
    """The sum of the watch on unusable answers.

    >>> answer_sums(4, 3)[WatchKey(watch="unusable_answers")].mean
    0.25
    """
    return {WatchKey(watch=ANSWERS.name): ScoreSum(rows, (rows - usable) * SCORE_ONE)}


def sums(bins: tuple[Bins, ...], window: Profile) -> dict[WatchKey, ScoreSum]:
    """Rows in which each input was missing, or had a category that the baseline does not have."""
    result = {}
    for b, counts in zip(bins, window.features, strict=True):
        result[WatchKey(watch=f"missing:{b.feature}")] = ScoreSum(window.rows, counts.missing * SCORE_ONE)
        if b.categories is not None:
            result |= unseen_sum(b.feature, window.rows, counts.never_seen)
    return result


def unseen_sum(feature: str, rows: int, unseen: int) -> dict[WatchKey, ScoreSum]:
    """The sum of the watch on values of an input that the baseline does not have."""
    return {WatchKey(watch=f"{UNSEEN}{feature}"): ScoreSum(rows, unseen * SCORE_ONE)}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class IntegrityWatches(WatchFamily):
    """The watches on unusable answers, where the model's answers are known, and on each input."""

    bins: tuple[Bins, ...]
    watches: tuple[Watch, ...]

    @classmethod
    def of(cls, task: Task, bins: tuple[Bins, ...], reference: Profile) -> IntegrityWatches:
        """For a baseline's inputs."""
        answers = (ANSWERS,) if task.output_watches or task.loss_watches else ()
        pairs = zip(bins, reference.features, strict=True)
        return cls(bins=bins, watches=(*answers, *(watch for b, counts in pairs for watch in watches(b, counts))))

    def group(self, watch: Watch) -> str:
        """One for all but those on the new values of a category with a long tail."""
        return watch.name if is_long_tailed(watch) else "integrity"

    def answer_sums(self, answered: AnsweredCounts, power: int) -> Sums:
        """See `WatchFamily`: scores of 0 or 1, which no power changes."""
        of_answers = answer_sums(answered.rows, answered.tally.number("rows")) if ANSWERS in self.watches else {}
        return of_answers | sums(self.bins, answered.inputs)
