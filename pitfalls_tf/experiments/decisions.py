"""The decision on each claim: its findings, those that confirm, and the verdicts of all rules on all data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from pitfalls_tf.experiments import anytime
from pitfalls_tf.experiments.claim import Claim, ClaimFinding
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
from pitfalls_tf.experiments.scores_table import first_rows, fresh_rows
from pitfalls_tf.experiments.stored_results import RunGroup, StoredResults

CONFIRMATORY: Final = "confirmatory"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimDecision:
    """The decision on a claim.

    Attributes:
        kinds: of each finding, `confirmatory` or why it is exploratory.
        verdict: of all findings; all sources count.
        confirmatory_verdict: of the confirmatory findings; None if there are none.
        combinations: verdict by rules and data.
        summary: random-effects summary of the sources; None for fewer than two with an interval.
    """

    claim: Claim
    findings: tuple[ClaimFinding, ...]
    kinds: tuple[str, ...]
    details: tuple[ClaimFinding, ...]
    verdict: ClaimVerdict
    confirmatory_verdict: ClaimVerdict | None
    line: str
    summary: SourceSummary | None
    combinations: Mapping[str, ClaimVerdict]


def decide(experiment: Experiment, results: StoredResults, plan: Plan) -> tuple[ClaimDecision, ...]:
    """Decide the claims of an experiment."""
    table = results.table
    renewed = set(fresh_rows(table)["source"].unique().to_pylist())
    findings = [
        _at_any_time(finding, plan) if finding.source in renewed else finding for finding in experiment.findings(table)
    ]
    before = experiment.findings(first_rows(table))
    decisions = []
    for claim in experiment.claims:
        of_claim, of_first_runs = ([one for one in some if one.claim == claim] for some in (findings, before))
        counting = [finding for finding in of_claim if finding.rule != "first"]
        kinds = tuple(kind_of(finding, plan, results.groups) for finding in counting)
        confirmatory = [one for one, kind in zip(counting, kinds, strict=True) if kind == CONFIRMATORY]
        without_power = {source for source, planned in plan.items() if claim.name in planned.without_power()}
        decisions.append(
            ClaimDecision(
                claim=claim,
                findings=tuple(counting),
                kinds=kinds,
                details=tuple(finding for finding in of_claim if finding.rule == "first"),
                verdict=overall_verdict(counting),
                confirmatory_verdict=overall_verdict(confirmatory) if confirmatory else None,
                line=verdict_line(counting),
                summary=summarise(list({one.source: one for one in reversed(counting)}.values())[::-1]),
                combinations={
                    "first rules, first runs": _by_first_rule(of_first_runs),
                    "first rules, all runs": _by_first_rule(of_claim),
                    "today's rules, first runs": overall_verdict([one for one in of_first_runs if one.rule != "first"]),
                    "today's rules, all runs": overall_verdict(counting),
                    "today's rules, all runs, sources without power do not count": overall_verdict(
                        counting, without_power=without_power
                    ),
                },
            )
        )
    return tuple(decisions)


def kind_of(finding: ClaimFinding, plan: Plan, groups: Sequence[RunGroup]) -> str:
    """Whether a finding is confirmatory: its rule, its number of runs and its power were planned before the runs.

    Returns:
        `confirmatory`, or in words what keeps it from being so.
    """
    planned = plan.get(finding.source)
    group = next((one for one in groups if one.stage == "fresh" and finding.source in one.sources), None)
    if group is None:
        return "first runs" if planned is None or not planned.looks else "first runs; the fresh ones were not made"
    claim = (
        next((one for one in planned.claims if (one.claim, one.where) == (finding.claim.name, finding.where)), None)
        if planned is not None
        else None
    )
    if planned is None or claim is None or claim.rule != finding.claim.rule:
        return "rule of after the plan"
    if group.plan != planned.digest or not group.made or not planned.planned < group.made:
        return "plan of after the runs"
    return CONFIRMATORY if claim.has_power else f"planned power {claim.power or 0:.2g}"


def _by_first_rule(findings: Sequence[ClaimFinding]) -> ClaimVerdict:
    return agreed_verdict([finding.first_verdict for finding in findings if finding.rule != "current"])


def _at_any_time(finding: ClaimFinding, plan: Plan) -> ClaimFinding:
    """The finding with the wider interval of a sequential run."""
    planned = plan.get(finding.source)
    if planned is None or not planned.is_sequential or not finding.by_seeds > 0:
        return finding
    wide = anytime.widened(finding.interval, name=finding.claim.scale, runs=finding.seeds, planned=planned.tuned_for)
    return replace(finding, interval=wide)
