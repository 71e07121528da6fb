"""The verdict on a claim from those of its sources: agreement, dependence on the data, or neither.

Decisions 0075 and 0110. A source is decided where its interval is inside or outside of the bounds. All sources count: a
claim is decided where they agree. Sources that disagree are a result of their own, *depends on the data*, where
Cochran's test says that their effects differ; findings of one source that disagree, by two measures, are another,
*depends on the measure*. An undecided source leaves the claim undecided.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np

from monitoring.baseline.metrics import ConfidenceInterval
from pitfalls_tf.experiments import scale
from pitfalls_tf.experiments.claim import ClaimFinding, SourceVerdict

ClaimVerdict = Literal[
    "reproduced", "not reproduced", "depends on the data", "depends on the measure", "at the bound", "inconclusive"
]

VERDICTS: Final[tuple[ClaimVerdict, ...]] = get_args(ClaimVerdict)
DIFFERENT: Final = 0.01  # p-value of the test of homogeneity below which sources differ; .05 would nearly follow
SMALLEST_ERROR: Final = 1e-9  # below it, weights overflow
FEWEST: Final = 2  # decided sources for a verdict where others are without power


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSummary:
    """A random-effects summary of the sources' estimates.

    Attributes:
        heterogeneity: share of the variance between estimates that is not error, I squared.
    """

    estimate: float
    interval: ConfidenceInterval
    heterogeneity: float
    p_value: float
    sources: int


def summarise(findings: Sequence[ClaimFinding]) -> SourceSummary | None:
    """Average the effects of a claim's sources by a random-effects model (Paule and Mandel).

    Returns:
        The summary; None with fewer than two findings that have an interval of positive width.
    """
    usable = [
        finding
        for finding in findings
        if math.isfinite(finding.standard_error) and finding.standard_error > SMALLEST_ERROR
    ]
    if len(usable) < 2:
        return None
    from statsmodels.stats.meta_analysis import combine_effects  # noqa: PLC0415 - a second to import

    name = usable[0].claim.scale
    effects = np.array([_centre(finding) for finding in usable])
    variances = np.array([finding.standard_error**2 for finding in usable])
    with np.errstate(divide="ignore"):  # equal estimates have a statistic of homogeneity of 0, by which it divides
        combined = combine_effects(effects, variances, method_re="iterated")
    low, high = combined.conf_int(use_t=True)[3]  # random effects, with the variance of their residuals
    return SourceSummary(
        estimate=scale.inverse(name, float(combined.mean_effect_re)),
        interval=ConfidenceInterval(low=scale.inverse(name, float(low)), high=scale.inverse(name, float(high))),
        heterogeneity=max(0.0, float(combined.i2)),
        p_value=float(combined.test_homogeneity().pvalue),
        sources=len(usable),
    )


def overall_verdict(findings: Sequence[ClaimFinding], *, without_power: Collection[str] = ()) -> ClaimVerdict:
    """Combine the findings of one claim.

    Args:
        without_power: sources that do not count if they are undecided and two others are decided, as decision 0075 had
            it; none by default.
    """
    verdicts = _by_source(findings)
    if "depends on the measure" in verdicts.values():
        return "depends on the measure"
    decided = {source: verdict for source, verdict in verdicts.items() if verdict in {"reproduced", "not reproduced"}}
    if {"reproduced", "not reproduced"} <= set(decided.values()):
        summary = summarise([finding for finding in findings if finding.source in decided])
        return "depends on the data" if summary is not None and summary.p_value < DIFFERENT else "inconclusive"
    exempt = set(without_power) if len(decided) >= FEWEST else set()
    open_ = {verdict for source, verdict in verdicts.items() if source not in decided and source not in exempt}
    if "inconclusive" in open_ or not verdicts:
        return "inconclusive"
    return "at the bound" if open_ else next(iter(decided.values()))


def agreed_verdict(verdicts: Sequence[SourceVerdict]) -> SourceVerdict:
    """The rule of the first runs: the verdict that all findings share, `inconclusive` where they disagree."""
    return _agreed(verdicts)


def verdict_line(findings: Sequence[ClaimFinding]) -> str:
    """The sources of each verdict, in words."""
    phrases: dict[ClaimVerdict, str] = {
        "reproduced": "reproduced on",
        "not reproduced": "not on",
        "depends on the measure": "by the measure on",
        "at the bound": "at the bound on",
        "inconclusive": "undecided on",
    }
    parts: list[str] = []
    for verdict, phrase in phrases.items():
        names = [source for source, of_source in _by_source(findings).items() if of_source == verdict]
        if names:
            first = "not reproduced on" if phrase == "not on" and not parts else phrase
            parts.append(f"{first} {', '.join(names)}")
    return "; ".join(parts)


def _by_source(findings: Sequence[ClaimFinding]) -> dict[str, ClaimVerdict]:
    verdicts: dict[str, ClaimVerdict] = {}
    for source in dict.fromkeys(finding.source for finding in findings):
        every = [finding.verdict for finding in findings if finding.source == source]
        disagree = {"reproduced", "not reproduced"} <= set(every)
        verdicts[source] = "depends on the measure" if disagree else _agreed(every)
    return verdicts


def _agreed(verdicts: Sequence[SourceVerdict]) -> SourceVerdict:
    distinct = set(verdicts)
    return distinct.pop() if len(distinct) == 1 else "inconclusive"


def _centre(finding: ClaimFinding) -> float:
    """Middle of the interval on the claim's scale: the estimate of an interval that is symmetric there."""
    low, high = (scale.transform(finding.claim.scale, end) for end in (finding.interval.low, finding.interval.high))
    return (low + high) / 2
