"""Better, worse, or inconclusive: setup A against setup B, paired over seeds and domains.

`better` needs the whole interval beyond the smallest difference that matters, `worse` the same on the other side.
Everything else is inconclusive, and says how many more seeds would decide, or why no affordable number would.

A domain counts as one of many such domains: the verdict is meant to hold in the next one too. What holds for the very
domains at hand stands beside it, and so does each domain alone. Every domain weighs the same, whatever its rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from monitoring.errors import BadInput
from pitfalls_tf.verdicts.paired import Resampling, Variances, half_width, interval, of_these, probability, variances

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from monitoring.baseline.metrics import ConfidenceInterval
    from pitfalls_tf.verdicts.scores import Half, Pairs

Word = Literal["better", "worse", "inconclusive"]

SMALLEST: Final = 0.005
AFFORDABLE: Final = 200  # seeds in all; beyond it, nobody trains
SEED: Final = 2021  # of the bootstrap: the same scores give the same verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two setups: its mean over seeds and domains, where its scores came from, and their fingerprint."""

    setup: str
    origin: str
    mean: float
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A word, and the interval of A's gain over B that it rests on."""

    word: Word
    interval: ConfidenceInterval


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainGain:
    """What A gains in one domain: means over seeds of both, and the judgement on this domain alone."""

    domain: str
    a: float
    b: float
    gain: float
    judgement: Judgement


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A against B. A gain is positive where A is better, whichever way the metric runs.

    overall        of domains like these
    these_domains  of the very domains at hand
    probability    P(A > B) for one seed in one domain, with the bootstrap's interval
    more_seeds     how many more would probably decide, were the gain and the variances what they seem; None where the
                   verdict is not inconclusive or no affordable number would
    reason         one sentence
    """

    metric: str
    larger_is_better: bool
    smallest: float
    a: Side
    b: Side
    gain: float
    overall: Judgement
    these_domains: Judgement
    probability: float
    probability_interval: ConfidenceInterval
    variances: Variances
    domains: tuple[DomainGain, ...]
    seeds: tuple[int, ...]
    left_out: tuple[str, ...]
    more_seeds: int | None
    reason: str

    @property
    def word(self) -> Word:
        """Better, worse or inconclusive, of domains like these."""
        return self.overall.word

    @property
    def worst_domain(self) -> DomainGain:
        """The domain in which A's own metric is worst."""
        return (min if self.larger_is_better else max)(self.domains, key=lambda one: one.a)


def judge(pairs: Pairs, *, smallest: float = SMALLEST) -> Verdict:
    """The verdict on paired scores.

    Raises:
        BadInput: fewer than two seeds, or a smallest difference below 0.
    """
    if not smallest >= 0:
        raise BadInput(
            "The smallest difference that matters is a size.",
            got=f"{smallest}",
            expected="0 or more, in units of the metric",
            fix=f"Pass --smallest {SMALLEST}.",
        )
    if len(pairs.seeds) < 2:
        raise BadInput(
            "One seed cannot show what another would do.",
            got=f"{len(pairs.seeds)} seed that both setups have in every domain",
            expected="at least 2, better 5 or more",
            fix="Train both with the same --seeds 5.",
        )
    gains = pairs.gains
    resampling = Resampling.draw(len(pairs.domains), len(pairs.seeds), np.random.default_rng(SEED))
    overall = _judgement(interval(gains, resampling), smallest)
    chance, chance_interval = probability(gains, resampling)
    more, reason = _outlook(gains, overall, smallest)
    return Verdict(
        metric=pairs.metric,
        larger_is_better=pairs.larger_is_better,
        smallest=smallest,
        a=_side(pairs.a),
        b=_side(pairs.b),
        gain=float(gains.mean()),
        overall=overall,
        these_domains=_judgement(of_these(gains, resampling), smallest),
        probability=chance,
        probability_interval=chance_interval,
        variances=variances(gains),
        domains=_by_domain(pairs, resampling, smallest),
        seeds=pairs.seeds,
        left_out=pairs.left_out,
        more_seeds=more,
        reason=reason,
    )


def word_of(interval: ConfidenceInterval, smallest: float) -> Word:
    """What an interval of A's gain says.

    >>> from monitoring.baseline.metrics import ConfidenceInterval
    >>> [word_of(ConfidenceInterval(low=low, high=low + 0.01), 0.005) for low in (0.006, 0.004, -0.016)]
    ['better', 'inconclusive', 'worse']
    """
    if interval.low > smallest:
        return "better"
    return "worse" if interval.high < -smallest else "inconclusive"


def _side(half: Half) -> Side:
    return Side(setup=half.setup, origin=half.origin, mean=float(half.values.mean()), fingerprint=half.fingerprint)


def _judgement(interval: ConfidenceInterval, smallest: float) -> Judgement:
    return Judgement(word=word_of(interval, smallest), interval=interval)


def _by_domain(pairs: Pairs, resampling: Resampling, smallest: float) -> tuple[DomainGain, ...]:
    return tuple(
        DomainGain(
            domain=domain,
            a=float(pairs.a.values[place].mean()),
            b=float(pairs.b.values[place].mean()),
            gain=float(pairs.gains[place].mean()),
            judgement=_judgement(of_these(pairs.gains[place : place + 1], resampling), smallest),
        )
        for place, domain in enumerate(pairs.domains)
    )


def _outlook(gains: NDArray[np.float64], overall: Judgement, smallest: float) -> tuple[int | None, str]:
    """How many more seeds would decide, and why."""
    if overall.word != "inconclusive":
        return None, f"The whole interval is beyond the smallest difference that matters, {smallest:g}."
    if -smallest <= overall.interval.low and overall.interval.high <= smallest:
        return None, f"The whole interval is within {smallest:g} of zero: there is no difference that matters."
    found, (domains, seeds) = variances(gains), gains.shape
    needed = abs(float(gains.mean())) - smallest
    if needed <= 0:
        return (
            None,
            f"The gain found is no larger than {smallest:g}: if it is what it seems, no number of seeds decides.",
        )
    for more in range(1, AFFORDABLE - seeds + 1):
        if half_width(found, domains, seeds + more) < needed:
            return more, f"About {more} more seeds would decide, if the gain and its variances are what they seem."
    if found.between_domains is not None:
        without_luck = Variances(between_domains=found.between_domains, between_seeds=0.0, within=0.0)
        if half_width(without_luck, domains, AFFORDABLE) >= needed:
            return None, "The domains differ too much for any number of seeds to decide; more domains might."
    return None, f"More than {AFFORDABLE} seeds in all would be needed, which nobody can afford."
