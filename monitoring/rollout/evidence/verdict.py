"""Verdicts: better, worse, no difference that matters, or can't tell yet; guards, harm, and what is still needed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from monitoring.records import MissingLabels, Requirement, RolloutVerdict
from monitoring.rollout.evidence.between_days import day_columns, days_interval, days_needed, dispersion_of, least_days
from monitoring.rollout.evidence.confidence_sequence import DifferenceInterval, interval, log_e_value
from monitoring.rollout.evidence.paired_sums import PairedSums
from monitoring.rollout.evidence.terms import BETTER, CANNOT_TELL, FEW_DAYS, NO_DIFFERENCE, WORSE, Rules, unmet

MISSING: tuple[MissingLabels, ...] = ("bounded", "at random")


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One measure of two versions, as of one look.

    Attributes:
        interval: The interval that decides, in the measure's own unit: negative is better.
        by_rows: That of the rows seen alone, if rows without a label are like the others.
        log_harm: The log of the e-value against "the candidate was not worse by more than the margin on these rows".
        dispersion: By how much days vary more than their rows explain.
        needed_rows: About how many more rows a verdict takes, at the difference and the variance seen; None: it is
            decided, or nothing is known yet.
    """

    word: RolloutVerdict
    interval: DifferenceInterval
    at_random: DifferenceInterval
    margin: float
    log_harm: float
    dispersion: float
    days: int
    sums: PairedSums
    needed_rows: int | None
    by_rows: DifferenceInterval

    @property
    def widths(self) -> tuple[float, float, float]:
        """Half of the width of `by_rows`, and what days and missing labels add to it, which is the interval's."""
        rows, days, all_of_it = (one.half_width for one in (self.by_rows, self.at_random, self.interval))
        return rows, days - rows, max(all_of_it - days, 0.0)

    @property
    def not_worse(self) -> bool:
        """Whether the candidate is not worse by as much as matters."""
        return self.interval.high < self.margin

    @property
    def is_worse(self) -> bool:
        """Whether it is worse by more than matters."""
        return self.word == WORSE


def word_of(interval: DifferenceInterval, margin: float) -> RolloutVerdict:
    """The verdict that an interval of the difference allows.

    The regions do not overlap, so a verdict is never contradicted by a later one while the bounds hold.

    >>> [
    ...     word_of(DifferenceInterval(low=low, high=high, mean=0.0), 0.005)
    ...     for low, high in ((-0.03, -0.006), (0.006, 0.03), (-0.004, 0.004), (-0.03, -0.004))
    ... ]
    ['better', 'worse', 'no difference that matters', "can't tell yet"]

    Args:
        margin: The smallest difference that matters, 0 or more.
    """
    if interval.high < -margin:
        return BETTER
    if interval.low > margin:
        return WORSE
    return NO_DIFFERENCE if -margin < interval.low and interval.high < margin else CANNOT_TELL


def compare(days: Sequence[PairedSums], rules: Rules) -> Comparison:
    """The comparison of one measure by the days so far.

    The interval is as wide as that of the rows seen, which holds whatever their dependence, and as that of days like
    these; harm is of the rows seen.

    >>> rng = np.random.default_rng(0)
    >>> days = [PairedSums.of(rng.choice([-1.0, 0.0, 1.0], 1000, p=[0.05, 0.94, 0.01])) for _ in range(14)]
    >>> found = compare(days, Rules(margin=0.005))
    >>> found.word, found.needed_rows
    ('better', None)
    >>> compare(days[:3], Rules(margin=0.005)).word
    "can't tell yet"

    Args:
        days: The sums of each day with a mature window, in order of time.
    """
    sums = PairedSums.merged(days)
    by_rows = {missing: interval(sums, alpha=rules.alpha, missing=missing) for missing in MISSING}
    intervals = {
        missing: by_rows[missing].widened(days_interval(days, alpha=rules.alpha, missing=missing)).scaled(rules.scale)
        for missing in MISSING
    }
    decides = intervals[rules.missing]
    word = word_of(decides, rules.margin) if sums.rows else CANNOT_TELL
    count, needed = sum(day.weight > 0 for day in days), None
    if word == CANNOT_TELL and sums.disagreements:
        # More rows do not change the share of them that has no label, nor what it widens the interval by.
        widening = sums.unknown_share if rules.missing == "bounded" else 0.0
        total = days_needed(
            *day_columns(days, rules.missing),
            distance=abs(abs(decides.mean) - rules.margin) / rules.scale - widening,
            half_width=by_rows[rules.missing].half_width - widening,
            alpha=rules.alpha,
        )
        needed = rows_ahead(sums.rows, count, total)
    return Comparison(
        word=word,
        interval=decides,
        at_random=intervals["at random"],
        margin=rules.margin,
        log_harm=log_e_value(sums, rules.margin / rules.scale, rising=True),
        dispersion=dispersion_of(days),
        days=count,
        sums=sums,
        needed_rows=needed,
        by_rows=by_rows["at random"].scaled(rules.scale),
    )


