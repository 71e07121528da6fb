"""Rollouts: what is known of a candidate version beside the champion, look by look."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

#: What is known of the candidate beside the champion.
RolloutVerdict: TypeAlias = Literal["better", "worse", "no difference that matters", "can't tell yet"]

#: How the candidate gets its rows: logged ones with their labels, new traffic in the dark, or requests of its own;
#: `watch` is the former champion in the dark after a promotion.
RolloutMode: TypeAlias = Literal["replay", "shadow", "split", "watch"]

#: `decided` waits for a person to promote; the last five are ends.
RolloutState: TypeAlias = Literal["running", "decided", "promoted", "rolled back", "stopped", "gave up", "finished"]

#: States in which a rollout goes on.
ROLLOUT_GOES_ON: tuple[RolloutState, ...] = ("running", "decided")

#: What a promotion requires of the loss that decides.
Requirement: TypeAlias = Literal["better", "not worse"]

#: What becomes of rows whose label does not come: each could be the worst, or they are like the others.
MissingLabels: TypeAlias = Literal["bounded", "at random"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutInterval:
    """The difference of a measure, candidate less champion, in the measure's own unit; negative is better."""

    mean: float
    low: float
    high: float
    verdict: RolloutVerdict


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalWidths:
    """What half of an interval's width is made of, in the measure's own unit.

    Attributes:
        rows: What it would be by the rows with a label alone.
        days: What is added as days differ, or as too few are known.
        missing_labels: What is added for labels that could be the worst.
    """

    rows: float
    days: float
    missing_labels: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutGuard:
    """A measure that has to be not worse for a promotion.

    Attributes:
        name: Its name: errors, calibration, latency, or a slice as column=value.
        harm: The e-value against "not worse by more than the limit on these rows"; None in results of earlier releases.
    """

    name: str
    interval: RolloutInterval
    limit: float
    rows: int
    passes: bool
    harm: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutLook:
    """What was known after a window, by all windows up to it."""

    at: datetime
    rows: int
    labelled: int
    interval: RolloutInterval


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutWindow:
    """One window of paired rows.

    Attributes:
        disagreements: Those on which the versions may have different losses, whatever the label.
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
    """About what a verdict still takes, at the difference and the variance seen so far."""

    rows: int
    labels: int
    windows: int
    days: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutResult:
    """What a rollout's evidence says at its last look.

    Attributes:
        unit: Its unit: share, score, or target.
        at_random: The difference, if rows without a label are like the others.
        champion: The champion's mean loss over labelled rows; None without any.
        unusable: Rows that were left out, as the champion's answer is none.
        failed: Rows on which the candidate's answer is none; they count with the largest loss.
        dispersion: By what factor days vary more than their rows explain.
        widths: What makes half of the interval that decides; None in results of earlier releases.
        decided_at: When the first verdict was reached; None: not yet.
        decided: That verdict; None: not yet.
        obstacles: Why nothing can be told, in sentences.
        harm: The mean of the e-values of all measures against "not worse"; large is harm.
        needed: What a verdict still takes; None: it is there, or nothing is known yet.
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
    widths: IntervalWidths | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutPromise:
    """When a verdict was promised to come if the difference is of one size.

    Attributes:
        effect: The difference, in the loss's own unit; negative is better.
        days: After how many days each; None: later than was planned for.
    """

    effect: float
    verdict: RolloutVerdict
    shares: tuple[float, ...]
    days: tuple[float | None, ...]
    rows: tuple[int | None, ...]
    labels: tuple[int | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutPlan:
    """What was known before a rollout, and what was promised.

    Attributes:
        spread: The root mean square of the difference on such rows.
        keys_per_day: Of a split, keys in a day that the champion gets, and the candidate; else None.
        furthest_days: How many days were looked ahead, which promises without a number lie beyond; None in plans of
            earlier releases.
        last_guard: The guard that passes last if it is as good as before, latency apart; None without one.
        last_guard_days: By when it has passed in nine of ten rollouts; None for later.
        day_spread: The standard deviation of days, or of longer windows, beyond what their rows explain, in the loss's
            own unit: what it is as likely above as below, and below in nine of ten. None: it was not known.
        days_seen: The days, or longer windows, by which it is judged.
    """

    at: datetime
    rows_per_day: float
    disagreement: float
    spread: float
    coverage: float
    label_delay_days: tuple[float, float]
    measured_on: int
    promises: tuple[RolloutPromise, ...]
    keys_per_day: tuple[float, float] | None = None
    furthest_days: float | None = None
    last_guard: str | None = None
    last_guard_days: float | None = None
    day_spread: tuple[float, float] | None = None
    days_seen: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSample:
    """Rows of a rollout whose labels were asked for: a sample, by hash, of those on which the versions disagree.

    Attributes:
        probability: With which probability each such row was chosen, a multiple of 2^-32.
        due: When the labels are to be there; the windows count then.
    """

    start: datetime
    end: datetime
    salt: str
    probability: float
    due: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutEvent:
    """Something that happened in a rollout."""

    at: datetime
    kind: str
    by: str
    text: str
    position: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class RolloutRecord:
    """A rollout. All times are aware.

    Attributes:
        champion: The version in use when it began; of the mode `watch`, before the promotion.
        started_at: When it was begun: rows from then on count, of a replay all.
        scale: What counts as a difference of 1; None before the first window.
        result: What is known; None before the first look.
        plan: What was promised; None if it was not planned.
        follows: The number of the rollout whose promotion this one watches; None for others.
    """

    name: str
    model: str
    champion: int
    candidate: int
    mode: RolloutMode
    share: float
    salt: str
    settings: str
    state: RolloutState
    started_at: datetime
    by: str
    release: str
    scale: float | None = None
    ended_at: datetime | None = None
    result: RolloutResult | None = None
    plan: RolloutPlan | None = None
    follows: int | None = None
    number: int = 0

    @property
    def logging(self) -> int:
        """The version whose answers are in use, and logged."""
        return self.candidate if self.mode == "watch" else self.champion

    @property
    def dark(self) -> int:
        """The other one, which answers in the dark."""
        return self.champion if self.mode == "watch" else self.candidate

    def __repr__(self) -> str:
        verdict = "no look yet" if self.result is None else self.result.verdict
        return (
            f"RolloutRecord({self.number}: {self.model} {self.champion} and {self.candidate}, {self.state}, {verdict})"
        )

    @property
    def goes_on(self) -> bool:
        """Whether it has not ended."""
        return self.state in ROLLOUT_GOES_ON
