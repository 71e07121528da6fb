"""Better, worse or inconclusive: setup A against setup B, paired over seeds and domains.

`better` requires the whole interval of the gain above the smallest difference that matters, `worse` below its negative.
Everything else is inconclusive, with the number of further seeds that would probably decide, or the reason why no
affordable number would.

The verdict holds for domains like those at hand: they are a sample. The verdict for exactly these domains, and for each
domain alone, is reported too. All domains have the same weight, independent of their number of rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from monitoring.errors import BadInput
from pitfalls_tf.verdicts.paired import (
    Resampling,
    Variances,
    half_width,
    interval,
    interval_these_domains,
    probability_of_improvement,
    variances,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from monitoring.baseline.metrics import ConfidenceInterval
    from pitfalls_tf.verdicts.scores import PairedScores, PairedSetup

Outcome = Literal["better", "worse", "inconclusive"]

SMALLEST_DIFFERENCE: Final = 0.005
AFFORDABLE_SEEDS: Final = 200
BOOTSTRAP_SEED: Final = 2021  # fixed: the same scores give the same verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupSummary:
    """One of the two setups."""

    setup: str
    origin: str
    mean: float
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GainVerdict:
    """An outcome, and the interval of A's gain over B that decides it."""

    outcome: Outcome
    interval: ConfidenceInterval


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainGain:
    """A's gain in one domain. `gain`: mean gain over seeds; positive is better."""

    domain: str
    a: float
    b: float
    gain: float
    verdict: GainVerdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Comparison of A with B. A gain is positive where A is better, for every metric.

    Attributes:
        metric: metric of the comparison.
        larger_is_better: its direction.
        smallest: smallest difference that matters, in units of the metric.
        a: the setup whose gain is measured.
        b: the reference setup.
        gain: mean gain over domains and seeds.
        overall: verdict for domains like these.
        these_domains: verdict for exactly these domains.
        probability: P(A > B) for one seed in one domain.
        probability_interval: its bootstrap interval.
        variances: variance components of the gains.
        domains: gains by domain.
        seeds: seeds of the comparison.
        left_out: seeds and domains without a partner.
        more_seeds: number of further seeds that would probably decide, assuming the estimated gain and variances; None
            for a decided verdict, or where no affordable number would decide.
        reason: one sentence on the outcome.
    """

    metric: str
    larger_is_better: bool
    smallest: float
    a: SetupSummary
    b: SetupSummary
    gain: float
    overall: GainVerdict
    these_domains: GainVerdict
    probability: float
    probability_interval: ConfidenceInterval
    variances: Variances
    domains: tuple[DomainGain, ...]
    seeds: tuple[int, ...]
    left_out: tuple[str, ...]
    more_seeds: int | None
    reason: str

    @property
    def outcome(self) -> Outcome:
        """Better, worse or inconclusive, for domains like these."""
        return self.overall.outcome

    @property
    def worst_domain(self) -> DomainGain:
        """The domain in which A has its worst score."""
        return (min if self.larger_is_better else max)(self.domains, key=lambda domain: domain.a)


def judge(pairs: PairedScores, *, smallest: float = SMALLEST_DIFFERENCE) -> Verdict:
    """Compare two setups by their paired scores.

    Raises:
        BadInput: fewer than two seeds, or a smallest difference below 0.
    """
    if not smallest >= 0:
        raise BadInput(
            "The smallest difference that matters must not be negative.",
            got=f"{smallest}",
            expected="0 or more, in units of the metric",
            fix=f"Pass --smallest {SMALLEST_DIFFERENCE}.",
        )
    if len(pairs.seeds) < 2:
        raise BadInput(
            "Too few seeds for a verdict.",
            got=f"{len(pairs.seeds)} seed that both setups have in every domain",
            expected="at least 2, better 5 or more",
            fix="Train both with the same --seeds 5.",
        )
    gains = pairs.gains
    resampling = Resampling.draw(len(pairs.domains), len(pairs.seeds), np.random.default_rng(BOOTSTRAP_SEED))
    overall = _gain_verdict(interval(gains, resampling), smallest)
    probability, probability_interval = probability_of_improvement(gains, resampling)
    more_seeds, reason = _outlook(gains, overall, smallest)
    return Verdict(
        metric=pairs.metric,
        larger_is_better=pairs.larger_is_better,
        smallest=smallest,
        a=_summary(pairs.a),
        b=_summary(pairs.b),
        gain=float(gains.mean()),
        overall=overall,
        these_domains=_gain_verdict(interval_these_domains(gains, resampling), smallest),
        probability=probability,
        probability_interval=probability_interval,
        variances=variances(gains),
        domains=_by_domain(pairs, resampling, smallest),
        seeds=pairs.seeds,
        left_out=pairs.left_out,
        more_seeds=more_seeds,
        reason=reason,
    )


def outcome_of(interval: ConfidenceInterval, smallest: float) -> Outcome:
    """Apply the decision rule to an interval of A's gain.

    >>> from monitoring.baseline.metrics import ConfidenceInterval
    >>> [outcome_of(ConfidenceInterval(low=low, high=low + 0.01), 0.005) for low in (0.006, 0.004, -0.016)]
    ['better', 'inconclusive', 'worse']
    """
    if interval.low > smallest:
        return "better"
    return "worse" if interval.high < -smallest else "inconclusive"


def _summary(setup: PairedSetup) -> SetupSummary:
    mean = float(setup.values.mean())
    return SetupSummary(setup=setup.setup, origin=setup.origin, mean=mean, fingerprint=setup.fingerprint)


def _gain_verdict(interval: ConfidenceInterval, smallest: float) -> GainVerdict:
    return GainVerdict(outcome=outcome_of(interval, smallest), interval=interval)


def _by_domain(pairs: PairedScores, resampling: Resampling, smallest: float) -> tuple[DomainGain, ...]:
    return tuple(
        DomainGain(
            domain=domain,
            a=float(pairs.a.values[index].mean()),
            b=float(pairs.b.values[index].mean()),
            gain=float(pairs.gains[index].mean()),
            verdict=_gain_verdict(interval_these_domains(pairs.gains[index : index + 1], resampling), smallest),
        )
        for index, domain in enumerate(pairs.domains)
    )


def _outlook(gains: NDArray[np.float64], overall: GainVerdict, smallest: float) -> tuple[int | None, str]:
    """Number of further seeds that would probably decide, and a sentence on the outcome."""
    if overall.outcome != "inconclusive":
        return None, f"The whole 95 % interval is beyond the smallest difference that matters, {smallest:g}."
    if -smallest <= overall.interval.low and overall.interval.high <= smallest:
        return None, f"The whole 95 % interval is within {smallest:g} of zero: no difference that matters."
    components, (domains, seeds) = variances(gains), gains.shape
    needed = abs(float(gains.mean())) - smallest
    if needed <= 0:
        return (
            None,
            f"The estimated gain is not larger than {smallest:g}: if it is right, no number of seeds decides.",
        )
    for more in range(1, AFFORDABLE_SEEDS - seeds + 1):
        if half_width(components, domains, seeds + more) < needed:
            return more, f"About {more} more seeds would decide, if the estimated gain and variances are right."
    if components.between_domains is not None:
        domains_only = Variances(between_domains=components.between_domains, between_seeds=0.0, within=0.0)
        if half_width(domains_only, domains, AFFORDABLE_SEEDS) >= needed:
            return None, "The domains differ too much for any number of seeds to decide; more domains might."
    return None, f"More than {AFFORDABLE_SEEDS} seeds in total would be needed."
