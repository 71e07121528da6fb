"""How hard a decision rule was to pass: the outcome that would have given the other verdict, and how near it came."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from scipy.special import ndtr
from statsmodels.stats.multitest import multipletests

from pitfalls_tf.experiments import scale
from pitfalls_tf.experiments.claim import ClaimFinding, SourceVerdict
from pitfalls_tf.experiments.scale import NORMAL_QUANTILE


@dataclass(frozen=True, slots=True, kw_only=True)
class Severity:
    """A finding and the bound of its claim that is nearest to it, on the claim's scale.

    Attributes:
        errors: distance of the estimate from the bound in standard errors.
        p_value: of the hypothesis that the quantity is at the bound, two-sided, by the normal distribution.
        otherwise_at: the nearest estimate that would have put the whole interval on the other side of the bound.
    """

    errors: float
    p_value: float
    otherwise_at: float


def severity(finding: ClaimFinding) -> Severity | None:
    """The severity of a finding. Returns None where its standard error is unknown or 0.

    >>> from monitoring.baseline.metrics import ConfidenceInterval
    >>> from pitfalls_tf.experiments.claim import Claim
    >>> claim = Claim(name="n", section="3", says="s", quantity="q", above=1, matters=0.1)
    >>> here = ConfidenceInterval(low=2 - 1.96, high=2 + 1.96)
    >>> found = severity(ClaimFinding(claim=claim, where="here", estimate=2.0, interval=here))
    >>> round(found.errors, 2), round(found.p_value, 3), round(found.otherwise_at, 2)
    (1.0, 0.317, -0.96)
    """
    name, error = finding.claim.scale, finding.standard_error
    centre = scale.transform(name, finding.estimate)
    if not (math.isfinite(error) and math.isfinite(centre) and error > 0):
        return None
    bounds = [bound for bound in (finding.claim.above, finding.claim.below) if math.isfinite(bound)]
    bound = min(bounds, key=lambda bound: abs(scale.transform(name, bound) - centre))
    at = scale.transform(name, bound)
    return Severity(
        errors=abs(centre - at) / error,
        p_value=2 * float(ndtr(-abs(centre - at) / error)),
        otherwise_at=scale.inverse(name, at - math.copysign(NORMAL_QUANTILE * error, centre - at)),
    )


def verdict_with_bounds_times(finding: ClaimFinding, factor: float) -> SourceVerdict:
    """The verdict of a finding had the bounds of its claim been multiplied by a factor."""
    claim = finding.claim
    return replace(claim, above=claim.above * factor, below=claim.below * factor).verdict(finding.interval)


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values adjusted for their number by Holm's method (Scandinavian Journal of Statistics 6, 1979).

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    return [round(float(value), 12) for value in multipletests(p_values, method="holm")[1]] if p_values else []
