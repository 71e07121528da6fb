"""The decision on each claim: findings, those that count, the verdict, and what would decide an undecided one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyarrow as pa

from pitfalls_tf.experiments import anytime, scale
from pitfalls_tf.experiments.claim import Claim, ClaimFinding, SourceVerdict
from pitfalls_tf.experiments.claim_verdict import (
    ClaimVerdict,
    SourceSummary,
    agreed_verdict,
    overall_verdict,
    summarise,
    verdict_line,
)
from pitfalls_tf.experiments.experiment import Experiment
from pitfalls_tf.experiments.power_plan import Plan
from pitfalls_tf.experiments.scale import NORMAL_QUANTILE
from pitfalls_tf.experiments.scores_table import first_rows, fresh_rows

TINY: Final = 1e-9  # a distance from a bound that no number of runs resolves


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimDecision:
    """The decision on a claim.

    Attributes:
        summary: random-effects summary of the sources; None for fewer than two with an interval.
        undecided: why the claim is inconclusive, and what would decide it; () for other claims.
    """

    claim: Claim
    findings: tuple[ClaimFinding, ...]
    details: tuple[ClaimFinding, ...]
    verdict: ClaimVerdict
    line: str
    summary: SourceSummary | None
    first_verdict: SourceVerdict
    undecided: tuple[str, ...]


def decide(experiment: Experiment, table: pa.Table, plan: Plan) -> tuple[ClaimDecision, ...]:
    """Decide the claims of an experiment."""
    renewed = set(fresh_rows(table)["source"].unique().to_pylist())
    findings = [
        _at_any_time(finding, plan) if finding.source in renewed else finding for finding in experiment.findings(table)
    ]
    before = experiment.findings(first_rows(table))
    decisions = []
    for claim in experiment.claims:
        of_claim = [finding for finding in findings if finding.claim == claim]
        counting = [finding for finding in of_claim if finding.rule != "first"]
        without_power = {source for source, planned in plan.items() if claim.name in planned.without_power()}
        verdict = overall_verdict(counting, without_power=without_power)
        decisions.append(
            ClaimDecision(
                claim=claim,
                findings=tuple(counting),
                details=tuple(finding for finding in of_claim if finding.rule == "first"),
                verdict=verdict,
                line=verdict_line(counting, without_power=without_power),
                summary=summarise(counting),
                first_verdict=agreed_verdict(
                    [
                        finding.first_verdict
                        for finding in before
                        if finding.claim == claim and finding.rule != "current"
                    ]
                ),
                undecided=tuple(map(what_would_decide, _undecided(counting))) if verdict == "inconclusive" else (),
            )
        )
    return tuple(decisions)


def what_would_decide(finding: ClaimFinding) -> str:
    """Why a finding is inconclusive, and what would decide it, in words."""
    claim, error = finding.claim, finding.standard_error
    centre = scale.transform(claim.scale, finding.estimate)
    bounds = [bound for bound in (claim.above, claim.below) if np.isfinite(bound)]
    if not math.isfinite(error) or not math.isfinite(centre):
        return f"{finding.where}: there is no interval, because there are too few runs or domains"
    bound = min(bounds, key=lambda bound: abs(scale.transform(claim.scale, bound) - centre))
    distance = abs(scale.transform(claim.scale, bound) - centre)
    text = f"{finding.where}: the interval contains {bound:g}"
    if distance < claim.distance:
        text += f", which is nearer to the estimate than the smallest effect that matters ({claim.smallest_effect})"
    ratio = (NORMAL_QUANTILE * error / distance) ** 2 if distance > TINY else math.inf
    if not finding.seeds and not finding.domains:
        return text
    of_domains, of_runs = (1 - finding.by_seeds) * ratio, finding.by_seeds * ratio
    if finding.domains and of_domains >= 1:
        return f"{text}; at this estimate about {_count(finding.domains * ratio)} domains would decide it"
    if finding.seeds:
        return (
            f"{text}; at this estimate about {_count(finding.seeds * of_runs / (1 - of_domains))} runs would decide it"
        )
    return text


def _count(number: float) -> str:
    """A number of runs or domains with two digits: it is an estimate."""
    if not math.isfinite(number) or number > 1e5:
        return "more than 100,000"
    digits = max(0, len(str(math.ceil(number))) - 2)
    return f"{math.ceil(number / 10**digits) * 10**digits:,}"


def _undecided(findings: Sequence[ClaimFinding]) -> list[ClaimFinding]:
    return [finding for finding in findings if finding.verdict == "inconclusive"]


def _at_any_time(finding: ClaimFinding, plan: Plan) -> ClaimFinding:
    """The finding with the wider interval of a sequential run."""
    planned = plan.get(finding.source)
    if planned is None or not planned.is_sequential or not finding.by_seeds > 0:
        return finding
    wide = anytime.widened(finding.interval, name=finding.claim.scale, runs=finding.seeds, planned=planned.tuned_for)
    return replace(finding, interval=wide)
