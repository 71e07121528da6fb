"""Rollouts: what is known of a candidate version beside the champion, look by look."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

#: What is known of the candidate beside the champion.
RolloutVerdict: TypeAlias = Literal["better", "worse", "no difference that matters", "can't tell yet"]

#: What a promotion requires of the loss that decides.
Requirement: TypeAlias = Literal["better", "not worse"]

#: What becomes of rows whose label does not come: each could be the worst, or they are like the others.
MissingLabels: TypeAlias = Literal["bounded", "at random"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutInterval:
    """The difference of a measure, candidate less champion, in the measure's own unit; negative is better.

    Attributes:
        mean: The mean difference of the rows that are known.
        low: The lower bound of the mean.
        high: The upper bound.
        verdict: What the interval allows to say.
    """

    mean: float
    low: float
    high: float
    verdict: RolloutVerdict


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutGuard:
    """A measure that has to be not worse for a promotion.

    Attributes:
        name: Its name: errors, calibration, latency, or a slice as column=value.
        interval: Its difference.
        limit: By how much it may be worse.
        rows: Its rows.
        passes: Whether it is not worse by as much.
    """

    name: str
    interval: RolloutInterval
    limit: float
    rows: int
    passes: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutLook:
    """What was known after a window, by all windows up to it.

    Attributes:
        at: When the window ends.
        rows: The rows so far.
        labelled: Those of them that have a label.
        interval: The difference of the loss that decides.
    """

    at: datetime
    rows: int
    labelled: int
    interval: RolloutInterval


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutWindow:
    """One window of paired rows.

    Attributes:
        start: When it begins.
        end: When it ends.
        rows: The rows that both versions answered.
        labelled: Those of them that have a label.
        disagreements: Those on which the versions may have different losses, whatever the label.
        missing: Of these, those whose label did not come.
        difference: The mean difference, in the loss's own unit, with rows without a label as 0.
    """

    start: datetime
    end: datetime
    rows: int
    labelled: int
    disagreements: int
    missing: int
    difference: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StillNeeded:
    """About what a verdict still takes, at the difference and the variance seen so far.

    Attributes:
        rows: Further rows.
        labels: Further labels, of rows on which the versions disagree.
        windows: Further windows.
        days: The days that these take.
    """

    rows: int
    labels: int
    windows: int
    days: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutResult:
    """What a rollout's evidence says at its last look.

    Attributes:
        verdict: The verdict.
        loss: The loss that decides.
        title: It in words.
        unit: Its unit: share, score, or target.
        min_effect: The smallest difference that matters, in that unit.
        wrong: How probable a wrong bound may be, over all looks together.
        require: What a promotion requires.
        missing_labels: What becomes of rows whose label does not come.
        interval: The difference, with which the verdict was made.
        at_random: The difference, if rows without a label are like the others.
        champion: The champion's mean loss over labelled rows; None without any.
        candidate: The candidate's.
        rows: The rows that both versions answered.
        labelled: Those of them that have a label.
        disagreements: Those on which the versions may have different losses.
        missing: Of these, those whose label did not come.
        unusable: Rows that were left out, as the champion's answer is none.
        failed: Rows on which the candidate's answer is none; they count with the largest loss.
        dispersion: By what factor windows vary more than their rows explain.
        decided_at: When the first verdict was reached; None: not yet.
        decided: That verdict; None: not yet.
        promotable: Whether the candidate may be promoted.
        reasons: Why it may not, in sentences.
        obstacles: Why nothing can be told, in sentences.
        harm: The mean of the e-values of all measures against "not worse"; large is harm.
        harmful: Whether that has reached its threshold.
        needed: What a verdict still takes; None: it is there, or nothing is known yet.
        guards: The guards.
        looks: What was known after each window.
        windows: The windows.
    """

    verdict: RolloutVerdict
    loss: str
    title: str
    unit: str
    min_effect: float
    wrong: float
    require: Requirement
    missing_labels: MissingLabels
    interval: RolloutInterval
    at_random: RolloutInterval
    champion: float | None
    candidate: float | None
    rows: int
    labelled: int
    disagreements: int
    missing: int
    unusable: int
    failed: int
    dispersion: float
    decided_at: datetime | None
    decided: RolloutVerdict | None
    promotable: bool
    reasons: tuple[str, ...]
    obstacles: tuple[str, ...]
    harm: float
    harmful: bool
    needed: StillNeeded | None
    guards: tuple[RolloutGuard, ...]
    looks: tuple[RolloutLook, ...]
    windows: tuple[RolloutWindow, ...]