def smaller_of(first: Comparison, second: Comparison) -> Comparison:
    """The comparison of the smaller of two differences, which have a margin in common.

    It is not worse once either of them is shown to be, and worse once both are. Each has half of alpha, so that the
    bounds hold with all of it; the smaller of two e-values is one against "either is not worse".

    >>> far, near = (PairedSums.of(np.tile([high, 0.0, -0.1, 0.0], 400)) for high in (1.0, 0.1))
    >>> one, other = (compare([sums] * 10, Rules(margin=0.05, alpha=0.025)) for sums in (far, near))
    >>> one.not_worse, other.not_worse, smaller_of(one, other).not_worse, smaller_of(one, one).is_worse
    (False, True, True, True)

    Args:
        first: Whose counts of rows and days are those of the result.
        second: Of the same rows.
    """

    def of(one: DifferenceInterval, other: DifferenceInterval) -> DifferenceInterval:
        nearer = one if one.high <= other.high else other
        return replace(nearer, low=min(one.low, other.low))

    both = of(first.interval, second.interval)
    return replace(
        first,
        word=word_of(both, first.margin) if first.sums.rows else CANNOT_TELL,
        interval=both,
        at_random=of(first.at_random, second.at_random),
        by_rows=of(first.by_rows, second.by_rows),
        log_harm=min(first.log_harm, second.log_harm),
    )


def rows_ahead(rows: int, days: int, total: int | None) -> int | None:
    """About how many rows come until there are `total` days, of which there were some with `rows`; None: never."""
    return None if total is None else max(math.ceil(rows * (total / days - 1.0)), 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a look decides.

    Attributes:
        obstacles: Why nothing can be told, in sentences: a dead shadow, too small a share, a bad sample ratio.
        harmful: Whether the evidence of harm, the mean of all e-values, has reached 1/alpha.
    """

    verdict: RolloutVerdict
    primary: Comparison
    guards: Mapping[str, Comparison]
    obstacles: tuple[str, ...]
    promotable: bool
    harmful: bool
    log_harm: float
    reasons: tuple[str, ...]


def decide(
    primary: Comparison,
    guards: Mapping[str, Comparison],
    *,
    require: Requirement,
    alpha: float,
    obstacles: Sequence[str] = (),
) -> Decision:
    """Put the primary loss and the guards together.

    A promotion needs the primary loss as required and every guard not worse. It is wrong only if the bound of a
    measure that it needs is, so alpha is not divided among guards: each has to pass at all of it (Spotify's decision
    rule: Schultzberg et al., *Risk-aware product decisions in A/B tests with multiple metrics*, 2024). Harm is the mean
    of the e-values of all measures, itself an e-value: a hundred guards cost a factor, and never a false alarm (Vovk &
    Wang, *E-values: calibration, combination and applications*, 2021).
    """
    reasons = [*obstacles]
    fits = primary.word == BETTER if require == "better" else primary.not_worse
    if not fits:
        reasons.append(unmet(require, primary.word))
    least = least_days(alpha)
    if primary.word == CANNOT_TELL and 0 < primary.days < least:
        reasons.append(f"{FEW_DAYS}{least} days with rows on; there are {primary.days}.")
    for name, guard in guards.items():
        if not guard.not_worse:
            state = "worse" if guard.is_worse else "not shown to be not worse yet"
            reasons.append(
                f"The guard {name} is {state}: its difference is {guard.interval.mean:+.4f}, at most "
                f"{guard.interval.high:+.4f}, and {guard.margin:g} is allowed."
            )
    logs = np.array([primary.log_harm, *(guard.log_harm for guard in guards.values())])
    log_harm = float(np.logaddexp.reduce(logs) - math.log(logs.size))
    return Decision(
        verdict=CANNOT_TELL if obstacles else primary.word,
        primary=primary,
        guards=dict(guards),
        obstacles=tuple(obstacles),
        promotable=not reasons,
        harmful=log_harm >= math.log(1.0 / alpha),
        log_harm=log_harm,
        reasons=tuple(reasons),
    )
